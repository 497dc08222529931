"""Traffic of our own making: the sample ``office-week`` and its variations.

The rate is a shape by hour and day, times a wandering factor, times a few flash crowds; gaps
between requests are then drawn in operational time (the integral of the rate), where they are
burstier than a Poisson process. Both matter: the gaps make seconds uneven, the wandering makes
minutes uneven, and it is minutes that an autoscaler sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import get_close_matches
from math import exp, expm1, isfinite, log, sqrt
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.draws import exponential, normal, uniform
from traces.errors import Problem, TraceError
from traces.trace import Trace

Floats = NDArray[np.float64]

DAY_S: Final = 86_400.0
# The rate changes every 10 s, so that nothing happens in step with a controller's minute.
STEP_S: Final = 10.0


@dataclass(frozen=True)
class Lognormal:
    """Whole numbers with a lognormal law, clipped.

    Attributes
    ----------
    median : float. Half of the draws lie below. [tokens]
    sigma : float. Standard deviation of the logarithm.
    least, most : int. Bounds of the draws. [tokens]
    """

    median: float
    sigma: float
    least: int
    most: int

    def draw(self, seed: int, stream: str, count: int) -> Floats:
        """Draws number 0 to ``count - 1`` of a stream."""
        values = normal(seed, stream, 0, count)
        values *= self.sigma
        values += log(self.median)
        np.exp(values, out=values)
        np.rint(values, out=values)
        return np.clip(values, self.least, self.most, out=values)


@dataclass(frozen=True)
class Pattern:
    """What a generated trace looks like.

    Attributes
    ----------
    start : datetime. The first arrival.
    days : float. Length. [days]
    mean_rps : float. Requests over length, flash crowds included. [requests/s]
    weekday, weekend : tuple of 24 floats. Rate in the middle of each hour, relative to each other.
    wander_sigma : float. Standard deviation of the logarithm of the wandering factor.
    wander_tau_s : float. Time in which its correlation falls to 1/e. [s]
    gap_cv : float. Coefficient of variation of the gaps in operational time; at least 1.
    crowds_per_day : float. Flash crowds, likelier when the rate is high. [1/day]
    crowd_height : tuple of 2 floats. Range of the factor that a crowd adds at its start.
    crowd_tau_s : float. Time in which a crowd falls to 1/e. [s]
    prompt_tokens, output_tokens : Lognormal. What a request brings and asks for.
    """

    start: datetime
    days: float
    mean_rps: float
    weekday: tuple[float, ...]
    weekend: tuple[float, ...]
    wander_sigma: float
    wander_tau_s: float
    gap_cv: float
    crowds_per_day: float
    crowd_height: tuple[float, float]
    crowd_tau_s: float
    prompt_tokens: Lognormal
    output_tokens: Lognormal


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
SAMPLES: Final[Mapping[str, Pattern]] = MappingProxyType(
    {
        "office-week": Pattern(
            start=datetime(2026, 1, 5, tzinfo=UTC),  # a Monday
            days=7.0,
            mean_rps=2.0,
            weekday=_WEEKDAY,
            weekend=_WEEKEND,
            wander_sigma=0.25,
            wander_tau_s=900.0,
            gap_cv=1.25,
            crowds_per_day=0.7,
            crowd_height=(0.8, 2.0),
            crowd_tau_s=240.0,
            prompt_tokens=Lognormal(median=400.0, sigma=1.0, least=8, most=4096),
            output_tokens=Lognormal(median=90.0, sigma=0.6, least=1, most=1024),
        )
    }
)


def sample_names() -> tuple[str, ...]:
    """Names that `generate` and `load` know."""
    return tuple(SAMPLES)


def generate(
    name: str = "office-week",
    seed: int = 0,
    *,
    days: float | None = None,
    mean_rps: float | None = None,
) -> Trace:
    """Make a sample trace; the same arguments give the same trace.

    ``office-week``: seven days from Monday 2026-01-05 00:00 UTC at 2 requests/s, with a weekday
    peak of 6 to 7 requests/s around 10:00, a dip at noon, nights at a few per cent of the peak,
    and weekend days at about 27 % of a weekday; prompts around 400 and outputs around 90 tokens.

    Over the whole week the index of dispersion is about 4 at 1 s and 165 at 60 s, most of it the
    daily shape. Inside a busy hour (the median of 10:00, 14:00 and 15:00 on weekdays) it is about
    1.7 and 15, where a Poisson process has 1 at both, and the gaps there have a coefficient of
    variation near 1.3. The tests hold these figures.

    Parameters
    ----------
    name : str. One of `sample_names`.
    seed : int. Seed of every draw.
    days : float, optional. Length instead of the sample's own. [days]
    mean_rps : float, optional. Mean rate instead of the sample's own. [requests/s]

    Returns
    -------
    Trace
        With ``prompt_tokens`` and ``output_tokens``; stamps are whole microseconds.

    Raises
    ------
    TraceError
        Unknown name, or a length or rate that is not above 0.
    """
    pattern = SAMPLES.get(name)
    if pattern is None:
        raise TraceError(None, _unknown(name, "not a sample", f"one of {', '.join(SAMPLES)}"))
    length = _positive("days", pattern.days if days is None else days)
    rate = _positive("mean_rps", pattern.mean_rps if mean_rps is None else mean_rps)
    arrivals = _arrivals(pattern, length, rate, seed)
    return Trace(
        arrivals,
        {
            "prompt_tokens": pattern.prompt_tokens.draw(seed, "prompt_tokens", arrivals.size),
            "output_tokens": pattern.output_tokens.draw(seed, "output_tokens", arrivals.size),
        },
        t0_ns=int(pattern.start.timestamp()) * 1_000_000_000,
        t0_is_absolute=True,
        source=f"generate:{name} seed={seed} days={length:g} mean_rps={rate:g}",
    )


def load(name_or_path: str | Path, seed: int = 0) -> Trace | CountSeries:
    """The sample of that name, or else the file at that path.

    Parameters
    ----------
    name_or_path : str or path. One of `sample_names`, or a file that `read` knows.
    seed : int. Seed of a sample; a file needs none.

    Raises
    ------
    TraceError
        Neither a sample nor a file, or a file that cannot be read.
    """
    if str(name_or_path) in SAMPLES:
        return generate(str(name_or_path), seed)
    if not Path(name_or_path).exists():
        raise TraceError(None, _missing(Path(name_or_path)))
    from traces.formats import read

    return read(name_or_path)


def _arrivals(pattern: Pattern, days: float, mean_rps: float, seed: int) -> Floats:
    """Sorted arrivals, the first at 0. [s]"""
    edges_s = np.append(np.arange(0.0, days * DAY_S, STEP_S), days * DAY_S)
    base = _shape(pattern, edges_s[:-1] + STEP_S / 2)
    rate = base * _wander(pattern, base.size, seed) * _crowds(pattern, base, edges_s, seed)
    expected = np.concatenate(([0.0], np.cumsum(rate * np.diff(edges_s))))
    total = mean_rps * days * DAY_S
    expected *= total / expected[-1]

    # Room for ten standard deviations more gaps than expected, the cost of which is nothing.
    count = int(total + 10 * pattern.gap_cv * sqrt(total)) + 10
    position = _gaps(pattern.gap_cv, seed, count)
    position[0] = 0.0
    np.cumsum(position, out=position)
    position = position[: int(np.searchsorted(position, total))]
    arrivals = np.interp(position, expected, edges_s)
    arrivals *= 1e6
    np.rint(arrivals, out=arrivals)
    arrivals /= 1e6
    return arrivals


def _shape(pattern: Pattern, at_s: Floats) -> Floats:
    """Relative rate by hour and day of the week, straight lines between the middles of hours."""
    days = int(at_s[-1] // DAY_S) + 1
    first = pattern.start.weekday()
    hours = [
        pattern.weekend if (first + day) % 7 >= 5 else pattern.weekday
        for day in range(-1, days + 1)
    ]
    table = np.concatenate([np.asarray(day) for day in hours])
    middles_s = (np.arange(table.size) + 0.5) * 3600.0 - DAY_S
    return np.interp(at_s, middles_s, table)


def _wander(pattern: Pattern, steps: int, seed: int) -> Floats:
    """Lognormal factor of mean 1 whose logarithm is an Ornstein-Uhlenbeck process."""
    keep = exp(-STEP_S / pattern.wander_tau_s)
    fresh = sqrt(-expm1(-2.0 * STEP_S / pattern.wander_tau_s))
    shocks = normal(seed, "generate.wander", 0, steps)
    shocks[1:] *= fresh
    level, levels = 0.0, []
    for shock in shocks.tolist():
        level = keep * level + shock
        levels.append(level)
    sigma = pattern.wander_sigma
    return np.exp(np.array(levels) * sigma - sigma * sigma / 2.0)


def _crowds(pattern: Pattern, base: Floats, edges_s: Floats, seed: int) -> Floats:
    """Factor of 1 and above: flash crowds that start at once and fade."""
    count = round(pattern.crowds_per_day * float(edges_s[-1]) / DAY_S)
    load = np.concatenate(([0.0], np.cumsum(base * np.diff(edges_s))))
    starts_s = np.interp(uniform(seed, "generate.crowd", 0, count) * load[-1], load, edges_s)
    low, high = pattern.crowd_height
    heights = low + (high - low) * uniform(seed, "generate.crowd_height", 0, count)
    factor = np.ones(base.size)
    for start_s, height in zip(starts_s, heights, strict=True):
        since = edges_s[:-1] - start_s
        after = since >= 0.0
        factor[after] += height * np.exp(-since[after] / pattern.crowd_tau_s)
    return factor


def _gaps(cv: float, seed: int, count: int) -> Floats:
    """Gaps of mean 1: one of two exponential laws at random, each carrying half of the time.

    With balanced means the shares follow from the coefficient of variation alone (Whitt,
    "Approximating a point process by a renewal process", Operations Research 30(1), 1982).
    """
    square = cv * cv
    short = (1.0 + sqrt((square - 1.0) / (square + 1.0))) / 2.0
    gaps = exponential(seed, "generate.gap", 0, count)
    is_short = uniform(seed, "generate.gap_kind", 0, count) < short
    gaps *= np.where(is_short, 0.5 / short, 0.5 / (1.0 - short))
    return gaps


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
