"""Traffic and replays for tests that walk a policy's clock by hand."""

from __future__ import annotations

import numpy as np

from modeler.autoscale.build import from_block
from modeler.autoscale.context import Context
from modeler.autoscale.policy import Policy
from modeler.replay import Limits, Result, Work, simulate
from modeler.scenario.schema import KINDS


def policy_of(
    kind: str,
    *,
    minimum: int = 0,
    maximum: int = 50,
    initial: int | None = None,
    slots: int = 1,
    mean_service_s: float = 1.0,
    gpu: bool = True,
    **settings,
) -> Policy:
    """The policy that a scenario with these settings has."""
    block = KINDS["policy"][kind](kind=kind, **settings)
    context = Context("", minimum, maximum, initial, slots, mean_service_s, gpu=gpu)
    return from_block(block, context)


def arrivals(*stretches: tuple[float, float]) -> np.ndarray:
    """Evenly spaced requests: for so many seconds, so many a second, from the first instant. [s]"""
    parts, start = [], 0.0
    for seconds, per_second in stretches:
        count = round(seconds * per_second)
        if count:
            parts.append(start + np.arange(count) / per_second)
        start += seconds
    return np.concatenate(parts) if parts else np.zeros(0)


def walk(
    policy: Policy,
    at: np.ndarray,
    *,
    horizon_s: float,
    service_s: float | np.ndarray = 0.1,
    lag_s: float | np.ndarray = 0.0,
    slots: int = 1000,
    limits: Limits | None = None,
    t0_s: float = 0.0,
    records: bool = False,
) -> Result:
    """Replay requests of a fixed service time; each replica takes `lag_s`, or the next of them."""
    service = np.broadcast_to(service_s, at.shape).astype(np.float64)
    lags = np.atleast_1d(np.asarray(lag_s, dtype=np.float64))

    def draws(first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        ready = lags[np.arange(first, first + count) % len(lags)]
        return np.zeros(count), ready

    return simulate(
        policy,
        [Work(0, at, service, service)],
        limits or Limits(slots=slots),
        draws=draws,
        horizon_s=horizon_s,
        t0_ns=round(t0_s * 1e9),
        records=len(at) if records else 0,
    )


def changes(result: Result) -> list[tuple[float, int, int]]:
    """When the capacity changed, from what, to what."""
    return [
        (round(d.time_s, 6), d.from_replicas, d.to_replicas)
        for d in result.decisions
        if d.from_replicas != d.to_replicas
    ]
