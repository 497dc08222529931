"""Prices of APIs that are billed by the token."""

from decimal import Decimal

import pytest

from modeler.measure import judge
from modeler.replay import run
from modeler.report import sweep_table
from modeler.scenario import Scenario, ScenarioError, default, scenario_id, with_values
from modeler.study import replay, sweep
from pricing import InvalidArgument, token_models, token_price
from traces import Trace


def test_a_known_api_and_ones_own():
    # litellm's price map: 5e-08 and 8e-08 dollars a token.
    known = token_price("groq/llama-3.1-8b-instant")
    assert (known.prompt_usd_per_million, known.output_usd_per_million) == (
        Decimal("0.05"), Decimal("0.08"),
    )  # fmt: skip
    assert known.as_of == "2026"
    assert "litellm" in known.source
    own = token_price("$0.15 / $0.60")
    # A hundred prompts of 3,000 tokens and answers of 200: 300,000 x 0.15 + 20,000 x 0.60.
    assert own.usd(300_000, 20_000) == Decimal("0.057")
    assert (own.model, own.as_of) == ("yours", None)
    assert len(set(token_models())) == len(token_models()) > 20


@pytest.mark.parametrize("asked", ["groq/llama-3.1-8b", "1/", "/", "-1/2", "nan/1", "gpt", ""])
def test_what_is_neither_is_refused_with_the_nearest(asked):
    with pytest.raises(InvalidArgument, match=r"such as 0\.15/0\.60") as caught:
        token_price(asked)
    assert "/" in str(caught.value).rpartition("such as ")[2]


TRACE = Trace([0.0, 1.0, 3600.0], {"prompt_tokens": [1e6, 5e5, 5e5], "output_tokens": [1e5, 0, 0]})


def test_the_same_traffic_at_an_api_by_hand():
    asked = with_values(Scenario(), {"token_api": "0.5/2", "model.size": "1GB"})
    outcome = judge(run(asked, TRACE))
    # Two million prompt tokens at 0.5 and a hundred thousand of output at 2: 1.00 and 0.20.
    assert outcome.token_api["usd_total"] == pytest.approx(1.2, abs=1e-12)
    assert outcome.token_api["usd_per_hour"] == pytest.approx(1.2, rel=1e-12)  # of one hour
    assert replay(asked, trace=TRACE).to_dict()["outcome"]["token_api"]["prompt_tokens"] == 2e6


def test_none_is_priced_unless_asked_for():
    assert judge(run(with_values(Scenario(), {"model.size": "1GB"}), TRACE)).token_api is None
    assert "token_api" not in default().model_dump()
    named = with_values(default(), {"token_api": "1/1"})
    assert scenario_id(named) != scenario_id(default())


def test_traffic_without_tokens_and_an_unknown_name_are_refused():
    plain = with_values(Scenario(), {"token_api": "1/1", "model.size": "1GB"})
    with pytest.raises(ScenarioError, match="no prompt_tokens and no output_tokens"):
        judge(run(plain, Trace([0.0, 1.0])))
    with pytest.raises(ScenarioError, match=r"groq/llama-3\.1-8b-instant"):
        with_values(Scenario(), {"token_api": "groq/llama-3.1-8b"})


def test_a_sweep_says_it_once():
    found = sweep(with_values(Scenario(), {"token_api": "0.5/2"}), sizes=["1GB", "2GB"],
                  trace=TRACE, references=False)  # fmt: skip
    assert sweep_table(found.to_dict(), width=400).count("token API yours") == 1
