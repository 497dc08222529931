"""What a window under several policies says, in a sentence or two that need no engineer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from modeler.scenario import format_duration
from modeler.study.intervals import LEAST_USD

Row = Mapping[str, Any]
# A cause of a miss, as an end of a sentence.
_CAUSES: Final = {
    "service_time": "their service alone took longer",
    "queue_limit": "the queue was full",
    "replica_cap": "the fleet was as large as it may be",
    "cold_start": "new replicas were still starting",
    "decision": "no capacity had been asked for yet",
    "lost_capacity": "what served them was taken away",
}


def advice(rows: Sequence[Row], meta: Mapping[str, Any]) -> str:
    """The policy that would have saved most, and what it would have cost.

    Parameters
    ----------
    rows : sequence of mappings. The policy that ran, then the others.
    meta : mapping. With ``window``, ``sla`` and ``replayed``.
    """
    ran, others = rows[0], [row for row in rows[1:] if row["status"] == "ok"]
    failed = len(rows) - 1 - len(others)
    text = _asked(ran, others, meta)
    if failed:
        one = failed == 1
        text += (
            f" {failed} {'policy' if one else 'policies'} could not be replayed; "
            f"{'its row says' if one else 'their rows say'} why."
        )
    return text


def _asked(ran: Row, others: Sequence[Row], meta: Mapping[str, Any]) -> str:
    missed, limit = ran["violations"], format_duration(meta["sla"]["threshold_s"])
    if not missed:
        kept = f"Every request of the window had its answer within {limit} as it was"
        cheaper = _cheaper(ran, others, meta)
        return f"{kept}; {cheaper}." if cheaper else f"{kept}."
    if not others:
        causes = ran["violations_by_cause"]
        most = max(causes, key=lambda cause: causes[cause])
        return (
            f"{missed:,} of {_requests(ran['requests'])} did not have an answer within {limit}, "
            f"{causes[most]:,} of them because {_CAUSES[most]}. No other policy was tried."
        )
    best = max(others, key=lambda row: (row["saved"], -round(row["usd_run_added"], 2)))
    if best["saved"] > 0:
        text = f"{_condition(best)}, {_moved(ran, best)}{_saved(ran, best)} {_price(best, meta)}."
        return text + _luck(best, meta)
    if len(others) == 1:
        none = f"{_condition(best)}, no fewer than the {missed:,} would have been late or failed"
    else:
        none = f"None of the {len(others)} others would have missed fewer than {missed:,}"
    cheaper = _cheaper(ran, others, meta)
    none = f"{none}; {cheaper}." if cheaper else f"{none}."
    unsure = best["saved_differs"] is False and best["saved_high"] > 0.0
    return none + _luck(best, meta) if unsure else none


def _condition(row: Row) -> str:
    """``Had policy.target been 4``; ``Under KEDA``."""
    if row["settings"] is None:
        return f"Under {row['name']}"
    parts = [f"{path} been {_value(value)}" for path, value in row["settings"].items()]
    return f"Had {' and '.join(parts)}"


def _value(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _moved(ran: Row, row: Row) -> str:
    """When it would have acted, and what stood ready or was on its way before."""
    counts = [one["ready_at_start"] + one["pending_at_start"] for one in (row, ran)]
    ready = acted = ""
    if counts[0] > counts[1]:
        state = "ready or on their way" if row["pending_at_start"] else "ready"
        ready = f"{_several(counts[0], 'replica')} instead of {counts[1]} would have been {state} "
        ready += "as it began"
    earlier = row["earlier_s"]
    if earlier:
        when = f"{format_duration(abs(earlier))} {'earlier' if earlier > 0.0 else 'later'}"
        acted = f"capacity would have been asked for {when}"
    elif earlier is None and row["acted_s"] is not None:
        acted = "capacity would have been asked for, as it was not"
    elif earlier is None and ran["acted_s"] is not None and not ready:
        acted = "no capacity would have been asked for in the window"
    return " and ".join(filter(None, (ready, acted))) + (": " if ready or acted else "")


def _saved(ran: Row, row: Row) -> str:
    text = f"{row['rescued']:,} of {ran['violations']:,} late or failed requests saved"
    return text + (f", {row['harmed']:,} others late instead," if row["harmed"] else "")


def _luck(row: Row, meta: Mapping[str, Any]) -> str:
    """What another luck would have made of it."""
    low, high = row["saved_low"], row["saved_high"]
    if low is None:
        return ""
    over = f"{meta['replicates']} other lucks of the same traffic"
    if not row["saved_differs"]:
        if low == high == 0.0:
            return f" In most of {over} it would have saved none."
        return (
            f" That may be luck: over {over} it is between {high:,.0f} requests saved and "
            f"{-low:,.0f} more missed."
        )
    text = f" Over {over} it is between {low:,.0f} and {high:,.0f} fewer missed"
    usd = (row["usd_run_added_low"], row["usd_run_added_high"])
    if row["usd_run_added_differs"]:
        word = "more" if usd[1] > 0.0 else "less"
        least, most = sorted(abs(one) for one in usd)
        return f"{text}, for ${least:,.2f} to ${most:,.2f} {word} in all."
    return f"{text}, and in dollars no difference by more than luck."


def _price(row: Row, meta: Mapping[str, Any]) -> str:
    """Dollars in the window, and of all that was replayed, which may say something else."""
    window, whole = row["usd_added"], row["usd_run_added"]
    text = f"for {_more(window)} in the window"
    if abs(whole - window) < LEAST_USD:
        return text
    long = format_duration(meta["replayed"]["to_s"] - meta["replayed"]["from_s"])
    return f"{text} and {_more(whole)} in all {long} replayed"


def _more(usd: float) -> str:
    if abs(usd) < LEAST_USD:
        return "the same money"
    return f"${abs(usd):,.2f} {'more' if usd > 0.0 else 'less'}"


def _cheaper(ran: Row, others: Sequence[Row], meta: Mapping[str, Any]) -> str:
    """The cheapest that misses no more, if it costs less."""
    as_good = [row for row in others if row["violations"] <= ran["violations"]]
    least = min(as_good, key=lambda row: row["usd_run_added"], default=None)
    if least is None or least["usd_run_added"] > -LEAST_USD:
        return ""
    condition = _condition(least)
    return (
        f"{condition[0].lower()}{condition[1:]}, it would have been no worse, {_price(least, meta)}"
    )


def _requests(count: int) -> str:
    return _several(count, "request")


def _several(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
