"""The windows of a run add up to it: requests, misses by cause, and the bill to the last cent."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.measure import judge, unit_price
from modeler.measure.window import in_window, usd_in_window, violated
from modeler.replay.run import run
from modeler.scenario import loads, with_values
from modeler.study.presets import presets_of, with_preset
from traces import Trace

# Ten minutes of one request in 2 s, half an hour of two in a second, half an hour of one in 2 s.
ARRIVALS = np.concatenate(
    [np.arange(0.0, 600.0, 2.0), np.arange(600.0, 2400.0, 0.5), np.arange(2400.0, 4200.0, 2.0)]
)
SCENARIO = """
model: {size: 2GB}
service: {kind: fixed, mean_s: 0.9s}
cold_start: {total_s: 100s, sigma_log: 0}
fleet: {min: 1, max: 6, slots: 1}
"""
KINDS = {
    "sagemaker": {},
    "ec2": {"hosting.kind": "ec2_asg"},
    "spot": {
        "hosting.kind": "ec2_asg",
        "hosting.purchase": "spot",
        "hosting.usd_per_hour": 1.5,
        "weather": [{"kind": "spot_reclaim", "per_hour": 4}],
    },
    "karpenter": "hpa",
    "warm_pool": {"hosting.kind": "ec2_asg", "hosting.nodes": {"kind": "warm_pool"}},
    "lambda": "lambda",
}


@cache
def replayed(kind: str):
    scenario = loads(SCENARIO)
    chosen = KINDS[kind]
    if isinstance(chosen, str):
        scenario = with_preset(scenario, presets_of([chosen])[0])
    else:
        scenario = with_values(scenario, chosen)
    done = run(scenario, Trace(ARRIVALS), records=True)
    return done, unit_price(scenario), judge(done)


@pytest.mark.parametrize("kind", KINDS)
def test_one_window_over_everything_is_the_replay(kind):
    done, price, outcome = replayed(kind)
    whole = in_window(done, price, 0.0, math.inf)
    assert whole.requests == outcome.requests == len(ARRIVALS)
    assert whole.violations_by_cause == outcome.violations_by_cause
    assert int(violated(done).sum()) == sum(outcome.violations_by_cause.values())
    assert whole.usd == pytest.approx(outcome.usd_total, rel=1e-9)
    assert whole.peak_replicas == outcome.replicas["peak"]


@pytest.mark.parametrize("kind", KINDS)
@given(cuts=st.lists(st.floats(0.0, 6000.0), max_size=4))
@settings(max_examples=15, deadline=None)
def test_windows_add_up(kind, cuts):
    done, price, outcome = replayed(kind)
    parts = [in_window(done, price, *window) for window in pairwise([0.0, *sorted(cuts), math.inf])]
    assert sum(part.requests for part in parts) == outcome.requests
    for cause, count in outcome.violations_by_cause.items():
        assert sum(part.violations_by_cause[cause] for part in parts) == count
    usd = math.fsum(part.usd for part in parts)
    assert usd == pytest.approx(outcome.usd_total, rel=1e-9)
    assert max(part.peak_replicas for part in parts) == outcome.replicas["peak"]


def test_dollars_are_of_the_seconds_inside():
    scenario = with_values(
        loads(SCENARIO),
        {"policy.kind": "fixed", "policy.replicas": 3, "hosting.usd_per_hour": 36.0},
    )
    done = run(scenario, Trace(ARRIVALS), records=True)
    price = unit_price(scenario)
    # Three instances of a cent a second each.
    assert usd_in_window(done, price, 100.0, 150.5) == pytest.approx(3 * 0.01 * 50.5, rel=1e-12)


def test_a_queue_that_is_counted_by_hand():
    # Ten at once on one slot of 2 s: request k starts at 2 k, so 10 - 1 wait at first.
    scenario = with_values(
        loads(SCENARIO),
        {"policy.kind": "fixed", "policy.replicas": 1, "service.mean_s": "2s", "fleet.slots": 1},
    )
    done = run(scenario, Trace(np.zeros(10)), records=True)
    price = unit_price(scenario)
    assert in_window(done, price, 0.0, math.inf).peak_backlog == 9
    # From 5 s on 3, then requests 3 to 9 wait, of which the window [7, 8) sees 4 to 9.
    assert in_window(done, price, 5.0, math.inf).peak_backlog == 7
    later = in_window(done, price, 7.0, 8.0)
    assert (later.peak_backlog, later.requests, later.acted_s) == (6, 0, None)
    assert (later.ready_at_start, later.peak_replicas) == (1, 1)
