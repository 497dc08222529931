"""Known answers as a file: read, checked whole, every problem named at once."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

ANALYTIC: Final = "analytic-cases/1"
SCHEMAS: Final = (ANALYTIC,)
_KEYS: Final = ("id", "model", "params", "quantity", "value", "formula_ref", "note")


@dataclass(frozen=True)
class Case:
    """One known answer.

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


@dataclass(frozen=True)
class CaseFile:
    """A file of known answers."""

    file: str
    schema: str
    cases: tuple[Case, ...]


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file: where, what was found, what was expected."""

    file: str
    case: str
    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.file, self.case, self.key) if part)
        return f"{where}: found {self.found}, expected {self.expected}"


class CasesError(ValueError):
    """A file of known answers cannot be read; ``problems`` lists all that is wrong with it."""

    exit_code: Final = 2

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{head} in known answers:\n{lines}")


def read_cases(path: str | os.PathLike[str]) -> CaseFile:
    """Read and check a file of known answers.

    Parameters
    ----------
    path : path. A JSON file whose ``schema`` is ``analytic-cases/1``.

    Raises
    ------
    CasesError
        Not JSON, another schema, or cases that lack something; all problems at once.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise CasesError([Problem(name, "", "", "bytes that are not UTF-8", "JSON")]) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise CasesError([Problem(name, "", where, error.msg, "JSON")]) from error
    return check_cases(content, name)


def check_cases(content: Any, file: str) -> CaseFile:
    """Turn the parsed content of a file into cases.

    Raises
    ------
    CasesError
        As for `read_cases`.
    """
    runs = f"one of the schemas this version runs: {', '.join(SCHEMAS)}"
    if not isinstance(content, dict):
        raise CasesError([Problem(file, "", "", _shown(content), "an object with schema, cases")])
    schema = content.get("schema")
    if schema not in SCHEMAS:
        raise CasesError([Problem(file, "", "schema", _shown(schema), runs)])
    rows = content.get("cases")
    if not isinstance(rows, list) or not rows:
        raise CasesError([Problem(file, "", "cases", _shown(rows), "a list of at least one case")])
    problems: list[Problem] = []
    cases: list[Case] = []
    seen: set[str] = set()
    for number, row in enumerate(rows, start=1):
        found = _case(row, number, file, problems)
        if found is None:
            continue
        if found.id in seen:
            problems.append(Problem(file, found.id, "id", "a second case of this id", "unique ids"))
        seen.add(found.id)
        cases.append(found)
    if problems:
        raise CasesError(problems)
    return CaseFile(file, schema, tuple(cases))


def _case(row: Any, number: int, file: str, problems: list[Problem]) -> Case | None:
    place = f"case {number}"
    if not isinstance(row, dict):
        problems.append(Problem(file, place, "", _shown(row), "an object"))
        return None
    name = row.get("id")
    if isinstance(name, str) and name:
        place = name
    before = len(problems)

    def refuse(key: str, expected: str) -> None:
        if key in row:
            problems.append(Problem(file, place, key, _shown(row[key]), expected))
            return
        near = get_close_matches(key, [str(k) for k in row if k not in _KEYS], n=1)
        found = f"nothing, but {near[0]!r}" if near else "nothing"
        problems.append(Problem(file, place, key, found, expected))

    for key in ("id", "model", "quantity"):
        if not isinstance(row.get(key), str) or not row[key].strip():
            refuse(key, "a name")
    if not _is_number(row.get("value")):
        refuse("value", "a finite number")
    params = row.get("params")
    if not isinstance(params, dict):
        refuse("params", "an object of numbers and names")
    else:
        for key, value in params.items():
            if not _is_number(value) and not isinstance(value, str):
                problem = Problem(
                    file, place, f"params.{key}", _shown(value), "a finite number or a name"
                )
                problems.append(problem)
    if len(problems) > before:
        return None
    return Case(
        id=row["id"],
        model=row["model"],
        params=dict(row["params"]),
        quantity=row["quantity"],
        value=float(row["value"]),
        formula_ref=str(row.get("formula_ref", "")),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    text = "nothing" if value is None else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
