"""Files of known answers: what is refused, and how it is said."""

import csv
import json
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner

from modeler import referee
from modeler.cli.validate import command
from modeler.referee import CasesError, read_cases, run_case, validate

GOOD = {
    "id": "a",
    "model": "M/M/c/c",
    "params": {"c": 2, "offered_load": 1.0},
    "quantity": "blocking_probability",
    "value": 0.2,
    "formula_ref": "Erlang B",
}


def written(tmp_path, *cases, schema="analytic-cases/1"):
    path = tmp_path / "cases.json"
    path.write_text(json.dumps({"schema": schema, "cases": list(cases)}))
    return path


def test_good_file(tmp_path):
    found = read_cases(written(tmp_path, GOOD))
    assert found.schema == "analytic-cases/1"
    assert found.cases[0].value == 0.2


def test_all_problems_at_once(tmp_path):
    path = written(
        tmp_path,
        {k: v for k, v in GOOD.items() if k != "value"} | {"vaule": 1.0},
        GOOD | {"id": "b", "params": {"c": []}},
        GOOD | {"id": "c", "value": "much"},
        GOOD | {"id": "d"},
        GOOD | {"id": "d"},
    )
    with pytest.raises(CasesError) as caught:
        read_cases(path)
    said = str(caught.value)
    assert len(caught.value.problems) == 4
    assert f"{path}: a: value: found nothing, but 'vaule', expected a finite number" in said
    assert "b: params.c: found []" in said
    assert 'c: value: found "much"' in said
    assert "d: id: found a second case of this id" in said


@pytest.mark.parametrize("schema", ["model-size-cases/2", "x", None])
def test_other_schemas_are_refused_by_name(tmp_path, schema):
    with pytest.raises(CasesError, match="runs: analytic-cases/1, conformance-cases/1"):
        read_cases(written(tmp_path, GOOD, schema=schema))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"schema": "analytic-cases/1"}',
        '{"schema": "analytic-cases/1", "cases": []}',
    ],
)
def test_not_a_file_of_cases(tmp_path, text):
    path = tmp_path / "cases.json"
    path.write_text(text)
    with pytest.raises(CasesError, match="cases.json"):
        read_cases(path)


def test_value_that_is_not_a_number(tmp_path):
    path = tmp_path / "cases.json"
    path.write_text(
        json.dumps({"schema": "analytic-cases/1", "cases": [GOOD | {"value": float("nan")}]})
    )
    with pytest.raises(CasesError, match="finite number"):
        read_cases(path)


def test_shipped_answers_are_read():
    from modeler.referee.validation import SHIPPED

    theory, platforms, _, sizes = (read_cases(path).cases for path in SHIPPED)
    assert len(sizes) >= 190
    assert all(case.evidence for case in sizes)
    assert len(theory) >= 70
    assert all(case.formula_ref for case in theory)
    assert len(platforms) >= 101
    assert all(case.source for case in platforms)


def test_workers_do_not_change_the_answer(tmp_path):
    path = written(tmp_path, GOOD, GOOD | {"id": "b"}, GOOD | {"id": "c"})
    one = validate([path], quick=True, workers=1).to_dict()
    assert validate([path], quick=True, workers=2).to_dict() == one
    seeds = [case["seed"] for case in one["files"][0]["results"]]
    assert len(set(seeds)) == 3


def test_json_contract(tmp_path):
    path = written(
        tmp_path,
        GOOD,
        GOOD | {"id": "b", "value": 0.3},
        GOOD | {"id": "c", "model": "dice"},
    )
    done = CliRunner().invoke(command, [str(path), "--quick", "--format", "json"])
    assert done.exit_code == 3
    plain = json.loads(done.stdout)
    assert plain["schema"] == "validate/1"
    assert plain["quick"] is True
    assert "30 independent" in plain["rule"]
    (file,) = plain["files"]
    assert (file["cases"], file["passed"], file["skipped"]) == (3, 1, 1)
    (failed,) = file["failed"]
    assert set(failed) == {"id", "expected", "got", "why"}
    assert failed["id"] == "b"
    assert failed["got"] == pytest.approx(0.2, rel=0.1)
    assert file["within_25pct"] == 0.5
    first, _, skipped = file["results"]
    assert first["pass"] is True
    assert first["ci_low"] <= 0.2 <= first["ci_high"]
    assert first["replications"] >= 30
    assert skipped["pass"] is None
    assert skipped["got"] is None


def test_command_says_what_it_did(tmp_path):
    done = CliRunner().invoke(command, [str(written(tmp_path, GOOD)), "--quick"])
    assert done.exit_code == 0
    assert "1 passed, 0 failed, 0 skipped of 1" in done.stderr
    assert "wider tiers" in done.stderr
    assert "blocking_probability" in done.stdout


def test_unreadable_file_ends_with_two(tmp_path):
    from modeler.cli.main import main

    for argument in (str(tmp_path / "absent.json"), str(written(tmp_path, GOOD, schema="x"))):
        with pytest.raises(SystemExit) as left:
            main(["validate", argument])
        assert left.value.code == 2


def test_frame_has_a_row_a_case(tmp_path):
    frame = validate([written(tmp_path, GOOD)], quick=True).frame()
    assert list(frame["id"]) == ["a"]
    assert frame["pass"].all()


def test_frame_has_the_declared_columns(tmp_path):
    declared = Path(referee.__file__).with_name("columns.csv")
    with declared.open(encoding="utf-8", newline="") as file:
        names = [row["column"] for row in csv.DictReader(file) if row["table"] == "known_answers"]
    assert list(validate([written(tmp_path, GOOD)], quick=True).frame().columns) == names


def test_stopped_run_ends():
    stop = Event()
    stop.set()
    case = read_cases(Path(referee.__file__).with_name("analytic_cases.json")).cases[0]
    with pytest.raises(InterruptedError):
        run_case(case, stop=stop)
