"""How much of an incident is luck: the same traffic again, with everything random drawn anew.

A window is one real fact, so that its traffic is not drawn again. What is drawn are cold starts,
service times that are not in the trace, weather, and where in their interval counted requests came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from modeler.replay.run import Traffic, run
from modeler.study.incident_rows import Named, Part, against, seen_in
from modeler.study.intervals import (
    EVERY,
    LEAST,
    LEAST_USD,
    Difference,
    Resamples,
    band,
    clear,
    ends_of,
    paired,
    seed_of,
)
from modeler.study.jobs.executors import cores

Row = dict[str, Any]
Floats = NDArray[np.float64]

# By figure, below which difference it does not differ. [requests, USD]
_DIFFERENCES: Final = {"saved": 0.0, "usd_added": LEAST_USD, "usd_run_added": LEAST_USD}
_SETTLES: Final = ("saved", "usd_run_added")


class Lucks:
    """Figures of every policy under one luck after another.

    Attributes
    ----------
    made : int. Lucks that were drawn.
    """

    def __init__(self) -> None:
        self.made = 0
        self._values: dict[int, dict[str, list[float]]] = {}

    def add(self, rows: Mapping[int, Row | None]) -> None:
        """The rows of one luck by number of the policy; None of one that could not be replayed."""
        self.made += 1
        for number, row in rows.items():
            own = self._values.setdefault(number, {})
            for name in ("violations", *_DIFFERENCES):
                own.setdefault(name, []).append(np.nan if row is None else float(row[name]))

    def settled(self) -> bool:
        """Whether more of them would answer nothing more: who saves, and what it costs."""
        return self.made >= LEAST and all(
            clear(np.array(own[name]), Resamples.of_lucks(self.made))
            for number, own in self._values.items()
            if number
            for name in _SETTLES
        )

    def intervals(self, number: int) -> Row:
        """The columns of a policy: where 95 of 100 lucks lie."""
        own = self._values.get(number)
        missed = None
        if own is not None:
            missed = band(np.array(own["violations"]), Resamples.of_lucks(self.made))
        found = {
            "violations_low": None if missed is None else missed.low,
            "violations_high": None if missed is None else missed.high,
        }
        for name, least in _DIFFERENCES.items():
            differs: Difference | None = None
            if own is not None and number:
                nothing = [0.0] * self.made
                differs = paired(nothing, own[name], Resamples.of_lucks(self.made), least=least)
            found |= ends_of(name, differs)
        return found


def lucks(
    points: Sequence[tuple[int, Named]],
    traffic: Traffic,
    part: Part,
    count: int,
    report: Callable[[int], Callable[[int], None] | None],
) -> Lucks:
    """Replay policies under other lucks, the same for all, until they say enough.

    Parameters
    ----------
    points : sequence of (int, Named). Policies by their number, the one that ran first.
    traffic : Trace or CountSeries. What is replayed.
    part : Part. The window.
    count : int. Lucks at most; from 20 on it ends once it is settled, of every policy, whether it
        saves requests and whether it costs more.
    report : function of the number of a replay -> what it is to call.
    """
    found = Lucks()
    base = points[0][1].scenario
    with ThreadPoolExecutor(cores()) as pool:
        for luck in range(count):
            seed = seed_of(base.seed, luck)

            def seen(at: int, seed: int = seed, luck: int = luck) -> Any:
                point = points[at][1]
                try:
                    scenario = point.scenario.model_copy(update={"seed": seed})
                    progress = report(luck * len(points) + at)
                    done = run(scenario, traffic, records=True, progress=progress)
                except Exception:  # of one luck: the others stand
                    return None
                return seen_in(point, done, part)

            every = list(pool.map(seen, range(len(points))))
            first = every[0]
            found.add(
                {
                    number: None if one is None or first is None else against(one, first)
                    for (number, _), one in zip(points, every, strict=True)
                }
            )
            if found.made % EVERY == 0 and found.settled():
                break
    return found
