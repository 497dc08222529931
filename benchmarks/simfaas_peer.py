"""SimFaaS 0.2.2 and the replay on the same function: what both find, and how fast.

Both start empty and run to the same horizon, again and again on draws of their own, so that no
warm-up has to be agreed upon. Of each quantity: mean over the replications with its 99 % Student t
interval, and whether the difference lies within both intervals together (root of the sum of their
squares; with 18 comparisons about one in five runs shows one that does not).
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit
from simfaas.ServerlessSimulator import ServerlessSimulator

from benchmarks.engine import cpu_s
from modeler.autoscale.keep_alive import fixed
from modeler.replay.per_request import Capacity, simulate
from modeler.replay.simulate import Limits, Work
from traces.draws import exponential

WARM_S, COLD_S = 1.991, 2.244
_CONFIDENCE = 0.99
_CHUNK = 65_536
_QUANTITIES = ("cold_start_probability", "mean_running", "mean_idle")


class Scene(NamedTuple):
    """A function under load: requests a second, keep-alive [s], cap, and how long, how often."""

    name: str
    rate: float
    keep_s: float
    cap: int
    horizon_s: float
    peer_runs: int
    our_runs: int
    least_ratio: float | None = None


SCENES = (
    Scene("its own defaults", 0.9, 600.0, 1000, 20_000.0, 8, 200, 100.0),
    Scene("kept 10 s", 0.9, 10.0, 1000, 20_000.0, 8, 200),
    Scene("kept 60 s", 0.9, 60.0, 1000, 20_000.0, 8, 200),
    Scene("a cap of 3", 0.9, 600.0, 3, 20_000.0, 8, 200),
    Scene("sparse", 0.002, 600.0, 1000, 1_500_000.0, 8, 200),
    Scene("about 240 instances", 100.0, 600.0, 1000, 250.0, 8, 60, 1000.0),
)


def with_simfaas(scene: Scene, seed: int) -> tuple[np.ndarray, int]:
    """One run of the peer: the three quantities, and its requests."""
    np.random.seed(seed)
    sim = ServerlessSimulator(
        arrival_rate=scene.rate,
        warm_service_rate=1.0 / WARM_S,
        cold_service_rate=1.0 / COLD_S,
        expiration_threshold=scene.keep_s,
        max_time=scene.horizon_s,
        maximum_concurrency=scene.cap,
    )
    sim.generate_trace(debug_print=False, progress=False)
    found = (
        sim.get_cold_start_prob(),
        sim.get_average_server_running_count(),
        sim.get_average_server_idle_count(),
    )
    return np.array(found), sim.total_req_count


def with_replay(scene: Scene, seed: int, requests: int) -> tuple[np.ndarray, int]:
    """One run of ours, its draws included, to the last of so many arrivals."""

    def chunks():
        clock = 0.0
        for first in range(0, requests, _CHUNK):
            count = min(_CHUNK, requests - first)
            arrival_s = exponential(seed, "gap", first, count)
            arrival_s /= scene.rate
            arrival_s[0] += clock
            np.cumsum(arrival_s, out=arrival_s)
            clock = float(arrival_s[-1])
            service_s = exponential(seed, "warm", first, count)
            service_s *= WARM_S
            yield Work(first, arrival_s, service_s, service_s)

    def draws(first: int, count: int):
        nothing = np.zeros(count)
        return nothing, nothing, COLD_S * exponential(seed, "cold", first, count)

    result = simulate(
        chunks(),
        Limits(),
        fixed(scene.keep_s),
        draws=draws,
        horizon_s=0.0,
        capacity=Capacity(cap=scene.cap),
        rows=False,
        marks=(requests,),
    )
    (seen,) = result.totals
    found = (seen.cold / seen.requests, seen.running_s / seen.time_s, seen.idle_s / seen.time_s)
    return np.array(found), requests


def _interval(runs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Means, and half-widths of their 99 % intervals."""
    table = np.array(runs)
    spread = table.std(axis=0, ddof=1) / math.sqrt(len(table))
    return table.mean(axis=0), stdtrit(len(table) - 1, 0.5 + _CONFIDENCE / 2.0) * spread


def compare(scenes: tuple[Scene, ...] = SCENES) -> list[dict[str, object]]:
    """Both tools on every scene: quantities with intervals, agreement, and the ratio of speeds."""
    with_replay(SCENES[0], 0, 1000)
    rows = []
    for scene in scenes:
        peers, ours = [], []
        started, served = time.process_time(), 0
        for seed in range(scene.peer_runs):
            found, count = with_simfaas(scene, seed)
            peers.append(found)
            served += count
        peer_per_s = served / (time.process_time() - started)
        requests = round(scene.rate * scene.horizon_s)
        for seed in range(scene.our_runs):
            ours.append(with_replay(scene, seed, requests)[0])
        # One longer run for the speed, as one does with a tool that is fast enough.
        long = 2_000_000
        ours_per_s = long / min(cpu_s(lambda s=scene, n=long: with_replay(s, 0, n)) for _ in "abc")
        (peer_mean, peer_half), (our_mean, our_half) = _interval(peers), _interval(ours)
        rows.append(
            {
                "scene": scene.name,
                "quantities": {
                    name: {
                        "simfaas": (float(peer_mean[k]), float(peer_half[k])),
                        "modeler": (float(our_mean[k]), float(our_half[k])),
                        "agree": bool(
                            abs(peer_mean[k] - our_mean[k]) <= math.hypot(peer_half[k], our_half[k])
                        ),
                    }
                    for k, name in enumerate(_QUANTITIES)
                },
                "simfaas_requests_per_cpu_s": peer_per_s,
                "modeler_requests_per_cpu_s": ours_per_s,
                "ratio": ours_per_s / peer_per_s,
                "goal": scene.least_ratio,
            }
        )
    return rows


def main() -> None:
    """Print both tools side by side."""
    print(
        f"SimFaaS 0.2.2 and the replay: warm {WARM_S} s, cold {COLD_S} s as the whole response, "
        "exponential; 99 % intervals"
    )
    for row in compare():
        goal = f" (at least {row['goal']:,.0f})" if row["goal"] else ""
        print(
            f"  {row['scene']}: {row['simfaas_requests_per_cpu_s']:,.0f} and "
            f"{row['modeler_requests_per_cpu_s']:,.0f} requests per CPU second, "
            f"ratio {row['ratio']:,.0f}{goal}"
        )
        for name, both in row["quantities"].items():
            theirs, ours = both["simfaas"], both["modeler"]
            print(
                f"    {name:24} {theirs[0]:9.5f} ± {theirs[1]:.5f}   {ours[0]:9.5f} ± "
                f"{ours[1]:.5f}   {'agree' if both['agree'] else 'DIFFER'}"
            )


if __name__ == "__main__":
    main()
