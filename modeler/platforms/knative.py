"""A Knative Service and ``config-autoscaler`` to the policy ``knative_kpa``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from modeler.platforms.document import Part
from modeler.platforms.quantities import flag, number, percent, seconds, whole
from modeler.platforms.result import PolicyFile

_PREFIX: Final = "autoscaling.knative.dev/"
_SERVING: Final = "serving.knative.dev/"
_CLASS: Final = f"{_PREFIX}class"
_KPA: Final = "kpa.autoscaling.knative.dev"
_Parse = Callable[[Any], Any]


# Annotation, older spelling, setting, how it is read. Documented: knative.dev, serving,
# autoscaling, read 2026-09.
_ANNOTATIONS: Final[Sequence[tuple[str, str, str, _Parse]]] = (
    ("metric", "", "metric", str),
    ("target", "", "target", number),
    ("target-utilization-percentage", "targetUtilizationPercentage", "target_utilisation", percent),
    ("target-burst-capacity", "targetBurstCapacity", "target_burst_capacity", number),
    ("window", "", "stable_window_s", seconds),
    ("panic-window-percentage", "panicWindowPercentage", "panic_window_share", percent),
    ("panic-threshold-percentage", "panicThresholdPercentage", "panic_threshold", percent),
    ("scale-down-delay", "scaleDownDelay", "scale_down_delay_s", seconds),
    (
        "scale-to-zero-pod-retention-period",
        "scaleToZeroPodRetentionPeriod",
        "pod_retention_s",
        seconds,
    ),
    ("initial-scale", "initialScale", "initial_scale", whole),
    ("activation-scale", "activationScale", "activation_scale", whole),
    ("metric-aggregation-algorithm", "", "aggregation", str),
    ("progress-deadline", f"{_SERVING}progress-deadline", "progress_deadline_s", seconds),
)
_CONFIG: Final[Sequence[tuple[str, str, _Parse]]] = (
    ("container-concurrency-target-percentage", "target_utilisation", percent),
    ("container-concurrency-target-default", "concurrency_target_default", number),
    ("requests-per-second-target-default", "rps_target_default", number),
    ("target-burst-capacity", "target_burst_capacity", number),
    ("stable-window", "stable_window_s", seconds),
    ("panic-window-percentage", "panic_window_share", percent),
    ("panic-threshold-percentage", "panic_threshold", percent),
    ("max-scale-up-rate", "max_scale_up_rate", number),
    ("max-scale-down-rate", "max_scale_down_rate", number),
    ("enable-scale-to-zero", "enable_scale_to_zero", flag),
    ("scale-to-zero-grace-period", "scale_to_zero_grace_s", seconds),
    ("scale-to-zero-pod-retention-period", "pod_retention_s", seconds),
    ("scale-down-delay", "scale_down_delay_s", seconds),
    ("initial-scale", "initial_scale", whole),
)
# Knative has no upper bound unless it is given one; a fleet here always has.
_BOUNDS: Final = (("min-scale", "minScale", "fleet.min"), ("max-scale", "maxScale", "fleet.max"))


def read_service(service: Part | None, config: Part | None) -> PolicyFile:
    """The policy of a Service over that of the cluster's ConfigMap; either may be missing.

    Raises
    ------
    ValueError : neither is given.
    """
    first = service or config
    if first is None:
        raise ValueError("a Service or a ConfigMap")
    name = first.part("metadata").get("name", "")
    what = "Knative Service" if service else "ConfigMap"
    file = PolicyFile(first.source, f"{what} {name}".rstrip(), "eks_karpenter")
    file.places["policies.0"] = first.node
    policy: dict[str, Any] = {"kind": "knative_kpa"}
    bounds: dict[str, Any] = {"fleet.min": 0}
    if config is not None:
        _of_config(file, config, policy, bounds)
    if service is not None:
        _of_service(file, service, policy, bounds)
    if bounds.get("fleet.max") == 0:  # documented: no limit
        first.source.note(first.node, "max-scale 0, no limit: fleet.max stays as it is")
        del bounds["fleet.max"]
    file.others |= bounds
    file.policies.append(policy)
    return file


def _of_config(
    file: PolicyFile, config: Part, policy: dict[str, Any], bounds: dict[str, Any]
) -> None:
    config.ignore("apiVersion", "kind", "metadata")
    data = config.part("data")
    data.ignore("_example", "allow-zero-initial-scale")
    for key, ours, parse in _CONFIG:
        if key in data:
            policy[ours] = data.read(key, parse)
            file.places[f"policies.0.{ours}"] = data.node_of(key)
    for key, _, path in _BOUNDS:
        if key in data:
            bounds[path] = data.read(key, whole)
            file.places[path] = data.node_of(key)


def _of_service(
    file: PolicyFile, service: Part, policy: dict[str, Any], bounds: dict[str, Any]
) -> None:
    service.ignore("apiVersion", "kind", "status")
    service.part("metadata").ignore(*service.part("metadata"))
    spec = service.part("spec")
    template = spec.part("template")
    metadata = template.part("metadata")
    metadata.ignore("name", "labels", "creationTimestamp")
    marks, pod = metadata.part("annotations"), template.part("spec")
    known = {older for _, older, _, _ in _ANNOTATIONS}
    marks.ignore(*(key for key in marks if not key.startswith(_PREFIX) and key not in known))
    if marks.get(_CLASS, _KPA) != _KPA:
        why = "write the HorizontalPodAutoscaler that it makes, or policy: {kind: hpa}"
        message = f"{marks.name_of(_CLASS)}: only the class {_KPA} is Knative's own: {why}"
        marks.problem(_CLASS, message, marks.get(_CLASS), _KPA)
    for key, older, ours, parse in _ANNOTATIONS:
        found = _written(marks, key, older)
        if found:
            policy[ours] = marks.read(found, parse)
            file.places[f"policies.0.{ours}"] = marks.node_of(found)
    for key, older, path in _BOUNDS:
        found = _written(marks, key, older)
        if found:
            bounds[path] = marks.read(found, whole)
            file.places[path] = marks.node_of(found)
    limit = pod.read("containerConcurrency", whole)
    if limit is not None:
        policy["container_concurrency"] = limit
        file.places["policies.0.container_concurrency"] = pod.node_of("containerConcurrency")
        if limit > 0:
            bounds["fleet.slots"] = limit
            file.places["fleet.slots"] = pod.node_of("containerConcurrency")
    timeout = pod.read("timeoutSeconds", whole)
    if timeout is not None:
        bounds["queue.client_timeout_s"] = timeout
        file.places["queue.client_timeout_s"] = pod.node_of("timeoutSeconds")
    spec.not_modelled("traffic", "one revision gets all of it")


def _written(marks: Part, key: str, older: str) -> str:
    """The spelling that is used; empty for neither."""
    spellings = [one if "/" in one else f"{_PREFIX}{one}" for one in (key, older) if one]
    return next((one for one in spellings if one in marks), "")
