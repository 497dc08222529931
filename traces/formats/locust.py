"""Locust's ``*_stats_history.csv``: a running total of requests at each tick, in Unix seconds.

Requests in an interval are the difference of two totals. The row ``Aggregated`` of each tick is
the sum of the others.
"""

from typing import Final

import numpy as np

from traces.counts import CountSeries
from traces.formats import _assemble
from traces.formats._columns import read_columns
from traces.formats._source import Source
from traces.formats._text import Layout, rows_of

NAME: Final = "locust"
RENAME: Final = {"timestamp": "bin_end", "total_request_count": "counts"}
TOTAL: Final = "Aggregated"


def recognises(source: Source, layout: Layout | None) -> bool:
    """The stamp, the number of users and the running total."""
    return layout is not None and {*RENAME, "user_count", "name"} <= set(layout.names)


def read(source: Source, layout: Layout | None, *, asked: bool) -> CountSeries:
    """Read the file; see `traces.formats.read`."""
    if layout is None or not recognises(source, layout):
        raise source.refuse(
            "not this format", "columns Timestamp, User Count, Name, Total Request Count"
        )
    stamp, total = (layout.names.index(name) for name in RENAME)
    got = read_columns(source, layout, stamp, {"counts": total})
    name = layout.names.index("name")
    total_rows = [rows.field(name).strings() == TOTAL.encode() for rows in rows_of(source, layout)]
    keep = np.concatenate(total_rows) if total_rows else np.zeros(0, dtype=bool)
    if not keep.any():
        raise source.refuse(f"no row {TOTAL}", f"a row {TOTAL} for each tick")
    ns, at = np.unique(got.ns[keep], return_index=True)
    totals = np.maximum.accumulate(got.values["counts"][keep][at])
    if ns.size < 2 and source.options.bin_s is None:
        raise source.refuse("one tick gives no width", "at least two, or their distance (--bin)")
    asked_s = source.options.bin_s
    width = max(round(asked_s * 1e9), 1) if asked_s else _assemble.width_of(np.diff(ns))
    starts, values = _assemble.increments(source.path, ns, totals, width)
    return _assemble.counts(
        source.path,
        starts,
        values,
        None,
        absolute=got.absolute,
        format=NAME,
        notes=(
            *got.notes,
            f"differences of the running total in the rows {TOTAL}",
            "traffic of a load test: closed-loop",
        ),
        bin_s=width / 1e9,
        merged=keep.size - starts.size,
    )
