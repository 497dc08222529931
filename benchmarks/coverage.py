"""How often the 95 % intervals of a sweep hold what they are meant to: the mean of all weeks.

A law is fitted to a trace; long traffic by that law is cut into weeks. The truth is the mean over
many of them; each of some others stands for the one week that an analyst has, gets its interval,
and either covers the truth or does not. Seeds are fixed: two runs print the same.

    python -m benchmarks.coverage [WEEKS] [REPETITIONS] [REPLICATES]
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, lru_cache
from typing import Final, NamedTuple

import numpy as np

import traces
from modeler.measure import unit_price
from modeler.measure.headlines import headlines
from modeler.replay.run import run
from modeler.scenario import Scenario, default, with_values
from modeler.study.bands import replicated
from traces import Trace, TrafficLaw, fit, generate
from traces.transform import part, thin

FIGURES: Final = ("usd_per_hour", "sla_violation_share")
WEEK_S: Final = 604_800.0
# A generated trace has the law's mean rate exactly, so that its days pull against each other; in
# one of twenty weeks a single week is as free as real ones are.
_TOGETHER: Final = 20
_TRUTH_FROM: Final = 100_000  # numbers of the weeks that the truth is taken from
_SLICE: Final = 100


@cache
def law() -> TrafficLaw:
    """Fitted to a week of the sample at a fiftieth of its rate: hours of the day, and minutes."""
    source = thin(traces.load("office-week", seed=3), 0.02, seed=1)
    trace = Trace(source.arrival_s, t0_ns=source.t0_ns, t0_is_absolute=True)
    return fit(trace).model_copy(update={"paths": 1, "days": 7.0 * _TOGETHER})


@lru_cache(maxsize=2)
def _long(number: int) -> Trace:
    return generate(law(), seed=number)


def week(number: int) -> Trace:
    """One week of many."""
    at = number % _TOGETHER
    return part(_long(number // _TOGETHER), at * WEEK_S, (at + 1) * WEEK_S)


def scenario(number: int) -> Scenario:
    """One to four replicas that serve one request at a time, 20 s each on average."""
    return with_values(
        default(),
        {
            "sweep": {}, "seed": number, "model.size": "4GB", "service.kind": "exponential",
            "service.mean_s": 20.0, "fleet.slots": 1, "fleet.max": 8, "sla.threshold_s": 60.0,
        },
    )  # fmt: skip


def true_of(numbers: Sequence[int]) -> list[tuple[float, ...]]:
    """The figures of some weeks."""
    found = []
    for number in numbers:
        asked = scenario(number)
        seen = headlines(run(asked, week(number)), unit_price(asked))
        found.append(tuple(getattr(seen, name) for name in FIGURES))
    return found


def intervals_of(number: int, replicates: int) -> list[tuple[float, float]]:
    """The intervals that one week gives."""
    bands = replicated(scenario(number), week(number), replicates)["bands"]
    return [(bands[name]["low"], bands[name]["high"]) for name in FIGURES]


class Coverage(NamedTuple):
    """How a figure fared.

    Attributes
    ----------
    figure : str.
    truth : float. Mean over the weeks.
    covered : float. Share of the intervals that hold it.
    width : float. Mean width of the intervals.
    spread : float. Standard deviation of the weeks that the truth is the mean of.
    """

    figure: str
    truth: float
    covered: float
    width: float
    spread: float


def coverage(weeks: int, repetitions: int, replicates: int, workers: int = 2) -> list[Coverage]:
    """Count how often the truth is covered."""
    slices = [
        range(_TRUTH_FROM + first, _TRUTH_FROM + min(first + _SLICE, weeks))
        for first in range(0, weeks, _SLICE)
    ]
    law()  # once, before workers are forked
    with ProcessPoolExecutor(workers) as pool:
        seen = np.array([row for rows in pool.map(true_of, slices) for row in rows])
        asked = (range(repetitions), [replicates] * repetitions)
        found = np.array(list(pool.map(intervals_of, *asked, chunksize=_TOGETHER)))
    low, high, truth = found[:, :, 0], found[:, :, 1], seen.mean(axis=0)
    held = ((low <= truth) & (truth <= high)).mean(axis=0)
    return [
        Coverage(
            name,
            float(truth[k]),
            float(held[k]),
            float((high - low)[:, k].mean()),
            float(seen[:, k].std(ddof=1)),
        )
        for k, name in enumerate(FIGURES)
    ]


def main() -> None:
    """Print a line for each figure."""
    asked = [int(one) for one in sys.argv[1:4]]
    weeks, repetitions, replicates = [*asked, *(10_000, 200, 100)[len(asked) :]]
    print(f"truth of {weeks:,} weeks; {repetitions} repetitions of {replicates} replicates")
    for one in coverage(weeks, repetitions, replicates):
        print(
            f"{one.figure}: truth {one.truth:.5g}, covered {100 * one.covered:.1f} %, "
            f"mean width {one.width:.4g}, one week's deviation {one.spread:.4g}"
        )


if __name__ == "__main__":
    main()
