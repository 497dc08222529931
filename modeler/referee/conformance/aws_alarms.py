"""Known answers about CloudWatch: metrics, alarms, how often they act."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from modeler.autoscale import cloudwatch, steps
from modeler.autoscale.cloudwatch import COMPARISONS, STATES, TREATMENTS
from modeler.autoscale.target_tracking import LOW_FACTOR, LOW_FACTOR_EC2
from modeler.referee.conformance.inputs import Inputs
from modeler.referee.parameters import CaseError

Answer = dict[str, Any]


class _Alarms(NamedTuple):
    """What target tracking creates for one metric."""

    factor: float = LOW_FACTOR
    high_period_s: float = 60.0
    high_datapoints: int = 3
    low_period_s: float = 60.0
    low_datapoints: int = 15
    statistic: str = "Average"


# By a part of the metric's name, the first that matches. The counts and factors are observed:
# repost.aws QUf450Wsd9RROGGOIwaolN9w (SageMaker), containers-roadmap 638 and 900 (capacity
# providers: 1 minute above, 15 below the target itself), aws-samples/amazon-aurora-labs-for-mysql,
# number 3. High resolution: period and pace of scale-in documented, the high count assumed.
_ALARMS: Final[tuple[tuple[str, _Alarms], ...]] = (
    ("ECSServiceAverageCPUUtilizationHighResolution", _Alarms(high_period_s=20.0)),
    ("ECSServiceAverageMemoryUtilizationHighResolution", _Alarms(high_period_s=20.0)),
    ("HighResolution", _Alarms(high_period_s=10.0)),
    ("CapacityProvider", _Alarms(factor=1.0, high_datapoints=1)),
    ("ASGAverage", _Alarms(factor=LOW_FACTOR_EC2)),
    ("ALBRequestCountPerTarget", _Alarms(statistic="Sum")),
    ("InvocationsPer", _Alarms(statistic="Sum")),
    ("", _Alarms()),
)
_EC2: Final = ("ec2", "ec2_asg", "ec2_auto_scaling", "autoscaling", "asg")


def alarm_definition(case: Inputs) -> Answer:
    """The two alarms of a target."""
    metric = case.text("metric", "")
    target = case.number("target")
    service = case.text("service", case.text("namespace", case.text("platform", ""))).lower()
    found = next(alarms for part, alarms in _ALARMS if part.lower() in metric.lower())
    if any(service == name or service == f"aws/{name}" for name in _EC2):
        found = found._replace(factor=LOW_FACTOR_EC2)
    if not case.flag("detailed_monitoring", True) and "ASG" in metric:
        found = found._replace(high_period_s=300.0, low_period_s=300.0)
    period_s = case.number("period_s", found.high_period_s)
    factor = case.number("low_threshold_factor", found.factor)
    high = {
        "comparison": ">",
        "threshold": target,
        "period_s": period_s,
        "datapoints": case.whole("high_datapoints", found.high_datapoints),
    }
    low = {
        "comparison": "<",
        "threshold": float(f"{factor * target:.12g}"),
        "period_s": max(case.number("low_period_s", found.low_period_s), period_s),
        "datapoints": case.whole("low_datapoints", found.low_datapoints),
    }
    may_remove = not case.flag("disable_scale_in", False)
    if target <= 0.0:
        return {"error": True}
    for alarm in (high, low):
        alarm["evaluation_periods"] = alarm["datapoints_to_alarm"] = alarm["datapoints"]
        alarm["statistic"] = found.statistic
    answer: Answer = {"high": high, "low": low if may_remove else None}
    for name, alarm in (("high", high), ("low", low)):
        answer |= {f"{name}_{key}": value for key, value in alarm.items()}
    return answer


def state_of(case: Inputs, points: list[float | None], before: str = "INSUFFICIENT_DATA") -> int:
    """State of the alarm that `case` describes after `points`, oldest first."""
    comparison = case.text("comparison", case.text("comparison_operator", ">"))
    if comparison not in COMPARISONS:
        raise CaseError(
            f"comparison: found {comparison!r}, expected one of {', '.join(COMPARISONS)}"
        )
    periods = case.whole("evaluation_periods", None)
    needed = case.whole("datapoints_to_alarm", periods)
    periods = needed if periods is None else periods
    periods = 1 if periods is None else periods
    needed = periods if needed is None else needed
    fill = TREATMENTS[case.text("treat_missing", "missing", choices=tuple(TREATMENTS))]
    values = np.array([np.nan if one is None else one for one in points] or [np.nan])
    state = STATES.index(before)
    return int(
        cloudwatch.alarm_state(
            values,
            0,
            len(values),
            len(values),
            max(len(values), periods),
            COMPARISONS[comparison],
            case.number("threshold"),
            periods,
            needed,
            fill,
            state,
        )
    )


def alarm_evaluation(case: Inputs) -> Answer:
    """The state of an alarm after its datapoints."""
    before = case.text("previous_state", "INSUFFICIENT_DATA", choices=STATES)
    points = case.numbers("datapoints_oldest_first", None)
    if points is None:
        newest = case.numbers("datapoints_newest_first", None)
        points = case.numbers("datapoints", []) if newest is None else newest[::-1]
    case.ignore("period_s", "statistic", "metric")  # the datapoints are there already
    periods = case.whole("evaluation_periods", case.whole("datapoints_to_alarm", 1))
    state = STATES[state_of(case, points, before)]
    if case.whole("datapoints_to_alarm", periods) > periods:
        return {"error": True}
    return {
        "state": state,
        "changed": state != before,
        "fires": state == "ALARM",
        "alarm": state == "ALARM",
    }


def alarm_action_repeat(case: Inputs) -> Answer:
    """When the action of a state is invoked."""
    entered = case.number("entered_at_s", 0.0)
    leaves = case.first("leaves_at_s", "until_s", default=np.inf)
    action = case.text("action", "auto_scaling").lower().replace("-", "_")
    # The action of any state repeats; a case names the state only to say which.
    case.text("state", "ALARM", choices=STATES)
    scales = "scal" in action
    memory = np.zeros(1)
    at, invoked = entered, []
    while at < leaves and cloudwatch.action_due(memory, 0, True, at):
        invoked.append(at)
        if not scales or not np.isfinite(leaves):
            break
        at = float(memory[0])
    return {
        "invocations_at_s": invoked,
        "invocations": len(invoked),
        "count": len(invoked),
        "repeats": scales,
    }


def wake_from_zero(case: Inputs) -> Answer:
    """Whether an alarm at zero capacity fires, and what its step policy makes of it."""
    alarm = case.child("alarm")
    alarm.ignore("metric", "statistic", "period_s")  # the datapoints are there already
    points = case.numbers("datapoints", case.numbers("datapoints_oldest_first", []))
    fires = state_of(alarm, points) == cloudwatch.ALARM
    capacity = case.number("current_capacity", 0.0)
    kind = case.text("adjustment_type", "ChangeInCapacity", choices=tuple(steps.ADJUSTMENTS))
    case.ignore("cooldown_s", "metric_aggregation", "metric_aggregation_type")
    adjustment = case.number("adjustment", 1.0)
    if fires:
        wanted = steps.adjusted(capacity, steps.ADJUSTMENTS[kind], adjustment, 0.0)
        capacity = min(max(wanted, case.number("min", 0.0)), case.number("max", np.inf))
    case.ignore("min", "max")  # bounds of a capacity that does not change
    return {"fires": fires, "capacity": capacity, "state": "ALARM" if fires else "OK"}


def wake_from_zero_duration(case: Inputs) -> Answer:
    """The sum of the phases of a wake-up."""
    answer: Answer = {}
    for unit, seconds in (("min", 60.0), ("s", 1.0)):
        phases = case.raw(f"phases_{unit}", None)
        if phases is not None:
            # Phases follow one another; one that is null takes no time.
            total_s = seconds * sum(float(length or 0.0) for length in phases.values())
            answer = {"total_min": total_s / 60.0, "total_s": total_s}
    if not answer:
        raise CaseError("input.phases_min or input.phases_s is missing")
    return answer


def metric_definition(case: Inputs) -> Answer:
    """The value of a metric over one minute."""
    metric = case.text("metric").lower()
    if "invocationsper" in metric:
        return _invocations(case)
    if "backlogwithoutcapacity" in metric:
        waiting = case.first("queued", "backlog", "queue_length", "queued_requests", default=0.0)
        none_there = case.number("instances", 0.0) == 0.0
        return {"value": float(waiting > 0.0 and none_there)}
    if "backlog" in metric:
        waiting = case.first("queued", "queue_length", "backlog", "backlog_size", default=0.0)
        waiting += case.first("in_progress", "in_flight", "processing", default=0.0)
        return {"value": waiting / max(case.number("instances"), 1.0)}
    if "provisionedconcurrency" in metric:
        used = case.first("used", "in_use", "in_flight", "concurrent_executions", default=0.0)
        return {"value": used / case.first("provisioned", "provisioned_concurrency")}
    if "concurrentrequests" in metric:
        requests = case.first("in_flight", default=0.0) + case.first("queued", default=0.0)
        copies = case.first("copies", "instances", default=1.0)
        return {"value": requests / copies}
    if "utilization" in metric or "utilisation" in metric:
        for key in ("per_device", "per_gpu", "per_core", "devices", "gpus", "cores"):
            parts = case.numbers(key, None)
            if parts is not None:
                # Sums over cores and devices, so that four GPUs span 0 to 400.
                return {"value": sum(parts), "maximum": 100.0 * len(parts)}
    if "nocapacity" in metric:
        return {
            "value": case.first("failures", "failed", "rejected", "failed_requests", default=0.0)
        }
    raise CaseError(f"input.metric: found {metric!r}, which has no definition here")


def _invocations(case: Inputs) -> Answer:
    begin, end = case.numbers("minute", [0.0, 60.0])
    statistic = case.text("statistic", "Sum")
    requests = [
        (request.number("at_s"), request.first("instances", "copies", default=1.0))
        for request in case.rows("requests")
    ]
    parts = [1.0 / instances for at, instances in requests if begin <= at < end]
    total = float(sum(parts))
    count = len(parts)
    values = {
        "Sum": total,
        "Average": total / count if count else 0.0,
        "Minimum": min(parts, default=0.0),
        "Maximum": max(parts, default=0.0),
        "SampleCount": float(count),
    }
    if statistic not in values:
        raise CaseError(f"input.statistic: found {statistic!r}, expected {', '.join(values)}")
    return {"value": values[statistic], "samples": count}


KINDS: Final[dict[str, Callable[[Inputs], Answer]]] = {
    "metric_definition": metric_definition,
    "alarm_definition": alarm_definition,
    "alarm_evaluation": alarm_evaluation,
    "alarm_action_repeat": alarm_action_repeat,
    "wake_from_zero": wake_from_zero,
    "wake_from_zero_duration": wake_from_zero_duration,
}
