"""Single settings of a scenario: one by its path, all that were not said, and the whole by name."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from modeler.scenario.errors import Problem, ScenarioError
from modeler.scenario.fields import Block, Origin
from modeler.scenario.kinds import KINDS
from modeler.scenario.paths import kind_of, place_of, unknown
from modeler.scenario.schema import Scenario
from modeler.scenario.tree import Shape, is_list, parts_of, shapes


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
        for name in KINDS.keys() & data.keys():
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
    return list(_assumed(scenario, ""))


def scenario_id(scenario: Scenario) -> str:
    """Twelve hex digits that are the same for the same settings.

    Parameters
    ----------
    scenario : Scenario. Its name, and what its sweep would vary, do not count.

    Returns
    -------
    str
        From SHA-256 of the canonical JSON of all settings, defaults included.
    """
    settings = scenario.model_dump(mode="json", exclude={"name", "sweep"})
    canonical = json.dumps(settings, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _assumed(block: Block, prefix: str, *, said: bool = True) -> Iterator[Setting]:
    """The defaults of a block and of those below it; all of it, where it is itself a default."""
    several = isinstance(block, Scenario) and bool(block.policies)
    for name, shape in shapes(type(block)).items():
        if several and name == "policy":
            continue
        value = getattr(block, name)
        given = said and name in block.model_fields_set
        blocks = _below(f"{prefix}{name}", shape, value)
        for path, own in blocks:
            yield from _assumed(own, f"{path}.", said=given or not prefix)
        about = type(block).model_fields[name].json_schema_extra
        if blocks or given or not isinstance(about, dict) or not about["origin"]:
            continue
        if name == "kind" and prefix.rstrip(".") not in KINDS:
            continue
        yield Setting(
            f"{prefix}{name}",
            about["derived"] if value is None else value,
            about["origin"],  # type: ignore[arg-type]
            str(about["source"]),
            str(about["unit"]),
        )


def _below(path: str, shape: Shape, value: Any) -> list[tuple[str, Block]]:
    """The blocks that stand at a setting, each with its path."""
    if not shape.classes or value is None:
        return []
    if shape.listed:
        return [(f"{path}.{i}", item) for i, item in enumerate(value)]
    return [(path, value)]
