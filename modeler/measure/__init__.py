"""Judge: violations and causes, lag by phase, cost lines, bounds.

Reading guide: `judge` (a run becomes an outcome), then `cost`, `lag`, `bounds`.
"""

from __future__ import annotations

from modeler.measure.bill import CostLine, UnitPrice
from modeler.measure.cost import unit_price
from modeler.measure.judge import Outcome, judge
from modeler.measure.timeline import timeline

__all__ = ["CostLine", "Outcome", "UnitPrice", "judge", "timeline", "unit_price"]
