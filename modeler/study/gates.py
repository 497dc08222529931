"""Gates held against the rows of a sweep; the best row decides whether they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modeler.scenario.gates import Gate, Verdict
from modeler.study.verdict import best_row

Row = dict[str, Any]


def mark_gates(rows: Sequence[Row], gates: Sequence[Gate]) -> None:
    """Set ``gates`` on each row: each gate, the value it was held against, and whether it is kept.

    Without gates the rows stay as they are.
    """
    for row in rows if gates else ():
        row["gates"] = [gate.check(row).to_dict() for gate in gates]


def judge_best(rows: Sequence[Row], gates: Sequence[Gate]) -> tuple[Verdict, ...]:
    """The gates held against the row that the verdict points at.

    Where no scenario could be replayed there is nothing to hold them against, and none is kept.
    """
    best = best_row(rows) or {}
    return tuple(gate.check(best) for gate in gates)
