"""SimPy, Ciw and the replay on one M/M/10 at rho 0.8."""

from __future__ import annotations

import random

import ciw
import numpy as np
import simpy

from benchmarks.engine import cpu_s
from modeler.autoscale import fixed
from modeler.replay.simulate import Limits, Work, simulate
from traces.draws import exponential

SERVERS, RATE, MEAN_S = 10, 8.0, 1.0


def with_simpy(requests: int) -> float:
    """Mean wait by SimPy. [s]"""
    source = random.Random(0)
    env = simpy.Environment()
    servers = simpy.Resource(env, capacity=SERVERS)
    waited = 0.0

    def request():
        nonlocal waited
        arrived = env.now
        with servers.request() as slot:
            yield slot
            waited += env.now - arrived
            yield env.timeout(source.expovariate(1.0 / MEAN_S))

    def arrivals():
        for _ in range(requests):
            env.process(request())
            yield env.timeout(source.expovariate(RATE))

    env.process(arrivals())
    env.run()
    return waited / requests


def with_ciw(requests: int) -> float:
    """Mean wait by Ciw. [s]"""
    ciw.seed(0)
    network = ciw.create_network(
        arrival_distributions=[ciw.dists.Exponential(rate=RATE)],
        service_distributions=[ciw.dists.Exponential(rate=1.0 / MEAN_S)],
        number_of_servers=[SERVERS],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_customers(requests, method="Finish")
    return float(np.mean([record.waiting_time for record in simulation.get_all_records()]))


def with_replay(requests: int) -> float:
    """Mean wait by the replay, its draws included. [s]"""

    def chunks():
        clock = 0.0
        size = 65_536
        for first in range(0, requests, size):
            count = min(size, requests - first)
            arrival_s = clock + np.cumsum(exponential(0, "arrivals", first, count)) / RATE
            service_s = MEAN_S * exponential(0, "service", first, count)
            clock = arrival_s[-1]
            yield Work(first, arrival_s, service_s, service_s)

    result = simulate(
        fixed.build(SERVERS),
        chunks(),
        Limits(),
        draws=lambda first, count: (np.zeros(count), np.zeros(count)),
        horizon_s=0.0,
    )
    return result.wait_sum_s / result.served


def compare() -> list[dict[str, float | str]]:
    """Requests per CPU second and the mean wait of each; Erlang C gives 0.2046 s."""
    rows = []
    with_replay(1000)
    for name, run, requests in (
        ("SimPy", with_simpy, 100_000),
        ("Ciw", with_ciw, 40_000),
        ("modeler", with_replay, 4_000_000),
    ):
        spent = min(cpu_s(lambda r=run, n=requests: r(n)) for _ in range(3))
        rows.append(
            {"who": name, "requests_per_cpu_s": requests / spent, "mean_wait_s": run(requests)}
        )
    return rows
