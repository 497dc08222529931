"""A policy file as text with places: every value knows its line, every key whether it was read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from modeler.scenario import Problem, ScenarioError, UnitError

T = TypeVar("T")
_TYPED: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))


@dataclass
class Source:
    """The text of a file, and what has been said about it.

    Attributes
    ----------
    name : str. The file.
    lines : list of str. Its text.
    noted : list of (int, str). What is read and not modelled, each with its line.
    problems : list of Problem. What is wrong.
    """

    name: str
    lines: list[str]
    noted: list[tuple[int, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def note(self, node: Node, text: str) -> None:
        """Say something about a place."""
        self.noted.append((node.start_mark.line + 1, text))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was said, in the order of the file."""
        return tuple(f"{self.name}:{line}: {text}" for line, text in sorted(self.noted))

    def located(self, problem: Problem, node: Node) -> Problem:
        """A problem with its place."""
        mark, end = node.start_mark, node.end_mark
        width = end.column - mark.column if end.line == mark.line else 1
        return Problem(
            **{
                **vars(problem),
                "file": self.name,
                "line": mark.line + 1,
                "column": mark.column + 1,
                "source_line": self.lines[mark.line] if mark.line < len(self.lines) else "",
                "width": max(1, width),
            }
        )


class Part:
    """A mapping in a policy file; remembers which of its keys were read.

    Attributes
    ----------
    source : Source. The file.
    node : Node. Where it stands.
    path : str. Its path in the file, such as ``spec.metrics.0``.
    """

    def __init__(self, source: Source, node: MappingNode, path: str = "") -> None:
        self.source, self.node, self.path = source, node, path
        self._values: dict[str, Node] = {}
        self._below: dict[str, list[Part]] = {}
        self._read: set[str] = set()
        self._left_out = False
        for key, value in node.value:
            self._values[str(key.value)] = value

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def node_of(self, key: str) -> Node:
        """Where the value of a key stands; the mapping itself where it is missing."""
        return self._values.get(key, self.node)

    def __iter__(self) -> Iterator[str]:
        """All keys, read or not."""
        return iter(self._values)

    def get(self, key: str, default: Any = None) -> Any:
        """A plain value: numbers and flags typed, the rest as text; lists and mappings whole."""
        self._read.add(key)
        value = _plain(self._values[key]) if key in self._values else None
        return default if value is None else value

    def read(self, key: str, parse: Callable[[Any], T], default: T | None = None) -> T | None:
        """A value read by a parser; what it refuses is noted as a problem of its place."""
        value = self.get(key)
        if value is None:
            return default
        try:
            return parse(value)
        except (UnitError, ValueError) as error:
            self.problem(key, f"{self.name_of(key)}: {error}", value)
            return default

    def choice(self, key: str, choices: dict[str, T], default: T) -> T:
        """One of the platform's words for ours."""
        value = self.get(key)
        if value is None:
            return default
        if str(value) not in choices:
            expected = f"one of {', '.join(choices)}"
            self.problem(key, f"{self.name_of(key)}: {value!r} is not {expected}", value, expected)
            return default
        return choices[str(value)]

    def part(self, key: str) -> Part:
        """A mapping below; an empty one where there is none."""
        found = self._parts(key, [self._values[key]] if key in self._values else [])
        if found:
            return found[0]
        # It stands where it is missing.
        empty = MappingNode(None, [], self.node.start_mark, self.node.end_mark)
        return Part(self.source, empty, self.name_of(key))

    def parts(self, key: str) -> list[Part]:
        """The mappings of a list below."""
        node = self._values.get(key)
        if node is not None and not isinstance(node, SequenceNode):
            self.problem(key, f"{self.name_of(key)} is not a list", _plain(node), "a list")
            return []
        return self._parts(key, node.value if node is not None else [])

    def ignore(self, *keys: str) -> None:
        """What identifies and does not decide."""
        self._read.update(keys)

    def not_modelled(self, key: str, why: str = "") -> None:
        """Say that a value is read and has no effect here."""
        self._read.add(key)
        if key in self._values:
            text = f"{self.name_of(key)} is not modelled"
            self.source.note(self._values[key], f"{text}: {why}" if why else f"{text}, left out")

    def problem(self, key: str, message: str, value: object = None, expected: str = "") -> None:
        """Note a mistake at a key."""
        found = Problem(message, self.name_of(key), value, expected)
        self.source.problems.append(self.source.located(found, self.node_of(key)))

    def name_of(self, key: str) -> str:
        """The path of a key."""
        return f"{self.path}.{key}" if self.path else key

    def leave_out(self, what: str, why: str = "is not modelled") -> None:
        """Say that the whole mapping has no effect here."""
        self._left_out = True
        text = f"{self.path}: {what}" if self.path else what
        self.source.note(self.node, f"{text} {why}, left out")

    def say_unread(self) -> None:
        """Note every key, here and below, that nothing read."""
        if self._left_out:
            return
        for key in self._values:
            if key in self._below:
                for part in self._below[key]:
                    part.say_unread()
            elif key not in self._read:
                self.not_modelled(key)

    def _parts(self, key: str, nodes: list[Node]) -> list[Part]:
        if key in self._below:
            return self._below[key]
        found = []
        several = isinstance(self._values.get(key), SequenceNode)
        for i, node in enumerate(nodes):
            path = f"{self.name_of(key)}.{i}" if several else self.name_of(key)
            if isinstance(node, MappingNode):
                found.append(Part(self.source, node, path))
            elif _plain(node) is not None:
                problem = Problem(f"{path} is not a mapping", path, _plain(node), "a mapping")
                self.source.problems.append(self.source.located(problem, node))
        if key in self._values:
            self._below[key] = found
        return found


def documents(file: str | Path) -> list[Part]:
    """The documents of a YAML or JSON file.

    Raises
    ------
    ScenarioError : cannot be read, is no YAML or JSON, or holds no mapping; with line and column.
    """
    name = str(file)
    try:
        text = Path(file).read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise ScenarioError([Problem(f"cannot read {name}: {reason}")]) from error
    except UnicodeDecodeError as error:
        message = f"not a text file in UTF-8: byte {error.start} is {error.object[error.start]:#x}"
        raise ScenarioError([Problem(message, file=name)]) from error
    return parsed(Source(name, text.splitlines()), text)


def parsed(source: Source, text: str) -> list[Part]:
    """The documents of a text in YAML or JSON; as `documents`."""
    name = source.name
    if name.endswith(".json") or text.lstrip().startswith(("{", "[")):
        _check_json(source, text)
    try:
        nodes = [node for node in YAML(typ="safe", pure=True).compose_all(text) if node is not None]
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = f"not valid YAML: {error.problem or error.context}"
        place = (mark.line + 1, mark.column + 1) if mark else (None, None)
        raise ScenarioError([_at(source, message, *place)]) from error
    except YAMLError as error:
        raise ScenarioError([Problem(f"not valid YAML: {error}", file=name)]) from error
    parts = list(_mappings(source, nodes))
    if not parts:
        raise ScenarioError([Problem("holds no policy: expected a mapping", file=name)])
    return parts


def _mappings(source: Source, nodes: list[Node]) -> Iterator[Part]:
    """Documents that are mappings, and the items of a Kubernetes List."""
    for node in nodes:
        if not isinstance(node, MappingNode):
            continue
        part = Part(source, node)
        if part.get("kind") == "List" and "items" in part:
            yield from part.parts("items")
        else:
            yield part


def _check_json(source: Source, text: str) -> None:
    """YAML reads JSON, and takes for granted what JSON refuses."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        message = f"not valid JSON: {error.msg.lower()}"
        raise ScenarioError([_at(source, message, error.lineno, error.colno)]) from error


def _at(source: Source, message: str, line: int | None, column: int | None) -> Problem:
    shown = source.lines[line - 1] if line and line <= len(source.lines) else ""
    return Problem(message, file=source.name, line=line, column=column, source_line=shown)


def _plain(node: Node) -> Any:
    if isinstance(node, ScalarNode):
        if node.tag in _TYPED:
            return YAML(typ="safe", pure=True).constructor.construct_object(node)
        return node.value
    if isinstance(node, SequenceNode):
        return [_plain(item) for item in node.value]
    return {str(key.value): _plain(value) for key, value in node.value}
