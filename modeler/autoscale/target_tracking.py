"""AWS target tracking (Application Auto Scaling), as CloudWatch alarms drive it.

Two alarms watch one metric. The high alarm is in ALARM when its last M datapoints all exceed the
target; the low alarm when its last M all lie under ``low_threshold_factor`` of it. Both comparisons
are strict. An auto-scaling action is invoked when an alarm enters ALARM and once a minute for as
long as it stays there. A datapoint can be judged only after its period, the metric's publish delay
and the alarm's evaluation delay have passed: with the 60 s metric and the defaults, a step of load
on a minute boundary leads to scale-out 3 x 60 + 60 + 10 = 250 s later, and its end to scale-in
15 x 60 + 60 + 10 = 970 s later.

Capacity is ``ceil(capacity x metric / target)`` in both directions, clamped to the bounds: out
rounds up, in removes the rounded-down amount. The capacity in it is the one the metric was
normalised by (assumed), so that the product is the load of the whole fleet in that period; what it
leads to never lies above the target, so no removal is refused as anticipated flapping. Cooldowns
start when the activity completes. The scale-out cooldown is no lock: capacity already asked for is
credited, so a larger proposal passes at once and an equal or smaller one is ignored. The scale-in
cooldown locks scale-in alone.

Sources: docs.aws.amazon.com/autoscaling/application/userguide/
target-tracking-scaling-policy-overview.html; AmazonCloudWatch/latest/monitoring/
AlarmThatSendsEmail.html; alarm counts and the 0.9 factor as observed at
repost.aws/questions/QUf450Wsd9RROGGOIwaolN9w. Delays are assumptions and are settings.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from modeler.autoscale.context import Context
from modeler.autoscale.observation import (
    ACTIVITY_DONE,
    ARRIVED,
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
    QUEUED_SECONDS,
    READY_SECONDS,
    SCALE_IN_COOLDOWN,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
    UNSCALABLE,
    WALL,
)
from modeler.autoscale.policy import Clock, Policy
from modeler.compiled import entry, kernel
from modeler.scenario.kinds import platform_of
from modeler.scenario.policy import TargetTracking

# Defaults that follow from the metric: (period, publish delay). Periods are documented (SageMaker
# developer guide, endpoint-auto-scaling-add-code-define), delays assumed: no vendor figure exists.
_STANDARD_S = (60.0, 60.0)
_HIGH_RESOLUTION_S = (10.0, 10.0)


class Params(NamedTuple):
    """The settings, in the order in which they are passed."""

    metric: float  # 0: invocations per instance (Sum), 1: concurrency per instance (Average)
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
    ring: float  # datapoints remembered per alarm


# The memory: scalars, then for the high and for the low alarm three rings: value, load, end.
_SAMPLED_AT, _ARRIVED, _CONCURRENCY, _READY_S = 0, 1, 2, 3  # as the last period ended
_LOW_VALUE, _LOW_LOAD, _LOW_LENGTH = 4, 5, 6  # what the low alarm's period holds so far
_LAST_IN_DONE, _IN_ACTIVITY = 7, 8  # completion of the last scale-in [s], 0 none; whether it runs
_HIGH_NEXT, _LOW_NEXT = 9, 10  # next action of the episode [s], 0 when not in ALARM
_HIGHS, _LOWS = 11, 12  # datapoints so far
_RINGS = 13
_HIGH, _LOW = 0, 1
_VALUE, _LOAD, _END = 0, 1, 2
_REPEAT_S = 60.0  # auto-scaling actions repeat once a minute while the state lasts (documented)
_MINUTE_S = 60.0
# Sums and quotients of times carry rounding; what differs from a bound by less is equal to it.
_ROUNDING = 1e-9


@kernel()
def _at(p, alarm, column, n):  # type: ignore[no-untyped-def]
    """Place of an alarm's n-th datapoint in the memory."""
    ring = int(p.ring)
    return _RINGS + (3 * alarm + column) * ring + n % ring


@kernel()
def _add(p, state, alarm, count, value, load, unit, now):  # type: ignore[no-untyped-def]
    """Give an alarm its next datapoint."""
    n = int(state[count])
    state[_at(p, alarm, _VALUE, n)] = value * unit
    state[_at(p, alarm, _LOAD, n)] = load * unit
    state[_at(p, alarm, _END, n)] = now
    state[count] += 1.0


@kernel()
def _unit(p, period_s, length_s):  # type: ignore[no-untyped-def]
    """From a period's sum to the metric: invocations count per minute, concurrency is a mean."""
    return _MINUTE_S / period_s if p.metric == 0.0 else 1.0 / length_s


@kernel()
def _sample(obs, p, state):  # type: ignore[no-untyped-def]
    """Close one period: a datapoint for the high alarm and, where its own ends, the low one.

    Beside the metric each datapoint keeps the load, which is the metric times the replicas it was
    divided by: when their number changes inside a period, neither its last nor its first value is
    the one the metric was normalised by.
    """
    now = obs[NOW]
    length = now - state[_SAMPLED_AT]
    concurrency = obs[IN_FLIGHT_SECONDS] + obs[QUEUED_SECONDS]
    if p.metric == 0.0:
        load = obs[ARRIVED] - state[_ARRIVED]
        value = obs[INVOCATIONS]
    else:
        load = concurrency - state[_CONCURRENCY]
        value = load / max((obs[READY_SECONDS] - state[_READY_S]) / length, 1.0)
    _add(p, state, _HIGH, _HIGHS, value, load, _unit(p, p.period_s, length), now)
    state[_LOW_VALUE] += value
    state[_LOW_LOAD] += load
    state[_LOW_LENGTH] += length
    # The low alarm's periods lie on the wall clock too.
    wall = obs[WALL] + 1e-6
    if np.floor(wall / p.low_period_s) > np.floor((wall - length) / p.low_period_s):
        period_s = max(p.low_period_s, p.period_s)
        unit = _unit(p, period_s, state[_LOW_LENGTH])
        _add(p, state, _LOW, _LOWS, state[_LOW_VALUE], state[_LOW_LOAD], unit, now)
        state[_LOW_VALUE] = 0.0
        state[_LOW_LOAD] = 0.0
        state[_LOW_LENGTH] = 0.0
    state[_SAMPLED_AT] = now
    state[_ARRIVED] = obs[ARRIVED]
    state[_CONCURRENCY] = concurrency
    state[_READY_S] = obs[READY_SECONDS]


@kernel()
def _visible(p, state, alarm, count, until):  # type: ignore[no-untyped-def]
    """Number of an alarm's datapoints that can be judged by now."""
    n = int(state[count])
    oldest = max(n - int(p.ring), 0)
    while n > oldest and state[_at(p, alarm, _END, n - 1)] > until:
        n -= 1
    return n


@kernel()
def _breaching(p, state, alarm, n, datapoints, threshold):  # type: ignore[no-untyped-def]
    """Whether the last `datapoints` of the `n` visible ones all breach; too few never do."""
    if n < datapoints:
        return False
    for back in range(1, int(datapoints) + 1):
        value = state[_at(p, alarm, _VALUE, n - back)]
        if alarm == _HIGH and not value > threshold * (1.0 + _ROUNDING):
            return False
        if alarm == _LOW and not value < threshold * (1.0 - _ROUNDING):
            return False
    return True


@kernel()
def _due(state, slot, in_alarm, now):  # type: ignore[no-untyped-def]
    """Whether an episode's action is due: on entry, then once a minute while it lasts."""
    if not in_alarm:
        state[slot] = 0.0
        return False
    if state[slot] == 0.0 or now >= state[slot] - 1e-9:
        state[slot] = now + _REPEAT_S
        return True
    return False


@kernel()
def capacity_for(load, target):  # type: ignore[no-untyped-def]
    """``ceil(load / target)``, where the load is capacity x metric.

    10 replicas at 150 against 100 go to 15; a change of +1.5 is +2, one of -1.5 is -1. Source:
    docs.aws.amazon.com/autoscaling/ec2/userguide/as-using-sqs-queue.html and
    as-scaling-target-tracking.html.
    """
    return np.ceil(load / target * (1.0 - _ROUNDING))


@kernel()
def _refused(obs, p):  # type: ignore[no-untyped-def]
    """Whether the platform refuses a change: replicas are still starting, or being released."""
    return p.refuse_while_updating != 0.0 and obs[ACTIVITY_DONE] > obs[NOW]


@kernel()
def _scale_out(obs, p, load, out):  # type: ignore[no-untyped-def]
    desired = obs[DESIRED]
    if desired >= obs[MAX]:
        return AT_MAX
    if _refused(obs, p):
        return UNSCALABLE
    wanted = min(capacity_for(load, p.target), obs[MAX])
    if wanted <= desired:
        return AT_DESIRED
    out[OUT_DESIRED] = wanted
    return SCALED_OUT


@kernel()
def _scale_in(obs, p, load, state, out):  # type: ignore[no-untyped-def]
    desired = obs[DESIRED]
    if desired <= obs[MIN]:
        return AT_MIN
    if _refused(obs, p):
        return UNSCALABLE
    done = state[_LAST_IN_DONE]
    if done != 0.0 and obs[NOW] < done + p.scale_in_cooldown_s:
        return SCALE_IN_COOLDOWN
    wanted = max(capacity_for(load, p.target), obs[MIN])
    wanted = max(wanted, desired - p.scale_in_step_limit)
    if wanted >= desired:
        return AT_DESIRED
    out[OUT_DESIRED] = wanted
    return SCALED_IN


@kernel(SIGNATURE)
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
        params[12],
    )
    if event == BUCKET:
        _sample(obs, p, state)
        return NOTHING

    # An activity that has completed starts its cooldown at its completion, not at its decision.
    if state[_IN_ACTIVITY] != 0.0 and obs[ACTIVITY_DONE] <= obs[NOW]:
        state[_LAST_IN_DONE] = obs[ACTIVITY_DONE]
        state[_IN_ACTIVITY] = 0.0

    seen = obs[NOW] - p.delay_s + 1e-6
    highs = _visible(p, state, _HIGH, _HIGHS, seen)
    lows = _visible(p, state, _LOW, _LOWS, seen)
    high = _breaching(p, state, _HIGH, highs, p.high_datapoints, p.target)
    low = _breaching(p, state, _LOW, lows, p.low_datapoints, p.low_threshold_factor * p.target)
    out_due = _due(state, _HIGH_NEXT, high, obs[NOW])
    in_due = _due(state, _LOW_NEXT, low, obs[NOW])
    if out_due:
        out[OUT_METRIC] = state[_at(p, _HIGH, _VALUE, highs - 1)]
        reason = _scale_out(obs, p, state[_at(p, _HIGH, _LOAD, highs - 1)], out)
        if reason == SCALED_OUT:
            # A scale-out cancels what is left of the scale-in cooldown.
            state[_LAST_IN_DONE] = 0.0
            state[_IN_ACTIVITY] = 0.0
        return reason
    if in_due and p.disable_scale_in == 0.0:
        out[OUT_METRIC] = state[_at(p, _LOW, _VALUE, lows - 1)]
        reason = _scale_in(obs, p, state[_at(p, _LOW, _LOAD, lows - 1)], state, out)
        if reason == SCALED_IN:
            state[_LAST_IN_DONE] = np.inf
            state[_IN_ACTIVITY] = 1.0
        return reason
    return NOTHING


_entry = entry(SIGNATURE, decide)


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
    target : float. Requests per instance and minute, or requests in flight and queued per
        instance. [requests/replica]
    period_s : float. The metric's period: 60 standard, 10 high resolution. [s]
    publish_delay_s, alarm_eval_delay_s : float. From a period's end until its datapoint can be
        judged, in two parts. [s]

    The scale-out cooldown does not appear: capacity being added is already credited, so it changes
    no decision (see the module's notes).
    """
    delay_s = publish_delay_s + alarm_eval_delay_s
    # Every datapoint that still waits to be judged, and all that are judged together.
    ring = max(high_datapoints, low_datapoints) + math.ceil(delay_s / period_s) + 2
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
        delay_s=delay_s,
        refuse_while_updating=float(refuse_while_updating),
        scale_in_step_limit=float("inf") if scale_in_step_limit is None else scale_in_step_limit,
        ring=float(ring),
    )
    return Policy(
        kind="target_tracking",
        function=_entry,
        params=np.array(params, dtype=np.float64),
        state_size=_RINGS + 6 * ring,
        minimum=minimum,
        maximum=maximum,
        initial=initial,
        clock=Clock(bucket_s=period_s, tick_s=min(period_s, _REPEAT_S), tick_delay_s=delay_s),
        needs_in_flight=metric != "invocations_per_instance",
        target=float(target),
    )


def from_block(block: TargetTracking, context: Context) -> Policy:
    """Make the policy of a scenario's block."""
    period_s, publish_delay_s = metric_timing(block)
    refuse = block.refuse_while_updating
    if refuse is None:
        refuse = platform_of(context.hosting).refuses_while_updating
    return build(
        metric=block.metric,
        target=target_of(block, slots=context.slots, mean_service_s=context.mean_service_s),
        minimum=context.minimum,
        maximum=context.maximum,
        initial=context.warm,
        period_s=period_s,
        publish_delay_s=publish_delay_s,
        alarm_eval_delay_s=block.alarm_eval_delay_s,
        scale_in_cooldown_s=block.scale_in_cooldown_s,
        disable_scale_in=block.disable_scale_in,
        high_datapoints=block.high_datapoints,
        low_datapoints=block.low_datapoints,
        low_period_s=block.low_period_s,
        low_threshold_factor=block.low_threshold_factor,
        refuse_while_updating=refuse,
        scale_in_step_limit=block.scale_in_step_limit,
    )


def metric_timing(block: TargetTracking) -> tuple[float, float]:
    """Period and publish delay of the tracked metric. [s]"""
    standard = block.metric == "invocations_per_instance"
    period_s, publish_delay_s = _STANDARD_S if standard else _HIGH_RESOLUTION_S
    if block.period_s is not None:
        period_s = block.period_s
    if block.publish_delay_s is not None:
        publish_delay_s = block.publish_delay_s
    return period_s, publish_delay_s


def target_of(block: TargetTracking, *, slots: int, mean_service_s: float) -> float:
    """The target in force: the analyst's, or the same rule at every model size.

    For invocations, ``utilisation x slots x 60 / mean service time`` requests per instance and
    minute; for concurrency, ``utilisation x slots`` requests. [requests/replica]
    """
    if block.target is not None:
        return block.target
    if block.metric == "invocations_per_instance":
        return block.target_utilisation * slots * 60.0 / mean_service_s
    return block.target_utilisation * slots
