"""Transformed traffic: what is kept, exactly or in its mean, and what cannot be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import Trace, TraceError, describe, generate
from traces.transform import bootstrap_days, jitter, part, scale, superpose, thin, warp

WEEK = generate("office-week", 1, days=3)
T0 = 1_700_000_000_000_000_000


def poisson(rate: float, count: int, seed: int = 0, **of) -> Trace:
    rng = np.random.default_rng(seed)
    times = np.append(0.0, np.cumsum(rng.exponential(1 / rate, count - 1)))
    return Trace(times, {"prompt_tokens": np.arange(count, dtype=float)}, t0_ns=T0, **of)


def test_a_part_begins_with_its_first_request():
    trace = Trace([0.0, 10.0, 20.0, 30.0], {"service_s": [1.0, 2.0, 3.0, 4.0]}, t0_ns=T0)
    found = part(trace, 5.0, 30.0)
    assert found.arrival_s.tolist() == [0.0, 10.0]
    assert found.columns["service_s"].tolist() == [2.0, 3.0]
    assert found.t0_ns == T0 + 10_000_000_000
    with pytest.raises(TraceError, match="no request is left"):
        part(trace, 11.0, 19.0)


@given(st.floats(0.05, 1.0), st.integers(0, 5))
def test_thinning_keeps_a_share(share, seed):
    trace = poisson(5.0, 4000)
    found = thin(trace, share, seed)
    # Binomial: five standard deviations.
    assert abs(found.requests - 4000 * share) <= 5 * np.sqrt(4000 * share * (1 - share)) + 1
    # The same requests are kept at every larger share.
    more = thin(trace, min(share + 0.2, 1.0), seed)
    kept = set(more.columns["prompt_tokens"].tolist())
    assert set(found.columns["prompt_tokens"].tolist()) <= kept


def test_thinned_poisson_traffic_is_poisson():
    found = thin(poisson(10.0, 60_000), 0.3, 2)
    gaps = np.diff(found.arrival_s)
    # Mean 1 / 3 s and a coefficient of variation of 1, each within 4 standard errors.
    assert gaps.mean() == pytest.approx(1 / 3, rel=4 / np.sqrt(gaps.size))
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=4 / np.sqrt(gaps.size))


def test_a_warp_multiplies_gaps():
    trace = poisson(2.0, 100)
    found = warp(trace, 0.25)
    assert np.diff(found.arrival_s) == pytest.approx(np.diff(trace.arrival_s) / 4)
    assert found.t0_ns == T0


@pytest.mark.parametrize("factor", [1.0, 2.0, 3.5])
def test_scaled_traffic_keeps_its_minutes(factor):
    trace = poisson(3.0, 20_000)
    found = scale(trace, factor, 4)
    assert found.requests == pytest.approx(20_000 * factor, abs=5 * np.sqrt(20_000))

    def minutes(one: Trace):
        at = (one.arrival_s + (one.t0_ns % 60_000_000_000) / 1e9) // 60
        return np.bincount(at.astype(int) + (one.t0_ns - T0) // 60_000_000_000)

    before, after = minutes(trace), minutes(found)
    if factor == int(factor):
        # The first minute began before the trace: what falls there comes with its first instant.
        assert after[1:].tolist() == (factor * before[1:]).tolist()
    assert (np.diff(found.arrival_s) >= 0).all()


def test_less_is_thinned():
    trace = poisson(3.0, 1000)
    assert scale(trace, 0.4, 1).arrival_s.tolist() == thin(trace, 0.4, 1).arrival_s.tolist()


def test_together():
    one = Trace([0.0, 2.0], {"service_s": [1.0, 1.0], "prompt_tokens": [5.0, 5.0]})
    two = Trace([0.0, 1.0], {"service_s": [9.0, 9.0]})
    found = superpose([one, two])
    assert found.arrival_s.tolist() == [0.0, 0.0, 1.0, 2.0]
    assert found.columns["service_s"].tolist() == [1.0, 9.0, 9.0, 1.0]
    assert set(found.columns) == {"service_s"}
    with pytest.raises(TraceError):
        superpose([])


def test_days_drawn_again_are_days_of_the_trace():
    found = bootstrap_days(WEEK, 10, 3)
    whole = int(WEEK.duration_s // 86_400)
    days = [np.sum(WEEK.arrival_s // 86_400 == day) for day in range(whole)]
    first = (found.t0_ns - WEEK.t0_ns) / 1e9
    drawn = np.bincount(((found.arrival_s + first) // 86_400).astype(int))
    assert len(drawn) == 10
    assert set(drawn.tolist()) <= set(days)
    assert len(set(drawn.tolist())) > 1
    again = bootstrap_days(WEEK, 10, 3)
    assert again.content_hash == found.content_hash
    # Within a day it is as bursty as it was.
    assert describe(found)["iod_60s"] == pytest.approx(describe(WEEK)["iod_60s"], rel=0.3)
    with pytest.raises(TraceError, match="lasts less than a day"):
        bootstrap_days(poisson(1.0, 50), 2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda t: thin(t, 0.0), "above 0 and at most 1"),
        (lambda t: thin(t, 1.2), "above 0 and at most 1"),
        (lambda t: warp(t, -1.0), "a number above 0"),
        (lambda t: scale(t, float("nan")), "a number above 0"),
        (lambda t: bootstrap_days(t, 0), "at least 1"),
    ],
)
def test_what_cannot_be(call, said):
    with pytest.raises(TraceError, match=said):
        call(poisson(1.0, 10))


def test_jitter_spreads_rounded_stamps_and_keeps_what_is_counted_by_the_quantum():
    stamps = np.repeat(np.arange(0.0, 300.0, 3.0), 5)
    made = jitter(Trace(stamps), 3.0, seed=1)
    assert made.requests == stamps.size
    assert (np.diff(made.arrival_s) >= 0).all()
    assert np.unique(made.arrival_s).size == stamps.size
    # The first arrival is at 0 again: counted from the origin of the stamps, five a quantum.
    origin = (made.t0_ns - Trace(stamps).t0_ns) / 1e9
    assert 0.0 <= origin < 3.0
    counts = np.bincount(((made.arrival_s + origin + 1e-9) // 3.0).astype(int), minlength=100)
    assert counts.tolist() == [5] * 100
    assert jitter(Trace(stamps), 3.0, seed=1).content_hash == made.content_hash
    with pytest.raises(TraceError, match="quantum_s"):
        jitter(Trace(stamps), 0.0)
