"""Known answers of AWS through the functions the replay runs, in more combinations than one."""

from __future__ import annotations

from typing import Any

import pytest

from modeler.referee.conformance.aws import KINDS
from modeler.referee.conformance.inputs import Inputs
from modeler.referee.parameters import CaseError


def answer(kind: str, **values: Any) -> dict[str, Any]:
    case = Inputs(values)
    found = KINDS[kind](case)
    assert list(case.unread()) == []
    return found


def has(found: dict[str, Any], **expected: Any) -> None:
    assert {name: found[name] for name in expected} == expected


STEPS = [
    {"lower": 0, "upper": 10, "adjustment": 0},
    {"lower": 10, "upper": 20, "adjustment": 10},
    {"lower": 20, "upper": None, "adjustment": 30},
]


def test_step_scaling():
    base = {"adjustment_type": "PercentChangeInCapacity", "alarm_threshold": 50, "steps": STEPS}
    has(answer("step_scaling", metric=60, current_capacity=10, **base), capacity=11)
    has(answer("step_scaling", metric=70, current_capacity=11, max=13, **base), capacity=13)
    has(answer("step_scaling", datapoints=[60, 80], current_capacity=10, **base), capacity=13)
    has(answer("step_scaling", metric=60, current_capacity=10, min_adjustment_magnitude=3, **base),
        capacity=13)  # fmt: skip
    exact = {"alarm_threshold": 1, "steps": [{"lower": 0, "adjustment": 7}]}
    has(answer("step_scaling", metric=5, current_capacity=2, adjustment_type="ExactCapacity",
               **exact), capacity=7, change=5)  # fmt: skip
    has(answer("step_scaling", metric=5, current_capacity=2, **exact), capacity=9)


@pytest.mark.parametrize(
    "bounds",
    [[(0, 10), (20, None)], [(0, 15), (10, None)], [(None, None)], [(-10, 0)], [(0, 10)], [(5, 5)]],
)
def test_steps_that_do_not_hold_together_are_an_error(bounds):
    steps = [{"lower": low, "upper": high, "adjustment": 1} for low, high in bounds]
    found = answer("step_scaling", metric=5, alarm_threshold=1, current_capacity=2, steps=steps)
    assert found == {"error": True}


def test_credit_inside_the_cooldown():
    def after(*events, **more):
        rows = [{"t_s": t, "adjustment": by} for t, by in events]
        found = answer("step_cooldown_credit", capacity_before=10, events=rows, **more)
        return found["capacity_after_each"]

    assert after((0, 2), (60, 2)) == [12, 12]
    assert after((0, 2), (60, 1)) == [12, 12]
    assert after((0, 2), (299, 3), (598, 4)) == [12, 13, 14]
    assert after((0, 2), (300, 3)) == [12, 15]
    assert after((0, 2), (60, 3), cooldown_s=30) == [12, 15]
    assert after((0, -2), (60, -1), (300, -1)) == [8, 8, 7]
    assert after((0, 10), (60, 30), adjustment_type="PercentChangeInCapacity") == [11, 13]


def test_cooldowns():
    has(
        answer("cooldown_interaction", scale_in_at_s=0, scale_in_cooldown_s=300, scale_out_at_s=100,
               second_scale_in_at_s=150),
        scale_out_applied_at_s=100, scale_in_cooldown_cancelled=True, second_scale_in_blocked=False,
        second_scale_in_executes_at_s=150,
    )  # fmt: skip
    has(
        answer("cooldown_interaction", scale_in_at_s=0, second_scale_in_at_s=200),
        second_scale_in_blocked=True, second_scale_in_allowed_at_s=300,
        scale_in_cooldown_cancelled=False, scale_in_cooldown_ends_at_s=300,
    )  # fmt: skip
    has(
        answer("cooldown_interaction", scale_in_at_s=0, scale_in_completes_at_s=40,
               second_scale_in_at_s=330, scheduled_action_at_s=50),
        second_scale_in_blocked=True, second_scale_in_allowed_at_s=340,
        scheduled_action_applied_at_s=50,
    )  # fmt: skip
    has(
        answer("cooldown_interaction", scale_out_at_s=0, scale_out_capacity=12,
               second_scale_out_at_s=60, second_scale_out_capacity=12, capacity_before=10),
        second_scale_out_applied=False, capacity=12, scale_out_cooldown_ends_at_s=300,
    )  # fmt: skip
    with pytest.raises(CaseError):
        answer("cooldown_interaction", reboot_at_s=3)


@pytest.mark.parametrize(
    ("metric", "target", "high", "low"),
    [
        ("ECSServiceAverageCPUUtilization", 30, (30, 60, 3), (27, 60, 15)),
        ("ASGAverageCPUUtilization", 75, (75, 60, 3), (52.5, 60, 15)),
        ("LambdaProvisionedConcurrencyUtilization", 0.7, (0.7, 60, 3), (0.63, 60, 15)),
        ("RDSReaderAverageCPUUtilization", 50, (50, 60, 3), (45, 60, 15)),
        ("CapacityProviderReservation", 100, (100, 60, 1), (100, 60, 15)),
        ("SageMakerVariantConcurrentRequestsPerModelHighResolution", 5, (5, 10, 3), (4.5, 60, 15)),
        (None, 1500, (1500, 60, 3), (1350, 60, 15)),
    ],
)
def test_alarms_of_a_target(metric, target, high, low):
    found = answer("alarm_definition", metric=metric, target=target)
    for alarm, expected in ((found["high"], high), (found["low"], low)):
        assert alarm["threshold"] == pytest.approx(expected[0], rel=1e-12)
        assert (alarm["period_s"], alarm["datapoints"]) == expected[1:]
    assert found["high"]["comparison"] + found["low"]["comparison"] == "><"


def test_alarm_states():
    base = {"comparison": ">", "threshold": 1, "evaluation_periods": 3}
    has(answer("alarm_evaluation", datapoints_oldest_first=[2, 2], previous_state="OK", **base),
        state="OK")  # fmt: skip
    has(answer("alarm_evaluation", datapoints_oldest_first=[2, 2, 2], **base), state="ALARM")
    has(answer("alarm_evaluation", datapoints_oldest_first=[None] * 3, previous_state="OK", **base),
        state="INSUFFICIENT_DATA", changed=True)  # fmt: skip
    has(answer("alarm_evaluation", datapoints_oldest_first=[None] * 3, treat_missing="ignore",
               previous_state="ALARM", **base), state="ALARM", changed=False)  # fmt: skip
    has(answer("alarm_evaluation", datapoints_oldest_first=[None, 2, None],
               treat_missing="breaching", **base), state="ALARM")  # fmt: skip
    has(answer("alarm_evaluation", datapoints_oldest_first=[2, None, 2], datapoints_to_alarm=2,
               **base), state="ALARM")  # fmt: skip
    assert answer("alarm_evaluation", datapoints_to_alarm=4, **base)["error"]


def test_actions():
    has(answer("alarm_action_repeat", entered_at_s=30, leaves_at_s=150, action="auto_scaling"),
        invocations_at_s=[30, 90])  # fmt: skip
    has(answer("alarm_action_repeat", state="OK", leaves_at_s=500, action="sns"),
        invocations_at_s=[0])  # fmt: skip


def test_several_policies():
    def capacity(*proposals, **more):
        found = answer("multiple_policies", current_capacity=8, proposals=list(proposals), **more)
        return found["capacity"]

    def by(value):
        return {"type": "ChangeInCapacity", "value": value}

    assert capacity(by(1), {"type": "ExactCapacity", "value": 12}) == 12
    assert capacity(by(-3), by(1)) == 9
    down, stay = {"type": "TargetTracking", "value": 4}, {"type": "TargetTracking", "value": 8}
    assert capacity(down, {"type": "TargetTracking", "value": 6}) == 6
    assert capacity(down, stay) == 8
    assert capacity(down, {**stay, "disable_scale_in": True}) == 4
    assert capacity(down, stay, by(-1)) == 7
    tracked = {"type": "target_tracking", "metric": 150, "target": 100}
    assert capacity(down, tracked, max=10) == 10


def test_targets():
    has(answer("target_tracking_capacity", metric_value=85, current_capacity=10, target=100),
        capacity=9)  # fmt: skip
    has(answer("target_tracking_capacity", metric_value=95, current_capacity=40, target=100),
        capacity=40)  # fmt: skip
    has(answer("target_tracking_capacity", metric=150, current_capacity=10, target=100, max=12),
        capacity=12)  # fmt: skip
    has(answer("target_tracking_capacity", metric="backlog_per_instance", queue_length=30,
               current_capacity=0, target=10), capacity=3, metric_value=30)  # fmt: skip
    has(answer("target_tracking_rounding", direction="in", exact_change=-1.5), change=-1)
    has(answer("target_value", max_rps=20, safety_factor=0.8),
        target_invocations_per_instance=960)  # fmt: skip


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ({"current_capacity": 10, "max": 10, "metric": 150}, "AlreadyAtMaxCapacity"),
        ({"current_capacity": 1, "min": 1, "metric": 10}, "AlreadyAtMinCapacity"),
        ({"current_capacity": 2, "metric": 85}, "AlreadyAtDesiredCapacity"),
        ({"current_capacity": 2, "metric": 150, "endpoint_status": "Updating"},
         "TargetServicePutResourceAsUnscalable"),
        ({"current_capacity": 2, "metric": 60, "proposal": 1}, "AutoScalingAnticipatedFlapping"),
        ({"current_capacity": 2, "metric": 40}, None),
    ],
)  # fmt: skip
def test_why_nothing_changes(case, reason):
    has(answer("not_scaled_reason", target=100, **case), reason=reason)


def test_schedules():
    has(answer("scheduled_action", current_capacity=2, new_min=4), capacity=4)
    has(answer("scheduled_action", current_capacity=12, new_max=10), capacity=10)
    has(answer("scheduled_action", current_capacity=6, new_min=4, new_max=10), capacity=6)
    has(answer("scheduled_action", schedule="cron(0 8 ? * MON-FRI *)", timezone="America/New_York",
               after="2026-03-07T12:00:00Z"), fires_at="2026-03-09T12:00:00Z")  # fmt: skip
    assert answer("scheduled_action", schedule="cron(0 0 30 2 ? *)", new_min=1) == {"error": True}


def test_zero_serverless_and_lambda():
    strict = {"comparison": ">", "threshold": 1, "evaluation_periods": 1, "statistic": "Sum"}
    has(answer("wake_from_zero", alarm=strict, datapoints=[1]), fires=False, capacity=0)
    has(answer("wake_from_zero", alarm=strict, datapoints=[2]), fires=True, capacity=1)
    has(answer("wake_from_zero", alarm={**strict, "comparison": ">="}, datapoints=[1]), fires=True)
    has(answer("wake_from_zero_duration", phases_s={"a": 30, "b": 60}), total_min=1.5, total_s=90)
    has(answer("serverless_concurrency", max_concurrency=20, in_flight=18, new_requests=5),
        throttled=3, accepted=2)  # fmt: skip
    assert answer("serverless_concurrency", max_concurrency=201)["error"]
    has(answer("lambda_burst", account_limit=10000, demand=3500, seconds=25),
        max_new_environments=3500, seconds_to_start_all=25)  # fmt: skip
    has(answer("lambda_burst", demand=300, seconds=1), max_new_environments=300)


def test_metrics():
    has(answer("metric_definition", metric="ApproximateBacklogSizePerInstance", queued=10,
               in_progress=5, instances=3), value=5)  # fmt: skip
    has(answer("metric_definition", metric="GPUUtilization", per_device=[80, 90, 70, 60]),
        value=300)  # fmt: skip
    has(answer("metric_definition", metric="HasBacklogWithoutCapacity", queued=1, instances=0),
        value=1)  # fmt: skip
    rows = [{"at_s": 0, "instances": 1}, {"at_s": 59, "instances": 2}, {"at_s": 60, "instances": 2}]
    has(answer("metric_definition", metric="InvocationsPerInstance", requests=rows), value=1.5)


def test_pools_and_forecasts():
    has(answer("warm_pool_size", desired=6, max=10, max_prepared=8), pool_size=2)
    has(answer("predictive_buffer", forecast_capacity=50, max=40, buffer_percent=10),
        effective_max=40)  # fmt: skip
    has(answer("predictive_hourly", actual=9, forecast=12), capacity=12)
    has(answer("predictive_hourly", actual=9, forecast=12, mode="ForecastOnly"), capacity=9)
