"""Critical findings, replayed: the fault does what the finding says, and the cure ends it."""

import numpy as np
import pytest
from doctors import GPU, KARPENTER, cured, found, held, pair, scenario, steady, stepped

from modeler.scenario import default, with_values
from modeler.study import doctor, replay
from modeler.study.doctor.facts import facts_of
from traces import Trace


def outcome(one, trace):
    return replay(one, trace=trace).outcome


def lost_share(one, trace):
    done = outcome(one, trace)
    return (done.rejected + done.timed_out + done.lost) / done.requests


def test_a_target_above_capacity():
    """Six requests a second on a replica that serves four: a utilisation never passes 100 %."""
    rush = steady(6.0)
    one = scenario(policy={**GPU, "target": 100})
    finding = pair(one, "target-above-capacity", rush)
    before, after = outcome(one, rush), outcome(cured(one, finding), rush)
    assert before.replicas["peak"] == 1
    assert before.sla_violation_share > 0.9
    assert after.replicas["peak"] >= 3  # 6 / (4 x 0.7) = 2.14, and the queue that had formed
    assert after.sla_violation_share < 0.5


def test_a_limit_below_some_of_the_starts():
    """55 of 100 starts are within the limit: the others are begun again, paid for."""
    rush = stepped((2.0, 600.0), (30.0, 6600.0))
    base = {"service": {"kind": "fixed", "mean_s": 1.0}, "fleet.slots": 4, "sweep": {},
            "policy": {"kind": "target_tracking"}}  # fmt: skip
    free = with_values(default(), {**base, "cold_start.start_limit_s": 3600})
    limit_s = float(np.quantile(facts_of(free, rush).counted_s, 0.55))
    one = with_values(free, {"cold_start.start_limit_s": limit_s})
    finding = pair(one, "start-limit-under-start", rush)
    assert held(finding, "starts that are ended") == pytest.approx(45, abs=0.1)
    before, after = replay(one, trace=rush), replay(cured(one, finding), trace=rush)

    def failed(which):
        return int((which.instances()["ended"] == "failed_start").sum())

    assert failed(before) >= 2
    assert failed(after) == 0
    assert after.outcome.sla_violation_share < before.outcome.sla_violation_share


def test_a_request_from_zero_whose_client_gives_up():
    """One request an hour, a start of 100 s, clients that wait 60 s: all but warm ones are lost."""
    rare = Trace(np.arange(0.0, 86_400.0, 3600.0))
    knative = {**KARPENTER, "fleet.min": 0, "policy": {"kind": "knative_kpa"},
               "queue.client_timeout_s": 60}  # fmt: skip
    one = scenario(**knative)
    finding = pair(one, "first-request-lost", rare)
    assert held(finding, "start (p50)") == 100
    assert held(finding, "client timeout") == 60
    assert lost_share(one, rare) == 1.0
    assert lost_share(cured(one, finding), rare) == 0.0
    patient = with_values(one, {"queue.client_timeout_s": 130})
    assert "first-request-lost" not in found(patient, rare)
    assert lost_share(patient, rare) == 0.0


def test_a_start_from_zero_that_outlasts_the_service_level():
    """One request in 15 minutes, a start of 100 s, a level of 2 s: each comes to an empty fleet."""
    rare = Trace(np.arange(0.0, 86_400.0, 900.0))
    one = scenario(**KARPENTER, fleet__min=0, sla={"threshold_s": 2, "max_violation_share": 0.01},
                   policy={"kind": "keda"})  # fmt: skip
    finding = pair(one, "zero-start-over-sla", rare)
    assert finding.severity == "critical"
    assert held(finding, "start (p50)") == 100
    assert held(finding, "may be late in all") == pytest.approx(0.01 * 96)
    assert held(finding, "late for each start from zero, at the mean rate") == 1
    assert outcome(one, rare).sla_violation_share == 1.0
    assert outcome(cured(one, finding), rare).sla_violation_share == 0.0
    # At two a second each start makes 2 x 98 requests late; a hundredth of a day's are 1,728.
    often = found(one, steady(2.0, 86_400.0))["zero-start-over-sla"]
    assert often.severity == "warning"
    late = held(often, "late for each start from zero, at the mean rate")
    assert late == pytest.approx(196, rel=1e-3)
    assert "8.8 of them in all" in often.reason
    assert "zero-start-over-sla" not in found(with_values(one, {"sla.threshold_s": 101}), rare)


def test_what_only_misses_is_not_said_to_work():
    one = scenario(**KARPENTER, fleet__min=0, policy={"kind": "keda"})
    assert "This works" not in doctor(one, steady(2.0)).sentence()


def test_a_fleet_at_zero_that_refuses():
    """Bursts an hour apart: from the first request, 60 + 60 + 10 s of alarm and a start are dark.

    The burst's 600 s at two a second are 1,200 requests, of which 2 x 230 at least are refused.
    """
    bursts = Trace(np.concatenate([h * 7200.0 + np.arange(0.0, 600.0, 0.5) for h in range(4)]))
    one = scenario(**{
        "hosting.kind": "sagemaker_components", "fleet.min": 0, "policies": [
            {"kind": "target_tracking"},
            {"kind": "step_scaling", "metric": "no_capacity_invocation_failures",
             "threshold": 1, "steps": [{"lower": 0, "adjustment": 1}]},
        ],
    })  # fmt: skip
    finding = pair(one, "rejects-from-zero", bursts)
    assert held(finding, "until a replica is asked for") == 130
    assert outcome(one, bursts).rejected / 4 == pytest.approx(2 * 230, rel=0.15)
    assert outcome(cured(one, finding), bursts).rejected == 0


def test_a_cap_below_the_busiest_hour():
    """Two replicas serve eight a second and ten come: two in ten wait ever longer."""
    rush = steady(10.0)
    one = scenario(policy={"kind": "target_tracking"}, fleet__max=2)
    finding = pair(one, "cap-below-peak", rush)
    assert finding.severity == "critical"
    assert held(finding, "all serve") == 8
    assert finding.cure.settings == {"fleet.max": 4}  # 10 / (4 x 0.7) = 3.57
    assert "cap-below-peak" not in found(with_values(one, {"fleet.max": 3}), rush)
    mended = cured(with_values(one, {"fleet.min": 2}), finding)
    assert outcome(one, rush).latency_s["p50"] > 200
    assert outcome(mended, rush).latency_s["p50"] < 200


def test_a_level_that_the_service_alone_misses():
    """Exponential of mean 1 s: exp(-2) = 13.5 % take longer than 2 s; 0.5 % more than 5.3 s."""
    calm = steady(0.5)
    one = scenario(service={"kind": "exponential", "mean_s": 1.0}, policy={"kind": "fixed",
                   "replicas": 5}, sla__threshold_s=2)  # fmt: skip
    finding = pair(one, "sla-under-service", calm)
    share = held(finding, "requests whose service alone takes longer") / 100
    assert share == pytest.approx(np.exp(-2), abs=0.025)
    assert finding.cure.settings["sla.threshold_s"] == pytest.approx(-np.log(0.005), rel=0.25)
    assert outcome(one, calm).sla_violation_share == pytest.approx(share, abs=1e-9)
    assert outcome(cured(one, finding), calm).meets_sla


def test_clients_that_give_up_while_they_are_served():
    calm = steady(0.5)
    one = scenario(service={"kind": "fixed", "mean_s": 3.0}, queue__client_timeout_s=2,
                   policy={"kind": "fixed", "replicas": 2}, sla__threshold_s=10)  # fmt: skip
    finding = pair(one, "client-timeout-under-service", calm)
    assert finding.cure.settings == {"queue.client_timeout_s": 3.0}
    assert lost_share(one, calm) == 1.0
    assert lost_share(cured(one, finding), calm) == 0.0


def test_a_replica_that_is_killed_while_it_loads():
    """A start of 600 s; a lone request waits 60 s, KEDA 120 s more: nothing is ever ready."""
    rare = Trace(np.arange(0.0, 43_200.0, 3600.0))
    keda = {**KARPENTER, "fleet.min": 0, "cold_start.total_s": 600, "queue.client_timeout_s": 60,
            "policy": {"kind": "keda", "cooldown_s": 120}}  # fmt: skip
    one = scenario(**keda)
    finding = pair(one, "killed-while-loading", rare)
    # The last request comes as the trace ends.
    before = replay(one, trace=rare).replicas()["ready_s"][:-1]
    after = replay(cured(one, finding), trace=rare).replicas()["ready_s"][:-1]
    assert len(before) == len(after) == 11
    assert not np.isfinite(before).any()
    assert np.isfinite(after).all()


def test_health_that_is_green_too_soon():
    """A step from 2 to 20 a second; what is sent to a replica in its last 30 s fails."""
    rush = stepped((2.0, 600.0), (20.0, 3000.0))
    one = scenario(cold_start__false_ready_s=30, policy={"kind": "target_tracking"})
    finding = pair(one, "green-before-loaded", rush)
    before, after = outcome(one, rush), outcome(cured(one, finding), rush)
    assert before.rejected > 100
    assert after.rejected == 0


def test_environments_at_most():
    """Ten a second of a second each keep ten busy; six may be: four in ten are throttled."""
    rush = steady(10.0, 1800.0)
    one = scenario(**{"hosting.kind": "lambda", "hosting.reserved_concurrency": 6,
                      "fleet.slots": None, "model.size": "1GB", "cold_start.total_s": 1,
                      "policy": {"kind": "per_request"}})  # fmt: skip
    finding = pair(one, "concurrency-cap-below-peak", rush)
    assert held(finding, "in service at once") == pytest.approx(10)
    assert finding.cure.settings == {"hosting.reserved_concurrency": 12}
    assert lost_share(one, rush) == pytest.approx(0.4, abs=0.08)
    assert lost_share(cured(one, finding), rush) < 0.01


def test_a_cold_request_whose_client_gives_up():
    """A start of 100 s and a client of 60 s, one request in two hours: each starts one in vain."""
    rare = Trace(np.arange(0.0, 86_400.0, 7200.0))
    one = scenario(**{"hosting.kind": "lambda", "fleet.slots": None, "model.size": "1GB",
                      "queue.client_timeout_s": 60, "policy": {"kind": "per_request"}})  # fmt: skip
    finding = pair(one, "cold-request-lost", rare)
    assert finding.cure.settings == {"queue.client_timeout_s": 120}  # 101 s
    assert lost_share(one, rare) == 1.0
    assert lost_share(cured(one, finding), rare) == 0.0


def test_no_other_instance_to_be_had():
    """None for two hours; six a second want two replicas: one stays one until then."""
    rush = steady(6.0)
    one = scenario(policy={"kind": "target_tracking"},
                   weather=[{"kind": "insufficient_capacity", "for_s": 7200}])  # fmt: skip
    finding = pair(one, "no-fallback-capacity", rush)
    assert finding.cure.settings == {"fleet.min": 2}
    assert outcome(one, rush).sla_violation_share > 0.9
    assert outcome(cured(one, finding), rush).sla_violation_share == 0.0


def test_a_reclaim_without_a_replica_to_spare():
    """A start of 600 s against a notice of 120 s, some ten reclaims: the one place stands empty."""
    calm = steady(2.0, 36_000.0)
    one = scenario(**{**KARPENTER, "hosting.purchase": "spot", "cold_start.total_s": 600,
                      "policy": {"kind": "hpa"},
                      "hosting.usd_per_hour": 1.0,
                      "weather": [{"kind": "spot_reclaim", "per_hour": 1}]})  # fmt: skip
    finding = pair(one, "spot-notice-under-start", calm)
    assert finding.severity == "critical"
    before, after = outcome(one, calm), outcome(cured(one, finding), calm)
    assert before.sla_violation_share > 0.1
    assert after.sla_violation_share < before.sla_violation_share / 3
