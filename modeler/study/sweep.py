"""The main job: one scenario becomes many, each is replayed and judged, the rows become a verdict.

Scenarios share the trace (one read-only copy) and the random numbers (service times by request,
cold starts by replica), so that a difference between two rows is the settings' and not luck's.
"""

from __future__ import annotations

import dataclasses
import platform
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import modeler
import pricing
import traces
from modeler.measure import Outcome, judge, unit_price
from modeler.predict import ModelDoesNotFit, ServiceError, instance_of
from modeler.replay import StartsTooSlowly
from modeler.replay.run import Traffic, run
from modeler.scenario import Scenario, ScenarioError, scenario_id, with_values
from modeler.study.grid import Point, grid
from modeler.study.presets import Preset
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
    level, or whose waits do not break it where service times alone do.
    """

    meta: dict[str, Any]
    rows: tuple[dict[str, Any], ...]
    references: tuple[dict[str, Any], ...]
    verdict: str
    points: tuple[Point, ...]

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


class Interrupted(Exception):
    """The sweep was told to stop before it was done."""

    exit_code = 130


def sweep(
    scenario: Scenario,
    *,
    sizes: Sequence[str | int] | None = None,
    precisions: Sequence[str] = (),
    settings: Mapping[str, Sequence[Any]] | None = None,
    presets: Sequence[Preset] = (),
    workers: int = 1,
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
    workers : int. Threads; the replay releases the interpreter's lock. The result is the same to
        the byte for any number.
    references : bool. Also find the smallest fixed fleet that keeps the service level.
    progress : called with a `Status` now and then.
    trace : optional. The traffic, instead of what ``scenario.trace`` names.

    Returns
    -------
    SweepResult

    Raises
    ------
    ScenarioError, pricing.UnknownInstance, pricing.UnknownRegion, traces.TraceError : what was
        asked for does not exist. A model that does not fit, or a missing price, is a failed row.
    Interrupted : by Ctrl-C; nothing has been written.
    """
    points = grid(scenario, sizes=sizes, precisions=precisions, settings=settings, presets=presets)
    load = _loader(trace)
    for point in points:
        if point.error is None:
            _check_names(point.scenario)
        load(point.scenario.trace, point.scenario.seed)
    tasks = points + _reference_points(points, scenario.hosting.kind) if references else points
    counter = _Counter([load(p.scenario.trace, p.scenario.seed).requests for p in tasks], progress)

    def work(index: int) -> dict[str, Any]:
        point = tasks[index]
        traffic = load(point.scenario.trace, point.scenario.seed)
        if index < len(points):
            row = _row(point, traffic, lambda done: counter.at(index, done))
        else:
            row = _reference(point, traffic, lambda done: counter.at(index, done))
        counter.finish(index)
        return row

    rows = _in_parallel(work, len(tasks), workers, counter)
    own, others = rows[: len(points)], rows[len(points) :]
    mark_pareto(own)
    mark_pareto([row for row in others if row])
    return SweepResult(
        meta=_meta(points, load, own),
        rows=tuple(own),
        references=tuple(row for row in others if row),
        verdict=verdict(own, [row for row in others if row]),
        points=tuple(points),
    )


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


def _row(point: Point, traffic: Traffic, progress: Callable[[int], None]) -> dict[str, Any]:
    """Replay and judge one scenario; what cannot be done is a failed row with its reason."""
    if point.error is not None:
        return _failed(point, point.error)
    try:
        price = unit_price(point.scenario)
        outcome = judge(run(point.scenario, traffic, progress=progress), price=price)
    except (ModelDoesNotFit, ServiceError, StartsTooSlowly, pricing.PricingError) as error:
        return _failed(point, error)
    row = outcome.to_dict()
    return _ordered(row, point)


def _ordered(row: dict[str, Any], point: Point) -> dict[str, Any]:
    head = {
        "scenario_id": row["scenario_id"],
        "settings": point.settings,
        "preset": point.preset.name if point.preset else None,
        "preset_note": (point.preset.note or None) if point.preset else None,
    }
    tail = ("assumptions", "seed", "status", "error")
    body = {key: value for key, value in row.items() if key not in head and key not in tail}
    return {**head, **body, "pareto": False, **{key: row[key] for key in tail}}


def _failed(point: Point, error: Exception) -> dict[str, Any]:
    """A row with every key of the others, empty where nothing is known, and the reason."""
    scenario = point.scenario
    unknown = dict.fromkeys(field.name for field in dataclasses.fields(Outcome))
    row: dict[str, Any] = {
        **unknown,
        "scenario_id": scenario_id(scenario),
        "size_bytes": scenario.model.size,
        "instance_type": scenario.hosting.instance,
        "region": scenario.hosting.region,
        "policy": " + ".join(policy.kind for policy in scenario.in_force),
        "cost_lines": [],
        "prices": [],
        "notes": [],
        "assumptions": [],
        "seed": scenario.seed,
        "status": "failed",
        "error": error.summary if isinstance(error, ScenarioError) else str(error),
    }
    return {**_ordered(row, point), "error_kind": type(error).__name__}


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


def _reference(point: Point, traffic: Traffic, progress: Callable[[int], None]) -> dict[str, Any]:
    """The smallest fixed fleet that keeps the service level, by bisection; empty if none can run.

    Where service times alone break the level, no fleet keeps it: then the smallest whose waits do
    not break it as well. With a central first-come-first-served queue no request waits longer on a
    larger fleet, so violations cannot rise with the fleet's size and bisection finds the smallest.
    """

    def fleet(replicas: int) -> dict[str, Any]:
        scenario = with_values(point.scenario, {"policy.replicas": replicas})
        row = _row(Point(scenario, point.settings), traffic, progress)
        return {**row, "label": f"fixed {replicas}"}

    low, high = 1, point.scenario.fleet.max
    best = fleet(high)
    if best["status"] != "ok":
        return {}
    judge_service = bool(best["meets_sla"])
    while low < high:
        middle = (low + high) // 2
        row = fleet(middle)
        if _keeps(row, judge_service=judge_service):
            best, high = row, middle
        else:
            low = middle + 1
    return best


def _keeps(row: dict[str, Any], *, judge_service: bool) -> bool:
    """Whether a row keeps the service level, with or without what service time alone breaks."""
    if judge_service:
        return bool(row["meets_sla"])
    causes = row["violations_by_cause"]
    by_waits = sum(causes.values()) - causes["service_time"]
    return bool(by_waits <= row["sla"]["max_violation_share"] * row["requests"])


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


def _in_parallel(
    work: Callable[[int], dict[str, Any]], count: int, workers: int, counter: _Counter
) -> list[dict[str, Any]]:
    """Run the tasks on threads; results in the order of the tasks."""
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        futures: list[Future[dict[str, Any]]] = [pool.submit(work, k) for k in range(count)]
        try:
            return [future.result() for future in futures]
        except BaseException as error:
            counter.stop.set()
            for future in futures:
                future.cancel()
            if isinstance(error, KeyboardInterrupt):
                raise Interrupted("interrupted; nothing was written") from error
            raise


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
