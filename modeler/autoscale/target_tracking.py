"""AWS target tracking (Application Auto Scaling), as CloudWatch alarms drive it.

Two alarms watch one metric. The high alarm is in ALARM when its last M datapoints all exceed the
target; the low alarm when its last M all lie under ``low_threshold_factor`` of it. Both comparisons
are strict. An auto-scaling action is invoked when an alarm enters ALARM and once a minute for as
long as it stays there. A datapoint can be judged only after its period, the metric's publish delay
and the alarm's evaluation delay have passed: with the 60 s metric and the defaults, a step of load
on a minute boundary leads to scale-out 3 x 60 + 60 + 10 = 250 s later, and its end to scale-in
15 x 60 + 60 + 10 = 970 s later.

Capacity is ``ceil(capacity x metric / target)`` in both directions, clamped to the bounds: out
rounds up, in removes the rounded-down amount. Cooldowns start when the activity completes. The
scale-out cooldown is no lock: capacity already asked for is credited, so a larger proposal passes
at once and an equal or smaller one is ignored. The scale-in cooldown locks scale-in alone.

Sources: docs.aws.amazon.com/autoscaling/application/userguide/
target-tracking-scaling-policy-overview.html; AmazonCloudWatch/latest/monitoring/
AlarmThatSendsEmail.html; alarm counts and the 0.9 factor as observed at
repost.aws/questions/QUf450Wsd9RROGGOIwaolN9w. Delays are assumptions and are settings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import cfunc, njit

from modeler.autoscale.observation import (
    ACTIVITY_DONE,
    ANTICIPATED_FLAPPING,
    AT_DESIRED,
    AT_MAX,
    AT_MIN,
    BUCKET,
    DESIRED,
    IN_FLIGHT_SECONDS,
    INVOCATIONS,
    MAX,
    MIN,
    NOTHING,
    NOW,
    OUT_DESIRED,
    OUT_METRIC,
    PENDING,
    QUEUED_SECONDS,
    READY,
    SCALE_IN_COOLDOWN,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
    UNSCALABLE,
)
from modeler.autoscale.policy import Clock, Policy


class Params(NamedTuple):
    """The settings, in the order in which they are passed."""

    metric: float  # 0: invocations per instance (Sum), 1: concurrent requests per instance (Average)
    target: float  # [metric unit]
    scale_in_cooldown_s: float
    disable_scale_in: float  # 0 or 1
    period_s: float
    high_datapoints: float
    low_datapoints: float
    low_period_s: float
    low_threshold_factor: float
    delay_s: float  # publish delay plus alarm evaluation delay [s]
    refuse_while_updating: float  # 0 or 1
    scale_in_step_limit: float  # largest removal in one action [replicas]


# The memory: a few scalars, then the two rings of datapoints.
_INVOCATIONS_BEFORE, _CONCURRENCY_BEFORE, _LAST_IN_DONE = 0, 1, 2  # the last: completion of the last scale-in, 0 none
_HIGH_NEXT, _LOW_NEXT = 3, 4  # next action of the episode [s], 0 when not in ALARM
_SAMPLES, _LOW_SUM, _LOW_COUNT, _LOWS = 5, 6, 7, 8
_IN_ACTIVITY = 9
_RINGS = 10
_RING = 64  # datapoints remembered per alarm; bounds datapoints-to-alarm plus the delay
_REPEAT_S = 60.0  # auto-scaling actions repeat once a minute while the state lasts (documented)
_HIGH = _RINGS
_HIGH_END = _HIGH + _RING
_HIGH_CAPACITY = _HIGH_END + _RING
_LOW = _HIGH_CAPACITY + _RING
_LOW_END = _LOW + _RING
_STATE_SIZE = _LOW_END + _RING


@njit(cache=True)  # type: ignore[untyped-decorator]
def _sample(obs, p, state):  # type: ignore[no-untyped-def]
    """Close one period: add a datapoint to the high ring and, on its boundary, to the low ring."""
    concurrency = obs[IN_FLIGHT_SECONDS] + obs[QUEUED_SECONDS]
    if p.metric == 0.0:
        value = obs[INVOCATIONS] - state[_INVOCATIONS_BEFORE]
    else:
        value = (concurrency - state[_CONCURRENCY_BEFORE]) / p.period_s / max(obs[READY], 1.0)
    state[_INVOCATIONS_BEFORE] = obs[INVOCATIONS]
    state[_CONCURRENCY_BEFORE] = concurrency
    k = int(state[_SAMPLES]) % _RING
    state[_HIGH + k] = value
    state[_HIGH_END + k] = obs[NOW]
    state[_HIGH_CAPACITY + k] = obs[READY]
    state[_SAMPLES] += 1.0
    state[_LOW_SUM] += value
    state[_LOW_COUNT] += 1.0
    if state[_LOW_COUNT] >= round(p.low_period_s / p.period_s):
        m = int(state[_LOWS]) % _RING
        # A Sum statistic adds up over the longer period, an Average averages.
        per_low = 1.0 if p.metric == 0.0 else state[_LOW_COUNT]
        state[_LOW + m] = state[_LOW_SUM] / per_low
        state[_LOW_END + m] = obs[NOW]
        state[_LOWS] += 1.0
        state[_LOW_SUM] = 0.0
        state[_LOW_COUNT] = 0.0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _visible(state, ends, count, visible_until):  # type: ignore[no-untyped-def]
    """Number of datapoints of a ring that the alarm can see by now."""
    n = int(count)
    while n > 0 and n > count - _RING and state[ends + (n - 1) % _RING] > visible_until:
        n -= 1
    return n


@njit(cache=True)  # type: ignore[untyped-decorator]
def _breaching(state, ring, n, datapoints, threshold, above):  # type: ignore[no-untyped-def]
    """Whether the last `datapoints` of the `n` visible ones all breach; too few never do."""
    if n < datapoints:
        return False
    for back in range(1, datapoints + 1):
        value = state[ring + (n - back) % _RING]
        if above and not value > threshold:
            return False
        if not above and not value < threshold:
            return False
    return True


@njit(cache=True)  # type: ignore[untyped-decorator]
def _due(state, slot, in_alarm, now):  # type: ignore[no-untyped-def]
    """Whether an episode's action is due: on entry, then once a minute while it lasts."""
    if not in_alarm:
        state[slot] = 0.0
        return False
    if state[slot] == 0.0 or now >= state[slot] - 1e-9:
        state[slot] = now + _REPEAT_S
        return True
    return False


@njit(cache=True)  # type: ignore[untyped-decorator]
def capacity_for(capacity, metric, target):  # type: ignore[no-untyped-def]
    """``ceil(capacity x metric / target)``: 10 at 150 against 100 go to 15; +1.5 is +2, -1.5 is -1.

    Source: docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html and
    as-scaling-target-tracking.html.
    """
    return np.ceil(capacity * metric / target)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _scale_out(obs, p, metric, capacity, out):  # type: ignore[no-untyped-def]
    desired = obs[DESIRED]
    if desired >= obs[MAX]:
        return AT_MAX
    if p.refuse_while_updating != 0.0 and obs[PENDING] > 0.0:
        return UNSCALABLE
    wanted = min(capacity_for(capacity, metric, p.target), obs[MAX])
    if wanted <= desired:
        return AT_DESIRED
    out[OUT_DESIRED] = wanted
    return SCALED_OUT


@njit(cache=True)  # type: ignore[untyped-decorator]
def _scale_in(obs, p, metric, capacity, state, out):  # type: ignore[no-untyped-def]
    desired = obs[DESIRED]
    if desired <= obs[MIN]:
        return AT_MIN
    if p.refuse_while_updating != 0.0 and obs[PENDING] > 0.0:
        return UNSCALABLE
    done = state[_LAST_IN_DONE]
    if done != 0.0 and obs[NOW] < done + p.scale_in_cooldown_s:
        return SCALE_IN_COOLDOWN
    wanted = max(capacity_for(capacity, metric, p.target), obs[MIN])
    wanted = max(wanted, desired - p.scale_in_step_limit)
    if wanted >= desired:
        return AT_DESIRED
    if metric * capacity > p.target * wanted:
        return ANTICIPATED_FLAPPING
    out[OUT_DESIRED] = wanted
    return SCALED_IN


@njit(SIGNATURE, cache=True)  # type: ignore[untyped-decorator]
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Sample on a bucket; on a tick, judge both alarms and act on the one that is due."""
    p = Params(
        params[0],
        params[1],
        params[2],
        params[3],
        params[4],
        params[5],
        params[6],
        params[7],
        params[8],
        params[9],
        params[10],
        params[11],
    )
    if event == BUCKET:
        _sample(obs, p, state)
        return NOTHING

    # An activity that has completed starts its cooldown at its completion, not at its decision.
    if state[_IN_ACTIVITY] != 0.0 and obs[ACTIVITY_DONE] <= obs[NOW]:
        state[_LAST_IN_DONE] = obs[ACTIVITY_DONE]
        state[_IN_ACTIVITY] = 0.0

    seen = obs[NOW] - p.delay_s + 1e-6
    highs = _visible(state, _HIGH_END, state[_SAMPLES], seen)
    lows = _visible(state, _LOW_END, state[_LOWS], seen)
    high = _breaching(state, _HIGH, highs, int(p.high_datapoints), p.target, True)
    low = _breaching(
        state, _LOW, lows, int(p.low_datapoints), p.low_threshold_factor * p.target, False
    )
    out_due = _due(state, _HIGH_NEXT, high, obs[NOW])
    in_due = _due(state, _LOW_NEXT, low, obs[NOW])
    if out_due:
        k = (highs - 1) % _RING
        metric = state[_HIGH + k]
        out[OUT_METRIC] = metric
        reason = _scale_out(obs, p, metric, state[_HIGH_CAPACITY + k], out)
        if reason == SCALED_OUT:
            # A scale-out cancels what is left of the scale-in cooldown.
            state[_LAST_IN_DONE] = 0.0
            state[_IN_ACTIVITY] = 0.0
        return reason
    if in_due and p.disable_scale_in == 0.0:
        metric = state[_LOW + (lows - 1) % _RING]
        out[OUT_METRIC] = metric
        capacity = state[_HIGH_CAPACITY + (highs - 1) % _RING]
        reason = _scale_in(obs, p, metric, capacity, state, out)
        if reason == SCALED_IN:
            state[_LAST_IN_DONE] = np.inf
            state[_IN_ACTIVITY] = 1.0
        return reason
    return NOTHING


_entry = cfunc(SIGNATURE, cache=True)(decide.py_func)


def build(
    *,
    metric: str,
    target: float,
    minimum: int,
    maximum: int,
    initial: int,
    period_s: float,
    publish_delay_s: float,
    alarm_eval_delay_s: float = 10.0,
    scale_in_cooldown_s: float = 300.0,
    disable_scale_in: bool = False,
    high_datapoints: int = 3,
    low_datapoints: int = 15,
    low_period_s: float = 60.0,
    low_threshold_factor: float = 0.9,
    refuse_while_updating: bool = False,
    scale_in_step_limit: int | None = None,
) -> Policy:
    """Make the policy.

    Parameters
    ----------
    metric : str. ``invocations_per_instance`` or ``concurrency_high_resolution``.
    target : float. Requests per instance per period, or requests in flight and queued per
        instance. [requests/replica]
    period_s : float. The metric's period: 60 standard, 10 high resolution. [s]
    publish_delay_s, alarm_eval_delay_s : float. From a period's end until its datapoint can be
        judged, in two parts. [s]

    The scale-out cooldown does not appear: capacity being added is already credited, so it changes
    no decision (see the module's notes).
    """
    params = Params(
        metric=0.0 if metric == "invocations_per_instance" else 1.0,
        target=float(target),
        scale_in_cooldown_s=scale_in_cooldown_s,
        disable_scale_in=float(disable_scale_in),
        period_s=period_s,
        high_datapoints=float(high_datapoints),
        low_datapoints=float(low_datapoints),
        low_period_s=low_period_s,
        low_threshold_factor=low_threshold_factor,
        delay_s=publish_delay_s + alarm_eval_delay_s,
        refuse_while_updating=float(refuse_while_updating),
        scale_in_step_limit=float("inf") if scale_in_step_limit is None else scale_in_step_limit,
    )
    state_size = _STATE_SIZE
    return Policy(
        kind="target_tracking",
        function=_entry,
        params=np.array(params, dtype=np.float64),
        state_size=state_size,
        minimum=minimum,
        maximum=maximum,
        initial=initial,
        clock=Clock(
            bucket_s=period_s,
            tick_s=period_s,
            tick_delay_s=(publish_delay_s + alarm_eval_delay_s),
        ),
        needs_in_flight=metric != "invocations_per_instance",
    )
