"""The decision of Knative's autoscaler: how many pods a service wants, and whether it panics.

Sources: knative/serving pkg/autoscaler/scaling/autoscaler.go, aggregation/max/window.go,
pkg/reconciler/autoscaling/resources/target.go and pkg/autoscaler/metrics/sample_size.go.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np

from modeler.autoscale import running_maximum
from modeler.compiled import kernel

# A decision is made every 2 s; the scale-down delay is kept in steps of as much (documented).
TICK_S: Final = 2.0
_LEAST_TARGET: Final = 0.01

# The memory: whether in panic, since when, the most pods of this panic, the last excess burst
# capacity, then the running maximum of the scale-down delay.
PANICKING: Final = 0
PANIC_SINCE: Final = 1
MAX_PANIC: Final = 2
EXCESS_BURST: Final = 3
_DELAY: Final = 4


class Spec(NamedTuple):
    """What the decider goes by."""

    target: float  # value of the metric a pod is to carry
    total: float  # value of the metric a pod can carry
    target_burst_capacity: float  # requests; -1 keeps the activator in the path
    panic_threshold: float  # pods wanted over pods ready
    max_scale_up_rate: float
    max_scale_down_rate: float
    stable_window_s: float
    delay_steps: float  # scale-down delay in ticks, fixed when the decider is made
    tick_s: float
    activation_scale: float  # [pods]
    reachable: float  # 0 or 1: whether a route leads to the revision


def size_of(steps: int) -> int:
    """Values that the decider takes in a policy's memory. [values]"""
    return _DELAY + running_maximum.size_of(steps)


def delay_steps(scale_down_delay_s: float, tick_s: float = TICK_S) -> int:
    """Steps of the scale-down delay, the last one possibly cut. [steps]"""
    return math.ceil(scale_down_delay_s / tick_s)


def total_value(container_concurrency: float, default: float, annotation: float | None) -> float:
    """Value of the metric that a pod can carry.

    The container's own limit, or the cluster's default where it has none; a target annotation
    replaces it but is never above the container's limit.
    """
    total = container_concurrency if container_concurrency > 0.0 else default
    if annotation is None:
        return total
    return min(annotation, container_concurrency) if container_concurrency > 0.0 else annotation


def target_value(total: float, utilisation: float) -> float:
    """Value of the metric that a pod is to carry: never below 0.01."""
    return max(_LEAST_TARGET, total * utilisation)


def panic_window_s(stable_window_s: float, share: float) -> float:
    """Length of the panic window: whole seconds, at least one. [s]"""
    # Go rounds halves away from zero.
    return max(math.floor(stable_window_s * share + 0.5), 1.0)


def scrape_sample_size(pods: int) -> int:
    """Pods that are asked for their metrics: all up to three, then ``15.37 N / (N + 14.37)``.

    Their mean is scaled up to all pods. The replay knows the sum over all of them. [pods]
    """
    if pods <= 3:
        return max(pods, 0)
    return math.ceil(15.37 * pods / (pods + 14.37))


@kernel()
def created(state, base, ready, now_s):  # type: ignore[no-untyped-def]
    """A new decider panics where more than one pod is ready: it has lost its history."""
    state[base + PANICKING] = 1.0 if ready > 1.0 else 0.0
    state[base + PANIC_SINCE] = now_s if ready > 1.0 else 0.0
    state[base + MAX_PANIC] = ready


@kernel()
def _excess_burst_capacity(spec, ready, panic):  # type: ignore[no-untyped-def]
    """Requests that the ready pods could take beyond the target burst. [requests]"""
    if spec.target_burst_capacity == 0.0:
        return 0.0
    if spec.target_burst_capacity < 0.0:
        return -1.0
    return np.floor(ready * spec.total - spec.target_burst_capacity - panic)


@kernel()
def scale(spec, state, base, now_s, ready, stable, panic):  # type: ignore[no-untyped-def]
    """Pods wanted now.

    Parameters
    ----------
    spec : Spec.
    state, base : float64[], int. The decider's memory starts at ``state[base]``.
    ready : float. Pods that serve. [pods]
    stable, panic : float. Averages of the metric over both windows, of all pods together.

    Returns
    -------
    float
        Pods wanted; the memory holds the panic and the excess burst capacity. [pods]
    """
    counted = max(1.0, ready)
    most = np.ceil(spec.max_scale_up_rate * counted)
    least = np.floor(counted / spec.max_scale_down_rate) if spec.reachable != 0.0 else 0.0
    for_stable = np.ceil(stable / spec.target)
    for_panic = np.ceil(panic / spec.target)
    wanted = min(max(for_stable, least), most)
    wanted_in_panic = min(max(for_panic, least), most)
    if spec.activation_scale > 1.0:
        if for_stable > 0.0:
            wanted = max(wanted, spec.activation_scale)
        if for_panic > 0.0:
            wanted_in_panic = max(wanted_in_panic, spec.activation_scale)
    if for_panic / counted >= spec.panic_threshold:
        state[base + PANICKING] = 1.0
        state[base + PANIC_SINCE] = now_s
    elif state[base + PANICKING] != 0.0 and (
        state[base + PANIC_SINCE] + spec.stable_window_s < now_s
    ):
        state[base + PANICKING] = 0.0
        state[base + PANIC_SINCE] = 0.0
        state[base + MAX_PANIC] = 0.0
    if state[base + PANICKING] != 0.0:
        # No pod is taken away in a panic.
        wanted = max(wanted, wanted_in_panic, state[base + MAX_PANIC])
        state[base + MAX_PANIC] = wanted
    steps = int(spec.delay_steps)
    if steps > 0 and spec.reachable != 0.0:
        index = np.floor(now_s / spec.tick_s)
        wanted = running_maximum.update(state, base + _DELAY, steps, index, wanted)
    state[base + EXCESS_BURST] = _excess_burst_capacity(spec, ready, panic)
    return max(wanted, 0.0)
