"""Columns of a text file by name: the time column to nanoseconds, the others to numbers."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from traces.errors import Problem
from traces.formats import _stamps, _zones
from traces.formats._assemble import Faults, check_values
from traces.formats._growing import Growing, Lines
from traces.formats._options import Options
from traces.formats._source import Source
from traces.formats._text import Fields, Index, Layout, Rows, plain_name, rows_of
from traces.trace import Floats

_SHOWN: Final = 5
# From 1973 on; a smaller number counts from the trace's own start.
_SINCE_1970_NS: Final = 10**17


class Read(NamedTuple):
    """What a text file holds.

    Attributes
    ----------
    ns : array of int64. Time stamps, in the order of the file. [ns]
    values : dict of str to array of float64. The columns asked for.
    lines : Lines. Line of each row.
    absolute : bool. Whether stamps count from 1970-01-01 UTC.
    notes : tuple of str. What was assumed about stamps.
    repeats : int. Rows with the very bytes of the row before.
    """

    ns: Index
    values: dict[str, Floats]
    lines: Lines
    absolute: bool
    notes: tuple[str, ...]
    repeats: int


def unused(layout: Layout, used: set[int]) -> tuple[str, ...]:
    """A note that names the columns not used; empty if there are none."""
    left = [name for k, name in enumerate(layout.header or ()) if k not in used]
    return (f"columns not used: {', '.join(left)}",) if left else ()


def read_columns(source: Source, layout: Layout, stamp: int, columns: Mapping[str, int]) -> Read:
    """Read a time column and some columns of numbers.

    Parameters
    ----------
    source : Source. The file.
    layout : Layout. How it is divided.
    stamp : int. Number of the time column.
    columns : mapping of str to int. House names of the others, and their numbers.

    Raises
    ------
    TraceError
        Naming the first bad rows with line, column, value and what was expected.
    """
    faults = Faults(source.path)
    clock = Clockwork(_name(layout, stamp), faults, source.options)
    stamps = Growing(np.int64)
    lines = Lines()
    values = {name: Growing(np.float64) for name in columns}
    before = repeats = 0
    last: bytes | None = None
    for rows in rows_of(source, layout):
        _refuse_wide(rows, layout, before, faults)
        ns = clock.read(rows.field(stamp), rows.line, before)
        stamps.add(ns, rows.share)
        # Only rows with the stamp of the row before can repeat it; a bare stamp then does.
        tied = np.concatenate(([False], ns[1:] == ns[:-1]))
        repeats += rows.repeats(tied) if layout.width > 1 else int(tied.sum())
        repeats += rows.text(0) == last
        last = rows.text(-1)
        lines.add(rows.line)
        for name, number in columns.items():
            got = _numbers(_name(layout, number), rows, number, before, faults)
            values[name].add(got, rows.share)
        before += rows.starts.size
    faults.settle()
    return Read(
        clock.settled(stamps.whole(), lines),
        {name: one.whole() for name, one in values.items()},
        lines,
        clock.absolute,
        clock.notes(),
        repeats,
    )


class Clockwork:
    """Reads the time column block by block; the first block decides what its numbers mean.

    Parameters
    ----------
    column : str. Its name, for messages; an ending in a unit counts.
    faults : Faults. Where bad stamps go.
    options : Options. Unit and zone, where the caller gave them.
    unit : str, optional. The unit of bare numbers in this format, unless the caller gave one.

    Attributes
    ----------
    bad : array of bool. Which of the rows last read have no stamp.
    """

    def __init__(
        self, column: str, faults: Faults, options: Options, unit: str | None = None
    ) -> None:
        self._column = column
        self._faults = faults
        self._unit = options.time_unit or unit
        self._zone = options.time_zone
        self._clock: _stamps.Clock | None = None
        self._iso: bool | None = None
        self._naive: bool | None = None
        self._zone_notes: tuple[str, ...] = ()
        self.bad: _stamps.Bad = np.zeros(0, dtype=bool)

    @property
    def clock(self) -> _stamps.Clock | None:
        """What bare numbers mean, or None if stamps are dates or none was read."""
        return self._clock

    @property
    def absolute(self) -> bool:
        """Whether stamps count from 1970-01-01 UTC."""
        return bool(self._iso) or (self._clock is not None and self._clock.absolute)

    def notes(self) -> tuple[str, ...]:
        """What was assumed."""
        if self._iso:
            assumed = ("stamps without a zone, taken as UTC",) if self._naive else ()
            return self._zone_notes or assumed
        if self._clock is None:
            return ()
        return (f"{self._column} taken as {self._clock}",)

    def read(self, fields: Fields, line: Index | None, before: int) -> Index:
        """Stamps of some rows; bad ones go to the faults and come back as 0.

        Parameters
        ----------
        fields : Fields. The cells of the time column.
        line : array of int64, optional. Line of each.
        before : int. Rows of the file before these.
        """
        if self._iso is None:
            self._iso = _stamps.is_iso(fields)
        if self._iso:
            ns, bad, naive = _stamps.iso_ns(fields)
            self._refuse(bad, fields, line, before, "not a stamp")
            self._naive, other, what = _stamps.other_zone(naive, bad, self._naive)
            self._refuse(other, fields, line, before, what, _stamps.EXPECTED_ZONE)
            self.bad = bad | other
            return ns
        if self._clock is None:
            values = _stamps.numbers(fields)[0]
            self._clock = _stamps.clock_of(values, plain_name(self._column), self._unit)
        ns, bad = _stamps.decimal_ns(fields, self._clock.unit)
        if bad.any():
            self._second_look(ns, bad, fields)
        ns, large = self._clock.scaled(ns)
        bad |= large
        self._refuse(bad, fields, line, before, "not a time")
        other = ~bad & ((ns >= _SINCE_1970_NS) != self._clock.absolute)
        self._refuse(other, fields, line, before, "of another magnitude than the other stamps")
        self.bad = bad | other
        return ns

    def dated(self, ns: Index, *, naive: bool) -> tuple[Index, bool, tuple[str, ...]]:
        """Stamps of a column of dates in UTC, whether from 1970, and what was assumed.

        Parameters
        ----------
        naive : bool. The column states no zone.
        """
        self._iso, self._naive = True, naive
        return self.settled(ns, None), True, self.notes()

    def settled(self, ns: Index, line: Index | Lines | None) -> Index:
        """All stamps of the file in UTC, from the clock of the caller's zone if they state none.

        Raises
        ------
        TraceError
            A stamp in an hour that the clock skips.
        """
        zone = self._zone
        if zone is None or not (self._iso and self._naive):
            return ns
        got = _zones.to_utc(ns, zone)
        where = np.flatnonzero(got.skipped)
        problems = [
            Problem(
                f"the clock of {zone} skips this hour",
                "stamps of another zone (--time-zone)",
                row=int(k) + 1,
                line=None if line is None else int(line[k]),
                column=self._column,
                value=str(ns[k].astype("datetime64[ns]").astype("datetime64[s]")),
            )
            for k in where[:_SHOWN]
        ]
        if where.size:
            self._faults.add(problems, where.size)
            self._faults.settle()
        self._zone_notes = (f"stamps without a zone, taken as {zone}",)
        if got.first or got.second:
            self._zone_notes += (
                f"in an hour that the clock repeats, {got.first:,} rows taken as its first pass "
                f"and {got.second:,} as its second",
            )
        return got.ns

    def _second_look(self, ns: Index, bad: _stamps.Bad, fields: Fields) -> None:
        """Numbers written in another way (1.5e3, +2) are numbers too."""
        assert self._clock is not None
        where = np.flatnonzero(bad)
        values, none = _stamps.numbers(Fields(fields.text[where], fields.length[where]))
        scale_s = 10.0 ** (_stamps.PLACES[self._clock.unit] - 9)
        good = ~none & np.isfinite(values) & (values >= 0.0) & (values * scale_s < 9e9)
        ns[where[good]] = _stamps.float_ns(values[good], self._clock.unit)
        bad[where[good]] = False

    def _refuse(
        self,
        bad: _stamps.Bad,
        fields: Fields,
        line: Index | None,
        before: int,
        what: str,
        expected: str | None = None,
    ) -> None:
        where = np.flatnonzero(bad)
        expected = expected or (_stamps.EXPECTED_ISO if self._iso else _stamps.EXPECTED)
        problems = [
            Problem(
                "empty" if not fields.length[k] else "negative" if _negative(fields, k) else what,
                expected,
                row=before + int(k) + 1,
                line=None if line is None else int(line[k]),
                column=self._column,
                value=fields.shown(int(k)),
            )
            for k in where[:_SHOWN]
        ]
        self._faults.add(problems, where.size)


def _refuse_wide(rows: Rows, layout: Layout, before: int, faults: Faults) -> None:
    """More fields than the first line has: a decimal comma, or two files in one."""
    where = np.flatnonzero(rows.width > layout.width)
    problems = [
        Problem(
            f"{rows.width[k]} fields",
            f"{layout.width}, as in the first line",
            row=before + int(k) + 1,
            line=int(rows.line[k]),
        )
        for k in where[:_SHOWN]
    ]
    faults.add(problems, where.size)


def _negative(fields: Fields, row: int) -> bool:
    value, none = _stamps.numbers(Fields(fields.text[[row]], fields.length[[row]]))
    return not none[0] and bool(value[0] < 0.0)


def _numbers(name: str, rows: Rows, number: int, before: int, faults: Faults) -> Floats:
    fields = rows.field(number)
    values, none = _stamps.numbers(fields)
    where = np.flatnonzero(none)
    problems = [
        Problem(
            "not a number" if fields.length[k] else "empty",
            "a finite number, 0 or more",
            row=before + int(k) + 1,
            line=int(rows.line[k]),
            column=name,
            value=fields.shown(int(k)),
        )
        for k in where[:_SHOWN]
    ]
    faults.add(problems, where.size)
    faults.add(*check_values(name, values, fields.shown, before, rows.line))
    return values


def _name(layout: Layout, number: int) -> str:
    return layout.header[number].strip() if layout.header else f"column {number + 1}"
