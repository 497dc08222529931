"""A policy that asks to be woken only from zero, or only for requests that wait, misses nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from fleets import policy_of
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.autoscale import cloud_run, knative, ray_serve
from modeler.autoscale.observation import ARRIVAL, DESIRED, NOTHING, QUEUED, SIGNATURE
from modeler.compiled import entry, kernel
from modeler.replay import Limits, Work, simulate

QUICK = settings(max_examples=25, deadline=None, derandomize=True)


@kernel(SIGNATURE)
def _knative(event, obs, params, state, out):
    if event == ARRIVAL and obs[DESIRED] > 0.0:
        return NOTHING
    return knative.decide(event, obs, params, state, out)


@kernel(SIGNATURE)
def _ray_serve(event, obs, params, state, out):
    if event == ARRIVAL and obs[DESIRED] > 0.0:
        return NOTHING
    return ray_serve.decide(event, obs, params, state, out)


@kernel(SIGNATURE)
def _cloud_run(event, obs, params, state, out):
    if event == ARRIVAL and obs[QUEUED] == 0.0:
        return NOTHING
    return cloud_run.decide(event, obs, params, state, out)


_EVERY_ARRIVAL = {
    "knative_kpa": entry(SIGNATURE, _knative),
    "ray_serve": entry(SIGNATURE, _ray_serve),
    "cloud_run": entry(SIGNATURE, _cloud_run),
}


@pytest.mark.parametrize("kind", list(_EVERY_ARRIVAL))
@QUICK
@given(data=st.data())
def test_as_if_asked_at_every_arrival(kind, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n = data.draw(st.integers(1, 100))
    at = np.cumsum(rng.exponential(0.5, n) * rng.choice([1.0, 1.0, 1.0, 1.0, 200.0], n))
    service = rng.exponential(1.0, n)
    ready = rng.exponential(5.0, 8)
    more = {"downscale_delay_s": 20.0} if kind == "ray_serve" else {}
    policy = policy_of(kind, maximum=6, slots=2, **more)
    cut = data.draw(st.integers(0, n))

    def run(which):
        chunks = [
            Work(a, at[a:b], service[a:b], service[a:b]) for a, b in ((0, cut), (cut, n)) if b > a
        ]
        return simulate(
            which,
            chunks,
            Limits(slots=2),
            draws=lambda first, count: (
                np.zeros(count),
                ready[np.arange(first, first + count) % len(ready)],
            ),
            horizon_s=at[-1] + 100.0,
            records=n,
        )

    few = run(policy)
    all_of_them = run(dataclasses.replace(policy, function=_EVERY_ARRIVAL[kind], hooks=ARRIVAL))
    assert [d[:4] for d in few.decisions] == [d[:4] for d in all_of_them.decisions]
    assert few.record_s.tolist() == all_of_them.record_s.tolist()
    assert few.replicas.tolist() == all_of_them.replicas.tolist()
