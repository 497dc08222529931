"""Laws that hold of every run, whatever the traffic, the policy and the bill."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenes import assert_same_bits, cases
from scipy import stats

from modeler.autoscale import fixed, target_tracking
from modeler.measure import judge
from modeler.measure.cost import billed_from
from modeler.replay import Limits, Work, run, simulate
from modeler.replay import layout as m
from modeler.scenario import default, with_values
from traces import Trace
from traces.draws import exponential

LAWS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
ROUNDING = 1e-9


@LAWS
@given(st.one_of(cases(grid=True), cases(grid=False)))
def test_one_outcome_each_in_the_order_of_time(case):
    result = case.simulate()
    outcome, cause = result.record[:, 0], result.record[:, 1]
    assert set(outcome) <= set(m.OUTCOMES)
    total = result.served + result.rejected + result.timed_out + result.lost
    assert total == result.requests == len(case.arrival)
    start, end = result.record_s.T
    assert (end >= case.arrival).all()
    served = outcome == m.SERVED
    assert (case.arrival[served] <= start[served]).all()
    assert (start[served] <= end[served]).all()
    # One cause for each violation, none for the others.
    late = start + case.judged - case.arrival > case.limits.threshold_s
    assert ((cause != m.KEPT) == (~served | late)).all()
    assert sum(result.causes.values()) == (cause != m.KEPT).sum()
    assert (result.end_s >= end).all()


@LAWS
@given(st.one_of(cases(grid=True), cases(grid=False)))
def test_busy_slots_fit_into_ready_and_draining_replicas(case):
    result = case.simulate()
    requested, _, ready, drain, stop = result.replicas.T
    up = np.where(ready < math.inf, stop - np.minimum(ready, stop), 0.0)
    assert result.busy_slot_s <= result.slots * up.sum() * (1 + ROUNDING) + ROUNDING
    assert (requested <= stop).all()
    assert (np.minimum(drain, stop) <= stop).all()
    # Each service lies inside the time its replica was up.
    on = result.record[:, 2] >= 0
    replica = result.record[on, 2]
    start = result.record_s[on, 0]
    assert (start >= ready[replica]).all()
    assert (start <= np.minimum(drain, stop)[replica]).all()
    assert (start + case.service[on] <= stop[replica]).all()


@LAWS
@given(st.one_of(cases(grid=True), cases(grid=False)))
def test_nobody_waits_where_every_request_has_a_slot(case):
    case.policy = fixed.build(len(case.arrival))
    result = case.simulate()
    assert result.waited == result.rejected == 0
    assert result.wait_sum_started_s == 0.0
    np.testing.assert_array_equal(result.record_s[:, 0], case.arrival)


@LAWS
@given(cases(grid=False))
def test_the_same_run_twice_gives_the_same_bytes(case):
    assert_same_bits(case.simulate(), case.simulate())


def erlang_c_wait(arrival_rate: float, service_rate: float, servers: int) -> float:
    """Mean wait of M/M/c (Erlang 1917; any textbook): C(c, a) / (c mu - lambda). [s]"""
    a = arrival_rate / service_rate
    rho = a / servers
    last = a**servers / math.factorial(servers) / (1 - rho)
    waits = last / (sum(a**k / math.factorial(k) for k in range(servers)) + last)
    return waits / (servers * service_rate - arrival_rate)


@pytest.mark.parametrize(("servers", "rho"), [(1, 0.5), (3, 0.8), (10, 0.7)])
def test_a_fixed_fleet_matches_erlang_c(servers, rho):
    n, warm = 60_000, 10_000
    means = []
    for seed in range(30):
        arrival = np.cumsum(exponential(seed, "gap", 0, n)) / (rho * servers)
        service = exponential(seed, "service", 0, n)
        result = simulate(
            fixed.build(servers),
            [Work(0, arrival, service, service)],
            Limits(),
            draws=lambda first, count: (np.zeros(count), np.zeros(count)),
            horizon_s=0.0,
            records=n,
        )
        means.append((result.record_s[warm:, 0] - arrival[warm:]).mean())
    # 30 independent replications, 99.9 % interval of their mean by Student's t.
    half = stats.t.ppf(0.9995, 29) * np.std(means, ddof=1) / math.sqrt(30)
    expected = erlang_c_wait(rho * servers, 1.0, servers)
    assert half < 0.1 * expected
    assert np.mean(means) == pytest.approx(expected, abs=half)


# --- the bill ---


def traffic(seed: int, requests: int = 300, gap_s: float = 2.0) -> Trace:
    arrival = np.cumsum(exponential(seed, "gap", 0, requests)) * gap_s
    return Trace(arrival - arrival[0], t0_ns=seed * 7_000_000_000)


@st.composite
def scenarios(draw):
    kind = draw(st.sampled_from(["sagemaker_realtime", "ec2_asg", "eks_karpenter"]))
    instance = "ml.g5.2xlarge" if kind == "sagemaker_realtime" else "g5.2xlarge"
    values = {
        "hosting.kind": kind,
        "hosting.instance": instance,
        "hosting.usd_per_hour": 3.6,
        "hosting.billing_starts_at": draw(st.sampled_from(["launch", "in_service"])),
        "service.kind": "exponential",
        "service.mean_s": draw(st.sampled_from([0.5, 3.0, 20.0])),
        "fleet.max": draw(st.integers(1, 8)),
        "fleet.slots": draw(st.integers(1, 3)),
        "queue.limit": draw(st.sampled_from([None, 0, 3])),
        "seed": draw(st.integers(0, 1000)),
        "sla.threshold_s": draw(st.sampled_from([1.0, 30.0])),
    }
    if draw(st.booleans()):
        values |= {"policy.kind": "fixed", "policy.replicas": draw(st.integers(1, 5))}
    elif kind == "eks_karpenter":
        values |= {
            "policy.kind": "hpa",
            "policy.metric": "concurrency",
            "policy.target_utilisation": draw(st.sampled_from([0.2, 0.7])),
            "policy.downscale_stabilization_s": draw(st.sampled_from([0.0, 300.0])),
        }
    else:
        values |= {
            "policy.target_utilisation": draw(st.sampled_from([0.2, 0.7])),
            "policy.low_datapoints": draw(st.sampled_from([1, 15])),
            "policy.scale_in_cooldown_s": draw(st.sampled_from([0.0, 300.0])),
        }
    if draw(st.booleans()):
        values["cold_start.total_s"] = draw(st.sampled_from([0.0, 45.0, 300.0]))
    return with_values(with_values(default(), {"sweep": {}}), values)


@settings(LAWS, max_examples=60)
@given(scenarios(), st.integers(0, 50))
def test_the_bill_is_the_sum_of_its_lines_and_covers_the_work(scenario, seed):
    done = run(scenario, traffic(seed))
    outcome = judge(done)
    lines = {line.component: line for line in outcome.cost_lines}
    for line in lines.values():
        assert line.quantity >= 0.0
        assert line.amount_usd == pytest.approx(line.quantity * line.unit_price_usd, rel=1e-12)
    usd = 0.0
    for line in lines.values():  # in their order, as a reader would add them
        usd += line.amount_usd
    assert outcome.usd_total == usd
    assert outcome.usd_total >= outcome.bounds["work_bound"]["usd_total"]

    _, _, ready, drain, stop = done.result.replicas.T
    served = ready < math.inf
    # Each ready second lies in its instance's billed interval.
    start = billed_from(scenario, done.result.replicas)
    assert (start[served] <= ready[served]).all()
    assert (stop <= done.result.end_s).all()
    life = np.where(start < stop, stop - np.minimum(start, stop), 0.0)
    minimum = 0 if scenario.hosting.kind == "sagemaker_realtime" else 60
    billed = np.where(life > 0, np.maximum(np.ceil(life), minimum), 0.0)
    hours = math.fsum(line.quantity for line in lines.values())
    assert hours * 3600 == pytest.approx(billed.sum(), rel=1e-12, abs=1e-6)
    ready_s = (np.minimum(drain, stop) - np.minimum(ready, stop))[served].sum()
    shown = lines["serving"].quantity + lines["idle"].quantity
    assert shown * 3600 == pytest.approx(ready_s, rel=1e-9, abs=1e-6)


@settings(LAWS, max_examples=10)
@given(scenarios())
def test_the_same_seed_gives_the_same_bytes(scenario):
    texts = [
        json.dumps(judge(run(scenario, traffic(3))).to_dict(), allow_nan=False) for _ in range(2)
    ]
    assert texts[0] == texts[1]


# --- violations and lag ---


def step(low_s: float, gap_s: float, high_s: float) -> np.ndarray:
    """One request every 20 s, then one every `gap_s`. [s]"""
    low = np.arange(0.0, low_s, 20.0)
    return np.concatenate([low, low_s + np.arange(int(high_s / gap_s)) * gap_s])


@settings(LAWS, max_examples=60)
@given(
    low_s=st.sampled_from([0.0, 300.0, 330.5]),
    # Whole numbers of requests a minute, so that no minute differs from the next.
    per_minute=st.integers(30, 600),
    utilisation=st.floats(0.4, 0.95),
    service_s=st.sampled_from([0.1, 0.5, 2.0]),
    slots=st.sampled_from([1, 4]),
    maximum=st.integers(2, 40),
    refuse=st.booleans(),
    phase_s=st.floats(0.0, 60.0),
    over_s=st.sampled_from([0.01, 1.0, 20.0]),
    lags=st.lists(st.floats(0.0, 900.0), min_size=3, max_size=5),
)
def test_on_a_step_violations_never_fall_as_lag_rises(
    low_s, per_minute, utilisation, service_s, slots, maximum, refuse, phase_s, over_s, lags
):
    arrival = step(low_s, 60.0 / per_minute, 1800.0)
    service = np.full(len(arrival), service_s)
    policy = target_tracking.build(
        metric="invocations_per_instance",
        target=utilisation * slots * 60.0 / service_s,
        minimum=1,
        maximum=maximum,
        initial=1,
        period_s=60.0,
        publish_delay_s=60.0,
        disable_scale_in=True,
        refuse_while_updating=refuse,
    )
    seen = []
    for lag_s in sorted(lags):
        result = simulate(
            policy,
            [Work(0, arrival, service, service)],
            Limits(slots=slots, threshold_s=service_s + over_s),
            draws=lambda first, count, lag_s=lag_s: (np.zeros(count), np.full(count, lag_s)),
            horizon_s=arrival[-1],
            t0_ns=round(phase_s * 1e9),
        )
        seen.append(sum(result.causes.values()))
    assert seen == sorted(seen)


def test_on_a_step_violations_never_fall_as_lag_rises_in_a_scenario():
    # With the platform's own 60 s client time-out.
    trace = Trace(step(600.0, 0.125, 2400.0))
    scenario = with_values(
        with_values(default(), {"sweep": {}}),
        {
            "service.kind": "fixed",
            "service.mean_s": 0.2,
            "policy.disable_scale_in": True,
            "hosting.usd_per_hour": 1.0,
        },
    )
    lags = [0, 5, 30, 59, 60, 61, 90, 120, 121, 200, 300, 450, 600, 900]
    outcomes = [
        judge(run(with_values(scenario, {"cold_start.total_s": lag}), trace)) for lag in lags
    ]
    violations = [sum(o.violations_by_cause.values()) for o in outcomes]
    assert violations == sorted(violations)
    assert violations[-1] > violations[0] > 0
    assert [o.decision_to_ready_s["p50"] for o in outcomes] == lags
