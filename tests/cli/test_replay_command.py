"""``modeler replay`` and the options it shares with ``sweep``: what is said and refused."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modeler.cli.main import cli, main
from modeler.report.replayed import replay_text


@pytest.fixture(autouse=True)
def few_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a trace of 60 arrivals, one a second, and a scenario that misses its own."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"2026-01-05T00:00:{second:02d}Z\n" for second in range(60))
    (tmp_path / "minute.csv").write_text("timestamp\n" + rows)
    (tmp_path / "mine.yaml").write_text(
        "trace: gone.csv\n"
        "service: {kind: fixed, mean_s: 0.1}\n"
        "sweep: {model.size: [1GB, 4GB], fleet.min: [1, 2], trace: [gone.csv, gone too]}\n"
    )


def modeler(*args: str) -> Result:
    return CliRunner().invoke(cli, [str(arg) for arg in args])


def refusal(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(args)
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().err


def test_a_sweep_that_is_not_run_is_said() -> None:
    result = modeler("replay", "mine.yaml", "--trace", "minute.csv", "--size", "1GB")
    assert result.exit_code == 0, result.output
    assert "sweep: fleet.min not varied: replay takes one scenario\n" in result.stderr
    nothing_left = modeler(
        "replay", "mine.yaml", "--trace", "minute.csv", "--size", "1GB", "--set", "fleet.min=2"
    )
    assert "not varied" not in nothing_left.stderr


def test_the_text_has_units_and_the_json_the_timeline() -> None:
    asked = ("replay", "mine.yaml", "--trace", "minute.csv", "--set", "fleet.slots=1")
    # Derived: 0.7 x 1 slot x 60 / 0.1 s.
    text = modeler(*asked).stdout
    assert "1 slot a replica, target 420 requests per instance and minute;" in text
    high = modeler(*asked, "--set", "policy.metric=concurrency_high_resolution").stdout
    assert "target 0.7 requests in flight and queued per instance;" in high
    plain = json.loads(modeler(*asked, "--format", "json").stdout)
    assert {"t_s", "arrivals_rps", "ready", "pending", "draining"} <= plain["timeline"].keys()
    decision = {"time_s": 970.0, "from_replicas": 1, "to_replicas": 2, "metric": 188.0}
    decision |= {"ready_s": None, "released_s": None, "reason": "ScaledOut", "repeats": 1}
    plain["decisions"] = [decision]
    plain["outcome"]["decision_to_ready_s"]["observed"]["count"] = 1
    shown = replay_text(plain, metric="invocations_per_instance")
    assert "decisions (metric: requests per instance and minute)\n" in shown
    assert "1 replica was added" in shown


def test_a_missing_trace_is_told_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = refusal(capsys, "replay", "mine.yaml")
    assert code == 2
    assert '"gone.csv" is neither a file nor a sample; samples: office-week' in said
    assert "--> mine.yaml:1:8" in said


def test_a_trace_on_the_command_line_goes_before_every_one_of_the_file() -> None:
    swept = modeler(
        "sweep", "mine.yaml", "--trace", "minute.csv", "--no-references", "--format", "json"
    )
    assert swept.exit_code == 0, swept.output
    rows = json.loads(swept.stdout)["scenarios"]
    assert [row["requests"] for row in rows] == [60] * 4
    assert modeler("coldstart", "mine.yaml", "--size", "1GB").exit_code == 0


@pytest.mark.parametrize("command", ["replay", "sweep", "coldstart"])
@pytest.mark.parametrize(
    ("option", "value", "near"),
    [
        ("--instance", "ml.g5.2xlrge", "ml.g5.2xlarge"),
        ("--region", "us-eest-1", "us-east-1"),
        ("--set", "hosting.instance=ml.g5.2xlrge", "ml.g5.2xlarge"),
    ],
)
def test_an_unknown_name_ends_with_2_and_the_nearest(
    command: str, option: str, value: str, near: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = refusal(capsys, command, option, value)
    assert code == 2
    assert near in said


def test_one_sweep_goes_over_every_hosting() -> None:
    kinds = "sagemaker_realtime,ec2_asg,eks_karpenter"
    options = ("--trace", "minute.csv", "--size", "7GB", "--no-references", "--format", "json")
    swept = modeler("sweep", *options, "--set", f"hosting.kind={kinds}")
    assert swept.exit_code == 0, swept.output
    rows = json.loads(swept.stdout)["scenarios"]
    assert [row["instance_type"] for row in rows] == ["ml.g5.2xlarge", "g5.2xlarge", "g5.2xlarge"]


def test_a_price_of_ones_own_serves_a_region_of_ones_own() -> None:
    options = ("--trace", "minute.csv", "--size", "7GB", "--region", "here")
    for command in (("sweep", "--no-references"), ("replay",)):
        own = modeler(*command, *options, "--set", "hosting.usd_per_hour=1", "--format", "json")
        assert own.exit_code == 0, own.output


def test_records_need_a_name_that_says_how() -> None:
    result = modeler("replay", "--trace", "minute.csv", "--records", "rec.txt")
    assert result.exit_code == 2
    assert "expected a name that ends in .csv or .parquet" in result.stderr


def test_a_check_reads_the_traffic_too(capsys: pytest.CaptureFixture[str]) -> None:
    Path("good.yaml").write_text("trace: minute.csv\n")
    assert "minute.csv: 60 requests over 59.0 s" in modeler("scenario", "check", "good.yaml").stderr
    Path("notes.csv").write_text("colour,shape\nred,round\n")
    Path("bad.yaml").write_text("trace: notes.csv\n")
    code, said = refusal(capsys, "scenario", "check", "bad.yaml")
    assert code == 2
    assert "notes.csv" in said


@pytest.mark.parametrize(
    ("setting", "meant"),
    [
        ("cold_start.loader=x", "cold_start.streaming_load"),
        ("service.max_num_seqs=4", "fleet.slots"),
        ("hosting.kind=eks", "eks_karpenter"),
        ("hosting.kind=sagemaker", "sagemaker_realtime"),
        ("min=3", "fleet.min"),
    ],
)
def test_what_others_call_a_setting_is_understood(
    capsys: pytest.CaptureFixture[str], setting: str, meant: str
) -> None:
    code, said = refusal(capsys, "replay", "--trace", "minute.csv", "--set", setting)
    assert code == 2
    assert f'did you mean "{meant}"?' in said


def test_a_key_that_is_like_no_other_lists_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, said = refusal(capsys, "replay", "--trace", "minute.csv", "--set", "fleet.policy=3")
    assert "expected one of min, max, initial" in said
