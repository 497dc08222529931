"""Scale to zero: what becomes of the requests that find no replica."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from modeler.replay.run import fates_of
from modeler.scenario import format_duration
from modeler.scenario.policy import KnativeKpa, Predictive, Scheduled, StepScaling
from modeler.scenario.policy.aws_checks import wakes_from_zero
from modeler.study.doctor.facts import Facts, threshold_s, up_to_minute
from modeler.study.doctor.findings import Cure, Finding, Held
from modeler.study.doctor.tracked import alarm_s

_KEEP_ONE: Final = "keep one replica warm"
_DAY_S: Final = 86_400.0
_WAKES: Final = "no_capacity_invocation_failures"


def first_request_lost(facts: Facts) -> Iterator[Finding]:
    """Whoever meets an empty fleet gives up, or is given up, before a replica is there."""
    if facts.per_request or facts.least > 0 or facts.scenario.from_zero == "fail":
        return
    scenario = facts.scenario
    patience = [("queue.client_timeout_s", "client timeout", scenario.client_timeout_s)]
    if scenario.from_zero == "hold":
        held_s = fates_of(scenario, facts.law).hold_timeout_s
        patience.append(("queue.hold_timeout_s", "held from zero for", held_s))
    else:
        patience.append(("queue.queue_timeout_s", "longest wait", scenario.queue_timeout_s))
    path, what, least_s = min(patience, key=lambda one: one[2])
    if least_s >= facts.start_p50_s:
        return
    needed = up_to_minute(facts.start_p95_s)
    settings = {at: needed for at, _, limit_s in patience if limit_s < needed}
    yield Finding(
        "first-request-lost",
        "critical",
        ("fleet.min", path),
        (
            Held("start (p50)", facts.start_p50_s, "s"),
            facts.setting(path, what, least_s, "s"),
            facts.setting("fleet.min", "replicas at least", facts.least),
        ),
        f"A replica takes {format_duration(facts.start_p50_s)} to start from zero and a request "
        f"waits {format_duration(least_s)} at most: every request that finds none is lost until "
        "one serves.",
        Cure(
            f"{_KEEP_ONE}, or let requests wait {format_duration(needed)} "
            f"({' '.join(f'{at}={value}' for at, value in settings.items())})",
            facts.at_least(1),
        ),
        "documented",
        "what the platform does from zero: docs/scenario.md, queue.from_zero",
    )


def zero_misses_the_level(facts: Facts) -> Iterator[Finding]:
    """Whoever waits for a start from zero is served, and later than the service level."""
    late_s = facts.start_p50_s - threshold_s(facts)
    if facts.per_request or facts.least > 0 or facts.scenario.from_zero == "fail" or late_s <= 0.0:
        return
    if any(first_request_lost(facts)):
        return  # they are not served at all
    late = max(late_s * facts.mean_rps, 1.0)
    most = facts.scenario.sla.max_violation_share
    permitted = most * facts.trace.requests / late
    days = facts.trace.duration_s / _DAY_S
    often = (
        "so that the first of them is one too many"
        if permitted < 1.0
        else f"so that {permitted / days:.2g} of them a day use up all that may be late"
        if days >= 1.0
        else f"so that {permitted:.2g} of them in all use up all that may be late"
    )
    yield Finding(
        "zero-start-over-sla",
        "critical" if permitted < 1.0 else "warning",
        ("fleet.min", "sla.threshold_s"),
        (
            Held("start (p50)", facts.start_p50_s, "s"),
            facts.setting("sla.threshold_s", "service level", threshold_s(facts), "s"),
            Held("late for each start from zero, at the mean rate", late, "requests"),
            Held("may be late in all", most * facts.trace.requests, "requests"),
        ),
        f"A replica takes {format_duration(facts.start_p50_s)} to start from zero and the service "
        f"level is {format_duration(threshold_s(facts))}: each time the fleet has gone to zero "
        f"about {late:,.0f} {'request is' if late < 1.5 else 'requests are'} late, {often}.",
        Cure(
            f"{_KEEP_ONE}, or make the start shorter than the service level",
            facts.at_least(1),
        ),
        "documented",
        "what a service level counts: docs/scenario.md, sla.threshold_s",
    )


def rejects_from_zero(facts: Facts) -> Iterator[Finding]:
    """At zero the platform refuses every request until a replica is back."""
    if facts.per_request or facts.least > 0 or facts.scenario.from_zero != "fail":
        return
    detect_s = 0.0
    for _, block in facts.policies:
        if isinstance(block, StepScaling) and block.metric == _WAKES:
            from modeler.autoscale.step_scaling import rule_of

            detect_s = alarm_s(rule_of(block, facts.context).alarm)
    dark_s = detect_s + facts.start_p50_s
    lost = dark_s * facts.mean_rps
    yield Finding(
        "rejects-from-zero",
        "critical",
        ("fleet.min", "queue.from_zero"),
        (
            Held("until a replica is asked for", detect_s, "s"),
            Held("start (p50)", facts.start_p50_s, "s"),
            Held("requests refused, at the mean rate", lost, "requests"),
        ),
        f"At zero nothing is queued here: for {format_duration(dark_s)} after the first request "
        f"every one fails, {lost:,.0f} at the mean rate, each time the fleet has gone to zero.",
        Cure(_KEEP_ONE, facts.at_least(1)),
        "documented",
        "SageMaker developer guide, scale an endpoint to zero instances; Kubernetes Services "
        "without endpoints, read 2026-09",
    )


def wake_needs_more(facts: Facts) -> Iterator[Finding]:
    """The alarm that wakes the fleet needs more failures a period than the traffic brings."""
    if facts.per_request or facts.least > 0:
        return
    for path, block in facts.policies:
        if not isinstance(block, StepScaling) or block.metric != _WAKES:
            continue
        needed = math.floor(block.threshold) + 1 if block.comparison == ">" else block.threshold
        if needed <= 1:
            continue
        period_s = block.period_s or 60.0
        expected = facts.mean_rps * period_s
        yield Finding(
            "wake-needs-several-failures",
            "critical" if expected < needed else "note",
            (f"{path}.threshold", f"{path}.comparison"),
            (
                facts.setting(f"{path}.threshold", "threshold", block.threshold, "requests"),
                Held("failures needed in a period", needed, "requests"),
                Held("requests in a period, at the mean rate", expected, "requests"),
            ),
            f"The alarm that wakes the fleet needs {needed:g} failed requests within "
            f"{format_duration(period_s)}, and {expected:.3g} come on average: one that comes "
            "alone wakes nothing.",
            Cure(
                "let a single failed request wake it",
                {f"{path}.threshold": 0 if block.comparison == ">" else 1},
            ),
            "documented",
            "SageMaker developer guide, endpoint-auto-scaling-zero-instances: greater than 1",
        )


def activation_ends(facts: Facts) -> Iterator[Finding]:
    """Knative gives an activation up that is still loading."""
    for path, block in facts.policies:
        if not isinstance(block, KnativeKpa) or block.progress_deadline_s >= facts.start_p95_s:
            continue
        needed = up_to_minute(1.2 * facts.start_p95_s)
        at = f"{path}.progress_deadline_s"
        yield Finding(
            "progress-deadline-under-start",
            "critical",
            (at,),
            (
                facts.start_held(),
                facts.setting(at, "progress deadline", block.progress_deadline_s, "s"),
            ),
            f"A pod takes {format_duration(facts.start_p95_s)} and its deployment is given up "
            f"after {format_duration(block.progress_deadline_s)}: the revision is marked failed "
            "while it loads.",
            Cure(f"allow {format_duration(needed)}", {at: needed}),
            "documented",
            "knative/serving config-deployment, progress-deadline, read 2026-09",
        )


def wakes_by_the_clock(facts: Facts) -> Iterator[Finding]:
    """Only a schedule or a forecast brings the fleet back, whatever comes meanwhile."""
    if facts.per_request or facts.least > 0:
        return
    others = [one for _, one in facts.policies if not isinstance(one, Scheduled | Predictive)]
    if any(wakes_from_zero(one) for one in others) or not any(
        wakes_from_zero(one) for _, one in facts.policies
    ):
        return
    yield Finding(
        "wakes-by-the-clock-only",
        "critical",
        ("fleet.min",),
        (facts.setting("fleet.min", "replicas at least", facts.least),),
        "From zero only a schedule or a forecast brings replicas back: what arrives in between "
        "waits or fails until then, for a metric per replica has no value where there is none.",
        Cure(_KEEP_ONE, facts.at_least(1)),
        "documented",
        "SageMaker developer guide, scale an endpoint to zero instances, read 2026-09",
    )


CHECKS: Final = (
    first_request_lost, zero_misses_the_level, rejects_from_zero, wake_needs_more, activation_ends,
    wakes_by_the_clock,
)  # fmt: skip
