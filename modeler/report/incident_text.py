"""A window under several policies as text: one row a policy, the one that ran first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from modeler.report import numbers

_HEAD: Final = (
    "policy", "adds at", "earlier", "ready at", "missed", "saved", "$", "$ more", "in all",
    "replicas", "backlog", "missed by cause",
)  # fmt: skip
_READING: Final = (
    "adds at, ready at: the first decision to add in the window, and its first replica; replicas: "
    "as the window begins, + on their way / at most; $ more in all: over all that was replayed",
)
_LEFT: Final = ("policy", "missed by cause")  # names; the rest are numbers
# What stands behind a figure where there are intervals.
_INTERVALS: Final = {"missed": "violations", "saved": "saved", "in all": "usd_run_added"}


def incident_text(result: Mapping[str, Any]) -> str:
    """An incident for a terminal, a pipe or a log.

    Parameters
    ----------
    result : mapping. As `Incident.to_dict` gives it, schema ``incident/1``.
    """
    rows = result["policies"]
    parts = [
        *_of_the_window(result),
        "",
        *_table([_shown(row, result) for row in rows if row["status"] == "ok"]),
        *(f"{row['name']}: {row['error']}" for row in rows if row["status"] != "ok"),
        *(f"{row['name']}: {row['note']}" for row in rows if row["note"]),
        "",
        *(f"note  {note}" for note in (*result["notes"], *_READING)),
        "",
        result["advice"],
    ]
    return "\n".join(line.rstrip() for line in parts) + "\n"


def _of_the_window(result: Mapping[str, Any]) -> Iterable[str]:
    window, trace = result["window"], result["trace"]
    yield f"{trace['source']}: {trace['requests']:,} requests"
    begin, end = (window[key] or numbers.moment(window[f"{key}_s"]) for key in ("from", "to"))
    long = numbers.duration(window["to_s"] - window["from_s"])
    yield f"window {begin} to {end}, {long}: {window['requests']:,} requests"
    limit = numbers.duration(result["sla"]["threshold_s"])
    yield f"missed: not answered within {limit}"


def _shown(row: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, str]:
    """Cells by their heading, with intervals where there are any."""
    found: dict[str, str] = {}
    for head, cell in zip(_HEAD, _cells(row, result), strict=True):
        found[head] = cell
        if head in _INTERVALS and result["replicates"]:
            name = _INTERVALS[head]
            found[f"{head} 95 %"] = _between(row[f"{name}_low"], row[f"{name}_high"], head)
    return found


def _between(low: float | None, high: float | None, head: str) -> str:
    if low is None or high is None:
        return numbers.DASH
    if head == "in all":
        return f"{numbers.dollars(_cents(low))} to {numbers.dollars(_cents(high))}"
    return f"{round(low) + 0:,} to {round(high) + 0:,}"


def _cells(row: Mapping[str, Any], result: Mapping[str, Any]) -> tuple[str, ...]:
    causes = ", ".join(f"{name} {n:,}" for name, n in row["violations_by_cause"].items() if n)
    first = row is result["policies"][0]
    return (
        row["name"],
        _at(row, "acted", result),
        numbers.DASH if first else _earlier(row["earlier_s"]),
        _at(row, "ready", result),
        f"{row['violations']:,}",
        numbers.DASH if first else f"{row['saved']:,}",
        numbers.dollars(row["usd"]),
        numbers.DASH if first else numbers.dollars(_cents(row["usd_added"])),
        numbers.DASH if first else numbers.dollars(_cents(row["usd_run_added"])),
        _replicas(row),
        f"{row['peak_backlog']:,}",
        causes,
    )


def _at(row: Mapping[str, Any], what: str, result: Mapping[str, Any]) -> str:
    """A moment: on the clock without its day where the window lies within one, else from 0."""
    at, time_s = row[f"{what}_at"], row[f"{what}_s"]
    if time_s is None:
        return numbers.DASH
    if at is None:
        return numbers.moment(time_s)
    day, _, clock = at.partition("T")
    same = day == result["window"]["from"][:10] == result["window"]["to"][:10]
    shown = clock.rstrip("Z").partition(".")[0]
    return shown if same else f"{day} {shown}"


def _replicas(row: Mapping[str, Any]) -> str:
    """Ready as the window begins, with those on their way, and the most in it: ``1+3/4``."""
    pending = row["pending_at_start"]
    return f"{row['ready_at_start']}{f'+{pending}' if pending else ''}/{row['peak_replicas']}"


def _earlier(seconds: float | None) -> str:
    if seconds is None:
        return numbers.DASH
    sign = "-" if seconds < 0.0 else ""
    return f"{sign}{numbers.duration(abs(seconds), tight=True)}"


def _cents(usd: float) -> float:
    """A difference to the cent: its last bits are no money."""
    return round(usd, 2) + 0.0


def _table(rows: Sequence[Mapping[str, str]]) -> Iterable[str]:
    heads = tuple(rows[0])
    lines = [heads, *(tuple(row.values()) for row in rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(heads))]
    for line in lines:
        yield "  ".join(
            text.ljust(width) if head in _LEFT else text.rjust(width)
            for head, text, width in zip(heads, line, widths, strict=True)
        )
