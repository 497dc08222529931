"""The same traffic at an API that is billed by the token, beside the bill of one's own fleet."""

from __future__ import annotations

import math
from typing import Any, Final

import pricing
from modeler.replay.run import Run
from modeler.scenario import Problem, ScenarioError

_TOKENS: Final = ("prompt_tokens", "output_tokens")


def token_api(run: Run) -> dict[str, Any] | None:
    """What the scenario's ``token_api`` would charge for every request of the traffic.

    Parameters
    ----------
    run : Run.

    Returns
    -------
    dict or None
        ``model``, ``prompt_tokens``, ``output_tokens``, their prices [USD/1e6 tokens],
        ``usd_total``, ``usd_per_hour`` of the traffic, ``as_of`` and ``source``; None where no API
        was named.

    Raises
    ------
    ScenarioError
        The traffic has no tokens, or no such API is known.
    """
    asked = run.scenario.token_api
    if asked is None:
        return None
    columns = run.trace.columns
    missing = [name for name in _TOKENS if name not in columns]
    if missing:
        message = (
            f"token_api: the traffic has no {' and no '.join(missing)}: an API by the token "
            "cannot be priced; give a trace with both"
        )
        raise ScenarioError([Problem(message, "token_api", asked)])
    price = pricing.token_price(asked)
    prompt, output = (round(math.fsum(columns[name])) for name in _TOKENS)
    usd = float(price.usd(prompt, output))
    hours = run.trace.duration_s / pricing.SECONDS_PER_HOUR
    return {
        "model": price.model,
        "prompt_tokens": prompt,
        "output_tokens": output,
        "prompt_usd_per_million": float(price.prompt_usd_per_million),
        "output_usd_per_million": float(price.output_usd_per_million),
        "usd_total": usd,
        "usd_per_hour": usd / hours if hours else 0.0,
        "as_of": price.as_of,
        "source": price.source,
    }
