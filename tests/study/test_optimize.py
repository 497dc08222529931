"""The best of many settings, held against trying them all; and the curve over model size."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import traces
from benchmarks.optimum import plateau_share
from modeler.scenario import default, with_values
from modeler.scenario.gates import parse_gates
from modeler.study import Goal, Lab, goldilocks_size, optimize, space_of
from modeler.study.goal import GoalError
from modeler.study.goldilocks_size import SizePoint, _knee
from modeler.study.pieces import piece
from modeler.study.search import WITHIN
from modeler.study.space import combinations, neighbours
from modeler.study.surrogate import Foreseen, chance, expected_gain, places
from traces import Trace, TraceError
from traces.transform import thin

BASE = with_values(default(), {"sweep": {}, "model.size": "4GB", "fleet.slots": 1})
TARGETS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SPACES = {
    "the cheapest that keeps the level": (
        with_values(BASE, {"sla.max_violation_share": 0.01}),
        {
            "policy.target_utilisation": TARGETS,
            "fleet.min": (1, 2, 3, 4),
            "policy.scale_in_cooldown_s": (60.0, 300.0, 900.0),
        },
        Goal(),
    ),
    "dollars with a penalty": (
        with_values(BASE, {"model.size": "8GB", "fleet.slots": 2}),
        {
            "policy.target_utilisation": TARGETS,
            "fleet.min": (1, 2, 3),
            "policy.scale_in_cooldown_s": (60.0, 300.0, 900.0),
        },
        Goal("cost", penalty_usd=0.02),
    ),
    "between dollars and speed": (
        with_values(
            BASE,
            {
                "hosting.kind": "eks_karpenter",
                "policy": {"kind": "hpa", "metric": "concurrency"},
                "fleet.slots": 2,
            },
        ),
        {
            "policy.target_utilisation": TARGETS,
            "fleet.min": (1, 2, 3, 4),
            "policy.downscale_stabilization_s": (60.0, 300.0, 900.0),
        },
        Goal("balanced"),
    ),
}


@pytest.fixture(scope="module")
def week() -> traces.Trace:
    return thin(traces.load("office-week", seed=1), 0.25, seed=2)


@pytest.mark.parametrize("name", SPACES)
def test_it_finds_what_trying_everything_finds_with_a_fifth_of_the_replays(name, week):
    scenario, axes, goal = SPACES[name]
    everything = Lab(scenario, trace=week, workers=2).rows(combinations(axes))
    best = min(everything, key=goal.rank)
    assert goal.keeps(best)
    lab = Lab(scenario, trace=week, workers=2)
    found = optimize(lab, axes, goal)
    assert found.keeps
    assert goal.value(found.best) <= (1.0 + WITHIN) * goal.value(best)
    assert found.replays <= len(everything) / 5
    # Of the settings that are as good: one of three, all, and all when this was written.
    assert plateau_share(found, everything, goal) >= 1 / 3
    # Counted as the requests that were replayed, pieces and all.
    assert lab.requests <= week.requests * len(everything) / 5 * 1.001
    for row in found.plateau:
        assert goal.value(row) <= (1.0 + WITHIN) * goal.value(found.best)
    assert str(found.best["settings"]["fleet.min"]) in found.sentence()
    json.dumps(found.to_dict(), allow_nan=False)
    assert len(found.frame()) == len(found.tried)


def test_nothing_that_keeps_the_level_is_said(week):
    scenario = with_values(BASE, {"sla.threshold_s": 0.01})
    found = optimize(Lab(scenario, trace=week), {"fleet.min": (1, 2)})
    assert not found.keeps
    assert "No setting here keeps what is asked" in found.sentence()


class MadeUp(Lab):
    """A lab whose rows are known without a replay: dollars and misses by the setting's number."""

    def __init__(self, figures):
        super().__init__(BASE, trace=thin(traces.load("office-week", seed=1), 0.01, seed=2))
        self.figures, self.asked = figures, []

    def rows(self, variants, *, traffic=None, replicates=0):
        self.asked += [] if traffic is not None else variants
        return [self.made_up(one, *self.figures[one["fleet.max"] - 1]) for one in variants]

    def made_up(self, one, usd, missed):
        return {
            "settings": dict(one), "status": "ok", "error": None,
            "sla": {"max_violation_share": 0.01}, "usd_per_hour": usd,
            "sla_violation_share": missed, "meets_sla": missed <= 0.01, "requests": 1000,
            "duration_s": 3600.0, "latency_s": {"p99": 1.0 + 10.0 * missed},
        }  # fmt: skip


FIGURES = st.tuples(st.sampled_from([1.0, 1.005, 1.02, 3.0]), st.sampled_from([0.0, 0.01, 0.2]))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(FIGURES, min_size=1, max_size=4),
    st.sampled_from([Goal(), Goal("cost", penalty_usd=0.01), Goal("balanced")]),
)
def test_of_a_space_that_is_replayed_whole_the_answer_is_the_best_of_all(figures, goal):
    lab = MadeUp(figures)
    found = optimize(lab, {"fleet.max": range(1, len(figures) + 1)}, goal)
    every = [lab.made_up({"fleet.max": 1 + k}, *one) for k, one in enumerate(figures)]
    best = min(every, key=goal.rank)
    assert goal.rank(found.best) == goal.rank(best)
    assert found.keeps is goal.keeps(best)
    assert found.replays == len(found.tried) == len(lab.asked) == len(every)
    if found.keeps:
        limit = (1.0 + WITHIN) * goal.value(best)
        as_good = [one for one in every if goal.keeps(one) and goal.value(one) <= limit]
        assert sorted(map(str, found.plateau)) == sorted(map(str, as_good))
    else:
        assert "No setting here keeps what is asked" in found.sentence()


def test_where_no_setting_keeps_a_gate_the_one_that_misses_it_least_comes_closest():
    """Not the cheapest, which misses it most."""
    lab = MadeUp([(1.0, 0.3), (2.0, 0.2), (3.0, 0.1), (1.5, 0.4)])
    gates = parse_gates(["misses < 5%", "usd_per_hour <= $4"])
    found = optimize(lab, {"fleet.max": range(1, 5)}, Goal("cost"), gates=gates)
    assert not found.keeps
    assert found.best["settings"] == {"fleet.max": 3}
    # A limit of dollars that is missed by half weighs more than one of misses missed by a tenth.
    lab = MadeUp([(1.0, 0.011), (1.5, 0.0)])
    gates = parse_gates(["misses < 1%", "usd_per_hour <= $1"])
    found = optimize(lab, {"fleet.max": (1, 2)}, gates=gates)
    assert found.best["settings"] == {"fleet.max": 1}


def test_where_nothing_keeps_the_whole_budget_is_spent_and_it_says_of_how_many():
    lab = MadeUp([(1.0 + k, 0.5 - 0.01 * k) for k in range(30)])
    found = optimize(lab, {"fleet.max": range(1, 31)})
    assert not found.keeps
    assert found.replays > 30 / 5 - 1.0
    assert found.sentence().startswith(
        f"None of the {len(lab.asked)} settings that were replayed, of 30, keeps what is asked; "
    )


def test_gates_hold_the_winner(week):
    lab = Lab(BASE, trace=week)
    axes = {"policy.target_utilisation": (0.3, 0.6, 0.9), "fleet.min": (1, 2)}
    free = optimize(lab, axes, Goal("cost"))
    half = 0.5 * free.best["sla_violation_share"]
    held = optimize(lab, axes, Goal("cost"), gates=parse_gates([f"misses < {100 * half}%"]))
    assert held.best["sla_violation_share"] < half
    assert held.best["usd_per_hour"] > free.best["usd_per_hour"]


def test_settings_that_cannot_be_are_told(week):
    lab = Lab(with_values(BASE, {"model.size": "60GB"}), trace=week)
    found = optimize(lab, {"fleet.min": (1, 2)})
    assert not found.keeps
    assert found.sentence().startswith("Nothing could be replayed: ")
    assert found.replays == 0


def test_axes_are_the_policys_own_unless_given():
    own = space_of(BASE)
    assert set(own) == {
        "policy.target_utilisation",
        "policy.scale_in_cooldown_s",
        "fleet.min",
    }
    pinned = space_of(with_values(BASE, {"policy.target": 70.0}))
    assert pinned["policy.target"][4] == pytest.approx(70.0)
    assert space_of(BASE, {"fleet.max": (3, 4)}) == {"fleet.max": (3, 4)}
    for kind in ("knative_kpa", "keda", "ray_serve", "hpa"):
        scenario = with_values(
            default(), {"hosting.kind": "eks_karpenter", "policy": {"kind": kind}, "sweep": {}}
        )
        for one in combinations(space_of(scenario))[:3]:
            with_values(scenario, one)


def test_a_precision_brings_its_size():
    lab = Lab(with_values(BASE, {"model.size": "8GB", "model.dtype": "fp16"}))
    assert lab.variant({"model.dtype": "int8"}).model.size == 4_000_000_000
    assert lab.variant({"model.dtype": "int8", "model.size": "5GB"}).model.size == 5_000_000_000


def test_neighbours_are_one_step_away():
    axes = {"a": (1, 2, 3), "b": ("x", "y")}
    assert neighbours({"a": 2, "b": "x"}, axes) == [
        {"a": 1, "b": "x"},
        {"a": 3, "b": "x"},
        {"a": 2, "b": "y"},
    ]


def test_a_goal_says_what_is_wrong_with_it():
    with pytest.raises(GoalError, match='goal "fast": expected one of cheapest, cost'):
        Goal("fast")
    with pytest.raises(GoalError, match="weight 2: expected 0 to 1"):
        Goal("balanced", weight=2.0)


@given(st.floats(0.01, 50.0), st.floats(0.1, 0.9), st.floats(0.01, 0.2))
def test_one_per_cent_of_dollars_or_of_latency_counts_by_its_weight(usd, weight, change):
    row = {"status": "ok", "usd_per_hour": usd, "latency_s": {"p99": 2.0},
           "duration_s": 3600.0, "requests": 10, "sla_violation_share": 0.0}  # fmt: skip
    goal = Goal("balanced", weight=weight)
    dearer = {**row, "usd_per_hour": usd * (1.0 + change)}
    slower = {**row, "latency_s": {"p99": 2.0 * (1.0 + change)}}
    value = goal.value(row)
    assert goal.value(dearer) / value == pytest.approx((1.0 + change) ** weight)
    assert goal.value(slower) / value == pytest.approx((1.0 + change) ** (1.0 - weight))


def test_penalties_are_dollars_an_hour():
    row = {"status": "ok", "usd_per_hour": 2.0, "duration_s": 7200.0, "requests": 1000,
           "sla_violation_share": 0.05}  # fmt: skip
    # 50 requests missed in two hours, at ten cents each.
    assert Goal("cost", penalty_usd=0.1).usd_per_hour(row) == pytest.approx(2.0 + 2.5)


def test_a_gaussian_process_passes_through_what_it_knows():
    axes = {"a": tuple(range(6)), "b": ("x", "y")}
    every = combinations(axes)
    rough = np.array([0.3 * one["a"] for one in every])
    foreseen = Foreseen(places(every, axes), rough)
    truth = rough + 0.5 + 0.1 * np.array([one["a"] for one in every])
    for number in (0, 3, 6, 8, 11):
        foreseen.learn(number, truth[number])
    mean, spread = foreseen.everywhere()
    assert mean[[0, 3, 6, 8, 11]] == pytest.approx(truth[[0, 3, 6, 8, 11]], abs=0.01)
    assert np.abs(mean - truth).max() < 0.05
    # It is surest of what it knows.
    assert spread[[0, 3, 6, 8, 11]].max() < spread[[1, 2, 4, 5, 7, 9, 10]].max()


def test_expected_gain_is_the_known_integral():
    # Of a normal about the best itself: sigma over the root of two pi.
    assert expected_gain(np.array([1.0]), np.array([0.2]), 1.0) == pytest.approx(
        0.2 / math.sqrt(2.0 * math.pi)
    )
    assert expected_gain(np.array([0.0]), np.array([1e-9]), 1.0) == pytest.approx(1.0)
    assert chance(np.array([0.0]), np.array([1.0]), 1.6449) == pytest.approx(0.95, abs=1e-4)


def test_a_piece_is_like_the_whole_and_begins_quietly(week):
    short = piece(week, 1 / 14, least_s=3600.0)
    assert short.duration_s == pytest.approx(week.duration_s / 14, rel=0.01)
    mean = week.requests / week.duration_s
    assert short.requests / short.duration_s == pytest.approx(mean, rel=0.5)
    first = np.count_nonzero(short.arrival_s < 1800.0) / 1800.0
    assert first < mean
    assert piece(week, 1 / 14, least_s=1e6) is None


def point(size: float, usd: float) -> SizePoint:
    return SizePoint(int(size * 1e9), {}, {}, True, usd, None, None, None, None, None)


def test_the_knee_is_where_the_curve_bends():
    bent = [
        point(size, 100.0 + 10.0 * size + 200.0 * max(size - 8.0, 0.0)) for size in range(1, 13)
    ]
    assert _knee(bent).size_bytes == 8e9
    assert _knee([point(size, 100.0 + 10.0 * size) for size in range(1, 13)]) is None
    assert _knee(bent[:2]) is None


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.floats(1.0, 1e4), st.floats(0.1, 10.0))
def test_the_knee_does_not_depend_on_units(dollars, gigabytes):
    def of(scale: float, wide: float) -> int:
        curve = [point(wide * s, scale * (50.0 + s**3)) for s in range(1, 12)]
        found = _knee(curve)
        return -1 if found is None else curve.index(found)

    assert of(dollars, gigabytes) == of(1.0, 1.0)


def test_sizes_are_tuned_each_and_a_gigabyte_has_a_price(week):
    lab = Lab(with_values(BASE, {"fleet.slots": 2}), trace=week, workers=2)
    axes = {"policy.target_utilisation": (0.3, 0.5, 0.7), "fleet.min": (1, 2)}
    sizes = [int(size * 1e9) for size in (1, 4, 8, 60)]
    found = goldilocks_size(lab, sizes, axes, replicates=20)
    small, middle, large, none = found.points
    assert none.row["status"] == "failed"
    assert none.usd_per_month is None
    assert found.cheapest is not None
    assert found.cheapest.size_bytes == 1e9
    for one, other in ((small, middle), (middle, large)):
        more = (other.size_bytes - one.size_bytes) / 1e9
        assert other.usd_per_gb * more == pytest.approx(other.usd_per_month - one.usd_per_month)
        assert one.low <= one.usd_per_month * 1.2
        assert one.high >= one.usd_per_month * 0.8
        # The interval of a gigabyte is that of the difference, pair by pair: the mean lies in it.
        drawn = [point.row["uncertainty"]["values"]["usd_per_hour"] for point in (one, other)]
        usd = [np.array(of) for of in drawn]
        mean = 730.0 * float(np.mean(usd[1] - usd[0])) / more
        assert other.usd_per_gb_low <= mean <= other.usd_per_gb_high
        apart = (other.high - other.low + one.high - one.low) / more
        assert other.usd_per_gb_high - other.usd_per_gb_low < apart
    assert (small.usd_per_gb_low, none.usd_per_gb_high) == (None, None)
    # The same setting replayed alone costs the same.
    alone = lab.at({"model.size": 4_000_000_000}).row(middle.settings)
    assert middle.usd_per_month == pytest.approx(730.0 * alone["usd_per_hour"])
    json.dumps(found.to_dict(), allow_nan=False)
    assert "for each GB more" in found.sentence() or "each GB costs" in found.sentence()
    assert found.sentence().count("(between") >= 3


def test_too_little_traffic_for_replicates_is_refused_before_any_replay():
    two = Trace(np.array([0.0, 5.0]))
    lab = Lab(with_values(BASE, {"service.kind": "fixed", "service.mean_s": 2.0}), trace=two)
    with pytest.raises(TraceError, match="too little traffic for an interval"):
        goldilocks_size(lab, [2_000_000_000], {"fleet.min": (1, 2)}, replicates=20)
    assert lab.replays == 0
