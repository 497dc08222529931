"""A step policy and the alarm that invokes it, as the parameters of AWS's own calls."""

from __future__ import annotations

from typing import Any, Final

from modeler.platforms.writers.aws_target import (
    Target,
    metric_of,
    no_cooldown,
    no_warm_up,
    warm_up,
)
from modeler.platforms.writers.refusals import Refusals
from modeler.scenario.policy import StepScaling

_COMPARISONS: Final = {
    ">": "GreaterThanThreshold",
    ">=": "GreaterThanOrEqualToThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
}
# Periods of an alarm: these, and whole minutes (CloudWatch API reference, PutMetricAlarm).
_SHORT_S: Final = (10, 20, 30)


def stepping(block: StepScaling, target: Target, path: str, refusals: Refusals) -> dict[str, Any]:
    """The policy: how much to change the capacity by how far its alarm is breached."""
    steps = []
    for i, step in enumerate(block.steps):
        bounds = {
            "MetricIntervalLowerBound": step.lower, "MetricIntervalUpperBound": step.upper
        }  # fmt: skip
        change = refusals.whole(f"{path}.steps.{i}.adjustment", step.adjustment)
        given = {key: value for key, value in bounds.items() if value is not None}
        steps.append({**given, "ScalingAdjustment": change})
    config: dict[str, Any] = {
        "AdjustmentType": block.adjustment_type,
        "MetricAggregationType": block.metric_aggregation,
        "StepAdjustments": steps,
    }
    if block.min_adjustment_magnitude is not None:
        at = f"{path}.min_adjustment_magnitude"
        config["MinAdjustmentMagnitude"] = refusals.whole(at, block.min_adjustment_magnitude)
    if target.group:
        no_cooldown(block, ("cooldown_s",), path, refusals)
        return {"PolicyType": "StepScaling", **config, **warm_up(block, path, refusals)}
    if block.cooldown_s is not None:
        config["Cooldown"] = refusals.whole(f"{path}.cooldown_s", block.cooldown_s)
    no_warm_up(block, path, refusals)
    return {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": config}


def alarm(
    block: StepScaling, name: str, target: Target, path: str, refusals: Refusals
) -> dict[str, Any]:
    """The alarm that invokes a step policy, which it names by what the platform will call it."""
    period_s = block.period_s or 0.0
    if period_s not in _SHORT_S and (period_s % 60 or not period_s):
        why = "the period of an alarm is 10, 20 or 30 s, or whole minutes"
        refusals.say(f"{path}.period_s", period_s, why, f"{max(round(period_s / 60), 1) * 60}")
    needed = block.datapoints_to_alarm
    arn = f"arn:aws:autoscaling:REGION:ACCOUNT:scalingPolicy:ID:{target.resource}:policyName/{name}"
    return {
        "AlarmName": name,
        **metric_of(block.metric, target, path, refusals),
        "Statistic": block.statistic,
        "Period": int(period_s),
        "EvaluationPeriods": block.evaluation_periods,
        **({} if needed is None else {"DatapointsToAlarm": needed}),
        "Threshold": block.threshold,
        "ComparisonOperator": _COMPARISONS[block.comparison],
        "TreatMissingData": block.treat_missing,
        "AlarmActions": [arn],
    }
