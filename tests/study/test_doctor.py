"""The doctor: each fault beside a scenario without it, with figures by hand."""

import json

import pytest
from click.testing import CliRunner
from doctors import KARPENTER, STEADY, found, held, pair, scenario, steady, stepped

import traces
from modeler.cli.main import cli
from modeler.scenario import default, with_values
from modeler.study import PRESETS, doctor
from modeler.study.doctor import CHECKS
from modeler.study.presets import with_preset
from traces import Trace

# --- targets ---


def test_a_target_above_what_a_full_replica_shows():
    """Four slots at a second each are 240 requests a minute; 260 are never held in time."""
    finding = pair(scenario(policy={"kind": "target_tracking", "target": 260}),
                   "target-above-capacity")  # fmt: skip
    assert finding.severity == "critical"
    assert finding.paths == ("policy.target",)
    assert held(finding, "a full replica shows") == pytest.approx(240)
    assert finding.cure.settings == {"policy.target": 168.0}  # 0.7 x 240
    assert finding.cure.command == "--set policy.target=168"
    below = scenario(policy={"kind": "target_tracking", "target": 239})
    assert "target-above-capacity" not in found(below)


def test_a_metric_that_sees_the_queue_reaches_a_target_above_the_slots_late():
    """Ten in hand over four slots: six wait, (10 / 4 - 1) x 1 s = 1.5 s; the level is 2 s."""
    of = {"kind": "target_tracking", "metric": "concurrency_high_resolution"}
    finding = pair(scenario(policy={**of, "target": 10}), "target-above-capacity")
    assert finding.severity == "warning"
    assert "1.5 s" in finding.reason
    worse = found(scenario(policy={**of, "target": 13}))["target-above-capacity"]
    assert worse.severity == "critical"  # 2.25 s


def test_the_tolerance_of_an_hpa_counts():
    """92 % of the CPU and a tolerance of 10 % are 101.2 %; 90 % are 99 %."""
    hpa = {**KARPENTER, "policy": {"kind": "hpa", "target": 92}}
    assert "ends below" in pair(scenario(**hpa), "target-above-capacity").reason
    hpa["policy"] = {"kind": "hpa", "target": 90}
    assert "target-above-capacity" not in found(scenario(**hpa))


def test_knative_with_its_own_defaults_holds_seventy():
    knative = scenario(**KARPENTER, policy={"kind": "knative_kpa"})
    finding = pair(knative, "target-above-capacity")
    assert held(finding, "target") == pytest.approx(70)
    assert finding.cure.settings == {"policy.target": 4.0}  # 0.7 x 4 / 0.7


def test_a_threshold_at_the_very_end_of_a_utilisation():
    """An alarm at >= 100 % fires with every slot busy; one at > 100 % never does."""
    step = {"kind": "step_scaling", "metric": "gpu_utilisation", "threshold": 100,
            "steps": [{"lower": 0, "adjustment": 1}]}  # fmt: skip
    never = scenario(policy={**step, "comparison": ">"})
    assert "target-above-capacity" in found(never)
    assert "target-above-capacity" not in found(scenario(policy={**step, "comparison": ">="}))


def test_a_target_that_takes_all_replicas_at_the_mean():
    """Two a second against 31 a minute: 3.87, so four; of 70 % of four a second, one."""
    low = {"policy": {"kind": "target_tracking", "target": 31}}
    finding = pair(scenario(**low, fleet__max=4), "max-at-mean-load")
    assert held(finding, "replicas asked for at the mean rate") == 4
    assert held(finding, "replicas that 70 % would take") == 1
    assert "max-at-mean-load" not in found(scenario(**low, fleet__max=5))


def test_a_target_far_below():
    """60 a minute of 240 are a quarter: 0.7 / 0.25 = 2.8 times the replicas."""
    finding = pair(scenario(policy={"kind": "target_tracking", "target": 60}),
                   "target-far-below-capacity")  # fmt: skip
    assert held(finding, "share of its capacity") == pytest.approx(25)
    assert "2.8 times" in finding.reason


# --- starts ---


def test_a_limit_below_the_start():
    """A start of 100 s and a limit of 99 s; 1.2 x 100 s are two minutes."""
    finding = pair(scenario(cold_start__start_limit_s=99), "start-limit-under-start")
    assert held(finding, "counted part of a start (p95)") == 100
    assert held(finding, "limit") == 99
    assert held(finding, "starts that are ended") == 100
    assert finding.cure.settings == {"cold_start.start_limit_s": 120}
    assert "start-limit-under-start" not in found(scenario(cold_start__start_limit_s=100))


def test_a_machine_that_is_given_up_while_it_comes():
    limits = {**KARPENTER, "hosting.nodes.registration_timeout_s": 30, "cold_start.total_s": None,
              "cold_start.sigma_log": 0, "cold_start.provision_s": 20, "cold_start.boot_s": 40,
              "cold_start.device_s": 0}  # fmt: skip
    one = with_values(scenario(), {**limits, "policy": {"kind": "hpa"}})
    finding = pair(one, "node-limit-under-start")
    # One second less: Karpenter's own batch is apart.
    assert held(finding, "node ready (p95)") == pytest.approx(59)
    assert finding.cure.settings == {"hosting.nodes.registration_timeout_s": 120}


def test_a_serverless_endpoint_that_misses_its_health_check():
    """3 minutes are fixed; the cure is a size, and it is the largest: 2 % more would be late."""
    serverless = {"hosting.kind": "sagemaker_serverless", "hosting.memory_mb": 6144,
                  "fleet.slots": None, "cold_start.total_s": None,
                  "cold_start.store_bytes_per_s": "20MB/s", "model.size": "5GB"}  # fmt: skip
    one = with_values(scenario(), {**serverless, "policy": {"kind": "per_request"}})
    finding = pair(one, "health-check-under-start")
    assert held(finding, "limit") == 180
    size = int(finding.cure.settings["model.size"].removesuffix("MB"))
    larger = with_values(one, {"model.size": f"{size * 102 // 100}MB"})
    assert "health-check-under-start" in found(larger)


def test_an_initialisation_that_lambda_begins_again():
    slow = {"hosting.kind": "lambda", "fleet.slots": None, "policy": {"kind": "per_request"},
            "model.size": "1GB", "cold_start.total_s": None, "cold_start.sigma_log": 0}  # fmt: skip
    finding = pair(with_values(scenario(), slow), "init-begun-again")
    assert held(finding, "limit") == 10
    assert held(finding, "initialisation (p95)") > 10
    without = with_values(scenario(), {**slow, "hosting.init_limit_s": None})
    assert "init-begun-again" not in found(without)


def test_health_that_is_green_too_soon():
    """Thirty seconds at four requests a second."""
    finding = pair(scenario(cold_start__false_ready_s=30), "green-before-loaded")
    assert held(finding, "requests a full replica takes in that time") == pytest.approx(120)


def test_a_notice_shorter_than_a_start():
    """A start of 300 s: on notice 180 s of it are without warning, after the end 120 s more."""
    spot = {**KARPENTER, "hosting.purchase": "spot", "weather": [{"kind": "spot_reclaim"}],
            "cold_start.total_s": 300, "policy": {"kind": "hpa"}}  # fmt: skip
    one = with_values(scenario(), spot)
    finding = found(one)["spot-notice-under-start"]
    assert (finding.severity, held(finding, "a place stays empty")) == ("critical", 300)
    assert finding.cure.settings == {"fleet.min": 2}
    assert found(with_values(one, {"fleet.min": 2}))["spot-notice-under-start"].severity == (
        "warning"
    )
    asg = {"hosting.kind": "ec2_asg", "hosting.nodes": {"kind": "none"},
           "policy": {"kind": "target_tracking"}}  # fmt: skip
    late = found(with_values(scenario(), {**spot, **asg}))["spot-notice-under-start"]
    assert held(late, "a place stays empty") == 420
    assert late.cure.settings == {"fleet.min": 2, "weather.0.replace_at": "notice"}
    quick = with_values(one, {"cold_start.total_s": 119})
    assert "spot-notice-under-start" not in found(quick)


def test_a_warm_pool_that_is_always_empty():
    pool = {"hosting.kind": "ec2_asg", "hosting.nodes": {"kind": "warm_pool", "max_prepared": 1},
            "policy": {"kind": "target_tracking"}}  # fmt: skip
    finding = pair(scenario(**pool), "warm-pool-empty")
    assert finding.cure.settings == {"hosting.nodes.max_prepared": 20}


# --- zero ---


def test_a_wake_up_that_needs_two_failures():
    """One request in two minutes: half a failure a minute, and the alarm asks for more than one."""
    components = {"hosting.kind": "sagemaker_components", "fleet.min": 0, "policies": [
        {"kind": "target_tracking"},
        {"kind": "step_scaling", "metric": "no_capacity_invocation_failures", "comparison": ">",
         "threshold": 1, "cooldown_s": 300, "steps": [{"lower": 0, "adjustment": 1}]},
    ]}  # fmt: skip
    rare = steady(1 / 120, 86_400)
    finding = pair(scenario(**components), "wake-needs-several-failures", rare)
    assert finding.severity == "critical"
    assert held(finding, "failures needed in a period") == 2
    assert held(finding, "requests in a period, at the mean rate") == pytest.approx(0.5, rel=2e-3)
    assert finding.cure.settings == {"policies.1.threshold": 0}
    assert found(scenario(**components))["wake-needs-several-failures"].severity == "note"


def test_a_progress_deadline_below_the_start():
    knative = {**KARPENTER, "policy": {"kind": "knative_kpa", "progress_deadline_s": 99}}
    finding = pair(scenario(**knative), "progress-deadline-under-start")
    assert finding.cure.settings == {"policy.progress_deadline_s": 120}
    knative["policy"] = {"kind": "knative_kpa", "progress_deadline_s": 100}
    assert "progress-deadline-under-start" not in found(scenario(**knative))


def test_a_fleet_that_only_the_clock_wakes():
    work = {"kind": "scheduled", "schedule": "cron(0 7 ? * * *)", "min_replicas": 2}
    night = {"kind": "scheduled", "schedule": "cron(0 19 ? * * *)", "min_replicas": 0}
    by_clock = {"hosting.kind": "ec2_asg", "fleet.min": 0, "fleet.initial": 0}
    policies = [{"kind": "target_tracking"}, work, night]
    finding = pair(scenario(**by_clock, policies=policies), "wakes-by-the-clock-only")
    # What was started with at zero gives way to the minimum.
    assert finding.cure.settings == {"fleet.min": 1, "fleet.initial": None}
    policies[0] = {"kind": "target_tracking", "metric": "queue_per_instance"}
    assert "wakes-by-the-clock-only" not in found(scenario(**by_clock, policies=policies))


# --- service ---


def test_a_queue_that_bridges_less_than_one_service():
    """One second of service, a slot of four every 0.25 s: 0.5 s bridges little, 0.2 s nothing."""
    assert pair(scenario(queue__queue_timeout_s=0.5), "queue-timeout-under-service").severity == (
        "warning"
    )
    finding = found(scenario(queue__queue_timeout_s=0.2))["queue-timeout-under-service"]
    assert finding.severity == "critical"
    assert held(finding, "a full replica frees a slot every") == 0.25
    assert "queue-timeout-under-service" not in found(scenario(queue__queue_timeout_s=1))


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
    idle = scenario(**ec2, policy={"kind": "predictive"})
    assert pair(idle, "forecast-does-not-act", steady(5.0)).severity == "critical"
    assert found(idle)["forecast-does-not-act"].severity == "note"


def test_nothing_is_found_where_nothing_is_wrong():
    healthy = scenario(policy={"kind": "target_tracking"})
    diagnosis = doctor(healthy, STEADY)
    assert diagnosis.findings == ()
    assert diagnosis.worst is None
    assert f"{len(CHECKS)} checks" in diagnosis.advice
    assert list(diagnosis.frame().columns)[:2] == ["id", "severity"]


# --- the command ---


def test_the_command_prints_exports_and_fails_where_asked():
    args = ["doctor", "--set", "hosting.kind=eks_karpenter", "--set", "policy.kind=knative_kpa"]
    shown = CliRunner().invoke(cli, args)
    assert shown.exit_code == 0
    assert "critical: target-above-capacity" in shown.stdout
    assert "Do not deploy this as it is" in shown.stdout
    data = json.loads(CliRunner().invoke(cli, [*args, "--format", "json"]).stdout)
    assert data["schema"] == "doctor/1"
    assert data["checks"] == len(CHECKS)
    order = [one["severity"] for one in data["findings"]]
    assert order == sorted(order, key=["critical", "warning", "note"].index)
    lines = CliRunner().invoke(cli, [*args, "--format", "csv"]).stdout.splitlines()
    assert lines[0] == "id,severity,paths,held,reason,cure,command,ground,source"
    assert CliRunner().invoke(cli, [*args, "--fail-on", "critical"]).exit_code == 3


def test_every_preset_is_examined():
    base = with_values(default(), {"sweep": {}})
    traffic = traces.load(base.trace, seed=base.seed)
    for preset in PRESETS:
        diagnosis = doctor(with_preset(base, preset), traffic)
        assert diagnosis.advice, preset.key
        assert "<p>" in diagnosis._repr_html_()
        for finding in diagnosis.findings:
            assert finding.reason.endswith(".")
            assert finding.cure.words
            assert finding.source
            if finding.cure.settings:
                mended = with_values(with_preset(base, preset), dict(finding.cure.settings))
                assert finding.id not in found(mended, traffic), preset.key
