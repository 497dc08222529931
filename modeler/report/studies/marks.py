"""Which finding of the doctor stands at which time or capacity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from modeler.scenario import format_duration
from modeler.study.doctor.findings import Diagnosis, Finding, Held
from modeler.study.doctor.spans import Level, Span


@dataclass(frozen=True)
class Row:
    """A line of a panel.

    Parameters
    ----------
    name : str. What it is, with its value and unit.
    low, high : float or None. What is drawn, in the panel's unit; None where nothing can be.
    against : float or None. What its finding holds it against, in the same unit.
    finding : Finding or None. Named at it.
    paths : tuple of str. The settings that it is, or that make it.
    first : bool. Whether it is the first of its group.
    """

    name: str
    low: float | None = None
    high: float | None = None
    against: float | None = None
    finding: Finding | None = None
    paths: tuple[str, ...] = ()
    first: bool = False


def rows_of(found: Diagnosis) -> tuple[list[Row], list[Row]]:
    """The times, in seconds, and the shares of capacities, in percent, with their findings.

    A finding stands at the time of its setting if it holds two times against each other, else at
    the capacity of its setting, else at its time alone. What is about none of them has a row of
    its own, and so has the second finding about one.
    """
    times = [
        replace(_of_span(one), first=at == 0)
        for _, group in groupby(found.overview.times, key=lambda span: span.group)
        for at, one in enumerate(group)
    ]
    levels = [_of_level(one) for one in found.overview.levels]
    for finding in found.findings:
        seconds = [one for one in finding.held if one.unit == "s" and one.value > 0.0]
        time, level = _place(times, finding), _place(levels, finding)
        if level is not None and (len(seconds) < 2 or time is None):
            _mark(levels, level, finding, 100.0)
        elif time is not None:
            _mark(times, time, finding, _other(times[time], seconds))
        elif seconds:
            times.append(_of_its_own(finding, seconds))
        else:
            levels.append(Row(finding.paths[0], finding=finding))
    return times, levels


def _place(rows: Sequence[Row], finding: Finding) -> int | None:
    """The row of the first setting that has one."""
    for path in finding.paths:
        for at, row in enumerate(rows):
            if path in row.paths:
                return at
    return None


def _mark(rows: list[Row], at: int, finding: Finding, against: float | None) -> None:
    """Put a finding at a row, or below it where another stands there already."""
    row = replace(rows[at], against=against, finding=finding)
    if rows[at].finding is None:
        rows[at] = row
    else:
        rows.insert(at + 1, replace(row, name="", paths=(), first=False))


def _other(row: Row, seconds: Sequence[Held]) -> float | None:
    """The time that a row's own is held against."""
    others = (one.value for one in seconds if one.path not in row.paths and one.value != row.high)
    return next(others, None)


def _of_its_own(finding: Finding, seconds: Sequence[Held]) -> Row:
    low = seconds[0]
    against = seconds[1].value if len(seconds) > 1 else None
    name = f"{low.what}, {_lasts(low.value)}"
    return Row(name, low.value, low.value, against, finding, first=True)


def _of_span(one: Span) -> Row:
    last = _lasts(one.high_s)
    first = _lasts(one.low_s)
    length = last if first == last else f"{first} to {last}"
    paths = (one.path,) if one.path else ()
    return Row(f"{one.group}: {one.what}, {length}", one.low_s, one.high_s, paths=paths)


def _lasts(seconds: float) -> str:
    """A duration without the zeros that round ones end in."""
    text = format_duration(seconds)
    for zero in (" 0 s", " 0 m", " 0 h"):
        text = text.removesuffix(zero)
    return text.replace(".0 s", " s")


def _of_level(one: Level) -> Row:
    percent = 100.0 * one.share
    name = f"{one.what}: {_digits(one.value)} of {_digits(one.full)} {one.unit}"
    return Row(name, percent, percent, paths=one.paths)


def _digits(value: float) -> str:
    """Three digits, and no power of ten.

    >>> _digits(1234.5), _digits(0.12345)
    ('1,230', '0.123')
    """
    return f"{float(f'{value:.3g}'):,.12g}"
