"""Plain data to a scenario, or to every problem in it."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from modeler.scenario.checks import Conflict, conflicts_between
from modeler.scenario.errors import Problem, ScenarioError, nearest
from modeler.scenario.fields import FROM_FILE, UNREAD
from modeler.scenario.paths import Path, dotted, follow, kind_of, owner_of, place_of, unknown
from modeler.scenario.schema import BLOCKS, CHECKED, Scenario
from modeler.scenario.tree import Shape, default_of, is_list, parts_of, shapes

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
    "multiple_of": ("multiple_of", "a multiple of"),
}


def build(
    data: Mapping[str, Any],
    locate: Locate | None = None,
    *,
    from_file: bool,
    unread: Collection[str] = (),
) -> Scenario:
    """Check everything and make the scenario.

    Parameters
    ----------
    data : mapping. Blocks of settings; quantities as text with units or typed.
    locate : callable, optional. Knows where a path stands in a file.
    from_file : bool. A bare number is then no size.
    unread : collection of str. Blocks that stand at defaults for want of what was written: none of
        the others is held against them.

    Raises
    ------
    ScenarioError
        With all problems.
    """
    try:
        return Scenario.model_validate(
            dict(data), context={FROM_FILE: from_file, UNREAD: frozenset(unread)}
        )
    except ValidationError as error:
        details = error.errors(include_url=False)
    found = [problem for detail in details for problem in _translate(detail, data)]
    if not any(detail["type"] == "conflict" for detail in details):
        # Blocks with mistakes hide contradictions between the others from pydantic, not from us.
        # A key that is unknown does not change what the others of its block say.
        unknown_keys = {path_of(d["loc"]) for d in details if d["type"] == "extra_forbidden"}
        extra: set[Path] = {path for path in unknown_keys if len(path) == 2}
        broken = {path[:2] for _, path, _ in found if path and path not in extra}
        sound, partial = _sound(data, broken, extra, from_file)
        sound = {name: block for name, block in sound.items() if name not in unread}
        found += [_of_conflict(conflict) for conflict in conflicts_between(sound, partial)]
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
    path = path_of(detail["loc"])
    name = dotted(path)
    value = detail["input"]
    if kind_of_error == "extra_forbidden":
        why = unknown(path, data)
        assert why is not None, f"{name} is known and was refused"
        return [(Problem(why.message, name, value, nearest=why.key), path, True)]
    if kind_of_error == "missing":
        owner = owner_of(path, data)
        of_kind = f" for {owner.name}.kind {owner.kind}" if owner.kind else ""
        return [(Problem(f"{name} is missing{of_kind}", name), path, True)]
    if kind_of_error == "union_tag_invalid":
        return [_unknown_kind(path, data)]
    return [_wrong_value(detail, path, data)]


def _unknown_kind(path: Path, data: Mapping[str, Any]) -> _Found:
    place = place_of(path, data)
    choices = list(place.shape.classes)
    expected = f"one of {', '.join(choices)}"
    name = f"{place.name}.kind"
    if not place.kind:
        return Problem(f"{name} is missing: {expected}", name, None, expected), path, False
    message = f'unknown {name} "{place.kind}": {expected}'
    near = nearest(place.kind, choices)
    return Problem(message, name, place.kind, expected, near), (*path, "kind"), False


def _wrong_value(detail: ErrorDetails, path: Path, data: Mapping[str, Any]) -> _Found:
    kind_of_error = detail["type"]
    name, value = dotted(path), detail["input"]
    said, expected, near = in_words(detail)
    shape = place_of(path, data).shape
    one_value = not (shape.listed or shape.keyed or follow(path, data)[1])
    if is_list(value) and one_value and kind_of_error != "entries":
        expected = f"one value; to vary it write sweep: {{{name}: [...]}}"
        said = f"{_shown(value)} is a list: expected {expected}"
    if kind_of_error in ("model_type", "model_attributes_type") and shape.has_kinds:
        said += f", e.g. {{kind: {next(iter(shape.classes))}}}"
    return Problem(f"{name}: {said}", name, value, expected, near), path, False


def in_words(detail: ErrorDetails) -> tuple[str, str, str]:
    """A value that pydantic refuses: what is said of it, what was expected, the nearest choice."""
    kind_of_error = detail["type"]
    context = detail.get("ctx", {})
    value = detail["input"]
    near = ""
    if kind_of_error in ("quantity", "entries"):
        expected = str(context["expected"])
        near = str(context.get("nearest", ""))
        return str(context.get("message", detail["msg"])), expected, near
    if kind_of_error in _BOUNDS:
        key, words = _BOUNDS[kind_of_error]
        expected = f"{words} {context[key]:g}"
    elif kind_of_error == "too_short":
        expected = f"a list of at least {context['min_length']}"
    elif kind_of_error == "literal_error":
        expected = f"one of {context['expected']}".replace("'", "").replace(" or ", ", ")
        choices = expected.removeprefix("one of ").split(", ")
        near = nearest(str(value), choices)
    else:
        expected = _WORDS.get(kind_of_error, detail["msg"].lower())
    return f"{_shown(value)} is not {expected}", expected, near


def _of_conflict(conflict: Conflict) -> _Found:
    problem = Problem(conflict.message, conflict.path, conflict.value, conflict.expected)
    return problem, parts_of(conflict.path), conflict.at_key


def path_of(loc: Sequence[str | int]) -> Path:
    """A path without what pydantic adds: tags of kinds, and names of types in a union."""
    shape = Shape({"": Scenario})
    path: list[str | int] = []
    for part in loc:
        if shape.listed or shape.keyed:
            path.append(part)
            shape = shape._replace(listed=False, keyed=False)
        elif shape.has_kinds:  # the tag
            shape = Shape({"": shape.classes[str(part)]})
        elif shape.classes:
            path.append(part)
            shape = shapes(shape.classes[""]).get(str(part), Shape())
    return tuple(path)


def _sound(
    data: Mapping[str, Any], broken: set[Path], extra: set[Path], from_file: bool
) -> tuple[dict[str, Any], set[str]]:
    """The blocks that hold, each validated on its own, and the names of those written.

    Of a block with mistakes, what is left without them; the names of such blocks come second.
    """
    annotations = get_type_hints(Scenario, include_extras=True)
    blocks: dict[str, Any] = {"said": frozenset(data)}
    partial = set()
    for name in CHECKED:
        wrong = {path[1:] for path in broken if path[0] == name}
        value = data.get(name, default_of(Scenario, name))
        if wrong & {(), ("kind",)} or (wrong and not isinstance(value, Mapping)):
            continue
        keys = {str(key) for (key,) in wrong}
        if name in BLOCKS and (value is None or isinstance(value, Mapping)):
            value = {
                key: one
                for key, one in (value or {}).items()
                if (name, key) not in extra and key not in keys
            }
            kind = kind_of(name, data)
            if kind:
                value["kind"] = kind
        block: TypeAdapter[Any] = TypeAdapter(annotations[name])
        try:
            blocks[name] = block.validate_python(value, context={FROM_FILE: from_file})
        except ValidationError:
            if not keys:
                raise
            continue  # it does not hold without them: one that must be there, say
        for key in keys:
            # Gone, and not at its default, with which a check would find what nobody wrote.
            vars(blocks[name]).pop(key, None)
            partial.add(name)
    return blocks, partial


def _shown(value: object) -> str:
    # YAML's words for what Python calls None and True.
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
