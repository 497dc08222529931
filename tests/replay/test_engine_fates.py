"""What may happen to a request beside one queue, against the slow simulator and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import INF
from scenes import Case, assert_same_bits, cases, fated_cases
from test_engine import compare

from modeler.autoscale import fixed
from modeler.replay import Fates, Limits, Result

QUICK = settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def with_counts(case: Case, *, exact: bool) -> None:
    compare(case, exact=exact)
    result = case.simulate()
    naive = case.naive(result)
    assert result.attempts == len(case.arrival) + naive.comebacks
    assert result.unplaced == naive.unplaced


@QUICK
@given(fated_cases(grid=True))
def test_every_record_as_the_simulator_says_with_ties(case):
    with_counts(case, exact=case.limits.fates.retry_jitter == "none")


@QUICK
@given(fated_cases(grid=False))
def test_every_record_as_the_simulator_says_without_ties(case):
    with_counts(case, exact=False)


@QUICK
@given(fated_cases(grid=True), st.data())
def test_chunks_change_nothing(case, data):
    whole = case.simulate()
    cuts = data.draw(st.sets(st.integers(0, len(case.arrival)), max_size=5).map(sorted))
    assert_same_bits(whole, case.simulate(tuple(cuts)))


@QUICK
@given(st.one_of(cases(grid=True), cases(grid=False)))
def test_fates_that_never_come_change_no_bit(case):
    # The slow way round: retries that a queue without bounds and time-outs never calls for.
    case.limits = replace(case.limits, queue_limit=None, queue_timeout_s=INF)
    plain = case.simulate()
    case.limits = replace(case.limits, fates=Fates(retries=3))
    assert not case.limits.fates.plain()
    assert_same_bits(plain, case.simulate())


def by_hand(arrival, service, fates, *, replicas=1, initial=1, ready=(100.0,), **limits) -> Result:
    arrival, service = np.array(arrival, dtype=float), np.array(service, dtype=float)
    ready_s = np.array(ready, dtype=float)
    return Case(
        fixed.build(replicas, initial=initial),
        None,
        arrival,
        service,
        service,
        Limits(fates=fates, **limits),
        ready_s * 0.0,
        ready_s,
        float(arrival[-1]),
        0,
    ).simulate()


def test_from_zero_a_request_waits_fails_or_is_held():
    arrivals, services = [0.0, 4.0, 12.0], [1.0, 1.0, 1.0]
    zero = {"initial": 0, "ready": [10.0], "threshold_s": 2.0}
    waits = by_hand(arrivals, services, Fates(), **zero)
    assert waits.record_s.tolist() == [[10.0, 11.0], [11.0, 12.0], [12.0, 13.0]]
    fails = by_hand(arrivals, services, Fates(from_zero="fail"), **zero)
    assert fails.record_s.tolist() == [[INF, 0.0], [INF, 4.0], [12.0, 13.0]]
    assert (fails.rejected, fails.unplaced, fails.causes["cold_start"]) == (2, 2, 2)
    held = by_hand(arrivals, services, Fates(from_zero="hold", hold_timeout_s=7.0), **zero)
    assert held.record_s.tolist() == [[INF, 7.0], [10.0, 11.0], [12.0, 13.0]]
    assert (held.timed_out, held.rejected) == (1, 0)
    full = by_hand(arrivals, services, Fates(from_zero="hold", hold_limit=1), **zero)
    assert full.record_s.tolist() == [[10.0, 11.0], [INF, 4.0], [12.0, 13.0]]
    assert (full.causes["queue_limit"], full.unplaced) == (1, 1)


def test_from_zero_with_nothing_on_its_way_the_cause_is_the_cap():
    result = by_hand([0.0], [1.0], Fates(from_zero="fail"), replicas=0, initial=0)
    assert result.causes["replica_cap"] == 1


def test_held_requests_meet_the_queue_of_the_replica_that_came():
    # Three are held, one slot comes, one may wait: the third is refused as it is sent on.
    fates = Fates(from_zero="hold")
    result = by_hand([0.0, 1.0, 2.0], [3.0, 3.0, 3.0], fates, initial=0, ready=[5.0], queue_limit=1)
    assert result.record_s.tolist() == [[5.0, 8.0], [8.0, 11.0], [INF, 5.0]]
    assert (result.causes["queue_limit"], result.peak_queue) == (1, 3)


def test_a_replica_that_is_green_too_early_fails_what_it_gets():
    zero = {"initial": 0, "ready": [10.0], "threshold_s": 30.0}
    result = by_hand([6.0, 8.0, 11.0], [1.0] * 3, Fates(false_ready_s=3.0), **zero)
    # At 6 s nothing is green and the request waits; at 8 s the health is green, the model is not.
    assert result.record_s.tolist() == [[10.0, 11.0], [INF, 8.0], [11.0, 12.0]]
    assert (result.causes["cold_start"], result.unplaced) == (1, 0)
    held = by_hand([6.0], [1.0], Fates(from_zero="hold", false_ready_s=3.0), **zero)
    assert held.record_s.tolist() == [[INF, 7.0]]


def test_the_router_that_counts_loves_a_replica_that_fails_at_once():
    # One busy replica and one falsely ready from 5 s: all that comes goes to the idle one.
    fates = Fates(router="least_outstanding", false_ready_s=5.0)
    arrivals = [0.0, 4.0, 6.0, 7.0, 8.0]
    result = by_hand(arrivals, [20.0] * 5, fates, replicas=2, ready=[0.0, 10.0])
    assert result.record[:, 0].tolist() == [1, 1, 2, 2, 2]


def test_each_router_by_hand():
    # Two replicas of one slot; the first request is long, the others are short.
    arrivals, services = [0.0, 1.0, 2.0, 3.0], [10.0, 1.0, 1.0, 1.0]
    two = {"replicas": 2, "initial": 2}
    turn = by_hand(arrivals, services, Fates(router="round_robin"), **two)
    assert turn.record_s[:, 0].tolist() == [0.0, 1.0, 10.0, 3.0]
    least = by_hand(arrivals, services, Fates(router="least_outstanding"), **two)
    assert least.record_s[:, 0].tolist() == [0.0, 1.0, 2.0, 3.0]
    assert least.record[:, 2].tolist() == [0, 1, 1, 1]


def test_the_limit_is_each_replicas_own_under_a_router_that_binds():
    fates = Fates(router="round_robin")
    result = by_hand([0.0] * 6, [1.0] * 6, fates, replicas=2, initial=2, queue_limit=1)
    assert result.record_s[:, 0].tolist() == [0.0, 0.0, 1.0, 1.0, INF, INF]


def test_a_draining_replica_finishes_what_it_was_sent():
    fates = Fates(router="round_robin")
    arrivals = np.zeros(4)
    case = Case(
        fixed.build(1, initial=2),
        None,
        arrivals,
        arrivals + 2.0,
        arrivals + 2.0,
        Limits(fates=fates),
        np.zeros(1),
        np.zeros(1),
        0.0,
        0,
    )
    # The second replica is let go at once, before anyone comes: all go to the first.
    assert case.simulate().record_s[:, 0].tolist() == [0.0, 2.0, 4.0, 6.0]


def test_pauses_double_up_to_the_longest():
    fates = Fates(
        from_zero="fail", retries=4, retry_base_s=1.0, retry_max_s=3.0, retry_jitter="none"
    )
    result = by_hand([0.0], [1.0], fates, initial=0, ready=[8.5], threshold_s=2.0)
    # Tries at 0, 1, 3, 6 and 9 s; the last one finds the replica.
    assert result.record_s.tolist() == [[9.0, 10.0]]
    assert (result.attempts, result.served, result.unplaced) == (5, 1, 4)
    assert result.wait_sum_s == 9.0
    fewer = by_hand([0.0], [1.0], replace(fates, retries=3), initial=0, ready=[8.5])
    assert fewer.record_s.tolist() == [[INF, 6.0]]
    assert (fewer.attempts, fewer.rejected) == (4, 1)


def test_a_request_its_client_gave_up_may_hold_two_slots():
    fates = Fates(retries=1, retry_base_s=0.0, retry_client_timeouts=True)
    result = by_hand(
        [0.0], [3.0], fates, replicas=2, initial=2, client_timeout_s=2.0, threshold_s=9.0
    )
    # It starts at 0 s, is given up at 2 s and tried again until 4 s, while both slots work.
    assert result.record_s.tolist() == [[2.0, 4.0]]
    assert (result.timed_out, result.attempts, result.busy_slot_s) == (1, 2, 6.0)
    assert result.end_s == 5.0


# --- laws ---


@QUICK
@given(st.one_of(fated_cases(grid=True), fated_cases(grid=False)))
def test_every_request_has_one_outcome_and_a_bounded_number_of_attempts(case):
    result = case.simulate()
    total = result.served + result.rejected + result.timed_out + result.lost
    assert total == result.requests == len(case.arrival)
    assert (result.record[:, 0] > 0).all()
    most = result.requests * (1 + case.limits.fates.retries)
    assert result.requests <= result.attempts <= most
    start, end = result.record_s.T
    assert (end >= case.arrival).all()
    served = result.record[:, 0] == 1
    assert (case.arrival[served] <= start[served]).all()
    assert result.unplaced <= result.attempts


@QUICK
@given(cases(grid=True), st.sampled_from(["least_outstanding", "round_robin", "random"]))
def test_no_router_beats_one_queue_where_all_services_are_equal(case, router):
    # With unequal ones a lucky assignment can: the services of those who overtake are shorter.
    fleet = case.policy.maximum
    case.policy = fixed.build(fleet)
    case.service = np.full(len(case.arrival), 0.75)
    limits = replace(case.limits, queue_limit=None, queue_timeout_s=INF, client_timeout_s=INF)
    case.limits = limits
    one = case.simulate()
    case.limits = replace(limits, fates=Fates(router=router))
    other = case.simulate()
    assert other.wait_sum_s >= one.wait_sum_s - 1e-9
    # One queue never lets a slot idle while someone waits: starts are those of the busiest fleet.
    starts = np.sort(one.record_s[:, 0])
    assert (starts <= np.sort(other.record_s[:, 0])).all()


@QUICK
@given(cases(grid=False))
def test_the_router_that_counts_never_sends_to_a_busier_replica(case):
    case.policy = fixed.build(case.policy.maximum)
    case.limits = Limits(slots=case.limits.slots, fates=Fates(router="least_outstanding"))
    result = case.simulate()
    replica, end = result.record[:, 2], result.record_s[:, 1]
    for k, at in enumerate(case.arrival):
        here = end[:k] > at
        outstanding = np.bincount(replica[:k][here], minlength=case.policy.maximum)
        assert outstanding[replica[k]] == outstanding.min()


@pytest.mark.parametrize("router", ["round_robin", "random"])
def test_a_router_spreads_its_requests(router):
    n = 40_000
    arrival = np.arange(n) * 1.0
    result = by_hand(arrival, np.full(n, 0.5), Fates(router=router), replicas=4, initial=4)
    share = np.bincount(result.record[:, 2], minlength=4) / n
    # Four standard deviations of a share of a quarter among 40,000 draws.
    assert np.abs(share - 0.25).max() <= (0.0 if router == "round_robin" else 4 * 0.433 / 200)
