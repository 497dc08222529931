"""How sure an optimum is: its plateau and the scenario as it stands, over the same replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from modeler.scenario import ScenarioError, value_at
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.scenario.gates import Gate
from modeler.study.comparison import Compared
from modeler.study.goal import Goal
from modeler.study.intervals import CONFIDENCE, Difference
from modeler.study.lab import Lab
from modeler.study.replicates import (
    Replicates,
    apart,
    drawn_again,
    notes_of,
    replicates_of,
    untold,
)

Row = dict[str, Any]

# Settings of a plateau that are replayed again, beside the best: each takes as many replays as the
# search itself does.
MOST: Final = 8
_BANDS: Final = ("usd_per_hour", "sla_violation_share", "latency_p99_s")


@dataclass(frozen=True)
class Again:
    """A setting over its replicates.

    Parameters
    ----------
    row : dict. With ``uncertainty``.
    replicates : Replicates. As the goal and the gates see them.
    difference : Difference, optional. Of the goal's figure, less the best's, replicate by
        replicate; None of the best itself, or where it cannot be told.
    """

    row: Row
    replicates: Replicates
    difference: Difference | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data; dollars have the goal's penalties."""
        bands = {name: self.replicates.band(name) for name in _BANDS}
        return {
            "settings": self.row["settings"],
            **{name: None if ends is None else ends._asdict() for name, ends in bands.items()},
            "kept": self.replicates.kept,
            "replicates": self.replicates.count,
            "difference": None if self.difference is None else self.difference._asdict(),
        }


@dataclass(frozen=True)
class Certainty:
    """The best setting of an optimum, held against others over replicates of the traffic.

    Parameters
    ----------
    figure : str. Of the goal, which ``difference`` is of; see `Goal.figure`.
    best : Again.
    plateau : tuple of Again. The other settings within a hundredth of it, at most `MOST`.
    left_out : int. More of them, which were not replayed again.
    own : Again, optional. The scenario as it stands; None where it cannot be replayed.
    own_error : str. Why it cannot be.
    changes : tuple of Compared. The best (B) less the scenario as it stands (A).
    untold : tuple of str. Gates that replicates do not tell of.
    notes : tuple of str.
    """

    figure: str
    best: Again
    plateau: tuple[Again, ...]
    left_out: int
    own: Again | None
    own_error: str
    changes: tuple[Compared, ...]
    untold: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def replays(self) -> int:
        """Replicates that were replayed."""
        each = {one.row["scenario_id"]: one.replicates.count for one in self.each}
        return sum(each.values())

    @property
    def each(self) -> tuple[Again, ...]:
        """The best, the plateau, and the scenario as it stands."""
        return (self.best, *self.plateau, *([] if self.own is None else [self.own]))

    def of(self, row: Row) -> Again | None:
        """What is known of a row's scenario."""
        return next(
            (one for one in self.each if one.row["scenario_id"] == row["scenario_id"]), None
        )

    def is_own(self, row: Row) -> bool:
        """Whether a row is the scenario as it stands."""
        return self.own is not None and self.own.row["scenario_id"] == row["scenario_id"]

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ``certainty`` of schema ``optimum/1``."""
        return {
            "confidence": CONFIDENCE,
            "figure": self.figure,
            "best": self.best.to_dict(),
            "plateau": [one.to_dict() for one in self.plateau],
            "left_out": self.left_out,
            "own": None if self.own is None else self.own.to_dict(),
            "own_error": self.own_error or None,
            "changes": [one._asdict() for one in self.changes],
            "untold_gates": list(self.untold),
            "replays": self.replays,
            "notes": list(self.notes),
        }


def certainty(
    lab: Lab,
    axes: Mapping[str, Sequence[Any]],
    plateau: Sequence[Row],
    goal: Goal,
    gates: Sequence[Gate],
    replicates: int,
) -> Certainty:
    """Replay a plateau and the scenario as it stands over the same replicates.

    Parameters
    ----------
    lab : Lab. Of the scenario.
    axes : mapping. What was varied.
    plateau : sequence of dict. The best first.
    goal, gates : as for `modeler.study.optimize`.
    replicates : int. Of each at most; see `modeler.study.bands.enough`.

    Raises
    ------
    modeler.study.goal.GoalError : the traffic cannot be drawn again.
    """
    chosen = [row["settings"] for row in plateau[: 1 + MOST]]
    *rows, own_row = lab.rows([*chosen, {}], replicates=replicates)
    again = drawn_again(rows, goal, gates)
    first, *rest = (Again(row, one) for row, one in zip(rows, again, strict=True))
    own: Again | None = None
    changes: tuple[Compared, ...] = ()
    own_again = replicates_of(own_row, goal, gates)
    if own_again is not None:
        standing = {path: _standing(lab, path) for path in axes}
        own = _beside(Again({**own_row, "settings": standing}, own_again), first, goal)
        changes = _changes(own, first, goal)
    return Certainty(
        figure=goal.figure,
        best=first,
        plateau=tuple(_beside(one, first, goal) for one in rest),
        left_out=max(len(plateau) - len(chosen), 0),
        own=own,
        own_error="" if own is not None else own_row["error"],
        changes=changes,
        untold=untold(gates),
        notes=notes_of([*again, *([] if own is None else [own.replicates])]),
    )


def _standing(lab: Lab, path: str) -> Any:
    """The scenario's own value; None of a setting that only another kind of it has."""
    try:
        return value_at(lab.scenario, path)
    except ScenarioError:
        return None


def _beside(one: Again, best: Again, goal: Goal) -> Again:
    return Again(one.row, one.replicates, apart(best.replicates, one.replicates, goal.figure))


def _changes(own: Again, best: Again, goal: Goal) -> tuple[Compared, ...]:
    found = []
    for name, key, factor, unit in (
        ("usd_per_month", "usd_per_hour", HOURS_A_MONTH, "USD"),
        ("sla_violation_share", "sla_violation_share", 1.0, "1"),
        ("latency_p99_s", "latency_p99_s", 1.0, "s"),
    ):
        a, b = (_figure(one.row, key, goal, factor) for one in (own, best))
        ends = apart(own.replicates, best.replicates, key)
        if ends is None:
            found.append(Compared(name, unit, a, b, None, None, None, None))
            continue
        middle, low, high = (factor * end for end in (ends.middle, ends.low, ends.high))
        found.append(Compared(name, unit, a, b, middle, low, high, ends.differs))
    return tuple(found)


def _figure(row: Row, key: str, goal: Goal, factor: float) -> float | None:
    if key == "usd_per_hour":
        return factor * goal.usd_per_hour(row)
    value = row["latency_s"]["p99"] if key == "latency_p99_s" else row[key]
    return None if value is None else factor * value
