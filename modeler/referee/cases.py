"""Known answers as a file: read, checked whole, every problem named at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modeler.predict.calibration import is_measurements
from modeler.referee import cold_starts, latency_points, measured, sizes
from modeler.referee.cold_starts import ColdStartRow
from modeler.referee.conformance import cases as conformance
from modeler.referee.conformance.cases import ConformanceCase
from modeler.referee.latency_points import LatencyPoint
from modeler.referee.measured import MeasuredCase
from modeler.referee.problems import CasesError, Problem, Row, is_number, shown
from modeler.referee.sizes import SizeCase

ANALYTIC: Final = "analytic-cases/1"
CONFORMANCE: Final = "conformance-cases/1"
_KEYS: Final = ("id", "model", "params", "quantity", "value", "formula_ref", "note")


@dataclass(frozen=True)
class Case:
    """One known answer of theory.

    Parameters
    ----------
    id : str. Its name; the seed of its replications is a hash of it.
    model : str. The queue, in Kendall's notation or by name.
    params : mapping. Rates, servers, places; numbers, and names of laws.
    quantity : str. What is asked for.
    value : float. The closed-form answer, in the unit of the quantity.
    formula_ref : str. Where the answer comes from.
    """

    id: str
    model: str
    params: Mapping[str, float | str]
    quantity: str
    value: float
    formula_ref: str = ""


AnyCase = Case | ConformanceCase | MeasuredCase | SizeCase | LatencyPoint | ColdStartRow


@dataclass(frozen=True)
class CaseFile:
    """A file of known answers, all of one schema."""

    file: str
    schema: str
    cases: tuple[AnyCase, ...]


def read_cases(path: str | os.PathLike[str]) -> CaseFile:
    """Read and check a file of known answers.

    Parameters
    ----------
    path : path. A JSON file whose ``schema`` is ``analytic-cases/1``, ``conformance-cases/1`` or
        ``model-size-cases/1``, or a CSV with the columns of the measured Lambda experiment, of
        published latencies or of measured starts.

    Raises
    ------
    CasesError
        Not JSON, another schema, or cases that lack something; all problems at once.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(path)
    if name.lower().endswith(".csv"):
        return _read_table(name, Path(path))
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CasesError([Problem(name, "", "", "bytes that are not UTF-8", "JSON")]) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        found = f"text that is no JSON ({error.msg})"
        expected = "known answers as JSON, or measurements as a .csv"
        raise CasesError([Problem(name, "", where, found, expected)]) from error
    return check_cases(content, name)


def _read_table(name: str, path: Path) -> CaseFile:
    """Measurements, by the columns that their CSV has."""
    header, rows = measured.read_csv(path)
    if measured.is_experiment(header):
        return CaseFile(name, measured.SCHEMA, measured.read_experiment(name, rows))
    if latency_points.is_latency_points(header):
        return CaseFile(name, latency_points.SCHEMA, latency_points.read_points(name, rows))
    if is_measurements(header):
        return CaseFile(name, cold_starts.SCHEMA, cold_starts.read_rows(name, rows))
    expected = (
        "the columns of measurements: ArrivalRate, ColdStartProbability, ..; model, hw, metric, "
        "value, ..; or phase, seconds, .."
    )
    raise CasesError([Problem(name, "", "header", shown(", ".join(header)), expected)])


def check_cases(content: Any, file: str) -> CaseFile:
    """Turn the parsed content of a file into cases.

    Raises
    ------
    CasesError
        As for `read_cases`.
    """
    if not isinstance(content, dict):
        raise CasesError([Problem(file, "", "", shown(content), "an object with schema, cases")])
    schema = content.get("schema")
    if not isinstance(schema, str) or schema not in _SCHEMAS:
        runs = f"one of the schemas this version runs: {', '.join(_SCHEMAS)}"
        raise CasesError([Problem(file, "", "schema", shown(schema), runs)])
    where, keys, parse = _SCHEMAS[schema]
    rows = content.get(where)
    if not isinstance(rows, list) or not rows:
        raise CasesError([Problem(file, "", where, shown(rows), "a list of at least one case")])
    problems: list[Problem] = []
    cases: list[AnyCase] = []
    seen: set[str] = set()
    for number, plain in enumerate(rows, start=1):
        if not isinstance(plain, dict):
            problems.append(Problem(file, f"case {number}", "", shown(plain), "an object"))
            continue
        name = plain.get("id")
        place = name if isinstance(name, str) and name else f"case {number}"
        row = Row(plain, place, file, keys)
        found = parse(row)
        if not row.problems and found.id in seen:
            row.refuse_found("id", "a second case of this id", "unique ids")
        problems += row.problems
        if not row.problems:
            seen.add(found.id)
            cases.append(found)
    if problems:
        raise CasesError(problems)
    return CaseFile(file, schema, tuple(cases))


def _analytic(row: Row) -> Case:
    for key in ("id", "model", "quantity"):
        row.need_name(key)
    content = row.content
    if not is_number(content.get("value")):
        row.refuse("value", "a finite number")
    params = row.need_object("params", "an object of numbers and names")
    for key, value in params.items():
        if value is not None and not is_number(value) and not isinstance(value, str):
            row.refuse_found(f"params.{key}", shown(value), "a finite number or a name")
    return Case(
        id=str(content.get("id")),
        model=str(content.get("model")),
        params={key: value for key, value in params.items() if value is not None},
        quantity=str(content.get("quantity")),
        value=float(content["value"]) if is_number(content.get("value")) else 0.0,
        formula_ref=str(content.get("formula_ref", "")),
    )


# Schema to the key its cases stand under, the keys of a case, and how one is read.
_Parse = Callable[[Row], Case | ConformanceCase | SizeCase]
_SCHEMAS: Final[dict[str, tuple[str, tuple[str, ...], _Parse]]] = {
    ANALYTIC: ("cases", _KEYS, _analytic),
    CONFORMANCE: ("cases", conformance.KEYS, conformance.parse),
    sizes.SCHEMA: ("items", sizes.KEYS, sizes.parse),
}
SCHEMAS: Final = tuple(_SCHEMAS)
