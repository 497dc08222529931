"""``size`` and ``coldstart`` as a person or a script calls them."""

import csv
import io
import json
from typing import Any

import pytest

from modeler.cli.main import main
from modeler.predict import coldstart
from modeler.scenario import default, with_values


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(args)
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out, said.err

    return call


def test_size_json(run):
    code, out, err = run("size", "14GB", "--format", "json")
    report = json.loads(out)
    assert (code, err) == (0, "")
    assert report["schema"] == "size/1"
    assert report["parameters"] == 7_000_000_000
    assert report["weight_bytes"] == report["artifact_bytes"] == 14_000_000_000
    assert report["bytes_by_precision"] == {
        "fp32": 28_000_000_000,
        "fp16": 14_000_000_000,
        "bf16": 14_000_000_000,
        "fp8": 7_000_000_000,
        "int8": 7_000_000_000,
        "int4": 3_500_000_000,
    }
    assert (report["objects"], report["storage_classes"]) == (0, {})
    # 14 GB in nine tenths of 15 GiB: one T4.
    assert report["smallest_instance"] == "g4dn.xlarge"


def test_size_of_a_folder_as_table_and_csv(run, tmp_path):
    (tmp_path / "part-0").write_bytes(b"x" * 2048)
    code, out, err = run("size", str(tmp_path))
    assert code == 0
    assert "2,048" in out
    assert "note:" in err
    code, out, _ = run("size", str(tmp_path), "--format", "csv")
    row = next(csv.DictReader(io.StringIO(out)))
    assert (code, row["artifact_bytes"], row["objects"]) == (0, "2048", "1")


@pytest.mark.parametrize(
    ("source", "named"), [("13.5", "unit"), ("-1GB", "negative"), ("absent.bin", "no such file")]
)
def test_size_refusals(run, source, named):
    code, out, err = run("size", "--", source)
    assert (code, out) == (2, "")
    assert named in err


def test_size_refuses_an_output_that_cannot_be_written(run, tmp_path):
    code, out, _ = run("size", "1GB", "-o", str(tmp_path / "absent" / "size.json"))
    assert (code, out) == (2, "")


def test_coldstart_of_one_size(run):
    code, out, _ = run("coldstart", "--size", "8GB", "--format", "json")
    report = json.loads(out)
    assert code == 0
    assert report["schema"] == "coldstart/1"
    assert report["size_bytes"] == 8_000_000_000
    assert report["total_s"]["p95"] > report["total_s"]["p50"] > 0
    names = [phase["phase"] for phase in report["phases"]]
    assert names[0] == "provision"
    assert names[-1] == "register"
    pull, fetch = (report["phases"][names.index(name)] for name in ("image_pull", "artifact_fetch"))
    assert pull["starts_s"] == fetch["starts_s"] > 0
    assert all(constant["origin"] and constant["source"] for constant in report["constants"])


def test_coldstart_by_size_grows(run):
    code, out, _ = run("coldstart", "--size", "1GB,4GB,8GB,14GB", "--format", "json")
    report = json.loads(out)
    totals = [size["total_s"]["p50"] for size in report["sizes"]]
    assert code == 0
    assert "total_s" not in report
    assert totals == sorted(totals)
    assert totals[-1] > totals[0] + 50


def test_coldstart_is_the_public_function(run):
    _, out, _ = run("coldstart", "--size", "1GB,4GB", "--seed", "7", "--format", "json")
    report = coldstart(with_values(default(), {"seed": 7}), [10**9, 4 * 10**9])
    assert json.loads(out) == json.loads(json.dumps(report.to_dict()))


def test_coldstart_table_has_a_bar_a_phase(run, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    code, out, err = run("coldstart", "--size", "1GB,8GB")
    assert code == 0
    assert out.count("image_pull") == 2
    assert all("█" in line for line in out.splitlines() if "init" in line)
    assert "\x1b[" not in out
    assert "observed" in err


def test_coldstart_csv_has_a_row_a_phase(run):
    _, out, _ = run("coldstart", "--size", "1GB,8GB", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 2 * 9
    assert {row["size_bytes"] for row in rows} == {"1000000000", "8000000000"}


def test_coldstart_settings(run):
    code, out, _ = run(
        "coldstart",
        "--hosting", "eks_karpenter",
        "--instance", "g6e.2xlarge",
        "--region", "us-west-2",
        "--set", "cold_start.sigma_log=0",
        "--set", "cold_start.register_s=1m",
        "--format", "json",
    )  # fmt: skip
    report = json.loads(out)
    assert (code, report["hosting"], report["instance_type"]) == (
        0,
        "eks_karpenter",
        "g6e.2xlarge",
    )
    assert report["phases"][-1]["p50_s"] == pytest.approx(60)
    assert report["total_s"]["p50"] == report["total_s"]["p95"]


def test_coldstart_of_a_scenario_file(run, tmp_path):
    file = tmp_path / "scenario.yaml"
    file.write_text("model:\n  size: 2GB\ncold_start:\n  total_s: 90\n")
    code, out, _ = run("coldstart", str(file), "--format", "json")
    report = json.loads(out)
    assert (code, report["total_s"]) == (0, {"p50": 90.0, "p95": 90.0})
    assert [phase["phase"] for phase in report["phases"]] == ["cold_start"]


def test_coldstart_keeps_the_row_of_a_size_that_does_not_fit(run):
    code, out, err = run("coldstart", "--size", "8GB,40GB", "--format", "json")
    sizes = json.loads(out)["sizes"]
    assert code == 4
    assert [size["status"] for size in sizes] == ["ok", "failed"]
    assert "ml.g5.12xlarge" in sizes[1]["error"]
    assert "failed:" in err
    code, out, _ = run("coldstart", "--size", "8GB,40GB")
    assert code == 4
    assert "does not fit" in out


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (("--size", "40GB"), "ml.g5.12xlarge"),
        (("--size", "8"), "unit"),
        (("--instance", "ml.g5.2xlrge"), "ml.g5.2xlarge"),
        (("--region", "us-esat-1"), "us-east-1"),
        (("--set", "cold_start.boot=3"), "boot_s"),
        (("--set", "seed=1,2"), "--size"),
        (("absent.yaml",), "absent.yaml"),
        (("--hosting", "fargate"), "ec2_asg"),
    ],
)
def test_coldstart_refusals(run, args, named):
    code, out, err = run("coldstart", *args)
    assert (code, out) == (2, "")
    assert named in err
