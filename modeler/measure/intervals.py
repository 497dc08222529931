"""Intervals [start, stop): how much of them lies in a window, and how many hold at once."""

from __future__ import annotations

import numpy as np

from modeler.replay.simulate import Floats


def overlap_s(start: Floats, stop: Floats, from_s: float, to_s: float) -> Floats:
    """How much of each interval lies in a window. [s]

    >>> overlap_s(np.array([0.0, 5.0]), np.array([4.0, 9.0]), 3.0, 7.0).tolist()
    [1.0, 2.0]
    """
    inside: Floats = np.maximum(np.minimum(stop, to_s) - np.maximum(start, from_s), 0.0)
    return inside


def overlap_share(start: Floats, stop: Floats, from_s: float, to_s: float) -> float:
    """The share of the intervals' whole length that lies in a window. [1]

    Of intervals without length the share of those that begin in it; 0 of none.
    """
    total = float((stop - start).sum())
    if total > 0.0:
        return float(overlap_s(start, stop, from_s, to_s).sum()) / total
    inside = (start >= from_s) & (start < to_s)
    return float(inside.mean()) if len(inside) else 0.0


def most_at_once(start: Floats, stop: Floats, from_s: float, to_s: float) -> int:
    """The most intervals that hold at one instant of a window."""
    begin, end = np.maximum(start, from_s), np.minimum(stop, to_s)
    there = begin < end
    moments = np.concatenate([begin[there], end[there]])
    steps = np.concatenate([np.ones(there.sum()), -np.ones(there.sum())])
    order = np.lexsort((steps, moments))  # what ends at an instant has gone
    return int(np.max(np.cumsum(steps[order]), initial=0))


def mean_count(edges: Floats, start: Floats, stop: Floats) -> Floats:
    """Mean number of the intervals that hold, by bin.

    Parameters
    ----------
    edges : float64[b + 1]. Of the bins, in order. [s]
    start, stop : float64[n]. Infinite: not within the run. [s]
    """
    # The integral of the count up to time x is the sum over intervals of the part before x.
    starts, stops = np.sort(start), np.sort(stop)
    integral = _sum_before(starts, edges) - _sum_before(stops, edges)
    mean: Floats = np.diff(integral) / np.diff(edges)
    return mean


def _sum_before(times: Floats, edges: Floats) -> Floats:
    """Sum over `times` of how far each lies before each edge. [s]"""
    before = np.searchsorted(times, edges, side="right")
    sums = np.concatenate([[0.0], np.cumsum(times)])
    total: Floats = before * edges - sums[before]
    return total
