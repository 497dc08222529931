"""A piece of traffic that stands for the whole: shorter, as uneven, with its quiet and its rush."""

from __future__ import annotations

import numpy as np

from modeler.replay.run import Traffic
from traces import CountSeries, Trace
from traces.transform import part

_BIN_S = 60.0
_STEPS = 200  # places that a window is tried at
_QUIET_S = 1800.0
_QUIET_SHARE = 0.25


def piece(traffic: Traffic, share: float, *, least_s: float) -> Traffic | None:
    """The window that is most like the whole.

    Its mean rate, its busiest quarter of an hour and the unevenness of its minutes are held against
    those of all the traffic. It begins in a quiet hour, as the traffic does not find a fleet that
    has just been started in its rush.

    Parameters
    ----------
    traffic : Trace or CountSeries.
    share : float. Of its duration.
    least_s : float. Shorter than this a window says nothing. [s]

    Returns
    -------
    Trace, CountSeries or None
        None where the window would be too short, or no shorter than the traffic.
    """
    counts, bin_s = per_bin(traffic)
    bins = round(share * traffic.duration_s / bin_s)
    if bins * bin_s < least_s or bins < 2 or bins >= counts.size:
        return None
    whole = _traits(counts, bin_s)
    starts = _quiet(counts, np.linspace(0, counts.size - bins, _STEPS).astype(np.int64), bin_s)
    off = [
        float(np.abs(np.log((_traits(counts[k : k + bins], bin_s) + 1e-9) / whole)).sum())
        for k in starts
    ]
    first = int(starts[int(np.argmin(off))])
    if isinstance(traffic, CountSeries):
        return CountSeries(
            traffic.counts[first : first + bins],
            traffic.bin_s,
            t0_ns=traffic.t0_ns + round(first * traffic.bin_s * 1e9),
            t0_is_absolute=traffic.t0_is_absolute,
            source=f"{traffic.source} (a window of it)",
        )
    return part(traffic, first * bin_s, (first + bins) * bin_s)


def per_bin(traffic: Traffic) -> tuple[np.ndarray, float]:
    """Requests of each bin, and its width: that of counts, else a minute. [s]"""
    if isinstance(traffic, CountSeries):
        return traffic.counts.astype(np.float64), traffic.bin_s
    assert isinstance(traffic, Trace)
    at = (traffic.arrival_s / _BIN_S).astype(np.int64)
    return np.bincount(at).astype(np.float64), _BIN_S


def _quiet(counts: np.ndarray, starts: np.ndarray, bin_s: float) -> np.ndarray:
    """Those of the starts whose first half hour is among the quietest."""
    width = max(1, min(round(_QUIET_S / bin_s), counts.size))
    sums = np.concatenate([[0.0], np.cumsum(counts)])
    first = sums[np.minimum(starts + width, counts.size)] - sums[starts]
    return np.unique(starts[first <= np.quantile(first, _QUIET_SHARE)])


def _traits(counts: np.ndarray, bin_s: float) -> np.ndarray:
    """Mean, busiest quarter of an hour, and index of dispersion. [requests a bin]"""
    width = max(1, min(round(900.0 / bin_s), counts.size))
    sums = np.convolve(counts, np.ones(width), "valid") / width
    mean = counts.mean()
    return np.array([mean, sums.max(), counts.var() / mean if mean > 0.0 else 0.0]) + 1e-9
