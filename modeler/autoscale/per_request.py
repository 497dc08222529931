"""Scale per request, made of its block: the law of the keep-alive, and what is held provisioned."""

from __future__ import annotations

from dataclasses import replace

from modeler.autoscale import fixed
from modeler.autoscale.context import Context
from modeler.autoscale.keep_alive import KeepAlive
from modeler.autoscale.policy import Policy
from modeler.scenario.policy import PerRequest


def keep_alive(block: PerRequest, seed: int) -> KeepAlive:
    """The law of the keep-alive."""
    return KeepAlive(
        block.keep_alive_law,
        block.keep_alive_s,
        cv=block.keep_alive_cv,
        values_s=block.keep_alive_values_s,
        seed=seed,
    )


def from_block(block: PerRequest, context: Context) -> Policy:
    """The policy of the provisioned environments where nothing scales them: they are fixed."""
    return replace(fixed.build(context.minimum), kind=block.kind)
