"""Continuous batching in the replay beside measurements of real servers, nothing fitted to them."""

from __future__ import annotations

import numpy as np
import pytest
from test_batching import replay

import pricing
from modeler.predict.known import known
from modeler.predict.latency import Group, TokenModel
from modeler.predict.latency.step_law import default_efficiency, described_law


def served(name: str, devices: int, prompt: int, output: int, *, slots: int, count: int):
    """Requests that all wait at t = 0: so many are in flight, each replaced when it ends."""
    group = Group(pricing.accelerator("H100-SXM-80GB"), devices)
    law = described_law(TokenModel(known(name), "fp8", group, "fp8"), 8192, default_efficiency())
    return replay(
        law, [0.0] * count, [prompt] * count, [output] * count, slots=slots, budget=8192
    ).record_s


# Llama-3.3-70B in fp8 on two H100, 5,000 prompt tokens and 500 put out, by concurrency: time
# between tokens [ms] and tokens a second (NVIDIA NIM LLM benchmarking documentation 1.0.0, 2025).
NIM = [(1, 18.58, 51.67), (5, 21.83, 218.48), (25, 38.75, 623.4), (50, 59.73, 814.37)]


@pytest.mark.parametrize(("concurrency", "between_ms", "tokens_per_s"), NIM)
def test_time_between_tokens_under_load(concurrency, between_ms, tokens_per_s):
    record = served("Llama-3.3-70B", 2, 5000, 500, slots=concurrency, count=24 * concurrency)
    mine = slice(8 * concurrency, 16 * concurrency)
    between = (record[:, 1] - record[:, 2])[mine].mean() / 499
    ends = np.sort(record[:, 1])
    rate = 8 * concurrency * 500 / (ends[mine.stop] - ends[mine.start])
    # What was found: -3 to +13 % and -5 to +4 %; decoding alone would be 60 % short at 50.
    assert 1e3 * between == pytest.approx(between_ms, rel=0.15)
    assert rate == pytest.approx(tokens_per_s, rel=0.06)


# Llama-3.1-8B in fp8 on one H100 at an unlimited request rate, prompt and output tokens, tokens put
# out a second (TensorRT-LLM 1.0 performance overview, 2025).
FULL = [
    (128, 128, 28312), (128, 2048, 22714), (128, 4096, 14325), (500, 2000, 17660),
    (1000, 1000, 15220), (2048, 128, 3450), (2048, 2048, 9305), (5000, 500, 3459),
    (20000, 2000, 1351),
]  # fmt: skip


def test_throughput_of_a_full_server():
    errors = []
    for prompt, output, measured in FULL:
        count = 3_000
        ends = np.sort(served("Llama-3.1-8B", 1, prompt, output, slots=1024, count=count)[:, 1])
        a, b = count // 3, 2 * count // 3
        errors.append((b - a) * output / (ends[b] - ends[a]) / measured - 1.0)
    # Found: 5 % in the median; the worst, of the shortest requests, 24 % too fast, for sampling and
    # scheduling of a thousand sequences a step are in no term.
    assert np.median(np.abs(errors)) < 0.08
    assert np.abs(errors).max() < 0.27
