"""Known answers about what happens when: cooldowns, several policies, schedules, concurrency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import numpy as np

from modeler.autoscale import cooldown, lambda_scaling, proportional, steps
from modeler.autoscale.cloudwatch import GREATER, LESS, breaches
from modeler.autoscale.lambda_scaling import ACCOUNT_LIMIT, ENVIRONMENTS, PERIOD_S, READINGS
from modeler.autoscale.steps import ADJUSTMENTS
from modeler.autoscale.target_tracking import COOLDOWN_S, LOW_FACTOR
from modeler.referee.conformance.inputs import Inputs
from modeler.referee.parameters import CaseError
from modeler.scenario.policy import schedule

Answer = dict[str, Any]
_COMPLETIONS: Final = ("_completes", "_completed", "_in_service", "_done")


def cooldown_interaction(case: Inputs) -> Answer:
    """What each of several actions does while cooldowns run.

    An action is a key ``.._at_s`` whose name says scale_out, scale_in or scheduled; one ending in
    ``_completes_at_s`` is the completion of the action before, which otherwise completes at once.
    """
    lengths = {
        "out": case.number("scale_out_cooldown_s", COOLDOWN_S),
        "in": case.number("scale_in_cooldown_s", COOLDOWN_S),
    }
    at = {
        key.removesuffix("_at_s"): case.number(key)
        for key in case.given_keys()
        if key.endswith("_at_s")
    }
    completions = {name: t for name, t in at.items() if name.endswith(_COMPLETIONS)}
    actions = sorted((t, name) for name, t in at.items() if name not in completions)
    memory = np.zeros(cooldown.SIZE)
    capacity = case.first("capacity", "capacity_before", "current_capacity", default=10.0)
    answer: Answer = {"scale_in_cooldown_cancelled": False}
    for t, name in actions:
        now = t + 1.0  # a completion at 0 is none
        done = next((end for what, end in completions.items() if what.startswith(f"{name}_")), t)
        locked = cooldown.locked(memory, now)
        free_at = memory[cooldown.IN_DONE] + memory[cooldown.IN_LENGTH] - 1.0
        applied, cancels = True, False
        if "scheduled" in name:
            capacity = case.first(f"{name}_capacity", default=capacity)
        elif "out" in name:
            wanted = _addition(case, name, memory, now, capacity)
            applied = wanted > capacity
            cancels = applied and locked
            if applied:
                cooldown.scaled_out(memory, now, capacity, lengths["out"])
                memory[cooldown.OUT_DONE] = done + 1.0
                capacity = wanted
                answer["scale_out_cooldown_ends_at_s"] = done + lengths["out"]
        elif "in" in name:
            applied = not locked
            if applied:
                removed = case.first(f"{name}_by", f"{name}_adjustment", default=1.0)
                cooldown.scaled_in(memory, lengths["in"])
                memory[cooldown.IN_DONE] = done + 1.0
                capacity -= abs(removed)
                answer["scale_in_cooldown_ends_at_s"] = done + lengths["in"]
        else:
            raise CaseError(f"input.{name}_at_s: neither a scale-out, a scale-in nor scheduled")
        if cancels:
            answer["scale_in_cooldown_cancelled"] = True
            answer["scale_in_cooldown_cancelled_at_s"] = t
            answer["scale_in_cooldown_ends_at_s"] = t
        answer |= _said(name, t, applied, free_at if not applied and "in" in name else None)
    rest = memory[cooldown.IN_DONE] + memory[cooldown.IN_LENGTH] - 1.0
    last = actions[-1][0] if actions else 0.0
    until = rest if memory[cooldown.IN_DONE] != 0.0 else last
    answer |= {"capacity": capacity, "next_scale_in_allowed_at_s": max(until, last)}
    return answer


def _addition(case: Inputs, name: str, memory: Any, now: float, capacity: float) -> float:
    """Capacity that an addition asks for: as given, else one replica more than there is."""
    to = case.first(f"{name}_capacity", f"{name}_to", f"{name}_to_capacity", default=None)
    if to is not None:
        return float(to)
    by = case.first(f"{name}_by", f"{name}_adjustment", f"{name}_adds", default=None)
    if by is not None:
        return float(cooldown.base_of(memory, now, capacity) + by)
    larger = case.flag(f"{name}_larger", case.flag(f"{name}_is_larger", True))
    return capacity + 1.0 if larger else capacity


def _said(name: str, t: float, applied: bool, free_at: float | None) -> Answer:
    """The fate of one action, under the names it may be asked by."""
    ran = t if applied else None
    allowed_at = t if free_at is None else max(t, float(free_at))
    return {
        f"{name}_applied": applied,
        f"{name}_executed": applied,
        f"{name}_allowed": applied,
        f"{name}_runs": applied,
        f"{name}_blocked": not applied,
        f"{name}_ignored": not applied,
        f"{name}_applied_at_s": ran,
        f"{name}_executed_at_s": ran,
        f"{name}_executes_at_s": ran,
        f"{name}_runs_at_s": ran,
        f"{name}_blocked_until_s": None if applied else free_at,
        f"{name}_allowed_at_s": allowed_at,
        f"{name}_earliest_at_s": allowed_at,
        f"{name}_allowed_from_s": allowed_at,
    }


def multiple_policies(case: Inputs) -> Answer:
    """Capacity when several policies on one target speak at once.

    Target-tracking policies remove only when all of them that may are ready to; a step policy may
    alone; of what is left the largest capacity counts.
    """
    current = case.number("current_capacity")
    rows = case.rows("proposals", None)
    rows = case.rows("policies") if rows is None else rows
    stepped: list[float] = []
    tracked: list[float] = []
    agreed = True
    for row in rows:
        kind = row.text("type", row.text("policy", "TargetTracking"))
        if kind in ADJUSTMENTS:
            value = row.first("value", "adjustment")
            least = row.number("min_adjustment_magnitude", 0.0)
            stepped.append(float(steps.adjusted(current, ADJUSTMENTS[kind], value, least)))
            continue
        if "step" in kind.lower():
            stepped.append(float(row.first("capacity", "value", "proposed_capacity")))
            continue
        wanted = _tracked(row, current)
        may_remove = not row.flag("disable_scale_in", False)
        if wanted < current and not may_remove:
            continue
        tracked.append(wanted)
        agreed &= wanted < current or not may_remove
    out = [one for one in [*stepped, *tracked] if one > current]
    less = [one for one in stepped if one < current]
    less += [one for one in tracked if one < current and agreed]
    chosen = np.nan
    for one in out or less:
        chosen = float(proportional.larger(chosen, one))
    wanted = current if np.isnan(chosen) else max(chosen, 0.0)
    after = min(max(wanted, case.number("min", 0.0)), case.number("max", np.inf))
    action = "scale_out" if after > current else "scale_in" if after < current else "none"
    return {"capacity": after, "change": after - current, "action": action}


def _tracked(row: Inputs, current: float) -> float:
    """Capacity a target-tracking policy proposes; the current one when it is not ready."""
    given = row.first("capacity", "value", "proposed_capacity", default=None)
    metric, target = row.number("metric_value", None), row.number("target", None)
    if metric is None and not isinstance(row.raw("metric", None), str):
        metric = row.number("metric", None)
    ready = row.text("ready", "") if isinstance(row.raw("ready", None), str) else None
    is_ready = True if ready is not None else row.flag("ready", True)
    ready = (ready or row.text("direction", row.text("action", ""))).lower()
    if not is_ready or "none" in ready or "insufficient" in ready:
        return current
    if given is not None:
        return float(given)
    if metric is not None and target is not None:
        load = metric * current
        if breaches(metric, GREATER, target) or breaches(metric, LESS, LOW_FACTOR * target):
            return float(proportional.capacity_for(load, target))
        return current
    if "out" in ready:
        return current + 1.0
    return current - 1.0 if "in" in ready else current


def scheduled_action(case: Inputs) -> Answer:
    """Capacity after a scheduled action, and when it runs next."""
    answer: Answer = {}
    expression = case.text("schedule", None)
    if expression is not None:
        zone = case.text("timezone", "UTC")
        try:
            schedule.check(expression, zone)
            begins = case.text("start_time", None)
            after = schedule.moment(case.text("after", case.text("now", "1970-01-01T00:00:00")))
            until = case.text("end_time", None)
            last = after + timedelta(days=366 * 8) if until is None else schedule.moment(until)
            found = schedule.firings(
                expression, zone, after, last,
                begins=None if begins is None else schedule.moment(begins),
            )  # fmt: skip
            first = next(found, None)
        except schedule.ScheduleError:
            case.ignore("start_time", "end_time", "after", "now", "current_capacity")
            case.ignore("new_min", "new_max", "min", "max", "current_min", "current_max")
            return {"error": True}
        at = None if first is None else first.strftime("%Y-%m-%dT%H:%M:%SZ")
        answer = {"fires_at": at, "next_at": at, "runs_at": at, "fires": at is not None}
    current = case.number("current_capacity", None)
    if current is not None:
        least = case.first("new_min", "min", "current_min", default=0.0)
        most = case.first("new_max", "max", "current_max", default=np.inf)
        if least > most:
            return {"error": True}
        after_it = min(max(current, least), most)
        answer |= {"capacity": after_it, "changed": after_it != current}
    if not answer:
        raise CaseError("input.current_capacity or input.schedule is missing")
    return answer


def serverless_concurrency(case: Inputs) -> Answer:
    """Which of several simultaneous requests a serverless endpoint takes, and how many start cold.

    One environment serves one request; what exceeds the endpoint's or the account's concurrency is
    refused, not queued. Source: sagemaker/latest/dg/serverless-endpoints.html, read 2026-09.
    """
    limit = case.number("max_concurrency", None)
    provisioned = case.number("provisioned_concurrency", 0.0)
    memory_gb = case.number("memory_gb", 1.0)
    in_flight, new = case.number("in_flight", 0.0), case.number("new_requests", 0.0)
    elsewhere = case.first("account_in_flight", "other_in_flight", default=0.0)
    account = case.number("account_limit", np.inf)
    held_warm = case.first("warm_environments", "warm", default=0.0)
    if memory_gb not in range(1, 7) or (limit is not None and not 1 <= limit <= 200):
        return {"error": True}
    if limit is not None and provisioned > limit:
        return {"error": True}
    throttled = float(
        max(
            lambda_scaling.throttled(np.inf if limit is None else limit, in_flight, new),
            lambda_scaling.throttled(account, in_flight + elsewhere, new),
        )
    )
    accepted = new - throttled
    warm = max(held_warm, provisioned, in_flight)
    cold = float(lambda_scaling.spill(warm, in_flight + accepted))
    return {
        "throttled": throttled,
        "accepted": accepted,
        "served": accepted,
        "queued": 0.0,
        "cold_starts": cold,
        "in_flight": in_flight + accepted,
    }


def lambda_burst(case: Inputs) -> Answer:
    """How many environments a function may add in some seconds, and how long a demand takes."""
    reading = READINGS[case.text("reading", "bucket", choices=tuple(READINGS))]
    burst = case.number("burst", ENVIRONMENTS)
    per_s = burst / case.number("window_s", PERIOD_S)
    limit = float(
        lambda_scaling.concurrency_limit(
            case.number("account_limit", ACCOUNT_LIMIT),
            case.first("reserved", "reserved_concurrency", default=-1.0),
            case.first("reserved_by_others", "reserved_elsewhere", default=0.0),
        )
    )
    held = case.number("start_concurrency", 0.0)
    demand = case.number("demand", np.inf)
    provisioned = case.number("provisioned_concurrency", 0.0)
    seconds = case.number("seconds", 0.0)
    wanted = max(demand - max(held, provisioned), 0.0)
    room = float(lambda_scaling.room(limit, max(held, provisioned)))
    rate = float(lambda_scaling.startable(reading, burst, per_s, seconds))
    new = min(wanted, room, rate)
    reachable = min(wanted, room)
    full_s = (
        float(lambda_scaling.time_to_start(reading, burst, per_s, reachable))
        if np.isfinite(reachable)
        else None
    )
    by_rate = min(wanted, rate) <= room
    return {
        "max_new_environments": new,
        "new_environments": new,
        "concurrency": held + new,
        "throttled": max(demand - max(held, provisioned) - new, 0.0),
        "seconds_to_start_all": full_s,
        "seconds_to_reach_demand": full_s if wanted <= room else None,
        "seconds": full_s,
        "limited_by": "rate" if by_rate else "account",
    }


KINDS: Final[dict[str, Callable[[Inputs], Answer]]] = {
    "cooldown_interaction": cooldown_interaction,
    "multiple_policies": multiple_policies,
    "scheduled_action": scheduled_action,
    "serverless_concurrency": serverless_concurrency,
    "lambda_burst": lambda_burst,
}
