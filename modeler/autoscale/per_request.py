"""Scale per request, made of its block: keep-alive, limits, and the provisioned environments."""

from __future__ import annotations

from dataclasses import replace

from modeler.autoscale import fixed, target_tracking
from modeler.autoscale.context import Context
from modeler.autoscale.keep_alive import KeepAlive
from modeler.autoscale.policy import Policy
from modeler.scenario.policy import PerRequest

# Utilisation of provisioned concurrency is a metric of one minute (AWS Lambda developer guide).
_PERIOD_S = 60.0


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
    """The policy of the provisioned environments.

    Fixed, or AWS target tracking on their utilisation: requests on them over how many they are,
    averaged over each minute.
    """
    if block.provisioned_max is None:
        return replace(fixed.build(context.minimum), kind=block.kind)
    tracking = target_tracking.build(
        metric="concurrency_high_resolution",
        target=block.provisioned_target,
        minimum=context.minimum,
        maximum=block.provisioned_max,
        initial=context.minimum,
        period_s=_PERIOD_S,
        publish_delay_s=block.publish_delay_s,
        alarm_eval_delay_s=block.alarm_eval_delay_s,
        scale_in_cooldown_s=block.provisioned_scale_in_cooldown_s,
        high_datapoints=block.provisioned_high_datapoints,
        low_datapoints=block.provisioned_low_datapoints,
    )
    return replace(tracking, kind=block.kind)
