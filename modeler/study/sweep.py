"""The main job: one scenario becomes many, each is replayed and judged, the rows become a verdict.

Scenarios share the trace (one read-only copy) and the random numbers (service times by request,
cold starts by replica), so that a difference between two rows is the settings' and not luck's.
"""

from __future__ import annotations

import platform
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import modeler
import pricing
import traces
from modeler.measure import unit_price
from modeler.predict import instance_of
from modeler.replay.run import Traffic
from modeler.scenario import Scenario, scenario_id, with_values
from modeler.scenario.gates import Verdict, parse_gates
from modeler.study.gates import judge_best, mark_gates
from modeler.study.grid import Point, grid
from modeler.study.jobs.drive import drive
from modeler.study.jobs.executors import executor_of
from modeler.study.jobs.task import REFERENCE, SCENARIO, Packed, Task, Unpacker
from modeler.study.presets import Preset
from modeler.study.rows import Interrupted
from modeler.study.verdict import mark_pareto, verdict

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[["Status"], None]

# What a fleet that never scales does not depend on; every setting of a policy comes with it.
_NOT_OF_A_FIXED_FLEET = frozenset({"fleet.min", "fleet.initial"})


@dataclass(frozen=True)
class Status:
    """How far a sweep is: requests replayed, and scenarios finished, of all."""

    requests: int
    requests_total: int
    scenarios: int
    scenarios_total: int


@dataclass(frozen=True, repr=False)
class SweepResult:
    """A sweep's rows, references and verdict.

    ``rows`` has one row a scenario, in the grid's order; a failed one keeps its place with
    ``status`` and ``error``. ``references`` are the smallest fixed fleets that keep the service
    level, or whose waits do not break it where service times alone do. ``gates`` are the scenario's
    gates held against the best row.
    """

    meta: dict[str, Any]
    rows: tuple[dict[str, Any], ...]
    references: tuple[dict[str, Any], ...]
    verdict: str
    points: tuple[Point, ...]
    gates: tuple[Verdict, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``sweep/1``."""
        return {
            "schema": "sweep/1",
            "run": self.meta,
            "verdict": self.verdict,
            "scenarios": list(self.rows),
            "references": list(self.references),
        }

    def frame(self) -> pd.DataFrame:
        """One row a scenario; nested values become dotted columns."""
        import pandas as pd

        return pd.json_normalize(list(self.rows))

    def __repr__(self) -> str:
        return f"SweepResult of {len(self.rows)} scenarios: {self.verdict}"

    def _repr_html_(self) -> str:
        columns = ["size_bytes", "usd_per_hour", "sla_violation_share", "pareto", "status"]
        table: str = self.frame().reindex(columns=columns).to_html()
        return f"<p>{self.verdict}</p>{table}"

    @property
    def failed(self) -> int:
        """Number of scenarios without a result."""
        return sum(1 for row in self.rows if row["status"] != "ok")


def sweep(
    scenario: Scenario,
    *,
    sizes: Sequence[str | int] | None = None,
    precisions: Sequence[str] = (),
    settings: Mapping[str, Sequence[Any]] | None = None,
    presets: Sequence[Preset] = (),
    executor: str = "threads",
    workers: int | None = 1,
    references: bool = True,
    progress: Progress | None = None,
    trace: Traffic | None = None,
) -> SweepResult:
    """Replay every combination of the varied settings.

    Parameters
    ----------
    scenario : Scenario. The base; its own ``sweep`` block gives axes too.
    sizes : sequence, optional. Model sizes, with units or in bytes.
    precisions : sequence of str. Each size also in these, such as ``fp16`` and ``int8``; sizes are
        those of the scenario's own ``model.dtype``.
    settings : mapping of path to values, optional. Further axes, such as
        ``{"policy.target": [4, 6]}``.
    presets : sequence of Preset, optional. Policies to compare, each on its own platform; see
        `modeler.study.presets`. One that does not go with the scenario is a failed row.
    executor : str. Who replays: ``threads`` of this process, ``processes``, ``dask`` or ``ray``,
        or a cluster at an address, ``dask://host:8786`` or ``ray://host:10001``. The result is the
        same to the byte.
    workers : int, optional. Threads or processes; by default one a core, of a cluster as many as it
        has.
    references : bool. Also find the smallest fixed fleet that keeps the service level.
    progress : called with a `Status` now and then.
    trace : optional. The traffic, instead of what ``scenario.trace`` names.

    Returns
    -------
    SweepResult

    Raises
    ------
    ScenarioError, pricing.UnknownInstance, pricing.UnknownRegion, traces.TraceError : what was
        asked for does not exist. Whatever else goes wrong with a scenario is a failed row.
    modeler.study.jobs.executors.ExecutorError : no such executor, or nobody at its address.
    Interrupted : by Ctrl-C; nothing has been written.
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
            tasks.append(Task(kind, point, own.content_hash))
    counter = _Counter([traffic[task.trace].requests for task in tasks], progress)
    packed = _perform(tasks, traffic, executor, workers, counter)
    unpacker = Unpacker()
    for one in packed:
        unpacker.add(one)
    rows = [unpacker.row(one) for one in packed]
    own_rows, others = rows[: len(points)], [row for row in rows[len(points) :] if row]
    mark_pareto(own_rows)
    mark_pareto(others)
    gates = parse_gates(scenario.gates)
    mark_gates(own_rows, gates)
    return SweepResult(
        meta=_meta(points, load, own_rows),
        rows=tuple(own_rows),
        references=tuple(others),
        verdict=verdict(own_rows, others),
        points=tuple(points),
        gates=judge_best(own_rows, gates),
    )


def _perform(
    tasks: Sequence[Task],
    traffic: Mapping[str, Traffic],
    executor: str,
    workers: int | None,
    counter: _Counter,
) -> list[Packed]:
    """The packed rows of the tasks, in their order."""
    found: dict[int, Packed] = {}

    def keep(rows: Sequence[tuple[int, Packed]]) -> None:
        found.update(rows)
        for number, _ in rows:
            counter.finish(number)

    try:
        chosen = executor_of(executor, workers, traffic, counter.at)
        try:
            drive(tasks, range(len(tasks)), chosen, keep)
        except BaseException:
            counter.stop.set()
            raise
        finally:
            chosen.close()
    except KeyboardInterrupt as error:
        raise Interrupted("interrupted; nothing was written") from error
    return [found[number] for number in range(len(tasks))]


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


class _Counter:
    """Adds up progress over threads, and carries the word to stop."""

    def __init__(self, totals: Sequence[int], progress: Progress | None) -> None:
        self._done = [0] * len(totals)
        self._totals = totals
        self._finished = 0
        self._progress = progress
        self._lock = threading.Lock()
        self.stop = threading.Event()

    def at(self, index: int, requests: int) -> None:
        """A task has replayed so many requests."""
        if self.stop.is_set():
            raise Interrupted("interrupted")
        with self._lock:
            self._done[index] = min(requests, self._totals[index])
            self._report()

    def finish(self, index: int) -> None:
        """A task is done."""
        with self._lock:
            self._done[index] = self._totals[index]
            self._finished += 1
            self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(
                Status(sum(self._done), sum(self._totals), self._finished, len(self._totals))
            )


_PAYLOAD = (
    "sizes in fp8, int8 and int4 are those of the parameters alone: a quantised file adds scales "
    "and keeps embeddings and norms in 16 bits, which service.architecture would count"
)


def _meta(
    points: Sequence[Point], load: Callable[[str, int], Traffic], rows: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    """Where the numbers come from; nothing that changes from one run to the next."""
    seen: dict[str, dict[str, Any]] = {}
    for point in points:
        traffic = load(point.scenario.trace, point.scenario.seed)
        seen[traffic.content_hash] = {
            "source": traffic.source,
            "content_hash": traffic.content_hash,
            "requests": traffic.requests,
            "duration_s": traffic.duration_s,
        }
    dates = {price["as_of"] for row in rows for price in row["prices"] if price["as_of"]}
    return {
        "name": points[0].scenario.name if points else "",
        "versions": {
            "modeler": modeler.__version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "numba")},
        },
        "traces": list(seen.values()),
        "price_dates": sorted(dates),
        "seed": points[0].scenario.seed if points else 0,
        "notes": [_PAYLOAD] if any(point.payload for point in points) else [],
    }
