"""The HPA with the clock walked by hand.

Requests of one second on one slot each, so that the load is a number of busy replicas. With the
defaults a resource metric covers 30 s and is 30 s old: a step of load at a sync is half seen 45 s
and fully seen 60 s later.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale import hpa
from modeler.autoscale.context import Context
from modeler.autoscale.hpa_memory import Header
from modeler.autoscale.hpa_samples import Metric
from modeler.replay import Limits, Result, Work, simulate
from modeler.replay import layout as m
from modeler.scenario import ScenarioError, loads
from modeler.scenario.policy import Hpa
from modeler.scenario.policy.kubernetes import Behavior, HpaMetric, ScalingPolicy, ScalingRules

# Place of the first metric's target among the settings.
TARGET = len(Header._fields) + Metric._fields.index("target")
QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def context(minimum=1, maximum=50, initial=None, slots=1):
    return Context("eks_karpenter", minimum, maximum, initial, slots, 1.0)


def arrivals(*stretches: tuple[float, float]) -> np.ndarray:
    """Evenly spaced requests, none at a sync: for so many seconds, so many a second. [s]"""
    parts, start = [], 0.0
    for seconds, rate in stretches:
        count = round(seconds * rate)
        if count:
            parts.append(start + (np.arange(count) + 0.5) / rate)
        start += seconds
    return np.concatenate([*parts, np.zeros(0)])


def walk(
    block: Hpa, *stretches: tuple[float, float], lag_s=0.0, service_s=1.0, slots=1, **of
) -> Result:
    at = arrivals(*stretches)
    service = np.full(len(at), service_s)
    return simulate(
        hpa.from_block(block, context(slots=slots, **of)),
        [Work(0, at, service, service)],
        Limits(slots=slots),
        draws=lambda first, count: (np.zeros(count), np.full(count, lag_s)),
        horizon_s=sum(seconds for seconds, _ in stretches),
    )


def changes_of(result: Result) -> list[tuple[float, int, int]]:
    return [
        (d.time_s, d.from_replicas, d.to_replicas)
        for d in result.decisions
        if d.from_replicas != d.to_replicas
    ]


# --- when, and how many ---


def test_a_step_of_load_is_seen_45_s_later_and_its_end_gone_after_the_window():
    # 4 slots, 6 requests a second of one second each on ten replicas: 15 %; then 30: 75 %.
    block = Hpa(target=50)
    result = walk(block, (600, 6), (600, 30), (600, 6), slots=4, initial=10)
    changes = changes_of(result)
    # 15 of 50 is 0.3: three. It is first seen whole at 60 s; the seed of 10 holds until 300 s.
    assert changes[0] == (315.0, 10, 3)
    # At 645 s half of the window is at the new load of 30 on 12 slots: ceil(3 x 99 // 50 ...).
    assert changes[1][0] == 645.0
    assert changes[-1][2] == 3
    # Load ends at 1,200 s; the last high proposal is 300 s older than the removal.
    assert 1200.0 + 300.0 < changes[-1][0] <= 1200.0 + 375.0


def test_utilisation_asks_for_ceil_of_load_over_target():
    # 30 busy slots of 40 are 75 %, target 50: ceil(1.5 x 10) = 15.
    result = walk(Hpa(target=50), (200, 30), slots=4, initial=10)
    assert changes_of(result)[0][1:] == (10, 15)


def test_without_a_behavior_replicas_double_and_with_the_default_one_too():
    for behavior, expected in ((None, [4, 8, 16, 32, 50]), (Behavior(), [5, 10, 20, 40, 50])):
        block = Hpa(metric="queue_length", target=1, behavior=behavior)
        result = walk(block, (300, 50), lag_s=1000.0, service_s=1000.0)
        steps = [after for _, _, after in changes_of(result)[:5]]
        assert steps == expected


def test_pending_pods_are_counted_as_empty_and_nothing_is_asked_for_twice():
    # Concurrency 12 on 2 with a target of 1: 12 replicas, which stay 12 while ten of them start.
    block = Hpa(metric="concurrency", target=1, metric_delay_s=0)
    at = np.concatenate([np.full(12, 1.0)])
    service = np.full(12, 500.0)
    result = simulate(
        hpa.from_block(block, context(initial=2)),
        [Work(0, at, service, service)],
        Limits(slots=100),
        draws=lambda first, count: (np.zeros(count), np.full(count, 200.0)),
        horizon_s=190.0,
    )
    assert changes_of(result) == [(15.0, 2, 4), (30.0, 4, 8), (45.0, 8, 12)]


def test_pods_that_have_just_become_ready_do_not_count_yet_for_the_cpu():
    # 1 replica full; 100 % of 50: two, ready at once. Counted from their own first sync on, they
    # are ignored until the sample of 30 s, 30 s old, lies behind their readiness: 60 s.
    result = walk(Hpa(target=50), (180, 3), maximum=40)
    changes = changes_of(result)
    assert changes[0] == (45.0, 1, 2)
    # Ignored as empty, the second keeps the average at 50 %: within tolerance.
    assert changes[1][0] == 45.0 + 60.0 + 15.0
    # With the initialisation period off they count at once.
    off = walk(Hpa(target=50, cpu_initialization_period_s=0), (180, 3), maximum=40)
    assert changes_of(off)[1][0] < 105.0


def test_the_largest_of_several_metrics_counts():
    one = HpaMetric(metric="concurrency", target=4, metric_delay_s=0)
    other = HpaMetric(metric="requests_per_second", target=2, metric_delay_s=0, window_s=15)
    both = walk(Hpa(metrics=(one, other)), (120, 12), slots=100, initial=2)
    assert changes_of(both)[0] == (15.0, 2, 4)
    assert max(after for _, _, after in changes_of(both)) == 6  # 12 a second at 2 each


def test_a_target_that_is_not_given_holds_a_share_of_what_a_replica_holds():
    policy = hpa.from_block(Hpa(metric="concurrency"), context(slots=8))
    assert policy.params[TARGET] == 5600.0  # 0.7 x 8 in milli-units
    policy = hpa.from_block(Hpa(), context(slots=8))
    assert policy.params[TARGET] == 80.0  # percent, the API's own


# --- what holds it back ---


def test_a_lull_shorter_than_the_window_changes_nothing():
    block = Hpa(metric="requests_per_second", target=1, metric_delay_s=0, window_s=15)
    result = walk(block, (600, 10), (240, 1), (600, 10), slots=100, initial=10)
    assert changes_of(result) == []


def test_a_flap_inside_of_the_tolerance_changes_nothing():
    block = Hpa(metric="requests_per_second", target=1, metric_delay_s=0, window_s=15)
    flap = [(30.0, 11.0), (30.0, 9.0)] * 20
    assert changes_of(walk(block, *flap, slots=100, initial=10)) == []
    # One direction may be tighter.
    rules = ScalingRules(tolerance=0.05)
    tight = block.model_copy(update={"behavior": Behavior(scale_up=rules)})
    assert changes_of(walk(tight, *flap, slots=100, initial=10))[0] == (15.0, 10, 11)


def test_a_window_up_waits_for_the_smallest_recommendation():
    rules = ScalingRules(stabilization_window_s=60)
    block = Hpa(
        metric="requests_per_second", target=1, metric_delay_s=0, window_s=15,
        behavior=Behavior(scale_up=rules),
    )  # fmt: skip
    result = walk(block, (150, 4), (600, 8), slots=100, initial=4)
    # 8 is first asked for at 165 s; the last 4 is of 150 s and counts until it is 60 s old.
    assert changes_of(result) == [(210.0, 4, 8)]


def test_removals_keep_to_their_rate():
    rate = ScalingPolicy(type="pods", value=2, period_s=60)
    rules = ScalingRules(stabilization_window_s=0, policies=(rate,))
    block = Hpa(
        metric="requests_per_second", target=1, metric_delay_s=0, window_s=15,
        behavior=Behavior(scale_down=rules),
    )  # fmt: skip
    result = walk(block, (60, 10), (400, 1), slots=100, initial=10)
    times = [75.0, 135.0, 195.0, 255.0, 315.0]
    assert changes_of(result) == [
        (time, 10 - 2 * k, max(8 - 2 * k, 1)) for k, time in enumerate(times)
    ]


def test_metrics_that_cannot_be_read_hold_the_replicas():
    block = Hpa(
        metric="requests_per_second", target=1, metric_delay_s=0, window_s=15,
        outage_from_s=100, outage_s=100,
    )  # fmt: skip
    result = walk(block, (90, 4), (200, 8), slots=100, initial=4)
    assert changes_of(result) == [(210.0, 4, 8)]
    assert ("FailedComputeMetricsReplicas", 7) in [(d.reason, d.repeats) for d in result.decisions]


# --- to zero and back ---


def test_to_zero_and_back_on_an_external_metric():
    block = Hpa(
        metric="concurrency", source="external", target=2, metric_delay_s=0, scale_to_zero=True,
        downscale_stabilization_s=60,
    )  # fmt: skip
    result = walk(block, (100, 1), (300, 0), (40, 1), minimum=0, initial=1)
    changes = changes_of(result)
    # The last recommendation of one is of 90 s: 60 s old at 150 s.
    assert changes[0] == (150.0, 1, 0)
    assert changes[1] == (405.0, 0, 3)  # five wait: ceil(5 / 2), with no tolerance at zero


@QUICK
@given(
    load=st.lists(st.tuples(st.floats(15.0, 300.0), st.floats(0.0, 20.0)), min_size=1, max_size=5),
    metric=st.sampled_from(
        ["cpu_utilisation", "gpu_utilisation", "concurrency", "requests_per_second", "queue_length"]
    ),
    lag_s=st.floats(0.0, 120.0),
    minimum=st.integers(1, 4),
    more=st.integers(0, 12),
    rates=st.booleans(),
)
def test_bounds_hold_and_no_sync_more_than_doubles(load, metric, lag_s, minimum, more, rates):
    block = Hpa(metric=metric, behavior=Behavior() if rates else None)
    result = walk(block, *load, lag_s=lag_s, slots=2, minimum=minimum, maximum=minimum + more)
    for decision in result.decisions:
        assert minimum <= decision.to_replicas <= minimum + more
        assert decision.time_s % 15.0 == 0.0
        before = decision.from_replicas
        assert decision.to_replicas <= max(2 * before, before + 4, 4)
    assert (result.replicas[:, m.STOP_S] <= result.end_s).all()


# --- the block ---


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{kind: hpa, target: 0}", "policy.target: 0 is not more than 0"),
        ("{kind: hpa, metric: latency}", "'latency' is not one of cpu_utilisation"),
        ("{kind: hpa, metric: queue_length, source: pods}", "expected one of external, object"),
        ("{kind: hpa, target_type: value}", "expected one of utilisation, average_value"),
        ("{kind: hpa, metrics: []}", "policy.metrics: [] has no entry"),
        ("{kind: hpa, metrics: [{metric: concurrency, targt: 3}]}", 'unknown key "targt"'),
        ("{kind: hpa, target: 3, metrics: [{}]}", "target beside metrics"),
        ("{kind: hpa, metric: requests_per_second, window_s: 0}", "expected more than 0"),
        (
            "{kind: hpa, behavior: {scale_up: {policies: [{type: pods, value: 1, "
            "period_s: 31m}]}}}",
            "1860.0 is not at most 1800",
        ),
    ],
)
def test_bad_settings_are_told(text, message):
    with pytest.raises(ScenarioError) as caught:
        loads(f"hosting: {{kind: eks_karpenter}}\npolicy: {text}")
    assert message in str(caught.value)


def test_zero_replicas_need_the_gate_and_a_metric_that_is_there_at_zero():
    head = "hosting: {kind: eks_karpenter}\nfleet: {min: 0}\n"
    with pytest.raises(ScenarioError, match="policy.scale_to_zero: true"):
        loads(head + "policy: {kind: hpa, metric: queue_length}")
    with pytest.raises(ScenarioError, match="object or external metric"):
        loads(head + "policy: {kind: hpa, scale_to_zero: true}")
    loads(head + "policy: {kind: hpa, metric: queue_length, scale_to_zero: true}")
