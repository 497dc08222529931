"""What a sweep is made of, before anything is replayed: scenarios, traffic, tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pricing
import traces
from modeler.measure import unit_price
from modeler.predict import instance_of
from modeler.replay.run import Traffic
from modeler.scenario import Scenario, scenario_id, with_values
from modeler.study.grid import Point, grid
from modeler.study.jobs.task import REFERENCE, SCENARIO, Task
from modeler.study.presets import Preset
from modeler.study.result import meta_of

# What a fleet that never scales does not depend on; every setting of a policy comes with it.
_NOT_OF_A_FIXED_FLEET = frozenset({"fleet.min", "fleet.initial"})


@dataclass(frozen=True)
class Prepared:
    """A sweep that has not begun.

    Parameters
    ----------
    points : list of Point. The scenarios.
    tasks : list of Task. One for each of them, then one for each reference.
    traffic : dict of str to Trace or CountSeries. By content hash.
    meta : dict. Where the numbers come from, without what only rows tell.
    gates : tuple of str. What the best of them has to keep.
    goal : mapping, optional. Fields of the `modeler.study.goal.Goal` that the best of them goes by.
    """

    points: list[Point]
    tasks: list[Task]
    traffic: dict[str, Traffic]
    meta: dict[str, Any]
    gates: tuple[str, ...] = ()
    goal: Mapping[str, Any] | None = None

    def requests(self) -> list[int]:
        """To replay for each task, references once."""
        return [self.traffic[t.trace].requests * (1 + t.replicates) for t in self.tasks]


def prepare(
    scenario: Scenario,
    *,
    sizes: Sequence[str | int] | None = None,
    precisions: Sequence[str] = (),
    settings: Mapping[str, Sequence[Any]] | None = None,
    presets: Sequence[Preset] = (),
    references: bool = True,
    replicates: int = 0,
    trace: Traffic | None = None,
) -> Prepared:
    """Make the scenarios of a sweep and read their traffic; see `modeler.study.sweep`.

    Raises
    ------
    ScenarioError, pricing.UnknownInstance, pricing.UnknownRegion, traces.TraceError : what was
        asked for does not exist.
    """
    points = grid(scenario, sizes=sizes, precisions=precisions, settings=settings, presets=presets)
    load = _loader(trace)
    for point in points:
        if point.error is None:
            _check_names(point.scenario)
        load(point.scenario.trace, point.scenario.seed)
    fleets = _reference_points(points, scenario.hosting.kind) if references else []
    traffic: dict[str, Traffic] = {}
    tasks = []
    for kind, chosen in ((SCENARIO, points), (REFERENCE, fleets)):
        for point in chosen:
            own = load(point.scenario.trace, point.scenario.seed)
            traffic[own.content_hash] = own
            tasks.append(Task(kind, point, own.content_hash, replicates))
    return Prepared(points, tasks, traffic, meta_of(points, load), tuple(scenario.gates))


def _loader(given: Traffic | None) -> Callable[[str, int], Traffic]:
    """Read each trace once, whatever the number of scenarios."""

    @cache
    def load(name: str, seed: int) -> Traffic:
        return given if given is not None else traces.load(name, seed=seed)

    return load


def _check_names(scenario: Scenario) -> None:
    """Names must exist before any work starts; a missing price only fails its own rows."""
    instance_of(scenario)
    if scenario.hosting.usd_per_hour is None:
        try:
            unit_price(scenario)
        except (pricing.PriceNotFound, pricing.AmbiguousPrice):
            return


def _reference_points(points: Sequence[Point], own: str) -> list[Point]:
    """One fixed fleet for each combination of settings that are not the policy's own."""
    found: dict[str, Point] = {}
    for point in points:
        scenario = point.scenario
        if point.preset is not None and scenario.hosting.kind != own:
            continue  # policies on other platforms are held against the scenario's own
        if scenario.in_force[0].kind == "fixed" or scenario.hosting.platform.per_request:
            continue
        fixed = with_values(
            point.scenario,
            {
                "policy.kind": "fixed",
                "policy.replicas": point.scenario.fleet.max,
                "fleet.initial": None,
                "fleet.min": 1,
            },
        )
        settings = {k: v for k, v in point.settings.items() if not _is_of_scaling(k)}
        found.setdefault(scenario_id(fixed), Point(fixed, settings))
    return list(found.values())


def _is_of_scaling(path: str) -> bool:
    return path.startswith(("policy", "policies")) or path in _NOT_OF_A_FIXED_FLEET
