"""Files of one request a line that are no plain table: logs and JSON lines.

A line that cannot be read is left out, counted, and the first of them named; if most lines are
so, the file is refused.
"""

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.errors import Problem
from traces.formats import _assemble
from traces.formats._columns import Clockwork
from traces.formats._source import Source
from traces.formats._text import WIDEST, Fields
from traces.trace import Floats, Trace

Index = NDArray[np.int64]
# What a reader finds on a line: the text of the stamp, and the other values in a fixed order.
Found = tuple[str, Sequence[float]]

NUMBER: Final = "a finite number, 0 or more"
UNKNOWN: Final = float("nan")
_LARGEST: Final = 2.0**53  # beyond this a float counts no more
_ROWS: Final = 65_536
_MOST_BAD: Final = 0.5
_SHOWN: Final = 40


class Unfit(ValueError):
    """A line that cannot be read, and what is wrong with it."""

    def __init__(
        self, what: str, expected: str, column: str | None = None, value: object = None
    ) -> None:
        super().__init__(what)
        self.what, self.expected, self.column = what, expected, column
        self.value = None if value is None else shown(value)


class Skip(Exception):
    """A line that is read and left out on purpose; its text completes "4 rows dropped: ..."."""


class Collected(NamedTuple):
    """What the lines hold.

    Attributes
    ----------
    ns : array of int64. Stamps, in the order of the file. [ns]
    columns : dict of str to array of float64. The other values; NaN where a line has none.
    lines : array of int64. Line of each.
    clock : Clockwork. What was assumed about stamps.
    dropped : int. Lines left out.
    notes : tuple of str. Why, and what was assumed.
    repeats : int. Lines with the very bytes of the line before.
    """

    ns: Index
    columns: dict[str, Floats]
    lines: Index
    clock: Clockwork
    dropped: int
    notes: tuple[str, ...]
    repeats: int

    def events(self, source: Source, format: str, notes: tuple[str, ...] = ()) -> Trace:
        """A trace from them; see `_assemble.events`."""
        return _assemble.events(
            source.path,
            self.ns,
            self.columns,
            absolute=self.clock.absolute,
            format=format,
            notes=(*self.notes, *notes),
            repeats=self.repeats,
            dropped=self.dropped,
        )

    def counts(
        self,
        source: Source,
        format: str,
        column: str,
        *,
        rate: bool = False,
        notes: tuple[str, ...],
        merged: int = 0,
    ) -> CountSeries:
        """A series from one of the columns; see `_assemble.counts`."""
        return _assemble.counts(
            source.path,
            self.ns,
            self.columns[column],
            self.lines,
            absolute=self.clock.absolute,
            format=format,
            notes=(*self.notes, *notes),
            rate=rate,
            bin_s=source.options.bin_s,
            dropped=self.dropped,
            merged=merged,
        )


def shown(value: object) -> str:
    """A value for a message, cut if it is long."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    text = text.strip()
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def number(value: Any, column: str) -> float:
    """A number, perhaps as text; unknown for null, nothing and the ``-`` that logs write.

    Raises
    ------
    Unfit
        It is none, negative or not finite.
    """
    if value is None or value in ("-", ""):
        return UNKNOWN
    try:
        if isinstance(value, bool):
            raise TypeError
        got = float(value)
    except (TypeError, ValueError, OverflowError):
        raise Unfit("not a number", NUMBER, column, value) from None
    if not 0.0 <= got <= _LARGEST:
        raise Unfit("negative, not finite or too large", NUMBER, column, value)
    return got


def collect(
    source: Source,
    lines: Iterable[tuple[int, Any]],
    parse: Callable[[Any], Found],
    stamp: str,
    columns: Sequence[str],
    unit: str | None = None,
    *,
    strict: bool = False,
    document: bool = False,
) -> Collected:
    """Take what `parse` finds on each line.

    Parameters
    ----------
    source : Source. The file.
    lines : iterable of int and line. As `Source.lines` gives them, or records with ordinals.
    parse : callable. The stamp as text and a value for each of `columns`; raises `Unfit` for a
        line that cannot be read, `Skip` for one that is no request.
    stamp : str. Name of the time column; an ending in a unit counts.
    columns : sequence of str. Names of the values.
    unit : str, optional. The unit of bare stamps in this format.
    strict : bool. Refuse what cannot be read: without its count an interval would seem idle.
    document : bool. `lines` are items of a JSON document and no lines.

    Raises
    ------
    TraceError
        Most lines cannot be read, or none holds a request.
    """
    bad = _Bad(source.path)
    clock = Clockwork(stamp, bad, source.options, unit)
    skipped: Counter[str] = Counter()
    values = [array("d") for _ in columns]
    where, stamps = array("q"), list[bytes]()
    ns: list[Index] = []
    kept: list[NDArray[np.bool_]] = []
    repeats = 0
    last: Any = None

    def flush() -> None:
        text = np.array(stamps, dtype=np.bytes_)
        width = max(text.dtype.itemsize, 1)
        matrix = text.view(np.uint8).reshape(len(stamps), width)
        length = np.array([len(one) for one in stamps], dtype=np.int64)
        at = len(where) - len(stamps)
        lined = None if document else np.array(where[at:], dtype=np.int64)
        ns.append(clock.read(Fields(matrix, length), lined, at))
        kept.append(~clock.bad)
        stamps.clear()

    for line, content in lines:
        try:
            text, found = parse(content)
        except Unfit as why:
            row, lined_at = (line, None) if document else (None, line)
            problem = Problem(why.what, why.expected, row, lined_at, why.column, why.value)
            bad.add([problem], 1)
            continue
        except Skip as why:
            skipped[str(why)] += 1
            continue
        repeats += content == last
        last = content
        stamps.append(text.strip().encode()[:WIDEST].rstrip(b"\x00"))
        where.append(line)
        for column, value in zip(values, found, strict=True):
            column.append(value)
        if len(stamps) == _ROWS:
            flush()
    if stamps:
        flush()
    good = np.concatenate(kept) if kept else np.zeros(0, dtype=bool)
    rows = int(good.sum())
    if strict:
        bad.settle()
    bad.judge(rows)
    if not rows:
        told = "; ".join(f"{count:,} rows dropped: {why}" for why, count in skipped.items())
        raise source.refuse(told or "no rows of data", "at least one request")
    at = np.frombuffer(where, dtype=np.int64)[good]
    return Collected(
        clock.settled(np.concatenate(ns)[good], None if document else at),
        {
            name: np.frombuffer(column, dtype=np.float64)[good]
            for name, column in zip(columns, values, strict=True)
        },
        at,
        clock,
        bad.total + sum(skipped.values()),
        (
            *bad.notes(),
            *(f"{count:,} rows dropped: {why}" for why, count in skipped.items()),
            *clock.notes(),
        ),
        repeats,
    )


class _Bad(_assemble.Faults):
    """Lines that cannot be read: told, and refused only if they are most of the file."""

    def judge(self, rows: int) -> None:
        """Raise if there are more of them than of the `rows` that can be read."""
        if self.total and self.total >= _MOST_BAD * (self.total + rows):
            self.settle()

    def notes(self) -> tuple[str, ...]:
        """How many there are, and the first."""
        if not self.total:
            return ()
        rows = "1 row" if self.total == 1 else f"{self.total:,} rows"
        return (f"{rows} dropped that cannot be read, the first: {self.first}",)
