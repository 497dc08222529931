"""What a choice is between: a file of variants, places and worlds (``choice/1``) is read.

Every mistake is told at once, in its line, as those of a scenario are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

import pricing
from modeler.predict.known import known
from modeler.scenario import Problem, ScenarioError
from modeler.scenario.build import in_words
from modeler.scenario.errors import nearest
from modeler.scenario.fields import Block
from modeler.scenario.load import Document, text_of
from modeler.scenario.tree import is_list
from modeler.study.choice_blocks import IN_A_FILE, NEEDED, OF_KIND, Choice, Place, Variant, World
from modeler.study.choice_catalogue import filled

__all__ = ["Choice", "ChoiceError", "Place", "Variant", "World", "examples", "read_choice"]

_EXAMPLES: Final = Path(__file__).with_name("examples")
_LISTS: Final[dict[str, type[Block]]] = {"variants": Variant, "places": Place, "worlds": World}
_FORM: Final = (
    "a choice is a mapping of name, requests_per_second, variants, places and worlds; "
    "docs/choice.md has every key"
)

# An instance that every region has had for years: what is unknown beside it is the region.
_EVERYWHERE: Final = "m5.large"

# Other tools' words for keys of a variant.
_MEANT: Final = {"context": "prompt_tokens", "model": "catalogue", "precision": "dtype"}

_Path = tuple[str | int, ...]


class ChoiceError(ScenarioError):
    """A file that does not say a choice; lists all that is wrong with it, each in its line."""


class _Found(NamedTuple):
    """A problem with its path, and whether it is the key that is wrong."""

    problem: Problem
    path: _Path
    at_key: bool


def examples() -> tuple[str, ...]:
    """Names of the files that come with the tool."""
    return tuple(sorted(path.stem for path in _EXAMPLES.glob("*.yaml")))


def read_choice(source: str | os.PathLike[str]) -> Choice:
    """Read a file, or a shipped example by its name.

    Parameters
    ----------
    source : path or str. YAML 1.2 of the schema ``choice/1``; a file goes before an example.

    Raises
    ------
    ChoiceError
        No such file, no YAML, unknown or missing keys, values that cannot be; all at once.
    """
    name = os.fspath(source)
    path = name
    if not Path(name).exists():
        if name in examples():
            path = str(_EXAMPLES / f"{name}.yaml")
        elif not Path(name).suffix:
            near = nearest(name, examples())
            message = f'no file and no example "{name}": the examples are {", ".join(examples())}'
            raise ChoiceError([Problem(message, nearest=near)])
    try:
        text = text_of(path)
        document = Document(path, text.splitlines(), _FORM)
        written = document.read(text)
    except ScenarioError as error:
        raise ChoiceError(error.problems) from error
    if not written:
        raise ChoiceError([Problem(f"an empty file: {_FORM}", file=path)])
    content, found = filled(written)
    stated = [_Found(problem, path, False) for path, problem in found]
    try:
        choice = Choice.model_validate(content, context=IN_A_FILE)
    except ValidationError as error:
        choice = None
        stated += _told(error.errors(include_url=False), content, stated)
    stated += _contradictions(content, {one.path for one in stated}, stated)
    problems = [document.locate(*one) for one in stated]
    if choice is None or problems or document.problems:
        raise ChoiceError([*document.problems, *problems])
    return choice


def _told(
    details: Sequence[ErrorDetails], content: Mapping[str, Any], known: Sequence[_Found]
) -> list[_Found]:
    """Complaints of pydantic in our words, without those that another problem explains."""
    unknown_keys = [_unknown(each) for each in details if each["type"] == "extra_forbidden"]
    meant = _meant(unknown_keys)
    # What the catalogue would have filled is not missing where the name is wrong.
    empty = {one.path[:2] for one in known if one.path[-1] == "catalogue"}
    found = unknown_keys
    for each in details:
        path: _Path = tuple(each["loc"])
        name = _dotted(path)
        if each["type"] == "missing":
            if path not in meant and path[:2] not in empty:
                problem = Problem(f"{name} is missing{_why(path, content)}", name)
                found.append(_Found(problem, path, True))
        elif each["type"] != "extra_forbidden":
            said, expected, near = in_words(each)
            problem = Problem(f"{name}: {said}", name, each["input"], expected, near)
            found.append(_Found(problem, path, False))
    return found


def _unknown(error: ErrorDetails) -> _Found:
    path: _Path = tuple(error["loc"])
    block = _LISTS.get(str(path[0]), Choice) if len(path) > 1 else Choice
    keys = [field.alias or key for key, field in block.model_fields.items()]
    near = _MEANT.get(str(path[-1]), "") if block is Variant else ""
    near = near or nearest(str(path[-1]), keys)
    message = f'unknown key "{path[-1]}"' + (f" in {_dotted(path[:-1])}" if path[:-1] else "")
    if not near:
        message += f": expected one of {', '.join(keys)}"
    return _Found(Problem(message, _dotted(path), error["input"], nearest=near), path, True)


def _meant(found: Sequence[_Found]) -> set[_Path]:
    """Paths of the keys that were probably meant by unknown ones: they are not missing as well."""
    return {(*one.path[:-1], one.problem.nearest) for one in found if one.at_key}


def _why(path: _Path, content: Mapping[str, Any]) -> str:
    """What may be written for a key of a variant that is missing."""
    if path[0] != "variants" or len(path) < 3:
        return ""
    published = content["variants"][path[1]].get("catalogue")
    if published is None:
        return "; or name a published model with catalogue"
    return f": the catalogue has none of {published}"


def _contradictions(
    content: Mapping[str, Any], broken: set[_Path], told: list[_Found]
) -> Iterator[_Found]:
    """What is wrong between values that are right in themselves."""
    meant = _meant(told)
    for kind in _LISTS:
        seen: dict[str, int] = {}
        for number, item in _items(content, kind):
            name = item.get("name")
            if not isinstance(name, str):
                continue
            if name in seen:
                message = f'{kind}.{number}.name: "{name}" is that of {kind}.{seen[name]} already'
                path: _Path = (kind, number, "name")
                yield _Found(Problem(message, _dotted(path), name), path, False)
            seen.setdefault(name, number)
    for number, place in _items(content, "places"):
        yield from _of_place(number, place, broken, meant)
    for number, variant in _items(content, "variants"):
        named = variant.get("architecture")
        if isinstance(named, str) and named:
            try:
                known(named)
            except LookupError as error:
                path = ("variants", number, "architecture")
                message = f"{_dotted(path)}: {error.args[0]}"
                yield _Found(Problem(message, _dotted(path), named), path, False)
    metrics: dict[str, str] = {}
    for number, variant in _items(content, "variants"):
        metric = variant.get("metric", "")
        if variant.get("accuracy") is None or not isinstance(metric, str):
            continue
        metrics.setdefault(metric, f"variants.{number}")
        if len(metrics) > 1 and metrics[metric] == f"variants.{number}":
            first = next(iter(metrics))
            message = (
                f"variants.{number}: accuracy is of {_quoted(metric)}, that of {metrics[first]} is "
                f"of {_quoted(first)}: only one metric can be compared"
            )
            path = ("variants", number, "metric" if "metric" in variant else "accuracy")
            yield _Found(Problem(message, _dotted(path), metric), path, False)


def _of_place(
    number: int, place: Mapping[str, Any], broken: set[_Path], meant: set[_Path]
) -> Iterator[_Found]:
    kind = place.get("kind")
    here: _Path = ("places", number)
    if not isinstance(kind, str) or kind not in NEEDED:
        return
    for key in NEEDED[kind]:
        if place.get(key) is None and (*here, key) not in broken | meant:
            path = (*here, key)
            message = f"{_dotted(path)} is missing for places.{number}.kind {kind}"
            yield _Found(Problem(message, _dotted(path)), path, True)
    for key, kinds in OF_KIND.items():
        path = (*here, key)
        default = Place.model_fields[key].default
        if (
            kind not in kinds
            and path not in broken
            and place.get(key, default) not in (default, None)
        ):
            message = f"{_dotted(path)} belongs to kind {' or '.join(kinds)}; here kind is {kind}"
            yield _Found(Problem(message, _dotted(path), place[key]), path, True)
    if kind == "device":
        return
    for key, look_up in (("instance", pricing.instance), ("region", _region)):
        value = place.get(key)
        path = (*here, key)
        if not isinstance(value, str) or path in broken:
            continue
        try:
            look_up(value)
        except (pricing.UnknownInstance, pricing.UnknownRegion, pricing.SpecNotFound) as error:
            yield _Found(Problem(f"{_dotted(path)}: {error}", _dotted(path), value), path, False)


def _region(name: str) -> None:
    try:
        pricing.price(_EVERYWHERE, name)
    except pricing.PriceNotFound:
        return


def _items(content: Mapping[str, Any], kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Those items of a list that are mappings, with their numbers."""
    listed = content.get(kind)
    for number, item in enumerate(listed if is_list(listed) else ()):
        if isinstance(item, Mapping):
            yield number, item


def _quoted(metric: str) -> str:
    return f'"{metric}"' if metric else "no metric by name"


def _dotted(path: _Path) -> str:
    return ".".join(str(part) for part in path)
