"""Traffic drawn again from its own days: what it keeps, and what it may change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traces import CountSeries, Trace, TraceError
from traces.blocks import blocks_of, resampled
from traces.draws import uniform

DAY_S = 86_400.0
MONDAY_NS = 1_767_571_200_000_000_000  # 2026-01-05, 00:00 UTC


def of_days(counts: list[int], *, absolute: bool = True) -> Trace:
    """So many requests on each day, evenly from its first second on; prompts tell the day."""
    times, prompts = [], []
    for day, count in enumerate(counts):
        times.append(day * DAY_S + np.arange(count) * (DAY_S / count))
        prompts.append(np.full(count, float(day)))
    return Trace(
        np.concatenate(times),
        {"prompt_tokens": np.concatenate(prompts)},
        t0_ns=MONDAY_NS,
        t0_is_absolute=absolute,
    )


def test_weekdays_are_drawn_among_weekdays():
    trace = of_days([100, 101, 102, 103, 104, 10, 11])
    blocks = blocks_of(trace)
    assert blocks.kinds == (0, 0, 0, 0, 0, 1, 1)
    assert "working days and weekends" in blocks.note
    for seed in range(20):
        made = resampled(trace, blocks, seed).traffic
        prompt = made.columns["prompt_tokens"]
        day = ((made.arrival_s + 1e-6) // DAY_S).astype(int)
        for number in range(7):
            (drawn,) = np.unique(prompt[day == number])
            assert bool(drawn >= 5) is (number >= 5)
        assert made.t0_ns == MONDAY_NS


def test_without_a_date_days_are_alike():
    blocks = blocks_of(of_days([50] * 7, absolute=False))
    assert blocks.kinds == (0,) * 7


def test_each_day_is_drawn_about_as_often():
    trace = of_days([30] * 5, absolute=False)
    blocks = blocks_of(trace)
    seen = np.zeros(5)
    for seed in range(400):
        prompt = resampled(trace, blocks, seed).traffic.columns["prompt_tokens"]
        seen += np.bincount(prompt.astype(int), minlength=5) / 30
    # 2,000 draws, each of five days with chance 1/5: standard deviation 18.
    assert np.abs(seen - 400.0).max() < 4.0 * 18.0


def test_a_lead_comes_before_and_leaves_the_calendar():
    trace = of_days([24] * 4)
    blocks = blocks_of(trace)
    made = resampled(trace, blocks, 3, lead_s=7200.0)
    # The last two hours of some day hold requests at 22:00 and 23:00, as each day does.
    assert made.body_from_s == pytest.approx(7200.0, abs=1e-6)
    assert made.traffic.t0_ns == MONDAY_NS - 7_200_000_000_000
    assert made.traffic.requests == 4 * 24 + 2


def test_short_traffic_is_cut_in_ten():
    trace = Trace(np.arange(0.0, 3600.0, 2.0))
    blocks = blocks_of(trace)
    assert blocks.count == 10
    assert blocks.width_s == pytest.approx(359.8)
    assert "less than two days" in blocks.note


def test_counts_are_drawn_in_whole_bins():
    series = CountSeries(np.tile([0, 3, 5, 1], 72), 900.0, t0_ns=MONDAY_NS, t0_is_absolute=True)
    blocks = blocks_of(series)
    made = resampled(series, blocks, 1, lead_s=1000.0)
    assert made.body_from_s == 1800.0
    assert made.traffic.requests == series.requests + int(series.counts[-2:].sum())


def test_a_last_day_that_ends_with_its_last_arrival_counts():
    trace = of_days([1000] * 3)
    assert trace.duration_s < 3 * DAY_S
    assert blocks_of(trace).count == 3
    longer = of_days([1000, 1000, 1000, 4])
    assert "is no whole day" not in blocks_of(longer).note
    ends = Trace(np.append(trace.arrival_s, 3 * DAY_S + 40_000.0))
    assert "the last 11 h are no whole day" in blocks_of(ends).note


def test_too_little_traffic_is_refused():
    with pytest.raises(TraceError, match="too little traffic"):
        blocks_of(Trace([0.0, 5.0, 9.0]))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**31), st.integers(20, 300), st.floats(3.0, 9.0), st.floats(0.0, 20_000.0))
def test_nothing_is_invented(seed, requests, days, lead_s):
    """Every request comes from the trace, at its own time of the block."""
    times = np.sort(uniform(seed, "t", 0, requests)) * days * DAY_S
    times -= times[0]
    trace = Trace(times, {"prompt_tokens": np.arange(float(requests))})
    blocks = blocks_of(trace)
    try:
        made = resampled(trace, blocks, seed, lead_s=lead_s)
    except TraceError:
        return  # days without a request were drawn
    which = made.traffic.columns["prompt_tokens"].astype(int)
    shift = (made.traffic.t0_ns - trace.t0_ns) / 1e9
    clock = made.traffic.arrival_s + shift
    moved = (clock - times[which]) / blocks.width_s
    body = made.traffic.arrival_s >= made.body_from_s - 1e-6
    # Of the body by whole blocks; to the microsecond, in which stamps are kept.
    assert np.abs(moved[body] - np.rint(moved[body])).max(initial=0.0) < 1e-9
