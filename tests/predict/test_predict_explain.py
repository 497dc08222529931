"""Every setting in force, with its origin and source; and the commands that print it."""

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.predict import explain
from modeler.predict.constants import defaults
from modeler.scenario import Scenario, default, loads, with_values
from modeler.scenario.explain import InForce
from modeler.scenario.kinds import KINDS


def rows(scenario: Scenario) -> dict[str, InForce]:
    return {row.path: row for row in explain(scenario)}


@pytest.mark.parametrize("kind", KINDS["hosting"])
def test_every_setting_has_an_origin_and_a_source(kind: str) -> None:
    found = explain(with_values(Scenario(), {"hosting.kind": kind}))
    assert len({row.path for row in found}) == len(found)
    for row in found:
        assert row.origin in ("documented", "observed", "assumed", "yours"), row
        assert row.source, row
        assert row.meaning, row


def test_what_was_set_is_yours_and_says_where() -> None:
    scenario = loads("policy: {target: 6}\nsweep: {model.size: [1GB]}")
    found = {row.path: row for row in explain(scenario, {"policy": "--set"})}
    target = found["policy.target"]
    assert (target.value, target.origin, target.source) == (6, "yours", "--set")
    assert found["sweep.model.size"].origin == "yours"
    assert found["sweep.model.size"].source == "the scenario"
    assert found["policy.low_threshold_factor"].origin == "observed"


def test_what_other_settings_decide_is_resolved() -> None:
    found = rows(loads("fleet: {min: 3}"))
    assert found["fleet.initial"].value == 3
    assert found["hosting.release_s"].value == 600
    assert found["queue.client_timeout_s"].value == 60
    elsewhere = rows(with_values(Scenario(), {"hosting.kind": "ec2_asg"}))
    assert elsewhere["hosting.release_s"].value == 0
    assert elsewhere["queue.client_timeout_s"].value == "none"
    # The traffic decides this one.
    assert found["fleet.slots"].value == "8 for token traffic, else 1"


def test_constants_of_the_cold_start_are_those_of_the_hosting() -> None:
    found = rows(default())
    known = defaults("sagemaker_realtime")
    assert found["cold_start.boot_s"].value == known["boot_s"].value
    assert found["cold_start.boot_s"].source == known["boot_s"].source
    assert found["cold_start.init_import_s"].origin == "observed"
    own = rows(with_values(default(), {"cold_start.init_s": 20}))
    assert own["cold_start.init_s"].origin == "yours"
    assert "cold_start.init_import_s" not in own  # replaced by it
    whole = rows(with_values(default(), {"cold_start.total_s": 60}))
    assert whole["cold_start.total_s"].origin == "yours"
    # What holds for a start of any length stays; no phase is left beside it.
    left = {path.partition(".")[2] for path in whole if path.startswith("cold_start.")}
    assert not left & {"init_import_s", *known}
    assert "start_limit_s" in left


def test_the_price_is_that_of_the_tables() -> None:
    found = rows(default())["hosting.usd_per_hour"]
    # ml.g5.2xlarge in us-east-1, read 2026-06-19.
    assert found.value == 1.515
    assert found.source.startswith("quoted 2026-06-19: ")
    own = rows(with_values(default(), {"hosting.usd_per_hour": 2}))["hosting.usd_per_hour"]
    assert (own.value, own.origin) == (2, "yours")
    none = rows(with_values(default(), {"hosting.region": "eu-central-1"}))
    assert "no on-demand price" in str(none["hosting.usd_per_hour"].value)


def test_the_command_prints_table_json_and_csv(tmp_path: Path) -> None:
    scenario = tmp_path / "mine.yaml"
    scenario.write_text("trace: elsewhere.csv\nfleet: {max: 7}\nsweep: {model.size: [1GB]}\n")
    runner = CliRunner()
    arguments = ["scenario", "explain", str(scenario), "--set", "policy.target=3,4"]
    table = runner.invoke(cli, arguments)
    assert table.exit_code == 0, table.stderr
    assert "fleet.max" in table.stdout
    found = json.loads(runner.invoke(cli, [*arguments, "--format", "json"]).stdout)
    assert found["schema"] == "explain/1"
    by_path = {row["path"]: row for row in found["settings"]}
    assert by_path["fleet.max"] == {
        "path": "fleet.max",
        "value": 7,
        "unit": "",
        "origin": "yours",
        "source": "the scenario",
        "meaning": "Most replicas.",
    }
    assert by_path["sweep.policy.target"]["value"] == [3, 4]
    assert by_path["sweep.policy.target"]["source"] == "--set"
    lines = csv.DictReader(io.StringIO(runner.invoke(cli, [*arguments, "--format", "csv"]).stdout))
    assert {line["path"] for line in lines} == by_path.keys()


def test_the_schema_is_printed_and_written(tmp_path: Path) -> None:
    runner = CliRunner()
    printed = runner.invoke(cli, ["scenario", "schema"])
    target = tmp_path / "modeler.schema.json"
    runner.invoke(cli, ["scenario", "schema", "-o", str(target)])
    assert json.loads(target.read_text()) == json.loads(printed.stdout)


def test_a_scenario_is_checked_without_a_run(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text("name: mine\nsweep: {fleet.min: [1, 2], fleet.max: [3, 4]}\n")
    bad.write_text("policy: {targt: 3}\nfleet: {min: 3, max: 2}\n")
    runner = CliRunner()
    held = runner.invoke(cli, ["scenario", "check", str(good)])
    assert (held.exit_code, held.stdout) == (0, "")
    assert "mine" in held.stderr
    assert "4 combinations" in held.stderr
    refused = runner.invoke(cli, ["scenario", "check", str(bad)])
    assert "bad.yaml:1:10" in str(refused.exception)
    assert str(refused.exception).endswith("2 errors")
