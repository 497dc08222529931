"""Results on stdout and in files: formats, NaN, atomic writing."""

import io
import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeler.cli.output import (
    OutputError,
    check_output,
    emit,
    to_text,
    write_atomic,
)
from modeler.plain import flatten, to_csv, to_json, to_plain

ROWS = [
    {"size_bytes": 1_000_000_000, "usd_total": 12.5, "latency_s": {"p50": 0.2, "p99": math.nan}},
    {"size_bytes": 14_000_000_000, "usd_total": 170.25, "error": "does not fit"},
]


@dataclass(frozen=True)
class Result:
    usd: Decimal
    series: np.ndarray


def test_json_is_plain_and_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"b": math.inf, "a": np.float64(1.5), "c": ROWS}, format="json")
    text = capsys.readouterr().out
    assert text.startswith('{\n  "b": null,\n  "a": 1.5,')
    assert text.endswith("}\n")
    assert json.loads(text)["c"][0]["latency_s"] == {"p50": 0.2, "p99": None}


def test_results_of_any_shape_become_plain() -> None:
    result = Result(Decimal("1.515"), np.array([1.0, np.nan]))
    assert to_plain(result) == {"usd": 1.515, "series": [1.0, None]}
    assert to_plain({"n": np.int64(3), "yes": np.bool_(True), "path": Path("a/b")}) == {
        "n": 3,
        "yes": True,
        "path": "a/b",
    }
    with pytest.raises(TypeError, match="cannot print a object"):
        to_plain(object())


def test_csv_has_dotted_keys_and_empty_fields(capsys: pytest.CaptureFixture[str]) -> None:
    emit(ROWS, format="csv")
    assert capsys.readouterr().out == (
        "size_bytes,usd_total,latency_s.p50,latency_s.p99,error\n"
        "1000000000,12.5,0.2,,\n"
        "14000000000,170.25,,,does not fit\n"
    )


def test_a_table_shows_the_columns_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    emit({"run": {}}, table=ROWS, columns={"usd_total": "USD", "error": "error"})
    assert capsys.readouterr().out == (
        "   USD  error\n"
        "  12.5  -\n"
        "170.25  does not fit\n"
    )  # fmt: skip


def test_one_row_stands_upright() -> None:
    assert to_text([{"requests": 19366, "mean_rps": 5.5}]) == "requests  19,366\nmean_rps  5.5\n"
    assert to_text([]) == "(no rows)\n"


def test_parquet_round_trip(tmp_path: Path) -> None:
    emit(ROWS, format="parquet", output=tmp_path / "rows.parquet")
    frame = pd.read_parquet(tmp_path / "rows.parquet")
    assert frame["size_bytes"].tolist() == [1_000_000_000, 14_000_000_000]
    assert "latency_s.p50" in frame.columns


def test_a_dash_is_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    emit([1], format="json", output="-")
    assert capsys.readouterr().out == "[\n  1\n]\n"


@pytest.mark.parametrize("format", ["table", "json", "csv"])
def test_a_file_gets_the_same_bytes_as_stdout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    emit(ROWS, format=format)
    emit(ROWS, format=format, output=tmp_path / "out")
    assert (tmp_path / "out").read_text() == capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["missing/out.json", "file/out.json", "."])
def test_a_place_that_cannot_be_written_is_refused_first(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("kept")
    target = tmp_path / name
    with pytest.raises(OutputError, match="cannot write"):
        check_output(target)
    with pytest.raises(OutputError, match="cannot write"):
        emit(ROWS, format="json", output=target)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out.json"
    target.write_text("before")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write_atomic(target, "after")
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link_and_a_device_a_device(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_atomic(tmp_path / "link", "x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "x"
    write_atomic(os.devnull, "x")
    assert not Path(os.devnull).is_file()


def test_a_reader_that_went_away_is_no_error() -> None:
    code = "from modeler.cli.output import emit; emit([{'a': 'x' * 100}] * 50_000, format='csv')"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(30) == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_json_never_holds_nan(value: object) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    plain = to_plain(value)
    assert json.loads(to_json(plain), parse_constant=refuse) == plain


@given(
    st.lists(st.dictionaries(st.text("abc", min_size=1), st.text("xyz"), min_size=1), min_size=1)
)
def test_csv_reads_back(rows: list[dict[str, str]]) -> None:
    frame = pd.read_csv(io.StringIO(to_csv(rows)), dtype=str, keep_default_na=False)
    assert frame.to_dict("records") == [
        {name: row.get(name, "") for name in frame.columns} for row in rows
    ]


def test_lists_in_a_row_become_json_text() -> None:
    assert flatten({"prices": [{"usd": 1}]}) == {"prices": '[{"usd": 1}]'}
