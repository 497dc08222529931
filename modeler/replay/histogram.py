"""Log-bucket histograms: fixed memory, mergeable, quantiles within a stated relative error.

A value's bucket is the top of its IEEE-754 bit pattern: the exponent and the first 9 bits of the
mantissa. A bucket is thus at most 1/512 of its lower edge wide, so that anything inside it is
within 0.2 % of every value in it, and finding it costs one shift. Two histograms merge by adding
their counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from modeler.compiled import kernel

RELATIVE_ERROR: Final = 0.0025
_SHIFT: Final = 43  # 52 mantissa bits less the 9 that are kept
_LOWEST: Final = (1023 - 20) << 9  # 2**-20 s, about 1 us
_HIGHEST: Final = (1023 + 24) << 9  # 2**24 s, about 194 days
BUCKETS: Final = _HIGHEST - _LOWEST + 2  # bucket 0 holds zero and all below the lowest edge


@kernel(inline="always")
def bucket_of(value):  # type: ignore[no-untyped-def]
    """The bucket of a non-negative time. [s]"""
    k = (np.float64(value).view(np.int64) >> _SHIFT) - _LOWEST + 1
    return min(max(k, 0), BUCKETS - 1)


def edges(k: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lower and upper edge of buckets `k`. [s]"""
    low = ((k + _LOWEST - 1) << _SHIFT).view(np.float64)
    high = ((k + _LOWEST) << _SHIFT).view(np.float64)
    return np.where(k <= 0, 0.0, low), np.where(k <= 0, 0.0, high)


def quantile(counts: NDArray[np.int64], q: float) -> float:
    """The q-quantile, interpolated inside its bucket; NaN of an empty histogram. [s]

    The relative error is at most one bucket's width, which is under `RELATIVE_ERROR`.
    """
    return quantiles(counts, (q,))[0]


def quantiles(counts: NDArray[np.int64], qs: Sequence[float]) -> list[float]:
    """Several quantiles, each as `quantile`. [s]"""
    cumulative = np.cumsum(counts)
    total = int(cumulative[-1])
    if total == 0:
        return [float("nan")] * len(qs)
    found = []
    for q in qs:
        rank = q * total
        k = min(int(np.searchsorted(cumulative, rank, side="left")), len(counts) - 1)
        while counts[k] == 0 and k < len(counts) - 1:
            k += 1
        before = int(cumulative[k] - counts[k])
        low, high = edges(np.array([k]))
        inside = (rank - before) / counts[k]
        found.append(float(low[0] + (high[0] - low[0]) * min(max(inside, 0.0), 1.0)))
    return found


def share_above(counts: NDArray[np.int64], value: float) -> float:
    """Share of values above `value`, interpolated inside its bucket; NaN when empty."""
    total = int(counts.sum())
    if total == 0:
        return float("nan")
    k = int(np.clip((np.float64(value).view(np.int64) >> _SHIFT) - _LOWEST + 1, 0, BUCKETS - 1))
    low, high = edges(np.array([k]))
    width = high[0] - low[0]
    inside = (value - low[0]) / width if width > 0.0 else 1.0
    return float((counts[k + 1 :].sum() + counts[k] * (1.0 - inside)) / total)
