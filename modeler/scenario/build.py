"""Plain data to a scenario, or to every problem in it."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from modeler.scenario.checks import Conflict, conflicts_between
from modeler.scenario.errors import Problem, ScenarioError, nearest
from modeler.scenario.fields import FROM_FILE
from modeler.scenario.paths import explain_unknown, kind_of
from modeler.scenario.schema import BLOCKS, KINDS, Scenario

Path = tuple[str | int, ...]
# Adds file, line and column to a problem at a path; the flag asks for the key, not its value.
Locate = Callable[[Problem, Path, bool], Problem]

_WORDS: Final = {
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "text that is not empty",
    "model_type": "a mapping of settings",
    "model_attributes_type": "a mapping of settings",
    "dict_type": "a mapping of settings",
    "tuple_type": "a list of values",
}
_BOUNDS: Final = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}


def build(data: Mapping[str, Any], locate: Locate | None = None, *, from_file: bool) -> Scenario:
    """Check everything and make the scenario.

    Parameters
    ----------
    data : mapping. Blocks of settings; quantities as text with units or typed.
    locate : callable, optional. Knows where a path stands in a file.
    from_file : bool. A bare number is then no size.

    Raises
    ------
    ScenarioError
        With all problems.
    """
    try:
        return Scenario.model_validate(dict(data), context={FROM_FILE: from_file})
    except ValidationError as error:
        details = error.errors(include_url=False)
    found = [problem for detail in details for problem in _translate(detail, data)]
    if not any(detail["type"] == "conflict" for detail in details):
        # Blocks with mistakes hide contradictions between the others from pydantic, not from us.
        broken = {path[0] for _, path, _ in found if path}
        found += [_of_conflict(c) for c in conflicts_between(_sound(data, broken, from_file))]
    if locate is None:
        raise ScenarioError([problem for problem, _, _ in found])
    raise ScenarioError([locate(problem, path, key) for problem, path, key in found])


_Found = tuple[Problem, Path, bool]


def _translate(detail: ErrorDetails, data: Mapping[str, Any]) -> Sequence[_Found]:
    """One complaint of pydantic in our words, with the path the analyst wrote."""
    kind_of_error = detail["type"]
    context = detail.get("ctx", {})
    if kind_of_error == "conflict":
        return [_of_conflict(conflict) for conflict in context["conflicts"]]
    path = _path_of(detail["loc"])
    dotted = ".".join(str(part) for part in path)
    value = detail["input"]
    block = str(path[0]) if path else ""
    if kind_of_error == "extra_forbidden":
        kind = kind_of(block, data.get(block))
        message, near = explain_unknown(dotted, kind)
        return [(Problem(message, dotted, value, nearest=near), path, True)]
    if kind_of_error == "missing":
        of_kind = f" for {block}.kind {kind_of(block, data.get(block))}" if block in KINDS else ""
        message = f"{dotted} is missing{of_kind}"
        return [(Problem(message, dotted), path, True)]
    if kind_of_error == "union_tag_invalid":
        choices = list(KINDS[block])
        written = kind_of(block, value)
        expected = f"one of {', '.join(choices)}"
        message = f'unknown {block}.kind "{written}": {expected}'
        near = nearest(written, choices)
        return [
            (Problem(message, f"{block}.kind", written, expected, near), (*path, "kind"), False)
        ]
    return [_wrong_value(detail, path, dotted, value)]


def _wrong_value(detail: ErrorDetails, path: Path, dotted: str, value: object) -> _Found:
    kind_of_error = detail["type"]
    context = detail.get("ctx", {})
    near = ""
    if kind_of_error in ("quantity", "entries"):
        expected = str(context["expected"])
        said = str(context.get("message", detail["msg"]))
    else:
        if kind_of_error in _BOUNDS:
            key, words = _BOUNDS[kind_of_error]
            expected = f"{words} {context[key]:g}"
        elif kind_of_error == "literal_error":
            expected = f"one of {context['expected']}".replace("'", "").replace(" or ", ", ")
            choices = expected.removeprefix("one of ").split(", ")
            near = nearest(str(value), choices)
        else:
            expected = _WORDS.get(kind_of_error, detail["msg"].lower())
        said = f"{_shown(value)} is not {expected}"
    is_list = isinstance(value, list | tuple) and kind_of_error != "entries"
    if is_list and len(path) == 2 and path[0] in BLOCKS:
        expected = f"one value; to vary it write sweep: {{{dotted}: [...]}}"
        said = f"{_shown(value)} is a list: expected {expected}"
    if kind_of_error in ("model_type", "model_attributes_type") and dotted in KINDS:
        said += f", e.g. {{kind: {next(iter(KINDS[dotted]))}}}"
    return Problem(f"{dotted}: {said}", dotted, value, expected, near), path, False


def _of_conflict(conflict: Conflict) -> _Found:
    path: Path = tuple(conflict.path.split("."))
    problem = Problem(conflict.message, conflict.path, conflict.value, conflict.expected)
    return problem, path, False


def _path_of(loc: Sequence[str | int]) -> Path:
    """Drop what pydantic adds: the kind's tag after a block's name."""
    if len(loc) > 1 and loc[0] in KINDS:
        return (loc[0], *loc[2:])
    return tuple(loc)


def _sound(data: Mapping[str, Any], broken: set[str | int], from_file: bool) -> dict[str, Any]:
    """The blocks that hold, each validated on its own."""
    annotations = get_type_hints(Scenario, include_extras=True)
    blocks: dict[str, Any] = {}
    for name in BLOCKS:
        if name in broken:
            continue
        if name in data:
            block: TypeAdapter[Any] = TypeAdapter(annotations[name])
            blocks[name] = block.validate_python(data[name], context={FROM_FILE: from_file})
        else:
            blocks[name] = Scenario.model_fields[name].get_default(call_default_factory=True)
    return blocks


def _shown(value: object) -> str:
    # YAML's words for what Python calls None and True.
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
