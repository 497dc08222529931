"""When a scheduled action runs: ``at(...)``, ``rate(...)`` and ``cron(...)``, in a time zone.

``cron(minute hour day-of-month month day-of-week year)`` as EventBridge and Application Auto
Scaling write it: ``?`` in exactly one of the two days, days of the week 1 to 7 from Sunday,
``L``, ``W``, ``#`` and names. Five fields without ``cron(...)`` are an EC2 group's recurrence: days
of the week 0 to 6 from Sunday, and a day that matches either of the two when both are given.
Resolution is one minute: seconds are dropped.

A local time that the clock skips in spring does not run; one that it repeats in autumn runs once.

Sources: application/userguide/scheduled-scaling-using-cron-expressions.html; scheduler/latest/
UserGuide/schedule-types.html (daylight-saving time), read 2026-09; crontab(5) for five fields.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MONTHS: Final = [
    *("JAN", "FEB", "MAR", "APR", "MAY", "JUN"),
    *("JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
]
_DAYS: Final = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
_YEARS: Final = range(1970, 2200)
# How far back the last run of a cron is looked for: a day at first, a leap year's cycle at most.
_BACK_DAYS: Final = (1, 8, 62, 366, 8 * 366)
_A_MINUTE: Final = timedelta(minutes=1)
_UNITS: Final = {"minute": 60, "hour": 3600, "day": 86_400}
_FORM: Final = "at(yyyy-mm-ddThh:mm:ss), rate(5 minutes) or cron(0 8 ? * MON-FRI *)"


class ScheduleError(ValueError):
    """An expression that cannot be read, or that no moment ever matches; the message says why."""


class Cron(NamedTuple):
    """The fields of a cron expression; `days` gives the matching days of a year and month."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: frozenset[int]
    years: frozenset[int]
    days: Callable[[int, int], frozenset[int]]

    def dates(self, first: date, last: date) -> Iterator[date]:
        """Matching dates from `first` to `last`, in order."""
        year, month = first.year, first.month
        while (year, month) <= (last.year, last.month):
            if year in self.years and month in self.months:
                for day in sorted(self.days(year, month)):
                    if first <= date(year, month, day) <= last:
                        yield date(year, month, day)
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)

    def ever(self) -> bool:
        """Whether any date at all matches."""
        found = self.dates(date(_YEARS[0], 1, 1), date(_YEARS[-1], 12, 31))
        return next(found, None) is not None


def zone(name: str) -> ZoneInfo:
    """A time zone by its name in the IANA database.

    Raises
    ------
    ScheduleError : no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScheduleError(
            f'unknown time zone "{name}": write one of the IANA database, e.g. Europe/Berlin'
        ) from error


def moment(text: str, timezone: str = "UTC") -> datetime:
    """An instant of ISO 8601, in the zone given unless it names its own.

    Raises
    ------
    ScheduleError : not a time.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise ScheduleError(f'"{text}" is no time: write yyyy-mm-ddThh:mm:ss') from error
    local = read if read.tzinfo is not None else read.replace(tzinfo=zone(timezone))
    return local.astimezone(UTC)


def check(schedule: str, timezone: str = "UTC", *, crontab: bool = True) -> None:
    """Read an expression and its zone.

    Parameters
    ----------
    crontab : bool. Whether the platform takes the five fields of crontab, as EC2 groups do.

    Raises
    ------
    ScheduleError : one cannot be read, or no moment ever matches.
    """
    zone(timezone)
    kind, text = _parts(schedule)
    if kind == "cron" and not crontab and len(text.split()) == 5:
        raise ScheduleError(
            f'"{schedule}" has the five fields of an EC2 group\'s recurrence, expected '
            "cron(minute hour day-of-month month day-of-week year)"
        )
    if kind == "at":
        moment(text, timezone)
    elif kind == "rate":
        _interval(text)
    elif not cron(text).ever():
        raise ScheduleError(f'"{schedule}" never fires: no date from 1970 to 2199 matches')


def firings(
    schedule: str,
    timezone: str,
    first: datetime,
    last: datetime,
    *,
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> Iterator[datetime]:
    """Instants at which an action runs, from `first` to `last` inclusive, in order, UTC.

    Parameters
    ----------
    begins, ends : datetime, optional. The action's own start and end. A rate counts from its
        start, and runs then first; without one it counts from `first` and runs one interval later
        (assumed).
    """
    kind, text = _parts(schedule)
    low = first if begins is None else max(first, begins)
    high = last if ends is None else min(last, ends)
    if kind == "at":
        at = moment(text, timezone).replace(second=0, microsecond=0)
        if low <= at <= high:
            yield at
    elif kind == "rate":
        step = _interval(text)
        at = first + step if begins is None else begins
        at += max(-((at - low) // step), 0) * step
        while at <= high:
            yield at
            at += step
    else:
        yield from _of_cron(cron(text), zone(timezone), low, high)


def last_before(
    schedule: str,
    timezone: str,
    before: datetime,
    *,
    begins: datetime | None = None,
    ends: datetime | None = None,
) -> datetime | None:
    """When an action last ran before an instant, UTC; None where it never did.

    A cron is looked for as far back as its years go; a rate without a start of its own counts from
    the trace and has not run before it.
    """
    kind, text = _parts(schedule)
    if kind == "rate" and begins is None:
        return None
    if kind == "at":
        back = [moment(text, timezone)]
    elif begins is not None:
        back = [begins]
    else:
        back = [before - timedelta(days=days) for days in _BACK_DAYS]
    for first in back:
        found = None
        for at in firings(schedule, timezone, first - _A_MINUTE, before, begins=begins, ends=ends):
            if at < before:
                found = at
        if found is not None:
            return found
    return None


def _of_cron(rule: Cron, where: ZoneInfo, low: datetime, high: datetime) -> Iterator[datetime]:
    day = timedelta(days=1)
    for each in rule.dates(low.astimezone(where).date() - day, high.astimezone(where).date() + day):
        found = set()
        for hour in rule.hours:
            for minute in rule.minutes:
                local = datetime(each.year, each.month, each.day, hour, minute, tzinfo=where)
                at = local.astimezone(UTC)
                skipped = at.astimezone(where).replace(tzinfo=None) != local.replace(tzinfo=None)
                if not skipped and low <= at <= high:
                    found.add(at)
        yield from sorted(found)


def _parts(schedule: str) -> tuple[str, str]:
    text = schedule.strip()
    matched = re.fullmatch(r"(at|rate|cron)\s*\((.*)\)", text, re.DOTALL)
    if matched:
        kind, text = matched[1], matched[2].strip()
        if kind == "cron":
            _six_fields(text)
        return kind, text
    if len(text.split()) == 5:
        return "cron", text
    raise ScheduleError(f'"{schedule}" is no schedule: write {_FORM}')


def _six_fields(text: str) -> None:
    count = len(text.split())
    if count != 6:
        raise ScheduleError(
            f"cron({text}) has {count} fields, expected 6: "
            "minute hour day-of-month month day-of-week year"
        )


def _interval(text: str) -> timedelta:
    matched = re.fullmatch(r"(\d+)\s+(minute|hour|day)s?", text)
    if not matched or int(matched[1]) == 0:
        raise ScheduleError(f'"rate({text})" is no rate: write e.g. rate(5 minutes), rate(1 hour)')
    return timedelta(seconds=int(matched[1]) * _UNITS[matched[2]])


def cron(text: str) -> Cron:
    """Read the fields of a cron expression: six as AWS writes them, or five of crontab.

    Raises
    ------
    ScheduleError : a field that cannot be read; names it and what it may hold.
    """
    fields = text.upper().split()
    if len(fields) != 5:
        _six_fields(text)
    minute, hour, dom, month, dow, *year = fields
    aws = bool(year)
    if aws and (dom == "?") == (dow == "?"):
        raise ScheduleError(
            f"cron({text}): exactly one of day-of-month and day-of-week must be ?, "
            f"found {dom} and {dow}"
        )
    return Cron(
        minutes=tuple(sorted(_values(minute, "minute", range(60)))),
        hours=tuple(sorted(_values(hour, "hour", range(24)))),
        months=frozenset(_values(month, "month", range(1, 13), _MONTHS)),
        years=frozenset(_values(year[0], "year", _YEARS)) if aws else frozenset(_YEARS),
        days=_days(dom, dow, aws=aws),
    )


def _values(text: str, field: str, allowed: range, names: list[str] | None = None) -> set[int]:
    """The values of a field of numbers, names, ranges, steps and lists."""
    found: set[int] = set()
    for part in text.split(","):
        span, slash, by = part.partition("/")
        begin, dash, end = span.partition("-")
        try:
            step = int(by) if slash else 1
            if span in ("*", "?"):
                low, high = allowed[0], allowed[-1]
            else:
                low = _value(begin, allowed, names)
                high = _value(end, allowed, names) if dash else (allowed[-1] if slash else low)
        except ValueError:
            low, high, step = 0, -1, 0
        if step < 1 or low not in allowed or high not in allowed:
            also = f" or {names[0]} to {names[-1]}" if names else ""
            raise ScheduleError(
                f'{field} "{text}": expected {allowed[0]} to {allowed[-1]}{also}, '
                "a range a-b, a step a/n, a list a,b or *"
            )
        if low <= high:
            found.update(range(low, high + 1, step))
        else:  # a range over the end: FRI-MON
            ring = [*range(low, allowed[-1] + 1), *range(allowed[0], high + 1)]
            found.update(ring[::step])
    return found


def _value(text: str, allowed: range, names: list[str] | None) -> int:
    if names and text in names:
        return allowed[0] + names.index(text)
    return int(text)


def _days(dom: str, dow: str, *, aws: bool) -> Callable[[int, int], frozenset[int]]:
    by_month = None if dom in ("*", "?") else _of_month(dom)
    by_week = None if dow in ("*", "?") else _of_week(dow, aws=aws)

    def days(year: int, month: int) -> frozenset[int]:
        every = frozenset(range(1, calendar.monthrange(year, month)[1] + 1))
        if by_month is None and by_week is None:
            return every
        matching = frozenset[int]()
        for rule in (by_month, by_week):
            if rule is not None:
                matching |= rule(year, month)
        return matching & every

    return days


_Days = Callable[[int, int], set[int]]


def _of_month(text: str) -> _Days:
    """Days by number: lists and ranges, ``L``, ``L-3``, ``LW``, ``15W``."""
    matched = re.fullmatch(r"L(?:-(\d+))?|LW|(\d+)W", text)
    if not matched:
        numbers = _values(text, "day-of-month", range(1, 32))
        return lambda year, month: numbers
    before, near = int(matched[1] or 0), matched[2]
    if near and int(near) not in range(1, 32):
        raise ScheduleError(f'day-of-month "{text}": expected 1W to 31W')

    def days(year: int, month: int) -> set[int]:
        last = calendar.monthrange(year, month)[1]
        day = int(near) if near else last - before
        if not 1 <= day <= last:
            return set()
        if not text.endswith("W"):
            return {day}
        # The nearest weekday, in the same month.
        weekday = date(year, month, day).weekday()
        if weekday == 5:
            return {day - 1 if day > 1 else day + 2}
        if weekday == 6:
            return {day + 1 if day < last else day - 2}
        return {day}

    return days


def _of_week(text: str, *, aws: bool) -> _Days:
    """Days by name or number: lists and ranges, ``6L``, ``FRI#2``; ``L`` alone is Saturday."""
    allowed = range(1, 8) if aws else range(8)
    matched = re.fullmatch(r"(\w+?)(L|#([1-5]))", text)
    if "#" in text and not matched:
        raise ScheduleError(f'day-of-week "{text}": expected the nth such day, e.g. FRI#2')
    if matched and text not in _DAYS:
        numbers = _values(matched[1], "day-of-week", allowed, _DAYS)
    elif text == "L":
        numbers = {7 if aws else 6}
    else:
        numbers = _values(text, "day-of-week", allowed, _DAYS)
    wanted = {(n - 1 if aws else n) % 7 for n in numbers}  # Sunday is 0
    nth = int(matched[3]) if matched and matched[3] else 0
    final = bool(matched and matched[2] == "L")

    def days(year: int, month: int) -> set[int]:
        last = calendar.monthrange(year, month)[1]
        found = {
            day
            for day in range(1, last + 1)
            if (date(year, month, day).weekday() + 1) % 7 in wanted
        }
        if final:
            return {day for day in found if day + 7 > last}
        return {day for day in found if (day - 1) // 7 + 1 == nth} if nth else found

    return days
