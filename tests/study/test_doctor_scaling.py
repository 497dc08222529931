"""The doctor on how fleets grow, shrink and follow the clock: figures by hand."""

import pytest
from doctors import KARPENTER, STEADY, found, held, pair, scenario, steady, stepped

from traces import Trace

# --- metrics ---


def test_a_utilisation_that_grows_a_fleet_step_by_step():
    """From 2 a second to 20: one replica to 8 at 70 %, 1 2 3 5 8, four steps.

    A step: three datapoints of 60 s, 60 s and 10 s of delay, a start of 100 s, 350 s.
    """
    rush = stepped((2.0, 3000.0), (20.0, 120.0))
    one = scenario(policy={"kind": "target_tracking", "metric": "gpu_utilisation"})
    finding = pair(one, "metric-blind-to-queue", rush)
    assert held(finding, "growth in a step, at most") == pytest.approx(1 / 0.7)
    assert held(finding, "replicas at the busiest minute") == 8  # 20 / 2.8 = 7.14
    assert held(finding, "steps from one to the other") == 4
    assert held(finding, "a step") == 350
    assert finding.severity == "warning"
    assert "metric-blind-to-queue" not in found(one, STEADY)


def test_arrivals_do_not_see_what_has_piled_up():
    """Twenty a second on one replica for 350 s leave 16 x 350 waiting; eight have 12 to spare."""
    rush = stepped((2.0, 3000.0), (20.0, 120.0))
    finding = pair(scenario(policy={"kind": "target_tracking"}), "metric-blind-to-backlog", rush)
    assert held(finding, "requests waiting when replicas are ready") == pytest.approx(16 * 350)
    assert held(finding, "spare capacity then") == pytest.approx(12)  # 467 s, more than 100
    impatient = scenario(policy={"kind": "target_tracking"}, queue__client_timeout_s=60)
    assert "metric-blind-to-backlog" not in found(impatient, rush)  # 960 in 80 s


def test_a_queue_that_asks_for_too_many():
    """Ten seconds of metric, two of delay each 10 s: 50 s and a start; 16 x 150 wait and 4 serve.

    Over 2.8 in hand a replica that is more than the cap of 20, where eight are enough.
    """
    rush = stepped((2.0, 3000.0), (20.0, 120.0))
    tracking = {"kind": "target_tracking", "metric": "concurrency_high_resolution"}
    finding = pair(scenario(policy=tracking), "backlog-overshoot", rush)
    assert held(finding, "requests waiting when replicas are ready") == pytest.approx(16 * 150)
    assert held(finding, "replicas the queue asks for") == 20
    assert finding.cure.settings == {"fleet.max": 15}


def test_a_tolerance_that_lets_the_peak_pass():
    """Three a second on one replica at 70 % of four: 3 / 2.8 is 7 % above, within 10 %."""
    hpa = {**KARPENTER, "policy": {"kind": "hpa", "metric": "concurrency"}}
    finding = found(scenario(**hpa), steady(3.0))["tolerance-hides-peak"]
    assert held(finding, "metric over target at the busiest minute") == pytest.approx(3 / 2.8)
    assert "tolerance-hides-peak" not in found(scenario(**hpa), steady(3.2))
    assert "tolerance-hides-peak" not in found(scenario(**hpa), steady(2.8))


def test_a_cooldown_shorter_than_the_metric():
    """Two periods of 60 s and 70 s of delay: 190 s."""
    step = {"kind": "step_scaling", "metric": "gpu_utilisation", "threshold": 70, "cooldown_s": 60,
            "steps": [{"lower": 0, "adjustment": 1}]}  # fmt: skip
    finding = pair(scenario(policy=step), "cooldown-under-metric")
    assert held(finding, "the metric shows them after") == 190
    assert held(finding, "further additions until then") == 3
    assert "cooldown-under-metric" not in found(scenario(policy={**step, "cooldown_s": 190}))


def test_a_cooldown_shorter_than_what_still_loads():
    """In service 200 s before it serves: 200 s, two periods of 60 s and 70 s of delay, 390 s."""
    early = {"cold_start.total_s": 300, "cold_start.false_ready_s": 200}
    policy = {"kind": "target_tracking", "scale_out_cooldown_s": 300}
    finding = pair(scenario(**early, policy=policy), "cooldown-under-start")
    assert held(finding, "the metric shows them after") == 390
    assert finding.cure.settings == {"policy.scale_out_cooldown_s": 420}
    policy["scale_out_cooldown_s"] = 390
    assert "cooldown-under-start" not in found(scenario(**early, policy=policy))


# --- scale per request ---

FUNCTION = {"hosting.kind": "lambda", "fleet.slots": None, "model.size": "1GB",
            "policy": {"kind": "per_request"}}  # fmt: skip


def test_provisioned_concurrency_that_nobody_scales():
    """Two a second of a second each keep two busy."""
    one = scenario(**FUNCTION, hosting__provisioned_concurrency=1)
    finding = pair(one, "provisioned-does-not-scale")
    assert finding.cure.settings == {"hosting.provisioned_concurrency": 2}


def test_a_rise_of_more_environments_than_may_start():
    """From the mean of 2.7 a second to 20: 17 environments, of which 10 at once and 1 a second."""
    rush = stepped((2.0, 3000.0), (20.0, 120.0))
    one = scenario(**FUNCTION, hosting__burst_environments=10)
    finding = found(one, rush)["burst-below-rise"]
    assert held(finding, "the last of them late by") == pytest.approx(
        20 - 8400 / 3120 - 10, abs=0.01
    )
    assert "burst-below-rise" not in found(
        scenario(**FUNCTION, hosting__burst_environments=18), rush
    )


# --- scale-in ---


@pytest.mark.parametrize(
    ("policy", "path", "cure"),
    [
        ({"kind": "hpa", "downscale_stabilization_s": 99}, "downscale_stabilization_s", 120),
        ({"kind": "ray_serve", "downscale_delay_s": 99}, "downscale_delay_s", 120),
        ({"kind": "sky_serve", "downscale_delay_s": 99}, "downscale_delay_s", 120),
        # The stable window of 60 s counts as well.
        ({"kind": "knative_kpa", "scale_down_delay_s": 39}, "scale_down_delay_s", 60),
    ],
)
def test_replicas_that_go_sooner_than_they_come(policy, path, cure):
    finding = pair(scenario(**KARPENTER, policy=policy), "scale-in-under-start")
    assert held(finding, "held for") == 99
    assert finding.cure.settings == {f"policy.{path}": cure}
    longer = {**policy, path: policy[path] + 1}
    assert "scale-in-under-start" not in found(scenario(**KARPENTER, policy=longer))


def test_an_alarm_of_target_tracking_holds_970_seconds():
    """15 datapoints of 60 s and 70 s of delay; three a second take two replicas at 70 %."""
    slow = scenario(policy={"kind": "target_tracking"}, cold_start__total_s=971)
    finding = pair(slow, "scale-in-under-start", steady(3.0))
    assert held(finding, "held for") == 970
    assert finding.cure.settings == {"fleet.min": 2}
    quick = scenario(policy={"kind": "target_tracking"}, cold_start__total_s=970)
    assert "scale-in-under-start" not in found(quick, steady(3.0))


def test_an_idle_timeout_below_the_start():
    keda = {**KARPENTER, "fleet.min": 0, "policy": {"kind": "keda", "cooldown_s": 99}}
    finding = pair(scenario(**keda), "idle-timeout-under-start")
    assert finding.cure.settings == {"policy.cooldown_s": 120}
    function = {"hosting.kind": "lambda", "fleet.slots": None, "model.size": "1GB"}
    kept = scenario(**function, policy={"kind": "per_request", "keep_alive_s": 99})
    assert held(found(kept)["idle-timeout-under-start"], "held for") == 99
    kept = scenario(**function, policy={"kind": "per_request", "keep_alive_s": 100})
    assert "idle-timeout-under-start" not in found(kept)


# Two days: 20 a second for 12 hours, 2 a second for 12.
DAYS = stepped(*[(20.0, 43_200.0), (2.0, 43_200.0)] * 2)


def test_a_removal_that_outlasts_the_evening():
    """From 8 replicas to 1 one by one: 970 s and six pauses of 1000 s; the traffic drops in 1 h."""
    slow = {"kind": "target_tracking", "scale_in_step_limit": 1, "scale_in_cooldown_s": 1000}
    finding = pair(scenario(policy=slow), "scale-in-slower-than-traffic", DAYS)
    assert held(finding, "taking them away") == 970 + 6 * 1000
    assert held(finding, "the traffic falls within") == 3600
    quick = {**slow, "scale_in_cooldown_s": 400}  # 970 + 6 x 400 = 3370
    assert "scale-in-slower-than-traffic" not in found(scenario(policy=quick), DAYS)


# --- schedules ---


def test_a_schedule_that_comes_too_late():
    """The traffic rises at 08:00 and the minimum at 07:59, with a start of 100 s: 40 s late."""
    day = Trace(stepped((2.0, 28_800.0), (20.0, 7_200.0)).arrival_s, t0_ns=0, t0_is_absolute=True)

    def at(minute, hour=7):
        return scenario(policies=[
            {"kind": "target_tracking"},
            {"kind": "scheduled", "schedule": f"cron({minute} {hour} ? * * *)", "min_replicas": 8},
        ])  # fmt: skip

    finding = pair(at(59), "schedule-lead-under-start", day)
    # An average over five minutes exceeds one replica up to two minutes before the ramp.
    lead_s = held(finding, "lead before the ramp (median)")
    assert -60 <= lead_s <= 60
    minutes = int(-((lead_s - 100) // 60))
    assert finding.cure.settings == {"policies.1.schedule": f"cron({59 - minutes} 7 ? * * *)"}
    assert "schedule-lead-under-start" not in found(at(55), day)
    assert "schedule-lead-under-start" in found(at(5, 8), day)


def test_a_forecast_that_is_asked_for_late_or_never():
    ec2 = {"hosting.kind": "ec2_asg", "cold_start.total_s": 301}
    acting = {"kind": "predictive", "mode": "forecast_and_scale"}
    finding = pair(scenario(**ec2, policies=[{"kind": "target_tracking"}, acting]),
                   "forecast-buffer-under-start")  # fmt: skip
    assert finding.cure.settings == {"policies.1.scheduling_buffer_s": 360}
    # From a warm pool that is stopped 21.2 s (a law without phases is the machine's start alone).
    pool = {**ec2, "hosting.nodes": {"kind": "warm_pool"}}
    pooled = scenario(**pool, policies=[{"kind": "target_tracking"}, acting])
    assert "forecast-buffer-under-start" not in found(pooled)
    late = {**acting, "scheduling_buffer_s": 21}
    pooled = scenario(**pool, policies=[{"kind": "target_tracking"}, late])
    assert held(found(pooled)["forecast-buffer-under-start"], "start (p95)") == 21.2
    idle = scenario(**ec2, policy={"kind": "predictive"})
    assert pair(idle, "forecast-does-not-act", steady(5.0)).severity == "critical"
    assert found(idle)["forecast-does-not-act"].severity == "note"
