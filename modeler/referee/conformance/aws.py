"""Known answers about AWS, kind by kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from modeler.referee.conformance import aws_alarms, aws_capacity, aws_events
from modeler.referee.conformance.inputs import Inputs

KINDS: Final[dict[str, Callable[[Inputs], dict[str, Any]]]] = {
    **aws_alarms.KINDS,
    **aws_capacity.KINDS,
    **aws_events.KINDS,
}
