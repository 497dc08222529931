"""The most there may be against the most that comes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from modeler.replay.per_request_setup import capacity_of
from modeler.scenario import format_duration
from modeler.scenario.policy import PerRequest
from modeler.scenario.weather import InsufficientCapacity
from modeler.study.doctor.facts import Facts
from modeler.study.doctor.findings import Cure, Finding, Held, Severity
from modeler.study.doctor.sizing import replicas_for
from modeler.study.doctor.targets import HEALTHY
from modeler.study.doctor.tracked import tracked


def cap_below_peak(facts: Facts) -> Iterator[Finding]:
    """All replicas together serve less than the busiest minute, hour or the mean brings."""
    if facts.per_request:
        return
    capacity_rps = facts.most * facts.replica_rps
    if capacity_rps >= facts.peak_rps:
        return
    fixed = facts.policies[0][1].kind == "fixed"
    path = f"{facts.policies[0][0]}.replicas" if fixed else "fleet.max"
    share = max((one.share for one in tracked(facts) if one.share < 1.0), default=HEALTHY)
    needed = replicas_for(facts, facts.peak_rps, share)
    hourly = capacity_rps < facts.busiest_hour_rps
    severity: Severity = "critical" if hourly else "warning"
    rate, when = facts.peak_rps, "busiest minute"
    if hourly:
        rate, when = facts.busiest_hour_rps, "busiest hour"
    if capacity_rps < facts.mean_rps:
        rate, when = facts.mean_rps, "mean of all the traffic"
    yield Finding(
        "cap-below-peak",
        severity,
        (path,),
        (
            facts.setting(path, "replicas at most", facts.most),
            Held("one serves", facts.replica_rps, "requests/s"),
            Held("all serve", capacity_rps, "requests/s"),
            Held("busiest minute", facts.peak_rps, "requests/s"),
            Held("busiest hour", facts.busiest_hour_rps, "requests/s"),
        ),
        f"{facts.most} replicas serve {capacity_rps:.3g} requests a second and the {when} brings "
        f"{rate:.3g}: the queue grows whatever the policy does.",
        Cure(f"permit {needed} replicas", {path: needed}),
        "documented",
        "arithmetic: slots over mean service time, a replica",
    )


def cap_of_environments(facts: Facts) -> Iterator[Finding]:
    """Environments at most, against the requests that are in service at once."""
    policy = facts.scenario.in_force[0]
    if not facts.per_request or not isinstance(policy, PerRequest):
        return
    cap = capacity_of(facts.scenario).cap or math.inf
    busy = facts.peak_rps * facts.mean_service_s
    if cap >= busy:
        return
    hosting: Any = facts.scenario.hosting
    limits = {"hosting.account_concurrency": hosting.account_concurrency}
    if getattr(hosting, "reserved_concurrency", None) is not None:
        limits["hosting.reserved_concurrency"] = hosting.reserved_concurrency
    if hasattr(hosting, "max_concurrency"):
        limits["hosting.max_concurrency"] = hosting.max_concurrency
    if policy.max_environments is not None:
        limits["policy.max_environments"] = policy.max_environments
    needed = math.ceil(1.2 * busy)
    binding = {path: needed for path, value in limits.items() if value < needed}
    throttled = 100.0 * (1.0 - cap / busy)
    most = 200 if "hosting.max_concurrency" in binding else math.inf
    cure = Cure(f"permit {needed} environments, a fifth above the busiest minute", binding)
    if needed > most:
        cure = Cure(f"an endpoint has {most:g} at most: spread the traffic over "
                    f"{math.ceil(needed / most)}, or serve it from replicas")  # fmt: skip
    yield Finding(
        "concurrency-cap-below-peak",
        "critical",
        tuple(binding),
        (
            Held("environments at most", cap),
            Held("busiest minute", facts.peak_rps, "requests/s"),
            Held("mean service time", facts.mean_service_s, "s"),
            Held("in service at once", busy, "requests"),
        ),
        f"The busiest minute keeps {busy:,.0f} requests in service at once and {cap:g} may be: "
        f"about {throttled:.0f} % of it is throttled.",
        cure,
        "documented",
        "Lambda developer guide, scaling behavior; SageMaker developer guide, serverless endpoints",
    )


def no_fallback(facts: Facts) -> Iterator[Finding]:
    """No instance can be had for a while, and none other is asked for."""
    for i, block in enumerate(facts.scenario.weather):
        if not isinstance(block, InsufficientCapacity) or block.fallback is not None:
            continue
        own = facts.scenario.hosting.instance
        needed = min(replicas_for(facts, facts.busiest_hour_rps), facts.most)
        if block.instance not in (None, own) or facts.least >= needed:
            continue
        yield Finding(
            "no-fallback-capacity",
            "warning",
            (f"weather.{i}.fallback", "fleet.min"),
            (
                Held("without capacity for", block.for_s, "s", f"weather.{i}.for_s"),
                facts.setting("fleet.min", "replicas at least", facts.least),
                Held("replicas of the busiest hour", needed),
            ),
            f"No {own} can be had for {format_duration(block.for_s)} and no other type is asked "
            f"for: the fleet stays as it is, at {facts.least} perhaps, where the busiest hour "
            f"takes {needed}.",
            Cure(
                f"name a second type (weather.{i}.fallback), or hold {needed} replicas",
                facts.at_least(needed),
            ),
            "observed",
            "InsufficientInstanceCapacity of GPU types; SageMaker tries the same type again",
        )


CHECKS: Final = (cap_below_peak, cap_of_environments, no_fallback)
