"""Time stamps and numbers out of text, a column at a time, exact to the nanosecond.

ISO 8601 is read by slices of a fixed layout: a file has a handful of layouts, however many rows.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from traces.formats._text import Bytes, Fields, Index

Bad = NDArray[np.bool_]

NS: Final = 1_000_000_000
EXPECTED: Final = "Unix time, seconds from the start, or an ISO 8601 stamp"
EXPECTED_ZONE: Final = "a zone (Z or +02:00) in every stamp or in none; without one they are UTC"
EXPECTED_ISO: Final = "an ISO 8601 stamp such as 2026-01-05T08:30:00.25Z"

_ISO: Final = re.compile(
    rb"0000(?P<dash>[-/])00(?P=dash)00"
    rb"(?:[Tt ]00:00(?::00(?:[.,](?P<fraction>0{1,12}))?)?"
    rb" ?(?P<zone>[Zz]|UTC|[+-]00:?00|[+-]00)?)?"
)
_DAYS_IN_MONTH: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
_POWERS: Final = 10 ** np.arange(19, dtype=np.int64)
# Decimal places of the unit below a second, and how large a bare number of it is when it counts
# from 1970: from 1973 to 5138 in seconds, and likewise for the others.
PLACES: Final = {"s": 9, "ms": 6, "us": 3, "ns": 0}
_SINCE_1970: Final = {"s": 1e8, "ms": 1e11, "us": 1e14, "ns": 1e17}
# Units that a column's name may end in, and how many of the unit that is read they are.
UNITS: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        **{unit: (unit, 1) for unit in PLACES},
        **dict.fromkeys(("sec", "second", "seconds"), ("s", 1)),
        **dict.fromkeys(("millis", "milliseconds"), ("ms", 1)),
        **dict.fromkeys(("min", "minute", "minutes"), ("s", 60)),
        **dict.fromkeys(("hour", "hours"), ("s", 3600)),
        **dict.fromkeys(("day", "days"), ("s", 86_400)),
    }
)
_LONG: Final = {60: "minutes", 3600: "hours", 86_400: "days"}
_LARGEST: Final = 2**63 - 1


@dataclass(frozen=True)
class Clock:
    """What a bare number in the time column means.

    Attributes
    ----------
    unit : str. ``s``, ``ms``, ``us`` or ``ns``.
    absolute : bool. Whether it counts from 1970-01-01 UTC.
    scale : int. How many units the number 1 means, as 60 s for a minute.
    """

    unit: str
    absolute: bool
    scale: int = 1

    def __str__(self) -> str:
        since = "1970-01-01 UTC" if self.absolute else "an unknown start"
        return f"{_LONG.get(self.scale, self.unit)} since {since}"

    def scaled(self, ns: Index) -> tuple[Index, Bad]:
        """Nanoseconds from numbers read in `unit`; the second array tells which do not fit."""
        bad = ns > _LARGEST // self.scale
        return np.where(bad, 0, ns * self.scale), bad


def is_iso(fields: Fields) -> bool:
    """Whether there are more dates than numbers, or as many and the first of both is a date.

    What is neither, such as ``nan`` or ``-``, has no say.
    """
    if fields.text.shape[1] < 8:
        return False
    mark = fields.text[:, 4]
    dates = ((mark == ord("-")) | (mark == ord("/"))) & (fields.text[:, 7] == mark)
    count = int(dates.sum())
    if count in (0, dates.size):
        return count > 0
    others = np.flatnonzero(~dates)
    values, none = numbers(Fields(fields.text[others], fields.length[others]))
    others = others[~none & np.isfinite(values)]
    return count > others.size or (count == others.size and int(dates.argmax()) < others[0])


def clock_of(values: NDArray[np.float64], column: str, unit: str | None = None) -> Clock:
    """What the numbers of a time column mean: unit by the column's name, or else by magnitude.

    Parameters
    ----------
    values : array of float64. Some of its values; their median decides, not a stray first row.
    column : str. Its plain name; an ending in `UNITS` tells the unit.
    unit : str, optional. The unit, from someone who knows.
    """
    known = values[np.isfinite(values)]
    with np.errstate(over="ignore"):  # the mean of two middle ones may be past the largest float
        middle = float(np.median(known)) if known.size else 0.0
    named, scale = (unit, 1) if unit else UNITS.get(column.rpartition("_")[2], ("", 1))
    # Under "minute" there may stand the Unix time in seconds at which the minute starts.
    if named and (scale == 1 or middle < _SINCE_1970[named]):
        return Clock(named, middle * scale >= _SINCE_1970[named], scale)
    for unit in ("ns", "us", "ms", "s"):
        if middle >= _SINCE_1970[unit]:
            return Clock(unit, True)
    return Clock("s", False)


def iso_ns(fields: Fields) -> tuple[Index, Bad, Bad]:
    """Nanoseconds since 1970 UTC for ISO 8601 stamps.

    Returns
    -------
    array of int64, array of bool, array of bool
        The stamps; which of them are none; which state no zone and were taken as UTC.
    """
    rows = fields.length.size
    stamps = np.zeros(rows, dtype=np.int64)
    bad = np.ones(rows, dtype=bool)
    naive = np.zeros(rows, dtype=bool)
    if not rows:
        return stamps, bad, naive
    # Most files have one layout, told from the first row and checked eight bytes at a time.
    first = _layout_of(fields.text[:1])[0]
    words = _words(fields.text)
    if (found := _ISO.fullmatch(first)) and _all_are(words, first):
        stamps, bad = _by_slices(fields.text, found, words)
        naive[:] = found["zone"] is None
        return stamps, bad, naive
    shape = _layout_of(fields.text)
    pending = np.arange(rows)
    # A file with hundreds of layouts is no file of stamps; what is left then stays bad.
    for _ in range(256):
        if not pending.size:
            break
        layout = shape[pending[0]]
        same = shape[pending] == layout
        chosen, pending = pending[same], pending[~same]
        found = _ISO.fullmatch(layout)
        if found:
            text = fields.text[chosen]
            stamps[chosen], bad[chosen] = _by_slices(text, found, _words(text))
            naive[chosen] = found["zone"] is None
    return stamps, bad, naive


def _layout_of(text: Bytes) -> NDArray[np.bytes_]:
    """Each row with 0 in the place of every digit."""
    digit = (text >= ord("0")) & (text <= ord("9"))
    shape = np.where(digit, np.uint8(ord("0")), text)
    return np.ascontiguousarray(shape).view(f"S{text.shape[1]}").ravel()


def _words(text: Bytes) -> NDArray[np.uint64]:
    """Eight bytes of each row in a word, with zeros at the end."""
    short = -text.shape[1] % 8
    padded = np.pad(text, ((0, 0), (0, short))) if short else np.ascontiguousarray(text)
    return padded.view("<u8")


def _all_are(words: NDArray[np.uint64], layout: bytes) -> bool:
    """Whether every row has a layout: its marks in their places and digits everywhere else."""
    pattern = np.frombuffer(layout.ljust(8 * words.shape[1], b"\0"), dtype=np.uint8)
    is_digit = pattern == ord("0")

    def spread(digit: int, other: int) -> NDArray[np.uint64]:
        return np.where(is_digit, np.uint8(digit), np.uint8(other)).view("<u8")

    high, low, six, ten = spread(0xF0, 0xFF), spread(0x0F, 0), spread(0x06, 0), spread(0x10, 0)
    wanted = pattern.view("<u8") & high
    for k in range(words.shape[1]):
        word = words[:, k]
        # A byte is a digit if its upper half is 3 and its lower half, with 6 more, does not carry.
        if ((word & high[k]) != wanted[k]).any() or (((word & low[k]) + six[k]) & ten[k]).any():
            return False
    return True


def other_zone(naive: Bad, bad: Bad, first: bool | None = None) -> tuple[bool | None, Bad, str]:
    """Which stamps differ from the first one in stating a zone.

    Parameters
    ----------
    naive, bad : array of bool. As `iso_ns` gives them.
    first : bool, optional. Whether the first stamp of the file states none, once known.

    Returns
    -------
    bool or None, array of bool, str
        `first`, which stamps differ from it, and what to say of them.
    """
    if first is None and not bad.all():
        first = bool(naive[bad.argmin()])
    says = "a zone, which the first stamp does not have" if first else "no zone, unlike the first"
    return first, ~bad & (naive != bool(first)), says


def decimal_ns(fields: Fields, unit: str) -> tuple[Index, Bad]:
    """Nanoseconds for plain decimal numbers of a unit, rounded to the nearest.

    Returns
    -------
    array of int64, array of bool
        The values; which fields are no plain number of 0 or more, or too large.
    """
    places = PLACES[unit]
    rows, width = fields.text.shape
    value = np.zeros(rows, dtype=np.int64)
    fraction = np.zeros(rows, dtype=np.int64)
    whole = np.zeros(rows, dtype=np.int64)
    after = np.zeros(rows, dtype=bool)
    cut = np.zeros(rows, dtype=bool)
    bad = fields.length == 0
    for k in range(width):
        mark = fields.text[:, k]
        inside = k < fields.length
        point = inside & (mark == ord("."))
        digit = inside & (mark >= ord("0")) & (mark <= ord("9"))
        bad |= (inside & ~point & ~digit) | (point & after)
        after |= point
        taken = digit & (~after | (fraction < places))
        first_cut = digit & ~taken & ~cut
        value = np.where(taken, value * 10 + (mark - np.uint8(ord("0"))), value)
        value += first_cut & (mark >= ord("5"))
        cut |= first_cut
        fraction += taken & after
        whole += digit & ~after & ((value > 0) | (whole > 0))
    value *= _POWERS[places - fraction]
    # 18 digits fit an int64; a 19th may, and shows as a negative number where it does not.
    bad |= (whole + places > 19) | (value < 0) | (after & (fields.length == 1))
    value[bad] = 0
    return value, bad


def numbers(fields: Fields) -> tuple[NDArray[np.float64], Bad]:
    """Floating-point numbers; the second array tells which fields are none."""
    rows, width = fields.text.shape
    inside = np.arange(width) < fields.length[:, None]
    digits = ((fields.text >= ord("0")) & (fields.text <= ord("9"))) | ~inside
    if width < 16 and bool(digits.all()) and bool((fields.length > 0).all()):
        # Nine digits fit 32 bits, which are half as much to move.
        value: NDArray[Any] = np.zeros(rows, dtype=np.int32 if width <= 9 else np.int64)
        least = int(fields.length.min())
        for k in range(width):
            more = value * 10 + (fields.text[:, k] - np.uint8(ord("0")))
            value = more if k < least else np.where(inside[:, k], more, value)
        return value.astype(np.float64), np.zeros(rows, dtype=bool)
    strings = fields.strings()
    try:
        return strings.astype(np.float64), np.zeros(rows, dtype=bool)
    except ValueError:
        return _one_by_one(strings)


def float_ns(values: NDArray[np.float64], unit: str) -> Index:
    """Nanoseconds for finite binary numbers of a unit; whole and fractional part apart."""
    scale = 10 ** PLACES[unit]
    whole = np.floor(values)
    fraction = np.rint((values - whole) * scale).astype(np.int64)
    return whole.astype(np.int64) * scale + fraction


def _by_slices(text: Bytes, found: re.Match[bytes], words: NDArray[np.uint64]) -> tuple[Index, Bad]:
    """Stamps that all have one layout; those of one minute after another are read together."""
    runs = _runs(found, words)
    if runs is None:
        stamps, bad = _minutes(text, found)
    else:
        length = np.diff(runs, append=text.shape[0])
        of_runs, bad_runs = _minutes(text[runs], found)
        stamps, bad = np.repeat(of_runs, length), np.repeat(bad_runs, length)
    if found[0][16:17] == b":":
        second = _digits(text, 17, 19)
        bad |= second > 59
        stamps += second * NS
    if found["fraction"]:
        at = found.start("fraction")
        places = min(len(found["fraction"]), 9)
        stamps += _digits(text, at, at + places) * _POWERS[9 - places]
    if bad.any():
        stamps[bad] = 0
    return stamps, bad


def _runs(found: re.Match[bytes], words: NDArray[np.uint64]) -> Index | None:
    """First rows of each run within one minute and zone; None where runs are short."""
    rows = words.shape[0]
    if len(found[0]) < 16 or rows < _FEW_ROWS:
        return None
    if found["zone"]:
        mask = np.zeros(8 * words.shape[1], dtype=np.uint8)
        mask[found.start("zone") : found.end("zone")] = 0xFF
        zone = mask.view("<u8")
        for k in np.flatnonzero(zone):
            if ((words[:, k] ^ words[0, k]) & zone[k]).any():
                return None
    changes = (words[1:, 0] != words[:-1, 0]) | (words[1:, 1] != words[:-1, 1])
    runs = np.concatenate(([0], np.flatnonzero(changes) + 1))
    return runs if runs.size < rows // 4 else None


_FEW_ROWS: Final = 64


def _minutes(text: Bytes, found: re.Match[bytes]) -> tuple[Index, Bad]:
    """The minute of stamps that all have one layout, in UTC. [ns]"""
    year, month, day = _digits(text, 0, 4), _digits(text, 5, 7), _digits(text, 8, 10)
    has_time = len(found[0]) > 10
    hour = _digits(text, 11, 13) if has_time else np.zeros_like(year)
    minute = _digits(text, 14, 16) if has_time else np.zeros_like(year)

    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _DAYS_IN_MONTH[np.clip(month, 0, 12)] + (leap & (month == 2))
    bad = (month < 1) | (month > 12) | (day < 1) | (day > last)
    # Outside these years nanoseconds do not fit 64 bits.
    bad |= (hour > 23) | (minute > 59) | (year < 1678) | (year > 2261)

    seconds = _days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60
    if found["zone"] and found["zone"][:1] in b"+-":
        at = found.start("zone") + 1
        minutes_at = at + 2 + (found["zone"][3:4] == b":")
        offset = _digits(text, at, at + 2) * 3600
        if found.end() > at + 2:
            offset += _digits(text, minutes_at, minutes_at + 2) * 60
        ahead = text[:, at - 1] == ord("+")
        seconds -= np.where(ahead, offset, -offset)
        bad |= offset > 18 * 3600
    return np.where(bad, 0, seconds) * NS, bad


def _digits(text: Bytes, start: int, stop: int) -> Index:
    """The number that stands in some columns of the text."""
    value = np.zeros(text.shape[0], dtype=np.int64)
    for k in range(start, stop):
        value *= 10
        value += text[:, k] - np.uint8(ord("0"))
    return value


def _days_since_1970(year: Index, month: Index, day: Index) -> Index:
    """Days in the proleptic Gregorian calendar; years are counted from March."""
    y = year - (month <= 2)
    era = y // 400
    of_era = y - era * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _one_by_one(strings: NDArray[np.bytes_]) -> tuple[NDArray[np.float64], Bad]:
    values = np.zeros(strings.size)
    bad = np.zeros(strings.size, dtype=bool)
    for row, text in enumerate(strings.tolist()):
        try:
            values[row] = float(text)
        except ValueError:
            bad[row] = True
    return values, bad
