"""Azure Functions invocation trace of 2021: comma-separated text, although the file ends in .txt.

A stamp is the END of an invocation in seconds from an unknown start, so arrival = end - duration.
Rows come in the order of arrival, not of their stamps. Durations may be 0.
"""

from typing import Final

import numpy as np

from traces.formats import _assemble
from traces.formats._columns import read_columns, unused
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "azure-functions-2021"
RENAME: Final = {"end_timestamp": "end_s", "duration": "service_s"}


def recognises(source: Source, layout: Layout | None) -> bool:
    """An app, a function, an end and a duration."""
    return layout is not None and {"app", "func", *RENAME} <= set(layout.names)


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    if layout is None or not set(RENAME) <= set(layout.names):
        raise source.refuse("not this format", "columns app, func, end_timestamp, duration")
    stamp, duration = (layout.names.index(name) for name in RENAME)
    got = read_columns(source, layout, stamp, {"service_s": duration})
    seconds = got.values["service_s"]
    arrivals, _ = _assemble.starts_of(source.path, got.ns, seconds, "duration", got.lines)
    early = int((arrivals < 0).sum())
    notes = ["end_timestamp is the end: arrival = end_timestamp - duration"]
    if early:
        notes.append(f"{early:,} arrivals before the start of the file put at its start")
        arrivals = np.maximum(arrivals, 0)
    return _assemble.events(
        source.path,
        arrivals,
        got.values,
        absolute=got.absolute,
        format=NAME,
        notes=(*got.notes, *notes, *unused(layout, {stamp, duration})),
        repeats=got.repeats,
    )
