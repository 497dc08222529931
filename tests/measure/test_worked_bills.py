"""One bill for each meter, worked out by hand at the shipped prices, to the cent and closer.

The sums are written out as on paper; a dollar amount here is exact to 1e-9, for quantities are
whole seconds or milliseconds and prices decimals of at most ten places.
"""

from __future__ import annotations

import numpy as np
import pytest

from modeler.measure import judge
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay import run
from modeler.scenario import Scenario, with_values
from modeler.study.commit import commitments, load_of
from traces import Trace

EXACT = 1e-9


def bill(kind, arrival, service, **values):
    """The run of a trace at the tables' own prices, its dollars by line, and their sum."""
    trace = Trace(np.array(arrival, dtype=float), {"service_s": np.array(service, dtype=float)})
    base = {"hosting.kind": kind, "model.size": "1GB", "service.kind": "trace", "sweep": {}}
    own = {name.replace("__", "."): value for name, value in values.items()}
    done = run(with_values(Scenario(), base | own), trace)
    found = judge(done)
    amounts = {line.component: line.amount_usd for line in found.cost_lines}
    assert found.usd_total == pytest.approx(sum(amounts.values()), abs=EXACT)
    assert all(line.as_of and line.source for line in found.cost_lines)
    return done, amounts, found.usd_total


def fixed(replicas):
    return {"policy": {"kind": "fixed", "replicas": replicas}}


def test_ec2_on_demand():
    # g5.2xlarge, us-east-1, 2026-07-20: 1.212 an hour. Two from 0 to 1,800 s + 12.25 s, each
    # rounded up to 1,813 s. 2 x 1,813 / 3,600 x 1.212 = 1.220753...
    _, amounts, usd = bill("ec2_asg", [0, 1800], [10, 12.25], hosting__instance="g5.2xlarge",
                           fleet__slots=1, **fixed(2))  # fmt: skip
    assert usd == pytest.approx(2 * 1813 / 3600 * 1.212, abs=EXACT)
    assert round(usd, 2) == 1.22
    assert amounts["serving"] == pytest.approx(22.25 / 3600 * 1.212, abs=EXACT)
    assert amounts["rounding"] == pytest.approx(2 * 0.75 / 3600 * 1.212, abs=EXACT)


def test_ec2_for_less_than_a_minute_is_billed_a_minute():
    _, amounts, usd = bill("ec2_asg", [0], [20], hosting__instance="g4dn.xlarge", **fixed(1))
    # 60 s of 0.526 an hour, of which 40 s are the minimum.
    assert usd == pytest.approx(0.526 / 60, abs=EXACT)
    assert amounts["rounding"] == pytest.approx(40 / 3600 * 0.526, abs=EXACT)


def test_sagemaker_real_time():
    # ml.g5.2xlarge, us-east-1: 1.515 an hour, by the second, traffic or none. 7,230 s: 3.0426...
    _, amounts, usd = bill("sagemaker_realtime", [0, 7200], [10, 30], **fixed(1))
    assert usd == pytest.approx(7230 / 3600 * 1.515, abs=EXACT)
    assert round(usd, 2) == 3.04
    assert amounts["idle"] == pytest.approx((7230 - 40) / 3600 * 1.515, abs=EXACT)


def test_sagemaker_serverless():
    # 4,096 MB: 0.00008 a second. Services of 0.2504 s and 1.5 s count 251 and 1,500 ms; the first
    # finds no environment and pays 12 s of start, the second comes a second later to a warm one.
    _, _, usd = bill("sagemaker_serverless", [0, 20], [0.2504, 1.5], cold_start__total_s=12,
                     hosting__memory_mb=4096)  # fmt: skip
    assert usd == pytest.approx((0.251 + 1.5 + 12) * 0.00008, abs=EXACT)


def test_lambda_with_its_initialisation():
    # 10,240 MB of x86 are 10 GB; a GB-second 0.0000166667, a request 0.0000002 (2025-06-05). A
    # million-fold month of this pair: 2 requests, 8 s of INIT, 0.301 + 0.45 s of duration.
    _, amounts, usd = bill("lambda", [0, 30], [0.3001, 0.45], cold_start__total_s=8,
                           hosting__memory_mb=10_240)  # fmt: skip
    gb_s = 10 * (8 + 0.301 + 0.45)
    assert usd == pytest.approx(gb_s * 0.0000166667 + 2 * 0.0000002, abs=EXACT)
    assert amounts["init"] == pytest.approx(80 * 0.0000166667, abs=EXACT)
    assert round(usd * 1e6, 2) == 1458.90  # 1,458.50 of GB-seconds and 0.40 of requests


def test_fargate():
    # 4 vCPU at 0.04048, 16 GB at 0.004445 and 30 GB of storage above the free 20 at 0.000111 an
    # hour, us-east-1: 0.16192 + 0.07112 + 0.00333 = 0.23637. Two tasks for 1,000.4 s: 1,001 s each.
    _, amounts, usd = bill("ecs_fargate", [0, 990], [1, 10.4], hosting__vcpu=4,
                           hosting__memory="16GiB", hosting__storage_gb=50, **fixed(2))  # fmt: skip
    assert usd == pytest.approx(2 * 1001 / 3600 * 0.23637, abs=EXACT)
    assert round(usd, 2) == 0.13
    assert amounts["rounding"] == pytest.approx(2 * 0.6 / 3600 * 0.23637, abs=EXACT)


def test_fargate_is_billed_from_the_download_of_the_image_and_at_least_a_minute():
    # The first task serves from 0. A second is asked for at a schedule's minute, runs 30 s later
    # and is not ready when the last request ends: from the pull on it is on the bill.
    done, amounts, _ = bill(
        "ecs_fargate", [0, 580], [1, 20], cold_start__sigma_log=0, cold_start__provision_s=30,
        policies=[{"kind": "scheduled", "schedule": "rate(9 minutes)", "min_replicas": 2}],
        fleet__min=1, fleet__max=2,
    )  # fmt: skip
    table = done.result.replicas
    asked = table[table[:, m.REQUESTED_S] > 0]
    assert len(asked) == 1
    running, stop = asked[0, m.RUNNING_S], asked[0, m.STOP_S]
    assert running == asked[0, m.REQUESTED_S] + 30
    price = 4 * 0.04048 + 16 * 0.004445
    assert amounts["booting"] == pytest.approx((stop - running) / 3600 * price, abs=EXACT)
    least = max(60 - (stop - running), 0.0)
    assert amounts["rounding"] == pytest.approx(least / 3600 * price, abs=EXACT)


def test_cloud_run_with_a_gpu():
    # us-central1: 4 vCPU at 0.000018, 16 GiB at 0.000002 and an L4 at 0.0001867 a second, together
    # 0.0002907. One instance for 61.23 s, in tenths: 61.3 s.
    _, amounts, usd = bill("cloud_run", [0, 60], [2, 1.23], **fixed(1))
    assert usd == pytest.approx(61.3 * 0.0002907, abs=EXACT)
    assert amounts["rounding"] == pytest.approx(0.07 * 0.0002907, abs=EXACT)


def test_spot_with_interruptions():
    # g5.xlarge spot in us-east-1, the mean of five zones: 0.44186 an hour. What EC2 takes back in
    # its first hour is free; what it takes back later, or what ends with the run, is paid.
    done, amounts, usd = bill(
        "ec2_asg", [0, 14_000], [1, 400], hosting__instance="g5.xlarge", hosting__purchase="spot",
        weather=[{"kind": "spot_reclaim", "per_hour": 0.7}], cold_start__sigma_log=0, seed=7,
        **fixed(1),
    )  # fmt: skip
    lives = done.result.ground.nodes[:, [g.N_RUNNING, g.N_STOP]]
    # Reclaimed after 196.76 s; the next after 11,186.77 s; the third runs 2,971.27 s to the end.
    expected = [(0, 196.76), (219.36, 11_406.13), (11_428.73, 14_400)]
    assert lives == pytest.approx(np.array(expected), abs=0.005)
    assert usd == pytest.approx((11_187 + 2_972) / 3600 * 0.44186, abs=EXACT)
    assert round(usd, 2) == 1.74
    back = amounts["reclaimed in the first hour"]
    assert back == pytest.approx(-197 / 3600 * 0.44186, abs=EXACT)


def test_a_savings_plan_over_a_replay():
    # One instance the whole ten hours, a second for the first four by a schedule. At 40 % off an
    # instance pays from six hours of ten on, so one is committed to: 10 x 0.6 x 1.515 = 9.09; the
    # second stays on demand.
    done, _, usd = bill(
        "sagemaker_realtime", [0, 35_990], [1, 10], fleet__min=1, fleet__max=2, fleet__initial=2,
        hosting__release_s=0, cold_start__sigma_log=0,
        policies=[
            {"kind": "scheduled", "schedule": "rate(4 hours)", "min_replicas": 1,
             "max_replicas": 1},
        ],
    )  # fmt: skip
    load, plan = load_of(done)
    assert plan == "sagemaker"
    (found,) = commitments(load, [0.4], plan, (load, load))
    assert found.instances == 1
    second = float(np.sum(load.instance_hours)) - 10
    assert usd == pytest.approx((10 + second) * 1.515, abs=1e-6)
    assert found.usd_total == pytest.approx(10 * 0.6 * 1.515 + second * 1.515, abs=1e-6)
    assert found.saved_usd == pytest.approx(10 * 0.4 * 1.515, abs=1e-6)
