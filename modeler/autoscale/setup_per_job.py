"""Set-up per waiting job: one replica starts for each waiting request, an idle one stops at once.

The policy of the M/M/c/setup queue (Gandhi, Harchol-Balter & Adan, "Server farms with setup
costs", Performance Evaluation 67, 2010): at most c replicas, one in set-up per waiting request,
surplus set-ups cancelled, an idle replica switched off without delay. It acts on every arrival and
departure and has no clock, which makes it the reference for policies that act on events.
"""

from __future__ import annotations

import numpy as np

from modeler.autoscale.observation import (
    ARRIVAL,
    DEPARTURE,
    DESIRED,
    IN_FLIGHT,
    NOTHING,
    OUT_DESIRED,
    OUT_METRIC,
    QUEUED,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
    SLOTS,
)
from modeler.autoscale.policy import Policy
from modeler.compiled import entry, kernel


@kernel(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Ask for the replicas that are busy plus one per waiting request."""
    wanted = np.ceil(obs[IN_FLIGHT] / obs[SLOTS]) + obs[QUEUED]
    out[OUT_METRIC] = obs[QUEUED]
    out[OUT_DESIRED] = wanted
    if wanted > obs[DESIRED]:
        return SCALED_OUT
    if wanted < obs[DESIRED]:
        return SCALED_IN
    return NOTHING


_entry = entry(SIGNATURE, decide)


def build(maximum: int) -> Policy:
    """Make the policy for at most `maximum` replicas. [replicas]"""
    return Policy(
        kind="setup_per_job",
        function=_entry,
        params=np.zeros(1),
        state_size=1,
        minimum=0,
        maximum=maximum,
        initial=0,
        hooks=ARRIVAL | DEPARTURE,
        needs_in_flight=True,
        idle_first=True,
    )
