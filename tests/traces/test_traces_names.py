"""Columns by the names people give them, and files that only look like arrivals."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from traces import CountSeries, Trace, TraceError, describe, load, read
from traces.formats import _names

ROOT = Path(__file__).parents[2]
MINUTES = [f"2024-05-10T{k // 60:02d}:{k % 60:02d}:00Z" for k in range(90)]
COUNTED = [(7 * k) % 50 for k in range(90)]


def written(folder: Path, text: str, name: str = "trace.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def series(header: str, stamps: list[str] = MINUTES) -> str:
    rows = (f"{stamp},{count}" for stamp, count in zip(stamps, COUNTED, strict=False))
    return "\n".join([header, *rows])


SPELLINGS = [
    "count",
    "Counts",
    "requests",
    "Request_Count",
    "RequestCount",
    "request-count",
    "num_requests",
    "NumRequests",
    "Invocations",
    "Sum",
    "SampleCount",
    "sample_count",
    "SAMPLE_COUNT",
    "value",
    "hits",
    "n",
    "N",
]


@pytest.mark.parametrize("name", [*SPELLINGS, '"Request Count"', '"Sample count"'])
def test_a_count_by_any_usual_name_is_a_count(tmp_path: Path, name: str) -> None:
    got = read(written(tmp_path, series(f"Timestamp,{name}")))
    assert isinstance(got, CountSeries)
    assert (got.requests, got.counts.size, got.bin_s) == (sum(COUNTED), 90, 60.0)


@pytest.mark.parametrize(
    "name",
    [
        "timestamp",
        "Timestamp",
        "time_stamp",
        "TimeStamp",
        "time",
        "date",
        "datetime",
        "date_time",
        "minute",
        "start",
        "period_start",
        "PeriodStart",
        "window_start",
        "WindowStart",
        "ts",
        "arrival",
        "arrived_at",
        "arrivedAt",
        "start_time",
        "hour",
        "day",
        "bucket_start",
    ],
)
def test_a_stamp_by_any_usual_name_is_a_stamp(tmp_path: Path, name: str) -> None:
    got = read(written(tmp_path, series(f"{name},count")))
    assert isinstance(got, CountSeries)
    assert (got.requests, got.bin_s) == (sum(COUNTED), 60.0)


def test_no_name_means_two_things() -> None:
    stamps = [_names.key(name) for name in _names.INTERVAL_STAMPS]
    counts = [_names.key(name) for rank in _names.COUNTS for name in rank]
    optional = [_names.key(name) for names in _names.OPTIONAL.values() for name in names]
    suffixed = {stamp + unit for stamp in stamps for unit in ("s", "ms", "us", "ns", "min")}
    assert max(Counter([*stamps, *counts, *optional]).values()) == 1
    assert suffixed.isdisjoint([*counts, *optional])


@pytest.mark.parametrize(
    ("name", "width_s"),
    [("minute", 60.0), ("hour", 3600.0), ("day", 86_400.0), ("second", 1.0), ("time_min", 60.0)],
)
def test_bare_numbers_count_in_the_unit_of_their_name(tmp_path, name, width_s) -> None:
    got = read(written(tmp_path, series(f"{name},count", [str(k) for k in range(90)])))
    assert isinstance(got, CountSeries)
    assert (got.bin_s, got.t0_is_absolute) == (width_s, False)


def test_unix_seconds_at_which_a_minute_starts(tmp_path: Path) -> None:
    stamps = [str(1_715_299_200 + 60 * k) for k in range(90)]
    got = read(written(tmp_path, series("minute,count", stamps)))
    assert isinstance(got, CountSeries)
    assert (got.bin_s, got.t0_ns) == (60.0, 1_715_299_200 * 10**9)
    since_1970 = [str(1_715_299_200 // 60 + k) for k in range(90)]
    assert read(written(tmp_path, series("minute,count", since_1970))).t0_ns == got.t0_ns


def test_a_number_of_minutes_too_large_for_the_clock_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="line 5: minute = '999999999999'"):
        read(written(tmp_path, "minute,count\n0,1\n1,1\n2,1\n999999999999,1\n"))


def test_cloudwatch_statistics_in_any_order(tmp_path: Path) -> None:
    """The columns of ``get-metric-statistics``; its rows come in no order."""
    rows = [f"{stamp},60,{c},{c}.0,1.0,Count" for stamp, c in zip(MINUTES, COUNTED, strict=True)]
    text = "Timestamp,Period,SampleCount,Sum,Average,Unit\n" + "\n".join(rows[40:] + rows[:40])
    got = read(written(tmp_path, text))
    assert isinstance(got, CountSeries)
    assert got.counts.tolist() == COUNTED
    assert got.report is not None
    assert "SampleCount taken as requests per bin" in got.report.notes


def test_two_counts_that_differ_are_refused_and_count_settles_it(tmp_path: Path) -> None:
    text = "Timestamp,SampleCount,Sum\n2024-05-10,3,3\n2024-05-11,4,900\n2024-05-12,4,4\n"
    with pytest.raises(TraceError, match="line 3: SampleCount and Sum may both be the count"):
        read(written(tmp_path, text))
    settled = read(written(tmp_path, text.replace("SampleCount", "count")))
    assert settled.requests == 11


@pytest.mark.parametrize("name", ["Sum", "value", "n"])
def test_fractions_under_a_doubtful_name_are_a_gauge(tmp_path: Path, name: str) -> None:
    with pytest.raises(TraceError, match=f"line 3: {name} = '1.5': not whole.*a gauge or a rate"):
        read(written(tmp_path, f"timestamp,{name}\n0,1\n60,1.5\n120,2\n"))


def test_a_doubtful_name_beside_tokens_is_of_the_request(tmp_path: Path) -> None:
    got = read(written(tmp_path, "ts,input_tokens,n\n0,5,1\n0.4,7,2\n1.7,7,1\n"))
    assert isinstance(got, Trace)
    assert got.columns["prompt_tokens"].tolist() == [5, 7, 7]


@pytest.mark.parametrize("missing", [(), (17, 18, 60)])
@pytest.mark.parametrize("order", [1, -1])
def test_regular_stamps_beside_unused_numbers_are_refused(tmp_path, missing, order) -> None:
    lines = series("Timestamp,Quux").splitlines()
    rows = [row for k, row in enumerate(lines[1:]) if k not in missing]
    path = written(tmp_path, "\n".join([lines[0], *rows[::order]]))
    with pytest.raises(TraceError, match=r"looks like counts per interval.*60 s.*Quux") as caught:
        read(path)
    assert "the name `count`" in str(caught.value)
    assert "--input-format counts, or timestamps" in str(caught.value)
    insisted = read(path, "timestamps")
    assert isinstance(insisted, Trace)
    assert insisted.requests == len(rows)
    counted = read(path, "counts")
    assert isinstance(counted, CountSeries)
    assert counted.requests == sum(c for k, c in enumerate(COUNTED) if k not in missing)


def test_asked_for_counts_needs_one_column_of_numbers(tmp_path: Path) -> None:
    path = written(tmp_path, "timestamp,a,b\n0,1,1\n60,1,2\n")
    with pytest.raises(TraceError, match="no count column; expected a count column: count, "):
        read(path, "counts")


@pytest.mark.parametrize(
    "text",
    [
        series("timestamp,user", MINUTES[:9]),  # too few rows to tell
        series("timestamp,user_id"),  # a label
        "timestamp\n" + "\n".join(MINUTES),  # nothing that could be a count
        "timestamp,path\n" + "\n".join(f"{stamp},/a" for stamp in MINUTES),
        "ts,user\n" + "\n".join(f"{k * k},{k}" for k in range(90)),  # no grid
        "ts,user\n" + "\n".join(f"{k // 2},{k}" for k in range(90)),  # ties
        "ts,prompt_tokens\n" + "\n".join(f"{k},{k}" for k in range(90)),  # used
    ],
)
def test_arrivals_stay_arrivals(tmp_path: Path, text: str) -> None:
    got = read(written(tmp_path, text))
    assert isinstance(got, Trace)
    assert got.requests == len(text.splitlines()) - 1


def test_rows_off_the_grid_tell_of_the_other_reading(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="grid of the others.*--input-format timestamps"):
        read(written(tmp_path, "timestamp,hits\n0,1\n60,1\n120,1\n137,1\n"))


def test_counts_in_parquet_by_any_name_and_a_grid_refused(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    stamps = [datetime.fromisoformat(stamp).astimezone(UTC) for stamp in MINUTES]
    path = tmp_path / "t"
    pq.write_table(pa.table({"Timestamp": stamps, "Sum": COUNTED}), path)
    assert read(path).requests == sum(COUNTED)
    pq.write_table(pa.table({"minute": np.arange(90), "RequestCount": COUNTED}), path)
    got = read(path)
    assert isinstance(got, CountSeries)
    assert got.bin_s == 60.0
    pq.write_table(pa.table({"Timestamp": stamps, "Quux": COUNTED}), path)
    with pytest.raises(TraceError, match="looks like counts per interval.*Quux"):
        read(path)
    assert read(path, "parquet").requests == 90
    pq.write_table(pa.table({"ts": ["2024-05-10T00:00:00Z", "2024-05-10T00:00:01"]}), path)
    with pytest.raises(TraceError, match="row 2: ts = '2024-05-10T00:00:01': no zone"):
        read(path)


def test_an_unrecognised_file_lists_every_name(tmp_path: Path) -> None:
    with pytest.raises(TraceError) as caught:
        read(written(tmp_path, "a,b\n1,2\n"))
    for name in every_name():
        assert name in str(caught.value)


def test_the_document_lists_every_name() -> None:
    text = (ROOT / "docs" / "traffic.md").read_text(encoding="utf-8")
    for name in every_name():
        assert f"`{name}`" in text, name


def every_name() -> list[str]:
    counts = [name for rank in _names.COUNTS for name in rank]
    optional = [name for names in _names.OPTIONAL.values() for name in names]
    return [*_names.INTERVAL_STAMPS, *counts, *optional]


@pytest.mark.parametrize(
    ("text", "line", "value", "message"),
    [
        ("ts\n2024-05-10T00:00:00Z\n2024-05-10T00:00:01\n", 3, "2024-05-10T00:00:01", "no zone"),
        ("ts\n2024-05-10 00:00\n2024-05-10 00:01+02:00\n", 3, "2024-05-10 00:01+02:00", "a zone"),
        ("ts\nx\n2024-05-10\n2024-05-10T00:01Z\n", 2, "x", "2 problems.*line 4.*a zone, which"),
        ("ts\n2024-05-10T00:00:00Z\nnan\n", 3, "nan", "ISO 8601"),
        ("ts\nnan\n2024-05-10T00:00:00Z\n", 2, "nan", "ISO 8601"),
        ("ts\n-\nnan\n2024-05-10T00:00:00Z\n", 2, "-", "2 problems"),
        ("ts\n2024-05-10T00:00:00Z\n1715299200\n", 3, "1715299200", "ISO 8601"),
        ("ts\n1715299200\n2024-05-10T00:00:00Z\n", 3, "2024-05-10T00:00:00Z", "Unix time"),
        ('ts,count\n0,1\n60,"1,234"\n', 3, "1,234", "not a number"),
        ('ts;count\n0;1\n60;"1;234"\n', 3, "1;234", "not a number"),
        ('ts\n0\n"1,5"\n', 3, "1,5", "not a time"),
    ],
)
def test_the_first_bad_cell_is_quoted_as_it_stands(tmp_path, text, line, value, message) -> None:
    with pytest.raises(TraceError, match=f"(?s){message}") as caught:
        read(written(tmp_path, text))
    assert (caught.value.line, caught.value.value) == (line, value)
    assert repr(value) in str(caught.value)


def test_small_numbers_with_exponents_are_no_dates(tmp_path: Path) -> None:
    got = read(written(tmp_path, "ts\n1.5e-3000\n1.5e-3\n2.5e-3\n"))
    assert isinstance(got, Trace)
    assert got.arrival_s.tolist() == [0.0, 0.0015, 0.0025]


def test_a_zone_may_not_change_between_blocks(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("traces.formats._source.BLOCK_BYTES", 61)
    path = written(tmp_path, "ts\n" + "2024-05-10T00:00:00Z\n" * 30 + "2024-05-10T00:00:00\n")
    with pytest.raises(TraceError, match="line 32.*no zone"):
        read(path)


@pytest.mark.parametrize("block_bytes", [64, 1 << 22])
def test_repeated_rows_are_kept_and_told(tmp_path, monkeypatch, block_bytes) -> None:
    monkeypatch.setattr("traces.formats._source.BLOCK_BYTES", block_bytes)
    rows = [f"{k / 7:.3f},{k % 5},u{k}" for k in range(1000)]
    twice = [row for k, row in enumerate(rows) for _ in range(1 + k % 2)]
    header = "arrival_s,prompt_tokens,user"
    got = read(written(tmp_path, "\n".join([header, *twice])))
    assert (got.requests, got.report is not None) == (1500, True)
    assert "500 rows repeat the row before exactly (kept)" in str(got.report)
    # Ties of different users are no repetition, and ten of 1,010 are a stray few.
    ties = [f"{k // 2},1,u{k}" for k in range(1000)]
    assert "repeat" not in str(read(written(tmp_path, "\n".join([header, *ties]))).report)
    few = [row for k, row in enumerate(rows) for _ in range(1 + (k < 10))]
    assert "repeat" not in str(read(written(tmp_path, "\n".join([header, *few]))).report)


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    written(tmp_path, "0\n", "access.csv")
    written(tmp_path, "0\n", "other.txt")
    with pytest.raises(TraceError) as caught:
        load(tmp_path / "acess.csv")
    assert caught.value.expected == (
        "an existing file, or one of the samples office-week; "
        f'did you mean "{tmp_path / "access.csv"}"?'
    )
    for stranger in (tmp_path / "zzz", tmp_path / "no folder" / "access.csv"):
        with pytest.raises(TraceError, match="an existing file, or one of the samples") as caught:
            load(stranger)
        assert "did you mean" not in str(caught.value)


def test_the_mean_of_measured_service_times() -> None:
    assert describe(Trace([0.0, 1.0], {"service_s": [0.5, 1.0]}))["service_s_mean"] == 0.75
    assert describe(Trace([0.0, 1.0]))["service_s_mean"] is None
    assert describe(CountSeries([1, 2], 60.0))["service_s_mean"] is None


@pytest.mark.parametrize(
    ("header", "rate"), [("window_start,client_id,rate", 1), ("minute,model,requests", 60)]
)
def test_rows_of_a_bin_add_up_over_whose_they_are(tmp_path: Path, header: str, rate: int) -> None:
    """Three clients in four bins, the third silent in the second bin, rows in any order."""
    rows = [(0, "a", 2), (0, "b", 3), (0, "c", 5), (1, "b", 7), (1, "a", 1), (3, "c", 4),
            (2, "a", 6), (3, "a", 9)]  # fmt: skip
    path = tmp_path / "clients.csv"
    lines = [f"{bin * (60 if rate == 1 else 1)},{who},{count}" for bin, who, count in rows]
    path.write_text("\n".join([header, *lines]) + "\n")
    series = read(path)
    assert isinstance(series, CountSeries)
    assert series.bin_s == 60.0
    wanted = [10, 8, 6, 13]
    assert series.counts.tolist() == [60 // rate * count for count in wanted]
    assert series.report is not None
    assert (series.report.rows, series.report.dropped) == (8, 0)
    assert f"summed over 3 values of {header.split(',')[1]}" in series.report.notes


def test_two_rows_of_one_client_for_a_bin_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    path.write_text("minute,host,requests\n0,a,1\n0,b,2\n1,a,3\n0,b,4\n")
    with pytest.raises(TraceError, match="line 5: another row of the same host for the same bin"):
        read(path)


def test_one_row_a_bin_needs_no_sum(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("minute,host,requests\n0,a,1\n1,b,2\n2,a,3\n")
    series = read(path)
    assert isinstance(series, CountSeries)
    assert series.counts.tolist() == [1, 2, 3]
    assert series.report is not None
    assert not any("summed" in note for note in series.report.notes)
