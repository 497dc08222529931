"""Alarm states, steps, cooldowns and the arithmetic of AWS, rule by rule.

The tables of missing data are the vendor's own (CloudWatch user guide, alarms-and-missing-data);
`0` does not breach, `X` does, `-` is missing.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale import cloudwatch as cw
from modeler.autoscale import cooldown, lambda_scaling, predictive, proportional, steps
from modeler.autoscale.observation import (
    ANTICIPATED_FLAPPING,
    AT_DESIRED,
    AT_MAX,
    AT_MIN,
    SCALED_IN,
    SCALED_OUT,
    UNSCALABLE,
)
from modeler.autoscale.warm_pool import warm_pool_size

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
VALUES = {"0": 0.0, "X": 2.0, "-": np.nan}


def state(points: str, n: int, m: int, fill: str, before: str = "OK") -> str:
    values = np.array([VALUES[one] for one in points.replace(" ", "")])
    size = len(values)
    code = cw.alarm_state(
        values, 0, size, size, max(size, n), cw.GREATER, 1.0, n, m, cw.TREATMENTS[fill],
        cw.STATES.index(before),
    )  # fmt: skip
    return cw.STATES[code]


KEEP = "keep"
THREE_OF_THREE = {
    "0 - X - X": ("OK", "OK", "OK", "OK"),
    "0 - - - -": ("OK", "OK", "OK", "OK"),
    "- - - - -": ("INSUFFICIENT_DATA", KEEP, "ALARM", "OK"),
    "0 X X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "- - X - -": ("ALARM", KEEP, "ALARM", "OK"),
}
TWO_OF_THREE = {
    "0 - X - X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 0 X 0 X": ("ALARM", "ALARM", "ALARM", "ALARM"),
    "0 - X - -": ("OK", "OK", "ALARM", "OK"),
    "- - - - 0": ("OK", "OK", "ALARM", "OK"),
    "- - - X -": ("ALARM", KEEP, "ALARM", "OK"),
}


@pytest.mark.parametrize("before", cw.STATES)
@pytest.mark.parametrize(
    ("points", "needed", "expected"),
    [(p, 3, e) for p, e in THREE_OF_THREE.items()] + [(p, 2, e) for p, e in TWO_OF_THREE.items()],
)
def test_the_vendors_tables_of_missing_data(points, needed, expected, before):
    fills = ("missing", "ignore", "breaching", "notBreaching")
    for fill, wanted in zip(fills, expected, strict=True):
        assert state(points, 3, needed, fill, before) == (before if wanted == KEEP else wanted)


@pytest.mark.parametrize("points", ["- - - - X", "- - - X -"])
def test_a_young_breach_alone_does_not_raise_the_alarm(points):
    # Three must breach and the oldest is younger than that: the next may be fine.
    assert state(points, 3, 3, "missing", "OK") == "OK"
    assert state(points, 3, 3, "missing", "INSUFFICIENT_DATA") == "INSUFFICIENT_DATA"


def test_only_the_last_n_real_points_count():
    assert state("X X 0 0 0", 3, 2, "missing") == "OK"
    assert state("X X X 0 0", 3, 1, "missing") == "ALARM"


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [(">", False, False, True), (">=", False, True, True), ("<", True, False, False),
     ("<=", True, True, False)],
)  # fmt: skip
def test_strict_and_other_comparisons(comparison, below, equal, above):
    code = cw.COMPARISONS[comparison]
    for value, expected in ((9.99, below), (10.0, equal), (10.0 + 1e-12, equal), (10.01, above)):
        assert cw.breaches(value, code, 10.0) == expected
    assert cw.breaches(0.0, code, 0.0) == equal


@QUICK
@given(
    st.text(alphabet="0X-", min_size=1, max_size=12), st.integers(1, 8), st.integers(1, 8),
    st.sampled_from(sorted(cw.TREATMENTS)), st.integers(0, 11),
)  # fmt: skip
def test_one_more_breach_never_ends_an_alarm(points, n, m, fill, at):
    n, m = max(n, m), min(n, m)
    at %= len(points)
    if points[at] == "0" and state(points, n, m, fill) == "ALARM":
        assert state(points[:at] + "X" + points[at + 1 :], n, m, fill) == "ALARM"


def test_an_action_repeats_once_a_minute_and_starts_anew_after_an_end():
    memory = np.zeros(1)
    due = [t for t in range(0, 200, 10) if cw.action_due(memory, 0, True, float(t))]
    assert due == [0, 60, 120, 180]
    assert not cw.action_due(memory, 0, False, 190.0)
    assert cw.action_due(memory, 0, True, 191.0)


# --- steps ---


@pytest.mark.parametrize(
    ("raw", "carried_out"),
    [(12.7, 12), (0.67, 1), (-0.58, -1), (-6.67, -6), (0.0, 0), (3.0, 3), (-1.0, -1), (29.0, 29)],
)
def test_a_percentage_is_truncated_but_never_to_nothing(raw, carried_out):
    assert steps.truncated(raw) == carried_out


OUT = np.array([0.0, 10.0, 0.0, 10.0, 20.0, 10.0, 20.0, np.inf, 30.0])
IN = np.array([-10.0, 0.0, 0.0, -20.0, -10.0, -10.0, -np.inf, -20.0, -30.0])


@pytest.mark.parametrize(
    ("table", "breach", "capacity", "after"),
    [
        # The vendor's worked example: 10 % from a metric of 60 on, 30 % from 70 on.
        (OUT, 10.0, 10, 11), (OUT, 20.0, 11, 14), (OUT, 9.99, 10, 10), (OUT, 0.0, 10, 10),
        (OUT, -1.0, 10, 10), (IN, -10.0, 14, 13), (IN, -20.0, 13, 10), (IN, -9.99, 14, 14),
        (IN, 0.0, 14, 14),
    ],
)  # fmt: skip
def test_which_step_holds_a_breach(table, breach, capacity, after):
    assert steps.stepped(capacity, steps.PERCENT, table, 0, 3, breach, 0.0) == after


def test_the_end_of_a_step_below_is_the_threshold_itself():
    below = np.array([-np.inf, 0.0, -1.0])
    assert steps.step_of(below, 0, 1, 0.0) == 0
    assert steps.step_of(np.array([0.0, np.inf, 1.0]), 0, 1, 0.0) == 0


def test_a_small_percentage_is_raised_to_the_least_change():
    assert steps.adjusted(4.0, steps.PERCENT, 25.0, 2.0) == 6
    assert steps.adjusted(4.0, steps.PERCENT, -25.0, 2.0) == 2
    assert steps.adjusted(100.0, steps.PERCENT, 25.0, 2.0) == 125
    assert steps.adjusted(4.0, steps.PERCENT, 0.0, 2.0) == 4
    assert steps.adjusted(4.0, steps.CHANGE, 1.0, 2.0) == 5  # of a percentage alone
    assert steps.adjusted(4.0, steps.EXACT, 9.0, 0.0) == 9


# --- targets ---


@pytest.mark.parametrize(("exact", "change"), [(1.5, 2), (-1.5, -1), (2.0, 2), (-0.4, 0), (0.1, 1)])
def test_additions_round_up_and_removals_down(exact, change):
    assert proportional.rounded_change(exact) == change


def test_what_becomes_of_a_proposal():
    assert proportional.out_outcome(5, 9, 5, False) == AT_MAX
    assert proportional.out_outcome(5, 9, 8, True) == UNSCALABLE
    assert proportional.out_outcome(5, 5, 8, False) == AT_DESIRED
    assert proportional.out_outcome(5, 9, 8, False) == SCALED_OUT
    assert proportional.in_outcome(1, 0, 1, False) == AT_MIN
    assert proportional.in_outcome(5, 2, 1, True) == UNSCALABLE
    assert proportional.in_outcome(5, 2, 1, False) == SCALED_IN
    # 2 replicas at 60 against 100: on one the metric would be 120.
    assert proportional.guarded(SCALED_IN, True, 120.0, 100.0, 1.0) == ANTICIPATED_FLAPPING
    assert proportional.guarded(SCALED_IN, False, 120.0, 100.0, 1.0) == SCALED_IN
    assert proportional.guarded(SCALED_IN, True, 100.0, 100.0, 1.0) == SCALED_IN


@QUICK
@given(st.integers(1, 300), st.floats(0.01, 1e4), st.floats(0.01, 1e4))
def test_a_proportional_removal_never_flaps_and_more_load_never_asks_for_less(n, metric, target):
    load = n * metric
    wanted = proportional.capacity_for(load, target)
    assert not proportional.flaps(load, target, wanted)
    assert proportional.capacity_for(load * 1.1, target) >= wanted


# --- cooldowns ---


def test_credit_lasts_until_the_cooldown_after_completion_and_chains():
    memory = np.zeros(cooldown.SIZE)
    cooldown.scaled_out(memory, 10.0, 4.0, 300.0)
    assert cooldown.base_of(memory, 1e9, 6.0) == 4.0  # while it runs
    cooldown.complete(memory, 100.0, 100.0)
    assert cooldown.base_of(memory, 399.0, 6.0) == 4.0
    cooldown.scaled_out(memory, 399.0, 6.0, 300.0)
    cooldown.complete(memory, 420.0, 420.0)
    assert cooldown.base_of(memory, 719.0, 7.0) == 4.0
    assert cooldown.base_of(memory, 720.0, 7.0) == 7.0


def test_the_lock_on_removals_counts_from_completion_and_ends_with_an_addition():
    memory = np.zeros(cooldown.SIZE)
    assert not cooldown.locked(memory, 5.0)
    cooldown.scaled_in(memory, 300.0)
    assert cooldown.locked(memory, 1e9)
    cooldown.complete(memory, 50.0, np.inf)  # still under way
    assert cooldown.locked(memory, 1e9)
    cooldown.complete(memory, 50.0, 40.0)
    assert cooldown.locked(memory, 339.0)
    assert not cooldown.locked(memory, 340.0)
    cooldown.scaled_out(memory, 100.0, 3.0, 300.0)
    assert not cooldown.locked(memory, 101.0)


# --- pools, forecasts, Lambda ---


@pytest.mark.parametrize(
    ("desired", "maximum", "prepared", "least", "size"),
    [(6, 10, -1, 0, 4), (6, 10, 8, 0, 2), (6, 10, 6, 0, 0), (9, 10, -1, 3, 3), (12, 10, -1, 0, 0)],
)
def test_warm_pool_size(desired, maximum, prepared, least, size):
    assert warm_pool_size(desired, maximum, prepared, least) == size


def test_how_far_a_forecast_may_go():
    assert predictive.effective_maximum(50.0, 40.0, True, 10.0) == 55
    assert predictive.effective_maximum(50.0, 40.0, True, 0.0) == 50
    assert predictive.effective_maximum(50.0, 40.0, False, 10.0) == 40
    assert predictive.effective_maximum(20.0, 40.0, True, 10.0) == 40
    assert predictive.combined(12.0, 9.0) == 12
    assert predictive.combined(9.0, 12.0) == 12


def test_the_law_of_the_forecast_prefers_the_same_hour_of_the_week():
    hours = np.full(predictive.USED, np.nan)
    for hour in range(72):
        hours[hour] = hour % 24
    assert predictive.forecast_load(hours, 0, 71, 72 + 5) == 5.0
    assert predictive.forecast_load(hours, 0, 71, 72 + 24 + 5) == 5.0
    hours[5] = 100.0  # hour 173 is a week after hour 5
    assert predictive.forecast_load(hours, 0, 71, 5 + predictive.WEEK) == 100.0
    assert np.isnan(predictive.forecast_load(np.full(predictive.USED, np.nan), 0, 71, 72))


def test_lambda_starts_3500_in_25_seconds_or_in_three_windows():
    bucket, window = lambda_scaling.BUCKET, lambda_scaling.WINDOW
    assert lambda_scaling.time_to_start(bucket, 1000.0, 100.0, 3500.0) == 25.0
    assert lambda_scaling.time_to_start(window, 1000.0, 100.0, 3500.0) == 30.0
    assert lambda_scaling.startable(bucket, 1000.0, 100.0, 25.0) == 3500.0
    assert lambda_scaling.startable(window, 1000.0, 100.0, 10.0) == 1000.0
    assert lambda_scaling.startable(window, 1000.0, 100.0, 10.5) == 2000.0
    assert lambda_scaling.concurrency_limit(1000.0, -1.0, 300.0) == 700.0
    assert lambda_scaling.concurrency_limit(1000.0, 50.0, 300.0) == 50.0
    assert lambda_scaling.throttled(20.0, 20.0, 1.0) == 1.0
    assert lambda_scaling.spill(5.0, 8.0) == 3.0


@QUICK
@given(st.floats(0.0, 5e3), st.floats(0.0, 300.0), st.sampled_from([1, 2]))
def test_what_may_be_started_is_consistent_with_how_long_it_takes(wanted, seconds, reading):
    long = lambda_scaling.time_to_start(reading, 1000.0, 100.0, wanted)
    # A window's starts are there as it opens, which counts from just after its beginning.
    assert lambda_scaling.startable(reading, 1000.0, 100.0, long + 1e-6) >= wanted - 1e-3
    more = lambda_scaling.startable(reading, 1000.0, 100.0, seconds + 1.0)
    assert more >= lambda_scaling.startable(reading, 1000.0, 100.0, seconds)
