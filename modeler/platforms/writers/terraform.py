"""AWS's calls as Terraform: ``aws_appautoscaling_*`` and ``aws_cloudwatch_metric_alarm``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from modeler.platforms.writers.aws import calls_of
from modeler.platforms.writers.refusals import Refusals
from modeler.platforms.writers.text import plain
from modeler.scenario import Scenario

_TARGET: Final = "aws_appautoscaling_target"
_POLICY: Final = "aws_appautoscaling_policy"
_ACTION: Final = "aws_appautoscaling_scheduled_action"
_ALARM: Final = "aws_cloudwatch_metric_alarm"
# The provider's words where they are not AWS's own in lower case.
_WORDS: Final = {
    "PolicyName": "name",
    "ScheduledActionName": "name",
    "StepAdjustments": "step_adjustment",
}
_IDENTITY: Final = ("ServiceNamespace", "ResourceId", "ScalableDimension")


def write_terraform(scenario: Scenario, refusals: Refusals) -> str:
    """The resources of one scalable target; its alarms and policies refer to each other."""
    calls = calls_of(scenario, refusals)
    blocks = [_resource(_TARGET, "this", _lines(one)) for one in calls["ScalableTargets"]]
    labels = {}
    for kind, key in ((_POLICY, "ScalingPolicies"), (_ACTION, "ScheduledActions")):
        for one in calls.get(key, ()):
            name = one.get("PolicyName") or one["ScheduledActionName"]
            labels[name] = f"{kind}.{_label(name)}"
            own = {k: v for k, v in one.items() if k not in _IDENTITY}
            blocks.append(_resource(kind, _label(name), [*_of_target(), *_lines(own)]))
    for one in calls.get("MetricAlarms", ()):
        own = {k: v for k, v in one.items() if k not in ("AlarmActions", "Dimensions")}
        invoked = f"alarm_actions = [{labels[one['AlarmName']]}.arn]"
        which = [f"{_key(d['Name'])} = {_value(d['Value'])}" for d in one.get("Dimensions", ())]
        lines = [*_lines(own), "dimensions = {", *_indented(which), "}", invoked]
        blocks.append(_resource(_ALARM, _label(one["AlarmName"]), lines))
    return "\n".join(blocks)


def _of_target() -> Iterator[str]:
    """What names the target, by reference."""
    for key in _IDENTITY:
        word = _word(key)
        yield f"{word} = {_TARGET}.this.{word}"


def _resource(kind: str, label: str, lines: Iterable[str]) -> str:
    return "\n".join([f'resource "{kind}" "{label}" {{', *_indented(lines), "}"]) + "\n"


def _lines(body: Mapping[str, Any]) -> Iterator[str]:
    """Arguments and blocks; a list of mappings is a block each."""
    for key, value in body.items():
        word = _word(key)
        nested = [value] if isinstance(value, Mapping) else value
        if isinstance(nested, list):
            for one in nested:
                yield f"{word} {{"
                yield from _indented(_lines(one))
                yield "}"
        else:
            yield f"{word} = {_value(value)}"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


def _word(key: str) -> str:
    return _WORDS.get(key) or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).lower()


def _key(name: str) -> str:
    return name if name.isidentifier() else json.dumps(name)


def _label(name: str) -> str:
    """The name of a resource; a hyphen would do, and a digit in front would not."""
    plain_name = re.sub(r"\W", "_", name)
    return plain_name if name[0].isalpha() else f"n{plain_name}"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return plain(float(value))
    # A dollar or a percent sign before a brace would begin a template.
    return re.sub(r"([$%])\{", r"\1\1{", json.dumps(value, ensure_ascii=False))
