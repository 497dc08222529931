"""Conformance cases: what is asked, what is compared, and what is never called passed."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.validate import command
from modeler.referee import CasesError, ConformanceCase, read_cases, run_conformance, validate
from modeler.referee.conformance import run
from modeler.referee.conformance.compare import compare


def double(inputs):
    if inputs.flag("broken", False):
        raise ZeroDivisionError("no pods")
    if inputs.flag("refuses", False):
        return {"error": True}
    return {"replicas": inputs.whole("replicas", 1) * 2, "limited_by": None, "steps": [1.0, 2.0]}


@pytest.fixture(autouse=True)
def _one_platform(monkeypatch):
    """A platform of one kind, so that the framework is tested apart from the real ones."""
    monkeypatch.setitem(run.PLATFORMS, "hpa", {"double": double})
    monkeypatch.setitem(run.PLATFORMS, "knative", {"half": double})


def case(expected=None, given=None, **rest):
    content = {"id": "a", "autoscaler": "hpa", "kind": "double"} | rest
    return ConformanceCase(
        input={"replicas": 3} if given is None else given,
        expected={"replicas": 6} if expected is None else expected,
        **content,
    )


def test_passed():
    result = run_conformance(case())
    assert (result.status, result.got, result.why) == ("passed", {"replicas": 6}, "")


def test_null_and_absent_are_the_default():
    for given in ({}, {"replicas": None}, {"replicas": 1, "broken": None}):
        assert run_conformance(case({"replicas": 2}, given)).status == "passed"


def test_first_difference_is_named():
    result = run_conformance(case({"steps": [1, 3], "replicas": 7}))
    assert result.status == "failed"
    assert result.why == "steps[1]: got 2, expected 3; 1 more"
    assert result.got == {"steps": [1.0, 2.0], "replicas": 6}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "doubel"}, "unknown kind 'doubel' of hpa: nearest 'double'"),
        ({"autoscaler": "hpaa"}, "unknown autoscaler 'hpaa': nearest 'hpa'"),
        ({"others": {"paused": True}}, "unknown key of the case: paused"),
        ({"given": {"replicas": 3, "window_s": 5}}, "not read: input.window_s"),
        ({"expected": {"replicas": 6, "reason": "x"}}, "not answered: reason"),
        ({"expected": {"abs_tolerance": 1.0}}, "nothing to compare"),
    ],
)
def test_what_is_not_known_is_skipped_and_named(changed, said):
    result = run_conformance(case(**changed))
    assert result.status == "skipped"
    assert said in result.why
    assert result.to_dict()["pass"] is None


@pytest.mark.parametrize("autoscaler", ["", "HPA", "hpa-v2"])
def test_kind_is_found_by_platform_or_alone(autoscaler):
    assert run_conformance(case(autoscaler=autoscaler)).status == "passed"
    assert run_conformance(case(autoscaler="knative-kpa", kind="half")).status == "passed"
    assert run_conformance(case(autoscaler="knative-kpa")).status == "skipped"


def test_error_is_an_answer():
    refused = {"refuses": True}
    assert run_conformance(case({"error": True}, refused)).status == "passed"
    # Neither an error where an answer is due nor the reverse is a name that is not known.
    for expected, given in (({"replicas": 6}, refused), ({"error": True}, {})):
        result = run_conformance(case(expected, given))
        assert result.status == "failed"
        assert "error: got" in result.why


def test_input_that_cannot_be_understood_fails():
    result = run_conformance(case(given={"replicas": "three"}))
    assert (result.status, result.got) == ("failed", None)
    assert "input.replicas: found 'three', expected a number" in result.why
    result = run_conformance(case(given={"broken": True}))
    assert (result.status, result.why) == ("failed", "broke off: ZeroDivisionError: no pods")


@pytest.mark.parametrize(
    ("got", "expected", "same"),
    [
        ({"x": 0.1 + 0.2}, {"x": 0.3}, True),  # a relative difference of 1.9e-16
        ({"x": 1.0}, {"x": 1.0 + 2e-9}, False),
        ({"x": 1.0}, {"x": 1.0 + 2e-9, "rel_tolerance": 1e-8}, True),
        ({"x": 0.2004}, {"x": 0.2, "abs_tolerance": 5e-4}, True),
        ({"x": {"y": [0.2004]}}, {"x": {"y": [0.2]}, "abs_tolerance": 5e-4}, True),
        ({"x": 3}, {"x": 3.0}, True),
        ({"x": np.int64(3), "y": np.array([1, 2])}, {"x": 3, "y": [1, 2]}, True),
        ({"x": (1, 2)}, {"x": [1, 2]}, True),
        ({"x": True}, {"x": 1}, False),
        ({"x": 0}, {"x": False}, False),
        ({"x": 0}, {"x": None}, False),
        ({"x": None}, {"x": None}, True),
        ({"x": "3"}, {"x": 3}, False),
        ({"x": [1]}, {"x": [1, 2]}, False),
        ({"x": [1, 2, 3]}, {"x": [1, 2]}, False),
        ({"x": []}, {"x": []}, True),
        ({"x": {"y": 1, "z": 2}}, {"x": {"y": 1}}, True),
        ({"x": 1}, {"x": {"y": 1}}, False),
        ({"x": 1}, {"x": [1]}, False),
    ],
)
def test_comparison(got, expected, same):
    found = compare(got, expected)
    assert (not found.differences) is same
    assert not found.unanswered


def test_nested_name_that_is_not_answered():
    assert compare({"x": [{"y": 1}]}, {"x": [{"y": 1, "z": 2}]}).unanswered == ["x[0].z"]


GOOD = {"id": "a", "kind": "double", "input": {"replicas": 3}, "expected": {"replicas": 6}}


def written(tmp_path, *cases, name="cases.json"):
    path = tmp_path / name
    path.write_text(json.dumps({"schema": "conformance-cases/1", "cases": list(cases)}))
    return path


def test_all_problems_of_all_files_at_once(tmp_path):
    first = written(
        tmp_path,
        {k: v for k, v in GOOD.items() if k != "input"} | {"inputs": {}},
        GOOD | {"id": "b", "expected": {}},
        GOOD | {"id": "c", "expected": {"x": 1, "abs_tolerance": "some"}},
        GOOD | {"id": "d", "source": 3},
        GOOD | {"id": "d", "source": None},
    )
    second = written(tmp_path, 7, GOOD, GOOD, name="more.json")
    with pytest.raises(CasesError) as caught:
        validate([first, second])
    said = [str(problem) for problem in caught.value.problems]
    assert said == [
        f"{first}: a: input: found nothing, but 'inputs', expected an object",
        f"{first}: b: expected: found {{}}, expected an object of at least one answer",
        f'{first}: c: expected.abs_tolerance: found "some", expected a number of at least 0',
        f"{first}: d: source: found 3, expected a name",
        f"{second}: case 1: found 7, expected an object",
        f"{second}: a: id: found a second case of this id, expected unique ids",
    ]


def test_mixed_files_in_one_answer(tmp_path):
    theory = tmp_path / "theory.json"
    erlang = {
        "id": "e",
        "model": "M/M/c/c",
        "params": {"c": 2, "offered_load": 1.0},
        "quantity": "blocking_probability",
        "value": 0.2,
    }
    theory.write_text(json.dumps({"schema": "analytic-cases/1", "cases": [erlang]}))
    platforms = written(
        tmp_path,
        GOOD,
        GOOD | {"id": "b", "expected": {"replicas": 5}},
        GOOD | {"id": "c", "kind": "x"},
    )
    runner = CliRunner()
    files = [str(theory), str(platforms), "--quick"]
    done = runner.invoke(command, [*files, "--format", "json"])
    assert done.exit_code == 3
    first, second = json.loads(done.stdout)["files"]
    assert (first["cases"], first["passed"], first["failed"]) == (1, 1, [])
    assert first["median_abs_pct_error"] < 10.0
    assert second["schema"] == "conformance-cases/1"
    assert (second["cases"], second["passed"], second["skipped"]) == (3, 1, 1)
    assert second["failed"] == [
        {
            "id": "b",
            "expected": {"replicas": 5},
            "got": {"replicas": 6},
            "why": "replicas: got 6, expected 5",
        }
    ]
    assert second["skipped_cases"][0]["id"] == "c"
    assert second["median_abs_pct_error"] is None

    table = runner.invoke(command, files)
    assert "M/M/c/c: blocking_probability" in table.stdout
    assert "1 passed, 1 failed, 1 skipped of 3" in table.stderr
    assert "failed b: replicas: got 6, expected 5" in table.stderr
    assert "skipped c: unknown kind 'x'" in table.stderr

    text = runner.invoke(command, [str(platforms), "--format", "csv"]).stdout
    assert text.splitlines()[0] == (
        "file,id,autoscaler,kind,expected,got,status,pass,why,source,confidence"
    )
    assert '"{""replicas"": 6}"' in text


def test_unanswerable_case_alone_does_not_fail_the_gate(tmp_path):
    done = CliRunner().invoke(command, [str(written(tmp_path, GOOD | {"kind": "x"}))])
    assert done.exit_code == 0
    assert "0 passed, 0 failed, 1 skipped of 1" in done.stderr


def test_file_reads_back(tmp_path):
    found = read_cases(written(tmp_path, GOOD | {"note": "n", "confidence": "derived"}))
    (one,) = found.cases
    assert one.others == {}
    assert one.confidence == "derived"
