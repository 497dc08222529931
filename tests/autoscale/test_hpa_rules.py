"""The arithmetic of the HPA controller, by hand.

Expected numbers follow from kubernetes/kubernetes, pkg/controller/podautoscaler (read 2026-09);
they are whole replicas, so that every comparison is exact.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale import hpa_limits as limits
from modeler.autoscale.hpa_replicas import (
    FAILED,
    GONE,
    IGNORED,
    MISSING,
    READY,
    RUNNING,
    STRANGER,
    average_replicas,
    average_value_replicas,
    classify,
    combined,
    utilisation_replicas,
    value_replicas,
    within,
)

QUICK = settings(max_examples=80, deadline=None, derandomize=True)
DOWN = UP = 0.1


def utilisation(rows, current, target):
    pods = np.array(rows, dtype=np.float64).ravel()
    return utilisation_replicas(pods, 0, len(rows), float(current), float(target), DOWN, UP)


def average(rows, current, target):
    pods = np.array([(n, v, math.nan, c) for n, v, c in rows]).ravel()
    return average_replicas(pods, 0, len(rows), float(current), float(target), DOWN, UP)


# --- one metric ---


def test_utilisation_is_truncated_to_whole_percent():
    # 55.99 % of the request is 55 %: exactly 10 % above 50, so nothing happens.
    assert utilisation([(1, 5599, 10000, READY)], 1, 50)[:2] == (1.0, 55.0)
    assert utilisation([(1, 5600, 10000, READY)], 1, 50)[:2] == (2.0, 56.0)


def test_an_average_is_truncated_to_whole_milli_units():
    # 5 and 6 over two pods: 5, exactly on a target of 5.
    assert average([(1, 5, READY), (1, 6, READY)], 2, 5) == (2.0, 5.0)


def test_the_multiplier_is_the_pods_seen_and_not_the_replicas_asked_for():
    # Two pods of five report above the target; the answer shrinks the deployment.
    assert utilisation([(2, 600, 1000, READY)], 5, 50)[0] == 3.0


def test_tolerance_includes_both_ends():
    assert within(1.1, 0.1, 0.1)
    assert within(0.9, 0.1, 0.1)
    assert not within(1.1000000000000003, 0.1, 0.1)
    assert within(1.0, 0.0, 0.0)
    assert not within(1.2, 0.3, 0.1)
    assert within(0.8, 0.3, 0.1)


def test_missing_pods_are_full_on_the_way_down_and_empty_on_the_way_up():
    # 20 % on one of two, target 50: with the other at 100 % it is 60 %, which turns the direction.
    assert utilisation([(1, 200, 1000, READY), (1, math.nan, 1000, MISSING)], 2, 50)[0] == 2.0
    # Above a target of 100 % they are filled in at the target.
    rows = [(1, 500, 1000, READY), (1, math.nan, 1000, MISSING)]
    assert utilisation(rows, 2, 200)[0] == 2.0  # (500 + 2000) / 2000 = 125 % of 200: 1.25 -> 2
    # 160 % on one, nothing on the other: 80 % of 50 is 1.6, of two pods.
    assert utilisation([(1, 1600, 1000, READY), (1, math.nan, 1000, MISSING)], 2, 50)[0] == 4.0


def test_ignored_pods_count_only_on_the_way_up_and_as_empty():
    rows = [(1, 900, 1000, READY), (2, 0, 1000, IGNORED)]
    assert utilisation(rows, 3, 30)[:2] == (3.0, 90.0)  # 30 % over three
    assert utilisation([(1, 100, 1000, READY), (2, 0, 1000, IGNORED)], 3, 30)[0] == 1.0


def test_gone_pods_need_a_request_and_strangers_count_only_as_samples():
    assert utilisation([(1, 900, 1000, READY), (1, 900, math.nan, GONE)], 2, 30)[0] == FAILED
    assert utilisation([(1, 900, 1000, READY), (1, 900, 1000, GONE)], 2, 30)[0] == 3.0
    assert (
        utilisation([(1, math.nan, 1000, MISSING), (1, 200, math.nan, STRANGER)], 1, 100)[0]
        == FAILED
    )
    assert average([(1, 10, STRANGER)], 1, 5)[0] == FAILED
    assert average([(1, math.nan, MISSING)], 1, 5)[0] == FAILED


def test_growing_the_count_of_pods_must_not_turn_the_direction():
    # 10 % on two of three seen, target 50, two replicas: filled in 40 % -> 3 pods, above current.
    rows = [(2, 100, 1000, READY), (1, math.nan, 1000, MISSING)]
    assert utilisation(rows, 2, 50)[0] == 2.0


def test_object_and_external_values():
    assert value_replicas(20000.0, 15000.0, 3.0, 3.0, DOWN, UP) == 4.0
    assert value_replicas(16000.0, 15000.0, 3.0, 3.0, DOWN, UP) == 3.0
    assert value_replicas(16000.0, 15000.0, 0.0, 0.0, DOWN, UP) == 2.0  # no tolerance from zero
    assert value_replicas(20000.0, 15000.0, 3.0, -1.0, DOWN, UP) == FAILED  # no pod at all
    assert average_value_replicas(6000.0, 2000.0, 5.0, DOWN, UP) == (3.0, 1200.0)
    assert average_value_replicas(8600.0, 2867.0, 5.0, DOWN, UP) == (3.0, 1720.0)
    assert average_value_replicas(0.0, 2867.0, 0.0, DOWN, UP) == (0.0, 0.0)
    assert average_value_replicas(1.0, 2867.0, 0.0, DOWN, UP) == (1.0, 0.0)


def test_several_metrics():
    assert combined(5.0, 0.0, 2.0, 3.0) == 5.0
    assert combined(2.0, 1.0, 2.0, 3.0) == FAILED  # one failed, the other would shrink
    assert combined(5.0, 1.0, 2.0, 3.0) == 5.0
    assert combined(-1.0, 2.0, 2.0, 3.0) == FAILED


@QUICK
@given(
    ready=st.integers(1, 50),
    value=st.integers(0, 5000),
    missing=st.integers(0, 10),
    ignored=st.integers(0, 10),
    target=st.integers(1, 150),
)
def test_more_load_never_asks_for_less(ready, value, missing, ignored, target):
    current = float(ready + missing + ignored)

    def asked(usage):
        rows = [
            (ready, usage, 1000, READY),
            (missing, math.nan, 1000, MISSING),
            (ignored, 0, 1000, IGNORED),
        ]
        return utilisation(rows, current, target)[0]

    assert asked(value) <= asked(value + 500)


# --- one pod ---


@pytest.mark.parametrize(
    ("start_s", "ready", "changed_s", "sample_s", "expected"),
    [
        (0.0, math.nan, math.nan, math.nan, IGNORED),  # no readiness yet
        (math.nan, 1.0, 1.0, math.nan, IGNORED),  # not started
        (60.0, 1.0, 40.0, 5.0, READY),  # 30 s of sample, 5 s old, all after readiness
        (60.0, 1.0, 34.0, 5.0, IGNORED),  # a second short of that
        (60.0, 0.0, 50.0, 5.0, IGNORED),
        (300.0, 1.0, 0.0, 60.0, READY),  # the period of 300 s is over
        (600.0, 0.0, 571.0, math.nan, IGNORED),  # unready since within 30 s of its start
        (600.0, 0.0, 570.0, math.nan, READY),  # it was ready once
    ],
)
def test_readiness_counts_for_the_cpu(start_s, ready, changed_s, sample_s, expected):
    got = classify(RUNNING, True, True, start_s, ready, changed_s, sample_s, 30.0, 300.0, 30.0)
    assert got == expected
    # No other metric looks at it.
    assert (
        classify(RUNNING, True, False, start_s, ready, changed_s, sample_s, 30.0, 300.0, 30.0)
        == READY
    )


# --- limits ---

NO_EVENTS = limits.Events(0, 0, 0, 0)


def limit(up, current, select, *rates, events=NO_EVENTS, history=()):
    rules = np.array(limits.pack_rules(limits.Rules(select, rates, 0.0)))
    return limits.behavior_limit(up, current, rules, 0, np.array([*history, 0.0]), events, 0.0)


def test_ten_percent_of_a_hundred_is_eleven_in_doubles():
    assert limit(True, 100.0, "max", ("percent", 10.0, 60.0)) == 111.0
    assert limit(False, 100.0, "max", ("percent", 10.0, 60.0)) == 90.0


def test_select_policy():
    rates = (("pods", 4.0, 60.0), ("percent", 50.0, 60.0))
    assert limit(True, 20.0, "max", *rates) == 30.0
    assert limit(True, 20.0, "min", *rates) == 24.0
    assert limit(True, 20.0, "disabled", *rates) == 20.0
    assert limit(False, 20.0, "max", *rates) == 10.0
    assert limit(False, 20.0, "min", *rates) == 16.0
    assert limit(False, 5.0, "max", ("percent", 50.0, 60.0)) == 2.0  # 2.5, truncated


def test_the_period_starts_from_what_both_lists_of_events_say():
    # Two added 59 s ago count, three added 60 s ago do not; one removed 10 s ago is put back.
    history = [2.0, -59.0, 3.0, -60.0, 1.0, -10.0]
    events = limits.Events(0, 2, 4, 1)
    got = limit(True, 10.0, "max", ("pods", 4.0, 60.0), events=events, history=history)
    assert got == 10.0 - 2.0 + 1.0 + 4.0


def test_one_replica_reaches_four_without_a_behavior_and_five_with_the_default_one():
    assert limits.legacy_limited(1.0, 100.0, 1.0, 50.0) == (4.0, limits.BY_UP_LIMIT)
    rules = np.array(limits.pack_rules(limits.UP_RULES) + limits.pack_rules(limits.DOWN_RULES))
    at = len(limits.pack_rules(limits.UP_RULES))
    got = limits.behavior_limited(1.0, 100.0, 1.0, 50.0, rules, 0, at, np.zeros(1), NO_EVENTS, 0.0)
    assert got == (5.0, limits.BY_UP_LIMIT)


def test_outside_of_the_bounds_no_metric_is_asked():
    assert limits.outside(0.0, 1.0, 5.0) == (0.0, True)
    assert limits.outside(0.0, 0.0, 5.0) == (0.0, False)
    assert limits.outside(6.0, 1.0, 5.0) == (5.0, True)
    assert limits.outside(1.0, 2.0, 5.0) == (2.0, True)
    assert limits.outside(3.0, 2.0, 5.0) == (3.0, False)


def test_a_rising_recommendation_cannot_shrink_nor_a_falling_one_grow():
    history = np.array([2.0, -6000.0, 1.0, -180.0])
    low = limits.lowest(history, 0, 2, 300.0, 3.0, 0.0)
    high = limits.highest(history, 0, 2, 300.0, 3.0, 0.0)
    assert (low, high) == (1.0, 3.0)
    assert limits.between(2.0, low, high) == 2.0
    # A recommendation exactly as old as the window is out.
    assert limits.highest(np.array([9.0, -300.0]), 0, 1, 300.0, 3.0, 0.0) == 3.0


def test_an_outdated_event_gives_its_place_to_the_next():
    history = np.zeros(10)
    n = int(limits.store_event(history, 0, 0, 15.0, 2.0, 0.0))
    n = int(limits.store_event(history, 0, n, 15.0, 3.0, 15.0))
    assert (n, history[:4].tolist()) == (2, [2.0, 0.0, 3.0, 15.0])  # 15 s old: not yet outdated
    n = int(limits.store_event(history, 0, n, 15.0, 4.0, 30.0))
    assert (n, history[:4].tolist()) == (2, [4.0, 30.0, 3.0, 15.0])


@QUICK
@given(
    current=st.integers(1, 200),
    wanted=st.integers(0, 2000),
    below=st.integers(0, 50),
    above=st.integers(0, 300),
    pods=st.integers(1, 50),
    percent=st.integers(1, 900),
    select=st.sampled_from(["max", "min", "disabled"]),
    added=st.integers(0, 50),
    removed=st.integers(0, 50),
)
def test_rates_and_bounds_are_never_exceeded(
    current, wanted, below, above, pods, percent, select, added, removed
):
    # Current replicas lie within the bounds: `outside` comes first.
    least, most = max(current - below, 0), current + above
    rules = limits.Rules(select, (("pods", pods, 60.0), ("percent", percent, 60.0)), 0.0)
    packed = limits.pack_rules(rules)
    history = np.array([added, -10.0, removed, -20.0], dtype=np.float64)
    replicas, _ = limits.behavior_limited(
        float(current), float(wanted), float(least), float(most),
        np.array(packed * 2), 0, len(packed), history, limits.Events(0, 1, 2, 1), 0.0,
    )  # fmt: skip
    start = current - added + removed
    assert least <= replicas <= most
    assert min(current, wanted) <= replicas <= max(current, wanted, least)
    if wanted > current:
        fastest = max(start + pods, math.ceil(start * (1 + percent / 100)))
        assert replicas <= max(fastest, current)
    if select == "disabled":
        assert replicas == current
    legacy, _ = limits.legacy_limited(float(current), float(wanted), float(least), float(most))
    assert least <= legacy <= min(most, max(2 * current, 4))
