"""Plain text with one arrival a line: CSV or a bare list, with or without a header.

Stamps may be ISO 8601, Unix time in s, ms, us or ns, or seconds from the start of the trace.
"""

from typing import Final

from traces.formats import _assemble
from traces.formats._columns import read_columns, stamp_column, unused
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "timestamps"
# The time column may have any of the names in `_columns.STAMPS`.
RENAME: Final = {
    "prompt_tokens": "prompt_tokens",
    "input_tokens": "prompt_tokens",
    "context_tokens": "prompt_tokens",
    "tokens_in": "prompt_tokens",
    "input_length": "prompt_tokens",
    "num_prefill_tokens": "prompt_tokens",
    "output_tokens": "output_tokens",
    "generated_tokens": "output_tokens",
    "completion_tokens": "output_tokens",
    "tokens_out": "output_tokens",
    "output_length": "output_tokens",
    "num_decode_tokens": "output_tokens",
    "service_s": "service_s",
    "service_time_s": "service_s",
    "service_ms": "service_s",
    "service_time_ms": "service_s",
}


def recognises(source: Source, layout: Layout | None) -> bool:
    """A header names a time column, or there is no header and a single column."""
    if layout is None:
        return False
    if layout.header is None:
        return layout.width == 1
    return stamp_column(layout.names()) is not None


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    if layout is None:
        raise source.refuse("not text", "one arrival a line")
    names = layout.names()
    stamp = stamp_column(names) if layout.header else 0
    if stamp is None:
        raise source.refuse("no time column", "a column such as timestamp or arrival_s")
    place: dict[str, int] = {}
    for k, name in enumerate(names):
        if name in RENAME and k != stamp:
            place.setdefault(RENAME[name], k)
    got = read_columns(source, layout, stamp, place)
    if "service_s" in place and names[place["service_s"]].endswith("_ms"):
        got.values["service_s"][:] /= 1e3
    notes = (*got.notes, *unused(layout, {stamp, *place.values()}))
    return _assemble.events(
        source.path, got.ns, got.values, absolute=got.absolute, format=NAME, notes=notes
    )
