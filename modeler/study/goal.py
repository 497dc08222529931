"""What a study looks for: the cheapest that keeps its promises, or dollars against speed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from modeler.scenario import format_duration

Row = Mapping[str, Any]
KINDS: Final = ("cheapest", "cost", "speed", "balanced")


class GoalError(Exception):
    """A goal that cannot be."""

    exit_code: Final = 2


@dataclass(frozen=True)
class Goal:
    """How rows are ranked: the smaller the value, the better.

    Parameters
    ----------
    kind : str. ``cheapest`` that keeps the service level, ``cost`` alone, ``speed`` (the 99th
        percentile of latency), or ``balanced`` between the last two.
    weight : float. Of cost in ``balanced``, from 0 to 1.
    penalty_usd : float. What each missed request costs beside the bill. [USD]
    """

    kind: str = "cheapest"
    weight: float = 0.5
    penalty_usd: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise GoalError(f'goal "{self.kind}": expected one of {", ".join(KINDS)}')
        if not 0.0 <= self.weight <= 1.0:
            raise GoalError(f"weight {self.weight:g}: expected 0 to 1")
        if not (self.penalty_usd >= 0.0 and math.isfinite(self.penalty_usd)):
            raise GoalError(f"penalty {self.penalty_usd:g}: expected dollars of 0 or more")

    @property
    def figure(self) -> str:
        """What is ranked by: ``usd_per_hour``, ``latency_p99_s``, or the ``balance`` of both."""
        return {"speed": "latency_p99_s", "balanced": "balance"}.get(self.kind, "usd_per_hour")

    def usd_per_hour(self, row: Row) -> float:
        """The bill, and the penalties of what was missed. [USD/h]"""
        hours = row["duration_s"] / 3600.0
        missed = row["sla_violation_share"] * row["requests"]
        return float(row["usd_per_hour"] + (self.penalty_usd * missed / hours if hours else 0.0))

    def value(self, row: Row) -> float:
        """What is to be small; infinite for a row without a result.

        ``balanced`` is the product of dollars to the weight and latency to what is left of it, so
        that one per cent of either counts by its weight, whatever else is tried.
        """
        if row["status"] != "ok":
            return math.inf
        usd, p99_s = self.usd_per_hour(row), row["latency_s"]["p99"]
        if self.kind in ("cheapest", "cost"):
            return usd
        if p99_s is None:
            return math.inf
        if self.kind == "speed":
            return float(p99_s)
        return float(usd**self.weight * p99_s ** (1.0 - self.weight))

    def keeps(self, row: Row) -> bool:
        """Whether a row may win: it has a result, and keeps the level where that is asked."""
        return row["status"] == "ok" and (self.kind != "cheapest" or bool(row["meets_sla"]))

    def rank(self, row: Row) -> tuple[bool, float, float]:
        """For sorting: what keeps its promises first, by value; then by how far others miss."""
        if self.keeps(row):
            return False, self.value(row), 0.0
        share = row["sla_violation_share"] if row["status"] == "ok" else math.inf
        return True, float(share), self.value(row)

    def words(self, row: Row, usd_band: str = "", p99_band: str = "") -> str:
        """The value of a row, as said in a sentence.

        Parameters
        ----------
        row : mapping. One with a result.
        usd_band, p99_band : str. What follows dollars and the percentile, as their intervals.
        """
        usd = f"${self.usd_per_hour(row):,.2f} an hour"
        if self.penalty_usd:
            usd += " with penalties"
        usd += usd_band
        if self.figure == "usd_per_hour":
            return usd
        p99 = f"a 99th percentile of {format_duration(row['latency_s']['p99'])}{p99_band}"
        return f"{usd} and {p99}" if self.kind == "balanced" else p99
