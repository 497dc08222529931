"""How well made traffic matches the traffic its law was fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from traces.fit import counts_of, dispersion
from traces.generate import generate
from traces.law import Floats, TrafficLaw
from traces.trace import Trace

_SEEDS: Final = 8
_IOD_WIDTHS_S: Final = (1.0, 10.0, 60.0, 120.0)
_LAGS: Final = (1, 5, 30)
_TOKEN_SHARES: Final = (0.5, 0.95)


@dataclass(frozen=True)
class Matched:
    """One figure of a trace and of traffic made by its law.

    Attributes
    ----------
    quantity : str. As ``columns.csv`` (table ``match``) declares it.
    trace : float. Of the trace.
    made : float. Mean over the seeds.
    lowest, highest : float. Over the seeds.
    error_pct : float or None. Of `made` against `trace`; None where that is 0. [%]
    """

    quantity: str
    trace: float
    made: float
    lowest: float
    highest: float
    error_pct: float | None


def match(trace: Trace, law: TrafficLaw, seeds: int = _SEEDS) -> tuple[Matched, ...]:
    """Compare a trace with traffic made by a law.

    Parameters
    ----------
    trace : Trace
    law : TrafficLaw
    seeds : int. Traces to make, of seeds 0 and above.

    Returns
    -------
    tuple of Matched
        Rate, scatter of the gaps, dispersion at 1, 10, 60 and 120 s, autocorrelation of the counts
        of minutes, peaks over the mean, quantiles of tokens; as far as the trace is long enough.
    """
    wanted = figures(trace)
    made = [figures(generate(law, seed)) for seed in range(seeds)]
    found = []
    for name, value in wanted.items():
        values = [one[name] for one in made if name in one]
        if values:
            mean = float(np.mean(values))
            off = 100.0 * (mean / value - 1.0) if value else None
            found.append(Matched(name, value, mean, min(values), max(values), off))
    return tuple(found)


def figures(trace: Trace) -> dict[str, float]:
    """The figures that are compared, by name."""
    gaps = np.diff(trace.arrival_s)
    found = {"mean_rps": trace.requests / trace.duration_s}
    found["cv_interarrival"] = float(gaps.std() / gaps.mean())
    for width in _IOD_WIDTHS_S:
        if trace.duration_s >= 2.0 * width:
            found[f"iod_{width:.0f}s"] = dispersion(counts_of(trace, width))
    minutes = counts_of(trace, 60.0)
    for lag in _LAGS:
        if minutes.size >= 4 * lag and minutes.size >= 10:
            found[f"acf_{lag}min"] = autocorrelation(minutes, lag)
    seconds = counts_of(trace, 1.0)
    found["peak_1s_over_mean"] = float(seconds.max() / seconds.mean())
    if minutes.size >= 2:
        found["peak_1min_over_mean"] = float(minutes.max() / minutes.mean())
    for role in ("prompt", "output"):
        values = trace.columns.get(f"{role}_tokens")
        if values is not None:
            for share in _TOKEN_SHARES:
                found[f"{role}_tokens_p{100 * share:.0f}"] = float(np.quantile(values, share))
    return found


def autocorrelation(counts: Floats, lag: int) -> float:
    """Of counts with those `lag` bins later; 0 where they do not vary."""
    centred = counts - counts.mean()
    spread = float(np.sum(centred**2))
    return float(np.sum(centred[lag:] * centred[:-lag])) / spread if spread > 0.0 else 0.0
