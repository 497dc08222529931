"""Rows of a break-even: what is shown of a mode at a rate."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

import pricing
from modeler.predict import instance_of
from modeler.predict.service import service_law
from modeler.replay.run import Traffic
from modeler.scenario import Scenario
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.intervals import Resamples, band, seed_of
from modeler.study.replicates import kept_band, replicates_of
from traces.blocks import Blocks, resampled

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
        "unserved_share": (row["requests"] - row["served"]) / row["requests"],
        "sla_violation_share": row["sla_violation_share"],
        "allowed": row["sla"]["max_violation_share"],
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
        "usd_per_month", "usd_low", "usd_high", "waiting_share", "unserved_share",
        "sla_violation_share", "allowed", "latency_p99_s", "utilisation", "meets_sla",
    )  # fmt: skip
    return dict.fromkeys(names)


def by_token(
    traffic: Traffic, blocks: Blocks | None, scenario: Scenario, replicates: int
) -> tuple[Row, list[float]]:
    """The bill of the scenario's API, of the traffic and of the replicates that the others have."""
    asked, seed = scenario.token_api, scenario.seed
    assert asked is not None
    usd = token_usd(traffic, asked)
    values, ends = list[float](), None
    if blocks is not None and replicates:
        drawn = (resampled(traffic, blocks, seed_of(seed, k)) for k in range(replicates))
        values = [token_usd(one.traffic, asked) for one in drawn]
        ends = band(np.array(values), Resamples.of_blocks(blocks, seed))
    row = empty()
    row["usd_per_month"] = usd
    row["usd_low"], row["usd_high"] = (None, None) if ends is None else ends
    return row, values


def taken_over(base: Scenario, mode: Scenario | None, traffic: Traffic) -> str:
    """That a mode's service times are those of other hardware.

    Parameters
    ----------
    base : Scenario. Whose service times were stated or measured.
    mode : Scenario, optional. The same, served in another way; None of an API by the token.
    traffic : Trace or CountSeries. Its columns decide what a service is.

    Returns
    -------
    str
        Empty where the hardware is the same, or the law of service follows it.
    """
    if mode is None:
        return ""
    try:
        own, other = instance_of(base), instance_of(mode)
        law = service_law(mode, traffic, other)
    except Exception:  # it is a row with its reason
        return ""
    network = getattr(mode.service, "network", None)
    if law.kind in ("tokens", "batched") or network is not None:
        return ""
    if own.instance_type.removeprefix("ml.") == other.instance_type.removeprefix("ml."):
        return ""
    text = f"service times ({law.describe()}) are taken over from {own.instance_type}"
    if own.accelerator and not other.accelerator:
        text += f" and its {own.accelerator}, which {other.instance_type} does not have"
    return f"{text}: measure them on {other.instance_type}"


def failed_row(mode: str, reason: str, cv: float | None = None) -> Row:
    """A mode that cannot be, with why; `cv` is the burstiness where it came out in a replay."""
    place = {"mode": mode, "burstiness": cv, "rate_rps": None, "requests_per_hour": None}
    return {**place, "own": False, **empty(), "status": "failed", "error": reason}
