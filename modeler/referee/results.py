"""What a validation found: every case, and counts by file."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from modeler.referee.conformance.run import ConformanceResult
from modeler.referee.predictions import OUT_OF_SCOPE, Prediction, summary
from modeler.referee.sizes import SizeResult

if TYPE_CHECKING:
    import pandas as pd

COMPARED: Final = "compared"  # with a measurement, which may be met or not
_SHORT: Final = 60  # characters of an answer that a table shows


@dataclass(frozen=True)
class CaseResult:
    """One case, replayed.

    Parameters
    ----------
    expected, got, ci_low, ci_high : float. The known answer; the replay's, with its 99.9 %
        confidence interval, whose ends coincide for a deterministic case. NaN when not replayed.
    half_width_pct : float. Half the interval over the expected value. [%]
    replications, requests : int. Independent replays; requests in all of them, pilot included.
    seed : int. Of every draw.
    status : str. ``passed``, ``failed`` or ``skipped``; ``compared`` with what was measured.
    why : str. Why not passed; or a remark on what was replayed.
    """

    id: str
    model: str
    quantity: str
    expected: float
    got: float
    ci_low: float
    ci_high: float
    half_width_pct: float
    replications: int
    requests: int
    seed: int
    status: str
    why: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``pass`` is None for a case that was skipped, or is a measurement."""
        plain = asdict(self)
        why = plain.pop("why")
        passed = None if self.status in ("skipped", COMPARED) else self.status == "passed"
        return plain | {"pass": passed, "why": why}


Answered = CaseResult | ConformanceResult | SizeResult | Prediction


@dataclass(frozen=True)
class FileResult:
    """All cases of one file, all of one schema."""

    file: str
    schema: str
    results: tuple[Answered, ...]

    def of_status(self, status: str) -> list[Answered]:
        """The cases that passed, failed or were skipped."""
        return [result for result in self.results if result.status == status]

    def errors_pct(self) -> list[float]:
        """How far the numbers got are from those expected, where both are one number. [%]"""
        found: list[float] = []
        for r in self.results:
            if isinstance(r, SizeResult):
                found += r.errors_pct
            elif isinstance(r, Prediction):
                found += [] if math.isnan(r.error_pct) else [abs(r.error_pct)]
            elif isinstance(r, CaseResult) and math.isfinite(r.got) and r.expected != 0.0:
                found.append(abs(r.got / r.expected - 1.0) * 100.0)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain data: counts, what failed, what was skipped, how far off, every case."""
        errors = self.errors_pct()
        predictions = [r for r in self.results if isinstance(r, Prediction)]
        return {
            "file": self.file,
            "schema": self.schema,
            "cases": len(self.results),
            "passed": len(self.of_status("passed")),
            "skipped": len(self.of_status("skipped")),
            "compared": len(self.of_status(COMPARED)),
            "out_of_scope": len(self.of_status(OUT_OF_SCOPE)),
            "failed": [
                {"id": r.id, "expected": r.expected, "got": r.got, "why": r.why}
                for r in self.of_status("failed")
            ],
            "skipped_cases": [{"id": r.id, "why": r.why} for r in self.of_status("skipped")],
            "median_abs_pct_error": median(errors) if errors else None,
            "within_25pct": (
                sum(error <= 25.0 for error in errors) / len(errors) if errors else None
            ),
            "errors": summary(predictions) if predictions else None,
            "results": [r.to_dict() for r in self.results],
        }


@dataclass(frozen=True)
class Validation:
    """Known answers beside those of the engine and of the functions that decide."""

    quick: bool
    rule: str
    files: tuple[FileResult, ...]

    @property
    def passed(self) -> bool:
        """Whether no case has failed; those that were skipped are named apart."""
        return not any(file.of_status("failed") for file in self.files)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``validate --format json`` prints it."""
        return {
            "schema": "validate/1",
            "quick": self.quick,
            "rule": self.rule,
            "files": [file.to_dict() for file in self.files],
        }

    def rows(self, *, short: bool = False) -> Iterator[dict[str, Any]]:
        """One row a case.

        Parameters
        ----------
        short : bool. For a table that is read: what was asked under ``kind`` whatever the schema,
            and answers of several values cut to 60 characters.
        """
        for file in self.files:
            for result in file.results:
                row = {"file": file.file, **result.to_dict()}
                if isinstance(result, ConformanceResult | SizeResult):
                    for name in ("expected", "got"):
                        row[name] = _text(row[name], short)
                elif short and isinstance(result, CaseResult):
                    row["kind"] = f"{result.model}: {result.quantity}"
                yield row

    def frame(self) -> pd.DataFrame:
        """One row a case; answers of several values as JSON text."""
        import pandas as pd

        return pd.DataFrame.from_records(list(self.rows()))


def _text(answer: dict[str, Any] | None, short: bool) -> str | None:
    """An answer of several values as JSON."""
    if answer is None:
        return None
    text = json.dumps(answer)
    return f"{text[: _SHORT - 3]}..." if short and len(text) > _SHORT else text
