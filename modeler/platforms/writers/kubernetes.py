"""The policy ``hpa`` as a HorizontalPodAutoscaler (autoscaling/v2)."""

from __future__ import annotations

from typing import Any, Final

from modeler.platforms.writers.aws_target import slug
from modeler.platforms.writers.refusals import Refusals
from modeler.platforms.writers.text import number, plain, to_yaml
from modeler.scenario import Scenario
from modeler.scenario.policy import Hpa
from modeler.scenario.policy.kubernetes import Behavior, HpaMetric, ScalingRules

_TYPES: Final = {
    "utilisation": ("Utilization", "averageUtilization"),
    "average_value": ("AverageValue", "averageValue"),
    "value": ("Value", "value"),
}
_SELECT: Final = {"max": "Max", "min": "Min", "disabled": "Disabled"}
_KINDS: Final = {"pods": "Pods", "percent": "Percent"}
# Names that an adapter may publish them under; they tell what they measure, and are to be replaced.
NAMES: Final = {
    "gpu_utilisation": "DCGM_FI_DEV_GPU_UTIL",
    "concurrency": "inference_requests_in_flight",
    "requests_per_second": "inference_requests_per_second",
    "queue_length": "inference_requests_waiting",
}


def write_hpa(scenario: Scenario, refusals: Refusals) -> str:
    """The manifest of a scenario whose policy is ``hpa``, its numbers put in."""
    policy = scenario.in_force[0]
    assert isinstance(policy, Hpa)
    name = slug(scenario.name)
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": scenario.fleet.min,
        "maxReplicas": scenario.fleet.max,
        "metrics": [
            _metric(one, f"policy.metrics.{i}" if policy.metrics else "policy", name, refusals)
            for i, one in enumerate(policy.all_metrics)
        ],
    }
    if policy.behavior is not None:
        spec["behavior"] = behavior_of(policy.behavior, refusals)
    head = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    return to_yaml({**head, "metadata": {"name": name}, "spec": spec})


def _metric(block: HpaMetric, path: str, name: str, refusals: Refusals) -> dict[str, Any]:
    kind, key = _TYPES[block.target_type_in_force]
    assert block.target is not None
    target: dict[str, Any] = {"type": kind}
    if kind == "Utilization":
        target[key] = refusals.whole(f"{path}.target", block.target)
    else:
        target[key] = plain(block.target)
    source = block.source_in_force
    if source == "resource":
        return {"type": "Resource", "resource": {"name": "cpu", "target": target}}
    body: dict[str, Any] = {"metric": {"name": NAMES[block.metric]}, "target": target}
    if source == "object":
        described = {"apiVersion": "v1", "kind": "Service", "name": name}
        body = {"describedObject": described, **body}
    return {"type": source.capitalize(), source: body}


def behavior_of(block: Behavior, refusals: Refusals) -> dict[str, Any]:
    """``behavior``, of an HPA and of the one that KEDA makes."""
    return {
        "scaleUp": _rules(block.scale_up, "policy.behavior.scale_up", refusals),
        "scaleDown": _rules(block.scale_down, "policy.behavior.scale_down", refusals),
    }


def _rules(rules: ScalingRules, path: str, refusals: Refusals) -> dict[str, Any]:
    found: dict[str, Any] = {"selectPolicy": _SELECT[rules.select_policy]}
    window_s = rules.stabilization_window_s
    if window_s is not None:
        at = f"{path}.stabilization_window_s"
        found["stabilizationWindowSeconds"] = refusals.whole(at, window_s)
    if rules.tolerance is not None:
        found["tolerance"] = number(rules.tolerance)
    if rules.policies is not None:
        found["policies"] = [
            {
                "type": _KINDS[one.type],
                "value": one.value,
                "periodSeconds": refusals.whole(f"{path}.policies.{i}.period_s", one.period_s),
            }
            for i, one in enumerate(rules.policies)
        ]
    return found
