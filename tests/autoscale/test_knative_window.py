"""Knative's windows against a list of all writes, and against averages worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale import knative_window as window

QUICK = settings(max_examples=200, deadline=None, derandomize=True)


class Series:
    """A window of the tests."""

    def __init__(self, window_s: float, bucket_s: float = 1.0) -> None:
        self.window_s, self.bucket_s = window_s, bucket_s
        self.state = np.zeros(window.size_of(window_s, bucket_s))

    def _shape(self):
        buckets = window.buckets_of(self.window_s, self.bucket_s)
        return self.state, 0, buckets, self.window_s, self.bucket_s

    def write(self, at_s: float, value: float) -> None:
        window.record(*self._shape(), at_s, value)

    def mean(self, now_s: float) -> float:
        return window.average(*self._shape(), now_s)

    def weighted(self, now_s: float) -> float:
        shape = self._shape()
        return window.weighted_average(*shape, now_s, window.smoothing_coefficient(shape[2]))

    def resize(self, window_s: float, now_s: float) -> None:
        self.state = window.resized(self.state, self.window_s, window_s, self.bucket_s, now_s)
        self.window_s = window_s


def test_a_young_series_is_averaged_over_its_own_age():
    series = Series(5.0)
    series.write(100.0, 1.0)
    assert series.mean(100.0) == 1.0
    for second in range(1, 5):
        series.write(100.0 + second, second + 1.0)
    assert series.mean(104.0) == 3.0
    assert series.mean(103.6) == 3.0  # a reader that lags behind
    assert series.mean(106.0) == (3.0 + 4.0 + 5.0) / 3.0  # two seconds of silence drop out
    assert series.mean(110.0) == 0.0  # as long as the window
    series.write(106.0, 91.0)
    assert series.mean(106.0) == (3.0 + 4.0 + 5.0 + 91.0) / 5.0  # the gap counts as zero now


def test_late_writes_extend_the_series_backwards_until_they_are_a_window_old():
    series = Series(5.0)
    series.write(100.0, 1984.0)
    series.write(97.0, 4.0)
    assert series.mean(100.0) == 1988.0 / 4.0
    series.write(101.0, 5.0)
    assert series.mean(101.0) == pytest.approx(1993.0 / 5.0, abs=1e-6)
    series.write(98.0, 10.0)
    assert series.mean(101.0) == pytest.approx(2003.0 / 5.0, abs=1e-6)
    for old in (95.0, 96.0):
        series.write(old, 10.0)
    assert series.mean(101.0) == pytest.approx(2003.0 / 5.0, abs=1e-6)
    series.write(106.0, 10.0)  # a whole window of silence
    assert series.mean(106.0) == 10.0


def test_a_series_written_backwards():
    series = Series(5.0)
    for second in range(8, -1, -1):
        series.write(float(second), 5.0)
    assert series.mean(5.0) == 5.0


def test_the_average_is_cut_to_six_digits():
    series = Series(6.0)
    for second in range(6):
        series.write(float(second), 27.0 / 6.0 - 0.1 * (second == 0))
    assert series.mean(5.0) == 4.483333  # 4.48333333...
    assert Series(3.0).mean(5.0) == 0.0


def test_resizing_keeps_the_newest_buckets():
    series = Series(5.0)
    for second in range(6):
        series.write(float(second), second + 1.0)
    assert series.mean(5.0) == 20.0 / 5.0
    series.resize(10.0, 5.0)
    assert series.mean(5.0) == 20.0 / 5.0  # no more than five had been kept
    series.write(6.0, 7.0)
    assert series.mean(6.0) == pytest.approx(27.0 / 6.0, abs=1e-6)
    series.resize(4.0, 6.0)
    assert series.mean(6.0) == (4.0 + 5.0 + 6.0 + 7.0) / 4.0
    before = series.state
    series.resize(4.0, 6.0)
    assert series.state is before
    # What is older than the window is forgotten, and the next write starts anew.
    series.resize(8.0, 60.0)
    series.write(60.0, 3.0)
    assert series.mean(60.0) == 3.0


def test_buckets_of_three_seconds():
    series = Series(5.0, 3.0)
    for second, value in enumerate([10.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]):
        series.write(float(second), value)
    assert series.mean(6.0) == (15.0 + 7.0) / 2.0


def test_the_weighted_average_falls_off_from_the_newest():
    # Values 1, 3, 5, 4, 6, 7, 2, 8, 10, 20, newest last, in a window of ten: 15.430728 as printed
    # in Knative's own explanation of its windows; in one of three 19.530732.
    values = [1.0, 3.0, 5.0, 4.0, 6.0, 7.0, 2.0, 8.0, 10.0, 20.0]
    long, short = Series(10.0), Series(3.0)
    for second, value in enumerate(values):
        long.write(second, value)
        short.write(second, value)
    assert long.weighted(9.0) == pytest.approx(15.430728028666296, rel=1e-12)
    assert short.weighted(9.0) == pytest.approx(19.530732247258655, rel=1e-12)
    # A second of silence: every weight falls once more, and the oldest bucket drops out.
    keep = 1.0 - window.smoothing_coefficient(10)
    oldest = values[0] * (1.0 - keep) * keep**9
    assert long.weighted(10.0) == pytest.approx((15.430728028666296 - oldest) * keep, rel=1e-9)
    assert long.weighted(19.0) == 0.0
    assert long.weighted(20.0) == 0.0


@pytest.mark.parametrize(
    ("buckets", "coefficient"),
    [(1, 0.9999), (6, 1.0 - 1e-4 ** (1.0 / 6.0)), (41, 0.2012), (42, 0.2), (60, 0.2)],
)
def test_the_smoothing_coefficient(buckets, coefficient):
    assert window.smoothing_coefficient(float(buckets)) == pytest.approx(coefficient, abs=1e-4)


@QUICK
@given(
    writes=st.lists(st.tuples(st.integers(-8, 30), st.integers(0, 100)), min_size=1, max_size=40),
    buckets=st.integers(1, 12),
    wait=st.integers(0, 15),
)
def test_any_order_of_writes_against_a_plain_dictionary(writes, buckets, wait):
    # The rule without a ring: what lies inside the window of the newest write, from the first.
    series = Series(float(buckets))
    kept: dict[int, float] = {}
    first = last = None
    at = 100
    for step, value in writes:
        at += step
        series.write(float(at), float(value))
        if last is None or at - last >= buckets:
            kept, first, last = {}, at, at
        elif last - at >= buckets:
            continue
        first, last = min(first, at), max(last, at)
        kept[at] = kept.get(at, 0.0) + value
        at = last
    now = last + wait
    inside = [value for when, value in kept.items() if when > now - buckets and when <= last]
    count = min(last - first + 1, buckets - wait)
    expected = math.floor(sum(inside) / count * 1e6) / 1e6 if wait < buckets else 0.0
    assert series.mean(float(now)) == pytest.approx(expected, abs=2e-6)
