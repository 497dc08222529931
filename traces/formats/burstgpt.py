"""BurstGPT, in its layouts of six and of eight columns, with failures or without.

Stamps are arrivals: seconds from midnight of the first day in the service's own unstated zone.
The eight-column files insert a session and an elapsed time in front of the model, so columns are
read by name. A request that failed has 0 response tokens: it is dropped and counted.
"""

from typing import Final

import numpy as np

from traces.formats import _assemble
from traces.formats._columns import read_columns, unused
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "burstgpt"
RENAME: Final = {
    "timestamp": "arrival_s",
    "request_tokens": "prompt_tokens",
    "response_tokens": "output_tokens",
}


def recognises(source: Source, layout: Layout | None) -> bool:
    """Tokens of request and response, and the type of log that only this set has."""
    return layout is not None and {*RENAME, "log_type"} <= set(layout.names)


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    if layout is None or not set(RENAME) <= set(layout.names):
        raise source.refuse("not this format", "columns Timestamp, Request tokens, Response tokens")
    place = {RENAME[name]: k for k, name in enumerate(layout.names) if name in RENAME}
    stamp = place.pop("arrival_s")
    got = read_columns(source, layout, stamp, place)
    served = got.values["output_tokens"] > 0.0
    failed = int(served.size - served.sum())
    notes = (*got.notes, *unused(layout, {stamp, *place.values()}))
    if failed:
        notes += (f"{failed:,} rows dropped: failed requests (Response tokens 0)",)
        if failed == served.size:
            raise source.refuse("every request failed (Response tokens 0)", "one that did not")
    return _assemble.events(
        source.path,
        got.ns[served],
        {name: np.compress(served, values) for name, values in got.values.items()},
        absolute=got.absolute,
        format=NAME,
        notes=notes,
        repeats=got.repeats,
        dropped=failed,
    )
