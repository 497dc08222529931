"""Answers of CloudWatch as JSON: ``get-metric-data`` and ``get-metric-statistics``.

A stamp is the START of its period; points come newest first or in no order, and a period without
requests has no point. The period is not in the answer: it is the commonest gap, or ``bin_s``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from traces.counts import CountSeries
from traces.formats import _json, _metrics
from traces.formats._lines import collect, number
from traces.formats._source import Source
from traces.formats._text import Layout

NAME: Final = "cloudwatch"
RENAME: Final = {"Timestamps": "bin_start", "Values": "counts", "Sum": "counts"}
_KEYS: Final = (b'"MetricDataResults"', b'"Datapoints"')
_COARSE: Final = 10
Point = tuple[str, Any]


def recognises(source: Source, layout: Layout | None) -> bool:
    """An object with one of the two keys."""
    return source.head.lstrip().startswith(b"{") and any(key in source.head for key in _KEYS)


def read(source: Source, layout: Layout | None, *, asked: bool) -> CountSeries:
    """Read the file; see `traces.formats.read`. Pages of one metric are joined."""
    document = source.document()
    if not isinstance(document, dict):
        raise source.refuse("not this format", "an object with MetricDataResults or Datapoints")
    notes = ["further pages are not in this file"] if document.get("NextToken") else []
    if "Datapoints" in document:
        label, points = _statistics(source, document)
    else:
        label, points, partial = _data(source, document)
        if partial:
            notes.append("StatusCode PartialData: further pages may be missing")
    _metrics.refuse_no_total(source.path, label)

    def parse(point: Point) -> tuple[str, list[float]]:
        record = {"Timestamp": point[0], label: point[1]}
        return _json.stamp_at(record, ("Timestamp",)), [number(point[1], label)]

    got = collect(
        source, enumerate(points, 1), parse, "Timestamp", [label], strict=True, document=True
    )
    _metrics.refuse_average(source.path, label, got.columns[label])
    notes += [f"{label} taken as requests per period, without a point 0", *_coarse(got.ns)]
    return got.counts(source, NAME, label, notes=tuple(notes))


def _data(source: Source, document: Mapping[str, Any]) -> tuple[str, list[Point], bool]:
    """Label, points and whether pages are missing, of the metric that is meant."""
    results = document.get("MetricDataResults")
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        raise source.refuse("MetricDataResults is no list", "a list of results")
    series: dict[str, list[Point]] = {}
    partial = set()
    for result in results:
        label = str(result.get("Label") or result.get("Id"))
        stamps, values = result.get("Timestamps"), result.get("Values")
        if not isinstance(stamps, list) or not isinstance(values, list):
            raise source.refuse(f"{label} has no Timestamps and Values", "two lists")
        if len(stamps) != len(values):
            what = f"{label} has {len(stamps):,} Timestamps and {len(values):,} Values"
            raise source.refuse(what, "as many of both")
        series.setdefault(label, []).extend(zip(stamps, values, strict=True))
        if result.get("StatusCode") == "PartialData":
            partial.add(label)
    if not series:
        raise source.refuse("no results", "at least one metric")
    labels = list(series)
    label = labels[_metrics.choose(source.path, labels, source.options.series)]
    return label, series[label], label in partial


def _statistics(source: Source, document: Mapping[str, Any]) -> tuple[str, list[Point]]:
    """Label and points: the Sum, since only that is a number of requests."""
    points = document["Datapoints"]
    if not isinstance(points, list) or not all(isinstance(one, dict) for one in points):
        raise source.refuse("Datapoints is no list", "a list of points")
    if points and "Sum" not in points[0]:
        found = ", ".join(key for key in points[0] if key not in ("Timestamp", "Unit"))
        raise source.refuse(f"statistics {found}", "the statistic Sum")
    label = str(document.get("Label") or "Sum")
    return label, [(point.get("Timestamp"), point.get("Sum")) for point in points]


def _coarse(ns: np.ndarray) -> Iterable[str]:
    """A note where a long run of points lies further apart than the others."""
    gaps = np.diff(np.unique(ns))
    if not gaps.size:
        return
    least = int(gaps.min())
    wide = gaps > least
    runs = np.diff(np.flatnonzero(np.concatenate(([True], np.diff(gaps) != 0, [True]))))
    values = gaps[np.flatnonzero(np.concatenate(([True], np.diff(gaps) != 0)))]
    for run, gap in zip(runs.tolist(), values.tolist(), strict=True):
        if wide.any() and gap > least and run >= _COARSE:
            yield (
                f"{run:,} points in a row are {gap / 1e9:g} s apart and others {least / 1e9:g} s: "
                "older data are kept in longer periods; export both with the longer one"
            )
            return
