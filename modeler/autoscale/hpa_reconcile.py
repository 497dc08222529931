"""One pass of the Kubernetes HPA controller: bounds, metrics, stabilisation, rates.

The memory of a run stands in the policy's ``state``, the settings in its ``params``: a `Header`,
then the metrics, then the rules of both directions. `normalise` is what a conformance case of a
whole reconcile calls too, on a memory of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from modeler.autoscale.hpa_limits import (
    BY_DOWN_LIMIT,
    BY_MAX,
    BY_MIN,
    BY_UP_LIMIT,
    FREE,
    Events,
    behavior_limited,
    between,
    highest,
    legacy_limited,
    lowest,
    outside,
    store_event,
)
from modeler.autoscale.hpa_replicas import (
    FAILED,
    ROW,
    average_replicas,
    average_value_replicas,
    combined,
    utilisation_replicas,
    value_replicas,
)
from modeler.autoscale.hpa_samples import COLUMNS, WIDTH, Metric, load, milli, pod_rows, sample
from modeler.autoscale.hpa_samples import UTILISATION as MEASURE_UTILISATION
from modeler.autoscale.observation import (
    DESIRED,
    DOWN_LIMIT,
    DOWN_STABILIZED,
    FAILED_METRICS,
    MAX,
    NOTHING,
    NOW,
    OUT_DESIRED,
    OUT_METRIC,
    PENDING,
    READY,
    SCALED_IN,
    SCALED_OUT,
    SLOTS,
    TOO_FEW,
    TOO_MANY,
    UP_LIMIT,
    UP_STABILIZED,
)

Pairs = Sequence[tuple[float, float]]

# How a metric is held against its target.
UTILISATION, AVERAGE, VALUE, AVERAGE_VALUE = 0.0, 1.0, 2.0, 3.0

# What a fallback lands on: its replicas, the current ones, or the larger or smaller of both.
STATIC, CURRENT, IF_HIGHER, IF_LOWER = 0.0, 1.0, 2.0, 3.0


class Header(NamedTuple):
    """The settings that are single numbers, in the order in which they are passed."""

    metrics: float
    behavior: float  # 0: the legacy path
    tolerance_down: float
    tolerance_up: float
    up_window_s: float
    down_window_s: float
    up_longest_s: float  # longest period of a policy
    down_longest_s: float
    recommendations: float  # room of each list, below [entries]
    events: float
    samples: float
    cpu_initialization_period_s: float
    initial_readiness_delay_s: float
    outage_from_s: float  # no metric can be read from here
    outage_until_s: float  # to here
    fallback: float  # replicas, NaN for none
    fallback_behavior: float
    failure_threshold: float  # failed reads that a fallback waits for
    up_rules_at: float
    down_rules_at: float
    hpa_minimum: float  # ``minReplicas``; NaN for the fleet's
    # Of KEDA alone.
    keda_minimum: float  # ``minReplicaCount``
    idle: float  # replicas, NaN for none
    cooldown_s: float
    initial_cooldown_s: float
    pause_in: float
    pause_out: float
    force: float
    paused: float  # replicas held, -1 for those there are, NaN for not paused


_HEADER = len(Header._fields)

# The memory: counts, what KEDA keeps, three rows of pods, a cached value for each metric, lists.
_RECOMMENDED, _UPS, _DOWNS, _SAMPLES, _FAILURES = range(5)
ACTIVE_AT, EVER_ACTIVE, POLLED, COOLING = 5, 6, 7, 8
_ROWS = 9
_CACHE = _ROWS + 3 * ROW


@njit(cache=True)
def header(params):  # type: ignore[no-untyped-def]
    """The settings by name."""
    return Header(
        params[0], params[1], params[2], params[3], params[4], params[5], params[6], params[7],
        params[8], params[9], params[10], params[11], params[12], params[13], params[14],
        params[15], params[16], params[17], params[18], params[19], params[20], params[21],
        params[22], params[23], params[24], params[25], params[26], params[27], params[28],
    )  # fmt: skip


@njit(cache=True)
def metric_at(params, k):  # type: ignore[no-untyped-def]
    """A metric by its number."""
    at = _HEADER + WIDTH * k
    return Metric(
        params[at], params[at + 1], params[at + 2], params[at + 3], params[at + 4], params[at + 5],
        params[at + 6], params[at + 7], params[at + 8],
    )  # fmt: skip


@njit(cache=True)
def cache_at(k):  # type: ignore[no-untyped-def]
    """Place of a metric's value as of the last poll."""
    return _CACHE + k


@njit(cache=True)
def _recommendations_at(h):  # type: ignore[no-untyped-def]
    return _CACHE + int(h.metrics)


@njit(cache=True)
def _ups_at(h):  # type: ignore[no-untyped-def]
    return _recommendations_at(h) + 2 * int(h.recommendations)


@njit(cache=True)
def _downs_at(h):  # type: ignore[no-untyped-def]
    return _ups_at(h) + 2 * int(h.events)


@njit(cache=True)
def _samples_at(h):  # type: ignore[no-untyped-def]
    return _downs_at(h) + 2 * int(h.events)


def state_size(h: Header) -> int:
    """Length of the memory. [float64 values]"""
    lists = 2 * int(h.recommendations) + 4 * int(h.events) + COLUMNS * int(h.samples)
    return _CACHE + int(h.metrics) + lists


def placed(h: Header, metrics: int, up: list[float]) -> Header:
    """The header with the places of the rules behind so many metrics."""
    at = _HEADER + WIDTH * metrics
    return h._replace(
        metrics=float(metrics), up_rules_at=float(at), down_rules_at=float(at + len(up))
    )


def load_history(
    state: NDArray[np.float64], h: Header, recommended: Pairs, ups: Pairs, downs: Pairs
) -> None:
    """Start a memory with lists of (replicas, time) and (replicas changed, time)."""
    for place, count, pairs in (
        (_recommendations_at(h), _RECOMMENDED, recommended),
        (_ups_at(h), _UPS, ups),
        (_downs_at(h), _DOWNS, downs),
    ):
        flat = [value for pair in pairs for value in pair]
        state[place : place + len(flat)] = flat
        state[count] = len(pairs)


@njit(cache=True)
def remember(state, h, wanted, now):  # type: ignore[no-untyped-def]
    """Keep a recommendation as it was before it was stabilised."""
    n = int(state[_RECOMMENDED])
    place = _recommendations_at(h) + 2 * (n % int(h.recommendations))
    state[place] = wanted
    state[place + 1] = now
    state[_RECOMMENDED] = n + 1


@njit(cache=True)
def seed(state, h, current, now):  # type: ignore[no-untyped-def]
    """Start the history with the replicas there are, once."""
    if state[_RECOMMENDED] == 0.0:
        remember(state, h, current, now)


@njit(cache=True)
def note_event(state, h, before, after, now):  # type: ignore[no-untyped-def]
    """Keep a change, which only policies of a behavior look at."""
    if h.behavior == 0.0 or before == after:
        return
    if after > before:
        n = int(state[_UPS])
        state[_UPS] = store_event(state, _ups_at(h), n, h.up_longest_s, after - before, now)
    else:
        n = int(state[_DOWNS])
        state[_DOWNS] = store_event(state, _downs_at(h), n, h.down_longest_s, before - after, now)


@njit(cache=True)
def normalise(state, params, h, current, wanted, minimum, maximum, now):  # type: ignore[no-untyped-def]
    """A proposal after stabilisation and limits.

    Returns
    -------
    replicas, stabilised, by : float, float, int
        The result, the proposal after stabilisation, and which of `hpa_limits` limited it.
    """
    at = _recommendations_at(h)
    n = min(int(state[_RECOMMENDED]), int(h.recommendations))
    high = highest(state, at, n, h.down_window_s, wanted, now)
    if h.behavior == 0.0:
        remember(state, h, wanted, now)
        replicas, by = legacy_limited(current, high, minimum, maximum)
        return replicas, high, by
    low = lowest(state, at, n, h.up_window_s, wanted, now)
    stable = between(current, low, high)
    remember(state, h, wanted, now)
    events = Events(_ups_at(h), int(state[_UPS]), _downs_at(h), int(state[_DOWNS]))
    replicas, by = behavior_limited(
        current, stable, minimum, maximum,
        params, int(h.up_rules_at), int(h.down_rules_at), state, events, now,
    )  # fmt: skip
    return replicas, stable, by


@njit(cache=True)
def amount_of(state, h, m, now):  # type: ignore[no-untyped-def]
    """What a metric shows of the whole fleet and the pods it lay on; negative pods for nothing."""
    return load(
        state, _samples_at(h), int(h.samples), int(state[_SAMPLES]), now,
        m.measure, m.delay_s, m.window_s,
    )  # fmt: skip


@njit(cache=True)
def external_value(obs, m, amount, pods):  # type: ignore[no-untyped-def]
    """A load as the one value of an object or external source, in the metric's unit.

    A utilisation is the sum over the pods where it is to be shared among them, else their mean.
    """
    if m.measure == MEASURE_UTILISATION:
        amount /= obs[SLOTS]
        if m.form == VALUE:
            amount /= max(pods, 1.0)
    return amount * m.scale


@njit(cache=True)
def _fallback_replicas(h, current):  # type: ignore[no-untyped-def]
    if h.fallback_behavior == CURRENT:
        return current
    if h.fallback_behavior == IF_HIGHER:
        return max(current, h.fallback)
    if h.fallback_behavior == IF_LOWER:
        return min(current, h.fallback)
    return h.fallback


@njit(cache=True)
def _proposal(obs, state, h, m, k, failing):  # type: ignore[no-untyped-def]
    """Replicas for one metric, and what was observed, in the metric's unit."""
    now = obs[NOW]
    current = obs[DESIRED]
    down, up = h.tolerance_down, h.tolerance_up
    per_pod = m.form == UTILISATION or m.form == AVERAGE
    if failing:
        if per_pod or m.form == VALUE or np.isnan(h.fallback):
            return FAILED, 0.0
        if state[_FAILURES] <= h.failure_threshold:
            return FAILED, 0.0
        total = m.target * _fallback_replicas(h, current)
    else:
        amount, pods = amount_of(state, h, m, now)
        if per_pod:
            rows = pod_rows(
                obs, state, _samples_at(h), int(h.samples), int(state[_SAMPLES]), _ROWS,
                m, amount, pods, h.cpu_initialization_period_s, h.initial_readiness_delay_s,
            )  # fmt: skip
            if m.form == UTILISATION:
                replicas, percent, _ = utilisation_replicas(
                    state, _ROWS, rows, current, m.target, down, up
                )
                return replicas, percent
            replicas, average = average_replicas(state, _ROWS, rows, current, m.target, down, up)
            return replicas, average / 1000.0
        value = external_value(obs, m, amount, pods)
        if m.cached != 0.0 and state[POLLED] != 0.0:
            value = state[cache_at(k)]
        elif pods < 0.0:
            return FAILED, 0.0
        total = milli(value)
    if m.form == VALUE:
        return value_replicas(total, m.target, current, obs[READY], down, up), total / 1000.0
    status = obs[READY] + obs[PENDING]
    replicas, average = average_value_replicas(total, m.target, status, down, up)
    return replicas, average / 1000.0


@njit(cache=True)
def watch(obs, state, h):  # type: ignore[no-untyped-def]
    """Put the fleet as it is now into the ring of samples."""
    n = int(state[_SAMPLES])
    state[_SAMPLES] = sample(obs, state, _samples_at(h), int(h.samples), n)


@njit(cache=True)
def failing_at(h, now):  # type: ignore[no-untyped-def]
    """Whether no metric can be read."""
    return h.outage_from_s <= now < h.outage_until_s


@njit(cache=True)
def proposed(obs, params, state, h):  # type: ignore[no-untyped-def]
    """What the metrics ask for together, or `FAILED`, and what the one that asks for most shows."""
    now = obs[NOW]
    failing = failing_at(h, now)
    state[_FAILURES] = state[_FAILURES] + 1.0 if failing else 0.0
    most = -1.0
    failed = 0.0
    observed = 0.0
    for k in range(int(h.metrics)):
        replicas, shown = _proposal(obs, state, h, metric_at(params, k), k, failing)
        if replicas == FAILED:
            failed += 1.0
        elif replicas > most:
            most = replicas
            observed = shown
    return combined(most, failed, h.metrics, obs[DESIRED]), observed


@njit(cache=True)
def sync(obs, params, state, h, minimum, out):  # type: ignore[no-untyped-def]
    """One reconcile: what it answers the engine, and why."""
    now = obs[NOW]
    current = obs[DESIRED]
    seed(state, h, current, now)
    replicas, settled = outside(current, minimum, obs[MAX])
    wanted = stable = replicas
    by = FREE
    if not settled:
        wanted, out[OUT_METRIC] = proposed(obs, params, state, h)
        if wanted == FAILED:
            return FAILED_METRICS
        replicas, stable, by = normalise(state, params, h, current, wanted, minimum, obs[MAX], now)
    if replicas != current:
        note_event(state, h, current, replicas, now)
        out[OUT_DESIRED] = replicas
        return SCALED_OUT if replicas > current else SCALED_IN
    if by == BY_MAX:
        return TOO_MANY
    if by == BY_MIN:
        return TOO_FEW
    if by == BY_UP_LIMIT:
        return UP_LIMIT
    if by == BY_DOWN_LIMIT:
        return DOWN_LIMIT
    if stable != wanted:
        return UP_STABILIZED if wanted >= current else DOWN_STABILIZED
    return NOTHING
