"""The same traffic at another rate: thinned or copied, or gaps of a given unevenness."""

from __future__ import annotations

import numpy as np

from modeler.replay.run import Traffic
from traces import CountSeries, Trace, TraceError, draws, generate, transform
from traces.errors import Problem
from traces.law import Gaps, TrafficLaw

# Counts become single requests before they are thinned: so many fit in memory.
_MOST_REQUESTS = 50_000_000


def first_hours(traffic: Traffic, hours: float) -> Traffic:
    """The beginning of traffic; all of it where it is shorter. [h]

    Raises
    ------
    traces.TraceError : no request came in it.
    """
    until_s = 3600.0 * hours
    if until_s >= traffic.duration_s:
        return traffic
    if isinstance(traffic, Trace):
        return transform.part(traffic, 0.0, until_s)
    return CountSeries(
        traffic.counts[: max(round(until_s / traffic.bin_s), 1)],
        traffic.bin_s,
        t0_ns=traffic.t0_ns,
        t0_is_absolute=traffic.t0_is_absolute,
        source=f"{traffic.source} (first {hours:g} h)",
    )


def rps_of(traffic: Traffic) -> float:
    """Mean rate. [requests/s]"""
    return traffic.requests / traffic.duration_s if traffic.duration_s else 0.0


def at_factor(traffic: Traffic, factor: float, seed: int) -> Traffic:
    """Traffic with so many times the requests and the same shape; 1 is the traffic itself.

    Raises
    ------
    traces.TraceError : nothing is left, or too much to hold.
    """
    if factor == 1.0:
        return traffic
    return transform.scale(_single(traffic, seed), factor, seed)


def uneven(
    traffic: Traffic, rate_rps: float, cv: float, seed: int, *, hours: float | None = None
) -> Trace:
    """Traffic at an even rate, with gaps of a coefficient of variation.

    What is known of single requests, tokens and service times, is drawn from the traffic's own.

    Parameters
    ----------
    traffic : Trace or CountSeries.
    rate_rps : float. [requests/s]
    cv : float. Of the gaps; 1 is a Poisson process.
    seed : int.
    hours : float, optional. Its length; by default as long as the traffic. [h]

    Raises
    ------
    traces.TraceError : a coefficient of variation out of range, or no request.
    """
    if not 0.05 <= cv <= 20.0:
        problem = Problem("out of range", "0.05 to 20", column="burstiness", value=f"{cv:g}")
        raise TraceError(None, problem)
    kind = "poisson" if cv == 1.0 else "hyperexponential" if cv > 1.0 else "gamma"
    days = traffic.duration_s / 86_400.0 if hours is None else hours / 24.0
    law = TrafficLaw.model_validate(
        {"days": days, "mean_rps": rate_rps, "gaps": Gaps.model_validate({"law": kind, "cv": cv})}
    )
    made = generate(law, seed)
    chosen = (draws.uniform(seed, "uneven", 0, made.requests) * traffic.requests).astype(np.int64)
    return Trace(
        made.arrival_s,
        {name: values[chosen] for name, values in traffic.columns.items()},
        t0_ns=traffic.t0_ns,
        t0_is_absolute=traffic.t0_is_absolute,
        source=f"gaps with a coefficient of variation of {cv:g} at {rate_rps:g} rps",
    )


def _single(traffic: Traffic, seed: int) -> Trace:
    if isinstance(traffic, Trace):
        return traffic
    if traffic.requests > _MOST_REQUESTS:
        problem = Problem(
            f"{traffic.requests:,} requests to thin one by one",
            f"at most {_MOST_REQUESTS:,}: take fewer hours",
        )
        raise TraceError(None, problem)
    arrival_s = np.concatenate([chunk.arrival_s for chunk in traffic.chunks(seed=seed)])
    return Trace(
        arrival_s - arrival_s[0],
        {},
        t0_ns=traffic.t0_ns + round(float(arrival_s[0]) * 1e9),
        t0_is_absolute=traffic.t0_is_absolute,
        source=traffic.source,
    )
