"""What a choice is between: a file of variants, places and worlds (``choice/1``)."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from modeler.predict.catalogue import UnknownVariant, variants
from modeler.scenario import UnitError, parse_size

EXAMPLES: Final = Path(__file__).with_name("examples")


class ChoiceError(Exception):
    """A file that does not say a choice; lists all that is wrong with it."""

    exit_code: Final = 2

    def __init__(self, file: str, problems: list[str]) -> None:
        self.file, self.problems = file, tuple(problems)
        super().__init__(file, self.problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.file}: {problem}" for problem in self.problems)


def _size(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_size(value)
    except UnitError as error:
        raise ValueError(str(error)) from error


Bytes = Annotated[int, BeforeValidator(_size), Field(gt=0)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Variant(_Block):
    """One model that may be chosen.

    Accuracy is the analyst's or a publication's, in the metric's own unit; a variant without one
    passes no limit on accuracy. ``latency_s`` is one inference on a machine of speed 1; without it
    a place's compute budget and ``flops``, or the rule of one-pass models and ``network``, say it.
    ``cv`` is the spread of that time, over its mean. ``catalogue`` names a published model, whose
    row fills what is not written.
    """

    name: str = Field(min_length=1)
    catalogue: str | None = None
    size: Bytes
    latency_s: Positive | None = None
    cv: NotNegative = 0.0
    flops: Positive | None = None
    network: str | None = None
    accuracy: float | None = None
    metric: str = ""
    source: str = Field(min_length=1)
    parameters: Positive | None = None
    training_tokens: Positive | None = None
    training_flops: Positive | None = None

    @property
    def training(self) -> float | None:
        """Operations of its training: as given, else 6 x parameters x tokens. [FLOP]"""
        if self.training_flops is not None:
            return self.training_flops
        if self.parameters is not None and self.training_tokens is not None:
            return 6.0 * self.parameters * self.training_tokens
        return None


class Place(_Block):
    """Where a variant may run.

    ``device``: in the user's hand, with a budget of memory, storage and operations a second, no
    network and no bill. ``cloud``: instances behind a round trip, always on, in front of which
    requests queue. ``batch``: instances started for a queue and stopped after, whose answer comes
    at the deadline; without ``start_s`` a start takes its predicted median.
    """

    name: str = Field(min_length=1)
    kind: Literal["device", "cloud", "batch"]
    speed: Positive = 1.0
    source: str = Field(min_length=1)
    memory: Bytes | None = None
    storage: Bytes | None = None
    flops_per_s: Positive | None = None
    instance: str | None = None
    region: str = "us-east-1"
    round_trip_s: NotNegative = 0.0
    utilisation: Annotated[float, Field(gt=0, le=1)] = 0.6
    deadline_s: Positive | None = None
    start_s: NotNegative | None = None
    watts: Positive | None = None


class World(_Block):
    """What has to hold: limits, and whether there is a connection.

    The limit on latency holds for ``latency_share`` of the requests.
    """

    name: str = Field(min_length=1)
    accuracy_at_least: float | None = None
    latency_at_most_s: Positive | None = None
    latency_share: Annotated[float, Field(gt=0, lt=1)] = 0.99
    cold_start_at_most_s: Positive | None = None
    size_at_most: Bytes | None = None
    usd_per_month_at_most: NotNegative | None = None
    offline: bool = False


class Choice(_Block):
    """Variants, places and worlds, with the demand that all of them meet."""

    schema_: Literal["choice/1"] = Field("choice/1", alias="schema")
    name: str = Field(min_length=1)
    requests_per_second: Positive
    variants: tuple[Variant, ...] = Field(min_length=1)
    places: tuple[Place, ...] = Field(min_length=1)
    worlds: tuple[World, ...] = Field(min_length=1)


def read_choice(source: str | os.PathLike[str]) -> Choice:
    """Read a file, or a shipped example by its name.

    Raises
    ------
    ChoiceError
        No YAML, unknown or missing keys, values that cannot be; all at once.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(source)
    path = Path(source)
    shipped = EXAMPLES / f"{name}.yaml"
    if not path.exists() and shipped.exists():
        path = shipped
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as error:
        raise ChoiceError(name, [f"no YAML: {error}"]) from error
    if not isinstance(content, dict):
        raise ChoiceError(name, [f"expected keys: {', '.join(_keys(Choice))}"])
    unknown = list(_fill(content))
    if unknown:
        raise ChoiceError(name, unknown)
    try:
        found = Choice.model_validate(content)
    except ValidationError as error:
        raise ChoiceError(name, [_told(each) for each in error.errors()]) from error
    problems = list(_contradictions(found))
    if problems:
        raise ChoiceError(name, problems)
    return found


def _fill(content: dict[str, Any]) -> Iterator[str]:
    """Fill variants of the catalogue with its rows; gives what it does not have."""
    listed = content.get("variants")
    for number, variant in enumerate(listed if isinstance(listed, list) else ()):
        wanted = variant.get("catalogue") if isinstance(variant, dict) else None
        if not isinstance(wanted, str):
            continue
        try:
            rows = variants(wanted)
        except UnknownVariant as error:
            yield f"variants.{number}.catalogue: {error}"
            continue
        # A model has a row for each machine it was measured on; what counts here is in all.
        row = next((row for row in rows if row.accuracy is not None), rows[0])
        filled = {
            "name": wanted,
            "size": row.size_bytes,
            "accuracy": row.accuracy,
            "metric": row.benchmark if row.accuracy is not None else "",
            "parameters": row.parameters,
            "flops": row.flops,
            "network": row.name.partition(":")[0].rpartition("/")[2],
            "source": f"{row.source}, {row.date}".rstrip(", "),
        }
        for key, value in filled.items():
            if value is not None:
                variant.setdefault(key, value)


_BLOCKS: Final[dict[str, type[BaseModel]]] = {
    "variants": Variant,
    "places": Place,
    "worlds": World,
}


def _keys(block: type[BaseModel]) -> list[str]:
    """The keys of a block, as they are written."""
    return [field.alias or name for name, field in block.model_fields.items()]


def _told(error: Any) -> str:
    """A problem with its path, value and what was expected."""
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        block: type[BaseModel] = Choice
        if len(error["loc"]) > 1:
            block = _BLOCKS.get(str(error["loc"][0]), Choice)
        keys = _keys(block)
        near = difflib.get_close_matches(str(error["loc"][-1]), keys, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        return f"{path}: no such key, expected one of {', '.join(keys)}{hint}"
    if error["type"] == "missing":
        return f"{path}: is missing"
    return f"{path} = {error['input']!r}: {error['msg']}"


def _contradictions(choice: Choice) -> Any:
    for kind in ("variants", "places", "worlds"):
        names = [one.name for one in getattr(choice, kind)]
        for name in sorted({name for name in names if names.count(name) > 1}):
            yield f'{kind}: "{name}" comes {names.count(name)} times'
    for number, place in enumerate(choice.places):
        if place.kind != "device" and place.instance is None:
            yield f"places.{number}.instance: is missing, for kind {place.kind}"
        if place.kind == "batch" and place.deadline_s is None:
            yield f"places.{number}.deadline_s: is missing, for kind batch"
    metrics = sorted({v.metric for v in choice.variants if v.accuracy is not None})
    if len(metrics) > 1:
        yield f"variants: accuracy is of {' and '.join(metrics)}: only one metric can be compared"
