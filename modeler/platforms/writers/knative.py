"""The policy ``knative_kpa`` as a Knative Service, and what only the cluster's ConfigMap says."""

from __future__ import annotations

from typing import Any, Final

from modeler.platforms.writers.aws_target import slug
from modeler.platforms.writers.refusals import Refusals
from modeler.platforms.writers.text import flagged, percent, quoted, seconds, to_yaml
from modeler.scenario import Scenario
from modeler.scenario.policy import KnativeKpa

_PREFIX: Final = "autoscaling.knative.dev/"
# Annotations of a revision, with the setting and how it is written. Documented: knative.dev,
# serving, autoscaling, read 2026-09.
_ANNOTATIONS: Final = (
    ("target-utilization-percentage", "target_utilisation", percent),
    ("target-burst-capacity", "target_burst_capacity", quoted),
    ("window", "stable_window_s", seconds),
    ("panic-window-percentage", "panic_window_share", percent),
    ("panic-threshold-percentage", "panic_threshold", percent),
    ("scale-down-delay", "scale_down_delay_s", seconds),
    ("scale-to-zero-pod-retention-period", "pod_retention_s", seconds),
    ("initial-scale", "initial_scale", quoted),
    ("activation-scale", "activation_scale", quoted),
)
# What has no annotation: of the whole cluster, written where it is not what Knative ships with.
_CLUSTER: Final = (
    ("container-concurrency-target-default", "concurrency_target_default", quoted),
    ("requests-per-second-target-default", "rps_target_default", quoted),
    ("max-scale-up-rate", "max_scale_up_rate", quoted),
    ("max-scale-down-rate", "max_scale_down_rate", quoted),
    ("enable-scale-to-zero", "enable_scale_to_zero", flagged),
    ("scale-to-zero-grace-period", "scale_to_zero_grace_s", seconds),
)


def write_service(scenario: Scenario, refusals: Refusals) -> str:
    """The manifests of a scenario whose policy is ``knative_kpa``."""
    policy = scenario.in_force[0]
    assert isinstance(policy, KnativeKpa)
    limit = policy.container_concurrency
    if limit and scenario.fleet.slots != limit:
        why = f"a pod takes container_concurrency = {limit} at once there"
        refusals.say("fleet.slots", scenario.fleet.slots, why, f"fleet.slots: {limit}")
    name = slug(scenario.name)
    marks = {
        "class": "kpa.autoscaling.knative.dev",
        "metric": policy.metric,
        "min-scale": quoted(scenario.fleet.min),
        "max-scale": quoted(scenario.fleet.max),
        **({} if policy.target is None else {"target": quoted(policy.target)}),
        **{key: write(getattr(policy, ours)) for key, ours, write in _ANNOTATIONS},
        "metric-aggregation-algorithm": policy.aggregation,
    }
    annotations = {f"{_PREFIX}{key}": value for key, value in marks.items()}
    annotations["serving.knative.dev/progress-deadline"] = seconds(policy.progress_deadline_s)
    pod: dict[str, Any] = {"containerConcurrency": limit}
    timeout = scenario.queue.client_timeout_s
    if isinstance(timeout, float | int):
        pod["timeoutSeconds"] = refusals.whole("queue.client_timeout_s", timeout)
    pod["containers"] = [{"image": "IMAGE"}]
    service = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"template": {"metadata": {"annotations": annotations}, "spec": pod}},
    }
    cluster = {
        key: write(getattr(policy, ours))
        for key, ours, write in _CLUSTER
        if getattr(policy, ours) != KnativeKpa.model_fields[ours].default
    }
    if policy.initial_scale == 0:  # refused by the cluster unless it permits it
        cluster["allow-zero-initial-scale"] = flagged(True)
    return to_yaml(service, *([_config(cluster)] if cluster else []))


def _config(data: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "config-autoscaler", "namespace": "knative-serving"},
        "data": data,
    }
