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


@njit(cache=True, nogil=True)
def bare_environments(arrival_s, warm_s, cold_s, keep_s, cap):
    """Scale per request and nothing else: newest idle first, kept for `keep_s`, at most `cap`.

    Cold starts, requests refused, and the integrals of busy and idle environments. [s]
    """
    free = np.zeros(cap)
    alive = 0
    cold = refused = 0
    busy = idle = 0.0
    for i in range(len(arrival_s)):
        now = arrival_s[i]
        k = alive - 1
        while k >= 0:
            if free[k] <= now:
                if free[k] + keep_s > now:
                    break
                idle += keep_s
                alive -= 1
                for j in range(k, alive):
                    free[j] = free[j + 1]
            k -= 1
        if k >= 0:
            idle += now - free[k]
            busy += warm_s[i]
            free[k] = now + warm_s[i]
        elif alive < cap:
            busy += cold_s[cold]
            free[alive] = now + cold_s[cold]
            alive += 1
            cold += 1
        else:
            refused += 1
    return cold, refused, busy, idle
