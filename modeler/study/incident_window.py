"""Which window of the traffic an incident is: the one asked for, or the worst hour of a replay."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.replay.run import Traffic
from modeler.replay.simulate import Floats
from modeler.scenario import UnitError, format_duration, parse_duration
from traces import CountSeries
from traces.describe import iso
from traces.transform import part

Moment = str | float | datetime
_HOUR_S: Final = 3600.0
_MINUTE_S: Final = 60.0
_MS_NS: Final = 1_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class IncidentError(Exception):
    """A window that cannot be read, or in which there is nothing to see."""

    exit_code: Final = 2


class Window(NamedTuple):
    """A window of the traffic.

    Attributes
    ----------
    from_s, to_s : float. Since the trace's origin; the end is not in it, and infinite where it
        lasts as long as the replay. [s]
    how : str. Why this one.
    cut : str. What was asked for beyond the traffic, and what is left; empty where nothing was.
    """

    from_s: float
    to_s: float
    how: str
    cut: str = ""


def clock(traffic: Traffic, time_s: float | None) -> str | None:
    """A moment in ISO 8601, to the millisecond; None of traffic without a date."""
    if time_s is None or not traffic.t0_is_absolute or not math.isfinite(time_s):
        return None
    return iso(round((traffic.t0_ns + round(time_s * 1e9)) / _MS_NS) * _MS_NS)


def said(traffic: Traffic, time_s: float) -> str:
    """A moment as a reader would look for it: on the clock, or from the start."""
    return clock(traffic, time_s) or (format_duration(time_s) if time_s else "0 s")


def window_asked(traffic: Traffic, start: Moment | None, stop: Moment | None) -> Window | None:
    """The window between two moments; None where neither is given.

    Raises
    ------
    IncidentError : a moment that is none, or a window outside the traffic; all at once.
    """
    if start is None and stop is None:
        return None
    problems: list[str] = []
    from_s = 0.0 if start is None else _moment_s(traffic, start, "start", problems)
    to_s = math.inf if stop is None else _moment_s(traffic, stop, "end", problems)
    if not problems:
        last_s = traffic.duration_s
        bounds = f"the traffic lasts from {said(traffic, 0.0)} to {said(traffic, last_s)}"
        if from_s >= to_s:
            problems.append(f"the window ends at {stop}, and begins only at {start}; {bounds}")
        elif from_s > last_s or to_s <= 0.0:
            problems.append(f"the window lies outside the traffic: {bounds}")
    if problems:
        raise IncidentError("\n".join(problems))
    return Window(max(from_s, 0.0), to_s, "as asked for", _cut(traffic, from_s, to_s))


def _cut(traffic: Traffic, from_s: float, to_s: float) -> str:
    """What of a window lies beyond the traffic, in words.

    Traffic ends with its last arrival: a window that ends within a minute of it is not cut.
    """
    last_s = traffic.duration_s
    early = from_s < -_MINUTE_S
    late = math.isfinite(to_s) and to_s > last_s + _MINUTE_S
    if not early and not late:
        return ""
    asked = [_told(traffic, from_s), "its end" if math.isinf(to_s) else _told(traffic, to_s)]
    used = [_told(traffic, max(from_s, 0.0)), _told(traffic, min(to_s, last_s))]
    return (
        f"asked for from {asked[0]} until {asked[1]}, the traffic lasts from {said(traffic, 0.0)} "
        f"to {said(traffic, last_s)}: only {used[0]} until {used[1]} is looked at"
    )


def _told(traffic: Traffic, time_s: float) -> str:
    if time_s < 0.0 and not traffic.t0_is_absolute:
        return f"{format_duration(-time_s)} before the traffic"
    return said(traffic, time_s)


def _moment_s(traffic: Traffic, moment: Moment, which: str, problems: list[str]) -> float:
    """Seconds since the trace's origin. [s]"""
    if isinstance(moment, int | float):
        return float(moment)
    if isinstance(moment, str):
        try:
            return parse_duration(moment)
        except UnitError:
            pass
    dated = f"or a time such as {said(traffic, 0.0)}" if traffic.t0_is_absolute else ""
    expected = f"expected a duration since the start of the traffic, as 2d9h, {dated}".rstrip(", ")
    try:
        stamp = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    except ValueError:
        problems.append(f"the window's {which} {moment!r} is no time: {expected}")
        return math.nan
    if not traffic.t0_is_absolute:
        problems.append(f"the traffic has no date, for the {which} {moment}: {expected}")
        return math.nan
    stamp = stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC)
    since_ns = (stamp - _EPOCH) // _MICROSECOND * 1000 - traffic.t0_ns
    return since_ns / 1e9


def check_arrivals(traffic: Traffic, arrival_s: Floats, window: Window) -> None:
    """Refuse a window in which no request comes.

    Raises
    ------
    IncidentError : with the arrivals around it.
    """
    first, past = np.searchsorted(arrival_s, [window.from_s, window.to_s])
    if first < past:
        return
    around = [said(traffic, float(arrival_s[k])) for k in (first - 1, first) if 0 <= k < past + 1]
    raise IncidentError(
        f"no request came from {said(traffic, window.from_s)} until {said(traffic, window.to_s)}: "
        f"the nearest came at {' and '.join(around)}"
    )


def worst_hour(traffic: Traffic, arrival_s: Floats, missed: NDArray[np.bool_]) -> Window:
    """The hour, from a whole minute on, whose requests missed the service level most often.

    Of hours that are equal, the one in the middle of the first of them; the busiest hour where no
    request missed it; all of the traffic where it is no longer than an hour.
    """
    beyond_s = traffic.t0_ns / 1e9 % _MINUTE_S if traffic.t0_is_absolute else 0.0
    minute = np.floor((arrival_s + beyond_s) / _MINUTE_S).astype(np.int64)
    per_hour = int(_HOUR_S / _MINUTE_S)
    if int(minute[-1]) < per_hour:
        return Window(0.0, math.inf, "all of the traffic: it lasts no longer than an hour")
    how = "the hour with the most misses under the policy that ran"
    if missed.any():
        minute = minute[missed]
    else:
        how = "the busiest hour: no request missed the service level under the policy that ran"
    length = int(np.floor((arrival_s[-1] + beyond_s) / _MINUTE_S)) + 1
    sums = np.concatenate([[0], np.cumsum(np.bincount(minute, minlength=length))])
    hours = sums[per_hour:] - sums[:-per_hour]
    first = int(hours.argmax())
    lower = np.flatnonzero(hours[first:] < hours[first])
    last = first + (int(lower[0]) if len(lower) else len(hours) - first) - 1
    from_s = (first + last) // 2 * _MINUTE_S - beyond_s
    return Window(max(from_s, 0.0), from_s + _HOUR_S, how)


def around(traffic: Traffic, window: Window, pad_s: float) -> tuple[Traffic, float]:
    """The traffic from so long before a window until so long after it, and when that begins. [s]

    Raises
    ------
    traces.TraceError : no request came in it.
    """
    from_s, to_s = window.from_s - pad_s, window.to_s + pad_s
    if not isinstance(traffic, CountSeries):
        first = int(np.searchsorted(traffic.arrival_s, from_s))
        cut = part(traffic, from_s, to_s)
        return cut, float(traffic.arrival_s[first])
    bin_s = traffic.bin_s
    first = max(math.floor(from_s / bin_s), 0)
    past = math.ceil(min(to_s, traffic.duration_s) / bin_s)
    begin_s = first * bin_s
    series = CountSeries(
        traffic.counts[first:past],
        bin_s,
        t0_ns=traffic.t0_ns + round(begin_s * 1e9),
        t0_is_absolute=traffic.t0_is_absolute,
        source=f"{traffic.source} (from {from_s:g} s to {to_s:g} s)",
    )
    return series, begin_s
