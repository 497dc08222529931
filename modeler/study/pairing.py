"""What a variant takes in a place: latency with its wait, instances, dollars, a cold start.

Latency is stated, or follows from a device's compute budget, or from the rule of one-pass models
on an instance's accelerator. In a cloud requests queue (`queueing.py`): a percentile of latency is
that of wait and service together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Final

import pricing
from modeler.predict import ModelDoesNotFit, check_fit, cold_start_law
from modeler.predict.latency import Group, NotCovered, call_s, network
from modeler.scenario import default, with_values
from modeler.study.choice_file import Place, Variant, World
from modeler.study.queueing import (
    MOST_SERVERS,
    least_servers,
    service_percentile_s,
    total_s,
    wait_s,
)

_HOURS_A_MONTH: Final = 730.0
_DAY_S: Final = 86_400.0


@dataclass(frozen=True)
class Taken:
    """What a variant takes in a place.

    Parameters
    ----------
    latency_s : float, optional. At the world's percentile, of wait and service together, and the
        round trip; the deadline of a batch. None where nothing says it. [s]
    latency_from : str. ``stated``, ``compute budget``, ``one-pass rule``; why there is none.
    service_s : float, optional. Mean of one inference. [s]
    wait_s : float, optional. The wait alone at that percentile, of a cloud. [s]
    instances : int, optional. That are held; None on a device. [instances]
    usd_per_month : float. [USD]
    cold_start_s : (float, float), optional. Median and 95th percentile of a new replica on the
        instance. [s]
    fits : str. Why the instance cannot hold it; empty where it can.
    """

    latency_s: float | None
    latency_from: str
    service_s: float | None
    wait_s: float | None
    instances: int | None
    usd_per_month: float
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
    share = world.latency_share
    work, how = work_s(variant, place)
    if place.kind == "device" or place.instance is None:
        latency = None if work is None else service_percentile_s(work, variant.cv, share)
        return Taken(latency, how, work, None, None, 0.0, None)
    fits = _fits(place.instance, variant.size)
    start = None if fits else _cold_start(place.instance, place.region, variant.size)
    if work is None:
        return Taken(None, how, None, None, None, 0.0, start, fits)
    hour = float(pricing.price(place.instance, place.region).usd_per_hour)
    if rate * work > MOST_SERVERS:
        many = f"needs more than {MOST_SERVERS:.0e} instances"
        return Taken(None, many, work, None, None, 0.0, start, fits)
    if place.kind == "cloud":
        instances = _instances(variant, place, world, rate, work)
        latency = total_s(rate, work, instances, variant.cv, share) + place.round_trip_s
        wait = wait_s(rate, work, instances, variant.cv, share)
        usd = instances * hour * _HOURS_A_MONTH
        return Taken(latency, how, work, wait, instances, usd, start, fits)
    # A batch runs once a deadline: one start, and its work on as many as finish in time.
    deadline = place.deadline_s or _DAY_S
    start_s = place.start_s if place.start_s is not None else (start or (0.0, 0.0))[0]
    busy_s = rate * deadline * work
    instances = max(math.ceil(busy_s / max(deadline - start_s, 1e-9)), 1)
    runs = _HOURS_A_MONTH * pricing.SECONDS_PER_HOUR / deadline
    usd = runs * (busy_s + instances * start_s) / pricing.SECONDS_PER_HOUR * hour
    late = f"a start of {start_s:.0f} s is longer than the deadline" if start_s >= deadline else ""
    return Taken(deadline, how, work, None, instances, usd, start, fits or late)


def work_s(variant: Variant, place: Place) -> tuple[float | None, str]:
    """One inference in a place, and what says so. [s]"""
    if variant.latency_s is not None:
        return variant.latency_s / place.speed, "stated"
    if place.flops_per_s is not None:
        if variant.flops is None:
            return None, "no latency stated, and no operations for the compute budget"
        return variant.flops / place.flops_per_s, "compute budget"
    if variant.network is None or place.instance is None:
        return None, "no latency stated"
    spec = pricing.instance(place.instance)
    if spec.accelerator is None:
        return None, f"no latency stated, and {place.instance} has no accelerator to predict it on"
    try:
        group = Group(pricing.accelerator(spec.accelerator))
        return call_s(network(variant.network), group, 1.0), "one-pass rule"
    except (NotCovered, pricing.SpecNotFound) as error:
        return None, f"no latency stated; {error}"


def _instances(variant: Variant, place: Place, world: World, rate: float, work: float) -> int:
    """As many as keep them at their utilisation, and more while only the wait breaks the limit."""
    # Beyond the load itself by at least one in a million: a queue at its capacity has no wait.
    load = rate * work
    busy = math.ceil(load / place.utilisation * (1.0 - 1e-12))
    instances = max(busy, math.floor(load * (1.0 + 1e-6)) + 1, 1)
    if world.latency_at_most_s is None:
        return instances
    limit = world.latency_at_most_s - place.round_trip_s
    found = least_servers(rate, work, variant.cv, world.latency_share, limit, instances)
    return instances if found is None else found


def _fits(instance: str, size: int) -> str:
    try:
        check_fit(pricing.instance(instance), size)
    except ModelDoesNotFit as error:
        return str(error)
    return ""


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
