"""YAML of a description, bounded: aliases that stand for billions of values are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from modeler.predict.architecture.fields import ArchitectureError

_MOST_VALUES: Final = 100_000  # written out, whatever stands for them
_DEEPEST: Final = 50
_BRACKETS: Final = re.compile(r"[\[\]{}]")
_TYPED: Final = tuple(f"tag:yaml.org,2002:{kind}" for kind in ("int", "float", "bool", "null"))


def parsed_yaml(name: str) -> Any:
    """What a file of YAML holds.

    Raises
    ------
    ArchitectureError
        Not YAML, with line and column; nested too deep, or aliases that write out too much.
    """
    try:
        text = Path(name).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ArchitectureError(
            name, [f"not YAML: not a text in UTF-8: byte {error.start}"]
        ) from error
    yaml = YAML(typ="safe", pure=True)
    try:
        _check_brackets(text)
        root = yaml.compose(text)
        if root is None:
            return None
        if _values(root, {}, 0) > _MOST_VALUES:
            raise ArchitectureError(
                name, [f"its aliases (*name) stand for more than {_MOST_VALUES:,} values"]
            )
        return _plain(yaml, root)
    except RecursionError as error:
        said = f"nested deeper than {_DEEPEST}, or an alias that contains itself"
        raise ArchitectureError(name, [f"not YAML that can be read: {said}"]) from error
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ArchitectureError(
            name, [f"not YAML: {where}{error.problem or error.context}"]
        ) from error
    except (YAMLError, ValueError, OverflowError) as error:
        # Numbers of thousands of digits.
        raise ArchitectureError(name, [f"not YAML that can be read: {error}"]) from error


def _check_brackets(text: str) -> None:
    """Refuse what its reader would take seconds for: brackets within brackets."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(depth - 1, 0)
        if depth > _DEEPEST:
            raise RecursionError


def _plain(yaml: YAML, node: Node) -> Any:
    """Numbers, texts, lists and mappings, whose keys are texts as in JSON.

    Raises
    ------
    MarkedYAMLError : a key that is a list or is there twice.
    """
    if isinstance(node, ScalarNode):
        return yaml.constructor.construct_object(node) if node.tag in _TYPED else node.value
    if isinstance(node, SequenceNode):
        return [_plain(yaml, each) for each in node.value]
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, ScalarNode):
            raise MarkedYAMLError(problem="expected a text as key", problem_mark=key.start_mark)
        if key.value in found:
            said = f'key "{key.value[:40]}" is there twice'
            raise MarkedYAMLError(problem=said, problem_mark=key.start_mark)
        found[key.value] = _plain(yaml, value)
    return found


def _values(node: Node, seen: dict[int, int], depth: int) -> int:
    """Values below a node, those behind an alias each time it is used."""
    if depth > _DEEPEST:
        raise RecursionError
    if id(node) not in seen:
        inner: list[Node] = []
        if isinstance(node, SequenceNode):
            inner = node.value
        elif isinstance(node, MappingNode):
            inner = [each for pair in node.value for each in pair]
        seen[id(node)] = 1 + sum(_values(each, seen, depth + 1) for each in inner)
    return seen[id(node)]
