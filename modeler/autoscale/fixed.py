"""A fixed fleet: the capacity never changes."""

from __future__ import annotations

import numpy as np

from modeler.autoscale.context import Context
from modeler.autoscale.observation import NOTHING, SIGNATURE
from modeler.autoscale.policy import Policy
from modeler.compiled import entry, kernel
from modeler.scenario.policy import Fixed


@kernel(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Never act."""
    return NOTHING


_entry = entry(SIGNATURE, decide)


def build(replicas: int, *, initial: int | None = None) -> Policy:
    """Make the fixed fleet.

    Parameters
    ----------
    replicas : int. Size of the fleet. [replicas]
    initial : int, optional. Replicas already warm at t = 0; the others are requested at t = 0 and
        go through a cold start. All are warm when not given. [replicas]
    """
    return Policy(
        kind="fixed",
        function=_entry,
        params=np.zeros(1),
        state_size=1,
        minimum=replicas,
        maximum=replicas,
        initial=replicas if initial is None else initial,
    )


def from_block(block: Fixed, context: Context) -> Policy:
    """Make the policy of a scenario's block."""
    return build(block.replicas, initial=context.initial)
