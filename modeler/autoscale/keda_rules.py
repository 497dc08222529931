"""KEDA: the step between idle and the first replicas, and how many jobs a ScaledJob adds.

Source: kedacore/keda, pkg/scaling/executor/scale_scaledobjects.go and scale_jobs.go, read 2026-09.
"""

from __future__ import annotations

import numpy as np

from modeler.compiled import kernel

# Strategies of a ScaledJob.
DEFAULT, CUSTOM, ACCURATE, EAGER = 0, 1, 2, 3
STRATEGIES = {"default": DEFAULT, "custom": CUSTOM, "accurate": ACCURATE, "eager": EAGER}

# Ages are sums of polling intervals; one that differs from a period by less is equal to it.
_ROUNDING_S = 1e-6


@kernel()
def _cooled_down(since_active_s, cooldown_s, since_created_s, initial_cooldown_s):  # type: ignore[no-untyped-def]
    """Whether the period since the last activity, or since the creation, is strictly over."""
    if np.isnan(since_active_s):
        return initial_cooldown_s == 0.0 or since_created_s > initial_cooldown_s + _ROUNDING_S
    return since_active_s > cooldown_s + _ROUNDING_S


@kernel()
def activation_step(  # type: ignore[no-untyped-def]
    current, active, error, minimum, idle, fallback, pause_in, pause_out,
    since_active_s, cooldown_s, since_created_s, initial_cooldown_s,
):  # fmt: skip
    """What one poll does to the replicas.

    Parameters
    ----------
    current : float. [replicas]
    active : bool. Whether a trigger exceeds its activation threshold, or activation is forced.
    error : bool. Whether a trigger could not be read.
    minimum : float. ``minReplicaCount``. [replicas]
    idle, fallback : float. ``idleReplicaCount``, ``fallback.replicas``, NaN where not set.
        [replicas]
    pause_in, pause_out : bool. The two pause annotations.
    since_active_s : float. Since the last active poll, NaN for never. [s]
    since_created_s : float. Since the ScaledObject was created. [s]

    Returns
    -------
    replicas, renewed, cooling : float, bool, bool
        Whether the time of the last activity is now; whether only the cooldown holds the replicas.
    """
    if active:
        if current == 0.0 or (not np.isnan(idle) and current < minimum):
            if pause_out:
                return current, False, False
            return max(minimum, 1.0), True, False
        return current, not error, False
    if error and (np.isnan(fallback) or fallback != 0.0):
        # With a fallback too: the HPA is to reach its replicas, which it cannot from zero.
        return current, False, False
    if (not np.isnan(idle) and current > idle) or (current > 0.0 and minimum == 0.0):
        if pause_in:
            return current, False, False
        if _cooled_down(since_active_s, cooldown_s, since_created_s, initial_cooldown_s):
            return (minimum if np.isnan(idle) else idle), False, False
        return current, False, True
    if np.isnan(idle) and current < minimum:
        return minimum, False, False
    return current, False, False


@kernel()
def new_jobs(  # type: ignore[no-untyped-def]
    strategy, wanted, running, pending, maximum, minimum, scale_to, deduction, running_share
):
    """Jobs that a ScaledJob may add, and how many it is asked to.

    Parameters
    ----------
    strategy : int. One of `STRATEGIES`.
    wanted : float. Jobs that the triggers ask for, at most the maximum. [jobs]
    running, pending : float. Unfinished jobs, and those of them without a running pod. [jobs]
    maximum, minimum : float. ``maxReplicaCount``, ``minReplicaCount``. [jobs]
    scale_to : float. What the triggers ask for, without the maximum. [jobs]
    deduction : float. Of the custom strategy: taken off the queue. [jobs]
    running_share : float. Of the custom strategy: share of the running jobs to count; NaN makes it
        the default one. [1]

    Returns
    -------
    effective, scale_to : float, float
        Not below zero. [jobs]
    """
    if running < minimum:
        # Missing jobs of the minimum come first, whatever the triggers ask for.
        short = minimum - running
        return short, short
    running -= minimum  # those of the minimum are not held against the triggers
    if strategy == ACCURATE:
        if wanted + running - pending > maximum:
            jobs = maximum - running
        else:
            jobs = wanted - pending
    elif strategy == EAGER:
        jobs = min(maximum - running - pending, wanted)
        scale_to = maximum
    elif strategy == CUSTOM and not np.isnan(running_share):
        jobs = min(wanted - deduction - np.trunc(running * running_share), maximum)
    else:
        jobs = wanted - running
    return max(jobs, 0.0), scale_to
