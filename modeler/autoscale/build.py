"""From the scenario's ``policy`` block to a policy the engine can run."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from modeler.autoscale.context import Context
from modeler.autoscale.policy import Policy
from modeler.scenario import Scenario
from modeler.scenario.policy import Predictive, Scheduled, StepScaling, TargetTracking
from modeler.scenario.serverless import Lambda, SageMakerServerless
from pricing import InstanceSpec

# The kinds of ``policy`` and who makes each of its block and the run it is for: modules by name,
# imported when one is asked for, because a policy is compiled where it is imported.
_MAKERS: Final = {
    "cloud_run": "modeler.autoscale.cloud_run",
    "fixed": "modeler.autoscale.fixed",
    "hpa": "modeler.autoscale.hpa",
    "keda": "modeler.autoscale.keda",
    "knative_kpa": "modeler.autoscale.knative",
    "per_request": "modeler.autoscale.per_request",
    "ray_serve": "modeler.autoscale.ray_serve",
    "sky_serve": "modeler.autoscale.sky_serve",
}


def build(
    scenario: Scenario,
    instance: InstanceSpec,
    *,
    slots: int,
    mean_service_s: float,
    t0_ns: int = 0,
    horizon_s: float = float("inf"),
) -> Policy:
    """Make the policy of a scenario.

    Parameters
    ----------
    instance : InstanceSpec. What one replica runs on.
    slots : int. Requests a replica serves at once. [requests]
    mean_service_s : float. Mean service time of this model on this traffic, from which a target
        that was not set follows. [s]
    t0_ns, horizon_s : int, float. Origin of the trace on the wall clock, and its end. [ns, s]
    """
    context = context_of(
        scenario,
        instance,
        slots=slots,
        mean_service_s=mean_service_s,
        t0_ns=t0_ns,
        horizon_s=horizon_s,
    )
    blocks = scenario.in_force
    of_one_target = [
        block
        for block in blocks
        if isinstance(block, TargetTracking | StepScaling | Scheduled | Predictive)
    ]
    if of_one_target:
        from modeler.autoscale import scalable_target

        return scalable_target.from_blocks(of_one_target, context)
    return from_block(blocks[0], context)


def context_of(
    scenario: Scenario,
    instance: InstanceSpec,
    *,
    slots: int,
    mean_service_s: float,
    t0_ns: int = 0,
    horizon_s: float = float("inf"),
) -> Context:
    """What the policy of a scenario is made for; parameters as of `build`."""
    fleet: tuple[int, int, int | None]
    fleet = (scenario.fleet.min, scenario.fleet.max, scenario.fleet.initial)
    hosting = scenario.hosting
    if isinstance(hosting, Lambda | SageMakerServerless):
        # What is scaled there are the environments that are prepared ahead.
        fleet = (*hosting.provisioned_bounds, None)
    return Context(
        hosting=scenario.hosting.kind,
        minimum=fleet[0],
        maximum=fleet[1],
        initial=fleet[2],
        slots=slots,
        mean_service_s=mean_service_s,
        t0_ns=t0_ns,
        horizon_s=horizon_s,
        cores=getattr(scenario.hosting, "vcpu", 1.0),
        gpu=getattr(scenario.hosting, "gpu", "") != "none",
        vcpus=instance.vcpu,
        accelerators=instance.accelerator_count,
    )


def from_block(block: Any, context: Context) -> Policy:
    """Make the policy of one block that stands alone."""
    policy: Policy = import_module(_MAKERS[block.kind]).from_block(block, context)
    return policy
