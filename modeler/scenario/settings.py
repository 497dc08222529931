"""Single settings of a scenario, by path: change them, list them, name the whole."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple, cast

from modeler.scenario.build import Locate, build
from modeler.scenario.errors import Problem, ScenarioError
from modeler.scenario.fields import Block, Origin
from modeler.scenario.names import Stranger, strangers
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
        as a mapping. Changing ``hosting.kind`` alone keeps the hardware: the instance takes the
        new kind's spelling, ``ml.g5.2xlarge`` for ``g5.2xlarge`` and back. An instance given
        beside it is taken as given, and refused in the wrong spelling.

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        With all problems: unknown paths, with the nearest, values that do not fit or contradict
        each other, and instances and regions that no table knows.
    """
    data, problems = _changed(scenario, values)
    return check_all(data, problems, from_file=False, sweep="sweep" in values)


def check_all(
    data: Mapping[str, Any],
    problems: Sequence[Problem],
    locate: Locate | None = None,
    *,
    from_file: bool,
    sweep: bool = True,
) -> Scenario:
    """The scenario of some data, or everything that is wrong with it.

    Parameters
    ----------
    data : mapping. Blocks of settings, as for `build`.
    problems : sequence of Problem. What is known to be wrong already.
    locate : callable, optional. Knows where a path stands in a file.
    from_file : bool. A bare number is then no size.
    sweep : bool. Whether the values of ``sweep`` have yet to be read.

    Raises
    ------
    ScenarioError
        With all problems.
    """
    found = [*problems, *(problem_of(stranger, data, locate) for stranger in strangers(data))]
    try:
        scenario = build(data, locate, from_file=from_file)
    except ScenarioError as error:
        found += error.problems
        if sweep:
            found += _of_sweep(data, error.problems, locate, from_file=from_file)
        raise ScenarioError(found) from None
    if sweep:
        try:
            scenario = with_checked_sweep(scenario, locate, from_file=from_file)
        except ScenarioError as error:
            found += error.problems
    if found:
        raise ScenarioError(found)
    return scenario


def problem_of(stranger: Stranger, data: Mapping[str, Any], locate: Locate | None) -> Problem:
    """What is wrong with a name that nobody knows, located."""
    value = reduce(lambda owner, part: owner[part], stranger.at, cast("Any", data))
    path = ".".join(str(part) for part in stranger.at)
    problem = Problem(stranger.message, path, value, nearest=stranger.nearest)
    return locate(problem, stranger.at, False) if locate else problem


def _of_sweep(
    data: Mapping[str, Any],
    found: Sequence[Problem],
    locate: Locate | None,
    *,
    from_file: bool,
) -> Sequence[Problem]:
    """What is wrong with the sweep of a scenario that has other mistakes as well."""
    broken = {problem.path.partition(".")[0] for problem in found}
    # A broken block stands at its defaults, and of the wrong kind where it has several.
    sound = {name: block for name, block in data.items() if name not in broken | {"sweep"}}
    axes = data.get("sweep")
    kinds = broken & KINDS.keys()
    sound["sweep"] = {
        path: values
        for path, values in (axes.items() if isinstance(axes, Mapping) else ())
        if isinstance(values, list | tuple)
        and (path.partition(".")[0] not in kinds or _not_to_vary(path, tuple(values)))
    }
    try:
        with_checked_sweep(build(sound, from_file=from_file), locate, from_file=from_file)
    except ScenarioError as error:
        return error.problems
    return ()


def _changed(
    scenario: Scenario, values: Mapping[str, object]
) -> tuple[dict[str, Any], list[Problem]]:
    """The data of another scenario, and what is wrong with the paths."""
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
                if path == "hosting.kind" and "hosting" not in values:
                    settings = _respelt(settings)
            data[block] = settings
    return data, problems


def _respelt(hosting: Mapping[str, Any]) -> dict[str, Any]:
    """The same hardware in the spelling of the kind: SageMaker's types start with ``ml.``."""
    if "instance" not in hosting:
        return dict(hosting)
    bare = str(hosting["instance"]).removeprefix("ml.")
    prefix = "ml." if hosting["kind"] == "sagemaker_realtime" else ""
    return {**hosting, "instance": f"{prefix}{bare}"}


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
    data, problems = _changed(scenario, {path: value})
    if problems:
        raise ScenarioError(problems)
    return value_at(build(data, from_file=False), path)


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
