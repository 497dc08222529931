"""Scenarios replayed as a study asks for them, one batch after another, none of them twice."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import lru_cache
from typing import Any

import traces
from modeler.replay.run import Traffic
from modeler.scenario import Scenario, ScenarioError, with_values
from modeler.study.bands import lead_of
from modeler.study.goal import Goal
from modeler.study.grid import DTYPE, SIZE, Point, in_precision
from modeler.study.jobs.key import keys_of
from modeler.study.jobs.task import SCENARIO, Task
from modeler.study.prepare import Prepared
from modeler.study.replicates import count_of
from modeler.study.result import meta_of
from modeler.study.sweep import Say, Status, perform

Row = dict[str, Any]
Settings = Mapping[str, Any]


class Lab:
    """Replays of variants of one scenario, with what they took.

    Parameters
    ----------
    scenario : Scenario. What every variant starts from; its ``sweep`` is left out.
    trace : Trace or CountSeries, optional. The traffic, instead of what the scenario names.
    executor, workers, ledger, say : as for `modeler.study.sweep`.
    progress : called with a `Status` now and then, of the batch at work.
    pinned : collection of str. Paths that the analyst set to one value, which are not searched.

    Attributes
    ----------
    base : Scenario. As it was given, with its ``sweep``.
    scenario : Scenario. The same without.
    replays : int. Made so far; those of replicates count too.
    requests : int. Replayed so far.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        trace: Traffic | None = None,
        executor: str = "threads",
        workers: int | None = None,
        ledger: str | os.PathLike[str] | None = None,
        progress: Callable[[Status], None] | None = None,
        say: Say = lambda text: None,
        pinned: Collection[str] = (),
    ) -> None:
        self.base, self.pinned = scenario, frozenset(pinned)
        self.scenario = with_values(scenario, {"sweep": {}})
        self._given = trace
        self._how: dict[str, Any] = {
            "executor": executor,
            "workers": workers,
            "ledger": ledger,
            "progress": progress,
        }
        self._say = say
        self._made: dict[str, Row] = {}
        self.replays = self.requests = 0

    def at(self, settings: Settings) -> Lab:
        """Another lab, of the scenario with settings changed: same traffic, same workers.

        Raises
        ------
        ScenarioError : an unknown path, or values that do not fit.
        """
        return self.beside(self.variant(settings))

    @property
    def given(self) -> bool:
        """Whether the traffic was given, and is not what the scenario names."""
        return self._given is not None

    def traffic(self, scenario: Scenario | None = None) -> Traffic:
        """What a variant replays, unless it is given other traffic.

        Raises
        ------
        traces.TraceError : it cannot be read.
        """
        if self._given is not None:
            return self._given
        asked = scenario or self.scenario
        return _load(asked.trace, asked.seed)

    def variant(self, settings: Settings) -> Scenario:
        """The scenario with settings changed.

        Another ``model.dtype`` is the same parameters in that precision: the size goes with it,
        unless it is set as well.

        Raises
        ------
        ScenarioError : an unknown path, or values that do not fit.
        """
        chosen = dict(settings)
        if DTYPE in chosen and SIZE not in chosen:
            precision = chosen.pop(DTYPE)
            chosen, _ = in_precision(self.scenario, chosen, precision)
        return with_values(self.scenario, chosen)

    def beside(self, scenario: Scenario) -> Lab:
        """A lab of another scenario with the same traffic and workers; it counts for itself.

        What either has replayed the other need not.
        """
        other = Lab(scenario, trace=self._given, say=self._say, pinned=self.pinned, **self._how)
        other._made = self._made
        return other

    def row(self, settings: Settings, **how: Any) -> Row:
        """The row of one variant; see `rows`."""
        return self.rows([settings], **how)[0]

    def rows(
        self,
        variants: Sequence[Settings | Scenario],
        *,
        traffic: Traffic | Sequence[Traffic | None] | None = None,
        replicates: int = 0,
    ) -> list[Row]:
        """Replay variants.

        Parameters
        ----------
        variants : sequence of mapping or Scenario. Settings laid over the scenario, or whole ones.
            Settings that do not fit each other are a failed row.
        traffic : Trace or CountSeries, or a sequence of them, optional. Other traffic than theirs:
            for all, or for each, with None where it is theirs.
        replicates : int. Of each, for its bands. All that are asked for at once have the warm-up of
            the slowest to start, so that the draws of each request are the same and any two of
            them are paired.

        Returns
        -------
        list of dict
            As the rows of a sweep, in the order asked.
        """
        points = [self._point(variant) for variant in variants]
        others = traffic if isinstance(traffic, Sequence) else [traffic] * len(points)
        loads = [
            other if other is not None else self.traffic(point.scenario)
            for point, other in zip(points, others, strict=True)
        ]
        lead_s = _lead(points) if replicates else None
        tasks = [
            Task(SCENARIO, point, load.content_hash, replicates, lead_s)
            for point, load in zip(points, loads, strict=True)
        ]
        keys = keys_of([one._replace(point=one.point._replace(settings={})) for one in tasks])
        new = {key: k for k, key in reversed(list(enumerate(keys))) if key not in self._made}
        if new:
            chosen = sorted(new.values())
            prepared = Prepared(
                [points[k] for k in chosen],
                [tasks[k] for k in chosen],
                {loads[k].content_hash: loads[k] for k in chosen},
                meta_of([points[k] for k in chosen], lambda name, seed: loads[chosen[0]]),
            )
            result = perform(prepared, say=self._say, **self._how)
            for k, row in zip(chosen, result.rows, strict=True):
                self._made[keys[k]] = row
                done = 1 + count_of(row)
                if row["status"] == "ok":
                    self.replays += done
                    self.requests += done * loads[k].requests
        # The same scenario may have been reached by other settings.
        return [
            row if row["settings"] == point.settings else {**row, "settings": point.settings}
            for row, point in zip((self._made[key] for key in keys), points, strict=True)
        ]

    def keep(self, rows: Iterable[Row], goal: Goal, gates: Sequence[str] = ()) -> str:
        """Keep rows of this lab together: one run of the ledger, whose ``best`` goes by a goal.

        Parameters
        ----------
        rows : iterable of dict. Those without a result are left out.
        goal : Goal.
        gates : sequence of str. What the best has to keep besides.

        Returns
        -------
        str
            The run's name; empty where no ledger is kept.
        """
        points = [self._point(row["settings"]) for row in rows if row["status"] == "ok"]
        if self._how["ledger"] is None or not points:
            return ""
        load = self.traffic()
        prepared = Prepared(
            points,
            [Task(SCENARIO, point, load.content_hash) for point in points],
            {load.content_hash: load},
            meta_of(points, lambda name, seed: load),
            tuple(gates),
            asdict(goal),
        )
        return perform(prepared, say=self._say, **self._how).run or ""

    def _point(self, variant: Settings | Scenario) -> Point:
        if isinstance(variant, Scenario):
            return Point(variant, {})
        try:
            return Point(self.variant(variant), dict(variant))
        except ScenarioError as error:
            return Point(self.scenario, dict(variant), error=error)


def _lead(points: Sequence[Point]) -> float | None:
    """The longest warm-up of any; what has no start to foresee is a failed row."""
    found = []
    for point in points:
        with contextlib.suppress(Exception):
            found.append(lead_of(point.scenario))
    return max(found, default=None)


@lru_cache(maxsize=2)
def _load(name: str, seed: int) -> Traffic:
    """The last traces are kept: one batch after another asks for the same."""
    return traces.load(name, seed=seed)
