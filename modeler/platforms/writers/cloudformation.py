"""AWS's calls as a CloudFormation template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ruamel.yaml.comments import TaggedScalar
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tag import Tag

from modeler.platforms.writers.aws import Calls, calls_of
from modeler.platforms.writers.refusals import Refusals
from modeler.platforms.writers.text import number, to_yaml
from modeler.scenario import Scenario

_IDENTITY: Final = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_TARGET: Final = "ScalableTarget"
_GROUP: Final = "AutoScalingGroup"
# Properties that the resources of a group do not have: the stack names them.
_UNNAMED: Final = ("AutoScalingGroupName", "PolicyName", "ScheduledActionName")


def write_template(scenario: Scenario, refusals: Refusals) -> str:
    """The template of one target, with its policies, scheduled actions and alarms."""
    calls = calls_of(scenario, refusals)
    group = "AutoScalingGroups" in calls
    resources = _of_group(calls) if group else _of_target(calls)
    for one in calls.get("MetricAlarms", ()):
        own = {**one, "AlarmActions": [_ref(_policy_label(one["AlarmName"]))]}
        if group:  # the name in its dimension is the stack's
            own["Dimensions"] = [
                {**each, "Value": _ref(_GROUP)} if each["Name"] == "AutoScalingGroupName" else each
                for each in one.get("Dimensions", ())
            ]
        resources[f"Alarm{_label(one['AlarmName'])}"] = _resource("AWS::CloudWatch::Alarm", own)
    head = {"AWSTemplateFormatVersion": DoubleQuotedScalarString("2010-09-09")}
    return to_yaml({**head, "Resources": resources})


def _of_target(calls: Calls) -> dict[str, Any]:
    """A scalable target, to which its scheduled actions belong, and its policies."""
    (target,) = calls["ScalableTargets"]
    actions = [_without(one, _IDENTITY) for one in calls.get("ScheduledActions", ())]
    properties = {**target, **({"ScheduledActions": actions} if actions else {})}
    found = {_TARGET: _resource("AWS::ApplicationAutoScaling::ScalableTarget", properties)}
    for one in calls.get("ScalingPolicies", ()):
        own = {**_without(one, _IDENTITY), "ScalingTargetId": _ref(_TARGET)}
        label = _policy_label(one["PolicyName"])
        found[label] = _resource("AWS::ApplicationAutoScaling::ScalingPolicy", own)
    return found


def _of_group(calls: Calls) -> dict[str, Any]:
    """A group, with stand-ins for what no scenario knows, its policies and actions."""
    (group,) = calls["AutoScalingGroups"]
    sizes = {  # which the template has as text
        key: DoubleQuotedScalarString(value) if key != "AutoScalingGroupName" else value
        for key, value in group.items()
    }
    launch = {"LaunchTemplateId": "LAUNCH_TEMPLATE", "Version": DoubleQuotedScalarString("1")}
    properties = {**sizes, "VPCZoneIdentifier": ["SUBNET"], "LaunchTemplate": launch}
    found = {_GROUP: _resource("AWS::AutoScaling::AutoScalingGroup", properties)}
    for one in calls.get("ScalingPolicies", ()):
        own = {"AutoScalingGroupName": _ref(_GROUP), **_without(one, _UNNAMED)}
        label = _policy_label(one["PolicyName"])
        found[label] = _resource("AWS::AutoScaling::ScalingPolicy", own)
    for one in calls.get("ScheduledUpdateGroupActions", ()):
        own = {"AutoScalingGroupName": _ref(_GROUP), **_without(one, _UNNAMED)}
        label = f"Action{_label(one['ScheduledActionName'])}"
        found[label] = _resource("AWS::AutoScaling::ScheduledAction", own)
    return found


def _resource(kind: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"Type": kind, "Properties": _plain(properties)}


def _plain(value: Any) -> Any:
    """Whole numbers without a point, and times as text."""
    if isinstance(value, Mapping):
        return {
            key: DoubleQuotedScalarString(item) if key in ("StartTime", "EndTime") else _plain(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return number(value) if isinstance(value, float) else value


def _without(body: Mapping[str, Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if key not in keys}


def _ref(label: str) -> TaggedScalar:
    return TaggedScalar(value=label, style=None, tag=Tag(suffix="!Ref"))


def _policy_label(name: str) -> str:
    return f"Policy{_label(name)}"


def _label(name: str) -> str:
    """A logical name, of letters and digits alone."""
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", name))
