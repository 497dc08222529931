"""Gates at the end of ``sweep`` and ``replay``: marks, values, exit codes."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import modeler.study
from modeler.cli.main import cli, main
from modeler.plain import flatten
from modeler.scenario.figures import FIGURES, figure_of
from modeler.scenario.gates import parse_gate


@pytest.fixture(autouse=True)
def few_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty arrivals, one a second, of a tenth of a second each: nothing ever waits."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"2026-01-05T00:00:{second:02d}Z\n" for second in range(60))
    (tmp_path / "minute.csv").write_text("timestamp\n" + rows)
    scenario = "trace: minute.csv\nservice: {kind: fixed, mean_s: 0.1}\n"
    (tmp_path / "plain.yaml").write_text(scenario)
    (tmp_path / "kept.yaml").write_text(
        f"{scenario}gates: [p99 <= 2s, misses <= 0.5%, usd_per_month <= $1200]\n"
        "sweep: {model.size: [1GB, 4GB]}\n"
    )


def ask(*args: str) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args])


@pytest.mark.parametrize("command", ["sweep", "replay"])
def test_kept_gates_are_marked_and_end_well(command: str) -> None:
    result = ask(command, "kept.yaml")
    assert result.exit_code == 0, result.output
    said = result.stderr.splitlines()[-3:]
    assert said[0] == "✓ p99 <= 2s                0.1 s"
    assert said[1] == "✓ misses <= 0.5%           0 %"
    # $1.515 an hour for 730 hours is $1,105.95; whole seconds of a minute may add one in sixty.
    dollars = re.fullmatch(
        r"✓ usd_per_month <= \$1200   \$([\d,.]+) \(usd_per_hour of 730 hours\)", said[2]
    )
    assert dollars is not None
    assert 1105.95 <= float(dollars[1].replace(",", "")) <= 1105.95 * 60 / 59


@pytest.mark.parametrize("command", ["sweep", "replay"])
def test_a_condition_that_is_met_ends_with_3(command: str) -> None:
    result = ask(command, "kept.yaml", "--fail-on", "p99 > 50ms", "--fail-on", "requests >= 60")
    assert result.exit_code == 3
    assert "✗ p99 <= 50ms" in result.stderr
    assert "0.1 s, off by 50 ms" in result.stderr
    assert "✗ requests < 60            60\n" in result.stderr
    assert "✓ p99 <= 2s" in result.stderr


def test_a_figure_without_a_value_fails_and_says_so() -> None:
    result = ask("replay", "plain.yaml", "--fail-on", "first_token_s.p99 > 1s")
    assert result.exit_code == 3
    assert "✗ first_token_s.p99 <= 1s   no value: the result has none, so the gate fails" in (
        result.stderr
    )


def test_marks_are_words_where_signs_cannot_be_shown() -> None:
    runner = CliRunner(charset="ascii")
    result = runner.invoke(cli, ["replay", "kept.yaml", "--fail-on", "served > 1"])
    assert result.exit_code == 3
    assert "ok   p99 <= 2s" in result.stderr
    assert "FAIL served <= 1" in result.stderr


def test_rows_have_gates_only_where_there_are_gates() -> None:
    rows = json.loads(ask("sweep", "kept.yaml", "--format", "json").stdout)["scenarios"]
    assert [one["gate"] for one in rows[0]["gates"]] == [
        "p99 <= 2s", "misses <= 0.5%", "usd_per_month <= $1200",
    ]  # fmt: skip
    for row in rows:
        for one in row["gates"]:
            figure, factor, _ = figure_of(parse_gate(one["gate"]).text.split()[0])
            assert one["value"] == flatten(row)[figure] * factor
            assert one["passed"]
    outcome = json.loads(ask("replay", "kept.yaml", "--format", "json").stdout)
    assert len(outcome["gates"]) == 3
    plain = ask("sweep", "plain.yaml", "--format", "json")
    assert "gates" not in json.loads(plain.stdout)["scenarios"][0]
    assert "✓" not in plain.stderr
    assert "gates" not in json.loads(ask("replay", "plain.yaml", "--format", "json").stdout)


def test_the_best_row_decides_and_is_named() -> None:
    result = ask("sweep", "kept.yaml", "--fail-on", "size_bytes < 4GB")
    # Both cost the same, and the larger model is then the better answer.
    assert result.exit_code == 0, result.stderr
    assert "gates, held against 4 GB on ml.g5.2xlarge, target tracking:\n" in result.stderr
    rows = json.loads(
        ask("sweep", "kept.yaml", "--fail-on", "size_bytes < 4GB", "--format", "json").stdout
    )["scenarios"]
    assert [row["gates"][-1]["passed"] for row in rows] == [False, True]


def test_a_failed_gate_is_more_urgent_than_a_failed_row_and_less_than_a_missing_price() -> None:
    sizes = ("--size", "1GB,900GB")  # the second fits no instance of these
    assert ask("sweep", "plain.yaml", *sizes).exit_code == 4
    assert ask("sweep", "plain.yaml", *sizes, "--fail-on", "served > 1").exit_code == 3
    nothing = ask("sweep", "plain.yaml", "--size", "900GB", "--fail-on", "served > 1")
    assert nothing.exit_code == 3
    assert "no scenario could be replayed" in nothing.stderr
    assert "no value" in nothing.stderr
    unpriced = ("--set", "hosting.as_of=2001-01-01")
    assert ask("sweep", "plain.yaml", *unpriced, "--fail-on", "p99 > 1ms").exit_code == 5


@pytest.mark.parametrize("command", ["sweep", "replay"])
def test_a_condition_on_nothing_is_refused_before_any_replay(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("replayed")

    monkeypatch.setattr(modeler.study, command, never)
    with pytest.raises(SystemExit) as ended:
        main([command, "plain.yaml", "--fail-on", "p98 > 2s", "--fail-on", "p99 > 2GB"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "--fail-on 'p98 > 2s': there is no figure \"p98\" in a result" in said
    assert 'did you mean "p9' in said
    assert said.endswith("2 errors\n")


def test_every_number_of_a_row_is_a_declared_figure() -> None:
    """But for the settings, the seed, and the counts of laws, whose names are the run's own."""
    (row,) = json.loads(ask("sweep", "plain.yaml", "--format", "json").stdout)["scenarios"]
    numbers = {
        name
        for name, value in flatten(row).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    undeclared = {name for name in numbers if not name.startswith(("settings.", "instances.laws"))}
    assert undeclared - FIGURES.keys() == {"seed"}
