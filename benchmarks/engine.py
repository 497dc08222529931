"""The replay with target tracking beside the bare loop, same arrivals and service times."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.bare import bare_loop
from benchmarks.load import MEAN_SERVICE_S, UTILISATION, swinging
from modeler.autoscale import target_tracking
from modeler.replay.result import Result
from modeler.replay.simulate import Limits, Work, simulate
from traces.draws import exponential

SLOTS = (10, 120, 1000)
GOAL = {10: 0.33, 120: 0.5, 1000: 0.6}
_ROUNDS = 5
_CHUNK = 262_144


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of one call. [s]"""
    start = time.process_time()
    work()
    return time.process_time() - start


def replayed(arrival_s: np.ndarray, service_s: np.ndarray, slots: int) -> Result:
    """One replay: causes and quantiles on, records off, capacity free to follow the load."""
    policy = target_tracking.build(
        metric="invocations_per_instance",
        target=UTILISATION * 60.0 / MEAN_SERVICE_S,
        minimum=1,
        maximum=2 * slots,
        initial=slots,
        period_s=60.0,
        publish_delay_s=60.0,
    )
    chunks = (
        Work(k, arrival_s[k : k + _CHUNK], service_s[k : k + _CHUNK], service_s[k : k + _CHUNK])
        for k in range(0, len(arrival_s), _CHUNK)
    )
    return simulate(
        policy,
        chunks,
        Limits(slots=1, threshold_s=5.0, client_timeout_s=60.0),
        draws=lambda first, count: (np.full(count, 40.0), np.full(count, 240.0)),
        horizon_s=float(arrival_s[-1]),
    )


def compare(requests: int = 4_000_000) -> list[dict[str, float]]:
    """Requests per CPU second of both, alternating, and the median of the ratios pair by pair."""
    rows = []
    for slots in SLOTS:
        arrival_s, service_s = swinging(requests, slots)
        bare_loop(arrival_s[:1000], service_s[:1000], slots)
        replayed(arrival_s[:1000], service_s[:1000], slots)
        pairs = []
        for _ in range(_ROUNDS):
            bare = cpu_s(lambda a=arrival_s, s=service_s, n=slots: bare_loop(a, s, n))
            ours = cpu_s(lambda a=arrival_s, s=service_s, n=slots: replayed(a, s, n))
            pairs.append((bare, ours))
        result = replayed(arrival_s, service_s, slots)
        held = [d.to_replicas for d in result.decisions if d.to_replicas != d.from_replicas]
        bare_s, ours_s = (float(np.median(column)) for column in zip(*pairs, strict=True))
        rows.append(
            {
                "slots": slots,
                "bare_requests_per_cpu_s": requests / bare_s,
                "replay_requests_per_cpu_s": requests / ours_s,
                "ratio": float(np.median([bare / ours for bare, ours in pairs])),
                "goal": GOAL[slots],
                "capacity_low": min(held, default=slots),
                "capacity_high": max(held, default=slots),
                "share_waited": result.waited / requests,
            }
        )
    return rows


def drawing(requests: int = 4_000_000) -> float:
    """Exponential service times drawn per CPU second, apart from the replay."""

    def draw() -> None:
        for first in range(0, requests, _CHUNK):
            exponential(0, "service", first, min(_CHUNK, requests - first))

    return requests / min(cpu_s(draw) for _ in range(3))
