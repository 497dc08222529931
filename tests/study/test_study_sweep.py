"""The sweep: grid, failed rows, workers, references, interruption."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

import numpy as np
import pytest

from modeler.scenario import ScenarioError, default, with_values
from modeler.study import Interrupted, sweep
from modeler.study.grid import grid
from traces import Trace
from traces.draws import exponential

SIZES = ["250MB", "1GB", "4GB", "8GB", "16GB"]


def tokens(requests: int = 1500, gap_s: float = 1.0) -> Trace:
    arrival = np.cumsum(exponential(4, "gap", 0, requests)) * gap_s
    prompt = np.ceil(200 * exponential(4, "prompt", 0, requests))
    output = np.ceil(100 * exponential(4, "output", 0, requests))
    return Trace(arrival - arrival[0], {"prompt_tokens": prompt, "output_tokens": output})


def base(**values):
    return with_values(with_values(default(), {"sweep": {}}), values)


# --- the grid ---


def test_model_size_varies_slowest_and_values_are_shown_as_held():
    points = grid(base(), sizes=["1GB", "2GB"], settings={"policy.target": [4, 6, 8]})
    assert [tuple(p.settings.values()) for p in points] == [
        (size, target) for size in (10**9, 2 * 10**9) for target in (4.0, 6.0, 8.0)
    ]
    assert [list(p.settings) for p in points] == [["model.size", "policy.target"]] * 6
    for point in points:
        assert point.scenario.model.size == point.settings["model.size"]
        assert point.scenario.policy.target == point.settings["policy.target"]


def test_what_is_asked_for_replaces_the_scenarios_own_sweep():
    scenario = with_values(base(), {"sweep": {"model.size": ["1GB", "4GB"], "fleet.max": [5, 10]}})
    assert len(grid(scenario)) == 4
    # A single value pins.
    points = grid(scenario, settings={"fleet.max": [7]})
    assert [(p.scenario.model.size, p.scenario.fleet.max) for p in points] == [
        (10**9, 7),
        (4 * 10**9, 7),
    ]
    [point] = grid(scenario, sizes=["3GB"], settings={"fleet.max": [7]})
    assert point.settings == {"fleet.max": 7, "model.size": 3 * 10**9}
    # A point is a scenario that sweeps nothing.
    assert not point.scenario.sweep


def test_a_path_that_does_not_exist_is_refused():
    with pytest.raises(ScenarioError, match="policy.target"):
        grid(base(), settings={"policy.targets": [4]})


# --- rows ---


def test_a_model_that_does_not_fit_keeps_its_row_with_the_reason():
    result = sweep(base(), sizes=[*SIZES, "40GB"], trace=tokens())
    assert [row["size_bytes"] for row in result.rows] == [
        250_000_000,
        *(n * 10**9 for n in (1, 4, 8, 16, 40)),
    ]
    *fine, failed = result.rows
    assert [row["status"] for row in fine] == ["ok"] * 5
    assert failed["status"] == "failed"
    assert failed["usd_total"] is None
    assert "40" in failed["error"]
    assert "ml.g5.2xlarge" in failed["error"]
    assert failed["error_kind"] == "ModelDoesNotFit"
    assert result.failed == 1
    assert not failed["pareto"]
    assert "1 scenario could not be replayed" in result.verdict
    # More bytes take longer to start and cost no less than the work at their price.
    lags = [row["decision_to_ready_s"]["p50"] for row in fine]
    assert lags == sorted(lags)
    assert len(set(lags)) == len(lags)
    for row in fine:
        assert row["usd_total"] == pytest.approx(
            sum(line["amount_usd"] for line in row["cost_lines"]), rel=1e-12
        )
        assert row["usd_total"] >= row["bounds"]["work_bound"]["usd_total"]
        assert row["prices"][0]["as_of"]
        assert row["prices"][0]["source"]
        assert row["requests"] == 1500
    # Rows need not have all the keys of another, but those of the contract.
    for key in ("scenario_id", "settings", "cost_lines", "prices", "bounds", "seed", "pareto"):
        assert all(key in row for row in result.rows)


def test_every_scenario_sees_the_same_requests_and_cold_starts():
    result = sweep(
        base(**{"service.kind": "lognormal", "service.mean_s": 1.0, "service.cv": 2.0}),
        settings={"policy.target_utilisation": [0.4, 0.9]},
        trace=tokens(),
        references=False,
    )
    busy = [row["bounds"]["work_bound"]["usd_total"] for row in result.rows]
    assert busy[0] == pytest.approx(busy[1], rel=1e-12)


def test_the_same_bytes_on_a_second_run_and_with_two_workers():
    def text(workers: int) -> str:
        result = sweep(
            base(),
            sizes=[*SIZES, "40GB"],
            settings={"policy.target_utilisation": [0.5, 0.8]},
            trace=tokens(),
            workers=workers,
        )
        return json.dumps(result.to_dict(), allow_nan=False)

    first = text(1)
    assert text(1) == first
    assert text(2) == first


def test_the_reference_is_the_smallest_fixed_fleet_that_keeps_the_level():
    scenario = base(
        **{
            "service.kind": "exponential",
            "service.mean_s": 2.0,
            "sla.threshold_s": 20.0,
            "fleet.slots": 1,
            "fleet.max": 9,
            "hosting.usd_per_hour": 1.0,
        }
    )
    trace = tokens(gap_s=0.5)
    result = sweep(scenario, trace=trace)
    [reference] = result.references
    kept = []
    for replicas in range(1, 10):
        fixed = {"policy.kind": "fixed", "policy.replicas": replicas}
        [row] = sweep(with_values(scenario, fixed), trace=trace).rows
        if row["meets_sla"]:
            kept.append(replicas)
    assert 1 < min(kept) < 9
    assert kept == list(range(min(kept), 10))
    assert reference["label"] == f"fixed {min(kept)}"
    assert reference["policy"] == "fixed"
    assert reference["meets_sla"]


def test_progress_counts_to_the_end():
    seen = []
    sweep(base(), sizes=["1GB", "2GB"], trace=tokens(100), progress=seen.append)
    last = seen[-1]
    assert last.scenarios == last.scenarios_total == 4  # two sizes, a fixed fleet for each
    assert last.requests == last.requests_total == 400
    requests = [status.requests for status in seen]
    assert all(0 <= n <= 400 for n in requests)


@pytest.fixture
def ctrl_c():
    """Ctrl-C as a terminal has it: whoever starts the tests in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_interruption_leaves_nothing_running(ctrl_c):
    trace = tokens(2_000)
    before = set(threading.enumerate())
    calls = []

    def progress(status) -> None:
        calls.append(status)
        if len(calls) == 5:
            os.kill(os.getpid(), signal.SIGINT)

    targets = [0.3 + 0.001 * k for k in range(300)]
    with pytest.raises(Interrupted) as caught:
        sweep(
            base(),
            settings={"policy.target_utilisation": targets},
            trace=trace,
            workers=2,
            references=False,
            progress=progress,
        )
    assert caught.value.exit_code == 130
    assert set(threading.enumerate()) == before
    stopped = len(calls)
    time.sleep(0.05)
    assert len(calls) == stopped < 600
    assert calls[-1].scenarios < 300


def test_a_frame_has_one_row_a_scenario():
    frame = sweep(base(), sizes=["1GB", "40GB"], trace=tokens(100)).frame()
    assert list(frame["status"]) == ["ok", "failed"]
    assert "decision_to_ready_s.p50" in frame
