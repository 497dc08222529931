"""Cost as lines: what was used, how much of it, at which price from where, and the product.

An instance is billed for its whole life, from the moment the scenario says the meter starts until
it is released, scale-in tail included. Its seconds fall into four phases. *Booting*: billed and
not yet serving. *Serving*: busy slot-seconds over slots while ready, that is, the share of the
capacity that was used. *Idle*: the rest of the ready time. *Draining*: out of service, finishing
its last requests or held by the platform until it is released. *Rounding* holds what the
provider's minimum and whole seconds add. The total is the sum of the lines and of nothing else.
"""

from __future__ import annotations

import math

import numpy as np

import pricing
from modeler.measure import instances, metered
from modeler.measure.bill import BilledRows, CostLine, UnitPrice
from modeler.predict import listed_price
from modeler.replay import layout as m
from modeler.replay.machines_setup import Layer
from modeler.replay.result import Result
from modeler.replay.simulate import Floats
from modeler.scenario import Scenario
from modeler.scenario.serverless import Lambda, SageMakerServerless


def unit_price(scenario: Scenario) -> UnitPrice:
    """The hourly price of the scenario's instance: the analyst's own, else the dated table's.

    Raises
    ------
    pricing.PricingError : no such instance, region or price; the nearest are named.
    """
    hosting = scenario.hosting
    if hosting.platform.per_request:
        return metered.serving_price(scenario)
    service = hosting.platform.service
    if hosting.usd_per_hour is not None:
        return UnitPrice(
            hosting.instance,
            hosting.region,
            hosting.purchase,
            service,
            float(hosting.usd_per_hour),
            None,
            "yours (hosting.usd_per_hour)",
            "yours",
        )
    found = listed_price(scenario)
    return UnitPrice(
        found.instance_type,
        found.region,
        found.purchase,
        service,
        float(found.usd_per_hour),
        found.as_of,
        found.source,
        found.confidence,
    )


def prices_of(layer: Layer, own: UnitPrice) -> tuple[UnitPrice, ...]:
    """The price of each pool of machines; the scenario's own comes first."""
    return (own, *(unit_price(pool) for pool in layer.pools[1:]))


def billed_from(scenario: Scenario, replicas: Floats) -> Floats:
    """When each replica's meter starts; infinite for one that is never billed. [s]

    ``launch`` is the moment the machine runs on EC2, where ``pending`` is free (EC2 user guide,
    instance lifecycle), and the request itself on SageMaker, whose meter no public page places:
    the dearer reading. ``in_service`` is readiness.
    """
    hosting = scenario.hosting
    assert not isinstance(hosting, Lambda | SageMakerServerless), "no instance to bill"
    if hosting.billing_starts_at == "in_service":
        return replicas[:, m.READY_S]
    if hosting.platform.bill_opens == "request":
        return replicas[:, m.REQUESTED_S]
    return replicas[:, m.RUNNING_S]


def cost_lines(
    scenario: Scenario, price: UnitPrice, result: Result, layer: Layer | None = None
) -> tuple[CostLine, ...]:
    """The bill of a run.

    Parameters
    ----------
    price : UnitPrice. Of the scenario's own instance.
    layer : Layer, optional. The machines beneath the replicas, where there are any.

    Returns
    -------
    tuple of CostLine
        booting, serving, idle, draining and rounding, in instance-hours; of what is metered per
        request, as `metered` says; of a layer of machines, as `instances` says.
    """
    if scenario.hosting.platform.per_request:
        return metered.cost_lines(scenario, result)
    if layer is not None:
        return instances.cost_lines(layer, prices_of(layer, price), result)
    table = result.replicas
    start = billed_from(scenario, table)
    stop = table[:, m.STOP_S]
    ready = table[:, m.READY_S]
    out = np.minimum(table[:, m.DRAIN_S], stop)
    life = np.where(start < stop, stop - np.minimum(start, stop), 0.0)
    booting = np.where(start < stop, np.minimum(ready, stop) - np.minimum(start, stop), 0.0)
    served = ready < stop
    serving_time = np.where(served, out - np.minimum(ready, out), 0.0)
    draining = np.where(served, stop - out, 0.0)
    billed = np.array([pricing.billed_seconds(float(one), price.service) for one in life])
    busy_s = (result.busy_slot_s - result.busy_draining_slot_s) / result.slots
    ready_s = math.fsum(serving_time)
    seconds = {
        "booting": math.fsum(booting),
        "serving": busy_s,
        "idle": max(ready_s - busy_s, 0.0),
        "draining": math.fsum(draining),
        "rounding": math.fsum(billed) - math.fsum(life),
    }
    return tuple(
        CostLine(
            component=component,
            quantity=quantity / pricing.SECONDS_PER_HOUR,
            unit="instance-hour",
            unit_price_usd=price.usd_per_hour,
            amount_usd=pricing.cost_usd(quantity, price.usd_per_hour),
            source=price.source,
            as_of=price.as_of,
        )
        for component, quantity in seconds.items()
    )


def billed_rows(
    scenario: Scenario, price: UnitPrice, result: Result, layer: Layer | None = None
) -> BilledRows:
    """What `cost_lines` adds up, machine by machine: when each is billed, and at which price.

    Not of what is metered per request, which has no machines on its bill.
    """
    if layer is not None:
        return instances.billed_rows(layer, prices_of(layer, price), result)
    stop = result.replicas[:, m.STOP_S]
    start = np.minimum(billed_from(scenario, result.replicas), stop)
    life = stop - start
    billed = np.array([pricing.billed_seconds(float(one), price.service) for one in life])
    return BilledRows(start, stop, billed - life, np.full(len(life), price.usd_per_hour))


def total_usd(lines: tuple[CostLine, ...]) -> float:
    """The sum of the visible lines, added in their order as a reader would. [USD]"""
    usd = 0.0
    for line in lines:
        usd += line.amount_usd
    return usd
