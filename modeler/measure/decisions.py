"""Every decision of a run, and when what it asked for had happened."""

from __future__ import annotations

from typing import Any

import numpy as np

from modeler.replay import layout as m
from modeler.replay.run import Run


def decisions(run: Run) -> list[dict[str, Any]]:
    """The policy's decisions in order of time.

    Returns
    -------
    list of dict
        ``time_s`` since the trace's origin, ``reason``, ``from_replicas``, ``to_replicas``,
        ``metric``, ``ready`` and ``pending`` at that moment, ``repeats`` of a refusal; and apart:
        ``ready_s``, when the last replica it added served (None if none did), ``released_s``,
        when the last replica it removed had stopped (None if it removed none). [s]
    """
    table = run.result.replicas
    rows = []
    for decision in run.result.decisions:
        row: dict[str, Any] = decision._asdict()
        asked = table[table[:, m.REQUESTED_S] == decision.time_s]
        drained = table[table[:, m.DRAIN_S] == decision.time_s]
        cancelled = table[(table[:, m.STOP_S] == decision.time_s) & np.isinf(table[:, m.READY_S])]
        added = decision.to_replicas > decision.from_replicas
        removed = decision.to_replicas < decision.from_replicas
        row["ready_s"] = _last(asked[:, m.READY_S]) if added else None
        row["released_s"] = (
            _last(np.concatenate([drained[:, m.STOP_S], cancelled[:, m.STOP_S]]))
            if removed
            else None
        )
        rows.append(row)
    return rows


def _last(times: Any) -> float | None:
    finite = times[np.isfinite(times)]
    return float(finite.max()) if len(finite) else None
