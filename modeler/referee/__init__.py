"""Check: the same engine against known answers.

Reading guide: `validation` (the main path: cases in, verdicts out), `station` (a queue as work for
the engine), `experiment` (how long to replay, and the replays), `statistics` (the interval and how
wide it may be). `quantities` lists what may be asked, `laws` what may be drawn, `deterministic` the
cases without chance, `cases` the file format.
"""

from __future__ import annotations

from modeler.referee.cases import Case, CaseFile, CasesError, Problem, read_cases
from modeler.referee.validation import CaseResult, FileResult, Validation, run_case, validate

__all__ = [
    "Case",
    "CaseFile",
    "CaseResult",
    "CasesError",
    "FileResult",
    "Problem",
    "Validation",
    "read_cases",
    "run_case",
    "validate",
]
