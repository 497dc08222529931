"""Target tracking with the clock walked by hand.

Expected times and counts follow from the vendor's rules (Application Auto Scaling user guide,
target-tracking-scaling-policy-overview; CloudWatch user guide, AlarmThatSendsEmail) and the default
delays: a 60 s datapoint is published 60 s and judged 10 s after its minute has ended.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale import target_tracking
from modeler.autoscale.proportional import capacity_for
from modeler.replay import Limits, Result, Work, simulate
from modeler.replay import layout as m
from modeler.scenario import default, with_values
from modeler.study import replay
from traces import CountSeries

TARGET = 100.0  # requests per instance and minute
QUICK = settings(max_examples=60, deadline=None, derandomize=True)


def policy(**changes):
    settings_of = {
        "metric": "invocations_per_instance",
        "target": TARGET,
        "minimum": 1,
        "maximum": 50,
        "initial": 1,
        "period_s": 60.0,
        "publish_delay_s": 60.0,
        **changes,
    }
    return target_tracking.build(**settings_of)


def arrivals(*stretches: tuple[float, float]) -> np.ndarray:
    """Evenly spaced requests: for so many seconds, so many a minute. [s]"""
    parts, start = [], 0.0
    for seconds, per_minute in stretches:
        count = round(seconds * per_minute / 60.0)
        if count:
            parts.append(start + np.arange(count) * (60.0 / per_minute))
        start += seconds
    return np.concatenate(parts)


def walk(
    *stretches: tuple[float, float],
    lag_s: float = 0.0,
    service_s: float = 0.01,
    t0_s: float = 0.0,
    **changes,
) -> Result:
    at = arrivals(*stretches)
    service = np.full(len(at), service_s)
    return simulate(
        policy(**changes),
        [Work(0, at, service, service)],
        Limits(slots=1000),
        draws=lambda first, count: (np.zeros(count), np.full(count, lag_s)),
        horizon_s=sum(seconds for seconds, _ in stretches),
        t0_ns=round(t0_s * 1e9),
    )


def changes_of(result: Result) -> list[tuple[float, int, int]]:
    return [
        (d.time_s, d.from_replicas, d.to_replicas)
        for d in result.decisions
        if d.from_replicas != d.to_replicas
    ]


def reasons_of(result: Result) -> list[tuple[str, int]]:
    return [(d.reason, d.repeats) for d in result.decisions]


# --- when ---


def test_a_step_on_a_minute_scales_out_at_250_s_and_in_970_s_after_its_end():
    result = walk((1200, 600), (1800, 0), lag_s=100.0)
    assert changes_of(result) == [(250.0, 1, 6), (1200.0 + 970.0, 6, 1)]
    # Ready and released are told apart from decided.
    assert (result.replicas[1:6, m.READY_S] == 350.0).all()
    assert (result.replicas[1:6, m.STOP_S] == 2170.0).all()


def test_a_scenario_on_counts_walks_the_same_clock():
    # 600 a minute at 0.2 s each against the derived target of 0.7 x 60 / 0.2 = 210: three.
    counts = CountSeries([600] * 20 + [0] * 30, bin_s=60.0)
    settings_of = {"service.kind": "fixed", "service.mean_s": 0.2, "cold_start.total_s": 100}
    scenario = with_values(with_values(default(), {"sweep": {}}), settings_of)
    rows = [
        (row["time_s"], row["from_replicas"], row["to_replicas"], row["ready_s"], row["released_s"])
        for row in replay(scenario, trace=counts).decisions
        if row["reason"] in ("ScaledOut", "ScaledIn")
    ]
    # SageMaker holds what was removed for 600 s more.
    assert rows == [(250.0, 1, 3, 350.0, None), (2170.0, 3, 1, None, 2770.0)]


@QUICK
@given(
    phase_s=st.floats(0.0, 60.0),
    # Whole multiples of the target: fewer would leave the low alarm on while the load lasts.
    per_minute=st.sampled_from([200.0, 600.0, 5000.0]),
    through_t0=st.booleans(),
)
def test_at_any_other_phase_out_within_190_to_310_s_and_in_within_910_to_1030_s(
    phase_s, per_minute, through_t0
):
    quiet_s = 0.0 if through_t0 else 600.0 + phase_s
    result = walk(
        (quiet_s, 0),
        (1800.0, per_minute),
        (1500.0, 0),
        t0_s=1.7e9 // 60 * 60 + phase_s if through_t0 else 0.0,
    )
    out, back = changes_of(result)
    assert 190.0 <= out[0] - quiet_s <= 310.0
    assert 910.0 <= back[0] - (quiet_s + 1800.0) <= 1030.0


def test_a_late_phase_delays_the_alarm_by_what_its_first_minute_lacks():
    # From 30 s past the minute at 1.5 times the target: the first, half minute does not breach.
    assert changes_of(walk((30, 0), (900, 150)))[0][0] == 30.0 + 280.0
    # At four times the target it does.
    assert changes_of(walk((30, 0), (900, 400)))[0][0] == 30.0 + 220.0
    # The origin of the trace on the wall clock does the same as a quiet start.
    assert changes_of(walk((900, 400), t0_s=30.0))[0][0] == 220.0


def test_high_resolution_scales_out_after_50_s_and_in_at_the_pace_of_minutes():
    high = {"metric": "concurrency_high_resolution", "target": 5.0}
    high |= {"period_s": 10.0, "publish_delay_s": 10.0}
    # 10 a second for 2 s each keep 20 in flight: four replicas of 5.
    result = walk((1200, 600), (1500, 0), service_s=2.0, **high)
    assert changes_of(result) == [(50.0, 1, 4), (1200.0 + 15 * 60.0 + 20.0, 4, 1)]


@pytest.mark.parametrize("t0_s", [0.0, 10.0, 35.0, 59.0])
def test_the_low_alarm_of_a_high_resolution_metric_keeps_to_minutes_of_the_wall_clock(t0_s):
    high = {"metric": "concurrency_high_resolution", "target": 5.0}
    high |= {"period_s": 10.0, "publish_delay_s": 10.0}
    result = walk((1000, 600), (1500, 0), service_s=2.0, t0_s=t0_s, **high)
    assert (changes_of(result)[-1][0] + t0_s) % 60.0 == 20.0


def test_actions_repeat_once_a_minute_while_in_alarm():
    result = walk((1200, 600), maximum=3)
    assert reasons_of(result) == [("ScaledOut", 1), ("AlreadyAtMaxCapacity", 15)]
    assert result.decisions[1].time_s == 310.0  # and 14 more minutes: 370, ..., 1,150 s


def test_high_resolution_actions_too_repeat_once_a_minute():
    high = {"metric": "concurrency_high_resolution", "target": 5.0, "maximum": 2}
    high |= {"period_s": 10.0, "publish_delay_s": 10.0}
    result = walk((645, 600), service_s=2.0, **high)
    assert reasons_of(result) == [("ScaledOut", 1), ("AlreadyAtMaxCapacity", 9)]
    assert result.decisions[1].time_s == 110.0  # then 170, ..., 590 s


def test_a_longer_metric_period_still_repeats_once_a_minute():
    result = walk((1200, 600), period_s=120.0, maximum=2)
    # Three periods of 120 s, published and judged 70 s later; then 490, ..., 1,150 s.
    assert changes_of(result) == [(430.0, 1, 2)]
    assert reasons_of(result)[1] == ("AlreadyAtMaxCapacity", 12)


def test_an_alarm_of_a_hundred_datapoints_remembers_them_all():
    result = walk((1200, 600), (8000, 0), low_datapoints=100)
    assert changes_of(result)[-1] == (1200.0 + 100 * 60.0 + 70.0, 6, 1)


def test_a_long_publish_delay_loses_no_datapoint():
    result = walk((7200, 600), publish_delay_s=4000.0, period_s=10.0)
    assert changes_of(result)[0] == (3 * 10.0 + 4000.0 + 10.0, 1, 6)


# --- what breaches ---


def test_comparisons_are_strict():
    assert walk((1800, TARGET)).decisions == ()
    assert changes_of(walk((1800, TARGET + 1)))[0] == (250.0, 1, 2)
    # The low threshold is 0.9 of the target: 180 requests a minute on two are equal to it.
    assert walk((3600, 180), initial=2).decisions == ()
    assert walk((3600, 178), initial=2).decisions != ()


def test_equal_stays_equal_after_a_fraction_of_a_request():
    # A seventh, then exactly the target on each of seven: rounding must not breach.
    result = walk((60, 1), (3600, 700), initial=7, low_datapoints=1000)
    assert result.decisions == ()


def test_the_metric_counts_per_minute_whatever_its_period():
    for period_s in (10.0, 20.0, 30.0, 120.0):
        assert walk((1800, TARGET), period_s=period_s).decisions == ()
        assert walk((3600, 180), initial=2, period_s=period_s).decisions == ()
        assert changes_of(walk((1800, 300), period_s=period_s))[0][1:] == (1, 3)


# --- how many ---


def test_the_published_arithmetic():
    assert capacity_for(10 * 150.0, 100.0) == 15
    assert capacity_for(11.5 * 100.0, 100.0) == 12  # from 10, +1.5 becomes +2
    assert capacity_for(8.5 * 100.0, 100.0) == 9  # from 10, -1.5 becomes -1
    assert capacity_for(0.0, 100.0) == 0


def test_ten_at_150_against_100_go_to_15():
    assert changes_of(walk((400, 1500), initial=10)) == [(250.0, 10, 15)]
    assert changes_of(walk((400, 1150), initial=10)) == [(250.0, 10, 12)]
    assert changes_of(walk((1000, 850), initial=10)) == [(970.0, 10, 9)]


@QUICK
@given(st.integers(0, 500), st.floats(0.01, 1e6))
def test_a_load_of_whole_replicas_needs_no_other(replicas, target):
    assert capacity_for(replicas * target, target) == replicas
    # Split over one replica less, each part as a float, and put together again.
    if replicas > 1:
        metric = replicas * target / (replicas - 1)
        assert capacity_for(metric * (replicas - 1), target) == replicas


def test_two_at_85_percent_of_the_target_never_shrink():
    result = walk((3600, 170), initial=2)
    assert changes_of(result) == []
    assert reasons_of(result) == [("AlreadyAtDesiredCapacity", 44)]  # 970, 1,030, ..., 3,550 s


def test_at_the_bounds():
    result = walk((1200, 600), initial=3, maximum=3)
    assert reasons_of(result) == [("AlreadyAtMaxCapacity", 16)]
    result = walk((1200, 10), initial=2, minimum=2)
    assert reasons_of(result) == [("AlreadyAtMinCapacity", 4)]
    assert changes_of(walk((1200, 10), initial=5, minimum=2)) == [(970.0, 5, 2)]


def test_replicas_ready_in_the_middle_of_a_minute_do_not_inflate_the_load():
    # The minute in which five more become ready has few invocations on six replicas and many on
    # one; counted on six alone it would look like three times the load there is.
    for lag_s in range(0, 120, 7):
        assert changes_of(walk((1800, 600), lag_s=float(lag_s))) == [(250.0, 1, 6)]


def test_capacity_on_its_way_is_credited_and_a_larger_need_passes_at_once():
    result = walk((300, 600), (900, 900), lag_s=600.0)
    assert changes_of(result) == [(250.0, 1, 6), (430.0, 6, 9)]
    assert ("AlreadyAtDesiredCapacity", 2) in reasons_of(result)


# --- what holds it back ---


def test_a_change_under_way_refuses_the_next_which_is_tried_again_a_minute_later():
    result = walk((300, 600), (1200, 900), lag_s=200.0, refuse_while_updating=True)
    assert changes_of(result) == [(250.0, 1, 6), (490.0, 6, 9)]
    # Refused at 310, 370 and 430 s; ready at 450 s.
    assert reasons_of(result)[1] == ("TargetServicePutResourceAsUnscalable", 3)


def busy_until(end_s: float, replicas: int, **changes) -> Result:
    """Every replica holds one request until `end_s`; 10 requests a minute queue behind. [s]"""
    at = np.concatenate([np.zeros(replicas), 1.0 + np.arange(400) * 6.0])
    service = np.concatenate([np.full(replicas, end_s), np.full(400, 0.01)])
    return simulate(
        policy(initial=replicas, scale_in_step_limit=1, **changes),
        [Work(0, at, service, service)],
        Limits(slots=1),
        draws=lambda first, count: (np.zeros(count), np.zeros(count)),
        horizon_s=2400.0,
    )


def test_a_removal_under_way_refuses_too():
    result = busy_until(1100.0, 3, refuse_while_updating=True, scale_in_cooldown_s=0.0)
    # The newest replica is taken out at 970 s and released at 1,100 s, when its request ends.
    assert changes_of(result) == [(970.0, 3, 2), (1150.0, 2, 1)]
    assert ("TargetServicePutResourceAsUnscalable", 2) in reasons_of(result)
    assert result.replicas[2, m.DRAIN_S :].tolist() == [970.0, 1100.0]
    # Where the platform refuses nothing, the cooldown still counts from the release.
    result = busy_until(1100.0, 3, scale_in_cooldown_s=0.0)
    assert changes_of(result) == [(970.0, 3, 2), (1150.0, 2, 1)]
    assert ("ScaleInCooldown", 2) in reasons_of(result)


def test_scale_in_cooldown_locks_scale_in_from_completion():
    result = walk((3600, 10), initial=4, scale_in_step_limit=1)
    assert changes_of(result) == [(970.0, 4, 3), (1270.0, 3, 2), (1570.0, 2, 1)]
    assert reasons_of(result)[1] == ("ScaleInCooldown", 4)  # 1,030 to 1,210 s


def test_scale_in_cooldown_starts_when_the_last_request_of_the_removed_has_ended():
    # Decided at 970 s, released at 1,028 s: locked until 1,328 s, and tried at 1,330 s.
    result = busy_until(1028.0, 3)
    assert changes_of(result)[:2] == [(970.0, 3, 2), (1330.0, 2, 1)]


def test_a_scale_out_runs_during_scale_in_cooldown_and_ends_it():
    result = walk(
        (1200, 10),
        (300, 1000),
        (1800, 10),
        initial=4,
        maximum=8,
        scale_in_step_limit=1,
        scale_in_cooldown_s=2400.0,
    )
    # In at 970 s, locked until 3,370 s; out at 1,450 s all the same; in again 970 s after the end.
    assert changes_of(result) == [(970.0, 4, 3), (1450.0, 3, 8), (2470.0, 8, 7)]


def test_without_scale_in_nothing_is_removed_and_nothing_is_said():
    result = walk((600, 600), (3600, 0), disable_scale_in=True)
    assert changes_of(result) == [(250.0, 1, 6)]
    assert all(d.reason != "ScaledIn" and d.time_s < 700.0 for d in result.decisions)


def test_too_few_datapoints_decide_nothing():
    assert walk((900, 0.5), initial=5).decisions == ()


@QUICK
@given(
    load=st.integers(0, 900),
    initial=st.integers(1, 12),
    limit=st.sampled_from([None, 1, 3]),
)
def test_a_removal_never_lifts_the_metric_above_the_target(load, initial, limit):
    # What the platform's guard against flapping asks for holds of every removal already.
    result = walk((4000, load), (60, 60), initial=initial, scale_in_step_limit=limit)
    for decision in result.decisions:
        if decision.reason == "ScaledIn":
            predicted = decision.metric * decision.from_replicas / decision.to_replicas
            assert predicted <= TARGET * (1 + 1e-9)
            assert decision.from_replicas - decision.to_replicas <= (limit or math.inf)
