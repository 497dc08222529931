"""`compare` on a queue where what a change does is known beforehand."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.report.studies import comparison, figure_bytes
from modeler.scenario import loads, with_values
from modeler.study import CompareError, KeptError, compare, compare_rows, sweep
from modeler.study.compare_words import advice
from modeler.study.runs import read_run
from traces import Trace

# A request a second, and in each fourth minute three: a replica of two slots serves 1.6 a second.
_SECOND = np.arange(1800.0)
_BURST = _SECOND[(_SECOND // 60) % 4 == 3]
TRACE = Trace(np.sort(np.concatenate([_SECOND, _BURST + 0.3, _BURST + 0.6])), source="bursts")
SCENARIO = """
model: {size: 2GB}
hosting: {usd_per_hour: 2}
service: {kind: fixed, mean_s: 1.25s}
cold_start: {total_s: 30s, sigma_log: 0.2}
fleet: {min: 1, max: 6, slots: 2}
sla: {threshold_s: 5s}
queue: {client_timeout_s: 1d, queue_timeout_s: 1d}
policy: {kind: fixed, replicas: 2}
"""
BASE = loads(SCENARIO)


@cache
def against(replicates: int = 20, **values):
    settings = {path.replace("__", "."): value for path, value in values.items()}
    return compare(BASE, with_values(BASE, settings), TRACE, replicates)


def test_a_scenario_does_not_differ_from_itself():
    found = against(60)
    assert found.replicates == 20  # nothing more would be learned
    ends = {one.figure: (one.low, one.high) for one in found.figures if one.low is not None}
    assert {"usd_per_month", "sla_violation_share", "latency_p99_s"} <= ends.keys()
    assert set(ends.values()) == {(0.0, 0.0)}
    assert (found.changed, found.divergence, found.differs) == ((), None, False)
    assert "do not differ: every figure is" in found.sentence()
    assert "the same in each of 20 replicates" in found.sentence()


def test_a_price_of_a_tenth_more_moves_every_replicate_by_a_tenth():
    found = against(hosting__usd_per_hour=2.2)
    a, b = (np.array(of) for of in found.values["usd_per_month"])
    assert a.size == 20
    np.testing.assert_allclose(b, 1.1 * a, rtol=1e-9)
    usd = found["usd_per_month"]
    # Two replicas throughout: 730 hours of $4, and a tenth of them more.
    assert usd.a == pytest.approx(2920.0, rel=1e-3)
    assert usd.difference == pytest.approx(292.0, rel=1e-3)
    assert usd.low == pytest.approx(292.0, rel=2e-3)
    assert usd.high == pytest.approx(292.0, rel=2e-3)
    assert usd.differs
    assert found["sla_violation_share"].differs is False
    assert [(one.path, one.a, one.b, one.mark) for one in found.changed] == [
        ("hosting.usd_per_hour", 2.0, 2.2, "~")
    ]
    assert "costs $292 a month more" in found.sentence()
    assert "Missed requests are the same; keep scenario, the cheaper" in found.sentence()


def test_a_bound_that_is_never_reached_does_not_differ():
    found = against(fleet__max=60)
    assert [one.path for one in found.changed] == ["fleet.max"]
    assert found.differs is False
    assert found.divergence is None


def test_a_gross_difference_ends_early_and_the_service_level_is_judged():
    found = against(60, policy__replicas=1)
    assert found.replicates == 20
    assert found["usd_per_month"].high < 0.0 < found["sla_violation_share"].low
    # One replica of two slots serves 1.6 a second of 1.5 on the mean: it falls behind in bursts.
    assert found.levels[1].verdict == "breaks"
    assert "does not keep the service level" in found.sentence()
    assert "of each 100 requests more (between " in found.sentence()
    assert found.divergence.time_s == 0.0
    assert found.divergence.decision.desired == (2, 1)


def test_the_other_way_round_every_interval_is_negated():
    other = with_values(BASE, {"policy.replicas": 1, "cold_start.total_s": "5m"})
    there, back = compare(BASE, other, TRACE, 20), compare(other, BASE, TRACE, 20)
    for one, mirrored in zip(there.figures, back.figures, strict=True):
        assert (one.a, one.b) == (mirrored.b, mirrored.a)
        if one.low is not None:
            assert (one.low, one.high) == (-mirrored.high, -mirrored.low)
            assert one.difference == -mirrored.difference
        assert one.differs == mirrored.differs
    assert [(one.a, one.b) for one in there.changed] == [(one.b, one.a) for one in back.changed]


def test_other_traffic_or_luck_is_refused():
    other = with_values(BASE, {"seed": 7, "trace": "office-week?days=1"})
    with pytest.raises(CompareError, match=r"(?s)trace: .*seed: 0 and 7"):
        compare(BASE, other)


def test_kept_rows_are_paired_without_a_replay(tmp_path):
    made = sweep(BASE, settings={"policy.replicas": [1, 2]}, replicates=20, references=False,
                 ledger=tmp_path, trace=TRACE)  # fmt: skip
    kept = read_run(made.run, tmp_path)
    one, two = (row["scenario_id"] for row in kept.rows)
    found = compare_rows(kept, two, kept, one, names=("two", "one"))
    here = against(20, policy__replicas=1)
    # The same replicates, wherever they were replayed: both warm up for as long here.
    for name in ("usd_per_month", "sla_violation_share", "latency_p99_s"):
        assert found.values[name] == here.values[name]
    assert found.figures == here.figures
    assert found.levels == here.levels
    assert [(change.path, change.a, change.b) for change in found.changed] == [
        ("policy.replicas", 2, 1)
    ]
    assert not found.replayed
    with pytest.raises(KeptError, match=f"expected best, a number from 1 to 2, .*{one}"):
        compare_rows(kept, "beef", kept, one, names=("a", "b"))
    ran = CliRunner().invoke(
        cli, ["compare", f"{made.run}:{two}", f"latest:{one[:6]}", "--ledger", str(tmp_path)]
    )
    assert ran.exit_code == 0, ran.output
    assert "~ policy.replicas  2 -> 1" in ran.stdout
    assert "first part" not in ran.stdout


def test_kept_rows_without_replicates_have_figures_and_no_intervals(tmp_path):
    made = sweep(BASE, settings={"policy.replicas": [1, 2]}, references=False, trace=TRACE)
    one, two = (row["scenario_id"] for row in made.rows)
    found = compare_rows(made, two, made, one, names=("two", "one"))
    assert found.differs is None
    assert found["usd_per_month"].low is None
    assert found["usd_per_month"].difference < 0.0
    assert "does not say how much of it is chance" in found.sentence()


def test_the_command_prints_a_plan_and_draws_the_same_bytes_each_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stamps = "".join(f"{1_772_438_400 + at:.1f}\n" for at in TRACE.arrival_s)
    (tmp_path / "bursts.csv").write_text("timestamp\n" + stamps)
    (tmp_path / "mine.yaml").write_text(f"trace: bursts.csv\n{SCENARIO}")

    def modeler(*args):
        return CliRunner().invoke(cli, ["compare", "mine.yaml", *args])

    asked = ("--with", "policy.replicas=1", "--replicates", "20")
    ran = modeler(*asked, "--figure", "apart.svg")
    assert ran.exit_code == 0, ran.output
    assert "~ policy.replicas  2 -> 1" in ran.stdout.splitlines()
    assert "the replays first part at 2026-03-02T08:00:00Z" in ran.stdout
    assert ran.stdout.rstrip().endswith("may be missed.")
    told = json.loads(modeler(*asked, "--format", "json").stdout)
    assert (told["schema"], told["replicates"]) == ("compare/1", 20)
    assert told["level"]["b"]["verdict"] == "breaks"
    assert modeler().exit_code == 2
    assert modeler("latest:best").exit_code == 2
    found = against(20, policy__replicas=1)
    assert figure_bytes(comparison.draw, found, "svg") == figure_bytes(
        comparison.draw, found, "svg"
    )
    assert (tmp_path / "apart.svg").read_bytes().startswith(b"<?xml")


def test_figures_that_chance_explains_are_said_with_their_intervals():
    found = compare(BASE, with_values(BASE, {"policy.replicas": 3}), TRACE, 10)
    usd = found["usd_per_month"]._replace(low=-12.0, high=340.4, differs=False)
    share = found["sla_violation_share"]._replace(low=-0.0123, high=0.002, differs=False)
    rest = [one._replace(low=None, high=None, differs=None) for one in found.figures[2:]]
    said = advice(("old/mine.yaml", "theirs.yaml"), [usd, share, *rest], found.levels, 10)
    assert said.startswith(
        "mine and theirs are not told apart by this traffic: dollars between $12.00 less "
        "and $340 more a month and missed requests between 1.23 fewer and 0.2 more of each 100. "
        "theirs keeps the service level"
    )
    sure = share._replace(difference=0.02, low=0.01, high=0.03, differs=True)
    said = advice(("mine.yaml", "theirs.yaml"), [usd, sure, *rest], found.levels, 10)
    assert (
        "Whether dollars differ this traffic does not say: between $12.00 less and $340 more a "
        "month."
    ) in said


def test_misses_against_other_limits_are_said_so():
    found = compare(BASE, with_values(BASE, {"sla.threshold_s": 30}), TRACE, 0)
    assert found.sentence().endswith(
        "Their service levels differ, 5.0 s and 30.0 s: each one's misses are counted by its own."
    )
    assert "levels differ" not in compare(BASE, BASE, TRACE, 0).sentence()


def test_no_fewer_are_missed_than_the_first_misses():
    found = compare(with_values(BASE, {"policy.replicas": 1}), BASE, TRACE, 20)
    share = found["sla_violation_share"]
    assert share.low <= share.difference <= share.high
    assert -share.difference <= max(share.a, -share.high)
    assert share.low >= -found.levels[0].share.high
    assert any("A and B are of the traffic as it came" in note for note in found.notes)


def test_the_sentence_names_the_scenarios_and_what_was_changed():
    found = compare(BASE, with_values(BASE, {"policy.replicas": 3}), TRACE, 20)
    assert found.names == ("scenario", "scenario with policy.replicas=3")
    # A replica more, at $2 an hour, is 730 hours of $2 a month.
    assert found.sentence().startswith(
        "Against scenario, the same with policy.replicas=3 costs $1,460 a month more"
    )
    assert "scenario with policy.replicas=3 keeps the service level" in found.sentence()
    several = {"fleet.min": 2, "fleet.max": 7, "sla.threshold_s": 9, "policy.replicas": 3}
    other = compare(BASE, with_values(BASE, several), TRACE, 0)
    assert other.names[1].endswith(" and 2 more")
    own = compare(BASE, with_values(BASE, {"name": "theirs", "fleet.slots": 1}), TRACE, 0)
    assert own.sentence().startswith("On this traffic, against scenario, theirs ")
