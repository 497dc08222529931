"""The bill of what is metered per request."""

import numpy as np
import pytest

import pricing
from modeler.measure import judge, unit_price
from modeler.replay import StartsTooSlowly, run
from modeler.scenario import Scenario, ScenarioError, with_values
from traces import Trace

X86, ARM = 0.0000166667, 0.0000133334  # us-east-1, 2025-06-05 [USD/GB-s]


PROVISIONED = {"kind": "target_tracking", "metric": "provisioned_concurrency_utilisation"}
INVOCATIONS = {"kind": "target_tracking", "metric": "invocations_per_instance"}


def scenario(kind="lambda", **values):
    base = {
        "hosting.kind": kind,
        "model.size": "100MB",
        "service.kind": "trace",
        "cold_start.total_s": 1.25,
        "hosting.memory_mb": 2048,
    }
    return with_values(Scenario(), base | values)


def outcome(one, arrival=(0.0, 10.0, 10.0, 2000.0), service=(0.1004, 0.2, 0.3, 0.07)):
    trace = Trace(np.array(arrival), {"service_s": np.array(service)})
    done = run(one, trace)
    return done, judge(done)


def lines(found):
    return {line.component: line for line in found.cost_lines}


def test_billed_seconds_are_rounded_durations_and_init():
    done, found = outcome(scenario())
    bill = lines(found)
    counts = done.result.environments
    # 0.1004 s counts 101 ms, 0.07 s is 70 ms and not 71; three environments initialise.
    assert counts.billed_ms == 101 + 200 + 300 + 70
    assert counts.cold == 3
    assert bill["duration"].quantity == pytest.approx(0.671 * 2.0)
    assert bill["init"].quantity == pytest.approx(3 * 1.25 * 2.0)
    assert bill["requests"].quantity == 4
    usd = (0.671 + 3.75) * 2.0 * X86 + 4 * 2e-7
    assert found.usd_total == pytest.approx(usd, rel=1e-12)
    assert found.usd_total == sum(line.amount_usd for line in found.cost_lines)
    assert found.usd_total >= found.bounds["work_bound"]["usd_total"]
    assert found.bounds["zero_wait"]["peak_replicas"] == 2
    assert all(line.source and line.as_of for line in found.cost_lines)


def test_architecture_storage_and_init_have_their_own_prices():
    _, found = outcome(
        scenario(
            **{
                "hosting.architecture": "arm64",
                "hosting.ephemeral_storage_mb": 1536,
                "hosting.init_billed": False,
            }
        )
    )
    bill = lines(found)
    assert bill["duration"].unit_price_usd == ARM
    assert bill["init"].quantity == 0.0
    # One GB above the free 512 MB, while the requests last.
    assert bill["ephemeral_storage"].quantity == pytest.approx(0.671)


def test_provisioned_environments_are_held_in_steps_of_five_minutes():
    done, found = outcome(scenario(**{"hosting.provisioned_concurrency": 2}))
    bill = lines(found)
    # The run ends with the last request, 2000.07 s: seven steps of 300 s for each of the two.
    assert bill["provisioned"].quantity == pytest.approx(2 * 2100.0 * 2.0)
    assert done.result.environments.cold == 0
    assert bill["duration"].quantity == 0.0
    assert bill["provisioned_duration"].unit_price_usd == 0.0000097222
    assert found.usd_total >= found.bounds["work_bound"]["usd_total"]


def test_a_snapshot_is_cached_and_restored_instead_of_initialised():
    _, found = outcome(scenario(**{"hosting.package": "snapstart"}))
    bill = lines(found)
    assert bill["init"].quantity == 0.0
    assert bill["snapshot_cache"].quantity == 10_800 * 2.0  # three hours at least
    assert bill["snapshot_restore"].quantity == 3 * 2.0


def test_sagemaker_serverless_is_metered_by_the_second_at_its_memory():
    _, found = outcome(scenario("sagemaker_serverless"))
    assert found.usd_total == pytest.approx((0.671 + 3.75) * 0.00004, rel=1e-9)
    with pytest.raises(pricing.PriceNotFound, match="provisioned_usd_per_gb_s"):
        outcome(scenario("sagemaker_serverless", **{"hosting.provisioned_concurrency": 1}))
    own = {
        "hosting.provisioned_concurrency": 1,
        "hosting.provisioned_usd_per_gb_s": 4e-6,
        "hosting.on_provisioned_usd_per_gb_s": 1e-5,
    }
    _, priced = outcome(scenario("sagemaker_serverless", **own))
    assert lines(priced)["provisioned"].unit_price_usd == 4e-6


def slow(kind, factor, **window):
    return {"kind": kind, "factor": factor, **window}


@pytest.mark.parametrize(
    ("package", "kind", "size"),
    [("zip", "slow_store", "150MB"), ("image", "slow_registry", "800MB"),
     ("snapstart", "slow_store", "150MB")],
)  # fmt: skip
def test_weather_slows_the_starts_of_its_window_only(package, kind, size):
    own = {"cold_start.total_s": None, "hosting.package": package, "model.size": size}
    own["cold_start.sigma_log"] = 0.0
    times = {"arrival": (0.0, 5000.0, 10000.0), "service": (0.1, 0.1, 0.1)}
    fair, _ = outcome(scenario(**own), **times)
    weather = [slow(kind, 0.5, from_s=4000.0, for_s=2000.0)]
    done, found = outcome(scenario(weather=weather, **own), **times)

    def starts(which):
        return which.result.replicas[:, 2] - which.result.replicas[:, 0]

    assert starts(done)[[0, 2]].tolist() == starts(fair)[[0, 2]].tolist()
    table = fair.cold_start.sample(1, 1)
    column = list(fair.cold_start.phases).index("artifact_fetch")
    fetch_s = table.ends_s[0, column] - table.starts_s[0, column]
    # Half the rate: the fetch takes twice as long, and nothing else does.
    longer = starts(done)[1] - starts(fair)[1]
    begun_again = 10.0 if starts(fair)[1] <= 10.0 < starts(fair)[1] + fetch_s else 0.0
    assert longer == pytest.approx(fetch_s + begun_again)
    assert found.environments["cold"] == 3


def test_a_start_that_fails_is_tried_again_at_once_and_paid():
    weather = [{"kind": "failed_start", "probability": 0.5}]
    at = np.arange(400) * 2000.0
    done, _ = outcome(scenario(weather=weather), arrival=at, service=np.full(400, 0.1))
    starts = done.result.replicas[:, 2] - done.result.replicas[:, 0]
    tries = starts / 1.25
    assert np.allclose(tries, np.round(tries))
    # Geometric with mean 1 / (1 - p); four standard errors of sqrt(p) / (1 - p) / sqrt(n).
    assert tries.mean() == pytest.approx(2.0, abs=4 * 2**0.5 / 20)
    assert done.result.environments.billed_init_ms == pytest.approx(1250 * tries.sum())
    late = [{"kind": "failed_start", "probability": 0.5, "detected": "limit"}]
    limited = scenario(weather=late, **{"cold_start.start_limit_s": 10.0})
    done, _ = outcome(limited, arrival=at, service=np.full(400, 0.1))
    again = done.result.replicas[:, 2] - done.result.replicas[:, 0]
    assert np.allclose(again, 1.25 + 10.0 * (np.round(tries) - 1))


def test_a_throttled_request_comes_back_and_only_what_started_is_charged():
    values = {"policy": {"kind": "per_request", "max_environments": 1}, "queue.retries": 2,
              "queue.retry_base_s": 1.0, "queue.retry_jitter": "none"}  # fmt: skip
    arrival, service = (0.0, 2.0, 2.5), (0.1, 2.0, 0.1)
    done, found = outcome(scenario(**values), arrival=arrival, service=service)
    # The third is throttled at 2.5 and 3.5 s; the second attempt pauses twice as long: 5.5 s.
    assert (found.served, found.rejected) == (3, 0)
    assert done.result.attempts == 5
    assert lines(found)["requests"].quantity == 3
    assert found.wait_s["mean"] == pytest.approx((1.25 + 3.0) / 3)
    assert found.violations_by_cause["replica_cap"] == 1  # 3.1 s, over the level of 2 s
    given_up = scenario(**values | {"queue.retries": 1})
    _, found = outcome(given_up, arrival=arrival, service=service)
    assert (found.served, found.rejected) == (2, 1)
    assert found.environments["throttled_by_cap"] == 1
    assert lines(found)["requests"].quantity == 2


@pytest.mark.parametrize(
    ("weather", "said"),
    [
        ([{"kind": "zone_lost"}], "has no instances to take away: there is slow_store"),
        ([{"kind": "failed_start", "probability": 1.0}], "none would ever succeed"),
        ([slow("slow_store", 0.5)], "leaves no phase to slow down"),
        ([slow("slow_registry", 0.5)], "comes from the store alone: write slow_store"),
    ],
)
def test_weather_that_a_function_does_not_have_is_refused(weather, said):
    with pytest.raises(ScenarioError, match=said):
        scenario(weather=weather)


def test_a_region_without_a_price_is_named():
    with pytest.raises(pricing.PriceNotFound, match="us-east-1"):
        unit_price(scenario("sagemaker_serverless", **{"hosting.region": "eu-west-1"}))
    assert unit_price(scenario(**{"hosting.region": "eu-west-1"})).usd_per_hour > 0.0
    with pytest.raises(pricing.PriceNotFound, match="earliest held"):
        unit_price(scenario(**{"hosting.as_of": "2020-01-01"}))


def test_throttled_requests_are_not_charged():
    one = scenario(**{"policy.max_environments": 1})
    done, found = outcome(one)
    assert done.result.rejected == 1
    assert lines(found)["requests"].quantity == 3
    assert found.violations_by_cause["replica_cap"] == 1


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"hosting.reserved_concurrency": 950}, "at most 900"),
        ({"hosting.reserved_concurrency": 5, "hosting.provisioned_concurrency": 6}, "at most 5"),
        ({"hosting.provisioned_max": 4}, "nothing scales provisioned concurrency"),
        ({"policies": [{"kind": "per_request"}, PROVISIONED]}, "can leave zero provisioned"),
        ({"policies": [PROVISIONED]}, "the first of policies is one of kind per_request"),
        ({"policies": [{"kind": "per_request"}, INVOCATIONS]}, "expected one of provisioned"),
        ({"policies": [{"kind": "per_request"}, {"kind": "hpa"}]}, "not scaled by hpa"),
        (
            {
                "hosting.provisioned_concurrency": 3,
                "hosting.provisioned_max": 2,
                "policies": [{"kind": "per_request"}, PROVISIONED],
            },
            "expected from 3 to 1000",
        ),
        ({"policy.keep_alive_law": "empirical"}, "keep_alive_values_s is empty"),
        ({"fleet.slots": 4}, "one request at a time"),
        ({"policy.kind": "hpa"}, "per_request"),
        ({"hosting.memory_mb": 20_000}, "at most 10240"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_is_permitted(values, said):
    with pytest.raises(ScenarioError, match=said):
        scenario(**values)


def test_a_start_that_no_health_check_survives_is_said():
    slow = scenario("sagemaker_serverless", **{"cold_start.total_s": 200.0})
    with pytest.raises(StartsTooSlowly, match="hosting.health_check_s"):
        outcome(slow)


def test_an_initialisation_over_the_limit_is_paid_and_waited_for_twice_in_part():
    free = {"cold_start.total_s": None, "cold_start.sigma_log": 0.0, "model.size": "1GB"}
    once = run(
        scenario(**free, **{"hosting.init_limit_s": None}),
        Trace(np.array([0.0]), {"service_s": np.array([1.0])}),
    )
    twice = run(scenario(**free), Trace(np.array([0.0]), {"service_s": np.array([1.0])}))
    # 0.0852 s and 1 GB at 68.2 MB/s are 14.75 s, over the 10 s that the first attempt has.
    assert once.result.wait_sum_s == pytest.approx(14.748, abs=0.01)
    assert twice.result.wait_sum_s == pytest.approx(once.result.wait_sum_s + 10.0, rel=1e-9)
