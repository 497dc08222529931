"""Bands about headlines: how wide, about what, and how often they hold the truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from benchmarks import coverage
from modeler.measure import judge, unit_price
from modeler.measure.headlines import Headlines, headlines
from modeler.replay.run import run
from modeler.replay.weather_setup import weather_later
from modeler.scenario import default, with_values
from modeler.study import Goal, Lab, sweep
from modeler.study.bands import blocks_of, enough, replicate, replicated
from modeler.study.intervals import LEAST_USD, Resamples, paired, seed_of
from modeler.study.replicates import apart, count_of, kept_band, replicates_of
from traces import Trace
from traces.draws import exponential

DAY_S = 86_400.0
BASE = with_values(
    default(),
    {
        "sweep": {},
        "model.size": "4GB",
        "service.kind": "exponential",
        "service.mean_s": 20.0,
        "fleet.slots": 1,
        "fleet.max": 6,
        "sla.threshold_s": 60.0,
    },
)


def traffic(days: int = 4, rps: float = 0.03, seed: int = 1) -> Trace:
    count = int(days * DAY_S * rps)
    arrival = np.cumsum(exponential(seed, "gap", 0, count)) / rps
    return Trace(arrival - arrival[0])


def test_headlines_of_all_of_a_run_are_its_judgement():
    done = run(BASE, traffic())
    seen, outcome = headlines(done, unit_price(BASE)), judge(done)
    assert seen.usd_per_hour == outcome.usd_per_hour
    assert seen.sla_violation_share == outcome.sla_violation_share
    assert seen.latency_p99_s == outcome.latency_s["p99"]
    assert seen.breach_to_ready_p95_s == outcome.breach_to_ready_s["p95"]


def test_headlines_of_two_parts_add_up():
    """What is left of a run after a moment, and before it: dollars, requests, violations."""
    done = run(BASE, traffic(), records=True)
    price = unit_price(BASE)
    whole, late = headlines(done, price), headlines(done, price, from_s=100_000.0)
    arrival_s = done.trace.arrival_s
    early = np.flatnonzero(arrival_s < 100_000.0)
    missed = np.count_nonzero(done.result.record[early, 1])
    assert late.requests == done.result.requests - early.size
    assert late.sla_violation_share * late.requests == pytest.approx(
        whole.sla_violation_share * whole.requests - missed
    )
    table = done.result.replicas  # billed from the request on, to the second
    lives = np.minimum(table[:, 4], 100_000.0) - np.minimum(table[:, 0], 100_000.0)
    seconds = np.maximum(lives, 0.0).sum()
    # Each life may be rounded up to a second more on either side.
    slack = 2.0 * len(table) / 3600.0 * price.usd_per_hour
    before = seconds / 3600.0 * price.usd_per_hour
    assert whole.usd - late.usd == pytest.approx(before, abs=slack)


def test_scenarios_share_their_replicates():
    """The same traffic and the same luck: a fleet twice as dear costs twice as much in each."""
    trace = traffic()
    twice = with_values(BASE, {"hosting.usd_per_hour": 2.0})
    once = with_values(BASE, {"hosting.usd_per_hour": 1.0})
    one, other = (replicated(scenario, trace, 20) for scenario in (once, twice))
    assert np.array(other["values"]["usd_per_hour"]) == pytest.approx(
        2.0 * np.array(one["values"]["usd_per_hour"])
    )
    assert one["values"]["sla_violation_share"] == other["values"]["sla_violation_share"]


def test_a_difference_is_told_more_finely_than_either():
    trace = traffic()
    capped = with_values(BASE, {"fleet.max": 5})
    one, other = (replicated(scenario, trace, 40) for scenario in (BASE, capped))
    values = (one["values"]["usd_per_hour"], other["values"]["usd_per_hour"])
    drawn = Resamples(one["seed"], tuple(one["kinds"]))
    difference = paired(*values, drawn)
    wide = one["bands"]["usd_per_hour"]
    assert difference.high - difference.low < wide["high"] - wide["low"]
    same = paired(values[0], values[0], drawn)
    assert (same.low, same.middle, same.high, same.differs) == (0.0, 0.0, 0.0, False)


def test_replicates_end_when_the_question_is_settled():
    """A fixed fleet that is never full: dollars are known, and nothing is missed."""
    fixed = with_values(
        BASE,
        {"policy": {"kind": "fixed", "replicas": 6}, "fleet.min": 6, "service.mean_s": 2.0},
    )
    found = replicated(fixed, traffic(rps=0.005), 100)
    assert found["replicates"] == 40
    # Misses are as likely as exp(-30): none was seen, and three of all requests are the most.
    ends = found["bands"]["sla_violation_share"]
    assert ends["low"] == 0.0
    assert ends["high"] == pytest.approx(3.0 / traffic(rps=0.005).requests, rel=2e-3)
    blocks = blocks_of(traffic())
    few = [replicate(BASE, traffic(), blocks, k, lead_s=3600.0) for k in range(3)]
    assert not enough(few, Resamples(1, (0,) * 4), BASE)


def test_replicates_are_enough_only_by_the_wider_interval_of_what_is_asked_repeatedly():
    """Shares half above and half below 1 %, of five days: Student's t of four of freedom."""
    count, days, away = 40, 5, 0.002
    shares = 0.01 + away * np.tile([-1.0, 1.0], count // 2)
    found = [Headlines(1.0, share, 1.0, 1.0, 1000, 24.0, 0.0, 1000.0) for share in shares]
    drawn_at = Resamples.of_lucks(days)
    error = away * np.sqrt(count / (count - 1) * days / (days - 1))
    told, settled = (0.01 + error * stats.t.ppf(q, days - 1) for q in (0.975, 0.995))
    for allowed, seen in (((told + settled) / 2.0, False), (settled * 1.01, True)):
        scenario = with_values(BASE, {"sla.max_violation_share": allowed})
        assert enough(found, drawn_at, scenario) is seen
    # Dollars, whose interval of 95 % would be a hundredth to either side, and is more of 99 %.
    spread = np.tile([-1.0, 1.0], count // 2) / error * away / stats.t.ppf(0.975, days - 1)
    wide, narrow = 0.0099 * spread, 0.0099 * spread * (told - 0.01) / (settled - 0.01)
    for dollars, seen in ((1.0 + wide, False), (1.0 + narrow, True)):
        of = [one._replace(usd_per_hour=usd) for one, usd in zip(found, dollars, strict=True)]
        assert enough(of, drawn_at, with_values(BASE, {"sla.max_violation_share": 0.5})) is seen


def test_a_lead_warms_the_fleet_up():
    """Without one every replicate begins with a start that its week would not have."""
    trace = traffic(rps=0.12)
    blocks = blocks_of(trace)
    cold, warm = (
        np.mean(
            [replicate(BASE, trace, blocks, k, lead_s=lead_s).sla_violation_share for k in range(6)]
        )
        for lead_s in (0.0, 7200.0)
    )
    assert warm < cold


def test_rows_of_a_sweep_carry_their_bands_and_ties_are_told():
    result = sweep(
        with_values(BASE, {"service.mean_s": 2.0}),
        settings={"fleet.max": [5, 6]},
        trace=traffic(rps=0.01),
        replicates=20,
        references=False,
        workers=2,
    )
    for row in result.rows:
        bands = row["uncertainty"]["bands"]
        assert bands["usd_per_hour"]["low"] <= bands["usd_per_hour"]["high"]
    json.dumps(result.to_dict(), allow_nan=False)
    assert "more settings come to the same" in result.verdict or "by more than chance" in (
        result.verdict
    )


def test_the_fixed_fleet_that_was_chosen_has_bands_over_the_same_days_as_the_scenarios():
    result = sweep(
        with_values(BASE, {"service.mean_s": 2.0}),
        settings={"fleet.min": [2, 3]},
        trace=traffic(rps=0.01),
        replicates=20,
        workers=2,
    )
    (reference,), known = result.references, result.rows[0]["uncertainty"]
    bands = reference["uncertainty"]
    for name in ("replicates", "kinds", "seed", "lead_s"):
        assert bands[name] == known[name]
    assert bands["values"]["requests_per_hour"] == known["values"]["requests_per_hour"]
    # A fleet that never scales costs the same whatever comes, and has no start to wait for.
    usd = bands["bands"]["usd_per_hour"]
    assert usd["low"] == pytest.approx(usd["high"], rel=1e-3)
    assert usd["low"] == pytest.approx(reference["usd_per_hour"], rel=1e-3)
    assert f"fixed 1: ${reference['usd_per_hour']:.2f} [{usd['low']:.2f}, " in result.verdict


def test_seeds_of_replicates_are_their_own():
    seeds = {seed_of(seed, number) for seed in range(20) for number in range(50)}
    assert len(seeds) == 1000


def test_intervals_hold_the_truth_as_often_as_they_say():
    """A small edition of ``benchmarks.coverage``, whose full one is in the page of bands."""
    found = coverage.coverage(60, 40, 20, workers=2)
    # Of 40 repetitions at 95 %, fewer than this happen once in 5,000 times; the truth, of 60
    # weeks, is known to an eighth of a week's own spread.
    least = stats.binom.ppf(2e-4, 40, 0.95) / 40
    for one in found:
        assert one.covered >= least
        # Student's 2.6 to either side at five degrees of freedom, and what few replicates and the
        # two days of the weekend add: wide enough, and no wider.
        assert 3.5 * one.spread < one.width < 7.0 * one.spread


def test_weather_that_is_said_from_the_beginning_waits_for_the_warm_up():
    short = {"kind": "insufficient_capacity", "from_s": 100.0, "for_s": 60.0}
    daily = {"kind": "slow_store", "from_time": "08:00"}
    scenario = with_values(BASE, {"weather": [short, {"kind": "failed_start"}, daily]})
    later = weather_later(scenario, 3600.0)
    assert [getattr(block, "from_s", None) for block in later.weather] == [3700.0, None, 0.0]
    assert weather_later(scenario, -200.0).weather[0].from_s == 0.0
    assert weather_later(scenario, 0.0) is scenario


def test_rows_asked_for_at_once_warm_up_alike_and_are_paired():
    """A start of 20 minutes asks for a lead-in of 80; the other scenario has it too."""
    slow = with_values(BASE, {"cold_start.total_s": 1200.0, "cold_start.sigma_log": 0.0})
    fast = with_values(BASE, {"cold_start.total_s": 10.0})
    lab = Lab(BASE, trace=traffic(rps=0.005))
    rows = lab.rows([slow, fast], replicates=20)
    assert [row["uncertainty"]["lead_s"] for row in rows] == [4800.0, 4800.0]
    assert lab.row(fast, replicates=20)["uncertainty"]["lead_s"] == 3600.0
    known = rows[0]["uncertainty"]["values"]
    # About 0.005 requests a second.
    assert np.mean(known["requests_per_hour"]) == pytest.approx(18.0, rel=0.1)
    shares, rates = known["sla_violation_share"], known["requests_per_hour"]
    own = replicates_of(rows[0], Goal(penalty_usd=1.0))
    missed = 730.0 * np.array(shares) * np.array(rates)
    np.testing.assert_allclose(own.values("missed_per_month"), missed, rtol=1e-12)
    same = apart(own, own, "usd_per_month")
    assert (same.low, same.high, same.differs) == (0.0, 0.0, False)
    assert apart(own, replicates_of(lab.row(fast)), "sla_violation_share") is None
    other = replicates_of(lab.row({"seed": 5}, replicates=20))
    assert apart(own, other, "usd_per_month") is None  # not drawn alike
    assert kept_band(rows[0], "usd_per_hour") == replicates_of(rows[0]).band("usd_per_hour")
    assert (count_of(rows[0]), count_of(lab.row(fast))) == (20, 0)


def test_less_than_half_a_cent_is_no_difference():
    found = paired(
        [1.0, 2.0, 3.0], [1.0 + 1e-13, 2.004, 3.0], Resamples(0, (0,) * 3), least=LEAST_USD
    )
    assert (found.low, found.middle, found.high, found.differs) == (0.0, 0.0, 0.0, False)


def test_rows_of_several_traffics_are_the_same_from_processes():
    other = traffic(rps=0.01, seed=2)
    asked = {"traffic": [None, other, other], "replicates": 20}
    found = [
        Lab(BASE, trace=traffic(rps=0.01), executor=executor, workers=2).rows(
            [{}, {}, {"fleet.max": 3}], **asked
        )
        for executor in ("threads", "processes")
    ]
    assert json.dumps(found[0]) == json.dumps(found[1])
    assert found[0][0]["uncertainty"]["values"] != found[0][1]["uncertainty"]["values"]
