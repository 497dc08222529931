"""Application Auto Scaling and EC2 Auto Scaling, as their command line prints and takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from modeler.platforms.document import Part
from modeler.platforms.quantities import flag, number, whole
from modeler.platforms.result import PER_REQUEST, PolicyFile
from modeler.scenario.policy.aws import VENDOR_METRICS

# What a target is, from its scalable dimension; and from how its resource is called, where a file
# has the identifier alone.
_DIMENSIONS: Final = {
    "sagemaker:variant:DesiredInstanceCount": "sagemaker_realtime",
    "sagemaker:inference-component:DesiredCopyCount": "sagemaker_components",
    "sagemaker:variant:DesiredProvisionedConcurrency": "sagemaker_serverless",
    "lambda:function:ProvisionedConcurrency": "lambda",
    "ecs:service:DesiredCount": "ecs_fargate",
}
_SERVICES: Final = (None, "sagemaker", "lambda", "ecs")
_RESOURCES: Final = (
    ("endpoint/", "sagemaker:variant:DesiredInstanceCount"),
    ("inference-component/", "sagemaker:inference-component:DesiredCopyCount"),
    ("function:", "lambda:function:ProvisionedConcurrency"),
    ("service/", "ecs:service:DesiredCount"),
)
# Only asynchronous endpoints publish these; their dimension is that of real-time ones.
_ASYNC_METRICS: Final = ("backlog_per_instance", "has_backlog_without_capacity")
# Keys of a document that is one policy, or the bare configuration of one, and its type.
ALONE: Final = {
    "PolicyType": "",
    "TargetTrackingScalingPolicyConfiguration": "TargetTrackingScaling",
    "TargetTrackingConfiguration": "TargetTrackingScaling",
    "StepScalingPolicyConfiguration": "StepScaling",
    "StepAdjustments": "StepScaling",
    "PredictiveScalingConfiguration": "PredictiveScaling",
    "TargetValue": "TargetTrackingScaling",
}
_TYPES: Final = {
    "TargetTrackingScaling": "target_tracking",
    "StepScaling": "step_scaling",
    "PredictiveScaling": "predictive",
}
_PAIRS: Final = {
    "ASGCPUUtilization": "cpu_utilisation",
    "ALBRequestCount": "invocations_per_instance",
}
_MODES: Final = {"ForecastOnly": "forecast_only", "ForecastAndScale": "forecast_and_scale"}
_BREACHES: Final = {"HonorMaxCapacity": "honour", "IncreaseMaxCapacity": "increase"}
_NO_ALARM: Final = (
    "names an alarm that is not in this file (add the MetricAlarms of describe-alarms)"
)
_IDENTITY: Final = (
    "PolicyARN", "PolicyName", "ServiceNamespace", "ResourceId", "ScalableDimension", "Alarms",
    "CreationTime", "AutoScalingGroupName", "Enabled", "ScalableTargetARN", "RoleARN",
    "ScheduledActionName", "ScheduledActionARN", "Tags", "PredictedCapacity",
)  # fmt: skip


def read_targets(document: Part, name: str = "") -> PolicyFile:
    """What one scalable target has: policies, bounds and scheduled actions.

    Parameters
    ----------
    document : Part. ``ScalingPolicies``, ``ScalableTargets``, ``ScheduledActions`` or
        ``ScheduledUpdateGroupActions``, in any combination; one policy as ``put-scaling-policy``
        takes it; or the bare configuration of one.
    name : str. A part of the target's name, or the name of one policy, where there are several.
    """
    document.ignore("NextToken")
    alone = any(key in document for key in ALONE)
    policies = [document] if alone else document.parts("ScalingPolicies")
    bounds = [*document.parts("ScalableTargets"), *document.parts("AutoScalingGroups")]
    actions = [
        *document.parts("ScheduledActions"),
        *document.parts("ScheduledUpdateGroupActions"),
    ]
    alarms = document.parts("MetricAlarms")
    wanted = [part for part in policies if name and part.get("PolicyName") == name]
    if wanted:
        for part in policies:
            if part not in wanted:
                part.ignore(*part)
        policies, name = wanted, _target(wanted[0])
    everything = [*policies, *bounds, *actions]
    chosen = _chosen(document, everything, policies, name)
    everything = _of(everything, chosen)
    file = PolicyFile(document.source, f"scalable target {chosen}".rstrip(), "")
    file.hosting = _hosting(document, everything)
    if file.hosting == "ec2_asg":
        file.title = f"Auto Scaling group {chosen}".rstrip()
    for parts, read in ((policies, _policy), (bounds, _bounds), (actions, _action)):
        for part in _of(parts, chosen):
            part.ignore(*_IDENTITY)
            read(file, part, alarms)
    if file.hosting == "sagemaker_realtime" and any(
        policy.get("metric") in _ASYNC_METRICS for policy in file.policies
    ):
        file.hosting = "sagemaker_async"
    if _of(policies, chosen) and not file.policies and not document.source.problems:
        why = "none of its policies is one that a replay knows"
        if any(_NO_ALARM in note for note in document.source.notes):
            why += (
                ": a step policy acts on an alarm; add the MetricAlarms that describe-alarms prints"
            )
        document.problem("ScalingPolicies", why)
    return file


def _of(parts: Sequence[Part], chosen: str) -> list[Part]:
    """Those of one target; what belongs to others is not looked at."""
    mine = []
    for part in parts:
        if _target(part) in ("", chosen):
            mine.append(part)
        else:
            part.ignore(*part)
    return mine


def _hosting(document: Part, parts: Sequence[Part]) -> str:
    """Which ``hosting.kind`` the target is; a group's parts have its name."""
    if any("AutoScalingGroupName" in part for part in parts):
        return "ec2_asg"
    for part in parts:
        dimension = part.get("ScalableDimension")
        key = "ScalableDimension"
        if dimension is None and part.get("ServiceNamespace") not in _SERVICES:
            key, dimension = "ServiceNamespace", part.get("ServiceNamespace")
        if dimension is None:
            resource = _target(part)
            dimension = next((d for mark, d in _RESOURCES if mark in resource), None)
        if dimension is None:
            continue
        found = _DIMENSIONS.get(str(dimension))
        if found is None:
            known = ", ".join(_DIMENSIONS)
            part.problem(key, f"{part.name_of(key)}: {dimension} is not modelled: one of {known}")
        if found == "ecs_fargate":
            part.source.note(part.node_of(key), "an ECS service, taken to run on Fargate")
        return found or "sagemaker_realtime"
    return "sagemaker_realtime"


def _chosen(document: Part, parts: Sequence[Part], policies: Sequence[Part], name: str) -> str:
    """The one target that is meant."""
    targets = list(dict.fromkeys(_target(part) for part in parts if _target(part)))
    fitting = [target for target in targets if name in target]
    if len(fitting) > 1 or (name and not fitting):
        called = [str(part.get("PolicyName")) for part in policies if part.get("PolicyName")]
        choices = ", ".join([*targets, *dict.fromkeys(called)])
        why = (
            f'no target or policy is called "{name}"' if not fitting else f"{len(fitting)} targets"
        )
        if choices:
            why = f"{why}: name one of {choices}"
        document.problem("", why, name, f"one of {choices}")
    return fitting[0] if fitting else ""


def _target(part: Part) -> str:
    return str(part.get("ResourceId") or part.get("AutoScalingGroupName") or "")


def _policy(file: PolicyFile, part: Part, alarms: Sequence[Part]) -> None:
    type_ = part.get("PolicyType") or next(
        (kind for key, kind in ALONE.items() if key in part and kind), "TargetTrackingScaling"
    )
    at = f"policies.{len(file.policies)}"
    file.places[at] = part.node
    if type_ not in _TYPES:
        expected = f"one of {', '.join(_TYPES)}"
        part.problem("PolicyType", f"{part.name_of('PolicyType')}: {type_!r} is not {expected}")
    elif type_ == "TargetTrackingScaling":
        _tracking(file, part, at)
    elif type_ == "StepScaling":
        _steps(file, part, at, alarms)
    else:
        _predictive(file, part, at)


def _tracking(file: PolicyFile, part: Part, at: str) -> None:
    ec2 = "TargetTrackingConfiguration" in part
    key = "TargetTrackingConfiguration" if ec2 else "TargetTrackingScalingPolicyConfiguration"
    config = part if "TargetValue" in part else part.part(key)
    target = config.read("TargetValue", number)
    if target is None:
        config.problem("TargetValue", f"{config.name_of('TargetValue')} is missing")
    read = {
        "kind": "target_tracking",
        "metric": _metric(config),
        "target": target,
        "scale_out_cooldown_s": config.read("ScaleOutCooldown", whole),
        "scale_in_cooldown_s": config.read("ScaleInCooldown", whole),
        "disable_scale_in": config.read("DisableScaleIn", flag),
        "instance_warmup_s": part.read("EstimatedInstanceWarmup", whole),
    }
    for name, ours in (
        ("TargetValue", "target"),
        ("ScaleOutCooldown", "scale_out_cooldown_s"),
        ("ScaleInCooldown", "scale_in_cooldown_s"),
    ):
        file.places[f"{at}.{ours}"] = config.node_of(name)
    file.places[f"{at}.metric"] = config.node
    file.policies.append({name: value for name, value in read.items() if value is not None})


def _metric(config: Part) -> str | None:
    """What is tracked; a metric of one's own is known by its name."""
    predefined = config.part("PredefinedMetricSpecification")
    custom = config.part("CustomizedMetricSpecification")
    predefined.ignore("ResourceLabel")
    name = predefined.get("PredefinedMetricType") or custom.get("MetricName")
    if name is None:
        expected = "PredefinedMetricSpecification or CustomizedMetricSpecification.MetricName"
        config.problem("", f"{config.path}: no metric is named: expected {expected}")
        return None
    custom.ignore("Namespace", "Dimensions", "Unit", "Statistic")
    found = VENDOR_METRICS.get(str(name))
    if found is None:
        known = ", ".join(VENDOR_METRICS)
        where = predefined if "PredefinedMetricType" in predefined else custom
        key = "PredefinedMetricType" if where is predefined else "MetricName"
        where.problem(key, f"{where.name_of(key)}: {name} is not modelled: one of {known}", name)
    return found


def _steps(file: PolicyFile, part: Part, at: str, alarms: Sequence[Part]) -> None:
    """A step policy and the alarm that invokes it, which its description only names."""
    config = (
        part.part("StepScalingPolicyConfiguration")
        if ("StepScalingPolicyConfiguration" in part)
        else part
    )
    steps = [
        {
            "lower": step.read("MetricIntervalLowerBound", number),
            "upper": step.read("MetricIntervalUpperBound", number),
            "adjustment": step.read("ScalingAdjustment", number),
        }
        for step in config.parts("StepAdjustments")
    ]
    alarm = _alarm(part, alarms)
    if alarm is None:
        part.leave_out("step policy", _NO_ALARM)
        return
    name = str(alarm.get("MetricName", ""))
    metric = VENDOR_METRICS.get(name)
    if metric is None:
        alarm.problem("MetricName", f"{alarm.name_of('MetricName')}: {name} is not modelled", name)
    alarm.ignore(*alarm)
    signs = {
        "GreaterThanThreshold": ">",
        "GreaterThanOrEqualToThreshold": ">=",
        "LessThanThreshold": "<",
        "LessThanOrEqualToThreshold": "<=",
    }
    read = {
        "kind": "step_scaling",
        "metric": metric,
        "threshold": alarm.read("Threshold", number),
        "comparison": alarm.choice("ComparisonOperator", signs, "") or None,
        "period_s": alarm.read("Period", whole),
        "statistic": alarm.get("Statistic"),
        "evaluation_periods": alarm.read("EvaluationPeriods", whole),
        "datapoints_to_alarm": alarm.read("DatapointsToAlarm", whole),
        "treat_missing": alarm.get("TreatMissingData"),
        "adjustment_type": config.get("AdjustmentType"),
        "steps": steps,
        "min_adjustment_magnitude": config.read("MinAdjustmentMagnitude", number),
        "metric_aggregation": config.get("MetricAggregationType"),
        "cooldown_s": config.read("Cooldown", whole),
        "instance_warmup_s": part.read("EstimatedInstanceWarmup", whole),
    }
    file.places[f"{at}.steps"] = config.node_of("StepAdjustments")
    file.policies.append({name: value for name, value in read.items() if value is not None})


def _predictive(file: PolicyFile, part: Part, at: str) -> None:
    """A forecast, as EC2 Auto Scaling has it; of several metrics the first."""
    config = part.part("PredictiveScalingConfiguration")
    first, *others = config.parts("MetricSpecifications") or [config.part("MetricSpecifications")]
    for other in others:
        other.leave_out("a second metric")
    pair = first.part("PredefinedMetricPairSpecification")
    pair.ignore("ResourceLabel")
    read = {
        "kind": "predictive",
        "metric": pair.choice("PredefinedMetricType", _PAIRS, "") or None,
        "target": first.read("TargetValue", number),
        "mode": config.choice("Mode", _MODES, "") or None,
        "scheduling_buffer_s": config.read("SchedulingBufferTime", whole),
        "max_capacity_behaviour": config.choice("MaxCapacityBreachBehavior", _BREACHES, "") or None,
        "max_capacity_buffer_percent": config.read("MaxCapacityBuffer", number),
    }
    file.places[f"{at}.target"] = first.node_of("TargetValue")
    file.policies.append({name: value for name, value in read.items() if value is not None})


def _alarm(part: Part, alarms: Sequence[Part]) -> Part | None:
    """The alarm that invokes a policy: by the name that the policy gives it, or by its action."""
    names = {str(one.get("AlarmName")) for one in part.parts("Alarms")}
    for one in part.parts("Alarms"):
        one.ignore(*one)
    for alarm in alarms:
        if str(alarm.get("AlarmName")) in names:
            return alarm
    arn, name = str(part.get("PolicyARN", "")), str(part.get("PolicyName", ""))
    ending = f"{_target(part)}:policyName/{name}"
    for alarm in alarms:
        actions = alarm.get("AlarmActions")
        for action in actions if isinstance(actions, list) else []:
            if (arn and action == arn) or (name and str(action).endswith(ending)):
                return alarm
    return None


def _bounds(file: PolicyFile, part: Part, alarms: Sequence[Part]) -> None:
    fewest, most = "fleet.min", "fleet.max"
    if file.hosting in PER_REQUEST:
        fewest, most = "hosting.provisioned_concurrency", "hosting.provisioned_max"
    group = "AutoScalingGroupName" in part
    low, high = ("MinSize", "MaxSize") if group else ("MinCapacity", "MaxCapacity")
    for key, path in ((low, fewest), (high, most)):
        if key in part:
            file.others[path] = part.read(key, whole)
            file.places[path] = part.node_of(key)
    state = part.part("SuspendedState")
    suspended = [key for key in state if state.get(key) is True]
    state.ignore(*state)
    if suspended:
        text = f"suspended ({', '.join(suspended)}), which is not modelled: it scales here"
        part.source.note(part.node_of("SuspendedState"), text)


def _action(file: PolicyFile, part: Part, alarms: Sequence[Part]) -> None:
    group = "AutoScalingGroupName" in part
    action = part if group else part.part("ScalableTargetAction")
    low, high = ("MinSize", "MaxSize") if group else ("MinCapacity", "MaxCapacity")
    at = f"policies.{len(file.policies)}"
    file.places[at] = part.node
    read = {
        "kind": "scheduled",
        "schedule": part.get("Recurrence" if group else "Schedule"),
        "timezone": part.get("TimeZone" if group else "Timezone"),
        "min_replicas": action.read(low, whole),
        "max_replicas": action.read(high, whole),
        "start": part.get("StartTime"),
        "end": part.get("EndTime"),
    }
    for key, ours in ((low, "min_replicas"), (high, "max_replicas")):
        file.places[f"{at}.{ours}"] = action.node_of(key)
    file.places[f"{at}.schedule"] = part.node_of("Recurrence" if group else "Schedule")
    part.not_modelled("DesiredCapacity", "the capacity moves into the bounds alone")
    file.policies.append({name: value for name, value in read.items() if value is not None})
