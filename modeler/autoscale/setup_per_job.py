"""Set-up per waiting job: one replica starts for each waiting request, an idle one stops in time.

The policy of the M/M/c/setup queue: at most c replicas, one in set-up per waiting request, surplus
set-ups cancelled. An idle replica is switched off without delay, or, with a keep-alive, once it has
been idle for so long (delayed off). Of several idle ones the one that was busy last counts as the
next to work, so that the others come to their end. It acts on every arrival and departure and has
no clock, which makes it the reference for policies that act on events.

Sources: Gandhi, Harchol-Balter and Adan, "Server farms with setup costs", Performance Evaluation
67, 2010; Gandhi, Doroudi, Harchol-Balter and Scheller-Wolf, "Exact analysis of the M/M/k/setup
class of Markov chains via recursive renewal reward", Queueing Systems 77, 2014 (delayed off).
"""

from __future__ import annotations

import numpy as np

from modeler.autoscale.observation import (
    ARRIVAL,
    DEPARTURE,
    DESIRED,
    IN_FLIGHT,
    NOTHING,
    NOW,
    OUT_DESIRED,
    OUT_METRIC,
    OUT_WAKE,
    QUEUED,
    READY,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
    SLOTS,
)
from modeler.autoscale.policy import Policy
from modeler.compiled import entry, kernel

_KEEP_ALIVE_S = 0  # the only setting
_IDLE = 0  # idle replicas; behind it, since when each has been idle, the longest first [s]


@kernel()
def _kept(idle, now, keep_alive_s, state, out):  # type: ignore[no-untyped-def]
    """Idle replicas whose keep-alive still runs; the next wake-up is when the oldest one ends."""
    known = int(state[_IDLE])
    while known < idle:
        known += 1
        state[_IDLE + known] = now
    known = idle
    expired = 0
    while expired < known and state[_IDLE + 1 + expired] + keep_alive_s <= now:
        expired += 1
    known -= expired
    for k in range(known):
        state[_IDLE + 1 + k] = state[_IDLE + 1 + k + expired]
    state[_IDLE] = known
    out[OUT_WAKE] = state[_IDLE + 1] + keep_alive_s if known > 0 else np.inf
    return known


@kernel(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Ask for the replicas that are busy or kept, plus one per waiting request."""
    busy = np.ceil(obs[IN_FLIGHT] / obs[SLOTS])
    wanted = busy + obs[QUEUED]
    if params[_KEEP_ALIVE_S] > 0.0:
        idle = max(int(obs[READY] - busy), 0)
        wanted += _kept(idle, obs[NOW], params[_KEEP_ALIVE_S], state, out)
    out[OUT_METRIC] = obs[QUEUED]
    out[OUT_DESIRED] = wanted
    if wanted > obs[DESIRED]:
        return SCALED_OUT
    if wanted < obs[DESIRED]:
        return SCALED_IN
    return NOTHING


_entry = entry(SIGNATURE, decide)


def build(maximum: int, *, keep_alive_s: float = 0.0) -> Policy:
    """Make the policy.

    Parameters
    ----------
    maximum : int. Replicas at most. [replicas]
    keep_alive_s : float. How long a replica stays up idle; infinity never lets it go. [s]
    """
    return Policy(
        kind="setup_per_job",
        function=_entry,
        params=np.array([keep_alive_s]),
        state_size=1 + maximum,
        minimum=0,
        maximum=maximum,
        initial=0,
        hooks=ARRIVAL | DEPARTURE,
        needs_in_flight=True,
        idle_first=True,
    )
