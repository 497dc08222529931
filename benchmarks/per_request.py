"""Scale per request beside a bare loop of the same semantics, same arrivals and service times."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from benchmarks.bare import bare_environments
from benchmarks.engine import cpu_s
from modeler.autoscale.keep_alive import fixed
from modeler.replay.per_request import Capacity, simulate
from modeler.replay.result import Result
from modeler.replay.simulate import Limits, Work
from traces.draws import exponential

WARM_S, COLD_S = 1.991, 2.244
_CAP = 1000
_ROUNDS = 7
_CHUNK = 1 << 20


class Load(NamedTuple):
    """Poisson arrivals at a rate, how long an idle environment is kept, and the ratio to reach."""

    rate: float
    keep_s: float
    goal: float | None = None


LOADS = (Load(0.9, 600.0, 0.7), Load(100.0, 600.0, 0.7), Load(0.9, 60.0), Load(0.9, 10.0))


def replayed(
    arrival_s: np.ndarray, warm_s: np.ndarray, cold_s: np.ndarray, keep_s: float
) -> Result:
    """One replay: causes, quantiles and billed milliseconds on; records and rows off."""

    def draws(first: int, count: int):
        nothing = np.zeros(count)
        return nothing, nothing, cold_s[np.arange(first, first + count) % len(cold_s)]

    chunks = (
        Work(k, arrival_s[k : k + _CHUNK], warm_s[k : k + _CHUNK], warm_s[k : k + _CHUNK])
        for k in range(0, len(arrival_s), _CHUNK)
    )
    return simulate(
        chunks,
        Limits(threshold_s=5.0, client_timeout_s=60.0),
        fixed(keep_s),
        draws=draws,
        horizon_s=float(arrival_s[-1]),
        capacity=Capacity(cap=_CAP),
        rows=False,
    )


def compare(requests: int = 4_000_000) -> list[dict[str, float | None]]:
    """Requests per CPU second of both, alternating, and the median of the ratios pair by pair."""
    rows = []
    gaps = exponential(0, "arrivals", 0, requests)
    warm_s = WARM_S * exponential(0, "warm", 0, requests)
    cold_s = COLD_S * exponential(0, "cold", 0, requests)
    for load in LOADS:
        arrival_s = np.cumsum(gaps) / load.rate
        bare_environments(arrival_s[:1000], warm_s, cold_s, load.keep_s, _CAP)
        replayed(arrival_s[:1000], warm_s[:1000], cold_s, load.keep_s)
        pairs = []
        for _ in range(_ROUNDS):
            bare = cpu_s(
                lambda a=arrival_s, k=load.keep_s: bare_environments(a, warm_s, cold_s, k, _CAP)
            )
            ours = cpu_s(lambda a=arrival_s, k=load.keep_s: replayed(a, warm_s, cold_s, k))
            pairs.append((bare, ours))
        result = replayed(arrival_s, warm_s, cold_s, load.keep_s)
        counts = result.environments
        assert counts is not None
        cold, _, busy_s, _ = bare_environments(arrival_s, warm_s, cold_s, load.keep_s, _CAP)
        assert cold == counts.cold
        assert busy_s == result.busy_slot_s
        bare_s, ours_s = (float(np.median(column)) for column in zip(*pairs, strict=True))
        rows.append(
            {
                "rate_rps": load.rate,
                "keep_alive_s": load.keep_s,
                "environments": (counts.running_s + counts.idle_s) / result.end_s,
                "bare_requests_per_cpu_s": requests / bare_s,
                "replay_requests_per_cpu_s": requests / ours_s,
                "ratio": float(np.median([bare / ours for bare, ours in pairs])),
                "goal": load.goal,
            }
        )
    return rows


def main() -> None:
    """Print what the replay reaches beside what it is held to."""
    print("scale per request beside the bare loop (requests per CPU second)")
    for row in compare():
        goal = f" (at least {row['goal']})" if row["goal"] else ""
        print(
            f"  {row['rate_rps']:5.1f}/s kept {row['keep_alive_s']:3.0f} s"
            f"   {row['environments']:5.1f} environments"
            f"   bare {row['bare_requests_per_cpu_s'] / 1e6:5.1f} M"
            f"   replay {row['replay_requests_per_cpu_s'] / 1e6:5.1f} M"
            f"   ratio {row['ratio']:.2f}{goal}"
        )


if __name__ == "__main__":
    main()
