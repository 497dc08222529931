"""Terraform's scaling as the command line prints it, for the one reader of such files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ruamel.yaml.nodes import Node

from modeler.platforms.document import Part, Source, parsed
from modeler.platforms.terraform_read import Module, Resource, Unknown, read_module
from modeler.scenario import Problem, ScenarioError

TARGET: Final = "aws_appautoscaling_target"
POLICIES: Final = "aws_appautoscaling_policy"
_ACTION: Final = "aws_appautoscaling_scheduled_action"
_GROUP: Final = "aws_autoscaling_group"
_GROUP_POLICY: Final = "aws_autoscaling_policy"
_GROUP_ACTION: Final = "aws_autoscaling_schedule"
_ALARM: Final = "aws_cloudwatch_metric_alarm"
# Blocks that stand for a list, by Terraform's name, with AWS's.
_LISTS: Final = {
    "step_adjustment": "StepAdjustments", "dimensions": "Dimensions", "metrics": "Metrics",
    "metric_specification": "MetricSpecifications", "metric_dimension": "Dimensions",
}  # fmt: skip
_LEFT: Final = (
    "id", "arn", "tags", "tags_all", "alarm_arns", "region", "count", "for_each", "depends_on",
    "lifecycle", "provider",
)  # fmt: skip
_OF_GROUP: Final = {"autoscaling_group_name": "AutoScalingGroupName"}
_NAMES: Final = {
    POLICIES: {"name": "PolicyName"},
    _ACTION: {"name": "ScheduledActionName"},
    _GROUP: {"name": "AutoScalingGroupName"},
    _GROUP_POLICY: {"name": "PolicyName", **_OF_GROUP},
    _GROUP_ACTION: _OF_GROUP,
}


@dataclass
class _Configured(Source):
    """Terraform, of which what is read has no lines of its own."""

    def located(self, problem: Problem, node: Node) -> Problem:
        """A problem with its file."""
        return replace(problem, file=self.name)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was said, in the order in which it was read."""
        return tuple(f"{self.name}: {text}" for _, text in sorted(self.noted))


def terraform_documents(path: str | Path) -> list[Part]:
    """What a ``.tf`` file or a folder of them scales, as the command line prints it.

    Raises
    ------
    ScenarioError : nothing in it scales, or a mistake in it.
    """
    gaps: list[str] = []
    found = printed_of(read_module(path), gaps)
    if not found:
        expected = f"{TARGET} or {POLICIES}"
        message = f"{path} holds no {expected}"
        raise ScenarioError([Problem(message, file=str(path), expected=expected)])
    text = json.dumps(found, indent=1)  # lines, so that what is said of it keeps its order
    source = _Configured(str(path), text.splitlines(), [(0, gap) for gap in gaps])
    return parsed(source, text)


def printed_of(module: Module, gaps: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Targets, policies, actions and alarms as the command line prints them."""
    found: dict[str, list[dict[str, Any]]] = {}
    alarms = module.of(_ALARM)
    for kind, key in _PRINTED:
        for one in module.of(kind):
            if kind == _GROUP and not module.of(_GROUP_POLICY, _GROUP_ACTION):
                continue  # nothing scales it
            body = _camel(module, one, _deciding(module, one), gaps, _NAMES.get(kind, {}))
            if kind in (POLICIES, _GROUP_POLICY):
                # Terraform's defaults, the second of them a policy that no replay knows.
                usual = "StepScaling" if kind == POLICIES else "SimpleScaling"
                body.setdefault("PolicyType", usual)
                mine = [alarm for alarm in alarms if _invokes(module, alarm, one)]
                body["Alarms"] = [{"AlarmName": _alarm_name(module, alarm)} for alarm in mine]
            elif kind == _ALARM:
                body["AlarmName"] = _alarm_name(module, one)
            found.setdefault(key, []).append(body)
    return found if found.keys() - {"MetricAlarms"} else {}


_PRINTED: Final = (
    (TARGET, "ScalableTargets"), (_GROUP, "AutoScalingGroups"), (POLICIES, "ScalingPolicies"),
    (_GROUP_POLICY, "ScalingPolicies"), (_ACTION, "ScheduledActions"),
    (_GROUP_ACTION, "ScheduledUpdateGroupActions"), (_ALARM, "MetricAlarms"),
)  # fmt: skip


def _deciding(module: Module, one: Resource) -> Mapping[str, Any]:
    """What of a resource is printed; of a group its bounds, and its name where that is not known.

    A schedule's -1 leaves a bound as it is.
    """
    if one.type not in (_GROUP, _GROUP_POLICY, _GROUP_ACTION):
        return one.body
    key = "name" if one.type == _GROUP else "autoscaling_group_name"
    called = module.value(one.body.get(key))
    if isinstance(called, Unknown):
        called = called.expression
    if one.type == _GROUP:
        kept = {each: one.body[each] for each in ("min_size", "max_size") if each in one.body}
        return {key: called or f"{one.address}.name", **kept}
    left = {each for each in _SIZES if module.value(one.body.get(each)) == -1}
    body = {each: value for each, value in one.body.items() if each not in left}
    groups = module.of(_GROUP)
    only = f"{groups[0].address}.name" if len(groups) == 1 else "group"
    return {**body, key: called or only}


_SIZES: Final = ("min_size", "max_size", "desired_capacity")


def _invokes(module: Module, alarm: Resource, policy: Resource) -> bool:
    actions = module.value(alarm.body.get("alarm_actions"))
    arns = (policy.address, module.value(policy.body.get("arn")))
    return isinstance(actions, list) and any(action in arns for action in actions)


def _alarm_name(module: Module, alarm: Resource) -> str:
    said = module.value(alarm.body.get("alarm_name"))
    return said if isinstance(said, str) else alarm.name


def _camel(
    module: Module,
    owner: Resource,
    body: Mapping[str, Any],
    gaps: list[str],
    names: Mapping[str, str],
) -> dict[str, Any]:
    """Arguments by AWS's names; what is not known is named and left out."""
    found: dict[str, Any] = {}
    for key, written in body.items():
        if key in _LEFT or (not names and key == "name" and owner.type == TARGET):
            continue
        value = module.value(written)
        if isinstance(value, Unknown):
            gaps.append(f"{owner.file}: {owner.address}: {key} is {value.expression}")
            continue
        if isinstance(value, str) and "${" in value and key != "resource_id":
            gaps.append(f"{owner.file}: {owner.address}: {key} is {value}")
            continue
        ours = names.get(key) or "".join(word.capitalize() for word in key.split("_"))
        if value is None or value == "" or value == []:
            continue
        if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
            blocks = [_camel(module, owner, item, gaps, {}) for item in value]
            found[_LISTS.get(key, ours)] = blocks if key in _LISTS else blocks[0]
        elif isinstance(value, Mapping) and key == "dimensions":
            found["Dimensions"] = [{"Name": k, "Value": v} for k, v in value.items()]
        elif isinstance(value, Mapping):
            found[ours] = _camel(module, owner, value, gaps, {})
        else:
            found[ours] = _number(value) if key.startswith("metric_interval") else value
    return found


def _number(value: Any) -> Any:
    """Bounds of steps, which a state keeps as text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value
