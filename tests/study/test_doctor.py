"""The doctor: each fault beside a scenario without it, with figures by hand."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from doctors import KARPENTER, STEADY, found, held, pair, scenario, steady

import traces
from modeler.cli.main import cli
from modeler.scenario import default, with_values
from modeler.study import PRESETS, doctor
from modeler.study.doctor import CHECKS
from modeler.study.presets import with_preset
from traces import CountSeries

ROOT = Path(__file__).parents[2]
_CODE = "modeler/study/doctor"

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
    assert "spot-notice-under-start" not in found(with_values(one, {"fleet.min": 2}))
    # Six a second take two replicas of four: a third is to spare.
    two = pair(with_values(one, {"fleet.min": 2}), "spot-notice-under-start", steady(6.0))
    assert (two.severity, two.cure.settings) == ("warning", {"fleet.min": 3})
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


def test_nothing_is_found_where_nothing_is_wrong():
    healthy = scenario(policy={"kind": "target_tracking"})
    diagnosis = doctor(healthy, STEADY)
    assert diagnosis.findings == ()
    assert diagnosis.worst is None
    assert f"{len(CHECKS)} checks" in diagnosis.sentence()
    assert list(diagnosis.frame().columns)[:2] == ["id", "severity"]


def test_what_cannot_be_replayed_is_the_one_finding():
    """14 GB against the 10 GB of Lambda; token traffic where nothing knows of tokens."""
    base = with_values(default(), {"sweep": {}, "hosting.kind": "lambda"})
    (finding,) = doctor(base).findings
    assert (finding.id, finding.severity) == ("model-does-not-fit", "critical")
    (finding,) = doctor(with_values(base, {"model.size": "1GB"})).findings
    assert finding.id == "service-time-unknown"
    small = {"sweep": {}, "hosting.instance": "ml.g4dn.xlarge", "model.size": "15GB"}
    (finding,) = doctor(with_values(default(), small)).findings  # 14.4 GB of 16
    larger = with_values(default(), {**small, **finding.cure.settings})
    assert "model-does-not-fit" not in {one.id for one in doctor(larger).findings}


def test_traffic_that_is_only_counted():
    """120 requests in each minute are two a second, as in the trace of arrivals."""
    counted = CountSeries(np.full(60, 120), bin_s=60.0)
    low = scenario(policy={"kind": "target_tracking", "target": 31}, fleet__max=4)
    assert held(found(low, counted)["max-at-mean-load"], "replicas asked for at the mean rate") == 4


# --- the command ---


def test_the_page_lists_every_finding():
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / _CODE).glob("*.py"))
    listed = re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE)
    assert len(listed) == len(set(listed)) >= len(CHECKS)
    for id in listed:
        assert f'"{id}"' in code, id
    for id in re.findall(r'Finding\(\s*"([a-z-]+)"', code):
        assert id in listed, id


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
        assert diagnosis.sentence(), preset.key
        assert "<p>" in diagnosis._repr_html_()
        for finding in diagnosis.findings:
            assert finding.reason.endswith(".")
            assert finding.cure.words
            assert finding.source
            if finding.cure.settings:
                mended = with_values(with_preset(base, preset), dict(finding.cure.settings))
                assert finding.id not in found(mended, traffic), preset.key
