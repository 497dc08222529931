"""Service times against the service level and against the patience of clients and queues."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from modeler.scenario import format_duration
from modeler.study.doctor.facts import Facts, Floats, threshold_s
from modeler.study.doctor.findings import Cure, Finding, Held


def sla_under_service(facts: Facts) -> Iterator[Finding]:
    """No fleet keeps a level that the service time alone misses."""
    limit_s = threshold_s(facts)
    allowed = facts.scenario.sla.max_violation_share
    if not facts.judged_s.size:
        return
    over = float(np.mean(facts.judged_s > limit_s))
    if over <= allowed:
        return
    kept_s = _least_kept_s(facts.judged_s, allowed)
    yield Finding(
        "sla-under-service",
        "critical",
        ("sla.threshold_s", "sla.max_violation_share"),
        (
            facts.setting("sla.threshold_s", "service level", limit_s, "s"),
            Held("requests whose service alone takes longer", 100.0 * over, "%"),
            facts.setting("sla.max_violation_share", "allowed", 100.0 * allowed, "%"),
        ),
        f"{100.0 * over:.3g} % of requests take longer than {format_duration(limit_s)} without "
        f"any wait, and {100.0 * allowed:.3g} % may: no number of replicas keeps this level.",
        Cure(
            f"promise an answer within {format_duration(kept_s)}, or serve faster: a smaller model "
            "or a larger instance",
            {"sla.threshold_s": kept_s},
        ),
        "documented",
        "arithmetic: a request takes at least its own service time",
    )


def client_timeout_under_service(facts: Facts) -> Iterator[Finding]:
    """Requests that their client gives up even where nothing waits."""
    limit_s = facts.scenario.client_timeout_s
    if not facts.service_s.size or math.isinf(limit_s):
        return
    over = float(np.mean(facts.service_s > limit_s))
    allowed = facts.scenario.sla.max_violation_share
    if over <= allowed:
        return
    kept_s = _least_kept_s(facts.service_s, allowed)
    path = "queue.client_timeout_s"
    yield Finding(
        "client-timeout-under-service",
        "critical",
        (path,),
        (
            facts.setting(path, "client timeout", limit_s, "s"),
            Held("requests whose service alone takes longer", 100.0 * over, "%"),
        ),
        f"{100.0 * over:.3g} % of requests take longer than the client waits "
        f"({format_duration(limit_s)}), though nothing stands before them: they are served in "
        "vain.",
        Cure(f"wait {format_duration(kept_s)}, where the platform lets you", {path: kept_s}),
        "documented",
        "SageMaker Runtime API reference, InvokeEndpoint: 60 s; Cloud Run, request timeout",
    )


def queue_timeout_under_service(facts: Facts) -> Iterator[Finding]:
    """A full replica frees a slot later than a request may wait for one."""
    limit_s = facts.scenario.queue_timeout_s
    if facts.per_request or limit_s >= facts.mean_service_s:
        return
    free_s = facts.mean_service_s / facts.slots
    path = "queue.queue_timeout_s"
    raised = math.ceil(facts.mean_service_s)
    yield Finding(
        "queue-timeout-under-service",
        "critical" if limit_s < free_s else "warning",
        (path,),
        (
            facts.setting(path, "longest wait", limit_s, "s"),
            Held("mean service time", facts.mean_service_s, "s"),
            Held("a full replica frees a slot every", free_s, "s"),
        ),
        f"A request may wait {format_duration(limit_s)}, less than one takes to be served "
        f"({format_duration(facts.mean_service_s)}): the queue takes no burst, it refuses it.",
        Cure(f"let requests wait {raised} s", {path: raised}),
        "assumed",
        "a queue that bridges less than one service time bridges nothing",
    )


def _least_kept_s(seconds: Floats, allowed: float) -> float:
    """The least limit, to two digits, that at most the allowed share exceeds. [s]"""
    ordered = np.sort(seconds)
    at = min(math.ceil((1.0 - allowed) * ordered.size), ordered.size) - 1
    least = float(ordered[max(at, 0)])
    unit = 10.0 ** (math.floor(math.log10(least)) - 1)
    return round(math.ceil(least / unit - 1e-9) * unit, 9)


CHECKS: Final = (sla_under_service, client_timeout_under_service, queue_timeout_under_service)
