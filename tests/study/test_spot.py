"""`spot` on fixed fleets, whose dollars are known beforehand."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import pricing
from modeler.cli.main import cli
from modeler.replay.run import run
from modeler.replay.weather_setup import closures, of_kind, pools_of
from modeler.report.studies import figure_bytes
from modeler.report.studies import spot as drawing
from modeler.scenario import ScenarioError, loads, with_values
from modeler.scenario.weather import InsufficientCapacity
from modeler.study import Goal, Lab, SpotError, spot
from modeler.study.replicates import replicates_of, together
from modeler.study.spot import reclaims_of
from traces import CountSeries, Trace, TraceError

# Two requests a second of 1 s each, on four replicas of a slot: half of them is at work.
TRACE = Trace(np.arange(7200) / 2.0, source="two a second")
SCENARIO = """
model: {size: 2GB}
hosting: {kind: ec2_asg, instance: g5.xlarge, usd_per_hour: 2}
service: {kind: fixed, mean_s: 1s}
cold_start: {total_s: 2m, sigma_log: 0}
fleet: {min: 1, max: 8, slots: 1}
sla: {threshold_s: 3s, max_violation_share: 0.01}
queue: {client_timeout_s: 1h, queue_timeout_s: 1h}
policy: {kind: fixed, replicas: 4}
"""
BASE = loads(SCENARIO)


def studied(base=BASE, how=None, **asked):
    asked = {"spot_usd_per_hour": 0.5, "short_s": 0.0, "reclaims_per_hour": [0.0], **asked}
    how = how or {"workers": 1}
    return spot(Lab(base, trace=asked.pop("trace", TRACE), **how), **asked)


def named(found, name, **which):
    [row] = [
        row for row in found.rows
        if row["name"] == name and all(row[key] == value for key, value in which.items())
    ]  # fmt: skip
    return row


@pytest.mark.parametrize("trace", [TRACE, CountSeries([20] * 360, 10.0)], ids=["trace", "counts"])
def test_without_reclaims_dollars_are_those_of_each_part(trace):
    found = studied(trace=trace)
    assert [row["spot_share"] for row in found.rows] == [0.0, 0.25, 0.5, 0.75, 1.0]
    for row in found.rows:
        # Four replicas at $2, and those on spot at $0.50; a part ends some seconds earlier.
        expected = 4 * (2.0 - 1.5 * row["spot_share"])
        assert row["usd_per_hour"] == pytest.approx(expected, rel=2e-3)
        assert row["requests"] == 7200
    own, whole = found.rows[0], found.rows[-1]
    assert whole["sla_violation_share"] == own["sla_violation_share"]
    assert found.worth_usd(whole) == math.inf
    assert found.worth_usd(own) is None


def test_reclaims_are_missed_by_spot_alone_and_more_so_where_a_start_is_slow():
    found = studied(shares=[], reclaims_per_hour=[0.0, 5.0], reloads_s=[10.0, 600.0])
    assert len(found.rows) == 8
    at = {
        (row["name"], row["reclaims_per_hour"], row["reload_s"]): row["sla_violation_share"]
        for row in found.rows
    }
    for reload_s in (10.0, 600.0):
        assert at["on demand", 0.0, reload_s] == at["on demand", 5.0, reload_s] == 0.0
        assert at["spot", 0.0, reload_s] == 0.0
    assert 0.0 < at["spot", 5.0, 600.0] > at["spot", 5.0, 10.0]
    row = named(found, "spot", reclaims_per_hour=5.0, reload_s=600.0)
    own = named(found, "on demand", reclaims_per_hour=5.0, reload_s=600.0)
    worth = found.worth_usd(row)
    # At that price of a miss both cost the same.
    assert row["usd_per_hour"] + worth * row["missed_per_hour"] == pytest.approx(
        own["usd_per_hour"], rel=1e-12
    )
    assert found.best([own, row]) is own
    assert "buy on demand: $8.00 an hour, 0 % of requests missed; spot would cost" in (
        found.sentence()
    )


def test_without_reclaims_what_spot_saves_is_certain():
    found = studied(shares=[0.5], replicates=20)
    half, whole = named(found, "50 % on spot"), named(found, "spot")
    for row, saved in ((half, 3.0), (whole, 6.0)):
        # $1.50 less an hour for each replica of four on spot, whatever day is drawn.
        assert row["saved_usd_per_hour"] == pytest.approx(saved, rel=2e-3)
        assert row["saved_usd_per_hour_differs"]
        assert (row["missed_share_more_low"], row["missed_share_more_high"]) == (0.0, 0.0)
        assert row["missed_share_more_differs"] is False
    wide = whole["saved_usd_per_hour_high"] - whole["saved_usd_per_hour_low"]
    assert wide < 0.01
    assert "$6.00 less than on demand; it misses as many" in found.sentence()
    assert [row["keeps_level"] for row in found.rows] == ["yes"] * 3
    own = found.rows[0]
    assert (own["saved_usd_per_hour_low"], own["saved_usd_per_hour_high"]) == (0.0, 0.0)


def test_under_reclaims_the_difference_is_told_more_finely_than_either():
    asked = {"shares": [0.5], "reclaims_per_hour": [8.0], "penalty_usd": 0.002, "short_s": 600.0}
    found = studied(**asked, replicates=20)
    own, spot_row = found.rows[0], named(found, "spot")
    low, high = spot_row["saved_usd_per_hour_low"], spot_row["saved_usd_per_hour_high"]
    assert low < spot_row["saved_usd_per_hour"] < high
    wide = [
        row["usd_per_hour_with_penalty_high"] - row["usd_per_hour_with_penalty_low"]
        for row in (own, spot_row)
    ]
    assert high - low <= sum(wide)
    assert spot_row["missed_share_more_low"] > 0.0
    half = named(found, "50 % on spot")
    assert 0.0 < half["missed_share_more"] < spot_row["missed_share_more"]
    told = found.to_dict()
    assert told["replicates"] == 20
    json.dumps(told, allow_nan=False)
    assert figure_bytes(drawing.draw, found, "svg") == figure_bytes(drawing.draw, found, "svg")
    # What one replay says is what it said.
    plain = studied(**asked)
    for row, one in zip(found.rows, plain.rows, strict=True):
        assert row["usd_per_hour"] == one["usd_per_hour"]
        assert one["saved_usd_per_hour_low"] is None


def test_processes_find_the_same_intervals():
    asked = {"shares": [0.5], "reclaims_per_hour": [8.0], "replicates": 20}
    ways = ({"workers": 1}, {"executor": "processes", "workers": 2})
    one, other = (studied(how=how, **asked).to_dict() for how in ways)
    assert json.dumps(one) == json.dumps(other)


def test_two_parts_add_up_to_the_whole_in_every_replicate():
    """Two fleets that are never full: misses of none, dollars and requests of both."""
    lab = Lab(BASE, trace=TRACE)
    halves = [Trace(TRACE.arrival_s[k::2] - TRACE.arrival_s[k]) for k in (0, 1)]
    rows = lab.rows([{}, {}, {}], traffic=[None, *halves], replicates=20)
    whole, *halves = (replicates_of(row, Goal(penalty_usd=0.1)) for row in rows)
    both = together(halves)
    usd = [one.values("usd_per_hour") for one in halves]
    np.testing.assert_array_equal(both.values("usd_per_hour"), usd[0] + usd[1])
    rates = ([one["requests"] for one in of.each] for of in (both, whole))
    assert next(rates) == pytest.approx(next(rates), rel=0.01)
    assert together([whole, replicates_of(lab.row({}))]) is None


def test_a_part_too_small_to_draw_again_is_refused_before_the_work():
    with pytest.raises(TraceError, match="too little traffic for an interval"):
        studied(trace=Trace(np.arange(60.0)), shares=[0.1], replicates=20)


def test_a_penalty_is_added_to_dollars():
    free, fined = (
        named(studied(shares=[], reclaims_per_hour=[20.0], penalty_usd=usd), "spot")
        for usd in (0.0, 0.01)
    )
    assert free["usd_per_hour_with_penalty"] == free["usd_per_hour"]
    assert fined["usd_per_hour_with_penalty"] == pytest.approx(
        free["usd_per_hour"] + 0.01 * free["missed_per_hour"], rel=1e-6
    )


def test_where_spot_is_short_on_demand_of_the_same_type_stands_in():
    # Spot is short all the time, so that nothing that is taken back comes again.
    found = studied(shares=[], reclaims_per_hour=[2.0], short_s=7200.0)
    alone, helped = named(found, "spot"), named(found, "spot, else on demand")
    assert alone["sla_violation_share"] > helped["sla_violation_share"]
    assert alone["usd_per_hour"] < helped["usd_per_hour"] < found.rows[0]["usd_per_hour"]


def test_a_fallback_of_the_type_that_is_short_is_not_short():
    short = {"kind": "insufficient_capacity", "from_s": 60, "for_s": 600, "fallback": "g5.xlarge",
             "fallback_usd_per_hour": 2}  # fmt: skip
    scenario = with_values(
        BASE, {"hosting.purchase": "spot", "weather": [{"kind": "spot_reclaim"}, short]}
    )
    blocks = of_kind(scenario, InsufficientCapacity)
    pools = pools_of(scenario, blocks)
    assert [pool.hosting.purchase for pool in pools] == ["spot", "on-demand"]
    [window] = closures(blocks, pools, 0, 3600.0)
    assert (window.pool, window.fallback, window.from_s, window.until_s) == (0, 1, 60.0, 660.0)
    assert run(scenario, TRACE).result.requests == 7200


def test_bands_are_shares_of_a_month():
    # A hazard that takes 7.5 % of instances in 730 hours.
    assert 1.0 - math.exp(-730.0 * reclaims_of("5-10%")) == pytest.approx(0.075, rel=1e-12)


def test_what_spot_has_no_answer_to_is_refused():
    with pytest.raises(SpotError, match="no spot capacity; expected one of ec2_asg, eks_karpenter"):
        studied(loads("model: {size: 2GB}"))
    with pytest.raises(SpotError, match=r"share 1\.5: expected 0 to 1"):
        studied(shares=[1.5])
    with pytest.raises(SpotError, match=r"price of spot \$0 an hour: expected more than \$0"):
        studied(spot_usd_per_hour=0.0)
    with pytest.raises(ScenarioError, match="a warm pool takes no Spot"):
        studied(with_values(BASE, {"hosting.nodes": {"kind": "warm_pool"}}))


def test_spot_that_is_dearer_than_on_demand_is_warned_of():
    asked = {"trace": Trace(np.arange(60.0)), "shares": []}
    assert studied(**asked).notes == ()
    dear = studied(**asked, spot_usd_per_hour=2.5)
    assert dear.notes == ("spot at $2.5 an hour is dearer than on demand at $2: is it meant so?",)
    assert dear.to_dict()["notes"] == list(dear.notes)


def test_what_the_traffic_does_not_say_is_said_so():
    found = studied(trace=Trace(np.arange(60.0)), shares=[])
    own, row = found.rows
    ends = {"saved_usd_per_hour": 0.7, "saved_usd_per_hour_low": 0.6,
            "saved_usd_per_hour_high": 0.8, "saved_usd_per_hour_differs": True,
            "missed_share_more": 0.007, "missed_share_more_low": 0.0,
            "missed_share_more_high": 0.035, "missed_share_more_differs": False,
            "usd_per_hour": 0.56, "sla_violation_share": 0.0056, "missed_per_hour": 20.0,
            "sla_violation_share_low": 0.0, "sla_violation_share_high": 0.035,
            "keeps_level": "unsure"}  # fmt: skip
    said = replace(found, rows=(own, {**row, **ends})).sentence()
    assert said == (
        "Buy spot: $0.56 an hour, 0.56 % of requests missed, $0.70 (between $0.60 and $0.80) less "
        "than on demand; whether it misses more this traffic does not say: between 0 and 3.5 more "
        "of each 100; with its 0.56 % of requests missed it pays while one costs you less than "
        "$0.37; whether spot keeps the service level, that 1 % may be missed, this traffic does "
        "not say (between 0 % and 3.5 %)."
    )


def test_a_price_of_spot_that_is_not_held_is_asked_for_by_this_commands_options():
    # No sampled spot price of it is shipped for this region.
    scenario = with_values(BASE, {"hosting.instance": "g5.2xlarge", "hosting.region": "us-east-1"})
    with pytest.raises(pricing.PriceNotFound) as caught:
        studied(scenario, spot_usd_per_hour=None)
    said = str(caught.value)
    assert "--spot-price USD" in said
    assert "for an estimate: --set hosting.allow_derived_price=true" in said
    assert "--allow-derived" not in said


def test_the_command_prints_draws_and_advises(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.csv").write_text(
        "timestamp\n" + "".join(f"{1_772_438_400 + at:.1f}\n" for at in TRACE.arrival_s)
    )
    (tmp_path / "mine.yaml").write_text(f"trace: two.csv\n{SCENARIO}")

    def modeler(*args):
        return CliRunner().invoke(cli, ["spot", "mine.yaml", *args])

    asked = ("--shares", "0,0.5,1", "--reclaims", "5-10%,20", "--spot-price", "$0.5")
    ran = modeler(*asked, "--format", "json", "--figure", "spot.svg")
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert told["schema"] == "spot/1"
    assert [row["name"] for row in told["rows"][:4]] == [
        "on demand", "50 % on spot", "spot", "spot, else on demand"
    ]  # fmt: skip
    assert sum(row["best"] for row in told["rows"]) == 2
    assert "With a spot instance taken back every 9,364 hours: buy" in ran.stderr
    assert (tmp_path / "spot.svg").read_bytes().startswith(b"<?xml")
    refused = modeler("--reclaims", "often")
    assert refused.exit_code == 2
    assert "often: expected a number of 0 or more or <5% or" in refused.stderr
    found = studied()
    assert figure_bytes(drawing.draw, found, "svg") == figure_bytes(drawing.draw, found, "svg")
