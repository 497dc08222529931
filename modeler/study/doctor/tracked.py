"""What each policy follows, and what a full replica shows of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from modeler.autoscale import aws_metrics, hpa, knative_decider, sky_serve, step_scaling
from modeler.autoscale.hpa_reconcile import AVERAGE, UTILISATION
from modeler.autoscale.target_tracking import full_utilisation, metric_timing, target_of
from modeler.scenario.policy import (
    CloudRun,
    Hpa,
    Keda,
    KnativeKpa,
    RayServe,
    SkyServe,
    StepScaling,
    TargetTracking,
)
from modeler.study.doctor.facts import Facts

# What a metric sees of a fleet that is overloaded: the requests that wait as well; those that
# arrive, served or not; slots in use, which end at all of them; or only those that wait.
Sees = Literal["queue", "arrivals", "busy", "waiting"]

_AWS: Final[dict[int, Sees]] = {
    aws_metrics.REQUESTS: "arrivals",
    aws_metrics.CONCURRENCY: "queue",
    aws_metrics.BACKLOG: "queue",
    aws_metrics.QUEUE: "waiting",
    aws_metrics.UTILISATION: "busy",
}
_KUBERNETES: Final[dict[str, Sees]] = {
    "cpu_utilisation": "busy",
    "gpu_utilisation": "busy",
    "concurrency": "queue",
    "requests_per_second": "arrivals",
    "queue_length": "waiting",
}


@dataclass(frozen=True)
class Tracked:
    """A metric that a policy holds at a target, or scales out above.

    Parameters
    ----------
    block_path, path : str. Of the policy (or its entry of a list), and of the target in it.
    kind : str. Of the policy.
    metric : str. Its name in the scenario.
    sees : str. What of an overload it sees.
    target, full : float. What is held, and what a replica with every slot busy and nothing waiting
        shows, both in `unit`.
    unit : str.
    decision_s : float. From a breach until more replicas are asked for. [s]
    tolerance : float. Distance above the target that changes nothing, as a share of it. [1]
    scale : float. The target over the setting behind it. [1]
    inclusive : bool. Whether the target itself is a breach.
    """

    block_path: str
    path: str
    kind: str
    metric: str
    sees: Sees
    target: float
    full: float
    unit: str
    decision_s: float
    tolerance: float = 0.0
    scale: float = 1.0
    inclusive: bool = False

    @property
    def share(self) -> float:
        """Target over what a full replica shows. [1]"""
        return self.target / self.full

    @property
    def acts_from(self) -> float:
        """Share of a replica's capacity from which on it adds replicas. [1]"""
        return self.share * (1.0 + self.tolerance)

    @property
    def acts_in_time(self) -> bool:
        """Whether it adds replicas before every slot is busy."""
        return self.acts_from < 1.0 or (self.inclusive and self.acts_from == 1.0)


def tracked(facts: Facts) -> tuple[Tracked, ...]:
    """The metrics of every policy in force, by which it adds replicas; none of a fixed fleet."""
    found: list[Tracked] = []
    for path, block in facts.policies:
        found += _of(path, block, facts)
    return tuple(found)


def _of(path: str, block: Any, facts: Facts) -> Iterator[Tracked]:
    if facts.per_request:
        return  # what is scaled there is prepared, and no request waits for it
    if isinstance(block, TargetTracking):
        yield from _target_tracking(path, block, facts)
    elif isinstance(block, StepScaling):
        yield from _steps(path, block, facts)
    elif isinstance(block, Hpa | Keda):
        yield from _hpa(path, block, facts)
    elif isinstance(block, KnativeKpa):
        yield _knative(path, block, facts)
    elif isinstance(block, RayServe):
        yield Tracked(
            path, f"{path}.target_ongoing_requests", block.kind, "ongoing requests", "queue",
            block.target_ongoing_requests, float(facts.slots), "requests",
            block.upscale_delay_s + block.metrics_interval_s,
        )  # fmt: skip
    elif isinstance(block, SkyServe) and block.metric == "qps":
        yield Tracked(
            path, f"{path}.target_qps_per_replica", block.kind, "qps", "arrivals",
            sky_serve.target_of(block, facts.context), facts.replica_rps, "requests/s",
            block.upscale_delay_s + block.report_interval_s,
        )  # fmt: skip
    elif isinstance(block, CloudRun):
        yield Tracked(
            path, f"{path}.concurrency_target", block.kind, "concurrency", "queue",
            block.concurrency_target * facts.slots, float(facts.slots), "requests",
            block.window_s + block.decision_period_s, scale=float(facts.slots),
        )  # fmt: skip


def _target_tracking(path: str, block: TargetTracking, facts: Facts) -> Iterator[Tracked]:
    measure = aws_metrics.METRICS[block.metric].measure
    period_s, publish_s = metric_timing(block, facts.context.hosting)
    full, unit = _full(block, measure, facts, aws_metrics.MINUTE_S)
    yield Tracked(
        path, f"{path}.target", block.kind, block.metric, _AWS[measure],
        target_of(block, facts.context), full, unit,
        block.high_datapoints * period_s + publish_s + block.alarm_eval_delay_s,
    )  # fmt: skip


def _steps(path: str, block: StepScaling, facts: Facts) -> Iterator[Tracked]:
    """A step policy that adds: what its alarm watches, and the threshold as the target."""
    adds = any(step.adjustment > 0 for step in block.steps)
    measure = aws_metrics.METRICS[block.metric].measure
    if not adds or block.comparison in ("<", "<=") or measure not in _AWS:
        return
    rule = step_scaling.rule_of(block, facts.context)
    full, unit = _full(block, measure, facts, rule.alarm.period_s)
    yield Tracked(
        path, f"{path}.threshold", block.kind, block.metric, _AWS[measure], block.threshold, full,
        unit, alarm_s(rule.alarm), inclusive=block.comparison == ">=",
    )  # fmt: skip


def alarm_s(alarm: Any) -> float:
    """From a breach until an alarm acts: its datapoints, and what they take to arrive. [s]"""
    return float(alarm.needed * alarm.period_s + alarm.delay_s)


def _full(
    block: TargetTracking | StepScaling, measure: int, facts: Facts, period_s: float
) -> tuple[float, str]:
    if measure == aws_metrics.REQUESTS:
        return facts.replica_rps * period_s, f"requests in {period_s:g} s"
    if measure == aws_metrics.UTILISATION:
        return full_utilisation(block, facts.context), "%"
    return float(facts.slots), "requests"


def _hpa(path: str, block: Hpa | Keda, facts: Facts) -> Iterator[Tracked]:
    entries: Sequence[Any] = block.all_metrics if isinstance(block, Hpa) else block.all_triggers
    several = block.metrics if isinstance(block, Hpa) else block.triggers
    name = "metrics" if isinstance(block, Hpa) else "triggers"
    for i, entry in enumerate(entries):
        at = path if several is None else f"{path}.{name}.{i}"
        kind = entry.target_type if hasattr(entry, "target_type") else entry.metric_type
        if kind == "value":
            continue  # of the whole fleet: no replica's capacity stands against it
        form = AVERAGE if kind == "average_value" else UTILISATION
        cpu = entry.metric == "cpu_utilisation"
        target = entry.target
        if target is None:
            target = hpa.derived_target(entry, entry.metric, form, facts.context)
        full, unit = float(facts.slots), "requests"
        if cpu and kind == "average_value":
            full, unit = entry.busy_usage * entry.request, "of the resource"
        elif entry.metric in ("cpu_utilisation", "gpu_utilisation"):
            full, unit = 100.0 * entry.busy_usage, "%"
        elif entry.metric == "requests_per_second":
            full, unit = facts.replica_rps, "requests/s"
        tolerance = block.tolerance
        if block.behavior is not None and block.behavior.scale_up.tolerance is not None:
            tolerance = block.behavior.scale_up.tolerance
        yield Tracked(
            at, f"{at}.target", block.kind, entry.metric, _KUBERNETES[entry.metric], target, full,
            unit, _hpa_decision_s(block, entry, facts), tolerance,
        )  # fmt: skip


def _hpa_decision_s(block: Hpa | Keda, entry: Any, facts: Facts) -> float:
    read = hpa.metric(entry, entry.metric, AVERAGE, facts.context)
    # KEDA is asked for a fresh value, except of the CPU.
    fresh = isinstance(block, Keda) and entry.metric != "cpu_utilisation"
    delay_s = 0.0 if fresh and entry.metric_delay_s is None else read.delay_s
    window_s = 0.0
    if block.behavior is not None:
        window_s = block.behavior.scale_up.stabilization_window_s or 0.0
    return block.sync_period_s + delay_s + read.window_s + window_s


def _knative(path: str, block: KnativeKpa, facts: Facts) -> Tracked:
    by_rate = block.metric == "rps"
    default = block.rps_target_default if by_rate else block.concurrency_target_default
    total = knative_decider.total_value(block.container_concurrency, default, block.target)
    target = knative_decider.target_value(total, block.target_utilisation)
    full = facts.replica_rps if by_rate else float(facts.slots)
    return Tracked(
        path, f"{path}.target", block.kind, block.metric, "arrivals" if by_rate else "queue",
        target, full, "requests/s" if by_rate else "requests", block.stable_window_s,
        scale=block.target_utilisation,
    )  # fmt: skip


def cure_target(one: Tracked, share: float) -> float:
    """The value of the setting behind a target that holds a share of a replica's capacity.

    Rounded down to three digits, so that the share is not exceeded.
    """
    wanted = share * one.full / one.scale
    digits = 2 - math.floor(math.log10(wanted))
    return math.floor(wanted * 10.0**digits + 1e-9) / 10.0**digits
