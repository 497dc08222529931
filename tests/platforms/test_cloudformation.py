"""CloudFormation templates: what is followed, what is left as it is, what is refused."""

from pathlib import Path

import pytest

from modeler.platforms import PolicyFile, apply, read_policy
from modeler.scenario import Scenario, ScenarioError, value_at

TEMPLATE = """\
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Endpoint: {Type: String}
  Most: {Type: Number, Default: 6}
  Stage: {Type: String, Default: prod}
  Fewest: {Type: Number}
Conditions:
  Night: !Equals [!Ref Stage, prod]
Resources:
  Bucket:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "${Stage}-models"}
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    DependsOn: Bucket
    Properties:
      MinCapacity: 2
      MaxCapacity: !Ref Most
      ResourceId: !Sub "endpoint/${Endpoint}/variant/AllTraffic"
      RoleARN: !GetAtt Role.Arn
      ScalableDimension: sagemaker:variant:DesiredInstanceCount
      ServiceNamespace: sagemaker
      ScheduledActions:
        - ScheduledActionName: night
          Schedule: cron(0 20 * * ? *)
          Timezone: Europe/Berlin
          ScalableTargetAction: {MaxCapacity: 3}
  Track:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: !Join ["-", [!Ref Stage, track]]
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: 70
        PredefinedMetricSpecification:
          PredefinedMetricType: SageMakerVariantInvocationsPerInstance
        ScaleInCooldown: 600
  Up:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Condition: Night
    Properties:
      PolicyName: up
      PolicyType: StepScaling
      ScalingTargetId: {Ref: Target}
      StepScalingPolicyConfiguration:
        AdjustmentType: ChangeInCapacity
        Cooldown: 60
        StepAdjustments: [{MetricIntervalLowerBound: 0, ScalingAdjustment: 2}]
  Busy:
    Type: AWS::CloudWatch::Alarm
    Properties:
      MetricName: InvocationsPerInstance
      Namespace: AWS/SageMaker
      Dimensions: [{Name: EndpointName, Value: !ImportValue endpoint}]
      Statistic: Sum
      Period: 60
      EvaluationPeriods: 2
      Threshold: 90
      ComparisonOperator: GreaterThanThreshold
      AlarmActions: [!Ref Up]
"""


def read(folder: Path, text: str, name: str = "") -> PolicyFile:
    path = folder / "template.yaml"
    path.write_text(text)
    return read_policy(path, name)


def test_a_template_is_read_with_its_alarms_schedules_and_defaults(tmp_path: Path) -> None:
    file = read(tmp_path, TEMPLATE)
    scenario, notes = apply(Scenario(), file)
    assert (scenario.fleet.min, scenario.fleet.max) == (2, 6)
    expected = {
        "0.kind": "target_tracking",
        "0.target": 70,
        "0.scale_in_cooldown_s": 600,
        "1.kind": "step_scaling",
        "1.threshold": 90,
        "1.comparison": ">",
        "1.evaluation_periods": 2,
        "1.steps.0.adjustment": 2,
        "2.schedule": "cron(0 20 * * ? *)",
        "2.timezone": "Europe/Berlin",
        "2.max_replicas": 3,
    }
    assert {key: value_at(scenario, f"policies.{key}") for key in expected} == expected
    assert file.title == "scalable target endpoint/${Endpoint}/variant/AllTraffic"
    assert [note.rpartition("yaml:")[2] for note in notes] == [
        "40: Resources.Up: taken to be made, whatever its Condition"
    ]


@pytest.mark.parametrize(
    ("before", "after", "message", "line"),
    [
        ("MinCapacity: 2", "MinCapacity: !Ref Fewest", "MinCapacity: what Ref comes to", 17),
        (
            "TargetValue: 70",
            "TargetValue: !FindInMap [Targets, prod, value]",
            "TargetValue: what FindInMap comes to",
            35,
        ),
        ("Threshold: 90", "Threshold: {Fn::If: [Night, 1, 2]}", "Threshold: what If comes to", 59),
        ("cron(0 20 * * ? *)", '!Sub "cron(0 ${Fewest} * * ? *)"', "Schedule: what Sub comes", 25),
        ("TargetValue: 70", "TargetValue: hot", "'hot' is not a number", 35),
        ("Default: 6", "Default: 1", "fleet", 4),
    ],
)
def test_what_decides_and_cannot_be_told_is_refused_in_its_place(
    tmp_path: Path, before: str, after: str, message: str, line: int
) -> None:
    with pytest.raises(ScenarioError) as caught:
        apply(Scenario(), read(tmp_path, TEMPLATE.replace(before, after)))
    problem = caught.value.problems[0]
    assert message in problem.message
    assert problem.line == line


def test_a_property_that_is_no_value_is_not_there(tmp_path: Path) -> None:
    text = TEMPLATE.replace("ScaleInCooldown: 600", "ScaleInCooldown: !Ref AWS::NoValue")
    assert "scale_in_cooldown_s" not in read(tmp_path, text).policies[0]


def test_one_of_several_targets_is_picked_by_its_name(tmp_path: Path) -> None:
    other = """\
  Other:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties:
      MinCapacity: 0
      MaxCapacity: 3
      ResourceId: inference-component/embed
      ScalableDimension: sagemaker:inference-component:DesiredCopyCount
      ServiceNamespace: sagemaker
"""
    with pytest.raises(ScenarioError, match="2 targets: name one of"):
        read(tmp_path, TEMPLATE + other)
    assert read(tmp_path, TEMPLATE + other, "embed").others == {"fleet.min": 0, "fleet.max": 3}
    assert read(tmp_path, TEMPLATE + other, "endpoint/").others == {"fleet.min": 2, "fleet.max": 6}


def test_a_template_that_scales_nothing_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="a CloudFormation template that scales something"):
        read(tmp_path, "Resources: {Bucket: {Type: AWS::S3::Bucket}}\n")


def test_a_template_may_be_json(tmp_path: Path) -> None:
    path = tmp_path / "template.json"
    path.write_text(
        '{"Resources": {"T": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": '
        '{"MinCapacity": 1, "MaxCapacity": 4, "ResourceId": {"Fn::Sub": "endpoint/${X}/variant/v"},'
        '"ServiceNamespace": "sagemaker"}}}}'
    )
    assert read_policy(path).others == {"fleet.min": 1, "fleet.max": 4}


GROUP = """\
Resources:
  Workers:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      MinSize: "2"
      MaxSize: "9"
      VPCZoneIdentifier: !Ref Subnets
      LaunchTemplate: {LaunchTemplateId: !Ref Launch, Version: "1"}
  Cpu:
    Type: AWS::AutoScaling::ScalingPolicy
    Properties:
      AutoScalingGroupName: !Ref Workers
      PolicyType: TargetTrackingScaling
      EstimatedInstanceWarmup: 90
      TargetTrackingConfiguration:
        TargetValue: 55
        PredefinedMetricSpecification: {PredefinedMetricType: ASGAverageCPUUtilization}
  Morning:
    Type: AWS::AutoScaling::ScheduledAction
    Properties: {AutoScalingGroupName: !Ref Workers, Recurrence: 0 8 * * 1-5, MinSize: "4"}
"""


def test_a_group_is_read_with_its_policies_and_schedules(tmp_path: Path) -> None:
    file = read(tmp_path, GROUP)
    scenario, notes = apply(Scenario(), file)
    (note,) = notes
    assert note.endswith("hosting.kind is ec2_asg, which Auto Scaling group Workers is for")
    assert scenario.hosting.kind == "ec2_asg"
    assert (scenario.fleet.min, scenario.fleet.max) == (2, 9)
    expected = {"0.target": 55, "0.instance_warmup_s": 90, "1.min_replicas": 4}
    assert {key: value_at(scenario, f"policies.{key}") for key in expected} == expected


def test_a_group_that_nothing_scales_is_no_target(tmp_path: Path) -> None:
    group = GROUP.partition("  Cpu:")[0].replace("Resources:\n", "")
    assert read(tmp_path, TEMPLATE + group).others == {"fleet.min": 2, "fleet.max": 6}
