"""Laws of traffic: closed forms of what they say, files, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from traces import TraceError, TrafficLaw, generate, law_text, load, read_law
from traces.fit import counts_of, dispersion
from traces.generate import gaps_of
from traces.law import Client, Crowds, Gaps, Outage, Quantiles, States, Tokens, Wander
from traces.rate import edges_of, excess, shape, shared_rate

DAY_S = 86_400.0
FLAT = {"days": 0.5, "mean_rps": 2.0}


@pytest.mark.parametrize(
    ("law", "cv"),
    [
        ("poisson", 1.0),
        ("hyperexponential", 1.0),
        ("hyperexponential", 3.0),
        ("gamma", 0.4),
        ("gamma", 2.5),
        ("weibull", 0.4),
        ("weibull", 2.5),
    ],
)
def test_gaps_have_the_mean_and_scatter_of_their_law(law: str, cv: float) -> None:
    gaps = gaps_of(Gaps(law=law, cv=cv), 1, 1_000_000)
    # Four standard errors of the mean; the scatter of a heavy tail is known to 2 %.
    assert gaps.mean() == pytest.approx(1.0, abs=4e-3 * cv)
    assert gaps.std() == pytest.approx(cv, rel=0.02)


@pytest.mark.parametrize("ratio", [0.01, 0.3, 3.0, 100.0])
def test_variance_of_a_wandering_mean_in_closed_form(ratio: float) -> None:
    # Of a small sigma the factor is 1 + an Ornstein-Uhlenbeck process, whose mean over T has the
    # variance 2 sigma^2 (tau/T) (1 - (tau/T) (1 - exp(-T/tau))): any text on it.
    sigma, tau = 1e-3, 50.0
    width = ratio * tau
    closed = 2 * sigma**2 / ratio * (1 - (1 - np.exp(-ratio)) / ratio)
    assert excess([Wander(sigma=sigma, tau_s=tau)], width) == pytest.approx(closed, rel=1e-5)


def test_variance_of_wandering_at_an_instant() -> None:
    parts = [Wander(sigma=0.5, tau_s=1e9), Wander(sigma=0.3, tau_s=1e9)]
    assert excess(parts, 1.0) == pytest.approx(np.expm1(0.5**2 + 0.3**2), rel=1e-6)


def test_counts_scatter_as_rate_and_gaps_say() -> None:
    # Poisson gaps at a wandering rate: I(T) = 1 + m K(T). Ten thousand minutes, 12 %.
    wander = Wander(sigma=0.3, tau_s=120.0)
    law = TrafficLaw(days=7, mean_rps=4, wander=(wander,), step_s=5)
    counts = counts_of(generate(law, 3), 60.0)
    assert dispersion(counts) == pytest.approx(1 + 240 * excess([wander], 60.0), rel=0.12)


def test_states_are_visited_as_long_as_they_say() -> None:
    # Two states: a share of the time by their mean stays, and of a telegraph signal the correlation
    # falls with the sum of both rates of leaving.
    states = States(factors=(0.0, 1.0), mean_stay_s=(300.0, 100.0))
    law = TrafficLaw(days=60, mean_rps=1, states=states, step_s=10)
    rate = shared_rate(law, edges_of(law, law.days), 0)
    assert rate.mean() == pytest.approx(0.25, rel=0.05)
    centred = rate - rate.mean()
    lag = float(np.mean(centred[10:] * centred[:-10]) / np.mean(centred**2))
    assert lag == pytest.approx(np.exp(-100 * (1 / 300 + 1 / 100)), abs=0.05)


def test_hours_are_those_of_the_week_from_the_start_on() -> None:
    start = datetime(2026, 1, 7, 22, 30, tzinfo=UTC)  # a Wednesday
    hours = tuple(float(k + 1) for k in range(168))
    law = TrafficLaw(days=3, mean_rps=1, hours=hours, start=start)
    # The middle of 22:00 on Wednesday, hour 70 from Monday; then of the next hours.
    at = np.array([0.0, 3600.0, 2 * 3600.0, 5 * 3600.0])
    assert shape(law, at).tolist() == pytest.approx([71.0, 72.0, 73.0, 76.0])
    of_a_day = law.model_copy(
        update={"hours": tuple(float(k) for k in range(1, 25)), "start": None}
    )
    assert shape(of_a_day, np.array([1800.0, 3600.0 + 1800.0])).tolist() == pytest.approx([1, 2])


def test_waves() -> None:
    law = TrafficLaw(**FLAT, harmonics=((3600.0, 0.0, 0.5), (1800.0, -0.2, 0.0)))
    at = np.array([0.0, 900.0, 1800.0, 2700.0])
    assert shape(law, at).tolist() == pytest.approx([0.8, 1.7, 0.8, 0.7])


def test_an_outage_is_silent_and_its_requests_come_back() -> None:
    plain = TrafficLaw(**FLAT)
    outage = Outage(at_s=10_000, lasts_s=605, come_back=0.8, tau_s=120)
    law = plain.model_copy(update={"outages": (outage,)})
    edges = edges_of(law, law.days)
    rate = shared_rate(law, edges, 0)
    # Of the 605 s of rate 1 a fifth is lost.
    assert np.sum(np.diff(edges) - rate * np.diff(edges)) == pytest.approx(0.2 * 605, rel=1e-6)
    trace = generate(law, 2)
    quiet = (trace.arrival_s > 10_000 - 0.5) & (trace.arrival_s < 10_600)
    assert not quiet[trace.arrival_s > 10_001].any()
    after = ((trace.arrival_s >= 10_605) & (trace.arrival_s < 10_725)).sum()
    # 120 s of 2 requests/s, and 1 - 1/e of the 0.8 * 1210 that come back: 852; 10 %.
    assert after == pytest.approx(240 + 968 * (1 - np.exp(-1)), rel=0.1)


def test_a_crowd_at_a_given_time() -> None:
    law = TrafficLaw(**FLAT, crowds=Crowds(at_s=(20_000,), height=(3, 3), tau_s=600))
    edges = edges_of(law, law.days)
    rate = shared_rate(law, edges, 0)
    step = int(np.searchsorted(edges, 20_000))
    assert rate[step - 1] == 1.0
    assert rate[step] == pytest.approx(4.0)
    assert rate[step + 60] == pytest.approx(1 + 3 * np.exp(-1), rel=0.02)


def test_clients_send_their_shares() -> None:
    tokens = [Tokens(prompt=Quantiles(shares=(0, 1), values=(v, v))) for v in (10, 20)]
    law = TrafficLaw(
        **FLAT,
        clients=(
            Client(share=3, tokens=tokens[0]),
            Client(share=1, tokens=tokens[1], gaps=Gaps(law="gamma", cv=0.5)),
        ),
    )
    trace = generate(law, 1)
    assert trace.requests == pytest.approx(FLAT["days"] * DAY_S * FLAT["mean_rps"], rel=0.02)
    share = float(np.mean(trace.columns["prompt_tokens"] == 10))
    assert share == pytest.approx(0.75, abs=0.01)
    # Many Poisson clients are a Poisson process: 1 s counts have dispersion 1, here to 2 %.
    many = TrafficLaw(**FLAT, clients=tuple(Client(share=1) for _ in range(20)))
    assert dispersion(counts_of(generate(many, 5), 1.0)) == pytest.approx(1.0, rel=0.02)


def test_tokens_have_their_quantiles_and_go_together() -> None:
    law = TrafficLaw(
        **FLAT,
        tokens=Tokens(
            prompt=Quantiles(shares=(0, 0.5, 0.9, 1), values=(1, 100, 1000, 4000)),
            output=Quantiles(shares=(0, 0.5, 1), values=(1, 50, 300)),
            correlation=0.6,
        ),
    )
    trace = generate(law, 9)
    prompt, output = (trace.columns[name] for name in ("prompt_tokens", "output_tokens"))
    # Three standard errors: 0.1 % of the requests are 30 tokens at the 90th percentile.
    assert np.quantile(prompt, [0.5, 0.9]).tolist() == pytest.approx([100, 1000], rel=0.09)
    assert np.quantile(output, 0.5) == pytest.approx(50, rel=0.03)
    from scipy.stats import spearmanr

    # Spearman of a normal copula: 6/pi asin(rho/2).
    assert spearmanr(prompt, output)[0] == pytest.approx(6 / np.pi * np.arcsin(0.3), abs=0.02)


def test_a_typical_trace_has_as_many_requests_as_expected() -> None:
    law = TrafficLaw(
        **FLAT, gaps=Gaps(law="hyperexponential", cv=4), wander=(Wander(sigma=0.4, tau_s=600),)
    )
    for seed in range(3):
        counts = generate(law.model_copy(update={"paths": 64}), seed).requests
        assert counts == pytest.approx(FLAT["days"] * DAY_S * FLAT["mean_rps"], abs=1)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    sigma=st.floats(0, 1),
    cv=st.floats(1, 5),
    paths=st.sampled_from([1, 8]),
)
def test_the_same_law_and_seed_give_the_same_traffic(seed, sigma, cv, paths):
    law = TrafficLaw(
        days=0.02, mean_rps=1, wander=(Wander(sigma=sigma, tau_s=60),), paths=paths,
        gaps=Gaps(law="hyperexponential", cv=cv),
        states=States(factors=(1, 2), mean_stay_s=(60, 9)),
    )  # fmt: skip
    one, other = generate(law, seed), generate(law, seed)
    assert one.content_hash == other.content_hash
    assert one.arrival_s[-1] <= 0.02 * DAY_S


def test_a_law_in_a_file(tmp_path: Path) -> None:
    law = TrafficLaw(
        source="by hand", start=datetime(2026, 3, 1, tzinfo=UTC), days=0.1, mean_rps=3,
        hours=tuple([1.0] * 24), wander=(Wander(sigma=0.2, tau_s=60),),
        tokens=Tokens(prompt=Quantiles(shares=(0, 1), values=(1, 9))),
    )  # fmt: skip
    path = tmp_path / "law.json"
    path.write_text(law_text(law))
    assert read_law(path) == law
    assert load(path, seed=4).content_hash == generate(law, 4).content_hash


def test_all_that_is_wrong_with_a_law_is_named_at_once(tmp_path: Path) -> None:
    path = tmp_path / "law.json"
    wrong = {
        "schema": "traffic-law/1", "days": 0, "wonder": [], "hours": [1, 2],
        "gaps": {"law": "hyperexponential", "cv": 0.5}, "outages": [{"at_s": "soon", "lasts_s": 5}],
    }  # fmt: skip
    path.write_text(json.dumps(wrong))
    with pytest.raises(TraceError) as error:
        load(path)
    said = str(error.value)
    for part in (
        f"{path}: 6 problems",
        "days = '0': cannot be; expected above 0",
        "mean_rps: is missing",
        'wonder: is not a setting of a law; expected did you mean "wander"?',
        "hours = '[1, 2]': cannot be; expected 24 or 168 rates, found 2",
        "a cv of at least 1, or law: gamma",
        "outages.0.at_s = '\"soon\"'",
    ):
        assert part in said
    path.write_text('{"schema": "traffic-law/1", ')
    with pytest.raises(TraceError, match="not JSON"):
        read_law(path)
    path.write_text("[]")
    with pytest.raises(TraceError, match="not a law of traffic"):
        read_law(path)


def test_laws_that_would_not_fit_in_memory_are_refused() -> None:
    with pytest.raises(TraceError, match=r"at most 500,000,000"):
        generate(TrafficLaw(days=365, mean_rps=1000))
    with pytest.raises(TraceError, match="steps of 0.1 s"):
        generate(TrafficLaw(days=365, mean_rps=0.01, step_s=0.1))
