"""Published traces against the known answers that lie beside them."""

import csv
import gzip
import os
from pathlib import Path

import pytest

from traces import CountSeries, TraceError, describe, read

FOLDER = os.environ.get("MODELER_TRACES")
pytestmark = pytest.mark.skipif(not FOLDER, reason="MODELER_TRACES names no folder of real traces")
# The table gives rates and dispersions in six and four digits; half a unit of the last is more
# than a part in a thousand for none of them.
ROUNDED = 1e-3
FILES = (
    "azure_llm_2023_code.csv.gz",
    "azure_llm_2023_conv.csv.gz",
    "azure_llm_2024_code_window1024.csv.gz",
    "mooncake_fast25_conversation.jsonl.gz",
    "mooncake_fast25_synthetic.jsonl.gz",
    "azure_functions_2021_sample199.csv.gz",
    "apache_combined_10000.log.gz",
    "nab_cloudwatch_elb_request_count.csv.gz",
    "nab_tweets_aapl_5min.csv.gz",
    "nasa_http_1995_jul_per_minute.csv.gz",
    "servegen_m-large_total_10min.csv.gz",
)


def folder() -> Path:
    assert FOLDER is not None
    return Path(FOLDER)


def known(name: str) -> dict[str, str]:
    with open(folder() / "STATS.csv", newline="", encoding="utf-8") as file:
        return {row["file"]: row for row in csv.DictReader(file)}[name]


@pytest.mark.parametrize("name", FILES)
def test_figures_agree_with_the_table(name: str) -> None:
    expected = known(name)
    row = describe(read(folder() / name))
    kind, _, width = expected["kind"].partition("/")
    assert row["kind"] == kind
    assert row["bin_s"] == (float(width.rstrip("s")) if width else None)
    assert row["records"] == int(expected["records"])
    # One table row sums rates, whose rounding leaves a fraction of a request.
    assert row["requests"] == round(float(expected["requests"]))
    assert row["duration_s"] == pytest.approx(float(expected["duration_s"]), abs=1e-6)
    for ours, theirs in (("prompt_tokens", "tokens_in"), ("output_tokens", "tokens_out")):
        assert row[ours] == (int(expected[theirs]) if expected[theirs] else None)
    for column in ("peak_1min_requests", "peak_1s_requests"):
        if expected[column]:
            assert row[column] == float(expected[column])
    for column in ("mean_rps", "iod_1s", "iod_60s", "cv_interarrival", "max_gap_s"):
        if expected[column]:
            assert row[column] == pytest.approx(float(expected[column]), rel=ROUNDED)


def test_missing_points_are_filled_and_told() -> None:
    report = read(folder() / "nab_cloudwatch_elb_request_count.csv.gz").report
    assert report is not None
    assert (report.rows, report.filled) == (4032, 8)


def test_every_row_of_the_table_is_asked() -> None:
    with open(folder() / "STATS.csv", newline="", encoding="utf-8") as file:
        assert {row["file"] for row in csv.DictReader(file)} == set(FILES)


def test_a_gauge_is_refused() -> None:
    with pytest.raises(TraceError, match="a gauge or a rate"):
        read(folder() / "nab_cloudwatch_asg_metric.csv.gz")


@pytest.mark.parametrize(
    ("name", "clients", "requests"),
    [
        ("servegen_mm-image_clients.csv.gz", 35, 818_610),
        ("servegen_deepseek-r1_clients.csv.gz", 73, None),
        ("servegen_m-small_clients.csv.gz", 43, 1_420_558_786),
    ],
)
def test_clients_of_servegen_are_summed(name: str, clients: int, requests: int | None) -> None:
    series = read(folder() / name)
    assert isinstance(series, CountSeries)
    assert series.report is not None
    assert f"the sum of {clients} clients" in str(series.report)
    with gzip.open(folder() / name, "rt") as file:
        rows = list(csv.DictReader(file))
    assert series.report.rows == len(rows)
    assert series.requests == round(sum(float(row["rate_rps"]) for row in rows) * 600)
    assert requests in (None, series.requests)
