"""Every policy on the platform it belongs to, for one table of all of them.

A preset is a handful of settings laid over the analyst's scenario: the platform's hosting, its
policy with the platform's own defaults, and a minimum of zero where the platform reaches zero.
Traffic, model, machine and service level stay the analyst's. Two policies have no default of their
own, step scaling and schedules; theirs is an example, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from modeler.scenario import Problem, Scenario, ScenarioError, with_values
from modeler.scenario.errors import nearest


@dataclass(frozen=True, eq=False)
class Preset:
    """One policy on its platform.

    Parameters
    ----------
    name : str. What the table calls it.
    key : str. What ``--policy`` calls it.
    values : mapping of str to object. Path to value, ``hosting.kind`` among them.
    note : str. What an analyst should know of it.
    """

    name: str
    key: str
    values: Mapping[str, Any] = field(repr=False)
    note: str = ""


_KARPENTER: Final = {"hosting.kind": "eks_karpenter", "hosting.nodes": {"kind": "karpenter"}}
_CLUSTER_AUTOSCALER: Final = {
    "hosting.kind": "eks_cluster_autoscaler",
    "hosting.nodes": {"kind": "cluster_autoscaler"},
}
_ZERO: Final = {"fleet.min": 0, "fleet.initial": None}
_WAKE: Final = {
    "kind": "step_scaling",
    "metric": "no_capacity_invocation_failures",
    "comparison": ">",
    "threshold": 1,
    "cooldown_s": "60s",
    "metric_aggregation": "Maximum",
    "steps": [{"lower": 0, "adjustment": 1}],
}
_WAKE_BACKLOG: Final = {
    "kind": "step_scaling",
    "metric": "has_backlog_without_capacity",
    "threshold": 1,
    "evaluation_periods": 2,
    "steps": [{"lower": 0, "adjustment": 1}],
}
_STEPS_OUT: Final = {
    "kind": "step_scaling",
    "metric": "gpu_utilisation",
    "threshold": 70,
    "evaluation_periods": 3,
    "steps": [
        {"lower": 0, "upper": 15, "adjustment": 1},
        {"lower": 15, "adjustment": 2},
    ],
}
_STEPS_IN: Final = {
    "kind": "step_scaling",
    "metric": "gpu_utilisation",
    "comparison": "<",
    "threshold": 30,
    "evaluation_periods": 15,
    "steps": [{"upper": 0, "adjustment": -1}],
}
_WORKING_HOURS: Final = (
    {"kind": "scheduled", "schedule": "cron(0 7 ? * MON-FRI *)", "min_replicas": 2},
    {"kind": "scheduled", "schedule": "cron(0 19 ? * MON-FRI *)", "min_replicas": 1},
)

PRESETS: Final[tuple[Preset, ...]] = (
    Preset(
        "target tracking",
        "target_tracking",
        {"hosting.kind": "sagemaker_realtime", "policy": {"kind": "target_tracking"}},
    ),
    Preset(
        "target tracking, 10 s metric",
        "target_tracking_high_resolution",
        {
            "hosting.kind": "sagemaker_realtime",
            "policy": {"kind": "target_tracking", "metric": "concurrency_high_resolution"},
        },
    ),
    Preset(
        "step scaling",
        "step_scaling",
        {"hosting.kind": "sagemaker_realtime", "policies": [_STEPS_OUT, _STEPS_IN]},
        "an example: +1 or +2 above 70 % or 85 % of the GPU, -1 under 30 %",
    ),
    Preset(
        "target tracking + schedule",
        "scheduled",
        {
            "hosting.kind": "sagemaker_realtime",
            "policies": [{"kind": "target_tracking"}, *_WORKING_HOURS],
        },
        "an example: at least 2 from 07:00 to 19:00 UTC on working days",
    ),
    Preset(
        "inference components to zero",
        "components",
        {
            "hosting.kind": "sagemaker_components",
            "hosting.nodes": {"kind": "managed_instances"},
            "policies": [{"kind": "target_tracking"}, _WAKE],
            **_ZERO,
        },
        "woken by the vendor's own example: more than one failed request in a minute",
    ),
    Preset(
        "asynchronous endpoint",
        "async",
        {
            "hosting.kind": "sagemaker_async",
            "policies": [
                {"kind": "target_tracking", "metric": "backlog_per_instance"},
                _WAKE_BACKLOG,
            ],
            **_ZERO,
        },
    ),
    Preset(
        "SageMaker Serverless",
        "serverless",
        {
            "hosting.kind": "sagemaker_serverless",
            "hosting.memory_mb": 6144,
            "policy": {"kind": "per_request"},
        },
        "with the most memory it has; it has no GPU, so token traffic needs a law of one's own",
    ),
    Preset(
        "Lambda",
        "lambda",
        {"hosting.kind": "lambda", "policy": {"kind": "per_request"}},
        "it has no GPU, so token traffic needs a law of one's own (service.kind)",
    ),
    Preset(
        "EC2 target tracking",
        "ec2",
        {"hosting.kind": "ec2_asg", "policy": {"kind": "target_tracking"}},
    ),
    Preset(
        "EC2 + predictive scaling",
        "predictive",
        {
            "hosting.kind": "ec2_asg",
            "policies": [
                {"kind": "target_tracking"},
                {"kind": "predictive", "mode": "forecast_and_scale"},
            ],
        },
        "forecasts from the second day of the trace on: nothing was seen before it",
    ),
    Preset("HPA", "hpa", {**_KARPENTER, "policy": {"kind": "hpa"}}),
    Preset(
        "HPA on Cluster Autoscaler",
        "hpa_cluster_autoscaler",
        {**_CLUSTER_AUTOSCALER, "policy": {"kind": "hpa"}},
    ),
    Preset(
        "KEDA",
        "keda",
        {**_KARPENTER, "policy": {"kind": "keda"}, **_ZERO},
    ),
    Preset(
        "Knative",
        "knative_kpa",
        {**_KARPENTER, "policy": {"kind": "knative_kpa"}, **_ZERO},
    ),
    Preset(
        "Ray Serve",
        "ray_serve",
        {**_KARPENTER, "policy": {"kind": "ray_serve"}},
    ),
    Preset(
        "SkyServe",
        "sky_serve",
        {**_KARPENTER, "policy": {"kind": "sky_serve"}},
    ),
    Preset(
        "Cloud Run",
        "cloud_run",
        {"hosting.kind": "cloud_run", "policy": {"kind": "cloud_run"}, **_ZERO},
        "on an L4, whatever the scenario's own machine: it is the GPU Cloud Run has a price for",
    ),
)
ALL: Final = "all"


def is_preset(word: str) -> bool:
    """Whether a word, or a list of words with commas, names presets rather than a file.

    >>> is_preset("all"), is_preset("hpa,keda"), is_preset("hpa.yaml")
    (True, True, False)
    """
    return not any(mark in word for mark in "./\\#")


def presets_of(words: Sequence[str]) -> tuple[Preset, ...]:
    """The presets of some names, in the order asked for; ``all`` is every one.

    Raises
    ------
    ScenarioError
        With every unknown name, and the nearest known.
    """
    known = {preset.key: preset for preset in PRESETS}
    names = [name.strip() for word in words for name in word.split(",") if name.strip()]
    if words and not names:
        message = f"--policy names no policy: expected one of {', '.join([ALL, *known])}"
        raise ScenarioError([Problem(message, "policy", "", f"one of {', '.join(known)}")])
    unknown = [name for name in names if name != ALL and name not in known]
    if unknown:
        choices = [ALL, *known]
        raise ScenarioError(
            [
                Problem(
                    f'unknown policy "{name}": expected a policy file, or one of '
                    f"{', '.join(choices)}",
                    "policy",
                    name,
                    nearest=_of_kind(name) or nearest(name, choices),
                )
                for name in unknown
            ]
        )
    chosen = PRESETS if ALL in names else [known[name] for name in names]
    return tuple(dict.fromkeys(chosen))


def _of_kind(kind: str) -> str | None:
    """The first preset whose policy is of a kind, which an analyst may know it by."""
    for preset in PRESETS:
        blocks = preset.values.get("policies") or (preset.values["policy"],)
        if any(block["kind"] == kind for block in blocks):
            return preset.key
    return None


def with_preset(scenario: Scenario, preset: Preset) -> Scenario:
    """The analyst's scenario on a preset's platform, under its policy.

    Parameters
    ----------
    scenario : Scenario. Its own policy gives way; its machine keeps the nearest spelling.
    """
    return with_values(scenario, preset.values)
