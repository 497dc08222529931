"""Which assumption moves the answer, against sums done by hand; where the advice changes."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.report.studies import figure_bytes
from modeler.report.studies import tornado as drawing
from modeler.scenario import ScenarioError, default, with_values
from modeler.study import Goal, Lab, tornado
from modeler.study.assumed import assumptions_of, changed
from modeler.study.replicates import replicates_of
from traces import CountSeries, Trace
from traces.draws import exponential

# A request takes 2 s and a replica serves one at a time.
FIXED = {
    "service": {"kind": "fixed", "mean_s": 2.0},
    "fleet.slots": 1,
    "fleet.max": 4,
    "queue.client_timeout_s": "none",
    "hosting.usd_per_hour": 3.0,
    "policy": {"kind": "fixed", "replicas": 1},
    "sla.threshold_s": 3.0,
    "sla.max_violation_share": 0.6,
    "sweep": {},
}
# A pair of requests at one instant every 10 s for an hour: a replica alone serves the second of
# each after 4 s, which is a miss; two serve both in 2 s.
PAIRS = Trace(np.repeat(np.arange(0.0, 3600.0, 10.0), 2))
MONTH = 730.0


def lab(trace=PAIRS, **settings):
    values = {path.replace("__", "."): value for path, value in settings.items()}
    return Lab(with_values(default(), {**FIXED, **values}), trace=trace)


def bars(found):
    return {bar.assumption.path: bar for bar in found.bars}


def test_the_price_moves_dollars_in_proportion_and_a_fixed_fleet_does_not_care_for_its_start():
    found = tornado(lab(), top=0)
    (price,) = [bar for path, bar in bars(found).items() if path == "hosting.usd_per_hour"]
    usd = price.base[0]
    # One replica at $3 an hour; the last request ends, and the bill with it, a little after.
    assert usd == pytest.approx(3.0 * MONTH, rel=0.02)
    assert price.low[0] == pytest.approx(usd / 1.5, rel=1e-12)
    assert price.high[0] == pytest.approx(usd * 1.5, rel=1e-12)
    assert price.swing(0) == pytest.approx(usd * (1.5 - 1.0 / 1.5), rel=1e-12)
    assert price.swing(1) == 0.0
    assert not [path for path in bars(found) if path.startswith("cold_start")]
    starts = [
        one for one in assumptions_of(lab(), found.base) if one.path.startswith("cold_start.")
    ]
    assert len(starts) > 10
    assert found.dropped >= len(starts)
    assert [bar.swing(0) for bar in found.bars] == sorted(
        (bar.swing(0) for bar in found.bars), reverse=True
    )


def test_an_analysts_range_is_tried_whatever_the_origin_of_the_number():
    found = tornado(lab(), top=0, ranges={"sla.threshold_s": ("1s", "5s"), "traffic": (1, 2)})
    bar = bars(found)["sla.threshold_s"]
    # Below 2 s all are missed, from 4 s on none.
    assert (bar.low[1], bar.base[1], bar.high[1]) == (1.0, 0.5, 0.0)
    assert bar.assumption.origin == "yours"
    assert bars(found)["traffic"].assumption.low == 1.0


def test_ranges_that_cannot_be_are_told_all_at_once():
    ranges = {"traffic": ("much", "2"), "cold_start.boot_s": ("9s", "3s"), "fleet.mni": (1, 2)}
    with pytest.raises(ScenarioError) as caught:
        tornado(lab(), ranges=ranges)
    text = str(caught.value)
    assert "expected a factor above 0" in text
    assert "expected the lower end first" in text
    assert "fleet.min" in text


def test_a_flip_point_is_where_the_second_replica_pays():
    """Two replicas cost price x 2 and miss nothing; one costs price and a penalty for half.

    720 requests an hour, of which 360 are missed at 1 cent: $3.60 an hour. The second replica is
    the cheaper while its price is below that.
    """
    goal = Goal("cost", penalty_usd=0.01)
    found = tornado(lab(), against={"policy.replicas": 2}, goal=goal, top=2)
    assert found.settings == {"policy.replicas": 2}
    flips = {flip.assumption.path: flip for flip in found.flips}
    price = flips["hosting.usd_per_hour"]
    assert price.above
    assert len(price.crossings) == 1
    assert price.value == pytest.approx(3.6, rel=0.02)
    assert price.distance == pytest.approx(3.6 / 3.0, rel=0.02)
    assert price.words("one").startswith("above $3.6")
    # Of traffic thinned to a share f, pairs that stay whole are f squared: 3.6 f^2 = 3. Which
    # are thinned is drawn, hence 5 %.
    assert flips["traffic"].value == pytest.approx((3.0 / 3.6) ** 0.5, rel=0.05)
    assert "Most fragile for policy.replicas = 2" in found.sentence()
    assert "traffic (1 is today's), now 1; below 0." in found.sentence()
    # At $8 the one replica wins, and the same crossing is found from the other side.
    dear = tornado(lab(hosting__usd_per_hour=8.0), against={"policy.replicas": 2}, goal=goal, top=2)
    assert dear.settings == {}
    (price,) = [f for f in dear.flips if f.assumption.path == "hosting.usd_per_hour"]
    assert not price.above
    assert price.value == pytest.approx(3.6, rel=0.02)


def test_what_the_scenario_has_anyway_is_nothing_to_hold_it_against():
    with pytest.raises(ScenarioError, match=r"policy\.replicas = 1 is the same setting"):
        tornado(lab(), against={"policy.replicas": 1})


def test_an_interval_of_no_width_is_not_said():
    price = {"hosting.usd_per_hour": (2.0, 4.0)}
    found = tornado(lab(), ranges=price, top=0, replicates=20)
    assert "between" not in found.sentence()


def test_what_cannot_flip_says_between_which_values():
    # Without a penalty the second replica is dearer at any price.
    found = tornado(lab(), against={"policy.replicas": 2}, goal=Goal("cost"), top=1)
    (flip,) = [f for f in found.flips if f.assumption.path == "hosting.usd_per_hour"]
    assert flip.value is None
    assert flip.words("it") == "does not flip between $0.25/h and $36/h"
    assert "holds however far" in found.sentence()


def test_without_an_alternative_the_best_is_held_against_the_best_that_is_not_as_good():
    goal = Goal("cost", penalty_usd=0.01)
    found = tornado(lab(fleet__max=3), goal=goal, top=1)
    # Two replicas cost $6 and miss nothing; one costs $3 and $3.60 of penalties.
    assert found.settings == {"policy.replicas": 2}
    assert found.against == {"policy.replicas": 1}
    assert "policy.replicas = 2 rather than policy.replicas = 1" in found.sentence()


def test_what_two_settings_share_is_not_said():
    axes = {"queue.limit": 50, "policy.replicas": 2}
    found = tornado(lab(queue__limit=50), against=axes, goal=Goal("cost", penalty_usd=0.01), top=0)
    assert found.settings == axes
    assert found.sides() == ("queue.limit = 50, policy.replicas = 2", "the scenario as it is")


def test_service_times_and_traffic_are_scaled_as_said():
    base = lab()
    assert changed(base, {}, "service_time", 1.5).settings == {"service.mean_s": 3.0}
    timed = Trace(np.arange(10.0), {"service_s": np.full(10, 0.5)})
    slow = changed(lab(timed, service={"kind": "trace"}), {}, "service_time", 3.0)
    assert slow.traffic.columns["service_s"] == pytest.approx(np.full(10, 1.5))
    tokens = Trace(np.arange(9.0), {"prompt_tokens": np.full(9, 8.0), "output_tokens": np.ones(9)})
    base = lab(tokens, service={"kind": "auto"})
    fast = base.row(changed(base, {}, "service_time", 0.8).settings)
    same = base.row(changed(base, {}, "service_time", 1.0).settings)
    as_is = base.row({})
    assert same["latency_s"] == as_is["latency_s"]
    assert fast["latency_s"]["mean"] == pytest.approx(0.8 * as_is["latency_s"]["mean"], rel=1e-2)
    counted = lab(CountSeries([4, 8, 0], 60.0))
    assert list(changed(counted, {}, "traffic", 1.5).traffic.counts) == [6, 12, 0]


def test_a_range_ends_where_the_setting_ends():
    one = lab(fleet__min=1, policy={"kind": "target_tracking", "target_utilisation": 0.8})
    found = assumptions_of(one, one.row({}), {}, {})
    by_path = {a.path: a for a in found}
    assert "policy.target_utilisation" not in by_path  # it was set, so it is a choice
    plain = lab(policy={"kind": "target_tracking"})
    ends = {a.path: a for a in assumptions_of(plain, plain.row({}))}["policy.target_utilisation"]
    assert ends.low == pytest.approx(0.7 / 1.5)
    assert ends.high == pytest.approx(1.0, abs=1e-3)


def test_registration_keeps_the_gap_beside_it():
    base = lab(hosting={"kind": "eks_karpenter", "usd_per_hour": 3.0})
    assert changed(base, {}, "cold_start.register_s", 50.0).settings == {
        "cold_start.register_s": 50.0,
        "cold_start.gap_s": 26.4,  # cold_start_constants.csv, deks-010
    }


def test_the_command_prints_saves_and_draws(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pairs.csv").write_text(
        "arrival_s\n" + "".join(f"{at:g}\n" for at in PAIRS.arrival_s)
    )
    (tmp_path / "mine.yaml").write_text(
        "trace: pairs.csv\nservice: {kind: fixed, mean_s: 2s}\n"
        "fleet: {slots: 1, max: 4}\nhosting: {usd_per_hour: 3}\nqueue: {client_timeout_s: none}\n"
        "policy: {kind: fixed, replicas: 1}\nsla: {threshold_s: 3s}\n"
    )
    asked = ["tornado", "mine.yaml", "--against", "policy.replicas=2"]
    asked += ["--goal", "cost", "--penalty", "$0.01", "--top", "1"]
    ran = CliRunner().invoke(cli, [*asked, "--format", "json", "--figure", "t.svg"])
    assert ran.exit_code == 0, ran.output
    data = json.loads(ran.stdout)
    assert data["schema"] == "tornado/1"
    assert data["against"] == {}
    (flip,) = [f for f in data["flips"] if f["path"] == "hosting.usd_per_hour"]
    assert flip["value"] == pytest.approx(3.6, rel=0.02)
    assert "hourly price" in (tmp_path / "t.svg").read_text()
    ran = CliRunner().invoke(cli, ["tornado", "mine.yaml", "--assumption", "traffic=2"])
    assert ran.exit_code == 2
    assert "expected two values" in ran.output


# Four days of a request in half a minute, of 20 s on average: replicas come and go.
GAPS = exponential(1, "gap", 0, 5_000) / 0.015
UNEVEN = {
    "service": {"kind": "exponential", "mean_s": 20.0},
    "policy": {"kind": "target_tracking", "target": 2.0},
    "cold_start.total_s": 300.0,
    "sla.threshold_s": 60.0,
}


def uneven(**how):
    base = with_values(default(), {**FIXED, **UNEVEN})
    return Lab(base, trace=Trace(np.cumsum(GAPS) - GAPS[0]), **how)


def test_swings_have_intervals_narrower_than_two_weeks_apart():
    goal = Goal("cost", penalty_usd=0.05)
    ranges = {"sla.threshold_s": ("30s", "90s")}
    found = tornado(uneven(), ranges=ranges, goal=goal, top=0, replicates=20)
    limit = bars(found)["sla.threshold_s"]
    usd, share = limit.interval(0), limit.interval(1)
    # A limit that is three times as long forgives misses, in every week, and at 5 cents each.
    assert usd.low < limit.swing(0) == usd.middle < usd.high
    assert (usd.differs, share.differs, limit.told_apart) == (True, True, True)
    assert limit.drawn.low[1].low > 0.0 > limit.drawn.high[1].high
    rows = uneven().rows([{"sla.threshold_s": 30.0}, {"sla.threshold_s": 90.0}], replicates=20)
    ends = [replicates_of(row, goal).band("usd_per_month") for row in rows]
    apart = sum(high - low for low, high in ends)
    assert usd.high - usd.low < apart
    assert "may do so by chance" in found.sentence() or all(b.told_apart for b in found.bars)
    plain = found.to_dict()
    assert plain["replicates"] == 20
    (told,) = [one for one in plain["assumptions"] if one["path"] == "sla.threshold_s"]
    assert told["swing_usd_per_month_low"] == usd.low
    assert told["swing_sla_violation_share_differs"] is True
    json.dumps(plain, allow_nan=False)
    once = figure_bytes(drawing.draw, found, "svg")
    assert once == figure_bytes(drawing.draw, found, "svg")


def test_what_chance_has_no_part_in_has_an_interval_of_no_width():
    """A fixed fleet at another price: the same seconds in every replicate, and the same misses."""
    found = tornado(lab(), against={"queue.limit": 5000}, top=1, replicates=20)
    price = bars(found)["hosting.usd_per_hour"]
    usd, share = price.interval(0), price.interval(1)
    assert usd.differs
    # Pairs of 2 s on one replica at $3 an hour, whichever blocks are drawn; a block's end is a
    # request's, so that hours differ by seconds.
    assert usd.high - usd.low < 0.02 * usd.middle
    assert usd.middle == pytest.approx(3.0 * MONTH * (1.5 - 1.0 / 1.5), rel=0.02)
    assert (share.low, share.high, share.differs) == (0.0, 0.0, False)
    assert price.told_apart
    # A longer queue that never fills is the same setting.
    assert [(one.low, one.high) for one in found.lead] == [(0.0, 0.0)] * 2
    assert "whether the two differ this traffic does not say" in found.sentence()


def test_the_same_result_is_the_same_figure():
    found = tornado(lab(), against={"policy.replicas": 2}, goal=Goal("cost"), top=1)
    once = figure_bytes(drawing.draw, found, "svg")
    assert once == figure_bytes(drawing.draw, found, "svg")
    assert "<table" in found._repr_html_()
    assert next(iter(found.frame()["path"])) == "hosting.usd_per_hour"
