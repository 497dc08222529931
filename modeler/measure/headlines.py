"""The headlines of a run from one moment on: what came before warmed it up and is left out."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

import pricing
from modeler.measure.bill import UnitPrice
from modeler.measure.cost import cost_lines, total_usd
from modeler.measure.window import usd_in_window
from modeler.replay import layout as m
from modeler.replay.histogram import quantile
from modeler.replay.run import Run


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
    requests_per_hour : float. [requests/h]
    """

    usd_per_hour: float
    sla_violation_share: float
    latency_p99_s: float
    breach_to_ready_p95_s: float
    requests: int
    usd: float
    requests_per_hour: float


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
    Dollars are those of `modeler.measure.window.usd_in_window` from the moment on.
    """
    result = run.result
    if from_s <= 0.0:
        usd = total_usd(cost_lines(run.scenario, price, result, run.layer))
    else:
        usd = usd_in_window(run, price, from_s, math.inf)
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
        requests_per_hour=requests / hours if hours > 0.0 else 0.0,
    )


def _requests(run: Run, from_s: float) -> tuple[int, int, float]:
    """Requests, violations, and the 99th percentile of latency from a moment on."""
    result = run.result
    if from_s <= 0.0:
        violations = sum(result.causes.values())
        return result.requests, violations, quantile(result.latency, 0.99)
    arrival_s = run.arrivals()
    first = int(np.searchsorted(arrival_s, from_s))
    outcome, cause = result.record[first:, 0], result.record[first:, 1]
    served = outcome == m.SERVED
    latency_s = result.record_s[first:, 1][served] - arrival_s[first:][served]
    p99_s = float(np.quantile(latency_s, 0.99)) if latency_s.size else np.nan
    return len(outcome), int(np.count_nonzero(cause)), p99_s
