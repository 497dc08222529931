"""What a second of cold start is worth, against sums done by hand."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.cli.main import cli
from modeler.predict.interventions import AS_IT_IS, starts
from modeler.report.studies import figure_bytes
from modeler.report.studies import value as drawing
from modeler.scenario import Scenario, default, with_values
from modeler.study import Goal, Lab, start_value
from modeler.study.goal import GoalError
from modeler.study.replicates import replicates_of
from modeler.study.shorter import lengths, settings_for, timeline_of, total_s
from modeler.study.value_costs import Costs, called
from traces import Trace, TraceError
from traces.draws import uniform

MONTH = 730.0
# A request takes a hundredth of a second, and a replica has a slot for each.
FIXED = {
    "service": {"kind": "fixed", "mean_s": 0.01},
    "fleet.slots": 2000,
    "queue.client_timeout_s": "none",
    "hosting.usd_per_hour": 3.6,
    "sla.threshold_s": 10.0,
    "cold_start.sigma_log": 0.0,
    "sweep": {},
}
# One replica, which is asked for as the first request comes.
FROM_ZERO = {
    "hosting.kind": "ec2_asg",
    "fleet.min": 0,
    "fleet.initial": 0,
    "policy": {"kind": "fixed", "replicas": 1},
}
# A request a second for a little over 2000 s.
STEADY = Trace(np.arange(0.5, 2000.0, 1.0) - 0.5)
PHASED = {
    "cold_start.provision_s": 40.0,
    "cold_start.boot_s": 50.0,
    "cold_start.device_s": 0.0,
    "cold_start.init_s": 30.0,
    "cold_start.init_s_per_gb": 0.0,
    "cold_start.register_s": 4.0,
}


def lab(values, trace=STEADY):
    return Lab(with_values(default(), {**FIXED, **values}), trace=trace)


def test_a_fixed_fleet_that_is_there_does_not_care_for_its_start():
    found = start_value(
        lab({"policy": {"kind": "fixed", "replicas": 2}, "fleet.min": 2}),
        {},
        goal=Goal("cost", penalty_usd=1.0),
        interventions=False,
    )
    (size,) = found.sizes
    # Two replicas at $3.60 an hour and no miss.
    assert size.usd_per_month == pytest.approx(2 * 3.6 * MONTH, rel=0.02)
    assert [one.usd_per_month for one in (size.whole, *size.phases)] == [0.0] * (
        1 + len(size.phases)
    )
    assert "worth $0 a month" in found.sentence()
    assert "need not be tuned anew" in found.sentence()


def test_a_second_saves_the_requests_that_come_in_a_second():
    """A start of 100 s and 10 s that are allowed: a request a second misses for 90 s.

    With a start 10 s shorter ten fewer miss, of 2000 in 2000 s, at a dollar each; the bill is that
    of one replica, from its launch on, either way.
    """
    found = start_value(
        lab({**FROM_ZERO, "cold_start.total_s": 100.0}), {}, goal=Goal("cost", penalty_usd=1.0)
    )
    (size,) = found.sizes
    assert size.start_s == 100.0
    assert size.phases == ()
    assert (size.whole.removed_s, size.whole.start_shorter_s) == (10.0, 10.0)
    a_month = MONTH * 3600.0 / 2000.0  # so often in a month
    assert size.whole.misses_per_month_per_s == pytest.approx(a_month, rel=2e-3)
    assert size.whole.usd_per_month_per_s == pytest.approx(a_month, rel=2e-3)
    # Of one number for the whole start there is no phase to change; half the bytes change nothing.
    assert [(one.intervention, one.usd_per_month) for one in size.paybacks] == [("int8", 0.0)]


def test_a_second_of_every_phase_in_line_is_worth_the_same_and_a_hidden_one_nothing():
    found = start_value(
        lab({**FROM_ZERO, **PHASED}), {}, goal=Goal("cost", penalty_usd=1.0), step_s=10.0,
        cost_usd=6000.0,
    )  # fmt: skip
    (size,) = found.sizes
    phases = {one.phase: one for one in size.phases}
    a_second = MONTH * 3600.0 / 2000.0
    for name in ("provision", "boot", "image_pull", "init"):
        assert phases[name].removed_s == pytest.approx(10.0, abs=1e-6)
        assert phases[name].misses_per_month_per_s == pytest.approx(a_second, rel=0.02), name
    # Shorter than the step: all of it goes, and what is saved is divided by what it lasted.
    assert phases["register"].removed_s == pytest.approx(4.0)
    assert phases["register"].misses_per_month_per_s == pytest.approx(a_second, rel=0.02)
    # On EC2 the weights come beside the image, which takes longer.
    assert phases["artifact_fetch"].start_shorter_s == pytest.approx(0.0, abs=1e-6)
    assert phases["artifact_fetch"].usd_per_month == 0.0
    assert size.whole.usd_per_month_per_s == pytest.approx(a_second, rel=0.02)
    # An intervention saves a request for each of its seconds, one only where half are cut off.
    cache = next(one for one in size.paybacks if one.intervention == "image cache")
    assert cache.usd_per_month == pytest.approx(cache.saved_s * a_second, rel=0.02)
    assert cache.months == pytest.approx(6000.0 / cache.usd_per_month)
    int8 = next(one for one in size.paybacks if one.intervention == "int8")
    assert not int8.start_alone
    assert "serves faster too" in int8.note


def test_where_tuning_keeps_a_replica_the_start_is_worth_nothing():
    """A replica that is there from the first request on costs what one costs that starts then.

    Held at the setting that waits for it, a second would be worth a miss a second.
    """
    axes = {"fleet.initial": (0, 1)}
    goal = Goal("cost", penalty_usd=1.0)
    base = {**FROM_ZERO, "cold_start.total_s": 100.0}
    (size,) = start_value(lab(base), axes, goal=goal, interventions=False).sizes
    assert size.settings == {"fleet.initial": 1}
    assert size.whole.usd_per_month == pytest.approx(0.0, abs=1e-6)
    assert size.whole.same
    (held,) = start_value(lab(base), {"fleet.initial": (0,)}, goal=goal, interventions=False).sizes
    assert held.whole.usd_per_month_per_s > 1000.0


@pytest.mark.parametrize("kind", ["sagemaker_realtime", "eks_karpenter", "ec2_asg"])
def test_settings_give_phases_the_length_that_was_asked_for(kind):
    base = with_values(default(), {"hosting.kind": kind, "sweep": {}})
    timeline = timeline_of(base)
    now = lengths(timeline)
    apart = timeline_of(with_values(base, settings_for(base, timeline, {})))
    assert lengths(apart) == pytest.approx(now)
    assert total_s(apart) == pytest.approx(total_s(timeline))
    for phase, seconds in now.items():
        for want in (0.5 * seconds, 0.0):
            other = with_values(base, settings_for(base, timeline, {phase: want}))
            left = lengths(timeline_of(other))
            assert left.get(phase, 0.0) == pytest.approx(want, abs=1e-3)
            rest = {name: s for name, s in now.items() if name not in (phase, "load")}
            assert {name: left[name] for name in rest} == pytest.approx(rest)


def test_an_image_that_some_starts_find_can_be_found_by_all():
    base = with_values(default(), {"cold_start.image_cache_hit": 0.5, "sweep": {}})
    other = with_values(base, settings_for(base, timeline_of(base), {"image_pull": 0.0}))
    assert other.cold_start.image_cached
    assert "image_pull" not in lengths(timeline_of(other))


@given(parts=st.lists(st.floats(0.01, 1.5), min_size=8, max_size=8))
@settings(max_examples=20, deadline=None, derandomize=True)
def test_phases_in_line_add_up_whatever_their_lengths(parts):
    """On Karpenter the pull comes before the fetch, and the load keeps pace with that."""
    base = with_values(default(), {"hosting.kind": "eks_karpenter", "sweep": {}})
    timeline = timeline_of(base)
    want = {
        phase: part * seconds
        for part, (phase, seconds) in zip(parts, lengths(timeline).items(), strict=False)
        if phase != "load"
    }
    other = timeline_of(with_values(base, settings_for(base, timeline, want)))
    load_s = max(lengths(timeline)["load"] - want["artifact_fetch"], 0.0)
    assert total_s(other) == pytest.approx(sum(want.values()) + load_s, rel=1e-9)


def test_a_timeline_of_an_intervention_can_be_set_whole():
    base = with_values(default(), {"sweep": {}})
    tried = 0
    for saving, to in starts(base):
        if to is None or isinstance(to, Scenario) or saving.intervention == AS_IT_IS:
            continue
        other = with_values(base, settings_for(base, to, {}))
        assert total_s(timeline_of(other)) == pytest.approx(total_s(to), abs=1e-3)
        tried += 1
    assert tried == 4  # image cache, streaming loader, stopped warm pool, sleep and wake


def test_a_size_that_does_not_fit_says_so_and_a_step_is_above_zero():
    base = lab({**FROM_ZERO, "cold_start.total_s": 100.0})
    found = start_value(base, {}, sizes=[900_000_000_000], interventions=False)
    assert found.sizes[0].whole is None
    assert "no result" in found.sentence()
    with pytest.raises(ValueError, match="expected seconds above 0"):
        start_value(base, {}, step_s=0.0)


# Four days, and in each hour twenty minutes with twice the load of a replica: others are asked
# for, and until they are there it misses.
UNEVEN = {
    "service": {"kind": "exponential", "mean_s": 20.0},
    "fleet.slots": 1,
    "fleet.min": 1,
    "fleet.max": 8,
    "sla.threshold_s": 90.0,
    "cold_start.total_s": 400.0,
    "cold_start.sigma_log": 0.1,
    "policy": {"kind": "target_tracking", "target": 3.0, "scale_in_cooldown_s": 60.0},
}
RUSH = np.sort(
    np.concatenate(
        [
            uniform(1, "calm", 0, 4 * 24 * 15) * 4 * 86_400.0,
            np.repeat(np.arange(96) * 3600.0 + 1200.0, 120)
            + uniform(1, "rush", 0, 96 * 120) * 1200.0,
        ]
    )
)


def uneven(values=None, **how):
    base = with_values(default(), {**FIXED, **UNEVEN, **(values or {})})
    return Lab(base, trace=Trace(RUSH - RUSH[0]), **how)


PRICED = Goal("cost", penalty_usd=0.5)


def test_what_a_second_saves_has_an_interval_over_the_same_days():
    found = start_value(
        uneven(),
        {},
        goal=PRICED,
        step_s=300.0,
        replicates=20,
        cost_usd=100.0,
        interventions=False,
    )
    (size,) = found.sizes
    whole = size.whole
    assert whole.saved.replicates == 20
    assert whole.saved.low <= whole.usd_per_month == whole.saved.middle <= whole.saved.high
    # Longer starts miss more, at half a dollar each.
    assert whole.saved.differs
    assert whole.spared.low > 0.0
    assert whole.told_above_zero
    assert whole.per_s_ends == (whole.saved.low / 300.0, whole.saved.high / 300.0)
    said = found.sentence()
    assert "One second of cold start is worth $" in said
    assert " a month (between $" in said
    # Replicates of two weeks of their own would differ by as much as either scatters, squared.
    rows = uneven().rows([{}, {"cold_start.total_s": 100.0}], replicates=20)
    one, other = (replicates_of(row, PRICED).values("usd_per_month") for row in rows)
    assert np.std(one - other) < np.hypot(np.std(one), np.std(other))
    plain = found.to_dict()
    assert plain["replicates"] == 20
    assert plain["sizes"][0]["whole"]["usd_per_month_low"] == whole.saved.low
    assert plain["sizes"][0]["whole"]["misses_per_month_differs"] is True
    json.dumps(plain, allow_nan=False)


def test_a_cure_that_changes_nothing_is_said_not_to_pay():
    found = start_value(uneven(), {}, goal=PRICED, replicates=20, cost_usd=100.0)
    (size,) = found.sizes
    (int8,) = size.paybacks  # of a start that is one number nothing but the bytes can change
    assert (int8.saved.low, int8.saved.high, int8.months, int8.pays) == (0.0, 0.0, None, False)
    assert "not shown to pay: what is saved may be chance" in int8.note
    assert "Here int8 is not shown to pay: what is saved may be chance." in found.sentence()
    (row,) = [row for row in found.rows() if row["what"] == "+ int8"]
    assert (row["usd_per_month_low"], row["usd_per_month_differs"]) == (0.0, False)


def test_a_payback_has_a_range():
    # A start of a few minutes, of which the image is the most.
    phased = {"hosting.kind": "ec2_asg", "cold_start.total_s": None, **PHASED}
    found = start_value(uneven(phased), {}, goal=PRICED, replicates=20, cost_usd=1000.0)
    (size,) = found.sizes
    cache = next(one for one in size.paybacks if one.intervention == "image cache")
    assert cache.pays
    assert cache.months == pytest.approx(1000.0 / cache.saved.middle)
    assert cache.months_low == pytest.approx(1000.0 / cache.saved.high)
    assert cache.months_high == pytest.approx(1000.0 / cache.saved.low)
    assert figure_bytes(drawing.draw, found, "svg") == figure_bytes(drawing.draw, found, "svg")


def test_a_fleet_that_does_not_care_for_its_start_has_intervals_of_no_width():
    fixed = {"policy": {"kind": "fixed", "replicas": 4}, "fleet.min": 4}
    found = start_value(uneven(fixed), {}, goal=PRICED, replicates=20, interventions=False)
    whole = found.sizes[0].whole
    assert (whole.saved.low, whole.saved.high, whole.spared.low, whole.spared.high) == (0.0,) * 4
    assert "worth $0 a month at 14 GB, in each of 20 replicates" in found.sentence()


def test_too_little_traffic_to_draw_again_is_refused_before_the_work():
    with pytest.raises(TraceError, match="too little traffic for an interval"):
        start_value(lab(FROM_ZERO, Trace(np.arange(10.0))), {}, replicates=20)


def test_the_command_prints_saves_and_draws(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "steady.csv").write_text(
        "arrival_s\n" + "".join(f"{at:g}\n" for at in STEADY.arrival_s)
    )
    (tmp_path / "mine.yaml").write_text(
        "trace: steady.csv\nservice: {kind: fixed, mean_s: 10ms}\n"
        "fleet: {slots: 2000, min: 0, initial: 0}\n"
        "hosting: {kind: ec2_asg, usd_per_hour: 3.6}\n"
        "queue: {client_timeout_s: none}\nsla: {threshold_s: 10s}\n"
        "cold_start: {total_s: 100}\npolicy: {kind: fixed, replicas: 1}\n"
    )
    asked = ["value", "mine.yaml", "--set", "fleet.initial=0,1", "--goal", "cost"]
    asked += ["--penalty", "$1", "--step", "5s", "--format", "json", "--figure", "v.svg"]
    ran = CliRunner().invoke(cli, asked)
    assert ran.exit_code == 0, ran.output
    data = json.loads(ran.stdout)
    assert data["schema"] == "start-value/1"
    assert data["step_s"] == 5.0
    assert data["sizes"][0]["settings"] == {"fleet.initial": 1}
    assert "whole start" in (tmp_path / "v.svg").read_text()
    ran = CliRunner().invoke(cli, ["value", "mine.yaml", "--step", "0s"])
    assert ran.exit_code == 2


def test_the_same_result_is_the_same_figure():
    found = start_value(
        lab({**FROM_ZERO, **PHASED}), {}, goal=Goal("cost", penalty_usd=1.0), interventions=False
    )
    once = figure_bytes(drawing.draw, found, "svg")
    assert once == figure_bytes(drawing.draw, found, "svg")
    assert "<table" in found._repr_html_()
    assert found.frame()["what"].iloc[0] == "whole start"


def test_each_intervention_has_its_own_costs():
    """What it costs to keep is taken off, once for every end; a cheap one is paid back first."""
    base, goal = {**FROM_ZERO, **PHASED}, Goal("cost", penalty_usd=1.0)
    free_of_cost = start_value(lab(base), {}, goal=goal)
    (plain,) = free_of_cost.sizes
    free = {one.intervention: one.usd_per_month for one in plain.paybacks}
    pool = next(one for one in plain.paybacks if one.intervention == "stopped warm pool")
    assert "what it costs to keep is not in it" in pool.note
    unsaid = free_of_cost.sentence()
    assert "what saves most is sleep and wake" in unsaid
    assert "without what it costs to keep (--running)" in unsaid
    once = {"image cache": 100.0, "stopped warm pool": 900_000.0}
    kept = {"stopped warm pool": 1000.0, "sleep and wake": 300_000.0}
    found = start_value(lab(base), {}, goal=goal, cost_usd=once, running_usd=kept)
    by = {one.intervention: one for one in found.sizes[0].paybacks}
    pool, cache = by["stopped warm pool"], by["image cache"]
    assert pool.usd_per_month == pytest.approx(free["stopped warm pool"] - 1000.0)
    assert pool.months == pytest.approx(900_000.0 / pool.usd_per_month)
    assert cache.months == pytest.approx(100.0 / free["image cache"])
    assert by["data cache"].months is None
    said = found.sentence()
    assert "what saves most is stopped warm pool" in said
    assert "after the $1,000 a month that it costs to keep, paid back in 3.0 months" in said
    assert "; first to be paid back is image cache, in 0.0 months." in said
    told = json.loads(json.dumps(found.to_dict()))
    assert told["running_usd_per_month"] == kept


def test_costs_of_what_is_no_intervention_are_refused_all_at_once():
    with pytest.raises(GoalError, match='"image cash".*image cache; running of "int8": -1'):
        Costs({"image cash": 1.0}, {"int8": -1.0})
    assert called("Weights-in-page-cache") == "weights in page cache"
    assert called("pre-sharded-weights") == "pre-sharded weights"
    assert (Costs(5.0).once("int8"), Costs({"int8": 5.0}).once("image cache")) == (5.0, None)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--running", "$5"], "expected NAME=USD"),
        (["--cost", "$5", "--cost", "$6"], "given twice"),
        (["--cost", "int8=much"], "--cost"),
    ],
)
def test_costs_that_cannot_be_read_are_refused(more, said):
    ran = CliRunner().invoke(cli, ["value", *more])
    assert ran.exit_code == 2
    assert said in ran.stderr
