"""Azure Functions dataset of 2019: one row a function and day, a column for each minute.

Column k counts the calls in minute k of the day, from 1. A function without a call that day has
no row. The files of durations and of memory that lie beside it hold no arrivals.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _assemble, _stamps
from traces.formats._source import Source
from traces.formats._text import Layout, rows_of
from traces.trace import ReadReport

NAME: Final = "azure-functions-2019"
RENAME: Final = {
    "hash_owner": "owner",
    "hash_app": "app",
    "hash_function": "function",
    "trigger": "trigger",
}
BIN_S: Final = 60.0
# More in a minute than any fleet has had; nine million such rows still fit in 64 bits.
_MOST_CALLS: Final = 1e12
_PERCENTILES: Final = ("percentile_average_50", "average_allocated_mb")


def recognises(source: Source, layout: Layout | None) -> bool:
    """The hash of an owner, and minutes, percentiles of durations or of memory."""
    if layout is None or not {"hash_owner", "hash_app"} <= set(layout.names):
        return False
    return "1" in layout.names or any(name in layout.names for name in _PERCENTILES)


def read(source: Source, layout: Layout | None, *, asked: bool) -> CountSeries:
    """Read the file; see `traces.formats.read`.

    The sum over all rows, or over those that have ``series`` as owner, app, function or trigger.
    """
    names = layout.names if layout else ()
    if any(name in names for name in _PERCENTILES):
        raise source.refuse(
            "percentiles per function or app and no arrivals",
            "the file invocations_per_function of the same day; of durations trace service makes "
            "service times",
        )
    minutes = {int(name): k for k, name in enumerate(names) if name.isdecimal()}
    if layout is None or sorted(minutes) != list(range(1, len(minutes) + 1)) or not minutes:
        raise source.refuse("not this format", "HashOwner, HashApp, ... and columns 1, 2, ...")
    counts, rows, left_out = _sum(source, layout, minutes)
    notes = ["minutes since an unknown midnight", f"the sum of {rows - left_out:,} rows"]
    if left_out:
        notes.append(f"{left_out:,} rows dropped: not of {source.options.series}")
    report = ReadReport(NAME, rows=rows, dropped=left_out, notes=tuple(notes))
    try:
        return CountSeries(counts, BIN_S, source=source.path, report=report)
    except TraceError as error:
        raise TraceError(source.path, error.problems, error.more) from None


def _sum(
    source: Source, layout: Layout, minutes: dict[int, int]
) -> tuple[NDArray[np.int64], int, int]:
    """Calls in each minute, rows read and rows of another series."""
    faults = _assemble.Faults(source.path)
    counts = np.zeros(len(minutes), dtype=np.int64)
    labels = [k for k, name in enumerate(layout.names) if name in RENAME]
    wanted = source.options.series
    rows = left_out = 0
    for part in rows_of(source, layout):
        size = part.starts.size
        keep = np.ones(size, dtype=bool)
        if wanted is not None:
            texts = [part.field(k).strings() for k in labels]
            keep = np.any([text == wanted.encode() for text in texts], axis=0)
        left_out += size - int(keep.sum())
        for minute, k in minutes.items():
            fields = part.field(k)
            values, none = _stamps.numbers(fields)
            bad = none | ~np.isfinite(values) | (values < 0.0) | (values != np.rint(values))
            bad |= values > _MOST_CALLS
            for row in np.flatnonzero(bad)[:1].tolist():
                faults.add(
                    [
                        Problem(
                            "not a count",
                            "a whole number from 0 to 1e12",
                            row=rows + row + 1,
                            line=int(part.line[row]),
                            column=str(minute),
                            value=fields.shown(row),
                        )
                    ],
                    int(bad.sum()),
                )
            good = keep & ~bad
            counts[minute - 1] += int(values[good].sum())
        rows += size
    faults.settle()
    if rows == left_out:
        raise source.refuse(f"no row of {wanted}" if rows else "no rows of data", "at least one")
    return counts, rows, left_out
