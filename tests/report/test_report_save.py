import csv
import errno
import json
from pathlib import Path
from typing import Any

import pytest

from modeler.report import OutputFolderError, check_writable, save_run, sweep_table
from modeler.report import figures as figures_module

FILES = {
    "results.json",
    "scenarios.csv",
    "timeline.json",
    "report.html",
    "figures/dollars_and_misses.png",
    "figures/lag.png",
    "figures/timeline.png",
}


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_run_is_saved_whole(
    sweep: dict[str, Any], timeline: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "run"
    assert save_run(sweep, folder, timeline=timeline, formats=["png"]) == folder
    found = tree(tmp_path)
    assert set(found) == {f"new/run/{name}" for name in FILES}
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == sweep


def test_the_rows_are_a_table_of_their_own(sweep: dict[str, Any], tmp_path: Path) -> None:
    folder = save_run(sweep, tmp_path / "run", formats=["png"])
    with (folder / "scenarios.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5
    for row, own in zip(rows, sweep["scenarios"], strict=True):
        if own["status"] == "ok":
            assert float(row["usd_total"]) == own["usd_total"]
            assert float(row["latency_s.p99"]) == own["latency_s"]["p99"]
    assert rows[4]["usd_total"] == ""
    assert rows[4]["error"] == sweep["scenarios"][4]["error"]


def test_a_second_run_writes_the_same_bytes_over_the_first(
    sweep: dict[str, Any], timeline: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    save_run(sweep, folder, timeline=timeline, formats=["png"])
    (folder / "notes.txt").write_text("mine")
    first = tree(folder)
    save_run(sweep, folder, timeline=timeline, formats=["png"])
    assert tree(folder) == first


def test_what_fails_half_way_leaves_what_was_there(
    sweep: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "results.json").write_text("before")

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(figures_module, "write_figures", full)
    with pytest.raises(OutputFolderError, match=r"run: No space left on device") as caught:
        save_run(sweep, folder)
    assert caught.value.exit_code == 2
    assert tree(tmp_path) == {"run/results.json": b"before"}
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_check_leaves_nothing_behind(tmp_path: Path) -> None:
    assert check_writable(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "run"):
        with pytest.raises(OutputFolderError, match="is not a folder") as caught:
            check_writable(folder)
        assert caught.value.folder == folder


def test_a_read_only_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> str:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("modeler.report.files.tempfile.mkdtemp", refuse)
    with pytest.raises(OutputFolderError, match="Read-only file system"):
        check_writable(tmp_path / "run")


def test_a_relative_folder(
    sweep: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_run(sweep, "run", formats=["png"])
    assert (tmp_path / "run" / "report.html").is_file()


def test_a_trace_whose_name_is_not_utf8(sweep: dict[str, Any], tmp_path: Path) -> None:
    sweep["run"]["traces"][0]["source"] = "traffic_\udcff.csv"
    folder = save_run(sweep, tmp_path / "run", formats=["png"])
    assert json.loads((folder / "results.json").read_text(encoding="utf-8")) == sweep
    assert "traffic_?.csv" in sweep_table(sweep)
