"""Compare two scenarios over the same replicates of the traffic, and say what differs for sure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np

import traces
from modeler.measure import judge
from modeler.measure.headlines import Headlines
from modeler.replay.run import Traffic, run
from modeler.scenario import Scenario, with_values
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.bands import FIGURES, SHARES, lead_of, replicate
from modeler.study.comparison import Compared, Comparison, Level
from modeler.study.diverge import ADDED, OTHER, REMOVED, Changed, first_divergence, settings_changed
from modeler.study.intervals import EVERY, LEAST, Resamples, clear, paired, share_band
from modeler.study.kept import row_number
from modeler.study.level import standing
from modeler.study.replicates import notes_of, replicates_of
from modeler.study.result import SweepResult
from modeler.study.sweep import Status
from traces.blocks import blocks_of

Row = Mapping[str, Any]
Values = dict[str, tuple[list[float], list[float]]]

REPLICATES: Final = 60
_NAMED: Final = 3  # changes that a name holds
_UNITS: Final = {
    "usd_per_month": "USD",
    "sla_violation_share": "1",
    "latency_p99_s": "s",
    "breach_to_ready_p95_s": "s",
    "decision_to_ready_p50_s": "s",
    "peak_replicas": "replicas",
}
_OVER: Final = (
    "B - A and its interval are over the replicates, the traffic drawn again; A and B are of the "
    "traffic as it came, so that B less A may be another number"
)
# What a row of a sweep says beside its settings.
_OF_A_ROW: Final = {
    "size_bytes": "model.size",
    "instance_type": "hosting.instance",
    "region": "hosting.region",
    "policy": "policy.kind",
    "seed": "seed",
}


class CompareError(Exception):
    """Two scenarios that cannot be held against each other."""

    exit_code: Final = 2


def compare(
    scenario_a: Scenario,
    scenario_b: Scenario,
    trace: Traffic | None = None,
    replicates: int = REPLICATES,
    *,
    names: tuple[str, str] | None = None,
    progress: Callable[[Status], None] = lambda status: None,
) -> Comparison:
    """Hold a second scenario against a first.

    Parameters
    ----------
    scenario_a, scenario_b : Scenario. Their sweeps are left out.
    trace : Trace or CountSeries, optional. The traffic, instead of what both name.
    replicates : int. Pairs at most: the traffic drawn again from its own days, with everything
        random drawn anew, alike for both. It ends earlier, from 20 on, once it is settled which
        costs more and which misses more; 0 for none.
    names : (str, str), optional. What they are called; by default their own names, the second
        that of the first with what it changes where both have one name.
    progress : called with a `Status` after each pair.

    Returns
    -------
    Comparison

    Raises
    ------
    CompareError : they name different traffic, or different seeds.
    traces.TraceError, pricing.PricingError, modeler.predict.ModelDoesNotFit : as a replay's.
    """
    a, b = (with_values(one, {"sweep": {}}) for one in (scenario_a, scenario_b))
    wrong = []
    if trace is None and a.trace != b.trace:
        wrong.append(f"trace: {a.trace} and {b.trace}; expected the same traffic for both")
    if a.seed != b.seed:
        wrong.append(f"seed: {a.seed} and {b.seed}; expected the same luck for both")
    if wrong:
        raise CompareError("; ".join(wrong) + " (set it for both)")
    traffic = trace if trace is not None else traces.load(a.trace, seed=a.seed)
    notes = []
    found: list[tuple[Headlines, Headlines]] = []
    drawn = None
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda one: run(one, traffic, records=True), (a, b)))
        rows = [judge(one).to_dict() for one in done]
        if replicates:
            blocks = blocks_of(traffic)
            drawn = Resamples.of_blocks(blocks, a.seed)
            notes += [blocks.note, _OVER]
            # One lead-in for both, so that the draws of each request are the same.
            lead_s = min(max(lead_of(a), lead_of(b)), blocks.width_s)
            total = 2 * replicates
            while len(found) < replicates:
                number = len(found)
                first, second = pool.map(
                    lambda one, number=number: replicate(
                        one, traffic, blocks, number, lead_s=lead_s
                    ),
                    (a, b),
                )
                found.append((first, second))
                made = 2 * len(found)
                each = traffic.requests
                progress(Status(made * each, total * each, made, total))
                if len(found) % EVERY == 0 and settled(found, drawn):
                    break
    values: Values = {
        name: ([getattr(x, name) for x, _ in found], [getattr(y, name) for _, y in found])
        for name in FIGURES
    }
    changed = tuple(settings_changed(a, b))
    return Comparison(
        names=names or _names(a, b, changed),
        changed=changed,
        figures=_figures(rows, values, drawn),
        levels=_levels(rows, values, drawn),
        replicates=len(found),
        values=_monthly(values),
        divergence=first_divergence(*done),
        replayed=True,
        trace={"source": traffic.source, "content_hash": traffic.content_hash,
               "requests": traffic.requests, "duration_s": traffic.duration_s},
        notes=tuple(notes),
    )  # fmt: skip


def settled(found: Sequence[tuple[Headlines, Headlines]], drawn: Resamples) -> bool:
    """Whether more pairs would answer nothing more: which costs more, and which misses more."""
    return len(found) >= LEAST and all(
        clear(np.array([getattr(b, name) - getattr(a, name) for a, b in found]), drawn)
        for name in ("usd_per_hour", "sla_violation_share")
    )


def _names(a: Scenario, b: Scenario, changed: Sequence[Changed]) -> tuple[str, str]:
    """What two scenarios are called that nobody named otherwise."""
    if a.name != b.name:
        return a.name, b.name
    first = ", ".join(f"{one.path}={one.b}" for one in changed[:_NAMED]) or "nothing changed"
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return a.name, f"{a.name} with {first}{more}"


def compare_rows(
    run_a: SweepResult, name_a: str, run_b: SweepResult, name_b: str, *, names: tuple[str, str]
) -> Comparison:
    """Hold two kept rows against each other, without a replay.

    Parameters
    ----------
    run_a, run_b : SweepResult. As `modeler.study.runs.read_run` gives them; may be the same.
    name_a, name_b : str. A row's ``scenario_id``, the beginning of it, its number, or ``best``, as
        for `modeler.study.kept.row_number`.
    names : (str, str). What they are called.

    Raises
    ------
    CompareError : rows of different traffic or seeds.
    modeler.study.kept.KeptError : no such row, or one without a result.
    """
    rows = [of.rows[row_number(of, name)] for of, name in ((run_a, name_a), (run_b, name_b))]
    hashes = [[one["content_hash"] for one in of.meta["traces"]] for of in (run_a, run_b)]
    if len(hashes[0]) != 1 or hashes[0] != hashes[1]:
        raise CompareError(
            f"{names[0]} and {names[1]}: expected rows of runs over one traffic, found "
            f"{len({*hashes[0], *hashes[1]})}"
        )
    if rows[0]["seed"] != rows[1]["seed"]:
        raise CompareError(f"seed: {rows[0]['seed']} and {rows[1]['seed']}; expected the same")
    values: Values = {}
    drawn, pairs = None, 0
    one, other = (replicates_of(row) for row in rows)
    notes = ["rows as they were kept: only settings that the sweeps varied are compared"]
    if one is not None and other is not None:
        drawn, pairs = one.drawn, min(one.count, other.count)
        for name in FIGURES:
            a, b = (of.values(name)[:pairs].tolist() for of in (one, other))
            values[name] = (a, b)
        notes += [*notes_of([one, other]), _OVER]
    else:
        notes.append("no replicates were kept of both: sweep with --replicates for intervals")
    return Comparison(
        names=names,
        changed=tuple(_rows_changed(*rows)),
        figures=_figures(rows, values, drawn),
        levels=_levels(rows, values, drawn),
        replicates=pairs,
        values=_monthly(values),
        divergence=None,
        replayed=False,
        trace=run_a.meta["traces"][0],
        notes=tuple(notes),
    )


def _rows_changed(a: Row, b: Row) -> list[Changed]:
    sides = [{**{path: row[key] for key, path in _OF_A_ROW.items()}, **row["settings"]}
             for row in (a, b)]  # fmt: skip
    found = []
    for path in sorted({*sides[0], *sides[1]}):
        one, other = (side.get(path) for side in sides)
        if one != other:
            mark = OTHER if all(path in side for side in sides) else ADDED
            found.append(Changed(path, one, other, REMOVED if path not in sides[1] else mark))
    return found


def _figures(rows: Sequence[Row], values: Values, drawn: Resamples | None) -> tuple[Compared, ...]:
    of_a, of_b = (_headlines(row) for row in rows)
    found = []
    for name, unit in _UNITS.items():
        one, other = of_a[name], of_b[name]
        apart = None if one is None or other is None else other - one
        key, factor = _key(name)
        most = 1.0 if name in SHARES else None
        ends = None
        if drawn is not None and key in values:
            ends = paired(*values[key], drawn, most=most)
        if ends is None:
            found.append(Compared(name, unit, one, other, apart, None, None, None))
            continue
        middle, low, high = (factor * one for one in (ends.middle, ends.low, ends.high))
        if most is not None:
            # Beside A and B of the traffic as it came nobody is to read of fewer than A has.
            there_is = min(max(middle, -(one or 0.0)), other or 0.0)
            middle = min(max(there_is, low), high)
        found.append(Compared(name, unit, one, other, middle, low, high, ends.differs))
    return tuple(found)


def _key(name: str) -> tuple[str, float]:
    """The figure of a replicate, and what it is multiplied by."""
    return ("usd_per_hour", HOURS_A_MONTH) if name == "usd_per_month" else (name, 1.0)


def _headlines(row: Row) -> dict[str, float | None]:
    return {
        "usd_per_month": row["usd_per_hour"] * HOURS_A_MONTH,
        "sla_violation_share": row["sla_violation_share"],
        "latency_p99_s": row["latency_s"]["p99"],
        "breach_to_ready_p95_s": row["breach_to_ready_s"]["p95"],
        "decision_to_ready_p50_s": row["decision_to_ready_s"]["p50"],
        "peak_replicas": row["replicas"]["peak"],
    }


def _levels(rows: Sequence[Row], values: Values, drawn: Resamples | None) -> tuple[Level, Level]:
    found = []
    shares = values.get("sla_violation_share", ([], []))
    for row, of in zip(rows, shares, strict=True):
        allowed = float(row["sla"]["max_violation_share"])
        share = (
            None
            if drawn is None
            else share_band(np.array(of, dtype=np.float64), drawn, row["requests"])
        )
        verdict = standing(share, allowed, kept=bool(row["meets_sla"]))
        found.append(Level(float(row["sla"]["threshold_s"]), allowed, share, verdict))
    return found[0], found[1]


def _monthly(values: Values) -> Values:
    found = {}
    for name in _UNITS:
        key, factor = _key(name)
        if key in values:
            a, b = (np.array(of, dtype=np.float64) * factor for of in values[key])
            found[name] = (a.tolist(), b.tolist())
    return found
