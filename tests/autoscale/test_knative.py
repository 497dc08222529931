"""Knative's autoscaler with the clock walked by hand.

Expected instants follow from knative/serving: a sample each second, a decision each two, a stable
window of 60 s and a panic window of 6 s, and the two steps to zero.
"""

from __future__ import annotations

import numpy as np
import pytest
from fleets import arrivals, changes, policy_of, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale import knative_decider as decider
from modeler.autoscale import knative_scaler as scaler
from modeler.scenario import ScenarioError, default, with_values

QUICK = settings(max_examples=60, deadline=None, derandomize=True)

SPEC = decider.Spec(
    target=10.0,
    total=13.0,
    target_burst_capacity=100.0,
    panic_threshold=2.0,
    max_scale_up_rate=10.0,
    max_scale_down_rate=2.0,
    stable_window_s=60.0,
    delay_steps=0.0,
    tick_s=2.0,
    activation_scale=1.0,
    reachable=1.0,
)


def memory(spec: decider.Spec = SPEC, ready: float = 1.0) -> np.ndarray:
    state = np.zeros(decider.size_of(int(spec.delay_steps)))
    decider.created(state, 0, ready, 0.0)
    return state


# --- the replay ---


def test_a_request_at_zero_asks_at_once_and_waits_in_the_activator():
    result = walk(policy_of("knative_kpa"), np.array([100.3]), horizon_s=110.0, lag_s=7.0)
    assert changes(result) == [(100.3, 0, 1)]
    assert result.served == 1
    assert result.wait_sum_s == pytest.approx(7.0, abs=1e-9)


@pytest.mark.parametrize(
    ("settings_of", "gone_s"),
    [
        # Last sample above zero at 201 s, for the request of 200.05 s. At 260 s the window still
        # holds it, at 262 s it wants none: inactive. The activator has been in the path all along
        # (one pod of 100 against a burst of 211): the scaler comes back 3 s later.
        ({}, 265.0),
        # Out of the path until then: 30 s of grace from there.
        ({"target_burst_capacity": 0}, 292.0),
        ({"target_burst_capacity": 0, "scale_to_zero_grace_s": 41}, 303.0),
        ({"pod_retention_s": 90}, 352.0),
        ({"stable_window_s": 20, "panic_window_share": 0.3}, 225.0),
    ],
)
def test_a_lull_to_zero_takes_two_steps(settings_of, gone_s):
    at = np.arange(0.05, 200.1, 0.5)
    policy = policy_of("knative_kpa", initial=1, **settings_of)
    assert changes(walk(policy, at, horizon_s=400.0)) == [(gone_s, 1, 0)]


def test_zero_is_never_reached_where_it_is_switched_off_or_a_pod_must_stay():
    at = np.arange(0.0, 60.0, 0.5)
    kept = policy_of("knative_kpa", initial=1, enable_scale_to_zero=False)
    assert changes(walk(kept, at, horizon_s=600.0)) == []
    kept = policy_of("knative_kpa", minimum=1)
    assert changes(walk(kept, at, horizon_s=600.0)) == []


def test_a_burst_panics_within_two_seconds_and_nothing_is_taken_away_for_a_minute():
    # 30 requests in hand from 100 s on, for 10 s, against a target of 2: 100 a second, 0.3 s each.
    at = arrivals((100.0, 0.0), (10.0, 100.0))
    policy = policy_of(
        "knative_kpa", minimum=1, target=2, target_utilisation=1.0, max_scale_down_rate=100
    )
    got = changes(walk(policy, at, horizon_s=300.0, service_s=0.3))
    # Seconds of 100 .. 102 hold 25.65 (0.3 s of ramp) and 30 in hand, of a panic window of six:
    # ceil(55.65 / 6 / 2) = 5 pods against one: panic. Each tick adds a sixth of 60 over 2 until
    # ceil(30 / 2) = 15 at 106 s.
    assert got[:3] == [(102.0, 1, 5), (104.0, 5, 10), (106.0, 10, 15)]
    # It panics as long as twice the ready pods are wanted, last at 104 s (10 against 5), and ends
    # at the first tick more than 60 s later. 10 s of 30 are then still in the 60 s window, less
    # what has left it: seconds 107 .. 110 and the tail, 4 x 30 + 4.35 over 60 over 2, so 2 pods.
    assert got[3] == (166.0, 15, 2)


def test_a_fleet_of_several_starts_in_panic_and_keeps_its_pods_for_a_window():
    got = changes(walk(policy_of("knative_kpa", initial=4), np.array([0.5]), horizon_s=200.0))
    # Panic since the first sample at 1 s; the first tick more than 60 s later is 62 s. The request
    # has left the window by then, and the fleet is halved at each tick. At 66 s none is wanted;
    # one pod leaves the activator in the path, which it was not with four: since 64 s, when two
    # were left. Grace ends at 94 s.
    assert got == [(62.0, 4, 2), (64.0, 2, 1), (94.0, 1, 0)]


def test_the_fleet_shrinks_by_the_rate_at_most():
    # 40 pods for 80 in hand; then 2 in hand for ever. Halved at each tick, as pods go at once.
    at = arrivals((200.0, 400.0), (200.0, 10.0))
    policy = policy_of("knative_kpa", initial=40, target=2, target_utilisation=1.0)
    got = changes(walk(policy, at, horizon_s=390.0, service_s=0.2))
    for _, before, after in got:
        assert after >= before // 2
    assert got[-1][2] == 1


def test_a_scale_down_delay_keeps_the_most_of_its_window():
    at = arrivals((300.0, 100.0))
    plain = policy_of("knative_kpa", initial=1, target=10, target_utilisation=1.0)
    held = policy_of(
        "knative_kpa", initial=1, target=10, target_utilisation=1.0, scale_down_delay_s=120
    )
    down = changes(walk(plain, at, horizon_s=900.0, service_s=0.5))
    later = changes(walk(held, at, horizon_s=900.0, service_s=0.5))
    first = next(t for t, a, b in down if b < a)
    first_held = next(t for t, a, b in later if b < a)
    # The last larger count was of the tick before, and counts for 60 ticks.
    assert first_held == first - 2.0 + 120.0


def test_a_window_of_silence_ends_all_decisions():
    # At zero without requests nothing is sampled: after the flap the fleet stays as it was left.
    at = np.concatenate([[50.0], [1000.0]])
    got = changes(walk(policy_of("knative_kpa"), at, horizon_s=2000.0))
    assert [(before, after) for _, before, after in got] == [(0, 1), (1, 0), (0, 1), (1, 0)]
    assert got[0][0] == 50.0
    assert got[2][0] == 1000.0
    assert got[3][0] - got[2][0] == pytest.approx(got[1][0] - got[0][0], abs=2.0)


def test_requests_a_second():
    # 500 a second over 200 x 0.7 a pod: ceil(3.57) = 4; the service time plays no part.
    at = arrivals((100.0, 500.0))
    policy = policy_of("knative_kpa", initial=1, metric="rps")
    got = changes(walk(policy, at, horizon_s=100.0, service_s=0.001))
    assert got[-1][2] == 4


def test_activation_scale_lifts_what_is_not_zero():
    policy = policy_of("knative_kpa", activation_scale=3)
    got = changes(walk(policy, np.array([10.25]), horizon_s=300.0))
    assert got[0] == (10.25, 0, 3)
    assert got[-1][2] == 0


def test_a_new_revision_reaches_its_initial_scale_first():
    policy = policy_of("knative_kpa", initial=0, initial_scale=3, new_revision=True)
    got = changes(walk(policy, np.zeros(0), horizon_s=300.0, lag_s=20.0))
    assert got[0] == (2.0, 0, 3)
    assert got[-1][2] == 0
    assert (
        changes(walk(policy_of("knative_kpa", initial_scale=3), np.zeros(0), horizon_s=9.0)) == []
    )


def test_the_weighted_window_forgets_sooner():
    at = arrivals((300.0, 100.0))
    shared = {"initial": 1, "target": 10, "target_utilisation": 1.0}
    linear = changes(walk(policy_of("knative_kpa", **shared), at, horizon_s=400.0, service_s=0.5))
    weighted = policy_of("knative_kpa", aggregation="weighted-exponential", **shared)
    sooner = changes(walk(weighted, at, horizon_s=400.0, service_s=0.5))
    assert next(t for t, a, b in sooner if b < a) < next(t for t, a, b in linear if b < a)


@QUICK
@given(data=st.data())
def test_whatever_comes_the_bounds_hold_and_all_are_served(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = data.draw(st.integers(1, 100))
    at = np.cumsum(rng.exponential(0.5, n) * rng.choice([1.0, 1.0, 1.0, 200.0], n))
    minimum = data.draw(st.integers(0, 2))
    maximum = data.draw(st.integers(2, 6))
    policy = policy_of(
        "knative_kpa",
        minimum=minimum,
        maximum=maximum,
        target=data.draw(st.sampled_from([1, 3, 100])),
        scale_down_delay_s=data.draw(st.sampled_from([0, 9, 60])),
        stable_window_s=data.draw(st.sampled_from([6, 20, 60])),
        metric=data.draw(st.sampled_from(["concurrency", "rps"])),
        aggregation=data.draw(st.sampled_from(["linear", "weighted-exponential"])),
    )
    result = walk(
        policy,
        at,
        horizon_s=at[-1] + 400.0,
        service_s=rng.exponential(2.0, n),
        lag_s=rng.exponential(10.0, 5),
        slots=2,
        t0_s=data.draw(st.sampled_from([0.0, 0.25, 1.7e9 + 59.3])),
    )
    assert result.served == n
    assert all(minimum <= d.to_replicas <= maximum for d in result.decisions)
    # Each is over by the end: with the defaults of the rest all pods are gone where they may go.
    assert changes(result)[-1][2] == minimum if changes(result) else True


# --- one decision ---


@QUICK
@given(
    stable=st.floats(0.0, 1e4),
    panic=st.floats(0.0, 1e4),
    more=st.floats(0.0, 1e4),
    ready=st.integers(0, 300),
)
def test_one_decision_keeps_its_rates_and_never_falls_as_load_rises(stable, panic, more, ready):
    low = decider.scale(SPEC, memory(), 0, 5.0, float(ready), stable, panic)
    high = decider.scale(SPEC, memory(), 0, 5.0, float(ready), stable + more, panic + more)
    assert low <= high
    counted = max(ready, 1)
    assert counted // 2 <= low <= 10 * counted


def test_panic_ends_strictly_after_the_stable_window():
    state = memory()
    assert decider.scale(SPEC, state, 0, 0.0, 1.0, 10.0, 100.0) == 10.0
    assert decider.scale(SPEC, state, 0, 60.0, 10.0, 10.0, 10.0) == 10.0
    assert state[decider.PANICKING] == 1.0
    assert decider.scale(SPEC, state, 0, 62.0, 10.0, 10.0, 10.0) == 5.0
    assert state[decider.PANICKING] == 0.0


def test_excess_burst_capacity():
    for burst, expected in ((100.0, 2 * 13.0 - 100.0 - 7.5), (0.0, 0.0), (-1.0, -1.0)):
        spec = SPEC._replace(target_burst_capacity=burst)
        state = memory(spec)
        decider.scale(spec, state, 0, 0.0, 2.0, 7.5, 7.5)
        assert state[decider.EXCESS_BURST] == np.floor(expected)


def test_targets():
    # containerConcurrency, else the cluster's default; an annotation never above the first.
    assert decider.total_value(0.0, 100.0, None) == 100.0
    assert decider.total_value(8.0, 100.0, None) == 8.0
    assert decider.total_value(8.0, 100.0, 5.0) == 5.0
    assert decider.total_value(8.0, 100.0, 50.0) == 8.0
    assert decider.total_value(0.0, 100.0, 500.0) == 500.0
    assert decider.target_value(100.0, 0.7) == 70.0
    assert decider.target_value(0.01, 0.7) == 0.01
    assert [decider.panic_window_s(s, 0.1) for s in (60.0, 6.0, 25.0, 24.0)] == [6.0, 1.0, 3.0, 2.0]
    assert [decider.scrape_sample_size(n) for n in (0, 3, 4, 10, 100, 10_000)] == [
        0, 3, 4, 7, 14, 16,
    ]  # fmt: skip


def test_the_last_pod_of_an_inactive_revision():
    rules = scaler.Rules(0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 60.0, 30.0, 0.0, 630.0, 200.0)
    hold = scaler.INACTIVE
    assert scaler.right_size(rules, 0.0, hold, 29.0, 0.0, True) == (0.0, False)
    assert scaler.right_size(rules, 0.0, hold, 30.0, 0.0, True) == (0.0, True)
    assert scaler.right_size(rules, 0.0, hold, 1.0, 30.0, True) == (0.0, True)
    assert scaler.right_size(rules, 0.0, hold, 90.0, 90.0, False) == (0.0, False)
    always = rules._replace(target_burst_capacity=-1.0)
    assert scaler.right_size(always, 0.0, hold, 90.0, 90.0, False) == (0.0, True)
    retained = rules._replace(retention_s=600.0)
    assert scaler.right_size(retained, 0.0, hold, 599.0, 900.0, True) == (0.0, False)
    # Given up: longer than the deadline, no sooner.
    assert scaler.right_size(rules, 0.0, scaler.ACTIVATING, 630.0, 0.0, True) == (-1.0, False)
    assert scaler.right_size(rules, 0.0, scaler.ACTIVATING, 631.0, 0.0, True) == (0.0, True)


# --- the block ---


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("stable_window_s", "5s"),
        ("stable_window_s", "2h"),
        ("stable_window_s", 60.5),
        ("panic_threshold", 1.0),
        ("target", 0),
        ("max_scale_up_rate", 1),
        ("target_burst_capacity", -2),
        ("metric", "cpu"),
    ],
)
def test_what_the_platform_refuses_is_refused(key, value):
    on_kubernetes = {"hosting.kind": "eks_karpenter", "policy.kind": "knative_kpa"}
    base = with_values(default(), {"sweep": {}, **on_kubernetes})
    with pytest.raises(ScenarioError, match=f"policy.{key}"):
        with_values(base, {f"policy.{key}": value})
