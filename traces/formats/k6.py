"""k6 results, CSV or JSON lines: several metrics a request, all stamped at its END.

``http_req_duration`` comes once a request, so arrival = stamp - duration; it leaves out the
connecting. Stamps of the CSV are whole seconds unless an option of k6 made them finer. That the
stamp is the end is in k6's own tracer (grafana/k6, ``lib/netext/httpext/tracer.go``).
"""

import csv
from collections.abc import Iterator
from typing import Final

from traces.formats import _assemble, _json
from traces.formats._lines import Skip, Unfit, collect, number
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "k6"
RENAME: Final = {"timestamp": "end_s", "metric_value": "service_ms"}
METRIC: Final = "http_req_duration"
_COLUMNS: Final = ("metric_name", "timestamp", "metric_value")


def recognises(source: Source, layout: Layout | None) -> bool:
    """The first columns of the CSV, or objects that are a metric or a point of one."""
    if layout is not None:
        return layout.names[:3] == _COLUMNS
    records = _json.head_records(source)
    return bool(records) and all(
        {"type", "metric", "data"} <= set(one) and one["type"] in ("Metric", "Point")
        for one in records
    )


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    if not recognises(source, layout):
        raise source.refuse("not this format", "columns metric_name, timestamp, metric_value")
    parse = _csv_row if layout is not None else _point
    rows = _after_header(source) if layout is not None else source.lines()
    # Other metrics of a request are no rows of their own: they are passed over, not dropped.
    mark = METRIC.encode()
    rows = ((line, text) for line, text in rows if mark in text)
    got = collect(source, rows, parse, "timestamp", ["service_s"])
    seconds = got.columns["service_s"]
    ns, without = _assemble.starts_of(source.path, got.ns, seconds, METRIC, got.lines)
    notes = (
        f"one {METRIC} a request; the stamp is the end: arrival = stamp - duration",
        "traffic of a load test: closed-loop or at a set rate",
        *((f"{without:,} rows without a duration arrive at their stamp",) if without else ()),
    )
    return got._replace(ns=ns).events(source, NAME, notes)


def _after_header(source: Source) -> Iterator[tuple[int, bytes]]:
    lines = source.lines()
    next(lines)
    yield from lines


def _csv_row(line: bytes) -> tuple[str, list[float]]:
    try:
        cells = next(csv.reader([line.decode("utf-8", "replace").strip("\r\n")]))
    except (csv.Error, StopIteration):
        raise Unfit("not CSV", ", ".join(_COLUMNS), None, line) from None
    if len(cells) < len(_COLUMNS):
        raise Unfit(f"{len(cells)} fields", f"{', '.join(_COLUMNS)}, ...", None, line)
    if cells[0] != METRIC:
        raise Skip("of another metric")
    return cells[1], [number(cells[2] or "none", "metric_value") / 1e3]


def _point(line: bytes) -> tuple[str, list[float]]:
    record = _json.record_of(line)
    if record.get("type") != "Point" or record.get("metric") != METRIC:
        raise Skip("no points of the metric")
    value = _json.at(record, ("data", "value"))
    if value is None:
        raise Unfit("no value", "milliseconds", "data.value", line)
    return _json.stamp_at(record, ("data", "time")), [number(value, "data.value") / 1e3]
