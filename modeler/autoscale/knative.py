"""Knative's pod autoscaler (KPA): one-second samples, a decision every two seconds, two windows.

Each second the concurrency of the whole revision (or its requests a second) goes into a stable and
into a panic window; each tick both averages over the target say how many pods are wanted
(`knative_decider`), and the scaler carries it out or takes the two steps to zero
(`knative_scaler`). At zero the activator holds requests; the first one is reported at once, so the
decision to leave zero comes with it and not with the next tick.

What is sampled is known exactly here: the time average over the second, of requests in service and
waiting alike, over all pods. A sample is written while pods are ready or requests are there;
otherwise the series falls silent, and after a stable window no decision is made.

With the default target burst capacity the activator stays in the path of a small revision, so its
last pod goes about 3 s after the 60 s window has run empty; where it was out of the path, the grace
period of 30 s comes on top. A fleet that starts with more than one pod starts in panic, as after a
restart of the autoscaler, which keeps it for one stable window.

Sources: knative/serving pkg/autoscaler, pkg/reconciler/autoscaling/kpa,
pkg/activator/handler/concurrency_reporter.go (read 2026-09).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from modeler.autoscale import knative_decider as decider
from modeler.autoscale import knative_scaler as scaler
from modeler.autoscale import knative_window as window
from modeler.autoscale.context import Context
from modeler.autoscale.observation import (
    ARRIVAL,
    ARRIVED,
    BUCKET,
    DESIRED,
    FROM_ZERO,
    IN_FLIGHT_SECONDS,
    MAX,
    MIN,
    NOTHING,
    NOW,
    OUT_DESIRED,
    OUT_METRIC,
    OUT_WAKE,
    QUEUED_SECONDS,
    READY,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
    WAKE,
)
from modeler.autoscale.policy import Clock, Policy
from modeler.compiled import entry, kernel
from modeler.scenario.policy import KnativeKpa

# From the progress deadline to giving an activation up (kpa/scaler.go, activationTimeoutBuffer).
_ACTIVATION_BUFFER_S = 30.0


class Params(NamedTuple):
    """The settings, in the order in which they are passed."""

    by_rate: float  # 0: concurrency, 1: requests a second
    target: float
    total: float
    target_burst_capacity: float
    panic_threshold: float
    max_scale_up_rate: float
    max_scale_down_rate: float
    stable_window_s: float
    delay_steps: float
    tick_s: float
    activation_scale: float
    initial_scale: float
    initial_scale_reached: float  # 0 or 1
    enable_scale_to_zero: float  # 0 or 1
    grace_s: float
    retention_s: float
    activation_timeout_s: float
    requeue_s: float
    panic_window_s: float
    scrape_s: float
    coefficient: float  # weight of the newest bucket of the stable window, 0: linear
    panic_coefficient: float
    stable_base: float  # where the stable window's memory starts
    panic_base: float


# The memory: scalars, then the decider's, then both windows'.
_STARTED, _WANTED = 0, 1  # whether the first call was; pods wanted, -1 unknown
_SAMPLED_AT, _COUNTED = 2, 3  # as the last sample was taken: when, and the running count or sum
_REPORTED = 4  # the request that the activator has reported ahead of its sample
_ACTIVITY, _SINCE = 5, 6  # the revision's state and since when [s]
_PROXIED_SINCE = 7  # since when the activator is in the path [s], inf: it is not
_NOT_BEFORE = 8  # when the scaler looks again at an inactive revision [s]
_REACHED = 9  # whether the initial scale was reached
_DECIDER = 10


@kernel()
def _start(obs, p, state):  # type: ignore[no-untyped-def]
    """The first call: the revision as the trace finds it."""
    state[_STARTED] = 1.0
    state[_WANTED] = scaler.UNKNOWN
    state[_REACHED] = p.initial_scale_reached
    if obs[DESIRED] == 0.0 and p.initial_scale_reached != 0.0:
        state[_ACTIVITY] = scaler.INACTIVE
    else:
        state[_ACTIVITY] = scaler.ACTIVE if obs[READY] > 0.0 else scaler.ACTIVATING
        state[_PROXIED_SINCE] = np.inf
    decider.created(state, _DECIDER, obs[READY], obs[NOW])


@kernel()
def _record(p, state, at_s, value):  # type: ignore[no-untyped-def]
    """Write a sample into both windows."""
    stable, panic = p.stable_window_s, p.panic_window_s
    n, m = int(np.ceil(stable / p.scrape_s)), int(np.ceil(panic / p.scrape_s))
    window.record(state, int(p.stable_base), n, stable, p.scrape_s, at_s, value)
    window.record(state, int(p.panic_base), m, panic, p.scrape_s, at_s, value)


@kernel()
def _sample(obs, p, state):  # type: ignore[no-untyped-def]
    """Close one second: its mean concurrency, or its requests a second."""
    now = obs[NOW]
    count = obs[ARRIVED] if p.by_rate != 0.0 else obs[IN_FLIGHT_SECONDS] + obs[QUEUED_SECONDS]
    value = (count - state[_COUNTED]) / (now - state[_SAMPLED_AT])
    state[_COUNTED] = count
    state[_SAMPLED_AT] = now
    value = max(value - state[_REPORTED], 0.0)
    if obs[READY] > 0.0 or value > 0.0 or state[_REPORTED] > 0.0:
        _record(p, state, now, value)
    state[_REPORTED] = 0.0


@kernel()
def _averages(p, state, now):  # type: ignore[no-untyped-def]
    """Averages over the stable and over the panic window."""
    base, other = int(p.stable_base), int(p.panic_base)
    stable, panic, bucket = p.stable_window_s, p.panic_window_s, p.scrape_s
    n, m = int(np.ceil(stable / bucket)), int(np.ceil(panic / bucket))
    if p.coefficient == 0.0:
        return (
            window.average(state, base, n, stable, bucket, now),
            window.average(state, other, m, panic, bucket, now),
        )
    return (
        window.weighted_average(state, base, n, stable, bucket, now, p.coefficient),
        window.weighted_average(state, other, m, panic, bucket, now, p.panic_coefficient),
    )


@kernel()
def _decide(obs, p, state, out):  # type: ignore[no-untyped-def]
    """Ask the decider, where there is data to go by."""
    now = obs[NOW]
    if window.is_empty(state, int(p.stable_base), p.stable_window_s, p.scrape_s, now):
        return
    spec = decider.Spec(
        p.target,
        p.total,
        p.target_burst_capacity,
        p.panic_threshold,
        p.max_scale_up_rate,
        p.max_scale_down_rate,
        p.stable_window_s,
        p.delay_steps,
        p.tick_s,
        p.activation_scale,
        1.0,
    )
    stable, panic = _averages(p, state, now)
    out[OUT_METRIC] = stable
    state[_WANTED] = decider.scale(spec, state, _DECIDER, now, obs[READY], stable, panic)


@kernel()
def _reconcile(obs, p, state, out):  # type: ignore[no-untyped-def]
    """Carry out what is wanted, or take a step towards zero."""
    now = obs[NOW]
    activity = int(state[_ACTIVITY])
    if state[_WANTED] == 0.0 and activity == scaler.INACTIVE:
        if obs[DESIRED] == 0.0:
            return NOTHING
        if now < state[_NOT_BEFORE]:
            out[OUT_WAKE] = state[_NOT_BEFORE]
            return NOTHING
    rules = scaler.Rules(
        obs[MIN],
        obs[MAX],
        p.initial_scale,
        state[_REACHED],
        1.0,
        p.enable_scale_to_zero,
        p.stable_window_s,
        p.grace_s,
        p.retention_s,
        p.activation_timeout_s,
        p.target_burst_capacity,
    )
    since = state[_SINCE]
    proxied = now - min(state[_PROXIED_SINCE], now)
    scale, carried_out = scaler.right_size(
        rules, state[_WANTED], activity, now - since, proxied, True
    )
    burst = state[_DECIDER + decider.EXCESS_BURST]
    was_proxied = state[_PROXIED_SINCE] <= now
    if scale == 0.0 or burst < 0.0 or (scale < 0.0 and activity == scaler.INACTIVE):
        state[_PROXIED_SINCE] = min(state[_PROXIED_SINCE], now)
    else:
        state[_PROXIED_SINCE] = np.inf
    threshold = max(obs[MIN], 1.0 if state[_REACHED] != 0.0 else p.initial_scale)
    if obs[READY] >= threshold:
        state[_REACHED] = 1.0
    following = scaler.next_activity(activity, scale, obs[READY], threshold)
    if following != activity:
        state[_ACTIVITY] = following
        state[_SINCE] = now
    if scale == 0.0 and not carried_out:
        # The scaler comes back on its own: soon where the path did not change, else in time.
        if following != activity and was_proxied:
            state[_NOT_BEFORE] = now + p.requeue_s
        else:
            state[_NOT_BEFORE] = scaler.zero_from(rules, state[_SINCE], state[_PROXIED_SINCE])
        out[OUT_WAKE] = state[_NOT_BEFORE]
    if not carried_out or scale == obs[DESIRED]:
        return NOTHING
    out[OUT_DESIRED] = scale
    return SCALED_OUT if scale > obs[DESIRED] else SCALED_IN


@kernel(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Sample each second; decide at each tick, and with the first request at zero."""
    p = Params(
        params[0],
        params[1],
        params[2],
        params[3],
        params[4],
        params[5],
        params[6],
        params[7],
        params[8],
        params[9],
        params[10],
        params[11],
        params[12],
        params[13],
        params[14],
        params[15],
        params[16],
        params[17],
        params[18],
        params[19],
        params[20],
        params[21],
        params[22],
        params[23],
    )
    if state[_STARTED] == 0.0:
        _start(obs, p, state)
    if event == BUCKET:
        _sample(obs, p, state)
        return NOTHING
    if event == ARRIVAL:
        if state[_REPORTED] != 0.0:
            return NOTHING
        state[_REPORTED] = 1.0
        _record(p, state, obs[NOW], 1.0)
    if event != WAKE:
        _decide(obs, p, state, out)
    return _reconcile(obs, p, state, out)


_entry = entry(SIGNATURE, decide)


def from_block(block: KnativeKpa, context: Context) -> Policy:
    """Make the policy of a scenario's block."""
    by_rate = block.metric == "rps"
    default = block.rps_target_default if by_rate else block.concurrency_target_default
    total = decider.total_value(block.container_concurrency, default, block.target)
    steps = decider.delay_steps(block.scale_down_delay_s, block.tick_s)
    panic_window_s = decider.panic_window_s(block.stable_window_s, block.panic_window_share)
    buckets = window.buckets_of(block.stable_window_s, block.scrape_s)
    panic_buckets = window.buckets_of(panic_window_s, block.scrape_s)
    weighted = block.aggregation == "weighted-exponential"
    stable_base = _DECIDER + decider.size_of(steps)
    panic_base = stable_base + window.size_of(block.stable_window_s, block.scrape_s)
    params = Params(
        by_rate=float(by_rate),
        target=decider.target_value(total, block.target_utilisation),
        total=total,
        target_burst_capacity=block.target_burst_capacity,
        panic_threshold=block.panic_threshold,
        max_scale_up_rate=block.max_scale_up_rate,
        max_scale_down_rate=block.max_scale_down_rate,
        stable_window_s=block.stable_window_s,
        delay_steps=float(steps),
        tick_s=block.tick_s,
        activation_scale=float(block.activation_scale),
        initial_scale=float(block.initial_scale),
        initial_scale_reached=float(not block.new_revision),
        enable_scale_to_zero=float(block.enable_scale_to_zero),
        grace_s=block.scale_to_zero_grace_s,
        retention_s=block.pod_retention_s,
        activation_timeout_s=block.progress_deadline_s + _ACTIVATION_BUFFER_S,
        requeue_s=block.deactivation_requeue_s,
        panic_window_s=panic_window_s,
        scrape_s=block.scrape_s,
        coefficient=window.smoothing_coefficient(float(buckets)) if weighted else 0.0,
        panic_coefficient=window.smoothing_coefficient(float(panic_buckets)) if weighted else 0.0,
        stable_base=float(stable_base),
        panic_base=float(panic_base),
    )
    return Policy(
        kind="knative_kpa",
        function=_entry,
        params=np.array(params, dtype=np.float64),
        state_size=panic_base + window.size_of(panic_window_s, block.scrape_s),
        minimum=context.minimum,
        maximum=context.maximum,
        initial=context.warm,
        clock=Clock(bucket_s=block.scrape_s, tick_s=block.tick_s),
        hooks=FROM_ZERO,
        needs_in_flight=not by_rate,
        target=params.target,
    )
