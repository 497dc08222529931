"""The bounds against a sweep line written out, and the timeline against the replicas' seconds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.measure import judge, timeline
from modeler.measure.bounds import walked, zero_wait
from modeler.replay import Work, run
from modeler.replay import layout as m
from modeler.scenario import default, with_values
from traces import Trace
from traces.draws import exponential

QUICK = settings(max_examples=200, deadline=None, derandomize=True)


def sweep_line(arrival, service, slots, minimum, maximum, until):
    """Replica-seconds and peak by looking at every stretch between two changes."""
    ends = arrival + service
    moments = sorted({0.0, until, *arrival.tolist(), *ends[ends < until].tolist()})
    held_s, peak = 0.0, minimum
    for left, right in pairwise(moments):
        busy = int(((arrival <= left) & (ends > left)).sum())
        held_s += min(max(-(-busy // slots), minimum), maximum) * (right - left)
    for at in arrival:
        busy = int(((arrival <= at) & (ends > at)).sum())
        peak = max(peak, min(max(-(-busy // slots), minimum), maximum))
    return held_s, peak


@QUICK
@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=60).map(sorted),
    st.integers(0, 2**32 - 1),
    st.integers(1, 4),
    st.integers(0, 2),
    st.integers(0, 10),
    st.integers(1, 60),
)
def test_zero_wait_is_the_occupancy_of_unlimited_servers(at, seed, slots, least, more, cut):
    arrival = np.array(at, dtype=float)
    service = np.random.default_rng(seed).integers(1, 40, len(at)).astype(float)
    until = float(arrival[-1] + 25)
    maximum = max(least + more, 1)
    parts = [slice(k, k + cut) for k in range(0, len(at), cut)]
    walk = walked(
        [Work(p.start, arrival[p], service[p], service[p]) for p in parts],
        slots=slots,
        minimum=least,
        maximum=maximum,
    )
    got = zero_wait(walk, until_s=until)
    held_s, peak = sweep_line(arrival, service, slots, least, maximum, until)
    assert got.replica_s == pytest.approx(held_s, rel=1e-12)
    assert got.peak_replicas == peak


def test_zero_wait_holds_more_at_once_than_its_first_table():
    arrival, service = np.zeros(5000), np.arange(1.0, 5001.0)
    walk = walked([Work(0, arrival, service, service)], slots=1, minimum=0, maximum=9999)
    got = zero_wait(walk, until_s=1e9)
    assert got == (5000 * 5001 / 2, 5000)


def busy_run(**values):
    gaps = exponential(1, "gap", 0, 2000) * np.repeat([3.0, 0.3, 3.0, 0.5], 500)
    arrival = np.cumsum(gaps)
    scenario = with_values(
        with_values(default(), {"sweep": {}}),
        {
            "service.kind": "exponential",
            "service.mean_s": 2.0,
            "hosting.usd_per_hour": 3.6,
            "cold_start.total_s": 90,
            "policy.low_datapoints": 3,
            "policy.scale_in_cooldown_s": 0,
            **values,
        },
    )
    return run(scenario, Trace(arrival - arrival[0]), records=True)


def test_the_bounds_stand_where_they_should():
    done = busy_run()
    outcome = judge(done)
    bounds = outcome.bounds
    busy_h = done.result.busy_slot_s / 3600
    assert bounds["work_bound"]["usd_total"] == pytest.approx(3.6 * busy_h, rel=1e-12)
    assert bounds["work_bound"]["usd_total"] <= bounds["zero_wait"]["usd_total"]
    assert bounds["work_bound"]["usd_total"] <= outcome.usd_total


@pytest.mark.parametrize("bin_s", [None, 7.0, 100.0])
def test_the_timeline_integrates_to_the_replicas_seconds(bin_s):
    done = busy_run()
    shown = timeline(done, bin_s=bin_s)
    table = done.result.replicas
    stop = table[:, m.STOP_S]
    ready = np.minimum(table[:, m.READY_S], stop)
    drain = np.minimum(table[:, m.DRAIN_S], stop)
    assert done.result.decisions
    expected = {
        "ready": (drain - np.minimum(ready, drain)).sum(),
        "pending": (ready - table[:, m.REQUESTED_S]).sum(),
        "draining": (stop - np.maximum(drain, ready)).sum(),
        "arrivals_rps": done.result.requests,
    }
    for name, seconds in expected.items():
        total = sum(shown[name]) * shown["bin_s"]
        assert total == pytest.approx(seconds, rel=1e-9, abs=1e-6), name
        assert min(shown[name]) >= -1e-9
    assert len(shown["t_s"]) <= 600 or bin_s is not None


def test_mean_and_peak_of_the_fleet():
    done = busy_run()
    shown = judge(done).replicas
    times = np.linspace(0.0, done.result.end_s, 20_001)[:-1] + 1e-6
    table = done.result.replicas
    out = np.minimum(table[:, m.DRAIN_S], table[:, m.STOP_S])
    ready = [int(((table[:, m.READY_S] <= t) & (out > t)).sum()) for t in times]
    # Sampled at 20,000 instants: a replica's edges are seen to one in 20,000 of the run.
    assert shown["mean"] == pytest.approx(np.mean(ready), rel=1e-3)
    assert shown["peak"] == max(ready)
    assert shown["started"] == len(table) - 1


def test_quantiles_of_latency_and_wait_are_those_of_the_records():
    done = busy_run()
    outcome = judge(done)
    served = done.result.record[:, 0] == m.SERVED
    start, end = done.result.record_s[served].T
    arrival = done.trace.arrival_s[served]
    for shown, values in ((outcome.latency_s, end - arrival), (outcome.wait_s, start - arrival)):
        assert shown["mean"] == pytest.approx(values.mean(), rel=1e-9)
        for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
            expected = np.quantile(values, q, method="inverted_cdf")
            assert shown[name] == pytest.approx(expected, rel=shown["relative_error"])
    assert outcome.wait_s["share_waited"] == np.mean(start > arrival)
