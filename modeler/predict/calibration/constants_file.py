"""Constants as a file that a scenario can name under ``cold_start.constants``.

JSON of the schema ``cold-start-constants/1``: settings of a start by the names that a scenario has
for them, each with how many rows and sources it rests on; beside them every constant fitted.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from modeler.predict.calibration.fit import Calibration, Fitted
from modeler.predict.calibration.steps import DURATION, GROWING, GROWTH_PER_B, RATE

SCHEMA: Final = "cold-start-constants/1"
_GB: Final = 1e9
_BYTES_PER_PARAMETER: Final = 2.0
# Setting, law, keys it may be read from (the one with most rows counts), factor to its unit.
_SETTINGS: Final = (
    ("provision_s", DURATION, ("provision",), 1.0),
    ("boot_s", DURATION, ("boot", "launch"), 1.0),
    ("device_s", DURATION, ("boot", "device"), 1.0),
    ("registry_bytes_per_s", RATE, ("pull",), _GB),
    ("store_bytes_per_s", RATE, ("store",), _GB),
    ("load_bytes_per_s", RATE, ("memory", "default"), _GB),
    ("load_bytes_per_s", RATE, ("disk", "default"), _GB),
    ("register_s", DURATION, ("container", "start"), 1.0),
)
UNITS: Final = {
    "provision_s": "s", "boot_s": "s", "device_s": "s", "registry_bytes_per_s": "bytes/s",
    "store_bytes_per_s": "bytes/s", "load_bytes_per_s": "bytes/s", "register_s": "s",
    "init_s": "s", "init_s_per_gb": "s/GB",
}  # fmt: skip


class ConstantsError(Exception):
    """A file of constants that cannot be read; names it and what was expected."""

    exit_code: Final = 2


def settings_of(calibration: Calibration) -> dict[str, Fitted]:
    """What a scenario's ``cold_start`` block could say from these measurements.

    Returns
    -------
    dict of str to Fitted
        By setting, values in the setting's unit. An engine's start gives two: what does not grow,
        and what grows with the bytes of 16-bit weights.
    """
    constants = calibration.constants()
    found: dict[str, Fitted] = {}
    for name, law, prefix, factor in _SETTINGS:
        fitting = [c for c in constants if c.law == law and c.key[: len(prefix)] == prefix]
        if fitting and name not in found:
            best = max(fitting, key=lambda c: (c.rows, c.key))
            found[name] = _scaled(best, factor)
    engine = [c for c in constants if c.law == GROWING and c.key == ("engine", "whole")]
    if engine:
        found["init_s"] = engine[0]
        per_gb = GROWTH_PER_B / _BYTES_PER_PARAMETER
        found["init_s_per_gb"] = _scaled(engine[0], per_gb)
    return found


def _scaled(one: Fitted, factor: float) -> Fitted:
    return Fitted(one.law, one.key, one.value * factor, one.rows, one.sources, one.spread)


def to_dict(calibration: Calibration, source: str) -> dict[str, Any]:
    """The content of a file.

    Parameters
    ----------
    source : str. What was measured, to stand as the source of each constant.
    """
    return {
        "schema": SCHEMA,
        "source": source,
        "settings": {
            name: {
                "value": one.value,
                "unit": UNITS[name],
                "from": one.name,
                "rows": one.rows,
                "sources": one.sources,
                "spread_log": one.spread,
            }
            for name, one in settings_of(calibration).items()
        },
    }


def read_constants(path: str | os.PathLike[str]) -> dict[str, tuple[float, str, str]]:
    """Settings of a file: value, unit and source by name.

    Raises
    ------
    ConstantsError
        Not JSON, another schema, an unknown setting or a value that cannot be; all at once.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ConstantsError(f"{name}: not JSON: {error}") from error
    if not isinstance(content, Mapping) or content.get("schema") != SCHEMA:
        raise ConstantsError(f"{name}: expected the schema {SCHEMA}, as calibrate writes it")
    settings = content.get("settings")
    if not isinstance(settings, Mapping):
        raise ConstantsError(f"{name}: settings: expected an object of settings")
    found: dict[str, tuple[float, str, str]] = {}
    problems = []
    for key, entry in settings.items():
        value: Any = entry.get("value") if isinstance(entry, Mapping) else None
        if key not in UNITS:
            problems.append(f"{name}: settings.{key}: expected one of {', '.join(UNITS)}")
        elif not _is_number(value):
            problems.append(f"{name}: settings.{key}.value = {value!r}: expected a number above 0")
        else:
            rows = entry.get("rows", 0)
            source = f"{content.get('source') or name}: fitted to {rows} rows"
            found[key] = (float(value), UNITS[key], source)
    if problems:
        raise ConstantsError("\n".join(problems))
    return found


def _is_number(value: Any) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
        and value > 0.0
    )
