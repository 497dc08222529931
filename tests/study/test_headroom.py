"""Room against misses: a frontier by hand, the price of a nine, and minutes in breach counted."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from modeler.cli.main import cli
from modeler.report.studies import figure_bytes
from modeler.report.studies import headroom as drawing
from modeler.scenario import loads
from modeler.study import headroom, space_of
from modeler.study.goal import GoalError
from modeler.study.headroom import breach_minutes
from modeler.study.lab import Lab
from modeler.study.nines import frontier, price, worth
from traces import Trace

# Ten seconds apart one request alone; every tenth minute three at once instead of its first.
# One replica of one slot serves a second and lets nobody wait longer than half of one.
MINUTES = 600
SINGLE = np.arange(0.0, 60.0 * MINUTES, 10.0)
BURSTS = np.repeat(np.arange(0.0, 60.0 * MINUTES, 600.0), 2)
TRACE = Trace(np.sort(np.concatenate([SINGLE, BURSTS])))
SCENARIO = """
model: {size: 2GB}
hosting: {usd_per_hour: 1, release_s: 0}
service: {kind: fixed, mean_s: 1s}
cold_start: {total_s: 2m, sigma_log: 0}
fleet: {min: 1, max: 8, slots: 1, initial: null}
queue: {client_timeout_s: 1d, queue_timeout_s: 1d}
sla: {threshold_s: 1.5s, max_violation_share: 0.05}
policy: {kind: target_tracking, target: 100000}
"""


@pytest.fixture(scope="module")
def found():
    return headroom(Lab(loads(SCENARIO), trace=TRACE), {"fleet.min": (1, 2, 3, 4)})


def test_the_frontier_is_as_worked_out_by_hand(found):
    # One kept: two of each burst come too late; two kept: one; three: none.
    bursts = MINUTES / 10
    wanted = [2 * bursts / TRACE.requests, bursts / TRACE.requests, 0.0, 0.0]
    assert [row["short_share"] for row in found.rows] == pytest.approx(wanted)
    usd = [row["usd_per_month"] for row in found.rows]
    assert usd == pytest.approx([730.0, 1460.0, 2190.0, 2920.0], rel=1e-3)
    assert [row["settings"]["fleet.min"] for row in found.frontier] == [1, 2, 3]
    one, two, three = found.frontier
    assert one["usd_per_nine"] is None
    assert two["usd_per_nine"] == pytest.approx(730.0 / math.log10(2.0), rel=1e-2)
    # Nothing missed of all of them is known no better than one request.
    assert three["usd_per_nine"] == pytest.approx(730.0 / math.log10(bursts), rel=1e-2)
    assert (two["usd_at_most"], three["usd_at_most"]) == (False, True)
    assert (two["worth"], three["worth"]) == (False, True)  # the second nine is the cheaper one


def test_minutes_in_breach_are_counted_one_by_one(found):
    # A burst's minute has 8 requests: one late is an eighth of them, more than a twentieth.
    a_month = (MINUTES / 10) * 730.0 / (MINUTES / 60.0)
    counted = [row["breach_minutes_per_month"] for row in found.frontier]
    assert counted == pytest.approx([a_month, a_month, 0.0], rel=1e-2)
    lax = loads(SCENARIO.replace("0.05", "0.2"))
    assert breach_minutes(lax, TRACE) == pytest.approx(a_month, rel=1e-2)  # two of eight
    laxer = loads(SCENARIO.replace("0.05", "0.26"))
    assert breach_minutes(laxer, TRACE) == 0.0


def test_what_no_room_helps_stands_apart():
    slow = SCENARIO.replace("mean_s: 1s", "mean_s: 1.6s")
    found = headroom(Lab(loads(slow), trace=TRACE), {"fleet.min": (1, 8)})
    assert found.rows[1]["short_share"] == 0.0
    assert found.rows[1]["slow_share"] == 1.0
    assert "100 % take too long even where they need not wait" in found.sentence()
    assert found.rows[1]["breach_minutes_per_month"] in (None, 0.0)


def test_the_sentence_and_the_drawing(found):
    assert found.sentence().startswith(
        "As it is (fleet.min = 1) it costs $730 a month; 3.2 % of requests are missed for want of "
        "room, in 4,3"
    )
    more = "fleet.min = 3 (never fewer than 3 running) brings that to 0 % and 0 minutes for $1,460 "
    assert f"{more}more: $" in found.sentence()
    told = found.to_dict()
    assert json.loads(json.dumps(told))["schema"] == "headroom/1"
    assert len(found.frame()) == 4
    assert figure_bytes(drawing.draw, found, "svg") == figure_bytes(drawing.draw, found, "svg")


def test_what_cannot_be_varied_is_refused_or_a_row():
    lab = Lab(loads(SCENARIO), trace=TRACE)
    with pytest.raises(GoalError, match="nothing to vary"):
        headroom(lab, {})
    found = headroom(lab, {"fleet.min": (1, 9)})
    assert [row["settings"] for row in found.failed] == [{"fleet.min": 9}]
    assert "fleet.max" in found.failed[0]["error"]
    assert set(space_of(loads(SCENARIO), delays=False)) == {"policy.target", "fleet.min"}


POINTS = st.lists(
    st.tuples(st.floats(1.0, 1e4), st.floats(0.0, 1.0)), min_size=1, max_size=12, unique=True
)


@given(POINTS)
def test_no_point_beats_the_frontier_and_its_worthwhile_nines_get_dearer(points):
    usd, share = map(list, zip(*points, strict=True))
    along = frontier(usd, share)
    for k in range(len(usd)):
        assert any(usd[n] <= usd[k] and share[n] <= share[k] for n in along)
    dollars, misses = [usd[k] for k in along], [share[k] for k in along]
    assert all(np.diff(dollars) >= 0.0)
    assert all(np.diff(misses) < 0.0)
    hull = worth(dollars, misses, 10_000)
    prices = [
        price(dollars, misses, 10_000, since=a, to=b).usd_per_nine
        for a, b in itertools.pairwise(hull)
    ]
    assert all(b >= a for a, b in itertools.pairwise(prices))


def test_the_command(tmp_path):
    (tmp_path / "s.yaml").write_text(SCENARIO + "trace: t.csv\n")
    (tmp_path / "t.csv").write_text("timestamp\n" + "".join(f"{at}\n" for at in TRACE.arrival_s))
    ran = CliRunner().invoke(
        cli,
        ["headroom", str(tmp_path / "s.yaml"), "--set", "fleet.min=1,3",
         "--format", "json", "--figure", str(tmp_path / "h.png")],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert [row["settings"]["fleet.min"] for row in told["frontier"]] == [1, 3]
    assert (tmp_path / "h.png").stat().st_size > 10_000
