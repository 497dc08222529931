"""Figures of rows over their replicates, and how two rows differ in them, pair by pair."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.goal import Goal
from modeler.study.intervals import Band, Difference, Floats, Resamples, band, paired

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


def usd_per_hour(goal: Goal) -> Series:
    """Dollars an hour of each replicate, with penalties. [USD]"""

    def of(row: Row) -> list[float]:
        return [
            usd + goal.penalty_usd * missed
            for usd, missed in zip(_values(row, "usd_per_hour"), missed_per_hour(row), strict=True)
        ]

    return of


def usd_per_month(goal: Goal) -> Series:
    """The same a month. [USD]"""
    return lambda row: [HOURS_A_MONTH * one for one in usd_per_hour(goal)(row)]


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
    if not own:
        return None
    most = 1.0 if of is missed_share else math.inf
    return band(np.array(of(row), dtype=np.float64), Resamples.of_row(own), most=most)


def together(rows: Sequence[Row]) -> dict[str, Any]:
    """Several rows as one: dollars and requests of their replicates added up.

    Parameters
    ----------
    rows : sequence of mapping. Each of a part of the traffic, drawn with the same days.

    Returns
    -------
    dict
        With ``uncertainty`` alone, None without replicates of all, or where the parts were not cut
        alike.
    """
    every = [row["uncertainty"] for row in rows]
    if not all(every) or any(own["kinds"] != every[0]["kinds"] for own in every):
        return {"uncertainty": None}
    count = min(own["replicates"] for own in every)

    def added(series: Series) -> Floats:
        return np.sum([np.array(series(row)[:count]) for row in rows], axis=0)

    usd = added(lambda row: _values(row, "usd_per_hour"))
    rate = added(lambda row: _values(row, "requests_per_hour"))
    missed = added(missed_per_hour)
    share = np.divide(missed, rate, out=np.zeros_like(rate), where=rate > 0.0)
    names = ("usd_per_hour", "requests_per_hour", "sla_violation_share")
    return {
        "uncertainty": {
            "kinds": every[0]["kinds"],
            "seed": every[0]["seed"],
            "replicates": count,
            "values": dict(zip(names, (usd, rate, share), strict=True)),
        }
    }


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
