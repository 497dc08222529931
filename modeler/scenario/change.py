"""A scenario with other values: settings by path, and the values of a sweep."""

from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from typing import Any, cast

from modeler.scenario.build import Locate, build
from modeler.scenario.errors import Problem, ScenarioError
from modeler.scenario.fields import Block
from modeler.scenario.kinds import KINDS
from modeler.scenario.names import Stranger, strangers
from modeler.scenario.paths import Path, place_of, unknown
from modeler.scenario.schema import BLOCKS, LISTS, Scenario
from modeler.scenario.settings import plain, said, value_at
from modeler.scenario.tree import parts_of


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
    made = check_all(data, problems, from_file=False, sweep="sweep" in values)
    # Thousands of variants hold what they do not vary once: nothing of it can be changed.
    for name, block in scenario.__dict__.items():
        if _alike(made.__dict__[name], block):
            made.__dict__[name] = block
    return made


def _alike(one: Any, other: Any) -> bool:
    """Whether two settings are the same in every way: values, their types, and what was said."""
    if type(one) is not type(other):
        return False
    if isinstance(one, Block):
        return one.model_fields_set == other.model_fields_set and all(
            _alike(value, other.__dict__[name]) for name, value in one.__dict__.items()
        )
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(_alike, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(_alike(one[key], other[key]) for key in one)
    return bool(one == other)


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
    policy = data.get("policy")
    if "hosting" in broken and not (isinstance(policy, Mapping) and "kind" in policy):
        broken.add("policy")  # its kind is the platform's own
    # A broken block stands at its defaults, and of the wrong kind where it has several: none of
    # the others is held against it.
    sound = {name: block for name, block in data.items() if name not in broken | {"sweep"}}
    axes = data.get("sweep")
    kinds = broken & {*KINDS, *LISTS}
    sound["sweep"] = {
        path: values
        for path, values in (axes.items() if isinstance(axes, Mapping) else ())
        if isinstance(values, list | tuple)
        and (path.partition(".")[0] not in kinds or _not_to_vary(path, tuple(values)))
    }
    try:
        scenario = build(sound, from_file=from_file, unread=broken)
        with_checked_sweep(scenario, locate, from_file=from_file, unread=broken)
    except ScenarioError as error:
        return error.problems
    return ()


def _changed(
    scenario: Scenario, values: Mapping[str, object]
) -> tuple[dict[str, Any], list[Problem]]:
    """The data of another scenario, and what is wrong with the paths."""
    data = said(scenario)
    problems: list[Problem] = []
    for one, other in (("policy", "policies"), ("policies", "policy")):
        # What is given whole, or as another kind, takes the place of the other.
        if {one, f"{one}.kind"} & values.keys() and other not in values:
            data.pop(other, None)
    # Blocks first, then kinds, then the rest: a kind decides which keys there are.
    for path in sorted(values, key=lambda path: (path.count("."), not path.endswith(".kind"))):
        value = values[path]
        if isinstance(value, str) and value == "null":
            value = None
        parts = parts_of(path)
        why = unknown(parts, data)
        if why is not None:
            known = why.path and why.path.rpartition(".")[0] == path.rpartition(".")[0]
            message = why.message if known or not why.path else f'unknown setting "{path}"'
            problems.append(Problem(message, path, value, nearest=why.path))
            continue
        data = _put(data, parts, value)
        if path == "hosting.kind" and "hosting" not in values:
            data["hosting"] = _respelt(data["hosting"])
    return data, problems


def _put(data: Mapping[str, Any], path: Path, new: object, done: int = 0) -> Any:
    """What stands `done` parts along a path, with the value at its end replaced.

    Defaults on the way are written out: an item of a default list keeps its other settings.
    """
    place = place_of(path[:done], data)
    if done == len(path):
        return plain(new)
    if place.shape.listed:
        items = [plain(item) for item in place.value]
        items[int(path[done])] = _put(data, path, new, done + 1)
        return items
    if place.value is not None and not isinstance(place.value, Mapping | Block):
        return place.value  # given, and no block, which `build` says
    settings = {**(plain(place.value) or {}), str(path[done]): _put(data, path, new, done + 1)}
    chosen = place.shape.classes.get(str(new)) if path[done:] == ("kind",) else None
    if chosen is not None:
        settings = {name: settings[name] for name in settings if name in chosen.model_fields}
    return settings


def _respelt(hosting: Mapping[str, Any]) -> dict[str, Any]:
    """The same hardware in the spelling of the kind: SageMaker's types start with ``ml.``."""
    if "instance" not in hosting:
        return dict(hosting)
    bare = str(hosting["instance"]).removeprefix("ml.")
    cls = KINDS["hosting"].get(str(hosting["kind"]))
    prefix = cls.platform.prefix if cls else ""
    return {**hosting, "instance": f"{prefix}{bare}"}


def with_checked_sweep(
    scenario: Scenario,
    locate: Locate | None = None,
    *,
    from_file: bool,
    unread: Collection[str] = (),
) -> Scenario:
    """The scenario with the values of its sweep read and typed.

    Parameters
    ----------
    scenario : Scenario. With ``sweep`` as written.
    locate : callable, optional. Knows where a path stands in a file.
    from_file : bool. A bare number is then no size.
    unread : collection of str. Blocks that nothing is held against, as for `build`.

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
                read.append(_typed(scenario, path, value, from_file=from_file, unread=unread))
            except ScenarioError as error:
                unknown_path = unknown(parts_of(path), scenario) is not None
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


def _not_to_vary(path: str, values: tuple[object, ...]) -> str:
    """Why a path of a sweep is refused as a whole; empty when it is not."""
    if path in ("name", "gates", "sweep"):
        return "this does not change a run"
    if path in BLOCKS and path not in KINDS:
        return f"name one of its settings, e.g. {path}.{place_of((path,), {}).keys()[0]}"
    return "" if values else "give at least one value"


def _typed(
    scenario: Scenario, path: str, value: object, *, from_file: bool, unread: Collection[str]
) -> Any:
    # A number in a file is as bare in a sweep as anywhere else; as text it is refused for a size.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if from_file and is_number and _is_size(path):
        value = str(value)
    data, problems = _changed(scenario, {path: value})
    if problems:
        raise ScenarioError(problems)
    return value_at(build(data, from_file=False, unread=unread), path)


def _is_size(path: str) -> bool:
    key = path.rpartition(".")[2]
    return key in ("size", "memory") or key.endswith("_size")
