"""Monitoring exports and results of load tests: what they hold, exactly, and what is no traffic."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from traces import CountSeries, Trace, TraceError, read
from traces.formats._options import Options

MINUTE = 60


def of(folder: Path, content: object, name: str = "file") -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def counts_of(found: object) -> list[int]:
    assert isinstance(found, CountSeries)
    return np.asarray(found.counts).tolist()


def data(label: str, stamps: list[str], values: list[float], **more: object) -> dict[str, object]:
    result = {"Id": "m1", "Label": label, "Timestamps": stamps, "Values": values, **more}
    return {"MetricDataResults": [result]}


STAMPS = [f"2026-05-01T10:0{minute}:00+00:00" for minute in (5, 3, 1, 0)]
# Half of the gaps are of two minutes: the period is said, as the answer does not.
PERIOD = Options(bin_s=60.0)


def test_cloudwatch_newest_first_with_idle_minutes(tmp_path):
    path = of(tmp_path, data("Invocations", STAMPS, [7.0, 5.0, 3.0, 2.0]))
    found = read(path, options=PERIOD)
    assert counts_of(found) == [2, 3, 0, 5, 0, 7]
    assert found.bin_s == MINUTE
    assert found.report.format == "cloudwatch"
    assert found.report.filled == 2


def test_cloudwatch_statistics(tmp_path):
    points = [{"Timestamp": at, "Sum": value, "Unit": "None"} for at, value in
              zip(STAMPS, (7.0, 5.0, 3.0, 2.0), strict=True)]  # fmt: skip
    found = read(of(tmp_path, {"Label": "Invocations", "Datapoints": points}), options=PERIOD)
    assert counts_of(found) == [2, 3, 0, 5, 0, 7]
    averages = [{"Timestamp": at, "Average": 1.0, "Unit": "None"} for at in STAMPS]
    with pytest.raises(TraceError, match="the statistic Sum"):
        read(of(tmp_path, {"Label": "Invocations", "Datapoints": averages}))


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("InvocationsPerInstance", "per instance, and their number changes"),
        ("ModelLatency", "a latency in microseconds"),
        ("ConcurrentRequestsPerModel", "a gauge of requests in flight"),
    ],
)
def test_what_is_no_total_of_requests(tmp_path, label, said):
    with pytest.raises(TraceError, match=said):
        read(of(tmp_path, data(label, STAMPS, [7.0, 5.0, 3.0, 2.0])))


def test_cloudwatch_pages_and_series(tmp_path):
    one = data("Invocations", STAMPS[:2], [7.0, 5.0])["MetricDataResults"][0]
    two = data("Invocations", STAMPS[2:], [3.0, 2.0])["MetricDataResults"][0]
    other = data("Errors", STAMPS, [1.0, 0.0, 0.0, 0.0])["MetricDataResults"][0]
    path = of(tmp_path, {"MetricDataResults": [one, other, two], "NextToken": "x"})
    found = read(path, options=PERIOD)
    assert counts_of(found) == [2, 3, 0, 5, 0, 7]
    assert any("further pages" in note for note in found.report.notes)
    with pytest.raises(TraceError, match="one of Invocations, Errors"):
        read(path, options=Options(series="Faults"))


def test_the_consoles_csv(tmp_path):
    text = (
        "Full label,AWS/SageMaker Invocations,AWS/SageMaker ModelLatency\n"
        "Label,Invocations,ModelLatency\n"
        "2026/05/01 10:03:00,1,100\n2026/05/01 10:02:00,4,120\n"
        "2026/05/01 10:01:00,,\n2026/05/01 10:00:00,2,110\n"
    )
    found = read(of(tmp_path, text), options=PERIOD)
    assert counts_of(found) == [2, 0, 4, 1]
    assert found.report.format == "cloudwatch-csv"
    assert any("1 cells are empty" in note for note in found.report.notes)


def matrix(*series: tuple[dict[str, str], list[tuple[int, str]]]) -> dict[str, object]:
    result = [{"metric": metric, "values": [list(v) for v in values]} for metric, values in series]
    return {"status": "success", "data": {"resultType": "matrix", "result": result}}


def test_prometheus_counters_rise_and_restart(tmp_path):
    at = 1_780_000_020
    name = {"__name__": "vllm:request_success_total"}
    one = [(at + 60 * k, str(v)) for k, v in enumerate((10, 13, 13, 2))]
    two = [(at + 60 * k, str(v)) for k, v in enumerate((0, 1, 4, 9))]
    found = read(of(tmp_path, matrix(({**name, "pod": "a"}, one), ({**name, "pod": "b"}, two))))
    # A fall from 13 to 2 is a restart: two requests since.
    assert counts_of(found) == [4, 3, 7]
    kept = read(
        of(tmp_path, matrix(({**name, "pod": "a"}, one), ({**name, "pod": "b"}, two))),
        options=Options(series="pod=b"),
    )
    assert counts_of(kept) == [1, 3, 5]


def test_prometheus_rates_are_requests_a_second(tmp_path):
    values = [(1_780_000_020 + 60 * k, v) for k, v in enumerate(("0.5", "1.25", "0"))]
    found = read(of(tmp_path, matrix(({}, values))))
    assert counts_of(found) == [30, 75, 0]


def test_prometheus_gauges_and_unnamed_wholes_are_refused(tmp_path):
    wholes = [(1_780_000_020 + 60 * k, "3") for k in range(3)]
    with pytest.raises(TraceError, match="a gauge, not requests"):
        read(of(tmp_path, matrix(({"__name__": "vllm:num_requests_running"}, wholes))))
    with pytest.raises(TraceError, match="--column rate=value"):
        read(of(tmp_path, matrix(({}, wholes))))


def test_vllm_with_details(tmp_path):
    result = {
        "completed": 2, "request_throughput": 1.0, "start_times": [100.5, 102.0, 101.0],
        "input_lens": [10, 30, 20], "output_lens": [1, 3, 2], "errors": ["", "", "timeout"],
    }  # fmt: skip
    found = read(of(tmp_path, result))
    assert isinstance(found, Trace)
    assert found.arrival_s.tolist() == [0.0, 1.5]
    assert found.columns["prompt_tokens"].tolist() == [10.0, 30.0]
    assert found.report.dropped == 1
    del result["start_times"]
    with pytest.raises(TraceError, match="latencies without arrivals: no traffic"):
        read(of(tmp_path, result))


def test_guidellm_benchmarks(tmp_path):
    def served(at: float) -> dict[str, object]:
        return {"request_start_time": at, "prompt_tokens": 8, "output_tokens": 4}

    bench = {"requests": {"successful": [served(1.78e9), served(1.78e9 + 0.25)],
                          "errored": [served(1.78e9)], "incomplete": []}}  # fmt: skip
    found = read(of(tmp_path, {"benchmarks": [bench]}))
    assert found.arrival_s.tolist() == pytest.approx([0.0, 0.25], abs=1e-6)
    assert found.report.dropped == 1
    with pytest.raises(TraceError, match="--series 1 or 2"):
        read(of(tmp_path, {"benchmarks": [bench, bench]}))
    assert (
        read(of(tmp_path, {"benchmarks": [bench, bench]}), options=Options(series="2")).requests
        == 2
    )


def test_k6_stamps_are_ends(tmp_path):
    text = (
        "metric_name,timestamp,metric_value,method\n"
        "http_reqs,1780000010,1,GET\nhttp_req_duration,1780000010,500,GET\n"
        "http_req_duration,1780000012,1500,GET\n"
    )
    found = read(of(tmp_path, text))
    assert found.arrival_s.tolist() == pytest.approx([0.0, 1.0])
    assert found.columns["service_s"].tolist() == [0.5, 1.5]
    lines = "".join(
        json.dumps({"type": "Point", "metric": "http_req_duration",
                    "data": {"time": f"2026-05-01T10:00:0{s}Z", "value": 500.0}}) + "\n"
        for s in (2, 5)
    )  # fmt: skip
    assert read(of(tmp_path, lines)).arrival_s.tolist() == pytest.approx([0.0, 3.0])


def test_locust_differences_of_a_total(tmp_path):
    rows = "".join(
        f"{1_780_000_000 + s},1,{name},{total}\n"
        for s, total in enumerate((2, 5, 5, 9))
        for name in ("/a", "Aggregated")
    )
    text = "Timestamp,User Count,Name,Total Request Count\n" + rows
    assert counts_of(read(of(tmp_path, text))) == [2, 3, 0, 4]


def test_vegeta_starts_in_nanoseconds(tmp_path):
    rows = "".join(
        f"{1_780_000_000_000_000_000 + at},200,{latency},0,0,,,,0,,GET,http://x/\n"
        for at, latency in ((0, 5_000_000), (250_000_000, 7_000_000))
    )
    found = read(of(tmp_path, rows))
    assert found.arrival_s.tolist() == pytest.approx([0.0, 0.25])
    assert found.columns["service_s"].tolist() == pytest.approx([0.005, 0.007])


def test_llmperf_is_no_traffic(tmp_path):
    content = [{"ttft_s": 0.1, "end_to_end_latency_s": 2.0}]
    with pytest.raises(TraceError, match="latencies without arrivals: no traffic"):
        read(of(tmp_path, content))


@pytest.mark.parametrize("cut", [5, 40, 120])
def test_a_truncated_document_is_refused(tmp_path, cut):
    text = json.dumps(data("Invocations", STAMPS, [7.0, 5.0, 3.0, 2.0]))
    with pytest.raises(TraceError):
        read(of(tmp_path, text[:cut]))
