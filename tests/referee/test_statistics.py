"""Intervals on synthetic data whose truth is known."""

import numpy as np
import pytest

from modeler.referee.experiment import seed_of
from modeler.referee.kendall import station
from modeler.referee.parameters import Parameters
from modeler.referee.quantities import Quantity, canonical
from modeler.referee.statistics import interval, student_t, tier
from traces.draws import exponential, normal

NO_CONTROLS = np.zeros((30, 0))


def mean_of(counts):
    return float(counts[0] / counts[1])


def test_student_t_of_the_tables():
    """Two-sided 0.001 points of published t tables, to their three decimals."""
    assert student_t(29) == pytest.approx(3.659, abs=5e-4)
    assert student_t(60) == pytest.approx(3.460, abs=5e-4)


def test_mean_is_the_plain_student_interval():
    x = normal(1, "x", 0, 30)
    found = interval(np.column_stack([x, np.ones(30)]), mean_of, NO_CONTROLS)
    assert found.value == pytest.approx(x.mean(), abs=1e-12)
    assert found.half_width == pytest.approx(3.659 * x.std(ddof=1) / 30**0.5, rel=2e-4)


def test_coverage_of_a_ratio():
    """Of 4,000 intervals of 99.9 %, 4 miss on average; 14 or more would come once in 10,000."""
    x = exponential(2, "x", 0, 4000 * 30 * 40).reshape(4000, 30, 40)
    y = exponential(2, "y", 0, 4000 * 30 * 40).reshape(4000, 30, 40)
    tops, bottoms = x.sum(axis=2), y.sum(axis=2)
    missed = 0
    for top, bottom in zip(tops, bottoms, strict=True):
        found = interval(np.column_stack([top, bottom]), mean_of, NO_CONTROLS)
        missed += not found.low <= 1.0 <= found.high
    assert missed < 14


def test_controls_narrow_the_interval_and_keep_its_centre():
    control = normal(3, "c", 0, 30)
    noise = normal(3, "e", 0, 30)
    vectors = np.column_stack([5.0 + control + 0.1 * noise, np.ones(30)])
    plain = interval(vectors, mean_of, NO_CONTROLS)
    better = interval(vectors, mean_of, control[:, None])
    # The control explains 1 / 1.01 of the variance: a tenth of the width, give or take a third.
    assert better.half_width == pytest.approx(plain.half_width / 10.0, rel=0.35)
    assert better.low <= 5.0 <= better.high


def test_control_without_spread_is_left_out():
    x = normal(4, "x", 0, 30)
    vectors = np.column_stack([x, np.ones(30)])
    same = interval(vectors, mean_of, np.full((30, 2), 1e-17))
    assert same == interval(vectors, mean_of, NO_CONTROLS)


@pytest.mark.parametrize(
    ("kind", "level", "value", "share"),
    [
        ("mean", 0.0, 3.0, 0.02),
        ("mean", 0.0, 0.001, 0.02),
        ("quantile", 0.95, 3.0, 0.02),
        ("quantile", 0.99, 3.0, 0.05),
        ("quantile", 0.999, 3.0, 0.05),
        ("probability", 0.0, 0.01, 0.02),
        ("probability", 0.0, 0.0099, 0.05),
        ("probability", 0.0, 0.00099, 0.30),
    ],
)
def test_tiers(kind, level, value, share):
    asked = Quantity("q", lambda w, f: f, mean_of, kind, level)
    assert tier(asked, value, quick=False) == pytest.approx(share * value)
    assert tier(asked, value, quick=True) == pytest.approx(5.0 * share * value)


def test_integers_are_within_one():
    assert tier(Quantity("q", lambda w, f: f, mean_of, "integer"), 43.0, quick=False) == 1.0


def test_seed_is_a_hash_of_the_id():
    assert seed_of("an-002") == seed_of("an-002", 0)
    assert len({seed_of("an-002"), seed_of("an-003"), seed_of("an-002", 1)}) == 3
    assert 0 <= seed_of("an-002") < 2**48  # survives JSON readers that hold numbers as doubles


def test_warm_up_covers_twenty_relaxation_times():
    """M/M/1 at 0.8: the slowest mode decays within 0.8 / (1 - sqrt(0.8))^2 = 71.8 arrivals."""
    queue = station("M/M/1", Parameters({"arrival_rate": 0.8, "service_rate": 1.0}))
    assert queue.relaxation_requests() == pytest.approx(71.8, abs=0.1)
    assert queue.warmup(10_000) == 1436
    assert queue.warmup(1_000_000) == 20_000


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Mean wait", "mean_wait"),
        ("max_wait_s", "max_wait"),
        ("mean_wait_accepted", "mean_wait"),
        ("mean_response_time_accepted_s", "mean_response_time"),
        ("p99-wait", "p99_wait"),
    ],
)
def test_spellings(written, plain):
    assert canonical(written) == plain
