"""Scale per request: environments that start while the request waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from modeler.scenario import format_duration
from modeler.study.doctor.facts import Facts, up_to_minute
from modeler.study.doctor.findings import Cure, Finding, Held

_SCALING: Final = "Lambda developer guide, scaling behavior, read 2026-09"


def cold_request_lost(facts: Facts) -> Iterator[Finding]:
    """Who starts an environment gives up before it serves."""
    limit_s = facts.scenario.client_timeout_s
    if not facts.per_request or limit_s >= facts.start_p50_s:
        return
    path = "queue.client_timeout_s"
    needed = up_to_minute(facts.start_p95_s + facts.mean_service_s)
    yield Finding(
        "cold-request-lost",
        "critical",
        (path,),
        (
            Held("start (p50)", facts.start_p50_s, "s"),
            facts.setting(path, "client timeout", limit_s, "s"),
        ),
        f"An environment takes {format_duration(facts.start_p50_s)} to start and the client waits "
        f"{format_duration(limit_s)}: every request that starts one is lost, and one that is "
        "prepared ahead, or a smaller model, is the way out where the platform sets the limit.",
        Cure(f"let clients wait {format_duration(needed)}", {path: needed}),
        "documented",
        "SageMaker Runtime API reference, InvokeEndpoint: 60 s",
    )


def provisioned_stays(facts: Facts) -> Iterator[Finding]:
    """Environments prepared ahead whose number nobody changes."""
    hosting: Any = facts.scenario.hosting
    if not facts.per_request or not hosting.provisioned_concurrency or len(facts.policies) > 1:
        return
    busy = min(facts.busiest_hour_rps * facts.mean_service_s, float(hosting.cap))
    if busy <= hosting.provisioned_concurrency:
        return
    path = "hosting.provisioned_concurrency"
    needed = int(-(-busy // 1))
    yield Finding(
        "provisioned-does-not-scale",
        "note",
        (path, "policies"),
        (
            facts.setting(path, "prepared", hosting.provisioned_concurrency, "environments"),
            Held("in service at once in the busiest hour", busy, "requests"),
        ),
        f"{hosting.provisioned_concurrency} environments are prepared, always as many, and the "
        f"busiest hour keeps {busy:.3g} busy: the others start cold.",
        Cure(f"prepare {needed}, or let target tracking on their utilisation scale them",
             {path: needed}),
        "documented",
        "Lambda developer guide, provisioned concurrency and Application Auto Scaling",
    )  # fmt: skip


def burst_below_rise(facts: Facts) -> Iterator[Finding]:
    """More new environments at a rise than the platform starts at once."""
    hosting: Any = facts.scenario.hosting
    if hosting.kind != "lambda" or hosting.burst == "none":
        return
    rise = (facts.peak_rps - facts.mean_rps) * facts.mean_service_s
    if rise <= hosting.burst_environments:
        return
    rate = hosting.burst_environments / hosting.burst_period_s
    late_s = (rise - hosting.burst_environments) / rate
    path = "hosting.provisioned_concurrency"
    needed = int(rise - hosting.burst_environments) + 1
    yield Finding(
        "burst-below-rise",
        "warning",
        ("hosting.burst_environments", path),
        (
            Held("new environments from the mean to the busiest minute", rise, "environments"),
            facts.setting("hosting.burst_environments", "started at once at most",
                          hosting.burst_environments, "environments"),
            Held("the last of them late by", late_s, "s"),
        ),
        f"From the mean to the busiest minute {rise:,.0f} environments have to start and "
        f"{hosting.burst_environments:,} may at once: the last comes {format_duration(late_s)} "
        "late, and requests are throttled until then.",
        Cure(f"prepare {needed} ahead of the busy time"),
        "documented",
        _SCALING,
    )  # fmt: skip


CHECKS: Final = (cold_request_lost, provisioned_stays, burst_below_rise)
