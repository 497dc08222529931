"""What scale per request counts beside what every run does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class EnvironmentCounts:
    """Counters and integrals over execution environments.

    Parameters
    ----------
    cold : int. Requests that started an environment. [requests]
    started : int. Attempts that got an environment: what is charged for. [requests]
    throttled_by_cap, throttled_by_burst : int. Refused for good. [requests]
    on_provisioned : int. Served by provisioned environments. [requests]
    peak : int. Environments alive at once, provisioned ones included. [environments]
    init_s : float. Initialisations that requests waited for. [s]
    running_s : float. Environments with a request, initialisation included. [s]
    idle_s : float. On-demand environments without a request, until the run's end. [s]
    provisioned_busy_s : float. Services on provisioned environments. [s]
    provisioned : float64[p, 2]. When each provisioned environment was asked for, and released. [s]
    billed_ms, billed_provisioned_ms, billed_init_ms : int. Services on demand, services on
        provisioned environments, and initialisations, each rounded up to a millisecond. [ms]
    """

    cold: int
    started: int
    throttled_by_cap: int
    throttled_by_burst: int
    on_provisioned: int
    peak: int
    init_s: float
    running_s: float
    idle_s: float
    provisioned_busy_s: float
    provisioned: NDArray[np.float64]
    billed_ms: int
    billed_provisioned_ms: int
    billed_init_ms: int
