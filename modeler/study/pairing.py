"""What a variant takes in a place: latency with its wait, instances, dollars, a cold start.

Latency is stated, or follows from a device's compute budget, or from the rule of one-pass models
on an instance's accelerator. In a cloud requests queue: with c instances that each serve one at a
time and an offered load of a = rate x work,

    P(wait > t) = C(c, a) exp(-2 (c / work - rate) t / (1 + cv^2))

with Erlang's C: exact for exponential service (cv 1), else the approximation of Allen and Cunneen.
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

_HOURS_A_MONTH: Final = 730.0
_DAY_S: Final = 86_400.0


@dataclass(frozen=True)
class Taken:
    """What a variant takes in a place.

    Parameters
    ----------
    latency_s : float, optional. At the world's percentile, round trip and wait included; the
        deadline of a batch. None where nothing says it. [s]
    latency_from : str. ``stated``, ``compute budget``, ``one-pass rule``; why there is none.
    instances : int, optional. That are held; None on a device. [instances]
    usd_per_month : float. [USD]
    cold_start_s : (float, float), optional. Median and 95th percentile of a new replica on the
        instance. [s]
    fits : str. Why the instance cannot hold it; empty where it can.
    """

    latency_s: float | None
    latency_from: str
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
    work, how = work_s(variant, place)
    if place.kind == "device" or place.instance is None:
        return Taken(work, how, None, 0.0, None)
    fits = _fits(place.instance, variant.size)
    start = None if fits else _cold_start(place.instance, place.region, variant.size)
    if work is None:
        return Taken(None, how, None, 0.0, start, fits)
    hour = float(pricing.price(place.instance, place.region).usd_per_hour)
    if place.kind == "cloud":
        instances, wait = _cloud(variant, place, world, rate, work)
        usd = instances * hour * _HOURS_A_MONTH
        return Taken(work + wait + place.round_trip_s, how, instances, usd, start, fits)
    # A batch runs once a deadline: one start, and its work on as many as finish in time.
    deadline = place.deadline_s or _DAY_S
    start_s = place.start_s if place.start_s is not None else (start or (0.0, 0.0))[0]
    busy_s = rate * deadline * work
    instances = max(math.ceil(busy_s / max(deadline - start_s, 1e-9)), 1)
    runs = _HOURS_A_MONTH * pricing.SECONDS_PER_HOUR / deadline
    usd = runs * (busy_s + instances * start_s) / pricing.SECONDS_PER_HOUR * hour
    late = f"a start of {start_s:.0f} s is longer than the deadline" if start_s >= deadline else ""
    return Taken(deadline, how, instances, usd, start, fits or late)


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


def _cloud(
    variant: Variant, place: Place, world: World, rate: float, work: float
) -> tuple[int, float]:
    """Instances, and the wait at the world's percentile. [instances, s]

    As many as keep them at their utilisation, and more while only the wait breaks the limit.
    """
    share = world.latency_share
    # Beyond the load itself by at least one in a million: a queue at its capacity has no wait.
    load = rate * work
    instances = max(math.ceil(load / place.utilisation), math.floor(load * (1 + 1e-6)) + 1, 1)
    limit = world.latency_at_most_s
    wait = wait_s(rate, work, instances, variant.cv, share)
    if limit is not None and work + place.round_trip_s <= limit:
        while work + place.round_trip_s + wait > limit:
            instances += 1
            wait = wait_s(rate, work, instances, variant.cv, share)
    return instances, wait


def erlang_c(servers: int, load: float) -> float:
    """Share of requests that wait, of M/M/c.

    Parameters
    ----------
    servers : int.
    load : float. Rate times mean service, below `servers`. [erlang]

    >>> round(erlang_c(10, 8.0), 4)
    0.4092
    """
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked / (1.0 - load / servers * (1.0 - blocked))


def wait_s(rate: float, work: float, servers: int, cv: float, share: float) -> float:
    """The wait that a share of requests does not exceed. [s]"""
    waits = erlang_c(servers, rate * work)
    if waits <= 1.0 - share:
        return 0.0
    spare = servers / work - rate
    return math.log(waits / (1.0 - share)) * (1.0 + cv * cv) / 2.0 / spare


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
