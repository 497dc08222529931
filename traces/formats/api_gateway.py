"""API Gateway access logs: JSON lines made of ``$context`` variables, most of them as text.

``requestTimeEpoch`` (milliseconds) or ``requestTime`` is the START. Latencies are milliseconds;
``-`` stands for none.
"""

from typing import Final

from traces.formats import _access, _json
from traces.formats._lines import collect
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "api-gateway"
RENAME: Final = {
    "requestTimeEpoch": "arrival_s",
    "requestTime": "arrival_s",
    "integrationLatency": "service_s",
    "responseLatency": "service_s",
}
_STAMPS: Final = ("requestTimeEpoch", "requestTime")
_LATENCIES: Final = ("integrationLatency", "responseLatency")


def recognises(source: Source, layout: Layout | None) -> bool:
    """Objects with the time of a request under one of its two names."""
    records = _json.head_records(source)
    return bool(records) and any(name in records[0] for name in _STAMPS)


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    records = _json.head_records(source)
    keys = set().union(*records)
    stamp = next((name for name in _STAMPS if name in keys), None)
    if stamp is None:
        raise source.refuse("not this format", f"keys {' or '.join(_STAMPS)}")
    latency = next((name for name in _LATENCIES if name in keys), None)
    paths = [(latency,)] if latency else []

    def parse(line: bytes) -> tuple[str, list[float]]:
        record = _json.record_of(line)
        text = _json.stamp_at(record, (stamp,))
        values = [value / 1e3 for value in _json.values_at(record, paths)]
        return text if stamp == "requestTimeEpoch" else _access.iso(text, stamp), values

    columns = ["service_s"] if latency else []
    got = collect(source, source.lines(), parse, stamp, columns, "ms")
    notes = (f"{stamp} is the start" + (f"; service_s is {latency}" if latency else ""),)
    return got.events(source, NAME, notes)
