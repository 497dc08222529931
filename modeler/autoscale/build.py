"""From the scenario's ``policy`` block to a policy the engine can run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from modeler.autoscale import (
    cloud_run,
    fixed,
    hpa,
    keda,
    knative,
    per_request,
    ray_serve,
    scalable_target,
    sky_serve,
)
from modeler.autoscale.context import Context
from modeler.autoscale.policy import Policy
from modeler.scenario import Scenario
from modeler.scenario.serverless import Lambda, SageMakerServerless
from pricing import InstanceSpec

# The kinds of ``policy`` and who makes each of its block and the run it is for.
_MAKERS: Final[dict[str, Callable[[Any, Context], Policy]]] = {
    "cloud_run": cloud_run.from_block,
    "fixed": fixed.from_block,
    "hpa": hpa.from_block,
    "keda": keda.from_block,
    "knative_kpa": knative.from_block,
    "per_request": per_request.from_block,
    "ray_serve": ray_serve.from_block,
    "sky_serve": sky_serve.from_block,
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
    fleet: tuple[int, int, int | None]
    fleet = (scenario.fleet.min, scenario.fleet.max, scenario.fleet.initial)
    hosting = scenario.hosting
    if isinstance(hosting, Lambda | SageMakerServerless):
        # What is scaled there are the environments that are prepared ahead.
        fleet = (hosting.provisioned_concurrency, hosting.cap, None)
    context = Context(
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
    blocks = scenario.in_force
    of_one_target = [block for block in blocks if isinstance(block, scalable_target.Block)]
    if of_one_target:
        return scalable_target.from_blocks(of_one_target, context)
    return _MAKERS[blocks[0].kind](blocks[0], context)
