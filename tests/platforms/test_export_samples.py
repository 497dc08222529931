"""Every sample that an importer is tested with, read, written and read again: the same policy."""

import json
from pathlib import Path
from typing import Any

import pytest
from exports import SHORT, back, told
from test_cloudformation import TEMPLATE
from test_platforms_aws import ALARM, BOUNDS, CONCURRENCY, TARGET, TRACKING, WAKE
from test_platforms_kubernetes import CONFIG, HPA, KEDA, KNATIVE
from test_terraform import MAIN, STEPS

from modeler.platforms import apply, export, load, read_policy
from modeler.platforms.terraform import from_terraform
from modeler.platforms.writers import FORMS, pinned
from modeler.scenario import Scenario

FIRST = """\
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata: {name: first}
spec: {maxReplicas: 5, targetCPUUtilizationPercentage: 55}
"""
NIGHT = {
    "ScheduledActionName": "night",
    "ResourceId": TARGET,
    "Schedule": "cron(0 20 * * ? *)",
    "Timezone": "Europe/Berlin",
    "StartTime": "2026-01-01T00:00:00+00:00",
    "ScalableTargetAction": {"MaxCapacity": 3},
}
GROUP: dict[str, Any] = {
    "AutoScalingGroups": [{"AutoScalingGroupName": "g", "MinSize": 2, "MaxSize": 9}],
    "ScalingPolicies": [
        {
            "AutoScalingGroupName": "g",
            "PolicyName": "cpu",
            "PolicyType": "TargetTrackingScaling",
            "EstimatedInstanceWarmup": 120,
            "TargetTrackingConfiguration": {
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "ASGAverageCPUUtilization"
                },
                "TargetValue": 50.0,
            },
        },
        {
            "AutoScalingGroupName": "g",
            "PolicyType": "PredictiveScaling",
            "PredictiveScalingConfiguration": {
                "MetricSpecifications": [
                    {
                        "TargetValue": 40,
                        "PredefinedMetricPairSpecification": {
                            "PredefinedMetricType": "ASGCPUUtilization"
                        },
                    }
                ],
                "Mode": "ForecastAndScale",
            },
        },
    ],
    "ScheduledUpdateGroupActions": [
        {"AutoScalingGroupName": "g", "Recurrence": "0 8 * * 1-5", "MinSize": 3}
    ],
}
COMPONENT = {**BOUNDS, "ResourceId": WAKE["ResourceId"], "MinCapacity": 0}
SAMPLES = {
    "hpa.yaml": HPA,
    "first.yaml": FIRST,
    "keda.yaml": KEDA,
    "knative.yaml": KNATIVE,
    "config.yaml": CONFIG,
    "both.yaml": f"{KNATIVE}---\n{CONFIG}",
    "template.yaml": TEMPLATE,
    "tracking.json": {"ScalingPolicies": [TRACKING, CONCURRENCY], "ScalableTargets": [BOUNDS]},
    "night.json": {"ScalingPolicies": [TRACKING], "ScheduledActions": [NIGHT]},
    "wake.json": {
        "ScalingPolicies": [WAKE],
        "MetricAlarms": [ALARM],
        "ScalableTargets": [COMPONENT],
    },
    "group.json": GROUP,
    "main.tf": MAIN,
    "steps.tf": MAIN + STEPS,
}


def read(name: str, folder: Path) -> Scenario:
    sample = SAMPLES[name]
    path = folder / name
    path.write_text(sample if isinstance(sample, str) else json.dumps(sample))
    if not name.endswith(".tf"):
        return apply(Scenario(), read_policy(path))[0]
    for file, text in from_terraform(str(path), "").files.items():
        (folder / file).write_text(text)
    return load(folder / "scenario.yaml", say=lambda _: None)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_read_written_and_read_again(tmp_path: Path, name: str) -> None:
    scenario = read(name, tmp_path)
    kinds = {block.kind for block in scenario.in_force}
    forms = [form for form, known in FORMS.items() if kinds <= set(known)]
    assert forms
    full = pinned(scenario, SHORT)
    for form in forms:
        folder = tmp_path / form
        folder.mkdir()
        again = back(export(scenario, form, trace=SHORT), form, folder, Scenario())
        assert told(again) == told(full)
        assert (again.fleet.min, again.fleet.max) == (scenario.fleet.min, scenario.fleet.max)
        assert again.fleet.slots == full.fleet.slots
        assert again.queue == scenario.queue
        assert again.hosting.kind == scenario.hosting.kind
