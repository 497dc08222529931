"""SkyServe with the clock walked by hand: decisions each 20 s, counts of 15 and 60 in a row."""

from __future__ import annotations

import numpy as np
import pytest
from fleets import arrivals, changes, policy_of, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale.sky_serve import agreed, for_queue

QUICK = settings(max_examples=40, deadline=None, derandomize=True)


def test_a_step_of_load_scales_out_at_the_fifteenth_decision_in_a_row():
    # 10 a second from 100 s on against a target of 4. The decision at 120 s sees 200 requests in a
    # minute, 3.33 a second: one replica is enough. From 140 s (6.67, two) they ask for more: the
    # fifteenth is at 140 + 14 x 20 s, and by then three are asked for.
    at = arrivals((100.0, 0.0), (900.0, 10.0))
    policy = policy_of("sky_serve", minimum=1, target_qps_per_replica=4)
    assert changes(walk(policy, at, horizon_s=1000.0)) == [(420.0, 1, 3)]


def test_its_end_scales_in_at_the_sixtieth():
    # The last request comes before 200 s. The decision at 220 s sees 400 of the last minute, 6.67 a
    # second: two; the one at 240 s 3.33: one, still no less than at 220 s. 220 + 59 x 20 s.
    at = arrivals((200.0, 10.0))
    policy = policy_of("sky_serve", minimum=0, initial=3, target_qps_per_replica=4)
    got = changes(walk(policy, at, horizon_s=3000.0))
    assert got == [(1400.0, 3, 0)]


def test_from_none_the_count_follows_at_once():
    # Decisions each 5 s; the balancer's report of 60 s is the first to tell of the request.
    policy = policy_of("sky_serve", target_qps_per_replica=0.1)
    at = arrivals((47.0, 0.0), (13.0, 2.0))
    got = changes(walk(policy, at, horizon_s=70.0, lag_s=500.0))
    # 26 requests a minute: 0.433 a second over 0.1 are five.
    assert got == [(60.0, 0, 5)]


def test_a_flap_starts_the_count_again():
    # 100 s of load, 200 s of none: never fifteen decisions in a row.
    at = np.concatenate([t + arrivals((100.0, 10.0)) for t in np.arange(0.0, 3000.0, 300.0)])
    policy = policy_of("sky_serve", minimum=1, target_qps_per_replica=4)
    assert changes(walk(policy, at, horizon_s=3000.0)) == []


def test_spare_replicas_come_on_top_of_the_bounds():
    at = arrivals((900.0, 10.0))
    policy = policy_of("sky_serve", minimum=1, maximum=2, target_qps_per_replica=1, overprovision=2)
    got = changes(walk(policy, at, horizon_s=900.0))
    assert policy.maximum == 4
    assert got[-1][2] == 4


def test_without_a_target_it_follows_from_the_service():
    policy = policy_of("sky_serve", slots=8, mean_service_s=2.0)
    assert policy.target == pytest.approx(0.7 * 8 / 2.0, rel=1e-12)


def test_a_pool_grows_by_one_and_loses_only_idle_workers():
    # Jobs of 1,000 s on one worker at a time: four at once leave three waiting.
    at = np.array([1.0, 1.0, 1.0, 1.0])
    policy = policy_of(
        "sky_serve", metric="queue_length", minimum=0, upscale_delay_s=20, downscale_delay_s=40
    )
    got = changes(walk(policy, at, horizon_s=4000.0, service_s=1000.0, lag_s=1.0, slots=1))
    # From none one at once at 5 s; then one more each 20 s while more than one job waits: at 25 s
    # three do (one runs), at 45 s two. At 65 s one waits, as many as the threshold: no change. The
    # first job ends at 1,006 s and the last one starts; from then on none waits, and at the second
    # such decision, 1,045 s, the pool is to go: one worker is idle. Decisions come each 5 s now: at
    # 1,050 s another one is, the last job ends at 2,006 s.
    assert got == [
        (5.0, 0, 1),
        (25.0, 1, 2),
        (45.0, 2, 3),
        (1045.0, 3, 2),
        (1050.0, 2, 1),
        (2010.0, 1, 0),
    ]


@pytest.mark.parametrize(
    ("length", "threshold", "current", "expected"),
    [(0.0, 1.0, 7.0, 0.0), (2.0, 1.0, 7.0, 8.0), (1.0, 1.0, 7.0, 7.0), (1.0, 3.0, 7.0, 6.0),
     (1.0, 3.0, 1.0, 1.0), (1.0, 1.0, 0.0, 1.0)],
)  # fmt: skip
def test_workers_for_a_queue(length, threshold, current, expected):
    assert for_queue(length, threshold, current) == expected


def test_agreement():
    assert agreed(2.0, 5.0, 13.0, 0.0, 15.0, 60.0) == (2.0, 14.0, 0.0)
    assert agreed(2.0, 5.0, 14.0, 0.0, 15.0, 60.0) == (5.0, 0.0, 0.0)
    assert agreed(2.0, 1.0, 14.0, 59.0, 15.0, 60.0) == (1.0, 0.0, 0.0)
    assert agreed(2.0, 2.0, 14.0, 7.0, 15.0, 60.0) == (2.0, 0.0, 0.0)
    assert agreed(0.0, 9.0, 0.0, 0.0, 15.0, 60.0) == (9.0, 0.0, 0.0)


@QUICK
@given(data=st.data())
def test_whatever_comes_the_bounds_hold(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = data.draw(st.integers(1, 300))
    at = np.cumsum(rng.exponential(1.0, n) * rng.choice([1.0, 1.0, 1.0, 50.0], n))
    minimum = data.draw(st.integers(0, 2))
    metric = data.draw(st.sampled_from(["qps", "queue_length"]))
    policy = policy_of(
        "sky_serve",
        metric=metric,
        minimum=minimum,
        maximum=4,
        upscale_delay_s=data.draw(st.sampled_from([0.0, 40.0, 300.0])),
        downscale_delay_s=data.draw(st.sampled_from([0.0, 40.0, 300.0])),
        target_qps_per_replica=0.2,
    )
    result = walk(
        policy,
        at,
        horizon_s=at[-1] + 600.0,
        service_s=rng.exponential(5.0, n),
        lag_s=rng.exponential(20.0, 5),
        slots=1,
        t0_s=data.draw(st.sampled_from([0.0, 1.7e9 + 13.4])),
    )
    assert all(minimum <= d.to_replicas <= 4 for d in result.decisions)
    assert result.served + result.lost == n
