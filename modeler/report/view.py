"""What table, figures and page read off a sweep's dict in common."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from modeler.report import numbers
from modeler.study.verdict import best_row

Row = dict[str, Any]
Result = Mapping[str, Any]

_SIZE = "model.size"
_HOUR_S = 3600.0


@dataclass(frozen=True)
class Bound:
    """One of the two bounds of a size: what it costs, and the fleet behind it.

    Parameters
    ----------
    name : str. ``zero wait`` or ``work bound``.
    row : dict. The scenario that it was computed for.
    usd_total, usd_per_hour : float. [USD], [USD/h]
    usd_per_1k_requests : float or None. [USD]
    mean_replicas : float. Replica-hours over the run's hours.
    peak_replicas : int or None. Where the bound has a fleet.
    """

    name: str
    row: Row
    usd_total: float
    usd_per_hour: float
    usd_per_1k_requests: float | None
    mean_replicas: float
    peak_replicas: int | None


def finished(rows: Sequence[Row]) -> list[Row]:
    """Rows that have a result."""
    return [row for row in rows if row["status"] == "ok"]


def best(result: Result) -> Row | None:
    """The row the verdict points at; None when nothing could be replayed."""
    return best_row(result["scenarios"])


def varied(result: Result) -> list[str]:
    """Swept paths, besides the size, whose values differ between scenarios."""
    rows = result["scenarios"]
    paths = dict.fromkeys(path for row in rows for path in row["settings"] if path != _SIZE)
    return [path for path in paths if len({_key(row["settings"].get(path)) for row in rows}) > 1]


def policy_name(row: Row) -> str:
    """How a row's policy is called: a reference by its label, a preset by name, else by kind."""
    return str(row.get("label") or row.get("preset") or row["policy"].replace("_", " "))


def compares_policies(result: Result) -> bool:
    """Whether the rows hold policies against each other, each on its own platform."""
    return any(row.get("preset") for row in result["scenarios"])


def scenario_name(result: Result, row: Row) -> str:
    """A scenario in words: size, instance, policy and what else was varied."""
    head = f"{numbers.size(row['size_bytes'])} on {row['instance_type']}, {policy_name(row)}"
    paths = [path for path in varied(result) if path != "hosting.instance"]
    return ", ".join(filter(None, (head, settings_name(row, paths))))


def settings_name(row: Row, paths: Sequence[str]) -> str:
    """The values of the varied settings, e.g. ``target 60, instance ml.g5.xlarge``."""
    return ", ".join(
        f"{short(path)} {numbers.plain(row['settings'][path])}"
        for path in paths
        if path in row["settings"]
    )


def short(path: str) -> str:
    """The last part of a setting's path, as a heading."""
    return path.rsplit(".", 1)[-1].replace("_", " ")


def over_work(row: Row) -> float | None:
    """Dollars over those of ``work_bound``; None where there was no work."""
    least: float = row["bounds"]["work_bound"]["usd_total"]
    return row["usd_total"] / least if least > 0.0 else None


def over_zero_wait(row: Row) -> float | None:
    """Dollars over those of ``zero_wait``; None where it costs nothing."""
    ideal: float = row["bounds"]["zero_wait"]["usd_total"]
    return row["usd_total"] / ideal if ideal > 0.0 else None


def bounds(result: Result) -> list[Bound]:
    """Both bounds, once for each combination of settings that are not the policy's own.

    None where policies are compared: platforms differ in price, so each row has bounds of its own.
    """
    if compares_policies(result):
        return []
    groups: dict[str, Row] = {}
    for row in finished(result["scenarios"]):
        own = {k: v for k, v in row["settings"].items() if not k.startswith("policy.")}
        groups.setdefault(_key([row["size_bytes"], own]), row)
    return [_bound(name, row) for name in ("zero_wait", "work_bound") for row in groups.values()]


def _bound(name: str, row: Row) -> Bound:
    found = row["bounds"][name]
    hours = row["duration_s"] / _HOUR_S
    usd = found["usd_total"]
    return Bound(
        name=name.replace("_", " "),
        row=row,
        usd_total=usd,
        usd_per_hour=usd / hours if hours else 0.0,
        usd_per_1k_requests=1000.0 * usd / row["requests"] if row["requests"] else None,
        mean_replicas=found["replica_hours"] / hours if hours else 0.0,
        peak_replicas=found.get("peak_replicas"),
    )


def prices(result: Result) -> list[dict[str, Any]]:
    """Every price that a row was billed at, once."""
    rows = [*result["scenarios"], *result["references"]]
    found = {_key(price): price for row in rows for price in row["prices"]}
    return list(found.values())


def assumptions(result: Result) -> list[dict[str, Any]]:
    """Every default in force, once; ``values`` holds each value it takes among the rows."""
    found: dict[str, dict[str, Any]] = {}
    for row in finished(result["scenarios"]):
        for one in row["assumptions"]:
            entry = found.setdefault(
                _key([one[name] for name in ("path", "unit", "origin", "source")]),
                {**one, "values": []},
            )
            if one["value"] not in entry["values"]:
                entry["values"].append(one["value"])
    return list(found.values())


def policy_defaults(result: Result) -> dict[str, list[dict[str, Any]]]:
    """For each kind of policy compared, the defaults of its own that are in force, once."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for row in finished(result["scenarios"]):
        kinds = row["policy"].split(" + ")
        for one in row["assumptions"] if row.get("preset") else ():
            block, _, key = one["path"].partition(".")
            number, _, rest = key.partition(".")
            if block == "policies":
                found.setdefault(kinds[int(number)], {}).setdefault(rest, one)
            elif block == "policy":
                found.setdefault(kinds[0], {}).setdefault(key, one)
    return {
        kind: [{**one, "path": key} for key, one in rows.items()] for kind, rows in found.items()
    }


def notes(result: Result) -> list[str]:
    """What the run and the rows' policies have to say of themselves, once each."""
    of_rows = (note for row in finished(result["scenarios"]) for note in row.get("notes", ()))
    of_run = (*result["run"].get("notes", ()), *_token_apis(result))
    said = (f"Note: {note}" for note in (*of_run, *of_rows))
    return list(dict.fromkeys((*said, *_drawn_again(result))))


# Blocks that hold a week; fewer, or no whole days, have seen neither a weekend nor a bad day.
_WEEK: Final = 7
_TWO_DAYS_S: Final = 172_800.0


def _drawn_again(result: Result) -> Iterator[str]:
    """How traffic was drawn for intervals, and where it is too short to tell of other weeks."""
    drawn = [row["uncertainty"] for row in finished(result["scenarios"]) if row.get("uncertainty")]
    for note in dict.fromkeys(one["note"] for one in drawn):
        yield f"Note: intervals are of the traffic drawn again: {note}"
    if not drawn:
        return
    fewest = min(one["blocks"] for one in drawn)
    of = [one["duration_s"] for one in result["run"].get("traces", ())]
    short = min(of, default=math.inf) < _TWO_DAYS_S
    if short or fewest < _WEEK:
        why = "less than two days of traffic" if short else f"{fewest} days"
        yield (
            f"Warning: {why} cannot tell how much weeks differ, and the intervals may be too "
            "narrow: give traffic of a week or more"
        )


def _token_apis(result: Result) -> Iterator[str]:
    """What an API by the token would charge, for each that a row names."""
    for row in finished(result["scenarios"]):
        if row.get("token_api") is not None:
            yield f"token API {numbers.token_api(row['token_api'])}"


def preset_notes(result: Result) -> list[str]:
    """What an analyst should know of the policies compared, once each."""
    notes = {
        row["preset"]: row["preset_note"] for row in result["scenarios"] if row.get("preset_note")
    }
    return [f"{name}: {note}" for name, note in notes.items()]


def origins(rows: Sequence[Mapping[str, Any]]) -> str:
    """How many defaults come from where, e.g. ``23 assumed, 12 documented, 8 observed``."""
    counts = Counter(row["origin"] for row in rows)
    return ", ".join(f"{number} {origin}" for origin, number in sorted(counts.items()))


def promise(row: Row) -> str:
    """The service level in words."""
    sla = row["sla"]
    what = "first token" if sla["metric"] == "first_token" else "answer"
    return (
        f"{what} within {numbers.duration(sla['threshold_s'])}, "
        f"missed by at most {100.0 * sla['max_violation_share']:g} % of requests"
    )


def _patience(row: Row) -> str:
    timeout = row["client_timeout_s"]
    return "no client time-out" if timeout is None else f"clients wait {numbers.duration(timeout)}"


def serving(result: Result) -> str:
    """How requests are served: slots and service law where all rows agree, client time-outs.

    Time-outs that differ are named, for a queue that clients leave looks shorter than one they
    stay in. A law that differs between the rows is left to them: it names figures of each size.
    """
    rows = finished(result["scenarios"])
    parts = []
    slots = {row["slots"] for row in rows}
    if len(slots) == 1:
        parts.append(f"{slots.pop()} at once per replica")
    timeouts = {_patience(row) for row in rows}
    if timeouts:
        parts.append(" or ".join(sorted(timeouts)))
    laws = {row["service"] for row in rows}
    if len(laws) == 1:
        parts.append(f"service: {laws.pop()}")
    return " · ".join(parts)


def traffic(result: Result) -> str:
    """The traffic in a line: requests, duration and where it came from."""
    return "; ".join(
        f"{numbers.count(one['requests'])} requests over {numbers.duration(one['duration_s'])} "
        f"({one['source']})"
        for one in result["run"].get("traces", [])
    )


def _key(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
