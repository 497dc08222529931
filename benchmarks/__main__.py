"""Run all benchmarks and print the ratios: ``python -m benchmarks``."""

from __future__ import annotations

from benchmarks import (
    batching,
    engine,
    memory,
    peers,
    per_request,
    policies,
    reading,
    simfaas_peer,
    sweeping,
)


def main() -> None:
    """Print what the replay reaches beside what it is held to."""
    print("replay with target tracking beside the bare loop (requests per CPU second)")
    for row in engine.compare():
        print(
            f"  {row['slots']:5.0f} slots   bare {row['bare_requests_per_cpu_s'] / 1e6:5.1f} M"
            f"   replay {row['replay_requests_per_cpu_s'] / 1e6:5.1f} M"
            f"   ratio {row['ratio']:.2f} (at least {row['goal']})"
            f"   capacity {row['capacity_low']}..{row['capacity_high']}"
            f"   waited {100 * row['share_waited']:.1f} %"
        )
    print("a day of 100,000 requests, a control loop every 15 s, beside the fixed fleet")
    for row in policies.compare():
        print(
            f"  {row['policy']:24} {1e3 * row['cpu_s']:6.1f} CPU ms   {row['ratio']:.2f} times"
            f" (at most {policies.GOAL:g})"
        )
    print(f"drawing service times alone: {engine.drawing() / 1e6:.1f} M a CPU second")
    print("M/M/10 at rho 0.8 (Erlang C: mean wait 0.2046 s)")
    rows = peers.compare()
    for row in rows:
        print(
            f"  {row['who']:8} {row['requests_per_cpu_s']:12,.0f} requests per CPU second"
            f"   mean wait {row['mean_wait_s']:.4f} s"
        )
    fastest = max(row["requests_per_cpu_s"] for row in rows[:-1])
    ratio = rows[-1]["requests_per_cpu_s"] / fastest
    print(f"  {ratio:.0f} times the faster peer (at least 100)")
    per_request.main()
    simfaas_peer.main()
    batches = batching.compare()
    print(
        "continuous batching, an 8B model on eight A10G:"
        f" {batches['requests_per_cpu_s'] / 1e3:,.0f} k requests per CPU second"
        f" (at least {batching.GOAL_PER_CPU_S / 1e3:,.0f} k; Vidur 0.26 k),"
        f" {batches['ratio']:,.0f} times a simulator of every step in plain Python"
    )
    room = memory.compare()
    print(
        f"memory: 10 M requests take {room['beyond_bytes'] / 1e6:.1f} MB beyond the trace's arrays"
        f" (at most {room['allowed_bytes'] / 1e6:.0f})"
    )
    reading.main()
    sweeping.main()


if __name__ == "__main__":
    main()
