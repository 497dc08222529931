"""Policy files of Application Auto Scaling and EC2 Auto Scaling, and ``--policy``."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.platforms import apply, read_policy
from modeler.scenario import Scenario, ScenarioError, value_at, with_values

TARGET = "endpoint/ranker/variant/AllTraffic"
TRACKING: dict[str, Any] = {
    "PolicyARN": "arn:aws:autoscaling:1",
    "PolicyName": "invocations",
    "ServiceNamespace": "sagemaker",
    "ResourceId": TARGET,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
        "ScaleOutCooldown": 60,
        "ScaleInCooldown": 120,
        "DisableScaleIn": True,
    },
    "Alarms": [{"AlarmName": "a", "AlarmARN": "arn"}],
    "CreationTime": "2026-01-01T00:00:00",
}
CONCURRENCY: dict[str, Any] = {
    **TRACKING,
    "PolicyName": "concurrency",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 4,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"
        },
    },
}
BOUNDS: dict[str, Any] = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": TARGET,
    "MinCapacity": 2,
    "MaxCapacity": 6,
    "RoleARN": "arn",
    "SuspendedState": {"DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": False},
}


def written(folder: Path, content: Any, name: str = "policy.json") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=2))
    return path


def refused(path: Path, name: str = "") -> ScenarioError:
    with pytest.raises(ScenarioError) as caught:
        apply(Scenario(), read_policy(path, name))
    return caught.value


def test_a_policy_is_read_as_it_is_printed(tmp_path: Path) -> None:
    file = read_policy(written(tmp_path, {"ScalingPolicies": [TRACKING]}))
    assert file.notes == ()
    scenario, _ = apply(Scenario(), file)
    expected = {
        "kind": "target_tracking",
        "metric": "invocations_per_instance",
        "target": 70,
        "scale_out_cooldown_s": 60,
        "scale_in_cooldown_s": 120,
        "disable_scale_in": True,
    }
    assert {key: value_at(scenario, f"policy.{key}") for key in expected} == expected
    assert scenario.hosting.kind == "sagemaker_realtime"


def test_a_policy_is_read_as_it_is_put(tmp_path: Path) -> None:
    put = {key: value for key, value in TRACKING.items() if key not in ("Alarms", "PolicyARN")}
    file = read_policy(written(tmp_path, put))
    assert file.settings["policy"]["target"] == 70
    assert file.notes == ()


def test_several_policies_of_one_target_are_a_list(tmp_path: Path) -> None:
    file = read_policy(written(tmp_path, {"ScalingPolicies": [TRACKING, CONCURRENCY]}))
    scenario, _ = apply(Scenario(), file)
    assert [value_at(scenario, f"policies.{i}.target") for i in (0, 1)] == [70, 4]
    assert value_at(scenario, "policies.1.metric") == "concurrency_high_resolution"


def test_bounds_come_from_the_targets_also_of_another_file(tmp_path: Path) -> None:
    policies = read_policy(written(tmp_path, {"ScalingPolicies": [TRACKING]}))
    targets = read_policy(written(tmp_path, {"ScalableTargets": [BOUNDS]}, "targets.json"))
    scenario, notes = apply(Scenario(), policies, targets)
    assert (scenario.fleet.min, scenario.fleet.max) == (2, 6)
    assert value_at(scenario, "policy.target") == 70
    (note,) = notes
    assert note.startswith(f"{tmp_path / 'targets.json'}:9: suspended (DynamicScalingInSuspended)")
    kept, said = apply(with_values(Scenario(), {"fleet.max": 9}), targets, keep=["fleet.max"])
    assert (kept.fleet.min, kept.fleet.max) == (2, 9)
    assert "fleet.max = 6 gives way to the scenario's own" in said[1]


def test_one_of_several_targets_is_picked_by_its_name(tmp_path: Path) -> None:
    other = {**CONCURRENCY, "ResourceId": "endpoint/encoder/variant/AllTraffic"}
    path = written(tmp_path, {"ScalingPolicies": [TRACKING, other]})
    assert read_policy(path, "encoder").settings["policy"]["target"] == 4
    assert f"2 targets: name one of {TARGET}, endpoint/encoder" in str(refused(path))
    assert 'no target or policy is called "decoder"' in str(refused(path, "decoder"))


def test_what_is_unknown_in_a_policy_is_said(tmp_path: Path) -> None:
    odd = {**TRACKING, "Mood": "bright"}
    (note,) = read_policy(written(tmp_path, {"ScalingPolicies": [odd]})).notes
    assert note.endswith("ScalingPolicies.0.Mood is not modelled, left out")


def changed(**configuration: Any) -> dict[str, Any]:
    before = TRACKING["TargetTrackingScalingPolicyConfiguration"]
    return {**TRACKING, "TargetTrackingScalingPolicyConfiguration": {**before, **configuration}}


@pytest.mark.parametrize(
    ("policy", "message", "line"),
    [
        (changed(TargetValue=0), "policy.target: 0.0 is not more than 0", 11),
        (changed(TargetValue="x"), "'x' is not a number", 11),
        (changed(ScaleInCooldown=-1), "-1 must be finite and not negative", 16),
        (changed(PredefinedMetricSpecification={}), "no metric is named", 10),
        (
            changed(PredefinedMetricSpecification={"PredefinedMetricType": "Mood"}),
            "Mood is not modelled: one of SageMakerVariantInvocationsPerInstance",
            13,
        ),
        ({**TRACKING, "PolicyType": "Wishful"}, "'Wishful' is not one of TargetTracking", 9),
    ],
)
def test_mistakes_stand_where_they_were_made(
    tmp_path: Path, policy: dict[str, Any], message: str, line: int
) -> None:
    problem = refused(written(tmp_path, {"ScalingPolicies": [policy]})).problems[0]
    assert message in problem.message
    assert problem.line == line
    assert str(problem.file).endswith("policy.json")


@pytest.mark.parametrize(
    ("text", "message", "line", "column"),
    [
        ('{"ScalingPolicies": [,]}', "not valid JSON: expecting value", 1, 22),
        (
            '{"ScalingPolicies":\n [{"PolicyName": \'x\'}]}',
            "not valid JSON: expecting value",
            2,
            18,
        ),
        ('{"ScalingPolicies": 3}', "ScalingPolicies is not a list", 1, 21),
        ('{"ScalingPolicies": [3]}', "ScalingPolicies.0 is not a mapping", 1, 22),
        ('{"Reservations": []}', "no policy that is known", 1, 1),
    ],
)
def test_json_that_does_not_hold(
    tmp_path: Path, text: str, message: str, line: int, column: int
) -> None:
    problem = refused(written(tmp_path, text)).problems[0]
    assert message in problem.message
    assert (problem.line, problem.column) == (line, column)


def test_the_option_lays_a_policy_file_over_a_scenario(tmp_path: Path) -> None:
    path = written(tmp_path, {"ScalingPolicies": [{**TRACKING, "Mood": 1}]})
    targets = written(tmp_path, {"ScalableTargets": [BOUNDS]}, "targets.json")
    arguments = ["scenario", "explain", "--policy", str(path), "--policy", str(targets)]
    result = CliRunner().invoke(cli, [*arguments, "--set", "fleet.max=4", "--format", "json"])
    assert result.exit_code == 0, result.stderr
    assert "ScalingPolicies.0.Mood is not modelled, left out" in result.stderr
    assert "fleet.max = 6 gives way" in result.stderr
    rows = {row["path"]: row["value"] for row in json.loads(result.stdout)["settings"]}
    assert (rows["policy.target"], rows["fleet.min"], rows["fleet.max"]) == (70, 2, 4)


def test_the_option_picks_one_by_name(tmp_path: Path) -> None:
    other = {**CONCURRENCY, "ResourceId": "endpoint/encoder/variant/AllTraffic"}
    path = written(tmp_path, {"ScalingPolicies": [TRACKING, other]})
    arguments = ["scenario", "explain", "--policy", f"{path}#encoder", "--format", "json"]
    result = CliRunner().invoke(cli, arguments)
    rows = {row["path"]: row["value"] for row in json.loads(result.stdout)["settings"]}
    assert rows["policy.target"] == 4


WAKE: dict[str, Any] = {
    "ResourceId": "inference-component/ranker",
    "PolicyType": "StepScaling",
    "StepScalingPolicyConfiguration": {
        "AdjustmentType": "ChangeInCapacity",
        "MetricAggregationType": "Maximum",
        "Cooldown": 60,
        "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
    },
    "Alarms": [{"AlarmName": "wake"}],
}
ALARM: dict[str, Any] = {
    "AlarmName": "wake",
    "MetricName": "NoCapacityInvocationFailures",
    "Statistic": "Maximum",
    "Period": 30,
    "EvaluationPeriods": 2,
    "DatapointsToAlarm": 1,
    "Threshold": 1.0,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "missing",
}


def test_a_step_policy_is_read_with_the_alarm_that_invokes_it(tmp_path: Path) -> None:
    targets = [{**BOUNDS, "ResourceId": WAKE["ResourceId"], "MinCapacity": 0}]
    content = {"ScalingPolicies": [WAKE], "MetricAlarms": [ALARM], "ScalableTargets": targets}
    scenario, _ = apply(Scenario(), read_policy(written(tmp_path, content)))
    expected = {
        "kind": "step_scaling",
        "metric": "no_capacity_invocation_failures",
        "threshold": 1,
        "comparison": ">",
        "period_s": 30,
        "evaluation_periods": 2,
        "datapoints_to_alarm": 1,
        "metric_aggregation": "Maximum",
        "cooldown_s": 60,
        "steps.0.lower": 0,
        "steps.0.adjustment": 1,
    }
    assert {key: value_at(scenario, f"policy.{key}") for key in expected} == expected
    assert scenario.hosting.kind == "sagemaker_components"
    assert (scenario.fleet.min, scenario.fleet.max) == (0, 6)


def test_a_step_policy_without_its_alarm_is_left_out_and_said(tmp_path: Path) -> None:
    both = {"ScalingPolicies": [WAKE, {**TRACKING, "ResourceId": WAKE["ResourceId"]}]}
    file = read_policy(written(tmp_path, both))
    assert [policy["kind"] for policy in file.policies] == ["target_tracking"]
    assert "names an alarm that is not in this file" in file.notes[0]
    alone = written(tmp_path, {"ScalingPolicies": [WAKE]})
    assert "none of its policies is one that a replay knows" in str(refused(alone))


def test_scheduled_actions_stand_beside_the_policies(tmp_path: Path) -> None:
    action = {
        "ScheduledActionName": "morning",
        "ResourceId": TARGET,
        "Schedule": "cron(0 8 ? * MON-FRI *)",
        "Timezone": "Europe/Berlin",
        "ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 6},
    }
    content = {"ScalingPolicies": [TRACKING], "ScheduledActions": [action]}
    scenario, _ = apply(Scenario(), read_policy(written(tmp_path, content)))
    expected = {
        "kind": "scheduled",
        "schedule": "cron(0 8 ? * MON-FRI *)",
        "timezone": "Europe/Berlin",
        "min_replicas": 3,
        "max_replicas": 6,
    }
    assert {key: value_at(scenario, f"policies.1.{key}") for key in expected} == expected
    never = {**action, "Schedule": "cron(0 8 30 2 ? *)"}
    content = {"ScalingPolicies": [TRACKING], "ScheduledActions": [never]}
    (problem,) = refused(written(tmp_path, content)).problems
    assert "never fires" in problem.message
    assert problem.source_line.strip().startswith('"Schedule"')


def test_an_ec2_group_is_read_as_describe_policies_prints_it(tmp_path: Path) -> None:
    group = {"AutoScalingGroupName": "g"}
    content = {
        "ScalingPolicies": [
            {
                **group,
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
                **group,
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
                    "SchedulingBufferTime": 600,
                },
            },
        ],
        "ScheduledUpdateGroupActions": [
            {**group, "Recurrence": "0 8 * * 1-5", "MinSize": 3, "DesiredCapacity": 4}
        ],
    }
    scenario, notes = apply(Scenario(), read_policy(written(tmp_path, content)))
    expected = {
        "0.metric": "cpu_utilisation",
        "0.target": 50,
        "0.instance_warmup_s": 120,
        "1.kind": "predictive",
        "1.target": 40,
        "1.mode": "forecast_and_scale",
        "1.scheduling_buffer_s": 600,
        "2.schedule": "0 8 * * 1-5",
        "2.min_replicas": 3,
    }
    assert {key: value_at(scenario, f"policies.{key}") for key in expected} == expected
    assert scenario.hosting.kind == "ec2_asg"
    assert any("DesiredCapacity is not modelled" in note for note in notes)


def tracked(metric: str, target: float = 5.0) -> dict[str, Any]:
    predefined = {"PredefinedMetricSpecification": {"PredefinedMetricType": metric}}
    custom = {
        "CustomizedMetricSpecification": {
            "MetricName": metric,
            "Namespace": "AWS/SageMaker",
            "Dimensions": [{"Name": "EndpointName", "Value": "ranker"}],
            "Statistic": "Average",
        }
    }
    return {"TargetValue": target, **(custom if metric.startswith("Approx") else predefined)}


@pytest.mark.parametrize(
    ("identity", "metric", "hosting"),
    [
        (
            {"ScalableDimension": "sagemaker:variant:DesiredInstanceCount"},
            "SageMakerVariantInvocationsPerInstance",
            "sagemaker_realtime",
        ),
        (
            {"ScalableDimension": "sagemaker:variant:DesiredInstanceCount"},
            "ApproximateBacklogSizePerInstance",
            "sagemaker_async",
        ),
        (
            {"ScalableDimension": "sagemaker:inference-component:DesiredCopyCount"},
            "SageMakerInferenceComponentInvocationsPerCopy",
            "sagemaker_components",
        ),
        # Without the dimension, by how the resource is called.
        (
            {"ScalableDimension": None, "ResourceId": "inference-component/ranker"},
            "SageMakerInferenceComponentInvocationsPerCopy",
            "sagemaker_components",
        ),
    ],
)
def test_what_a_target_is_follows_from_its_dimension_and_metric(
    tmp_path: Path, identity: dict[str, Any], metric: str, hosting: str
) -> None:
    policy = {
        **TRACKING,
        **identity,
        "TargetTrackingScalingPolicyConfiguration": tracked(metric),
    }
    file = read_policy(written(tmp_path, {"ScalingPolicies": [policy]}))
    scenario, _ = apply(Scenario(), file)
    assert scenario.hosting.kind == file.hosting == hosting


@pytest.mark.parametrize(
    ("dimension", "resource", "metric", "hosting"),
    [
        (
            "lambda:function:ProvisionedConcurrency",
            "function:ranker:live",
            "LambdaProvisionedConcurrencyUtilization",
            "lambda",
        ),
        (
            "sagemaker:variant:DesiredProvisionedConcurrency",
            "endpoint/ranker/variant/AllTraffic",
            "SageMakerVariantProvisionedConcurrencyUtilization",
            "sagemaker_serverless",
        ),
    ],
)
def test_a_target_of_provisioned_concurrency_scales_beside_the_requests(
    tmp_path: Path, dimension: str, resource: str, metric: str, hosting: str
) -> None:
    identity = {"ServiceNamespace": "x", "ResourceId": resource, "ScalableDimension": dimension}
    policy = {
        **TRACKING,
        **identity,
        "TargetTrackingScalingPolicyConfiguration": tracked(metric, 0.6),
    }
    action = {
        **identity,
        "ScheduledActionName": "morning",
        "Schedule": "cron(0 7 ? * MON-FRI *)",
        "ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 4},
    }
    both = {"ScalingPolicies": [policy], "ScheduledActions": [action]}
    policies = read_policy(written(tmp_path, both))
    bounds = {**identity, "MinCapacity": 1, "MaxCapacity": 4}
    targets = read_policy(written(tmp_path, {"ScalableTargets": [bounds]}, "targets.json"))
    scenario, _ = apply(Scenario(), policies, targets)
    assert scenario.hosting.kind == hosting
    assert [one.kind for one in scenario.in_force] == [
        "per_request",
        "target_tracking",
        "scheduled",
    ]
    assert value_at(scenario, "policies.1.target") == 0.6
    assert value_at(scenario, "policies.2.min_replicas") == 3
    assert value_at(scenario, "hosting.provisioned_concurrency") == 1
    assert value_at(scenario, "hosting.provisioned_max") == 4
    wrong = {**policy, "TargetTrackingScalingPolicyConfiguration": tracked(metric, 0.0)}
    (problem,) = refused(written(tmp_path, {"ScalingPolicies": [wrong]}, "wrong.json")).problems
    assert problem.message.startswith("policies.1.target: 0.0 is not more than 0")
    assert '"TargetValue": 0.0' in str(problem.source_line)


def test_a_service_that_is_not_modelled_is_named_and_never_taken_for_another(
    tmp_path: Path,
) -> None:
    fleet = {
        **TRACKING,
        "ServiceNamespace": "appstream",
        "ResourceId": "fleet/web",
        "ScalableDimension": "appstream:fleet:DesiredCapacity",
    }
    with pytest.raises(ScenarioError, match="DesiredCapacity is not modelled: one of sag"):
        read_policy(written(tmp_path, {"ScalingPolicies": [fleet]}))
    bare = {"ServiceNamespace": "dynamodb", "ResourceId": "table/x", "MinCapacity": 1}
    with pytest.raises(ScenarioError, match="ServiceNamespace: dynamodb is not modelled"):
        read_policy(written(tmp_path, {"ScalableTargets": [bare]}))


def test_a_bare_configuration_is_a_policy_too(tmp_path: Path) -> None:
    body = TRACKING["TargetTrackingScalingPolicyConfiguration"]
    file = read_policy(written(tmp_path, body))
    assert file.settings["policy"]["target"] == 70
    assert file.notes == ()


def test_one_policy_of_a_target_is_picked_by_its_own_name(tmp_path: Path) -> None:
    path = written(tmp_path, {"ScalingPolicies": [TRACKING, CONCURRENCY]})
    assert read_policy(path, "concurrency").settings["policy"]["target"] == 4
    with pytest.raises(ScenarioError, match="name one of .*AllTraffic, invocations, concurrency"):
        read_policy(path, "mood")


def test_a_step_policy_alone_says_how_to_add_its_alarm(tmp_path: Path) -> None:
    steps = {
        **{key: TRACKING[key] for key in ("PolicyName", "ServiceNamespace", "ResourceId")},
        "PolicyType": "StepScaling",
        "StepScalingPolicyConfiguration": {
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
        "Alarms": [{"AlarmName": "high", "AlarmARN": "arn"}],
    }
    with pytest.raises(ScenarioError, match="add the MetricAlarms that describe-alarms prints"):
        read_policy(written(tmp_path, {"ScalingPolicies": [steps]}))


def test_a_block_that_is_missing_is_told_where_it_would_stand(tmp_path: Path) -> None:
    action = {"ScheduledActionName": "night", "ResourceId": TARGET, "Schedule": "rate(1 day)"}
    content = {"ScalingPolicies": [TRACKING], "ScheduledActions": [action]}
    (problem,) = refused(written(tmp_path, content)).problems
    assert "sets min_replicas, max_replicas or both" in problem.message
    assert problem.source_line.strip() == "{"
    assert problem.line == 29
