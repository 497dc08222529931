"""Infinite-server queues watched at an instant against integrals written here."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import poisson

from modeler.referee import Case, run_case
from modeler.referee.parameters import CaseError, Parameters
from modeler.referee.transient import transient


def mean_busy(rate, survival, t, past):
    """Integral of the rate times the share of those who came then and are still there."""
    return quad(lambda age: rate(t - age) * survival(age), 0.0, past, limit=200)[0]


def waves(base, amplitude, period, phase=0.0):
    return lambda u: base * (1.0 + amplitude * math.sin(2.0 * math.pi * u / period + phase))


def exponential(mean):
    return lambda age: math.exp(-age / mean)


def constant(length):
    return lambda age: 1.0 if age < length else 0.0


EMPTY = {"arrival_rate": 4.0, "mean_service": 3.0, "t": 2.0, "start": "empty"}
M2 = mean_busy(lambda _: 4.0, exponential(3.0), 2.0, 2.0)
WAVE = {"base_rate": 5.0, "amplitude": 0.6, "period": 60.0, "t": 20.0}
WAVE_D = mean_busy(waves(5.0, 0.6, 60.0), constant(8.0), 20.0, 8.0)
WAVE_M = mean_busy(waves(5.0, 0.6, 60.0), exponential(8.0), 20.0, 400.0)

CASES = [
    ("M/M/inf transient", EMPTY, "mean_busy_instances", M2),
    ("M/M/inf transient", EMPTY, "variance_busy_instances", M2),
    ("M/M/inf transient", EMPTY, "p99_busy_instances", poisson.ppf(0.99, M2)),
    ("M/M/inf transient", EMPTY | {"n": 8}, "p_busy_exceeds_n", poisson.sf(8, M2)),
    ("M/M/inf transient", EMPTY, "p_empty", math.exp(-M2)),
    ("M/M/inf transient", EMPTY | {"start": "steady"}, "mean_busy", 12.0),
    ("M/M/inf transient", EMPTY | {"start": 10.0}, "mean_busy", M2 + 10.0 * math.exp(-2.0 / 3.0)),
    ("M/D/inf transient", EMPTY, "mean_busy", 8.0),
    ("M/D/inf transient", EMPTY | {"t": 5.0}, "mean_busy", 12.0),
    ("Mt/D/inf", WAVE | {"service": 8.0}, "mean_busy_instances", WAVE_D),
    ("Mt/M/inf", WAVE | {"mean_service": 8.0}, "mean_busy_instances", WAVE_M),
    ("Mt/D/inf", WAVE | {"service": 8.0}, "p90_busy", poisson.ppf(0.9, WAVE_D)),
    (
        "Mt/D/inf",
        WAVE | {"service": 8.0, "phase": 1.5},
        "mean_busy",
        mean_busy(waves(5.0, 0.6, 60.0, 1.5), constant(8.0), 20.0, 8.0),
    ),
    (
        "Mt/D/inf",
        WAVE | {"service": 30.0, "start": "empty", "amplitude": -1.0},
        "mean_busy",
        mean_busy(waves(5.0, -1.0, 60.0), constant(30.0), 20.0, 20.0),
    ),
]


@pytest.mark.parametrize(
    ("model", "params", "quantity", "value"),
    CASES,
    ids=[f"{i}-{model}-{quantity}" for i, (model, _, quantity, _) in enumerate(CASES)],
)
def test_closed_form(model, params, quantity, value):
    case = Case(f"{model} {quantity} {params}", model, params, quantity, float(value))
    result = run_case(case, quick=True)
    assert result.status == "passed", result


def test_expected_arrivals_are_the_integral_of_the_rate():
    for start, past in (("empty", 20.0), ("steady", 16.0)):
        queue = transient("Mt/D/inf", Parameters(WAVE | {"service": 8.0, "start": start}))
        assert queue.watch_s == past
        expected = quad(waves(5.0, 0.6, 60.0), 20.0 - past, 20.0)[0]
        assert queue.expected_arrivals == pytest.approx(expected, rel=1e-9)
        which, since_s = queue.stream(7, "x", 4_000)
        assert np.all((since_s >= 0.0) & (since_s <= past))
        assert np.all(np.diff(which) >= 0)
        # A Poisson count of 4,000 starts: five standard deviations.
        assert len(which) == pytest.approx(4_000 * expected, abs=5.0 * (4_000 * expected) ** 0.5)


@pytest.mark.parametrize(
    ("model", "changed", "said"),
    [
        ("Mt/D/inf", {"amplitude": 1.2}, "expected -1 to 1"),
        ("Mt/D/inf", {"period": 0.0}, "expected a number above 0"),
        ("M/M/inf transient", {"t": 0.0}, "expected a number above 0"),
        ("M/M/inf transient", {"start": "half"}, "expected empty, steady or a number"),
    ],
)
def test_what_cannot_be_replayed(model, changed, said):
    params = {"arrival_rate": 5.0, "amplitude": 0.5, "period": 60.0, "t": 20.0, "service": 8.0}
    with pytest.raises(CaseError, match=said):
        transient(model, Parameters(params | changed))
