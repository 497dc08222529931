"""Vegeta results as CSV: no header, twelve columns; the stamp is the START in Unix nanoseconds."""

from typing import Final

from traces.formats import _assemble
from traces.formats._columns import read_columns
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "vegeta"
# Where the columns that are used stand, from 0; the third is the latency in nanoseconds.
RENAME: Final = {"arrival_ns": 0, "service_ns": 2}
_WIDTH: Final = 12
_SINCE_1970_NS: Final = 10**17


def recognises(source: Source, layout: Layout | None) -> bool:
    """Twelve columns without a header: nanoseconds since 1970, a status, a latency."""
    if layout is None or layout.header is not None or layout.width != _WIDTH:
        return False
    cells = source.head.split(b"\n")[0].split(b",")
    if len(cells) < 3:  # a line of another width than most
        return False
    first, status, latency = (cell.strip() for cell in cells[:3])
    if not (first.isdigit() and status.isdigit() and latency.isdigit()):
        return False
    return int(first) >= _SINCE_1970_NS and int(status) < 1000


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    if layout is None or layout.width != _WIDTH:
        raise source.refuse("not this format", "twelve columns without a header")
    columns = {"service_s": RENAME["service_ns"]}
    got = read_columns(source, layout, RENAME["arrival_ns"], columns)
    got.values["service_s"][:] /= 1e9
    return _assemble.events(
        source.path,
        got.ns,
        got.values,
        absolute=got.absolute,
        format=NAME,
        notes=(*got.notes, "traffic of a load test: at a set rate"),
        repeats=got.repeats,
    )
