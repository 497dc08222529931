"""Predictions beside published measurements: no row has to be met, every row is shown."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

PREDICTED: Final = "compared"
OUT_OF_SCOPE: Final = "out of scope"


@dataclass(frozen=True)
class Prediction:
    """One measured row.

    Parameters
    ----------
    id : str. Its name, or what it is of.
    kind : str. What was measured: a metric of latency, a phase of a start.
    groups : tuple of str. What its error is counted under beside `kind`: a hosting, say.
    source : str. Where it was published.
    expected : float. The measurement, in `unit`.
    got : float, optional. The prediction.
    why : str. What is missing, where the row is out of scope; else a remark.
    """

    id: str
    kind: str
    groups: tuple[str, ...]
    source: str
    unit: str
    expected: float
    got: float | None
    why: str = ""

    @property
    def status(self) -> str:
        """``compared``, or ``out of scope``."""
        return PREDICTED if self.got is not None else OUT_OF_SCOPE

    @property
    def error_pct(self) -> float:
        """How far the prediction is off, signed; NaN where there is none. [%]"""
        if self.got is None:
            return math.nan
        if self.expected == 0.0:
            return 0.0 if self.got == 0.0 else math.inf
        return 100.0 * (self.got / self.expected - 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        error = self.error_pct
        return {
            "id": self.id,
            "kind": self.kind,
            "groups": list(self.groups),
            "expected": self.expected,
            "got": self.got,
            "unit": self.unit,
            "error_pct": None if math.isnan(error) else error,
            "status": self.status,
            "pass": None,
            "why": self.why,
            "source": self.source,
        }


def summary(rows: Iterable[Prediction]) -> dict[str, Any]:
    """Errors by kind, by group and over all; by source first, so that no study outweighs others.

    Returns
    -------
    dict
        ``all``, and every kind and group by name: ``rows``, ``median_pct``, ``within_50pct`` (a
        share), ``median_of_sources_pct``; ``out_of_scope``, reasons with their counts.
    """
    found = list(rows)
    compared = [row for row in found if not math.isnan(row.error_pct)]
    names = sorted({row.kind for row in compared})
    groups = sorted({group for row in compared for group in row.groups})
    reasons: dict[str, int] = {}
    for row in found:
        if row.got is None:
            reasons[row.why] = reasons.get(row.why, 0) + 1
    return {
        "all": _errors(compared),
        "by_kind": {name: _errors([r for r in compared if r.kind == name]) for name in names},
        "by_group": {name: _errors([r for r in compared if name in r.groups]) for name in groups},
        "out_of_scope": reasons,
    }


def _errors(rows: list[Prediction]) -> dict[str, Any]:
    if not rows:
        return {"rows": 0}
    errors = [abs(row.error_pct) for row in rows]
    sources = {row.source for row in rows}
    by_source = [median(abs(r.error_pct) for r in rows if r.source == s) for s in sources]
    return {
        "rows": len(rows),
        "sources": len(sources),
        "median_pct": median(errors),
        "within_50pct": sum(error <= 50.0 for error in errors) / len(errors),
        "median_of_sources_pct": median(by_source),
    }
