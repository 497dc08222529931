"""What a break-even says in a sentence or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_NAMES = {
    "scale-to-zero": "scaling to zero",
    "serverless": "SageMaker Serverless",
    "lambda": "Lambda",
    "async": "an asynchronous endpoint",
    "provisioned-concurrency": "provisioned concurrency",
    "token-api": "the API by the token",
}


def named(mode: str) -> str:
    """A mode, as said in a sentence.

    >>> named("min-1"), named("min-3")
    ('keeping one warm', 'keeping 3 warm')
    """
    if mode.startswith("min-"):
        count = mode.removeprefix("min-")
        return f"keeping {'one' if count == '1' else count} warm"
    return _NAMES[mode]


def sentence(rows: Sequence[Row], nearest: Row | None, own_per_hour: float) -> str:
    """The advice.

    Parameters
    ----------
    rows : sequence of dict. Of a `Breakeven`.
    nearest : dict, optional. The crossing to speak of.
    own_per_hour : float. The analyst's own rate. [requests/h]
    """
    done = [row for row in rows if row["status"] == "ok"]
    if not done:
        why = "; ".join(f"{row['mode']}: {row['error']}" for row in rows)
        return f"None of these ways to serve is possible here: {why}."
    lead = "" if nearest is not None and nearest["cheapest"] else _least(done, own_per_hour)
    if nearest is None:
        return lead
    below, above = nearest["below"], nearest["above"]
    word = "Apart from that, below" if lead else "Below"
    text = (
        f"{word} {rounded(nearest['requests_per_hour'])} requests an hour{_band(nearest)} "
        f"{named(below)} is cheaper than {named(above)}"
    )
    own = {
        row["mode"]: row
        for row in done
        if row["own"] and row["burstiness"] == nearest["burstiness"]
    }
    cheap, dear = sorted((own[below], own[above]), key=lambda row: float(row["usd_per_month"]))
    text = f"{lead} {text}".strip()
    return (
        f"{text}; your {rounded(own_per_hour)} an hour cost ${dear['usd_per_month']:,.0f} a month "
        f"by {named(dear['mode'])}{_hurts(dear)}, and ${cheap['usd_per_month']:,.0f} by "
        f"{named(cheap['mode'])}{_hurts(cheap)}."
    )


def _least(done: Sequence[Row], own_per_hour: float) -> str:
    """What costs least at the own rate, and that it does so at every other."""
    here = [row for row in done if row["own"] and row["burstiness"] == done[0]["burstiness"]]
    best = min(here, key=lambda row: float(row["usd_per_month"]))
    seen = [row["requests_per_hour"] for row in done]
    name = named(best["mode"])
    return (
        f"{name[0].upper()}{name[1:]} costs least at every rate from {rounded(min(seen))} to "
        f"{rounded(max(seen))} requests an hour, ${best['usd_per_month']:,.0f} a month at your "
        f"{rounded(own_per_hour)}{_hurts(best)}."
    )


def rounded(value: float) -> str:
    """A rate to three figures.

    >>> rounded(41.237), rounded(5301.9), rounded(0.012345)
    ('41.2', '5,300', '0.0123')
    """
    if value >= 100.0:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def _band(nearest: Row) -> str:
    if nearest["low"] is None:
        return ""
    return f" (95 %: {rounded(nearest['low'])} to {rounded(nearest['high'])})"


def _hurts(row: Row) -> str:
    """Who waits, where that is anybody."""
    share = row["waiting_share"]
    if share is None or share < 5e-5:
        return ""
    return f" ({float(f'{100.0 * share:.2g}'):g} % of requests wait for a place or get none)"
