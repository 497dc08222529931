"""Requests per interval: a stamp at the start of each bin, and a count or a rate.

The width of a bin is the commonest gap; bins that the file leaves out count as 0. Rows of one bin
that a column tells apart (a client, a model, a host) add up.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _assemble, _names
from traces.formats._columns import Read, read_columns, unused
from traces.formats._growing import Lines
from traces.formats._source import Source
from traces.formats._text import Index, Layout, number_columns, rows_of
from traces.trace import Floats

NAME: Final = "counts"


def recognises(source: Source, layout: Layout | None) -> bool:
    """A header names a time column and a count."""
    return layout is not None and _names.holds_counts(layout.names)


def read(source: Source, layout: Layout | None, *, asked: bool) -> CountSeries:
    """Read the file; see `traces.formats.read`."""
    if layout is None or (layout.header is None and not layout.names and layout.width < 2):
        raise source.refuse("not this format", "a stamp and a count a line")
    names = layout.names or ("timestamp", "count")
    shown = layout.header or names
    stamp = _names.stamp_column(names, _names.INTERVAL_STAMPS)
    if stamp is None:
        raise source.refuse("not this format", _names.EXPECTED_STAMP)
    rank, choices = _names.count_columns(names)
    rate = _names.rate_column(names)
    if not choices and rate is not None:
        name = shown[rate].strip()
        got = read_columns(source, layout, stamp, {name: rate})
        seconds = _names.seconds_of_rate(names[rate])
        got.values[name][:] /= seconds
        taken: tuple[str, ...] = (f"{name} taken as requests per {_names.PERIODS[seconds]}",)
        return _series(source, layout, got, name, {stamp, rate}, taken, rate=True)
    choices = choices or _only_numbers(source, layout, stamp)
    columns = {shown[k].strip(): k for k in choices}
    got = read_columns(source, layout, stamp, columns)
    # Who asks for counts has looked: rates may then be rounded.
    name, taken = count_column(source.path, got.values, 0 if asked else rank, got.lines)
    return _series(source, layout, got, name, {stamp, columns[name]}, taken)


def _series(
    source: Source,
    layout: Layout,
    got: Read,
    name: str,
    used: set[int],
    taken: tuple[str, ...],
    *,
    rate: bool = False,
) -> CountSeries:
    """The series from the column `name`; rows of one bin add up over who they are of."""
    ns, values = got.ns, got.values[name]
    lines: Lines | None = got.lines
    whose = _names.series_column(layout.names) if layout.header is not None else None
    if whose is not None:
        ns, bins = np.unique(ns, return_inverse=True)
        if ns.size < got.ns.size:
            count = _check_once(source, layout, got, bins, whose)
            values, lines = np.bincount(bins, values, ns.size).astype(np.float64), None
            used = used | {whose}
            taken += (f"summed over {count:,} values of {(layout.header or ())[whose].strip()}",)
        else:
            ns = got.ns
    return _assemble.counts(
        source.path,
        ns,
        values,
        lines,
        absolute=got.absolute,
        format=NAME,
        notes=(*got.notes, *taken, *unused(layout, used)),
        rate=rate,
        bin_s=source.options.bin_s,
        merged=got.ns.size - ns.size,
    )


def _check_once(source: Source, layout: Layout, got: Read, bins: Index, whose: int) -> int:
    """How many different values a column that tells rows of a bin apart has.

    Raises
    ------
    TraceError
        Two rows of one bin have the same.
    """
    known: dict[bytes, int] = {}
    blocks = []
    for rows in rows_of(source, layout):
        names, inverse = np.unique(rows.field(whose).strings(), return_inverse=True)
        ids = np.array([known.setdefault(name, len(known)) for name in names.tolist()])
        blocks.append(ids[inverse])
    pairs = bins * len(known) + np.concatenate(blocks)
    first = np.unique(pairs, return_index=True)[1]
    if first.size < pairs.size:
        row = int(np.setdiff1d(np.arange(pairs.size), first)[0])
        label = (layout.header or ())[whose].strip()
        what = f"another row of the same {label} for the same bin"
        expected = f"one row a bin and {label}"
        line = int(got.lines[row])
        raise TraceError(source.path, Problem(what, expected, row=row + 1, line=line))
    return len(known)


def count_column(
    path: str, values: Mapping[str, Floats], rank: int, lines: Index | Lines | None = None
) -> tuple[str, tuple[str, ...]]:
    """Which of the columns that may be the count is taken, and what to note of it.

    Parameters
    ----------
    path : str. The file.
    values : mapping of str to array of float64. The columns, all of one rank.
    rank : int. Their rank in `_names.COUNTS`.
    lines : array of int64 or Lines, optional. Line of the file that each row stands on.

    Raises
    ------
    TraceError
        Two of them differ, or a doubtful one holds fractions.
    """

    def fault(row: int, what: str, expected: str, **cell: str) -> TraceError:
        line = None if lines is None else int(lines[row])
        return TraceError(path, Problem(what, expected, row=row + 1, line=line, **cell))

    name, *others = values
    for other in others:
        differ = np.flatnonzero(values[name] != values[other])
        if differ.size:
            what = f"{name} and {other} may both be the count, and differ"
            expected = "the one that counts requests under the name `count`"
            raise fault(int(differ[0]), what, expected)
    taken = values[name]
    uneven = np.flatnonzero(taken != np.rint(taken))
    if rank == len(_names.COUNTS) - 1 and uneven.size:
        raise fault(
            int(uneven[0]),
            f"not whole, as {uneven.size:,} of {taken.size:,} values: "
            "a gauge or a rate, not requests per interval",
            "whole counts, or --input-format counts if they may be rounded",
            column=name,
            value=f"{taken[uneven[0]]:g}",
        )
    return name, (f"{name} taken as requests per bin",) if rank else ()


def _only_numbers(source: Source, layout: Layout, stamp: int) -> tuple[int]:
    """The one column of numbers beside the stamps: who asks for counts need not rename it."""
    names = layout.names
    found = [
        k for k in number_columns(source, layout) if k != stamp and not _names.is_label(names[k])
    ]
    if len(found) != 1:
        raise source.refuse("not this format: no count column", _names.EXPECTED_COUNT)
    return (found[0],)
