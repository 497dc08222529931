"""A row of a kept run: named, its scenario had again, and written as its platform's own file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from modeler.cli.main import cli
from modeler.platforms import apply, export, load, read_policy
from modeler.scenario import Scenario, scenario_id, with_values
from modeler.scenario.gates import parse_gates
from modeler.study import Goal, KeptError, Lab, kept_row, optimize, presets_of, replay, sweep
from modeler.study.jobs.ledger import runs
from modeler.study.kept import row_number
from modeler.study.runs import list_runs
from traces import Trace
from traces.draws import exponential

# Two requests a second of half a second each: one replica of one slot is just too few.
SCENARIO = """
name: ranker
trace: arrivals.csv
model: {size: 2GB}
service: {kind: fixed, mean_s: 0.5s}
sla: {threshold_s: 2s}
fleet: {min: 1, max: 6}
policy: {kind: target_tracking}
"""
SHARES = [0.4, 0.6, 0.8]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scenario and its traffic, and in ``runs`` a sweep of nine rows."""
    where = tmp_path_factory.mktemp("kept")
    arrival_s = np.cumsum(exponential(7, "gap", 0, 1500) * 0.5)
    lines = "\n".join(f"{at:.3f}" for at in arrival_s)
    (where / "arrivals.csv").write_text(f"timestamp\n{lines}\n")
    (where / "s.yaml").write_text(SCENARIO)
    sweep(of(where), ledger=where / "runs", references=False, settings=AXES)
    return where


AXES = {"fleet.min": [1, 2, 3], "policy.target_utilisation": SHARES}


def of(folder: Path) -> Scenario:
    return load(folder / "s.yaml")


def modeler(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def same(row: dict[str, Any], scenario: Scenario) -> None:
    """A replay of a scenario comes to the figures of a row, to the last digit."""
    found = json.loads(json.dumps(replay(scenario).outcome.to_dict(), default=list))
    for key in ("usd_total", "sla_violation_share", "latency_s", "replicas", "cost_lines"):
        assert found[key] == row[key], key


@pytest.mark.parametrize("form", ["terraform", "cloudformation", "boto3-json"])
def test_the_winner_of_a_sweep_comes_back_from_its_file_with_its_result(
    folder: Path, tmp_path: Path, form: str
) -> None:
    kept = kept_row("latest", "best", folder / "runs")
    expected = with_values(
        of(folder), {path: kept.row["settings"][path] for path in AXES} | {"sweep": {}}
    )
    assert kept.scenario == expected
    out = tmp_path / {"terraform": "a.tf", "cloudformation": "a.yaml", "boto3-json": "a.json"}[form]
    done = modeler("export", "latest:best", "--as", form, "--ledger", folder / "runs", "-o", out)
    assert done.exit_code == 0, done.output
    again, _ = apply(kept.scenario, read_policy(out))
    assert again.fleet == kept.scenario.fleet
    same(kept.row, again)


def test_best_is_the_cheapest_that_keeps_level_and_gates_or_what_a_goal_says(folder: Path) -> None:
    rows = [kept_row("latest", str(n), folder / "runs").row for n in range(1, 10)]
    keeping = [row for row in rows if row["meets_sla"]]
    assert 0 < len(keeping) < 9
    best = kept_row("latest", "best", folder / "runs").row
    assert best["usd_total"] == min(row["usd_total"] for row in keeping)
    cost = kept_row("latest", "best", folder / "runs", goal=Goal("cost")).row
    assert cost["usd_total"] == min(row["usd_total"] for row in rows) < best["usd_total"]
    fast = kept_row("latest", "best", folder / "runs", goal=Goal("speed")).row
    assert fast["latency_s"]["p99"] == min(row["latency_s"]["p99"] for row in rows)
    gates = parse_gates([f"p99 <= {fast['latency_s']['p99']}s"])
    gated = kept_row("latest", "best", folder / "runs", gates=gates).row
    assert gated["latency_s"]["p99"] <= fast["latency_s"]["p99"]


def test_each_row_is_named_by_its_number_and_by_its_id(folder: Path) -> None:
    for number in range(1, 10):
        by_number = kept_row("latest", str(number), folder / "runs")
        id = scenario_id(by_number.scenario)
        assert by_number.row["scenario_id"] == id
        assert kept_row("latest", id[:8], folder / "runs").number == number


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["latest:10"], "a number from 1 to 9"),
        (["latest:0"], "expected best"),
        (["latest:bset"], 'did you mean "best"'),
        (["1999:best"], "nearest: 20"),
        (["latest:1", "--goal", "speed"], "--goal is an option of RUN:best"),
        (["latest:best", "--set", "fleet.min=2", "--policy", "a.tf"], "--policy, --set are"),
        (["latest:best", "--fail-on", "p98 > 2s"], "p98"),
    ],
)
def test_what_no_row_answers_to_is_told_with_what_there_is(
    folder: Path, words: list[str], said: str
) -> None:
    done = modeler("export", *words, "--as", "terraform", "--ledger", folder / "runs")
    message = done.stderr + str(done.exception)
    assert done.exit_code != 0
    assert said in message


def test_options_of_a_run_are_refused_for_a_file(folder: Path) -> None:
    done = modeler("export", folder / "s.yaml", "--as", "terraform", "--goal", "cost")
    assert "--goal is an option of a run" in done.stderr
    assert done.exit_code == 2


def test_a_gate_that_the_winner_does_not_keep_ends_with_code_3(folder: Path) -> None:
    done = modeler(
        "export", "latest:best", "--as", "terraform", "--ledger", folder / "runs",
        "--fail-on", "usd_per_hour > 0.01",
    )  # fmt: skip
    assert done.exit_code == 3
    assert "aws_appautoscaling_target" in done.stdout


def test_the_winner_of_an_optimisation_goes_by_its_goal(folder: Path, tmp_path: Path) -> None:
    lab = Lab(of(folder), ledger=tmp_path)
    axes = {"fleet.min": (1, 2), "policy.target_utilisation": (0.6, 0.8)}
    found = optimize(lab, axes, Goal("speed"))
    made = lab.replays
    run = lab.keep(found.tried, Goal("speed"))
    assert (lab.replays, list_runs(tmp_path)[0].run) == (made, run)
    assert list_runs(tmp_path)[0].cached == len(found.tried)  # nothing is replayed for it
    kept = kept_row(run, "best", tmp_path)
    assert kept.goal == Goal("speed")
    assert kept.row["settings"] == found.best["settings"]
    assert kept.scenario == lab.variant(found.best["settings"])
    same(kept.row, kept.scenario)


def test_without_a_ledger_a_lab_keeps_nothing(folder: Path) -> None:
    lab = Lab(of(folder))
    assert lab.keep([lab.row({"fleet.min": 2})], Goal()) == ""


def test_policies_by_name_and_precisions_are_had_again(folder: Path, tmp_path: Path) -> None:
    made = sweep(
        of(folder),
        ledger=tmp_path,
        references=False,
        sizes=["2GB", "4GB"],
        precisions=["fp16", "int8"],
        presets=presets_of(["hpa"]),
    )
    for number, point in enumerate(made.points):
        kept = kept_row("latest", str(number + 1), tmp_path)
        assert kept.scenario == with_values(point.scenario, {"sweep": {}, "gates": []})
        assert "HorizontalPodAutoscaler" in export(kept.scenario, "hpa", trace=kept.traffic)


def test_other_traffic_than_was_replayed_is_refused_where_a_number_follows_from_it(
    folder: Path, tmp_path: Path
) -> None:
    scenario = with_values(of(folder), {"trace": "office-week"})
    arrival_s = np.arange(200) / 2.0
    sweep(scenario, trace=Trace(arrival_s, {}), ledger=tmp_path, references=False)
    kept = kept_row("latest", "best", tmp_path)
    with pytest.raises(KeptError, match="office-week is not the traffic that was replayed"):
        export(kept.scenario, "terraform", trace=kept.traffic)
    named = with_values(kept.scenario, {"policy.target": 40})
    assert "40" in export(named, "terraform", trace=kept.traffic)


def test_a_run_without_its_scenarios_and_a_failed_row_are_told(
    folder: Path, tmp_path: Path
) -> None:
    made = sweep(of(folder), sizes=["2GB", "400GB"], ledger=tmp_path, references=False)
    assert row_number(made, "1") == 0
    with pytest.raises(KeptError, match="has no result"):
        kept_row("latest", "2", tmp_path)
    with closing(sqlite3.connect(runs(tmp_path)[0])) as base, base:
        base.execute("DROP TABLE scenario")
    with pytest.raises(KeptError, match="kept by an earlier version"):
        kept_row("latest", "1", tmp_path)
