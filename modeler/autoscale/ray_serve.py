"""Ray Serve's autoscaler: the requests in hand over a target, after long agreement.

Handles push their requests in hand (running and queued, averaged over the look-back) every 10 s;
the controller's loop runs every 0.1 s. A decision is carried out once more than delay / 0.1 ticks
in a row asked for the same direction; a tick that asks for no change starts the count again. With
no replica running, any request asks for replicas at once.

864,000 ticks a day would each find the same: what they see changes only with a push, with a replica
that becomes ready, and with the policy's own decisions. So this policy runs at the pushes, at each
tick while replicas are on their way, and at the tick at which the count runs full; the ticks
between are counted, not run. `tick` is the plain rule.

Sources: ray-project/ray python/ray/serve/autoscaling_policy.py, config.py and
_private/constants.py (CONTROL_LOOP_INTERVAL_S), read 2026-09. Both running and queued requests are
averaged over the look-back (assumed); a look-back that is no multiple of the push interval is
rounded up to one.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from modeler.autoscale.context import Context
from modeler.autoscale.observation import (
    ARRIVAL,
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
    PENDING,
    QUEUED,
    QUEUED_SECONDS,
    READY,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
)
from modeler.autoscale.policy import Clock, Policy
from modeler.compiled import entry, kernel
from modeler.scenario.policy import RayServe


class Params(NamedTuple):
    """The settings, in the order in which they are passed."""

    target: float  # requests in hand a replica is to have
    upscaling_factor: float
    downscaling_factor: float
    upscale_ticks: float
    downscale_ticks: float
    downscale_to_zero_ticks: float
    loop_s: float
    pushes: float  # pushes that make up the look-back


# The memory; then rings of the running integral of requests in hand and of its times.
_COUNTER = 0  # agreeing ticks so far, negative for fewer replicas
_TOTAL = 1  # requests in hand as the controller knows them
_NEXT = 2  # the first tick that has not been counted
_RUNNING, _CURRENT = 3, 4  # replicas as the policy last saw them
_PUSHES = 5
_RING = 6
_DIGITS = 1e9  # a difference of integrals carries rounding; ten requests are exactly ten
_EDGE_S = 1e-6  # what differs from a tick's time by less is the tick


@kernel()
def desired_replicas(p, total, running, minimum, maximum):  # type: ignore[no-untyped-def]
    """Replicas for the requests in hand; `running` is above zero. [replicas]

    The distance to the target is scaled by a gain; where rounding up would keep a fleet that the
    plain ratio shrinks, one replica goes all the same.
    """
    ratio = total / (p.target * running)
    gain = p.upscaling_factor if ratio >= 1.0 else p.downscaling_factor
    desired = np.ceil(running * (1.0 + (ratio - 1.0) * gain))
    if np.ceil(running * ratio) < running and desired == running:
        desired -= 1.0
    return max(minimum, min(maximum, desired))


@kernel()
def _direction(p, total, running, current, minimum, maximum):  # type: ignore[no-untyped-def]
    """Where a tick points: replicas it asks for, and the agreeing ticks that takes."""
    if running == 0.0:
        wanted = max(np.ceil(p.upscaling_factor), current) if total > 0.0 else current
        return wanted, 0.0
    wanted = desired_replicas(p, total, running, minimum, maximum)
    if wanted > current:
        return wanted, p.upscale_ticks
    if wanted < current:
        if current == 1.0:
            return wanted, p.downscale_to_zero_ticks
        return max(wanted, 1.0), p.downscale_ticks
    return current, 0.0


@kernel()
def _counted(counter, ticks, wanted, running, current):  # type: ignore[no-untyped-def]
    """The counter after so many ticks that all point the same way."""
    if running == 0.0:
        return counter
    if wanted > current:
        return max(counter, 0.0) + ticks
    if wanted < current:
        return min(counter, 0.0) - ticks
    return 0.0


@kernel()
def tick(p, counter, total, running, current, minimum, maximum):  # type: ignore[no-untyped-def]
    """One run of the control loop.

    Parameters
    ----------
    counter : float. Agreeing ticks so far, negative for fewer replicas. [ticks]
    total, running, current : float. Requests in hand, replicas that run, replicas asked for.
    minimum, maximum : float. Bounds. [replicas]

    Returns
    -------
    (float, float)
        Replicas to ask for, and the counter.
    """
    wanted, needed = _direction(p, total, running, current, minimum, maximum)
    counter = _counted(counter, 1.0, wanted, running, current)
    if running == 0.0:
        return wanted, counter
    if wanted != current and abs(counter) > needed:
        return wanted, 0.0
    return current, counter


@kernel()
def ticks_to_decision(p, counter, total, running, current, minimum, maximum):  # type: ignore[no-untyped-def]
    """How many ticks on a decision falls if nothing changes; infinite for never. [ticks]"""
    wanted, needed = _direction(p, total, running, current, minimum, maximum)
    if wanted == current:
        return np.inf
    if running == 0.0:
        return 1.0
    return needed + 1.0 - (max(counter, 0.0) if wanted > current else max(-counter, 0.0))


@kernel()
def _push(obs, p, state):  # type: ignore[no-untyped-def]
    """Requests in hand, averaged over the look-back, reach the controller."""
    now = obs[NOW]
    pushes = int(p.pushes)
    n = int(state[_PUSHES])
    integral = obs[IN_FLIGHT_SECONDS] + obs[QUEUED_SECONDS]
    back = min(n + 1, pushes)
    before = _RING + 2 * ((n + 1 - back) % (pushes + 1))
    # The first look-backs begin with the trace.
    since_s = state[before + 1] if n + 1 > pushes else 0.0
    had = state[before] if n + 1 > pushes else 0.0
    if now > since_s:
        state[_TOTAL] = np.floor((integral - had) / (now - since_s) * _DIGITS + 0.5) / _DIGITS
    place = _RING + 2 * ((n + 1) % (pushes + 1))
    state[place] = integral
    state[place + 1] = now
    state[_PUSHES] += 1.0


@kernel()
def _catch_up(obs, p, state, ticks):  # type: ignore[no-untyped-def]
    """Count ticks that passed since the last look and saw what it saw."""
    wanted, _ = _direction(p, state[_TOTAL], state[_RUNNING], state[_CURRENT], obs[MIN], obs[MAX])
    state[_COUNTER] = _counted(state[_COUNTER], ticks, wanted, state[_RUNNING], state[_CURRENT])


@kernel(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Count the ticks that have passed, take in what is new, run the tick that is due."""
    p = Params(
        params[0],
        params[1],
        params[2],
        params[3],
        params[4],
        params[5],
        params[6],
        params[7],
    )
    now = obs[NOW]
    if state[_NEXT] == 0.0:
        # The first look: the fleet is as it was when the loop began.
        state[_NEXT] = 1.0
        state[_RUNNING] = obs[READY]
        state[_CURRENT] = obs[DESIRED]
    last = np.floor((now + _EDGE_S) / p.loop_s)
    due = abs(last * p.loop_s - now) <= _EDGE_S
    passed = last if due else last + 1.0
    if passed > state[_NEXT]:
        _catch_up(obs, p, state, passed - state[_NEXT])
        state[_NEXT] = passed
    if event == BUCKET:
        _push(obs, p, state)
    elif event == ARRIVAL:
        state[_TOTAL] = obs[QUEUED]  # at zero replicas a handle pushes at once
    running, current = obs[READY], obs[DESIRED]
    wanted = current
    if due and state[_NEXT] == last:
        wanted, state[_COUNTER] = tick(
            p, state[_COUNTER], state[_TOTAL], running, current, obs[MIN], obs[MAX]
        )
        wanted = max(obs[MIN], min(obs[MAX], wanted))
        state[_NEXT] = last + 1.0
    state[_RUNNING] = min(running, wanted)
    state[_CURRENT] = wanted
    if wanted > current or obs[PENDING] > 0.0:
        ahead = 1.0
    else:
        ahead = ticks_to_decision(
            p, state[_COUNTER], state[_TOTAL], state[_RUNNING], wanted, obs[MIN], obs[MAX]
        )
    out[OUT_WAKE] = (state[_NEXT] + ahead - 1.0) * p.loop_s
    out[OUT_METRIC] = state[_TOTAL]
    out[OUT_DESIRED] = wanted
    if wanted > current:
        return SCALED_OUT
    return SCALED_IN if wanted < current else NOTHING


_entry = entry(SIGNATURE, decide)


def params_of(block: RayServe) -> Params:
    """The settings as the compiled functions take them."""
    to_zero_s = block.downscale_to_zero_delay_s
    return Params(
        target=block.target_ongoing_requests,
        upscaling_factor=block.upscaling_factor,
        downscaling_factor=block.downscaling_factor,
        upscale_ticks=float(int(block.upscale_delay_s / block.control_loop_s)),
        downscale_ticks=float(int(block.downscale_delay_s / block.control_loop_s)),
        downscale_to_zero_ticks=float(
            int(
                (block.downscale_delay_s if to_zero_s is None else to_zero_s) / block.control_loop_s
            )
        ),
        loop_s=block.control_loop_s,
        pushes=float(max(math.ceil(block.look_back_period_s / block.metrics_interval_s), 1)),
    )


def from_block(block: RayServe, context: Context) -> Policy:
    """Make the policy of a scenario's block."""
    params = params_of(block)
    return Policy(
        kind="ray_serve",
        function=_entry,
        params=np.array(params, dtype=np.float64),
        state_size=_RING + 2 * (int(params.pushes) + 1),
        minimum=context.minimum,
        maximum=context.maximum,
        initial=context.warm,
        clock=Clock(bucket_s=block.metrics_interval_s),
        hooks=FROM_ZERO,
        needs_in_flight=True,
        target=params.target,
    )
