"""KEDA with the clock walked by hand: idle, the first replicas, the HPA behind them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale import keda
from modeler.autoscale.context import Context
from modeler.autoscale.keda_rules import STRATEGIES, activation_step, new_jobs
from modeler.replay import Limits, Result, Work, simulate
from modeler.scenario import ScenarioError, loads
from modeler.scenario.policy import Keda
from modeler.scenario.policy.keda import KedaTrigger

QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def context(minimum=0, maximum=20, initial=None, slots=1):
    return Context("eks_karpenter", minimum, maximum, initial, slots, 1.0)


def walk(block: Keda, at, *, service_s=1.0, horizon_s=1000.0, lag_s=0.0, **of) -> Result:
    at = np.sort(np.asarray(at, dtype=np.float64))
    service = np.full(len(at), service_s)
    return simulate(
        keda.from_block(block, context(**of)),
        [Work(0, at, service, service)],
        Limits(slots=of.get("slots", 1)),
        draws=lambda first, count: (np.zeros(count), np.full(count, lag_s)),
        horizon_s=horizon_s,
    )


def changes_of(result: Result) -> list[tuple[float, int, int]]:
    return [
        (d.time_s, d.from_replicas, d.to_replicas)
        for d in result.decisions
        if d.from_replicas != d.to_replicas
    ]


# --- the replay ---


def test_a_request_waits_for_the_next_poll_and_idle_comes_a_cooldown_after_the_last_active_one():
    # Arrives at 61 s, seen at 90 s; served until 100 s. The poll at 390 s is exactly 300 s after
    # the last active one, which is not yet over: 420 s.
    result = walk(Keda(target=5), [61.0], service_s=10.0)
    assert changes_of(result) == [(90.0, 0, 1), (420.0, 1, 0)]


def test_a_burst_between_two_polls_is_invisible():
    result = walk(Keda(target=5), [31.0, 32.0, 33.0], minimum=0, initial=1, horizon_s=70.0)
    # Never active, and with no such record the initial cooldown of nothing is over at once.
    assert changes_of(result) == [(30.0, 1, 0), (60.0, 0, 1)]
    seen = walk(
        Keda(target=5, initial_cooldown_s=100), [31.0, 32.0, 33.0], initial=1, horizon_s=200.0
    )
    assert changes_of(seen) == [(120.0, 1, 0)]


def test_the_activation_threshold_is_strict():
    at = [1.0, 2.0, 3.0]
    kept = walk(Keda(metric="queue_length", target=5, activation_target=3), at, horizon_s=100.0)
    assert changes_of(kept) == []
    woken = walk(Keda(metric="queue_length", target=5, activation_target=2), at, horizon_s=100.0)
    assert changes_of(woken)[0] == (30.0, 0, 1)


def test_from_one_on_the_hpa_decides_at_its_own_pace():
    # 20 long requests, 5 a replica. The poll at 30 s wakes one replica, the sync of the same
    # instant asks for four, which the doubling limit of max(2, 4) lets through.
    result = walk(Keda(target=5), np.full(20, 1.0), service_s=5000.0, slots=5, horizon_s=400.0)
    assert changes_of(result) == [(30.0, 0, 1), (30.0, 1, 4)]
    # A longer polling interval does not slow it.
    late = walk(
        Keda(target=5, polling_interval_s=120), np.full(20, 1.0), service_s=5000.0, slots=5,
        horizon_s=400.0,
    )  # fmt: skip
    assert changes_of(late) == [(120.0, 0, 1), (120.0, 1, 4)]


def test_cached_metrics_are_as_old_as_the_last_poll():
    at = [1.0, *np.full(19, 31.0)]
    of = {"service_s": 5000.0, "slots": 5, "horizon_s": 400.0}
    live = walk(Keda(target=5), at, **of)
    assert changes_of(live) == [(30.0, 0, 1), (45.0, 1, 4)]
    cached = walk(Keda(target=5, use_cached_metrics=True), at, **of)
    assert changes_of(cached) == [(30.0, 0, 1), (60.0, 1, 4)]


def test_idle_replicas_and_the_minimum():
    # Two idle ones, at least four when active.
    result = walk(
        Keda(target=5, idle_replicas=2), [61.0], service_s=10.0, minimum=4, initial=4,
        horizon_s=500.0,
    )  # fmt: skip
    # The HPA knows nothing of the idle ones and asks for its minimum at the next sync.
    assert changes_of(result)[0] == (30.0, 4, 2)
    assert changes_of(result)[1] == (30.0, 2, 4)


def test_with_a_minimum_of_one_the_cooldown_has_no_effect():
    for cooldown_s in (0.0, 900.0):
        result = walk(
            Keda(target=1, cooldown_s=cooldown_s, downscale_stabilization_s=60),
            np.full(4, 1.0), service_s=100.0, minimum=1, slots=1, horizon_s=600.0,
        )  # fmt: skip
        # The first is served at 101 s, the others at 115 s; the last recommendations of four and
        # of three are of 90 and 105 s.
        assert changes_of(result) == [(15.0, 1, 4), (150.0, 4, 3), (165.0, 3, 1)]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (Keda(target=5, pause_scale_out=True), []),
        (Keda(target=5, pause_scale_in=True), [(30.0, 0, 1)]),
        (Keda(target=5, paused=True), []),
        (Keda(target=5, paused_replicas=3), [(15.0, 0, 3)]),
        (Keda(target=5, force_activation=True), [(30.0, 0, 1)]),
    ],
)
def test_annotations(block, expected):
    result = walk(block, [1.0, 29.0], service_s=3.0, horizon_s=900.0)
    assert changes_of(result)[: max(len(expected), 1)] == expected
    assert len(changes_of(result)) == len(expected)


def test_a_fallback_stands_in_for_metrics_that_cannot_be_read():
    of = {"service_s": 5000.0, "slots": 5, "horizon_s": 400.0, "minimum": 1}
    outage = {"target": 5, "outage_from_s": 100, "outage_s": 200}
    at = np.full(10, 1.0)
    assert changes_of(walk(Keda(**outage), at, **of)) == [(15.0, 1, 2)]
    # Reads at 105, 120 and 135 s fail; the fourth failure is more than the threshold of three.
    back = walk(Keda(fallback_replicas=6, **outage), at, **of)
    assert changes_of(back)[:3] == [(15.0, 1, 2), (150.0, 2, 4), (165.0, 4, 6)]
    kept = Keda(fallback_replicas=6, fallback_behavior="current_replicas", **outage)
    assert changes_of(walk(kept, at, **of)) == [(15.0, 1, 2)]


def test_any_trigger_activates_and_the_largest_counts():
    triggers = (
        KedaTrigger(metric="requests_per_second", target=100, activation_target=1000),
        KedaTrigger(metric="concurrency", target=4),
    )
    at = np.full(16, 1.0)
    result = walk(Keda(triggers=triggers), at, service_s=5000.0, slots=4, horizon_s=100.0)
    assert changes_of(result) == [(30.0, 0, 1), (30.0, 1, 4)]


@QUICK
@given(
    at=st.lists(st.floats(0.0, 900.0), min_size=1, max_size=60),
    minimum=st.integers(0, 3),
    more=st.integers(0, 8),
    lag_s=st.floats(0.0, 100.0),
    poll_s=st.sampled_from([5.0, 30.0, 60.0]),
    cached=st.booleans(),
)
def test_bounds_hold_and_everyone_is_served(at, minimum, more, lag_s, poll_s, cached):
    most = max(minimum + more, 1)
    block = Keda(target=2, polling_interval_s=poll_s, use_cached_metrics=cached)
    result = walk(block, at, minimum=minimum, maximum=most, lag_s=lag_s, service_s=3.0)
    assert all(minimum <= d.to_replicas <= most for d in result.decisions)
    assert result.served == len(at)
    for decision in result.decisions:
        if decision.to_replicas == 0 and decision.from_replicas > 0:
            assert decision.time_s % poll_s == 0.0


# --- the rules ---


def step(current, active=False, error=False, minimum=0, idle=None, fallback=None, **of):
    no = math.nan
    return activation_step(
        float(current), active, error, float(minimum), no if idle is None else float(idle),
        no if fallback is None else float(fallback), of.get("pause_in", False),
        of.get("pause_out", False), of.get("since", no), 300.0, of.get("created", 1e5),
        of.get("initial", 0.0),
    )  # fmt: skip


def test_the_step():
    assert step(0, active=True) == (1.0, True, False)
    assert step(0, active=True, minimum=3) == (3.0, True, False)
    assert step(2, active=True, minimum=5) == (2.0, True, False)  # the HPA's to raise
    assert step(2, active=True, minimum=5, idle=0) == (5.0, True, False)
    assert step(2, active=True, error=True) == (2.0, False, False)  # not renewed
    assert step(10) == (0.0, False, False)
    assert step(10, since=300.0) == (10.0, False, True)
    assert step(10, since=301.0) == (0.0, False, False)
    assert step(10, created=50.0, initial=60.0) == (10.0, False, True)
    assert step(10, minimum=5, idle=2) == (2.0, False, False)
    assert step(10, minimum=5) == (10.0, False, False)
    assert step(1, minimum=5) == (5.0, False, False)
    assert step(1, minimum=5, idle=1) == (1.0, False, False)
    assert step(10, error=True) == (10.0, False, False)
    assert step(10, error=True, fallback=4) == (10.0, False, False)
    assert step(10, error=True, fallback=0) == (0.0, False, False)
    assert step(10, pause_in=True) == (10.0, False, False)
    assert step(0, active=True, pause_out=True) == (0.0, False, False)


def jobs(strategy, wanted, running, pending, most, scale_to=1, **of):
    return new_jobs(
        STRATEGIES[strategy], float(wanted), float(running), float(pending), float(most),
        float(of.get("minimum", 0)), float(scale_to), float(of.get("deduction", 0)),
        of.get("share", math.nan),
    )  # fmt: skip


def test_the_strategies_of_a_scaled_job():
    assert jobs("default", 3, 2, 0, 5) == (1.0, 1.0)
    assert jobs("custom", 10, 0, 0, 10, deduction=1, share=0.5) == (9.0, 1.0)
    assert jobs("custom", 3, 3, 0, 5, deduction=0, share=0.5) == (2.0, 1.0)  # 1.5 truncated
    assert jobs("custom", 3, 2, 0, 5, deduction=1) == (1.0, 1.0)  # no share: the default one
    assert jobs("accurate", 5, 4, 2, 5) == (1.0, 1.0)
    assert jobs("accurate", 3, 4, 2, 10) == (1.0, 1.0)
    assert jobs("eager", 4, 7, 0, 10) == (3.0, 10.0)
    assert jobs("eager", 15, 0, 0, 10) == (10.0, 10.0)
    assert jobs("default", 0, 1, 0, 100, minimum=3) == (2.0, 2.0)
    assert jobs("default", 2, 1, 0, 100, scale_to=2, minimum=1) == (2.0, 2.0)
    assert jobs("default", 1, 4, 0, 100) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fleet: {min: 1}\npolicy: {kind: keda, idle_replicas: 1}", "not less than fleet.min = 1"),
        ("fleet: {min: 0}\npolicy: {kind: keda, metric: cpu_utilisation}", "cannot leave zero"),
        ("policy: {kind: keda, fallback_replicas: 90}", "more than fleet.max = 20"),
        ("policy: {kind: keda, metric_type: utilisation}", "expected one of average_value, value"),
        ("policy: {kind: keda, triggers: [{metric: sqs}]}", "'sqs' is not one of queue_length"),
        ("policy: {kind: keda, target: 2, triggers: [{}]}", "target beside triggers"),
        ("policy: {kind: keda, target: 0}", "policy.target: 0 is not more than 0"),
    ],
)
def test_bad_settings_are_told(text, message):
    with pytest.raises(ScenarioError) as caught:
        loads(f"hosting: {{kind: eks_karpenter}}\n{text}")
    assert message in str(caught.value)
