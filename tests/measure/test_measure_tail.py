"""Clock and bill after the trace: the scale-in tail is decided and billed when asked for."""

from __future__ import annotations

import numpy as np
import pytest

from modeler.scenario import default, with_values
from modeler.study import replay
from traces import Trace


def test_a_tail_brings_the_scale_in_970_s_after_the_load_and_its_bill():
    # 20 requests a second for an hour from a minute boundary, 1 replica tracking 300 a minute.
    arrivals = np.arange(0.0, 3600.0, 0.05)
    trace = Trace(arrivals, {"service_s": np.full(len(arrivals), 0.1)})
    values = {
        "sweep": {},
        "policy.target": 300,
        "fleet.initial": 4,
        "fleet.max": 4,
        "cold_start.total_s": 60,
    }
    short = replay(with_values(default(), values), trace=trace)
    assert all(row["to_replicas"] >= row["from_replicas"] for row in short.decisions)
    long = replay(with_values(default(), {**values, "fleet.tail_s": "30m"}), trace=trace)
    scale_in = next(row for row in long.decisions if row["to_replicas"] < row["from_replicas"])
    # The load's last minute ends at 3,600 s; 15 x 60 + 60 + 10 s later the low alarm acts.
    assert scale_in["time_s"] == 3600.0 + 970.0
    # Four replicas until then, three of them held for 600 s more, one to the end of the tail.
    end_s = trace.duration_s + 1800.0
    held_s = 3 * (4570.0 + 600.0) + end_s
    assert scale_in["released_s"] == 4570.0 + 600.0
    assert long.outcome.duration_s == end_s
    billed = sum(line.quantity for line in long.outcome.cost_lines) * 3600.0
    assert abs(billed - held_s) <= 4.0  # each life is billed in whole seconds
    at_once = replay(
        with_values(default(), {**values, "fleet.tail_s": "30m", "hosting.release_s": 0}),
        trace=trace,
    )
    less = long.outcome.usd_total - at_once.outcome.usd_total
    assert less == pytest.approx(3 * 600.0 * 1.515 / 3600.0, rel=1e-9)
