"""The bill, the bounds and the counts of a run with machines beneath its replicas.

A machine's life falls into the same phases as a replica's does where each is its own instance.
*Booting*: until it can take a replica, and the share of a place whose replica is not yet ready.
*Serving*: busy slot-seconds over slots and places. *Draining*: the share of a place whose replica
is out of service, and the time a machine is held once its last replica has gone. *Idle*: the rest,
empty places included.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

import pricing
from modeler.measure.bill import BilledRows, CostLine, UnitPrice
from modeler.measure.intervals import most_at_once
from modeler.predict import instance_of
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.machines import GroundRecord
from modeler.replay.machines_setup import Layer, nodes_of
from modeler.replay.result import Result
from modeler.replay.simulate import Floats
from modeler.scenario.figures import HOURS_A_MONTH

_FREE_S: Final = 3600.0  # an instance reclaimed sooner costs nothing
_STORAGE: Final = "yours or the default (hosting.nodes.usd_per_gb_month)"


def cost_lines(layer: Layer, prices: Sequence[UnitPrice], result: Result) -> tuple[CostLine, ...]:
    """The bill of a run, pool by pool, each at its own price.

    Parameters
    ----------
    layer : Layer. What the run's machines were.
    prices : sequence of UnitPrice. Of each pool.

    Returns
    -------
    tuple of CostLine
        booting, serving, idle, draining and rounding of the scenario's own instances, then of each
        fallback that was used; what a reclaim in the first hour gives back; the warm pool.
    """
    ground = _ground(result)
    lines: list[CostLine] = []
    for pool, price in enumerate(prices):
        of_pool = ground.nodes[:, g.N_POOL] == pool
        if pool and not of_pool.any():
            continue
        prefix = f"{price.instance_type} ({price.purchase}): " if pool else ""
        for component, seconds in _phases(layer, result, of_pool, price.service).items():
            lines.append(_hours(f"{prefix}{component}", seconds, price))
    if ground.kind == "warm_pool":
        lines += _pool_lines(layer, result, prices[0])
    return tuple(lines)


def _ground(result: Result) -> GroundRecord:
    assert result.ground is not None
    return result.ground


def _hours(component: str, seconds: float, price: UnitPrice) -> CostLine:
    return CostLine(
        component=component,
        quantity=seconds / pricing.SECONDS_PER_HOUR,
        unit="instance-hour",
        unit_price_usd=price.usd_per_hour,
        amount_usd=pricing.cost_usd(seconds, price.usd_per_hour),
        source=price.source,
        as_of=price.as_of,
    )


def billed_from(layer: Layer, result: Result) -> Floats:
    """When each machine's meter starts; infinite for one that is never billed. [s]"""
    ground = _ground(result)
    hosting = layer.pools[0].hosting
    if hosting.billing_starts_at == "in_service":
        first = np.full(len(ground.nodes), m.INF)
        np.minimum.at(first, _home(ground), result.replicas[:, m.READY_S])
        own = ground.nodes[:, g.N_ROLE] == g.SERVING
        return np.where(own, first, ground.nodes[:, g.N_RUNNING])
    at_request = hosting.platform.bill_opens == "request"
    return ground.nodes[:, g.N_REQUESTED if at_request else g.N_RUNNING].copy()


def _home(ground: GroundRecord) -> Any:
    return ground.placed[:, g.P_NODE].astype(np.int64)


def _lives(layer: Layer, result: Result) -> tuple[Floats, Floats]:
    """Beginning and length of the billed life of each row. [s]"""
    stop = _ground(result).nodes[:, g.N_STOP]
    start = np.minimum(billed_from(layer, result), stop)
    return start, stop - start


def _given_back(layer: Layer, result: Result) -> Any:
    """Rows that cost nothing: reclaimed within the first hour."""
    nodes = _ground(result).nodes
    ran = nodes[:, g.N_STOP] - np.minimum(nodes[:, g.N_RUNNING], nodes[:, g.N_STOP])
    reclaimed = (nodes[:, g.N_ENDED] == g.RECLAIMED) & (nodes[:, g.N_STOP] < result.end_s)
    return reclaimed & (ran < _FREE_S) & layer.free_first_hour


def _phases(layer: Layer, result: Result, of_pool: Any, service: str) -> dict[str, float]:
    """Seconds of a pool's serving machines by phase; their sum is what is billed. [s]"""
    ground = _ground(result)
    chosen = of_pool & (ground.nodes[:, g.N_ROLE] == g.SERVING)
    start, life = _lives(layer, result)
    stop = start + life
    up = np.clip(ground.nodes[:, g.N_UP], start, stop)
    home = _home(ground)
    mine = chosen[home]
    table, home = result.replicas[mine], home[mine]
    low, high = up[home], stop[home]
    ended = np.clip(table[:, m.STOP_S], low, high)
    begun = np.clip(ground.placed[mine, g.P_START], low, ended)
    ready = np.clip(table[:, m.READY_S], begun, ended)
    out = np.clip(table[:, m.DRAIN_S], ready, ended)
    served = table[:, m.READY_S] < table[:, m.STOP_S]
    last = np.full(len(start), -m.INF)
    np.maximum.at(last, home, ended)
    held = np.where(np.isfinite(last), stop - np.maximum(last, up), 0.0)[chosen]
    booting = math.fsum((up - start)[chosen]) + math.fsum(ready - begun) / ground.places
    draining = math.fsum((ended - out)[served]) / ground.places + math.fsum(held)
    serving = _busy_s(result, mine) / result.slots / ground.places
    billed = np.array([pricing.billed_seconds(float(one), service) for one in life[chosen]])
    total = math.fsum(life[chosen])
    found = {
        "booting": booting,
        "serving": serving,
        "idle": max(total - booting - draining - serving, 0.0),
        "draining": draining,
        "rounding": math.fsum(billed) - total,
    }
    free = math.fsum(billed[_given_back(layer, result)[chosen]])
    return {**found, "reclaimed in the first hour": -free} if free else found


def _busy_s(result: Result, mine: Any) -> float:
    """Slot-seconds that replicas worked while they were in service. [slot s]"""
    if mine.all():
        return result.busy_slot_s - result.busy_draining_slot_s
    placed = _ground(result).placed[mine]
    return math.fsum(placed[:, g.P_BUSY]) - math.fsum(placed[:, g.P_BUSY_DRAINING])


def _pool_lines(layer: Layer, result: Result, price: UnitPrice) -> list[CostLine]:
    """A warm pool: first starts at the instance's price, then storage, or its price if it runs."""
    ground = _ground(result)
    scenario = layer.pools[0]
    nodes = nodes_of(scenario)
    _, life = _lives(layer, result)
    role = ground.nodes[:, g.N_ROLE]
    first = [pricing.billed_seconds(float(s), price.service) for s in life[role == g.INITIALISING]]
    lines = [_hours("warm pool: first starts", math.fsum(first), price)]
    held_s = math.fsum(life[role == g.HELD])
    if nodes.runs:
        return [*lines, _hours(f"warm pool: {nodes.state}", held_s, price)]
    quantity = _held_gb(layer) * held_s / pricing.SECONDS_PER_HOUR / HOURS_A_MONTH
    storage = CostLine(
        component=f"warm pool: {nodes.state}, storage",
        quantity=quantity,
        unit="GB-month",
        unit_price_usd=nodes.usd_per_gb_month,
        amount_usd=quantity * nodes.usd_per_gb_month,
        source=_STORAGE,
        as_of=None,
    )
    return [*lines, storage]


def _held_gb(layer: Layer) -> float:
    """What an instance that sleeps in a warm pool keeps on its volume. [GB]"""
    scenario = layer.pools[0]
    nodes = nodes_of(scenario)
    hibernated = nodes.state == "hibernated"
    memory_gb = instance_of(scenario).memory_bytes / 1e9 if hibernated else 0.0
    return float(nodes.volume_gb + memory_gb)


def billed_rows(layer: Layer, prices: Sequence[UnitPrice], result: Result) -> BilledRows:
    """The same bill, machine by machine; a sleeping one of a warm pool at its storage's price."""
    nodes = _ground(result).nodes
    start, life = _lives(layer, result)
    pool, role = nodes[:, g.N_POOL].astype(np.int64), nodes[:, g.N_ROLE]
    held = role == g.HELD
    services = [price.service for price in prices]
    billed = [
        pricing.billed_seconds(float(one), services[at])
        for one, at in zip(life, pool.tolist(), strict=True)
    ]
    extra = np.where(held, 0.0, np.array(billed) - life)
    rate = np.array([price.usd_per_hour for price in prices])[pool]
    rate[role == g.INITIALISING] = prices[0].usd_per_hour
    rate[_given_back(layer, result) & (role == g.SERVING)] = 0.0
    if held.any():
        rate[held] = _held_usd_per_hour(layer, prices[0])
    return BilledRows(start, start + life, extra, rate)


def _held_usd_per_hour(layer: Layer, price: UnitPrice) -> float:
    """An instance in a warm pool: its own price while it runs, else its volume's. [USD/h]"""
    nodes = nodes_of(layer.pools[0])
    if nodes.runs:
        return price.usd_per_hour
    return float(_held_gb(layer) * nodes.usd_per_gb_month / HOURS_A_MONTH)


def work_s(layer: Layer, result: Result) -> float:
    """Machine-seconds that the work that was charged for takes at least. [s]"""
    ground = _ground(result)
    busy_s = result.busy_slot_s
    free = _given_back(layer, result)
    if free.any():
        busy_s -= math.fsum(ground.placed[free[_home(ground)], g.P_BUSY])
    return max(busy_s, 0.0) / result.slots / ground.places


def summary(layer: Layer, result: Result) -> dict[str, Any]:
    """Machines of a run: how many, how they ended, what was lost, which laws replicas started by.

    Returns
    -------
    dict
        ``layer``, ``places``, ``started``, ``mean`` and ``peak`` of those up or on their way,
        counts of ``reclaimed``, ``zone_lost``, ``failed_starts``, ``given_up``, and
        ``lost_in_service`` requests; ``laws``, replicas by the law of their start.
    """
    ground = _ground(result)
    nodes = ground.nodes[ground.nodes[:, g.N_ROLE] == g.SERVING]
    begin, stop = nodes[:, g.N_REQUESTED], nodes[:, g.N_STOP]
    held = np.maximum(stop - begin, 0.0)
    numbers, counts = np.unique(ground.placed[:, g.P_LAW].astype(np.int64), return_counts=True)
    laws: dict[str, int] = {}
    for number, count in zip(numbers, counts, strict=True):
        name = "warm at the start" if number < 0 else layer.names[number]
        laws[name] = laws.get(name, 0) + int(count)
    return {
        "layer": ground.kind,
        "places": ground.places,
        "started": int((begin > 0.0).sum()),
        "mean": float(held.sum() / result.end_s) if result.end_s else 0.0,
        "peak": most_at_once(begin, stop, -m.INF, m.INF),
        "reclaimed": _ended(nodes, g.RECLAIMED, result.end_s),
        "zone_lost": _ended(nodes, g.ZONE_LOST, result.end_s),
        "failed_starts": ground.failed_starts,
        "given_up": ground.given_up,
        "lost_in_service": ground.lost_in_service,
        "laws": laws,
    }


def _ended(nodes: Floats, why: int, end_s: float) -> int:
    return int(((nodes[:, g.N_ENDED] == why) & (nodes[:, g.N_STOP] <= end_s)).sum())


def phases(layer: Layer, result: Result, chosen: Any) -> tuple[tuple[str, ...], Floats, Floats]:
    """Start and end of each phase of some replicas, from their request, by their own laws. [s]

    The first phase, ``capacity``, is the wait for a machine: the layer's own delay, requests that
    failed, or an instance still on its way.
    """
    names = ("capacity", *layer.laws.base.phases)
    placed = _ground(result).placed[chosen]
    waited = placed[:, g.P_START] - result.replicas[chosen, m.REQUESTED_S]
    starts = np.tile(waited[:, None], (1, len(names)))
    ends = starts.copy()
    starts[:, 0] = 0.0
    for law in np.unique(placed[:, g.P_LAW].astype(np.int64)):
        rows = np.flatnonzero(placed[:, g.P_LAW] == law)
        if law < 0:
            continue
        own, begun, ended = layer.laws.phases(int(law), np.asarray(chosen)[rows])
        for column, name in enumerate(own):
            place = names.index(name) if name in names else len(names) - 1
            starts[rows, place] = waited[rows] + begun[:, column]
            ends[rows, place] = waited[rows] + ended[:, column]
    return names, starts, ends
