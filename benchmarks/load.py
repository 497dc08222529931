"""Traffic for the benchmarks: a rate that swings by 30 % over two hours, as arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from traces.draws import exponential, uniform

SWING = 0.3
PERIOD_S = 7200.0
MEAN_SERVICE_S = 1.0
UTILISATION = 0.7
_BLOCK = 65_536


def swinging(requests: int, slots: int, seed: int = 0) -> tuple[NDArray, NDArray]:
    """Arrivals and service times that keep `slots` slots at 70 % on average.

    Poisson arrivals of a sinusoidal rate by thinning; exponential service of mean 1 s. Filled in
    blocks, so that making them takes no more memory than the arrays themselves.
    """
    base = UTILISATION * slots / MEAN_SERVICE_S
    peak = base * (1.0 + SWING)
    arrival_s = np.empty(requests)
    service_s = np.empty(requests)
    filled, clock, at = 0, 0.0, 0
    while filled < requests:
        candidates = clock + np.cumsum(exponential(seed, "arrivals", at, _BLOCK)) / peak
        rate = base * (1.0 + SWING * np.sin(2.0 * np.pi * candidates / PERIOD_S))
        kept = candidates[uniform(seed, "thinning", at, _BLOCK) * peak < rate]
        count = min(len(kept), requests - filled)
        arrival_s[filled : filled + count] = kept[:count]
        clock = candidates[-1]
        filled += count
        at += _BLOCK
    arrival_s -= arrival_s[0]
    for start in range(0, requests, _BLOCK):
        count = min(_BLOCK, requests - start)
        service_s[start : start + count] = MEAN_SERVICE_S * exponential(
            seed, "service", start, count
        )
    return arrival_s, service_s
