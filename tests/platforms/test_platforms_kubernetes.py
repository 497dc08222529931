"""Policy files of Kubernetes, KEDA and Knative: what is read, what is said, what is refused."""

import warnings
from pathlib import Path
from typing import Any

import pytest

from modeler.platforms import PolicyFile, apply, load, read_policy
from modeler.platforms.quantities import quantity
from modeler.scenario import Scenario, ScenarioError, loads, value_at

HPA = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: ranker}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ranker}
  minReplicas: 2
  maxReplicas: 12
  metrics:
  - type: Resource
    resource:
      name: cpu
      target: {type: Utilization, averageUtilization: 60}
  - type: Pods
    pods:
      metric: {name: vllm:num_requests_running}
      target: {type: AverageValue, averageValue: 3500m}
  - type: Resource
    resource:
      name: memory
      target: {type: Utilization, averageUtilization: 80}
  behavior:
    scaleUp:
      selectPolicy: Min
      policies:
      - {type: Percent, value: 100, periodSeconds: 15}
    scaleDown:
      stabilizationWindowSeconds: 120
status: {currentReplicas: 3}
"""
KEDA = """\
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: ranker
  annotations: {autoscaling.keda.sh/paused-scale-in: "true", team: x}
spec:
  scaleTargetRef: {name: ranker}
  pollingInterval: 15
  cooldownPeriod: 120
  maxReplicaCount: 8
  fallback: {failureThreshold: 2, replicas: 4}
  advanced:
    restoreToOriginalReplicaCount: true
    horizontalPodAutoscalerConfig:
      behavior: {scaleDown: {stabilizationWindowSeconds: 60}}
  triggers:
  - type: aws-sqs-queue
    metadata: {queueURL: https://sqs/1, queueLength: "7", awsRegion: eu-west-1}
  - type: prometheus
    metricType: Value
    metadata:
      query: sum(rate(http_requests_total[1m]))
      threshold: "100"
      activationThreshold: "2"
  - type: cron
    metadata: {timezone: UTC, start: 0 8 * * *, end: 0 18 * * *, desiredReplicas: "5"}
"""
KNATIVE = """\
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: ranker}
spec:
  template:
    metadata:
      annotations:
        autoscaling.knative.dev/max-scale: "10"
        autoscaling.knative.dev/target: "8"
        autoscaling.knative.dev/window: 1m30s
        autoscaling.knative.dev/panicThresholdPercentage: "150"
        autoscaling.knative.dev/target-utilization-percentage: 75%
    spec:
      containerConcurrency: 10
      timeoutSeconds: 120
      containers: [{image: x}]
"""
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: config-autoscaler}
data:
  _example: "everything"
  stable-window: 2m
  scale-to-zero-grace-period: 45s
  max-scale-down-rate: "4"
  enable-scale-to-zero: "false"
  tag-header: "x"
"""


def read(folder: Path, text: str, name: str = "") -> PolicyFile:
    path = folder / "policy.yaml"
    path.write_text(text)
    return read_policy(path, name)


def refused(folder: Path, text: str, name: str = "") -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        apply(Scenario(), read(folder, text, name))
    return caught.value


def notes(file: PolicyFile) -> list[str]:
    return [note.rpartition("policy.yaml:")[2] for note in file.notes]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("500m", 0.5),
        ("300m", 0.3),
        ("2Ki", 2048),
        ("1k", 1000),
        (3, 3),
        ("1e3", 1000),
        ("1.5", 1.5),
    ],
)
def test_quantities_are_those_of_kubernetes(text: Any, value: float) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["", "m", "5 m", "5mi", "five", True, None])
def test_what_is_no_quantity(text: Any) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        quantity(text)


def test_an_hpa_is_read_with_its_metrics_behavior_and_bounds(tmp_path: Path) -> None:
    file = read(tmp_path, HPA)
    scenario, _ = apply(Scenario(), file)
    assert (scenario.fleet.min, scenario.fleet.max) == (2, 12)
    assert value_at(scenario, "policy.kind") == "hpa"
    assert value_at(scenario, "policy.metrics.0.metric") == "cpu_utilisation"
    assert value_at(scenario, "policy.metrics.0.target") == 60
    assert value_at(scenario, "policy.metrics.1.metric") == "concurrency"
    assert value_at(scenario, "policy.metrics.1.target") == 3.5
    assert value_at(scenario, "policy.behavior.scale_up.select_policy") == "min"
    assert value_at(scenario, "policy.behavior.scale_up.policies.0.type") == "percent"
    assert value_at(scenario, "policy.behavior.scale_up.policies.0.period_s") == 15
    assert value_at(scenario, "policy.behavior.scale_down.stabilization_window_s") == 120
    # Nothing said where it runs: where such a policy does.
    assert scenario.hosting.kind == "eks_karpenter"


def test_what_is_not_modelled_is_said_line_by_line(tmp_path: Path) -> None:
    assert notes(read(tmp_path, HPA)) == [
        "13: spec.metrics.1: metric vllm:num_requests_running is read as concurrency",
        "17: spec.metrics.2: metric memory is not modelled, left out",
    ]
    assert notes(read(tmp_path, KEDA)) == [
        "13: spec.advanced.restoreToOriginalReplicaCount is not modelled: the object is never "
        "deleted",
        "17: spec.triggers.0: aws-sqs-queue is read as concurrency",
        "19: spec.triggers.1: prometheus sum(rate(http_requests_total[1m])) is read as "
        "requests_per_second",
        "25: spec.triggers.2: trigger cron is not modelled, left out",
    ]
    assert notes(read(tmp_path, CONFIG)) == ["10: data.tag-header is not modelled, left out"]


def test_the_first_version_of_the_hpa_has_a_target_of_its_own(tmp_path: Path) -> None:
    text = (
        "apiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n"
        "spec: {maxReplicas: 5, targetCPUUtilizationPercentage: 55}\n"
    )
    scenario, _ = apply(Scenario(), read(tmp_path, text))
    assert value_at(scenario, "policy.target") == 55
    assert value_at(scenario, "policy.metric") == "cpu_utilisation"
    assert (scenario.fleet.min, scenario.fleet.max) == (1, 5)


def test_a_scaled_object_is_read_with_its_triggers(tmp_path: Path) -> None:
    scenario, _ = apply(Scenario(), read(tmp_path, KEDA))
    assert (scenario.fleet.min, scenario.fleet.max) == (0, 8)
    expected = {
        "polling_interval_s": 15,
        "cooldown_s": 120,
        "fallback_replicas": 4,
        "failure_threshold": 2,
        "pause_scale_in": True,
        "behavior.scale_down.stabilization_window_s": 60,
        "triggers.0.metric": "concurrency",  # messages in flight count, by default
        "triggers.0.target": 7,
        "triggers.1.metric": "requests_per_second",
        "triggers.1.metric_type": "value",
        "triggers.1.target": 100,
        "triggers.1.activation_target": 2,
    }
    assert {key: value_at(scenario, f"policy.{key}") for key in expected} == expected


def test_a_service_is_read_over_the_configuration_of_its_cluster(tmp_path: Path) -> None:
    scenario, _ = apply(Scenario(), read(tmp_path, f"{KNATIVE}---\n{CONFIG}"))
    expected = {
        "target": 8,
        "stable_window_s": 90,  # the service's own, over the cluster's
        "panic_threshold": 1.5,
        "target_utilisation": 0.75,
        "container_concurrency": 10,
        "scale_to_zero_grace_s": 45,
        "max_scale_down_rate": 4,
        "enable_scale_to_zero": False,
    }
    assert {key: value_at(scenario, f"policy.{key}") for key in expected} == expected
    assert (scenario.fleet.min, scenario.fleet.max, scenario.fleet.slots) == (0, 10, 10)
    assert scenario.client_timeout_s == 120
    alone, _ = apply(Scenario(), read(tmp_path, CONFIG))
    assert value_at(alone, "policy.stable_window_s") == 120


def test_one_of_several_is_picked_by_its_name(tmp_path: Path) -> None:
    other = HPA.replace("name: ranker}\nspec", "name: encoder}\nspec").replace("12", "7")
    text = f"{HPA}---\n{other}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n"
    assert read(tmp_path, text, "encoder").settings["fleet.max"] == 7
    assert "name one of ranker, encoder" in str(refused(tmp_path, text))
    assert 'no policy called "decoder"' in str(refused(tmp_path, text, "decoder"))
    both = read(tmp_path, f"{KNATIVE}---\napiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n")
    assert notes(both)[-1].endswith("Secret s is no policy, left out")


def test_a_list_of_objects_is_a_file_of_several(tmp_path: Path) -> None:
    indented = "".join(f"  {line}\n" for line in HPA.splitlines())
    text = "apiVersion: v1\nkind: List\nitems:\n-" + indented[1:]
    assert read(tmp_path, text).settings["fleet.max"] == 12


@pytest.mark.parametrize(
    ("old", "new", "message", "line", "column"),
    [
        ("maxReplicas: 12", "maxReplicas: 1", "fleet.max = 1 is less than fleet.min = 2", 7, 16),
        ("  maxReplicas: 12\n", "", "spec.maxReplicas is missing", 5, 3),
        ("maxReplicas: 12", "maxReplicas: many", "'many' is not a whole number", 7, 16),
        ("averageUtilization: 60", "averageUtilization: 0", "0.0 is not more than 0", 9, 5),
        ("3500m", "3500q", "'3500q' is not a quantity", 16, 50),
        ("selectPolicy: Min", "selectPolicy: Most", "is not one of Max, Min, Disabled", 23, 21),
        ("periodSeconds: 15", "periodSeconds: 9000", "is not at most 1800", 25, 9),
        ("Seconds: 120", "Seconds: 7200", "is not at most 3600", 27, 35),
        ("type: Pods\n", "type: Podz\n", "is not one of Resource, ", 13, 11),
        ("metrics:", "metrics: 3\n  others:", "spec.metrics is not a list", 8, 12),
    ],
)
def test_mistakes_stand_where_they_were_made(
    tmp_path: Path, old: str, new: str, message: str, line: int, column: int
) -> None:
    assert old in HPA
    error = refused(tmp_path, HPA.replace(old, new, 1))
    problem = error.problems[0]
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)
    assert str(problem.file).endswith("policy.yaml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: Deployment\nmetadata: {name: a}\n", "no policy that is known: expected"),
        ("- 1\n", "holds no policy"),
        ("", "holds no policy"),
        ("spec: [", "not valid YAML"),
        (HPA.replace("name: cpu", "name: disk").split("  - type: Pods")[0], "none of its metrics"),
        (KEDA.split("  - type: prometheus")[0].replace("aws-sqs-queue", "x"), "none of its trigg"),
        (KNATIVE.replace("/window", "/class"), "only the class kpa.autoscaling.knative.dev"),
    ],
)
def test_files_that_hold_no_policy_of_ours(tmp_path: Path, text: str, message: str) -> None:
    assert message in str(refused(tmp_path, text))


def test_a_scenario_names_the_file_of_its_policy(tmp_path: Path) -> None:
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "hpa.yaml").write_text(HPA)
    scenario = tmp_path / "mine.yaml"
    scenario.write_text("policy: {kind: file, path: k8s/hpa.yaml}\nfleet: {max: 20}\n")
    said: list[str] = []
    loaded = load(scenario, say=said.append)
    assert value_at(loaded, "policy.metrics.1.target") == 3.5
    # What the scenario says itself holds.
    assert (loaded.fleet.min, loaded.fleet.max) == (2, 20)
    assert loaded.hosting.kind == "eks_karpenter"
    assert len(said) == 2
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load(scenario)
    assert [str(warning.message) for warning in caught] == said


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ("policy: {kind: file, path: none.yaml}", 'there is no file "none.yaml"', 1, 28),
        ("policy: {kind: file}", "policy.path is missing", 1, 1),
        ("policy: {kind: file, path: ., paht: x}", 'unknown key "paht" in policy', 1, 31),
    ],
)
def test_a_policy_file_that_is_not_there(
    tmp_path: Path, text: str, message: str, line: int, column: int
) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        load(path)
    problem = caught.value.problems[0]
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_a_policy_file_is_read_by_the_room_that_knows_how() -> None:
    with pytest.raises(ScenarioError, match="read by modeler.platforms.load"):
        loads("policy: {kind: file, path: hpa.yaml}")


def test_mistakes_of_both_files_are_heard_together(tmp_path: Path) -> None:
    (tmp_path / "hpa.yaml").write_text(HPA.replace("12", "many"))
    path = tmp_path / "mine.yaml"
    path.write_text("policy: {kind: file, path: hpa.yaml}\nsla: {threshold_s: soon}\n")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert {Path(str(problem.file)).name for problem in caught.value.problems} == {
        "hpa.yaml",
        "mine.yaml",
    }
