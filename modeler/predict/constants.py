"""Cold-start constants: the table beside this file, and what a scenario puts in their place."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from modeler.scenario import Scenario

TABLE: Final = Path(__file__).with_name("cold_start_constants.csv")
EVERY_HOSTING: Final = "all"
# Hosting whose environments have no accelerator and no serving engine: nothing measured on those
# is taken for them.
WITHOUT_ACCELERATOR: Final = (
    "lambda", "lambda_image", "lambda_snapstart", "sagemaker_serverless",
)  # fmt: skip
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
    with TABLE.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    known = {row["hosting_kind"] for row in rows} - {EVERY_HOSTING}
    if hosting_kind not in known:
        raise KeyError(f"no cold-start constants for {hosting_kind!r}: one of {sorted(known)}")
    return {
        row["name"]: Constant(
            row["name"],
            float(row["value"]),
            row["unit"],
            row["origin"],
            row["source"],
            row["note"],
        )
        for row in rows
        if row["hosting_kind"] == hosting_kind
        or (row["hosting_kind"] == EVERY_HOSTING and hosting_kind not in WITHOUT_ACCELERATOR)
    }


def _kind(scenario: Scenario) -> str:
    """The rows of the table that hold: a function's depend on how it is packaged."""
    hosting = scenario.hosting
    if hosting.kind == "lambda" and hosting.package != "zip":
        return f"lambda_{hosting.package}"
    return hosting.kind


def in_force(scenario: Scenario) -> dict[str, Constant]:
    """The constants of the scenario's hosting with the scenario's own put in their place.

    Two settings replace more than one row, because they are what an analyst measures: a
    ``registry_bytes_per_s`` is the rate of a whole pull, so no unpacking is added to it; an
    ``init_s`` or ``init_s_per_gb`` replaces the sum of the fixed or of the growing init terms.

    Parameters
    ----------
    scenario : Scenario. Its ``hosting.kind`` and ``cold_start`` are read.

    Returns
    -------
    dict of str to Constant
    """
    constants = dict(defaults(_kind(scenario)))
    settings = scenario.cold_start
    if settings.constants is not None:
        from modeler.predict.calibration.constants_file import read_constants

        for name, (value, unit, source) in read_constants(settings.constants).items():
            constants[name] = Constant(name, value, unit, CALIBRATED, source)
            for replaced in _REPLACES.get(name, ()):
                constants.pop(replaced, None)
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is None or name in _NO_PHASE:
            continue
        unit = constants[name].unit if name in constants else _UNITS[name]
        constants[name] = Constant(name, float(value), unit, SET, f"scenario: cold_start.{name}")
        for replaced in _REPLACES.get(name, ()):
            constants.pop(replaced, None)
    return constants


# Settings of the start as a whole.
_NO_PHASE: Final = (
    "constants", "total_s", "false_ready_s", "start_limit_s", "retry_base_s", "retry_max_s",
    "attempts",
)  # fmt: skip
_UNITS: Final = {"init_s": "s", "init_s_per_gb": "s/GB", "nic_bytes_per_s": "bytes/s"}
_REPLACES: Final = {
    "registry_bytes_per_s": ("unpack_bytes_per_s",),
    "init_s": ("init_bootstrap_s", "init_import_s", "init_engine_s", "init_compile_s"),
    "init_s_per_gb": ("init_engine_s_per_gparam", "init_compile_s_per_gparam"),
}
