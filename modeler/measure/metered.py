"""The bill of what is metered per request: Lambda and SageMaker Serverless.

Lines, each a quantity at its own dated price:

* ``requests``;
* ``duration``: services on demand, each rounded up to a millisecond, times memory;
* ``init``: initialisations that requests waited for, likewise; a restored snapshot has none;
* ``provisioned_duration``: services on provisioned environments, at their lower price;
* ``provisioned``: provisioned environments held, each rounded up to 5 minutes, times memory;
* ``ephemeral_storage``: what is above the free 512 MB, while services and initialisations last;
* ``snapshot_cache`` and ``snapshot_restore``: of a snapshot, cached for the whole run and at least
  three hours, and restored at each cold start.

So billed seconds are the sum of rounded durations plus INIT. Idle on-demand environments cost
nothing. The free tier and monthly tiers are not applied; a throttled request is not charged.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

import pricing
from modeler.measure.bill import CostLine, UnitPrice
from modeler.measure.intervals import overlap_share
from modeler.replay import layout as m
from modeler.replay.counts import EnvironmentCounts
from modeler.replay.result import Result
from modeler.replay.simulate import Floats
from modeler.scenario import Scenario

_MS = 1000.0
# Lines of a function's bill, and the items of the price table that they are priced by.
LAMBDA_ITEMS: Final = {
    "requests": "request",
    "duration": "gb_second_{arch}",
    "init": "gb_second_{arch}",
    "provisioned_duration": "on_provisioned_gb_second_{arch}",
    "provisioned": "provisioned_gb_second_{arch}",
    "ephemeral_storage": "ephemeral_gb_second",
    "snapshot_cache": "snapstart_cache_gb_second",
    "snapshot_restore": "snapstart_restore_gb",
}


def serving_price(scenario: Scenario) -> UnitPrice:
    """What an hour of service costs: the least of the prices that this work could be billed at.

    On demand; or, where environments are provisioned, on one of those that never idles.
    """
    hosting: Any = scenario.hosting
    price = _price(scenario, "duration")
    usd = float(price.usd) * _gb(scenario, "duration")
    if hosting.provisioned_concurrency > 0 or len(scenario.in_force) > 1:
        used = _price(scenario, "provisioned_duration")
        held = _price(scenario, "provisioned")
        usd = min(usd, (float(used.usd) + float(held.usd)) * _memory_gb(scenario))
    return UnitPrice(
        hosting.instance,
        hosting.region,
        hosting.purchase,
        hosting.platform.service,
        usd * pricing.SECONDS_PER_HOUR,
        price.as_of,
        price.source,
        "quoted",
    )


def summary(result: Result) -> dict[str, Any]:
    """Execution environments of a run: cold starts, what was refused, how many there were.

    Returns
    -------
    dict
        ``cold`` starts that a request waited for; requests ``throttled_by_cap`` and
        ``throttled_by_burst`` for good, and served ``on_provisioned`` environments; ``peak``
        alive at once; ``mean_running`` and ``mean_idle`` of those on demand over the run.
    """
    counts = result.environments
    assert counts is not None
    long_s = result.end_s
    provisioned_s = counts.provisioned_busy_s / result.slots
    running_s = max(counts.running_s - provisioned_s, 0.0)
    return {
        "cold": counts.cold,
        "throttled_by_cap": counts.throttled_by_cap,
        "throttled_by_burst": counts.throttled_by_burst,
        "on_provisioned": counts.on_provisioned,
        "peak": counts.peak,
        "mean_running": running_s / long_s if long_s else 0.0,
        "mean_idle": counts.idle_s / long_s if long_s else 0.0,
    }


def cost_lines(scenario: Scenario, result: Result) -> tuple[CostLine, ...]:
    """The bill of a run.

    Raises
    ------
    pricing.PricingError : a price is not held for the region; names those that have one.
    """
    hosting: Any = scenario.hosting
    counts = result.environments
    assert counts is not None
    memory = _memory_gb(scenario)
    on_demand_s = counts.billed_ms / _MS
    provisioned_s = counts.billed_provisioned_ms / _MS
    restored = hosting.kind == "lambda" and hosting.package == "snapstart"
    init_s = counts.billed_init_ms / _MS if hosting.init_billed and not restored else 0.0
    lines = []
    if hosting.kind == "lambda":
        lines.append(_line(scenario, "requests", float(counts.started)))
    lines.append(_line(scenario, "duration", on_demand_s * _gb(scenario, "duration")))
    lines.append(_line(scenario, "init", init_s * _gb(scenario, "duration")))
    if len(counts.provisioned):
        lines.append(_line(scenario, "provisioned_duration", provisioned_s * memory))
        lines.append(_line(scenario, "provisioned", _held_s(counts) * memory))
    if hosting.kind == "lambda":
        extra_gb = (hosting.ephemeral_storage_mb - pricing.EPHEMERAL_FREE_MB) / pricing.MB_PER_GB
        if extra_gb > 0:
            used_s = on_demand_s + init_s + provisioned_s
            lines.append(_line(scenario, "ephemeral_storage", used_s * extra_gb))
    if restored:
        cached_s = max(result.end_s, pricing.SNAPSTART_LEAST_S)
        lines.append(_line(scenario, "snapshot_cache", cached_s * memory))
        lines.append(_line(scenario, "snapshot_restore", counts.cold * memory))
    return tuple(lines)


def usd_in_window(
    scenario: Scenario, result: Result, arrival_s: Floats, from_s: float, to_s: float
) -> float:
    """The part of the bill that a window is laid to; the windows of a run add up to it. [USD]

    Each line by the share of what it is charged for that lies in the window: requests by when they
    are served, durations by when services last, starts by when environments get ready.

    Parameters
    ----------
    result : Result. With its records.
    arrival_s : float64[n]. Of each request. [s]
    from_s, to_s : float. The end is not in it. [s]
    """
    counts = result.environments
    assert counts is not None
    began = np.isfinite(result.record_s[:, 0])
    start, end = result.record_s[began, 0], result.record_s[began, 1]
    table = result.replicas[result.initial :]
    started = table[np.isfinite(table[:, m.READY_S])]
    services = overlap_share(start, np.maximum(start, end), from_s, to_s)
    starts = overlap_share(started[:, m.REQUESTED_S], started[:, m.READY_S], from_s, to_s)
    whole = overlap_share(np.zeros(1), np.array([result.end_s]), from_s, to_s)
    shares = {
        "requests": overlap_share(arrival_s[began], arrival_s[began], from_s, to_s),
        "init": starts,
        "snapshot_restore": starts,
        "snapshot_cache": whole,
    }
    if len(counts.provisioned):
        held = counts.provisioned
        shares["provisioned"] = overlap_share(held[:, 0], held[:, 1], from_s, to_s)
    return math.fsum(
        shares.get(line.component, services) * line.amount_usd
        for line in cost_lines(scenario, result)
    )


def _held_s(counts: EnvironmentCounts) -> float:
    """Seconds of provisioned environments on the bill, each rounded up by itself. [s]"""
    held = counts.provisioned[:, 1] - counts.provisioned[:, 0]
    return math.fsum(pricing.billed_provisioned_seconds(float(one)) for one in held)


def _memory_gb(scenario: Scenario) -> float:
    hosting: Any = scenario.hosting
    return float(hosting.memory_mb / pricing.MB_PER_GB)


def _gb(scenario: Scenario, component: str) -> float:
    """GB that a second counts for; SageMaker's price of a second has the memory in it. [GB]"""
    in_price = scenario.hosting.kind == "sagemaker_serverless" and component == "duration"
    return 1.0 if in_price else _memory_gb(scenario)


def _line(scenario: Scenario, component: str, quantity: float) -> CostLine:
    price = _price(scenario, component)
    return CostLine(
        component=component,
        quantity=quantity,
        unit=_unit(scenario, component),
        unit_price_usd=float(price.usd),
        amount_usd=quantity * float(price.usd),
        source=price.source,
        as_of=price.as_of or None,
    )


_UNITS = {"requests": "request", "snapshot_restore": "GB"}


def _unit(scenario: Scenario, component: str) -> str:
    if component in ("duration", "init") and scenario.hosting.kind == "sagemaker_serverless":
        return "s"
    return _UNITS.get(component, "GB-s")


def _price(scenario: Scenario, component: str) -> pricing.ServerlessPrice:
    """The dated price of a line."""
    hosting: Any = scenario.hosting
    if hosting.kind == "lambda":
        arch = "arm" if hosting.architecture == "arm64" else "x86"
        item = LAMBDA_ITEMS[component].format(arch=arch)
        return pricing.serverless_price("lambda", item, hosting.region, as_of=hosting.as_of)
    if component in ("provisioned", "provisioned_duration"):
        own = {
            "provisioned": "provisioned_usd_per_gb_s",
            "provisioned_duration": "on_provisioned_usd_per_gb_s",
        }[component]
        return pricing.own_serverless_price(
            "sagemaker_serverless",
            component,
            hosting.region,
            getattr(hosting, own),
            f"hosting.{own}",
        )
    item = f"second_{hosting.memory_mb}"
    return pricing.serverless_price(
        "sagemaker_serverless", item, hosting.region, as_of=hosting.as_of
    )
