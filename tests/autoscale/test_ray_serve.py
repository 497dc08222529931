"""Ray Serve with the clock walked by hand, and against its loop run tick by tick.

Expected counts follow from autoscaling_policy.py (ray-project/ray): a decision at the first tick
beyond int(delay / 0.1) agreeing ones.
"""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fleets import arrivals, changes, policy_of, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale import ray_serve
from modeler.autoscale.observation import (
    ARRIVAL,
    BUCKET,
    DESIRED,
    MAX,
    MIN,
    NOTHING,
    OUT_DESIRED,
    QUEUED,
    READY,
    SCALED_IN,
    SCALED_OUT,
    SIGNATURE,
)
from modeler.autoscale.ray_serve import Params, desired_replicas
from modeler.compiled import entry, kernel
from modeler.scenario.policy import RayServe

QUICK = settings(max_examples=40, deadline=None, derandomize=True)
PARAMS = ray_serve.params_of(RayServe())


@kernel(SIGNATURE)
def _plain(event, obs, params, state, out):
    """The control loop as it stands: one tick after the other."""
    p = Params(
        params[0],
        params[1],
        params[2],
        params[3],
        params[4],
        params[5],
        params[6],
        params[7],
    )
    if event == BUCKET:
        ray_serve._push(obs, p, state)
        return NOTHING
    if event == ARRIVAL:
        state[ray_serve._TOTAL] = obs[QUEUED]
        return NOTHING
    wanted, state[0] = ray_serve.tick(
        p, state[0], state[ray_serve._TOTAL], obs[READY], obs[DESIRED], obs[MIN], obs[MAX]
    )
    out[OUT_DESIRED] = wanted
    if wanted > obs[DESIRED]:
        return SCALED_OUT
    return SCALED_IN if wanted < obs[DESIRED] else NOTHING


_PLAIN = entry(SIGNATURE, _plain)


@QUICK
@given(data=st.data())
def test_the_ticks_that_are_not_run_would_have_changed_nothing(data):
    seed = data.draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    n = data.draw(st.integers(1, 150))
    gap = data.draw(st.sampled_from([0.1, 0.5, 3.0]))
    burst = rng.choice([1.0, 1.0, 1.0, 60.0], n)
    at = np.cumsum(rng.exponential(gap, n) * burst)
    policy = policy_of(
        "ray_serve",
        minimum=data.draw(st.integers(0, 1)),
        maximum=data.draw(st.sampled_from([1, 3, 8])),
        upscale_delay_s=data.draw(st.sampled_from([0.0, 0.3, 3.0, 12.0])),
        downscale_delay_s=data.draw(st.sampled_from([0.0, 5.0, 31.7])),
        downscale_to_zero_delay_s=data.draw(st.sampled_from([None, 0.0, 50.0])),
        upscaling_factor=data.draw(st.sampled_from([0.3, 1.0, 2.0])),
        downscaling_factor=data.draw(st.sampled_from([0.3, 1.0])),
        look_back_period_s=data.draw(st.sampled_from([1.0, 30.0])),
        metrics_interval_s=data.draw(st.sampled_from([1.0, 10.0])),
    )
    loop = dataclasses.replace(policy.clock, tick_s=0.1)
    plain = dataclasses.replace(policy, function=_PLAIN, clock=loop)
    shared = {
        "at": at,
        "service_s": rng.exponential(2.0, n),
        "lag_s": rng.exponential(data.draw(st.sampled_from([0.05, 4.0])), 7),
        "horizon_s": at[-1] + 120.0,
        "slots": 2,
    }
    assert changes(walk(policy, **shared)) == changes(walk(plain, **shared))


def test_a_burst_waits_for_the_push_and_for_thirty_seconds_of_agreement():
    # From 60 s on 10 requests are in hand: 0.1 s each, 100 a second. The push at 70 s averages
    # over 40 s .. 70 s: a third of them, 3.33, 2 replicas of 2. At 80 s 6.67 and 4, at 90 s 10
    # and 5. The count starts with the tick at 70 s, so the 301st falls on 100 s.
    at = arrivals((60.0, 0.0), (240.0, 100.0))
    policy = policy_of("ray_serve", minimum=1)
    assert changes(walk(policy, at, horizon_s=300.0)) == [(100.0, 1, 5)]


def test_a_lull_takes_ten_minutes_and_the_last_replica_goes_after_its_own_delay():
    at = arrivals((200.0, 100.0))
    policy = policy_of("ray_serve", initial=5, downscale_to_zero_delay_s=60.0)
    got = changes(walk(policy, at, horizon_s=1200.0))
    # The push at 210 s finds fewer; none asks for none but from exactly one: 5 to 1 at the
    # 6,001st tick. One to none: 60 s of agreement more.
    assert got == [(810.0, 5, 1), (870.1, 1, 0)]


def test_from_zero_a_request_asks_at_the_next_tick():
    at = np.array([33.33, 33.34, 33.35])
    policy = policy_of("ray_serve")
    assert changes(walk(policy, at, horizon_s=40.0, lag_s=100.0)) == [(33.4, 0, 1)]
    # The gain alone says how many.
    policy = policy_of("ray_serve", upscaling_factor=2.5)
    assert changes(walk(policy, at, horizon_s=40.0, lag_s=100.0)) == [(33.4, 0, 3)]


def test_a_flap_faster_than_the_delay_changes_nothing():
    # 20 s of load, 60 s of none, again and again: no push agrees with the next for 30 s.
    at = np.concatenate([t + arrivals((20.0, 30.0)) for t in np.arange(0.0, 800.0, 80.0)])
    policy = policy_of("ray_serve", minimum=1, look_back_period_s=10.0, upscale_delay_s=30.0)
    assert changes(walk(policy, at, horizon_s=800.0)) == []


@pytest.mark.parametrize(
    ("total", "running", "gain", "expected"),
    [
        (10.0, 1.0, 1.0, 5.0),
        (10.0, 4.0, 1.0, 5.0),
        (4.0, 4.0, 1.0, 2.0),
        (10.0, 1.0, 0.5, 3.0),  # 1 + (5 - 1) / 2
        # The plain ratio gives 9, the gain 9.9, rounded up to 10 again: one goes all the same.
        (18.0, 10.0, 0.1, 9.0),
        (20.0, 10.0, 0.1, 10.0),
        (1000.0, 1.0, 1.0, 50.0),
    ],
)
def test_replicas_for_the_requests_in_hand(total, running, gain, expected):
    p = PARAMS._replace(upscaling_factor=gain, downscaling_factor=gain)
    assert desired_replicas(p, total, running, 0.0, 50.0) == expected


@QUICK
@given(
    total=st.floats(0.0, 1e4),
    more=st.floats(0.0, 1e4),
    running=st.integers(1, 200),
    gain=st.floats(0.05, 3.0),
)
def test_replicas_keep_the_bounds_and_never_fall_as_requests_rise(total, more, running, gain):
    p = PARAMS._replace(upscaling_factor=gain, downscaling_factor=gain)
    low = desired_replicas(p, total, float(running), 2.0, 60.0)
    high = desired_replicas(p, total + more, float(running), 2.0, 60.0)
    assert 2.0 <= low <= high <= 60.0
