"""Figures of rows over their replicates, and how two rows differ in them, pair by pair."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.goal import Goal
from modeler.study.intervals import Band, Difference, Resamples, band, paired

Row = Mapping[str, Any]
Series = Callable[[Row], Sequence[float]]

# Bills are rounded to cents: dollars that differ by less than half of one are the same. [USD]
LEAST_USD: Final = 0.005


def money(usd: float) -> float:
    """A difference of dollars; below half a cent nothing, for its last bits are no money.

    >>> money(2.3e-13), money(-0.004), money(0.01)
    (0.0, 0.0, 0.01)
    """
    return 0.0 if abs(usd) < LEAST_USD else usd


def usd_per_month(goal: Goal) -> Series:
    """Dollars a month of each replicate, with penalties. [USD]"""

    def of(row: Row) -> list[float]:
        return [
            HOURS_A_MONTH * (usd + goal.penalty_usd * missed)
            for usd, missed in zip(_values(row, "usd_per_hour"), missed_per_hour(row), strict=True)
        ]

    return of


def missed_per_hour(row: Row) -> list[float]:
    """Requests that miss the service level, of each replicate. [requests/h]"""
    return [
        share * rate
        for share, rate in zip(missed_share(row), _values(row, "requests_per_hour"), strict=True)
    ]


def missed_per_month(row: Row) -> list[float]:
    """The same a month. [requests]"""
    return [HOURS_A_MONTH * one for one in missed_per_hour(row)]


def missed_share(row: Row) -> list[float]:
    """Share of requests that miss the service level, of each replicate."""
    return _values(row, "sla_violation_share")


def apart(first: Row, second: Row, of: Series, *, least: float = 0.0) -> Difference | None:
    """The interval of a figure of the second row less that of the first.

    Parameters
    ----------
    first, second : mapping. Rows of one `Lab.rows` with replicates.
    of : function of a row. The figure, one a replicate.
    least : float. A replicate that differs by less does not differ.

    Returns
    -------
    Difference or None
        None without replicates of both, or where their traffic was not cut alike.
    """
    one, other = first["uncertainty"], second["uncertainty"]
    if not one or not other or one["kinds"] != other["kinds"]:
        return None
    return paired(of(first), of(second), Resamples.of_row(one), least=least)


def about(row: Row, of: Series) -> Band | None:
    """The interval of a figure of one row; None without replicates."""
    own = row["uncertainty"]
    return band(np.array(of(row), dtype=np.float64), Resamples.of_row(own)) if own else None


def ends_of(name: str, found: Difference | None) -> dict[str, Any]:
    """An interval as columns: ``name_low``, ``name_high`` and ``name_differs``."""
    return {
        f"{name}_low": None if found is None else found.low,
        f"{name}_high": None if found is None else found.high,
        f"{name}_differs": None if found is None else found.differs,
    }


def _values(row: Row, name: str) -> list[float]:
    own = row["uncertainty"]
    values = own["values"][name] if own else []
    return [math.nan if one is None else float(one) for one in values]
