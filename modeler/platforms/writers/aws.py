"""The policies of a scenario as the parameters of AWS's own calls.

Terraform and CloudFormation have the same words in another spelling, so that they are written from
these too.
"""

from __future__ import annotations

from typing import Any

from modeler.platforms.result import PER_REQUEST
from modeler.platforms.writers.aws_metrics import PAIRS, predefined
from modeler.platforms.writers.aws_steps import alarm, stepping
from modeler.platforms.writers.aws_target import (
    Target,
    metric_of,
    no_cooldown,
    no_warm_up,
    target_of,
    warm_up,
)
from modeler.platforms.writers.forms import places
from modeler.platforms.writers.refusals import Refusals
from modeler.scenario import Scenario
from modeler.scenario.policy import Predictive, Scheduled, StepScaling, TargetTracking

Calls = dict[str, list[dict[str, Any]]]


def calls_of(scenario: Scenario, refusals: Refusals) -> Calls:
    """Parameters of the calls that set a scenario's scaling up, by what they make.

    Parameters
    ----------
    scenario : Scenario. With its numbers put in.
    refusals : Refusals. Told of every setting that AWS does not take.
    """
    target = target_of(scenario)
    found: Calls = {"AutoScalingGroups" if target.group else "ScalableTargets": []}
    (targets,) = found.values()
    targets.append(_bounds(scenario, target))
    for i, (path, block) in enumerate(places(scenario), 1):
        name = f"{target.name}-{i}-{getattr(block, 'metric', block.kind)}".replace("_", "-")
        if isinstance(block, Scheduled):
            key = "ScheduledUpdateGroupActions" if target.group else "ScheduledActions"
            found.setdefault(key, []).append(_action(block, name, target, path, refusals))
            continue
        if isinstance(block, TargetTracking):
            policy = _tracking(block, target, path, refusals)
        elif isinstance(block, StepScaling):
            policy = stepping(block, target, path, refusals)
            invoking = alarm(block, name, target, path, refusals)
            found.setdefault("MetricAlarms", []).append(invoking)
        elif isinstance(block, Predictive):
            policy = _predictive(block, target, path, refusals)
        else:
            continue
        identity = {"PolicyName": name, **target.identity}
        found.setdefault("ScalingPolicies", []).append({**identity, **policy})
    return found


def _bounds(scenario: Scenario, target: Target) -> dict[str, Any]:
    low, high = scenario.fleet.min, scenario.fleet.max
    if target.hosting in PER_REQUEST:
        low, high = scenario.hosting.provisioned_bounds  # type: ignore[union-attr]
    if target.group:
        return {**target.identity, "MinSize": low, "MaxSize": high}
    return {**target.identity, "MinCapacity": low, "MaxCapacity": high}


def _tracking(
    block: TargetTracking, target: Target, path: str, refusals: Refusals
) -> dict[str, Any]:
    config: dict[str, Any] = {"TargetValue": block.target}
    vendor = predefined(block.metric, target.hosting)
    if vendor:
        config["PredefinedMetricSpecification"] = {
            "PredefinedMetricType": vendor, **_label(vendor, target)
        }  # fmt: skip
    else:
        metric = metric_of(block.metric, target, path, refusals)
        config["CustomizedMetricSpecification"] = {**metric, "Statistic": "Average"}
    if target.group:
        no_cooldown(block, ("scale_out_cooldown_s", "scale_in_cooldown_s"), path, refusals)
        config["DisableScaleIn"] = block.disable_scale_in
        return {
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingConfiguration": config,
            **warm_up(block, path, refusals),
        }
    for key, ours in (
        ("ScaleOutCooldown", "scale_out_cooldown_s"),
        ("ScaleInCooldown", "scale_in_cooldown_s"),
    ):
        if getattr(block, ours) is not None:
            config[key] = refusals.whole(f"{path}.{ours}", getattr(block, ours))
    config["DisableScaleIn"] = block.disable_scale_in
    no_warm_up(block, path, refusals)
    return {
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": config,
    }


def _label(vendor: str, target: Target) -> dict[str, str]:
    """Whose requests are counted, which no scenario says."""
    if not vendor.startswith("ALB"):
        return {}
    return {"ResourceLabel": f"app/{target.name}/ID/targetgroup/{target.name}/ID"}


def _action(
    block: Scheduled, name: str, target: Target, path: str, refusals: Refusals
) -> dict[str, Any]:
    window = {"StartTime": block.start, "EndTime": block.end}
    given = {key: value for key, value in window.items() if value is not None}
    low, high = ("MinSize", "MaxSize") if target.group else ("MinCapacity", "MaxCapacity")
    wanted = {low: block.min_replicas, high: block.max_replicas}
    bounds = {key: value for key, value in wanted.items() if value is not None}
    head = {"ScheduledActionName": name, **target.identity}
    if not target.group:
        when = {"Schedule": block.schedule, "Timezone": block.timezone}
        return {**head, **when, **given, "ScalableTargetAction": bounds}
    if "(" in block.schedule:
        why = "an EC2 group takes the five fields of a crontab"
        refusals.say(f"{path}.schedule", block.schedule, why, "such as 0 8 * * 1-5")
    return {**head, "Recurrence": block.schedule, "TimeZone": block.timezone, **given, **bounds}


def _predictive(block: Predictive, target: Target, path: str, refusals: Refusals) -> dict[str, Any]:
    pair = PAIRS.get(block.metric, "")
    if not pair:
        why = "a forecast takes one of the vendor's pairs"
        refusals.say(f"{path}.metric", block.metric, why, f"one of {', '.join(PAIRS)}")
    increase = block.max_capacity_behaviour == "increase"
    buffer = block.max_capacity_buffer_percent
    modes = {"forecast_only": "ForecastOnly", "forecast_and_scale": "ForecastAndScale"}
    return {
        "PolicyType": "PredictiveScaling",
        "PredictiveScalingConfiguration": {
            "MetricSpecifications": [
                {
                    "TargetValue": block.target,
                    "PredefinedMetricPairSpecification": {
                        "PredefinedMetricType": pair,
                        **_label(pair, target),
                    },
                }
            ],
            "Mode": modes[block.mode],
            "SchedulingBufferTime": refusals.whole(
                f"{path}.scheduling_buffer_s", block.scheduling_buffer_s
            ),
            "MaxCapacityBreachBehavior": "IncreaseMaxCapacity" if increase else "HonorMaxCapacity",
            **(
                {"MaxCapacityBuffer": refusals.whole(f"{path}.max_capacity_buffer_percent", buffer)}
                if increase
                else {}
            ),
        },
    }
