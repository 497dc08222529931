"""Where two curves of dollars over the rate cross, and how well that is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modeler.study.intervals import Floats, Resamples, band

# Curves that differ by less are one: fleets that have scaled to the same size.
_SAME = 0.01


def crossings(rate: Floats, first: Floats, second: Floats) -> list[float]:
    """Rates at which two curves cross.

    Parameters
    ----------
    rate : array of float. Rising, above 0.
    first, second : array of float. Dollars at each, above 0; NaN where unknown.

    Returns
    -------
    list of float
        By interpolation of the ratio's logarithm in the logarithm of the rate, which is exact for
        dollars that are constant and dollars that are proportional to the rate.

    >>> [round(x, 9) for x in crossings(np.array([1.0, 9.0]), np.array([6.0, 6.0]),
    ...                                 np.array([2.0, 18.0]))]
    [3.0]
    """
    known = (first > 0.0) & (second > 0.0)
    x, gap = np.log(rate[known]), np.log(first[known] / second[known])
    apart = np.abs(gap) > _SAME
    x, gap = x[apart], gap[apart]
    found = []
    for k in np.flatnonzero(gap[:-1] * gap[1:] < 0.0):
        share = gap[k] / (gap[k] - gap[k + 1])
        found.append(float(np.exp(x[k] + share * (x[k + 1] - x[k]))))
    return found


def band_of(
    at: float, rate: Floats, first: Floats, second: Floats, drawn: Resamples
) -> tuple[float, float] | None:
    """The interval of a crossing from replicates.

    Parameters
    ----------
    at : float. The crossing.
    rate : array of float, shape (rates,).
    first, second : array of float, shape (rates, replicates). Of the same traffic and luck.
    drawn : Resamples. As for `modeler.study.intervals.band`.

    Returns
    -------
    (low, high), or None where fewer than half of the replicates cross. The crossing itself is in
    it: replicates are warmed up, and may lie all on one side of a replay that was not.
    """
    logs = []
    for k in range(first.shape[1]):
        each = [np.log(x / at) for x in crossings(rate, first[:, k], second[:, k])]
        logs.append(min(each, key=abs) if each else np.nan)
    found = band(np.array(logs), drawn, signed=True)
    return (
        None
        if found is None
        else (at * float(np.exp(min(found.low, 0.0))), at * float(np.exp(max(found.high, 0.0))))
    )


def at_rate(rate: float, rates: Floats, values: Sequence[Any]) -> float | None:
    """A figure between rates, as `crossings` draws it; None where it is not known everywhere."""
    if any(value is None or not value > 0.0 for value in values):
        return None
    return float(np.exp(np.interp(np.log(rate), np.log(rates), np.log(values))))


def share_at(rate: float, rates: Floats, values: Sequence[Any]) -> float | None:
    """A share between rates, by straight lines over the logarithm of the rate; None where it is
    not known everywhere.

    >>> round(share_at(10.0, np.array([1.0, 100.0]), [0.0, 0.5]), 9)
    0.25
    """
    if any(value is None for value in values):
        return None
    return float(np.interp(np.log(rate), np.log(rates), values))
