"""A broad table of mistakes: each names the setting, the value and what is permitted."""

import pytest

from modeler.scenario import ScenarioError, loads
from modeler.scenario.kinds import KINDS, policies_of

EKS = "hosting: {kind: eks_karpenter}\n"
RUN = "hosting: {kind: cloud_run}\n"


@pytest.mark.parametrize(
    ("text", "path", "parts"),
    [
        # bounds
        ("fleet: {min: 5, max: 3}", "fleet.max", ("3", "less than fleet.min = 5")),
        ("fleet: {max: 0}", "fleet.max", ("0", "at least 1")),
        ("fleet: {min: -1}", "fleet.min", ("-1", "at least 0")),
        ("fleet: {min: 2, initial: 1}", "fleet.initial", ("1", "fleet.min = 2 to fleet.max = 20")),
        ("fleet: {min: 1.5}", "fleet.min", ("1.5", "a whole number")),
        # kinds
        ("policy: {kind: target_traking}", "policy.kind", ("target_traking", "one of")),
        (EKS + "policy: {kind: hpaa}", "policy.kind", ("hpaa", "one of")),
        ("policies: [{kind: stepscaling}]", "policies.0.kind", ("stepscaling", "one of")),
        ("hosting: {kind: eks}", "hosting.kind", ("eks", "one of")),
        ("service: {kind: gamma}", "service.kind", ("gamma", "one of")),
        # a policy or a metric that the platform does not have
        ("policy: {kind: hpa}", "policy.kind", ("hpa", "it has target_tracking")),
        ("policy: {kind: knative_kpa}", "policy.kind", ("knative_kpa", "sagemaker_realtime")),
        (EKS + "policy: {kind: target_tracking}", "policy.kind", ("target_tracking", "it has hpa")),
        (EKS + "policies: [{kind: hpa}, {kind: keda}]", "policies", ("takes one policy, not 2",)),
        (RUN + "policy: {kind: hpa}", "policy.kind", ("hpa", "it has cloud_run, fixed")),
        ("policy: {metric: cpu}", "policy.metric", ("'cpu'", "invocations_per_instance")),
        (EKS + "policy: {metric: memory}", "policy.metric", ("'memory'", "cpu_utilisation")),
        # targets and shares
        ("policy: {target: 0}", "policy.target", ("0", "more than 0")),
        ("policy: {target: -3}", "policy.target", ("-3", "more than 0")),
        ("policy: {target: high}", "policy.target", ("'high'", "a number")),
        ("policy: {target_utilisation: 0}", "policy.target_utilisation", ("0", "more than 0")),
        ("policy: {target_utilisation: 120%}", "policy.target_utilisation", ("120%", "0 and 1")),
        (EKS + "policy: {target: 0}", "policy.target", ("0", "more than 0")),
        (EKS + "policy: {kind: knative_kpa, target: 0}", "policy.target", ("0", "at least 0.01")),
        # times
        ("policy: {scale_in_cooldown_s: -1}", "policy.scale_in_cooldown_s", ("-1", "not negative")),
        ("policy: {scale_in_cooldown_s: 5x}", "policy.scale_in_cooldown_s", ("5x", "300ms, 5m")),
        ("policy: {period_s: 0}", "policy.period_s", ("0", "more than 0")),
        ("policy: {high_datapoints: 0}", "policy.high_datapoints", ("0", "at least 1")),
        (
            EKS + "policy: {kind: knative_kpa, stable_window_s: 5}",
            "policy.stable_window_s",
            ("5", "at least 6"),
        ),
        (
            EKS + "policy: {kind: knative_kpa, panic_threshold: 20}",
            "policy.panic_threshold",
            ("20", "at most 10"),
        ),
        (
            EKS + "policy: {behavior: {scale_down: {stabilization_window_s: 2h}}}",
            "policy.behavior.scale_down.stabilization_window_s",
            ("2h", "at most 3600"),
        ),
        (EKS + "policy: {kind: keda, polling_interval_s: 0}", "policy.polling_interval_s", ("0",)),
        # from zero
        ("fleet: {min: 0}", "fleet.min", ("must be >= 1", "write fleet.min: 1")),
        (EKS + "fleet: {min: 0}", "fleet.min", ("HPAScaleToZero", "fleet.min: 1")),
        (
            EKS + "fleet: {min: 2}\npolicy: {kind: keda, idle_replicas: 3}",
            "policy.idle_replicas",
            ("3", "less than fleet.min = 2"),
        ),
        # capacity
        ("hosting: {purchase: spot}", "hosting.purchase", ("spot", "on-demand")),
        ("hosting: {instance: g5.xlarge}", "hosting.instance", ('write "ml.g5.xlarge"',)),
        (EKS[:-2] + ", instance: ml.g5.xlarge}", "hosting.instance", ('write "g5.xlarge"',)),
        ("policy: {kind: fixed, replicas: 0}", "policy.replicas", ("0", "at least 1")),
        ("policy: {kind: fixed}", "policy.replicas", ("is missing",)),
    ],
)
def test_a_mistake_names_the_setting_the_value_and_what_is_permitted(
    text: str, path: str, parts: tuple[str, ...]
) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(text, file="mine.yaml")
    (problem,) = caught.value.problems
    assert problem.path == path
    # A contradiction says which setting it is laid at; so does its place in the file.
    assert problem.line is not None
    for part in parts:
        assert part in problem.message


@pytest.mark.parametrize("hosting", KINDS["hosting"])
def test_a_policy_of_another_platform_is_answered_with_its_own(hosting: str) -> None:
    for kind in KINDS["policy"].keys() - set(policies_of(hosting)) - {"fixed"}:
        with pytest.raises(ScenarioError) as caught:
            loads(f"hosting: {{kind: {hosting}}}\npolicy: {{kind: {kind}}}")
        said = [problem for problem in caught.value.problems if problem.path == "policy.kind"]
        missing = [problem for problem in caught.value.problems if "is missing" in problem.message]
        assert said or missing
        for problem in said:
            assert f"it has {', '.join(policies_of(hosting))}" in problem.message


STEP = "policy: {kind: step_scaling, metric: invocations_per_instance, threshold: 60, steps: "


@pytest.mark.parametrize(
    ("text", "path", "parts"),
    [
        (
            STEP + "[{lower: 0, upper: 10, adjustment: 1}, {lower: 20, adjustment: 2}]}",
            "policy.steps",
            ("gap from 10 to 20",),
        ),
        (
            STEP + "[{lower: 0, upper: 20, adjustment: 1}, {lower: 10, adjustment: 2}]}",
            "policy.steps",
            ("overlap from 10 to 20",),
        ),
        (STEP + "[{lower: 0, upper: 10, adjustment: 1}]}", "policy.steps", ("no upper",)),
        (STEP + "[{lower: 5, upper: 5, adjustment: 1}]}", "policy.steps", ("not less than",)),
        (STEP + "[{lower: 0, adjustmnt: 1}]}", "policy.steps.0.adjustmnt", ("unknown key",)),
        (STEP + "[]}", "policy.steps", ("at least 1",)),
        (
            "policy: {kind: scheduled, schedule: cron(0 8 30 2 ? *), min_replicas: 2}",
            "policy.schedule",
            ("never fires",),
        ),
        (
            "policy: {kind: scheduled, schedule: cron(0 8 * * * *), min_replicas: 2}",
            "policy.schedule",
            ("must be ?",),
        ),
        (
            "policy: {kind: scheduled, schedule: rate(5 parsecs), min_replicas: 2}",
            "policy.schedule",
            ("rate(5 minutes)",),
        ),
        (
            "policy: {kind: scheduled, schedule: rate(1 day), timezone: Mars, min_replicas: 2}",
            "policy.timezone",
            ("Mars", "Europe/Berlin"),
        ),
        (
            "policy: {kind: scheduled, schedule: rate(1 day), min_replicas: 9, max_replicas: 3}",
            "policy.max_replicas",
            ("minimum of 9", "maximum of 3"),
        ),
        (
            "policy: {metric: backlog_per_instance}",
            "policy.metric",
            ("backlog_per_instance", "sagemaker_realtime", "expected one of invocations_per"),
        ),
        (
            "policies: [{target: 3}, {metric: provisioned_concurrency_utilisation}]",
            "policies.1.metric",
            ("provisioned_concurrency_utilisation", "expected one of"),
        ),
        (
            "hosting: {kind: sagemaker_components}\nfleet: {min: 0}",
            "fleet.min",
            ("cannot leave zero", "step_scaling"),
        ),
    ],
)
def test_mistakes_in_the_policies_of_aws(text: str, path: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(text, file="mine.yaml")
    assert path in [problem.path for problem in caught.value.problems]
    problem = next(one for one in caught.value.problems if one.path == path)
    assert problem.line is not None
    for part in parts:
        assert part in problem.message
