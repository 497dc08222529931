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


@pytest.fixture(scope="module")
def found():
    return growth(Lab(loads(scenario()), trace=TRACE), (1.0, 2.0), per_year=2.0)


def test_the_replicas_are_those_of_the_target(found):
    for row in found.rows:
        wanted = math.ceil(row["factor"] * A_MINUTE / TARGET)
        assert row["wanted_replicas"] == wanted
        assert row["peak_replicas"] == min(wanted, CAP)
        assert row["binds"] == (wanted > CAP)
        per_hour = 60.0 * A_MINUTE * row["factor"]
        assert row["requests_per_hour"] == pytest.approx(per_hour, rel=1e-3)
    assert [row["years"] for row in found.rows] == [0.0, 1.0]


def test_the_cap_binds_where_the_target_says_and_when(found):
    binding = found.binding
    assert binding.high <= 1.02 * binding.low
    assert binding.high == pytest.approx(CAP * TARGET / A_MINUTE, rel=0.03)
    assert binding.years == pytest.approx(math.log2(binding.high))
    # 0.585 years from 2026-03-02, give or take what 3 % of traffic are in days.
    assert abs((binding.day - date(2026, 10, 2)).days) < 17
    said = found.sentence()
    assert "fleet.max = 4 is too few from 1." in said
    assert "0.6 years from now" in said


def test_a_cap_that_binds_already_and_one_that_never_does():
    already = growth(Lab(loads(scenario(2)), trace=UNDATED), (1.0,), per_year=2.0)
    assert already.binding.high == pytest.approx(2 * TARGET / A_MINUTE, rel=0.03)
    assert already.binding.years < 0.0
    assert already.binding.day is None
    assert "is too few already" in already.sentence()
    fixed = scenario().replace(f"{{kind: target_tracking, target: {TARGET}}}",
                               "{kind: fixed, replicas: 2}")  # fmt: skip
    never = growth(Lab(loads(fixed), trace=UNDATED), (1.0,))
    assert never.binding is None
    assert never.sentence().endswith(
        f"fleet.max = 4 is not reached up to {never.searched:g} times the traffic."
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


def test_the_contract_and_the_drawing(found):
    told = json.loads(json.dumps(found.to_dict()))
    assert told["schema"] == "growth/1"
    assert told["binding"]["day"] == found.binding.day.isoformat()
    assert len(found.frame()) == 2
    assert figure_bytes(drawing.draw, found, "svg") == figure_bytes(drawing.draw, found, "svg")


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
