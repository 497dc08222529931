"""Scale-out lag, two ways, each split by phase.

*Decision to ready*: from the autoscaler's decision until the added replica serves. *Breach to
ready*, the one users feel: from the arrival that finds no free slot and an empty queue until the
first replica, pending then or requested later, becomes ready before the queue is empty again. Its
first phase, ``detect``, is what passed before that replica was asked for; the others are the
phases of its cold start that lay inside the breach.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from modeler.measure import instances
from modeler.predict import ColdStartLaw
from modeler.replay import layout as m
from modeler.replay.machines_setup import Layer
from modeler.replay.result import Result
from modeler.replay.simulate import Floats

Summary = dict[str, Any]
_LAW_SAMPLES = 2000  # the 95th percentile is then good to about 1 % at a spread of 0.1


def summary(values: Floats, *, quantiles: tuple[float, ...] = (0.5, 0.95)) -> Summary:
    """Percentiles of a few values, linear between order statistics; None when there are none."""
    shown = {f"p{round(q * 100)}": q for q in quantiles}
    if len(values) == 0:
        return dict.fromkeys(shown)
    found = np.quantile(values, list(shown.values()))
    return dict(zip(shown, found.tolist(), strict=True))


def _by_column(values: Floats) -> list[Summary]:
    """The `summary` of each column, taken together: one call for all phases."""
    if len(values) == 0:
        return [summary(column) for column in values.T]
    p50, p95 = np.quantile(values, (0.5, 0.95), axis=0)
    return [{"p50": a, "p95": b} for a, b in zip(p50.tolist(), p95.tolist(), strict=True)]


def decision_to_ready(result: Result, cold_start: ColdStartLaw) -> Summary:
    """Lag of an added replica: its law, and beside it what the run's own replicas took. [s]

    The percentiles are those of the cold-start law over the same 2,000 replicas at every size, so
    that rows compare like with like however few replicas a run started; ``observed`` holds the
    run's own, over ``count`` replicas that were requested and became ready.
    """
    law = cold_start.waterfall(_LAW_SAMPLES)
    table = result.replicas
    chosen = np.flatnonzero(np.isfinite(table[:, m.READY_S]))
    chosen = chosen[chosen >= result.initial]
    lag = table[chosen, m.READY_S] - table[chosen, m.REQUESTED_S]
    return {
        "p50": law.total_p50_s,
        "p95": law.total_p95_s,
        "observed": {**summary(lag), "count": len(chosen)},
        "phases": {
            bar.phase: {"p50": bar.p50_s, "p95": bar.p95_s, "starts_s": bar.starts_s}
            for bar in law.phases
        },
    }


def breach_to_ready(
    result: Result, cold_start: ColdStartLaw, layer: Layer | None = None
) -> Summary:
    """Lag of every measured breach, each replica by the law of its own start. [s]"""
    opened = result.breaches[:, 0]
    chosen = result.breaches[:, 1].astype(np.int64)
    requested = result.replicas[chosen, m.REQUESTED_S]
    lag = result.breaches[:, 2] - opened
    names, starts, ends = _phases(cold_start, result, chosen, layer)
    # Only what lies after the opening of the breach was felt.
    offset = (requested - opened)[:, None]
    felt = np.maximum(ends + offset, 0.0) - np.maximum(starts + offset, 0.0)
    phases = {"detect": summary(np.maximum(requested - opened, 0.0))}
    phases |= dict(zip(names, _by_column(felt), strict=True))
    return {**summary(lag), "count": len(chosen), "phases": phases}


def _phases(
    cold_start: ColdStartLaw, result: Result, chosen: Any, layer: Layer | None
) -> tuple[tuple[str, ...], Floats, Floats]:
    """Names of the phases; start and end of each of the chosen replicas, from their request. [s]"""
    if layer is not None:
        return instances.phases(layer, result, chosen)
    if len(chosen) == 0:
        empty = np.zeros((0, len(cold_start.phases)))
        return cold_start.phases, empty, empty
    table = cold_start.sample(0, len(result.replicas))
    return cold_start.phases, table.starts_s[chosen], table.ends_s[chosen]
