"""The histogram's promise, and the heap's."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.replay.heap import pop, push, remove_owner, replace_root
from modeler.replay.histogram import (
    BUCKETS,
    RELATIVE_ERROR,
    bucket_of,
    edges,
    quantile,
    share_above,
)

MANY = settings(max_examples=300, deadline=None, derandomize=True)
# From about a microsecond to half a year: what the buckets tell apart. [s]
times = st.floats(1e-6, 1e7)


def counted(values) -> np.ndarray:
    counts = np.zeros(BUCKETS, dtype=np.int64)
    for value in values:
        counts[bucket_of(value)] += 1
    return counts


@MANY
@given(times)
def test_a_value_lies_in_its_bucket_which_is_narrow(value):
    low, high = edges(np.array([bucket_of(value)]))
    assert low[0] <= value < high[0]
    # Whatever is said of a bucket is within the promised error of every value in it.
    assert high[0] - low[0] <= RELATIVE_ERROR * low[0]


@MANY
@given(times, times)
def test_buckets_keep_the_order_of_values(one, other):
    low, high = sorted((one, other))
    assert bucket_of(low) <= bucket_of(high)


@pytest.mark.parametrize("value", [0.0, 1e-300, 1e-9, 1e9, 1e300, math.inf])
def test_values_beyond_the_buckets_go_into_the_outer_ones(value):
    assert bucket_of(value) == (0 if value < 1.0 else BUCKETS - 1)


@MANY
@given(st.lists(times, min_size=1, max_size=200), st.floats(0.001, 1.0))
def test_quantiles_are_those_of_the_sample_within_the_promised_error(values, q):
    # The order statistic a quantile stands for: no value is made up between two samples.
    expected = np.quantile(values, q, method="inverted_cdf")
    assert quantile(counted(values), q) == pytest.approx(expected, rel=RELATIVE_ERROR)


@pytest.mark.parametrize("q", [0.5, 0.95, 0.99])
def test_quantiles_of_a_large_sample(q):
    values = np.random.default_rng(5).lognormal(0.0, 1.5, 200_000)
    # 0.25 % of the histogram and nothing else: among 200,000 neighbours lie 0.01 % apart at most.
    expected = np.quantile(values, q)
    assert quantile(counted(values), q) == pytest.approx(expected, rel=1.1 * RELATIVE_ERROR)


def test_zeros_are_zero_and_nothing_is_nan():
    counts = counted([0.0, 0.0, 0.0, 4.0])
    assert quantile(counts, 0.5) == 0.0
    assert quantile(counts, 1.0) == pytest.approx(4.0, rel=RELATIVE_ERROR)
    assert math.isnan(quantile(np.zeros(BUCKETS, dtype=np.int64), 0.5))


@MANY
@given(st.lists(times, max_size=50), st.lists(times, max_size=50))
def test_histograms_merge_by_adding(one, other):
    np.testing.assert_array_equal(counted(one) + counted(other), counted(one + other))


@MANY
@given(st.lists(times, min_size=1, max_size=100), times)
def test_share_above_is_off_by_one_bucket_at_most(values, bound):
    counts = counted(values)
    inside = counts[bucket_of(bound)] / len(values)
    expected = np.mean(np.array(values) > bound)
    assert abs(share_above(counts, bound) - expected) <= inside + 1e-12


# --- the heap ---


class Heap:
    def __init__(self, room: int) -> None:
        self.times = np.full(room, np.inf)
        self.owners = np.zeros(room, dtype=np.int32)
        self.size = 0

    def entries(self) -> list[tuple[float, int]]:
        rows = zip(self.times[: self.size], self.owners[: self.size], strict=True)
        return sorted((float(t), int(o)) for t, o in rows)

    def holds(self) -> bool:
        return all(self.times[(k - 1) // 2] <= self.times[k] for k in range(1, self.size))


steps = st.lists(
    st.tuples(
        st.sampled_from(["push", "push", "push", "replace", "pop", "remove"]),
        st.integers(0, 9).map(float),
        st.integers(0, 3),
    ),
    max_size=60,
)


@MANY
@given(steps)
def test_the_heap_holds_what_was_put_in_with_the_earliest_on_top(plan):
    heap, expected = Heap(64), []
    for what, time, owner in plan:
        if what == "push":
            push(heap.times, heap.owners, heap.size, time, owner)
            heap.size += 1
            expected.append((time, owner))
        elif what == "remove":
            heap.size = remove_owner(heap.times, heap.owners, heap.size, owner)
            expected = [entry for entry in expected if entry[1] != owner]
        elif heap.size:
            top = (float(heap.times[0]), int(heap.owners[0]))
            assert top[0] == min(expected)[0]
            expected.remove(top)
            if what == "pop":
                pop(heap.times, heap.owners, heap.size)
                heap.size -= 1
            else:
                replace_root(heap.times, heap.owners, heap.size, time, owner)
                expected.append((time, owner))
        assert heap.entries() == sorted(expected)
        assert heap.holds()
