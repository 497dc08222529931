"""The scenario the verdict points at, looked at more closely."""

from __future__ import annotations

from typing import Any

import traces
from modeler.measure import timeline
from modeler.replay.run import Traffic, run
from modeler.study.result import SweepResult
from modeler.study.verdict import best_row


def best_timeline(result: SweepResult, trace: Traffic | None = None) -> dict[str, Any] | None:
    """Load and fleet over time of the best scenario; None when none could be replayed.

    Parameters
    ----------
    result : SweepResult.
    trace : optional. The traffic, where the sweep was given one.
    """
    row = best_row(result.rows.brief)
    if row is None:
        return None
    scenario = result.points[result.rows.brief.index(row)].scenario
    traffic = trace if trace is not None else traces.load(scenario.trace, seed=scenario.seed)
    return {"scenario_id": row["scenario_id"], **timeline(run(scenario, traffic))}
