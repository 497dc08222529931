"""The headlines of a run from one moment on: what came before warmed it up and is left out."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import numpy as np

import pricing
from modeler.measure.bill import UnitPrice
from modeler.measure.cost import cost_lines, total_usd
from modeler.replay import machine_layout as g
from modeler.replay.result import Result
from modeler.replay.run import Run

_SERVED = 1  # the code of the outcome in a request's record


class Headlines(NamedTuple):
    """A few figures of a run.

    Attributes
    ----------
    usd_per_hour : float. [USD/h]
    sla_violation_share : float. Of the requests that came in the window.
    latency_p99_s : float. Arrival to finish of those that were served; NaN when none was. [s]
    breach_to_ready_p95_s : float. Of the breaches that opened in the window; NaN without one. [s]
    requests : int. That came in the window.
    usd : float. [USD]
    """

    usd_per_hour: float
    sla_violation_share: float
    latency_p99_s: float
    breach_to_ready_p95_s: float
    requests: int
    usd: float


def headlines(run: Run, price: UnitPrice, *, from_s: float = 0.0) -> Headlines:
    """The headlines of a run from a moment on.

    Parameters
    ----------
    run : Run. With records, unless `from_s` is 0.
    price : UnitPrice. Of the scenario's own instance.
    from_s : float. Requests that came earlier do not count; of instances only what they cost
        later. [s]

    Notes
    -----
    A life that began before the moment is billed from it on, with its provider's minimum and
    rounding. What is metered by the request is billed in proportion to the requests.
    """
    result = run.result
    usd = _usd(run, price, from_s)
    hours = (result.end_s - from_s) / pricing.SECONDS_PER_HOUR
    opened = result.breaches[result.breaches[:, 0] >= from_s]
    lag_s = opened[:, 2] - opened[:, 0]
    requests, violations, p99_s = _requests(run, from_s)
    return Headlines(
        usd_per_hour=usd / hours if hours > 0.0 else 0.0,
        sla_violation_share=violations / requests if requests else 0.0,
        latency_p99_s=p99_s,
        breach_to_ready_p95_s=float(np.quantile(lag_s, 0.95)) if lag_s.size else np.nan,
        requests=requests,
        usd=usd,
    )


def _requests(run: Run, from_s: float) -> tuple[int, int, float]:
    """Requests, violations, and the 99th percentile of latency from a moment on."""
    from modeler.replay.histogram import quantile

    result = run.result
    if from_s <= 0.0:
        violations = sum(result.causes.values())
        return result.requests, violations, quantile(result.latency, 0.99)
    arrivals = [chunk.arrival_s for chunk in run.trace.chunks(seed=run.scenario.seed)]
    arrival_s = np.concatenate(arrivals)
    first = int(np.searchsorted(arrival_s, from_s))
    outcome, cause = result.record[first:, 0], result.record[first:, 1]
    served = outcome == _SERVED
    latency_s = result.record_s[first:, 1][served] - arrival_s[first:][served]
    p99_s = float(np.quantile(latency_s, 0.99)) if latency_s.size else np.nan
    return len(outcome), int(np.count_nonzero(cause)), p99_s


def _usd(run: Run, price: UnitPrice, from_s: float) -> float:
    result, scenario = run.result, run.scenario
    if from_s <= 0.0:
        return total_usd(cost_lines(scenario, price, result, run.layer))
    if scenario.hosting.platform.per_request:
        whole = total_usd(cost_lines(scenario, price, result, run.layer))
        requests, _, _ = _requests(run, from_s)
        return whole * requests / result.requests
    return total_usd(cost_lines(scenario, price, _clipped(result, from_s), run.layer))


def _clipped(result: Result, from_s: float) -> Result:
    """The fleet as if it had begun at a moment: every life that began earlier begins there."""
    ground = result.ground
    if ground is not None:
        nodes, placed = ground.nodes.copy(), ground.placed.copy()
        for column in (g.N_REQUESTED, g.N_RUNNING, g.N_UP, g.N_IMAGE, g.N_STOP):
            nodes[:, column] = np.maximum(nodes[:, column], from_s)
        placed[:, g.P_START] = np.maximum(placed[:, g.P_START], from_s)
        placed[:, [g.P_BUSY, g.P_BUSY_DRAINING]] = 0.0
        ground = dataclasses.replace(ground, nodes=nodes, placed=placed)
    # Without the work that was done all of the ready time is idle, at the same price.
    return dataclasses.replace(
        result,
        replicas=np.maximum(result.replicas, from_s),
        busy_slot_s=0.0,
        busy_draining_slot_s=0.0,
        ground=ground,
    )
