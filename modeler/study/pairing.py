"""What a variant takes in a place: latency with its wait, instances, dollars, a cold start.

One inference is stated or predicted (`choice_work.py`). In a cloud requests queue (`queueing.py`):
a percentile of latency is that of wait and service together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import pricing
from modeler.predict import cold_start_law
from modeler.scenario import default, with_values
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.choice_blocks import Place, Variant, World
from modeler.study.choice_work import Work, work_of
from modeler.study.queueing import (
    MOST_SERVERS,
    least_servers,
    service_percentile_s,
    total_s,
    wait_s,
)

_DAY_S: Final = 86_400.0


@dataclass(frozen=True)
class Taken:
    """What a variant takes in a place.

    Parameters
    ----------
    latency_s : float, optional. At the world's percentile, of wait and service together, and the
        round trip; the deadline of a batch. None where nothing says it. [s]
    latency_from : str. ``stated``, ``compute budget``, ``one-pass rule``, ``token rule``; why there
        is none.
    service_s : float, optional. Mean of one inference. [s]
    wait_s : float, optional. The wait alone at that percentile, of a cloud. [s]
    slots : int, optional. Requests that an instance serves at once; None on a device.
    instances : int, optional. That are held; None on a device. [instances]
    usd_per_month : float, optional. 0 on a device; None where the rest is not known. [USD]
    cold_start_s : (float, float), optional. Median and 95th percentile of a new replica on the
        instance. [s]
    fits : str. Why the instance cannot hold it; empty where it can.
    """

    latency_s: float | None
    latency_from: str
    service_s: float | None
    wait_s: float | None
    slots: int | None
    instances: int | None
    usd_per_month: float | None
    cold_start_s: tuple[float, float] | None
    fits: str = ""


def taken(variant: Variant, place: Place, world: World, rate: float) -> Taken:
    """What a variant takes in a place, under a demand.

    Parameters
    ----------
    world : World. Its limit on latency may ask for more instances than the utilisation does.
    rate : float. Demand. [requests/s]

    Raises
    ------
    pricing.PricingError : an instance or its price is not known.
    """
    found = work_of(variant, place)
    work, how = found.service_s, found.how
    if place.kind == "device" or place.instance is None:
        latency = work
        if work is not None:
            latency = service_percentile_s(work, variant.cv, world.latency_share)
        return Taken(latency, how, work, None, None, None, 0.0, None)
    if found.fits:
        return Taken(None, how, None, None, None, None, None, None, found.fits)
    start = _cold_start(place.instance, place.region, variant.size)
    if work is None:
        return Taken(None, how, None, None, None, None, None, start)
    if rate * work > MOST_SERVERS:
        many = f"needs more than {MOST_SERVERS:.0e} instances"
        return Taken(None, many, work, None, found.slots, None, None, start)
    hour = float(pricing.price(place.instance, place.region).usd_per_hour)
    if place.kind == "batch":
        return _batch(place, rate, found, start, hour)
    share, round_trip = world.latency_share, place.round_trip_s
    limit = None if world.latency_at_most_s is None else world.latency_at_most_s - round_trip
    instances = _instances(variant, place, rate, found, share, limit)
    servers = instances * found.slots
    latency = total_s(rate, work, servers, variant.cv, share) + round_trip
    wait = wait_s(rate, work, servers, variant.cv, share)
    usd = instances * hour * HOURS_A_MONTH
    return Taken(latency, how, work, wait, found.slots, instances, usd, start)


def _batch(
    place: Place, rate: float, found: Work, start: tuple[float, float] | None, hour: float
) -> Taken:
    """A run once a deadline: one start, and its work on as many instances as finish in time."""
    work = found.service_s or 0.0
    deadline = place.deadline_s or _DAY_S
    start_s = place.start_s if place.start_s is not None else (start or (0.0, 0.0))[0]
    busy_s = rate * deadline * work / found.slots
    late = ""
    if start_s + work >= deadline:
        late = (
            f"a start of {start_s:.0f} s and an inference of {work:.3g} s are no shorter than the "
            f"deadline of {deadline:.0f} s"
        )
    instances = 1 if late else max(math.ceil(busy_s / (deadline - start_s)), 1)
    runs = HOURS_A_MONTH * pricing.SECONDS_PER_HOUR / deadline
    usd = runs * (busy_s + instances * start_s) / pricing.SECONDS_PER_HOUR * hour
    return Taken(deadline, found.how, work, None, found.slots, instances, usd, start, late)


def _instances(
    variant: Variant, place: Place, rate: float, found: Work, share: float, limit: float | None
) -> int:
    """As many as keep them at their utilisation, and more while only the wait breaks the limit."""
    work, slots = found.service_s or 0.0, found.slots
    # Beyond the load itself by at least one in a million: a queue at its capacity has no wait.
    load = rate * work
    busy = math.ceil(load / slots / place.utilisation * (1.0 - 1e-12))
    instances = max(busy, math.floor(load / slots * (1.0 + 1e-6)) + 1, 1)
    if limit is None:
        return instances
    servers = least_servers(rate, work, variant.cv, share, limit, instances * slots)
    return instances if servers is None else math.ceil(servers / slots)


@cache
def _cold_start(instance: str, region: str, size: int) -> tuple[float, float]:
    """Median and 95th percentile of a new replica: an endpoint of SageMaker, else of EC2. [s]"""
    kind = "sagemaker_realtime" if instance.startswith("ml.") else "ec2_asg"
    scenario = with_values(
        default(),
        {
            "hosting.kind": kind,
            "hosting.instance": instance,
            "hosting.region": region,
            "model.size": size,
        },
    )
    found = cold_start_law(scenario, pricing.instance(instance)).waterfall()
    return found.total_p50_s, found.total_p95_s
