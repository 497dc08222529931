"""Known answers, run against the engine and the functions that decide: the room's main path."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Final

from modeler.referee.analytic import run_case
from modeler.referee.cases import AnyCase, CaseFile, read_cases
from modeler.referee.cold_starts import ColdStartRow, predict_row
from modeler.referee.conformance.cases import ConformanceCase
from modeler.referee.conformance.run import run_conformance
from modeler.referee.experiment import RULE
from modeler.referee.latency_points import LatencyPoint, predict_point
from modeler.referee.measured import MeasuredCase, compare_measured
from modeler.referee.problems import CasesError, Problem
from modeler.referee.results import Answered, FileResult, Validation
from modeler.referee.sizes import SizeCase, run_size
from modeler.referee.statistics import QUICK_FACTOR

SHIPPED: Final = tuple(
    Path(__file__).with_name(name)
    for name in (
        "analytic_cases.json",
        "conformance_cases.json",
        "lambda_experiment.csv",
        "size_cases.json",
    )
)


def validate(
    files: Sequence[str | os.PathLike[str]] | None = None,
    *,
    quick: bool = False,
    seed: int = 0,
    workers: int = 1,
    progress: Callable[[int, int, str], None] | None = None,
) -> Validation:
    """Replay known answers of theory, ask those of autoscalers, and compare.

    Parameters
    ----------
    files : sequence of path, optional. Files of ``analytic-cases/1``, ``conformance-cases/1`` and
        ``model-size-cases/1``, and CSVs of the measured Lambda experiment of published latencies
        and of measured starts, in any mix; the shipped ones when none.
    quick : bool. Tiers five times as wide and shorter runs.
    seed : int. Mixed into each case's seed; 0 leaves the hash of its id alone.
    workers : int. Threads; the answers do not depend on it.
    progress : called with cases done, cases in all and the id of the one just done.

    Raises
    ------
    CasesError
        What cannot be read in all files together. Nothing is replayed then.
    OSError
        A file cannot be opened.
    """
    read = _read_all(files or SHIPPED)
    cases = [case for file in read for case in file.cases]
    results = _run_all(cases, quick, seed, workers, progress)
    rule = RULE
    if quick:
        rule += (
            f" Quick: half-widths may be {QUICK_FACTOR:g} times as wide (10 %; 25 % and 150 % in "
            "the two wider tiers), from 30 replications."
        )
    return Validation(quick, rule, tuple(_split(read, results)))


def _read_all(paths: Sequence[str | os.PathLike[str]]) -> list[CaseFile]:
    read: list[CaseFile] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            read.append(read_cases(path))
        except CasesError as error:
            problems += error.problems
    if problems:
        raise CasesError(problems)
    return read


def _split(files: list[CaseFile], results: list[Answered]) -> Iterator[FileResult]:
    first = 0
    for file in files:
        last = first + len(file.cases)
        shown = Path(file.file).name if Path(file.file) in SHIPPED else file.file
        yield FileResult(shown, file.schema, tuple(results[first:last]))
        first = last


def _run_all(
    cases: Sequence[AnyCase],
    quick: bool,
    seed: int,
    workers: int,
    progress: Callable[[int, int, str], None] | None,
) -> list[Answered]:
    done = 0
    results: list[Answered] = []
    stop = Event()
    pool = ThreadPoolExecutor(max_workers=max(workers, 1))

    def run(case: AnyCase) -> Answered:
        if isinstance(case, ConformanceCase):
            return run_conformance(case)
        if isinstance(case, SizeCase):
            return run_size(case)
        if isinstance(case, LatencyPoint):
            return predict_point(case)
        if isinstance(case, ColdStartRow):
            return predict_row(case)
        if isinstance(case, MeasuredCase):
            return compare_measured(case, quick=quick, seed=seed, stop=stop)
        return run_case(case, quick=quick, seed=seed, stop=stop)

    try:
        for result in pool.map(run, cases):
            done += 1
            results.append(result)
            if progress is not None:
                progress(done, len(cases), result.id)
    finally:
        # Interrupted: what has not begun is dropped, what runs ends with its replication.
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)
    return results
