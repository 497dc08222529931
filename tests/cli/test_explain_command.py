"""``modeler explain``: lines of arithmetic as a table, as data, and what it refuses."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import modeler.study
from modeler.cli.main import cli, main


@pytest.fixture(autouse=True)
def few_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"2026-01-05T00:00:{second:02d}Z\n" for second in range(60))
    (tmp_path / "minute.csv").write_text("timestamp\n" + rows)
    (tmp_path / "mine.yaml").write_text(
        "trace: minute.csv\nservice: {kind: fixed, mean_s: 0.1}\n"
        "hosting: {usd_per_hour: $3.60/h}\nsweep: {fleet.min: [1, 2]}\n"
    )


def ask(*args: str) -> Result:
    return CliRunner().invoke(cli, ["explain", *args])


def test_dollars_and_violations_are_explained_when_nothing_is_asked() -> None:
    result = ask("mine.yaml")
    assert result.exit_code == 0, result.output
    assert "sweep: fleet.min not varied: explain takes one scenario\n" in result.stderr
    lines = result.stdout.splitlines()
    assert re.split(r"\s{2,}", lines[0]) == ["figure", "expression", "value", "unit", "source"]
    names = [line.split("  ")[0] for line in lines]
    assert names.index("cost_lines.serving") < names.index("usd_total")
    assert names[-1] == "sla_violation_share"
    # Sixty requests of a tenth of a second at $3.60 an hour: 6 s of a tenth of a cent.
    (serving,) = [line for line in lines if line.startswith("cost_lines.serving ")]
    assert "0.00166667 x 3.6 (instance-hour x USD each)" in serving
    assert "yours (hosting.usd_per_hour)" in serving


def test_json_has_the_terms_and_options_pin() -> None:
    result = ask("mine.yaml", "usd_per_hour", "--set", "fleet.min=2", "--format", "json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    assert found["schema"] == "explain-figure/1"
    (explained,) = found["figures"]
    assert explained["figure"] == "usd_per_hour"
    last = explained["lines"][-1]
    assert last["operation"] == "quotient"
    assert last["terms"][0] / last["terms"][1] == pytest.approx(last["value"], rel=1e-9)
    # Two replicas at $3.60, billed in whole seconds.
    assert 7.2 <= explained["value"] <= 7.2 * 60 / 59
    size = json.loads(ask("mine.yaml", "size_bytes", "--size", "2GB", "--format", "json").stdout)
    assert size["figures"][0]["value"] == 2_000_000_000


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("mine.yaml", "usd_totl"), 'did you mean "usd_total"?'),
        (("mine.yaml", "usd_total", "--set", "fleet.min=1,2"), "explain takes one scenario"),
        (("gone.yaml",), "cannot read gone.yaml"),
    ],
)
def test_what_cannot_be_explained_is_refused_before_a_replay(
    args: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("replayed")

    monkeypatch.setattr(modeler.study, "replay", never)
    with pytest.raises(SystemExit) as ended:
        main(["explain", *args])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_figure_of_another_kind_of_run_is_refused_after_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["explain", "mine.yaml", "environments.cold"])
    assert ended.value.code == 2
    assert 'this result has no figure "environments.cold"' in capsys.readouterr().err
