"""Cloud Run with the clock walked by hand: averages, requests without a place, idling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from fleets import arrivals, changes, policy_of, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale.cloud_run import Params, instances_for, on_demand

QUICK = settings(max_examples=60, deadline=None, derandomize=True)


def test_a_request_without_a_place_starts_an_instance_at_once():
    # Three at once at slots of 2: two instances, with the first and with the third.
    at = np.array([3.3, 3.3, 3.3])
    result = walk(
        policy_of("cloud_run", slots=2), at, horizon_s=10.0, lag_s=1.0, slots=2, records=True
    )
    assert changes(result) == [(3.3, 0, 1), (3.3, 1, 2)]
    assert result.record_s[:, 0].tolist() == [4.3, 4.3, 4.3]


@pytest.mark.parametrize(("gpu", "idle_s"), [(True, 600.0), (False, 900.0)])
def test_an_idle_instance_goes_after_its_while(gpu, idle_s):
    at = np.array([0.5, 0.5, 0.5])
    result = walk(
        policy_of("cloud_run", gpu=gpu), at, horizon_s=2000.0, service_s=7.0, lag_s=1.0, slots=1
    )
    # In service until 8.5 s: the decision at 5 s is the last that finds three in use. At 10 s the
    # average over the time so far, (3 x 7 in service + 3 x 1 waiting) / 10 = 2.4 in hand, asks for
    # ceil(2.4 / 0.6) = 4; over 65 s .. 70 s nothing is left of it.
    got = changes(result)
    assert got[:3] == [(0.5, 0, 1), (0.5, 1, 2), (0.5, 2, 3)]
    assert got[3] == (5.0, 3, 5)
    # 0.25 in hand over 60 s, at 60 s still 0.4 / 0.6: one. The largest, five, leaves first.
    assert got[4][:2] == (5.0 + idle_s, 5)
    assert got[-1][2] == 0
    assert got[-1][0] <= 70.0 + idle_s


def test_the_average_of_a_minute_holds_sixty_percent():
    # 6 in hand for ever, of slots of 4: ceil(6 / 2.4) = 3 instances, though two could take them.
    at = arrivals((400.0, 12.0))
    policy = policy_of("cloud_run", minimum=2, slots=4)
    got = changes(walk(policy, at, horizon_s=400.0, service_s=0.5, slots=4))
    assert [after for _, _, after in got] == [3]


def test_cpu_drives_where_a_request_keeps_cores_busy():
    p = Params(0.6, 0.6, 0.5, 2.0, 12.0, 120.0)
    # Concurrency: 6 / (0.6 x 8) = 1.25. CPU: 6 x 0.5 / (0.6 x 2) = 2.5.
    assert instances_for(p, 6.0, 6.0, 8.0) == 3.0
    assert instances_for(p._replace(cpu_per_request=0.0), 6.0, 6.0, 8.0) == 2.0
    assert instances_for(p, 0.0, 0.0, 8.0) == 0.0


def test_a_lull_shorter_than_the_while_keeps_the_fleet_through_a_flap():
    at = np.concatenate([t + arrivals((60.0, 10.0)) for t in np.arange(0.0, 3000.0, 500.0)])
    policy = policy_of("cloud_run", minimum=0, slots=1)
    got = changes(walk(policy, at, horizon_s=3000.0, service_s=0.4, lag_s=2.0, slots=1))
    # 4 in hand over 0.6 are seven; the first, cold burst took more.
    assert min(after for _, before, after in got if after < before) == 7


@QUICK
@given(
    in_hand=st.floats(0.0, 1e4),
    more=st.floats(0.0, 1e4),
    slots=st.integers(1, 80),
    queued=st.integers(0, 500),
)
def test_more_load_never_asks_for_fewer(in_hand, more, slots, queued):
    p = Params(0.6, 0.6, 0.0, 1.0, 12.0, 120.0)
    low = instances_for(p, in_hand, in_hand, float(slots))
    assert low <= instances_for(p, in_hand + more, in_hand + more, float(slots))
    assert low * 0.6 * slots >= in_hand * (1.0 - 1e-8)
    assert on_demand(3.0, float(queued), float(slots)) == 3 + math.ceil(queued / slots)


@QUICK
@given(data=st.data())
def test_whatever_comes_the_bounds_hold_and_all_are_served(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = data.draw(st.integers(1, 120))
    at = np.cumsum(rng.exponential(0.4, n) * rng.choice([1.0, 1.0, 1.0, 300.0], n))
    minimum = data.draw(st.integers(0, 2))
    policy = policy_of(
        "cloud_run", minimum=minimum, maximum=5, idle_s=data.draw(st.sampled_from([5.0, 60.0]))
    )
    result = walk(
        policy,
        at,
        horizon_s=at[-1] + 400.0,
        service_s=rng.exponential(2.0, n),
        lag_s=rng.exponential(8.0, 5),
        slots=1,
    )
    assert result.served == n
    assert all(minimum <= d.to_replicas <= 5 for d in result.decisions)
    got = changes(result)
    assert not got or got[-1][2] == minimum
