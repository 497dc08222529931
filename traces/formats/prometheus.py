"""Answers of Prometheus to ``query_range`` as JSON: a matrix of series, which are summed.

A stamp is the END of the interval that a sample covers, in seconds; values are text. A sample is
a rate (of ``rate()``, requests per second), a count (of ``increase()``) or a counter that only
rises. Where a step is missing the target was gone: unknown, and not 0.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _assemble
from traces.formats._source import Source
from traces.formats._stamps import float_ns
from traces.formats._text import Layout
from traces.trace import Floats

NAME: Final = "prometheus"
RENAME: Final = {"values": "stamp, value"}
_KINDS: Final = ("rate", "count", "counter")
_EXPECTED: Final = "a matrix of query_range: series of [seconds, text]"
_COUNTERS: Final = ("_total", "_count", "_created")


def recognises(source: Source, layout: Layout | None) -> bool:
    """An object that names the type of its result."""
    return source.head.lstrip().startswith(b"{") and b'"resultType"' in source.head


def read(source: Source, layout: Layout | None, *, asked: bool) -> CountSeries:
    """Read the file; see `traces.formats.read`."""
    series = _series(source)
    points = [_points(source, one) for one in series]
    points = [one for one in points if one[0].size]
    if not points:
        raise source.refuse("no sample with a value", "at least two")
    kind, why = _kind(source, series, points)
    stamps = np.unique(np.concatenate([ns for ns, _ in points]))
    # A sample that is no number has its place in the grid all the same.
    grid = np.unique(np.concatenate([_stamps_of(one) for one in series]))
    if grid.size < 2 and source.options.bin_s is None:
        raise source.refuse("one sample gives no step", "at least two, or the step (--bin)")
    asked_s = source.options.bin_s
    width = max(round(asked_s * 1e9), 1) if asked_s else _assemble.width_of(np.diff(grid))
    samples = sum(ns.size for ns, _ in points)
    notes = [f"the sum of {len(points):,} series, {why}", "a sample covers the step before it"]
    if kind == "counter":
        starts, values = _risen(source.path, points, stamps, width)
    else:
        values = np.zeros(stamps.size)
        for ns, value in points:
            np.add.at(values, np.searchsorted(stamps, ns), value)
        starts = stamps - width
    nan = sum(len(one["values"]) for one in series) - samples
    if nan:
        notes.append(f"{nan:,} samples dropped: NaN")
    return _assemble.counts(
        source.path,
        starts,
        values,
        None,
        absolute=True,
        format=NAME,
        notes=tuple(notes),
        rate=kind == "rate",
        bin_s=width / 1e9,
        gaps="line",
        dropped=nan,
        merged=samples - starts.size,
    )


def _series(source: Source) -> list[Mapping[str, Any]]:
    """The series of the answer, or those with the label that the caller named."""
    document = source.document()
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, dict) or data.get("resultType") != "matrix":
        kind = data.get("resultType") if isinstance(data, dict) else None
        raise source.refuse(f"resultType {kind}", _EXPECTED)
    found = data.get("result")
    if not isinstance(found, list) or not found:
        raise source.refuse("no series in the result", "at least one")
    for one in found:
        if not isinstance(one, dict) or not isinstance(one.get("values"), list):
            raise source.refuse("a series without values", _EXPECTED)
        if not isinstance(one.get("metric", {}), dict):
            raise source.refuse("labels that are no object", _EXPECTED)
    wanted = source.options.series
    if wanted is None:
        return found
    kept = [one for one in found if wanted in _labels(one)]
    if not kept:
        choices = ", ".join(sorted(set().union(*map(_labels, found)))) or "no label"
        problem = Problem("unknown", f"one of {choices}", column="series", value=wanted)
        raise TraceError(source.path, problem)
    return kept


def _labels(series: Mapping[str, Any]) -> set[str]:
    return {f"{name}={value}" for name, value in series.get("metric", {}).items()}


def _points(source: Source, series: Mapping[str, Any]) -> tuple[np.ndarray, Floats]:
    """Stamps and values of a series that are numbers, sorted. [ns]"""
    ns, values = [], []
    for row, sample in enumerate(series["values"], 1):
        try:
            stamp, text = sample
            at, value = float(stamp), float(text)
        except (TypeError, ValueError):
            raise _bad(source, row, sample, "not a sample") from None
        if not 0.0 <= at < 9e9:
            raise _bad(source, row, sample, "not a time in seconds")
        if np.isnan(value):
            continue
        if not 0.0 <= value < np.inf:
            raise _bad(source, row, sample, "negative or not finite")
        ns.append(at)
        values.append(value)
    stamps = _whole_ms(np.array(ns, dtype=np.float64))
    order = np.argsort(stamps, kind="stable")
    stamps, found = stamps[order], np.array(values, dtype=np.float64)[order]
    if (np.diff(stamps) == 0).any():
        row = int(np.flatnonzero(np.diff(stamps) == 0)[0]) + 2
        raise _bad(source, row, None, "a series has two samples at one time")
    return stamps, found


def _stamps_of(series: Mapping[str, Any]) -> np.ndarray:
    """All stamps of a series that has been read, whatever its values. [ns]"""
    at = np.array([float(stamp) for stamp, _ in series["values"]], dtype=np.float64)
    return _whole_ms(at)


def _whole_ms(seconds: Floats) -> np.ndarray:
    """Nanoseconds of stamps in seconds, which have three decimals."""
    return float_ns(seconds, "s") // 1_000_000 * 1_000_000


def _bad(source: Source, row: int, sample: object, what: str) -> TraceError:
    value = None if sample is None else str(sample)
    return TraceError(source.path, Problem(what, '[seconds, "value"]', row=row, value=value))


def _kind(
    source: Source,
    series: Sequence[Mapping[str, Any]],
    points: Sequence[tuple[np.ndarray, Floats]],
) -> tuple[str, str]:
    """What a sample is, and how that is known."""
    said = [kind for kind in _KINDS if kind in source.options.columns]
    if said:
        return said[0], f"each a {said[0]} as asked"
    names = {str(one.get("metric", {}).get("__name__", "")) for one in series}
    if names != {""}:
        if all(name.endswith(_COUNTERS) for name in names):
            return "counter", "each a counter by its name"
        what = f"{', '.join(sorted(names))}: a gauge, not requests"
        raise source.refuse(what, "rate() of a counter, or a counter ..._total")
    values = np.concatenate([found for _, found in points])
    if (values != np.rint(values)).any():
        return "rate", "each taken as requests/s (--column count=value if they are counts)"
    raise source.refuse(
        "whole values without a name: a rate, counts or a counter",
        "one of --column rate=value, --column count=value, --column counter=value",
    )


def _risen(
    path: str, points: Sequence[tuple[np.ndarray, Floats]], stamps: np.ndarray, width: int
) -> tuple[np.ndarray, Floats]:
    """Starts of bins and the rise of all counters in each; a fall is a restart from 0."""
    total = np.zeros(stamps.size)
    for ns, values in points:
        step = np.diff(values)
        step = np.where(step < 0.0, values[1:], step)
        risen = np.concatenate(([0.0], np.cumsum(step)))
        total += np.interp(stamps.astype(np.float64), ns.astype(np.float64), risen)
    starts, rise = _assemble.increments(path, stamps, total, width)
    # What had risen by the first sample is not known: its bin is none.
    return starts[1:], rise[1:]
