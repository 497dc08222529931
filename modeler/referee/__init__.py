"""Check: the same engine, and the same decisions, against known answers.

Reading guide: `validation` (the main path: files in, verdicts out), `analytic` (which replay
answers a case of theory), `conformance.run` (a case shown to the function that decides). Behind:
`station` (a queue as work for the engine), `experiment` (how long to replay, and the replays),
`statistics` (the interval and how wide it may be), `quantities` (what may be asked), `laws` (what
may be drawn), `deterministic` (cases without chance). `cases` is the file format.
"""

from __future__ import annotations

from modeler.referee.analytic import run_case
from modeler.referee.cases import Case, CaseFile, read_cases
from modeler.referee.conformance.cases import ConformanceCase
from modeler.referee.conformance.run import ConformanceResult, run_conformance
from modeler.referee.problems import CasesError, Problem
from modeler.referee.results import CaseResult, FileResult, Validation
from modeler.referee.validation import validate

__all__ = [
    "Case",
    "CaseFile",
    "CaseResult",
    "CasesError",
    "ConformanceCase",
    "ConformanceResult",
    "FileResult",
    "Problem",
    "Validation",
    "read_cases",
    "run_case",
    "run_conformance",
    "validate",
]
