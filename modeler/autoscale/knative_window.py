"""Knative's metric windows: buckets of one second, their plain and their weighted average.

A window lives in a stretch of a float64 vector that starts at ``base``: four scalars, then one
bucket for each `bucket_s` of the window. Zeros are a window that was never written.

The linear average is the sum of the buckets over the number of buckets between the first and the
last write, so a young series is averaged over its own age. Buckets that expired since the last
write drop out; a gap counts as zero once a newer write comes. A write that is late but inside the
window is added where it belongs and may move the first write back; one that is a window old is
ignored; after a whole window of silence the series starts anew. The average is cut, not rounded,
to six digits, which hides what is left of sums and differences. The weighted average falls off
from the newest bucket by one minus the smoothing coefficient a bucket.

Source: knative/serving pkg/autoscaler/aggregation/bucketing.go.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from modeler.compiled import kernel

# Scalars: 0 never written, 1 first write forgotten, 2 both known; then indices of buckets.
_KNOWN: Final = 0
_FIRST: Final = 1
_LAST: Final = 2
_TOTAL: Final = 3
HEAD: Final = 4

_DIGITS: Final = 1e6
# Weights over a window sum to at least this, unless the coefficient's floor says more.
_WEIGHT: Final = 0.9999
_LEAST_COEFFICIENT: Final = 0.2


def buckets_of(window_s: float, bucket_s: float = 1.0) -> int:
    """Buckets of a window, the last one possibly cut. [buckets]"""
    return math.ceil(window_s / bucket_s)


def size_of(window_s: float, bucket_s: float = 1.0) -> int:
    """Values that a window takes in a policy's memory. [values]"""
    return HEAD + buckets_of(window_s, bucket_s)


@kernel()
def smoothing_coefficient(buckets):  # type: ignore[no-untyped-def]
    """Weight of the newest bucket: ``max(1 - (1 - 0.9999) ** (1 / n), 0.2)``."""
    return max(1.0 - (1.0 - _WEIGHT) ** (1.0 / buckets), _LEAST_COEFFICIENT)


@kernel()
def record(state, base, buckets, window_s, bucket_s, at_s, value):  # type: ignore[no-untyped-def]
    """Add a value to the bucket of its time."""
    index = int(np.floor(at_s / bucket_s))
    known = state[base + _KNOWN]
    last = int(state[base + _LAST])
    if known == 0.0 or index != last:
        if known != 0.0 and (index - last) * bucket_s + window_s <= 0.0:
            return  # a whole window old
        if known != 2.0 or index < state[base + _FIRST]:
            state[base + _FIRST] = index
        if known == 0.0 or index > last:
            if known == 0.0 or (index - last) * bucket_s >= window_s:
                state[base + _FIRST] = index
                state[base + _TOTAL] = 0.0
                for k in range(buckets):
                    state[base + HEAD + k] = 0.0
            else:
                for k in range(last + 1, index + 1):
                    place = base + HEAD + k % buckets
                    state[base + _TOTAL] -= state[place]
                    state[place] = 0.0
            state[base + _LAST] = index
        state[base + _KNOWN] = 2.0
    state[base + HEAD + index % buckets] += value
    state[base + _TOTAL] += value


@kernel()
def is_empty(state, base, window_s, bucket_s, now_s):  # type: ignore[no-untyped-def]
    """Whether nothing was written for longer than the window."""
    if state[base + _KNOWN] == 0.0:
        return True
    return (np.floor(now_s / bucket_s) - state[base + _LAST]) * bucket_s > window_s


@kernel()
def average(state, base, buckets, window_s, bucket_s, now_s):  # type: ignore[no-untyped-def]
    """The linear average as of now."""
    if state[base + _KNOWN] == 0.0:
        return 0.0
    last = int(state[base + _LAST])
    silent = int(np.floor(now_s / bucket_s)) - last
    if silent > 0 and silent * bucket_s >= window_s:
        return 0.0
    total = state[base + _TOTAL]
    count = buckets
    if silent > 0:
        for k in range(last + 1, last + silent + 1):
            total -= state[base + HEAD + k % buckets]
        count -= silent
    if state[base + _KNOWN] == 2.0:
        count = min(count, last - int(state[base + _FIRST]) + 1)
    return np.floor(total / count * _DIGITS) / _DIGITS


@kernel()
def weighted_average(  # type: ignore[no-untyped-def]
    state, base, buckets, window_s, bucket_s, now_s, coefficient
):
    """The exponentially weighted average as of now."""
    if is_empty(state, base, window_s, bucket_s, now_s):
        return 0.0
    last = int(state[base + _LAST])
    silent = max(int(np.floor(now_s / bucket_s)) - last, 0)
    weight = coefficient
    if silent > 0:
        weight *= (1.0 - coefficient) ** silent
    result = 0.0
    for k in range(buckets - silent):
        result += state[base + HEAD + (last - k) % buckets] * weight
        weight *= 1.0 - coefficient
    return result


def resized(
    state: NDArray[np.float64], window_s: float, new_window_s: float, bucket_s: float, now_s: float
) -> NDArray[np.float64]:
    """The same window at another length, its newest buckets kept.

    Parameters
    ----------
    state : float64[HEAD + n]. The window as it stands.
    window_s, new_window_s, bucket_s : float. Its length, the new one, and that of a bucket. [s]
    now_s : float. A series silent for longer than the old window is forgotten. [s]

    Notes
    -----
    Afterwards the first write counts as a whole old window before the last one, as upstream has
    it, whether or not that much had been written.
    """
    if new_window_s == window_s:
        return state
    old, new = buckets_of(window_s, bucket_s), buckets_of(new_window_s, bucket_s)
    other = np.zeros(HEAD + new)
    other[_LAST] = state[_LAST]
    other[_KNOWN] = min(state[_KNOWN], 1.0)
    if not is_empty(state, 0, window_s, bucket_s, now_s):
        last = int(state[_LAST])
        for k in range(min(old, new)):
            value = state[HEAD + (last - k) % old]
            other[HEAD + (last - k) % new] = value
            other[_TOTAL] += value
        other[_FIRST] = last - (old - 1)
        other[_KNOWN] = 2.0
    return other
