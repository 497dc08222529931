"""What a scalable target does: sample, judge its alarms, ask its rules, combine what they propose.

A sampling period ends in one event. It closes the periods of the alarms that end with it, and since
the datapoint is known then, so is the alarm's state after it; the loop asks to be woken only when a
datapoint becomes visible with which an alarm enters or leaves ALARM, and once a minute in between.

Several policies on one target: out if any says so; in only when every target-tracking policy that
may remove is in its low alarm; of simultaneous proposals the largest resulting capacity counts. A
step policy is not bound by the agreement and may remove alone. (Documented: Application Auto
Scaling user guide, target-tracking-scaling-policy-overview, read 2026-09.)
"""

from __future__ import annotations

import numpy as np

from modeler import compiled
from modeler.autoscale import aws_metrics as a
from modeler.autoscale import cooldown, predictive
from modeler.autoscale import scalable_layout as m
from modeler.autoscale.cloudwatch import ALARM, RANGE_BEYOND, action_due, alarm_state
from modeler.autoscale.observation import (
    ACTIVITY_DONE,
    BUCKET,
    DESIRED,
    MAX,
    MIN,
    NOT_AGREED,
    NOTHING,
    NOW,
    OUT_DESIRED,
    OUT_METRIC,
    OUT_WAKE,
    PENDING,
    RECENT,
    SCALE_IN_COOLDOWN,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
    WALL,
    WARMING_UP,
)
from modeler.autoscale.proportional import (
    capacity_for,
    guarded,
    in_outcome,
    larger,
    out_outcome,
)
from modeler.autoscale.steps import stepped
from modeler.compiled import kernel

_HAIR = 1e-6  # seconds by which sums of times may differ


@kernel()
def _alarm(number):  # type: ignore[no-untyped-def]
    return m.HEAD + m.ALARM_ROW * int(number)


@kernel()
def _rule(params, number):  # type: ignore[no-untyped-def]
    return m.HEAD + m.ALARM_ROW * int(params[m.ALARMS]) + m.RULE_ROW * number


@kernel()
def _point(params, al, column, n):  # type: ignore[no-untyped-def]
    """Place of an alarm's n-th datapoint in the memory."""
    ring = int(params[al + m.A_RING])
    return int(params[al + m.A_MEMORY]) + m.BLOCK + column * ring + n % ring


@kernel()
def _gather(params, state, al, row, wall, now):  # type: ignore[no-untyped-def]
    """Add a sample to an alarm's period; where that ends, its datapoint and the state after it."""
    b = int(params[al + m.A_MEMORY])
    measure = int(params[al + m.A_MEASURE])
    length = row[a.LENGTH]
    summed = measure == a.REQUESTS or measure == a.UNPLACED_REQUESTS
    if a.has_value(row, measure):
        value, load = a.measured(row, measure)
        state[b + m.B_VALUE] += value
        state[b + m.B_LOAD] += load
        state[b + m.B_SECONDS] += length
        rate = min(value, 1.0) if summed else value / length
        state[b + m.B_EVENTS] += row[a.ARRIVALS] if measure == a.REQUESTS else rate
        first = state[b + m.B_SAMPLES] == 0.0
        state[b + m.B_LEAST] = rate if first else min(state[b + m.B_LEAST], rate)
        state[b + m.B_MOST] = rate if first else max(state[b + m.B_MOST], rate)
        state[b + m.B_SAMPLES] += 1.0
    state[b + m.B_LENGTH] += length
    period = params[al + m.A_PERIOD]
    # Periods lie on the wall clock.
    if np.floor((wall + _HAIR) / period) == np.floor((wall + _HAIR - length) / period):
        return
    n = int(state[b + m.B_COUNT])
    value = np.nan
    load = 0.0
    if state[b + m.B_SAMPLES] > 0.0:
        scale = params[al + m.A_SCALE]
        value = scale * a.of_statistic(
            int(params[al + m.A_STATISTIC]),
            summed,
            state[b + m.B_VALUE],
            state[b + m.B_SECONDS],
            state[b + m.B_EVENTS],
            state[b + m.B_LEAST],
            state[b + m.B_MOST],
        )
        load = scale * state[b + m.B_LOAD]
        if not summed:
            load /= state[b + m.B_SECONDS]
    state[_point(params, al, m.VALUE, n)] = value
    state[_point(params, al, m.LOAD, n)] = load
    state[_point(params, al, m.END, n)] = now
    before = 0
    if n > 0:
        before = int(state[_point(params, al, m.STATE, n - 1)])
    ring = int(params[al + m.A_RING])
    periods = int(params[al + m.A_PERIODS])
    state[_point(params, al, m.STATE, n)] = alarm_state(
        state,
        b + m.BLOCK,
        n + 1,
        ring,
        min(periods + RANGE_BEYOND, ring),
        int(params[al + m.A_COMPARISON]),
        params[al + m.A_THRESHOLD],
        periods,
        int(params[al + m.A_NEEDED]),
        int(params[al + m.A_FILL]),
        before,
    )
    for k in range(m.B_COUNT):
        state[b + k] = 0.0
    state[b + m.B_COUNT] = n + 1


@kernel()
def _unjudged(params, state, al):  # type: ignore[no-untyped-def]
    """First datapoint not yet taken note of; of those long passed, none changed the alarm."""
    b = int(params[al + m.A_MEMORY])
    kept = state[b + m.B_COUNT] - params[al + m.A_RING]
    return int(max(state[b + m.B_JUDGED], kept))


@kernel()
def _judge(params, state, al, now):  # type: ignore[no-untyped-def]
    """Take note of the datapoints that have become visible; whether the alarm's action is due."""
    b = int(params[al + m.A_MEMORY])
    seen = now - params[al + m.A_DELAY] + _HAIR
    judged = _unjudged(params, state, al)
    while judged < state[b + m.B_COUNT] and state[_point(params, al, m.END, judged)] <= seen:
        state[b + m.B_STATE] = state[_point(params, al, m.STATE, judged)]
        if state[b + m.B_STATE] != ALARM:
            state[b + m.B_NEXT] = 0.0
        judged += 1
    state[b + m.B_JUDGED] = judged
    due = action_due(state, b + m.B_NEXT, state[b + m.B_STATE] == ALARM, now)
    state[b + m.B_DUE] = 1.0 if due else 0.0


@kernel()
def _next_of(params, state, al, now):  # type: ignore[no-untyped-def]
    """When an alarm has to be looked at again: it enters or leaves ALARM, or repeats. [s]"""
    b = int(params[al + m.A_MEMORY])
    was = state[b + m.B_STATE] == ALARM
    wake = state[b + m.B_NEXT] if was else np.inf
    for n in range(_unjudged(params, state, al), int(state[b + m.B_COUNT])):
        if (state[_point(params, al, m.STATE, n)] == ALARM) != was:
            visible = state[_point(params, al, m.END, n)] + params[al + m.A_DELAY]
            return min(wake, max(visible, now))
    return wake


@kernel()
def _latest(params, state, al):  # type: ignore[no-untyped-def]
    """Number of an alarm's last visible datapoint that is not missing; -1 when there is none."""
    n = int(state[int(params[al + m.A_MEMORY]) + m.B_JUDGED])
    for k in range(n - 1, max(n - 1 - int(params[al + m.A_RING]), -1), -1):
        if not np.isnan(state[_point(params, al, m.VALUE, k)]):
            return k
    return -1


@kernel()
def _aggregate(params, state, al, column, kind):  # type: ignore[no-untyped-def]
    """Average, least or most of the datapoints that decided the state (0, 1, 2)."""
    n = int(state[int(params[al + m.A_MEMORY]) + m.B_JUDGED])
    total, least, most, count = 0.0, np.inf, -np.inf, 0
    for k in range(n - 1, max(n - 1 - int(params[al + m.A_RING]), -1), -1):
        if np.isnan(state[_point(params, al, m.VALUE, k)]):
            continue
        value = state[_point(params, al, column, k)]
        total += value
        least = min(least, value)
        most = max(most, value)
        count += 1
        if count == int(params[al + m.A_PERIODS]):
            break
    if count == 0:
        return 0.0
    if kind == a.AVERAGE:
        return total / count
    return least if kind == a.MINIMUM else most


@kernel()
def _load(params, state, ru, al):  # type: ignore[no-untyped-def]
    """The load that feeds the ratio: of the latest datapoint, or the mean of the breaching ones."""
    if params[ru + m.R_AVERAGED] != 0.0:
        return _aggregate(params, state, al, m.LOAD, a.AVERAGE)
    k = _latest(params, state, al)
    return state[_point(params, al, m.LOAD, k)] if k >= 0 else 0.0


@kernel()
def _shown(params, state, al):  # type: ignore[no-untyped-def]
    k = _latest(params, state, al)
    return state[_point(params, al, m.VALUE, k)] if k >= 0 else np.nan


@kernel()
def _in_alarm(params, state, number):  # type: ignore[no-untyped-def]
    b = int(params[_alarm(number) + m.A_MEMORY])
    return state[b + m.B_STATE] == ALARM


@kernel()
def _due(params, state, number):  # type: ignore[no-untyped-def]
    if number < 0.0:
        return False
    return state[int(params[_alarm(number) + m.A_MEMORY]) + m.B_DUE] != 0.0


@kernel()
def _agreed_capacity(params, state, desired):  # type: ignore[no-untyped-def]
    """Largest capacity of the policies that may remove; NaN when one is not ready to."""
    wanted = np.nan
    for k in range(int(params[m.RULES])):
        ru = _rule(params, k)
        low = params[ru + m.R_LOW]
        if params[ru + m.R_STEP] != 0.0 or low < 0.0:
            continue
        if not _in_alarm(params, state, low):
            return np.nan
        load = _load(params, state, ru, _alarm(low))
        own = max(capacity_for(load, params[ru + m.R_TARGET]), desired - params[ru + m.R_LIMIT])
        wanted = larger(wanted, own)
    return wanted


@kernel()
def _removal(obs, params, state, ru, wanted, updating, guard, load):  # type: ignore[no-untyped-def]
    """What becomes of a proposal for less: a reason code."""
    outcome = in_outcome(obs[DESIRED], wanted, obs[MIN], updating)
    if outcome != SCALED_IN:
        return outcome
    if params[m.WARM_UP] > 0.0 and obs[PENDING] + obs[RECENT] > 0.0:
        return WARMING_UP
    if cooldown.locked(state[m.M_COOLDOWN :], obs[NOW]):
        return SCALE_IN_COOLDOWN
    return guarded(outcome, guard, load, params[ru + m.R_TARGET], wanted)


@kernel()
def _ask(obs, params, state, ru, maximum, updating, out):  # type: ignore[no-untyped-def]
    """One rule's answer: reason, wanted capacity, metric, cooldown; NOTHING when it is not due."""
    now, desired = obs[NOW], obs[DESIRED]
    high, low = params[ru + m.R_HIGH], params[ru + m.R_LOW]
    memory = state[m.M_COOLDOWN :]
    if params[ru + m.R_STEP] != 0.0:
        if not _due(params, state, high):
            return NOTHING, desired, 0.0, 0.0
        al = _alarm(high)
        metric = _aggregate(params, state, al, m.VALUE, int(params[ru + m.R_AGGREGATE]))
        steps_at, steps = int(params[ru + m.R_STEPS_AT]), int(params[ru + m.R_STEPS])
        breach = metric - params[al + m.A_THRESHOLD]
        kind, least = int(params[ru + m.R_KIND]), params[ru + m.R_LEAST]
        wanted = stepped(desired, kind, params, steps_at, steps, breach, least)
        if wanted < desired:
            wanted = max(wanted, obs[MIN])
            reason = _removal(obs, params, state, ru, wanted, updating, False, 0.0)
            return reason, wanted, metric, params[ru + m.R_IN_COOLDOWN]
        base = cooldown.base_of(memory, now, desired)
        wanted = min(stepped(base, kind, params, steps_at, steps, breach, least), maximum)
        reason = out_outcome(desired, wanted, maximum, updating)
        return reason, wanted, metric, params[ru + m.R_OUT_COOLDOWN]
    if _due(params, state, high):
        al = _alarm(high)
        wanted = min(capacity_for(_load(params, state, ru, al), params[ru + m.R_TARGET]), maximum)
        reason = out_outcome(desired, wanted, maximum, updating)
        return reason, wanted, _shown(params, state, al), params[ru + m.R_OUT_COOLDOWN]
    if _due(params, state, low):
        al = _alarm(low)
        metric = _shown(params, state, al)
        wanted = _agreed_capacity(params, state, desired)
        if np.isnan(wanted):
            return NOT_AGREED, desired, metric, 0.0
        wanted = max(wanted, obs[MIN])
        latest = _latest(params, state, al)
        load = state[_point(params, al, m.LOAD, latest)] if latest >= 0 else 0.0
        guard = params[ru + m.R_GUARD] != 0.0
        reason = _removal(obs, params, state, ru, wanted, updating, guard, load)
        return reason, wanted, metric, params[ru + m.R_IN_COOLDOWN]
    return NOTHING, desired, 0.0, 0.0


@kernel()
def _act(obs, params, state, out):  # type: ignore[no-untyped-def]
    """Ask every rule whose alarm is due and combine their answers."""
    now, desired = obs[NOW], obs[DESIRED]
    maximum = obs[MAX] - params[m.EXTRA]
    updating = params[m.REFUSE] != 0.0 and obs[ACTIVITY_DONE] > now
    memory = state[m.M_COOLDOWN :]
    floor = 0.0
    f = int(params[m.FORECAST_AT])
    if f > 0:
        asked = predictive.floor_at(params, f, state, obs[WALL])
        top = predictive.effective_maximum(
            asked,
            maximum,
            params[f + predictive.F_INCREASE] != 0.0,
            params[f + predictive.F_PERCENT],
        )
        floor = min(asked, top, obs[MAX])
    chosen = np.nan
    first = NOTHING
    metric = 0.0
    length = 0.0
    for k in range(int(params[m.RULES])):
        ru = _rule(params, k)
        reason, wanted, shown, own = _ask(obs, params, state, ru, maximum, updating, out)
        if reason in (SCALED_OUT, SCALED_IN):
            if larger(chosen, wanted) != chosen:
                chosen, metric, length = wanted, shown, own
        elif reason != NOTHING and first == NOTHING:
            first = reason
            if np.isnan(chosen):
                metric = shown
    if f > 0 and (floor > desired or not np.isnan(chosen)):
        chosen = predictive.combined(chosen if not np.isnan(chosen) else desired, floor)
    if np.isnan(chosen) or chosen == desired:
        out[OUT_METRIC] = metric
        return first
    out[OUT_METRIC] = metric
    out[OUT_DESIRED] = chosen
    if chosen > desired:
        cooldown.scaled_out(memory, now, desired, length)
        return SCALED_OUT
    cooldown.scaled_in(memory, length)
    return SCALED_IN


@kernel(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Sample on a bucket; on a wake-up judge the alarms and act on those that are due."""
    now = obs[NOW]
    alarms = int(params[m.ALARMS])
    f = int(params[m.FORECAST_AT])
    cooldown.complete(state[m.M_COOLDOWN :], now, obs[ACTIVITY_DONE])
    reason = NOTHING
    if event == BUCKET:
        row = state[m.M_SAMPLE : m.MEMORY_HEAD]
        a.sample(obs, state, row)
        for k in range(alarms):
            _gather(params, state, _alarm(k), row, obs[WALL], now)
        if f > 0:
            measure = int(params[f + predictive.F_MEASURE])
            load = 0.0
            if a.has_value(row, measure):
                load = params[f + predictive.F_SCALE] * a.measured(row, measure)[1]
            predictive.learn(params, f, state, load, row[a.LENGTH], obs[WALL])
    else:
        for k in range(alarms):
            _judge(params, state, _alarm(k), now)
        reason = _act(obs, params, state, out)
    wake = np.inf
    for k in range(alarms):
        wake = min(wake, _next_of(params, state, _alarm(k), now))
    if f > 0:
        # A bucket comes before the wake-up of its instant, which is then still to come.
        wall = obs[WALL] - 2.0 * _HAIR if event == BUCKET else obs[WALL]
        wake = min(wake, max(now, now + predictive.next_act(params, f, wall) - obs[WALL]))
    out[OUT_WAKE] = wake
    return reason


entry = compiled.entry(SIGNATURE, decide)
