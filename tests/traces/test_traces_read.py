"""Readers of text on small samples of our own, with stamps worked out by hand."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from traces import CountSeries, Trace, load, read
from traces.formats import FORMATS

SAMPLES = Path(__file__).parents[1] / "data" / "traces"


def ns(*when: int, fraction_ns: int = 0) -> int:
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**9 + fraction_ns


def written(folder: Path, content: str | bytes, name: str = "trace") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_azure_2023_keeps_seven_digits_and_the_last_row() -> None:
    trace = read(SAMPLES / "azure_2023_style.csv")
    assert isinstance(trace, Trace)
    assert trace.t0_ns == ns(2023, 11, 16, 18, 20, 1, fraction_ns=123_456_700)
    assert trace.t0_is_absolute
    assert trace.arrival_s.tolist() == [0.0, 0.0765433, 63.8765434]
    assert trace.columns["prompt_tokens"].tolist() == [512, 7001, 96]
    assert trace.columns["output_tokens"].tolist() == [33, 8, 1]
    report = trace.report
    assert report is not None
    assert (report.format, report.rows, report.dropped, report.reordered) == ("azure-llm", 3, 0, 0)
    assert "taken as UTC" in str(report)


def test_azure_2024_mixes_layouts_and_may_be_out_of_order() -> None:
    trace = read(SAMPLES / "azure_2024_style.csv")
    assert trace.t0_ns == ns(2024, 5, 11, 9, 15, 0, fraction_ns=120_000)
    assert isinstance(trace, Trace)
    assert trace.arrival_s.tolist() == [0.0, 0.49988, 0.99988]
    assert trace.columns["prompt_tokens"].tolist() == [1800, 640, 96]
    assert trace.report is not None
    assert trace.report.reordered == 1
    assert trace.report.notes == ()


def test_azure_2025_is_read_by_name() -> None:
    trace = read(SAMPLES / "azure_2025_style.csv")
    assert trace.columns["output_tokens"].tolist() == [220, 64]
    assert trace.report is not None
    assert trace.report.format == "azure-llm"
    assert "columns not used: NumImages" in trace.report.notes


@pytest.mark.parametrize("name", ["stamps_without_header.txt", "stamps_without_header.txt.gz"])
def test_stamps_without_header_keep_their_first_row(name: str) -> None:
    trace = read(SAMPLES / name)
    assert isinstance(trace, Trace)
    assert trace.arrival_s.tolist() == [0.0, 1.5, 3.0]
    assert trace.t0_ns == ns(2024, 5, 10)


def test_gzip_is_told_by_content_and_not_by_name(tmp_path: Path) -> None:
    plain = b"0\n1\n2\n"
    zipped = written(tmp_path, gzip.compress(plain), "a.csv")
    named = written(tmp_path, plain, "b.csv.gz")
    assert read(zipped).content_hash == read(named).content_hash


def test_missing_bins_count_as_zero() -> None:
    series = read(SAMPLES / "counts_with_a_gap.csv")
    assert isinstance(series, CountSeries)
    assert series.counts.tolist() == [7, 0, 0, 42]
    assert series.bin_s == 60.0
    assert series.duration_s == 240.0
    assert series.t0_ns == ns(2024, 5, 10)
    assert series.report is not None
    assert (series.report.rows, series.report.filled) == (3, 1)


@pytest.mark.parametrize(
    ("text", "t0_ns", "absolute", "arrivals"),
    [
        ("1715299200\n1715299201\n", 1_715_299_200 * 10**9, True, [0, 1]),
        ("1715299200.123456789\n1715299200.5\n", 1715299200123456789, True, [0, 0.376543211]),
        ("1715299200123\n1715299200623\n", 1715299200123 * 10**6, True, [0, 0.5]),
        ("1715299200123456\n1715299200123457\n", 1715299200123456 * 10**3, True, [0, 1e-6]),
        ("1715299200123456789\n1715299200123456790\n", 1715299200123456789, True, [0, 1e-9]),
        ("0\n0.25\n1.5e1\n", 0, False, [0, 0.25, 15]),
        ("7.5\n7.25\n", 7_250_000_000, False, [0, 0.25]),
        ("timestamp_ms\n100\n350\n", 100_000_000, False, [0, 0.25]),
        ("arrival_us;x\n1000000;a\n1000250;b\n", 10**9, False, [0, 0.00025]),
        ("time\n2024-05-10\n2024-05-10 00:01\n", 1_715_299_200 * 10**9, True, [0, 60]),
        (
            "ts;x\n2024/05/10T00:00:00,5Z;\n2024-05-09T20:00:01-0400;",
            1715299200500000000,
            True,
            [0, 0.5],
        ),
        ("start_time\n2024-05-10 05:30:00+05:30\n", 1_715_299_200 * 10**9, True, [0]),
    ],
)
def test_stamps_of_every_kind(tmp_path, text, t0_ns, absolute, arrivals) -> None:
    trace = read(written(tmp_path, text))
    assert isinstance(trace, Trace)
    assert (trace.t0_ns, trace.t0_is_absolute) == (t0_ns, absolute)
    assert trace.arrival_s.tolist() == arrivals


@given(st.integers(-(290 * 366 * 86_400 * 10**9), 290 * 365 * 86_400 * 10**9))
def test_iso_stamps_agree_with_numpy(stamp: int) -> None:
    from traces.formats import _stamps
    from traces.formats._text import Fields

    text = str(np.datetime64(stamp, "ns")).encode()
    row = np.frombuffer(text, dtype=np.uint8)[None, :]
    got, bad, naive = _stamps.iso_ns(Fields(row, np.array([len(text)])))
    assert (got.tolist(), bad.tolist(), naive.tolist()) == ([stamp], [False], [True])


@given(st.lists(st.integers(0, 9 * 10**17), min_size=1, max_size=20))
def test_decimals_are_exact_to_the_nanosecond(stamps: list[int]) -> None:
    from traces.formats import _stamps
    from traces.formats._text import Fields

    texts = [f"{stamp // 10**9}.{stamp % 10**9:09d}".encode() for stamp in stamps]
    array = np.array(texts)
    matrix = array.view(np.uint8).reshape(len(texts), -1)
    got, bad = _stamps.decimal_ns(Fields(matrix, np.strings.str_len(array)), "s")
    assert got.tolist() == stamps
    assert not bad.any()


def test_columns_are_known_by_several_names(tmp_path: Path) -> None:
    header = 'arrival_s , "Input Tokens",completion_tokens,service_ms,user'
    text = header + '\n1,10,3,500,"a, b"\n0,9,2,250,c'
    trace = read(written(tmp_path, text))
    assert {name: column.tolist() for name, column in trace.columns.items()} == {
        "prompt_tokens": [9, 10],
        "output_tokens": [2, 3],
        "service_s": [0.25, 0.5],
    }
    assert trace.report is not None
    assert trace.report.reordered == 1
    assert "columns not used: user" in trace.report.notes


def test_counts_are_sorted_and_rounded_and_say_so(tmp_path: Path) -> None:
    text = "time,invocations\n120,1\n0,2.75\n60,3\n60,3\n"
    series = read(written(tmp_path, text))
    assert isinstance(series, CountSeries)
    assert series.counts.tolist() == [3, 3, 1]
    report = series.report
    assert report is not None
    assert (report.rows, report.dropped, report.reordered) == (4, 1, 3)
    assert any("rounded (sum +0.25)" in note for note in report.notes)


def test_a_gauge_may_be_read_as_counts_when_asked(tmp_path: Path) -> None:
    path = written(tmp_path, "timestamp,value\n0,1.5\n60,2\n")
    series = read(path, "counts")
    assert isinstance(series, CountSeries)
    assert series.counts.tolist() == [2, 2]


def test_a_named_format_needs_no_header(tmp_path: Path) -> None:
    path = written(tmp_path, "0,7\n60,1\n")
    series = read(path, "counts")
    assert isinstance(series, CountSeries)
    assert series.counts.tolist() == [7, 1]
    assert read(path, "timestamps").requests == 2


def test_blocks_join_without_a_seam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{k}.5,{k % 7}" for k in range(500)]
    path = written(tmp_path, "arrival_s,prompt_tokens\r\n" + "\r\n".join(rows))
    whole = read(path)
    monkeypatch.setattr("traces.formats._source.BLOCK_BYTES", 61)
    assert read(path).content_hash == whole.content_hash
    assert whole.requests == 500


def test_load_takes_a_sample_or_a_file() -> None:
    assert load(SAMPLES / "azure_2023_style.csv").requests == 3
    assert load("office-week", seed=3).source.startswith("generate:office-week seed=3")


def test_every_format_has_its_own_name() -> None:
    assert all(name == module.NAME for name, module in FORMATS.items())
