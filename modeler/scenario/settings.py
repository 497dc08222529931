"""Single settings of a scenario, by path: change them, list them, name the whole."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from modeler.scenario.build import Locate, build
from modeler.scenario.errors import Problem, ScenarioError
from modeler.scenario.fields import Block, Origin
from modeler.scenario.paths import explain_unknown, keys_of, kind_of, known_paths
from modeler.scenario.schema import BLOCKS, KINDS, Scenario


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


def with_values(scenario: Scenario, values: Mapping[str, object]) -> Scenario:
    """Another scenario with some settings changed.

    Parameters
    ----------
    scenario : Scenario. The one to start from; it stays as it is.
    values : mapping of str to object. Path to value; text is read with its unit, as in a file
        (``null`` for None), anything else is taken as typed, sizes in bytes. Changing a block's
        ``kind`` drops the settings that the new kind does not have; a whole block may be given
        as a mapping.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        For unknown paths, with the nearest, and for values that do not fit.
    """
    data = _said(scenario)
    known = known_paths()
    problems: list[Problem] = []
    # Blocks first, then kinds, then the rest: a kind decides which keys there are.
    for path in sorted(values, key=lambda path: (path.count("."), not path.endswith(".kind"))):
        value = values[path]
        if isinstance(value, str) and value == "null":
            value = None
        block, _, key = path.partition(".")
        if path not in known:
            message, near = explain_unknown(path, kind_of(block, data.get(block)))
            if near and "." in near and near.partition(".")[0] != block:
                message = f'unknown setting "{path}"'
            elif near and key:
                near = f"{block}.{near}"
            problems.append(Problem(message, path, value, nearest=near))
        elif not key:
            data[path] = _said(value) if isinstance(value, Block) else value
        else:
            settings = data.get(block, {})
            if not isinstance(settings, Mapping):
                continue  # the block itself was given and is no block, which `build` says
            settings = {**settings, key: value}
            if key == "kind":
                keys = keys_of(block, str(value)) or tuple(settings)
                settings = {name: settings[name] for name in settings if name in keys}
            data[block] = settings
    if problems:
        raise ScenarioError(problems)
    changed = build(data, from_file=False)
    return with_checked_sweep(changed, from_file=False) if "sweep" in values else changed


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
    block, _, key = path.partition(".")
    owner: Any = getattr(scenario, block, None) if key else scenario
    name = key or block
    if not isinstance(owner, Block) or name not in type(owner).model_fields:
        message, near = explain_unknown(path, str(getattr(owner, "kind", "")))
        raise ScenarioError([Problem(message, path, nearest=near)])
    return getattr(owner, name)


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


def with_checked_sweep(
    scenario: Scenario, locate: Locate | None = None, *, from_file: bool
) -> Scenario:
    """The scenario with the values of its sweep read and typed.

    Parameters
    ----------
    scenario : Scenario. With ``sweep`` as written.
    locate : callable, optional. Knows where a path stands in a file.
    from_file : bool. A bare number is then no size.

    Raises
    ------
    ScenarioError
        With every path that is unknown and every value that does not fit.
    """
    problems: list[Problem] = []
    typed: dict[str, tuple[Any, ...]] = {}
    for path, values in scenario.sweep.items():
        here = ("sweep", path)
        refusal = _not_to_vary(path, values)
        if refusal:
            problem = Problem(f"sweep.{path}: {refusal}", f"sweep.{path}")
            problems.append(locate(problem, here, True) if locate else problem)
            continue
        read: list[Any] = []
        for i, value in enumerate(values):
            try:
                read.append(_typed(scenario, path, value, from_file=from_file))
            except ScenarioError as error:
                unknown_path = path not in known_paths()
                problems += [
                    locate(problem, here if unknown_path else (*here, i), unknown_path)
                    if locate
                    else problem
                    for problem in error.problems
                ]
                if unknown_path:
                    break
        typed[path] = tuple(read)
    if problems:
        raise ScenarioError(problems)
    return scenario.model_copy(update={"sweep": typed}) if typed else scenario


def _said(block: Block) -> dict[str, Any]:
    """What was set, and a kind other than the default: without it a block has no meaning."""
    data = block.model_dump(exclude_unset=True)
    if isinstance(block, Scenario):
        for name in KINDS.keys() & data.keys():
            kind = getattr(block, name).kind
            if kind != kind_of(name, data[name]):
                data[name]["kind"] = kind
    elif hasattr(block, "kind"):
        data["kind"] = block.kind
    return data


def _not_to_vary(path: str, values: tuple[object, ...]) -> str:
    """Why a path of a sweep is refused as a whole; empty when it is not."""
    if path in ("name", "sweep"):
        return "this does not change a run"
    if path in BLOCKS and path not in KINDS:
        return f"name one of its settings, e.g. {path}.{keys_of(path, '')[0]}"
    return "" if values else "give at least one value"


def _typed(scenario: Scenario, path: str, value: object, *, from_file: bool) -> Any:
    # A number in a file is as bare in a sweep as anywhere else; as text it is refused for a size.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if from_file and is_number and path in _SIZES:
        value = str(value)
    return value_at(with_values(scenario, {path: value}), path)


def _sizes() -> Iterator[str]:
    for path in known_paths():
        block, _, key = path.partition(".")
        if key == "size" or key.endswith("_size"):
            yield f"{block}.{key}"


_SIZES = frozenset(_sizes())


def _assumed(block: Block, prefix: str) -> Iterator[Setting]:
    for name, field in type(block).model_fields.items():
        value = getattr(block, name)
        if not prefix and name in BLOCKS:
            yield from _assumed(value, f"{name}.")
            continue
        about = field.json_schema_extra
        if name in block.model_fields_set or not isinstance(about, dict) or not about["origin"]:
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
