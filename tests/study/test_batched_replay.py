"""A scenario whose replicas batch continuously, from the file to the outcome."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import traces
from modeler.predict import service_law
from modeler.predict.hardware import instance_of
from modeler.report import sweep_table
from modeler.report.replayed import replay_text
from modeler.scenario import default, loads, with_values
from modeler.study import replay, sweep
from traces import Trace

SCENARIO = """
model: {size: 16.06GB}
hosting: {kind: sagemaker_realtime, instance: ml.g5.2xlarge, region: us-east-1}
service: {kind: batched, architecture: Llama-3.1-8B}
fleet: {min: 2, max: 8}
"""


def a_trace(rate: float, count: int = 3_000, seed: int = 3) -> Trace:
    rng = np.random.default_rng(seed)
    return Trace(
        np.append(0.0, np.cumsum(rng.exponential(1 / rate, count - 1))),
        columns={
            "prompt_tokens": rng.integers(20, 1_500, count).astype(float),
            "output_tokens": rng.integers(1, 300, count).astype(float),
        },
    )


def test_outcome_records_and_text():
    done = replay(loads(SCENARIO), trace=a_trace(2.0), records=True)
    outcome = done.outcome
    assert outcome.slots == 256
    assert outcome.service.startswith("continuous batching: a step reads 33.4 ms")
    first, between, whole = (
        outcome.first_token_s, outcome.time_per_output_token_s, outcome.latency_s
    )  # fmt: skip
    assert first is not None
    assert between is not None
    frame = done.requests()
    served = frame[frame["outcome"] == "served"]
    # Histograms are within 0.25 %, and their quantiles those of the records.
    assert first["p50"] == pytest.approx(
        (served["first_token_s"] - served["arrival_s"]).quantile(0.5), rel=0.01
    )
    assert whole["p95"] == pytest.approx(
        (served["end_s"] - served["arrival_s"]).quantile(0.95), rel=0.01
    )
    # The step reads 33 ms of weights and takes 2 ms besides: no token comes sooner.
    assert between["p50"] > 0.035
    text = replay_text(done.to_dict(), metric="invocations_per_instance")
    assert "per output token" in text
    lines = {line.component: line.amount_usd for line in outcome.cost_lines}
    assert outcome.bounds["work_bound"]["usd_total"] <= lines["serving"] + 1e-9
    assert sum(lines.values()) == pytest.approx(outcome.usd_total)


def test_first_token_is_judged_when_asked():
    scenario = with_values(loads(SCENARIO), {"sla.metric": "first_token", "sla.threshold_s": 1.0})
    done = replay(scenario, trace=a_trace(2.0), records=True)
    frame = done.requests()
    late = (frame["first_token_s"] - frame["arrival_s"] > 1.0) | (frame["outcome"] != "served")
    assert done.outcome.sla_violation_share == pytest.approx(late.mean())


def test_capacity_is_what_the_default_target_says():
    """At the rate a full replica is said to serve, a fixed fleet just about keeps up."""
    scenario = with_values(loads(SCENARIO), {"fleet.min": 1, "fleet.max": 1})
    probe = a_trace(1.0)
    law = service_law(scenario, probe, instance_of(scenario))
    capacity = law.batching.slots / law.mean_s(probe)
    calm, rush = (
        replay(scenario, trace=a_trace(share * capacity, count=6_000)).outcome.utilisation
        for share in (0.5, 1.3)
    )
    # Steps fill up before they grow long: a replica at half its capacity is already mostly busy.
    assert calm < 1.0
    assert rush > 0.99
    queue = replay(
        with_values(scenario, {"queue.client_timeout_s": "none"}),
        trace=a_trace(0.8 * capacity, count=6_000),
    ).outcome
    assert queue.latency_s["p99"] < 120.0


def test_sizes_of_a_sweep_take_the_generic_law():
    base = with_values(default(), {"service.kind": "batched"})
    few = a_trace(1.0, count=500)
    small, large = (
        replay(with_values(base, {"model.size": size}), trace=few).outcome.latency_s["p50"]
        for size in (4_000_000_000, 14_000_000_000)
    )
    assert small < large


@pytest.mark.skipif("MODELER_TRACES" not in os.environ, reason="MODELER_TRACES is not set")
def test_the_azure_conversation_on_one_group():
    trace = traces.load(str(Path(os.environ["MODELER_TRACES"]) / "azure_llm_2023_conv.csv.gz"))
    scenario = with_values(
        loads(SCENARIO), {"fleet.min": 12, "fleet.max": 12, "queue.client_timeout_s": "none"}
    )
    outcome = replay(scenario, trace=trace).outcome
    assert outcome.requests == outcome.served == 19_366
    assert 0.03 < outcome.time_per_output_token_s["p50"] < 0.2


def test_the_table_of_a_sweep_shows_tokens():
    scenario = with_values(loads(SCENARIO), {"fleet.max": 3})
    found = sweep(scenario, trace=a_trace(1.0, count=400))
    text = sweep_table(found.to_dict(), width=200)
    head = text.splitlines()
    assert any("first" in line and "per" in line for line in head)
    plain = sweep(with_values(scenario, {"service.kind": "tokens"}), trace=a_trace(1.0, count=400))
    assert "first" not in sweep_table(plain.to_dict(), width=200).split("◆")[0]
