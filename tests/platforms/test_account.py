"""An endpoint of an account as a scenario: recorded shapes, denials, what is not there."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from botocore.stub import ANY, Stubber
from click.testing import CliRunner
from moto import mock_aws

from modeler.cli.main import cli
from modeler.platforms import load
from modeler.platforms.account import (
    CALLS,
    Account,
    AccountError,
    compose,
    read_endpoint,
    read_traffic,
)
from traces import read

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ARN = "arn:aws:sagemaker:eu-west-1:123456789012"
TARGET = "endpoint/chat/variant/AllTraffic"
STAMPS = [NOW - timedelta(minutes=m) for m in range(120, 0, -1)]
# Shapes as the services' own models have them: the Stubber checks every one.
ENDPOINT = {
    "EndpointName": "chat", "EndpointArn": f"{ARN}:endpoint/chat", "EndpointConfigName": "chat-7",
    "EndpointStatus": "InService", "CreationTime": NOW, "LastModifiedTime": NOW,
    "ProductionVariants": [{"VariantName": "AllTraffic", "CurrentWeight": 1.0,
                            "CurrentInstanceCount": 2, "DesiredInstanceCount": 2}],
}  # fmt: skip
CONFIG = {
    "EndpointConfigName": "chat-7", "EndpointConfigArn": f"{ARN}:endpoint-config/chat-7",
    "CreationTime": NOW,
    "ProductionVariants": [{"VariantName": "AllTraffic", "ModelName": "llama",
                            "InitialInstanceCount": 1, "InstanceType": "ml.g5.2xlarge",
                            "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}}],
}  # fmt: skip
MODEL = {
    "ModelName": "llama", "ModelArn": f"{ARN}:model/llama", "CreationTime": NOW,
    "ExecutionRoleArn": "arn:aws:iam::123456789012:role/r",
    "PrimaryContainer": {
        "Image": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/serving:1.2",
        "ModelDataUrl": "s3://weights/llama/model.bin",
    },
}  # fmt: skip
IMAGES = {"imageDetails": [{"imageSizeInBytes": 9_000_000_000, "imageTags": ["1.2"]}]}
ABOUT = {
    "ServiceNamespace": "sagemaker", "ResourceId": TARGET,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount", "CreationTime": NOW,
}  # fmt: skip
TARGETS = {"ScalableTargets": [{**ABOUT, "MinCapacity": 1, "MaxCapacity": 6,
                                "RoleARN": "arn:aws:iam::123456789012:role/r"}]}  # fmt: skip
POLICIES = {
    "ScalingPolicies": [
        {**ABOUT, "PolicyARN": "arn:p", "PolicyName": "track",
         "PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": {
             "TargetValue": 70.0, "ScaleInCooldown": 300, "ScaleOutCooldown": 60,
             "PredefinedMetricSpecification": {
                 "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}},
         "Alarms": []}
    ]
}  # fmt: skip
METRICS = {
    "MetricDataResults": [
        {"Id": "invocations", "Label": "Invocations", "StatusCode": "Complete",
         "Timestamps": STAMPS, "Values": [60.0] * 120},
        {"Id": "latency_mean", "Label": "ModelLatency", "StatusCode": "Complete",
         "Timestamps": STAMPS, "Values": [1_500_000.0] * 120},
        {"Id": "latency_p50", "Label": "p50", "StatusCode": "Complete",
         "Timestamps": STAMPS, "Values": [1_400_000.0] * 120},
        {"Id": "latency_p99", "Label": "p99", "StatusCode": "Complete",
         "Timestamps": STAMPS, "Values": [2_800_000.0] * 120},
        {"Id": "instances", "Label": "CPUUtilization", "StatusCode": "Complete",
         "Timestamps": STAMPS, "Values": [2.0] * 120},
    ]
}  # fmt: skip
ANSWERS = {
    "DescribeEndpoint": ENDPOINT,
    "DescribeEndpointConfig": CONFIG,
    "DescribeModel": MODEL,
    "DescribeImages": IMAGES,
    "DescribeScalableTargets": TARGETS,
    "DescribeScalingPolicies": POLICIES,
    "DescribeScheduledActions": {"ScheduledActions": []},
    "GetMetricData": METRICS,
}
# In the order in which each service is asked.
ORDER = {
    "sagemaker": ("DescribeEndpoint", "DescribeEndpointConfig", "DescribeModel"),
    "ecr": ("DescribeImages",),
    "application-autoscaling": (
        "DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions",
    ),
    "cloudwatch": ("GetMetricData",),
}  # fmt: skip


@pytest.fixture
def weights(monkeypatch):
    """A bucket with an artifact of 1.4 GB by its listing alone, and credentials of nobody."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        s3 = boto3.client("s3", region_name="eu-west-1")
        s3.create_bucket(
            Bucket="weights", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        s3.put_object(Bucket="weights", Key="llama/model.bin", Body=b"\x80\x02" + bytes(1_400_000))
        yield s3


def stubbed(answers=ANSWERS, denied=(), code="AccessDeniedException", order=ORDER) -> Account:
    """An account whose services give recorded answers, or refuse."""
    account = Account("eu-west-1")
    for service, operations in order.items():
        client = boto3.client(
            service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        stub = Stubber(client)
        for operation in operations:
            method = {call.operation: call for call in CALLS}[
                operation
            ].operation  # a name that is asked is one that is listed
            snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in method).lstrip("_")
            if operation in denied:
                stub.add_client_error(snake, service_error_code=code, service_message="no")
            else:
                stub.add_response(snake, answers[operation], None)
        stub.activate()
        account._clients[service] = client
    return account


def files_of(account, tmp_path: Path, name="chat") -> Path:
    endpoint = read_endpoint(account, name)
    seen = read_traffic(account, endpoint, 14, NOW)
    for file, text in compose(account, endpoint, seen).files.items():
        (tmp_path / file).write_text(text)
    return tmp_path / "scenario.yaml"


def test_an_endpoint_becomes_a_scenario_that_runs(weights, tmp_path):
    account = stubbed()
    path = files_of(account, tmp_path)
    assert account.gaps == []
    scenario = load(path)
    assert scenario.hosting.kind == "sagemaker_realtime"
    assert (scenario.hosting.instance, scenario.hosting.region) == ("ml.g5.2xlarge", "eu-west-1")
    assert (scenario.fleet.min, scenario.fleet.max, scenario.fleet.initial) == (1, 6, 2)
    assert scenario.fleet.router == "least_outstanding"
    assert scenario.model.size == 1_400_002
    assert scenario.cold_start.image_size == 9_000_000_000
    (policy,) = scenario.in_force
    assert (policy.kind, policy.target, policy.scale_in_cooldown_s) == ("target_tracking", 70, 300)
    # Mean 1.5 s; ln(2.8/1.4)/2.326 = 0.298 of the logarithm, a cv of 0.305.
    assert scenario.service.mean_s == pytest.approx(1.5)
    assert scenario.service.cv == pytest.approx(0.305, abs=0.001)
    traffic = read(tmp_path / "invocations.json")
    assert traffic.requests == 7200
    assert traffic.bin_s == 60
    text = path.read_text()
    assert all("#" in line for line in text.splitlines() if ": " in line and "name:" not in line
               and "path:" not in line and "kind: file" not in line)  # fmt: skip
    ran = CliRunner().invoke(cli, ["replay", str(path), "--format", "json"])
    assert ran.exit_code == 0, ran.output


@pytest.mark.parametrize(
    "denied", [one for one in ANSWERS if one not in ("DescribeEndpoint", "DescribeEndpointConfig")]
)
def test_each_denied_permission_is_a_gap_and_a_scenario_all_the_same(weights, tmp_path, denied):
    order = ORDER
    if denied == "DescribeModel":
        order = {**ORDER, "ecr": ()}
    account = stubbed(denied=(denied,), order=order)
    path = files_of(account, tmp_path)
    action = next(call.action for call in CALLS if call.operation == denied)
    assert any(f"denied; {action} would permit it" in gap for gap in account.gaps)
    assert f"{action} would permit it" in path.read_text()
    assert load(path).hosting.kind == "sagemaker_realtime"


def test_a_denied_configuration_leaves_what_the_endpoint_says(weights, tmp_path):
    order = {**ORDER, "sagemaker": ("DescribeEndpoint", "DescribeEndpointConfig",
                                    "ListInferenceComponents"), "ecr": ()}  # fmt: skip
    answers = {**ANSWERS, "ListInferenceComponents": {"InferenceComponents": []}}
    account = stubbed(answers, denied=("DescribeEndpointConfig",), order=order)
    path = files_of(account, tmp_path)
    assert any("sagemaker:DescribeEndpointConfig" in gap for gap in account.gaps)
    assert load(path).fleet.initial == 2


def test_throttling_is_told(weights, tmp_path):
    account = stubbed(denied=("DescribeScalingPolicies",), code="ThrottlingException")
    files_of(account, tmp_path)
    assert "scaling policies: throttled, after 6 attempts" in account.gaps


def test_expired_credentials_end_it(weights):
    account = stubbed(denied=("DescribeEndpoint",), code="ExpiredTokenException")
    with pytest.raises(AccountError, match="aws sso login"):
        read_endpoint(account, "chat")


def test_without_the_endpoint_nothing_is_known(weights):
    account = stubbed(denied=("DescribeEndpoint",))
    with pytest.raises(AccountError, match="sagemaker:DescribeEndpoint would permit it"):
        read_endpoint(account, "chat")


def test_no_traffic_is_said(weights, tmp_path):
    answers = {**ANSWERS, "GetMetricData": {"MetricDataResults": []}}
    account = stubbed(answers)
    path = files_of(account, tmp_path)
    assert any("no invocations in the 14 days before" in gap for gap in account.gaps)
    assert not (tmp_path / "invocations.json").exists()
    assert load(path).trace == "office-week"


def test_a_serverless_variant(weights, tmp_path):
    config = json.loads(json.dumps(CONFIG, default=str))
    config["CreationTime"] = NOW
    variant = config["ProductionVariants"][0]
    del variant["InstanceType"], variant["InitialInstanceCount"]
    variant["ServerlessConfig"] = {"MemorySizeInMB": 4096, "MaxConcurrency": 20}
    answers = {
        **ANSWERS, "DescribeEndpointConfig": config,
        "DescribeScalableTargets": {"ScalableTargets": []},
        "DescribeScalingPolicies": {"ScalingPolicies": []},
    }  # fmt: skip
    scenario = load(files_of(stubbed(answers), tmp_path))
    hosting = scenario.hosting
    assert hosting.kind == "sagemaker_serverless"
    assert (hosting.memory_mb, hosting.max_concurrency) == (4096, 20)


def test_an_inference_component(weights, tmp_path):
    config = {**CONFIG, "ProductionVariants": [
        {"VariantName": "AllTraffic", "InstanceType": "ml.g5.12xlarge", "InitialInstanceCount": 1,
         "ManagedInstanceScaling": {"Status": "ENABLED", "MinInstanceCount": 1,
                                    "MaxInstanceCount": 4}}]}  # fmt: skip
    named = {
        "CreationTime": NOW, "InferenceComponentArn": f"{ARN}:inference-component/a",
        "EndpointArn": f"{ARN}:endpoint/chat", "EndpointName": "chat", "LastModifiedTime": NOW,
    }  # fmt: skip
    answers = {
        **ANSWERS, "DescribeEndpointConfig": config,
        "ListInferenceComponents": {"InferenceComponents": [
            {**named, "InferenceComponentName": one, "VariantName": "AllTraffic"}
            for one in ("llama-copies", "mistral-copies")]},
        "DescribeInferenceComponent": {
            **named, "InferenceComponentName": "llama-copies", "VariantName": "AllTraffic",
            "Specification": {"ModelName": "llama"},
            "RuntimeConfig": {"DesiredCopyCount": 3, "CurrentCopyCount": 3}},
        "DescribeScalableTargets": {"ScalableTargets": []},
        "DescribeScalingPolicies": {"ScalingPolicies": []},
    }  # fmt: skip
    order = {**ORDER, "sagemaker": (
        "DescribeEndpoint", "DescribeEndpointConfig", "ListInferenceComponents",
        "DescribeInferenceComponent", "DescribeModel",
    )}  # fmt: skip
    path = files_of(stubbed(answers, order=order), tmp_path)
    scenario = load(path)
    assert scenario.hosting.kind == "sagemaker_components"
    assert (scenario.fleet.min, scenario.fleet.max, scenario.fleet.initial) == (1, 4, 3)
    assert "# Not modelled here: mistral-copies" in path.read_text()
    with pytest.raises(AccountError, match="did you mean mistral-copies"):
        read_endpoint(stubbed(answers, order=order), "chat", "mistral-copy")


def test_the_metrics_that_are_asked_for(weights):
    account = stubbed(order={})
    client = boto3.client(
        "cloudwatch", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    stub = Stubber(client)
    expected = {
        "MetricDataQueries": ANY, "StartTime": NOW - timedelta(days=30), "EndTime": NOW,
        "ScanBy": "TimestampAscending",
    }  # fmt: skip
    first = {**METRICS, "NextToken": "more"}
    stub.add_response("get_metric_data", first, expected)
    stub.add_response("get_metric_data", METRICS, {**expected, "NextToken": "more"})
    stub.activate()
    account._clients["cloudwatch"] = client
    from modeler.platforms.account import Endpoint

    seen = read_traffic(account, Endpoint("chat", "eu-west-1", "AllTraffic"), 30, NOW)
    assert seen.period_s == 300  # minutes are kept for 15 days
    assert seen.requests == 2 * 7200  # of both pages


def test_dry_run_asks_nothing():
    ran = CliRunner().invoke(
        cli, ["init", "--from-endpoint", "chat", "--dry-run", "--format", "json"]
    )
    assert ran.exit_code == 0, ran.output
    said = json.loads(ran.stdout)
    assert {row["operation"] for row in said["calls"]} == {call.operation for call in CALLS}
    actions = said["policy"]["Statement"][0]["Action"]
    assert all(":" in one and "*" not in one for one in actions)
    verbs = {one.partition(":")[2] for one in actions}
    assert all(verb.startswith(("Describe", "List", "Get")) for verb in verbs)


def test_the_command_against_a_server_that_stands_in(weights, tmp_path, monkeypatch):
    """moto's SageMaker, S3 and CloudWatch: an endpoint that is there, and one that is not."""
    monkeypatch.chdir(tmp_path)
    made = boto3.client("sagemaker", region_name="eu-west-1")
    made.create_model(
        ModelName="llama", ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
        PrimaryContainer={"Image": "serving", "ModelDataUrl": "s3://weights/llama/model.bin"},
    )  # fmt: skip
    made.create_endpoint_config(
        EndpointConfigName="chat-7",
        ProductionVariants=[{
            "VariantName": "AllTraffic", "ModelName": "llama", "InitialInstanceCount": 1,
            "InstanceType": "ml.g4dn.2xlarge", "InitialVariantWeight": 1.0,
        }],
    )  # fmt: skip
    made.create_endpoint(EndpointName="chat", EndpointConfigName="chat-7")
    run = CliRunner().invoke
    ran = run(cli, ["init", "--from-endpoint", "chat", "--region", "eu-west-1", "--days", "1"])
    assert ran.exit_code == 0, (ran.output, ran.exception)
    assert load("chat/scenario.yaml").model.size == 1_400_002
    again = run(cli, ["init", "--from-endpoint", "chat", "--region", "eu-west-1"])
    assert again.exit_code == 2
    assert "chat is there already" in again.output
    gone = run(cli, ["init", "--from-endpoint", "chatt", "--region", "eu-west-1"])
    assert isinstance(gone.exception, AccountError)
    assert "did you mean chat?" in str(gone.exception)


def test_the_docs_list_every_permission():
    text = (Path(__file__).parents[2] / "docs" / "account.md").read_text(encoding="utf-8")
    for call in CALLS:
        assert f"`{call.service} {call.operation}` | `{call.action}`" in text
        assert f'"{call.action}"' in text
