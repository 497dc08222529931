"""From the scenario's ``policy`` block to a policy the engine can run."""

from __future__ import annotations

from modeler.autoscale import fixed, target_tracking
from modeler.autoscale.policy import Policy
from modeler.scenario import Scenario
from modeler.scenario.policy import Fixed, TargetTracking

# Defaults that follow from the metric: (period, publish delay). Periods are documented (SageMaker
# developer guide, endpoint-auto-scaling-add-code-define), delays assumed: no vendor figure exists.
_STANDARD_S = (60.0, 60.0)
_HIGH_RESOLUTION_S = (10.0, 10.0)


def build(scenario: Scenario, *, slots: int, mean_service_s: float) -> Policy:
    """Make the policy of a scenario.

    Parameters
    ----------
    slots : int. Requests a replica serves at once. [requests]
    mean_service_s : float. Mean service time of this model on this traffic, from which a target
        that was not set follows. [s]
    """
    block = scenario.policy
    if isinstance(block, Fixed):
        return fixed.build(block.replicas, initial=scenario.fleet.initial)
    period_s, publish_delay_s = metric_timing(block)
    refuse = block.refuse_while_updating
    if refuse is None:
        refuse = scenario.hosting.kind == "sagemaker_realtime"
    return target_tracking.build(
        metric=block.metric,
        target=target_of(block, slots=slots, mean_service_s=mean_service_s),
        minimum=scenario.fleet.min,
        maximum=scenario.fleet.max,
        initial=scenario.initial_replicas,
        period_s=period_s,
        publish_delay_s=publish_delay_s,
        alarm_eval_delay_s=block.alarm_eval_delay_s,
        scale_in_cooldown_s=block.scale_in_cooldown_s,
        disable_scale_in=block.disable_scale_in,
        high_datapoints=block.high_datapoints,
        low_datapoints=block.low_datapoints,
        low_period_s=block.low_period_s,
        low_threshold_factor=block.low_threshold_factor,
        refuse_while_updating=refuse,
        scale_in_step_limit=block.scale_in_step_limit,
    )


def metric_timing(block: TargetTracking) -> tuple[float, float]:
    """Period and publish delay of the tracked metric. [s]"""
    standard = block.metric == "invocations_per_instance"
    period_s, publish_delay_s = _STANDARD_S if standard else _HIGH_RESOLUTION_S
    if block.period_s is not None:
        period_s = block.period_s
    if block.publish_delay_s is not None:
        publish_delay_s = block.publish_delay_s
    return period_s, publish_delay_s


def target_of(block: TargetTracking, *, slots: int, mean_service_s: float) -> float:
    """The target in force: the analyst's, or the same rule at every model size.

    For invocations, ``utilisation x slots x 60 / mean service time`` requests per instance and
    minute; for concurrency, ``utilisation x slots`` requests. [requests/replica]
    """
    if block.target is not None:
        return block.target
    if block.metric == "invocations_per_instance":
        return block.target_utilisation * slots * 60.0 / mean_service_s
    return block.target_utilisation * slots
