"""From the time on a local clock to UTC, through the hours that it repeats and those it skips."""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]

# Zones change at whole quarters of an hour of local time, in every year that traffic is from.
_QUARTER_NS: Final = 900 * 10**9
_EPOCH: Final = datetime(1970, 1, 1)


class Converted(NamedTuple):
    """Local stamps as UTC.

    Attributes
    ----------
    ns : array of int64. Since 1970-01-01 UTC. [ns]
    skipped : array of bool. Which of them no clock of the zone ever showed.
    first, second : int. Stamps in a repeated hour taken as its first and its second pass.
    """

    ns: Index
    skipped: NDArray[np.bool_]
    first: int
    second: int


def to_utc(local: Index, zone: str) -> Converted:
    """Read stamps of a local clock, in the order of the file.

    In an hour that the clock repeats, a step back of half an hour or more (forward in a file
    that runs backward) tells the second pass from the first; without one it is the first.

    Parameters
    ----------
    local : array of int64. What the clock showed, as if it were UTC. [ns]
    zone : str. IANA name of the zone.
    """
    quarters, which = np.unique(local // _QUARTER_NS, return_inverse=True)
    tz = ZoneInfo(zone)
    early, late = (
        np.array([_offset_ns(int(quarter), tz, fold) for quarter in quarters], dtype=np.int64)
        for fold in (0, 1)
    )
    offset, other = early[which], late[which]
    skipped = offset < other
    twice = np.flatnonzero(offset > other)
    second = 0
    for group in _passes(local, twice):
        offset[group] = other[group]
        second += group.size
    return Converted(local - offset, skipped, twice.size - second, second)


def _offset_ns(quarter: int, zone: ZoneInfo, fold: int) -> int:
    when = _EPOCH + timedelta(seconds=quarter * 900)
    offset = when.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return round(offset.total_seconds()) * 10**9


def _passes(local: Index, twice: Index) -> list[Index]:
    """Rows of each repeated hour that belong to its second pass."""
    found = []
    days = local[twice] // (86_400 * 10**9)
    backward = local.size > 1 and local[0] > local[-1]
    for day in np.unique(days):
        rows = twice[days == day]
        rows = rows[::-1] if backward else rows
        step = np.diff(local[rows])
        turn = np.flatnonzero(step <= -2 * _QUARTER_NS)
        if not turn.size and rows.size == 2 and step[0] == 0:
            turn = np.zeros(1, dtype=np.int64)  # two hourly bins under one name
        if turn.size:
            found.append(rows[int(turn[0]) + 1 :])
    return found
