"""A run at other prices: the same to the cent as a replay made with them."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.scenario import Scenario, with_values
from modeler.study import replay, sweep
from modeler.study.reprice import Asked, RepriceError, read_run, reprice, total_usd
from pricing import PriceNotFound
from traces import Trace

TRACE = Trace(np.arange(0.0, 4_000.0, 2.0))
BASE = {"service": {"kind": "fixed", "mean_s": 1.0}}
KINDS = {
    "sagemaker_realtime": {},
    "ec2_asg": {"hosting.kind": "ec2_asg", "hosting.instance": "g5.2xlarge"},
    "eks_karpenter": {
        "hosting.kind": "eks_karpenter", "hosting.instance": "g5.2xlarge", "hosting.nodes": {},
    },
    "lambda": {"hosting.kind": "lambda", "model.size": "500MB"},
    "sagemaker_serverless": {"hosting.kind": "sagemaker_serverless", "model.size": "500MB"},
    "cloud_run": {
        "hosting.kind": "cloud_run", "hosting.region": "us-central1",
        "hosting.zonal_redundancy": True,
    },
    "ecs_fargate": {"hosting.kind": "ecs_fargate"},
}  # fmt: skip


def run(kind, **values):
    asked = {**BASE, **KINDS[kind], **{k.replace("__", "."): v for k, v in values.items()}}
    return replay(with_values(Scenario(), asked), trace=TRACE).to_dict()


def saved(tmp_path, content):
    path = tmp_path / "run.json"
    path.write_text(json.dumps(content))
    return read_run(path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_prices_give_the_same_bill(tmp_path, kind):
    done = run(kind)
    (outcome,) = saved(tmp_path, done)
    lines = reprice(outcome, Asked())
    old, new = total_usd(lines)
    assert old == pytest.approx(done["outcome"]["usd_total"], rel=1e-12)
    assert new == pytest.approx(old, rel=1e-12)
    assert [line.component for line in lines] == [
        line["component"] for line in done["outcome"]["cost_lines"]
    ]


def test_a_bill_by_hand(tmp_path):
    """1.212 dollars an hour for a g5.2xlarge on demand, against 3.60 of one's own: 1.212 / 3.6."""
    (outcome,) = saved(tmp_path, run("ec2_asg"))
    (line, *_) = reprice(outcome, Asked(usd_per_hour=3.6))
    assert line.old_price == pytest.approx(1.212)
    assert line.new_usd == pytest.approx(line.quantity * 3.6, rel=1e-12)
    assert line.source == "yours (--usd-per-hour)"


@pytest.mark.parametrize(
    ("kind", "asked", "values"),
    [
        ("ec2_asg", {"region": "eu-west-1"}, {"hosting__region": "eu-west-1"}),
        ("ec2_asg", {"as_of": "2025-07-01"}, {"hosting__as_of": "2025-07-01"}),
        ("lambda", {"region": "ap-east-1"}, {"hosting__region": "ap-east-1"}),
        ("ecs_fargate", {"region": "ap-east-1"}, {"hosting__region": "ap-east-1"}),
        ("ec2_asg", {"usd_per_hour": 0.7}, {"hosting__usd_per_hour": 0.7}),
    ],
)
def test_it_is_the_bill_of_a_replay_at_those_prices(tmp_path, kind, asked, values):
    (outcome,) = saved(tmp_path, run(kind))
    _, new = total_usd(reprice(outcome, Asked(**asked)))
    there = run(kind, **values)["outcome"]["usd_total"]
    assert new == pytest.approx(there, rel=1e-9)


def test_what_no_price_is_held_for_keeps_its_own_and_says_so(tmp_path):
    (own,) = saved(tmp_path, run("ec2_asg", hosting__usd_per_hour=2.0))
    lines = reprice(own, Asked(region="eu-west-1"))
    assert {line.kept for line in lines} == {"the price was yours"}
    with pytest.raises(PriceNotFound):
        reprice(saved(tmp_path, run("ec2_asg"))[0], Asked(as_of="2001-01-01"))


def test_nothing_is_given_back_on_demand(tmp_path):
    done = run("eks_karpenter", hosting__purchase="spot", hosting__usd_per_hour=0.5)
    lines = done["outcome"]["cost_lines"]
    back = {**lines[0], "component": "reclaimed in the first hour", "quantity": -1.0}
    done["outcome"]["cost_lines"] = [*lines, back]
    (outcome,) = saved(tmp_path, done)
    found = reprice(outcome, Asked(purchase="on-demand", usd_per_hour=1.0))[-1]
    assert (found.old_usd, found.new_usd) == (back["amount_usd"], 0.0)


def test_a_sweep_is_repriced_row_by_row(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    base = with_values(Scenario(), {**BASE, **KINDS["ec2_asg"]})
    result = sweep(base, sizes=["1GB", "4GB", "400GB"], trace=TRACE, references=False).to_dict()
    (tmp_path / "sweep.json").write_text(json.dumps(result))
    ran = CliRunner().invoke(
        cli, ["reprice", "sweep.json", "--usd-per-hour", "2.424", "--format", "json"]
    )
    assert ran.exit_code == 0, ran.output
    totals = json.loads(ran.stdout)["totals"]
    assert [row["size_bytes"] for row in totals] == [1_000_000_000, 4_000_000_000]
    # Twice 1.212 dollars an hour.
    assert all(row["change_pct"] == pytest.approx(100.0, rel=1e-9) for row in totals)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ('{"schema": "size/1"}', "found size/1"),
        ("[1]", "expected what replay or sweep print"),
        ('{"schema": "sweep/1", "scenarios": [{"status": "failed", "cost_lines": []}]}',
         "nothing in it was billed"),
    ],
)  # fmt: skip
def test_what_is_no_run_is_refused(tmp_path, text, said):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(RepriceError, match=said):
        read_run(path)
