"""The rows of a study of spot: a way to buy, of one fleet or of two, and how it differs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.goal import Goal
from modeler.study.intervals import LEAST_USD, ends_of
from modeler.study.level import BREAKS, KEEPS, UNSURE, standing
from modeler.study.replicates import Replicates, apart, replicates_of, together

Row = dict[str, Any]
_KEEPS: Final = {KEEPS: "yes", BREAKS: "no", UNSURE: "unsure"}
_LEAST_USD_PER_HOUR: Final = LEAST_USD / HOURS_A_MONTH
_FIGURES: Final = (
    "usd_per_hour", "sla_violation_share", "requests", "missed_per_hour", "meets_sla",
    "usd_per_hour_with_penalty", "allowed", "keeps_level",
)  # fmt: skip


def row_of(
    name: str,
    share: float,
    goal: Goal,
    rows: Sequence[Row],
    own: Sequence[Row],
    *,
    fallback: bool = False,
) -> Row:
    """What is shown of a way to buy.

    Parameters
    ----------
    name : str.
    share : float. Of the traffic on spot.
    goal : Goal. With the penalty.
    rows : sequence of dict. Of its groups, each with its part of the traffic.
    own : sequence of dict. Of all on demand, which it is held against.
    fallback : bool. Whether it asks for on-demand instances while spot is short.
    """
    made: Row = {"name": name, "spot_share": share, "fallback": fallback}
    failed = [row["error"] for row in rows if row["status"] != "ok"]
    if failed:
        unknown = dict.fromkeys(_FIGURES)
        nothing = _intervals(None, None)
        return {**made, **unknown, **nothing, "status": "failed", "error": failed[0]}
    requests = sum(row["requests"] for row in rows)
    missed = math.fsum(row["sla_violation_share"] * row["requests"] for row in rows)
    hours = max(row["duration_s"] for row in rows) / 3600.0
    allowed = rows[0]["sla"]["max_violation_share"]
    meets = missed / requests <= allowed
    again, against = (together([replicates_of(row, goal) for row in of]) for of in (rows, own))
    ends = None if again is None else again.band("sla_violation_share")
    return {
        **made,
        "usd_per_hour": math.fsum(row["usd_per_hour"] for row in rows),
        "sla_violation_share": missed / requests,
        "requests": requests,
        "missed_per_hour": missed / hours,
        "meets_sla": meets,
        "usd_per_hour_with_penalty": math.fsum(goal.usd_per_hour(row) for row in rows),
        "allowed": allowed,
        "keeps_level": _KEEPS[standing(ends, allowed, kept=meets)],
        **_intervals(again, against),
        "status": "ok",
        "error": None,
    }


def _intervals(again: Replicates | None, own: Replicates | None) -> Row:
    """Of dollars and misses, and of what they are less and more than all on demand."""
    usd, share = (
        None if again is None else again.band(name)
        for name in ("usd_per_hour", "sla_violation_share")
    )
    saved = apart(again, own, "usd_per_hour", least=_LEAST_USD_PER_HOUR)
    more = apart(own, again, "sla_violation_share")
    return {
        "usd_per_hour_with_penalty_low": None if usd is None else usd.low,
        "usd_per_hour_with_penalty_high": None if usd is None else usd.high,
        "sla_violation_share_low": None if share is None else share.low,
        "sla_violation_share_high": None if share is None else share.high,
        "saved_usd_per_hour": None if saved is None else saved.middle,
        **ends_of("saved_usd_per_hour", saved),
        "missed_share_more": None if more is None else more.middle,
        **ends_of("missed_share_more", more),
    }
