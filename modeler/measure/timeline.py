"""The fleet and the load over time, in bins: what the timeline figure and `replay` show."""

from __future__ import annotations

from typing import Any

import numpy as np

from modeler.measure.intervals import mean_count
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.run import Run
from modeler.replay.simulate import Floats

_MOST_BINS = 600  # more would not show on a page
_ROUND_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def timeline(run: Run, *, bin_s: float | None = None) -> dict[str, Any]:
    """Arrivals a second, and mean replicas ready, pending and draining, by bin.

    Parameters
    ----------
    bin_s : float, optional. Width of a bin; by default the roundest that makes at most 600. [s]

    Returns
    -------
    dict
        ``bin_s``, and lists ``t_s`` (start of bin), ``arrivals_rps``, ``ready``, ``pending`` and
        ``draining`` (time-weighted means over the bin); ``instances`` that serve or are on their
        way, where a layer of machines or the weather is replayed.
    """
    end_s = max(run.result.end_s, 1.0)
    if bin_s is None:
        bin_s = next((w for w in _ROUND_S if end_s / w <= _MOST_BINS), end_s / _MOST_BINS)
    bins = int(np.ceil(end_s / bin_s))
    edges: Floats = np.arange(bins + 1, dtype=np.float64) * bin_s
    arrivals = np.zeros(bins)
    for chunk in run.trace.chunks(seed=run.scenario.seed):
        at = np.minimum((chunk.arrival_s / bin_s).astype(np.int64), bins - 1)
        arrivals += np.bincount(at, minlength=bins)
    table = run.result.replicas
    stop = table[:, m.STOP_S]
    ready = np.minimum(table[:, m.READY_S], stop)
    drain = np.minimum(table[:, m.DRAIN_S], stop)
    shown = {
        "bin_s": float(bin_s),
        "t_s": edges[:-1].tolist(),
        "arrivals_rps": (arrivals / bin_s).tolist(),
        "ready": mean_count(edges, ready, np.maximum(drain, ready)).tolist(),
        "pending": mean_count(edges, table[:, m.REQUESTED_S], ready).tolist(),
        "draining": mean_count(edges, np.maximum(drain, ready), stop).tolist(),
    }
    if run.result.ground is not None:
        nodes = run.result.ground.nodes
        nodes = nodes[nodes[:, g.N_ROLE] == g.SERVING]
        asked, gone = nodes[:, g.N_REQUESTED], nodes[:, g.N_STOP]
        asked = np.minimum(asked, gone)  # one that was no longer wanted before it was granted
        shown["instances"] = mean_count(edges, asked, gone).tolist()
    return shown
