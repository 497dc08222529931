"""Traffic of our own making: from a law, such as that of the sample ``office-week``.

Gaps between requests are drawn in operational time, the integral of the rate of `traces.rate`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from math import isfinite, sqrt
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from traces.counts import CountSeries
from traces.draws import exponential, normal, uniform
from traces.errors import Problem, TraceError
from traces.law import (
    Crowds,
    Floats,
    Gaps,
    Lognormal,
    Tokens,
    TrafficLaw,
    Wander,
    is_law,
    read_law,
)
from traces.rate import DAY_S, edges_of, shared_rate, typical_wander
from traces.trace import Trace

# fmt: off
_WEEKDAY: Final = (
    0.04, 0.03, 0.03, 0.03, 0.04, 0.06, 0.12, 0.25, 0.50, 0.90, 1.00, 0.97,
    0.72, 0.80, 0.95, 0.97, 0.88, 0.45, 0.20, 0.16, 0.12, 0.10, 0.09, 0.06,
)
_WEEKEND: Final = (
    0.05, 0.04, 0.03, 0.03, 0.03, 0.04, 0.05, 0.07, 0.10, 0.13, 0.16, 0.18,
    0.18, 0.17, 0.16, 0.16, 0.15, 0.15, 0.15, 0.15, 0.14, 0.12, 0.09, 0.07,
)
# fmt: on

# Assumed, not measured: an office assistant. Its minutes scatter about as those of a published
# hour of conversations (Azure LLM 2023, conv: index of dispersion 1.4 at 1 s, 20.6 at 60 s).
SAMPLES: Final[Mapping[str, TrafficLaw]] = MappingProxyType(
    {
        "office-week": TrafficLaw(
            start=datetime(2026, 1, 5, tzinfo=UTC),  # a Monday
            days=7.0,
            mean_rps=2.0,
            hours=(*(_WEEKDAY * 5), *(_WEEKEND * 2)),
            wander=(Wander(sigma=0.25, tau_s=900.0),),
            gaps=Gaps(law="hyperexponential", cv=1.25),
            crowds=Crowds(per_day=0.7, height=(0.8, 2.0), tau_s=240.0),
            tokens=Tokens(
                prompt=Lognormal(median=400.0, sigma=1.0, least=8, most=4096),
                output=Lognormal(median=90.0, sigma=0.6, least=1, most=1024),
            ),
        )
    }
)
# Requests of one trace: arrays of them must fit in memory.
_MOST_REQUESTS: Final = 500_000_000


def sample_names() -> tuple[str, ...]:
    """Names that `generate` and `load` know."""
    return tuple(SAMPLES)


def generate(
    name: str | TrafficLaw = "office-week",
    seed: int = 0,
    *,
    days: float | None = None,
    mean_rps: float | None = None,
) -> Trace:
    """Make a trace from a law; the same arguments give the same trace.

    ``office-week``: seven days from Monday 2026-01-05 00:00 UTC at 2 requests/s, with a weekday
    peak of 6 to 7 requests/s around 10:00, a dip at noon, nights at a few per cent of the peak,
    and weekend days at about 27 % of a weekday; prompts around 400 and outputs around 90 tokens.

    Over the whole week the index of dispersion is about 4 at 1 s and 165 at 60 s, most of it the
    daily shape. Inside a busy hour (the median of 10:00, 14:00 and 15:00 on weekdays) it is about
    1.7 and 15, where a Poisson process has 1 at both, and the gaps there have a coefficient of
    variation near 1.3. The tests hold these figures.

    Parameters
    ----------
    name : str or TrafficLaw. One of `sample_names`, or a law.
    seed : int. Seed of every draw.
    days : float, optional. Length instead of the law's own. [days]
    mean_rps : float, optional. Mean rate instead of the law's own. [requests/s]

    Returns
    -------
    Trace
        With ``prompt_tokens`` and ``output_tokens`` as the law has them; stamps are whole
        microseconds.

    Raises
    ------
    TraceError
        Unknown name, or a length or rate that is not above 0.
    """
    if isinstance(name, TrafficLaw):
        law, called = name, name.source or "law"
    else:
        called = name
        if name not in SAMPLES:
            raise TraceError(None, _unknown(name, "not a sample", f"one of {', '.join(SAMPLES)}"))
        law = SAMPLES[name]
    length = _positive("days", law.days if days is None else days)
    rate = _positive("mean_rps", law.mean_rps if mean_rps is None else mean_rps)
    total = rate * length * DAY_S
    if total > _MOST_REQUESTS:
        problem = Problem(f"{total:.3g} requests", f"at most {_MOST_REQUESTS:,}: fewer days or rps")
        raise TraceError(None, problem)
    arrivals, columns = _composed(law, length, total, seed)
    return Trace(
        arrivals,
        columns,
        t0_ns=0 if law.start is None else int(law.start.timestamp() * 1e6) * 1000,
        t0_is_absolute=law.start is not None,
        source=f"generate:{called} seed={seed} days={length:g} mean_rps={rate:g}",
    )


def load(name_or_path: str | Path, seed: int = 0) -> Trace | CountSeries:
    """The sample of that name, or else the file at that path.

    Parameters
    ----------
    name_or_path : str or path. One of `sample_names`, a law's file, or a file that `read` knows.
    seed : int. Seed of a sample or of a law; other files need none.

    Raises
    ------
    TraceError
        Neither a sample nor a file, or a file that cannot be read.
    """
    if str(name_or_path) in SAMPLES:
        return generate(str(name_or_path), seed)
    from traces.formats import read
    from traces.formats._several import files_of

    if not Path(name_or_path).exists() and files_of(name_or_path) is None:
        raise TraceError(None, _missing(Path(name_or_path)))
    if is_law(name_or_path):
        return generate(read_law(name_or_path), seed)
    return read(name_or_path)


def _composed(
    law: TrafficLaw, days: float, total: float, seed: int
) -> tuple[Floats, dict[str, Floats]]:
    """Arrivals of all clients together, the first at 0 [s], and their tokens."""
    edges_s = edges_of(law, days)
    shared = shared_rate(law, edges_s, seed)
    if not law.clients:
        arrivals = _arrivals(law, shared, edges_s, total, law.gaps, seed, "")
        return arrivals, _tokens(law.tokens, arrivals.size, seed, "")
    shares = np.array([client.share for client in law.clients])
    shares /= shares.sum()
    times, drawn = [], []
    for number, (client, share) in enumerate(zip(law.clients, shares, strict=True)):
        own = f".client{number}"
        name = f"generate.wander{own}"
        rate = shared * typical_wander(law, client.wander, np.ones(shared.size), seed, name)
        gaps = client.gaps or law.gaps
        arrivals = _arrivals(law, rate, edges_s, total * share, gaps, seed, own)
        # A client begins anywhere in its first gap, lest all begin together.
        arrivals = arrivals + float(uniform(seed, f"generate.offset{own}", 0, 1)[0]) * edges_s[1]
        times.append(arrivals)
        drawn.append(_tokens(client.tokens or law.tokens, arrivals.size, seed, own))
    arrivals = np.concatenate(times)
    order = np.argsort(arrivals, kind="stable")
    arrivals = _microseconds(arrivals[order] - arrivals[order[0]])
    kept = [name for name in drawn[0] if all(name in one for one in drawn)]
    return arrivals, {name: np.concatenate([one[name] for one in drawn])[order] for name in kept}


def _arrivals(
    law: TrafficLaw, rate: Floats, edges_s: Floats, total: float, gaps: Gaps, seed: int, own: str
) -> Floats:
    """Sorted arrivals, the first at 0. [s]"""
    expected = np.concatenate(([0.0], np.cumsum(rate * np.diff(edges_s))))
    expected *= total / expected[-1]

    # Room for ten standard deviations more gaps than expected, the cost of which is nothing.
    count = int(total + 10 * max(gaps.cv, 1.0) * sqrt(total)) + 10
    position = gaps_of(gaps, seed, count, own)
    position[0] = 0.0
    np.cumsum(position, out=position)
    if law.paths > 1:
        # Typical in number as well: as many as are expected, and the gaps stretched to that.
        size = max(round(total), 1)
        position = position[: size + 1] * (total / position[size])
    position = position[: int(np.searchsorted(position, total))]
    return _microseconds(np.interp(position, expected, edges_s))


def _microseconds(arrivals: Floats) -> Floats:
    arrivals = arrivals * 1e6
    np.rint(arrivals, out=arrivals)
    arrivals /= 1e6
    return arrivals


def gaps_of(gaps: Gaps, seed: int, count: int, own: str = "") -> Floats:
    """Gaps of mean 1.

    The hyperexponential is one of two exponential laws at random, each carrying half of the time:
    with balanced means the shares follow from the coefficient of variation alone (Whitt,
    "Approximating a point process by a renewal process", Operations Research 30(1), 1982).
    """
    stream = f"generate.gap{own}"
    if gaps.law == "poisson":
        return exponential(seed, stream, 0, count)
    if gaps.law == "hyperexponential":
        square = gaps.cv * gaps.cv
        short = (1.0 + sqrt((square - 1.0) / (square + 1.0))) / 2.0
        drawn = exponential(seed, stream, 0, count)
        is_short = uniform(seed, f"generate.gap_kind{own}", 0, count) < short
        drawn *= np.where(is_short, 0.5 / short, 0.5 / (1.0 - short))
        return drawn
    from scipy.special import gamma, gammaincinv

    if gaps.law == "gamma":
        form = 1.0 / (gaps.cv * gaps.cv)
        return np.asarray(gammaincinv(form, uniform(seed, stream, 0, count)) / form)
    power = _weibull_power(gaps.cv)
    return exponential(seed, stream, 0, count) ** power / float(gamma(1.0 + power))


def _weibull_power(cv: float) -> float:
    """One over the shape: ``Gamma(1 + 2 p) / Gamma(1 + p)^2 = 1 + cv^2``."""
    from scipy.optimize import brentq
    from scipy.special import gammaln

    aim = np.log1p(cv * cv)
    return float(
        brentq(lambda p: gammaln(1.0 + 2.0 * p) - 2.0 * gammaln(1.0 + p) - aim, 1e-3, 20.0)
    )


def _tokens(tokens: Tokens, count: int, seed: int, own: str) -> dict[str, Floats]:
    """Prompt and output of each request, as far as the law has them."""
    found: dict[str, Floats] = {}
    if tokens.prompt is not None:
        found["prompt_tokens"] = tokens.prompt.of_normal(
            normal(seed, f"prompt_tokens{own}", 0, count)
        )
    if tokens.output is not None:
        scores = normal(seed, f"output_tokens{own}", 0, count)
        if tokens.correlation and tokens.prompt is not None:
            rho = tokens.correlation
            other = normal(seed, f"prompt_tokens{own}", 0, count)
            scores = rho * other + sqrt(1.0 - rho * rho) * scores
        found["output_tokens"] = tokens.output.of_normal(scores)
    return found


def _positive(name: str, value: float) -> float:
    if not (isfinite(value) and value > 0.0):
        problem = Problem("out of range", "a finite number above 0", column=name, value=str(value))
        raise TraceError(None, problem)
    return float(value)


def _missing(path: Path) -> Problem:
    """No such file; the nearest is a sample's name, or else a file's in the same folder."""
    expected = f"an existing file, or one of the samples {', '.join(SAMPLES)}"
    problem = _unknown(str(path), "neither a file nor a sample", expected)
    if problem.expected != expected:
        return problem
    try:
        near = get_close_matches(path.name, [file.name for file in path.parent.iterdir()], n=1)
    except OSError:  # the folder is not there either, or not ours to list
        near = []
    hint = f'; did you mean "{path.with_name(near[0])}"?' if near else ""
    return replace(problem, expected=f"{expected}{hint}")


def _unknown(name: str, what: str, expected: str) -> Problem:
    near = get_close_matches(name, SAMPLES, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return Problem(what, f"{expected}{hint}", value=name)
