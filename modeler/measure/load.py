"""How many instances a run was billed for, hour by hour: the load that a commitment covers."""

from __future__ import annotations

import math

import numpy as np

import pricing
from modeler.measure import instances
from modeler.measure.cost import billed_from
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.run import Run
from modeler.replay.simulate import Floats


def billed_load(done: Run, *, from_s: float = 0.0) -> tuple[Floats, Floats]:
    """Instance-hours on the bill of the scenario's own instances, in each hour of the run.

    Hours are counted from the run's first second, or the one that is named; what the minimum and
    whole seconds add follows the life that it belongs to. Instances of a fallback or of a warm pool
    are not among them.

    Parameters
    ----------
    done : Run. Of a hosting that is billed by the instance.
    from_s : float. Where hours begin to be counted; what was billed before is left out. [s]

    Returns
    -------
    hours : array of float, shape (H,). Length of each: 1, the last what is left. [h]
    load : array of float, shape (H,). [instance-hours]

    Notes
    -----
    From the first second on their sum is that of the bill's lines in instance-hours.
    """
    starts, ends = _lives(done)
    hour = float(pricing.SECONDS_PER_HOUR)
    end = max(float(done.result.end_s), float(ends.max(initial=0.0)))
    length = end - from_s
    count = max(math.ceil(length / hour), 1)
    edges = from_s + np.append(np.arange(count) * hour, max(length, hour * (count - 1) + 1e-9))
    # Seconds before each edge, over all lives: their differences are the seconds within each hour.
    before = np.array(
        [np.sum(np.clip(edge - starts, 0.0, ends - starts)) for edge in edges.tolist()]
    )
    return np.diff(edges) / hour, np.diff(before) / hour


def _lives(done: Run) -> tuple[Floats, Floats]:
    """Beginning and end on the bill of each instance that is on it. [s]"""
    service = done.scenario.hosting.platform.service
    if done.layer is None:
        table = done.result.replicas
        starts, stops = billed_from(done.scenario, table), table[:, m.STOP_S]
    else:
        ground = done.result.ground
        assert ground is not None
        nodes = ground.nodes
        own = (nodes[:, g.N_POOL] == 0) & (nodes[:, g.N_ROLE] == g.SERVING)
        starts = instances.billed_from(done.layer, done.result)[own]
        stops = nodes[own, g.N_STOP]
    live = starts < stops
    starts, lengths = starts[live], (stops - starts)[live]
    billed = np.array([pricing.billed_seconds(float(one), service) for one in lengths])
    return starts, starts + billed
