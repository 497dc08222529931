"""Scenarios that the tests of this room vary."""

from typing import Any

import pytest

import pricing
from modeler.predict import ColdStartLaw, cold_start_law
from modeler.scenario import Scenario, default, with_values


class Make:
    """Laws from a few settings on the embedded scenario."""

    def scenario(self, **values: Any) -> Scenario:
        named = {key.replace("__", "."): value for key, value in values.items()}
        return with_values(default(), named)

    def law(self, **values: Any) -> ColdStartLaw:
        scenario = self.scenario(**values)
        return cold_start_law(scenario, pricing.instance(scenario.hosting.instance))


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
