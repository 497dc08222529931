"""Environments per request against closed forms, and beside what was measured."""

import math
from pathlib import Path

import numpy as np
import pytest

from modeler import referee
from modeler.referee.analytic import run_case
from modeler.referee.cases import Case, read_cases
from modeler.referee.measured import SHIPPED, compare_measured
from modeler.referee.problems import CasesError

S0 = {"arrival_rate": 0.01, "keep_alive": 150.0}
P = math.exp(-1.5)
LOSS = {
    "arrival_rate": 0.05, "keep_alive": 20.0, "mean_warm_service": 5.0, "mean_cold_service": 65.0,
    "max_instances": 1,
}  # fmt: skip
COLD = math.exp(-1.0)
MEAN = COLD * 65.0 + (1.0 - COLD) * 5.0
SPR = {"arrival_rate": 2.0, "service_rate": 0.5, "mean_keep_alive": 4.0}


def idle_of_chain(rate, mu, gamma, most=60):
    """Mean idle environments of the Markov chain on (busy, idle), by power iteration of a step."""
    busy, idle = np.meshgrid(np.arange(most), np.arange(most), indexing="ij")
    p = np.zeros((most, most))
    p[0, 0] = 1.0
    step = 1.0 / (rate + (mu + gamma) * most)
    for _ in range(60_000):
        serve, gone = p * busy * mu * step, p * idle * gamma * step
        come = p * rate * step
        come[-1, :] = 0.0
        serve[:, -1] = 0.0
        new = p - serve - gone - come
        new[:-1, 1:] += serve[1:, :-1]
        new[:, :-1] += gone[:, 1:]
        new[1:, :-1] += come[:-1, 1:]
        new[1:, 0] += come[:-1, 0]
        p = new
    return float((p * idle).sum())


@pytest.mark.parametrize(
    ("model", "params", "quantity", "value"),
    [
        ("keep-alive, S=0", S0, "cold_start_probability", P),
        ("keep-alive, S=0", S0, "cold_rate", 0.01 * P),
        ("keep-alive, S=0", S0, "warm_idle_fraction", 1.0 - P),
        ("keep-alive, S=0", S0, "mean_instance_life", (math.exp(1.5) - 1.0) / 0.01),
        ("keep-alive, S=0", S0, "p_off", P),
        ("keep-alive loss, one slot", LOSS, "cold_start_probability", COLD),
        ("keep-alive loss, one slot", LOSS, "reject_probability", MEAN / (MEAN + 20.0)),
        ("keep-alive loss, one slot", LOSS, "mean_busy", MEAN / (MEAN + 20.0)),
        ("keep-alive loss, one slot", LOSS, "mean_idle", 20.0 * (1 - COLD) / (MEAN + 20.0)),
        ("keep-alive loss, one slot", LOSS, "cold_rate", COLD / (MEAN + 20.0)),
        ("scale-per-request, exponential keep-alive", SPR, "mean_busy", 4.0),
        (
            "infinite-server with private setup",
            {"arrival_rate": 2.0, "service_rate": 0.5, "mean_setup": 3.0},
            "mean_in_setup",
            6.0,
        ),
    ],
)
def test_closed_forms(model, params, quantity, value):
    result = run_case(Case("x", model, params, quantity, value), quick=True)
    assert result.status == "passed", result.why
    wrong = run_case(Case("x", model, params, quantity, 1.5 * value), quick=True)
    assert wrong.status == "failed"


def test_exponential_keep_alive_is_the_markov_chain():
    idle = idle_of_chain(2.0, 0.5, 0.25, most=40)
    model = "scale-per-request, exponential keep-alive"
    assert run_case(Case("a", model, SPR, "mean_idle", idle), quick=True).status == "passed"
    # Balance: as many start as end.
    cold = run_case(Case("b", model, SPR, "cold_start_probability", 0.25 * idle / 2.0), quick=True)
    assert cold.status == "passed"


def test_measured_runs_are_shipped_and_compared():
    file = read_cases(SHIPPED)
    assert file.schema == "lambda-experiment/1"
    assert len(file.cases) == 20
    result = compare_measured(file.cases[0], quick=True)
    assert result.status == "compared"
    assert result.to_dict()["pass"] is None
    assert result.expected == pytest.approx(0.343, abs=1e-3)
    # exp(-lambda T) = 0.327 and a little for requests that overlap.
    assert result.got == pytest.approx(0.33, abs=0.02)
    assert "standard error 0.032" in result.why
    assert SHIPPED.parent == Path(referee.__file__).parent


def test_another_csv_is_refused_with_what_is_expected(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CasesError, match="ArrivalRate"):
        read_cases(path)
    path.write_text(SHIPPED.read_text().replace("2563.417463075547", "soon"))
    with pytest.raises(CasesError, match="ServiceTimeCold"):
        read_cases(path)
