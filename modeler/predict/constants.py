"""Cold-start constants: the table beside this file, and what a scenario puts in their place."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pricing
from modeler.scenario.cold_start import CAPTURED_SIZES, INIT_FIXED, INIT_GROWING

if TYPE_CHECKING:
    from modeler.scenario import Scenario

TABLE: Final = Path(__file__).with_name("cold_start_constants.csv")
EVERY_HOSTING: Final = "all"
# Hosting whose environments have no accelerator and no serving engine: nothing measured on those
# is taken for them.
WITHOUT_ACCELERATOR: Final = (
    "ecs_fargate", "lambda", "lambda_image", "lambda_snapstart", "sagemaker_serverless",
)  # fmt: skip
# An interface from which a single stream is no longer the network's to bound: 40 Gbit/s. [bytes/s]
LARGE_BYTES_PER_S: Final = 5e9
SET: Final = "set"  # origin of a constant that the scenario gives
CALIBRATED: Final = "observed"  # origin of one from the analyst's own measurements


@dataclass(frozen=True)
class Constant:
    """One figure of a cold start and where it comes from.

    Parameters
    ----------
    name : str. As in the table; the key under ``cold_start`` where a scenario may set it.
    value : float. [as `unit`]
    unit : str. ``flag`` is 0 or 1; ``1`` is a pure number.
    origin : str. ``documented``, ``observed``, ``assumed``, or ``set`` by the scenario.
    source : str. Measurement ids in brackets, page, date.
    note : str. How the figure follows from the source, and when it does not hold.
    """

    name: str
    value: float
    unit: str
    origin: str
    source: str
    note: str = ""


@cache
def defaults(hosting_kind: str) -> Mapping[str, Constant]:
    """The sourced constants of a hosting, by name.

    Parameters
    ----------
    hosting_kind : str. A ``hosting.kind`` of the table.

    Returns
    -------
    mapping of str to Constant

    Raises
    ------
    KeyError
        For a hosting that the table does not hold.
    """
    table = _table()
    if hosting_kind not in table:
        known = sorted(set(table) - {EVERY_HOSTING})
        raise KeyError(f"no cold-start constants for {hosting_kind!r}: one of {known}")
    every = {} if hosting_kind in WITHOUT_ACCELERATOR else table[EVERY_HOSTING]
    return {**every, **table[hosting_kind]}


def of_option(name: str) -> Mapping[str, Constant]:
    """The sourced constants of a preset or of one way to start, by name.

    Parameters
    ----------
    name : str. Such as ``nvme``, ``snapshot`` or ``eks_fargate``.

    Returns
    -------
    mapping of str to Constant
        Empty for a way that needs no constant of its own.
    """
    return _table().get(name, {})


def places() -> tuple[str, ...]:
    """What the table has rows of: hostings, presets, ways to start, and ``all``."""
    return tuple(_table())


@cache
def _table() -> Mapping[str, dict[str, Constant]]:
    """The rows, by what they belong to."""
    found: dict[str, dict[str, Constant]] = {}
    with TABLE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name, value = row["name"], float(row["value"])
            found.setdefault(row["hosting_kind"], {})[name] = Constant(
                name, value, row["unit"], row["origin"], row["source"], row["note"]
            )
    return found


def _kind(scenario: Scenario) -> str:
    """The rows of the table that hold: a function's depend on how it is packaged."""
    hosting = scenario.hosting
    if hosting.kind == "lambda" and hosting.package != "zip":
        return f"lambda_{hosting.package}"
    return hosting.kind


def in_force(scenario: Scenario) -> dict[str, Constant]:
    """The constants of the scenario's hosting with the scenario's own put in their place.

    Some settings replace more than one row, because they are what an analyst measures: a
    ``registry_bytes_per_s`` is the rate of a whole pull, so no unpacking is added to it; an
    ``init_s`` or ``init_s_per_gb`` replaces the sum of the fixed or of the growing init terms; a
    ``register_s`` is all that lies between loaded and serving, unless a ``gap_s`` is set beside it.
    A setting of a way to start that is not taken, such as the rate of a disk that is not there,
    is not in force.

    Parameters
    ----------
    scenario : Scenario. Its ``hosting.kind`` and ``cold_start`` are read.

    Returns
    -------
    dict of str to Constant
    """
    settings = scenario.cold_start
    kind = _kind(scenario)
    constants = dict(defaults(kind))
    own = _calibrated(scenario)
    if kind not in WITHOUT_ACCELERATOR:
        _put(constants, own.get(EVERY_HOSTING, ()))
    _put(constants, own.get(kind, ()))
    for option in _options(scenario):
        constants |= of_option(option)
        _put(constants, own.get(option, ()))
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is None or name in _NO_PHASE or not (name in constants or name in _UNITS):
            continue
        unit = constants[name].unit if name in constants else _UNITS[name]
        _put(
            constants,
            [Constant(name, float(value), unit, SET, f"scenario: cold_start.{name}")],
        )
    if settings.store_connections is not None and settings.store_bytes_per_s is None:
        constants.pop("store_bytes_per_s", None)
    if settings.compile_cached:
        for name in ("init_compile_s", "init_compile_s_per_gparam"):
            constants.pop(name, None)
    return constants


def _calibrated(scenario: Scenario) -> dict[str, list[Constant]]:
    """The constants of the scenario's file, by what they hold for, of its size of machine."""
    path = scenario.cold_start.constants
    if path is None:
        return {}
    from modeler.predict.calibration.constants_file import read_constants

    size = _host_size(scenario)
    found: dict[str, list[Constant]] = {}
    for kept in read_constants(path):
        if kept.host in ("any", size):
            for place in kept.places:
                one = Constant(kept.setting, kept.value, kept.unit, CALIBRATED, kept.source)
                found.setdefault(place, []).append(one)
    return found


def _host_size(scenario: Scenario) -> str:
    """``small`` or ``large`` by the instance's interface; empty where it has no instance."""
    name = getattr(scenario.hosting, "instance", None)
    if name is None:
        return ""
    try:
        line = pricing.instance(name).network_burst_bytes_per_s
    except pricing.PricingError:
        return ""  # an instance that is not known is another check's to refuse
    return "large" if line >= LARGE_BYTES_PER_S else "small"


def _put(constants: dict[str, Constant], ones: Iterable[Constant]) -> None:
    """Put constants in the place of others, and of those that are inside them."""
    for one in ones:
        constants[one.name] = one
        for replaced in _REPLACES.get(one.name, ()):
            # A measured start of a container leaves what no phase accounts for where it is.
            if one.origin == SET or replaced != "gap_s":
                constants.pop(replaced, None)


def _options(scenario: Scenario) -> Iterator[str]:
    """What of the table the scenario's way to start adds to the hosting's rows."""
    settings, hosting = scenario.cold_start, scenario.hosting
    if settings.preset is not None:
        yield settings.preset
    yield settings.weights_from
    yield settings.disk
    if settings.store_connections is not None:
        yield "connections"
    if settings.tensor_parallel != 1:
        yield "ranks"
    if settings.captured_sizes != CAPTURED_SIZES:
        yield "captured"
    if settings.snapshot:
        yield "snapshot"
    nodes = getattr(hosting, "nodes", None)
    if nodes is not None and getattr(nodes, "state", "") == "asleep":
        yield "asleep"


# Settings of the start as a whole.
_NO_PHASE: Final = (
    "constants", "total_s", "false_ready_s", "start_limit_s", "retry_base_s", "retry_max_s",
    "attempts",
)  # fmt: skip
# What may be set where the hosting has no row for it.
_UNITS: Final = {
    "init_s": "s", "init_s_per_gb": "s/GB", "nic_bytes_per_s": "bytes/s", "gap_s": "s",
    "init_bootstrap_s": "s", "init_import_s": "s", "init_engine_s": "s", "init_compile_s": "s",
    "init_engine_s_per_gparam": "s per 1e9 parameters",
    "init_compile_s_per_gparam": "s per 1e9 parameters",
}  # fmt: skip
_REPLACES: Final = {
    "registry_bytes_per_s": ("unpack_bytes_per_s",),
    "register_s": ("gap_s",),
    "init_s": INIT_FIXED,
    "init_s_per_gb": INIT_GROWING,
}
