"""``modeler trace``: data on stdout, talk on stderr, exit codes."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modeler.cli import trace as module
from modeler.cli.main import cli, main
from traces import generate, read
from traces.convert import OUTPUT_FORMATS
from traces.formats import FORMATS

SAMPLE = Path(__file__).parents[1] / "data" / "traces" / "azure_2023_style.csv"


def run(*args: object) -> Result:
    return CliRunner().invoke(cli, ["trace", *map(str, args)], catch_exceptions=False)


def code(*args: object) -> int:
    with pytest.raises(SystemExit) as caught:
        main(["trace", *map(str, args)])
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_the_choices_are_those_of_the_library() -> None:
    assert tuple(FORMATS) == module.INPUT_FORMATS
    assert OUTPUT_FORMATS == module.OUTPUT_FORMATS


def test_describe_as_json() -> None:
    result = run("describe", SAMPLE, "--format", "json")
    row = json.loads(result.stdout)
    assert row["schema"] == "trace-describe/1"
    assert (row["requests"], row["prompt_tokens"], row["kind"]) == (3, 7609, "events")
    assert row["source"] == str(SAMPLE)
    assert "read 3, dropped 0, reordered 0, filled 0" in result.stderr


def test_describe_as_table_and_csv() -> None:
    table = run("describe", SAMPLE).stdout
    assert "requests" in table
    assert "bin_s" not in table
    (row,) = csv.DictReader(io.StringIO(run("describe", SAMPLE, "--format", "csv").stdout))
    assert (row["requests"], row["bin_s"]) == ("3", "")


def test_describe_into_a_file(tmp_path: Path) -> None:
    target = tmp_path / "row.json"
    result = run("describe", SAMPLE, "--format", "json", "-o", target)
    assert result.stdout == ""
    assert json.loads(target.read_text())["requests"] == 3


def test_generate_and_convert(tmp_path: Path) -> None:
    week, copy = tmp_path / "d.npz", tmp_path / "d.csv.gz"
    run("generate", "--days", 0.05, "--mean-rps", 1, "--seed", 5, "-o", week)
    run("convert", week, copy)
    expected = generate(seed=5, days=0.05, mean_rps=1).content_hash
    assert read(week).content_hash == expected
    assert read(copy).content_hash == expected


def test_convert_to_stdout_is_csv() -> None:
    lines = run("convert", SAMPLE).stdout.splitlines()
    assert lines[0] == "timestamp,prompt_tokens,output_tokens"
    assert lines[1] == "2023-11-16T18:20:01.123456700Z,512,33"


def test_exit_codes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(b"\x1f\x8b\x08\x00")
    assert code("describe", SAMPLE) == 0
    assert code("describe", cut) == 2
    assert f"error: {cut}: the gzip stream ends before its end mark" in capfd.readouterr().err
    assert code("describe", "office-weak") == 2
    assert 'did you mean "office-week"?' in capfd.readouterr().err
    assert code("describe", tmp_path) == 2
    assert code("convert", SAMPLE, "-o", tmp_path / "none" / "t.npz") == 2
    assert code("convert", SAMPLE, tmp_path / "a.npz", "-o", tmp_path / "b.npz") == 2
    assert code("convert", SAMPLE, tmp_path / "a.xlsx") == 2
    assert code("generate", "--days", "-1") == 2
    assert code("describe", SAMPLE, "--input-format", "nothing") == 2
    assert list(tmp_path.iterdir()) == [cut]


def test_describing_text_imports_no_pandas() -> None:
    script = (
        "import sys, traces\n"
        f"traces.describe(traces.read({str(SAMPLE)!r}))\n"
        "heavy = {'pandas', 'scipy', 'numba', 'pyarrow', 'click'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_transform(tmp_path: Path) -> None:
    made = tmp_path / "made.npz"
    result = run("transform", SAMPLE, "--warp", "2", "--add", SAMPLE, "-o", made)
    assert result.exit_code == 0, result.output
    before, after = read(SAMPLE), read(made)
    assert after.requests == 2 * before.requests
    assert after.duration_s == pytest.approx(2 * before.duration_s)
    assert code("transform", SAMPLE, "--scale", "-1") == 2
    assert code("transform", SAMPLE, "--from", "soon") == 2
    assert code("transform", SAMPLE, "--from", "300d") == 2
    assert code("transform", SAMPLE, "--days", "3") == 2
