"""The machine behind a replica of a scenario."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pricing

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from pricing import InstanceSpec


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
    return pricing.instance(hosting.instance)
