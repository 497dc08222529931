"""Scenarios of every platform that a file is written for, and the way there and back."""

from pathlib import Path
from typing import Any

import numpy as np

import traces
from modeler.platforms import apply, export, read_policy
from modeler.platforms.writers import pinned
from modeler.scenario import Scenario, with_values

ENDINGS = {"terraform": "tf", "boto3-json": "json"}
ARRIVALS = np.sort(np.random.default_rng(7).uniform(0, 5400, 900))
SHORT = traces.Trace(ARRIVALS - ARRIVALS[0])


def of(hosting: str, policy: Any, **others: Any) -> Scenario:
    """A scenario with the policy, or the policies, of a platform."""
    others = {**_SMALL, **others} if hosting == "ecs_fargate" else others
    values = {"hosting.kind": hosting, "name": "Ranker, week 3", "service": SERVICE, **others}
    key = "policies" if isinstance(policy, list) else "policy"
    return with_values(Scenario(), {**values, key: policy})


# Fargate has no accelerator: a small model.
_SMALL = {"model.size": "2GB"}
SERVICE = {"kind": "exponential", "mean_s": 3.0}


def back(text: str, form: str, folder: Path, over: Scenario) -> Scenario:
    """The scenario with the policy of a written file in place of its own."""
    path = folder / f"policy.{ENDINGS.get(form, 'yaml')}"
    path.write_text(text)
    scenario, _ = apply(over, read_policy(path))
    return scenario


def told(scenario: Scenario) -> list[dict[str, Any]]:
    """Its policies, scheduled ones last, as a platform lists them."""
    found = [block.model_dump() for block in scenario.in_force]
    return sorted(found, key=lambda block: block["kind"] == "scheduled")


def check(scenario: Scenario, form: str, folder: Path) -> Scenario:
    """Write, read, hold together."""
    again = back(export(scenario, form, trace=SHORT), form, folder, scenario)
    full = pinned(scenario, SHORT)
    assert told(again) == told(full)
    assert again.fleet == full.fleet
    assert again.hosting == full.hosting
    assert again.queue == full.queue
    return again


AWS = [
    ("sagemaker_realtime", {"kind": "target_tracking"}),
    (
        "sagemaker_realtime",
        {
            "kind": "target_tracking",
            "metric": "concurrency_high_resolution",
            "target": 4.25,
            "scale_out_cooldown_s": 60,
            "scale_in_cooldown_s": 0,
            "disable_scale_in": True,
        },
    ),
    ("sagemaker_realtime", {"kind": "target_tracking", "metric": "gpu_utilisation"}),
    ("sagemaker_components", {"kind": "target_tracking"}),
    (
        "sagemaker_async",
        [
            {"kind": "target_tracking", "metric": "backlog_per_instance", "target": 5},
            {
                "kind": "step_scaling",
                "metric": "has_backlog_without_capacity",
                "threshold": 1,
                "steps": {"lower": 0, "adjustment": 1},
                "evaluation_periods": 2,
                "cooldown_s": 120,
            },
        ],
    ),
    (
        "sagemaker_realtime",
        [
            {
                "kind": "scheduled",
                "schedule": "cron(0 8 ? * MON-FRI *)",
                "timezone": "Europe/Berlin",
                "min_replicas": 2,
                "max_replicas": 9,
                "start": "2026-01-01T00:00:00Z",
                "end": "2027-01-01T00:00:00Z",
            },
            {"kind": "target_tracking", "target": 30},
            {
                "kind": "step_scaling",
                "metric": "invocations_per_instance",
                "threshold": 45.5,
                "comparison": ">",
                "evaluation_periods": 3,
                "datapoints_to_alarm": 2,
                "treat_missing": "notBreaching",
                "adjustment_type": "PercentChangeInCapacity",
                "min_adjustment_magnitude": 2,
                "metric_aggregation": "Maximum",
                "steps": [
                    {"lower": 0, "upper": 20, "adjustment": 10},
                    {"lower": 20, "adjustment": 30},
                ],
            },
            {
                "kind": "step_scaling",
                "metric": "cpu_utilisation",
                "threshold": 20,
                "comparison": "<",
                "statistic": "Maximum",
                "period_s": 300,
                "steps": [{"upper": 0, "adjustment": -1}],
            },
        ],
    ),
    (
        "sagemaker_components",
        [
            {"kind": "target_tracking", "metric": "concurrency_high_resolution"},
            {
                "kind": "step_scaling",
                "metric": "no_capacity_invocation_failures",
                "threshold": 1,
                "period_s": 30,
                "steps": {"lower": 0, "adjustment": 1},
            },
        ],
    ),
]
SERVICES = [
    (
        "ecs_fargate",
        [
            {"kind": "target_tracking", "metric": "cpu_utilisation", "target": 65},
            {"kind": "target_tracking"},
            {
                "kind": "step_scaling",
                "metric": "cpu_utilisation",
                "threshold": 90,
                "steps": {"lower": 0, "adjustment": 3},
            },
        ],
    )
]
PROVISIONED: list[dict[str, Any]] = [
    {"kind": "per_request", "keep_alive_s": 300},
    {"kind": "target_tracking", "metric": "provisioned_concurrency_utilisation", "target": 0.6},
    {"kind": "scheduled", "schedule": "rate(1 hour)", "min_replicas": 1},
]
GROUP = [
    ("ec2_asg", {"kind": "target_tracking", "metric": "cpu_utilisation", "target": 50}),
    (
        "ec2_asg",
        [
            {"kind": "target_tracking", "instance_warmup_s": 120},
            {
                "kind": "predictive",
                "mode": "forecast_and_scale",
                "scheduling_buffer_s": 600,
                "max_capacity_behaviour": "increase",
                "max_capacity_buffer_percent": 10,
            },
            {
                "kind": "step_scaling",
                "metric": "cpu_utilisation",
                "threshold": 80,
                "steps": {"lower": 0, "adjustment": 2},
            },
            {"kind": "scheduled", "schedule": "0 8 * * 1-5", "min_replicas": 3},
        ],
    ),
    ("ec2_asg", {"kind": "predictive", "metric": "cpu_utilisation", "target": 40.5}),
]
BEHAVIOR = {
    "scale_up": {
        "select_policy": "min",
        "stabilization_window_s": 30,
        "policies": [
            {"type": "percent", "value": 100, "period_s": 15},
            {"type": "pods", "value": 4, "period_s": 60},
        ],
    },
    "scale_down": {"tolerance": 0.05},
}
HPAS = [
    {"kind": "hpa"},
    {"kind": "hpa", "metric": "concurrency", "behavior": BEHAVIOR},
    {"kind": "hpa", "metric": "cpu_utilisation", "target_type": "average_value", "target": 0.75},
    {"kind": "hpa", "metrics": [{"metric": "gpu_utilisation", "target": 60}]},
    {
        "kind": "hpa",
        "metrics": [
            {"metric": "cpu_utilisation", "target": 70},
            {"metric": "concurrency", "source": "object", "target_type": "value", "target": 12.5},
            {"metric": "requests_per_second", "target_utilisation": 0.5},
            {"metric": "queue_length", "target": 3},
        ],
        "behavior": {},
    },
]
KEDAS = [
    {"kind": "keda"},
    {"kind": "keda", "metric": "queue_length", "target": 4.5, "activation_target": 0.5},
    {
        "kind": "keda",
        "triggers": [
            {"metric": "queue_length", "use_cached_metrics": True},
            {"metric": "requests_per_second", "metric_type": "value", "target": 3},
            {"metric": "gpu_utilisation", "target": 66.6},
            {"metric": "cpu_utilisation", "target": 80},
        ],
        "polling_interval_s": 15,
        "cooldown_s": 120,
        "initial_cooldown_s": 60,
        "idle_replicas": 0,
        "fallback_replicas": 4,
        "failure_threshold": 5,
        "fallback_behavior": "current_replicas_if_higher",
        "pause_scale_in": True,
        "behavior": BEHAVIOR,
    },
    {"kind": "keda", "paused_replicas": 3, "force_activation": True, "failure_threshold": 7},
]
KNATIVES = [
    {"kind": "knative_kpa"},
    {"kind": "knative_kpa", "metric": "rps", "target": 2.5, "rps_target_default": 100},
    {
        "kind": "knative_kpa",
        "container_concurrency": 2,
        "target": 1.5,
        "target_utilisation": 0.333,
        "target_burst_capacity": -1,
        "stable_window_s": 90,
        "panic_window_share": 0.125,
        "panic_threshold": 1.57,
        "max_scale_up_rate": 10,
        "max_scale_down_rate": 1.5,
        "scale_down_delay_s": 60,
        "activation_scale": 2,
        "initial_scale": 0,
        "enable_scale_to_zero": False,
        "scale_to_zero_grace_s": 45.5,
        "pod_retention_s": 61.25,
        "progress_deadline_s": 900,
        "aggregation": "weighted-exponential",
    },
]
AWS_FORMS = ["boto3-json", "terraform", "cloudformation"]
CHEAP = {
    "boto3-json": with_values(of(*AWS[0]), {"policy.target_utilisation": 0.05}),
    "terraform": of(*AWS[5]),
    "cloudformation": with_values(of(*AWS[1]), {"policy.target": 0.25}),
    "hpa": of("eks_karpenter", HPAS[1]),
    "keda": of("eks_karpenter", KEDAS[0], **{"fleet.min": 0}),
    "knative": of("eks_karpenter", KNATIVES[0], **{"fleet.min": 0, "fleet.max": 7}),
}
