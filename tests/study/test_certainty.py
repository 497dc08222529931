"""How sure an optimum is: bands and paired differences where they are known beforehand."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.cli.main import cli
from modeler.report.studies import figure_bytes, optimum
from modeler.scenario import loads, with_values
from modeler.scenario.gates import parse_gates
from modeler.study import Goal, GoalError, Lab, optimize
from modeler.study.bands import lead_of, replicate
from modeler.study.certainty import certainty
from modeler.study.intervals import band
from modeler.study.replicates import apart, replicates_of
from traces import Trace
from traces.blocks import blocks_of
from traces.draws import exponential

DAY_S = 86_400
# Three days alike: a request a minute, and at noon for an hour one each five seconds.
_DAY = np.union1d(np.arange(0, DAY_S, 60), np.arange(43_200, 46_800, 5))
ALIKE = Trace(np.concatenate([_DAY + day * DAY_S for day in range(3)]).astype(float))
# Ten hours of a Poisson process of one request each ten seconds.
_GAPS = exponential(5, "gap", 0, 3600)
RANDOM = Trace(np.cumsum(_GAPS) * 10.0 - _GAPS[0] * 10.0)
SCENARIO = """
model: {size: 2GB}
hosting: {usd_per_hour: 2, release_s: 0}
service: {kind: fixed, mean_s: 8s}
cold_start: {total_s: 4m, sigma_log: 0}
fleet: {min: 1, max: 6, slots: 1}
sla: {threshold_s: 30s, max_violation_share: 0.1}
queue: {client_timeout_s: 1d, queue_timeout_s: 1d}
policy: {kind: target_tracking, target_utilisation: 0.6}
"""
BASE = loads(SCENARIO)
DEARER = {"hosting.usd_per_hour": (2.0, 2.01), "fleet.max": (6, 60)}


@cache
def priced(goal: str = "cost", usd: float = 2.2):
    """A price of half a hundredth more, and a cap that is never reached; as it stands a tenth."""
    lab = Lab(with_values(BASE, {"hosting.usd_per_hour": usd}), trace=RANDOM)
    return optimize(lab, DEARER, Goal(goal), replicates=20)


def test_days_that_are_alike_leave_no_doubt():
    found = optimize(
        Lab(BASE, trace=ALIKE),
        {"policy.target_utilisation": (0.5, 0.6), "fleet.min": (1, 2)},
        Goal("cost"),
        replicates=20,
    )
    for one in found.certainty.each:
        told = one.to_dict()
        for name in ("usd_per_hour", "sla_violation_share", "latency_p99_s"):
            assert told[name]["low"] == told[name]["high"]
        if one.difference is not None:
            assert one.difference.low == one.difference.middle == one.difference.high
    known = found.certainty.best.replicates.values("usd_per_hour")
    assert known[0] == pytest.approx(found.best["usd_per_hour"], rel=0.02)


def test_what_a_price_does_is_told_to_the_cent_and_a_cap_that_is_never_reached_is_nothing():
    found = priced()
    sure = found.certainty
    prices = [one.row["settings"]["hosting.usd_per_hour"] for one in sure.plateau]
    assert found.best["settings"]["hosting.usd_per_hour"] == 2.0
    assert set(prices) == {2.0, 2.01}
    usd = sure.best.replicates.values("usd_per_hour")
    for one in sure.plateau:
        apart = one.difference
        if one.row["settings"]["hosting.usd_per_hour"] == 2.0:
            assert (apart.low, apart.high, apart.differs) == (0.0, 0.0, False)
        else:
            assert apart.differs
            assert apart.middle == pytest.approx(0.005 * np.median(usd))
            np.testing.assert_allclose(one.replicates.values("usd_per_hour"), 1.005 * usd)
    saved = {one.figure: one for one in sure.changes}["usd_per_month"]
    assert saved.difference == pytest.approx(-0.1 * 730.0 * np.median(usd))
    assert saved.differs
    assert {one.differs for one in sure.changes if one.figure != "usd_per_month"} == {False}
    said = found.sentence()
    assert "It need not be precise: fleet.max 6 or 60 come within 1 % of it and do not" in said
    verb = "costs" if prices.count(2.01) == 1 else "cost"
    assert (
        f"{prices.count(2.01)} of the {len(prices)} other settings within 1 % of it {verb}" in said
    )
    assert "Against the scenario as it stands it costs $" in said
    assert "a month less (between $" in said


def test_of_latency_such_prices_say_nothing():
    said = priced("speed").sentence()
    assert "cost more" not in said
    assert "do not differ from it in latency by more than chance" in said


def test_the_scenario_that_is_best_already_is_said_so():
    found = optimize(Lab(BASE, trace=RANDOM), {"fleet.max": (6, 60)}, Goal("cost"), replicates=20)
    assert found.certainty.is_own(found.best)
    assert found.sentence().endswith("It is what the scenario has now.")


def test_a_scenario_of_another_kind_or_too_large_stands_beside_the_best():
    axes = {"policy.kind": ("target_tracking",), "policy.target_utilisation": (0.4, 0.6)}
    other = with_values(BASE, {"policy": {"kind": "fixed", "replicas": 2}})
    found = optimize(Lab(other, trace=RANDOM), axes, Goal("cost"), replicates=20)
    assert found.certainty.own.row["settings"] == {
        "policy.kind": "fixed", "policy.target_utilisation": None
    }  # fmt: skip
    large = with_values(BASE, {"model.size": "60GB", "hosting.instance": "ml.g5.2xlarge"})
    found = optimize(Lab(large, trace=RANDOM), {"model.size": ("2GB", "4GB")}, replicates=20)
    assert found.certainty.own is None
    assert "As it stands the scenario cannot be replayed: a model of 60 GB" in found.sentence()
    json.dumps(found.to_dict(), allow_nan=False)


def test_a_pair_is_told_more_finely_than_the_difference_of_strangers():
    found = optimize(
        Lab(BASE, trace=RANDOM),
        {"policy.target_utilisation": (0.5, 0.6, 0.7), "fleet.min": (1,)},
        Goal("cost"),
        replicates=20,
    )
    best, own = found.certainty.best.replicates, found.certainty.own.replicates
    assert best.values("usd_per_hour").std() > 0.0
    pair = apart(best, own, "usd_per_hour")
    strangers = band(
        np.roll(own.values("usd_per_hour"), 7) - best.values("usd_per_hour"),
        own.drawn,
        signed=True,
    )
    assert 0.0 < pair.high - pair.low < strangers.high - strangers.low


def test_how_often_it_is_kept_is_counted_one_by_one():
    allowed = with_values(BASE, {"sla.max_violation_share": 0.02})
    gates = parse_gates(["usd_per_hour <= $5", "p99 <= 60s", "usd_total <= $1000000"])
    found = optimize(Lab(allowed, trace=RANDOM), {"fleet.min": (2, 3)}, gates=gates, replicates=20)
    best = with_values(allowed, found.best["settings"])
    blocks = blocks_of(RANDOM)
    lead_s = min(lead_of(best), blocks.width_s)
    drawn = [replicate(best, RANDOM, blocks, k, lead_s=lead_s) for k in range(20)]
    kept = sum(
        one.sla_violation_share <= 0.02 and one.usd_per_hour <= 5.0 and one.latency_p99_s <= 60.0
        for one in drawn
    )
    assert found.certainty.best.replicates.kept == kept
    assert f"keeps what is asked in {kept} of 20 replicates" in found.sentence()
    assert found.certainty.untold == ("usd_total <= $1000000",)
    assert "They do not tell of usd_total" in found.sentence()
    # Days that were all within the level do not make weeks sure that are drawn from others.
    low, high = found.certainty.best.replicates.band("sla_violation_share")
    unsettled = low <= 0.02 < high
    assert ("over other weeks this traffic does not say" in found.sentence()) is unsettled


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.floats(0.0, 1.0), st.lists(st.floats(0.0, 1.0), min_size=2, max_size=20))
def test_penalties_of_a_replicate_are_those_of_its_own_requests(penalty, shares):
    count = len(shares)
    values = {
        "usd_per_hour": [2.0] * count, "sla_violation_share": shares, "slow_share": [0.0] * count,
        "latency_p99_s": [None] * count, "breach_to_ready_p95_s": [None] * count,
        "requests_per_hour": [100.0] * count,
    }  # fmt: skip
    row = {
        "sla": {"max_violation_share": 0.5},
        "requests": 100,
        "uncertainty": {
            "values": values,
            "seed": 0,
            "kinds": [0] * 4,
            "note": "",
            "lead_s": 3600.0,
        },
    }
    found = replicates_of(row, Goal("cheapest", penalty_usd=penalty))
    wanted = 2.0 + 100.0 * penalty * np.array(shares)
    np.testing.assert_allclose(found.values("usd_per_hour"), wanted)
    assert found.kept == sum(share <= 0.5 for share in shares)
    assert found.band("latency_p99_s") is None


def test_a_wide_plateau_is_replayed_in_part_and_said_so(monkeypatch):
    monkeypatch.setattr("modeler.study.certainty.MOST", 1)
    lab = Lab(BASE, trace=RANDOM)
    found = optimize(lab, {"fleet.max": (6, 50, 60, 70)}, Goal("cost"), replicates=20)
    assert len(found.plateau) > 2
    assert found.certainty.left_out == len(found.plateau) - 2
    assert f"{found.certainty.left_out} more within 1 % were not" in found.sentence()
    assert len(found.frame()) == len(found.tried)


def test_processes_give_the_same_bytes_and_replicates_change_nothing_else():
    axes = {"fleet.min": (1, 2)}
    lab = Lab(BASE, trace=RANDOM, workers=1)
    sure, bare = (optimize(lab, axes, Goal("cost"), replicates=n) for n in (20, 0))
    apart = Lab(BASE, trace=RANDOM, executor="processes", workers=2)
    again = certainty(apart, axes, sure.plateau, Goal("cost"), (), 20)
    assert json.dumps(again.to_dict()) == json.dumps(sure.certainty.to_dict())
    told, less = sure.to_dict(), bare.to_dict()
    assert less["certainty"] is None
    assert {k for k in told if told[k] != less[k]} == {"advice", "certainty"}


def test_traffic_of_a_few_requests_is_refused():
    few = Trace(np.arange(5.0))
    with pytest.raises(GoalError, match="the traffic cannot be drawn again: .*too little traffic"):
        optimize(Lab(BASE, trace=few), {"fleet.min": (1, 2)}, Goal("cost"), replicates=20)


def test_the_command_and_its_figure(tmp_path):
    found = priced()
    assert figure_bytes(optimum.draw, found, "svg") == figure_bytes(optimum.draw, found, "svg")
    (tmp_path / "s.yaml").write_text(SCENARIO + "trace: t.csv\n")
    (tmp_path / "t.csv").write_text("timestamp\n" + "".join(f"{at}\n" for at in RANDOM.arrival_s))

    def ask(*more):
        return CliRunner().invoke(
            cli,
            ["optimize", str(tmp_path / "s.yaml"), "--set", "fleet.min=2,3", "--set",
             "fleet.max=6,60", "--replicates", "20", *more],
        )  # fmt: skip

    ran = ask("--format", "json", "--figure", str(tmp_path / "o.png"))
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["certainty"]["best"]["replicates"] == 20
    assert told["certainty"]["own"]["settings"] == {"fleet.min": 1, "fleet.max": 6}
    assert (tmp_path / "o.png").stat().st_size > 10_000
    table = ask()
    assert "difference_low" in table.stdout
    assert "of its replicates" in table.stderr
