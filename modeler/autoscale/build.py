"""From the scenario's ``policy`` block to a policy the engine can run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pricing
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
# Kinds that share one target of AWS, several at once: its scheduled actions among them.
_OF_ONE_TARGET: Final = frozenset({"target_tracking", "step_scaling", "scheduled", "predictive"})


def build(
    scenario: Scenario,
    *,
    slots: int,
    mean_service_s: float,
    t0_ns: int = 0,
    horizon_s: float = float("inf"),
) -> Policy:
    """Make the policy of a scenario.

    Parameters
    ----------
    slots : int. Requests a replica serves at once. [requests]
    mean_service_s : float. Mean service time of this model on this traffic, from which a target
        that was not set follows. [s]
    t0_ns, horizon_s : int, float. Origin of the trace on the wall clock, and its end. [ns, s]
    """
    fleet = (scenario.fleet.min, scenario.fleet.max, scenario.fleet.initial)
    if scenario.hosting.platform.per_request:
        # What is scaled there are the environments that are prepared ahead.
        fleet = (scenario.hosting.provisioned_concurrency, scenario.hosting.cap, None)
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
        **_machine(scenario),
    )
    blocks = scenario.in_force
    if blocks[0].kind in _OF_ONE_TARGET:
        return scalable_target.from_blocks(blocks, context)
    return _MAKERS[blocks[0].kind](blocks[0], context)


def _machine(scenario: Scenario) -> dict[str, int]:
    """Cores and devices of an instance, where instances have a type."""
    name = getattr(scenario.hosting, "instance", None)
    if name is None:
        return {}
    machine = pricing.instance(name)
    return {"vcpus": machine.vcpu, "accelerators": machine.accelerator_count}
