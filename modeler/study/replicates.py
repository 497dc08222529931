"""The replicates of a row: figures, their intervals, and how two rows differ, pair by pair.

Each replicate is told as a row of one hour, so that goals, their penalties and gates judge it as
they judge any row. Nothing else reads what is kept of replicates under ``uncertainty``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from modeler.scenario.figures import HOURS_A_MONTH
from modeler.scenario.gates import Gate
from modeler.study.goal import Goal, GoalError
from modeler.study.intervals import Band, Difference, Floats, Resamples, band, paired, share_band

Row = Mapping[str, Any]

BILL: Final = Goal("cost")  # without penalties
_FIGURES: Final[Mapping[str, Callable[[Goal, Row], float | None]]] = {
    "usd_per_hour": Goal.usd_per_hour,
    "usd_per_month": lambda goal, one: HOURS_A_MONTH * goal.usd_per_hour(one),
    "balance": Goal.value,
    "sla_violation_share": lambda goal, one: one["sla_violation_share"],
    "short_share": lambda goal, one: one["short_share"],
    "missed_per_month": lambda goal, one: HOURS_A_MONTH * _missed(one),
    "latency_p99_s": lambda goal, one: one["latency_s"]["p99"],
    "breach_to_ready_p95_s": lambda goal, one: one["breach_to_ready_s"]["p95"],
}
_SHARES: Final = ("sla_violation_share", "short_share")
# What misses cannot exceed: neither they nor fewer of them are told beyond what there is.
_MOST: Final[Mapping[str, float]] = {**dict.fromkeys(_SHARES, 1.0), "missed_per_month": math.inf}
# The figures of a gate that a replicate knows.
_TOLD: Final = ("usd_per_hour", "sla_violation_share", "latency_s.p99", "breach_to_ready_s.p95")
_HOUR_S: Final = 3600.0


@dataclass(frozen=True)
class Replicates:
    """A row's replicates, as a goal and gates see them.

    Parameters
    ----------
    each : tuple of mapping. A replicate as a row of an hour.
    drawn : Resamples. How they were drawn.
    goal : Goal. Dollars have its penalties.
    gates : tuple of Gate. Those that a replicate can tell of.
    note : str. How the traffic was cut.
    lead_s : float. Warm-up before each. [s]
    requests : int. Of the traffic: what one of them makes of a share; 0 where it is not known.
    """

    each: tuple[Row, ...]
    drawn: Resamples
    goal: Goal = BILL
    gates: tuple[Gate, ...] = ()
    note: str = ""
    lead_s: float = 0.0
    requests: int = 0

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.each)

    @property
    def kept(self) -> int:
        """Replicates in which the goal and the gates are kept."""
        return sum(
            self.goal.keeps(one) and all(gate.check(one).passed for gate in self.gates)
            for one in self.each
        )

    def values(self, figure: str) -> Floats:
        """A figure, one a replicate, NaN where it has none.

        Parameters
        ----------
        figure : str. ``usd_per_hour`` [USD/h] or ``usd_per_month`` [USD], with penalties;
            ``sla_violation_share``, or ``short_share`` of it for want of room [1];
            ``missed_per_month`` [requests]; ``latency_p99_s`` or ``breach_to_ready_p95_s`` [s]; or
            the ``balance`` of a goal.
        """
        of = _FIGURES[figure]
        return np.array([of(self.goal, one) for one in self.each], dtype=np.float64)

    def band(self, figure: str) -> Band | None:
        """The 95 % interval of a figure; None where it cannot be told."""
        if figure not in _SHARES:
            return band(self.values(figure), self.drawn)
        return share_band(self.values(figure), self.drawn, self.requests)


def replicates_of(row: Row, goal: Goal = BILL, gates: Sequence[Gate] = ()) -> Replicates | None:
    """The replicates of a row; None where it has none.

    Parameters
    ----------
    row : mapping. Of a `Lab` or a sweep.
    goal : Goal.
    gates : sequence of Gate. Those that `untold` names are left out.
    """
    own = row.get("uncertainty")
    if not own:
        return None
    allowed = row["sla"]["max_violation_share"]
    return Replicates(
        each=tuple(_as_row(one, allowed) for one in _each(own["values"])),
        drawn=Resamples(own["seed"], tuple(own["kinds"])),
        goal=goal,
        gates=tuple(gate for gate in gates if gate.figure in _TOLD),
        note=own["note"],
        lead_s=own["lead_s"],
        requests=row["requests"],
    )


def count_of(row: Row) -> int:
    """How many replicates a row has."""
    return int((row.get("uncertainty") or {}).get("replicates", 0))


def kept_band(row: Row, figure: str) -> Band | None:
    """The interval of a figure as it was kept with a row, without penalties."""
    found = ((row.get("uncertainty") or {}).get("bands") or {}).get(figure)
    return Band(**found) if found else None


def apart(
    first: Replicates | None, second: Replicates | None, figure: str, *, least: float = 0.0
) -> Difference | None:
    """The interval of a figure of the second less that of the first, replicate by replicate.

    Parameters
    ----------
    first, second : Replicates or None.
    figure : str. As for `Replicates.values`.
    least : float. A replicate that differs by less does not differ.

    Returns
    -------
    Difference or None
        None without replicates of both, where they were not drawn alike, or where it cannot be
        told.
    """
    if first is None or second is None or first.drawn != second.drawn:
        return None
    one, other = first.values(figure), second.values(figure)
    return paired(one, other, first.drawn, least=least, most=_MOST.get(figure))


def together(parts: Sequence[Replicates | None]) -> Replicates | None:
    """Several rows as one: dollars, requests and misses of their replicates added up.

    Parameters
    ----------
    parts : sequence of Replicates or None. Each of a part of the traffic.

    Returns
    -------
    Replicates or None
        Without latencies. None without replicates of all, or where they were not drawn alike.
    """
    known = [one for one in parts if one is not None]
    if len(known) < len(parts) or any(one.drawn != known[0].drawn for one in known):
        return None
    # One of them may have ended earlier.
    each = zip(*(one.each for one in known), strict=False)
    requests = sum(one.requests for one in known)
    return replace(known[0], each=tuple(_added(rows) for rows in each), requests=requests)


def drawn_again(rows: Sequence[Row], goal: Goal, gates: Sequence[Gate] = ()) -> list[Replicates]:
    """The replicates of rows that were asked for with them.

    Raises
    ------
    modeler.study.goal.GoalError : that of a row could not be.
    """
    found = []
    for row in rows:
        one = replicates_of(row, goal, gates)
        if one is None:
            raise GoalError(f"the traffic cannot be drawn again: {row['error']}")
        found.append(one)
    return found


def notes_of(found: Sequence[Replicates]) -> tuple[str, ...]:
    """How the traffic of rows was drawn again, for who reads their intervals."""
    notes = [found[0].note]
    if len({one.lead_s for one in found}) > 1:
        notes.append("their lead-ins differ, so that their requests drew other service times")
    return tuple(notes)


def untold(gates: Sequence[Gate]) -> tuple[str, ...]:
    """Gates of figures that no replicate knows, as they were written."""
    return tuple(gate.text for gate in gates if gate.figure not in _TOLD)


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


def _missed(one: Row) -> float:
    """Requests that miss the service level."""
    return float(one["sla_violation_share"] * one["requests"])


def _added(rows: Sequence[Row]) -> dict[str, Any]:
    """The same replicate of several parts, as one row."""
    requests = math.fsum(row["requests"] for row in rows)
    return {
        "status": "ok",
        "usd_per_hour": math.fsum(row["usd_per_hour"] for row in rows),
        "sla_violation_share": math.fsum(map(_missed, rows)) / requests if requests else 0.0,
        "requests": requests,
        "duration_s": _HOUR_S,
    }
