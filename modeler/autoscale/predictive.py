"""Predictive scaling of EC2 Auto Scaling: an hourly forecast that only ever adds capacity.

After at least 24 hours of history, of which the last 14 days are used, the load of each of the next
48 hours is forecast, anew every 6 hours. At the top of each hour, or earlier by the scheduling
buffer, the capacity goes up to what the forecast asks for; during the hour it is the floor of the
dynamic policies: max(dynamic, forecast). A maximum may be exceeded where that is asked for, then by
the buffer over the forecast. (Documented: autoscaling/ec2/userguide/
ec2-auto-scaling-predictive-scaling.html and predictive-scaling-policy-overview.html, read 2026-09.)

How the vendor forecasts is not published. Here the load of an hour is the mean of the same hour of
the week in the last two weeks, where one was seen, else the mean of the same hour of the days seen
(assumed). It rests on the hours of the replay itself and on a history given beforehand.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from modeler.autoscale.cloudwatch import ROUNDING
from modeler.autoscale.proportional import capacity_for
from modeler.compiled import kernel

HOUR_S: Final = 3600.0
DAY: Final = 24  # hours
WEEK: Final = 168
NEEDED: Final = 24  # hours of history before the first forecast (documented)
USED: Final = 336  # hours of history used: 14 days (documented)
AHEAD: Final = 48  # hours forecast (documented)
EVERY: Final = 6  # hours between two forecasts (documented)

# Settings, from an offset on.
F_MEMORY, F_TARGET, F_MEASURE, F_SCALE, F_BUFFER, F_INCREASE, F_PERCENT, F_GIVEN = range(8)
# Memory, from an offset on: load and seconds of the running hour, hours seen, hour of the last
# forecast plus one, whether the history given has been taken; then rings of hours and forecasts.
_LOAD, _SECONDS, _SEEN, _MADE, _READ = range(5)
_HOURS: Final = 5
_FORECAST: Final = _HOURS + USED
MEMORY: Final = _FORECAST + AHEAD


class Forecast(NamedTuple):
    """The settings of predictive scaling.

    Parameters
    ----------
    target : float. Value of the metric that the forecast capacity holds.
    measure, scale : int, float. What is measured, and from the measure to the metric's unit.
    period_s : float. How often it is sampled. [s]
    buffer_s : float. How long before the hour the capacity is asked for. [s]
    increase_max : bool. Whether a forecast may exceed the maximum.
    buffer_percent : float. By how much more than the forecast it then may.
    history : tuple of float. Mean load of the fleet (metric x replicas) in each whole hour before
        the trace, oldest first.
    ceiling : float. The maximum is never exceeded by more than this factor: a bound of the
        replay's memory, not of the platform.
    """

    target: float
    measure: int
    scale: float
    period_s: float
    buffer_s: float
    increase_max: bool
    buffer_percent: float
    history: tuple[float, ...] = ()
    ceiling: float = 3.0

    def extra(self, maximum: int) -> int:
        """Replicas beyond the maximum that a forecast may ask for. [replicas]"""
        return math.ceil((self.ceiling - 1.0) * maximum) if self.increase_max else 0

    def params(self, memory: int) -> list[float]:
        """The settings as the loop reads them; `memory` is where the forecast's own begins."""
        return [
            float(memory), self.target, float(self.measure), self.scale, self.buffer_s,
            float(self.increase_max), self.buffer_percent, float(len(self.history)), *self.history,
        ]  # fmt: skip


@kernel()
def effective_maximum(forecast, maximum, increase, buffer_percent):  # type: ignore[no-untyped-def]
    """Capacity a forecast may reach: forecast 50, maximum 40, buffer 10 % give 55. [replicas]"""
    if not increase:
        return maximum
    raised = np.floor(forecast * (1.0 + buffer_percent / 100.0) * (1.0 + ROUNDING))
    return max(maximum, raised)


@kernel()
def combined(dynamic, forecast):  # type: ignore[no-untyped-def]
    """Capacity of an hour: the forecast is a floor and removes nothing. [replicas]"""
    return max(dynamic, forecast)


@kernel()
def forecast_load(hours, at, last, hour):  # type: ignore[no-untyped-def]
    """Forecast load of an hour from those seen; NaN when none of its kind was.

    Parameters
    ----------
    hours : float64[]. Ring of `USED` hourly loads from ``hours[at]`` on, NaN where unseen.
    last : int. The last whole hour seen.
    hour : int. The hour to forecast.
    """
    for spacing in (WEEK, DAY):
        total, count = 0.0, 0
        back = hour - spacing
        while back > last - USED:
            if back <= last and not np.isnan(hours[at + back % USED]):
                total += hours[at + back % USED]
                count += 1
            back -= spacing
        if count > 0:
            return total / count
    return np.nan


@kernel()
def learn(params, f, state, load, length, wall):  # type: ignore[no-untyped-def]
    """Add one sample that ends at `wall`; at the end of an hour keep it, and forecast when due."""
    at = int(params[f + F_MEMORY])
    if state[at + _READ] == 0.0:
        state[at + _READ] = 1.0
        first = int(np.floor((wall - length + 1e-6) / HOUR_S))
        given = int(params[f + F_GIVEN])
        for k in range(USED):
            state[at + _HOURS + k] = np.nan
        for k in range(min(given, USED)):
            hour = first - 1 - k
            state[at + _HOURS + hour % USED] = params[f + F_GIVEN + given - k]
        state[at + _SEEN] = min(given, USED)
        state[at + _MADE] = -np.inf
        _refresh(state, at, first - 1)
    state[at + _LOAD] += load
    state[at + _SECONDS] += length
    hour = int(np.floor((wall + 1e-6) / HOUR_S))
    if hour > int(np.floor((wall - length + 1e-6) / HOUR_S)):
        seconds = state[at + _SECONDS]
        whole = seconds >= HOUR_S - 1e-3
        # An hour seen in part is no hour of history.
        state[at + _HOURS + (hour - 1) % USED] = state[at + _LOAD] / seconds if whole else np.nan
        state[at + _SEEN] += 1.0 if whole else 0.0
        state[at + _LOAD] = 0.0
        state[at + _SECONDS] = 0.0
        _refresh(state, at, hour - 1)


@kernel()
def _refresh(state, at, last):  # type: ignore[no-untyped-def]
    """Forecast the hours after `last`, when enough has been seen and the last time is long ago."""
    if state[at + _SEEN] < NEEDED or last - state[at + _MADE] < EVERY:
        return
    state[at + _MADE] = last
    for hour in range(last + 1, last + 1 + AHEAD):
        load = forecast_load(state, at + _HOURS, last, hour)
        state[at + _FORECAST + hour % AHEAD] = load


@kernel()
def floor_at(params, f, state, wall):  # type: ignore[no-untyped-def]
    """Capacity that the forecast asks for at `wall`, the coming hour's within its buffer."""
    at = int(params[f + F_MEMORY])
    if state[at + _READ] == 0.0 or state[at + _MADE] == -np.inf:
        return 0.0
    this = int(np.floor((wall + 1e-6) / HOUR_S))
    coming = int(np.floor((wall + params[f + F_BUFFER] + 1e-6) / HOUR_S))
    wanted = 0.0
    for hour in range(this, coming + 1):
        load = state[at + _FORECAST + hour % AHEAD]
        made = state[at + _MADE]
        if made < hour <= made + AHEAD and not np.isnan(load):
            wanted = max(wanted, capacity_for(load, params[f + F_TARGET]))
    return wanted


@kernel()
def next_act(params, f, wall):  # type: ignore[no-untyped-def]
    """When the capacity of the next hour is asked for, on the wall clock. [s]"""
    buffer = params[f + F_BUFFER]
    return (np.floor((wall + buffer + 1e-6) / HOUR_S) + 1.0) * HOUR_S - buffer
