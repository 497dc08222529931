"""A KEDA ScaledObject (keda.sh/v1alpha1) to the policy ``keda``."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from modeler.platforms.document import Part
from modeler.platforms.kubernetes import bounds, read_behavior
from modeler.platforms.metric_names import measured
from modeler.platforms.quantities import flag, number, quantity, whole
from modeler.platforms.result import PolicyFile

_METRIC_TYPES: Final = {
    "AverageValue": "average_value",
    "Value": "value",
    "Utilization": "utilisation",
}
_FALLBACKS: Final = {
    "static": "static",
    "currentReplicas": "current_replicas",
    "currentReplicasIfHigher": "current_replicas_if_higher",
    "currentReplicasIfLower": "current_replicas_if_lower",
}
_ANNOTATION: Final = "autoscaling.keda.sh/"


class _Scaler(NamedTuple):
    """Where a type of trigger keeps its threshold, the default of that, and what it counts."""

    threshold: str
    default: float | None
    activation: str
    metric: str = ""


# Documented: keda.sh, scalers, read 2026-09.
_SCALERS: Final = {
    "prometheus": _Scaler("threshold", None, "activationThreshold"),
    "metrics-api": _Scaler("targetValue", None, "activationTargetValue"),
    "datadog": _Scaler("queryValue", None, "activationQueryValue"),
    "graphite": _Scaler("threshold", None, "activationThreshold"),
    "aws-cloudwatch": _Scaler("targetMetricValue", None, "activationTargetMetricValue"),
    "aws-sqs-queue": _Scaler("queueLength", 5, "activationQueueLength", "queue_length"),
    "azure-queue": _Scaler("queueLength", 5, "activationQueueLength", "queue_length"),
    "azure-servicebus": _Scaler("messageCount", 5, "activationMessageCount", "queue_length"),
    "gcp-pubsub": _Scaler("value", 5, "activationValue", "queue_length"),
    "kafka": _Scaler("lagThreshold", 10, "activationLagThreshold", "queue_length"),
    "rabbitmq": _Scaler("value", None, "activationValue", "queue_length"),
    "redis": _Scaler("listLength", 5, "activationListLength", "queue_length"),
    "redis-streams": _Scaler("pendingEntriesCount", 5, "activationLagCount", "queue_length"),
    "nats-jetstream": _Scaler("lagThreshold", 10, "activationLagThreshold", "queue_length"),
    "cpu": _Scaler("value", None, "", "cpu_utilisation"),
}
# Where the name of what is measured may be written.
_NAMES: Final = ("query", "metricName", "url", "valueLocation", "queueName", "expression")


def read_scaled_object(document: Part) -> PolicyFile:
    """The policy of a ScaledObject; its bounds are ``fleet.min`` and ``fleet.max``."""
    document.ignore("apiVersion", "kind", "metadata", "status")
    metadata, spec = document.part("metadata"), document.part("spec")
    title = f"ScaledObject {metadata.get('name', '')}".rstrip()
    file = PolicyFile(document.source, title, "eks_karpenter")
    spec.ignore("scaleTargetRef")
    bounds(file, spec, "minReplicaCount", "maxReplicaCount", minimum=0, maximum=100)
    file.places["policies.0"] = document.node_of("spec")
    fallback, advanced = spec.part("fallback"), spec.part("advanced")
    policy: dict[str, Any] = {
        "kind": "keda",
        "polling_interval_s": spec.read("pollingInterval", whole),
        "cooldown_s": spec.read("cooldownPeriod", whole),
        "initial_cooldown_s": spec.read("initialCooldownPeriod", whole),
        "idle_replicas": spec.read("idleReplicaCount", whole),
        "fallback_replicas": fallback.read("replicas", whole),
        "failure_threshold": fallback.read("failureThreshold", whole),
        "fallback_behavior": fallback.choice("behavior", _FALLBACKS, "") or None,
        **_annotations(metadata.part("annotations")),
    }
    for key, ours in (
        ("pollingInterval", "polling_interval_s"),
        ("cooldownPeriod", "cooldown_s"),
        ("idleReplicaCount", "idle_replicas"),
        ("fallback", "fallback_replicas"),
    ):
        file.places[f"policies.0.{ours}"] = spec.node_of(key)
    advanced.not_modelled("restoreToOriginalReplicaCount", "the object is never deleted")
    generated = advanced.part("horizontalPodAutoscalerConfig")
    generated.ignore("name")
    if "behavior" in generated:
        behavior = read_behavior(file, generated.part("behavior"), "policies.0.behavior")
        policy["behavior"] = behavior
    triggers = [(part, _trigger(part)) for part in spec.parts("triggers")]
    known = [(part, found) for part, found in triggers if found]
    if not known and not document.source.problems:
        spec.problem("triggers", "none of its triggers is one that a replay knows")
    if len(known) == 1:
        policy |= known[0][1]
    else:
        policy["triggers"] = [found for _, found in known]
    for i, (part, _) in enumerate(known):
        at = "policies.0" if len(known) == 1 else f"policies.0.triggers.{i}"
        file.places[f"{at}.target"] = file.places[f"{at}.activation_target"] = part.node
    file.policies.append({key: value for key, value in policy.items() if value is not None})
    return file


def _annotations(part: Part) -> dict[str, Any]:
    """Pauses and the like; other annotations belong to other tools."""
    part.ignore(*(key for key in part if not key.startswith(_ANNOTATION)))
    return {
        "paused": part.read(f"{_ANNOTATION}paused", flag),
        "paused_replicas": part.read(f"{_ANNOTATION}paused-replicas", whole),
        "pause_scale_in": part.read(f"{_ANNOTATION}paused-scale-in", flag),
        "pause_scale_out": part.read(f"{_ANNOTATION}paused-scale-out", flag),
        "force_activation": part.read(f"{_ANNOTATION}force-activation", flag),
    }


def _trigger(part: Part) -> dict[str, Any]:
    """One trigger; empty where it is not modelled, which is noted."""
    type_ = str(part.get("type", ""))
    part.ignore("name", "authenticationRef")
    metadata = part.part("metadata")
    scaler = _SCALERS.get(type_)
    if scaler is None:
        part.leave_out(f"trigger {type_ or '(untyped)'}")
        return {}
    name = next((str(metadata.get(key)) for key in _NAMES if key in metadata), "")
    ours = _in_flight(metadata) if type_ == "aws-sqs-queue" else scaler.metric or measured(name)
    if type_ == "rabbitmq" and metadata.get("mode") == "MessageRate":
        ours = "requests_per_second"
    if not ours:
        part.leave_out(f"trigger {type_} {name or '(unnamed)'}")
        return {}
    part.source.note(part.node, f"{part.path}: {type_} {name}".rstrip() + f" is read as {ours}")
    target = metadata.read(scaler.threshold, quantity, scaler.default)
    if target is None:
        key = scaler.threshold
        metadata.problem(key, f"{metadata.name_of(key)} is missing")
    given = part.choice("metricType", _METRIC_TYPES, "") or None
    if type_ == "cpu" and given is None and "type" in metadata:
        given = metadata.choice("type", _METRIC_TYPES, "") or None
    # What a scaler connects to and how decides nothing.
    metadata.ignore(*metadata)
    return {
        key: value
        for key, value in {
            "metric": ours,
            "metric_type": given,
            "target": target,
            "activation_target": metadata.read(scaler.activation, number),
            "use_cached_metrics": part.read("useCachedMetrics", flag),
        }.items()
        if value is not None
    }


def _in_flight(metadata: Part) -> str:
    """SQS counts messages in flight as well, unless told otherwise."""
    return "concurrency" if metadata.read("scaleOnInFlight", flag, True) else "queue_length"
