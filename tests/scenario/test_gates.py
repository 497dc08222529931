"""Gates: read with their units, refused in their place, and never passed by what has no value."""

import csv
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import modeler.measure
from modeler.predict.cold_start import WHOLE
from modeler.predict.timeline import PHASES
from modeler.replay import layout
from modeler.scenario import (
    ScenarioError,
    default,
    json_schema,
    loads,
    scenario_id,
    settings_in_force,
    with_values,
)
from modeler.scenario.figures import FIGURES, SHORT_NAMES
from modeler.scenario.gates import Gate, GateError, parse_fail_on, parse_gate, parse_gates


def row(**figures):
    return {"status": "ok", **figures}


@pytest.mark.parametrize(
    ("text", "figure", "limit", "unit"),
    [
        ("sla_violation_share <= 0.5%", "sla_violation_share", 0.005, "share"),
        ("misses<0.005", "sla_violation_share", 0.005, "share"),
        ("usd_per_month <= $3,000", "usd_per_hour", 3000.0, "USD/month"),
        ("monthly_cost <= 3000 USD", "usd_per_hour", 3000.0, "USD/month"),
        ("usd_per_month < $1e3/month", "usd_per_hour", 1000.0, "USD/month"),
        ("usd_per_hour < $1.20/h", "usd_per_hour", 1.2, "USD/h"),
        ("usd_total == 0.25", "usd_total", 0.25, "USD"),
        ("p99 <= 2s", "latency_s.p99", 2.0, "s"),
        ("  latency_s.p99   <=  2 ", "latency_s.p99", 2.0, "s"),
        ("breach_to_ready_s.p95 < 5m", "breach_to_ready_s.p95", 300.0, "s"),
        ("decision_to_ready_s.phases.load.p50 < 1h30m", "decision_to_ready_s.phases.load.p50",
         5400.0, "s"),
        ("size_bytes >= 4GiB", "size_bytes", 2.0**32, "bytes"),
        ("replicas.peak <= 12", "replicas.peak", 12.0, "replicas"),
        ("target > -1", "target", -1.0, ""),
    ],
)  # fmt: skip
def test_a_limit_is_read_in_the_unit_of_its_figure(text, figure, limit, unit):
    gate = parse_gate(text)
    assert (gate.figure, gate.limit, gate.unit) == (figure, limit, unit)
    assert gate.text == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "near", "said"),
    [
        ("p98 <= 2s", "p99", 'no figure "p98"'),
        ("sla_violation_shar <= 1%", "sla_violation_share", "no figure"),
        ("latency.p99 <= 2s", "latency_s.p99", "no figure"),
        ("zzz <= 2", "", "expected one such as p99"),
        ("meets_sla == 1", "", "no figure"),
        ("p99 <= 2GB", "", "latency"),
        ("p99 <= nan", "", "finite"),
        ("requests <= inf", "", "finite"),
        ("misses <= 50", "", "between 0 and 1"),
        ("usd_total <= $3/month", "", "dollars"),
        ("usd_per_month <= $3/h", "", "dollars per month"),
        ("usd_total <= 3 EUR", "", "dollars"),
        ("size_bytes <= 4", "", "needs a unit"),
        ("p99", "", "is no gate"),
        ("p99 = 2s", "", "is no gate"),
        ("1s < p99 < 2s", "", "is no gate"),
        ("", "", "is no gate"),
        (3, "", "is no gate"),
    ],
)
def test_what_is_no_gate_is_refused_with_the_nearest_name(text, near, said):
    with pytest.raises(GateError) as caught:
        parse_gate(text)
    assert caught.value.nearest == near
    assert said in str(caught.value) or said == "latency"
    assert caught.value.expected


def test_every_mistake_in_a_file_has_its_line_and_column():
    with pytest.raises(ScenarioError) as caught:
        loads(
            "gates:\n  - p99 <= 2s\n  - usd_per_mont <= $3\n  - misses < 5\nsweep: {gates: [1]}\n",
            file="mine.yaml",
        )
    places = [(p.file, p.line, p.column, p.nearest) for p in caught.value.problems]
    assert places == [
        ("mine.yaml", 3, 5, "usd_per_month"),
        ("mine.yaml", 4, 5, ""),
        ("mine.yaml", 5, 9, ""),
    ]
    with pytest.raises(ScenarioError, match="not a list of values"):
        loads("gates: p99 <= 2s")


def test_a_gate_does_not_change_what_is_run():
    gated = with_values(default(), {"gates": ["p99 <= 2s", "misses <= 0.5%"]})
    assert gated.gates == ("p99 <= 2s", "misses <= 0.5%")
    assert scenario_id(gated) == scenario_id(default())
    assert scenario_id(default()) == "1a00a0474c77"  # as before there were gates
    assert "gates" not in default().model_dump()
    assert gated.model_dump()["gates"] == gated.gates
    assert parse_gates(gated.gates)[1].limit == 0.005


def test_schema_and_explain_know_gates():
    about = json_schema()["properties"]["gates"]
    assert about["type"] == "array"
    assert about["items"]["type"] == "string"
    (found,) = [one for one in settings_in_force(default()) if one.path == "gates"]
    assert found.origin == "assumed"
    gated = loads("gates: [p99 <= 2s]")
    (found,) = [one for one in settings_in_force(gated) if one.path == "gates"]
    assert (found.value, found.origin) == (("p99 <= 2s",), "yours")


def test_a_month_has_730_hours():
    verdict = parse_gate("usd_per_month <= $1000").check(row(usd_per_hour=1.5))
    assert verdict.value == 1095.0  # 1.5 x 8,760 / 12
    assert (verdict.passed, verdict.margin) == (False, -95.0)
    assert verdict.to_dict() == {"gate": "usd_per_month <= $1000", "value": 1095.0, "passed": False}


@pytest.mark.parametrize(
    "outcome",
    [
        row(latency_s={"p99": None}),
        row(latency_s={}),
        row(latency_s=None),
        row(),
        row(latency_s={"p99": math.nan}),
        row(latency_s={"p99": True}),
        {"status": "failed", "latency_s": {"p99": 1.0}},
        {},
    ],
)
@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">=", "=="])
def test_a_figure_without_a_value_never_passes(outcome, comparison):
    verdict = parse_gate(f"p99 {comparison} 2s").check(outcome)
    assert verdict == (verdict.gate, None, False, None)
    assert verdict.gate.shown(verdict.value) == "no value"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("p99 <= 2s", {1.5: "1.5 s", 0.0123: "12 ms", 372.0: "6 m 12 s"}),
        ("misses <= 0.5%", {0.0038: "0.38 %"}),
        ("usd_total <= 1", {1234.5: "$1,234.50"}),
        ("size_bytes <= 1GB", {4e9: "4 GB"}),
        ("requests <= 1", {12345.0: "12,345"}),
    ],
)
def test_a_value_is_shown_in_its_unit(text, shown):
    gate = parse_gate(text)
    assert {value: gate.shown(value) for value in shown} == shown


@given(
    st.sampled_from(["<", "<=", ">", ">=", "=="]),
    st.integers(0, 9),
    st.one_of(st.none(), st.integers(0, 9)),
)
def test_a_gate_fails_where_its_condition_of_failure_is_met(comparison, limit, value):
    fail_on = parse_fail_on(f"requests {comparison} {limit}")
    met = parse_gate(f"requests {comparison} {limit}").check(row(requests=value))
    verdict = fail_on.check(row(requests=value))
    # Python's own comparison is the judge; without a value both fail.
    expected = value is not None and not eval(f"{value} {comparison} {limit}")
    assert verdict.passed == expected
    assert met.passed == (value is not None and not expected)
    assert isinstance(fail_on, Gate)
    if verdict.margin:
        assert (verdict.margin > 0) == verdict.passed


def test_short_names_are_no_figures_of_a_row_themselves():
    assert not SHORT_NAMES.keys() & FIGURES.keys()
    assert {short.figure for short in SHORT_NAMES.values()} <= FIGURES.keys()


def test_the_declared_figures_are_those_of_the_columns():
    """Names and units beside the room that computes them, and beside the rooms that name parts."""
    path = Path(modeler.measure.__file__).with_name("columns.csv")
    with path.open(encoding="utf-8", newline="") as file:
        columns = {one["column"]: one for one in csv.DictReader(file) if one["table"] == "sweep"}
    for figure, unit in FIGURES.items():
        column = columns[figure.partition(".")[0]]
        assert column["dtype"] in ("int64", "float64", "object"), figure
        if column["dtype"] != "object" and column["unit"]:
            assert unit == column["unit"], figure
    plain = {
        name
        for name, column in columns.items()
        if column["dtype"] in ("int64", "float64") and name != "seed"
    }
    assert plain <= FIGURES.keys()
    for phase in (*PHASES, WHOLE, "begun_again"):
        assert f"decision_to_ready_s.phases.{phase}.p95" in FIGURES
    causes = {name for name in FIGURES if name.startswith("violations_by_cause.")}
    assert causes == {f"violations_by_cause.{cause}" for cause in layout.CAUSES.values()}
