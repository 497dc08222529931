"""Intervals from replicates: what of their scatter is the traffic's, and how sure that is.

A headline is meant over all the weeks that might have come; the analyst has one. Replicates of it
scatter for two reasons: other days were drawn, and starts and services fell out otherwise. The
second is averaged away over replicates and says nothing of the mean over weeks; the first does. So
each figure is fitted to how often each replicate drew each block. What the fit explains is the
traffic's and stays however many replicates there are; the rest shrinks with their number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from traces import draws
from traces.blocks import Blocks, times_drawn

Floats = NDArray[np.float64]

CONFIDENCE: Final = 0.95
# Bills are rounded to cents: dollars that differ by less than half of one are the same. [USD]
LEAST_USD: Final = 0.005
# Of a difference: from so many replicates on it is asked whether they are enough, after every so
# many.
LEAST: Final = 20
EVERY: Final = 10
# Whether replicates are enough is asked again and again, of a wider interval than is told: so that
# chance among the few does not end them.
SETTLED: Final = 0.99
# What is left at least of a variance once chance is taken off: where luck outweighs the days the
# fit is not sure of the rest, and intervals of nearly nothing would hold far too little. With half
# of it 0.95 is held within 0.03 up to luck of 2.6 times the week's scatter (tests of intervals).
_LEFT: Final = 0.5
# Fewer replicates than so many for each coefficient tell no fit from chance.
_FOR_EACH: Final = 3


class Band(NamedTuple):
    """A figure with its interval.

    Attributes
    ----------
    low, high : float. Ends of the interval.
    """

    low: float
    high: float


class Difference(NamedTuple):
    """How one scenario differs from another, over replicates of the same traffic and luck.

    Attributes
    ----------
    low, high : float. The interval of the second's figure less the first's.
    middle : float. Where it is thought to lie.
    differs : bool. Whether it lies on one side of zero.
    replicates : int. Pairs.
    """

    low: float
    high: float
    middle: float
    differs: bool
    replicates: int


@dataclass(frozen=True)
class Resamples:
    """How the replicates of a scenario were drawn from the blocks of its traffic.

    Parameters
    ----------
    seed : int. Of the scenario.
    kinds : tuple of int. The class of each block.
    known : bool. Whether the draws are these; else all scatter is taken for the traffic's.
    """

    seed: int
    kinds: tuple[int, ...]
    known: bool = True

    @classmethod
    def of_blocks(cls, blocks: Blocks, seed: int) -> Resamples:
        """Those of a scenario with a seed, of traffic that was cut into blocks."""
        return cls(seed, blocks.kinds)

    @classmethod
    def of_lucks(cls, count: int) -> Resamples:
        """So many replicates of one traffic: each stands for itself, and all that differs is luck.

        An interval then holds so many of the lucks themselves, and not their mean.
        """
        return cls(0, (0,) * count, known=False)

    @property
    def freedom(self) -> int:
        """Degrees of freedom: blocks less classes."""
        return len(self.kinds) - len(set(self.kinds))

    def times(self, count: int) -> Floats:
        """How often each of the first replicates drew each block, shape (count, blocks)."""
        return _times(self.kinds, self.seed, count)


@lru_cache(maxsize=64)
def _times(kinds: tuple[int, ...], seed: int, count: int) -> Floats:
    found = [times_drawn(kinds, seed_of(seed, k)) for k in range(count)]
    return np.array(found, dtype=np.float64).reshape(count, len(kinds))


def seed_of(seed: int, replicate: int) -> int:
    """The seed of a replicate: the same for every scenario with the same seed."""
    key = draws.stream_key(seed, "replicate")
    return int(draws.bits(key, replicate, 1)[0] >> np.uint64(33))


def band(
    values: Floats,
    drawn: Resamples,
    *,
    confidence: float = CONFIDENCE,
    signed: bool = False,
    most: float = math.inf,
    each: float = 0.0,
) -> Band | None:
    """The interval of a figure from its replicates.

    Parameters
    ----------
    values : array of float, shape (replicates,). NaN where a replicate has none.
    drawn : Resamples. How they were drawn.
    confidence : float.
    signed : bool. Whether the figure may fall below zero, as a difference does.
    most : float. What the figure cannot exceed: 1 of a share.
    each : float. What a single event would make of the figure: one over the requests, of a share.
        Where no replicate shows any, the interval ends where 95 of 100 would have shown one: at
        three of them (Hanley and Lippman-Hand 1983, "If Nothing Goes Wrong, Is Everything All
        Right?").

    Returns
    -------
    Band or None
        None where fewer than half of the replicates have the figure, or a single block says
        nothing of how blocks differ.

    Notes
    -----
    That the variance of a mean over replicates is that of its projection on how often each block
    was drawn, less what chance adds to it, is Efron 2014 ("Estimation and Accuracy after Model
    Selection", section 4) and Wager, Hastie and Efron 2014 ("Confidence Intervals for Random
    Forests"). Each class of n blocks scatters too little by n/(n-1) (Hesterberg 2015, "What
    Teachers Should Know About the Bootstrap", section 5.3), and variances of few blocks are
    themselves uncertain: Student's t with the degrees of freedom of Welch and Satterthwaite. The
    interval reaches further to the side on which days lie further out.
    """
    found = _interval(values, drawn, confidence)
    if found is None:
        return None
    low, _, high = found
    if low == high == 0.0:
        high = -math.log(1.0 - confidence) * each
    return Band(low if signed else max(low, 0.0), min(high, most))


def share_band(values: Floats, drawn: Resamples, requests: int) -> Band | None:
    """The interval of a share of so many requests, as `band`; 0 where their number is not known."""
    return band(values, drawn, most=1.0, each=1.0 / requests if requests else 0.0)


def _interval(
    values: Floats, drawn: Resamples, confidence: float
) -> tuple[float, float, float] | None:
    """Low end, middle and high end."""
    known = np.isfinite(values)
    found = values[known]
    if found.size * 2 < values.size or found.size < 2 or drawn.freedom < 1:
        return None
    if found.min() == found.max():
        return float(found[0]), float(found[0]), float(found[0])
    if drawn.known and found.size >= _FOR_EACH * (drawn.freedom + 1):
        fit = _fitted(found, drawn.times(len(values))[known], np.array(drawn.kinds))
    else:
        fit = _all_of_traffic(found, drawn.freedom)
    half = _student_t(fit.freedom, confidence) * math.sqrt(fit.variance)
    return fit.middle - half * _reach(fit, -1.0), fit.middle, fit.middle + half * _reach(fit, 1.0)


class _Fit(NamedTuple):
    """A figure's middle and the variance of it, and how replicates lie without their luck."""

    middle: float
    variance: float
    freedom: float
    smooth: Floats


def _all_of_traffic(values: Floats, freedom: int) -> _Fit:
    variance = float(values.var(ddof=1)) * (freedom + 1) / freedom
    return _Fit(float(np.median(values)), variance, float(freedom), values)


def _fitted(values: Floats, times: Floats, kinds: NDArray[np.int64]) -> _Fit:
    # The blocks of a class are drawn as often as it has blocks: one of each follows from the rest.
    classes = [np.flatnonzero(kinds == kind) for kind in np.unique(kinds)]
    free = np.concatenate([blocks[:-1] for blocks in classes])
    design = np.column_stack([np.ones(len(values)), times[:, free]])
    inverse = np.linalg.pinv(design.T @ design)
    slopes = inverse @ design.T @ values
    smooth = design @ slopes
    left = len(values) - design.shape[1]
    luck = float(np.sum((values - smooth) ** 2)) / left
    by_block, spread = np.zeros(len(kinds)), np.zeros((len(kinds), len(kinds)))
    by_block[free], spread[np.ix_(free, free)] = slopes[1:], inverse[1:, 1:]
    parts, freedoms = [], []
    for blocks in classes:
        count = len(blocks)
        if count > 1:
            centre = np.eye(count) - 1.0 / count
            chance = luck * float(np.trace(centre @ spread[np.ix_(blocks, blocks)]))
            square = float(np.sum((centre @ by_block[blocks]) ** 2))
            parts.append(max(square - chance, _LEFT * square) * count / (count - 1))
            freedoms.append(count - 1)
    # The middle is where every block is drawn once.
    parts.append(luck * float(inverse.sum()))
    freedoms.append(left)
    variance = math.fsum(parts)
    weight = math.fsum(part**2 / free for part, free in zip(parts, freedoms, strict=True))
    freedom = variance**2 / weight if weight > 0.0 else float(left)
    return _Fit(float(slopes.sum()), variance, freedom, smooth)


def _reach(fit: _Fit, side: float) -> float:
    """How much further than to both sides on average replicates lie on one side of the middle."""
    away = fit.smooth - fit.middle
    beyond, square = away[away * side >= 0.0], float(np.mean(away**2))
    if not beyond.size or square <= 0.0:
        return 1.0
    return math.sqrt(float(np.mean(beyond**2)) / square)


def _student_t(freedom: float, confidence: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + confidence / 2.0))


def paired(
    first: Sequence[float | None] | Floats,
    second: Sequence[float | None] | Floats,
    drawn: Resamples,
    *,
    least: float = 0.0,
    most: float | None = None,
) -> Difference | None:
    """The interval of a difference, replicate by replicate.

    Parameters
    ----------
    first, second : sequence of float. A figure of each replicate; of unequal length the common
        beginning counts.
    drawn : Resamples. How both were drawn.
    least : float. A replicate that differs by less does not differ.
    most : float, optional. What neither figure exceeds, where neither falls below zero: 1 of a
        share. The second is then less by no more than the first has, and more by no more than it
        has itself.
    """
    count = min(len(first), len(second))
    one, other = (np.array(values[:count], dtype=np.float64) for values in (first, second))
    apart = other - one
    apart[np.abs(apart) < least] = 0.0
    found = _interval(apart, drawn, CONFIDENCE)
    if found is None:
        return None
    ends: Sequence[float] = found
    if most is not None:
        ends = _possible(found, band(one, drawn, most=most), band(other, drawn, most=most))
    low, middle, high = ends
    return Difference(low, high, middle, low > 0.0 or high < 0.0, count)


def _possible(ends: Sequence[float], first: Band | None, second: Band | None) -> list[float]:
    """The second less the first, no further than the interval of either lets it be."""
    if first is None or second is None:
        return list(ends)
    return [min(max(end, -first.high), second.high) for end in ends]


def money(usd: float) -> float:
    """A difference of dollars; below half a cent nothing, for its last bits are no money.

    >>> money(2.3e-13), money(-0.004), money(0.01)
    (0.0, 0.0, 0.01)
    """
    return 0.0 if abs(usd) < LEAST_USD else usd


def ends_of(name: str, found: Difference | None) -> dict[str, Any]:
    """An interval as columns: ``name_low``, ``name_high`` and ``name_differs``."""
    return {
        f"{name}_low": None if found is None else found.low,
        f"{name}_high": None if found is None else found.high,
        f"{name}_differs": None if found is None else found.differs,
    }


def clear(differences: Floats, drawn: Resamples) -> bool:
    """Whether more replicates would not say otherwise of a difference.

    That is, it lies on one side of zero, or every replicate is the same.
    """
    ends = band(differences, drawn, confidence=SETTLED, signed=True)
    return ends is not None and not (ends.low <= 0.0 <= ends.high and bool(differences.any()))
