"""Bad input: each refused, with the file, the place, the value and what would do."""

import gzip
import io
from pathlib import Path

import numpy as np
import pytest

from traces import TraceError, generate, load, read

AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n"


def npz(**arrays: object) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "line", "column", "value", "message"),
    [
        (AZURE + "2023-11-16 18:15:47,-3,1", 3, "ContextTokens", "-3", "negative"),
        (AZURE + "2023-11-16 18:15:47,nan,1", 3, "ContextTokens", "nan", "not finite"),
        (AZURE + "2023-11-16 18:15:47,1,", 3, "GeneratedTokens", "", "empty"),
        (AZURE + "2023-11-16 18:15:47", 3, "ContextTokens", "", "2 problems"),
        (AZURE + "2023-02-29 18:15:47,1,1", 3, "TIMESTAMP", "2023-02-29 18:15:47", "not a stamp"),
        (AZURE + "nan,1,1", 3, "TIMESTAMP", "nan", "ISO 8601"),
        ("0\n-1\n", 2, "column 1", "-1", "negative"),
        ("0\n1\nnan\n", 3, "column 1", "nan", "not a time"),
        ("nan\n0\n1\n", 1, "column 1", "nan", "not a time"),
        ("arrival_s\n\n5\n\nx\n", 5, "arrival_s", "x", "not a time"),
        ("1715299200\n5\n1715299201\n", 2, "column 1", "5", "magnitude"),
        ("timestamp\n10/05/2024 00:00\n", 2, "timestamp", "10/05/2024 00:00", "not a time"),
        ("arrival_s\n0\n1,5\n", 3, None, None, "2 fields; expected 1"),
        ("arrival_s,service_s\n0,inf\n", 2, "service_s", "inf", "not finite"),
        ("timestamp,count\n0,1\n60,-2\n", 3, "count", "-2", "negative"),
        ("timestamp,count\n0,1\n60,\n", 3, "count", "", "empty"),
        ("timestamp,count\n0,1\n60,2\n60,3\n120,4\n", 4, None, None, "another count"),
        ("timestamp,count\n0,1\n60,2\n120,2\n150,4\n", 5, None, None, "grid of the others"),
        ("timestamp,count\n0,1e300\n60,2\n", 2, "count", "1e300", "too large to be counted"),
        ("timestamp,value\n0,33.5\n300,2\n", 2, "value", "33.5", "a gauge or a rate"),
    ],
)
def test_the_first_bad_row_is_named(tmp_path, content, line, column, value, message) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content.encode())
    with pytest.raises(TraceError, match=message) as caught:
        read(path)
    error = caught.value
    assert (error.path, error.line, error.column, error.value) == (str(path), line, column, value)
    assert f"{path}: " in str(error)
    assert f"line {line}" in str(error)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\n \n", "the file is empty"),
        (gzip.compress(b""), "the file is empty"),
        (AZURE.splitlines()[0].encode(), "no rows of data"),
        (b"timestamp,count\n", "no rows of data"),
        (b"timestamp,count\n0,4\n", "one bin gives no width"),
        (b"timestamp,count\n0,0\n60,0\n", "every bin is 0"),
        (b"timestamp,count\n0,1\n1,1\n2,1\n900000000,1\n99999999,1", "magnitude|at most 1,000,000"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'ts,a\n"', "no rows of data"),
        (b"BZh91AY&SY", "the bzip2 stream ends before its end mark"),
        (b"BZh9junkjunkjunkjunk", "the bzip2 stream is damaged"),
        (b"\xfd7zXZ\x00junkjunkjunk", "the xz stream is damaged"),
        (b"\x28\xb5\x2f\xfdzzzz", "packed with zstd"),
        (b"\x28\xb5\x2f\xfd0000", "packed with zstd"),
        (b"PAR1 and no more", "not a whole Parquet file"),
        (b"PK\x03\x04 and no more", "not a NumPy archive"),
        (bytes(range(256)), "no format recognised"),
        (b'{"length": 3000}\n', "no format recognised"),
        (b"a,b\n1,2\n", "columns a, b; expected one of the formats npz, parquet, azure-llm"),
        (b"app,end_timestamp\na,2\n", "columns app, end_timestamp"),
        (b"1,2\n3,4\n", "2 columns without a header"),
        (npz(other=[1.0]), "arrays other; expected arrival_s"),
        (npz(arrival_s=np.array([0.0, -1.0])), "row 2: arrival_s = '-1.0': negative"),
        (npz(arrival_s=np.array([])), "the trace is empty"),
        (npz(arrival_s=np.array([object()])), "not a NumPy archive of plain arrays"),
        (npz(counts=np.array([1, -1]), bin_s=1.0), "row 2: counts = '-1': negative"),
    ],
)
def test_strange_files_are_named_for_what_they_are(tmp_path, content, message) -> None:
    path = tmp_path / "strange"
    path.write_bytes(content)
    with pytest.raises(TraceError, match=message) as caught:
        read(path)
    assert caught.value.path == str(path)


@pytest.mark.parametrize("kept", [5, 40, -9, -1])
def test_a_truncated_gzip_is_named(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress("".join(f"{k}\n" for k in range(50_000)).encode())[:kept])
    with pytest.raises(TraceError, match="truncated") as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_several_bad_rows_are_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("arrival_s,prompt_tokens,output_tokens\n" + "0,1,x\n-1,2,2\n" * 10)
    with pytest.raises(TraceError) as caught:
        read(path)
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4, 5, 6]
    assert caught.value.more == 15
    text = str(caught.value)
    assert "20 problems" in text
    assert text.endswith("and 15 more")


def test_an_unknown_format_names_the_nearest(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("0\n")
    with pytest.raises(TraceError, match='did you mean "azure-llm"'):
        read(path, "azure_llm")


def test_a_format_that_does_not_fit_says_what_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("0\n1\n")
    for name in ("azure-llm", "counts"):
        with pytest.raises(TraceError, match="not this format"):
            read(path, name)
    for name in ("parquet", "npz"):
        with pytest.raises(TraceError, match="not a"):
            read(path, name)


def test_a_missing_file_and_an_unknown_sample() -> None:
    with pytest.raises(FileNotFoundError):
        read("no such file")
    with pytest.raises(TraceError, match='neither a file nor a sample.*did you mean "office-week"'):
        load("office-weak")
    with pytest.raises(TraceError, match="not a sample; expected one of office-week"):
        generate("weekend")


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_length_or_rate_must_be_above_zero(value: float) -> None:
    with pytest.raises(TraceError, match="days = "):
        generate(days=value)
    with pytest.raises(TraceError, match="mean_rps = "):
        generate(mean_rps=value)


# Ends and durations: a duration in another unit must not move an arrival in silence.
@pytest.mark.parametrize(
    ("content", "column"),
    [
        (b"app,func,end_timestamp,duration\na,f,10,1\na,f,20,1e10\n", "duration"),
        (b"metric_name,timestamp,metric_value,a\nhttp_req_duration,1700000000,1e15,b\n",
         "http_req_duration"),
        (b"#Version: 1.0\n#Fields: date time x time-taken\n"
         b"2026-01-05\t10:00:00\tx\t99999999999\n", "time-taken"),
    ],
)  # fmt: skip
def test_durations_of_more_than_a_year_are_refused(tmp_path, content, column):
    path = tmp_path / "t.txt"
    path.write_bytes(content)
    with pytest.raises(TraceError) as error:
        read(path)
    said = str(error.value)
    assert str(path) in said
    assert column in said
    assert "more than a year" in said


def test_stamps_that_stand_far_apart_ask_for_no_memory(tmp_path):
    locust = tmp_path / "locust.csv"
    locust.write_text(
        "Timestamp,User Count,Type,Name,Requests/s,Total Request Count\n"
        "1700000000,1,,Aggregated,1,5\n1700000001,1,,Aggregated,1,9\n"
        "1700000002,1,,Aggregated,1,9\n9000000000,1,,Aggregated,1,20\n"
    )
    with pytest.raises(TraceError, match=r"between two stamps: 7,300,000,001 steps.*at most"):
        read(locust)
    counts = tmp_path / "counts.csv"
    counts.write_text("timestamp,count\n0,1\n1,1\n2,1\n3,1\n50000000,1\n")
    with pytest.raises(TraceError, match=r"50,000,001 bins of 1 s from 5 rows.*at most 1,000,000"):
        read(counts)


def test_a_line_of_another_width_is_no_vegeta(tmp_path):
    path = tmp_path / "v.csv"
    path.write_bytes(b"x\n" + b"1700000000000000000,200,1500000,1,2,x,0,y,1,GET,u,h\n" * 4)
    with pytest.raises(TraceError, match="expected"):
        read(path)


def test_values_that_no_float_counts_are_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("timestamp,prompt_tokens\n0,5\n1,1e300\n")
    with pytest.raises(TraceError, match="prompt_tokens = '1e300': too large to be counted"):
        read(path)
