"""The embedded scenario: what runs when nothing is given."""

from importlib.resources import files

from modeler.scenario.load import loads
from modeler.scenario.schema import Scenario


def default() -> Scenario:
    """The scenario of ``modeler sweep`` with nothing given.

    Returns
    -------
    Scenario
        Embedded traffic, four model sizes; every other setting is a listed default.
    """
    text = files("modeler.scenario").joinpath("default.yaml").read_text(encoding="utf-8")
    return loads(text, file="default.yaml")
