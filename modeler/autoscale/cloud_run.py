"""Cloud Run: the larger of two drivers over a minute, an on-demand path, idle instances kept.

Every few seconds the instances wanted are the largest over the drivers of
``ceil(one-minute average / (target x capacity of an instance))``: concurrency over its maximum, and
CPU, which is modelled where the analyst says how many cores a request keeps busy. A request that
cannot be placed starts instances at once. An instance that has not been in use for a while (15
minutes, 10 with a GPU; documented as the most it may take, and taken in full) goes. Instances that
were wanted or in use at one of the decisions count, so that the fleet is the most of that while.

Source: cloud.google.com/run/docs/about-instance-autoscaling and configuring/services/gpu (read
2026-09). The period of the decisions is not published and is assumed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from modeler.autoscale import running_maximum
from modeler.autoscale.context import Context
from modeler.autoscale.observation import (
    ARRIVAL,
    DESIRED,
    IN_FLIGHT,
    IN_FLIGHT_SECONDS,
    MAX,
    MIN,
    NOTHING,
    NOW,
    OUT_DESIRED,
    OUT_METRIC,
    QUEUED,
    QUEUED_SECONDS,
    READY,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
    SLOTS,
    WAITS,
)
from modeler.autoscale.policy import Clock, Policy
from modeler.compiled import entry, kernel
from modeler.scenario.policy import CloudRun


class Params(NamedTuple):
    """The settings, in the order in which they are passed."""

    concurrency_target: float  # share of the slots of an instance
    cpu_target: float  # share of the cores of an instance
    cpu_per_request: float  # cores that a request in service keeps busy [cores]
    cores: float  # of an instance [cores]
    samples: float  # decisions that make up the window
    idle_ticks: float  # decisions that make up the while an idle instance is kept


# The memory: decisions so far, the most wanted on demand since the last one, then rings of two
# running integrals (in hand, in service) and of their times, then the running maximum.
_TICKS = 0
_ON_DEMAND = 1
_RING = 2
_COLUMNS = 3
# Sums and quotients of times carry rounding; what differs from a whole number by less is whole.
_ROUNDING = 1e-9


@kernel()
def instances_for(p, in_hand, in_service, slots):  # type: ignore[no-untyped-def]
    """The largest over the drivers of ``ceil(average / (target x capacity))``. [instances]

    Parameters
    ----------
    in_hand, in_service : float. Requests placed or waiting, and requests in service, both averaged
        over the window. [requests]
    slots : float. Requests an instance takes at once. [requests]
    """
    by_concurrency = in_hand / (p.concurrency_target * slots)
    by_cpu = in_service * p.cpu_per_request / (p.cpu_target * p.cores)
    return np.ceil(max(by_concurrency, by_cpu) * (1.0 - _ROUNDING))


@kernel()
def on_demand(ready, queued, slots):  # type: ignore[no-untyped-def]
    """Instances so that every request has a place; those that wait found none. [instances]"""
    return ready + np.ceil(queued / slots)


@kernel()
def _averages(obs, p, state):  # type: ignore[no-untyped-def]
    """Requests in hand and in service over the window; over what there is at the start."""
    now = obs[NOW]
    ring = int(p.samples) + 1
    n = int(state[_TICKS]) + 1
    in_service = obs[IN_FLIGHT_SECONDS]
    in_hand = in_service + obs[QUEUED_SECONDS]
    since_s, had_in_hand, had_in_service = 0.0, 0.0, 0.0
    if n >= ring:
        before = _RING + _COLUMNS * ((n - int(p.samples)) % ring)
        had_in_hand = state[before]
        had_in_service = state[before + 1]
        since_s = state[before + 2]
    place = _RING + _COLUMNS * (n % ring)
    state[place] = in_hand
    state[place + 1] = in_service
    state[place + 2] = now
    state[_TICKS] = n
    length = now - since_s
    return (in_hand - had_in_hand) / length, (in_service - had_in_service) / length


@kernel(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Start instances for a request that waits; on a tick, follow the drivers."""
    p = Params(params[0], params[1], params[2], params[3], params[4], params[5])
    needed = on_demand(obs[READY], obs[QUEUED], obs[SLOTS])
    if event == ARRIVAL:
        state[_ON_DEMAND] = max(state[_ON_DEMAND], needed)
        if needed <= obs[DESIRED]:
            return NOTHING
        out[OUT_METRIC] = obs[QUEUED]
        out[OUT_DESIRED] = needed
        return SCALED_OUT
    in_hand, in_service = _averages(obs, p, state)
    wanted = max(
        instances_for(p, in_hand, in_service, obs[SLOTS]),
        np.ceil(obs[IN_FLIGHT] / obs[SLOTS]),
        state[_ON_DEMAND],
        needed if obs[QUEUED] > 0.0 else 0.0,
    )
    wanted = max(obs[MIN], min(obs[MAX], wanted))
    state[_ON_DEMAND] = 0.0
    base = _RING + _COLUMNS * (int(p.samples) + 1)
    kept = running_maximum.update(state, base, int(p.idle_ticks), state[_TICKS], wanted)
    out[OUT_METRIC] = in_hand
    if wanted > obs[DESIRED]:
        out[OUT_DESIRED] = wanted
        return SCALED_OUT
    if kept < obs[DESIRED]:
        out[OUT_DESIRED] = kept
        return SCALED_IN
    return NOTHING


_entry = entry(SIGNATURE, decide)


def idle_s(block: CloudRun, context: Context) -> float:
    """For how long an instance that is not in use is kept, the platform's where none is set. [s]"""
    if block.idle_s is not None:
        return block.idle_s
    return 600.0 if context.gpu else 900.0


def from_block(block: CloudRun, context: Context) -> Policy:
    """Make the policy of a scenario's block."""
    samples = max(math.ceil(block.window_s / block.decision_period_s), 1)
    idle_ticks = max(math.ceil(idle_s(block, context) / block.decision_period_s), 1)
    params = Params(
        concurrency_target=block.concurrency_target,
        cpu_target=block.cpu_target,
        cpu_per_request=block.cpu_per_request,
        cores=context.cores,
        samples=float(samples),
        idle_ticks=float(idle_ticks),
    )
    return Policy(
        kind="cloud_run",
        function=_entry,
        params=np.array(params, dtype=np.float64),
        state_size=_RING + _COLUMNS * (samples + 1) + running_maximum.size_of(idle_ticks),
        minimum=context.minimum,
        maximum=context.maximum,
        initial=context.warm,
        clock=Clock(tick_s=block.decision_period_s),
        hooks=WAITS,
        needs_in_flight=True,
        idle_first=True,
        target=params.concurrency_target * context.slots,
    )
