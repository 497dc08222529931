"""Single settings of a scenario: one by its path, all that were not said, and the whole by name."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from modeler.scenario.errors import Problem, ScenarioError
from modeler.scenario.fields import Block, Origin
from modeler.scenario.kinds import KINDS
from modeler.scenario.paths import kind_of, place_of, unknown
from modeler.scenario.schema import BLOCKS, Scenario
from modeler.scenario.tree import is_list, parts_of, shapes


class Setting(NamedTuple):
    """A default in force: what an analyst has not said.

    Attributes
    ----------
    path : str. Such as ``policy.target``.
    value : object. The default, or in words how it is derived.
    origin : str. ``documented``, ``observed`` or ``assumed``.
    source : str. Where it was read, or why it was assumed.
    unit : str. Its unit; empty for counts and names.
    """

    path: str
    value: object
    origin: Origin
    source: str
    unit: str


def value_at(scenario: Scenario, path: str) -> Any:
    """The value of one setting.

    Parameters
    ----------
    scenario : Scenario. Where to look.
    path : str. Such as ``policy.target``.

    Raises
    ------
    ScenarioError
        The scenario has no such setting.
    """
    parts = parts_of(path)
    why = unknown(parts, scenario)
    if why is not None:
        raise ScenarioError([Problem(why.message, path, nearest=why.path)])
    return place_of(parts, scenario).value


def said(block: Block) -> dict[str, Any]:
    """What was set, and a kind other than the default: without it a block has no meaning."""
    data = {name: plain(getattr(block, name)) for name in block.model_fields_set}
    if isinstance(block, Scenario):
        for name in BLOCKS:
            if name not in data or name not in KINDS:
                continue
            own = getattr(block, name)
            default = kind_of(name, {**data, name: {}})
            if "kind" not in own.model_fields_set and own.kind == default:
                del data[name]["kind"]
    elif hasattr(block, "kind"):
        data["kind"] = block.kind
    return data


def plain(value: object) -> Any:
    """Blocks as mappings of what was set in them, also in lists."""
    if isinstance(value, Block):
        return said(value)
    return [plain(item) for item in value] if is_list(value) else value


def assumptions(scenario: Scenario) -> list[Setting]:
    """Every default in force that is a claim about the world, with its origin.

    Parameters
    ----------
    scenario : Scenario. What the analyst set is left out; so are prices and phase constants,
        which carry their own source.

    Returns
    -------
    list of Setting
        In the order of the schema.
    """
    found = []
    for one in settings_of(scenario):
        if one.said or (one.name == "kind" and one.path.removesuffix(".kind") not in KINDS):
            continue
        about = one.about
        if about.get("origin"):
            value = about["derived"] if one.value is None else one.value
            source, unit = str(about["source"]), str(about["unit"])
            found.append(Setting(one.path, value, about["origin"], source, unit))
    return found


def scenario_id(scenario: Scenario) -> str:
    """Twelve hex digits that are the same for the same settings.

    Parameters
    ----------
    scenario : Scenario. Its name, its gates, and what its sweep would vary, do not count.

    Returns
    -------
    str
        From SHA-256 of the canonical JSON of all settings, defaults included.
    """
    settings = scenario.model_dump(mode="json", exclude={"name", "gates", "sweep"})
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


class Found(NamedTuple):
    """One setting of a scenario where it stands.

    Attributes
    ----------
    path : str. Such as ``policies.0.target``.
    block : Block. Where it is a field.
    name : str. Of the field.
    value : object. As it is; None where the default is left to others.
    said : bool. Whether it was set, and not left at its default.
    """

    path: str
    block: Block
    name: str
    value: Any
    said: bool

    @property
    def field(self) -> FieldInfo:
        """How it was declared."""
        return type(self.block).model_fields[self.name]

    @property
    def about(self) -> Mapping[str, Any]:
        """Its unit, origin, source and, for a default of None, what is used instead."""
        return _about(type(self.block), self.name)


@cache
def _about(kind: type[Block], name: str) -> Mapping[str, Any]:
    extra = kind.model_fields[name].json_schema_extra
    return extra if isinstance(extra, dict) else {}


def settings_of(block: Block, prefix: str = "", *, said: bool = True) -> Iterator[Found]:
    """Every setting that is in force in a scenario, in the order of the schema.

    Parameters
    ----------
    block : Block. The scenario.
    prefix : str. Of its path, for a block inside.
    said : bool. Whether it was given, and is not itself a default.
    """
    several = isinstance(block, Scenario) and bool(block.policies)
    for name, shape in shapes(type(block)).items():
        path, value = f"{prefix}{name}", getattr(block, name)
        if (several and path == "policy") or path == "sweep":
            continue
        given = said and name in block.model_fields_set
        if not shape.classes or value is None:
            yield Found(path, block, name, value, given)
        elif shape.listed:
            for i, item in enumerate(value):
                yield from settings_of(item, f"{path}.{i}.", said=given)
        else:
            yield from settings_of(value, f"{path}.", said=given or not prefix)
