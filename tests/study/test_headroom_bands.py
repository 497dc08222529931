"""Intervals of headroom: none where every hour is alike, none too few where one hour differs."""

from __future__ import annotations

import json
import math
from functools import cache

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from test_headroom import SCENARIO

from modeler.cli.main import cli
from modeler.report.studies import figure_bytes
from modeler.report.studies import headroom as drawing
from modeler.scenario import loads
from modeler.study import GoalError, headroom
from modeler.study.intervals import Resamples
from modeler.study.lab import Lab
from modeler.study.replicates import Replicates
from modeler.study.steps import step
from traces import Trace

# A request each ten seconds for ten hours, and with some of them two more: one replica of one slot
# serves a second and lets nobody wait longer than half of one.
HOURS = 10
WEEK = Resamples(0, (0,) * 7)
SINGLE = np.arange(0.0, 3600.0 * HOURS + 1.0, 10.0)


def bursts(at: np.ndarray) -> Trace:
    return Trace(np.sort(np.concatenate([SINGLE, np.repeat(at, 2)])))


ALIKE = bursts(np.arange(600.0, 3600.0 * HOURS, 1200.0))  # three in each hour
ONCE = bursts(np.arange(300.0, 3600.0, 600.0))  # six, all in the first


@cache
def found(trace: str, **how):
    traffic = {"alike": ALIKE, "once": ONCE}[trace]
    lab = Lab(loads(SCENARIO), trace=traffic, **how)
    return headroom(lab, {"fleet.min": (1, 2, 3, 4)}, replicates=20)


def test_hours_that_are_alike_leave_no_doubt_and_a_nine_has_its_price():
    one, two, three = found("alike").frontier
    for row in (one, two, three):
        assert row["usd_low"] == row["usd_high"] == pytest.approx(row["usd_per_month"], rel=1e-3)
    for row in (one, two):
        assert row["short_low"] == row["short_high"] == pytest.approx(row["short_share"], rel=1e-3)
    # Nothing was missed, by the rule of three at most three requests of all.
    assert three["short_low"] == three["short_share"] == 0.0
    assert three["short_high"] == pytest.approx(3.0 / ALIKE.requests, rel=2e-3)
    # From two late of each burst to one, and to none of 30 bursts: fewer than one request.
    for row, nines in ((two, math.log10(2.0)), (three, math.log10(30.0))):
        assert row["usd_per_nine_low"] == pytest.approx(row["usd_per_nine_high"])
        assert row["usd_per_nine_low"] == pytest.approx(730.0 / nines, rel=1e-3)
        assert (row["usd_differs"], row["short_differs"]) == (True, True)
    assert three["usd_more_low_from_own"] == pytest.approx(1460.0, rel=1e-3)
    assert three["nines_low_from_own"] == pytest.approx(math.log10(60.0), rel=1e-3)
    said = found("alike").sentence()
    assert "fleet.min = 3 (never fewer than 3 running) brings that to 0 % (between 0 % and" in said
    assert "and 0 minutes for $1,460 more ($1,460 over the replicates)" in said
    assert "chance" not in said


def test_bursts_of_a_single_hour_are_chance_and_are_said_to_be():
    result = found("once")
    one, two, three = result.frontier
    assert one["short_low"] == 0.0 < one["short_high"]
    for row in (two, three):
        assert (row["usd_differs"], row["short_differs"]) == (True, False)
        assert row["nines_low"] < 0.0 < row["nines_high"]
        assert row["usd_per_nine_high"] is None  # it may buy nothing
        assert 0.0 < row["usd_per_nine_low"] < row["usd_per_nine"]
    said = result.sentence()
    assert "but that it misses less is not shown, for it may be chance." in said
    assert (
        "Of the steps along the frontier, each against the next cheaper setting of it, 2 of 2 are "
        "not shown to miss less (to fleet.min = 2 and to fleet.min = 3)" in said
    )
    assert "(at least $" in said


def test_off_the_frontier_nothing_is_drawn_again():
    row = found("alike").rows[3]
    assert row["settings"] == {"fleet.min": 4}
    assert (row["frontier"], row["replicates"], row["usd_low"]) == (False, None, None)


def test_processes_give_the_same_bytes():
    told = [
        json.dumps(one.to_dict(), allow_nan=False)
        for one in (found("once"), found("once", executor="processes", workers=2))
    ]
    assert told[0] == told[1]


def test_without_replicates_there_are_no_intervals():
    bare = headroom(Lab(loads(SCENARIO), trace=ONCE), {"fleet.min": (1, 2, 3, 4)})
    assert "between" not in bare.sentence()
    assert "chance" not in bare.sentence()
    assert {row["usd_low"] for row in bare.rows} == {None}
    assert bare.to_dict()["confidence"] is None
    few = Lab(loads(SCENARIO), trace=Trace(np.arange(5.0)))
    with pytest.raises(GoalError, match="the traffic cannot be drawn again"):
        headroom(few, {"fleet.min": (1, 2)}, replicates=20)


def drawn(usd, short) -> Replicates:
    hour = {"sla_violation_share": 0.0, "requests": 0.0, "duration_s": 3600.0}
    each = zip(usd, short, strict=True)
    return Replicates(tuple({**hour, "usd_per_hour": a, "short_share": b} for a, b in each), WEEK)


def test_a_nine_is_ten_times_fewer():
    found = step(drawn([1.0, 2.0], [0.1, 0.01]), drawn([11.0, 12.0], [0.01, 0.001]), 10**6)
    assert (found.nine_low, found.nine_high) == (pytest.approx(7300.0), pytest.approx(7300.0))
    assert found.usd.low == pytest.approx(7300.0)


PAIRS = st.lists(
    st.tuples(st.floats(0.5, 9.0), st.floats(0.5, 9.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0)),
    min_size=4, max_size=20,
)  # fmt: skip


@settings(max_examples=60, deadline=None, derandomize=True)
@given(PAIRS)
def test_a_step_back_is_the_step_negated_and_a_price_needs_both_to_differ(pairs):
    a, b, x, y = (np.array(of) for of in zip(*pairs, strict=True))
    there, back = (step(*pair, 1000) for pair in (
        (drawn(a, x), drawn(b, y)), (drawn(b, y), drawn(a, x))
    ))  # fmt: skip
    for one, other in ((there.usd, back.usd), (there.nines, back.nines)):
        assert (one.low, one.high) == (-other.high, -other.low)
    if there.nine_low is not None:
        assert there.usd.differs
        assert there.nine_low > 0.0
        assert there.nine_high is None or there.nine_high >= there.nine_low
    assert there.nine_high is None or there.nine_low is not None
    assert there.nine_low is None or back.nine_low is None


def test_the_command_and_its_figure(tmp_path):
    result = found("once")
    assert figure_bytes(drawing.draw, result, "svg") == figure_bytes(drawing.draw, result, "svg")
    (tmp_path / "s.yaml").write_text(SCENARIO + "trace: t.csv\n")
    (tmp_path / "t.csv").write_text("timestamp\n" + "".join(f"{at}\n" for at in ONCE.arrival_s))
    asked = ["headroom", str(tmp_path / "s.yaml"), "--set", "fleet.min=1,3"]
    ran = CliRunner().invoke(cli, [*asked, "--replicates", "20"])
    assert ran.exit_code == 0, ran.output
    assert "usd_per_nine_low" in ran.stdout
    assert "that it misses less is not shown" in ran.stderr
    bare = CliRunner().invoke(cli, asked)
    assert "usd_per_nine_low" not in bare.stdout
