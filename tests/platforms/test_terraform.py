"""Scenarios of Terraform: configuration, plan and state say the same; what they do not is named."""

import contextlib
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.cli.main import cli
from modeler.platforms import apply, load, read_policy
from modeler.platforms.terraform import from_terraform
from modeler.platforms.terraform_read import Unknown, read_module
from modeler.scenario import Scenario, ScenarioError

MAIN = """
provider "aws" { region = var.region }
variable "region" { default = "eu-west-1" }
variable "most" { default = 4 }
variable "secret" {}
locals { endpoint = "chat" }

resource "aws_sagemaker_model" "m" {
  name = "llama"
  primary_container {
    image          = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/lmi:1"
    model_data_url = "s3://models/llama/model.tar.gz"
  }
}

resource "aws_sagemaker_endpoint_configuration" "chat" {
  name = local.endpoint
  production_variants {
    variant_name           = "main"
    model_name             = aws_sagemaker_model.m.name
    initial_instance_count = 2
    instance_type          = "ml.g5.xlarge"
    routing_config { routing_strategy = "LEAST_OUTSTANDING_REQUESTS" }
  }
}

resource "aws_sagemaker_endpoint" "chat" {
  name                 = local.endpoint
  endpoint_config_name = aws_sagemaker_endpoint_configuration.chat.name
}

resource "aws_appautoscaling_target" "t" {
  max_capacity       = var.most
  min_capacity       = 1
  resource_id        = "endpoint/${aws_sagemaker_endpoint.chat.name}/variant/main"
  scalable_dimension = "sagemaker:variant:DesiredInstanceCount"
  service_namespace  = "sagemaker"
}

resource "aws_appautoscaling_policy" "track" {
  name               = "track"
  policy_type        = "TargetTrackingScaling"
  resource_id        = aws_appautoscaling_target.t.resource_id
  scalable_dimension = aws_appautoscaling_target.t.scalable_dimension
  service_namespace  = aws_appautoscaling_target.t.service_namespace
  target_tracking_scaling_policy_configuration {
    predefined_metric_specification {
      predefined_metric_type = "SageMakerVariantInvocationsPerInstance"
    }
    target_value       = 70
    scale_in_cooldown  = 600
    scale_out_cooldown = 60
  }
}
"""
STEPS = """
resource "aws_appautoscaling_policy" "up" {
  name               = "up"
  resource_id        = aws_appautoscaling_target.t.resource_id
  scalable_dimension = aws_appautoscaling_target.t.scalable_dimension
  service_namespace  = aws_appautoscaling_target.t.service_namespace
  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = 120
    metric_aggregation_type = "Maximum"
    step_adjustment {
      metric_interval_lower_bound = 0
      metric_interval_upper_bound = 20
      scaling_adjustment          = 1
    }
    step_adjustment {
      metric_interval_lower_bound = 20
      scaling_adjustment          = 3
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "busy" {
  alarm_name          = "busy"
  metric_name         = "InvocationsPerInstance"
  namespace           = "AWS/SageMaker"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 60
  evaluation_periods  = 2
  period              = 60
  statistic           = "Sum"
  alarm_actions       = [aws_appautoscaling_policy.up.arn]
}

resource "aws_appautoscaling_scheduled_action" "night" {
  name               = "night"
  resource_id        = aws_appautoscaling_target.t.resource_id
  scalable_dimension = aws_appautoscaling_target.t.scalable_dimension
  service_namespace  = aws_appautoscaling_target.t.service_namespace
  schedule           = "cron(0 20 * * ? *)"
  timezone           = "Europe/Berlin"
  scalable_target_action {
    min_capacity = 1
    max_capacity = 2
  }
}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("infra").mkdir()
    Path("infra/main.tf").write_text(MAIN)


def quietly(path):
    return load(path, say=lambda line: None)


def written(composed):
    Path("out").mkdir(exist_ok=True)
    for name, text in composed.files.items():
        Path("out", name).write_text(text)
    return quietly("out/scenario.yaml")


def test_a_configuration_is_a_scenario(folder):
    ran = CliRunner().invoke(
        cli, ["init", "--from-terraform", "infra", "--out", "out", "--format", "json"]
    )
    assert ran.exit_code == 0, ran.output
    scenario = quietly("out/scenario.yaml")
    assert (scenario.hosting.kind, scenario.hosting.instance) == (
        "sagemaker_realtime",
        "ml.g5.xlarge",
    )
    assert scenario.hosting.region == "eu-west-1"
    assert (scenario.fleet.min, scenario.fleet.max, scenario.fleet.initial) == (1, 4, 2)
    assert scenario.fleet.router == "least_outstanding"
    (policy,) = scenario.in_force
    assert (policy.kind, policy.target) == ("target_tracking", 70)
    assert (policy.scale_in_cooldown_s, policy.scale_out_cooldown_s) == (600, 60)
    gaps = "\n".join(json.loads(ran.stdout)["gaps"])
    assert "modeler size s3://models/llama/model.tar.gz tells it" in gaps
    assert "cold_start.image_size of 123456789012.dkr.ecr" in gaps


def test_steps_alarms_and_schedules(folder):
    Path("infra/steps.tf").write_text(STEPS)
    scenario = written(from_terraform("infra", ""))
    kinds = {policy.kind: policy for policy in scenario.in_force}
    assert set(kinds) == {"target_tracking", "step_scaling", "scheduled"}
    steps = kinds["step_scaling"]
    assert [(step.lower, step.upper, step.adjustment) for step in steps.steps] == [
        (0, 20, 1),
        (20, None, 3),
    ]
    assert (steps.threshold, steps.evaluation_periods, steps.cooldown_s) == (60, 2, 120)
    assert kinds["scheduled"].timezone == "Europe/Berlin"


def shown():
    """The same as ``terraform show -json`` prints it: values applied, bounds of steps as text."""
    where = {
        "resource_id": "endpoint/chat/variant/main",
        "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
        "service_namespace": "sagemaker",
    }
    tracking = {
        "predefined_metric_specification": [
            {"predefined_metric_type": "SageMakerVariantInvocationsPerInstance",
             "resource_label": ""}
        ],
        "customized_metric_specification": [],
        "target_value": 70, "scale_in_cooldown": 600, "scale_out_cooldown": 60,
        "disable_scale_in": False,
    }  # fmt: skip
    variant = {
        "variant_name": "main", "model_name": "llama", "initial_instance_count": 2,
        "instance_type": "ml.g5.xlarge", "serverless_config": [], "accelerator_type": None,
        "routing_config": [{"routing_strategy": "LEAST_OUTSTANDING_REQUESTS"}],
    }  # fmt: skip
    return {
        "aws_appautoscaling_target.t": {**where, "min_capacity": 1, "max_capacity": 4, "id": "x"},
        "aws_appautoscaling_policy.track": {
            **where, "name": "track", "policy_type": "TargetTrackingScaling",
            "step_scaling_policy_configuration": [], "alarm_arns": ["arn:aws:x"],
            "target_tracking_scaling_policy_configuration": [tracking],
        },
        "aws_sagemaker_endpoint_configuration.chat": {
            "name": "chat", "production_variants": [variant], "async_inference_config": [],
        },
    }  # fmt: skip


def plan():
    resources = [
        {"mode": "managed", "type": key.partition(".")[0], "name": key.partition(".")[2],
         "values": values}
        for key, values in shown().items()
    ]  # fmt: skip
    return {
        "format_version": "1.2",
        "planned_values": {"root_module": {"child_modules": [{"resources": resources}]}},
        "configuration": {
            "provider_config": {"aws": {"expressions": {"region": {"constant_value": "eu-west-1"}}}}
        },
    }


def state():
    resources = [
        {"mode": "managed", "type": key.partition(".")[0], "name": key.partition(".")[2],
         "instances": [{"attributes": values}]}
        for key, values in shown().items()
    ]  # fmt: skip
    return {"version": 4, "resources": [{"mode": "data", "type": "x", "name": "y"}, *resources]}


@pytest.mark.parametrize("content", [plan, state])
def test_plan_and_state_say_what_the_configuration_says(content):
    Path("shown.json").write_text(json.dumps(content()))
    applied, own = written(from_terraform("shown.json", "")), written(from_terraform("infra", ""))
    assert applied.fleet == own.fleet
    assert applied.in_force == own.in_force
    assert applied.hosting.instance == own.hosting.instance


def test_what_only_terraform_knows_is_named(folder):
    text = MAIN.replace("var.most", "var.secret").replace('"ml.g5.xlarge"', "var.secret")
    Path("infra/main.tf").write_text(text + '\nmodule "net" { source = "./net" }\n')
    composed = from_terraform("infra", "")
    gaps = "\n".join(composed.gaps)
    assert "main.tf: aws_appautoscaling_target.t: max_capacity is var.secret" in gaps
    assert "the instance type: it is var.secret; the default holds" in gaps
    assert "main.tf: module net is not followed" in gaps
    for gap in composed.gaps:
        assert f"# NOT KNOWN: {gap}" in composed.files["scenario.yaml"]
    assert written(composed).fleet.min == 1


def test_values_of_variables_files_come_first(folder):
    Path("infra/terraform.tfvars").write_text("most = 9\n")
    assert written(from_terraform("infra", "")).fleet.max == 9


def test_references_that_turn_in_a_circle_end(folder):
    Path("infra/main.tf").write_text('locals {\n  a = "${local.b}"\n  b = "${local.a}"\n}\n' + MAIN)
    module = read_module("infra")
    assert isinstance(module.value("${local.a}"), str | Unknown)


def test_serverless(folder):
    Path("s.tf").write_text(
        'resource "aws_sagemaker_endpoint_configuration" "s" {\n  production_variants {\n'
        '    variant_name = "v"\n    serverless_config {\n      max_concurrency = 5\n'
        "      memory_size_in_mb = 4096\n    }\n  }\n}\n"
    )
    scenario = written(from_terraform("s.tf", ""))
    assert scenario.hosting.kind == "sagemaker_serverless"
    assert (scenario.hosting.memory_mb, scenario.hosting.max_concurrency) == (4096, 5)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.tf", 'resource "x" {', "not valid Terraform"),
        ("a.tf", 'variable "x" {}\n', "holds no aws_appautoscaling_target"),
        ("a.json", "{", "not JSON"),
        ("a.json", "[1]", "no resources"),
        ("a.json", '{"planned_values": {"root_module": 3}}', "no resources"),
    ],
)
def test_what_is_refused(name, text, said):
    Path(name).write_text(text)
    with pytest.raises(ScenarioError, match=said):
        from_terraform(name, "")


def test_of_several_targets_one_is_named(folder):
    second = MAIN.partition('resource "aws_appautoscaling_target"')[2]
    other = ('resource "aws_appautoscaling_target"' + second).replace('"t"', '"u"')
    other = other.replace("target.t.", "target.u.").replace('"track" {', '"other" {')
    other = other.replace("${aws_sagemaker_endpoint.chat.name}", "second")
    Path("infra/other.tf").write_text(other)
    with pytest.raises(ScenarioError, match="2 targets: name one of endpoint/chat/variant/main"):
        from_terraform("infra", "")
    assert written(from_terraform("infra", "chat")).fleet.max == 4


def test_a_region_that_is_asked_for_comes_first(folder):
    composed = from_terraform("infra", "", "us-west-2")
    assert "region: us-west-2  # asked for" in composed.files["scenario.yaml"]


def test_without_the_parser_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hcl2", None)
    with pytest.raises(ScenarioError, match="needs python-hcl2: pip install python-hcl2, or give"):
        from_terraform("infra", "")


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60),
        st.sampled_from(["most", "var.most", "{", "}", '"', "70", "main", "["]).map(
            lambda cut: MAIN.replace(cut, "", 1)
        ),
        st.integers(0, len(MAIN)).map(lambda end: MAIN[:end]),
    )
)
def test_a_damaged_configuration_is_refused_and_never_crashes(text):
    with TemporaryDirectory() as folder:
        file = Path(folder) / "main.tf"
        file.write_text(text, encoding="utf-8", errors="replace")
        with contextlib.suppress(ScenarioError):
            from_terraform(str(file), "")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["resources", "values", "type", "name", "instances", "attributes",
                         "production_variants", "max_capacity", "serverless_config"]),
        inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(JSON, st.sampled_from(sorted(shown())), st.sampled_from(["values", "production_variants"]))
def test_a_damaged_plan_is_refused_and_never_crashes(odd, address, where):
    content = plan()
    (child,) = content["planned_values"]["root_module"]["child_modules"]
    for resource in child["resources"]:
        if f"{resource['type']}.{resource['name']}" == address:
            if where == "values" or where not in resource["values"]:
                resource["values"] = odd
            else:
                resource["values"][where] = odd
    with TemporaryDirectory() as folder:
        file = Path(folder) / "plan.json"
        file.write_text(json.dumps(content))
        with contextlib.suppress(ScenarioError):
            from_terraform(str(file), "")


WORKERS = """
variable "least" { default = 2 }
resource "aws_autoscaling_group" "workers" {
  name_prefix         = "workers-"
  min_size            = var.least
  max_size            = 9
  vpc_zone_identifier = var.subnets
}
resource "aws_autoscaling_policy" "cpu" {
  name                      = "cpu"
  autoscaling_group_name    = aws_autoscaling_group.workers.name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = 90
  target_tracking_configuration {
    predefined_metric_specification { predefined_metric_type = "ASGAverageCPUUtilization" }
    target_value = 55
  }
}
resource "aws_autoscaling_schedule" "morning" {
  scheduled_action_name  = "morning"
  autoscaling_group_name = aws_autoscaling_group.workers.name
  recurrence             = "0 8 * * 1-5"
  min_size               = 4
  max_size               = -1
  desired_capacity       = -1
}
"""


def test_a_group_is_read_with_its_policies_and_schedules():
    Path("infra/main.tf").write_text(WORKERS)
    for name, text in from_terraform("infra", "").files.items():
        Path(name).write_text(text)
    scenario = load("scenario.yaml", say=lambda _: None)
    assert scenario.hosting.kind == "ec2_asg"
    assert (scenario.fleet.min, scenario.fleet.max) == (2, 9)
    tracking, morning = scenario.policies
    assert (tracking.target, tracking.instance_warmup_s) == (55, 90)
    assert (morning.min_replicas, morning.max_replicas) == (4, None)


def test_a_group_beside_an_endpoint_is_left_alone_where_nothing_scales_it():
    Path("infra/main.tf").write_text(MAIN + WORKERS.partition('resource "aws_autoscaling_p')[0])
    assert "AutoScalingGroups" not in json.loads(from_terraform("infra", "").files["policy.json"])


def test_a_simple_policy_of_a_group_is_refused():
    simple = WORKERS.replace('policy_type               = "TargetTrackingScaling"', "")
    Path("infra/main.tf").write_text(simple)
    with pytest.raises(ScenarioError, match="'SimpleScaling' is not one of"):
        from_terraform("infra", "")


def test_a_configuration_is_a_policy_file_too():
    Path("infra/steps.tf").write_text(STEPS)
    for place in ("infra", "infra/main.tf"):
        file = read_policy(place)
        assert file.hosting == "sagemaker_realtime"
        assert file.settings["fleet.max"] == 4
    assert [policy["kind"] for policy in read_policy("infra").policies] == [
        "target_tracking",
        "step_scaling",
        "scheduled",
    ]
    Path("infra/main.tf").write_text(MAIN.replace("= 70", "= -70").replace("= 600", "= var.hold"))
    file = read_policy("infra")
    assert file.notes == (
        "infra: main.tf: aws_appautoscaling_policy.track: scale_in_cooldown is var.hold",
    )
    with pytest.raises(ScenarioError) as caught:
        apply(Scenario(), file)
    assert caught.value.problems[0].file == "infra"
    assert caught.value.problems[0].path == "policies.0.target"
    Path("infra/steps.tf").unlink()
    Path("infra/main.tf").write_text('variable "x" {}\n')
    with pytest.raises(ScenarioError, match="holds no aws_appautoscaling_target"):
        read_policy("infra")
