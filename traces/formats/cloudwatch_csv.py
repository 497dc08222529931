"""CSV that the CloudWatch console exports: lines of labels, then a column for each metric.

The labels stand under ``Full label`` or ``Label`` in the first cell, in front of the first line
that starts with a date. Stamps are starts of periods in the zone that the console showed, newest
or oldest first; an empty cell means no point, so no request.
"""

import csv
from collections.abc import Iterator
from typing import Final

from traces.counts import CountSeries
from traces.formats import _metrics
from traces.formats._lines import Unfit, collect, number
from traces.formats._source import Source
from traces.formats._text import Layout

NAME: Final = "cloudwatch-csv"
RENAME: Final = {"Label": "the metric", "Full label": "the metric, its namespace before it"}
_MOST_LABELS: Final = 20


def recognises(source: Source, layout: Layout | None) -> bool:
    """The first cell names a line of labels."""
    start = source.head.lstrip(b'\r\n "').lower()
    return start.startswith((b"full label", b"label,", b'label",'))


def read(source: Source, layout: Layout | None, *, asked: bool) -> CountSeries:
    """Read the file; see `traces.formats.read`."""
    labels = _labels(source)
    at = _metrics.choose(source.path, labels, source.options.series) + 1
    label = labels[at - 1]
    _metrics.refuse_no_total(source.path, label)
    empty = 0

    def points() -> Iterator[tuple[int, list[str]]]:
        nonlocal empty
        for line, text in source.lines():
            cells = _cells(text)
            if not _is_date(cells[0]):
                if line <= _MOST_LABELS:
                    continue
            elif len(cells) > at and not cells[at].strip():
                empty += 1
                continue
            yield line, cells

    def parse(cells: list[str]) -> tuple[str, list[float]]:
        if len(cells) <= at:
            raise Unfit(f"{len(cells)} cells", f"at least {at + 1}", None, ",".join(cells))
        return cells[0], [number(cells[at].replace("\u00a0", ""), label)]

    got = collect(source, points(), parse, "time", [label], strict=True)
    _metrics.refuse_average(source.path, label, got.columns[label])
    notes = [f"{label} taken as requests per period, without a point 0"]
    if empty:
        notes.append(f"{empty:,} cells are empty: no point")
    return got.counts(source, NAME, label, notes=tuple(notes))


def _labels(source: Source) -> list[str]:
    """Labels of the metrics: the longest ones that the file gives."""
    found: dict[str, list[str]] = {}
    for text in source.head.split(b"\n")[:_MOST_LABELS]:
        cells = _cells(text)
        if _is_date(cells[0]):
            break
        found.setdefault(cells[0].strip().lower(), [cell.strip() for cell in cells[1:]])
    labels = found.get("full label") or found.get("label") or []
    if not any(labels):
        raise source.refuse("no line of labels", "Label and the names of the metrics")
    return labels


def _cells(line: bytes) -> list[str]:
    text = line.decode("utf-8", "replace").strip("\r\n").replace("\x00", "")
    try:
        return next(csv.reader([text]), [""]) or [""]
    except csv.Error:
        return [text]


def _is_date(cell: str) -> bool:
    return cell.strip()[:4].isdecimal()
