"""Bills worked out by hand, at 3.6 dollars an hour: a dollar is a thousand seconds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from modeler.autoscale import fixed, setup_per_job, target_tracking
from modeler.measure.cost import UnitPrice, cost_lines, total_usd, unit_price
from modeler.replay import Limits, Result, Work, simulate
from modeler.scenario import default, with_values

INF = math.inf


def scenario(kind: str, meter: str):
    instance = "ml.g5.2xlarge" if kind == "sagemaker_realtime" else "g5.2xlarge"
    return with_values(
        default(),
        {
            "hosting.kind": kind,
            "hosting.instance": instance,
            "hosting.usd_per_hour": 3.6,
            "hosting.billing_starts_at": meter,
        },
    )


def bill(result: Result, kind: str = "sagemaker_realtime", meter: str = "launch"):
    """Seconds of each line; dollars are checked against them on the way. [s]"""
    asked = scenario(kind, meter)
    lines = cost_lines(asked, unit_price(asked), result)
    for line in lines:
        assert line.unit == "instance-hour"
        assert line.amount_usd == pytest.approx(line.quantity * 3.6, rel=1e-12)
    seconds = {line.component: line.quantity * 3600 for line in lines}
    assert total_usd(lines) == pytest.approx(sum(seconds.values()) / 1000, rel=1e-12)
    return {name: pytest.approx(value, abs=1e-9) for name, value in seconds.items()}


def lines(booting=0, serving=0, idle=0, draining=0, rounding=0):
    return {
        "booting": booting,
        "serving": serving,
        "idle": idle,
        "draining": draining,
        "rounding": rounding,
    }


def replay(policy, arrival, service, *, running=0.0, ready=0.0, slots=1) -> Result:
    arrival, service = np.array(arrival, dtype=float), np.array(service, dtype=float)
    return simulate(
        policy,
        [Work(0, arrival, service, service)],
        Limits(slots=slots),
        draws=lambda first, count: (np.full(count, running), np.full(count, ready)),
        horizon_s=float(arrival[-1]),
    )


def test_a_warm_fleet():
    # Two replicas until the last request ends, at 40 s; 35 s of service.
    result = replay(fixed.build(2), [0, 10], [5, 30])
    for meter in ("launch", "in_service"):
        assert bill(result, meter=meter) == lines(serving=35, idle=45)
    # EC2 bills at least a minute for each start.
    assert bill(result, "ec2_asg") == lines(serving=35, idle=45, rounding=40)


def test_busy_slots_count_by_their_share_of_the_replica():
    result = replay(fixed.build(1), [0, 0, 10], [5, 5, 10], slots=4)
    # 20 slot-seconds on four slots; up for 20 s.
    assert bill(result) == lines(serving=5, idle=15)


def test_a_cold_replica_is_billed_from_where_the_scenario_says():
    # One warm, one requested at 0, running at 30, ready at 100; the run ends at 150.25.
    result = replay(fixed.build(2, initial=1), [0, 150], [1, 0.25], running=30.0, ready=100.0)
    served, warm_idle, cold_idle = 1.25, 150.25 - 1.25, 50.25
    idle = warm_idle + cold_idle
    # SageMaker: no page places the start of the meter, so the request itself. Seconds are whole.
    assert bill(result) == lines(booting=100, serving=served, idle=idle, rounding=1.5)
    assert bill(result, meter="in_service") == lines(serving=served, idle=idle, rounding=1.5)
    # EC2 does not bill what is still pending, before 30 s; in service it is up for 51 s, billed 60.
    assert bill(result, "ec2_asg") == lines(booting=70, serving=served, idle=idle, rounding=1.5)
    in_service = bill(result, "eks_karpenter", "in_service")
    assert in_service == lines(serving=served, idle=idle, rounding=0.75 + 9.75)


def test_a_replica_that_is_cancelled_while_pending():
    # The second of two set-ups is asked for at 4 s and cancelled at 12 s (test_setup_per_job).
    # The first serves from 10 to 14 s and stops.
    result = replay(setup_per_job.build(2), [0, 4], [2, 2], running=6.0, ready=10.0)
    assert bill(result) == lines(booting=10 + 8, serving=4)
    assert bill(result, meter="in_service") == lines(serving=4)
    # EC2: it runs from 10 to 12 s and pays a minute, as does the first, which runs from 6 to 14 s.
    assert bill(result, "ec2_asg") == lines(booting=4 + 2, serving=4, rounding=52 + 58)
    assert bill(result, "ec2_asg", "in_service") == lines(serving=4, rounding=56)
    # Cancelled before it runs, it costs nothing on EC2.
    result = replay(setup_per_job.build(2), [0, 4], [2, 2], running=9.0, ready=10.0)
    assert result.replicas[1].tolist() == [4.0, INF, INF, INF, 12.0]
    assert bill(result, "ec2_asg") == lines(booting=1, serving=4, rounding=55)


def test_the_tail_of_a_scale_in_is_billed():
    # Two replicas busy until 10 s; one is taken out at 2 s and drains for 8 s.
    policy = target_tracking.build(
        metric="invocations_per_instance",
        target=1000.0,
        minimum=1,
        maximum=2,
        initial=2,
        period_s=2.0,
        publish_delay_s=0.0,
        alarm_eval_delay_s=0.0,
        low_datapoints=1,
        low_period_s=2.0,
    )
    result = replay(policy, [0, 0], [10, 10])
    assert result.replicas[1].tolist() == [0.0, 0.0, 0.0, 2.0, 10.0]
    assert bill(result) == lines(serving=12, draining=8)
    assert bill(result, "ec2_asg") == lines(serving=12, draining=8, rounding=100)


def test_a_replica_not_ready_when_the_run_ends_is_billed_until_then():
    result = replay(fixed.build(2, initial=1), [0, 10], [1, 10], running=5.0, ready=500.0)
    assert bill(result) == lines(booting=20, serving=11, idle=9)
    assert bill(result, meter="in_service") == lines(serving=11, idle=9)


def test_the_price_of_the_tables_has_a_date_and_a_source():
    found = unit_price(with_values(default(), {"hosting.usd_per_hour": None}))
    assert isinstance(found, UnitPrice)
    assert found.service == "sagemaker"
    assert found.as_of
    assert found.source
    assert found.usd_per_hour > 0
    mine = unit_price(scenario("ec2_asg", "launch"))
    assert (mine.usd_per_hour, mine.service, mine.as_of) == (3.6, "ec2", None)
    assert mine.confidence == "yours"
