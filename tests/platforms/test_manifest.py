"""Scenarios of Kubernetes manifests: what they tell, where it stands, and what they do not."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.platforms import load
from modeler.platforms.manifest import from_manifest
from modeler.scenario import ScenarioError

WORKLOAD = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: llama
spec:
  replicas: 2
  template:
    spec:
      nodeSelector:
        node.kubernetes.io/instance-type: g6.2xlarge
      containers:
        - name: vllm
          image: vllm/vllm-openai:v0.6.3
          args: ["--model", "meta-llama/Llama-3.1-8B-Instruct", "--max-num-seqs=64"]
          resources:
            limits: {nvidia.com/gpu: 1}
"""
HPA = """apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: scaler
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: llama}
  minReplicas: 3
  maxReplicas: 8
  metrics:
    - type: Resource
      resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}
"""
KEDA = """apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: queue}
spec:
  scaleTargetRef: {name: llama}
  minReplicaCount: 0
  maxReplicaCount: 6
  cooldownPeriod: 120
  triggers:
    - type: prometheus
      metadata: {query: sum(vllm_num_requests_waiting), threshold: "5"}
"""
KNATIVE = """apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: chat}
spec:
  template:
    metadata:
      annotations: {autoscaling.knative.dev/target: "10", autoscaling.knative.dev/max-scale: "4"}
    spec:
      containerConcurrency: 20
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions:
                  - {key: node.kubernetes.io/instance-type, operator: In, values: [g5.xlarge]}
      containers:
        - image: chat:1
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def init(*args):
    return CliRunner().invoke(cli, ["init", *args])


def test_a_workload_and_its_policy(folder):
    Path("hpa.yaml").write_text(f"{WORKLOAD}---\n{HPA}")
    ran = init("--from-hpa", "hpa.yaml", "--out", "out", "--format", "json")
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.stdout)
    assert report["files"] == ["out/hpa.yaml", "out/scenario.yaml"]
    scenario = load("out/scenario.yaml", say=lambda line: None)
    assert scenario.name == "scaler"
    assert scenario.hosting.instance == "g6.2xlarge"
    # 8,030,261,248 parameters of two bytes.
    assert scenario.model.size == 16_060_522_496
    assert (scenario.fleet.min, scenario.fleet.max, scenario.fleet.initial) == (3, 8, 3)
    (policy,) = scenario.in_force
    assert (policy.kind, policy.target) == ("hpa", 70)
    text = Path("out/scenario.yaml").read_text()
    for line in (
        "instance: g6.2xlarge  # hpa.yaml line 10",
        "initial: 3  # hpa.yaml line 6, replicas of the workload: 2, outside of the policy's",
        "# hpa.yaml line 14: meta-llama/Llama-3.1-8B-Instruct in bf16, counted",
        "# fleet.min is 3: hpa.yaml line 24",
        "# NOT KNOWN: cold_start.image_size of vllm/vllm-openai:v0.6.3 (hpa.yaml line 13)",
    ):
        assert line in text
    assert any("the traffic" in gap for gap in report["gaps"])
    every = [line for line in text.splitlines() if ": " in line and not line.startswith("#")]
    assert all("#" in line for line in every if "kind: file" not in line and "path:" not in line)


@pytest.mark.parametrize(
    ("option", "text", "kind", "bounds"),
    [
        ("--from-hpa", HPA, "hpa", (3, 8)),
        ("--from-keda", KEDA, "keda", (0, 6)),
        ("--from-knative", KNATIVE, "knative_kpa", (0, 4)),
    ],
)
def test_every_platform_gives_a_scenario_that_replays(option, text, kind, bounds):
    Path("m.yaml").write_text(text)
    assert init(option, "m.yaml", "--out", "out").exit_code == 0
    scenario = load("out/scenario.yaml", say=lambda line: None)
    assert scenario.in_force[0].kind == kind
    assert (scenario.fleet.min, scenario.fleet.max) == bounds
    rows = "".join(f"2026-01-05T00:00:{second:02d}Z\n" for second in range(60))
    Path("minute.csv").write_text("timestamp\n" + rows)
    ran = CliRunner().invoke(cli, ["replay", "out/scenario.yaml", "--trace", "minute.csv"])
    assert ran.exit_code == 0, ran.output
    assert "60: " in ran.stdout


def test_an_affinity_names_the_instance(folder):
    Path("k.yaml").write_text(KNATIVE)
    text = from_manifest("k.yaml", "", "knative").files["scenario.yaml"]
    assert "instance: g5.xlarge  # k.yaml line 15" in text


@pytest.mark.parametrize(
    ("line", "odd"),
    [
        ("replicas: 2", "replicas: many"), ("replicas: 2", "replicas: {a: 1}"),
        ("  name: llama", "  name: [llama]"),
        ("node.kubernetes.io/instance-type: g6.2xlarge", "just text"),
        ("node.kubernetes.io/instance-type: g6.2xlarge", "node.kubernetes.io/instance-type: [a]"),
        ("limits: {nvidia.com/gpu: 1}", "limits: 3"),
    ],
)  # fmt: skip
def test_workloads_of_odd_shapes_are_left_or_refused(line, odd):
    assert line in WORKLOAD
    Path("hpa.yaml").write_text(f"{WORKLOAD.replace(line, odd)}---\n{HPA}")
    try:
        composed = from_manifest("hpa.yaml", "", "hpa")
    except ScenarioError:
        return
    for name, text in composed.files.items():
        Path(name).write_text(text)
    assert load("scenario.yaml", say=lambda line: None).fleet.max == 8


def test_another_workloads_machine_is_not_taken(folder):
    Path("hpa.yaml").write_text(f"{WORKLOAD.replace('name: llama', 'name: other')}---\n{HPA}")
    composed = from_manifest("hpa.yaml", "", "hpa")
    assert "g6.2xlarge" not in composed.files["scenario.yaml"]
    assert any("no node selector or affinity names one" in gap for gap in composed.gaps)


def test_what_no_table_holds_is_named(folder):
    strange = WORKLOAD.replace("g6.2xlarge", "n1-standard-8").replace(
        "meta-llama/Llama-3.1-8B-Instruct", "acme/own-model"
    )
    Path("hpa.yaml").write_text(f"{strange}---\n{HPA}")
    composed = from_manifest("hpa.yaml", "", "hpa")
    gaps = "\n".join(composed.gaps)
    assert "no figures are held of n1-standard-8 (hpa.yaml line 10)" in gaps
    assert "model.size of acme/own-model (hpa.yaml line 14)" in gaps
    load_of = composed.files["scenario.yaml"]
    assert "instance:" not in load_of.replace("the instance type:", "")


def test_of_several_policies_one_is_named(folder):
    Path("all.yaml").write_text(f"{HPA}---\n{HPA.replace('name: scaler', 'name: second')}")
    with pytest.raises(ScenarioError, match="holds 2 policies: name one of scaler, second"):
        from_manifest("all.yaml", "", "hpa")
    assert init("--from-hpa", "all.yaml#second", "--out", "out").exit_code == 0
    assert load("out/scenario.yaml", say=lambda line: None).name == "second"


def test_what_is_refused(folder):
    Path("hpa.yaml").write_text(HPA)
    with pytest.raises(ScenarioError, match="expected a KEDA ScaledObject"):
        from_manifest("hpa.yaml", "", "keda")
    assert "give one of --from-endpoint, --from-hpa" in init().stderr
    both = init("--from-hpa", "hpa.yaml", "--from-keda", "hpa.yaml")
    assert (both.exit_code, "give one of" in both.stderr) == (2, True)
    Path("out").mkdir()
    Path("out/mine.txt").write_text("kept")
    taken = init("--from-hpa", "hpa.yaml", "--out", "out")
    assert "out is there already" in taken.stderr
    assert [path.name for path in Path("out").iterdir()] == ["mine.txt"]


def test_the_region_is_asked_for_and_what_is_of_an_account_is_refused(folder):
    Path("hpa.yaml").write_text(f"{WORKLOAD}---\n{HPA}")
    assert init("--from-hpa", "hpa.yaml", "--region", "eu-west-1", "--out", "o").exit_code == 0
    assert load("o/scenario.yaml", say=lambda line: None).hosting.region == "eu-west-1"
    ran = init("--from-hpa", "hpa.yaml", "--variant", "v", "--dry-run", "--out", "p")
    assert ran.exit_code == 2
    assert "--variant, --dry-run are of an account, not of --from-hpa" in ran.stderr
