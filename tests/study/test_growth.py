"""More of an even traffic, whose replicas follow from the target by hand."""

from __future__ import annotations

import json
import math
from datetime import date

import numpy as np
import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.report.studies import figure_bytes
from modeler.report.studies import growth as drawing
from modeler.scenario import loads
from modeler.study import growth
from modeler.study.goal import GoalError
from modeler.study.lab import Lab
from traces import Trace

# 3,000 requests a minute for an hour and a half from 2026-03-02 08:00 UTC on.
A_MINUTE = 3000
ARRIVALS = np.arange(90 * A_MINUTE) * (60.0 / A_MINUTE)
T0_NS = 1_772_438_400_000_000_000
TRACE = Trace(ARRIVALS, t0_ns=T0_NS, t0_is_absolute=True)
UNDATED = Trace(ARRIVALS)
# Four replicas at the target take one and a half times that.
TARGET, CAP = 1125, 4


def scenario(cap: int = CAP) -> str:
    return f"""
model: {{size: 2GB}}
hosting: {{usd_per_hour: 1, release_s: 0}}
service: {{kind: fixed, mean_s: 10ms}}
cold_start: {{total_s: 30s, sigma_log: 0}}
fleet: {{min: 1, max: {cap}, slots: 8}}
policy: {{kind: target_tracking, target: {TARGET}}}
"""


# Four replicas of eight slots are always there; at 32/75 s a request they serve 75 a second, which
# is one and a half times what comes.
FULL = scenario().replace("10ms", f"{32 / 75}s").replace("min: 1", "min: 4")


@pytest.fixture(scope="module")
def found():
    return growth(Lab(loads(scenario()), trace=TRACE), (1.0, 2.0), per_year=2.0)


@pytest.fixture(scope="module")
def full():
    return growth(Lab(loads(FULL), trace=TRACE), (1.0, 2.0), per_year=2.0)


def test_the_replicas_are_those_of_the_target(found):
    for row in found.rows:
        wanted = math.ceil(row["factor"] * A_MINUTE / TARGET)
        assert row["wanted_replicas"] == wanted
        assert row["peak_replicas"] == min(wanted, CAP)
        # A request takes a hundredth of a second: none misses for want of a fifth replica.
        assert (row["cap_share"], row["binds"]) == (0.0, False)
        per_hour = 60.0 * A_MINUTE * row["factor"]
        assert row["requests_per_hour"] == pytest.approx(per_hour, rel=1e-3)
    assert [row["years"] for row in found.rows] == [0.0, 1.0]


def test_the_cap_binds_where_more_comes_than_it_serves_and_when(full):
    binding = full.binding
    assert [row["binds"] for row in full.rows] == [False, True]
    assert binding.high <= 1.02 * binding.low
    assert binding.high == pytest.approx(1.5, rel=0.03)
    assert binding.years == pytest.approx(math.log2(binding.high))
    # 0.585 years from 2026-03-02, give or take what 3 % of traffic are in days.
    assert abs((binding.day - date(2026, 10, 2)).days) < 17
    said = full.sentence()
    assert "fleet.max = 4 is too few for much more, from 1." in said
    assert "on more than 0.5 % miss for it: raise it by then" in said
    assert "0.6 years from now" in said


def test_a_cap_that_binds_already_and_one_that_never_does():
    two = FULL.replace("min: 4", "min: 2").replace("max: 4", "max: 2")
    already = growth(Lab(loads(two), trace=UNDATED), (1.0,), per_year=2.0)
    assert already.binding.high == pytest.approx(0.75, rel=0.03)
    assert already.binding.years < 0.0
    assert already.binding.day is None
    assert "is too few already" in already.sentence()
    assert "more than the 0.5 % that the service level allows: it is broken already" in (
        already.sentence()
    )
    fixed = scenario().replace(f"{{kind: target_tracking, target: {TARGET}}}",
                               "{kind: fixed, replicas: 2}")  # fmt: skip
    never = growth(Lab(loads(fixed), trace=UNDATED), (1.0,))
    assert never.binding is None
    assert never.sentence().endswith(
        f"Up to {never.searched:g} times the traffic fleet.max = 4 is enough: no more than 0.5 % "
        "miss for it."
    )
    assert never.rows[0]["usd_per_month"] == pytest.approx(2 * 730.0, rel=1e-3)


def test_of_a_function_its_concurrency_is_the_cap():
    # Fifty a second of half a second each are 25 at once.
    text = """
model: {size: 1GB}
hosting: {kind: lambda, reserved_concurrency: 50}
service: {kind: fixed, mean_s: 500ms}
cold_start: {total_s: 1ms, sigma_log: 0}
policy: {kind: per_request}
"""
    part = Trace(ARRIVALS[:30_000])
    found = growth(Lab(loads(text), trace=part), (1.0, 4.0))
    assert found.cap == "hosting.reserved_concurrency = 50"
    assert [row["binds"] for row in found.rows] == [False, True]
    # Above one time the others come at random, of which the most at once is more than the mean.
    assert 1.2 < found.binding.high < 2.0
    big = growth(Lab(loads(text.replace("1GB", "40GB")), trace=part), (1.0,))
    assert (big.rows[0]["status"], big.binding) == ("failed", None)
    assert "does not fit" in big.sentence()


def test_what_is_no_growth_is_refused():
    lab = Lab(loads(scenario()), trace=TRACE)
    with pytest.raises(GoalError, match="expected one or more numbers above 0"):
        growth(lab, ())
    with pytest.raises(GoalError, match="above 1, as 2"):
        growth(lab, (1.0,), per_year=1.0)


def test_misses_have_bands():
    again = growth(Lab(loads(FULL), trace=Trace(ARRIVALS)), (1.0, 1.6), replicates=20)
    for row in again.rows:
        assert row["sla_violation_share_low"] <= row["sla_violation_share_high"]
    assert again.rows[1]["sla_violation_share_low"] > 0.005
    assert "on the traffic as it came" in again.sentence()
    assert "(between " in again.sentence()


def test_the_contract_and_the_drawing(full):
    told = json.loads(json.dumps(full.to_dict()))
    assert told["schema"] == "growth/1"
    assert told["binding"]["day"] == full.binding.day.isoformat()
    assert len(full.frame()) == 2
    assert figure_bytes(drawing.draw, full, "svg") == figure_bytes(drawing.draw, full, "svg")


def test_the_command(tmp_path):
    few = ARRIVALS[::100]
    (tmp_path / "t.csv").write_text("timestamp\n" + "".join(f"{at}\n" for at in few))
    (tmp_path / "s.yaml").write_text(
        scenario().replace(f"{TARGET}", "12") + "trace: t.csv\n",
    )
    ran = CliRunner().invoke(
        cli,
        ["growth", str(tmp_path / "s.yaml"), "--factors", "1,2", "--per-year", "1.5",
         "--replicates", "20", "--format", "json", "--figure", str(tmp_path / "g.png")],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert [row["factor"] for row in told["rows"]] == [1.0, 2.0]
    assert told["advice"] in ran.stderr
    assert (tmp_path / "g.png").stat().st_size > 10_000
