"""Explanations: every number of a result is reached, and every line adds up to what it says."""

from __future__ import annotations

import json
import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.measure.attribution import PHASES, phase_of, usd_by_phase
from modeler.measure.bill import CostLine
from modeler.plain import to_json, to_plain
from modeler.scenario import default, with_values
from modeler.scenario.figures import FIGURES
from modeler.study import PRESETS, replay
from modeler.study.explain import (
    FigureError,
    check_figure,
    explain_figure,
    figures_of,
)
from modeler.study.explain.arithmetic import number
from modeler.study.presets import with_preset
from traces import Trace
from traces.draws import exponential

RELATIVE = 1e-9
# A fleet, its machines beneath it, machines that fall back, one to zero, and by the request.
CHOSEN = (
    "target_tracking", "components", "hpa", "keda", "knative_kpa", "sky_serve", "cloud_run",
    "serverless", "lambda",
)  # fmt: skip
HARDER = {
    "spot": {
        "hosting.kind": "eks_karpenter", "hosting.purchase": "spot", "hosting.usd_per_hour": "$0.4",
        "policy": {"kind": "hpa", "metric": "concurrency"}, "hosting.nodes": {"kind": "karpenter"},
        "weather": [{"kind": "spot_reclaim", "per_hour": 3.0}],
    },
    "warm pool": {
        "hosting.kind": "ec2_asg", "policy": {"kind": "target_tracking", "target": 100},
        "hosting.nodes": {"kind": "warm_pool"},
    },
    "provisioned": {
        "hosting.kind": "lambda", "policy": {"kind": "per_request"},
        "hosting.provisioned_concurrency": 2, "hosting.ephemeral_storage_mb": 2048,
    },
    "snapshot": {
        "hosting.kind": "lambda", "policy": {"kind": "per_request"},
        "hosting.package": "snapstart",
    },
    "batched": {"service": {"kind": "batched"}, "model.size": "14GB"},
}  # fmt: skip
EVERY = (*CHOSEN, *HARDER)


def tokens(requests: int = 1200) -> Trace:
    arrival = np.cumsum(exponential(4, "gap", 0, requests))
    arrival[requests // 2 :] = arrival[requests // 2] + (arrival[requests // 2 :] % 30.0)
    arrival.sort()
    prompt = np.ceil(200 * exponential(4, "prompt", 0, requests))
    output = np.ceil(100 * exponential(4, "output", 0, requests))
    return Trace(arrival - arrival[0], {"prompt_tokens": prompt, "output_tokens": output})


@cache
def done(name: str):
    base = {
        "sweep": {}, "service.kind": "fixed", "service.mean_s": 1.5, "model.size": "4GB",
        "token_api": "0.15/0.60", "fleet.max": 6,
    }  # fmt: skip
    scenario = with_values(default(), base)
    if name in HARDER:
        return replay(with_values(scenario, HARDER[name]), trace=tokens())
    preset = next(one for one in PRESETS if one.key == name)
    return replay(with_preset(scenario, preset), trace=tokens())


def numbers(value, prefix=""):
    """Every number of the JSON of an outcome, found apart from what explains it."""
    for key, one in value.items():
        if isinstance(one, dict):
            yield from numbers(one, f"{prefix}{key}.")
        elif isinstance(one, int | float) and not isinstance(one, bool):
            yield f"{prefix}{key}", one


@pytest.mark.parametrize("name", EVERY)
def test_every_number_of_a_result_is_reached_and_every_line_adds_up(name):
    outcome = json.loads(to_json(to_plain(done(name).outcome)))
    found = dict(numbers(outcome))
    assert len(found) > 60
    assert found.keys() <= set(figures_of(done(name)))
    for figure, value in found.items():
        explained = explain_figure(done(name), figure)
        assert explained.lines[-1].figure == figure
        assert explained.lines[-1].value == explained.value == value
        for line in explained.lines:
            assert line.source, line
            assert line.expression, line
            if line.operation:
                assert _computed(line) == pytest.approx(line.value, rel=RELATIVE, abs=1e-9), line


def _computed(line):
    """The line worked out once more, by hand as it were."""
    first, *rest = line.terms
    if line.operation == "sum":
        return first + math.fsum(rest)
    if line.operation == "difference":
        return first - math.fsum(rest)
    for term in rest:
        first = first * term if line.operation == "product" else first / term
    return first


@pytest.mark.parametrize("name", EVERY)
def test_every_dollar_has_a_phase(name):
    outcome = done(name).outcome
    phases = usd_by_phase(outcome.cost_lines)
    assert phases == outcome.usd_by_phase
    assert math.fsum(phases.values()) == pytest.approx(outcome.usd_total, rel=RELATIVE)
    # The lines of the explanation are those of the bill, and their sum is the bill.
    lines = explain_figure(done(name), "usd_total").lines
    amounts = [line for line in lines if line.figure.startswith("cost_lines.")]
    assert [line.value for line in amounts] == [one.amount_usd for one in outcome.cost_lines]
    assert all(one.source in line.source for one, line in zip(outcome.cost_lines, amounts))  # noqa: B905
    assert lines[-1].terms == tuple(line.value for line in amounts)
    told = {line.figure.removeprefix("usd_by_phase."): line.value for line in lines}
    for phase, usd in phases.items():
        own = [one for one in outcome.cost_lines if phase_of(one.component) == phase]
        if len(own) > 1:
            assert told[phase] == usd


@pytest.mark.parametrize("name", EVERY)
def test_every_violation_has_one_cause(name):
    outcome = done(name).outcome
    lines = {line.figure: line for line in explain_figure(done(name), "sla_violation_share").lines}
    causes = outcome.violations_by_cause
    assert lines["violations"].value == sum(causes.values())
    assert lines["violations"].terms == tuple(causes.values())
    assert lines["sla_violation_share"].value * outcome.requests == pytest.approx(
        sum(causes.values()), rel=RELATIVE
    )
    unserved = outcome.rejected + outcome.timed_out + outcome.lost
    assert lines["served too late"].value == sum(causes.values()) - unserved >= 0


def test_seconds_of_a_fleet_are_those_of_its_records():
    """Booting, serving, idle and draining beside the table of replicas, which nobody explains."""
    found = done("target_tracking")
    lines = {line.figure: line.value for line in explain_figure(found, "usd_total").lines}
    table = found.replicas()
    stop = table["stop_s"]
    life_s = (stop - table["requested_s"]).sum()  # billed from the request on SageMaker
    phases = ("booting", "serving", "idle", "draining")
    assert sum(lines[f"seconds.{phase}"] for phase in phases) == pytest.approx(life_s, rel=RELATIVE)
    assert lines["billed_s"] == pytest.approx(life_s + lines["seconds.rounding"], rel=RELATIVE)
    ready = table["ready_s"].fillna(stop)
    booting = (np.minimum(ready, stop) - table["requested_s"]).sum()
    assert lines["seconds.booting"] == pytest.approx(booting, rel=RELATIVE)


def test_a_target_is_derived_as_the_documents_say():
    # 70 % of eight requests at once, sixty seconds of 1.5 s each: 0.7 x 8 x 60 / 1.5 = 224.
    lines = {line.figure: line for line in explain_figure(done("target_tracking"), "target").lines}
    assert lines["target"].value == pytest.approx(224.0, rel=RELATIVE)
    assert lines["target"].terms == (pytest.approx(336.0), 1.5)
    assert lines["slots"].value == 8
    given = explain_figure(done("warm pool"), "target").lines
    assert [(line.value, line.expression) for line in given] == [(100.0, "policy.target")]
    assert given[0].source.startswith("yours")
    none = explain_figure(done("hpa"), "target")
    assert none.value is None
    assert none.lines[-1].value is None


def test_a_start_says_what_overlaps():
    lines = {line.figure: line for line in
             explain_figure(done("target_tracking"), "decision_to_ready_s.p50").lines}  # fmt: skip
    pull = lines["decision_to_ready_s.phases.image_pull.p50"]
    assert "beside artifact_fetch for " in pull.expression
    assert ", alone" in lines["decision_to_ready_s.phases.boot.p50"].expression
    phases = done("target_tracking").outcome.decision_to_ready_s["phases"]
    assert pull.value == phases["image_pull"]["p50"]
    # Pull and fetch begin together: the shorter one, the fetch, is what overlaps.
    fetch = lines["decision_to_ready_s.phases.artifact_fetch.p50"].value
    assert lines["overlap"].value == pytest.approx(fetch, rel=0.05)
    assert lines["cold_start.boot_s"].source


def test_a_percentile_says_its_error():
    lines = {line.figure: line for line in
             explain_figure(done("target_tracking"), "p99").lines}  # fmt: skip
    value = lines["latency_s.p99"].value
    assert lines["latency_s.relative_error"].value == 0.0025
    assert lines["latency_s.p99, at least"].value == pytest.approx(0.9975 * value, rel=RELATIVE)
    assert lines["latency_s.p99, at most"].value == pytest.approx(1.0025 * value, rel=RELATIVE)
    assert "histogram" in lines["latency_s.p99"].source


def test_a_short_name_of_a_month_shows_its_hours():
    explained = explain_figure(done("target_tracking"), "usd_per_month")
    assert explained.lines[-1].terms == (done("target_tracking").outcome.usd_per_hour, 730.0)
    assert explained.value == done("target_tracking").outcome.usd_per_hour * 730.0


@pytest.mark.parametrize(
    ("figure", "said"),
    [
        ("usd_totl", 'did you mean "usd_total"'),
        ("latency_s.p9", 'did you mean "latency_s.p99"'),
        ("meets_sla", "there is no figure"),
        ("cost_lines", "there is no figure"),
        ("", "one such as usd_total"),
        ("environments.cold", "this result has no figure"),
    ],
)
def test_an_unknown_figure_names_the_nearest(figure, said):
    with pytest.raises(FigureError, match=said) as caught:
        explain_figure(done("target_tracking"), figure)
    assert caught.value.exit_code == 2
    if figure not in FIGURES:
        with pytest.raises(FigureError, match=said):
            check_figure(figure)


def test_what_check_figure_lets_pass_is_there():
    for name in EVERY:
        for figure in figures_of(done(name)):
            check_figure(figure)


def test_one_request_is_explained_too():
    trace = Trace(np.array([0.0]), {"service_s": np.array([0.1])})
    found = replay(
        with_values(default(), {"sweep": {}, "service": {"kind": "trace"}, "model.size": "1GB"}),
        trace=trace,
    )
    for figure in figures_of(found):
        lines = explain_figure(found, figure).lines
        assert lines[-1].figure == figure


components = st.sampled_from(
    [
        "booting", "serving", "idle", "draining", "rounding", "reclaimed in the first hour",
        "g5.xlarge (spot): idle", "warm pool: first starts", "warm pool: running",
        "warm pool: stopped, storage", "requests", "duration", "init", "provisioned",
        "provisioned_duration", "ephemeral_storage", "snapshot_cache", "snapshot_restore",
    ]
)  # fmt: skip
lines_of_a_bill = st.builds(
    lambda component, usd: CostLine(component, 1.0, "", usd, usd, "", None),
    components,
    st.floats(-1e6, 1e6),
)


@given(st.lists(lines_of_a_bill, max_size=20))
@settings(max_examples=200)
def test_phases_of_any_bill_are_the_bill(bill):
    phases = usd_by_phase(bill)
    largest = max((abs(line.amount_usd) for line in bill), default=0.0)
    assert math.fsum(phases.values()) == pytest.approx(
        math.fsum(line.amount_usd for line in bill), rel=RELATIVE, abs=RELATIVE * largest
    )
    assert tuple(phases) == PHASES


@given(
    st.sampled_from(["target_tracking", "hpa", "keda", "serverless", "lambda"]),
    st.lists(st.floats(0.0, 900.0), min_size=1, max_size=40),
    st.floats(0.05, 20.0),
    st.integers(1, 4),
)
@settings(max_examples=40, deadline=None)
def test_attribution_adds_up_whatever_the_traffic(key, arrivals, seconds, most):
    """Every dollar one phase, every violation one cause, every request one fate."""
    arrival = np.sort(np.array(arrivals))
    trace = Trace(arrival - arrival[0], {"service_s": np.full(len(arrival), seconds)})
    values = {"sweep": {}, "service": {"kind": "trace"}, "model.size": "1GB", "fleet.max": most}
    preset = next(one for one in PRESETS if one.key == key)
    outcome = replay(with_preset(with_values(default(), values), preset), trace=trace).outcome
    assert math.fsum(outcome.usd_by_phase.values()) == pytest.approx(
        outcome.usd_total, rel=RELATIVE
    )
    assert all(usd >= 0.0 for phase, usd in outcome.usd_by_phase.items() if phase != "given_back")
    violations = sum(outcome.violations_by_cause.values())
    assert violations == pytest.approx(outcome.sla_violation_share * len(arrivals), rel=RELATIVE)
    unserved = outcome.rejected + outcome.timed_out + outcome.lost
    assert unserved <= violations <= len(arrivals) == outcome.served + unserved


@given(st.floats(-1e12, 1e12))
def test_a_number_is_shown_to_six_digits(value):
    assert float(number(value).replace(",", "")) == pytest.approx(value, rel=1e-5, abs=1e-300)
