"""Control loops beside the fixed fleet: a day of 100,000 requests, 15 s control period."""

from __future__ import annotations

import numpy as np

from benchmarks.engine import cpu_s
from modeler.autoscale import fixed
from modeler.autoscale.build import from_block
from modeler.autoscale.context import Context
from modeler.autoscale.policy import Policy
from modeler.replay.simulate import Limits, Work, simulate
from modeler.scenario.policy import Hpa, Keda
from traces.draws import exponential

REQUESTS = 100_000
DAY_S = 86_400.0
MEAN_SERVICE_S = 60.0  # about 70 busy, so that an HPA at 80 % holds near 100 replicas
REPLICAS = 100
GOAL = 2.0
_ROUNDS = 15


def compare() -> list[dict[str, float | str]]:
    """CPU seconds of each policy over those of the fixed fleet: the best of interleaved rounds."""
    gaps = exponential(0, "arrivals", 0, REQUESTS) * (DAY_S / REQUESTS)
    arrival_s = np.cumsum(gaps)
    service_s = MEAN_SERVICE_S * exponential(0, "service", 0, REQUESTS)
    work = [Work(0, arrival_s, service_s, service_s)]

    def replay(policy: Policy) -> None:
        simulate(
            policy,
            work,
            Limits(threshold_s=70.0),
            draws=lambda first, count: (np.full(count, 40.0), np.full(count, 100.0)),
            horizon_s=DAY_S,
        )

    held = Context("eks_karpenter", REPLICAS, REPLICAS, None, 1, MEAN_SERVICE_S)
    free = held._replace(minimum=1, maximum=2 * REPLICAS, initial=REPLICAS)
    policies = {
        "fixed fleet": fixed.build(REPLICAS),
        "HPA, 100 replicas held": from_block(Hpa(), held),
        "HPA, free to scale": from_block(Hpa(), free),
        "KEDA, free to scale": from_block(Keda(), free),
    }
    best = dict.fromkeys(policies, float("inf"))
    for policy in policies.values():
        replay(policy)
    for _ in range(_ROUNDS):
        for name, policy in policies.items():
            best[name] = min(best[name], cpu_s(lambda p=policy: replay(p)))
    base = best["fixed fleet"]
    return [{"policy": name, "cpu_s": spent, "ratio": spent / base} for name, spent in best.items()]
