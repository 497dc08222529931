"""A trace on disk is replayed by its pages: the same result, and no more memory of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from modeler.scenario import Scenario, with_values
from modeler.study import replay
from traces import Trace, load
from traces.convert import write

ROOT = Path(__file__).parents[2]
SETTINGS = {"service": {"kind": "fixed", "mean_s": 0.05}, "fleet.max": 4}
# Memory that pages of a file do not count to, at its highest, sampled while a trace is replayed.
CODE = """
import json, sys, threading, time
from modeler.scenario import Scenario, with_values
from modeler.study import replay
from traces import load

def own():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("RssAnon"))

def watch():
    while True:
        peak.append(own())
        time.sleep(0.01)

peak = []
trace = load(sys.argv[1])
threading.Thread(target=watch, daemon=True).start()
done = replay(with_values(Scenario(), json.loads(sys.argv[2])), trace=trace)
print(json.dumps({"kib": max(peak), "requests": done.outcome.requests}))
"""


def made(requests: int) -> Trace:
    arrivals = np.cumsum(np.random.default_rng(3).exponential(0.05, requests))
    columns = {name: np.full(requests, 10.0) for name in ("prompt_tokens", "output_tokens")}
    return Trace(arrivals - arrivals[0], columns)


def test_a_trace_on_disk_gives_the_result_of_one_in_memory(tmp_path):
    trace = made(50_000)
    write(trace, tmp_path / "trace.npz")
    scenario = with_values(Scenario(), SETTINGS)
    here = replay(scenario, trace=trace).to_dict()
    there = replay(scenario, trace=load(tmp_path / "trace.npz")).to_dict()
    for result in (here, there):
        result["trace"].pop("source")  # a name
    # As text, in which a time that never came equals another.
    assert json.dumps(there, default=str) == json.dumps(here, default=str)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc to read memory from")
def test_memory_does_not_grow_with_the_trace(tmp_path):
    """Twenty times the requests, 92 MB more of arrivals and tokens: within a quarter of that.

    What does grow is the log of decisions, which is of the clock and not of the requests.
    """
    seen = []
    for requests in (200_000, 4_000_000):
        path = tmp_path / f"{requests}.npz"
        write(made(requests), path)
        ran = subprocess.run(
            [sys.executable, "-c", CODE, path, json.dumps(SETTINGS)],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        seen.append((path.stat().st_size, json.loads(ran.stdout)))
    (small, few), (large, many) = seen
    assert (few["requests"], many["requests"]) == (200_000, 4_000_000)
    assert 1024 * (many["kib"] - few["kib"]) < 0.25 * (large - small)
