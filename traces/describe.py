"""What a trace holds, in one row: requests, rates, peaks, dispersion, tokens."""

from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.trace import Trace

Row = dict[str, Any]

SCHEMA: Final = "trace-describe/1"


def describe(trace: Trace | CountSeries) -> Row:
    """Summarise traffic in one row; ``columns.csv`` (table ``describe``) declares its keys.

    Bins of one second and one minute start at the first arrival, or at the first bin, and the
    last one counts even if partial. Variances are those of the population. What is not known,
    such as gaps of traffic that is only counted, is None.

    Parameters
    ----------
    trace : Trace or CountSeries. The traffic.

    Returns
    -------
    dict
        ``schema``, ``source``, ``format``, ``kind``, ``t0``, ``records``, ``bin_s``, ``requests``,
        ``duration_s``, ``mean_rps``, ``peak_1min_requests``, ``peak_1s_requests``, ``iod_1s``,
        ``iod_60s``, ``cv_interarrival``, ``max_gap_s``, ``prompt_tokens``, ``output_tokens``,
        ``service_s_mean``, ``content_hash``.
    """
    counted = trace if isinstance(trace, CountSeries) else None
    row: Row = {
        "schema": SCHEMA,
        "source": trace.source,
        "format": trace.report.format if trace.report else None,
        "kind": "counts" if counted else "events",
        "t0": iso(trace.t0_ns) if trace.t0_is_absolute else None,
        "records": _records(trace),
        "bin_s": counted.bin_s if counted else None,
        "requests": trace.requests,
        "duration_s": trace.duration_s,
        "mean_rps": trace.requests / trace.duration_s if trace.duration_s > 0.0 else None,
    }
    row |= _of_counts(trace) if isinstance(trace, CountSeries) else _of_events(trace)
    for name in ("prompt_tokens", "output_tokens"):
        tokens = trace.columns.get(name)
        row[name] = None if tokens is None else round(float(tokens.sum()))
    service = trace.columns.get("service_s")
    row["service_s_mean"] = None if service is None else float(service.mean())
    row["content_hash"] = trace.content_hash
    return row


def _records(trace: Trace | CountSeries) -> int:
    """Rows that were read; those of the traffic itself where nothing was read."""
    if trace.report is not None:
        return trace.report.rows
    return trace.counts.size if isinstance(trace, CountSeries) else trace.requests


def iso(ns: int) -> str:
    """ISO 8601 in UTC for nanoseconds since 1970, without trailing zeros.

    >>> iso(1_767_571_200_000_000_000), iso(1_700_158_623_979_960_000)
    ('2026-01-05T00:00:00Z', '2023-11-16T18:17:03.97996Z')
    """
    seconds, rest = divmod(ns, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{text}{fraction}Z"


def _of_events(trace: Trace) -> Row:
    second, minute = _bins(trace.arrival_s, 1.0), _bins(trace.arrival_s, 60.0)
    gaps = np.diff(trace.arrival_s)
    mean_gap = float(gaps.mean()) if gaps.size else 0.0
    return {
        "peak_1min_requests": int(minute[0].max()),
        "peak_1s_requests": int(second[0].max()),
        "iod_1s": _dispersion(*second),
        "iod_60s": _dispersion(*minute),
        "cv_interarrival": float(gaps.std()) / mean_gap if mean_gap > 0.0 else None,
        "max_gap_s": float(gaps.max()) if gaps.size else None,
    }


def _of_counts(series: CountSeries) -> Row:
    row: Row = dict.fromkeys(
        ("peak_1min_requests", "peak_1s_requests", "iod_1s", "iod_60s", "cv_interarrival")
    )
    row["max_gap_s"] = None
    for width_s, peak, dispersion in (
        (60.0, "peak_1min_requests", "iod_60s"),
        (1.0, "peak_1s_requests", "iod_1s"),
    ):
        per_bin = round(width_s / series.bin_s)
        if per_bin >= 1 and abs(per_bin * series.bin_s - width_s) < 1e-9 * width_s:
            edges = np.arange(0, series.counts.size, per_bin)
            sums = np.add.reduceat(series.counts, edges)
            row[peak] = int(sums.max())
            row[dispersion] = _dispersion(sums, sums.size)
    if row["peak_1min_requests"] is None:
        row["peak_1min_requests"] = int(series.counts.max()) * 60.0 / series.bin_s
    return row


# Requests a bin from which finding each edge costs less than placing each request.
_MANY = 8


def _bins(arrival_s: NDArray[np.float64], width_s: float) -> tuple[NDArray[np.int64], int]:
    """Requests in each bin that has any, and how many bins there are with the empty ones.

    Sparse, since a trace may span years; of few bins beside many requests, by their edges.
    """
    bins = int(arrival_s[-1] / width_s) + 1
    if bins * _MANY < arrival_s.size:
        starts = np.searchsorted(arrival_s, np.arange(bins) * width_s)
        counts = np.diff(starts, append=arrival_s.size)
        return counts[counts > 0], bins
    index = (arrival_s / width_s).astype(np.int64)
    starts = np.concatenate(([0], np.flatnonzero(np.diff(index)) + 1))
    return np.diff(starts, append=index.size), int(index[-1]) + 1


def _dispersion(counts: NDArray[np.int64], bins: int) -> float:
    """Population variance over mean of the counts and of the empty bins beside them."""
    mean = float(counts.sum()) / bins
    spread = float(np.square(counts - mean).sum()) + (bins - counts.size) * mean * mean
    return spread / bins / mean
