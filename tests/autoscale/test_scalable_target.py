"""A scalable target of AWS with several policies, the clock walked by hand.

Delays are the defaults: a 60 s datapoint is published 60 s and judged 10 s after its minute's end.
"""

from __future__ import annotations

import numpy as np
import pytest
from fleets import arrivals, changes, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale.context import Context
from modeler.autoscale.scalable_target import from_block, from_blocks
from modeler.replay import Limits
from modeler.replay.fates import Fates
from modeler.scenario import ScenarioError
from modeler.scenario.policy import Predictive, Scheduled, StepScaling, TargetTracking

HOUR = 3600.0
QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def target(
    *blocks, hosting="eks_karpenter", minimum=1, maximum=50, initial=None, slots=1,
    horizon_s=np.inf, t0_s=0.0, **machine,
):  # fmt: skip
    context = Context(
        hosting, minimum, maximum, initial, slots, 1.0,
        t0_ns=round(t0_s * 1e9), horizon_s=horizon_s, **machine,
    )  # fmt: skip
    return from_blocks(blocks, context)


def step(metric, threshold, *steps, **changes_):
    rows = [{"lower": low, "upper": high, "adjustment": by} for low, high, by in steps]
    return StepScaling(metric=metric, threshold=threshold, steps=rows, **changes_)


def reasons(result):
    return [(d.reason, d.repeats) for d in result.decisions]


# --- step scaling ---


def test_a_step_policy_adds_by_the_size_of_the_breach_one_datapoint_later():
    policy = target(
        step("invocations_per_instance", 100.0, (0, 200, 1), (200, None, 4)), maximum=20
    )
    # 600 a minute on one replica is 500 above: four more, a minute and 70 s after the first
    # datapoint began; on five it is 120, 20 above: one more, once the cooldown has ended.
    result = walk(policy, arrivals((1500, 10)), horizon_s=1500.0, service_s=0.01)
    assert changes(result)[0] == (130.0, 1, 5)
    assert changes(result)[1] == (430.0, 5, 6)


def test_an_addition_under_way_counts_toward_a_larger_one():
    policy = target(
        step("invocations_per_instance", 100.0, (0, 200, 2), (200, None, 3)), initial=10,
        maximum=40,
    )  # fmt: skip
    # +2 at 120 s; at the next minute the load asks for +3: one more.
    result = walk(policy, arrivals((60, 25), (600, 60)), horizon_s=660.0, service_s=0.01, lag_s=900)
    assert changes(result) == [(130.0, 10, 12), (190.0, 12, 13)]
    assert reasons(result)[2][0] == "AlreadyAtDesiredCapacity"


def test_two_of_three_datapoints_and_missing_ones_as_the_alarm_says():
    # Only every other minute breaches; 2 of 3 is enough, 3 of 3 is not.
    load = arrivals(*[(60, 5), (60, 1)] * 8)
    for needed, fires in ((2, True), (3, False)):
        policy = target(
            step("invocations_per_instance", 200.0, (0, None, 1), evaluation_periods=3,
                 datapoints_to_alarm=needed)
        )  # fmt: skip
        result = walk(policy, load, horizon_s=960.0, service_s=0.01)
        assert bool(changes(result)) == fires
    assert changes(walk(target(step("invocations_per_instance", 200.0, (0, None, 1),
                                    evaluation_periods=3, datapoints_to_alarm=2)), load,
                        horizon_s=960.0, service_s=0.01))[0] == (250.0, 1, 2)  # fmt: skip


def test_a_step_policy_removes_by_percent_and_is_locked_by_its_cooldown():
    policy = target(
        step("invocations_per_instance", 30.0, (None, 0, -50), comparison="<",
             adjustment_type="PercentChangeInCapacity"), initial=16, minimum=2,
    )  # fmt: skip
    # Off the minute, so that no replica is busy when it is removed.
    result = walk(policy, arrivals((1500, 0.1)) + 5.0, horizon_s=1500.0, service_s=0.01)
    assert changes(result) == [(130.0, 16, 8), (430.0, 8, 4), (730.0, 4, 2)]
    assert reasons(result)[-1][0] == "AlreadyAtMinCapacity"


# --- several policies ---

INVOCATIONS = TargetTracking(metric="invocations_per_instance", target=100.0)
QUEUE = TargetTracking(metric="queue_per_instance", target=2.0)


def test_out_when_any_says_so_and_in_only_when_all_do():
    # Requests of 30 s on one slot: invocations are few, the queue is long.
    both = target(INVOCATIONS, QUEUE, maximum=10)
    at = arrivals((600, 0.5))
    result = walk(both, at, horizon_s=7200.0, service_s=30.0, slots=1)
    assert changes(result)[0][0] == 250.0
    assert changes(result)[0][2] > 1
    alone = walk(target(INVOCATIONS, maximum=10), at, horizon_s=7200.0, service_s=30.0, slots=1)
    assert changes(alone) == []
    # The queue is emptied long after the last arrival; only then is the removal agreed upon.
    emptied = max(d.time_s for d in result.decisions if d.reason == "ScaleInNotAgreed")
    removal = next(d for d in result.decisions if d.reason == "ScaledIn")
    assert removal.time_s > emptied


def test_a_policy_that_may_not_remove_has_no_say_in_removals():
    busy = TargetTracking(metric="queue_per_instance", target=2.0, disable_scale_in=True)
    quiet = walk(
        target(INVOCATIONS, busy, initial=4), arrivals((1200, 0.1)), horizon_s=1200.0,
        service_s=0.01,
    )  # fmt: skip
    assert changes(quiet) == [(970.0, 4, 1)]


def test_a_step_policy_removes_alone_and_the_larger_capacity_wins():
    down = step("invocations_per_instance", 90.0, (None, 0, -1), comparison="<", cooldown_s=0.0)
    more = step("invocations_per_instance", 90.0, (None, 0, -3), comparison="<", cooldown_s=0.0)
    held = TargetTracking(metric="queue_per_instance", target=0.001, disable_scale_in=False)
    result = walk(
        target(down, more, held, initial=8), arrivals((200, 1)), horizon_s=200.0, service_s=0.01
    )
    assert changes(result)[0] == (130.0, 8, 7)  # -1 and -3 at once: the larger capacity


# --- from zero ---


def test_inference_components_leave_zero_by_a_step_policy_and_return_to_it():
    wake = step("no_capacity_invocation_failures", 1.0, (0, None, 1), comparison=">",
                cooldown_s=60.0)  # fmt: skip
    policy = target(INVOCATIONS, wake, hosting="sagemaker_components", minimum=0)
    fails = Limits(slots=100, fates=Fates(from_zero="fail"))
    # One failed request in a minute is not more than one; two are.
    one = walk(policy, np.array([70.0, 130.0]), horizon_s=600.0, limits=fails)
    assert changes(one) == []
    two = walk(
        policy, np.array([70.0, 80.0]), horizon_s=3600.0, limits=fails, lag_s=200.0,
        service_s=0.01,
    )  # fmt: skip
    assert changes(two)[0] == (190.0, 0, 1)
    assert two.rejected == 2
    # Ready at 390 s; its idle minutes, from the seventh on, take it back to zero.
    assert changes(two)[-1][1:] == (1, 0)
    assert 390.0 + 900.0 < changes(two)[-1][0] < 390.0 + 900.0 + 200.0


def test_an_asynchronous_endpoint_waits_for_a_backlog_above_the_target():
    tracked = TargetTracking(metric="backlog_per_instance", target=5.0)
    wake = step("has_backlog_without_capacity", 1.0, (0, None, 1), evaluation_periods=2)
    few, many = np.arange(3) + 61.0, np.arange(12) + 61.0
    for at, blocks, first in (
        (few, (tracked,), []),
        (many, (tracked,), [(310.0, 0, 3)]),
        (few, (tracked, wake), [(250.0, 0, 1)]),
    ):
        policy = target(*blocks, hosting="sagemaker_async", minimum=0)
        result = walk(policy, at, horizon_s=900.0, service_s=100.0, slots=1)
        assert changes(result)[:1] == first


# --- EC2 Auto Scaling ---


def test_warm_up_holds_removals_and_feeds_no_metric():
    ec2 = TargetTracking(metric="invocations_per_instance", target=100.0)
    policy = target(ec2, hosting="ec2_asg", maximum=20)
    assert policy.recent_s == 300.0
    # 0.7 of the target is the low threshold: two at 80 stay.
    assert changes(walk(target(ec2, hosting="ec2_asg", initial=2), arrivals((2000, 160 / 60)),
                        horizon_s=2000.0, service_s=0.01)) == []  # fmt: skip
    down = step("invocations_per_instance", 500.0, (None, 0, -1), comparison="<",
                evaluation_periods=1)  # fmt: skip
    up = Scheduled(schedule="at(1970-01-01T00:10:00)", min_replicas=4)
    result = walk(
        target(up, down, hosting="ec2_asg", horizon_s=1800.0, initial=1),
        arrivals((1800, 1)), horizon_s=1800.0, service_s=0.01,
    )  # fmt: skip
    assert ("ScheduledAction", 1) in reasons(result)
    assert changes(result) == [(600.0, 1, 4)]  # and the minimum is 4 from then on


def test_instances_in_warm_up_block_a_removal():
    down = step("invocations_per_instance", 500.0, (None, 0, -1), comparison="<")
    up = step("queue_per_instance", 1.0, (0, None, 2))
    # A queue at first, then nothing: two are added, and warm up from 130 s to 430 s.
    at = np.concatenate([np.zeros(5), np.arange(100.0, 1000.0, 10.0)])
    service = np.concatenate([np.full(5, 30.0), np.full(90, 0.01)])
    policy = target(up, down, hosting="ec2_asg", initial=1, minimum=1, maximum=9)
    result = walk(policy, at, horizon_s=1000.0, service_s=service, slots=1)
    assert changes(result)[0] == (130.0, 1, 3)
    # The queue's datapoint of 190 s asks for no more; from 250 s on the removal waits.
    assert ("InstanceWarmup", 3) in reasons(result)
    assert changes(result)[1] == (430.0, 3, 2)


def test_basic_monitoring_takes_three_times_five_minutes():
    cpu = {"metric": "cpu_utilisation", "target": 50.0}
    load = arrivals((2400, 0.9))
    basic = target(TargetTracking(**cpu), hosting="ec2_asg")
    result = walk(basic, load, horizon_s=2400.0, service_s=1.0, slots=1)
    assert changes(result)[0] == (970.0, 1, 2)
    detailed = target(TargetTracking(detailed_monitoring=True, **cpu), hosting="ec2_asg")
    assert changes(walk(detailed, load, horizon_s=2400.0, service_s=1.0, slots=1))[0][0] == 250.0


def test_sagemaker_adds_up_devices():
    gpu = {"metric": "gpu_utilisation", "target": 70.0}
    load = arrivals((600, 0.5))  # half of the only slot: 50 % of one device, 200 % of four
    one = target(TargetTracking(**gpu), hosting="sagemaker_realtime", accelerators=1)
    four = target(TargetTracking(**gpu), hosting="sagemaker_realtime", accelerators=4)
    assert changes(walk(one, load, horizon_s=600.0, service_s=1.0, slots=1)) == []
    wanted = changes(walk(four, load, horizon_s=600.0, service_s=1.0, slots=1))
    assert wanted == [(250.0, 1, 3)]  # ceil(200 / 70)
    assert four.target == 70.0
    derived = target(TargetTracking(metric="gpu_utilisation"), hosting="sagemaker_realtime",
                     accelerators=4)  # fmt: skip
    assert derived.target == pytest.approx(280.0)


# --- by the clock ---


def test_scheduled_actions_move_the_capacity_into_their_bounds():
    day = Scheduled(schedule="cron(0 8 ? * * *)", min_replicas=4, max_replicas=50,
                    timezone="Europe/Berlin")  # fmt: skip
    night = Scheduled(schedule="cron(0 20 ? * * *)", min_replicas=1, max_replicas=2,
                      timezone="Europe/Berlin")  # fmt: skip
    never = Scheduled(schedule="at(2031-01-01T00:00:00)", min_replicas=9)
    t0_s = 1774656000.0  # 28 March 2026, 00:00 UTC, the day before the clock is put forward
    policy = target(INVOCATIONS, day, night, never, maximum=50, horizon_s=48 * HOUR, t0_s=t0_s)
    assert policy.bounds[:, 0].tolist() == [7 * HOUR, 19 * HOUR, 30 * HOUR, 42 * HOUR]
    assert policy.bounds[:2, 1:].tolist() == [[4, 50], [1, 2]]
    assert policy.notes == (
        "scheduled action cron(0 8 ? * * *) last ran at 2026-03-27 07:00 UTC, before this trace: "
        "what it set is in force at the start",
        "scheduled action cron(0 20 ? * * *) last ran at 2026-03-27 19:00 UTC, before this trace: "
        "what it set is in force at the start",
        "scheduled action at(2031-01-01T00:00:00) does not fire within this trace",
    )
    assert (policy.minimum, policy.maximum, policy.initial) == (1, 2, 1)
    result = walk(policy, arrivals((60, 1)), horizon_s=24 * HOUR, t0_s=t0_s, service_s=0.01)
    assert [c for c in changes(result) if c[1] < c[2]] == [(7 * HOUR, 1, 4)]
    assert (19 * HOUR, 4, 2) in changes(result)


def test_what_an_action_set_before_the_trace_holds_at_its_start():
    noon_s = 1774656000.0 + 12 * HOUR  # Saturday
    weekday = Scheduled(schedule="cron(0 8 ? * MON-FRI *)", min_replicas=4)
    evening = Scheduled(schedule="cron(0 20 ? * MON-FRI *)", max_replicas=6)
    once = Scheduled(schedule="at(2020-02-29T10:00:00)", min_replicas=5, max_replicas=7)
    policy = target(once, weekday, evening, INVOCATIONS, maximum=50, horizon_s=HOUR, t0_s=noon_s)
    assert (policy.minimum, policy.maximum, policy.initial) == (4, 6, 4)
    assert len(policy.bounds) == 0
    result = walk(policy, arrivals((60, 1)), horizon_s=HOUR, t0_s=noon_s, service_s=0.01)
    assert changes(result) == []  # four are there from the start, and no fewer may be
    # A leap day once in four years is found; an action whose start lies ahead has not run.
    leap = Scheduled(schedule="cron(0 0 29 2 ? *)", min_replicas=3)
    ahead = Scheduled(schedule="cron(0 8 ? * * *)", min_replicas=9, start="2026-04-01T00:00:00")
    policy = target(leap, ahead, maximum=50, horizon_s=HOUR, t0_s=noon_s)
    assert policy.minimum == 3
    # Every half hour from its own start: the last run before the trace is at half past eleven.
    rate = Scheduled(schedule="rate(30 minutes)", min_replicas=2, start="2026-03-28T00:30:00")
    policy = target(rate, maximum=50, horizon_s=HOUR, t0_s=noon_s + 60.0)
    assert policy.minimum == 2
    assert policy.bounds[:, 0].tolist() == [29 * 60.0, 59 * 60.0]


def test_bounds_that_contradict_each_other_before_the_trace_are_refused():
    low = Scheduled(schedule="at(2026-03-01T00:00:00)", max_replicas=2)
    high = Scheduled(schedule="at(2026-03-02T00:00:00)", min_replicas=9)
    with pytest.raises(ScenarioError, match="before the trace a scheduled minimum of 9 lies"):
        target(low, high, maximum=50, horizon_s=HOUR, t0_s=1774656000.0)
    # What a later action has mended before the trace is no contradiction.
    mended = Scheduled(schedule="at(2026-03-03T00:00:00)", max_replicas=20)
    assert target(low, high, mended, horizon_s=HOUR, t0_s=1774656000.0).minimum == 9


def test_what_schedules_may_not_say():
    with pytest.raises(ScenarioError, match="never fires"):
        target(Scheduled(schedule="cron(0 0 30 2 ? *)", min_replicas=1), horizon_s=HOUR)
    with pytest.raises(ScenarioError, match="minimum of 9 lies above the maximum of 2"):
        target(
            Scheduled(schedule="rate(10 minutes)", max_replicas=2),
            Scheduled(schedule="rate(20 minutes)", min_replicas=9),
            horizon_s=HOUR,
        )
    with pytest.raises(ScenarioError, match="at most one predictive"):
        target(Predictive(), Predictive())


# --- by forecast ---


def daily(peak: int, days: int = 2) -> np.ndarray:
    """One request a second, and `peak` a second from 09:00 to 11:00. [s]"""
    return arrivals(*[(9 * HOUR, 1), (2 * HOUR, peak), (13 * HOUR, 1)] * days)


def test_a_forecast_acts_before_the_hour_and_only_after_a_day_of_history():
    forecast = Predictive(target=60.0, mode="forecast_and_scale", scheduling_buffer_s=600.0)
    policy = target(forecast, hosting="ec2_asg", maximum=20)
    result = walk(policy, daily(5), horizon_s=48 * HOUR, service_s=0.01)
    # Ten minutes before nine on the second day; a forecast removes nothing.
    assert changes(result) == [(33 * HOUR - 600.0, 1, 5)]
    given = Predictive(
        target=60.0, mode="forecast_and_scale", scheduling_buffer_s=600.0,
        history=[60.0] * 9 + [300.0] * 2 + [60.0] * 13,
    )  # fmt: skip
    known = walk(target(given, maximum=20), daily(5), horizon_s=48 * HOUR, service_s=0.01)
    assert changes(known) == [(9 * HOUR - 600.0, 1, 5)]


def test_the_forecast_is_the_floor_of_the_dynamic_policies():
    forecast = Predictive(target=60.0, mode="forecast_and_scale", scheduling_buffer_s=0.0)
    policy = target(forecast, INVOCATIONS, maximum=20, initial=1)
    # On the second day the peak does not come: the floor holds for its two hours.
    at = np.concatenate([daily(5, 1), 24 * HOUR + arrivals((24 * HOUR, 1))])
    result = walk(policy, at, horizon_s=48 * HOUR, service_s=0.01)
    second = [c for c in changes(result) if c[0] >= 24 * HOUR]
    assert second[0] == (33 * HOUR, 1, 5)
    assert second[1][0] > 35 * HOUR
    assert second[1][2] == 1


def test_a_forecast_may_exceed_the_maximum_only_where_asked_for():
    history = [600.0] * 24  # ten replicas
    for behaviour, most in (("honour", 4), ("increase", 10)):
        forecast = Predictive(
            target=60.0, mode="forecast_and_scale", history=history,
            max_capacity_behaviour=behaviour,
        )  # fmt: skip
        policy = target(forecast, INVOCATIONS, maximum=4)
        result = walk(policy, arrivals((7200, 1)), horizon_s=7200.0, service_s=0.01)
        assert max(c[2] for c in changes(result)) == most


def test_a_forecast_that_only_forecasts_says_so_and_changes_nothing():
    policy = target(Predictive(history=[600.0] * 24), INVOCATIONS)
    assert policy.notes == ("predictive scaling forecasts only and changes nothing",)
    assert changes(walk(policy, arrivals((3600, 1)), horizon_s=3600.0, service_s=0.01)) == []


# --- laws ---


@QUICK
@given(
    seed=st.integers(0, 2**32 - 1),
    minimum=st.integers(0, 3),
    room=st.integers(1, 12),
    hosting=st.sampled_from(["sagemaker_realtime", "ec2_asg"]),
    percent=st.sampled_from([-300.0, -50.0, 40.0, 1000.0]),
)
def test_no_policy_leaves_its_bounds(seed, minimum, room, hosting, percent):
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(0.0, 7200.0, rng.integers(1, 3000)))
    kick = step("invocations_per_instance", 40.0, (0, None, abs(percent)), cooldown_s=60.0,
                adjustment_type="PercentChangeInCapacity")  # fmt: skip
    drop = step("queue_per_instance", 1.0, (None, 0, -abs(percent)), comparison="<=",
                adjustment_type="PercentChangeInCapacity", treat_missing="breaching")  # fmt: skip
    policy = target(
        QUEUE, kick, drop, hosting=hosting, minimum=minimum, maximum=minimum + room,
        initial=minimum,
    )  # fmt: skip
    result = walk(policy, at, horizon_s=7200.0, service_s=5.0, slots=1, lag_s=100.0)
    for decision in result.decisions:
        assert minimum <= decision.to_replicas <= minimum + room
    assert result.served + result.rejected + result.timed_out + result.lost == len(at)


def test_the_same_policy_by_block_or_by_list_is_the_same():
    block = TargetTracking(target=100.0)
    one = from_block(block, Context("sagemaker_realtime", 1, 50, None, 1, 1.0))
    other = target(block, minimum=1, hosting="sagemaker_realtime")
    assert one.params.tobytes() == other.params.tobytes()
    assert one.kind == other.kind == "target_tracking"
    assert one.target == 100.0
