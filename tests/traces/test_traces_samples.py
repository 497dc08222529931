"""A small file of each format, recognised unaided and read to the last figure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from traces import CountSeries, Trace, TraceError, read
from traces.formats._options import Options

DATA = Path(__file__).parents[1] / "data" / "traces"

# File, format, arrivals after the first [s], rows dropped.
EVENTS = [
    ("alb_style.log", "alb", [0.38], 0),
    ("apache_style.log", "apache", [4.0, 8.0], 1),
    ("api_gateway_style.jsonl", "api-gateway", [1.0], 0),
    ("azure_functions_2021_style.txt", "azure-functions-2021", [0.725, 61.375], 0),
    ("burstgpt_6_columns_style.csv", "burstgpt", [40.0], 1),
    ("burstgpt_8_columns_style.csv", "burstgpt", [1.5], 1),
    ("cloudfront_style.log", "cloudfront", [0.62], 1),
    ("guidellm_style.json", "guidellm", [0.5], 1),
    ("k6_style.csv", "k6", [0.5], 0),
    ("k6_style.jsonl", "k6", [0.5], 1),
    ("mooncake_style.jsonl", "mooncake", [3.0, 3.0], 0),
    ("nginx_style.log", "nginx", [1.562], 1),
    ("quoted_seconds_style.jsonl", "jsonl", [0.5, 1.75, 3600.25], 0),
    ("qwen_style.jsonl", "qwen", [61.469], 0),
    ("swissai_style.jsonl", "jsonl", [1.5], 0),
    ("vegeta_style.csv", "vegeta", [0.5], 0),
    ("vllm_style.json", "vllm", [0.25], 1),
]
# File, format, requests by bin, its width [s].
COUNTS = [
    ("azure_functions_2019_style.csv", "azure-functions-2019", [1, 5, 2], 60),
    ("cloudwatch_console_style.csv", "cloudwatch-csv", [7, 0, 42, 1], 300),
    ("cloudwatch_style.json", "cloudwatch", [7, 0, 42, 1], 300),
    ("locust_style.csv", "locust", [0, 3, 3, 3, 1], 1),
    ("prometheus_counter_style.json", "prometheus", [30, 12, 8], 60),
    ("prometheus_style.json", "prometheus", [90, 75, 60], 60),
    ("servegen_joined_style.csv", "servegen", [600, 300], 600),
    ("servegen_style.csv", "servegen", [150, 0, 300], 600),
]


@pytest.mark.parametrize(("name", "format", "arrivals", "dropped"), EVENTS)
def test_requests(name, format, arrivals, dropped):
    found = read(DATA / name)
    assert isinstance(found, Trace)
    assert found.report.format == format
    # Stamps of a microsecond, taken from seconds of 2026 in doubles.
    assert found.arrival_s.tolist() == pytest.approx([0.0, *arrivals], abs=1e-6)
    assert found.report.dropped == dropped


@pytest.mark.parametrize(("name", "format", "counts", "bin_s"), COUNTS)
def test_counts(name, format, counts, bin_s):
    found = read(DATA / name)
    assert isinstance(found, CountSeries)
    assert found.report.format == format
    assert np.asarray(found.counts).tolist() == counts
    assert found.bin_s == bin_s


def test_no_traffic():
    with pytest.raises(TraceError, match="latencies without arrivals: no traffic"):
        read(DATA / "llmperf_style.json")


def test_columns_named_by_hand():
    roles = {"arrival": "when_ms", "output_tokens": "out", "prompt_tokens": "in"}
    found = read(DATA / "named_by_hand.csv", options=Options(columns=roles))
    assert found.arrival_s.tolist() == pytest.approx([0.0, 0.25])
    assert found.columns["prompt_tokens"].tolist() == [7.0, 8.0]
    assert found.columns["output_tokens"].tolist() == [3.0, 4.0]
