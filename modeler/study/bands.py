"""Bands: how far a headline could be off, because this was only one week, and starts vary.

Each replicate is the traffic drawn again from its own days, with cold starts, service times and
weather drawn anew; a lead-in before it warms the fleet up and is not counted. All scenarios get the
same replicates, so that of two of them the difference is told far more finely than either alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from modeler.measure import unit_price
from modeler.measure.headlines import Headlines, headlines
from modeler.predict import cold_start_law, instance_of
from modeler.replay.run import Run, Traffic, run
from modeler.replay.weather_setup import weather_later
from modeler.scenario import Scenario
from modeler.study.intervals import CONFIDENCE, SETTLED, Resamples, band, seed_of, share_band
from traces.blocks import Blocks, blocks_of, resampled

# The headlines that have a band.
FIGURES: Final = (
    "usd_per_hour", "sla_violation_share", "latency_p99_s", "breach_to_ready_p95_s",
)  # fmt: skip
SHARES: Final = ("sla_violation_share",)
# What is kept of each replicate: with the rate a share is a number of misses, and has a price.
KEPT: Final = (*FIGURES, "slow_share", "requests_per_hour")
REPLICATES: Final = 100
_EVERY: Final = 20  # replicates between two looks at whether they are enough
_LEAST: Final = 40
_NARROW: Final = 0.01
# The fleet has forgotten how it began after some starts; an hour covers the cycles of metrics.
_LEAD_STARTS: Final = 4.0
_LEAST_LEAD_S: Final = 3600.0
_LAW_SAMPLES: Final = 2000


def lead_of(scenario: Scenario) -> float:
    """How long a fleet warms up before it counts. [s]"""
    law = cold_start_law(scenario, instance_of(scenario)).waterfall(_LAW_SAMPLES)
    return max(_LEAST_LEAD_S, _LEAD_STARTS * law.total_p95_s)


def replicate_run(
    scenario: Scenario, traffic: Traffic, blocks: Blocks, number: int, *, lead_s: float
) -> tuple[Run, float]:
    """The replay of one replicate, and where in it the warm-up ends. [s]

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
    own = weather_later(scenario.model_copy(update={"seed": seed}), from_s)
    return run(own, drawn.traffic, records=from_s > 0.0), from_s


def replicate(
    scenario: Scenario, traffic: Traffic, blocks: Blocks, number: int, *, lead_s: float
) -> Headlines:
    """The headlines of one replicate; see `replicate_run`."""
    done, from_s = replicate_run(scenario, traffic, blocks, number, lead_s=lead_s)
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
        ``kinds`` (the class of each block) and ``seed``, ``confidence``, ``lead_s`` and ``note``.
    """
    blocks = blocks_of(traffic)
    lead_s = min(lead_of(scenario) if lead_s is None else lead_s, blocks.width_s)
    drawn = Resamples.of_blocks(blocks, scenario.seed)
    found: list[Headlines] = []
    for number in range(count):
        found.append(replicate(scenario, traffic, blocks, number, lead_s=lead_s))
        progress(number + 1)
        if (number + 1) % _EVERY == 0 and enough(found, drawn, scenario):
            break
    values = {name: np.array([getattr(one, name) for one in found]) for name in KEPT}
    bands = {
        name: share_band(values[name], drawn, traffic.requests)
        if name in SHARES
        else band(values[name], drawn)
        for name in FIGURES
    }
    return {
        "confidence": CONFIDENCE,
        "replicates": len(found),
        "blocks": blocks.count,
        "kinds": list(blocks.kinds),
        "seed": scenario.seed,
        "lead_s": lead_s,
        "note": blocks.note,
        "bands": {name: None if one is None else one._asdict() for name, one in bands.items()},
        "values": {name: of.tolist() for name, of in values.items()},
    }


def enough(found: Sequence[Headlines], drawn: Resamples, scenario: Scenario) -> bool:
    """Whether more replicates would answer nothing more.

    That is, once dollars are known to a hundredth, and whether the service level is kept is
    settled: its interval lies on one side of the allowed share, or is a tenth of it wide. As it is
    asked again and again, intervals are wider here than those that are told, as in `clear`.
    """
    if len(found) < _LEAST:
        return False
    usd = band(np.array([one.usd_per_hour for one in found]), drawn, confidence=SETTLED)
    missed = np.array([one.sla_violation_share for one in found])
    share = band(missed, drawn, confidence=SETTLED)
    allowed = scenario.sla.max_violation_share
    if usd is None or share is None:
        return False
    known = usd.high - usd.low <= 2.0 * _NARROW * usd.high
    settled = share.high < allowed or share.low > allowed
    return known and (settled or share.high - share.low <= 0.1 * allowed)
