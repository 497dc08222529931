"""Peak memory of a replay of 10 million requests beside one of 10 thousand, a process each."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

LARGE, SMALL = 10_000_000, 10_000
ARRAYS_BYTES = 2 * 8 * LARGE  # arrivals and service times, float64
ALLOWED_BYTES = 32_000_000


def replay_once(requests: int) -> None:
    """Replay a trace with its own service times through the public path; print the peak."""
    from benchmarks.load import swinging
    from modeler.measure import judge
    from modeler.replay import run
    from modeler.scenario import default, with_values
    from traces import Trace

    arrival_s, service_s = swinging(requests, slots=10)
    trace = Trace(arrival_s, {"service_s": service_s})
    judge(run(with_values(default(), {"fleet.max": 40}), trace))
    print(_peak_bytes())


def _peak_bytes() -> int:
    """Largest resident size of this process; getrusage would count its parent's, too. [bytes]"""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def compare() -> dict[str, int]:
    """Bytes over the small run's peak, less the trace's arrays, beside what is allowed."""
    peaks = [
        int(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.memory", str(requests)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
        )
        for requests in (SMALL, SMALL, LARGE)  # the first may have to compile
    ]
    return {
        "peak_small_bytes": peaks[1],
        "peak_large_bytes": peaks[2],
        "arrays_bytes": ARRAYS_BYTES,
        "beyond_bytes": peaks[2] - peaks[1] - ARRAYS_BYTES,
        "allowed_bytes": ALLOWED_BYTES,
    }


if __name__ == "__main__":
    replay_once(int(sys.argv[1]))
