"""Constants as a file that a scenario can name under ``cold_start.constants``.

JSON of the schema ``cold-start-constants/2``: a list of settings, each with the hostings (or
presets, or ways to start) it holds for, its value, interval and unit, and what it rests on.
"""

from __future__ import annotations

import difflib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modeler.predict.calibration.measurements import Measurement
from modeler.predict.calibration.settings import ANY_HOST, UNITS, Told, settings_of
from modeler.predict.constants import places

SCHEMA: Final = "cold-start-constants/2"
_HOSTS: Final = (ANY_HOST, "small", "large")
# Beyond these a figure is a slip of its unit: a day, the memory of a host in a millisecond, ten
# terabytes of image.
_MOST: Final = {
    "s": 86_400.0, "s per 1e9 parameters": 86_400.0, "bytes/s": 1e15, "bytes": 1e13, "flag": 1.0,
}  # fmt: skip
_LEAST: Final = {"s": 0.0, "s per 1e9 parameters": 0.0, "bytes/s": 1e3, "bytes": 0.0, "flag": 0.0}


class ConstantsError(Exception):
    """A file of constants that cannot be read; names it and what was expected."""

    exit_code: Final = 2


@dataclass(frozen=True)
class Kept:
    """One setting of a file.

    Parameters
    ----------
    places : tuple of str. Hostings, presets and ways to start that it holds for.
    host : str. ``small``, ``large`` or ``any``: the interface of the machine.
    setting, unit : str. As under ``cold_start``.
    value : float. [as `unit`]
    source : str. What was measured, and how many rows tell it.
    """

    places: tuple[str, ...]
    host: str
    setting: str
    value: float
    unit: str
    source: str


def to_dict(measurements: Sequence[Measurement], source: str) -> dict[str, Any]:
    """The content of a file.

    Parameters
    ----------
    measurements : sequence of Measurement
    source : str. What was measured, to stand as the source of each setting.
    """
    grouped: dict[tuple[Any, ...], list[str]] = {}
    for told in settings_of(measurements):
        grouped.setdefault(_content(told), []).append(told.place)
    return {
        "schema": SCHEMA,
        "source": source,
        "constants": [
            {"holds_for": places, **dict(content)} for content, places in grouped.items()
        ],
    }


def _content(told: Told) -> tuple[tuple[str, Any], ...]:
    return (
        ("host", told.host),
        ("setting", told.setting),
        ("value", _rounded(told.value)),
        ("unit", UNITS[told.setting]),
        ("low", _rounded(told.low)),
        ("high", _rounded(told.high)),
        ("from", told.told_by),
        ("rows", told.rows),
        ("sources", told.sources),
    )


def _rounded(value: float | None) -> float | None:
    """Six digits: none was measured to more."""
    return None if value is None else float(f"{value:.6g}")


def read_constants(path: str | os.PathLike[str]) -> tuple[Kept, ...]:
    """Settings of a file.

    Raises
    ------
    ConstantsError
        Not JSON, another schema, a setting, place or unit that is not known, a value that cannot
        be; all at once.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ConstantsError(f"{name}: not JSON: {error}") from error
    if not isinstance(content, Mapping) or content.get("schema") != SCHEMA:
        found = content.get("schema") if isinstance(content, Mapping) else None
        said = f", found {found}" if isinstance(found, str) else ""
        raise ConstantsError(f"{name}: expected the schema {SCHEMA}, as calibrate writes it{said}")
    entries = content.get("constants")
    if not isinstance(entries, list) or not entries:
        raise ConstantsError(f"{name}: constants: expected a list of at least one setting")
    problems: list[str] = []
    found_ones = []
    for index, entry in enumerate(entries):
        place = f"{name}: constants.{index}"
        if not isinstance(entry, Mapping):
            problems.append(f"{place}: expected an object with setting, value, unit and holds_for")
            continue
        wrong = list(_wrong(entry))
        problems += [f"{place}.{one}" for one in wrong]
        if not wrong:
            source = f"{content.get('source') or name}: fitted to {entry.get('rows', 0)} rows"
            found_ones.append(
                Kept(
                    tuple(entry["holds_for"]),
                    entry.get("host", ANY_HOST),
                    entry["setting"],
                    float(entry["value"]),
                    entry["unit"],
                    source,
                )
            )
    if problems:
        raise ConstantsError("\n".join(problems))
    return tuple(found_ones)


def _wrong(entry: Mapping[str, Any]) -> list[str]:
    """What is wrong with one setting."""
    found = []
    setting, value, unit = entry.get("setting"), entry.get("value"), entry.get("unit")
    if setting not in UNITS:
        found.append(f"setting = {setting!r}: expected one of {', '.join(UNITS)}{_hint(setting)}")
        return found
    expected = UNITS[setting]
    if unit != expected:
        found.append(f"unit = {unit!r}: expected {expected} for {setting}")
    least, most = _LEAST[expected], _MOST[expected]
    if (
        not isinstance(value, int | float)
        or isinstance(value, bool)
        or not math.isfinite(value)
        or not least <= value <= most
    ):
        found.append(f"value = {value!r}: expected {least:g} to {most:g} {expected}")
    known = places()
    holds_for = entry.get("holds_for")
    if not isinstance(holds_for, list) or not holds_for:
        found.append(f"holds_for = {holds_for!r}: expected a list of {', '.join(known)}")
    else:
        found += [
            f"holds_for: {one!r}: expected one of {', '.join(known)}{_hint(one, known)}"
            for one in holds_for
            if one not in known
        ]
    if entry.get("host", ANY_HOST) not in _HOSTS:
        found.append(f"host = {entry['host']!r}: expected one of {', '.join(_HOSTS)}")
    return found


def _hint(word: object, among: Sequence[str] = tuple(UNITS)) -> str:
    near = difflib.get_close_matches(str(word), among, n=1)
    return f"; did you mean {near[0]}?" if near else ""
