"""The engine against closed forms written here, and not taken from the product.

Quick runs: the expected value must lie within the replay's 99.9 % confidence interval, whose
half-width is at most five times the full tiers. The draws are fixed by the cases' ids, so a pass
stays a pass.
"""

import math
from itertools import pairwise

import pytest

from modeler.referee import Case, run_case
from modeler.referee.station import Station


def erlang_b(servers, load):
    blocking = 1.0
    for k in range(1, servers + 1):
        blocking = load * blocking / (k + load * blocking)
    return blocking


def erlang_c(servers, load):
    blocking, rho = erlang_b(servers, load), load / servers
    return blocking / (1.0 - rho + rho * blocking)


def birth_death(arrival_rate, service_rate, servers, capacity):
    weights = [1.0]
    for n in range(1, capacity + 1):
        weights.append(weights[-1] * arrival_rate / (min(n, servers) * service_rate))
    return [weight / sum(weights) for weight in weights]


def pollaczek_khinchine(arrival_rate, mean, cv2):
    rho = arrival_rate * mean
    return rho * mean * (1.0 + cv2) / (2.0 * (1.0 - rho))


def erlang_1909(rho, t):
    """P(W <= t) in M/D/1, t in services; the alternating sum, good for small t."""
    terms = (
        (rho * (k - t)) ** k / math.factorial(k) * math.exp(-rho * (k - t))
        for k in range(math.floor(t) + 1)
    )
    return (1.0 - rho) * sum(terms)


MMC = {"c": 5, "arrival_rate": 2.0, "service_rate": 0.5}
C5 = erlang_c(5, 4.0)
WAIT = C5 / (5 * 0.5 - 2.0)
P6 = birth_death(1.2, 1.0, 1, 6)
P8 = birth_death(3.0, 1.0, 2, 8)
ACCEPTED = 3.0 * (1.0 - P8[8])
WAITING8 = sum((n - 2) * p for n, p in enumerate(P8) if n > 2)

CASES = [
    ("M/M/c", MMC, "p_wait", C5),
    ("M/M/c", MMC, "mean_wait", WAIT),
    ("M/M/c", MMC, "mean_response_time", WAIT + 2.0),
    ("M/M/c", MMC, "mean_queue_length", 2.0 * WAIT),
    ("M/M/c", MMC, "mean_in_system", 2.0 * WAIT + 4.0),
    ("M/M/c", MMC, "mean_wait_of_waiting", 1.0 / (5 * 0.5 - 2.0)),
    ("M/M/c", MMC, "utilisation", 0.8),
    ("M/M/c", MMC, "p90_wait", math.log(C5 / 0.1) / 0.5),
    ("M/M/c", MMC, "p99_wait", math.log(C5 / 0.01) / 0.5),
    ("M/M/c", MMC | {"t": 3.0}, "p_wait_exceeds_t", C5 * math.exp(-0.5 * 3.0)),
    ("M/M/c", {"servers": 2, "rho": 0.1, "mu": 1.0}, "p50_wait", 0.0),
    ("M/M/1", {"lambda": 0.5, "mu": 1.0}, "p95_response_time", math.log(20.0) / 0.5),
    ("M/M/c/c", {"c": 6, "offered_load": 5.0}, "blocking_probability", erlang_b(6, 5.0)),
    ("M/M/c/c", {"c": 6, "offered_load": 5.0}, "carried_load", 5.0 * (1.0 - erlang_b(6, 5.0))),
    ("M/M/1/K", {"arrival_rate": 1.2, "service_rate": 1.0, "K": 6}, "loss_probability", P6[6]),
    ("M/M/1/K", {"arrival_rate": 1.2, "service_rate": 1.0, "K": 6}, "throughput", 1.0 - P6[0]),
    ("M/M/1/K", {"arrival_rate": 1.2, "service_rate": 1.0, "K": 6}, "p_empty", P6[0]),
    (
        "M/M/1/K",
        {"arrival_rate": 1.2, "service_rate": 1.0, "K": 6, "n": 3},
        "p_n_in_system",
        P6[3],
    ),
    (
        "M/M/c/K",
        {"arrival_rate": 3.0, "service_rate": 1.0, "c": 2, "K": 8},
        "mean_wait_accepted",
        WAITING8 / ACCEPTED,
    ),
    (
        "M/M/c/K",
        {"arrival_rate": 3.0, "service_rate": 1.0, "c": 2, "K": 8},
        "mean_in_system",
        sum(n * p for n, p in enumerate(P8)),
    ),
    (
        "M/G/1",
        {"arrival_rate": 0.6, "mean_service": 1.0, "cv2_service": 4.0, "distribution": "h2"},
        "mean_wait",
        pollaczek_khinchine(0.6, 1.0, 4.0),
    ),
    (
        "M/G/1",
        {"arrival_rate": 1.2, "mean_service": 0.5, "cv2_service": 0.4, "distribution": "gamma"},
        "mean_response_time",
        pollaczek_khinchine(1.2, 0.5, 0.4) + 0.5,
    ),
    (
        "M/G/1",
        {"arrival_rate": 0.6, "mean_service": 1.0, "distribution": "uniform(0.5,1.5)"},
        "mean_queue_length",
        0.6 * pollaczek_khinchine(0.6, 1.0, 1.0 / 12.0),
    ),
    ("M/D/1", {"rho": 0.7, "service": 1.0, "t": 2.5}, "p_wait_le_t", erlang_1909(0.7, 2.5)),
    # A response is a service and a wait: at t = 1 exactly those that did not wait.
    ("M/D/1", {"rho": 0.7, "service": 1.0, "t": 1.0}, "p_response_exceeds_t", 0.7),
    ("M/G/inf", {"arrival_rate": 4.0, "mean_service": 2.0}, "mean_busy_instances", 8.0),
]


@pytest.mark.parametrize(
    ("model", "params", "quantity", "value"),
    CASES,
    ids=[f"{model}-{quantity}" for model, _, quantity, _ in CASES],
)
def test_closed_form(model, params, quantity, value):
    result = run_case(Case(f"{model} {quantity}", model, params, quantity, value), quick=True)
    assert result.status == "passed", result
    assert result.replications >= 30
    assert result.ci_low - 1e-12 <= value <= result.ci_high + 1e-12
    assert result.half_width_pct <= 25.0 or value == 0.0


def test_law_with_the_same_two_moments_is_named():
    params = {"arrival_rate": 0.5, "mean_service": 1.0, "cv2_service": 0.4, "distribution": "gamma"}
    value = pollaczek_khinchine(0.5, 1.0, 0.4)
    result = run_case(Case("gamma", "M/G/1", params, "mean_wait", value), quick=True)
    assert result.status == "passed"
    assert "'gamma': replayed as erlang of the same mean and cv2" in result.why


def test_other_quantiles_follow_each_other():
    """p50 <= p90 <= p99 of one queue, each from its own replications."""
    got = [
        run_case(
            Case(f"order {q}", "M/M/c", MMC, f"{q}_wait", math.log(C5 / (1.0 - p)) / 0.5),
            quick=True,
        ).got
        for q, p in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
    ]
    assert all(a < b for a, b in pairwise(got))


@pytest.mark.parametrize("factor", [0.95, 1.05])
@pytest.mark.parametrize(
    ("model", "params", "quantity", "value"),
    [
        ("M/M/1", {"lambda": 0.5, "mu": 1.0}, "mean_wait", 1.0),
        ("M/M/c/c", {"c": 6, "offered_load": 5.0}, "blocking_probability", erlang_b(6, 5.0)),
        ("M/M/1/K", {"lambda": 1.2, "mu": 1.0, "K": 6}, "mean_in_system", 3.7086447),
    ],
)
def test_engine_that_serves_wrongly_is_caught(monkeypatch, model, params, quantity, value, factor):
    """An engine whose every service lasts 5 % longer or shorter than it was told must fail."""
    from modeler.referee import station as room

    honest = room.simulate

    def wrong(policy, work, limits, **rest):
        scaled = (w._replace(service_s=w.service_s * factor) for w in work)
        return honest(policy, scaled, limits, **rest)

    case = Case("mutation", model, params, quantity, value)
    if quantity == "mean_in_system":
        case = Case("mutation", model, params, quantity, sum(n * p for n, p in enumerate(P6)))
    assert run_case(case).status == "passed"
    monkeypatch.setattr(room, "simulate", wrong)
    result = run_case(case)
    assert result.status == "failed"
    assert "outside" in result.why


@pytest.mark.parametrize("factor", [0.95, 1.05])
def test_result_that_is_off_by_a_twentieth_is_caught(monkeypatch, factor):
    honest = Station.replay

    def shifted(self, *args, **rest):
        result, controls = honest(self, *args, **rest)
        before, after = result.totals
        wrong = after._replace(queued_request_s=after.queued_request_s * factor)
        object.__setattr__(result, "totals", (before, wrong))
        return result, controls

    monkeypatch.setattr(Station, "replay", shifted)
    case = Case("shift", "M/M/c", MMC, "mean_queue_length", 2.0 * WAIT)
    assert run_case(case).status == "failed"


@pytest.mark.parametrize(
    ("model", "params", "quantity", "said"),
    [
        ("M/M/c", {"c": 2, "arrival_rate": 3.0, "service_rate": 1.0}, "mean_wait", "no steady"),
        ("M/M/c", {"c": 2.5, "arrival_rate": 1.0, "service_rate": 1.0}, "mean_wait", "found 2.5"),
        ("M/M/c", {"c": 2, "arival_rate": 1.0, "mu": 1.0}, "mean_wait", "'arival_rate'"),
        ("M/M/c", MMC, "p_wait_exceeds_t", "t is missing"),
        ("M/M/c/K", MMC | {"K": 3}, "mean_wait", "at least the 5 servers"),
        ("M/G/1", {"arrival_rate": 0.5, "mean_service": 1.0}, "mean_wait", "cv2_service"),
    ],
)
def test_what_cannot_be_replayed_fails_and_says_why(model, params, quantity, said):
    result = run_case(Case("x", model, params, quantity, 1.0))
    assert result.status == "failed"
    assert said in result.why


@pytest.mark.parametrize(
    ("model", "quantity", "said"),
    [
        ("M/M/q", "mean_wait", "nearest 'M/M/c'"),
        ("M/M/c", "mean_waits", "nearest 'mean_wait'"),
        ("M/M/1/setup", "mean_onn", "nearest"),
    ],
)
def test_what_is_not_known_is_skipped_and_named(model, quantity, said):
    params = MMC | {"mean_setup": 1.0} if "setup" in model else MMC
    result = run_case(Case("x", model, params | {"c": 1, "arrival_rate": 0.3}, quantity, 1.0))
    assert result.status == "skipped"
    assert said in result.why
    assert result.to_dict()["pass"] is None


def test_parameter_that_is_not_used_never_passes():
    result = run_case(Case("x", "M/M/c", MMC | {"colour": 3}, "p_wait", C5), quick=True)
    assert result.status == "skipped"
    assert "not used: params.colour" in result.why
    wrong = run_case(Case("x", "M/M/c", MMC | {"colour": 3}, "p_wait", 2.0 * C5), quick=True)
    assert wrong.status == "failed"
