"""Policies of AWS in a scenario: what each mistake says, and where it lies."""

from __future__ import annotations

import pytest

from modeler.scenario import Scenario, ScenarioError, loads, with_values

STEP = "policy: {kind: step_scaling, metric: invocations_per_instance, threshold: 5, steps: %s}"


def problem(text: str):
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ("[{lower: 0, upper: 10, adjustment: 1}, {lower: 20, adjustment: 2}]", "gap from 10 to 20"),
        ("[{lower: 0, upper: 15, adjustment: 1}, {lower: 10, adjustment: 2}]", "overlap from 10"),
        ("[{lower: 0, upper: 15, adjustment: 1}]", "above 0 one step must have no upper"),
        ("[{lower: -5, upper: 0, adjustment: -1}]", "below 0 one step must have no lower"),
        ("[{adjustment: 1}]", "needs a lower or an upper bound"),
        ("[{lower: 3, upper: 3, adjustment: 1}]", "is not less than its upper bound"),
    ],
)
def test_steps_with_a_gap_or_an_overlap(steps, said):
    found = problem(STEP % steps)
    assert found.path == "policy.steps"
    assert said in found.message
    assert found.line == 1


def test_a_single_step_needs_no_list():
    policy = loads(STEP % "{lower: 0, adjustment: 2}").policy
    assert [(step.lower, step.upper, step.adjustment) for step in policy.steps] == [(0, None, 2)]


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("policy: {target: 0}", "policy.target", "more than 0"),
        ("policy: {metric: backlog_per_instance}", "policy.metric",
         "is no metric of hosting.kind sagemaker_realtime"),
        ("policy: {metric: latency}", "policy.metric", "one of invocations_per_instance"),
        ("policy: {kind: scheduled, schedule: 'cron(0 0 30 2 ? *)', max_replicas: 2}",
         "policy.schedule", "never fires"),
        ("policy: {kind: scheduled, schedule: 'rate(1 day)', timezone: Mars, max_replicas: 2}",
         "policy.timezone", "unknown time zone"),
        ("policy: {kind: scheduled, schedule: 'rate(1 day)'}", "policy.min_replicas", "or both"),
        ("policy: {kind: scheduled, schedule: 'rate(1 day)', min_replicas: 30}",
         "policy.min_replicas", "minimum of 30 lies above the maximum of 20"),
        ("policy: {kind: scheduled, schedule: 'rate(1 day)', min_replicas: 9, max_replicas: 5}",
         "policy.max_replicas", "minimum of 9 lies above the maximum of 5"),
        ("policy: {kind: scheduled, schedule: 'rate(1 day)', start: soon, max_replicas: 5}",
         "policy.start", "no time"),
        ("hosting: {kind: ec2_asg, instance: g5.2xlarge}\n"
         "policy: {kind: predictive, history: [1, 2]}", "policy.history", "at least 24"),
        (STEP[:-10] + "datapoints_to_alarm: 3, steps: {lower: 0, adjustment: 1}}",
         "policy.datapoints_to_alarm", "out of 1"),
        (STEP[:-10] + "statistic: Maximum, steps: {lower: 0, adjustment: 1}}",
         "policy.statistic", "one of Sum, Average"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_what_is_permitted(text, path, said):
    found = problem(text)
    assert found.path == path
    assert said in found.message


def test_several_policies_on_one_target_are_checked_one_by_one():
    text = (
        "policies:\n"
        "  - {kind: target_tracking}\n"
        "  - {kind: step_scaling, metric: queue_per_instance, threshold: 1, "
        "steps: [{adjustment: 1}]}"
    )
    found = problem(text)
    assert found.path == "policies.1.steps"
    assert found.line == 3


def test_an_asynchronous_endpoint_may_rest_at_zero():
    hosting = "hosting: {kind: sagemaker_async, instance: ml.g5.2xlarge}\nfleet: {min: 0}\n"
    assert loads(hosting + "policy: {metric: backlog_per_instance}").fleet.min == 0


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (
            {"adjustment_type": "ExactCapacity", "steps": [{"lower": 0, "adjustment": -3}]},
            "an adjustment of -3 under ExactCapacity is no capacity: expected at least 0",
        ),
        (
            {"comparison": ">", "steps": [{"upper": 0, "adjustment": 1}]},
            "the alarm breaches above its threshold .* expected one with lower: 0",
        ),
        (
            {"comparison": "<", "steps": [{"lower": 0, "adjustment": -1}]},
            "the alarm breaches below its threshold .* expected one with upper: 0",
        ),
    ],
)
def test_a_step_policy_that_can_never_act_is_refused(policy, said):
    block = {"kind": "step_scaling", "metric": "gpu_utilisation", "threshold": 70, **policy}
    with pytest.raises(ScenarioError, match=said):
        with_values(Scenario(), {"policy": block})


@pytest.mark.parametrize(
    ("hosting", "schedule", "said"),
    [
        ("sagemaker_realtime", "cron(0 8 * * *)", "has 5 fields, expected 6"),
        ("ec2_asg", "cron(0 8 * * *)", "has 5 fields, expected 6"),
        ("sagemaker_realtime", "0 8 * * *", "the five fields of an EC2 group's recurrence"),
    ],
)
def test_each_platform_takes_its_own_form_of_cron(hosting, schedule, said):
    block = {"kind": "scheduled", "schedule": schedule, "min_replicas": 1}
    with pytest.raises(ScenarioError, match=said):
        with_values(Scenario(), {"hosting.kind": hosting, "policy": block})
    own = {**block, "schedule": "0 8 * * *"}
    assert with_values(Scenario(), {"hosting.kind": "ec2_asg", "policy": own})
