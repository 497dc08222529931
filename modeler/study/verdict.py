"""What the table says, in a sentence or three."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modeler.scenario import format_duration, format_size

Row = dict[str, Any]


def mark_pareto(rows: Sequence[Row]) -> None:
    """Set ``pareto`` on each row: whether no other is both cheaper and misses less.

    >>> rows = [dict(status="ok", usd_total=u, sla_violation_share=v)
    ...         for u, v in ((1, 0.5), (2, 0.1), (3, 0.2))]
    >>> mark_pareto(rows); [row["pareto"] for row in rows]
    [True, True, False]
    """
    finished = [row for row in rows if row["status"] == "ok"]
    for row in rows:
        row["pareto"] = row["status"] == "ok" and not any(
            _dominates(other, row) for other in finished
        )


def _dominates(one: Row, other: Row) -> bool:
    a = (one["usd_total"], one["sla_violation_share"])
    b = (other["usd_total"], other["sla_violation_share"])
    return a != b and a[0] <= b[0] and a[1] <= b[1]


def verdict(rows: Sequence[Row], references: Sequence[Row] = ()) -> str:
    """The answer to "which size and policy": the cheapest that keeps the service level.

    Parameters
    ----------
    rows : sequence of dict. The sweep's scenario rows, failed ones included.
    references : sequence of dict. Fixed fleets the rows are held against.
    """
    finished = [row for row in rows if row["status"] == "ok"]
    failed = len(rows) - len(finished)
    if not finished:
        return f"No scenario could be replayed: {rows[0]['error']}" if rows else "No scenario."
    keeping = [row for row in finished if row["meets_sla"]]
    varied = _varied(rows)
    text = _best(keeping, varied) if keeping else _none(finished, varied)
    text += _fixed(keeping, references, varied)
    if failed:
        word = "scenario" if failed == 1 else "scenarios"
        text += f" {failed} {word} could not be replayed; the rows say why."
    return text


def best_row(rows: Sequence[Row]) -> Row | None:
    """The cheapest row that keeps the service level, else the one that misses least."""
    finished = [row for row in rows if row["status"] == "ok"]
    keeping = [row for row in finished if row["meets_sla"]]
    if keeping:
        return min(keeping, key=lambda row: (row["usd_total"], row["sla_violation_share"]))
    return min(
        finished, key=lambda row: (row["sla_violation_share"], row["usd_total"]), default=None
    )


def _promise(row: Row) -> str:
    sla = row["sla"]
    share = 100.0 * (1.0 - sla["max_violation_share"])
    what = "first token" if sla["metric"] == "first_token" else "answer"
    return f"{share:g} % of requests with their {what} within {format_duration(sla['threshold_s'])}"


def _varied(rows: Sequence[Row]) -> list[str]:
    """Swept settings whose values differ between the rows, besides those every name holds."""
    paths = dict.fromkeys(path for row in rows for path in row["settings"])
    return [
        path
        for path in paths
        if path not in ("model.size", "hosting.instance")
        and len({str(row["settings"].get(path)) for row in rows}) > 1
    ]


def _name(row: Row, varied: Sequence[str]) -> str:
    others = [f"{path}={row['settings'][path]}" for path in varied if path in row["settings"]]
    extra = f" ({', '.join(others)})" if others else ""
    return f"{format_size(row['size_bytes'])} on {row['instance_type']}{extra}"


def _best(keeping: Sequence[Row], varied: Sequence[str]) -> str:
    best = best_row(keeping)
    assert best is not None
    text = (
        f"Cheapest that keeps {_promise(best)}: {_name(best, varied)}, "
        f"${best['usd_per_hour']:,.2f} an hour, {100 * best['sla_violation_share']:.2f} % missed"
        f"{_lag(best)}."
    )
    largest = max(keeping, key=lambda row: (row["size_bytes"], -row["usd_total"]))
    if largest["size_bytes"] > best["size_bytes"]:
        more = 100.0 * (largest["usd_total"] / best["usd_total"] - 1.0)
        text += (
            f" The largest that still keeps it: {_name(largest, varied)}, "
            f"${largest['usd_per_hour']:,.2f} an hour ({more:+.0f} %)."
        )
    return text


def _none(finished: Sequence[Row], varied: Sequence[str]) -> str:
    closest = best_row(finished)
    assert closest is not None
    causes = closest["violations_by_cause"]
    cause = max(causes, key=lambda name: (causes[name], name))
    total = sum(causes.values())
    return (
        f"Nothing here keeps {_promise(closest)}. Closest: {_name(closest, varied)}, "
        f"${closest['usd_per_hour']:,.2f} an hour, "
        f"{100 * closest['sla_violation_share']:.2f} % missed{_lag(closest)}; "
        f"most of it ({100 * causes[cause] / total:.0f} %) by {cause}."
    )


def _fixed(keeping: Sequence[Row], references: Sequence[Row], varied: Sequence[str]) -> str:
    """A larger model that only a fleet which never scales can serve within the level."""
    reach = max((row["size_bytes"] for row in keeping), default=0)
    larger = [row for row in references if row["meets_sla"] and row["size_bytes"] > reach]
    if not larger:
        return ""
    best = max(larger, key=lambda row: (row["size_bytes"], -row["usd_total"]))
    return (
        f" A fleet that never scales ({best['label']}) keeps it up to {_name(best, varied)}, "
        f"${best['usd_per_hour']:,.2f} an hour."
    )


def _lag(row: Row) -> str:
    lag = row["breach_to_ready_s"]["p95"]
    if lag is None:
        return ""
    breaches = row["breach_to_ready_s"]["count"]
    word = "breach" if breaches == 1 else "breaches"
    return f", breach to ready {format_duration(lag)} at the 95th percentile of {breaches} {word}"
