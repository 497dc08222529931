"""What a break-even says in a sentence or two."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from modeler.study.compare_words import percent

Row = Mapping[str, Any]

_NOBODY: Final = 5e-5  # a share of requests that is not worth a word
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


def sentence(
    rows: Sequence[Row],
    nearest: Row | None,
    own_per_hour: float,
    notes: Mapping[str, str] | None = None,
) -> str:
    """The advice.

    Parameters
    ----------
    rows : sequence of dict. Of a `Breakeven`.
    nearest : dict, optional. The crossing to speak of.
    own_per_hour : float. The analyst's own rate. [requests/h]
    notes : mapping of mode to str, optional. What to know of a mode that is spoken of.
    """
    done = [row for row in rows if row["status"] == "ok"]
    if not done:
        why = "; ".join(f"{row['mode']}: {row['error']}" for row in rows)
        return f"None of these ways to serve is possible here: {why}."
    lead = "" if nearest is not None and nearest["cheapest"] else _least(done, own_per_hour)
    if nearest is None:
        best = _best(done)
        return lead + _missing([best], None) + _noted([best["mode"]], notes)
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
    of = [own[below], own[above]]
    spoken = {row["mode"]: row for row in ([_best(done), *of] if lead else of)}
    return (
        f"{text}; your {rounded(own_per_hour)} an hour cost ${dear['usd_per_month']:,.0f} a month "
        f"by {named(dear['mode'])}{_hurts(dear)}, and ${cheap['usd_per_month']:,.0f} by "
        f"{named(cheap['mode'])}{_hurts(cheap)}."
        f"{_missing([*spoken.values()], nearest)}{_noted(spoken, notes)}"
    )


def _least(done: Sequence[Row], own_per_hour: float) -> str:
    """What costs least at the own rate, and that it does so at every other."""
    best = _best(done)
    seen = [row["requests_per_hour"] for row in done]
    name = named(best["mode"])
    return (
        f"{name[0].upper()}{name[1:]} costs least at every rate from {rounded(min(seen))} to "
        f"{rounded(max(seen))} requests an hour, ${best['usd_per_month']:,.0f} a month at your "
        f"{rounded(own_per_hour)}{_hurts(best)}."
    )


def _best(done: Sequence[Row]) -> Row:
    """What costs least at the own rate."""
    here = [row for row in done if row["own"] and row["burstiness"] == done[0]["burstiness"]]
    return min(here, key=lambda row: float(row["usd_per_month"]))


def _missing(own: Sequence[Row], nearest: Row | None) -> str:
    """Which modes miss more than is allowed at the own rate, or where the two cross."""
    text = ""
    for row in own:
        allowed, share = row["allowed"], row["sla_violation_share"]
        if allowed is None:
            continue
        crossed = None if nearest is None else nearest["sla_violation_share"].get(row["mode"])
        parts = [
            f"{percent(one)} {where}"
            for one, where in ((share, "at your rate"), (crossed, "where the two cross"))
            if one is not None and one > allowed
        ]
        if parts:
            name = named(row["mode"])
            text += f" {name[0].upper()}{name[1:]} misses {' and '.join(parts)}, "
            text += f"{percent(allowed)} is allowed."
    return text


def _noted(modes: Iterable[str], notes: Mapping[str, str] | None) -> str:
    """What to know of modes."""
    told = {mode: notes[mode] for mode in modes if mode in notes} if notes else {}
    return "".join(f" For {named(mode)}, {note}." for mode, note in told.items())


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
        return f" (no interval: {nearest['band_note']})" if nearest["band_note"] else ""
    return f" (95 %: {rounded(nearest['low'])} to {rounded(nearest['high'])})"


def _hurts(row: Row) -> str:
    """Who waits and who is never served, where that is anybody."""
    if row["waiting_share"] is None:
        return ""
    never = row["unserved_share"]
    said = ((row["waiting_share"] - never, "wait for a place"), (never, "are never served"))
    parts = [f"{percent(share)} {what}" for share, what in said if share >= _NOBODY]
    return f" (of requests {' and '.join(parts)})" if parts else ""
