"""Bands: how far a headline could be off, because this was only one week, and starts vary.

Each replicate is the traffic drawn again from its own days, with cold starts, service times and
weather drawn anew; a lead-in before it warms the fleet up and is not counted. All scenarios get the
same replicates, so that of two of them the difference is told far more finely than either alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.measure import unit_price
from modeler.measure.headlines import Headlines, headlines
from modeler.predict import cold_start_law, instance_of
from modeler.replay.run import Traffic, run
from modeler.replay.weather_setup import weather_later
from modeler.scenario import Scenario, with_values
from traces import draws
from traces.blocks import Blocks, blocks_of, resampled

Floats = NDArray[np.float64]

CONFIDENCE: Final = 0.95
# The headlines that have a band.
FIGURES: Final = (
    "usd_per_hour", "sla_violation_share", "latency_p99_s", "breach_to_ready_p95_s",
)  # fmt: skip
SHARES: Final = ("sla_violation_share",)
# What is kept of each replicate: with the rate a share is a number of misses, and has a price.
KEPT: Final = (*FIGURES, "requests_per_hour")
REPLICATES: Final = 100
# Of a difference: from so many replicates on it is asked whether they are enough, after every so
# many.
LEAST: Final = 20
EVERY: Final = 10
_SETTLED: Final = 0.99
_EVERY: Final = 20  # replicates between two looks at whether they are enough
_LEAST: Final = 40
_NARROW: Final = 0.01
# The fleet has forgotten how it began after some starts; an hour covers the cycles of metrics.
_LEAD_STARTS: Final = 4.0
_LEAST_LEAD_S: Final = 3600.0
_LAW_SAMPLES: Final = 2000


class Band(NamedTuple):
    """A figure with its interval.

    Attributes
    ----------
    low, high : float. Ends of the interval.
    """

    low: float
    high: float


def seed_of(seed: int, replicate: int) -> int:
    """The seed of a replicate: the same for every scenario with the same seed."""
    key = draws.stream_key(seed, "replicate")
    return int(draws.bits(key, replicate, 1)[0] >> np.uint64(33))


def lead_of(scenario: Scenario) -> float:
    """How long a fleet warms up before it counts. [s]"""
    law = cold_start_law(scenario, instance_of(scenario)).waterfall(_LAW_SAMPLES)
    return max(_LEAST_LEAD_S, _LEAD_STARTS * law.total_p95_s)


def replicate(
    scenario: Scenario, traffic: Traffic, blocks: Blocks, number: int, *, lead_s: float
) -> Headlines:
    """The headlines of one replicate.

    Parameters
    ----------
    scenario : Scenario.
    traffic : Trace or CountSeries. What came.
    blocks : Blocks. Of it.
    number : int. Of the replicate.
    lead_s : float. Warm-up before it. [s]

    Raises
    ------
    As a replay.
    """
    seed = seed_of(scenario.seed, number)
    drawn = resampled(traffic, blocks, seed, lead_s=lead_s)
    from_s = drawn.body_from_s
    # Weather that is said from the traffic's beginning waits for the warm-up.
    own = weather_later(with_values(scenario, {"seed": seed}), from_s)
    done = run(own, drawn.traffic, records=from_s > 0.0)
    return headlines(done, unit_price(scenario), from_s=from_s)


def replicated(
    scenario: Scenario,
    traffic: Traffic,
    count: int = REPLICATES,
    *,
    lead_s: float | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> dict[str, Any]:
    """Replay replicates of a scenario until they say enough.

    Parameters
    ----------
    scenario : Scenario.
    traffic : Trace or CountSeries.
    count : int. How many at most; see `enough` for when fewer do.
    lead_s : float, optional. Warm-up before each, of at most a block; by default `lead_of` the
        scenario. Scenarios with the same draw alike. [s]
    progress : called with the number of replicates that are done.

    Returns
    -------
    dict
        ``bands`` (by figure ``low`` and ``high``, None where it cannot be told), ``values`` (of
        each in `KEPT` one a replicate, None where it has none), ``replicates``, ``blocks``,
        ``freedom``, ``confidence``, ``lead_s`` and ``note``.
    """
    blocks = blocks_of(traffic)
    lead_s = min(lead_of(scenario) if lead_s is None else lead_s, blocks.width_s)
    found: list[Headlines] = []
    for number in range(count):
        found.append(replicate(scenario, traffic, blocks, number, lead_s=lead_s))
        progress(number + 1)
        if (number + 1) % _EVERY == 0 and enough(found, blocks.freedom, scenario):
            break
    values = {name: np.array([getattr(one, name) for one in found]) for name in KEPT}
    bands = {
        name: band(values[name], blocks.freedom, most=1.0 if name in SHARES else math.inf)
        for name in FIGURES
    }
    return {
        "confidence": CONFIDENCE,
        "replicates": len(found),
        "blocks": blocks.count,
        "freedom": blocks.freedom,
        "lead_s": lead_s,
        "note": blocks.note,
        "bands": {name: None if one is None else one._asdict() for name, one in bands.items()},
        "values": {name: values[name].tolist() for name in KEPT},
    }


def enough(found: Sequence[Headlines], freedom: int, scenario: Scenario) -> bool:
    """Whether more replicates would answer nothing more.

    That is, once dollars are known to a hundredth, and whether the service level is kept is
    settled: its interval lies on one side of the allowed share, or is a tenth of it wide.
    """
    if len(found) < _LEAST:
        return False
    usd = band(np.array([one.usd_per_hour for one in found]), freedom)
    share = band(np.array([one.sla_violation_share for one in found]), freedom)
    allowed = scenario.sla.max_violation_share
    if usd is None or share is None:
        return False
    known = usd.high - usd.low <= 2.0 * _NARROW * usd.high
    settled = share.high < allowed or share.low > allowed
    return known and (settled or share.high - share.low <= 0.1 * allowed)


def band(
    values: Floats,
    freedom: int,
    *,
    confidence: float = CONFIDENCE,
    signed: bool = False,
    most: float = math.inf,
) -> Band | None:
    """The interval of a figure from its replicates.

    Parameters
    ----------
    values : array of float, shape (replicates,). NaN where a replicate has none.
    freedom : int. Blocks that the traffic was cut into, less their classes.
    confidence : float.
    signed : bool. Whether the figure may fall below zero, as a difference does.
    most : float. What the figure cannot exceed: 1 of a share.

    Returns
    -------
    Band or None
        None where fewer than half of the replicates have the figure, or a single block says
        nothing of how blocks differ.

    Notes
    -----
    Replicates over n blocks scatter too little by the square root of n/(n-1), and with few blocks
    Student's t belongs where a normal stands: percentiles that lie further out mend both
    (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", section 5.3). So far out, a
    hundred replicates show no percentile; the interval is the median less and more so many of the
    deviations that the replicates have on either side of it.
    """
    known = values[np.isfinite(values)]
    if known.size * 2 < values.size or known.size < 2 or freedom < 1:
        return None
    stretch = stretch_of(freedom, confidence)
    middle = float(np.median(known))
    low, high = (middle + side * stretch * _deviation(known, middle, side) for side in (-1.0, 1.0))
    return Band(low if signed else max(low, 0.0), min(high, most))


class Difference(NamedTuple):
    """How one scenario differs from another, over replicates of the same traffic and luck.

    Attributes
    ----------
    low, high : float. The interval of the second's figure less the first's.
    middle : float. Its median.
    differs : bool. Whether it lies on one side of zero.
    replicates : int. Pairs.
    """

    low: float
    high: float
    middle: float
    differs: bool
    replicates: int


def paired(
    first: Sequence[float], second: Sequence[float], freedom: int, *, least: float = 0.0
) -> Difference | None:
    """The interval of a difference, replicate by replicate.

    Parameters
    ----------
    first, second : sequence of float. A figure of each replicate; of unequal length the common
        beginning counts.
    freedom : int. As for `band`.
    least : float. A replicate that differs by less does not differ.
    """
    count = min(len(first), len(second))
    one, other = (np.array(values[:count], dtype=np.float64) for values in (first, second))
    apart = other - one
    apart[np.abs(apart) < least] = 0.0
    found = band(apart, freedom, signed=True)
    if found is None:
        return None
    middle = float(np.nanmedian(apart))
    differs = found.low > 0.0 or found.high < 0.0
    return Difference(found.low, found.high, middle, differs, count)


def clear(differences: Floats, freedom: int) -> bool:
    """Whether more replicates would not say otherwise of a difference.

    That is, it lies on one side of zero by a wider interval than is told, so that chance among few
    replicates does not end them; or every replicate is the same.
    """
    ends = band(differences, freedom, confidence=_SETTLED, signed=True)
    return ends is not None and not (ends.low <= 0.0 <= ends.high and bool(differences.any()))


def stretch_of(freedom: int, confidence: float = CONFIDENCE) -> float:
    """Half the width of an interval, in standard deviations of the replicates."""
    from scipy.special import stdtrit

    t = float(stdtrit(freedom, 0.5 + confidence / 2.0))
    return t * math.sqrt((freedom + 1) / freedom)


def _deviation(known: Floats, middle: float, side: float) -> float:
    """Standard deviation about the middle, of what lies on one side of it."""
    beyond = known[(known - middle) * side >= 0.0]
    return float(np.sqrt(np.mean((beyond - middle) ** 2))) if beyond.size else 0.0
