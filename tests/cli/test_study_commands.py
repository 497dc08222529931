"""Commands that end in a decision, and those about runs: what they print, draw and return."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from modeler.cli.main import cli, main
from modeler.study.runs import list_runs


@pytest.fixture(autouse=True)
def an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODELER_RUNS", str(tmp_path / "runs"))
    rows = "".join(
        f"2026-01-05T00:{minute:02d}:{second:02d}Z\n"
        for minute in range(60)
        for second in range(0, 60, 2)
    )
    (tmp_path / "hour.csv").write_text("timestamp\n" + rows)
    (tmp_path / "mine.yaml").write_text(
        "trace: hour.csv\nmodel: {size: 4GB}\nservice: {kind: fixed, mean_s: 1.0}\n"
        "hosting: {usd_per_hour: $3.60/h}\n"
    )


def ask(*args: str) -> Result:
    return CliRunner().invoke(cli, list(args), catch_exceptions=False)


def test_optimize_prints_draws_and_returns_what_gates_say() -> None:
    axes = ("--set", "fleet.min=1,2", "--set", "policy.target_utilisation=0.5,0.7")
    result = ask("optimize", "mine.yaml", *axes, "--format", "json", "--figure", "o.svg")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["schema"] == "optimum/1"
    assert found["best"]["settings"]["fleet.min"] == 1
    # One instance at $3.60 for the hour, less its last two seconds.
    assert found["best"]["usd_total"] == pytest.approx(3.6, rel=0.01)
    assert Path("o.svg").read_text().startswith("<?xml")
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("to write it out")]
    command = line.partition(": modeler ")[2].split()
    written = ask(*command)
    assert written.exit_code == 0, written.output
    assert "aws_appautoscaling_policy" in written.stdout
    missed = ask("optimize", "mine.yaml", *axes, "--fail-on", "usd_per_hour > $1")
    assert missed.exit_code == 3
    assert "usd_per_hour <= $1" in missed.stderr
    assert "No setting here keeps what is asked, nor usd_per_hour" in missed.stderr


def test_what_was_set_to_one_value_is_not_searched() -> None:
    result = ask("optimize", "mine.yaml", "--set", "fleet.min=2", "--format", "json")
    found = json.loads(result.stdout)
    assert "fleet.min" not in found["axes"]
    assert found["axes"]
    # Two instances all along, at $3.60.
    assert found["best"]["usd_total"] == pytest.approx(7.2, rel=0.01)


def test_goldilocks_tells_sizes_that_do_not_fit() -> None:
    result = ask("goldilocks", "mine.yaml", "--size", "1GB,400GB", "--set", "fleet.min=1,2",
                 "--format", "csv", "--figure", "g.png")  # fmt: skip
    assert result.exit_code == 4, result.output
    lines = result.stdout.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith("1000000000,")
    assert Path("g.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_of_another_kind_is_refused_before_the_work() -> None:
    result = ask("optimize", "mine.yaml", "--figure", "o.gif")
    assert result.exit_code == 2
    assert "expected a name that ends in .png, .svg or .pdf" in result.output


def test_a_plan_replays_nothing_and_a_sweep_is_kept(tmp_path: Path) -> None:
    planned = ask("sweep", "mine.yaml", "--set", "fleet.min=1,2", "--plan", "--format", "json")
    assert planned.exit_code == 0, planned.output
    assert json.loads(planned.stdout)["to_make"] == 3
    assert "2 scenarios and 1 fixed fleets: about" in planned.stderr
    assert list_runs(tmp_path / "runs") == []
    first = ask("sweep", "mine.yaml", "--set", "fleet.min=1,2", "--format", "json")
    again = ask("sweep", "mine.yaml", "--set", "fleet.min=1,2", "--format", "json", "--resume")
    assert first.exit_code == again.exit_code == 0
    assert first.stdout == again.stdout
    assert "3 of 3 rows are done" in again.stderr
    named = ask("sweep", "--resume", "mine.yaml", "--set", "fleet.min=1,2", "--format", "json")
    assert named.stdout == first.stdout
    off = ask("sweep", "mine.yaml", "--no-ledger", "--resume")
    assert off.exit_code == 2
    assert "exclude each other" in off.output


def test_runs_are_listed_shown_and_taken_away(tmp_path: Path) -> None:
    swept = ask("sweep", "mine.yaml", "--format", "json")
    listed = json.loads(ask("runs", "list", "--format", "json").stdout)
    (run,) = listed["runs"]
    assert (run["done"], run["tasks"], run["finished"]) == (2, 2, True)
    assert ask("runs", "show", run["run"], "--format", "json").stdout == swept.stdout
    assert ask("runs", "show", "--format", "csv").stdout.startswith("scenario_id,")
    strange = CliRunner().invoke(cli, ["runs", "show", "2031"])
    assert f"nearest: {run['run']}" in str(strange.exception)
    assert ask("runs", "prune").exit_code == 2
    assert "expected a time with its unit" in ask("runs", "prune", "--older-than", "30").output
    assert ask("runs", "prune", "--keep", "0").stdout == f"{run['run']}\n"
    assert list_runs(tmp_path / "runs") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("optimize", "--penalty", "2x"), "'--penalty': '2x' is not understood: expected dollars"),
        (("value", "--step", "3z"), "'--step': '3z' is not understood: expected seconds"),
        (("spot", "--short", "x"), "'--short': 'x' is not understood"),
        (("incident", "--pad", "x"), "'--pad': 'x' is not understood"),
        (("runs", "prune", "--older-than", "30x"), "'--older-than': '30x' is not understood"),
    ],
)
def test_a_quantity_that_cannot_be_read_is_told_with_its_option(
    words: tuple[str, ...], said: str
) -> None:
    done = CliRunner().invoke(cli, words)
    assert said in done.stderr
    assert done.exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--instance", "ml.g5.2xlrge"), 'unknown instance type "ml.g5.2xlrge"; nearest'),
        (("--precision", "fp17"), "'fp17' is not one of fp32"),
    ],
)
def test_optimize_refuses_names_that_do_not_exist_before_the_work(
    words: tuple[str, ...], said: str
) -> None:
    done = CliRunner().invoke(cli, ["optimize", *words])
    assert said in str(done.exception)


def test_an_executor_that_does_not_exist_begins_no_run(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["sweep", "--executor", "thread"])
    assert 'did you mean "threads"' in str(done.exception)
    assert list_runs(tmp_path / "runs") == []


@pytest.mark.parametrize(
    ("command", "default", "least"),
    [("sweep", None, 20), ("optimize", None, 20), ("goldilocks", None, 20), ("headroom", None, 20),
     ("spot", None, 20), ("tornado", None, 20), ("value", None, 20), ("growth", None, 20),
     ("incident", None, 20), ("compare", 60, 20), ("breakeven", 10, 10)],
)  # fmt: skip
def test_replicates_are_none_or_enough_for_an_interval(command, default, least) -> None:
    asked = cli.get_command(click.Context(cli), command)
    (option,) = [one for one in asked.params if one.name == "replicates"]
    made = click.Context(asked)
    assert option.get_default(made) == default
    assert [option.type_cast_value(made, typed) for typed in ("0", str(least))] == [0, least]
    for wrong in ("1", str(least - 1), "10001", "-1", "many"):
        with pytest.raises(click.BadParameter):
            option.type_cast_value(made, wrong)
    assert ("0 for none" in option.help) == (default is not None)


def test_a_plan_has_nothing_to_write_to_a_folder() -> None:
    result = CliRunner().invoke(cli, ["sweep", "mine.yaml", "--plan", "--out", "x"])
    assert isinstance(result.exception, SystemExit)
    assert result.exit_code == 2
    assert "--plan replays nothing and has nothing to write to --out" in result.output
    assert not Path("x").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["compare", "mine.yaml", "--with", "flet.min=1"], 'did you mean "fleet.min"?'),
        (["tornado", "mine.yaml", "--assumption", "trafic=1,2"], 'did you mean "traffic"?'),
        (["export", "mine.yaml", "--as", "boto3"], 'did you mean "boto3-json"?'),
        (["optimize", "mine.yaml", "--replicate", "20"], "Did you mean '--replicates'?"),
        (["sweep", "mine.yaml", "--ledger", "mine.yaml"], "mine.yaml is a file, expected a folder"),
    ],
)
def test_what_was_probably_meant_is_named(
    args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        main(args)
    assert left.value.code == 2
    assert said in capsys.readouterr().err
