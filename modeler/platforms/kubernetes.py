"""A HorizontalPodAutoscaler (autoscaling/v2 and v1) to the policy ``hpa``."""

from __future__ import annotations

from typing import Any, Final

from modeler.platforms.document import Part
from modeler.platforms.metric_names import measured
from modeler.platforms.quantities import number, quantity, whole
from modeler.platforms.result import PolicyFile

_TARGETS: Final = {
    "Utilization": ("utilisation", "averageUtilization"),
    "AverageValue": ("average_value", "averageValue"),
    "Value": ("value", "value"),
}
_SELECT: Final = {"Max": "max", "Min": "min", "Disabled": "disabled"}
_TYPES: Final = {"Pods": "pods", "Percent": "percent"}
# Where each type of a metric keeps itself, and what the controller calls its source.
_SOURCES: Final = {
    "Resource": ("resource", "resource"),
    "ContainerResource": ("containerResource", "resource"),
    "Pods": ("pods", "pods"),
    "Object": ("object", "object"),
    "External": ("external", "external"),
}


def read_hpa(document: Part) -> PolicyFile:
    """The policy of a HorizontalPodAutoscaler; its bounds are ``fleet.min`` and ``fleet.max``."""
    document.ignore("apiVersion", "kind", "metadata", "status")
    name = document.part("metadata").get("name", "")
    file = PolicyFile(document.source, f"HorizontalPodAutoscaler {name}".rstrip(), "eks_karpenter")
    spec = document.part("spec")
    spec.ignore("scaleTargetRef")
    bounds(file, spec, "minReplicas", "maxReplicas", minimum=1, maximum=None)
    policy: dict[str, Any] = {"kind": "hpa"}
    file.places["policies.0"] = document.node_of("spec")
    if "targetCPUUtilizationPercentage" in spec:  # autoscaling/v1
        target = spec.read("targetCPUUtilizationPercentage", number)
        policy |= {"metric": "cpu_utilisation", "target": target}
        file.places["policies.0.target"] = spec.node_of("targetCPUUtilizationPercentage")
    read = [(part, _metric(part)) for part in spec.parts("metrics")]
    metrics = [(part, found) for part, found in read if found]
    if read and not metrics and not document.source.problems:
        spec.problem("metrics", "none of its metrics is one that a replay knows", expected=_KNOWN)
    if len(metrics) == 1:
        policy |= metrics[0][1]
    elif metrics:
        policy["metrics"] = [found for _, found in metrics]
    for i, (part, _) in enumerate(metrics):
        at = "policies.0" if len(metrics) == 1 else f"policies.0.metrics.{i}"
        file.places[f"{at}.target"] = file.places[at] = part.node
    if "behavior" in spec:
        policy["behavior"] = read_behavior(file, spec.part("behavior"), "policies.0.behavior")
    file.policies.append(policy)
    return file


def bounds(
    file: PolicyFile, part: Part, low: str, high: str, *, minimum: int, maximum: int | None
) -> None:
    """``fleet.min`` and ``fleet.max`` from two keys, with the platform's defaults."""
    for path, key, default in (("fleet.min", low, minimum), ("fleet.max", high, maximum)):
        if key not in part and default is None:
            part.problem(key, f"{part.name_of(key)} is missing")
            continue
        file.others[path] = part.read(key, whole, default)
        file.places[path] = part.node_of(key)


_KNOWN: Final = "cpu, or a name that tells concurrency, requests per second, queue length or GPU"


def _metric(part: Part) -> dict[str, Any]:
    """One entry of ``spec.metrics``; empty where it is not modelled, which is noted."""
    kinds = {kind: (kind, *places) for kind, places in _SOURCES.items()}
    kind, key, source = part.choice("type", kinds, ("", "", ""))
    if not kind:
        return {}
    body = part.part(key)
    name = str(body.get("name") or body.part("metric").get("name", ""))
    body.part("metric").not_modelled("selector", "the metric is taken to be of this fleet alone")
    body.ignore("describedObject")
    target = body.part("target")
    ours = ("cpu_utilisation" if name == "cpu" else "") if source == "resource" else measured(name)
    if not ours:
        part.leave_out(f"metric {name or '(unnamed)'}")
        return {}
    if kind == "ContainerResource":
        body.not_modelled("container", "its CPU is taken for the pod's")
    if source != "resource":
        part.source.note(part.node, f"{part.path}: metric {name} is read as {ours}")
    if ours == "cpu_utilisation" and source != "resource":
        source, ours = "pods", "gpu_utilisation"
        part.source.note(part.node, f"{part.path}: CPU of an adapter is read as busy slots")
    found: dict[str, Any] = {"metric": ours, "source": source}
    type_, value = target.choice("type", _TARGETS, _usual(target))
    found["target_type"] = type_
    found["target"] = target.read(value, quantity)
    if found["target"] is None:
        target.problem(value, f"{target.name_of(value)} is missing")
    if source == "resource" and type_ == "average_value":
        part.source.note(
            part.node,
            f"{part.path}: the request of a pod is not in this file and taken as 1; "
            "policy.request says it",
        )
    return found


def _usual(target: Part) -> tuple[str, str]:
    """The type of a target that names none, from the value that is given."""
    return next((pair for pair in _TARGETS.values() if pair[1] in target), _TARGETS["Utilization"])


def read_behavior(file: PolicyFile, part: Part, at: str) -> dict[str, Any]:
    """``behavior`` of an HPA, also of the one that KEDA makes."""
    found = {}
    for key, ours in (("scaleUp", "scale_up"), ("scaleDown", "scale_down")):
        if key in part:
            rules = part.part(key)
            file.places[f"{at}.{ours}"] = part.node_of(key)
            found[ours] = _rules(file, rules, f"{at}.{ours}")
    return found


def _rules(file: PolicyFile, part: Part, at: str) -> dict[str, Any]:
    read: dict[str, Any] = {
        "stabilization_window_s": part.read("stabilizationWindowSeconds", whole),
        "tolerance": part.read("tolerance", quantity),
        "select_policy": part.choice("selectPolicy", _SELECT, "") or None,
    }
    policies = []
    for i, policy in enumerate(part.parts("policies")):
        file.places[f"{at}.policies.{i}"] = policy.node
        policies.append(
            {
                "type": policy.choice("type", _TYPES, "pods"),
                "value": policy.read("value", whole),
                "period_s": policy.read("periodSeconds", whole),
            }
        )
    read["policies"] = policies or None
    for key, ours in (("stabilizationWindowSeconds", "stabilization_window_s"),):
        file.places[f"{at}.{ours}"] = part.node_of(key)
    return {key: value for key, value in read.items() if value is not None}
