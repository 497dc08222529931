"""What the checks look at, to be drawn: the times of starts, limits, policies and traffic, and how
full replicas are held and would be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from modeler.autoscale import step_scaling, target_tracking
from modeler.replay.machines_setup import nodes_of, start_limit_s
from modeler.replay.per_request_setup import capacity_of
from modeler.replay.run import fates_of
from modeler.scenario.policy import StepScaling, TargetTracking
from modeler.scenario.weather import SpotReclaim
from modeler.study.doctor.facts import Facts, Floats, threshold_s
from modeler.study.doctor.removals import removals
from modeler.study.doctor.scale_in import day_profile, ramp_down_s
from modeler.study.doctor.spans import Group, Level, Overview, Span
from modeler.study.doctor.tracked import tracked

# A phase that takes less than this share of a start is not told apart.
_SMALL: Final = 0.03
_WORDS: Final = {"period_s": "metric period"}


def overview_of(facts: Facts) -> Overview:
    """What is known of a scenario without a replay; infinite and absent times are left out."""
    spans = [*_starts(facts), *_limits(facts), *_requests(facts), *_policies(facts)]
    spans += _traffic(facts)
    known = [one for one in spans if one.low_s > 0.0 and math.isfinite(one.high_s)]
    return Overview(tuple(known), tuple(_levels(facts)))


def _of_many(group: Group, what: str, seconds: Floats) -> Span:
    low_s, high_s = (float(one) for one in np.quantile(seconds, (0.5, 0.95)))
    return Span(group, what, low_s, high_s)


def _starts(facts: Facts) -> Iterator[Span]:
    yield _of_many("start", "all of it", facts.ready_s)
    if len(facts.law.phases) < 2:
        return
    table = facts.law.sample(0, facts.ready_s.size)
    lasts_s = table.ends_s - table.starts_s
    for k, name in enumerate(facts.law.phases):
        phase = _of_many("start", name.replace("_", " "), lasts_s[:, k])
        if phase.high_s >= _SMALL * facts.start_p95_s:
            yield phase


def _limits(facts: Facts) -> Iterator[Span]:
    scenario, hosting = facts.scenario, facts.scenario.hosting
    if hosting.kind == "sagemaker_serverless":
        yield _one("limit", "health check", hosting.health_check_s, "hosting.health_check_s")
    elif not facts.per_request:
        yield _one(
            "limit",
            "start given up, from the container on",
            start_limit_s(scenario),
            "cold_start.start_limit_s",
        )
    nodes: Any = nodes_of(scenario)
    for key in ("launch_timeout_s", "registration_timeout_s", "max_provision_s"):
        yield _one("limit", _words(key), getattr(nodes, key, None), f"hosting.nodes.{key}")
    for i, block in enumerate(scenario.weather):
        if isinstance(block, SpotReclaim) and hosting.purchase == "spot":
            yield _one("limit", "Spot notice", block.notice_s, f"weather.{i}.notice_s")


def _requests(facts: Facts) -> Iterator[Span]:
    scenario = facts.scenario
    if facts.service_s.size:
        yield _of_many("request", "being served", facts.service_s)
    else:
        yield _one("request", "being served, mean", facts.mean_service_s)
    yield _one("request", "service level", threshold_s(facts), "sla.threshold_s")
    yield _one("request", "client waits", scenario.client_timeout_s, "queue.client_timeout_s")
    yield _one("request", "longest wait", scenario.queue_timeout_s, "queue.queue_timeout_s")
    if facts.least == 0 and scenario.from_zero == "hold" and not facts.per_request:
        held_s = fates_of(scenario, facts.law).hold_timeout_s
        yield _one("request", "held from zero", held_s, "queue.hold_timeout_s")


def _policies(facts: Facts) -> Iterator[Span]:
    several = len(facts.policies) > 1
    for path, block in facts.policies:
        of = f" ({_words(block.kind)})" if several else ""
        for key, value_s in _settings(block, facts):
            at = f"{path}.{key}"
            yield _one("policy", f"{_WORDS.get(key, _words(key))}{of}", value_s, at)
    for one in tracked(facts):
        yield _one("policy", f"adds ({_words(one.metric)})", one.decision_s)
    for gone in removals(facts):
        what = "takes the last" if gone.to_zero else "takes away"
        yield _one("policy", what, gone.hold_s, gone.path)
    yield _one("policy", "billed on after", facts.scenario.release_s, "hosting.release_s")


def _settings(block: Any, facts: Facts) -> Iterator[tuple[str, float | None]]:
    """The times of a policy's own settings, those it derives included."""
    if isinstance(block, TargetTracking):
        if not facts.per_request:
            rule = target_tracking.rule_of(block, facts.context)
            yield "period_s", rule.high.period_s
            yield "scale_out_cooldown_s", rule.out_cooldown_s
            yield "scale_in_cooldown_s", rule.in_cooldown_s
    elif isinstance(block, StepScaling):
        step = step_scaling.rule_of(block, facts.context)
        yield "period_s", step.alarm.period_s
        yield "cooldown_s", step.credit_s or step.cooldown_s
    else:
        held = {one.path.rpartition(".")[2] for one in removals(facts)}  # told where they act
        yield from (
            (key, value)
            for key, value in vars(block).items()
            if key.endswith("_s") and key not in held and isinstance(value, float | int)
        )


def _traffic(facts: Facts) -> Iterator[Span]:
    profile = day_profile(facts)
    if profile is not None and float(profile.max()) > float(profile.min()):
        yield _one("traffic", "daily fall", ramp_down_s(profile))


def _levels(facts: Facts) -> Iterator[Level]:
    for one in tracked(facts):
        if one.sees != "waiting":
            at = (one.path, f"{one.block_path}.metric")
            yield Level(f"target, {_words(one.metric)}", one.target, one.full, one.unit, at)
    asked = (
        ("traffic, mean", facts.mean_rps),
        ("traffic, busiest hour", facts.busiest_hour_rps),
        ("traffic, busiest minute", facts.peak_rps),
    )
    full, unit, per_rps = facts.most * facts.replica_rps, "requests/s", 1.0
    first = facts.policies[0]
    path = f"{first[0]}.replicas" if first[1].kind == "fixed" else "fleet.max"
    paths: tuple[str, ...] = (path,)
    if facts.per_request:
        cap = capacity_of(facts.scenario).cap
        if not cap:
            return
        full, unit, per_rps = float(cap), "at once", facts.mean_service_s
        paths = ("hosting.account_concurrency", "hosting.reserved_concurrency",
                 "hosting.max_concurrency", "policy.max_environments")  # fmt: skip
    for k, (what, rate_rps) in enumerate(asked):
        # What is found of the cap is found at the busiest time.
        yield Level(what, rate_rps * per_rps, full, unit, paths if k == len(asked) - 1 else ())


def _one(group: Group, what: str, value_s: float | None, path: str = "") -> Span:
    value_s = math.inf if value_s is None else float(value_s)
    return Span(group, what, value_s, value_s, path)


def _words(key: str) -> str:
    return key.removesuffix("_s").replace("_", " ")
