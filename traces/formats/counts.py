"""Requests per interval: a stamp at the start of each bin, and a count.

The width of a bin is the commonest gap; bins that the file leaves out count as 0.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _assemble
from traces.formats._columns import BIN_STAMPS, STAMPS, read_columns, stamp_column, unused
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Floats

NAME: Final = "counts"
COLUMNS: Final = (*BIN_STAMPS, *STAMPS)  # names that the time column may have
RENAME: Final = {
    "requests": "counts",
    "request_count": "counts",
    "num_requests": "counts",
    "invocations": "counts",
    "count": "counts",
    "counts": "counts",
    "value": "counts",
}


def recognises(source: Source, layout: Layout | None) -> bool:
    """A header names a time column and a count."""
    if layout is None:
        return False
    names = layout.names()
    return stamp_column(names, COLUMNS) is not None and not RENAME.keys().isdisjoint(names)


def read(source: Source, layout: Layout | None, *, asked: bool) -> CountSeries:
    """Read the file; see `traces.formats.read`."""
    if layout is None or (layout.header is None and layout.width < 2):
        raise source.refuse("not this format", "a stamp and a count a line")
    names = layout.names() or ("timestamp", "count")
    stamp = stamp_column(names, COLUMNS)
    number = next((names.index(name) for name in RENAME if name in names), None)
    if stamp is None or number is None:
        raise source.refuse("not this format", "columns such as timestamp and count")
    got = read_columns(source, layout, stamp, {"counts": number})
    values = got.values["counts"]
    if not asked:
        _refuse_gauge(source.path, names[number], values, got.lines)
    return _assemble.counts(
        source.path,
        got.ns,
        values,
        got.lines,
        absolute=got.absolute,
        format=NAME,
        notes=(*got.notes, *unused(layout, {stamp, number})),
    )


def _refuse_gauge(path: str, name: str, values: Floats, lines: NDArray[np.int64]) -> None:
    """A column that is only called "value" may be a gauge or a rate; fractions give it away."""
    uneven = np.flatnonzero(values != np.rint(values))
    if name == "value" and uneven.size:
        row = int(uneven[0])
        raise TraceError(
            path,
            Problem(
                f"not whole, as {uneven.size:,} of {values.size:,} values: "
                "a gauge or a rate, not requests per interval",
                "whole counts, or the input format counts if they may be rounded",
                row=row + 1,
                line=int(lines[row]),
                column=name,
                value=f"{values[row]:g}",
            ),
        )
