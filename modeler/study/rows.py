"""One row of a sweep: a scenario replayed and judged, or the smallest fixed fleet that would do.

What cannot be replayed is a row too, with its reason: one scenario never ends a sweep.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from modeler.measure import Outcome, judge, unit_price
from modeler.replay.run import Traffic, run
from modeler.scenario import ScenarioError, scenario_id, with_values
from modeler.study.bands import replicated
from modeler.study.grid import Point
from modeler.study.level import level_of

Progress = Callable[[int], None]


class Interrupted(Exception):
    """The sweep was told to stop before it was done."""

    exit_code = 130


def scenario_row(
    point: Point,
    traffic: Traffic,
    progress: Progress,
    replicates: int = 0,
    lead_s: float | None = None,
) -> dict[str, Any]:
    """Replay and judge one scenario; what cannot be done is a failed row with its reason."""
    if point.error is not None:
        return failed_row(point, point.error)
    try:
        price = unit_price(point.scenario)
        outcome = judge(run(point.scenario, traffic, progress=progress), price=price)
        bands = None
        if replicates:
            each = traffic.requests
            bands = replicated(
                point.scenario,
                traffic,
                replicates,
                lead_s=lead_s,
                progress=lambda done: progress(each * (1 + done)),
            )
    except Interrupted:
        raise
    except Exception as error:
        return failed_row(point, error)
    row = _ordered({**outcome.to_dict(), "uncertainty": bands}, point)
    if bands is not None:
        bands["keeps"] = level_of(row)
    return row


def _ordered(row: dict[str, Any], point: Point) -> dict[str, Any]:
    head = {
        "scenario_id": row["scenario_id"],
        "settings": point.settings,
        "preset": point.preset.name if point.preset else None,
        "preset_note": (point.preset.note or None) if point.preset else None,
    }
    tail = ("assumptions", "seed", "status", "error")
    body = {key: value for key, value in row.items() if key not in head and key not in tail}
    body.setdefault("uncertainty", None)
    return {**head, **body, "pareto": False, **{key: row[key] for key in tail}}


def failed_row(point: Point, error: Exception) -> dict[str, Any]:
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


def reference_row(
    point: Point,
    traffic: Traffic,
    progress: Progress,
    replicates: int = 0,
    lead_s: float | None = None,
) -> dict[str, Any]:
    """The smallest fixed fleet that keeps the service level, by bisection; empty if none can run.

    Where service times alone break the level, no fleet keeps it: then the smallest whose waits do
    not break it as well. With a central first-come-first-served queue no request waits longer on a
    larger fleet, so violations cannot rise with the fleet's size and bisection finds the smallest.
    That one alone is replicated.
    """

    def fleet(replicas: int, count: int = 0) -> dict[str, Any]:
        scenario = with_values(point.scenario, {"policy.replicas": replicas})
        row = scenario_row(Point(scenario, point.settings), traffic, progress, count, lead_s)
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
    if replicates:
        best = fleet(high, replicates)
    return best if best["status"] == "ok" else {}


def _keeps(row: dict[str, Any], *, judge_service: bool) -> bool:
    """Whether a row keeps the service level, with or without what service time alone breaks."""
    if judge_service:
        return bool(row["meets_sla"])
    causes = row["violations_by_cause"]
    by_waits = sum(causes.values()) - causes["service_time"]
    return bool(by_waits <= row["sla"]["max_violation_share"] * row["requests"])
