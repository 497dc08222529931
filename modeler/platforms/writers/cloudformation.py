"""AWS's calls as a CloudFormation template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ruamel.yaml.comments import TaggedScalar
from ruamel.yaml.scalarstring import DoubleQuotedScalarString
from ruamel.yaml.tag import Tag

from modeler.platforms.writers.aws import calls_of
from modeler.platforms.writers.refusals import Refusals
from modeler.platforms.writers.text import number, to_yaml
from modeler.scenario import Scenario

_IDENTITY: Final = ("ServiceNamespace", "ResourceId", "ScalableDimension")
_TARGET: Final = "ScalableTarget"


def write_template(scenario: Scenario, refusals: Refusals) -> str:
    """The template of one scalable target; scheduled actions belong to it."""
    calls = calls_of(scenario, refusals)
    (target,) = calls["ScalableTargets"]
    actions = [_without(one, _IDENTITY) for one in calls.get("ScheduledActions", ())]
    properties = {**target, **({"ScheduledActions": actions} if actions else {})}
    resources = {_TARGET: _resource("AWS::ApplicationAutoScaling::ScalableTarget", properties)}
    labels = {}
    for one in calls.get("ScalingPolicies", ()):
        label = labels[one["PolicyName"]] = f"Policy{_label(one['PolicyName'])}"
        own = {**_without(one, _IDENTITY), "ScalingTargetId": _ref(_TARGET)}
        resources[label] = _resource("AWS::ApplicationAutoScaling::ScalingPolicy", own)
    for one in calls.get("MetricAlarms", ()):
        own = {**one, "AlarmActions": [_ref(labels[one["AlarmName"]])]}
        label = f"Alarm{_label(one['AlarmName'])}"
        resources[label] = _resource("AWS::CloudWatch::Alarm", own)
    head = {"AWSTemplateFormatVersion": DoubleQuotedScalarString("2010-09-09")}
    return to_yaml({**head, "Resources": resources})


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


def _label(name: str) -> str:
    """A logical name, of letters and digits alone."""
    return "".join(word.capitalize() for word in re.split(r"[^A-Za-z0-9]+", name))
