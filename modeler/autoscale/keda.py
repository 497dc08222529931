"""KEDA: a poll decides between idle and the first replicas, a generated HPA beyond them.

Every polling interval, 30 s by default, the triggers are read. One whose value is strictly above
its activation threshold takes the workload out of idle at once, to ``max(minReplicaCount, 1)``;
without one for a whole cooldown it goes to idle in one step. Between them the HPA decides on its
own clock, with ``max(minReplicaCount, 1)`` as its minimum, and is off at zero replicas. A burst
that falls between two polls wakes nobody.

Source: kedacore/keda, pkg/scaling/executor and pkg/fallback, read 2026-09. `keda_rules` holds the
step itself, `hpa_reconcile` the rest.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from modeler.autoscale import hpa
from modeler.autoscale.context import Context
from modeler.autoscale.hpa_memory import (
    ACTIVE_AT,
    COOLING,
    EVER_ACTIVE,
    POLLED,
    cache_at,
    header,
    metric_at,
    state_size,
    watch,
)
from modeler.autoscale.hpa_reconcile import (
    AVERAGE,
    AVERAGE_VALUE,
    CURRENT,
    IF_HIGHER,
    IF_LOWER,
    STATIC,
    UTILISATION,
    VALUE,
    amount_of,
    external_value,
    failing_at,
    sync,
)
from modeler.autoscale.hpa_samples import Metric
from modeler.autoscale.keda_rules import activation_step
from modeler.autoscale.observation import (
    BUCKET,
    DESIRED,
    MIN,
    NOTHING,
    NOW,
    OUT_DESIRED,
    OUT_METRIC,
    SCALED_IN,
    SCALED_OUT,
    SCALER_COOLDOWN,
    SIGNATURE,
)
from modeler.autoscale.policy import Clock, Policy
from modeler.compiled import first_class, kernel
from modeler.scenario.policy import Keda
from modeler.scenario.policy.keda import KedaTrigger

_FALLBACKS: Final = {
    "static": STATIC,
    "current_replicas": CURRENT,
    "current_replicas_if_higher": IF_HIGHER,
    "current_replicas_if_lower": IF_LOWER,
}


@kernel()
def _move(current, replicas, out):  # type: ignore[no-untyped-def]
    if replicas == current:
        return NOTHING
    out[OUT_DESIRED] = replicas
    return SCALED_OUT if replicas > current else SCALED_IN


@kernel()
def _poll(obs, params, state, h, out):  # type: ignore[no-untyped-def]
    """Read the triggers, keep their values for the HPA, and take the step to or from idle."""
    now = obs[NOW]
    current = obs[DESIRED]
    error = failing_at(h, now)
    active = h.force != 0.0
    if not error:
        state[POLLED] = 1.0
        for k in range(int(h.metrics)):
            m = metric_at(params, k)
            if m.cpu != 0.0:
                continue  # the HPA's own metric, which KEDA does not read
            amount, pods = amount_of(state, h, m, now)
            value = 0.0 if pods < 0.0 else external_value(obs, m, amount, pods)
            state[cache_at(k)] = value
            if value > m.activation:
                active = True
                out[OUT_METRIC] = value
    since = now - state[ACTIVE_AT] if state[EVER_ACTIVE] != 0.0 else np.nan
    replicas, renewed, cooling = activation_step(
        current, active, error, h.keda_minimum, h.idle, h.fallback,
        h.pause_in != 0.0, h.pause_out != 0.0, since, h.cooldown_s, now, h.initial_cooldown_s,
    )  # fmt: skip
    if renewed:
        state[ACTIVE_AT] = now
        state[EVER_ACTIVE] = 1.0
    began = cooling and state[COOLING] == 0.0
    state[COOLING] = 1.0 if cooling else 0.0
    if began:
        return SCALER_COOLDOWN
    return _move(current, replicas, out)


@first_class(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Poll on a bucket, reconcile on a tick."""
    h = header(params)
    current = obs[DESIRED]
    if not np.isnan(h.paused):
        return _move(current, current if h.paused < 0.0 else h.paused, out)
    watch(obs, state, h)
    if event == BUCKET:
        return _poll(obs, params, state, h, out)
    if current == 0.0:
        return NOTHING  # the HPA is off at zero
    return sync(obs, params, state, h, max(h.hpa_minimum, obs[MIN]), out)


def from_block(block: Keda, context: Context) -> Policy:
    """Make the policy of a scenario's block."""
    metrics = [_trigger(one, context) for one in block.all_triggers]
    h, rest = hpa.settings(
        block,
        metrics,
        poll_s=block.polling_interval_s,
        pause_in=block.pause_scale_in,
        pause_out=block.pause_scale_out,
    )
    paused = math.nan
    if block.paused or block.paused_replicas is not None:
        paused = -1.0 if block.paused_replicas is None else float(block.paused_replicas)
    h = h._replace(
        fallback=_or_nan(block.fallback_replicas),
        fallback_behavior=_FALLBACKS[block.fallback_behavior],
        failure_threshold=float(block.failure_threshold),
        hpa_minimum=float(max(context.minimum, 1)),
        keda_minimum=float(context.minimum),
        idle=_or_nan(block.idle_replicas),
        cooldown_s=block.cooldown_s,
        initial_cooldown_s=block.initial_cooldown_s,
        force=float(block.force_activation),
        paused=paused,
    )
    lowest = [context.minimum, block.idle_replicas, block.paused_replicas]
    return Policy(
        kind="keda",
        function=decide,
        params=np.array([*h, *rest]),
        state_size=state_size(h),
        minimum=min(one for one in lowest if one is not None),
        maximum=max(context.maximum, block.paused_replicas or 0),
        initial=context.warm,
        clock=Clock(bucket_s=block.polling_interval_s, tick_s=block.sync_period_s),
        needs_in_flight=hpa.needs_in_flight(metrics),
    )


def _or_nan(value: int | None) -> float:
    return math.nan if value is None else float(value)


def _trigger(block: KedaTrigger, context: Context) -> Metric:
    """One trigger: the CPU as a resource, anything else as an external metric asked for live."""
    if block.metric == "cpu_utilisation":
        form = AVERAGE if block.metric_type == "average_value" else UTILISATION
        return hpa.metric(block, block.metric, form, context)
    return hpa.metric(
        block,
        block.metric,
        VALUE if block.metric_type == "value" else AVERAGE_VALUE,
        context,
        delay_s=0.0,
        activation=block.activation_target,
        cached=block.use_cached_metrics,
    )
