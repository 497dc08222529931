"""Rows of a break-even: what is shown of a mode at a rate."""

from __future__ import annotations

import math
from typing import Any, Final

import pricing
from modeler.replay.run import Traffic
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.replicates import kept_band, replicates_of

Row = dict[str, Any]
TOKENS: Final = ("prompt_tokens", "output_tokens")


def token_usd(traffic: Traffic, asked: str) -> float:
    """Dollars a month of traffic at an API that is billed by the token. [USD]"""
    price = pricing.token_price(asked)
    prompt, output = (round(math.fsum(traffic.columns[name])) for name in TOKENS)
    hours = traffic.duration_s / pricing.SECONDS_PER_HOUR
    return float(price.usd(prompt, output)) / hours * HOURS_A_MONTH if hours else math.nan


def figures(row: Row) -> tuple[Row, list[float]]:
    """What is shown of a replay, and dollars a month of its replicates."""
    again, ends = replicates_of(row), kept_band(row, "usd_per_hour")
    return {
        "usd_per_month": HOURS_A_MONTH * row["usd_per_hour"],
        "usd_low": None if ends is None else HOURS_A_MONTH * ends.low,
        "usd_high": None if ends is None else HOURS_A_MONTH * ends.high,
        "waiting_share": _waiting(row),
        "sla_violation_share": row["sla_violation_share"],
        "latency_p99_s": row["latency_s"]["p99"],
        "utilisation": row["utilisation"],
        "meets_sla": row["meets_sla"],
    }, [] if again is None else again.values("usd_per_month").tolist()


def _waiting(row: Row) -> float:
    """Share of requests that find no place ready: they wait for one, or are not served at all."""
    requests, served = row["requests"], row["served"]
    waited = (row["wait_s"]["share_waited"] or 0.0) * served
    return float((waited + requests - served) / requests)


def empty() -> Row:
    """Figures of which none is known."""
    names = (
        "usd_per_month", "usd_low", "usd_high", "waiting_share", "sla_violation_share",
        "latency_p99_s", "utilisation", "meets_sla",
    )  # fmt: skip
    return dict.fromkeys(names)


def failed_row(mode: str, reason: str, cv: float | None = None) -> Row:
    """A mode that cannot be, with why; `cv` is the burstiness where it came out in a replay."""
    place = {"mode": mode, "burstiness": cv, "rate_rps": None, "requests_per_hour": None}
    return {**place, "own": False, **empty(), "status": "failed", "error": reason}
