"""The weather of a scenario as windows, rates and draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

import pricing
from modeler.predict import check_fit
from modeler.replay.machines import NEVER, Closure, Floats, Outage
from modeler.scenario import Scenario, with_values
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.scenario.weather import (
    BANDS,
    FailedStart,
    InsufficientCapacity,
    SlowRegistry,
    SlowStore,
    SpotReclaim,
    ZoneLost,
)
from traces import draws

_DAY_S: Final = 86_400.0
_Block = TypeVar("_Block")


def of_kind(scenario: Scenario, kind: type[_Block]) -> list[_Block]:
    """The blocks of one kind."""
    return [block for block in scenario.weather if isinstance(block, kind)]


def weather_later(scenario: Scenario, by_s: float) -> Scenario:
    """A scenario on traffic that begins so much earlier: the windows of its weather stay.

    Parameters
    ----------
    by_s : float. Below zero where it begins later; a window that had begun then begins with it. [s]
    """
    values = {
        f"weather.{k}.from_s": max(block.from_s + by_s, 0.0)
        for k, block in enumerate(scenario.weather)
        if not isinstance(block, SpotReclaim | FailedStart) and block.from_time is None
    }
    return with_values(scenario, values) if values and by_s else scenario


def _windows(block: Any, t0_ns: int, horizon_s: float) -> list[tuple[float, float]]:
    """The times at which a block holds, since the trace's origin. [s]"""
    if block.from_time is None:
        return [(block.from_s, block.from_s + block.for_s)]
    hours, minutes = block.from_time.split(":")
    at = 3600.0 * int(hours) + 60.0 * int(minutes) - (t0_ns % (86_400 * 10**9)) / 1e9
    first = math.floor(-(at + block.for_s) / _DAY_S) + 1  # one that began before may still hold
    days = range(first, math.floor((horizon_s - at) / _DAY_S) + 1)
    return [(max(at + day * _DAY_S, 0.0), at + day * _DAY_S + block.for_s) for day in days]


def pools_of(scenario: Scenario, shortages: Sequence[InsufficientCapacity]) -> tuple[Scenario, ...]:
    """The scenario of each pool: its own, then one a fallback."""
    pools = [scenario]
    for block in shortages:
        if block.fallback is None:
            continue
        pool = with_values(
            scenario,
            {
                "hosting.instance": block.fallback,
                "hosting.purchase": block.fallback_purchase,
                "hosting.usd_per_hour": block.fallback_usd_per_hour,
                # The weather is the fleet's: a pool is only a machine, its price and its start.
                "weather": (),
            },
        )
        check_fit(pricing.instance(block.fallback), scenario.model.size)
        if pool.hosting not in [known.hosting for known in pools]:
            pools.append(pool)
    return tuple(pools)


def closures(
    shortages: Sequence[InsufficientCapacity],
    pools: Sequence[Scenario],
    t0_ns: int,
    horizon_s: float,
) -> list[Closure]:
    """The windows without capacity, of each pool of the type that is short.

    A fallback of the type itself is to be had: it is the other purchase that is short.
    """
    found = []
    types = [pool.hosting.instance for pool in pools]
    for block in shortages:
        short = types[0] if block.instance is None else block.instance
        fallback = -1 if block.fallback is None else _pool_of(block, pools)
        for start, end in _windows(block, t0_ns, horizon_s):
            found += [
                Closure(start, end, pool, block.retry_s, fallback, block.fallback_after_s)
                for pool, name in enumerate(types)
                if name == short and pool != fallback
            ]  # fmt: skip
    return found


def _pool_of(block: InsufficientCapacity, pools: Sequence[Scenario]) -> int:
    for number, pool in enumerate(pools):
        hosting = pool.hosting
        same = (hosting.instance, hosting.purchase) == (block.fallback, block.fallback_purchase)
        if number and same and hosting.usd_per_hour == block.fallback_usd_per_hour:
            return number
    return -1


def outages(blocks: Sequence[ZoneLost], t0_ns: int, horizon_s: float) -> list[Outage]:
    """The windows without a zone."""
    return [
        Outage(start, end, block.which)
        for block in blocks
        for start, end in _windows(block, t0_ns, horizon_s)
    ]


def spells_of(
    scenario: Scenario, t0_ns: int, horizon_s: float
) -> tuple[list[tuple[float, int]], list[tuple[float, float]]]:
    """From when which rates of store and registry hold, and those that there are."""
    slow = [
        (start, end, block)
        for block in scenario.weather
        if isinstance(block, SlowStore | SlowRegistry)
        for start, end in _windows(block, t0_ns, horizon_s)
    ]
    rates = [(1.0, 1.0)]
    spells = []
    for at in sorted({0.0, *(t for start, end, _ in slow for t in (start, end))}):
        store = registry = 1.0
        for start, end, block in slow:
            if start <= at < end:
                store *= block.factor if isinstance(block, SlowStore) else 1.0
                registry *= block.factor if isinstance(block, SlowRegistry) else 1.0
        if (store, registry) not in rates:
            rates.append((store, registry))
        spells.append((at, rates.index((store, registry))))
    return spells, rates


def rate_per_s(blocks: Sequence[SpotReclaim]) -> float:
    """The hazard of a reclaim: as given, else such that a month takes the band's share. [1/s]"""
    per_hour = 0.0
    for block in blocks:
        own = block.per_hour
        per_hour += -math.log(1.0 - BANDS[block.band]) / HOURS_A_MONTH if own is None else own
    return per_hour / 3600.0


def lives(seed: int, rate: float, first: int, count: int) -> Floats:
    """From running until reclaimed, by instance. [s]"""
    if rate == 0.0:
        return np.full(count, NEVER)
    lives: Floats = draws.exponential(seed, "weather.reclaim", first, count) / rate
    return lives


def fails(seed: int, blocks: Sequence[FailedStart], first: int, count: int) -> NDArray[np.bool_]:
    """Whether a start fails, by replica."""
    failed = np.zeros(count, dtype=np.bool_)
    for number, block in enumerate(blocks):
        stream = f"weather.failed_start.{number}"
        failed |= draws.uniform(seed, stream, first, count) < block.probability
    return failed
