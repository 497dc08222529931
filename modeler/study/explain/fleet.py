"""What the fleet was and what it went by: target, settings, replicas, machines, utilisation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from modeler.autoscale import aws_metrics as a
from modeler.replay import layout as m
from modeler.scenario import settings_in_force
from modeler.scenario.figures import FIGURES
from modeler.study.explain.arithmetic import PRODUCT, QUOTIENT, SUM, Line, read, step
from modeler.study.replay import Replay

_RECORDS: Final = "the replay's records of each replica"
_SETTINGS: Final = {
    "size_bytes": "model.size",
    "slots": "fleet.slots",
    "client_timeout_s": "queue.client_timeout_s",
    "sla.threshold_s": "sla.threshold_s",
    "sla.max_violation_share": "sla.max_violation_share",
    "seed": "seed",
}
_COUNTS: Final = {
    "replicas.peak": "most replicas in service at once",
    "replicas.started": "replicas asked for, but for those warm at the start",
    "replicas.decisions": "decisions that changed the capacity",
    "instances.places": "replicas an instance holds",
    "instances.started": "instances asked for after the start",
    "instances.mean": "instances up or on their way, over the run",
    "instances.peak": "most instances up or on their way at once",
    "instances.reclaimed": "instances taken back by the provider",
    "instances.zone_lost": "instances lost with their zone",
    "instances.failed_starts": "starts that failed",
    "instances.given_up": "requests for an instance that were given up",
    "instances.lost_in_service": "requests lost in service with their instance",
    "environments.cold": "requests that waited for the start of an environment",
    "environments.throttled_by_cap": "requests refused for good at the most environments allowed",
    "environments.throttled_by_burst": "requests refused for good beyond the rate of starts",
    "environments.on_provisioned": "requests served by provisioned environments",
    "environments.peak": "most environments at once, provisioned ones included",
    "environments.mean_running": "on-demand environments with a request, over the run",
    "environments.mean_idle": "on-demand environments without one, over the run",
}


def counted(done: Replay, figure: str) -> list[Line]:
    """What the replay counted of its fleet."""
    group, _, key = figure.partition(".")
    if key.startswith("laws."):
        laws = done.outcome.instances or {}
        words = "replicas that started by this law"
        return [read(figure, laws["laws"][key.removeprefix("laws.")], "replicas", _RECORDS, words)]
    value = getattr(done.outcome, group)[key]
    return [read(figure, value, FIGURES[figure], "counted by the replay", _COUNTS[figure])]


def setting(done: Replay, figure: str) -> list[Line]:
    """What the scenario says, or leaves to a default."""
    path = _SETTINGS[figure]
    value: Any = done.outcome.to_dict()
    for part in figure.split("."):
        value = value[part]
    return [read(figure, value, FIGURES.get(figure, ""), _source(done, path), path)]


def _source(done: Replay, path: str) -> str:
    """Origin and source of a setting in force."""
    for row in settings_in_force(done.run.scenario):
        if row.path == path:
            return f"{row.origin}: {row.source}"
    return "the scenario"


def duration(done: Replay, figure: str) -> list[Line]:
    """The billed window: the trace and its tail, or the last finish where that is later."""
    tail_s = done.run.scenario.fleet.tail_s
    trace_s = done.run.trace.duration_s
    value = done.outcome.duration_s
    rest = value - trace_s - tail_s
    return [
        read("trace", trace_s, "s", done.run.trace.source, "its length"),
        read("fleet.tail_s", tail_s, "s", _source(done, "fleet.tail_s"), "the tail after it"),
        read("until the last finish", rest, "s", _RECORDS, "what was still under way then"),
        step(
            figure, SUM, (trace_s, tail_s, rest), value, "s", _RECORDS,
            "trace + tail + until the last finish",
        ),
    ]  # fmt: skip


def mean_replicas(done: Replay, figure: str) -> list[Line]:
    """Replica-seconds in service over the billed window."""
    result = done.run.result
    ready = np.minimum(result.replicas[:, m.READY_S], result.end_s)
    out = np.minimum(result.replicas[:, m.DRAIN_S], result.replicas[:, m.STOP_S])
    held_s = float(np.maximum(out - ready, 0.0).sum())
    line = read("in service", held_s, "replica s", _RECORDS, "from ready until out of service")
    return [line, _over(figure, held_s, result.end_s, done.outcome.replicas["mean"], "replicas")]


def utilisation(done: Replay, figure: str) -> list[Line]:
    """Busy slot-seconds over the slot-seconds of replicas that are ready or draining."""
    result = done.run.result
    ready = np.minimum(result.replicas[:, m.READY_S], result.end_s)
    up_s = float(np.maximum(result.replicas[:, m.STOP_S] - ready, 0.0).sum()) * result.slots
    return [
        read("busy", result.busy_slot_s, "slot s", _RECORDS, "slots with a request"),
        read("there", up_s, "slot s", _RECORDS, "slots of replicas ready or draining"),
        _over(figure, result.busy_slot_s, up_s, done.outcome.utilisation, "share"),
    ]


def _over(figure: str, over: float, under: float, value: float, unit: str) -> Line:
    if not under:
        return read(figure, value, unit, _RECORDS, "nothing to divide by")
    return step(figure, QUOTIENT, (over, under), value, unit, _RECORDS, "over the time there was")


def target(done: Replay, figure: str) -> list[Line]:
    """What the policy tracks: as set, or a share of what a replica can serve."""
    value = done.outcome.target
    paths = [f"policies.{k}" for k in range(len(done.run.scenario.policies))] or ["policy"]
    for path, block in zip(paths, done.run.scenario.in_force, strict=True):
        lines = _target_of(done, figure, path, block)
        if lines is not None:
            return lines
    words = "this policy holds no one target; scenario explain lists what it goes by"
    return [read(figure, value, "", done.outcome.policy, words)]


def _target_of(done: Replay, figure: str, path: str, block: Any) -> list[Line] | None:
    value = done.outcome.target
    kind = block.kind
    given = {"ray_serve": "target_ongoing_requests", "sky_serve": "target_qps_per_replica"}
    key = given.get(kind, "target")
    if kind == "sky_serve" and block.metric == "queue_length":
        key = "queue_length_threshold"
    unit = str(getattr(block, "metric", "") or "")
    if getattr(block, key, None) is not None and getattr(block, key) == value:
        words = f"{path}.{key}"
        return [read(figure, value, unit, _source(done, f"{path}.{key}"), words)]
    terms = list(_terms(done, path, block))
    if not terms or value is None:
        return None
    over = [term for term in terms if term.figure == "mean service time"]
    factors = [float(term.value or 0.0) for term in terms if term not in over]
    words = " x ".join(term.figure for term in terms if term not in over)
    if not over:
        made = step(figure, PRODUCT, factors, value, unit, "derived: no target was set", words)
        return [*terms, made]
    product = float(np.prod(factors))
    whole = step("capacity", PRODUCT, factors, product, "", "derived", words)
    made = step(
        figure, QUOTIENT, (product, float(over[0].value or 0.0)), value, unit,
        "derived: no target was set", "capacity / mean service time",
    )  # fmt: skip
    return [*terms, whole, made]


def _terms(done: Replay, path: str, block: Any) -> Iterator[Line]:
    """The factors of a derived target, and the mean service time it is divided by."""
    slots = read(
        "slots", done.run.limits.slots, "requests", _source(done, "fleet.slots"), "of a replica"
    )
    mean = read(
        "mean service time", done.run.service.mean_s(done.run.trace), "s",
        done.run.service.describe(), "over the traffic",
    )  # fmt: skip

    def share(key: str) -> Line:
        value = float(getattr(block, key))
        words = "of what a replica can serve"
        return read(f"{path}.{key}", value, "share", _source(done, f"{path}.{key}"), words)

    if block.kind == "cloud_run":
        yield from (share("concurrency_target"), slots)
    elif block.kind == "sky_serve":
        yield from (share("target_utilisation"), slots, mean)
    elif block.kind in ("target_tracking", "predictive"):
        measure = a.METRICS[block.metric].measure
        yield share("target_utilisation")
        if measure == a.UTILISATION:
            full = (done.outcome.target or 0.0) / block.target_utilisation
            words = "the metric when every slot is in use"
            path = f"{path}.full_utilisation"
            yield read("full utilisation", full, "%", _source(done, path), words)
            return
        yield slots
        if measure == a.REQUESTS:
            words = "requests are counted by the minute"
            yield read("seconds of a minute", a.MINUTE_S, "s", "CloudWatch's metric", words)
            yield mean
    elif block.kind == "knative_kpa":
        yield share("target_utilisation")
        total = (done.outcome.target or 0.0) / block.target_utilisation
        words = "what a pod can carry: its container's limit, its target, or the cluster's default"
        yield read("total", total, block.metric, _source(done, f"{path}.target"), words)
