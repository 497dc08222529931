"""A scalable target's rules as one vector of settings, and the shape of its memory.

Settings: a head, then one row an alarm, one row a rule, and the steps. Memory: a head, one block an
alarm (what its period holds so far, then four rings of datapoints), and what predictive scaling
remembers. `assemble` writes the first and sizes the second; `scalable_loop` reads both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale import cooldown, predictive
from modeler.autoscale.aws_metrics import (
    BACKLOG,
    CONCURRENCY,
    ROW_SIZE,
    SAMPLE_SIZE,
    UTILISATION,
)
from modeler.autoscale.cloudwatch import MISSING, RANGE_BEYOND
from modeler.autoscale.policy import Clock, Policy

# The head of the settings.
ALARMS, RULES, REFUSE, WARM_UP, FORECAST_AT, EXTRA = range(6)
HEAD: Final = 6
# A row of an alarm.
(
    A_MEASURE, A_STATISTIC, A_PERIOD, A_COMPARISON, A_THRESHOLD, A_PERIODS, A_NEEDED, A_FILL,
    A_DELAY, A_RING, A_SCALE, A_MEMORY,
) = range(12)  # fmt: skip
ALARM_ROW: Final = 12
# A row of a rule. Alarm numbers are -1 where there is none.
(
    R_STEP, R_HIGH, R_LOW, R_TARGET, R_OUT_COOLDOWN, R_IN_COOLDOWN, R_LIMIT, R_AVERAGED, R_GUARD,
    R_KIND, R_LEAST, R_AGGREGATE, R_STEPS_AT, R_STEPS,
) = range(14)  # fmt: skip
RULE_ROW: Final = 14

# The head of the memory: counters as the last sample ended, the cooldowns, the sample itself.
M_COOLDOWN: Final = SAMPLE_SIZE
M_SAMPLE: Final = SAMPLE_SIZE + cooldown.SIZE
MEMORY_HEAD: Final = M_SAMPLE + ROW_SIZE
# Measures that need the requests in service.
_OF_SERVICE: Final = frozenset({CONCURRENCY, BACKLOG, UTILISATION})
# An alarm's block: what its period holds so far, ...
(
    B_VALUE, B_LOAD, B_LENGTH, B_SECONDS, B_EVENTS, B_LEAST, B_MOST, B_SAMPLES, B_COUNT, B_JUDGED,
    B_STATE, B_NEXT, B_DUE,
) = range(13)  # fmt: skip
BLOCK: Final = 13  # ... then rings of value, load, end of the period, state after it.
VALUE, LOAD, END, STATE = range(4)


class Alarm(NamedTuple):
    """One CloudWatch alarm.

    Parameters
    ----------
    measure, statistic : int. As in `aws_metrics`.
    period_s, delay_s : float. Its period, and from a period's end until its datapoint can be
        judged: publish delay plus evaluation delay. [s]
    comparison, threshold : int, float. When a datapoint breaches.
    periods, needed : int. N and M. [datapoints]
    fill : int. How missing datapoints are treated.
    scale : float. Factor from the measure to the metric's unit.
    """

    measure: int
    statistic: int
    period_s: float
    delay_s: float
    comparison: int
    threshold: float
    periods: int
    needed: int
    fill: int = MISSING
    scale: float = 1.0


class Tracking(NamedTuple):
    """One target-tracking policy; without a low alarm it never removes and has no say in it."""

    high: Alarm
    low: Alarm | None
    target: float
    out_cooldown_s: float
    in_cooldown_s: float
    step_limit: float = math.inf
    averaged: bool = False
    guard: bool = True


class Stepping(NamedTuple):
    """One step policy on its own alarm; steps are rows of lower bound, upper bound, adjustment."""

    alarm: Alarm
    kind: int
    steps: tuple[tuple[float, float, float], ...]
    least: float
    aggregate: int
    cooldown_s: float
    credit_s: float  # how long an addition is credited to the next: cooldown, or warm-up [s]


Rule = Tracking | Stepping


class Bounds(NamedTuple):
    """The capacity at the start, its bounds, and their scheduled changes (`Policy.bounds`)."""

    minimum: int
    maximum: int
    initial: int
    scheduled: NDArray[np.float64] = np.zeros((0, 3))


def assemble(
    kind: str,
    entry: Any,
    rules: Sequence[Rule],
    bounds: Bounds,
    *,
    refuse_while_updating: bool = False,
    warm_up_s: float = 0.0,
    forecast: predictive.Forecast | None = None,
    notes: Sequence[str] = (),
) -> Policy:
    """Make the policy of one scalable target.

    Parameters
    ----------
    kind : str. The name its rows carry.
    entry : compiled first-class function: the loop's.
    rules : target-tracking and step policies, in the order in which they are asked.
    refuse_while_updating : bool. Whether a change is refused while one is under way.
    warm_up_s : float. Instance warm-up of EC2 Auto Scaling; 0 elsewhere. [s]
    forecast : Forecast, optional. Predictive scaling beside them.
    notes : what the reader of a result should know about the settings.
    """
    alarms = [alarm for rule in rules for alarm in _alarms_of(rule)]
    rows_at = HEAD + ALARM_ROW * len(alarms)
    steps_at = rows_at + RULE_ROW * len(rules)
    memory = MEMORY_HEAD
    params = [float(len(alarms)), float(len(rules)), float(refuse_while_updating), warm_up_s, 0.0]
    extra = 0 if forecast is None else forecast.extra(bounds.maximum)
    params.append(float(extra))
    for alarm in alarms:
        # Room for the evaluation range, every datapoint that still waits to be judged, and one.
        reach = alarm.periods + RANGE_BEYOND
        ring = reach + math.ceil(alarm.delay_s / alarm.period_s) + 2
        params += [
            alarm.measure, alarm.statistic, alarm.period_s, alarm.comparison, alarm.threshold,
            alarm.periods, alarm.needed, alarm.fill, alarm.delay_s, ring, alarm.scale, memory,
        ]  # fmt: skip
        memory += BLOCK + 4 * ring
    steps: list[float] = []
    number = 0
    for rule in rules:
        if isinstance(rule, Tracking):
            low = -1 if rule.low is None else number + 1
            params += [
                0.0, number, low, rule.target, rule.out_cooldown_s, rule.in_cooldown_s,
                rule.step_limit, rule.averaged, rule.guard, 0.0, 0.0, 0.0, 0.0, 0.0,
            ]  # fmt: skip
        else:
            params += [
                1.0, number, -1.0, 0.0, rule.credit_s, rule.cooldown_s, math.inf, 0.0, 0.0,
                rule.kind, rule.least, rule.aggregate, steps_at + len(steps), len(rule.steps),
            ]  # fmt: skip
            steps += [value for step in rule.steps for value in step]
        number += len(_alarms_of(rule))
    params += steps
    periods = [alarm.period_s for alarm in alarms]
    measures = {alarm.measure for alarm in alarms}
    if forecast is not None:
        params[FORECAST_AT] = len(params)
        params += forecast.params(memory)
        memory += predictive.MEMORY
        periods.append(forecast.period_s)
        measures.add(forecast.measure)
    scheduled = bounds.scheduled.copy()
    scheduled[:, 2] += extra
    return Policy(
        kind=kind,
        function=entry,
        params=np.array(params, dtype=np.float64),
        state_size=memory,
        minimum=bounds.minimum,
        maximum=bounds.maximum + extra,
        initial=bounds.initial,
        clock=Clock(bucket_s=_common_period(periods) if periods else math.inf),
        needs_in_flight=not _OF_SERVICE.isdisjoint(measures),
        recent_s=warm_up_s,
        bounds=scheduled,
        target=next((rule.target for rule in rules if isinstance(rule, Tracking)), None),
        notes=tuple(notes),
    )


def _alarms_of(rule: Rule) -> list[Alarm]:
    if isinstance(rule, Stepping):
        return [rule.alarm]
    return [rule.high] if rule.low is None else [rule.high, rule.low]


def _common_period(periods: Sequence[float]) -> float:
    """The longest sampling period that all of them are multiples of. [s]"""
    return math.gcd(*(round(period * 1e6) for period in periods)) / 1e6
