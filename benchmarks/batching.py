"""Continuous batching: the replay beside a simulator that takes every step.

Vidur, which simulates every step with predicted kernel times, replayed about 260 requests per CPU
second on one 2-core machine with its fastest predictor.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import pricing
from modeler.autoscale import fixed
from modeler.predict.known import known
from modeler.predict.latency import Group, TokenModel
from modeler.predict.latency.step_law import default_efficiency, described_law
from modeler.replay import Limits, Work, simulate
from modeler.replay.batching import Batching

GOAL_PER_CPU_S = 100_000
_REPLICAS, _SLOTS, _BUDGET = 8, 256, 2048
_REQUESTS, _PLAIN = 400_000, 4_000


def _requests(count: int) -> tuple[Any, Any, Any]:
    """Poisson arrivals with lengths as in the Azure conversation trace of 2023.

    Mean prompt 1,155 and mean output 211 tokens; about the load that eight replicas can serve.
    """
    rng = np.random.default_rng(7)
    arrival = np.cumsum(rng.exponential(1 / 5.5, count))
    prompt = np.clip(rng.lognormal(6.6, 0.95, count).round(), 1, 8_000)
    output = np.clip(rng.lognormal(5.1, 0.7, count).round(), 1, 1_000)
    return arrival, prompt, output


def compare() -> dict[str, float]:
    """Requests per CPU second of the replay and of the plain simulator, an 8B model on A10G."""
    model = TokenModel(known("Llama-3.1-8B"), "fp16", Group(pricing.accelerator("A10G")))
    law = described_law(model, _BUDGET, default_efficiency())

    def replay(count: int) -> Any:
        return simulate(
            fixed.build(_REPLICAS),
            [Work(0, *(column[:count] for column in _requests(_REQUESTS)))],
            Limits(slots=_SLOTS, batching=Batching(law, _BUDGET)),
            draws=lambda first, n: (np.zeros(n), np.zeros(n)),
            horizon_s=1.0,
            records=0,
        )

    replay(100)  # compiled
    began = time.process_time()
    result = replay(_REQUESTS)
    ours = _REQUESTS / (time.process_time() - began)
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "replay"))
    from naive_batching import NaiveBatching  # type: ignore[import-not-found]

    requests = list(zip(*(column[:_PLAIN].tolist() for column in _requests(_PLAIN)), strict=True))
    began = time.process_time()
    NaiveBatching(law, requests, ready=[0.0] * _REPLICAS, slots=_SLOTS, budget=_BUDGET).run()
    plain = _PLAIN / (time.process_time() - began)
    return {
        "requests_per_cpu_s": ours,
        "plain_per_cpu_s": plain,
        "ratio": ours / plain,
        "utilisation": result.busy_slot_s / (_SLOTS * _REPLICAS * result.end_s),
    }
