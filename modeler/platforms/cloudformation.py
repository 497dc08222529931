"""A CloudFormation template as what the command line prints of the same scalable targets.

So that the one reader of such files reads it. Parameters stand for their defaults. Where a value
only names something, an intrinsic function may stay as it is written; where it decides, what cannot
be told without deploying is refused with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.tag import Tag

from modeler.platforms.document import Part, Source
from modeler.scenario import Problem

_TARGET: Final = "AWS::ApplicationAutoScaling::ScalableTarget"
_POLICY: Final = "AWS::ApplicationAutoScaling::ScalingPolicy"
_GROUP: Final = "AWS::AutoScaling::AutoScalingGroup"
_GROUP_POLICY: Final = "AWS::AutoScaling::ScalingPolicy"
_GROUP_ACTION: Final = "AWS::AutoScaling::ScheduledAction"
_SCALES: Final = (_TARGET, _POLICY, _GROUP_POLICY, _GROUP_ACTION)
_OF_GROUP: Final = {
    _GROUP: "AutoScalingGroups",
    _GROUP_POLICY: "ScalingPolicies",
    _GROUP_ACTION: "ScheduledUpdateGroupActions",
}
_ALARM: Final = "AWS::CloudWatch::Alarm"
_IDENTITY: Final = ("ServiceNamespace", "ResourceId", "ScalableDimension")
# What only names: nothing that is scaled depends on it.
_NAMES: Final = frozenset(
    (
        "ResourceId", "RoleARN", "PolicyName", "AlarmName", "Namespace", "Name", "Value", "Tags",
        "AlarmActions", "OKActions", "InsufficientDataActions", "AlarmDescription",
        "ActionsEnabled", "ScheduledActionName", "ScalingTargetId", "ResourceLabel", "Unit",
        "AutoScalingGroupName",
    )
)  # fmt: skip
_STRING: Final = "tag:yaml.org,2002:str"
_HOLE: Final = re.compile(r"\$\{([^!{}][^{}]*)\}")


def is_template(part: Part) -> bool:
    """Whether a document is a template with something that scales in it."""
    found = _pairs(part.node_of("Resources")) if "Resources" in part else {}
    return any(_type(node) in _SCALES for node in found.values())


def printed(part: Part) -> Part:
    """The template's targets, policies, actions and alarms as the command line prints them.

    Parameters
    ----------
    part : Part. A template; its mistakes are noted in its source.
    """
    every = _pairs(part.node_of("Resources"))
    types = [_type(node) for node in every.values()]
    kinds = [*_SCALES, _ALARM]
    if _GROUP_POLICY in types or _GROUP_ACTION in types:
        kinds.append(_GROUP)  # else nothing scales it
    resources = {name: node for name, node in every.items() if _type(node) in kinds}
    parameters = _pairs(part.node_of("Parameters")) if "Parameters" in part else {}
    template = _Template(
        part.source, {name: _pairs(node).get("Default") for name, node in parameters.items()}
    )
    found: dict[str, list[Node]] = {}
    told = {name: _pairs(template.told(_deciding(node), "")) for name, node in resources.items()}
    for name, node in resources.items():
        if "Condition" in _pairs(node):
            part.source.note(node, f"Resources.{name}: taken to be made, whatever its Condition")
        for key, entry in _entries(name, resources, told):
            found.setdefault(key, []).append(_mapping(entry, node))
    start, end = part.node.start_mark, part.node.end_mark
    lists: dict[str, Node] = {
        key: SequenceNode(None, nodes, start, end) for key, nodes in found.items()
    }
    return Part(part.source, _mapping(lists, part.node))


def _entries(
    name: str, resources: dict[str, Node], told: dict[str, dict[str, Node]]
) -> Iterator[tuple[str, dict[str, Node]]]:
    """What the command line prints of one resource: the list it stands in, and its entry."""
    node, own = resources[name], dict(told[name])
    kind = _type(node)
    if kind == _ALARM:
        yield "MetricAlarms", own
    elif kind == _TARGET:
        identity = _identity(name, own, node)
        actions = own.pop("ScheduledActions", None)
        yield "ScalableTargets", {**own, **identity}
        for action in actions.value if isinstance(actions, SequenceNode) else ():
            yield "ScheduledActions", {**_pairs(action), **identity}
    elif kind == _POLICY:
        of = _name_in(own.pop("ScalingTargetId", None))
        target = _identity(of, told[of], resources[of]) if of in told else {}
        yield "ScalingPolicies", {**target, **own, "PolicyARN": _text(name, node)}
    else:
        of = name if kind == _GROUP else _name_in(own.get("AutoScalingGroupName"))
        group = told.get(of, {}).get("AutoScalingGroupName")
        entry = {**own, "AutoScalingGroupName": group or _text(of, node)}
        if kind == _GROUP_POLICY:
            entry["PolicyARN"] = _text(name, node)
        yield _OF_GROUP[kind], entry


def _deciding(node: Node) -> Node:
    """The properties of a resource; of a group those that count, its bounds and its name."""
    properties = _pairs(node).get("Properties", _mapping({}, node))
    if _type(node) != _GROUP:
        return properties
    kept = ("AutoScalingGroupName", "MinSize", "MaxSize")
    return _mapping({k: v for k, v in _pairs(properties).items() if k in kept}, properties)


def _identity(name: str, own: dict[str, Node], node: Node) -> dict[str, Node]:
    """What names a target; where its resource cannot be told, its name in the template does."""
    resource = own.get("ResourceId", _text(name, node))
    return {"ResourceId": resource, **{key: own[key] for key in _IDENTITY if key in own}}


@dataclass(frozen=True)
class _Template:
    """What references in a template come to."""

    source: Source
    defaults: dict[str, Node | None]

    def told(self, node: Node, key: str) -> Node:
        """A value with its intrinsic functions followed, here and below."""
        called = _called(node)
        if called is not None:
            found = self._value(*called, node, key)
            if found is None:
                name = called[0]
                if key not in _NAMES:
                    message = (
                        f"{key or 'Properties'}: what {name} comes to is known once it is "
                        "deployed: write the value"
                        + (", or give the parameter a Default" if name == "Ref" else "")
                    )
                    problem = Problem(message, key, expected="a value")
                    self.source.problems.append(self.source.located(problem, node))
                found = _text(f"{name} of the template", node)
            return found
        if isinstance(node, MappingNode):
            pairs = {
                name: self.told(value, name)
                for name, value in _pairs(node).items()
                if not _is_absent(value)
            }
            return _mapping(pairs, node)
        if isinstance(node, SequenceNode):
            items = [self.told(item, key) for item in node.value]
            return SequenceNode(node.ctag, items, node.start_mark, node.end_mark)
        return node

    def _value(self, name: str, argument: Node, place: Node, key: str) -> Node | None:
        """What one intrinsic function comes to; None where that cannot be told."""
        if name == "Ref" and isinstance(argument, ScalarNode):
            if argument.value in self.defaults:
                return self.defaults[argument.value]
            return _text(argument.value, place)
        if name == "GetAtt":
            several = isinstance(argument, SequenceNode) and argument.value
            first = argument.value[0] if several else argument
            return _text(str(first.value).partition(".")[0], place)
        if name == "Sub" and isinstance(argument, ScalarNode):
            text = _HOLE.sub(self._filled, argument.value)
            return _text(text, place) if key in _NAMES or not _HOLE.search(text) else None
        return None

    def _filled(self, hole: re.Match[str]) -> str:
        default = self.defaults.get(hole[1].strip())
        return str(default.value) if isinstance(default, ScalarNode) else hole[0]


def _called(node: Node) -> tuple[str, Node] | None:
    """The name of an intrinsic function and its argument, in the short form or in the long."""
    tag = str(node.tag or "")
    if tag.startswith("!") and len(tag) > 1:
        return tag[1:], node
    if isinstance(node, MappingNode) and len(node.value) == 1:
        ((key, value),) = node.value
        if key.value == "Ref" or str(key.value).startswith("Fn::"):
            return str(key.value).removeprefix("Fn::"), value
    return None


def _is_absent(node: Node) -> bool:
    """Whether a template takes a property away, as ``!Ref AWS::NoValue``."""
    called = _called(node)
    return called is not None and called[0] == "Ref" and called[1].value == "AWS::NoValue"


def _pairs(node: Node) -> dict[str, Node]:
    return dict(_items(node))


def _items(node: Node) -> Iterator[tuple[str, Node]]:
    if isinstance(node, MappingNode):
        yield from ((str(key.value), value) for key, value in node.value)


def _name_in(node: Node | None) -> str:
    return str(node.value) if isinstance(node, ScalarNode) else ""


def _type(node: Node) -> str:
    found = _pairs(node).get("Type")
    return str(found.value) if isinstance(found, ScalarNode) else ""


def _mapping(pairs: dict[str, Node], place: Node) -> MappingNode:
    keyed = [(_text(key, value), value) for key, value in pairs.items()]
    return MappingNode(Tag(suffix="tag:yaml.org,2002:map"), keyed, place.start_mark, place.end_mark)


def _text(text: str, place: Node) -> ScalarNode:
    return ScalarNode(Tag(suffix=_STRING), text, place.start_mark, place.end_mark)
