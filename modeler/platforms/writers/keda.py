"""The policy ``keda`` as a ScaledObject (keda.sh/v1alpha1)."""

from __future__ import annotations

from typing import Any, Final

from modeler.platforms.writers.aws_target import slug
from modeler.platforms.writers.kubernetes import behavior_of
from modeler.platforms.writers.refusals import Refusals
from modeler.platforms.writers.text import flagged, quoted, to_yaml
from modeler.scenario import Scenario
from modeler.scenario.policy import Keda
from modeler.scenario.policy.keda import KedaTrigger

_TYPES: Final = {"average_value": "AverageValue", "value": "Value", "utilisation": "Utilization"}
_FALLBACKS: Final = {
    "static": "static",
    "current_replicas": "currentReplicas",
    "current_replicas_if_higher": "currentReplicasIfHigher",
    "current_replicas_if_lower": "currentReplicasIfLower",
}
# Of the whole fleet, as KEDA asks for it; the names are to be replaced by one's own.
_QUERIES: Final = {
    "queue_length": "sum(inference_requests_waiting)",
    "concurrency": "sum(inference_requests_in_flight)",
    "requests_per_second": "sum(rate(inference_requests_total[{window}]))",
    "gpu_utilisation": "sum(DCGM_FI_DEV_GPU_UTIL)",
}
_SERVER: Final = "http://prometheus.monitoring:9090"
_ANNOTATION: Final = "autoscaling.keda.sh/"


def write_scaled_object(scenario: Scenario, refusals: Refusals) -> str:
    """The manifest of a scenario whose policy is ``keda``, its numbers put in."""
    policy = scenario.in_force[0]
    assert isinstance(policy, Keda)
    name = slug(scenario.name)
    metadata: dict[str, Any] = {"name": name}
    marks = _annotations(policy)
    if marks:
        metadata["annotations"] = marks
    spec: dict[str, Any] = {"scaleTargetRef": {"name": name}}
    for key, ours in (
        ("pollingInterval", "polling_interval_s"),
        ("cooldownPeriod", "cooldown_s"),
        ("initialCooldownPeriod", "initial_cooldown_s"),
    ):
        spec[key] = refusals.whole(f"policy.{ours}", getattr(policy, ours))
    if policy.idle_replicas is not None:
        spec["idleReplicaCount"] = policy.idle_replicas
    spec |= {"minReplicaCount": scenario.fleet.min, "maxReplicaCount": scenario.fleet.max}
    if policy.fallback_replicas is not None:
        spec["fallback"] = {
            "failureThreshold": policy.failure_threshold,
            "replicas": policy.fallback_replicas,
            "behavior": _FALLBACKS[policy.fallback_behavior],
        }
    if policy.behavior is not None:
        made = {"behavior": behavior_of(policy.behavior, refusals)}
        spec["advanced"] = {"horizontalPodAutoscalerConfig": made}
    spec["triggers"] = [
        _trigger(one, f"policy.triggers.{i}" if policy.triggers else "policy", refusals)
        for i, one in enumerate(policy.all_triggers)
    ]
    head = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject"}
    return to_yaml({**head, "metadata": metadata, "spec": spec})


def _annotations(policy: Keda) -> dict[str, str]:
    given: dict[str, str] = {}
    if policy.paused_replicas is not None:
        given["paused-replicas"] = quoted(policy.paused_replicas)
    for key, on in (
        ("paused", policy.paused),
        ("paused-scale-in", policy.pause_scale_in),
        ("paused-scale-out", policy.pause_scale_out),
        ("force-activation", policy.force_activation),
    ):
        if on:
            given[key] = flagged(on)
    return {f"{_ANNOTATION}{key}": value for key, value in given.items()}


def _trigger(block: KedaTrigger, path: str, refusals: Refusals) -> dict[str, Any]:
    assert block.target is not None
    assert block.metric_type is not None
    kind = _TYPES[block.metric_type]
    if block.metric == "cpu_utilisation":
        target = block.target
        if kind == "Utilization":
            target = refusals.whole(f"{path}.target", target)
        return {"type": "cpu", "metricType": kind, "metadata": {"value": quoted(target)}}
    trigger: dict[str, Any] = {"type": "prometheus", "metricType": kind}
    if block.use_cached_metrics:
        trigger["useCachedMetrics"] = True
    trigger["metadata"] = {
        "serverAddress": _SERVER,
        "query": _QUERIES[block.metric].format(window=_window(block.window_s)),
        "threshold": quoted(block.target),
        "activationThreshold": quoted(block.activation_target),
    }
    return trigger


def _window(window_s: float | None) -> str:
    """The range of a rate as Prometheus writes it; a minute where none is set, as in a replay."""
    if window_s is None:
        return "1m"
    return f"{window_s:.0f}s" if window_s == int(window_s) else f"{window_s * 1000:.0f}ms"
