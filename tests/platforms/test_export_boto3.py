"""The JSON is what AWS's own calls take, and what AWS then prints is the same policy."""

import json
import re
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from exports import AWS, GROUP, SERVICES, SHORT, back, of, told
from moto import mock_aws

from modeler.platforms import export
from modeler.platforms.writers import pinned

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
