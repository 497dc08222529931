"""Which assumption moves the answer most, and the value at which the advice changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from modeler.scenario import Problem, ScenarioError
from modeler.study.assumed import Assumption, Variant, assumptions_of, changed
from modeler.study.diverge import settings_changed
from modeler.study.flips import BEYOND, Flip, find_flip, shown
from modeler.study.goal import Goal
from modeler.study.intervals import LEAST_USD, Difference
from modeler.study.lab import Lab
from modeler.study.optimize import optimize
from modeler.study.replicates import Replicates, apart, replicates_of
from modeler.study.space import space_of
from modeler.study.tornado_result import Bar, Drawn, Headline, Pair, Tornado, headline
from traces.blocks import blocks_of

Row = dict[str, Any]
Settings = dict[str, Any]
Again = Replicates | None

TOP: Final = 3


def tornado(
    lab: Lab,
    *,
    ranges: Mapping[str, tuple[Any, Any]] | None = None,
    against: Mapping[str, Any] | None = None,
    goal: Goal | None = None,
    top: int = TOP,
    beyond: float = BEYOND,
    replicates: int = 0,
) -> Tornado:
    """Rank what an answer rests on, and find where the advice changes.

    Parameters
    ----------
    lab : Lab. Of the scenario.
    ranges : mapping of path to low and high, optional. Instead of a factor of 1.5 to either side;
        ``traffic`` and ``service_time`` are factors.
    against : mapping, optional. Settings to hold the scenario as it is against. By default the
        best of `modeler.study.optimize` is held against the best that is not as good as it.
    goal : Goal, optional. By default the cheapest that keeps the service level.
    top : int. Of those that move dollars most, and of those that move misses most, so many are
        searched for a flip point; 0 for none, and then nothing is held against the scenario.
    beyond : float. How many times its range an assumption is searched to either side.
    replicates : int. Of the traffic's days, for intervals about what each assumption moves, and
        about how the two settings differ; 0 for none.

    Returns
    -------
    Tornado

    Raises
    ------
    ScenarioError, traces.TraceError : as a sweep's; ranges that cannot be; settings to hold the
        scenario against that are its own; too little traffic to draw it again.

    Notes
    -----
    Two replays an assumption, all with the same seed: requests, services and starts are drawn by
    number, so that a difference is the assumption's. One assumption is changed at a time; what two
    of them do together is not seen. Replicates have the same days, draws and warm-up for both ends,
    the value in force and the other setting; other traffic has its own days, drawn alike.
    """
    if replicates:
        blocks_of(lab.traffic())  # too little is refused now, and not after the work
    goal = goal or Goal()
    settings, other = _sides(lab, goal, against, top)
    base = lab.row(settings)
    if base["status"] != "ok":
        return Tornado(goal, settings, other or {}, base, None, (), 0, ())
    chosen = {**settings, **(other or {})}
    paths = assumptions_of(lab, base, settings, ranges)
    tried = [one for one in paths if one.path not in chosen or one.path in (ranges or {})]
    ends = [changed(lab, settings, one.path, at) for one in tried for at in (one.low, one.high)]
    lab.rows([end.settings for end in ends if end.traffic is None])  # side by side, and kept
    bars = [_bar(lab, goal, settings, base, one) for one in tried]
    moving = sorted(
        (bar for bar in bars if bar.moves), key=lambda bar: (-bar.swing(0), -bar.swing(1))
    )
    flips: list[Flip] = []
    if other is not None and top:
        by_misses = sorted(moving, key=lambda bar: -bar.swing(1))
        asked = {bar.assumption.path: bar for bar in (*moving[:top], *by_misses[:top])}
        flips = [
            find_flip(lab, goal, bar.assumption, settings, other, beyond=beyond)
            for bar in asked.values()
        ]
    lead: Pair = (None, None)
    dropped = len(bars) - len(moving)
    if replicates:
        moving, lead = _drawn(lab, goal, settings, other, moving, replicates)
    return Tornado(
        goal=goal,
        settings=settings,
        against=other or {},
        base=base,
        other=None if other is None else lab.row(other),
        bars=tuple(moving),
        dropped=dropped,
        flips=tuple(sorted(flips, key=lambda flip: flip.distance)),
        replicates=replicates,
        lead=lead,
    )


def _drawn(
    lab: Lab,
    goal: Goal,
    settings: Settings,
    other: Settings | None,
    bars: Sequence[Bar],
    replicates: int,
) -> tuple[list[Bar], Pair]:
    """Bars with intervals, by what they move, and how the two settings differ."""
    as_it_is = [Variant(one, None) for one in (settings, other) if one is not None]
    ends = [
        changed(lab, settings, bar.assumption.path, at)
        for bar in bars
        for at in (bar.assumption.low, bar.assumption.high)
    ]
    asked = [*as_it_is, *ends]
    rows = lab.rows(
        [one.settings for one in asked],
        traffic=[one.traffic for one in asked],
        replicates=replicates,
    )
    again = [replicates_of(row, goal) for row in rows]

    def pair(first: Again, second: Again) -> Pair:
        return _apart(0, first, second), _apart(1, first, second)

    base, after = again[0], again[len(as_it_is) :]
    found = []
    for bar, low, high in zip(bars, after[::2], after[1::2], strict=True):
        swing = [_swing(k, bar, (low, base, high)) for k in (0, 1)]
        drawn = Drawn(pair(base, low), pair(base, high), (swing[0], swing[1]))
        found.append(replace(bar, drawn=drawn))
    found.sort(key=lambda bar: (-bar.swing(0), -bar.swing(1)))
    return found, (None, None) if other is None else pair(base, again[1])


def _swing(k: int, bar: Bar, again: Sequence[Again]) -> Difference | None:
    """From the least to the most of the three, as they were on the traffic as it came."""
    ends = (bar.low, bar.base, bar.high)
    known = [(end[k], one) for end, one in zip(ends, again, strict=True) if end is not None]
    least, most = (of(known, key=lambda one: one[0])[1] for of in (min, max))
    return _apart(k, least, most)


def _apart(k: int, first: Again, second: Again) -> Difference | None:
    if k == 0:
        return apart(first, second, "usd_per_month", least=LEAST_USD)
    return apart(first, second, "sla_violation_share")


def _sides(
    lab: Lab, goal: Goal, against: Mapping[str, Any] | None, top: int
) -> tuple[Settings, Settings | None]:
    """The setting that wins, and the one it is held against."""
    if not top and against is None:
        return {}, None
    one: Settings = {}
    if against is not None:
        other = dict(against)
        if not settings_changed(lab.scenario, lab.variant(other)):
            raise ScenarioError(
                [
                    Problem(
                        f"{path} = {value} is the same setting as the scenario's own: expected "
                        "another to hold it against",
                        path,
                        value,
                    )
                    for path, value in other.items()
                ]
            )
    else:
        axes = space_of(lab.base, pinned=lab.pinned)
        if not any(len(values) > 1 for values in axes.values()):
            other = {"fleet.min": lab.scenario.fleet.min + 1}
        else:
            found = optimize(lab, axes, goal)
            rows = sorted(found.tried, key=goal.rank)
            as_good = [row["settings"] for row in found.plateau]
            beside = [row["settings"] for row in rows if row["settings"] not in as_good]
            beside += as_good[1:]
            if not beside:
                return dict(found.best["settings"]), None
            return dict(found.best["settings"]), dict(beside[0])
    if goal.rank(lab.row(other)) < goal.rank(lab.row(one)):
        one, other = other, one
    return one, other


def _bar(lab: Lab, goal: Goal, settings: Settings, base: Row, one: Assumption) -> Bar:
    ends: list[Headline | None] = []
    errors: list[str] = []
    for value in (one.low, one.high):
        variant = changed(lab, settings, one.path, value)
        (row,) = lab.rows([variant.settings], traffic=variant.traffic)
        if row["status"] == "ok":
            ends.append(headline(goal, row))
        else:
            ends.append(None)
            errors.append(f"{shown(value, one.unit)}: {row['error']}")
    return Bar(one, ends[0], ends[1], headline(goal, base), "; ".join(errors))
