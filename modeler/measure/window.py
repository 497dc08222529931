"""A window of a run: its requests and their fates, its dollars, and when capacity was added.

Requests are those that arrive in the window, whenever they end. Dollars are those of the machine
seconds inside it; what the provider's minimum and whole seconds add is due when a machine stops, so
that the windows of a run add up to its bill.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import pricing
from modeler.measure import metered
from modeler.measure.bill import UnitPrice
from modeler.measure.cost import billed_rows
from modeler.measure.intervals import most_at_once, overlap_s
from modeler.replay import layout as m
from modeler.replay.run import Run


class InWindow(NamedTuple):
    """What a run says of a window.

    Attributes
    ----------
    requests : int. Arrivals in it. [requests]
    violations_by_cause : dict of str to int. Of those requests. [requests]
    usd : float. [USD]
    acted_s : float, optional. The first decision in it to add replicas; where capacity is added
        request by request, the first environment. [s]
    ready_s : float, optional. When the first replica that was asked for from then on, and in the
        window, was ready. [s]
    ready_at_start, pending_at_start : int. Replicas that serve as it begins, and that are on their
        way. [replicas]
    peak_replicas : int. That serve at once. [replicas]
    peak_backlog : int. Requests that wait at once, those that went away to come back included.
        [requests]
    """

    requests: int
    violations_by_cause: dict[str, int]
    usd: float
    acted_s: float | None
    ready_s: float | None
    ready_at_start: int
    pending_at_start: int
    peak_replicas: int
    peak_backlog: int


def in_window(run: Run, price: UnitPrice, from_s: float, to_s: float) -> InWindow:
    """What happened from one moment until before another.

    Parameters
    ----------
    run : Run. With its records.
    price : UnitPrice. Of the scenario's own instance.
    from_s, to_s : float. Since the trace's origin; infinite: until the replay ends. [s]
    """
    result = run.result
    arrival_s = run.arrivals()
    inside = (arrival_s >= from_s) & (arrival_s < to_s)
    counts = np.bincount(result.record[inside, 1], minlength=max(m.CAUSES) + 1)
    left_s = result.record_s[:, :2].min(axis=1)
    table = result.replicas
    ready_s = table[:, m.READY_S]
    out_s = np.minimum(table[:, m.DRAIN_S], table[:, m.STOP_S])
    there = (table[:, m.REQUESTED_S] <= from_s) & (out_s > from_s)
    acted_s = _acted_s(run, from_s, to_s)
    return InWindow(
        requests=int(inside.sum()),
        violations_by_cause={name: int(counts[code]) for code, name in m.CAUSES.items()},
        usd=usd_in_window(run, price, from_s, to_s),
        acted_s=acted_s,
        ready_s=None if acted_s is None else _ready_s(run, acted_s, to_s),
        ready_at_start=int((there & (ready_s <= from_s)).sum()),
        pending_at_start=int((there & (ready_s > from_s)).sum()),
        peak_replicas=most_at_once(ready_s, out_s, from_s, to_s),
        peak_backlog=most_at_once(arrival_s, left_s, from_s, to_s),
    )


def usd_in_window(run: Run, price: UnitPrice, from_s: float, to_s: float) -> float:
    """The dollars of a window. [USD]

    Of what is metered per request each line of the bill is shared out: requests by where their
    service lies, provisioned environments by when they are held.
    """
    scenario, result = run.scenario, run.result
    if scenario.hosting.platform.per_request:
        return metered.usd_in_window(scenario, result, run.arrivals(), from_s, to_s)
    rows = billed_rows(scenario, price, result, run.layer)
    seconds = overlap_s(rows.start_s, rows.stop_s, from_s, to_s)
    seconds += np.where((rows.stop_s >= from_s) & (rows.stop_s < to_s), rows.extra_s, 0.0)
    return math.fsum(
        pricing.cost_usd(second, rate)
        for second, rate in zip(seconds.tolist(), rows.usd_per_hour.tolist(), strict=True)
    )


def violated(run: Run) -> NDArray[np.bool_]:
    """Whether each request missed the service level, in their order."""
    missed: NDArray[np.bool_] = run.result.record[:, 1] != m.KEPT
    return missed


def _acted_s(run: Run, from_s: float, to_s: float) -> float | None:
    """The first moment of the window at which capacity is added."""
    if run.scenario.hosting.platform.per_request:
        asked = run.result.replicas[:, m.REQUESTED_S]
        times = asked[(asked >= from_s) & (asked < to_s)]
        return float(times.min()) if len(times) else None
    return next(
        (
            one.time_s
            for one in run.result.decisions
            if one.to_replicas > one.from_replicas and from_s <= one.time_s < to_s
        ),
        None,
    )


def _ready_s(run: Run, since_s: float, to_s: float) -> float | None:
    """When the first of the replicas is ready that are asked for between two moments."""
    table = run.result.replicas[run.result.initial :]
    asked_s = table[:, m.REQUESTED_S]
    ready = table[(asked_s >= since_s) & (asked_s < to_s), m.READY_S]
    ready = ready[np.isfinite(ready)]
    return float(ready.min()) if len(ready) else None
