"""Round trips through every output format, atomic writing, and foreign Parquet and NPZ."""

import datetime as dt
import os
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from traces import CountSeries, Options, Trace, TraceError, describe, generate, read
from traces.convert import OUTPUT_FORMATS, write, write_to

ENDINGS = ("npz", "parquet", "csv", "csv.gz")
# The folder is shared by the examples of one test: each overwrites the file of the one before.
SHARED = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def on_the_grid(draw: st.DrawFn) -> Trace:
    """Traces whose stamps are whole nanoseconds, as every reader of text yields them."""
    gaps = draw(hnp.arrays(np.int64, st.integers(0, 40), elements=st.integers(0, 10**13)))
    arrivals = np.concatenate(([0], np.cumsum(gaps))) / 1e9
    absolute = draw(st.booleans())
    t0_ns = draw(st.integers(10**18, 2 * 10**18) if absolute else st.integers(0, 10**15))
    values = hnp.arrays(np.float64, arrivals.size, elements=st.floats(0, 1e6))
    names = draw(st.sets(st.sampled_from(["prompt_tokens", "output_tokens", "service_s"])))
    columns = {name: draw(values) for name in sorted(names)}
    return Trace(arrivals, columns, t0_ns=t0_ns, t0_is_absolute=absolute)


@st.composite
def series(draw: st.DrawFn) -> CountSeries:
    counts = draw(
        hnp.arrays(np.int64, st.integers(2, 40), elements=st.integers(0, 10**9)).filter(np.any)
    )
    absolute = draw(st.booleans())
    t0_ns = draw(st.integers(10**18, 2 * 10**18) if absolute else st.integers(0, 10**15))
    bin_s = draw(st.sampled_from([0.1, 1.0, 60.0, 300.0]))
    return CountSeries(counts, bin_s, t0_ns=t0_ns, t0_is_absolute=absolute)


@pytest.mark.parametrize("ending", ENDINGS)
@SHARED
@given(trace=on_the_grid() | series())
def test_traffic_comes_back_the_same(
    tmp_path: Path, ending: str, trace: Trace | CountSeries
) -> None:
    path = tmp_path / f"t.{ending}"
    write(trace, path)
    back = read(path)
    assert type(back) is type(trace)
    assert back.content_hash == trace.content_hash
    assert back.report is not None
    assert (back.report.reordered, back.report.dropped, back.report.filled) == (0, 0, 0)


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_same_traffic_gives_the_same_bytes(tmp_path: Path, ending: str) -> None:
    trace = generate(days=0.02)
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    write(trace, first)
    write(trace, second)
    assert first.read_bytes() == second.read_bytes()


@given(st.permutations(range(12)))
def test_readers_sort_and_count_what_they_moved(
    tmp_path_factory: pytest.TempPathFactory, order: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("sorting")
    path = folder / "a.csv"
    path.write_text("arrival_s,prompt_tokens\n" + "".join(f"{k}.5,{k}\n" for k in order))
    np.savez(
        folder / "a.npz",
        arrival_s=np.array(order) + 0.5,
        prompt_tokens=np.array(order),
    )
    for name in ("a.csv", "a.npz"):
        trace = read(folder / name)
        assert isinstance(trace, Trace)
        assert trace.arrival_s.tolist() == list(range(12))
        assert trace.columns["prompt_tokens"].tolist() == list(range(12))
        assert trace.t0_ns == 500_000_000
        late = sum(k < max(order[: i + 1]) for i, k in enumerate(order))
        assert trace.report is not None
        assert trace.report.reordered == late


def test_the_ending_or_a_name_gives_the_format(tmp_path: Path) -> None:
    trace = Trace([0.0, 1.0])
    write(trace, tmp_path / "plain", "npz")
    report = read(tmp_path / "plain").report
    assert report is not None
    assert report.format == "npz"
    with pytest.raises(TraceError, match="one of npz, parquet, csv, by name or as the ending"):
        write(trace, tmp_path / "a.xlsx")
    assert not (tmp_path / "a.xlsx").exists()


@pytest.mark.parametrize("form", OUTPUT_FORMATS)
def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    path = tmp_path / "t"
    path.write_text("precious")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(TraceError, match=re.escape(f"{path}: cannot be written: No space left")):
        write(Trace([0.0, 1.0]), path, form)
    assert path.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_stays_one_and_a_link_too(tmp_path: Path) -> None:
    trace = Trace([0.0, 1.0])
    write(trace, os.devnull, "csv")
    assert not Path(os.devnull).is_file()
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write(trace, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert read(tmp_path / "real.csv").content_hash == trace.content_hash


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "t.npz"
    with pytest.raises(TraceError, match=re.escape(f"{path}: cannot be written: No such file")):
        write(Trace([0.0]), path)


def test_without_pyarrow_the_message_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.parquet"
    write(Trace([0.0]), path)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    for attempt in (lambda: read(path), lambda: write(Trace([0.0]), tmp_path / "u.parquet")):
        with pytest.raises(TraceError, match=r"pip install 'coldstart-modeler\[parquet\]'"):
            attempt()
    assert not (tmp_path / "u.parquet").exists()


def foreign(path: Path, **columns: object) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_foreign_parquet_of_stamps(tmp_path: Path) -> None:
    start = dt.datetime(2024, 5, 10, tzinfo=dt.UTC)
    stamps = [start + dt.timedelta(seconds=1.5), start]
    for kind in (pa.timestamp("ms", "UTC"), pa.timestamp("us", "Europe/Rome"), pa.timestamp("ns")):
        zone = getattr(kind, "tz", None)
        given_ = stamps if zone else [stamp.replace(tzinfo=None) for stamp in stamps]
        path = foreign(
            tmp_path / "t", Timestamp=pa.array(given_, kind), input_tokens=[1, 2], user=["a", "b"]
        )
        trace = read(path)
        assert isinstance(trace, Trace)
        assert trace.t0_ns == int(start.timestamp()) * 10**9
        assert trace.arrival_s.tolist() == [0.0, 1.5]
        assert trace.columns["prompt_tokens"].tolist() == [2.0, 1.0]
        assert trace.report is not None
        assert any("UTC" in note for note in trace.report.notes) == (zone is None)


def test_foreign_parquet_of_numbers_text_and_counts(tmp_path: Path) -> None:
    trace = read(foreign(tmp_path / "a", timestamp=[1_715_299_200_250, 1_715_299_200_000]))
    assert (trace.t0_ns, trace.duration_s) == (1_715_299_200 * 10**9, 0.25)
    trace = read(foreign(tmp_path / "b", arrival_s=[0.25, 7.5], service_ms=[500.0, 250.0]))
    assert (trace.t0_ns, trace.duration_s) == (250_000_000, 7.25)
    assert trace.columns["service_s"].tolist() == [0.5, 0.25]
    trace = read(foreign(tmp_path / "c", time=["2024-05-10T00:00:00Z", "2024-05-10 00:00:02.5Z"]))
    assert (trace.t0_ns, trace.duration_s) == (1_715_299_200 * 10**9, 2.5)
    counted = read(foreign(tmp_path / "d", window_start_s=[0, 60, 180], requests=[4, 5, 6]))
    assert isinstance(counted, CountSeries)
    assert counted.counts.tolist() == [4, 5, 0, 6]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"arrival_s": [0.5, None]}, "row 2: arrival_s: missing"),
        ({"arrival_s": [0.5, -0.5]}, "row 2: arrival_s = '-0.5': negative"),
        ({"arrival_s": [0.5, 1.0], "output_tokens": [1, None]}, "row 2: output_tokens = 'nan'"),
        ({"arrival_s": [0.5], "output_tokens": ["x"]}, "output_tokens: not numbers"),
        ({"timestamp": ["2024-05-10T00:00:00Z", "x"]}, "row 2: timestamp = 'x': not a stamp"),
        ({"timestamp": [True]}, "timestamp: of type bool"),
        ({"arrival_s": pa.array([], pa.float64())}, "no rows of data"),
        ({"user": ["a"]}, "a time column: arrival"),
    ],
)
def test_bad_parquet_is_refused(tmp_path, columns, message) -> None:
    path = foreign(tmp_path / "t", **columns)
    with pytest.raises(TraceError, match=re.escape(message)) as caught:
        read(path)
    assert caught.value.path == str(path)


def test_a_converted_file_tells_where_it_came_from(tmp_path: Path) -> None:
    trace = generate(days=0.01, seed=4)
    for ending in ("npz", "parquet"):
        path = tmp_path / f"t.{ending}"
        write(trace, path)
        back = read(path)
        assert back.report is not None
        assert back.report.notes[0] == f"written from {trace.source}"
        assert describe(back)["format"] == ending


def test_what_was_written_here_is_mapped_and_not_read(tmp_path: Path) -> None:
    trace = generate(days=0.02)
    path = tmp_path / "t.npz"
    write(trace, path)
    found = read(path)
    assert isinstance(found, Trace)
    assert "mapped" in str(found.report)
    assert isinstance(found.arrival_s.base, np.memmap)
    assert found.arrival_s.flags.aligned
    assert not found.arrival_s.flags.writeable
    assert found.content_hash == trace.content_hash
    # The seal holds what is there: a check sum over the arrays as they are now.
    fresh = Trace(
        found.arrival_s, found.columns, t0_ns=found.t0_ns, t0_is_absolute=found.t0_is_absolute
    )
    assert fresh.content_hash == found.content_hash
    with open(tmp_path / "again.npz", "wb") as file:
        write_to(file, trace, "npz")
    assert path.read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_a_changed_archive_has_a_broken_seal_and_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    write(generate(days=0.02), path)
    with np.load(path) as archive:
        arrays = {name: archive[name] for name in archive.files}
    arrays["arrival_s"] = arrays["arrival_s"] * 2.0
    np.savez(path, **arrays)
    found = read(path)
    assert isinstance(found, Trace)
    assert "mapped" not in str(found.report)
    assert found.content_hash != arrays["sealed"][1]
    arrays["arrival_s"] = np.where(np.arange(arrays["arrival_s"].size) == 5, -1.0, 0.0)
    np.savez(path, **arrays)
    with pytest.raises(TraceError, match="negative"):
        read(path)


def test_a_mapped_trace_replays_alike_in_any_chunks(tmp_path: Path) -> None:
    trace = generate(days=0.05)
    write(trace, tmp_path / "t.npz")
    mapped = read(tmp_path / "t.npz")
    for size in (7, 1000, 10**6):
        parts = [chunk.arrival_s for chunk in mapped.chunks(size)]
        assert np.array_equal(np.concatenate(parts), trace.arrival_s)


def test_parquet_of_others_is_read_as_text_is(tmp_path: Path) -> None:
    """Columns by role, unit, zone, width and rates: the same options, the same traffic."""

    def both(columns: dict[str, list], options: Options) -> tuple[object, object]:
        pq.write_table(pa.table(columns), tmp_path / "x.parquet")
        rows = zip(*columns.values(), strict=True)
        text = "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)])
        (tmp_path / "x.csv").write_text(text + "\n")
        return read(tmp_path / "x.parquet", None, options), read(tmp_path / "x.csv", None, options)

    for columns, options in (
        (
            {"when_it_came": [1000, 2500, 9000], "n_in": [5, 6, 7]},
            Options(columns={"arrival": "when_it_came", "prompt_tokens": "n_in"}, time_unit="ms"),
        ),
        (
            {"timestamp": ["2026-01-05T10:00:00", "2026-07-05T10:00:01"], "output_tokens": [1, 2]},
            Options(time_zone="Europe/Berlin"),
        ),
        ({"window_start": [0, 60, 180], "rate": [0.5, 1.5, 1.0]}, Options()),
        ({"window_start": [0, 60, 180], "count": [5, 1, 2]}, Options(bin_s=30.0)),
    ):
        one, other = both(columns, options)
        assert one.content_hash == other.content_hash, columns


def test_dates_of_a_parquet_take_the_callers_zone(tmp_path: Path) -> None:
    stamps = np.array(["2026-07-05T10:00:00", "2026-07-05T11:30:00"], dtype="datetime64[us]")
    pq.write_table(pa.table({"timestamp": stamps}), tmp_path / "x.parquet")
    found = read(tmp_path / "x.parquet", None, Options(time_zone="Europe/Berlin"))
    assert found.t0_ns == int(np.datetime64("2026-07-05T08:00:00", "ns").astype(int))
    assert "taken as Europe/Berlin" in str(found.report)
