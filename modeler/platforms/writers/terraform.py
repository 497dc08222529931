"""AWS's calls as Terraform: ``aws_appautoscaling_*``, ``aws_autoscaling_*`` and alarms."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from modeler.platforms.writers.aws import calls_of
from modeler.platforms.writers.refusals import Refusals
from modeler.platforms.writers.text import plain
from modeler.scenario import Scenario

_ALARM: Final = "aws_cloudwatch_metric_alarm"
# What is made of each kind of call: of a scalable target, and of an EC2 Auto Scaling group.
_TARGET: Final = "aws_appautoscaling_target"
_GROUP: Final = "aws_autoscaling_group"
_KINDS: Final = {
    _TARGET: {
        "ScalingPolicies": "aws_appautoscaling_policy",
        "ScheduledActions": "aws_appautoscaling_scheduled_action",
    },
    _GROUP: {
        "ScalingPolicies": "aws_autoscaling_policy",
        "ScheduledUpdateGroupActions": "aws_autoscaling_schedule",
    },
}
# The provider's words where they are not AWS's own in lower case.
_WORDS: Final = {
    _TARGET: {
        "PolicyName": "name",
        "ScheduledActionName": "name",
        "StepAdjustments": "step_adjustment",
    },
    _GROUP: {
        "AutoScalingGroupName": "autoscaling_group_name",
        "PolicyName": "name",
        "StepAdjustments": "step_adjustment",
        "MetricSpecifications": "metric_specification",
        "Dimensions": "metric_dimension",
    },
}
_IDENTITY: Final = {
    _TARGET: ("ServiceNamespace", "ResourceId", "ScalableDimension"),
    _GROUP: ("AutoScalingGroupName",),
}
# A schedule that leaves one as it is: the provider takes its absence for 0.
_SIZES: Final = {"min_size": -1, "max_size": -1, "desired_capacity": -1}
# What a group needs besides, and no scenario knows.
_OWN: Final = (
    'vpc_zone_identifier = ["SUBNET"]',
    "launch_template {",
    '  id = "LAUNCH_TEMPLATE"',
    "}",
)


def write_terraform(scenario: Scenario, refusals: Refusals) -> str:
    """The resources of one target; its alarms and policies refer to each other."""
    calls = calls_of(scenario, refusals)
    owner = _GROUP if "AutoScalingGroups" in calls else _TARGET
    words = _WORDS[owner]
    blocks = []
    if owner == _GROUP:
        (group,) = calls["AutoScalingGroups"]
        own = _lines(group, {"AutoScalingGroupName": "name"})
        blocks.append(_resource(owner, "this", [*own, *_OWN]))
    else:
        blocks.append(_resource(owner, "this", _lines(calls["ScalableTargets"][0], words)))
    labels = {}
    for key, kind in _KINDS[owner].items():
        for one in calls.get(key, ()):
            name = one.get("PolicyName") or one["ScheduledActionName"]
            labels[name] = f"{kind}.{_label(name)}"
            own = _lines({k: v for k, v in one.items() if k not in _IDENTITY[owner]}, words)
            lines = [*_of_owner(owner), *own]
            if kind == "aws_autoscaling_schedule":
                given = {line.partition(" ")[0] for line in lines}
                lines += [f"{key} = {none}" for key, none in _SIZES.items() if key not in given]
            blocks.append(_resource(kind, _label(name), lines))
    for one in calls.get("MetricAlarms", ()):
        own = _lines({k: v for k, v in one.items() if k not in ("AlarmActions", "Dimensions")}, {})
        invoked = f"alarm_actions = [{labels[one['AlarmName']]}.arn]"
        which = [f"{d['Name']} = {_value(d['Value'])}" for d in one.get("Dimensions", ())]
        lines = [*own, "dimensions = {", *_indented(which), "}", invoked]
        blocks.append(_resource(_ALARM, _label(one["AlarmName"]), lines))
    return "\n".join(blocks)


def _of_owner(owner: str) -> Iterator[str]:
    """What names the target, by reference."""
    if owner == _GROUP:
        yield f"autoscaling_group_name = {_GROUP}.this.name"
        return
    for key in _IDENTITY[owner]:
        word = _word(key, {})
        yield f"{word} = {_TARGET}.this.{word}"


def _resource(kind: str, label: str, lines: Iterable[str]) -> str:
    body = _aligned(_indented(lines))
    return "\n".join([f'resource "{kind}" "{label}" {{', *body, "}"]) + "\n"


def _aligned(lines: list[str]) -> Iterator[str]:
    """Lines with the equals signs of neighbours one below the other, as terraform fmt has them."""

    def level(line: str) -> int:
        """How far an argument of one line is indented; -1 for anything else."""
        single = " = " in line and not line.endswith("{")
        return len(line) - len(line.lstrip()) if single else -1

    for depth, run in groupby(lines, level):
        found = list(run)
        if depth < 0:
            yield from found
            continue
        width = max(line.index(" = ") for line in found)
        for line in found:
            name, _, value = line.partition(" = ")
            yield f"{name:<{width}} = {value}"


def _lines(body: Mapping[str, Any], words: Mapping[str, str]) -> Iterator[str]:
    """Arguments and blocks; a list of mappings is a block each."""
    for key, value in body.items():
        word = _word(key, words)
        nested = [value] if isinstance(value, Mapping) else value
        if isinstance(nested, list):
            for one in nested:
                yield f"{word} {{"
                yield from _indented(_lines(one, words))
                yield "}"
        else:
            yield f"{word} = {_value(value)}"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _word(key: str, words: Mapping[str, str]) -> str:
    return words.get(key) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()


def _label(name: str) -> str:
    """The name of a resource, which may not begin with a digit."""
    label = re.sub(r"\W", "_", name)
    return label if name[0].isalpha() else f"n{label}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return plain(float(value))
    # A dollar or a percent sign before a brace would begin a template.
    return re.sub(r"([$%])\{", r"\1\1{", json.dumps(value, ensure_ascii=False))
