"""The doctor: each fault beside a scenario without it, figures by hand, and faults that bite."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

import traces
from modeler.cli.main import cli
from modeler.scenario import default, with_values
from modeler.study import PRESETS, doctor, replay
from modeler.study.doctor import CHECKS
from modeler.study.presets import with_preset
from traces import Trace

# Two requests a second for an hour; one takes a second; a replica of four slots serves four of
# them a second. A start takes 100 s, all the same.
FIXED = {
    "service": {"kind": "fixed", "mean_s": 1.0},
    "fleet.slots": 4,
    "cold_start.total_s": 100,
    "queue.client_timeout_s": "none",
    "sweep": {},
}
STEADY = Trace(np.arange(0.0, 3600.0, 0.5))
KARPENTER = {"hosting.kind": "eks_karpenter", "hosting.nodes": {"kind": "karpenter"}}


def scenario(**settings):
    """A scenario on the fixed figures; ``__`` in a name stands for the dot of a path."""
    values = {name.replace("__", "."): value for name, value in settings.items()}
    return with_values(default(), {**FIXED, **values})


def found(one, trace=STEADY):
    return {finding.id: finding for finding in doctor(one, trace).findings}


def held(finding, what):
    (value,) = [one.value for one in finding.held if one.what == what]
    return value


def cured(one, finding):
    return with_values(one, dict(finding.cure.settings))


def pair(one, id, trace=STEADY):
    """The finding; its cure, applied, removes it."""
    finding = found(one, trace)[id]
    assert finding.cure.settings
    assert id not in found(cured(one, finding), trace)
    return finding


def lost_share(one, trace=STEADY):
    outcome = replay(one, trace=trace).outcome
    return (outcome.rejected + outcome.timed_out + outcome.lost) / outcome.requests


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


def test_a_target_above_capacity_bites():
    """Six requests a second on a replica that serves four: a utilisation never passes 100 %."""
    rush = Trace(np.arange(0.0, 3600.0, 1 / 6))
    one = scenario(policy={"kind": "target_tracking", "metric": "gpu_utilisation", "target": 100})
    finding = pair(one, "target-above-capacity", rush)
    before, after = (replay(each, trace=rush).outcome for each in (one, cured(one, finding)))
    assert before.replicas["peak"] == 1
    assert before.sla_violation_share > 0.9
    assert after.replicas["peak"] >= 3  # 6 / (4 x 0.7) = 2.14, and the queue that had formed
    assert after.sla_violation_share < 0.5


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


def test_a_limit_below_some_starts_bites():
    """The median is within the limit and a part of the starts is not: they are begun again."""
    rush = Trace(np.arange(0.0, 7200.0, 0.1))
    base = {"service": {"kind": "fixed", "mean_s": 1.0}, "fleet.slots": 4, "sweep": {},
            "fleet.initial": 1, "policy": {"kind": "target_tracking"}}  # fmt: skip
    free = with_values(default(), {**base, "cold_start.start_limit_s": 3600})
    from modeler.study.doctor.facts import facts_of

    median_s = float(np.quantile(facts_of(free, rush).counted_s, 0.55))
    one = with_values(free, {"cold_start.start_limit_s": median_s})
    finding = pair(one, "start-limit-under-start", rush)
    assert held(finding, "starts that are ended") == pytest.approx(45, abs=0.1)

    def failed(which):
        return int((replay(which, trace=rush).instances()["ended"] == "failed_start").sum())

    assert failed(one) > 0
    after = replay(cured(one, finding), trace=rush)
    if after._layer is not None:
        assert failed(cured(one, finding)) == 0


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
