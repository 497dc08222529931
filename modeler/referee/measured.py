"""A measured experiment on AWS Lambda beside the replay of the same load.

Twenty runs of one function under Poisson arrivals at known rates, with the mean warm and cold
response, a keep-alive of 10 minutes, and the probability of a cold start with its standard error
(``lambda_experiment.csv``: data of pacslab/simfaas, examples/exp.csv, commit 5dd1623, MIT licence,
unchanged). The replay takes rates, means and keep-alive as they are, and responses as exponential.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Final

from modeler.referee.experiment import measure, seed_of
from modeler.referee.parameters import Parameters
from modeler.referee.per_request import environment_quantity, environment_station
from modeler.referee.problems import CasesError, Problem
from modeler.referee.results import COMPARED, CaseResult

SCHEMA: Final = "lambda-experiment/1"
SHIPPED: Final = Path(__file__).with_name("lambda_experiment.csv")
_ASKED: Final = "cold_start_probability"
_NUMBERS: Final = (
    "ArrivalRate",
    "ServiceTimeWarm",
    "ServiceTimeCold",
    "IdleMinutesBeforeKill",
    "ColdStartProbability",
    "ColdStartProbabilitySE",
)
_MS: Final = 1000.0
_MINUTE_S: Final = 60.0


@dataclass(frozen=True)
class MeasuredCase:
    """One run of the experiment.

    Parameters
    ----------
    id : str. Its name.
    params : mapping. Arrival rate, mean responses and keep-alive. [1/s, s]
    value, error : float. Measured probability of a cold start, and its standard error. [1]
    """

    id: str
    params: Mapping[str, float]
    value: float
    error: float


def is_experiment(header: Sequence[str]) -> bool:
    """Whether a CSV with this header holds the experiment."""
    return set(_NUMBERS) <= set(header)


def read_experiment(file: str, rows: Sequence[Mapping[str, str]]) -> tuple[MeasuredCase, ...]:
    """The runs of a file.

    Raises
    ------
    CasesError
        A cell is no finite number; all problems at once.
    """
    problems: list[Problem] = []
    cases = []
    for number, row in enumerate(rows, start=1):
        name = row.get("", "") or f"row {number}"
        found: dict[str, float] = {}
        for column in _NUMBERS:
            try:
                found[column] = float(row[column])
            except (TypeError, ValueError):
                found[column] = math.nan
            if not math.isfinite(found[column]):
                problems.append(Problem(file, name, column, repr(row[column]), "a finite number"))
        params = {
            "arrival_rate": found["ArrivalRate"],
            "mean_warm_service": found["ServiceTimeWarm"] / _MS,
            "mean_cold_service": found["ServiceTimeCold"] / _MS,
            "keep_alive": found["IdleMinutesBeforeKill"] * _MINUTE_S,
        }
        cases.append(
            MeasuredCase(
                name, params, found["ColdStartProbability"], found["ColdStartProbabilitySE"]
            )
        )
    if problems:
        raise CasesError(problems)
    return tuple(cases)


def read_csv(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    """Header and rows of a CSV."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
    return list(reader.fieldnames or ()), rows


def compare_measured(
    case: MeasuredCase, *, quick: bool = False, seed: int = 0, stop: Event | None = None
) -> CaseResult:
    """Replay the load of one run; predicted beside measured, which no case has to meet."""
    params = Parameters(case.params)
    station = environment_station("keep-alive, fixed", params)
    asked = environment_quantity(_ASKED, station, params)
    own_seed = seed_of(case.id, seed)
    found = measure(station, asked, case.value, own_seed, quick=quick, stop=stop)
    value, low, high = found.interval
    away = (value - case.value) / case.error if case.error > 0.0 else math.nan
    return CaseResult(
        id=case.id,
        model=f"AWS Lambda at {case.params['arrival_rate']:.4g} requests/s",
        quantity=_ASKED,
        expected=case.value,
        got=value,
        ci_low=low,
        ci_high=high,
        half_width_pct=100.0 * found.interval.half_width / case.value,
        replications=found.replications,
        requests=found.requests,
        seed=own_seed,
        status=COMPARED,
        why=(
            f"measured with standard error {case.error:.2g}; predicted is "
            f"{100.0 * (value / case.value - 1.0):+.0f} %, {away:+.1f} standard errors"
        ),
    )
