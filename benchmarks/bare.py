"""The bare loop every replay is held against: a heap of slot-free times and nothing else."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def bare_loop(arrival_s, service_s, slots):
    """First come, first served on `slots` slots; the sum of waits. [s]"""
    free = np.zeros(slots)
    waited = 0.0
    for i in range(len(arrival_s)):
        start = max(arrival_s[i], free[0])
        waited += start - arrival_s[i]
        end = start + service_s[i]
        hole = 0
        child = 1
        while child < slots:
            if child + 1 < slots and free[child + 1] < free[child]:
                child += 1
            if free[child] >= end:
                break
            free[hole] = free[child]
            hole = child
            child = 2 * hole + 1
        free[hole] = end
    return waited
