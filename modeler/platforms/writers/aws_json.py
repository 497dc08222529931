"""Parameters of AWS's own calls as JSON: for boto3, and for ``aws --cli-input-json``."""

from __future__ import annotations

import json

from modeler.platforms.writers.aws import calls_of
from modeler.platforms.writers.refusals import Refusals
from modeler.scenario import Scenario


def write_json(scenario: Scenario, refusals: Refusals) -> str:
    """One list a kind of call; each entry is the parameters of one."""
    return json.dumps(calls_of(scenario, refusals), indent=2) + "\n"
