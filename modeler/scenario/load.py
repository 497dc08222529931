"""A scenario file to a scenario, every mistake with its line and column."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from modeler.scenario.change import check_all, problem_of
from modeler.scenario.errors import Problem, ScenarioError
from modeler.scenario.names import missing_files
from modeler.scenario.paths import Path as SettingPath
from modeler.scenario.paths import dotted
from modeler.scenario.policy_file import ReadPolicy, names_a_policy_file, with_policy_file
from modeler.scenario.schema import Scenario

# Of the scalars YAML knows, those that become something else than text. A date stays text:
# hosting.as_of is one.
_TYPED: Final = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))


def load(
    path: str | os.PathLike[str],
    *,
    check_files: bool = True,
    read_policy: ReadPolicy | None = None,
) -> Scenario:
    """Read a scenario file.

    Parameters
    ----------
    path : path. A YAML 1.2 file, UTF-8. What it does not say keeps its default; files it names
        are looked for beside it.
    check_files : bool. Whether the files it names must be there; not where they are replaced or
        never read.
    read_policy : callable, optional. Reads the file of ``policy: {kind: file}``, as
        `modeler.platforms.load` does.

    Returns
    -------
    Scenario
        Checked whole, the values of ``sweep`` included.

    Raises
    ------
    ScenarioError
        With all problems, each with line and column.
    """
    name = os.fspath(path)
    return loads(text_of(name), file=name, check_files=check_files, read_policy=read_policy)


def text_of(name: str) -> str:
    """The text of a file in UTF-8.

    Raises
    ------
    ScenarioError
        It cannot be read, or is no text.
    """
    try:
        return Path(name).read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise ScenarioError([Problem(f"cannot read {name}: {reason}")]) from error
    except UnicodeDecodeError as error:
        message = f"not a text file in UTF-8: byte {error.start} is {error.object[error.start]:#x}"
        raise ScenarioError([Problem(message, file=name)]) from error


def loads(
    text: str,
    *,
    file: str = "<text>",
    check_files: bool = True,
    read_policy: ReadPolicy | None = None,
) -> Scenario:
    """Read a scenario from text.

    Parameters
    ----------
    text : str. YAML 1.2.
    file : str. The name to show in errors, and the place relative files are looked for beside.
    check_files : bool. Whether the files it names must be there.
    read_policy : callable, optional. As for `load`.

    Raises
    ------
    ScenarioError
        With all problems, each with line and column.
    """
    document = Document(file, text.splitlines())
    data = document.read(text)
    folder = Path(file).parent
    if names_a_policy_file(data):
        data, found = with_policy_file(data, folder, read_policy, document.locate)
        document.problems += found
    missing = missing_files(data, folder) if check_files else ()
    problems = [problem_of(stranger, data, document.locate) for stranger in missing]
    scenario = check_all(data, [*document.problems, *problems], document.locate, from_file=True)
    return _beside(scenario, folder)


@dataclass
class Document:
    """A YAML text with the place of every key and value.

    Parameters
    ----------
    file : str. The name to show in errors.
    lines : list of str. Of the text.
    form : str. What the whole has to be, for the message where it is no mapping.
    """

    file: str
    lines: list[str]
    form: str = "a scenario is a mapping of settings, such as model: {size: 4GB}"
    problems: list[Problem] = field(default_factory=list)
    _values: dict[SettingPath, Node] = field(default_factory=dict)
    _keys: dict[SettingPath, Node] = field(default_factory=dict)

    def read(self, text: str) -> Mapping[str, Any]:
        """Plain data; what is wrong with the text itself is noted or, at worst, raised."""
        yaml = YAML(typ="safe", pure=True)
        try:
            root = yaml.compose(text)
            if root is None:
                return {}
            self._yaml = yaml
            data = self._plain(root, (), ())
        except MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            message = f"not valid YAML: {error.problem or error.context}"
            raise ScenarioError([self._at(Problem(message), mark)]) from error
        except YAMLError as error:
            raise ScenarioError([Problem(f"not valid YAML: {error}", file=self.file)]) from error
        if not isinstance(data, dict):
            raise ScenarioError([self._at(Problem(self.form), root.start_mark)])
        return data

    def locate(self, problem: Problem, path: SettingPath, at_key: bool) -> Problem:
        """The problem with file, line and column of its path, or of the nearest parent."""
        for end in range(len(path), -1, -1):
            here = path[:end]
            node = (self._keys if at_key else self._values).get(here) or self._keys.get(here)
            if node is None and here and isinstance(here[-1], int):
                node = self._values.get(here)  # an item of a list has no key
            if node is None:
                continue
            if end < len(path) and here in self._keys:
                node = self._keys[here]  # something missing: point at the block's name
            return self._at(problem, node.start_mark, node.end_mark)
        return replace(problem, file=self.file)

    def _plain(self, node: Node, path: SettingPath, within: tuple[int, ...]) -> Any:
        self._values[path] = node
        if id(node) in within:
            problem = Problem("an alias that contains itself", dotted(path))
            raise ScenarioError([self._at(problem, node.start_mark)])
        within = (*within, id(node))
        if isinstance(node, ScalarNode):
            if node.tag in _TYPED:
                return self._yaml.constructor.construct_object(node)
            return node.value
        if isinstance(node, SequenceNode):
            return [self._plain(item, (*path, i), within) for i, item in enumerate(node.value)]
        assert isinstance(node, MappingNode)
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            here = (*path, key)
            if key in data:
                first = self._keys[here].start_mark.line + 1
                message = f'key "{key}" is written twice, first in line {first}'
                problem = Problem(message, dotted(here))
                self.problems.append(self._at(problem, key_node.start_mark, key_node.end_mark))
                continue
            self._keys[here] = key_node
            data[key] = self._plain(value_node, here, within)
        return data

    def _at(
        self, problem: Problem, start: StringMark | None, end: StringMark | None = None
    ) -> Problem:
        if start is None:
            return replace(problem, file=self.file)
        width = end.column - start.column if end is not None and end.line == start.line else 1
        return replace(
            problem,
            file=self.file,
            line=start.line + 1,
            column=start.column + 1,
            source_line=self.lines[start.line] if start.line < len(self.lines) else "",
            width=max(1, width),
        )


def _beside(scenario: Scenario, folder: Path) -> Scenario:
    """Turn names of files into paths from here: they were written relative to the scenario."""
    changes: dict[str, Any] = {}
    if "trace" in scenario.model_fields_set:
        changes["trace"] = _from(folder, scenario.trace)
    beside = {}
    for key in ("file", "profile", "architecture"):
        name = getattr(scenario.service, key, None)
        if name is not None:
            beside[key] = (
                _architecture(folder, name) if key == "architecture" else _joined(folder, name)
            )
    if beside:
        changes["service"] = scenario.service.model_copy(update=beside)
    if scenario.cold_start.constants is not None:
        file = _joined(folder, scenario.cold_start.constants)
        changes["cold_start"] = scenario.cold_start.model_copy(update={"constants": file})
    varied = dict(scenario.sweep)
    places: tuple[tuple[str, Callable[[Path, str], str]], ...] = (
        ("trace", _from),
        ("service.file", _joined),
        ("service.profile", _joined),
        ("service.architecture", _architecture),
        ("cold_start.constants", _joined),
    )
    for path, resolve in places:
        if path in varied:
            varied[path] = tuple(resolve(folder, name) for name in varied[path])
            changes["sweep"] = varied
    return scenario.model_copy(update=changes) if changes else scenario


def _from(folder: Path, trace: str) -> str:
    """A trace's path from here; the name of a sample has neither a slash nor a dot."""
    is_file = "/" in trace or os.sep in trace or "." in trace or (folder / trace).exists()
    return _joined(folder, trace) if is_file else trace


def _architecture(folder: Path, name: str) -> str:
    """A configuration's path from here; the name of a published model is none."""
    return _joined(folder, name) if name.endswith(".json") else name


def _joined(folder: Path, name: str) -> str:
    return str(folder / name)
