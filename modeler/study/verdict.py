"""What the table says, in a sentence or three."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from modeler.scenario import format_duration, format_size
from modeler.study.level import KEEPS, UNSURE, level_of
from modeler.study.replicates import apart, kept_band, replicates_of

Row = dict[str, Any]
_NAMED: Final = 2  # cheaper rows that may or may not keep the level


def pareto(rows: Sequence[Row]) -> list[bool]:
    """Of each row, whether no other is both cheaper and misses less.

    Dollars that differ by less than a ten-thousandth of a cent are the same dollars.

    >>> pareto([dict(status="ok", usd_total=u, sla_violation_share=v)
    ...         for u, v in ((1, 0.5), (2, 0.1), (3, 0.2))])
    [True, True, False]
    """
    marks = [False] * len(rows)
    places: dict[tuple[float, float], list[int]] = {}
    for number, row in enumerate(rows):
        if row["status"] == "ok":
            places.setdefault((_dollars(row), row["sla_violation_share"]), []).append(number)
    least = math.inf  # of the misses of everything that costs no more
    for place in sorted(places):
        if place[1] < least:
            least = place[1]
            for number in places[place]:
                marks[number] = True
    return marks


def _dollars(row: Row) -> float:
    """Total dollars without the noise of their last bits, which must not pick a winner."""
    return round(row["usd_total"], 6)


def verdict(rows: Sequence[Row], references: Sequence[Row] = ()) -> str:
    """The answer to "which size and policy": the cheapest that keeps the service level.

    Parameters
    ----------
    rows : sequence of dict. The sweep's scenario rows, failed ones included.
    references : sequence of dict. Fixed fleets, which may turn out to be the better answer.
    """
    finished = [row for row in rows if row["status"] == "ok"]
    failed = len(rows) - len(finished)
    if not finished:
        return f"No scenario could be replayed: {rows[0]['error']}" if rows else "No scenario."
    varied = _varied(rows)
    everything = [*finished, *references]
    keeping = _keeping(everything)
    text = _kept(keeping, everything, varied) if keeping else _none(everything, varied)
    if failed:
        word = "scenario" if failed == 1 else "scenarios"
        text += f" {failed} {word} could not be replayed; the rows say why."
    return text


def best_row(rows: Sequence[Row]) -> Row | None:
    """The cheapest row that keeps the service level, else the one that misses least.

    Where there are replicates: the cheapest that keeps it for sure, else the cheapest of those
    that kept it in the traffic as it came and may or may not over the replicates. Of rows that cost
    and miss the same, the one with the larger model.
    """
    finished = [row for row in rows if row["status"] == "ok"]
    keeping = _keeping(finished)
    if keeping:
        return min(keeping, key=_by_dollars)
    return min(
        finished,
        key=lambda row: (row["sla_violation_share"], _dollars(row), -row["size_bytes"]),
        default=None,
    )


def _keeping(rows: Sequence[Row]) -> list[Row]:
    """Rows that keep the level for sure; where none does, those that kept it and may again."""
    sure = [row for row in rows if level_of(row) == KEEPS]
    return sure or [row for row in rows if level_of(row) == UNSURE and row["meets_sla"]]


def best_name(rows: Sequence[Row]) -> str:
    """The best row in words, as the verdict calls it."""
    best = best_row(rows)
    return "no row: no scenario could be replayed" if best is None else _name(best, _varied(rows))


def _by_dollars(row: Row) -> tuple[float, float, int]:
    return _dollars(row), row["sla_violation_share"], -row["size_bytes"]


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
    """A row in words: size, instance, policy, and the settings that tell it from others."""
    policy = row.get("label") or row.get("preset") or row["policy"].replace("_", " ")
    others = [f"{path}={row['settings'][path]}" for path in varied if path in row["settings"]]
    return ", ".join(
        [f"{format_size(row['size_bytes'])} on {row['instance_type']}", policy, *others]
    )


def _price_and_misses(row: Row) -> str:
    usd, missed = _band(row, "usd_per_hour", 1.0), _band(row, "sla_violation_share", 100.0)
    return (
        f"${row['usd_per_hour']:,.2f}{usd} an hour, "
        f"{100 * row['sla_violation_share']:.2f}{missed} % missed{_lag(row)}"
    )


def _band(row: Row, figure: str, factor: float) -> str:
    """The 95 % interval of a figure, where there is one."""
    found = kept_band(row, figure)
    return f" [{factor * found.low:,.2f}, {factor * found.high:,.2f}]" if found else ""


def alike(row: Row, rows: Sequence[Row]) -> list[Row]:
    """Other rows whose dollars differ from a row's by no more than chance.

    Parameters
    ----------
    row : dict. One with replicates.
    rows : sequence of dict. Those without replicates, or of other traffic or luck, are never among
        them.
    """
    own = replicates_of(row)
    found = []
    for other in rows:
        if other is row:
            continue
        difference = apart(own, replicates_of(other), "usd_per_hour")
        if difference is not None and not difference.differs:
            found.append(other)
    return found


def _kept(keeping: Sequence[Row], everything: Sequence[Row], varied: Sequence[str]) -> str:
    best = min(keeping, key=_by_dollars)
    sure = level_of(best) == KEEPS
    tied = sum(_by_dollars(row) == _by_dollars(best) for row in keeping if not row.get("label")) - 1
    text = f"Cheapest that keeps {_promise(best)}: "
    if not sure:
        text = f"Nothing here is sure to keep {_promise(best)}. Cheapest that may: "
    text += f"{_name(best, varied)}: {_price_and_misses(best)}"
    text += f"; {tied} more settings come to the same." if tied > 0 else "."
    same = len(alike(best, keeping)) - max(tied, 0)
    if same > 0:
        text += f" {same} more that {'keep' if sure else 'may keep'} it do not differ from it in "
        text += "dollars by more than chance."
    if sure:
        text += _cheaper(best, everything, varied)
    scaling = [row for row in keeping if not row.get("label")]
    if best.get("label") and scaling:
        other = min(scaling, key=_by_dollars)
        text += f" Of those that scale: {_name(other, varied)}: {_price_and_misses(other)}."
    reach = max(row["size_bytes"] for row in keeping)
    if reach > best["size_bytes"]:
        largest = min((r for r in keeping if r["size_bytes"] == reach), key=_by_dollars)
        text += (
            f" The largest that {'still keeps' if sure else 'may keep'} it: "
            f"{_name(largest, varied)}: ${largest['usd_per_hour']:,.2f} an hour."
        )
    return text


def _cheaper(best: Row, everything: Sequence[Row], varied: Sequence[str]) -> str:
    """What cheaper rows would save that may or may not keep the level."""
    rows = [row for row in everything if level_of(row) == UNSURE and _dollars(row) < _dollars(best)]
    if not rows:
        return ""
    named = [
        f"{_name(row, varied)}, {100 * row['sla_violation_share']:.2f}"
        f"{_band(row, 'sla_violation_share', 100.0)} % missed, would save "
        f"${best['usd_per_hour'] - row['usd_per_hour']:,.2f} an hour"
        for row in sorted(rows, key=_by_dollars)[:_NAMED]
    ]
    more = f"; and {len(rows) - len(named)} more" if len(rows) > len(named) else ""
    return f" Cheaper, but may or may not keep it: {'; '.join(named)}{more}."


def _none(everything: Sequence[Row], varied: Sequence[str]) -> str:
    closest = best_row(everything)
    assert closest is not None
    causes = closest["violations_by_cause"]
    total = sum(causes.values())
    text = (
        f"Nothing here keeps {_promise(closest)}. Closest: {_name(closest, varied)}: "
        f"{_price_and_misses(closest)}"
    )
    if total:
        cause = max(causes, key=lambda name: (causes[name], name))
        text += f"; most of it ({100 * causes[cause] / total:.0f} %) by {cause}"
    text += "."
    if level_of(closest) == UNSURE:
        text += " Over the replicates it may or may not keep it."
    alone = causes["service_time"] / closest["requests"]
    if alone > closest["sla"]["max_violation_share"]:
        text += f" No fleet can keep it: service times alone break it for {100 * alone:.2f} %."
    return text


def _lag(row: Row) -> str:
    """How long a new replica takes, where the fleet scales."""
    if row.get("label"):
        return ""
    return f", a new replica takes {format_duration(row['decision_to_ready_s']['p50'])}"
