"""What a scenario says of requests from zero, of the router and of retries."""

import pytest

from modeler.predict import cold_start_law, instance_of
from modeler.replay import Fates
from modeler.replay.run import fates_of
from modeler.scenario import ScenarioError, default, loads, with_values


def of(text: str):
    return loads(text)


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ("hosting: {kind: sagemaker_realtime}", "queue"),
        ("hosting: {kind: ec2_asg}", "queue"),
        ("hosting: {kind: sagemaker_components}", "fail"),
        ("hosting: {kind: sagemaker_async}", "queue"),
        ("hosting: {kind: cloud_run}", "hold"),
        ("hosting: {kind: eks_karpenter}", "fail"),
        ("hosting: {kind: eks_karpenter}\npolicy: {kind: knative_kpa}", "hold"),
        ("hosting: {kind: eks_karpenter}\npolicy: {kind: keda}", "queue"),
        ("hosting: {kind: eks_karpenter}\npolicy: {kind: sky_serve}", "fail"),
        ("hosting: {kind: cloud_run}\nqueue: {from_zero: fail}", "fail"),
    ],
)
def test_what_meets_a_request_from_zero_is_the_platforms_unless_set(block, expected):
    assert of(block).from_zero == expected


def test_knatives_activator_holds_ten_thousand_for_five_minutes():
    scenario = of("hosting: {kind: eks_karpenter}\npolicy: {kind: knative_kpa}")
    fates = fates_of(scenario, cold_start_law(scenario, instance_of(scenario)))
    assert (fates.from_zero, fates.hold_limit, fates.hold_timeout_s) == ("hold", 10_000, 300.0)


@pytest.mark.parametrize(("start_s", "hold_s"), [(1.0, 10.0), (100.0, 350.0)])
def test_cloud_run_holds_for_three_and_a_half_starts_and_at_least_ten_seconds(start_s, hold_s):
    scenario = of(f"hosting: {{kind: cloud_run}}\ncold_start: {{total_s: {start_s}}}")
    fates = fates_of(scenario, cold_start_law(scenario, instance_of(scenario)))
    assert fates.hold_timeout_s == pytest.approx(hold_s, rel=1e-12)  # a mean of equal starts


def test_every_setting_reaches_the_engine():
    scenario = of(
        "seed: 7\nfleet: {router: random}\ncold_start: {false_ready_s: 4s}\n"
        "queue: {from_zero: hold, hold_limit: 5, hold_timeout_s: 1m, retries: 3, "
        "retry_base_s: 500ms, retry_factor: 3, retry_max_s: 9, retry_jitter: none, "
        "retry_client_timeouts: true}"
    )
    assert fates_of(scenario, cold_start_law(scenario, instance_of(scenario))) == Fates(
        from_zero="hold",
        hold_limit=5,
        hold_timeout_s=60.0,
        router="random",
        false_ready_s=4.0,
        retries=3,
        retry_base_s=0.5,
        retry_factor=3.0,
        retry_max_s=9.0,
        retry_jitter="none",
        retry_client_timeouts=True,
        seed=7,
    )


def test_with_nothing_said_the_engine_keeps_its_fast_path():
    scenario = default()
    assert fates_of(scenario, cold_start_law(scenario, instance_of(scenario))).plain()


@pytest.mark.parametrize(
    ("values", "path", "words"),
    [
        ({"queue.hold_limit": 5}, "queue.hold_limit", "nothing is held"),
        ({"queue.hold_timeout_s": 5}, "queue.hold_timeout_s", "queue.from_zero: hold"),
        ({"queue.retry_base_s": 30}, "queue.retry_base_s", "more than queue.retry_max_s = 20"),
        ({"queue.retry_factor": 0.5}, "queue.retry_factor", "at least 1"),
        ({"queue.from_zero": "held"}, "queue.from_zero", "hold"),
        ({"fleet.router": "least"}, "fleet.router", "least_outstanding"),
    ],
)
def test_what_does_not_hold_together_is_said(values, path, words):
    with pytest.raises(ScenarioError) as caught:
        with_values(default(), values)
    assert any(problem.path == path for problem in caught.value.problems)
    assert words in str(caught.value)


def test_a_platform_per_request_has_no_router():
    with pytest.raises(ScenarioError, match=r"fleet\.router = random: .* for each request"):
        of("hosting: {kind: lambda}\nfleet: {router: random}")
