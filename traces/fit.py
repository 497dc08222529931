"""A law of traffic fitted to a trace: shape, wandering, gaps, tokens; and how well it matches.

Counts in bins of a width T have an index of dispersion of ``I(T) + m K(T)``: that of the gaps in
operational time, and the variance K of the rate's mean over T times the mean count m. The
wandering is a product of Ornstein-Uhlenbeck factors with correlation times on a grid, whose
variances are fitted to the indices of the trace over all widths at once; the gaps then have what is
left of the scatter between neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np

from traces.errors import Problem, TraceError
from traces.generate import gaps_of
from traces.law import (
    HOURS_A_DAY,
    HOURS_A_WEEK,
    TOKEN_SHARES,
    Floats,
    Gaps,
    Quantiles,
    Tokens,
    TrafficLaw,
    Wander,
)
from traces.rate import DAY_S, edges_of, excess, shape
from traces.trace import Trace

_LEAST_REQUESTS: Final = 1000
# Widths over which dispersion is matched, as far as the trace holds enough bins of them. [s]
WIDTHS_S: Final = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
_LEAST_BINS: Final = 20
_TAUS_S: Final = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0)
# Draws of the gap law by which its dispersion is known.
_DRAWS: Final = 400_000
# A fitted law takes the most typical of so many paths.
_PATHS: Final = 64
_LEAST_STEP_S: Final = 1.0
# The hours of a week need several of them, those of a day two.
_WEEKLY_DAYS: Final = 14.0
_DAILY_DAYS: Final = 2.0


def fit(trace: Trace) -> TrafficLaw:
    """A law that makes traffic like a trace.

    Parameters
    ----------
    trace : Trace. Of at least 1,000 requests.

    Returns
    -------
    TrafficLaw
        Hours of the week from 14 days on, of the day from two; gaps that are gamma below and
        hyperexponential above a coefficient of variation of 1; tokens by their quantiles with the
        correlation of their normal scores.

    Raises
    ------
    TraceError : too few requests, or all at one instant.
    """
    if trace.requests < _LEAST_REQUESTS or trace.duration_s <= 0.0:
        problem = Problem(
            f"{trace.requests:,} requests in {trace.duration_s:g} s",
            f"at least {_LEAST_REQUESTS:,} requests over some time to fit a law to",
        )
        raise TraceError(None, problem)
    days = trace.duration_s / DAY_S
    mean_rps = trace.requests / trace.duration_s
    start = None
    if trace.t0_is_absolute:
        start = datetime.fromtimestamp(trace.t0_ns / 1e9, UTC)
    law = TrafficLaw(
        source=f"fitted to {trace.source}",
        start=start,
        days=days,
        mean_rps=mean_rps,
        hours=_hours(trace),
        step_s=_step_s(trace),
        paths=_PATHS,
        tokens=_tokens(trace),
    )
    gaps, wander = _scatter(trace, law)
    return law.model_copy(update={"gaps": gaps, "wander": wander})


def widths_of(trace: Trace) -> tuple[float, ...]:
    """Widths of which a trace holds enough bins. [s]"""
    found = tuple(w for w in WIDTHS_S if trace.duration_s / w >= _LEAST_BINS)
    return found or WIDTHS_S[:1]


def counts_of(trace: Trace, width_s: float) -> Floats:
    """Requests in each bin from the first arrival on; a last one that is cut is left out."""
    bins = max(int(trace.duration_s // width_s), 1)
    index = (trace.arrival_s / width_s).astype(np.int64)
    return np.bincount(index[index < bins], minlength=bins).astype(float)


def dispersion(counts: Floats) -> float:
    """Variance over mean, both of the population."""
    mean = float(counts.mean())
    return float(counts.var()) / mean if mean > 0.0 else 0.0


def _hours(trace: Trace) -> tuple[float, ...] | None:
    """Mean rate of each hour of the week or the day, 1 on average."""
    days = trace.duration_s / DAY_S
    if days < _DAILY_DAYS:
        return None
    size = HOURS_A_WEEK if days >= _WEEKLY_DAYS and trace.t0_is_absolute else HOURS_A_DAY
    start = datetime.fromtimestamp(trace.t0_ns / 1e9, UTC)
    since_s = start.hour * 3600 + start.minute * 60 + start.second + start.microsecond / 1e6
    since_s = (start.weekday() * DAY_S + since_s) if trace.t0_is_absolute else 0.0
    hour = ((trace.arrival_s + since_s) // 3600.0).astype(np.int64)
    counts = np.bincount(hour % size, minlength=size).astype(float)
    # How long each hour was seen: by minutes, so that a first hour cut short is not low.
    minutes = np.arange(0.0, trace.duration_s, 60.0)
    seen = np.bincount(
        ((minutes + since_s) // 3600.0).astype(np.int64) % size, minlength=size
    ).astype(float)
    rate = counts / np.maximum(seen, 1.0)
    rate /= rate.mean()
    return tuple(round(float(one), 6) for one in rate)


def _step_s(trace: Trace) -> float:
    """Short enough for the shortest wandering, long enough for memory."""
    return float(max(_LEAST_STEP_S, np.ceil(trace.duration_s / 5e6)))


def _scatter(trace: Trace, law: TrafficLaw) -> tuple[Gaps, tuple[Wander, ...]]:
    """Gaps and wandering that give the trace's dispersion over all widths and its gaps' scatter."""
    from scipy.optimize import least_squares

    widths = widths_of(trace)
    observed = np.array([dispersion(counts_of(trace, width)) for width in widths])
    edges_s = edges_of(law, law.days)
    base = shape(law, edges_s[:-1] + law.step_s / 2)
    base *= law.mean_rps / base.mean()
    # Of the shape alone: mean count and mean square in bins of each width, and their variance.
    means, squares, shaped = (np.array(v) for v in zip(*(_of_shape(base, law.step_s, w)
                                                       for w in widths), strict=True))  # fmt: skip
    taus = [tau for tau in _TAUS_S if law.step_s <= tau <= trace.duration_s / 4.0] or [_TAUS_S[0]]
    spread = np.diff(trace.arrival_s)
    scatter = float(spread.var() / spread.mean() ** 2) if spread.size else 1.0
    uneven = float(base.mean() * np.mean(1.0 / np.maximum(base, 1e-9 * base.mean())))
    gaps = Gaps(law="poisson")
    sigmas = np.full(len(taus), 0.05)
    for _ in range(_ROUNDS):
        of_gaps = _dispersion_of_gaps(gaps, law.mean_rps, widths)

        def predicted(sigmas: Floats, of_gaps: Floats = of_gaps) -> Floats:
            parts = _parts(sigmas, taus)
            wandering = np.array([excess(parts, width) for width in widths])
            return (means * of_gaps + shaped + squares * wandering) / means

        def off(sigmas: Floats) -> Floats:
            # A little is charged for each factor, so that those that tell nothing are nothing.
            return np.concatenate((np.log(predicted(sigmas) / observed), _CHARGE * sigmas))

        sigmas = np.asarray(least_squares(off, sigmas, bounds=(0.0, 2.0)).x)
        # The rate's unevenness lengthens some gaps and shortens others: what is left is the law's.
        stretched = float(np.exp(np.sum(sigmas**2))) * max(uneven, 1.0)
        gaps = _gaps((1.0 + scatter) / stretched - 1.0)
    sigmas = np.round(sigmas, 6)
    return gaps, tuple(part for part in _parts(sigmas, taus) if part.sigma >= _LEAST_SIGMA)


_ROUNDS: Final = 6
_CHARGE: Final = 0.02
_LEAST_SIGMA: Final = 0.005


def _parts(sigmas: Floats, taus: Sequence[float]) -> tuple[Wander, ...]:
    return tuple(Wander(sigma=float(s), tau_s=tau) for s, tau in zip(sigmas, taus, strict=True))


def _gaps(square: float) -> Gaps:
    cv = round(float(np.sqrt(max(square, 0.04))), 4)
    if cv > 1.0:
        return Gaps(law="hyperexponential", cv=min(cv, 20.0))
    return Gaps(law="gamma", cv=cv) if cv < 1.0 else Gaps(law="poisson")


def _of_shape(base: Floats, step_s: float, width_s: float) -> tuple[float, float, float]:
    """Mean, mean square and variance of the expected count in bins of a width."""
    per = max(round(width_s / step_s), 1)
    size = base.size // per * per
    bins = base[:size].reshape(-1, per).mean(axis=1) * width_s
    return float(bins.mean()), float(np.mean(bins**2)), float(bins.var())


def _dispersion_of_gaps(gaps: Gaps, mean_rps: float, widths: Sequence[float]) -> Floats:
    """Index of dispersion over each width of the gaps alone, at a constant rate; by draws."""
    position = np.cumsum(gaps_of(gaps, 0, _DRAWS)) / mean_rps
    found = []
    for width in widths:
        bins = int(position[-1] // width)
        if bins < 200:
            found.append(gaps.cv**2)  # the limit of a renewal process
            continue
        index = (position / width).astype(np.int64)
        found.append(dispersion(np.bincount(index[index < bins], minlength=bins).astype(float)))
    return np.array(found)


def _tokens(trace: Trace) -> Tokens:
    found = {}
    for role in ("prompt", "output"):
        values = trace.columns.get(f"{role}_tokens")
        if values is not None:
            levels = np.quantile(values, TOKEN_SHARES)
            found[role] = Quantiles(values=tuple(round(float(v), 3) for v in levels))
    correlation = 0.0
    if len(found) == 2:
        correlation = _of_scores(trace.columns["prompt_tokens"], trace.columns["output_tokens"])
    return Tokens(**found, correlation=correlation)


def _of_scores(one: Floats, other: Floats) -> float:
    """Correlation of normal scores: Spearman's rho by 2 sin(pi rho / 6)."""
    from scipy.stats import rankdata

    ranks = [rankdata(values) for values in (one, other)]
    if any(np.ptp(values) == 0.0 for values in ranks):
        return 0.0
    rho = float(np.corrcoef(*ranks)[0, 1])
    return round(float(2.0 * np.sin(np.pi * rho / 6.0)), 4)
