"""What a metric sees of an overload, and how far that lets a fleet grow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from modeler.scenario import format_duration, value_at
from modeler.study.doctor.facts import Facts
from modeler.study.doctor.findings import Cure, Finding, Held
from modeler.study.doctor.sizing import needed_at
from modeler.study.doctor.targets import HEALTHY
from modeler.study.doctor.tracked import Tracked, tracked

_SATURATES: Final = "a utilisation is a share of what is there: its proposal ends at 1 / target"
# Which metric of the same policy sees what waits.
_SEEING: Final = {
    "target_tracking": "concurrency_high_resolution",
    "hpa": "concurrency",
    "keda": "concurrency",
    "knative_kpa": "concurrency",
}


def blind_to_queue(facts: Facts) -> Iterator[Finding]:
    """A metric that ends at a full replica: the fleet grows by a fixed factor a step."""
    found = tracked(facts)
    if any(one.sees == "queue" for one in found):
        return  # the largest proposal counts
    for one in found:
        if one.sees != "busy" or one.kind == "step_scaling" or not one.acts_in_time:
            continue
        before, after = _bounds(facts, one)
        steps = growth_steps(before, after, one.share)
        if not steps:
            continue
        each_s = one.decision_s + facts.start_p95_s
        factor = 1.0 / one.share
        yield Finding(
            "metric-blind-to-queue",
            "warning" if steps > 1 else "note",
            (_metric_path(one), one.path),
            (
                Held("share of a replica that the target holds", 100.0 * one.share, "%"),
                Held("growth in a step, at most", factor, "times"),
                Held("replicas at the mean rate", before),
                Held("replicas at the busiest minute", after),
                Held("steps from one to the other", steps),
                Held("a step", each_s, "s"),
            ),
            f"{one.metric} ends at {one.full:.4g} {one.unit} however many requests wait, so that a "
            f"step adds at most {100.0 * (factor - 1.0):.0f} %: from {before} replicas to {after} "
            f"takes {steps} of them, {format_duration(steps * each_s)}.",
            _see_the_queue(facts, one),
            "documented",
            _SATURATES,
        )


def growth_steps(before: int, after: int, share: float) -> int:
    """Steps of ``ceil(replicas / share)`` from one number of replicas to another.

    >>> growth_steps(2, 10, 0.7)  # 2, 3, 5, 8, 12
    4
    """
    steps, replicas = 0, before
    while replicas < after:
        replicas = max(math.ceil(replicas / share - 1e-9), replicas + 1)
        steps += 1
    return steps


def blind_to_backlog(facts: Facts) -> Iterator[Finding]:
    """A metric of arrivals: what has piled up while replicas started is not seen."""
    found = tracked(facts)
    if any(one.sees != "arrivals" for one in found):
        return
    for one in found:
        if not one.acts_in_time or one.kind == "step_scaling":
            continue
        before, after = _bounds(facts, one)
        backlog = _backlog(facts, one, before)
        spare_rps = after * facts.replica_rps - facts.peak_rps
        drain_s = backlog / spare_rps if spare_rps > 0.0 else math.inf
        if after <= before or backlog <= 0.0 or drain_s <= facts.start_p95_s:
            continue
        yield Finding(
            "metric-blind-to-backlog",
            "note",
            (_metric_path(one), one.path),
            (
                Held("requests waiting when replicas are ready", backlog, "requests"),
                Held("spare capacity then", max(spare_rps, 0.0), "requests/s"),
                facts.start_held(),
            ),
            f"{one.metric} counts what arrives and not what waits: after a rise from the mean to "
            f"the busiest minute {backlog:,.0f} requests wait, and the fleet sized for arrivals "
            f"{_drains(drain_s)}.",
            _see_the_queue(facts, one),
            "documented",
            "SageMaker developer guide, predefined metrics: invocations, concurrent requests",
        )


def _drains(drain_s: float) -> str:
    if math.isinf(drain_s):
        return "does not catch up before the rise is over"
    return f"needs {format_duration(drain_s)} to catch up"


def overshoots(facts: Facts) -> Iterator[Finding]:
    """A metric that sees the queue, and starts so long that the queue asks for too many."""
    for one in tracked(facts):
        if one.sees != "queue" or not one.acts_in_time:
            continue
        before, after = _bounds(facts, one)
        backlog = _backlog(facts, one, before)
        in_hand = before * facts.slots + backlog
        asked = min(math.ceil(in_hand / one.target - 1e-9), facts.most)
        if backlog <= 0.0 or asked < 2 * after or asked <= after + 1:
            continue
        yield Finding(
            "backlog-overshoot",
            "warning",
            (one.path, "fleet.max"),
            (
                Held("requests waiting when replicas are ready", backlog, "requests"),
                facts.start_held(),
                Held("replicas the queue asks for", asked),
                Held("replicas the busiest minute takes", after),
            ),
            f"While replicas start ({format_duration(facts.start_p95_s)}) the queue of a rise from "
            f"the mean to the busiest minute grows to {backlog:,.0f} and asks for {asked} "
            f"replicas, where {after} are enough: the others are paid and hardly used.",
            Cure(f"cap the fleet at {2 * after - 1}", {"fleet.max": max(2 * after - 1, after + 1)}),
            "assumed",
            "a rise from the mean rate to that of the busiest minute, at once",
        )


def tolerance_hides(facts: Facts) -> Iterator[Finding]:
    """A small fleet stays above its target all the time, within the tolerance."""
    for one in tracked(facts):
        if not one.tolerance or one.sees == "waiting" or facts.least < 1:
            continue
        ratio = facts.peak_rps / (facts.least * facts.replica_rps * one.share)
        if not 1.0 < ratio <= 1.0 + one.tolerance or facts.least >= facts.most:
            continue
        target = one.target / one.scale / (1.0 + one.tolerance)
        yield Finding(
            "tolerance-hides-peak",
            "note",
            (f"{one.block_path}.tolerance", one.path),
            (
                Held("metric over target at the busiest minute", ratio, "times"),
                facts.setting(f"{one.block_path}.tolerance", "tolerance", 100 * one.tolerance, "%"),
                facts.setting("fleet.min", "replicas at least", facts.least),
            ),
            f"At its busiest minute the traffic is {100.0 * (ratio - 1.0):.1f} % above what "
            f"{facts.least} replicas hold at the target, which the tolerance of "
            f"{100.0 * one.tolerance:g} % lets pass: the policy never adds one.",
            Cure("lower the target by the tolerance, if that much load matters",
                 {one.path: float(f"{target:.3g}")}),
            "documented",
            "kubernetes.io, kube-controller-manager flags: horizontal-pod-autoscaler-tolerance",
        )  # fmt: skip


def _bounds(facts: Facts, one: Tracked) -> tuple[int, int]:
    """Replicas at the mean rate and at the busiest minute, within the bounds."""
    least, most = max(facts.least, 1), facts.most
    before, after = (needed_at(facts, one, rate) for rate in (facts.mean_rps, facts.peak_rps))
    return min(max(before, least), most), min(max(after, least), most)


def _backlog(facts: Facts, one: Tracked, before: int) -> float:
    """What waits once replicas asked for at a rise to the busiest minute are ready. [requests]"""
    excess_rps = max(facts.peak_rps - before * facts.replica_rps, 0.0)
    waits_s = min(facts.scenario.client_timeout_s, facts.scenario.queue_timeout_s)
    return excess_rps * min(one.decision_s + facts.start_p95_s, waits_s)


def _metric_path(one: Tracked) -> str:
    return f"{one.block_path}.metric"


def _see_the_queue(facts: Facts, one: Tracked) -> Cure:
    """The metric of the same policy that sees what waits, with a target of its own."""
    metric = _SEEING.get(one.kind)
    if metric is None:
        return Cure("hold a lower target, so that less has to be added at once")
    target = math.floor(100.0 * HEALTHY * facts.slots + 1e-9) / 100.0
    settings: dict[str, Any] = {f"{one.block_path}.metric": metric, one.path: target}
    # What was said of the other metric does not go with this one.
    entry = value_at(facts.scenario, one.block_path)
    for name in ("source", "target_type", "metric_type", "period_s", "window_s", "metric_delay_s"):
        if getattr(entry, name, None) is not None:
            settings[f"{one.block_path}.{name}"] = None
    return Cure("follow requests in hand, those that wait included", settings)


CHECKS: Final = (
    blind_to_queue, blind_to_backlog, overshoots, tolerance_hides,
)  # fmt: skip
