"""A replay beside what was seen: itself, twice as many instances, and files that cannot be."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.scenario import load
from modeler.study import BacktestError, backtest, read_seen, replay
from modeler.study.backtest import SCHEMA

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SCENARIO = """
trace: invocations.json
model: {size: 2GB}
service: {kind: fixed, mean_s: 0.5s}
fleet: {min: 1, max: 8, slots: 1, initial: 1}
policy: {kind: target_tracking, target: 60}
"""


@pytest.fixture
def folder(tmp_path):
    """Two hours whose load triples after one, as init writes it, with the replay's own fleet."""
    stamps = [(START + timedelta(minutes=k)).isoformat() for k in range(120)]
    counts = [30.0] * 60 + [150.0] * 60
    (tmp_path / "invocations.json").write_text(json.dumps({"MetricDataResults": [
        {"Id": "invocations", "Label": "Invocations", "Timestamps": stamps, "Values": counts,
         "StatusCode": "Complete"}]}))  # fmt: skip
    (tmp_path / "scenario.yaml").write_text(SCENARIO)
    found = replay(load(tmp_path / "scenario.yaml"))
    from modeler.measure import timeline

    shown = timeline(found.run, bin_s=60.0)
    serving = np.array(shown["ready"]) + np.array(shown["draining"])
    series = {
        "invocations": {"t": stamps, "values": counts},
        "instances": {"t": stamps, "values": serving[:120].tolist()},
        "latency_mean": {"t": stamps, "values": [0.5] * 120},
    }
    write(tmp_path, series)
    return tmp_path


def write(folder, series, **more):
    content = {"schema": SCHEMA, "period_s": 60, "series": series, **more}
    (folder / "observed.json").write_text(json.dumps(content))


def compared(folder):
    rows = backtest(load(folder / "scenario.yaml"), read_seen(folder / "observed.json"))
    return {row.quantity: row for row in rows}


def test_a_replay_that_was_seen_is_predicted_exactly(folder):
    rows = compared(folder)
    assert rows["requests"].error_pct == 0.0
    assert rows["mean instances"].error_pct == pytest.approx(0.0, abs=1e-9)
    assert rows["most instances"].seen > 1
    assert rows["mean distance a period"].predicted == pytest.approx(0.0, abs=1e-9)
    assert "as many in 100 % of periods" in rows["mean distance a period"].note
    hours = rows["hours of instances in service"]
    assert hours.seen == pytest.approx(rows["mean instances"].seen * 2.0)


def test_an_error_is_that_of_the_prediction(folder):
    content = json.loads((folder / "observed.json").read_text())
    series = content["series"]
    series["instances"]["values"] = [2.0 * value for value in series["instances"]["values"]]
    write(folder, series)
    rows = compared(folder)
    assert rows["mean instances"].error_pct == pytest.approx(-50.0)
    # A latency that was seen at half a second, of services of half a second and their waits.
    assert rows["mean latency"].predicted >= 0.5
    assert rows["mean latency"].error_pct >= 0.0


def test_the_command(folder):
    ran = CliRunner().invoke(cli, ["backtest", str(folder), "--format", "json"])
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.stdout)
    assert report["schema"] == "backtest/1"
    assert {row["quantity"] for row in report["compared"]} >= {"requests", "mean instances"}
    assert "instances are predicted +0 % off on average" in ran.stderr
    (folder / "observed.json").unlink()
    ran = CliRunner().invoke(cli, ["backtest", str(folder)])
    assert isinstance(ran.exception, BacktestError)
    assert "has no observed.json: expected what modeler init writes" in str(ran.exception)


def test_what_was_seen_must_be_readable(tmp_path):
    path = tmp_path / "observed.json"
    path.write_text("{")
    with pytest.raises(BacktestError, match="not JSON"):
        read_seen(path)
    write(tmp_path, {"instances": {"t": ["soon"], "values": [1]}, "latency": {}}, period_s=0)
    with pytest.raises(BacktestError) as error:
        read_seen(path)
    said = str(error.value)
    for part in ("period_s = 0", "series.instances", "series.latency: expected one of",
                 "series.invocations is missing"):  # fmt: skip
        assert part in said


def test_other_times_and_undated_traffic_are_refused(folder):
    content = json.loads((folder / "observed.json").read_text())
    late = [(START + timedelta(days=30, minutes=k)).isoformat() for k in range(5)]
    content["series"]["instances"] = {"t": late, "values": [1.0] * 5}
    write(folder, content["series"])
    with pytest.raises(BacktestError, match="within the time of the traffic"):
        compared(folder)
    (folder / "undated.csv").write_text("timestamp\n0\n1\n2\n")
    text = SCENARIO.replace("invocations.json", "undated.csv")
    (folder / "scenario.yaml").write_text(text)
    with pytest.raises(BacktestError, match="has no date"):
        compared(folder)
