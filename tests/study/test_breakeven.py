"""Break-evens against closed forms: what is held costs by the hour, what is metered by request."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import pricing
from modeler.cli.main import cli
from modeler.report.studies import breakeven as drawing
from modeler.report.studies import figure_bytes
from modeler.scenario import ScenarioError, loads
from modeler.study import breakeven
from modeler.study.breakeven_rows import taken_over
from modeler.study.breakeven_words import sentence
from modeler.study.crossings import band_of, crossings
from modeler.study.intervals import Resamples
from modeler.study.lab import Lab
from modeler.study.modes import MODES, modes_of
from modeler.study.rated import at_factor, first_hours, rps_of, uneven
from traces import CountSeries, Trace, TraceError, draws

HOUR_USD, SERVICE_S = 0.05, 0.5
SCENARIO = f"""
model: {{size: 1GB}}
hosting: {{usd_per_hour: {HOUR_USD}}}
service: {{kind: fixed, mean_s: {SERVICE_S}s}}
cold_start: {{total_s: 1ms, sigma_log: 0}}
fleet: {{min: 1, max: 4, slots: 8, initial: 1}}
policy: {{kind: target_tracking, target: 100000}}
"""
# A day of Poisson traffic at 0.2 a second, with tokens.
GAPS = -np.log1p(-draws.uniform(3, "gaps", 0, 17_280)) / 0.2
TRACE = Trace(np.cumsum(GAPS) - GAPS[0], {"prompt_tokens": np.full(GAPS.size, 400.0),
                                          "output_tokens": np.full(GAPS.size, 100.0)})  # fmt: skip
RATES = (0.02, 0.06)


def lab_of(text: str = SCENARIO) -> Lab:
    return Lab(loads(text), trace=TRACE)


def metered_usd() -> float:
    """Of a request on Lambda with 10,240 MB and an x86_64. [USD]"""
    request, second = (
        float(pricing.serverless_price("lambda", item, "us-east-1").usd)
        for item in ("request", "gb_second_x86")
    )
    return request + 10.0 * SERVICE_S * second


@pytest.fixture(scope="module")
def found():
    lab = lab_of(SCENARIO + 'token_api: "1/2"\n')
    return breakeven(lab, RATES, modes=("min-1", "lambda", "token-api", "min-9"), replicates=4)


def rows_of(found, mode):
    return [row for row in found.rows if row["mode"] == mode]


def test_a_warm_replica_costs_its_hours_whatever_the_rate(found):
    rows = rows_of(found, "min-1")
    assert [row["rate_rps"] for row in rows] == [*RATES, pytest.approx(rps_of(TRACE))]
    for row in rows:
        assert row["usd_per_month"] == pytest.approx(HOUR_USD * 730.0, rel=1e-4)
        assert row["usd_low"] <= HOUR_USD * 730.0 * 1.001
        assert row["waiting_share"] == 0.0


def test_what_is_metered_costs_in_proportion(found):
    for row in rows_of(found, "lambda"):
        by_hand = metered_usd() * row["requests_per_hour"] * 730.0
        assert row["usd_per_month"] == pytest.approx(by_hand, rel=1e-2)
    for row in rows_of(found, "token-api"):
        by_hand = (400.0 * 1.0 + 100.0 * 2.0) / 1e6 * row["requests_per_hour"] * 730.0
        assert row["usd_per_month"] == pytest.approx(by_hand, rel=1e-9)
        assert row["latency_p99_s"] is None


def test_the_crossing_is_where_an_hour_is_worth_as_many_requests(found):
    (one,) = (one for one in found.crossings if {one["below"], one["above"]} == {"lambda", "min-1"})
    by_hand = HOUR_USD / metered_usd()
    assert one["below"] == "lambda"
    assert one["requests_per_hour"] == pytest.approx(by_hand, rel=0.01)
    assert one["usd_per_month"] == pytest.approx(HOUR_USD * 730.0, rel=0.01)
    # A replica of eight slots.
    busy = by_hand / 3600.0 * SERVICE_S / 8.0
    assert one["utilisation"]["min-1"] == pytest.approx(busy, rel=0.03)
    own = 3600.0 * rps_of(TRACE)
    assert one["distance_per_hour"] == pytest.approx(one["requests_per_hour"] - own)
    assert one["cheapest"]  # the API takes seven times as much a request


def test_a_mode_that_cannot_be_is_a_row_with_its_reason(found):
    (row,) = rows_of(found, "min-9")
    assert (row["status"], row["rate_rps"]) == ("failed", None)
    assert "fleet.max" in row["error"]
    big = modes_of(loads("model: {size: 14GB}"))
    assert [mode.name for mode in big] == list(MODES[:-1])
    real = breakeven(Lab(loads("model: {size: 14GB}"), trace=TRACE), [0.01], modes=("lambda",),
                     replicates=0)  # fmt: skip
    assert "does not fit" in real.rows[0]["error"]
    assert real.sentence().startswith("None of these ways to serve is possible here: lambda: a mod")


def test_the_sentence_says_where_and_what_ones_own_costs(found):
    nearest = found.nearest()
    assert nearest in found.crossings
    said = found.sentence()
    assert said.startswith("Below ")
    assert "requests an hour" in said
    assert f"${HOUR_USD * 730.0:,.0f}" in said or "Lambda" in said
    assert json.loads(json.dumps(found.to_dict()))["schema"] == "breakeven/1"
    assert len(found.frame()) == len(found.rows)
    assert figure_bytes(drawing.draw, found, "svg") == figure_bytes(drawing.draw, found, "svg")


@pytest.mark.parametrize(
    ("hosting", "zero"),
    [
        ("sagemaker_realtime", "sagemaker_components"),
        ("sagemaker_async", "sagemaker_async"),
        ("cloud_run", "cloud_run"),
        ("eks_karpenter", "eks_karpenter"),
        ("eks_cluster_autoscaler", "eks_cluster_autoscaler"),
    ],
)
def test_each_platform_reaches_zero_in_its_own_way(hosting, zero):
    (mode,) = modes_of(loads(f"hosting: {{kind: {hosting}}}"), ("scale-to-zero",))
    assert mode.reason == ""
    assert (mode.scenario.hosting.kind, mode.scenario.fleet.min) == (zero, 0)


def test_what_reaches_no_zero_says_so():
    for hosting in ("ec2_asg", "lambda"):
        text = f"hosting: {{kind: {hosting}}}"
        (mode,) = modes_of(loads(text), ("scale-to-zero",))
        assert mode.scenario is None
        assert mode.reason
    (mode,) = modes_of(loads(""), ("token-api",))
    assert "--token-api" in mode.reason
    with pytest.raises(ScenarioError, match='unknown mode "lamda"'):
        modes_of(loads(""), ("lamda",))


@given(
    st.floats(0.01, 100.0),
    st.floats(1e-6, 1e-2),
    st.lists(st.floats(1e-3, 1e6), min_size=2, max_size=6, unique=True),
)
def test_a_constant_and_a_proportional_curve_cross_exactly(fixed, each, rates):
    rate = np.sort(np.array(rates))
    at = fixed / each
    found = crossings(rate, np.full(rate.size, fixed), each * rate)
    near = np.abs(np.log(rate / at)).min() < 0.011  # as good as equal there
    if rate[0] < at < rate[-1] and not near:
        assert found == [pytest.approx(at, rel=1e-6)]
    elif not near:
        assert found == []


FOUR = Resamples(0, (0,) * 7)


def test_the_band_of_a_crossing_is_that_of_its_replicates():
    rate = np.array([1.0, 100.0])
    prices = np.array([9.0, 10.0, 11.0, 10.0])
    first = np.tile(prices, (2, 1))
    second = np.outer(rate, np.ones(4))
    low, high = band_of(10.0, rate, first, second, FOUR)
    assert low < 9.5 < 10.5 < high
    assert band_of(10.0, rate, first, second * 1e6, FOUR) is None
    # Replicates all on one side of a replay that began cold: it is in its band all the same.
    low, high = band_of(5.0, rate, first, second, FOUR)
    assert low == 5.0
    assert high > 10.5


def test_traffic_at_other_rates():
    assert at_factor(TRACE, 1.0, 0) is TRACE
    assert rps_of(at_factor(TRACE, 0.1, 0)) == pytest.approx(0.02, rel=0.1)
    counts = CountSeries(np.full(1440, 12), 60.0)
    assert rps_of(at_factor(counts, 0.1, 0)) == pytest.approx(0.02, rel=0.1)
    assert first_hours(counts, 2.0).requests == 1440
    assert first_hours(TRACE, 1e6) is TRACE
    for cv in (0.5, 1.0, 4.0):
        made = uneven(TRACE, 0.2, cv, 1)
        gaps = np.diff(made.arrival_s)
        assert gaps.std() / gaps.mean() == pytest.approx(cv, rel=0.12)
        assert set(made.columns) == set(TRACE.columns)
    assert uneven(TRACE, 0.2, 1.0, 1, hours=48.0).duration_s == pytest.approx(172_800, rel=1e-3)
    with pytest.raises(TraceError, match="burstiness"):
        uneven(TRACE, 0.2, 99.0, 1)


def test_the_command(tmp_path):
    (tmp_path / "s.yaml").write_text(SCENARIO.replace("1ms", "60s"))
    ran = CliRunner().invoke(
        cli,
        ["breakeven", str(tmp_path / "s.yaml"), "--hours", "6", "--replicates", "0",
         "--rates", "0.02rps,0.1/s", "--modes", "min-1,lambda", "--burstiness", "1,3",
         "--format", "json", "--figure", str(tmp_path / "b.png")],
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    told = json.loads(ran.stdout)
    assert {row["burstiness"] for row in told["rows"]} == {1.0, 3.0}
    assert (tmp_path / "b.png").stat().st_size > 10_000
    assert told["advice"] in ran.stderr
    wrong = CliRunner().invoke(cli, ["breakeven", "--rates", "0.02rps,x"])
    assert "x: expected numbers above 0, as 0.5rps" in wrong.output


def test_a_rate_with_too_few_requests_has_no_band():
    found = breakeven(lab_of(), [1e-4, 0.05], modes=("min-1", "lambda"), replicates=4)
    few, *rest = rows_of(found, "min-1")
    assert few["usd_low"] is None
    assert all(row["usd_low"] is not None for row in rest)
    (one,) = found.crossings
    assert one["low"] <= one["requests_per_hour"] <= one["high"]


def test_the_sentence_where_the_cheapest_never_changes():
    def row(mode, usd):
        return {"mode": mode, "burstiness": None, "requests_per_hour": 120.0, "own": True,
                "usd_per_month": usd, "waiting_share": 0.125, "unserved_share": 0.005,
                "sla_violation_share": 0.004, "allowed": 0.01, "status": "ok"}  # fmt: skip

    rows = [row("lambda", 1.0), row("scale-to-zero", 10.0), row("min-1", 30.0)]
    crossing = {"below": "scale-to-zero", "above": "min-1", "requests_per_hour": 411.1,
                "low": 398.7, "high": 1234.5, "burstiness": None, "cheapest": False,
                "band_note": None, "sla_violation_share": {"min-1": 0.0}}  # fmt: skip
    wait = " (of requests 12 % wait for a place and 0.5 % are never served)"
    lead = (
        "Lambda costs least at every rate from 120 to 120 requests an hour, $1 a month at your 120"
        f"{wait}."
    )
    tail = (
        "elow 411 requests an hour (95 %: 399 to 1,230) scaling to zero is cheaper than keeping "
        f"one warm; your 120 an hour cost $30 a month by keeping one warm{wait}, and $10 by "
        f"scaling to zero{wait}."
    )
    assert sentence(rows, None, 120.0) == lead
    assert sentence(rows, crossing, 120.0) == f"{lead} Apart from that, b{tail}"
    assert sentence(rows, {**crossing, "cheapest": True}, 120.0) == f"B{tail}"
    rows[1]["sla_violation_share"] = 0.0279
    late = {**crossing, "cheapest": True, "sla_violation_share": {"scale-to-zero": 0.044}}
    assert sentence(rows, late, 120.0, {"min-1": "this", "lambda": "that"}) == (
        f"B{tail} Scaling to zero misses 2.8 % at your rate and 4.4 % where the two cross, 1 % is "
        "allowed. For keeping one warm, this."
    )
    alone = {**late, "low": None, "high": None, "band_note": "so few"}
    assert "requests an hour (no interval: so few) scaling" in sentence(rows, alone, 120.0)


def test_service_times_of_other_hardware_are_said_so(found):
    assert list(found.notes) == ["lambda"]
    note = found.notes["lambda"]
    assert note.startswith("service times (fixed 0.5 s) are taken over from ml.g5.2xlarge and its")
    assert f"For Lambda, {note}." in found.sentence()
    assert found.to_dict()["notes"] == {"lambda": note}
    # A rule that reads the accelerator follows it.
    tokens = loads("model: {size: 1GB}\nservice: {kind: tokens}")
    other = {mode.name: mode.scenario for mode in modes_of(tokens)}["min-2"]
    assert taken_over(tokens, other, TRACE) == ""


def test_why_a_crossing_has_no_band():
    none = breakeven(lab_of(), RATES, modes=("min-1", "lambda"), replicates=0)
    assert {one["band_note"] for one in none.crossings} == {"no replicates were asked for"}
    few = breakeven(lab_of(), [1e-4, 2e-4], modes=("min-1", "lambda"), replicates=4, hours=10)
    assert all((one["low"] is None) == bool(one["band_note"]) for one in few.crossings)
