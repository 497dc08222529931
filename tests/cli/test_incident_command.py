"""``modeler incident``: what it prints, draws and refuses."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli, main
from modeler.scenario import load
from modeler.study import incident

# One request in two seconds from 08:00, one a second from 08:20, and again as before from 08:50 on.
SECONDS = [*range(0, 1200, 2), *range(1200, 3000), *range(3000, 7200, 2)]
SCENARIO = """
trace: step.csv
model: {size: 2GB}
hosting: {usd_per_hour: 36}
service: {kind: fixed, mean_s: 1.25s}
cold_start: {total_s: 2m, sigma_log: 0}
fleet: {min: 1, max: 4, slots: 1}
queue: {client_timeout_s: 1d, queue_timeout_s: 1d}
policy: {kind: target_tracking, target: 55}
"""
WINDOW = ("--from", "2026-03-02T08:20", "--to", "1h20m")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stamps = [f"2026-03-02T{8 + t // 3600:02d}:{t // 60 % 60:02d}:{t % 60:02d}Z" for t in SECONDS]
    (tmp_path / "step.csv").write_text("timestamp\n" + "".join(f"{at}\n" for at in stamps))
    (tmp_path / "mine.yaml").write_text(SCENARIO)
    return tmp_path


def modeler(*args):
    return CliRunner().invoke(cli, ["incident", "mine.yaml", *args])


def refusal(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main(["incident", "mine.yaml", *args])
    return ended.value.code, capsys.readouterr().err


def test_the_table_has_a_row_a_policy_and_ends_in_a_sentence():
    ran = modeler(*WINDOW, "--set", "fleet.min=2", "--policy", "hpa")
    assert ran.exit_code == 0, ran.output
    lines = ran.stdout.splitlines()
    assert lines[1] == (
        "window 2026-03-02T08:20:00Z to 2026-03-02T09:20:00Z, 1 h 0 m: 2,700 requests"
    )
    names = [line.split("  ")[0] for line in lines[4:8]]
    assert names == ["policy", "the policy that ran", "HPA", "fleet.min = 2"]
    # The documented alarm: 250 s after the step.
    assert "08:24:10" in lines[5]
    assert "\nnote  window: as asked for\n" in ran.stdout
    # Two replicas hold 1.6 requests a second, so nobody waits.
    assert lines[-1].startswith(
        "Had fleet.min been 2, 2 replicas instead of 1 would have been ready"
    )
    assert "late or failed requests saved for $" in lines[-1]


def test_json_is_the_function_and_csv_its_rows():
    ran = modeler(*WINDOW, "--set", "policy.target=40,50", "--format", "json")
    assert ran.exit_code == 0, ran.output
    found = incident(
        load("mine.yaml"), (WINDOW[1], WINDOW[3]), settings={"policy.target": ["40", "50"]}
    )
    assert json.loads(ran.stdout) == json.loads(json.dumps(found.to_dict()))
    rows = modeler(*WINDOW, "--set", "policy.target=40,50", "--format", "csv").stdout
    table = list(csv.DictReader(io.StringIO(rows)))
    assert [row["name"] for row in table] == [row["name"] for row in found.rows]
    assert [int(row["saved"]) for row in table] == [row["saved"] for row in found.rows]


def test_with_no_window_the_worst_hour_is_said():
    ran = modeler()
    assert ran.exit_code == 0, ran.output
    assert "note  window: the hour with the most misses under the policy that ran\n" in ran.stdout
    assert ran.stdout.rstrip().endswith("No other policy was tried.")


def test_a_policy_file_is_a_row(folder):
    (folder / "hpa.yaml").write_text(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: ranker}\n"
        "spec:\n  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: ranker}\n"
        "  minReplicas: 2\n  maxReplicas: 4\n"
        "  metrics:\n  - type: Resource\n    resource:\n      name: cpu\n"
        "      target: {type: Utilization, averageUtilization: 60}\n"
    )
    ran = modeler(*WINDOW, "--policy", "hpa.yaml", "--format", "json")
    assert ran.exit_code == 0, ran.output
    row = json.loads(ran.stdout)["policies"][1]
    assert (row["name"], row["policy"], row["ready_at_start"]) == ("hpa.yaml", "hpa", 2)


@pytest.mark.parametrize(("kind", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_the_figure_is_the_same_twice(folder, kind, begin):
    for name in ("a", "b"):
        file = f"{name}.{kind}"
        ran = modeler(*WINDOW, "--set", "fleet.min=2", "--figure", file)
        assert ran.exit_code == 0, ran.output
        assert f"wrote {file}" in ran.stderr
    content = (folder / f"a.{kind}").read_bytes()
    assert content.startswith(begin)
    assert content == (folder / f"b.{kind}").read_bytes()


def test_the_figure_holds_the_rows():
    from modeler.report import plot_incident
    from modeler.report.style import drawing

    found = incident(load("mine.yaml"), (1200, 4800), settings={"fleet.min": [2]}).to_dict()
    with drawing():
        _, fleet, missed = plot_incident.draw(found).axes
    ends = [line.get_ydata()[-1] for line in missed.lines]
    assert ends == [row["violations"] for row in found["policies"]]
    assert [line.get_xdata()[0] for line in fleet.lines] == [
        (row["acted_s"] - 1200.0) / 60.0 for row in found["policies"] if row["acted_s"] is not None
    ]


def test_one_that_cannot_be_replayed_ends_with_4():
    ran = modeler(*WINDOW, "--set", "model.size=900GB")
    assert ran.exit_code == 4
    assert "\nmodel.size = 900000000000: " in ran.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "2027-01-01"), "the traffic lasts from 2026-03-02T08:00:00Z to 2026-03-02T09:"),
        (("--from", "noon"), "'noon' is no time"),
        (("--pad", "5m"), "a pad needs a window"),
        (("--pad", "soon", *WINDOW), "'soon'"),
        (("--figure", "a.txt"), "expected a name that ends in .png, .svg, .pdf"),
        (("--policy", "hpaa"), 'did you mean "hpa"?'),
        (("--set", "trace=office-week"), "an alternative meets the same requests"),
    ],
)
def test_what_cannot_be_is_refused(capsys, options, said):
    code, words = refusal(capsys, *options)
    assert code == 2
    assert said in words


def test_a_window_past_the_traffic_is_a_warning():
    ran = modeler("--from", "2026-03-02T08:20", "--to", "2026-03-03T08:20")
    assert ran.exit_code == 0, ran.output
    said = "warning: window asked for from 2026-03-02T08:20:00Z until 2026-03-03T08:20:00Z, the "
    assert said in ran.stderr


def test_intervals_stand_behind_their_figures(folder):
    ran = modeler(*WINDOW, "--set", "fleet.min=2", "--replicates", "20", "--figure", "i.svg")
    assert ran.exit_code == 0, ran.output
    head, *rows = ran.stdout.splitlines()[4:7]
    assert "missed 95 %" in head
    assert head.index("saved  saved 95 %") > 0
    assert " to " in rows[1]
    assert "other lucks of the same traffic" in ran.stdout.splitlines()[-1]
    assert (folder / "i.svg").read_text().startswith("<?xml")
