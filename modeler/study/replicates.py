"""Figures of a row's replicates, as a goal and gates see them: bands, and differences in pairs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from modeler.scenario.gates import Gate
from modeler.study.goal import Goal, GoalError
from modeler.study.intervals import Band, Difference, Floats, Resamples, band, paired

Row = Mapping[str, Any]
# The figures of a gate that a replicate knows.
_TOLD: Final = ("usd_per_hour", "sla_violation_share", "latency_s.p99", "breach_to_ready_s.p95")
_HOUR_S: Final = 3600.0


@dataclass(frozen=True)
class Replicates:
    """A row's replicates.

    Parameters
    ----------
    values : mapping of figure to array. One a replicate, NaN where it has none.
    drawn : Resamples. How they were drawn.
    kept : int. Replicates in which a goal and gates are kept.
    """

    values: Mapping[str, Floats]
    drawn: Resamples
    kept: int

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.values["usd_per_hour"])

    def band(self, figure: str) -> Band | None:
        """The 95 % interval of a figure; None where it cannot be told."""
        return band(self.values[figure], self.drawn)

    def less(self, other: Replicates, figure: str) -> Difference | None:
        """A figure less another row's, replicate by replicate; None where it cannot be told."""
        return paired(list(other.values[figure]), list(self.values[figure]), self.drawn)


def replicates_of(row: Row, goal: Goal, gates: Sequence[Gate] = ()) -> Replicates:
    """The replicates of a row that has them.

    Parameters
    ----------
    row : mapping. Of a `Lab`, asked for with replicates.
    goal : Goal. Dollars have its penalties; its own figure is among the values.
    gates : sequence of Gate. Those that `untold` names are left out.

    Returns
    -------
    Replicates
        Of ``usd_per_hour``, ``sla_violation_share``, ``short_share``, ``latency_p99_s`` and
        ``Goal.figure``.
    """
    allowed = row["sla"]["max_violation_share"]
    each = [_as_row(one, allowed) for one in _each(row["uncertainty"]["values"])]
    told = [gate for gate in gates if gate.figure in _TOLD]
    values = {
        "usd_per_hour": [goal.usd_per_hour(one) for one in each],
        "sla_violation_share": [one["sla_violation_share"] for one in each],
        "short_share": [one["short_share"] for one in each],
        "latency_p99_s": [one["latency_s"]["p99"] for one in each],
    }
    values.setdefault(goal.figure, [goal.value(one) for one in each])
    return Replicates(
        values={name: np.array(of, dtype=np.float64) for name, of in values.items()},
        drawn=Resamples.of_row(row["uncertainty"]),
        kept=sum(goal.keeps(one) and all(gate.check(one).passed for gate in told) for one in each),
    )


def untold(gates: Sequence[Gate]) -> tuple[str, ...]:
    """Gates of figures that no replicate knows, as they were written."""
    return tuple(gate.text for gate in gates if gate.figure not in _TOLD)


def drawn_again(rows: Sequence[Row]) -> tuple[str, ...]:
    """How the traffic of rows was drawn again, for who reads their intervals.

    Raises
    ------
    modeler.study.goal.GoalError : that of a row could not be.
    """
    for row in rows:
        if row["status"] != "ok":
            raise GoalError(f"the traffic cannot be drawn again: {row['error']}")
    notes = [rows[0]["uncertainty"]["note"]]
    if len({row["uncertainty"]["lead_s"] for row in rows}) > 1:
        notes.append("their lead-ins differ, so that their requests drew other service times")
    return tuple(notes)


def _each(values: Mapping[str, Sequence[float | None]]) -> list[dict[str, float | None]]:
    """One mapping a replicate; None where it has no such figure."""
    return [
        {
            name: None if x is None or math.isnan(x) else x
            for name, x in zip(values, one, strict=True)
        }
        for one in zip(*values.values(), strict=True)
    ]


def _as_row(one: Mapping[str, Any], allowed: float) -> dict[str, Any]:
    """A replicate as a row of an hour, for goals and gates to judge."""
    share = one["sla_violation_share"]
    return {
        "status": "ok",
        "usd_per_hour": one["usd_per_hour"],
        "sla_violation_share": share,
        "short_share": max(share - one["slow_share"], 0.0),
        "meets_sla": share <= allowed,
        "latency_s": {"p99": one["latency_p99_s"]},
        "breach_to_ready_s": {"p95": one["breach_to_ready_p95_s"]},
        "requests": one["requests_per_hour"],
        "duration_s": _HOUR_S,
    }
