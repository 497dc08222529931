"""SkyServe's autoscalers: requests of the last minute over a target, or a pool's queue.

The load balancer reports the requests it saw every 20 s; the controller decides every 20 s, every
5 s while it asks for no replica. A larger count is carried out at the int(300 / 20) = 15th decision
in a row that asks for more, a smaller one at the int(1200 / 20) = 60th that asks for fewer; a
decision that asks for no change starts both counts again. From none the count follows at once.
Spare replicas are added after the bounds.

A pool grows by one while more jobs wait than the threshold, shrinks by one while fewer do, and goes
to none when none waits; only idle workers are taken away.

Reports and decisions are taken to fall together, the report first (assumed). A dictionary of
targets per GPU comes to the plain quotient where the fleet has one kind of GPU.

Source: skypilot-org/skypilot sky/serve/autoscalers.py and constants.py 0.14.1.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from modeler.autoscale.context import Context
from modeler.autoscale.observation import (
    ARRIVED,
    BUCKET,
    DESIRED,
    IN_FLIGHT,
    MAX,
    MIN,
    NOTHING,
    NOW,
    OUT_DESIRED,
    OUT_METRIC,
    QUEUED,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
    SLOTS,
)
from modeler.autoscale.policy import Clock, Policy
from modeler.compiled import entry, kernel
from modeler.scenario.policy import SkyServe


class Params(NamedTuple):
    """The settings, in the order in which they are passed."""

    by_queue: float  # 0: requests a second, 1: jobs waiting
    target: float  # requests a second of a replica, or jobs waiting
    window_s: float
    upscale_ticks: float
    downscale_ticks: float
    spare: float  # replicas on top of the target [replicas]
    interval_s: float
    interval_at_zero_s: float
    report_buckets: float  # buckets from one report to the next
    buckets: float  # that make up the window


# The memory; then the running count of requests at the end of each bucket.
_STARTED = 0
_TARGET = 1  # replicas asked for, without the spare ones
_UP, _DOWN = 2, 3  # decisions in a row
_NEXT_S = 4  # when the controller decides next
_SEEN = 5  # buckets so far
_REPORTED = 6  # buckets that the controller knows of
_RING = 7
_EDGE_S = 1e-6


@kernel()
def clipped(wanted, minimum, maximum):  # type: ignore[no-untyped-def]
    """Within the bounds. [replicas]"""
    return max(minimum, min(wanted, maximum))


@kernel()
def for_queue(length, threshold, current):  # type: ignore[no-untyped-def]
    """Workers for a pool with so many jobs waiting. [replicas]"""
    if length == 0.0:
        return 0.0
    if length > threshold:
        return current + 1.0
    if length < threshold:
        return max(current - 1.0, 1.0)
    return max(current, 1.0)


@kernel()
def agreed(current, wanted, up, down, up_ticks, down_ticks):  # type: ignore[no-untyped-def]
    """One decision: the replicas asked for from now on, and both counts."""
    if current == 0.0:
        return wanted, up, down
    if wanted > current:
        up, down = up + 1.0, 0.0
        if up >= up_ticks:
            return wanted, 0.0, down
    elif wanted < current:
        up, down = 0.0, down + 1.0
        if down >= down_ticks:
            return wanted, up, 0.0
    else:
        up, down = 0.0, 0.0
    return current, up, down


@kernel()
def _bucket(obs, p, state):  # type: ignore[no-untyped-def]
    """Note how many requests have come; every now and then that is reported."""
    ring = int(p.buckets) + 1
    state[_SEEN] += 1.0
    n = int(state[_SEEN])
    state[_RING + n % ring] = obs[ARRIVED]
    if n % int(p.report_buckets) == 0:
        state[_REPORTED] = n


@kernel()
def _rate(p, state):  # type: ignore[no-untyped-def]
    """Requests a second of the last window, as far as they were reported. [1/s]"""
    ring = int(p.buckets) + 1
    until = int(state[_REPORTED])
    since = max(int(state[_SEEN]) - int(p.buckets), 0)
    if since >= until:
        return 0.0
    had = state[_RING + since % ring] if since > 0 else 0.0
    return (state[_RING + until % ring] - had) / p.window_s


@kernel(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Count requests on a bucket; on a tick, decide where a decision is due."""
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
    )
    if event == BUCKET:
        _bucket(obs, p, state)
        return NOTHING
    if state[_STARTED] == 0.0:
        state[_STARTED] = 1.0
        state[_TARGET] = max(obs[DESIRED] - p.spare, 0.0)
        state[_NEXT_S] = p.interval_at_zero_s if state[_TARGET] == 0.0 else p.interval_s
    now = obs[NOW]
    if now < state[_NEXT_S] - _EDGE_S:
        return NOTHING
    current = state[_TARGET]
    if p.by_queue != 0.0:
        metric = obs[QUEUED]
        wanted = for_queue(metric, p.target, current)
    else:
        metric = _rate(p, state)
        wanted = np.ceil(metric / p.target)
    wanted = clipped(wanted, obs[MIN], max(obs[MAX] - p.spare, obs[MIN]))
    state[_TARGET], state[_UP], state[_DOWN] = agreed(
        current, wanted, state[_UP], state[_DOWN], p.upscale_ticks, p.downscale_ticks
    )
    # From one decision to the next it is so long as the count that was just made says.
    state[_NEXT_S] = now + (p.interval_at_zero_s if state[_TARGET] == 0.0 else p.interval_s)
    asked = state[_TARGET] + p.spare
    if p.by_queue != 0.0 and asked < obs[DESIRED]:
        busy = np.ceil(obs[IN_FLIGHT] / obs[SLOTS])
        asked = min(max(asked, busy), obs[DESIRED])
    out[OUT_METRIC] = metric
    out[OUT_DESIRED] = asked
    if asked > obs[DESIRED]:
        return SCALED_OUT
    return SCALED_IN if asked < obs[DESIRED] else NOTHING


_entry = entry(SIGNATURE, decide)


def from_block(block: SkyServe, context: Context) -> Policy:
    """Make the policy of a scenario's block."""
    by_queue = block.metric == "queue_length"
    # Every instant of the policy lies on one grid: the greatest that divides all its periods.
    periods = (block.decision_interval_s, block.interval_at_zero_s, block.report_interval_s)
    bucket_s = math.gcd(*(round(period_s * 1000.0) for period_s in periods)) / 1000.0
    buckets = math.ceil(block.qps_window_s / bucket_s)
    params = Params(
        by_queue=float(by_queue),
        target=float(block.queue_length_threshold) if by_queue else target_of(block, context),
        window_s=block.qps_window_s,
        upscale_ticks=float(int(block.upscale_delay_s / block.decision_interval_s)),
        downscale_ticks=float(int(block.downscale_delay_s / block.decision_interval_s)),
        spare=float(block.overprovision),
        interval_s=block.decision_interval_s,
        interval_at_zero_s=block.interval_at_zero_s,
        report_buckets=float(round(block.report_interval_s / bucket_s)),
        buckets=float(buckets),
    )
    return Policy(
        kind="sky_serve",
        function=_entry,
        params=np.array(params, dtype=np.float64),
        state_size=_RING + buckets + 1,
        minimum=context.minimum,
        maximum=context.maximum + block.overprovision,
        initial=context.warm,
        clock=Clock(bucket_s=bucket_s, tick_s=bucket_s),
        needs_in_flight=by_queue,
        idle_first=by_queue,
        target=params.target,
    )


def target_of(block: SkyServe, context: Context) -> float:
    """Requests a second of a replica: the analyst's, else a share of what it can serve. [1/s]"""
    if block.target_qps_per_replica is not None:
        return block.target_qps_per_replica
    service_s = context.service_s("policy.target_qps_per_replica")
    return block.target_utilisation * context.slots / service_s
