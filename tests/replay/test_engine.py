"""The engine against a slow simulator written from the words alone, request by request."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import INF
from scenes import Case, assert_same_bits, cases

from modeler.autoscale import fixed, setup_per_job, target_tracking
from modeler.replay import Limits, Result
from modeler.replay import layout as m

QUICK = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
# Times on a grid of quarters are exact in binary: ties are ties. Others are compared to rounding.
ROUNDING = 1e-9


def same(got, expected, exact: bool) -> None:
    if exact:
        np.testing.assert_array_equal(got, expected)
    else:
        np.testing.assert_allclose(got, expected, rtol=ROUNDING, atol=ROUNDING)


def compare(case: Case, *, exact: bool) -> None:
    result = case.simulate()
    naive = case.naive(result)
    codes = {name: code for code, name in [*m.OUTCOMES.items(), *m.CAUSES.items()]}
    asked = naive.requests
    assert [codes[r.outcome] for r in asked] == result.record[:, 0].tolist()
    assert [codes.get(r.cause, 0) for r in asked] == result.record[:, 1].tolist()
    same(result.record_s, [(r.start, r.end) for r in asked], exact)

    end = naive.end
    assert result.end_s == pytest.approx(end, abs=0.0 if exact else ROUNDING)
    rows = []
    for r in naive.replicas:
        stop = min(r.stop, end)
        running = r.running if r.running <= stop else INF
        ready = r.ready if r.ready <= end else INF
        rows.append((r.requested, running, ready, r.drain, stop))
    same(result.replicas, np.array(rows).reshape(-1, 5), exact)

    decisions = []
    for d in naive.decisions:
        if decisions and d[2] == d[3] and decisions[-1][1] == d[1]:
            decisions[-1][-1] += 1
        else:
            decisions.append([*d, 1])
    assert [list(d[1:4]) + list(d[5:]) for d in result.decisions] == [
        d[1:4] + d[5:] for d in decisions
    ]
    same(
        np.array([(d.time_s, d.metric) for d in result.decisions]).reshape(-1, 2),
        np.array([(d[0], d[4]) for d in decisions]).reshape(-1, 2),
        False,
    )

    same(result.breaches, np.array(naive.measured).reshape(-1, 3), exact)
    assert (result.self_cleared, result.censored) == (naive.self_cleared, naive.censored)
    assert (result.waited, result.peak_queue) == (naive.waited, naive.peak_queue)
    outcomes = [r.outcome for r in asked]
    for name in ("served", "rejected", "timed_out", "lost"):
        assert getattr(result, name) == outcomes.count(name)
    for name, count in result.causes.items():
        assert count == [r.cause for r in asked].count(name)
    served = [r for r in asked if r.outcome == "served"]
    started = [r for r in asked if r.start < INF]
    sums = {
        "wait_sum_s": sum(r.start - r.arrival for r in served),
        "wait_sum_started_s": sum(r.start - r.arrival for r in started),
        "served_sum_s": sum(r.end - r.arrival for r in served),
        "busy_slot_s": naive.busy_s,
        "busy_draining_slot_s": naive.busy_draining_s,
        "queued_request_s": naive.queued_s,
    }
    for name, expected in sums.items():
        assert getattr(result, name) == pytest.approx(expected, rel=ROUNDING, abs=1e-7), name
    assert result.latency.sum() == len(served)
    assert result.wait.sum() == sum(1 for r in served if r.queued)


@QUICK
@given(cases(grid=True))
def test_every_record_as_the_simulator_says_with_ties(case):
    compare(case, exact=True)


@QUICK
@given(cases(grid=False))
def test_every_record_as_the_simulator_says_without_ties(case):
    compare(case, exact=False)


@QUICK
@given(cases(grid=True), st.data())
def test_chunks_change_nothing(case, data):
    whole = case.simulate()
    n = len(case.arrival)
    cuts = data.draw(st.sets(st.integers(0, n), max_size=5).map(sorted))
    assert_same_bits(whole, case.simulate(tuple(cuts)))


def test_chunks_change_no_bit_of_a_long_run():
    rng = np.random.default_rng(7)
    n = 30_000
    arrival = np.cumsum(rng.exponential(0.1, n))
    arrival -= arrival[0]
    service = rng.exponential(0.5, n)
    policy = target_tracking.build(
        metric="concurrency_high_resolution",
        target=0.7,
        minimum=1,
        maximum=12,
        initial=1,
        period_s=10.0,
        publish_delay_s=10.0,
        low_datapoints=2,
        scale_in_cooldown_s=60.0,
    )
    ready = rng.exponential(30.0, 64)
    limits = Limits(slots=1, queue_limit=400, client_timeout_s=60.0, threshold_s=2.0)
    case = Case(policy, None, arrival, service, service, limits, ready, ready, arrival[-1], 0)
    whole = case.simulate()
    assert whole.decisions, "the run must decide something to be worth it"
    assert_same_bits(whole, case.simulate(tuple(range(0, n, 977))))
    assert_same_bits(whole, case.simulate(tuple(range(0, 200))))


def test_a_policy_that_acts_on_events_as_the_simulator_says():
    rng = np.random.default_rng(11)
    for maximum, slots in ((1, 1), (3, 1), (4, 2)):
        arrival = np.cumsum(rng.exponential(1.0, 400))
        service = rng.exponential(0.8, 400)
        ready = rng.exponential(2.0, 64)
        policy = setup_per_job.build(maximum)
        limits = Limits(slots=slots, threshold_s=1.0)
        case = Case(
            policy,
            setup_per_job.decide.py_func,
            arrival - arrival[0],
            service,
            service,
            limits,
            ready,
            ready,
            float(arrival[-1]),
            0,
        )
        compare(case, exact=False)


def test_a_queue_longer_than_its_first_table_keeps_its_order():
    # 5,000 arrive at once on two slots: the queue's table doubles twice on the way.
    n = 5_000
    arrival = np.zeros(n)
    service = np.full(n, 0.25)
    limits = Limits(slots=2, threshold_s=1.0)
    case = Case(
        fixed.build(1), None, arrival, service, service, limits, np.zeros(1), np.zeros(1), 0.0, 0
    )
    result = case.simulate()
    assert result.peak_queue == n - 2
    np.testing.assert_array_equal(result.record_s[:, 0], np.repeat(np.arange(n // 2) * 0.25, 2))
    assert_same_bits(result, case.simulate((1, 1023, 1024, 1025, 3000)))


def test_a_long_queue_that_wraps_around_grows_in_order():
    # First half drains while more come, so that the ring's head has moved when it must grow.
    rng = np.random.default_rng(3)
    arrival = np.sort(np.concatenate([rng.uniform(0, 50, 900), rng.uniform(60, 70, 4_000)]))
    arrival = np.round((arrival - arrival[0]) * 64) / 64
    service = np.full(len(arrival), 0.0625)
    limits = Limits(slots=1, threshold_s=1.0)
    case = Case(
        fixed.build(1), None, arrival, service, service, limits, np.zeros(1), np.zeros(1), 0.0, 0
    )
    result = case.simulate()
    free = 0.0
    for at, start in zip(arrival, result.record_s[:, 0], strict=True):
        assert start == max(at, free)
        free = start + 0.0625


def test_many_replicas_and_decisions_fit():
    # One request every 20 s, each of which starts a replica that then stops: tables grow.
    n = 3_000
    arrival = np.arange(n) * 20.0
    service = np.full(n, 1.0)
    limits = Limits(slots=1, threshold_s=4.0)
    case = Case(
        setup_per_job.build(2),
        None,
        arrival,
        service,
        service,
        limits,
        np.full(1, 5.0),
        np.full(1, 5.0),
        float(arrival[-1]),
        0,
    )
    result = case.simulate()
    assert len(result.replicas) == n
    np.testing.assert_array_equal(result.replicas[:, m.REQUESTED_S], arrival)
    np.testing.assert_array_equal(result.replicas[:, m.STOP_S], arrival + 6.0)
    np.testing.assert_array_equal(
        result.breaches[:, 2] - result.breaches[:, 0], np.full(n - 1, 5.0)
    )
    assert result.censored == 1  # the last request is the end of the trace
    assert len(result.decisions) == 2 * n


@pytest.mark.parametrize("clocked", [False, True])
def test_requests_nothing_can_serve_are_lost(clocked):
    # From zero replicas invocations are not counted, so target tracking never starts any.
    policy = setup_per_job.build(0)
    if clocked:
        policy = target_tracking.build(
            metric="invocations_per_instance",
            target=1.0,
            minimum=0,
            maximum=3,
            initial=0,
            period_s=60.0,
            publish_delay_s=60.0,
        )
    arrival = np.array([0.0, 5.0, 7.0])
    limits = Limits(threshold_s=1.0)
    case = Case(policy, None, arrival, arrival, arrival, limits, np.zeros(1), np.zeros(1), 7.0, 0)
    result = case.simulate()
    assert result.lost == 3
    assert result.causes["lost_capacity"] == 3
    assert (result.record_s[:, 1] >= 7.0).all()
    assert result.end_s == result.record_s[:, 1].max() == (3607.0 if clocked else 7.0)


def test_a_request_that_gives_up_before_any_replica_is_ready_ends_the_run():
    limits = Limits(queue_timeout_s=30.0, threshold_s=1.0)
    arrival = np.array([0.0])
    case = Case(
        fixed.build(1, initial=0),
        None,
        arrival,
        arrival + 1.0,
        arrival + 1.0,
        limits,
        np.full(1, 10.0),
        np.full(1, 100.0),
        0.0,
        0,
    )
    result = case.simulate()
    assert result.timed_out == 1
    assert result.end_s == 30.0
    np.testing.assert_array_equal(result.replicas, [[0.0, 10.0, INF, INF, 30.0]])


def by_hand(arrival, service, limits, *, initial=1, replicas=1, ready=(100.0,)) -> Result:
    arrival, service = np.array(arrival, dtype=float), np.array(service, dtype=float)
    ready_s = np.array(ready, dtype=float)
    policy = fixed.build(replicas, initial=initial)
    horizon = float(arrival[-1])
    return Case(
        policy, None, arrival, service, service, limits, ready_s * 0.0, ready_s, horizon, 0
    ).simulate()


def test_at_one_instant_a_finish_comes_before_a_time_out():
    result = by_hand([0.0, 0.0], [5.0, 1.0], Limits(queue_timeout_s=5.0))
    assert result.record_s.tolist() == [[0.0, 5.0], [5.0, 6.0]]
    assert (result.served, result.timed_out) == (2, 0)


def test_at_one_instant_a_ready_replica_comes_before_a_time_out():
    result = by_hand([0.0], [1.0], Limits(queue_timeout_s=5.0), initial=0, ready=[5.0])
    assert result.record_s.tolist() == [[5.0, 6.0]]


def test_at_one_instant_a_time_out_makes_room_for_an_arrival():
    result = by_hand([0.0, 0.0, 5.0], [9.0, 1.0, 1.0], Limits(queue_limit=1, queue_timeout_s=5.0))
    assert result.record_s.tolist() == [[0.0, 9.0], [INF, 5.0], [9.0, 10.0]]
    assert (result.timed_out, result.rejected) == (1, 0)


def test_at_one_instant_a_finish_clears_a_breach_before_a_replica_is_ready():
    result = by_hand([0.0, 0.0], [5.0, 1.0], Limits(), replicas=2, initial=1, ready=[9.0, 5.0])
    # The trace ends with the second arrival, so the breach is open then: censored, not measured.
    assert (len(result.breaches), result.self_cleared, result.censored) == (0, 0, 1)
    result = by_hand(
        [0.0, 0.0, 8.0], [5.0, 1.0, 1.0], Limits(), replicas=2, initial=1, ready=[9.0, 5.0]
    )
    assert (len(result.breaches), result.self_cleared, result.censored) == (0, 1, 0)


def test_a_finish_at_the_client_time_out_is_in_time():
    result = by_hand([0.0, 0.0], [2.0, 3.0], Limits(client_timeout_s=5.0))
    assert result.record_s.tolist() == [[0.0, 2.0], [2.0, 5.0]]
    assert result.served == 2


def test_the_client_time_out_leaves_the_slot_busy():
    result = by_hand([0.0, 0.0], [7.0, 1.0], Limits(client_timeout_s=5.0, threshold_s=6.0))
    # The first is given up at 5 s but holds its slot until 7 s; the second gives up waiting at 5 s.
    assert result.record_s.tolist() == [[0.0, 5.0], [INF, 5.0]]
    assert result.end_s == 7.0
    assert result.busy_slot_s == 7.0
    # The first because of its service alone, the second since no more replicas were allowed.
    assert result.causes["service_time"] == result.causes["replica_cap"] == 1


def test_a_fixed_fleet_with_more_warm_replicas_than_it_holds_lets_them_go_at_once():
    result = by_hand([0.0, 0.0], [5.0, 5.0], Limits(), initial=3, replicas=1)
    assert result.record_s[:, 0].tolist() == [0.0, 5.0]
    assert result.replicas[:, m.STOP_S].tolist() == [10.0, 0.0, 0.0]
