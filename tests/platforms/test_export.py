"""What is exported is read back as the same policy, and replays to the same dollar."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import botocore.session
import numpy as np
import pytest
from botocore.validate import ParamValidator
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws
from ruamel.yaml import YAML

import traces
from modeler.cli.export import command
from modeler.cli.main import cli
from modeler.platforms import apply, export, read_policy
from modeler.platforms.writers import FORMS, exported, pinned
from modeler.scenario import Scenario, ScenarioError, scenario_id, with_values
from modeler.scenario.kinds import KINDS
from modeler.study import replay

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


@pytest.mark.parametrize("form", AWS_FORMS)
@pytest.mark.parametrize(("hosting", "policy"), [*AWS, *SERVICES])
def test_policies_of_application_auto_scaling_come_back(
    tmp_path: Path, form: str, hosting: str, policy: Any
) -> None:
    check(of(hosting, policy), form, tmp_path)


@pytest.mark.parametrize("form", AWS_FORMS)
@pytest.mark.parametrize(
    ("hosting", "other"), [("lambda", {}), ("sagemaker_serverless", {"hosting.memory_mb": 4096})]
)
def test_provisioned_concurrency_comes_back(
    tmp_path: Path, form: str, hosting: str, other: dict[str, Any]
) -> None:
    bounds = {"hosting.provisioned_concurrency": 1, "model.size": "400MB"}
    if hosting == "sagemaker_serverless":
        bounds |= {
            "hosting.provisioned_usd_per_gb_s": 1e-5,
            "hosting.on_provisioned_usd_per_gb_s": 1e-5,
        }
    check(of(hosting, PROVISIONED, **bounds, **other), form, tmp_path)


@pytest.mark.parametrize(("hosting", "policy"), GROUP)
def test_policies_of_a_group_come_back(tmp_path: Path, hosting: str, policy: Any) -> None:
    for form in AWS_FORMS:
        check(of(hosting, policy), form, tmp_path)


@pytest.mark.parametrize(
    ("form", "policy"),
    [
        *(("hpa", policy) for policy in HPAS),
        *(("keda", policy) for policy in KEDAS),
        *(("knative", policy) for policy in KNATIVES),
    ],
)
def test_policies_of_kubernetes_come_back(tmp_path: Path, form: str, policy: Any) -> None:
    others = {"fleet.slots": 2} if policy.get("container_concurrency") else {}
    others |= {"fleet.min": 2} if "idle_replicas" in policy else {}
    check(of("eks_karpenter", policy, **others), form, tmp_path)


CHEAP = {
    "boto3-json": with_values(of(*AWS[0]), {"policy.target_utilisation": 0.05}),
    "terraform": of(*AWS[5]),
    "cloudformation": with_values(of(*AWS[1]), {"policy.target": 0.25}),
    "hpa": of("eks_karpenter", HPAS[1]),
    "keda": of("eks_karpenter", KEDAS[0], **{"fleet.min": 0}),
    "knative": of("eks_karpenter", KNATIVES[0], **{"fleet.min": 0, "fleet.max": 7}),
}


@pytest.mark.parametrize("form", CHEAP)
def test_what_comes_back_costs_the_same_to_the_dollar(tmp_path: Path, form: str) -> None:
    scenario = CHEAP[form]
    again = back(export(scenario, form, trace=SHORT), form, tmp_path, scenario)
    before, after = (replay(one, trace=SHORT) for one in (scenario, again))
    assert after.outcome.usd_per_hour == before.outcome.usd_per_hour
    assert after.decisions == before.decisions
    assert before.decisions  # it scaled at all
    assert after.outcome.sla_violation_share == before.outcome.sla_violation_share


@pytest.mark.parametrize(
    ("form", "scenario", "paths", "forms"),
    [
        ("terraform", of("eks_karpenter", {"kind": "hpa"}), ["policy.kind"], "--as hpa"),
        ("keda", of("sagemaker_realtime", {"kind": "target_tracking"}), ["policy.kind"], "boto3"),
        ("hpa", of("eks_karpenter", {"kind": "fixed", "replicas": 3}), ["policy.kind"], "never"),
        ("hpa", of("eks_karpenter", {"kind": "ray_serve"}), ["policy.kind"], "no form has such"),
        ("terraform", of("lambda", {"kind": "per_request"}), ["policy.kind"], "by itself"),
        (
            "boto3-json",
            of(
                "sagemaker_realtime",
                [
                    {
                        "kind": "target_tracking",
                        "target": 5,
                        "scale_out_cooldown_s": 60.5,
                        "instance_warmup_s": 10,
                    },
                    {
                        "kind": "step_scaling",
                        "metric": "queue_per_instance",
                        "threshold": 3,
                        "period_s": 45,
                        "steps": {"lower": 0, "adjustment": 1.5},
                    },
                ],
            ),
            [
                "policies.0.scale_out_cooldown_s",
                "policies.0.instance_warmup_s",
                "policies.1.steps.0.adjustment",
                "policies.1.period_s",
                "policies.1.metric",
            ],
            "whole numbers",
        ),
        (
            "hpa",
            of("eks_karpenter", {"kind": "hpa", "target": 62.5}),
            ["policy.target"],
            "expected 62",
        ),
        (
            "knative",
            of("eks_karpenter", {"kind": "knative_kpa", "container_concurrency": 9}),
            ["fleet.slots"],
            "fleet.slots: 9",
        ),
    ],
)
def test_what_a_form_cannot_say_is_refused_all_at_once(
    form: str, scenario: Scenario, paths: list[str], forms: str
) -> None:
    with pytest.raises(ScenarioError) as caught:
        export(scenario, form, trace=SHORT)
    assert [problem.path for problem in caught.value.problems] == paths
    assert forms in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_form_that_does_not_exist_is_told_with_the_nearest() -> None:
    with pytest.raises(ScenarioError, match='did you mean "terraform"'):
        export(Scenario(), "teraform")


def test_the_comment_on_top_says_what_the_file_does_not() -> None:
    scenario = with_values(
        CHEAP["keda"],
        {"name": "a\nb: c", "cold_start.image_size": "9GB", "policy.sync_period_s": 20},
    )
    text = export(scenario, "keda", run="r1", usd_per_hour=1.25, trace=SHORT)
    assert f"# scenario {scenario_id(scenario)}, run r1, expected 1.2500 USD an hour" in text
    for line in (
        "trace = office-week",
        "model.size = 14000000000",
        "cold_start.image_size = 9000000000",
        "policy.sync_period_s = 20.0",
    ):
        assert f"\n#   {line}\n" in text
    assert "policy.target" in text
    assert "\n# b: c" not in text
    assert YAML(typ="safe").load(text).keys() == {"apiVersion", "kind", "metadata", "spec"}
    written = exported(CHEAP["boto3-json"], "boto3-json", trace=SHORT)
    assert json.loads(written.text).keys() == {"ScalableTargets", "ScalingPolicies"}
    assert "  trace = office-week" in written.notes


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    out = tmp_path / "hpa.yaml"
    arguments = ["export", "--as", "hpa", "--set", "hosting.kind=eks_karpenter", "-o", str(out)]
    result = CliRunner().invoke(cli, [*arguments, "--set", "fleet.max=7"])
    assert result.exit_code == 0, result.stderr
    scenario, _ = apply(Scenario(), read_policy(out))
    assert scenario.fleet.max == 7
    refused = CliRunner().invoke(cli, ["export", "--as", "hpa"])
    assert isinstance(refused.exception, ScenarioError)
    # The command offers what the room writes.
    assert command.params[1].type.choices == tuple(FORMS)


# Keys of the JSON, with the service and the call whose parameters an entry is.
CALLS = {
    "ScalableTargets": ("application-autoscaling", "RegisterScalableTarget"),
    "ScalingPolicies": ("application-autoscaling", "PutScalingPolicy"),
    "ScheduledActions": ("application-autoscaling", "PutScheduledAction"),
    "MetricAlarms": ("cloudwatch", "PutMetricAlarm"),
}
CALLS_OF_A_GROUP = {
    "AutoScalingGroups": ("autoscaling", "UpdateAutoScalingGroup"),
    "ScalingPolicies": ("autoscaling", "PutScalingPolicy"),
    "ScheduledUpdateGroupActions": ("autoscaling", "PutScheduledUpdateGroupAction"),
    "MetricAlarms": ("cloudwatch", "PutMetricAlarm"),
}


@pytest.mark.parametrize(("hosting", "policy"), [*AWS, *SERVICES, *GROUP])
def test_the_json_is_what_boto3_takes(hosting: str, policy: Any) -> None:
    # Against the vendor's own description of its calls, as botocore ships it.
    session = botocore.session.get_session()
    made = json.loads(export(of(hosting, policy), "boto3-json", trace=SHORT))
    calls = CALLS_OF_A_GROUP if hosting == "ec2_asg" else CALLS
    assert made.keys() <= calls.keys()
    for key, entries in made.items():
        service, call = calls[key]
        shape = session.get_service_model(service).operation_model(call).input_shape
        for entry in entries:
            report = ParamValidator().validate(entry, shape)
            assert not report.has_errors(), report.generate_report()


numbers = st.floats(0.01, 1e6, allow_nan=False)
times = st.integers(0, 86_400)
shares = st.floats(0.01, 1.0)


@st.composite
def steps(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Steps above the threshold, side by side, the last without an end."""
    ends = sorted(draw(st.sets(st.floats(0.5, 1e4), max_size=3)))
    lows, highs = [0.0, *ends], [*ends, None]
    return [
        {"lower": low, "upper": high, "adjustment": draw(st.integers(1, 50))}
        for low, high in zip(lows, highs, strict=True)
    ]


tracking = st.fixed_dictionaries(
    {"kind": st.just("target_tracking"), "target": numbers, "disable_scale_in": st.booleans()},
    optional={"scale_out_cooldown_s": times, "scale_in_cooldown_s": times},
)
stepping = st.fixed_dictionaries(
    {
        "kind": st.just("step_scaling"),
        "metric": st.just("cpu_utilisation"),
        "threshold": numbers,
        "steps": steps(),
        "evaluation_periods": st.integers(5, 9),
        "treat_missing": st.sampled_from(["missing", "ignore", "breaching", "notBreaching"]),
    },
    optional={
        "period_s": st.sampled_from([10, 30, 60, 300]),
        "datapoints_to_alarm": st.integers(1, 5),
        "cooldown_s": times,
    },
)
rates = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["pods", "percent"]),
        "value": st.integers(1, 1000),
        "period_s": st.integers(1, 1800),
    }
)
rules = st.fixed_dictionaries(
    {"select_policy": st.sampled_from(["max", "min", "disabled"])},
    optional={
        "stabilization_window_s": st.integers(0, 3600),
        "tolerance": st.floats(0, 1),
        "policies": st.lists(rates, min_size=1, max_size=3),
    },
)
behaviors = st.fixed_dictionaries({}, optional={"scale_up": rules, "scale_down": rules})
hpas = st.fixed_dictionaries(
    {
        "kind": st.just("hpa"),
        "metrics": st.lists(
            st.one_of(
                st.fixed_dictionaries({"target": st.integers(1, 1000)}),
                st.fixed_dictionaries(
                    {
                        "metric": st.sampled_from(["concurrency", "requests_per_second"]),
                        "source": st.sampled_from(["object", "external"]),
                        "target_type": st.sampled_from(["average_value", "value"]),
                        "target": numbers,
                    }
                ),
            ),
            min_size=1,
            max_size=4,
        ),
    },
    optional={"behavior": behaviors},
)
triggers = st.fixed_dictionaries(
    {
        "metric": st.sampled_from(["queue_length", "concurrency", "requests_per_second"]),
        "target": numbers,
        "activation_target": st.floats(0, 1e4),
        "use_cached_metrics": st.booleans(),
    }
)
kedas = st.fixed_dictionaries(
    {
        "kind": st.just("keda"),
        "triggers": st.lists(triggers, min_size=1, max_size=3),
        "polling_interval_s": st.integers(1, 600),
        "cooldown_s": times,
        "initial_cooldown_s": times,
    },
    optional={"behavior": behaviors, "paused": st.booleans()},
)
knatives = st.fixed_dictionaries(
    {
        "kind": st.just("knative_kpa"),
        "metric": st.sampled_from(["concurrency", "rps"]),
        "target_utilisation": shares,
        "target_burst_capacity": st.floats(-1, 1e4),
        "stable_window_s": st.integers(6, 3600),
        "panic_window_share": shares,
        "panic_threshold": st.floats(1.1, 10),
        "scale_down_delay_s": st.integers(0, 3600),
        "activation_scale": st.integers(1, 99),
        "pod_retention_s": st.floats(0, 1e4),
    },
    optional={
        "target": numbers,
        "max_scale_up_rate": st.floats(1.01, 1e4),
        "max_scale_down_rate": st.floats(1.01, 1e4),
        "scale_to_zero_grace_s": st.floats(6, 1e4),
        "enable_scale_to_zero": st.booleans(),
    },
)
aws = st.lists(st.one_of(tracking, stepping), min_size=1, max_size=3)
drawn = st.one_of(
    st.tuples(st.sampled_from(AWS_FORMS), st.just("sagemaker_realtime"), aws),
    st.tuples(st.just("hpa"), st.just("eks_karpenter"), hpas),
    st.tuples(st.just("keda"), st.just("eks_karpenter"), kedas),
    st.tuples(st.just("knative"), st.just("eks_karpenter"), knatives),
)


@settings(max_examples=100, deadline=None)
@given(drawn, st.integers(1, 50), st.integers(0, 500))
def test_any_numbers_come_back_to_the_last_digit(
    what: tuple[str, str, Any], fewest: int, more: int
) -> None:
    form, hosting, policy = what
    scenario = of(hosting, policy, **{"fleet.min": fewest, "fleet.max": fewest + more})
    with TemporaryDirectory() as folder:
        check(scenario, form, Path(folder))


@pytest.mark.parametrize("which", [0, 1, 2, 4, 5])
def test_the_documented_lines_set_it_up_and_what_aws_then_prints_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: int
) -> None:
    # Against moto, which answers as AWS does; it knows no inference components.
    monkeypatch.chdir(tmp_path)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text()
    (lines,) = re.findall(r"```python\n(import json.*?)```", page, re.DOTALL)
    scenario = of(*AWS[which])
    Path("scaling.json").write_text(export(scenario, "boto3-json", trace=SHORT))
    with mock_aws():
        said: dict[str, Any] = {}
        exec(lines, said)
        answers = {
            key: getattr(said["scaling"], f"describe_{call}")(ServiceNamespace="sagemaker")[key]
            for key, call in (
                ("ScalableTargets", "scalable_targets"),
                ("ScalingPolicies", "scaling_policies"),
                ("ScheduledActions", "scheduled_actions"),
            )
        }
        answers["MetricAlarms"] = said["alarms"].describe_alarms()["MetricAlarms"]
    printed = json.dumps(answers, default=lambda moment: moment.isoformat())
    again = back(printed, "boto3-json", tmp_path, scenario)
    full = pinned(scenario, SHORT)
    assert json.dumps(told(again)).replace("+00:00", "Z") == json.dumps(told(full))


BLOCKS: dict[str, tuple[str, dict[str, Any]]] = {
    "target_tracking": ("sagemaker_realtime", {"target": 30}),
    "step_scaling": (
        "sagemaker_realtime",
        {
            "metric": "cpu_utilisation",
            "threshold": 50,
            "steps": {"lower": 0, "adjustment": 1},
            "evaluation_periods": 3,
        },
    ),
    "scheduled": ("sagemaker_realtime", {"schedule": "rate(2 hours)", "min_replicas": 2}),
    "predictive": ("ec2_asg", {"target": 30, "max_capacity_behaviour": "increase"}),
    "hpa": ("eks_karpenter", {"metric": "concurrency", "source": "external", "target": 3}),
    "keda": ("eks_karpenter", {"target": 3, "fallback_replicas": 2}),
    "knative_kpa": ("eks_karpenter", {}),
}
# Tried in turn, until one holds that is not the default.
OTHERS: list[Any] = [
    True, False, 2, 5, 45, "increase", "object", 0.5, 2.5, 90, 120, 1.2, "average", "external",
    "value", "concurrency",
    "gpu_utilisation", "cpu_utilisation", "rps", "Maximum", "notBreaching", "ExactCapacity",
    "PercentChangeInCapacity", "<", ">", "cron(0 6 * * ? *)", "2026-03-01T00:00:00Z",
    "Europe/Berlin", "honour", "forecast_and_scale", "current_replicas", "weighted-exponential",
    [1.0] * 24, [{"upper": 0, "adjustment": -1}, {"lower": 0, "adjustment": 2}],
    [{"metric": "cpu_utilisation"}, {"metric": "concurrency"}], {"scale_up": {"tolerance": 0.2}},
]  # fmt: skip


def other_than(kind: str, name: str) -> Scenario | None:
    """A scenario whose policy has another value than the default of one setting."""
    hosting, given = BLOCKS[kind]
    default = KINDS["policy"][kind].model_fields[name].default
    for value in OTHERS:
        alone = name in ("metrics", "triggers")
        rest = {} if alone else given
        try:
            found = of(hosting, {"kind": kind, **rest, name: value}, **{"fleet.min": 3})
        except ScenarioError:
            continue
        if getattr(found.policy, name) != default:
            return found
    return None


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name) for kind in BLOCKS for name in KINDS["policy"][kind].model_fields],
)
def test_every_setting_is_written_or_named_or_refused(tmp_path: Path, kind: str, name: str) -> None:
    if name == "kind" or (name == "target_utilisation" and kind != "knative_kpa"):
        return  # the share behind a target that is set decides nothing
    scenario = other_than(kind, name)
    assert scenario is not None, f"no other value of {kind}.{name} among those that are tried"
    form = next(form for form, known in FORMS.items() if kind in known)
    text, refused = "", ""
    try:
        text = export(scenario, form, trace=SHORT)
    except ScenarioError as error:
        refused = str(error)
    if refused:
        assert name in refused
        return
    again = back(text, form, tmp_path, scenario)
    if getattr(again.policy, name) != getattr(pinned(scenario, SHORT).policy, name):
        assert f"#   policy.{name} = " in text
