"""The scenario of a row as a ledger holds it: what was set, and nothing of what was not."""

from __future__ import annotations

import json
import zlib
from typing import Any

from modeler.plain import to_plain
from modeler.scenario import Scenario
from modeler.scenario.build import build
from modeler.scenario.settings import said


def packed(scenario: Scenario) -> bytes:
    """A scenario without its ``sweep`` and its gates, which are the run's."""
    data = {key: value for key, value in said(scenario).items() if key not in ("sweep", "gates")}
    return zlib.compress(json.dumps(data, default=to_plain, separators=(",", ":")).encode(), 1)


def unpacked(text: bytes) -> Scenario:
    """The scenario that was packed.

    >>> from modeler.scenario import default, with_values
    >>> asked = with_values(default(), {"sweep": {}, "policy.scale_in_cooldown_s": "5m"})
    >>> unpacked(packed(asked)) == asked
    True

    Raises
    ------
    ScenarioError
        Another version packed it, with settings that are no more.
    """
    data: dict[str, Any] = json.loads(zlib.decompress(text))
    return build(data, from_file=False)
