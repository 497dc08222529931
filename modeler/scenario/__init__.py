"""Ask: what an analyst wants to know, frozen, validated, with units.

>>> from modeler.scenario import default, with_values
>>> with_values(default(), {"model.size": "4GiB"}).model.size
4294967296
"""

from modeler.scenario.change import with_values
from modeler.scenario.defaults import default
from modeler.scenario.errors import Problem, ScenarioError
from modeler.scenario.explain import InForce, settings_in_force
from modeler.scenario.json_schema import json_schema
from modeler.scenario.load import load, loads
from modeler.scenario.schema import Scenario
from modeler.scenario.settings import (
    Setting,
    assumptions,
    scenario_id,
    value_at,
)
from modeler.scenario.units import (
    UnitError,
    format_duration,
    format_size,
    parse_duration,
    parse_rate,
    parse_share,
    parse_size,
)

__all__ = [
    "InForce",
    "Problem",
    "Scenario",
    "ScenarioError",
    "Setting",
    "UnitError",
    "assumptions",
    "default",
    "format_duration",
    "format_size",
    "json_schema",
    "load",
    "loads",
    "parse_duration",
    "parse_rate",
    "parse_share",
    "parse_size",
    "scenario_id",
    "settings_in_force",
    "value_at",
    "with_values",
]
