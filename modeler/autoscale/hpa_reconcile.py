"""One pass of the Kubernetes HPA controller: bounds, metrics, stabilisation, rates.

`normalise` is what a conformance case of a whole reconcile calls too, on a memory of its own.
"""

from __future__ import annotations

import numpy as np

from modeler.autoscale.hpa_limits import (
    BY_DOWN_LIMIT,
    BY_MAX,
    BY_MIN,
    BY_UP_LIMIT,
    FREE,
    behavior_limited,
    between,
    highest,
    legacy_limited,
    lowest,
    outside,
)
from modeler.autoscale.hpa_memory import (
    FAILURES,
    POLLED,
    ROWS,
    SAMPLES,
    cache_at,
    metric_at,
    note_event,
    recommended,
    remember,
    scale_events,
    seed,
)
from modeler.autoscale.hpa_replicas import (
    FAILED,
    average_replicas,
    average_value_replicas,
    combined,
    utilisation_replicas,
    value_replicas,
)
from modeler.autoscale.hpa_samples import UTILISATION as MEASURE_UTILISATION
from modeler.autoscale.hpa_samples import load, milli, pod_rows
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
from modeler.compiled import kernel

# How a metric is held against its target.
UTILISATION, AVERAGE, VALUE, AVERAGE_VALUE = 0.0, 1.0, 2.0, 3.0

# What a fallback lands on: its replicas, the current ones, or the larger or smaller of both.
STATIC, CURRENT, IF_HIGHER, IF_LOWER = 0.0, 1.0, 2.0, 3.0


@kernel()
def normalise(state, params, h, current, wanted, minimum, maximum, now):  # type: ignore[no-untyped-def]
    """A proposal after stabilisation and limits.

    Returns
    -------
    replicas, stabilised, by : float, float, int
        The result, the proposal after stabilisation, and which of `hpa_limits` limited it.
    """
    at, n = recommended(state, h)
    high = highest(state, at, n, h.down_window_s, wanted, now)
    if h.behavior == 0.0:
        remember(state, h, wanted, now)
        replicas, by = legacy_limited(current, high, minimum, maximum)
        return replicas, high, by
    low = lowest(state, at, n, h.up_window_s, wanted, now)
    stable = between(current, low, high)
    remember(state, h, wanted, now)
    events = scale_events(state, h)
    replicas, by = behavior_limited(
        current, stable, minimum, maximum,
        params, int(h.up_rules_at), int(h.down_rules_at), state, events, now,
    )  # fmt: skip
    return replicas, stable, by


@kernel(inline="always")
def amount_of(state, h, m, now):  # type: ignore[no-untyped-def]
    """What a metric shows of the whole fleet and the pods it lay on; negative pods for nothing."""
    return load(
        state, int(h.samples_at), int(h.samples), int(state[SAMPLES]), now,
        m.measure, m.delay_s, m.window_s,
    )  # fmt: skip


@kernel(inline="always")
def external_value(obs, m, amount, pods):  # type: ignore[no-untyped-def]
    """A load as the one value of an object or external source, in the metric's unit.

    A utilisation is the sum over the pods where it is to be shared among them, else their mean.
    """
    if m.measure == MEASURE_UTILISATION:
        amount /= obs[SLOTS]
        if m.form == VALUE:
            amount /= max(pods, 1.0)
    return amount * m.scale


@kernel(inline="always")
def _fallback_replicas(h, current):  # type: ignore[no-untyped-def]
    if h.fallback_behavior == CURRENT:
        return current
    if h.fallback_behavior == IF_HIGHER:
        return max(current, h.fallback)
    if h.fallback_behavior == IF_LOWER:
        return min(current, h.fallback)
    return h.fallback


@kernel()
def _proposal(obs, state, h, m, k, failing):  # type: ignore[no-untyped-def]
    """Replicas for one metric, and what was observed, in the metric's unit."""
    now = obs[NOW]
    current = obs[DESIRED]
    down, up = h.tolerance_down, h.tolerance_up
    per_pod = m.form == UTILISATION or m.form == AVERAGE
    if failing:
        if per_pod or m.form == VALUE or np.isnan(h.fallback):
            return FAILED, 0.0
        if state[FAILURES] <= h.failure_threshold:
            return FAILED, 0.0
        total = m.target * _fallback_replicas(h, current)
    else:
        amount, pods = amount_of(state, h, m, now)
        if per_pod:
            rows = pod_rows(
                obs, state, int(h.samples_at), int(h.samples), int(state[SAMPLES]), ROWS,
                m, amount, pods, h.cpu_initialization_period_s, h.initial_readiness_delay_s,
            )  # fmt: skip
            if m.form == UTILISATION:
                replicas, percent, _ = utilisation_replicas(
                    state, ROWS, rows, current, m.target, down, up
                )
                return replicas, percent
            replicas, average = average_replicas(state, ROWS, rows, current, m.target, down, up)
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


@kernel(inline="always")
def failing_at(h, now):  # type: ignore[no-untyped-def]
    """Whether no metric can be read."""
    return h.outage_from_s <= now < h.outage_until_s


@kernel(inline="always")
def proposed(obs, params, state, h):  # type: ignore[no-untyped-def]
    """What the metrics ask for together, or `FAILED`, and what the one that asks for most shows."""
    now = obs[NOW]
    failing = failing_at(h, now)
    state[FAILURES] = state[FAILURES] + 1.0 if failing else 0.0
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


@kernel()
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
