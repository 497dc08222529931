"""Interim totals against sums over the request records of the same run."""

import numpy as np
import pytest

from modeler.autoscale import fixed
from modeler.replay import Limits, Work, simulate
from traces.draws import exponential

N = 4_000
MARKS = (700, 2_500, N)


@pytest.fixture(scope="module")
def run():
    arrival_s = np.cumsum(exponential(1, "gap", 0, N)) / 2.8
    service_s = exponential(1, "service", 0, N)
    work = [
        Work(first, arrival_s[first : first + 999], *[service_s[first : first + 999]] * 2)
        for first in range(0, N, 999)
    ]
    result = simulate(
        fixed.build(3),
        work,
        Limits(queue_limit=5),
        draws=lambda first, count: (np.zeros(count), np.zeros(count)),
        horizon_s=0.0,
        records=N,
        marks=MARKS,
    )
    return result, arrival_s, service_s


@pytest.mark.parametrize("place", range(len(MARKS)))
def test_totals_are_sums_over_records(run, place):
    result, arrival_s, service_s = run
    found, requests = result.totals[place], MARKS[place]
    now = arrival_s[requests - 1]
    start_s = result.record_s[:requests, 0]
    started = start_s <= now
    came = arrival_s[:requests]
    accepted = result.record[:requests, 0] == 1
    busy = np.clip(np.minimum(start_s + service_s[:requests], now) - start_s, 0.0, None)
    queued = np.minimum(start_s, now)[accepted] - came[accepted]
    wait = (start_s - came)[started]
    assert (found.requests, found.time_s) == (requests, now)
    assert found.served == started.sum()
    assert found.rejected == requests - accepted.sum()
    assert found.waited == (wait > 0.0).sum() == found.wait.sum()
    # Sums of some thousand doubles in another order.
    assert found.busy_slot_s == pytest.approx(busy[started].sum(), rel=1e-10)
    assert found.queued_request_s == pytest.approx(queued.sum(), rel=1e-10)
    assert found.wait_sum_s == pytest.approx(wait.sum(), rel=1e-10)
    assert found.started_service_s == pytest.approx(service_s[:requests][started].sum(), rel=1e-10)


def test_difference_of_totals(run):
    first, _, last = run[0].totals
    between = last.since(first)
    assert between.requests == N - MARKS[0]
    assert between.served == last.served - first.served
    assert between.latency.sum() == between.served


def test_marks_do_not_change_the_run(run):
    result, arrival_s, service_s = run
    again = simulate(
        fixed.build(3),
        [Work(0, arrival_s, service_s, service_s)],
        Limits(queue_limit=5),
        draws=lambda first, count: (np.zeros(count), np.zeros(count)),
        horizon_s=0.0,
        records=N,
    )
    assert again.totals == ()
    assert np.array_equal(again.record_s, result.record_s)
