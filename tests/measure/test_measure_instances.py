"""The bill of machines beneath replicas: laws, and cases added up by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modeler.measure import judge
from modeler.measure.instances import billed_from
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay import run
from modeler.replay.per_request_setup import StartsTooSlowly
from modeler.scenario import default, with_values
from modeler.study import replay, sweep
from traces import Trace
from traces.draws import exponential

LAWS = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def traffic(seed: int, requests: int = 300, gap_s: float = 4.0) -> Trace:
    arrival = np.cumsum(exponential(seed, "gap", 0, requests)) * gap_s
    return Trace(arrival - arrival[0], t0_ns=seed * 7_000_000_000)


def on(kind: str, **values):  # type: ignore[no-untyped-def]
    instance = "ml.g5.2xlarge" if kind.startswith("sagemaker") else "g5.2xlarge"
    plain = with_values(default(), {"sweep": {}})
    return with_values(
        plain,
        {
            "hosting.kind": kind,
            "hosting.instance": instance,
            "hosting.usd_per_hour": 3.6,
            "policy.kind": "fixed",
            "policy.replicas": 3,
            "service.kind": "fixed",
            "service.mean_s": 2.0,
            "cold_start.sigma_log": 0.0,
            **{name.replace("__", "."): value for name, value in values.items()},
        },
    )


@st.composite
def scenarios(draw):
    kind, layer = draw(
        st.sampled_from(
            [
                ("ec2_asg", "none"),
                ("ec2_asg", "warm_pool"),
                ("eks_karpenter", "none"),
                ("eks_karpenter", "karpenter"),
                ("eks_cluster_autoscaler", "cluster_autoscaler"),
                ("sagemaker_components", "managed_instances"),
            ]
        )
    )
    values = {
        "hosting.nodes": {"kind": layer},
        "service.kind": "exponential",
        "service.mean_s": draw(st.sampled_from([3.0, 20.0])),
        "fleet.max": draw(st.integers(1, 6)),
        "fleet.initial": 1,
        "seed": draw(st.integers(0, 1000)),
    }
    if layer not in ("none", "warm_pool"):
        values["hosting.nodes"]["places"] = draw(st.integers(1, 4))
    if draw(st.booleans()) or kind != "ec2_asg":
        values["policy.replicas"] = draw(st.integers(1, 6))
        values["fleet.max"] = 6
    else:
        values |= {"policy.kind": "target_tracking", "policy.low_datapoints": 1}
        values["policy.scale_in_cooldown_s"] = 0.0
    weather = []
    if layer != "warm_pool" and not kind.startswith("sagemaker") and draw(st.booleans()):
        values["hosting.purchase"] = "spot"
        weather.append(
            {
                "kind": "spot_reclaim",
                "per_hour": draw(st.sampled_from([1.0, 8.0])),
                "free_first_hour": draw(st.booleans()),
            }
        )
    if not kind.startswith("sagemaker") and draw(st.booleans()):
        weather.append(
            {
                "kind": "insufficient_capacity",
                "for_s": 600.0,
                "fallback": "g5.4xlarge",
                "fallback_after_s": 120.0,
                "fallback_usd_per_hour": 7.2,
            }
        )
    if draw(st.booleans()):
        weather.append({"kind": "failed_start", "probability": 0.3})
    if draw(st.booleans()):
        weather.append({"kind": "zone_lost", "from_s": 300.0, "for_s": 400.0})
    if draw(st.booleans()):
        weather.append({"kind": "slow_registry", "factor": 0.5})
    values["weather"] = weather
    return with_values(on(kind), values)


@LAWS
@given(scenarios(), st.integers(0, 30))
def test_the_bill_is_the_sum_of_its_lines_and_covers_the_work(scenario, seed):
    done = run(scenario, traffic(seed))
    if done.layer is None:
        return
    outcome = judge(done)
    usd = 0.0
    for line in outcome.cost_lines:
        assert line.quantity >= -1e-9 or "first hour" in line.component
        usd += line.amount_usd
    assert outcome.usd_total == usd
    assert outcome.usd_total >= outcome.bounds["work_bound"]["usd_total"] * (1 - 1e-9) - 1e-9

    ground, table = done.result.ground, done.result.replicas
    start = billed_from(done.layer, done.result)
    home = ground.placed[:, g.P_NODE].astype(int)
    ready = table[:, m.READY_S]
    served = ready < table[:, m.STOP_S]
    # Each ready second lies inside a billed interval, on the replica's own machine.
    assert (start[home[served]] <= ready[served]).all()
    assert (table[:, m.STOP_S] <= ground.nodes[home, g.N_STOP] + 1e-9).all()
    life = np.where(start < ground.nodes[:, g.N_STOP], ground.nodes[:, g.N_STOP] - start, 0.0)
    whole = [line for line in outcome.cost_lines if line.unit == "instance-hour"]
    named = ("rounding", "first hour", "warm pool")
    own = math.fsum(
        line.quantity for line in whole if not any(part in line.component for part in named)
    )
    serving = ground.nodes[:, g.N_ROLE] == g.SERVING
    assert own * 3600 == pytest.approx(math.fsum(life[serving]), rel=1e-9, abs=1e-5)


def lines_of(outcome):  # type: ignore[no-untyped-def]
    return {line.component: line.quantity * 3600 for line in outcome.cost_lines}


def test_fair_weather_on_single_instances_costs_what_it_costs_without_a_layer():
    # The same fleet through both ways: a law that never fails, and machines beneath it.
    plain = with_values(on("ec2_asg"), {"fleet.max": 3, "fleet.initial": 1})
    trace = traffic(1)
    without = judge(run(plain, trace))
    beneath = with_values(plain, {"weather": [{"kind": "failed_start", "probability": 0.0}]})
    done = run(beneath, trace)
    assert done.layer is not None
    outcome = judge(done)
    assert lines_of(outcome) == pytest.approx(lines_of(without), rel=1e-9)
    assert outcome.breach_to_ready_s["p50"] == without.breach_to_ready_s["p50"]
    assert outcome.violations_by_cause == without.violations_by_cause


def test_two_replicas_share_a_node_and_the_second_pulls_no_image():
    scenario = on(
        "eks_karpenter", hosting__nodes={"kind": "karpenter", "places": 2}, fleet__initial=0,
        policy__replicas=2, fleet__min=0,
    )  # fmt: skip
    done = run(scenario, traffic(2))
    nodes, placed = done.result.ground.nodes, done.result.ground.placed
    assert len(nodes) == 1
    assert nodes[0, g.N_REQUESTED] == 1.0  # the batch's idle second
    names = [done.layer.names[int(law)] for law in placed[:, g.P_LAW]]
    assert names == ["new instance", "warm node"]
    table = done.result.replicas
    # On a platform whose container fetches after the pull, both are ready at the same instant.
    assert table[0, m.READY_S] == pytest.approx(table[1, m.READY_S], abs=1e-9)
    outcome = judge(done)
    assert outcome.instances["peak"] == 1
    life = done.result.end_s - nodes[0, g.N_RUNNING]
    shown = lines_of(outcome)
    assert sum(shown.values()) == pytest.approx(math.ceil(life), abs=1e-6)
    close = replay(scenario, trace=traffic(2))
    assert close.replicas()["law"].tolist() == names
    assert close.instances()["requested_s"].tolist() == [1.0]
    assert close.timeline["instances"][-2] == 1.0
    assert len(close.to_dict()["instances"]) == 1


def test_a_stopped_warm_pool_shortens_the_start_and_costs_its_storage():
    pool = {"kind": "warm_pool", "min_size": 2, "max_prepared": 1}
    cold = on("ec2_asg", fleet__initial=1, policy__replicas=3)
    warm = with_values(cold, {"hosting.nodes": pool})
    trace = traffic(3)
    slow, quick = run(cold, trace), run(warm, trace)
    started = slice(1, 3)
    assert (
        quick.result.replicas[started, m.READY_S] < slow.result.replicas[started, m.READY_S] - 100.0
    ).all()
    assert quick.result.ground.nodes[3:, g.N_RUNNING].min() == pytest.approx(21.2 - 3.2)
    lines = {line.component: line for line in judge(quick).cost_lines}
    storage = lines["warm pool: stopped, storage"]
    held = quick.result.ground.nodes
    held = held[held[:, g.N_ROLE] == g.HELD]
    months = (held[:, g.N_STOP] - held[:, g.N_REQUESTED]).sum() / 3600 / 730
    assert storage.quantity == pytest.approx(100.0 * months)
    assert storage.amount_usd == pytest.approx(0.08 * 100.0 * months)


def test_a_start_beyond_the_limit_is_said_and_not_simulated():
    slow = on("sagemaker_realtime", cold_start__init_s=600.0)
    with pytest.raises(StartsTooSlowly, match=r"480 s \(cold_start.start_limit_s\).*raise"):
        run(slow, traffic(4))
    rows = sweep(
        slow, settings={"cold_start.start_limit_s": [480.0, 3600.0]}, references=False,
        trace=traffic(4),
    ).rows  # fmt: skip
    assert [row["status"] for row in rows] == ["failed", "ok"]
    assert "smaller model" in rows[0]["error"]
    late = on("eks_karpenter", hosting__nodes={"kind": "karpenter"}, cold_start__provision_s=1000.0)
    with pytest.raises(StartsTooSlowly, match="launch_timeout_s"):
        run(late, traffic(4))


def test_a_reclaim_in_the_first_hour_is_given_back():
    scenario = on(
        "eks_karpenter", hosting__purchase="spot", policy__replicas=1, fleet__initial=1,
        weather=[{"kind": "spot_reclaim", "per_hour": 20.0}],
    )  # fmt: skip
    done = run(scenario, traffic(5))
    ground = done.result.ground
    reclaimed = (ground.nodes[:, g.N_ENDED] == g.RECLAIMED) & (
        ground.nodes[:, g.N_STOP] < done.result.end_s
    )
    assert reclaimed.sum() >= 2
    outcome = judge(done)
    back = lines_of(outcome)["reclaimed in the first hour"]
    lives = np.maximum(ground.nodes[:, g.N_STOP] - ground.nodes[:, g.N_RUNNING], 0.0)
    assert -back == pytest.approx(np.maximum(np.ceil(lives[reclaimed]), 60.0).sum())
    assert outcome.instances["reclaimed"] == reclaimed.sum()
