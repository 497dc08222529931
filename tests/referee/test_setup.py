"""Queues with set-up against Markov chains and closed forms written here, apart from the engine.

Quick runs, as in `test_queues`: the expected value lies in the replay's own 99.9 % interval.
"""

import math

import numpy as np
import pytest
from scipy.sparse import lil_matrix
from scipy.sparse.linalg import spsolve

from modeler.referee import Case, run_case
from modeler.referee.kendall import station
from modeler.referee.laws import Deterministic, Exponential
from modeler.referee.parameters import CaseError, Parameters
from modeler.referee.setup import setup_station


def chain(c, arrival_rate, service_rate, setup_s, jobs):
    """Stationary law of (servers on, jobs) of M/M/c/setup, cut off at so many jobs."""
    states = {}
    for n in range(jobs + 1):
        for on in range(min(c, n) + 1):
            states[on, n] = len(states)
    size = len(states)
    flow = lil_matrix((size, size))

    def move(origin, target, rate):
        flow[states[target], states[origin]] += rate
        flow[states[origin], states[origin]] -= rate

    for on, n in states:
        if n < jobs:
            move((on, n), (on, n + 1), arrival_rate)
        if on > 0:
            # With as many servers on as jobs, the one that has finished is off at once.
            move((on, n), (on if n > on else on - 1, n - 1), on * service_rate)
        starting = min(n - on, c - on)
        if starting > 0:
            move((on, n), (on + 1, n), starting / setup_s)
    # One balance equation follows from the others; in its place the empty system weighs 1.
    flow[0, :] = 0.0
    flow[0, 0] = 1.0
    weights = spsolve(flow.tocsc(), np.eye(1, size)[0])
    law = weights / weights.sum()
    return [(on, n, p) for (on, n), p in zip(states, law, strict=True)]


def mmc_setup(c, arrival_rate, service_rate, setup_s, jobs):
    law = chain(c, arrival_rate, service_rate, setup_s, jobs)
    assert sum(p for _, n, p in law if n == jobs) < 1e-6
    in_system = sum(n * p for _, n, p in law)
    in_setup = sum(min(n - on, c - on) * p for on, n, p in law)
    on_mean = sum(on * p for on, _, p in law)
    return {
        "mean_in_system": in_system,
        "mean_response_time": in_system / arrival_rate,
        "mean_wait": in_system / arrival_rate - 1.0 / service_rate,
        "mean_on": on_mean,
        "mean_in_setup": in_setup,
        "mean_off": c - on_mean - in_setup,
        "fraction_powered": (on_mean + in_setup) / c,
        "p_empty": sum(p for _, n, p in law if n == 0),
    }


CHAINS = [
    ((3, 1.5, 1.0, 2.0, 120), "mean_response_time"),
    ((3, 1.5, 1.0, 2.0, 120), "mean_in_setup"),
    ((3, 1.5, 1.0, 2.0, 120), "mean_off"),
    ((3, 1.5, 1.0, 2.0, 120), "p_empty"),
    ((5, 1.0, 0.4, 20.0, 250), "mean_in_system"),
    ((5, 1.0, 0.4, 20.0, 250), "mean_on"),
    ((5, 1.0, 0.4, 20.0, 250), "mean_in_setup"),
    ((2, 1.7, 1.0, 5.0, 300), "mean_wait"),
    ((20, 14.0, 1.0, 5.0, 120), "mean_in_setup"),
    ((20, 14.0, 1.0, 5.0, 120), "fraction_powered"),
    ((1, 0.6, 1.0, 3.0, 200), "mean_response_time"),
]


def test_chain_is_the_published_one():
    # Gandhi, Harchol-Balter & Adan 2010: c = 2, lambda = 1.5, mu = 1, mean set-up 20.
    assert mmc_setup(2, 1.5, 1.0, 20.0, 500)["mean_response_time"] == pytest.approx(
        14.677, abs=1e-3
    )
    # One server: 1 / (mu - lambda) + E[I].
    assert mmc_setup(1, 0.5, 1.0, 4.0, 300)["mean_response_time"] == pytest.approx(6.0, abs=1e-6)


@pytest.mark.parametrize(("queue", "quantity"), CHAINS)
def test_servers_with_setup(queue, quantity):
    c, arrival_rate, service_rate, setup_s, _ = queue
    params = {"c": c, "arrival_rate": arrival_rate, "service_rate": service_rate}
    params["mean_setup"] = setup_s
    value = mmc_setup(*queue)[quantity]
    result = run_case(Case(f"{queue}", "M/M/c/setup", params, quantity, value), quick=True)
    assert result.status == "passed", result


def kept(arrival_rate, mean, cv2, setup_s, keep_alive_s, setup_cv2=0.0):
    """M/G/1 whose server stays on idle for a while, then needs a set-up: after Welch 1964."""
    rho = arrival_rate * mean
    q = math.exp(-arrival_rate * keep_alive_s)
    second = setup_s**2 * (1.0 + setup_cv2)
    wait = arrival_rate * mean**2 * (1.0 + cv2) / (2.0 * (1.0 - rho))
    wait += q * (2.0 * setup_s + arrival_rate * second) / (2.0 * (1.0 + arrival_rate * q * setup_s))
    cycle = (1.0 / arrival_rate + q * setup_s) / (1.0 - rho)
    off = q / arrival_rate / cycle
    idle = (1.0 - q) / arrival_rate / cycle
    return {
        "mean_wait": wait,
        "mean_response_time": wait + mean,
        "mean_queue_length": arrival_rate * wait,
        "mean_in_system": arrival_rate * (wait + mean),
        "setups_per_unit_time": q / cycle,
        "cold_start_probability": q / cycle / arrival_rate,
        "fraction_off": off,
        "fraction_powered": 1.0 - off,
        "fraction_idle": idle,
        "fraction_in_setup": q * setup_s / cycle,
        "mean_on": rho + idle,
        "utilisation": rho,
        "mean_cycle": cycle,
    }


KEPT = {"arrival_rate": 0.2, "mean_service": 2.0, "cv2_service": 0.5, "setup": 30.0}
KEPT_LAW = (0.2, 2.0, 0.5, 30.0)
KEPT_MODEL = "M/G/1 with keep-alive and setup"
OFF_MODEL = "M/G/1 with deterministic setup, off when idle"
ONE_SERVER = [
    *[
        (KEPT_MODEL, KEPT | {"keep_alive": 6.0}, quantity, kept(*KEPT_LAW, 6.0)[quantity])
        for quantity in kept(*KEPT_LAW, 6.0)
    ],
    (KEPT_MODEL, KEPT | {"keep_alive": 0.0}, "mean_wait", kept(*KEPT_LAW, 0.0)["mean_wait"]),
    # Kept much longer than gaps last: a plain M/G/1.
    (KEPT_MODEL, KEPT | {"keep_alive": 1e4}, "mean_wait", kept(*KEPT_LAW, 1e4)["mean_wait"]),
    (OFF_MODEL, KEPT, "mean_wait", kept(*KEPT_LAW, 0.0)["mean_wait"]),
    (OFF_MODEL, KEPT, "fraction_off", kept(*KEPT_LAW, 0.0)["fraction_off"]),
    (
        OFF_MODEL,
        KEPT | {"arrival_rate": 0.45},
        "mean_response_time",
        kept(0.45, 2.0, 0.5, 30.0, 0.0)["mean_response_time"],
    ),
    (
        "M/M/1/setup",
        {"arrival_rate": 0.8, "service_rate": 1.0, "setup_rate": 0.1},
        "mean_response_time",
        15.0,
    ),
    (
        "M/M/1/setup",
        {"arrival_rate": 0.8, "service_rate": 1.0, "mean_setup": 10.0},
        "fraction_in_setup",
        0.2 * 10.0 / (1.25 + 10.0),
    ),
    (
        "M/D/1 with setup",
        {"arrival_rate": 0.5, "mean_service": 1.0, "mean_setup": 4.0},
        "mean_wait",
        kept(0.5, 1.0, 0.0, 4.0, 0.0, setup_cv2=1.0)["mean_wait"],
    ),
]


@pytest.mark.parametrize(
    ("model", "params", "quantity", "value"),
    ONE_SERVER,
    ids=[f"{i}-{model}-{quantity}" for i, (model, _, quantity, _) in enumerate(ONE_SERVER)],
)
def test_one_server(model, params, quantity, value):
    case = Case(f"{model} {quantity} {params}", model, params, quantity, value)
    result = run_case(case, quick=True)
    assert result.status == "passed", result
    assert result.half_width_pct <= 25.0


def test_busy_is_told_from_in_system():
    # M/M/1/setup: an arrival finds the server busy with probability rho, by PASTA.
    params = {"arrival_rate": 0.4, "service_rate": 1.0, "mean_setup": 5.0, "n": 0}
    result = run_case(Case("busy", "M/M/1/setup", params, "p_busy_exceeds_n", 0.4), quick=True)
    assert result.status == "passed", result


@pytest.mark.parametrize(
    ("model", "params", "law"),
    [
        ("M/M/1/setup", {"setup": 3.0}, Exponential(3.0)),
        ("M/M/1/setup", {"mean_setup": 3.0}, Exponential(3.0)),
        ("M/M/1/setup", {"alpha": 0.5}, Exponential(2.0)),
        ("M/M/1/setup", {"mean_setup": 3.0, "cv2_setup": 0.0}, Deterministic(3.0)),
        ("M/M/1 with deterministic setup", {"mean_setup": 3.0}, Deterministic(3.0)),
        ("M/M/1 with setup", {"setup": 3.0}, Deterministic(3.0)),
        ("M/M/1 with exponential setup", {"setup": 3.0}, Exponential(3.0)),
        ("M/M/1 with setup", {"mean_setup": 3.0}, Exponential(3.0)),
    ],
)
def test_law_of_the_setup(model, params, law):
    params = {"arrival_rate": 0.5, "service_rate": 1.0} | params
    assert setup_station(model, Parameters(params)).setup == law


@pytest.mark.parametrize(
    ("model", "changed", "said"),
    [
        ("M/M/1/setup", {}, "setup or mean_setup is missing"),
        ("M/M/1/setup", {"setup": 0.0}, "expected a number above 0"),
        ("M/M/1/setup", {"setup": 1.0, "arrival_rate": 1.5}, "no steady state"),
        ("M/M/1 with keep-alive and setup", {"setup": 1.0}, "keep_alive is missing"),
        ("M/M/1 with keep-alive and setup", {"setup": 1.0, "keep_alive": -1.0}, "0 or more"),
    ],
)
def test_what_cannot_be_replayed(model, changed, said):
    params = {"arrival_rate": 0.5, "service_rate": 1.0} | changed
    with pytest.raises(CaseError, match=said):
        setup_station(model, Parameters(params))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"rho": 0.5}, ""),
        ({"rho": 0.6}, "params.rho: found 0.6, but the others make it 0.5"),
        ({"offered_load": 1.0}, ""),
        ({"cv2": 1.0, "distribution": "exponential"}, ""),
        ({"distribution": "deterministic"}, "a cv2 of 1"),
        ({"mean_service": 1.5}, "params.service_rate: found 1, but the others make it 0.666667"),
    ],
)
def test_what_is_stated_twice_must_agree(more, said):
    params = Parameters({"c": 2, "arrival_rate": 1.0, "service_rate": 1.0} | more)
    if said:
        with pytest.raises(CaseError, match=said):
            station("M/M/c", params)
    else:
        station("M/M/c", params)
        assert params.unused() == []
