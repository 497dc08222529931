"""The machine behind a replica of a scenario, and what the tables say it costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pricing
from modeler.scenario.serverless import Lambda, SageMakerServerless

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from pricing import InstanceSpec, Price


def instance_of(scenario: Scenario) -> InstanceSpec:
    """What one instance of a scenario's hosting has.

    Parameters
    ----------
    scenario : Scenario. Its ``hosting`` is read.

    Raises
    ------
    pricing.UnknownInstance, pricing.SpecNotFound : the instance is not in the tables.
    """
    hosting = scenario.hosting
    if hosting.kind == "cloud_run":
        return pricing.cloud_run_instance(hosting.vcpu, hosting.memory, hosting.gpu)
    if hosting.kind == "ecs_fargate":
        return pricing.fargate_instance(hosting.task)
    if hosting.kind == "lambda":
        return pricing.serverless_instance("lambda", hosting.memory_mb, hosting.architecture)
    if hosting.kind == "sagemaker_serverless":
        return pricing.serverless_instance("sagemaker_serverless", hosting.memory_mb)
    return pricing.instance(hosting.instance)


def listed_price(scenario: Scenario) -> Price:
    """What the dated tables say one instance of a scenario's hosting costs.

    Parameters
    ----------
    scenario : Scenario. Its ``hosting`` is read; a price of the analyst's own is not looked at.

    Raises
    ------
    pricing.PricingError : no such instance, region or price; the nearest are named.
    """
    hosting = scenario.hosting
    if hosting.kind == "cloud_run":
        return pricing.cloud_run_price(
            hosting.region,
            hosting.vcpu,
            hosting.memory,
            hosting.gpu,
            zonal_redundancy=hosting.zonal_redundancy,
            as_of=hosting.as_of,
        )
    if hosting.kind == "ecs_fargate":
        return pricing.fargate_price(hosting.task, hosting.region, as_of=hosting.as_of)
    assert not isinstance(hosting, Lambda | SageMakerServerless), "no instance to price"
    try:
        return pricing.price(
            hosting.instance,
            hosting.region,
            hosting.purchase,
            as_of=hosting.as_of,
            allow_derived=hosting.allow_derived_price,
        )
    except pricing.PriceNotFound as error:
        error.remedy = "--set hosting.allow_derived_price=true"
        raise
