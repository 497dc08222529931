"""Each kind of hosting: its own limits, policies, bill and way out of zero."""

import math

import pytest

from modeler.measure import unit_price
from modeler.predict import ModelDoesNotFit, check_fit, cold_start_law, instance_of
from modeler.predict.constants import defaults
from modeler.scenario import Scenario, ScenarioError, loads, with_values
from modeler.scenario.kinds import KINDS, default_policy, policies_of

SAGEMAKER = ("sagemaker_realtime", "sagemaker_components", "sagemaker_async")


def on(kind: str, **values: object) -> Scenario:
    return with_values(Scenario(), {"hosting.kind": kind, **values})


@pytest.mark.parametrize("kind", KINDS["hosting"])
def test_every_kind_stands_with_its_own_defaults(kind: str) -> None:
    scenario = on(kind)
    assert scenario.policy.kind == default_policy(kind)
    assert scenario.hosting.instance.startswith("ml.") == (kind in SAGEMAKER)
    assert {"provision_s", "register_s", "store_bytes_per_s"} <= defaults(kind).keys()
    assert all(constant.source for constant in defaults(kind).values())
    assert cold_start_law(scenario, instance_of(scenario)).sample(0, 3).ready_s.min() > 0


@pytest.mark.parametrize(
    ("kind", "client_s", "queue_s", "release_s"),
    [
        ("sagemaker_realtime", 60, math.inf, 600),
        ("sagemaker_components", 60, math.inf, 600),
        ("sagemaker_async", 900, math.inf, 600),
        ("ec2_asg", math.inf, math.inf, 0),
        ("eks_cluster_autoscaler", math.inf, math.inf, 0),
        ("cloud_run", 300, 10, 0),
    ],
)
def test_limits_are_the_platforms_until_they_are_set(
    kind: str, client_s: float, queue_s: float, release_s: float
) -> None:
    scenario = on(kind)
    found = (scenario.client_timeout_s, scenario.queue_timeout_s, scenario.release_s)
    assert found == (client_s, queue_s, release_s)
    own = {"queue.client_timeout_s": 7, "queue.queue_timeout_s": 3, "hosting.release_s": 1}
    changed = with_values(scenario, own)
    assert (changed.client_timeout_s, changed.queue_timeout_s, changed.release_s) == (7, 3, 1)


def test_an_instance_on_cloud_run_costs_the_sum_of_its_parts() -> None:
    price = unit_price(on("cloud_run"))
    # 4 vCPU, 16 GiB and an L4 in us-central1, USD per second, August 2026.
    assert price.usd_per_hour == pytest.approx((4 * 18e-6 + 16 * 2e-6 + 186.7e-6) * 3600, abs=1e-9)
    assert price.service == "cloud_run"
    assert "Cloud Billing" in price.source
    redundant = unit_price(on("cloud_run", **{"hosting.zonal_redundancy": True}))
    assert redundant.usd_per_hour - price.usd_per_hour == pytest.approx(104.2e-6 * 3600, abs=1e-9)
    plain = on("cloud_run", **{"hosting.gpu": "none", "hosting.vcpu": 1, "hosting.memory": 2**30})
    assert unit_price(plain).usd_per_hour == pytest.approx(20e-6 * 3600, abs=1e-9)
    assert instance_of(plain).accelerator is None


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("hosting: {kind: cloud_run, region: us-east-1}", "hosting.region", "usd_per_hour"),
        ("hosting: {kind: cloud_run, vcpu: 2}", "hosting.vcpu", "needs at least 4"),
        ("hosting: {kind: cloud_run, memory: 8GiB}", "hosting.memory", "at least 16GiB"),
        ("hosting: {kind: cloud_run, instance: g5.xlarge}", "hosting.instance", "belongs to"),
        ("hosting: {kind: cloud_run, purchase: spot}", "hosting.purchase", "do not run on spot"),
        ("hosting: {kind: sagemaker_async, purchase: spot}", "hosting.purchase", "do not run on"),
        ("hosting: {kind: sagemaker_async, instance: g5.xlarge}", "hosting.instance", "ml.g5"),
        ("hosting: {kind: sagemaker_realtim}", "hosting.kind", "unknown hosting.kind"),
    ],
)
def test_what_a_platform_does_not_have(text: str, path: str, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        loads(text)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert message in problem.message
    assert problem.line == 1


def test_a_price_of_ones_own_needs_no_table_on_cloud_run() -> None:
    own = loads("hosting: {kind: cloud_run, region: europe-west4, usd_per_hour: $1.5/h}")
    assert unit_price(own).usd_per_hour == 1.5


def test_a_default_policy_follows_the_hosting_and_one_that_was_said_stays() -> None:
    for kind in KINDS["hosting"]:
        assert default_policy(kind) == policies_of(kind)[0]
    fixed = with_values(Scenario(), {"policy": {"kind": "fixed", "replicas": 2}})
    assert with_values(fixed, {"hosting.kind": "cloud_run"}).policy.kind == "fixed"


def test_an_asynchronous_endpoint_may_start_from_zero() -> None:
    backlog = {"kind": "target_tracking", "metric": "backlog_per_instance"}
    assert on("sagemaker_async", **{"fleet.min": 0, "policy": backlog}).fleet.min == 0
    with pytest.raises(ScenarioError, match="target tracking cannot leave zero"):
        on("sagemaker_async", **{"fleet.min": 0})
    with pytest.raises(ScenarioError, match="add a step_scaling policy on failed invocations"):
        on("sagemaker_components", **{"fleet.min": 0})


def test_a_task_on_fargate_costs_the_sum_of_its_parts() -> None:
    price = unit_price(on("ecs_fargate"))
    # 4 vCPU and 16 GB of x86 in us-east-1, USD per hour, March 2026.
    assert price.usd_per_hour == pytest.approx(4 * 0.04048 + 16 * 0.004445, abs=1e-9)
    assert price.service == "fargate"
    arm = unit_price(on("ecs_fargate", **{"hosting.architecture": "arm64"}))
    assert arm.usd_per_hour == pytest.approx(4 * 0.03238 + 16 * 0.00356, abs=1e-9)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"hosting.memory": "9.5GiB"}, "8 to 30 GiB with 4 vCPUs; the nearest is 9GiB"),
        ({"hosting.memory": "64GiB"}, "the nearest is 30GiB"),
        ({"hosting.vcpu": 8, "hosting.memory": "21GiB"}, "16 to 60 GiB by 4 with 8 vCPUs"),
        ({"hosting.vcpu": 3}, "one of 0.25, 0.5, 1, 2, 4, 8, 16"),
        ({"hosting.storage_gb": 201}, "at most 200"),
        ({"hosting.purchase": "spot"}, "do not run on spot"),
        ({"policy.kind": "hpa"}, "is not scaled by hpa"),
        ({"cold_start.preset": "ecs_fargate"}, "preset"),
    ],
)
def test_what_fargate_does_not_have_is_refused(values: dict[str, object], said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        on("ecs_fargate", **values)


def test_a_model_too_large_for_a_task_names_the_least_that_holds_it() -> None:
    with pytest.raises(ModelDoesNotFit, match=r"hosting\.vcpu 8 with hosting\.memory 36GiB"):
        check_fit(instance_of(on("ecs_fargate")), 32_000_000_000)
