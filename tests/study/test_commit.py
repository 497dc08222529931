"""Commitments: bills by hand, the quantile rule against a grid, the load against the bill."""

import json
import math

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from modeler.cli.main import cli
from modeler.report.studies import commitment, figure_bytes
from modeler.scenario import Scenario, with_values
from modeler.study import commit, replay
from modeler.study.commit import CommitError, Load, commitments, load_of
from traces import Trace


def load(*instance_hours, usd_per_hour=1.0, last=1.0):
    hours = np.ones(len(instance_hours))
    hours[-1] = last
    return Load(hours, np.array(instance_hours, dtype=float), usd_per_hour)


def of(one, discount, plan):
    """Of traffic that comes as it did."""
    return commitments(one, [discount], plan, (one, one))


def test_a_savings_plan_by_hand():
    """Ten hours: one instance always, a second in six, a third in two; 1.515 dollars an hour.

    At 40 % off an instance pays from six hours of ten on: two are committed to, at 2 x 0.6 x 1.515
    = 1.818 an hour, 18.18 in all. The third is on demand for two hours, 3.03. Together 21.21,
    against 18 instance-hours x 1.515 = 27.27. Sixteen of twenty committed hours are used.
    """
    day = load(1, 1, 1, 1, 2, 2, 2, 2, 3, 3, usd_per_hour=1.515)
    less = load(1, 1, 1, 1, 1, 1, 1, 1, 2, 2, usd_per_hour=1.515)
    (found,) = commitments(day, [0.4], "sagemaker", (less, day))
    assert found.instances == 2
    assert found.usd_per_hour == pytest.approx(1.818, abs=1e-12)
    assert found.usd_total == pytest.approx(21.21, abs=1e-9)
    assert found.on_demand_usd == pytest.approx(27.27, abs=1e-9)
    assert found.saved_usd == pytest.approx(6.06, abs=1e-9)
    assert found.used_share == pytest.approx(16 / 20)
    assert found.covered_share == pytest.approx(16 / 18)
    assert found.hindsight_usd == pytest.approx(18 * 0.6 * 1.515)
    # Of less traffic one instance is there at least: one would have cost 10 x 0.6 x 1.515 and 2 x
    # 1.515 above, two cost 18.18. Of the same traffic there is nothing to regret.
    assert found.regret_less_usd == pytest.approx(18.18 - (9.09 + 3.03), abs=1e-9)
    assert found.regret_more_usd == 0.0


def test_where_nothing_runs_most_of_the_time_nothing_is_committed():
    (found,) = of(load(0, 0, 0, 0, 5), 0.5, "compute")
    assert (found.instances, found.usd_per_hour, found.saved_usd) == (0, 0, 0)
    assert found.used_share == 1.0


def test_reserved_instances_are_whole():
    """Half an instance every hour: at 60 % off one costs 0.4 an hour against 0.5 on demand."""
    (found,) = of(load(0.5, 0.5, 0.5, 0.5), 0.6, "reserved")
    assert (found.instances, found.usd_total) == (1, pytest.approx(1.6))
    (found,) = of(load(0.5, 0.5, 0.5, 0.5), 0.4, "reserved")
    assert (found.instances, found.usd_total) == (0, pytest.approx(2.0))


LOADS = st.lists(st.floats(0.0, 50.0), min_size=1, max_size=40)
DISCOUNTS = st.floats(0.01, 0.64)


@given(LOADS, DISCOUNTS, st.floats(0.01, 1.0), st.booleans())
def test_no_other_commitment_is_cheaper(levels, discount, last, whole):
    levels[-1] *= last
    one = load(*levels, last=last, usd_per_hour=2.0)
    best = one.best(discount, whole=whole)
    least = one.cost_usd(best, discount)
    top = math.ceil(max(one.instance_hours / one.hours)) + 1
    grid = np.arange(top + 1) if whole else np.linspace(0.0, top, 101)
    tolerance = 1e-9 * max(1.0, one.cost_usd(0.0, discount))
    assert all(one.cost_usd(float(n), discount) >= least - tolerance for n in grid)
    # Never dearer than none, nor cheaper than every hour by itself.
    assert least <= one.cost_usd(0.0, discount) + tolerance
    assert least >= 2.0 * (1 - discount) * math.fsum(one.instance_hours) - tolerance


@given(LOADS, DISCOUNTS)
def test_a_larger_discount_never_commits_to_less_nor_costs_more(levels, discount):
    one = load(*levels)
    other = min(discount * 1.3, 0.99)
    assert one.best(other) >= one.best(discount)
    assert one.cost_usd(one.best(other), other) <= one.cost_usd(one.best(discount), discount) + 1e-9


ARRIVALS = np.sort(np.random.default_rng(5).uniform(0.0, 9_000.0, 4_000))
TRACE = Trace(ARRIVALS - ARRIVALS[0])


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"hosting.kind": "ec2_asg", "hosting.instance": "g5.2xlarge"},
        {"hosting.kind": "eks_karpenter", "hosting.instance": "g5.2xlarge", "hosting.nodes": {}},
        {"hosting.kind": "ecs_fargate"},
    ],
)
def test_the_load_adds_up_to_the_bill(values):
    asked = {
        "service": {"kind": "fixed", "mean_s": 2.0}, "fleet.slots": 1, "fleet.max": 5, **values,
    }  # fmt: skip
    done = replay(with_values(Scenario(), asked), trace=TRACE)
    found, _ = load_of(done.run)
    billed = sum(
        line["quantity"] for line in done.to_dict()["outcome"]["cost_lines"]
        if line["unit"] == "instance-hour"
    )  # fmt: skip
    assert math.fsum(found.instance_hours) == pytest.approx(billed, rel=1e-9)
    assert found.cost_usd(0.0, 0.3) == pytest.approx(done.outcome.usd_total, rel=1e-9)
    assert (found.hours[:-1] == 1.0).all()
    assert 0.0 < found.hours[-1] <= 1.0


@pytest.mark.parametrize(
    ("values", "plan", "said"),
    [
        ({"hosting.kind": "lambda", "model.size": "500MB"}, None, "billed by the request"),
        ({}, "compute", "does not cover sagemaker_realtime: expected sagemaker"),
        ({"hosting.kind": "ecs_fargate"}, "reserved", "does not cover ecs_fargate: expected comp"),
        ({"hosting.kind": "cloud_run"}, None, "no commitment is held for cloud_run"),
        ({"hosting.kind": "ec2_asg", "hosting.instance": "g5.2xlarge",
          "hosting.purchase": "spot", "hosting.usd_per_hour": 0.5}, None, "is spot, which no comm"),
    ],
)  # fmt: skip
def test_what_no_commitment_covers_is_refused(values, plan, said):
    done = replay(
        with_values(Scenario(), {"service": {"kind": "fixed", "mean_s": 0.5}, **values}),
        trace=Trace(np.arange(50.0)),
    )
    with pytest.raises(CommitError, match=said):
        load_of(done.run, plan)


@pytest.mark.parametrize("discount", [0.0, -0.1, 0.65])
def test_discounts_that_no_plan_has(discount):
    with pytest.raises(CommitError, match="expected above 0 and at most 64 %"):
        of(load(1.0), discount, "sagemaker")


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"2026-01-05T{hour:02d}:00:00Z\n" for hour in range(24))
    (tmp_path / "hours.csv").write_text("timestamp\n" + rows)
    args = ["commit", "--trace", "hours.csv", "--discount", "30%,0.5", "--set",
            "policy.kind=fixed", "--set", "policy.replicas=2", "--replicates", "20", "--format",
            "json"]  # fmt: skip
    ran = CliRunner().invoke(cli, args)
    assert ran.exit_code == 0, ran.output
    report = json.loads(ran.stdout)
    assert [row["discount"] for row in report["commitments"]] == [0.3, 0.5]
    # Two instances all along: all of them are committed to, and used.
    assert report["commitments"][0]["instances"] == pytest.approx(2.0, rel=1e-3)
    assert report["commitments"][0]["used_share"] == pytest.approx(1.0, rel=1e-3)
    assert report["replicates"] == 20
    assert report["commitments"][0]["saved_usd_differs"] is True
    assert "SageMaker Savings Plan; on demand" in ran.stderr
    bad = CliRunner().invoke(cli, ["commit", "--discount", "much"])
    assert (bad.exit_code, "'much' is no share: expected e.g. 28% or 0.28" in bad.stderr) == (
        2,
        True,
    )


def test_a_run_gives_its_advice_and_its_figure():
    done = replay(Scenario(), trace=TRACE).run
    found = commit(done, [0.28, 0.44])
    assert [one.discount for one in found.found] == [0.28, 0.44]
    best = max(found.found, key=lambda one: one.saved_usd)
    assert f"{100 * best.discount:g} % off" in found.sentence()
    assert json.loads(json.dumps(found.to_dict()))["advice"] == found.sentence()
    assert figure_bytes(commitment.draw, found, "png").startswith(b"\x89PNG")


# A replica is always there, and a request every four seconds of a second each needs no other.
BUSY = {
    "service": {"kind": "fixed", "mean_s": 1.0}, "fleet.slots": 2, "fleet.min": 1, "fleet.max": 4,
    "cold_start.total_s": 60.0, "cold_start.sigma_log": 0.0, "hosting.usd_per_hour": 1.0,
    "policy": {"kind": "target_tracking", "target": 100.0, "scale_in_cooldown_s": 60.0},
}  # fmt: skip
CALM = Trace(np.arange(0.0, 7_200.0, 4.0))


def test_what_idles_does_not_fall_with_the_traffic():
    """A replica that less traffic needs as well as more: committed to, nothing is regretted.

    In proportion, a fifth less would have left eight tenths of an instance, and a regret.
    """
    found = commit(replay(with_values(Scenario(), BUSY), trace=CALM).run, [0.4])
    (one,) = found.found
    assert one.instances == pytest.approx(1.0, abs=1e-3)
    assert one.regret_less_usd == pytest.approx(0.0, abs=1e-2)
    assert one.regret_more_usd == pytest.approx(0.0, abs=1e-2)
    assert "it would still be the best" in found.sentence()
    assert "These 2 hours stand for the whole term" in found.sentence()


def test_what_it_saves_has_an_interval_over_replicates():
    done = replay(with_values(Scenario(), BUSY), trace=CALM).run
    made = []
    found = commit(done, [0.4], replicates=20, progress=made.append)
    (one,) = found.found
    assert (found.replicates, made) == (20, list(range(1, 21)))
    # One instance that is always there saves four tenths of a dollar an hour whatever comes.
    hours = math.fsum(found.load.hours)
    assert one.saved.low == pytest.approx(0.4 * hours, rel=1e-3)
    assert one.saved.high == pytest.approx(0.4 * hours, rel=1e-3)
    row = json.loads(json.dumps(found.to_dict()))["commitments"][0]
    assert (row["saved_usd_low"], row["saved_usd_differs"]) == (one.saved.low, True)
    assert "(as much on other days like these)" in found.sentence()


def test_of_uneven_days_the_interval_holds_what_the_days_save():
    """Five days that want 1, 1, 2, 4 and 4 instances: at 40 % off two are committed to.

    A day of one loses 0.2 an hour by that, the others save 0.8: 0.4 on average, with a standard
    error of sqrt(0.3 / 5) = 0.245, so that with four degrees of freedom nothing is told from it.
    """
    days = [np.arange(0.0, 86_400.0, 600.0 / many) + 86_400.0 * k
            for k, many in enumerate((1, 2, 8, 20, 30))]  # fmt: skip
    values = {**BUSY, "service": {"kind": "fixed", "mean_s": 100.0}, "fleet.slots": 1,
              "policy": {**BUSY["policy"], "target": 0.6}}  # fmt: skip
    done = replay(with_values(Scenario(), values), trace=Trace(np.concatenate(days))).run
    found = commit(done, [0.4], replicates=20)
    (one,) = found.found
    hours = math.fsum(found.load.hours)
    assert one.instances == pytest.approx(2.0, abs=0.2)
    assert one.saved_usd / hours == pytest.approx(0.4, abs=0.05)
    assert one.saved.low < one.saved_usd < one.saved.high
    half = (one.saved.high - one.saved.low) / hours / 2.0
    assert half == pytest.approx(2.776 * math.sqrt(0.3 / 5), rel=0.4)
    assert not one.saved.differs
    assert "not told apart from nothing)" in found.sentence()
