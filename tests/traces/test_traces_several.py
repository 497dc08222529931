"""A folder or a pattern of files as one traffic."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from traces import CountSeries, Trace, TraceError, load, read

SAMPLE = Path(__file__).parents[1] / "data" / "traces"


def stamps(minute: int, count: int) -> str:
    rows = "".join(f"2026-03-02T08:{minute:02}:{k:02}Z,{k + 1}\n" for k in range(count))
    return f"timestamp,prompt_tokens\n{rows}"


@pytest.fixture
def logs(tmp_path):
    """Three files in the wrong order by name, one of them packed, one hidden."""
    folder = tmp_path / "logs"
    (folder / "day").mkdir(parents=True)
    (folder / "a.csv").write_text(stamps(20, 3))
    (folder / "b.csv.gz").write_bytes(gzip.compress(stamps(5, 4).encode()))
    (folder / "day" / "c.csv").write_text(stamps(10, 2))
    (folder / ".hidden").write_text("nothing")
    return folder


@pytest.mark.parametrize("how", ["folder", "pattern"])
def test_files_are_put_together_in_order_of_time(logs, how):
    found = load(logs if how == "folder" else f"{logs}/**/*.csv*")
    assert isinstance(found, Trace)
    expected = [*range(4), *(300.0 + k for k in range(2)), *(900.0 + k for k in range(3))]
    assert found.arrival_s.tolist() == expected
    assert found.columns["prompt_tokens"].tolist() == [1, 2, 3, 4, 1, 2, 1, 2, 3]
    assert found.report is not None
    assert (found.report.rows, found.report.notes[0]) == (9, "3 files, in order of time")


def test_one_file_in_a_folder_is_that_file(tmp_path):
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "t.csv").write_text(stamps(1, 3))
    assert read(tmp_path / "x").content_hash == read(tmp_path / "x" / "t.csv").content_hash


def test_counts_of_several_days(tmp_path):
    for day, name in ((3, "a"), (2, "b")):
        rows = "".join(f"2026-03-0{day}T0{h}:00:00Z,{day * 10 + h}\n" for h in range(3))
        (tmp_path / f"{name}.csv").write_text(f"timestamp,count\n{rows}")
    found = read(tmp_path)
    assert isinstance(found, CountSeries)
    assert found.bin_s == 3600
    assert found.counts[:3].tolist() == [20, 21, 22]
    assert found.counts[24:].tolist() == [30, 31, 32]
    assert int(found.counts.sum()) == 63 + 93


def test_an_access_log_twice_is_two_logs(tmp_path):
    for name in ("one.log", "two.log"):
        (tmp_path / name).write_bytes((SAMPLE / "alb_style.log").read_bytes())
    both, one = read(tmp_path), read(SAMPLE / "alb_style.log")
    assert both.requests == 2 * one.requests
    assert np.array_equal(both.arrival_s[::2], one.arrival_s)


def test_what_does_not_go_together(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    with pytest.raises(TraceError, match="holds no files"):
        read(folder)
    with pytest.raises(TraceError, match="holds no files"):
        read(f"{folder}/*.gz")
    (folder / "a.csv").write_text("timestamp,count\n0,1\n60,x\n")
    (folder / "b.csv").write_text("timestamp,count\n0,1\n60,-4\n")
    with pytest.raises(TraceError) as error:
        read(folder)
    assert "a.csv: line 3" in str(error.value)
    assert "b.csv: line 3" in str(error.value)
    (folder / "a.csv").write_text("timestamp\n0\n5\n")
    (folder / "b.csv").write_text("timestamp\n0\n7\n")
    with pytest.raises(TraceError, match=r"no dates in a.csv, b.csv"):
        read(folder)
    (folder / "a.csv").write_text(stamps(1, 3))
    (folder / "b.csv").write_text(
        "timestamp,count\n2026-03-02T08:00:00Z,1\n2026-03-02T08:01:00Z,2\n"
    )
    with pytest.raises(TraceError, match="files of counts, timestamps"):
        read(folder)
    for name, minutes in (("a", 1), ("b", 5)):
        rows = "".join(f"2026-03-02T08:{minutes * k:02}:00Z,1\n" for k in range(4))
        (folder / f"{name}.csv").write_text(f"timestamp,count\n{rows}")
    with pytest.raises(TraceError, match="intervals of 300 s, 60 s on no common grid"):
        read(folder)


def test_the_command_takes_a_folder(logs):
    ran = CliRunner().invoke(cli, ["trace", "describe", str(logs), "--format", "json"])
    assert ran.exit_code == 0, ran.output
    assert "3 files, in order of time" in ran.stderr


def test_links_that_lead_nowhere_or_twice_to_a_file_are_refused(logs):
    (logs / "gone.csv").symlink_to(logs / "nowhere.csv")
    (logs / "a_again.csv").symlink_to(logs / "a.csv")
    for name in (logs, f"{logs}/*.csv"):
        with pytest.raises(TraceError) as caught:
            read(name)
        said = str(caught.value)
        assert "gone.csv cannot be read: no such file or directory" in said
        assert "a_again.csv is a.csv again, which would count twice" in said
    (logs / "gone.csv").unlink()
    (logs / "a_again.csv").unlink()
    outside = logs.parent / "elsewhere.csv"
    outside.write_text(stamps(40, 5))
    (logs / "linked.csv").symlink_to(outside)  # of a file that is not there otherwise
    assert read(logs).requests == 3 + 4 + 2 + 5
