"""Plain text with one arrival a line: CSV or a bare list, with or without a header.

Stamps may be ISO 8601, Unix time in s, ms, us or ns, or seconds from the start of the trace.
"""

from typing import Final

from traces.formats import _assemble, _names
from traces.formats._columns import read_columns, unused
from traces.formats._source import Source
from traces.formats._text import Layout, number_columns
from traces.trace import Trace

NAME: Final = "timestamps"


def recognises(source: Source, layout: Layout | None) -> bool:
    """A header names a time column, or there is no header and a single column."""
    if layout is None:
        return False
    if not layout.names:
        return layout.width == 1
    return _names.stamp_column(layout.names) is not None


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    if layout is None:
        raise source.refuse("not text", "one arrival a line")
    names = layout.names
    choices = _names.INTERVAL_STAMPS if asked else _names.STAMPS
    stamp = _names.stamp_column(names, choices) if names else 0
    if stamp is None:
        raise source.refuse("no time column", _names.EXPECTED_STAMP)
    place = _names.optional_columns(names, stamp)
    got = read_columns(source, layout, stamp, place)
    used = {stamp, *place.values()}
    if layout.header and not asked:
        left = [
            layout.header[k].strip()
            for k in number_columns(source, layout)
            if k not in used and not _names.is_label(names[k])
        ]
        insist = "to insist, --input-format counts, or timestamps if each row is one request"
        _assemble.refuse_grid(source.path, got.ns, left, insist)
    if "service_s" in place and names[place["service_s"]].endswith("_ms"):
        got.values["service_s"][:] /= 1e3
    return _assemble.events(
        source.path,
        got.ns,
        got.values,
        absolute=got.absolute,
        format=NAME,
        notes=(*got.notes, *unused(layout, used)),
        repeats=got.repeats,
    )
