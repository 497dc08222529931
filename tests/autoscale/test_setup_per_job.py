"""Set-up per waiting job against the published M/M/c/setup queue."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from modeler.autoscale import setup_per_job
from modeler.replay import Limits, Work, simulate
from traces.draws import exponential

REPLICATIONS = 30


def sojourn(servers: int, arrival_rate: float, service_rate: float, setup_s: float, n: int):
    """Mean time in the system and the half-width of its 99.9 % interval (Student's t). [s]"""
    means = []
    for seed in range(REPLICATIONS):
        arrival = np.cumsum(exponential(seed, "gap", 0, n)) / arrival_rate
        service = exponential(seed, "service", 0, n) / service_rate

        def draws(first, count, seed=seed):
            ready = exponential(seed, "cold_start", first, count) * setup_s
            return ready, ready

        result = simulate(
            setup_per_job.build(servers),
            [Work(0, arrival, service, service)],
            Limits(),
            draws=draws,
            horizon_s=0.0,
            records=n,
        )
        warm = n // 10  # from an empty system; over by far after a tenth of the arrivals
        means.append((result.record_s[warm:, 1] - arrival[warm:]).mean())
    half = stats.t.ppf(0.9995, REPLICATIONS - 1) * np.std(means, ddof=1) / math.sqrt(REPLICATIONS)
    return float(np.mean(means)), float(half)


@pytest.mark.parametrize("setup_s", [0.5, 5.0])
def test_one_server_with_setup(setup_s):
    # M/M/1 with exponential set-up: E[T] = 1 / (mu - lambda) + 1 / alpha (Welch, "On a generalized
    # M/G/1 queueing process ...", Operations Research 12, 1964).
    got, half = sojourn(1, 0.5, 1.0, setup_s, 10_000)
    expected = 1.0 / (1.0 - 0.5) + setup_s
    assert half < 0.05 * expected
    assert got == pytest.approx(expected, abs=half)


def test_two_servers_with_setup():
    # Gandhi, Harchol-Balter and Adan, "Server farms with setup costs", Performance Evaluation 67,
    # 2010: c = 2, lambda = 1.5, mu = 1, mean set-up 20 give E[T] = 14.677.
    got, half = sojourn(2, 1.5, 1.0, 20.0, 30_000)
    assert half < 0.05 * 14.677
    assert got == pytest.approx(14.677, abs=half)


def test_by_hand():
    # At 0 a first replica is asked for, ready at 10; at 4 a second, ready at 14. At 10 the first
    # request starts, one is busy and one waits: two stay wanted. At 12 the second request starts on
    # the same replica, and the set-up under way is cancelled. At 14 all are idle and stop.
    arrival = np.array([0.0, 4.0])
    service = np.array([2.0, 2.0])
    ready = np.array([10.0, 10.0])
    result = simulate(
        setup_per_job.build(2),
        [Work(0, arrival, service, service)],
        Limits(),
        draws=lambda first, count: (np.resize(ready, count), np.resize(ready, count)),
        horizon_s=20.0,
        records=2,
    )
    assert result.record_s.tolist() == [[10.0, 12.0], [12.0, 14.0]]
    assert result.replicas[:, 4].tolist() == [14.0, 12.0]
    assert [(d.time_s, d.from_replicas, d.to_replicas) for d in result.decisions] == [
        (0.0, 0, 1),
        (4.0, 1, 2),
        (12.0, 2, 1),
        (14.0, 1, 0),
    ]
