"""What a second of cold start is worth, with the policy tuned anew for each start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from modeler.predict import ModelDoesNotFit
from modeler.predict.interventions import AS_IT_IS, Saving, starts
from modeler.predict.timeline import Timeline
from modeler.scenario import Scenario, with_values
from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.goal import Goal
from modeler.study.intervals import LEAST_USD, Difference, money
from modeler.study.lab import Lab
from modeler.study.optimize import optimize
from modeler.study.replicates import Replicates, apart, replicates_of
from modeler.study.search import WITHIN
from modeler.study.shorter import lengths, settings_for, timeline_of, total_s
from modeler.study.space import space_of
from modeler.study.value_costs import Costs, less
from modeler.study.value_result import Payback, Second, SizeValue, StartValue
from traces.blocks import blocks_of

Row = dict[str, Any]
Settings = dict[str, Any]

STEP_S: Final = 10.0
WHOLE_START: Final = "whole start"


class _Tuned(NamedTuple):
    """A start, and what was tried under it."""

    lab: Lab
    rows: list[Row]


def start_value(
    lab: Lab,
    axes: Mapping[str, Sequence[Any]] | None = None,
    *,
    sizes: Sequence[int] | None = None,
    goal: Goal | None = None,
    step_s: float = STEP_S,
    cost_usd: float | Mapping[str, float] | None = None,
    running_usd: Mapping[str, float] | None = None,
    interventions: bool = True,
    replicates: int = 0,
) -> StartValue:
    """Dollars a month that a shorter start saves: by second, by phase, by size, by intervention.

    Parameters
    ----------
    lab : Lab. Of the scenario.
    axes : mapping of path to values, optional. What is tuned for each start; by default what
        `modeler.study.space_of` gives.
    sizes : sequence of int, optional. By default the scenario's own. [bytes]
    goal : Goal, optional. What tuning looks for; its penalty is part of the dollars. By default
        the cheapest that keeps the service level.
    step_s : float. By which a start, and each phase, is made shorter. [s]
    cost_usd : float or mapping, optional. What an intervention costs once, to be paid back; by name
        where they differ. [USD]
    running_usd : mapping, optional. By name what one costs to keep, taken off what it saves.
        [USD/month]
    interventions : bool. Whether each that applies is replayed too.
    replicates : int. Of the traffic's days, for intervals about what is saved; 0 for none.

    Returns
    -------
    StartValue

    Raises
    ------
    ScenarioError, traces.TraceError : as a sweep's; too little traffic to draw it again.
    modeler.study.goal.GoalError : the cost of what is no intervention.
    ValueError : a step of 0 or less.

    Notes
    -----
    Every start is tuned by `modeler.study.optimize` over the same axes, on the same requests and
    draws; then whatever was best under one of them is replayed under all of them, so that a
    difference is not that of two searches. Replicates are of the best settings under each, with the
    same days, draws and warm-up for all; what they save is then fitted to them.
    """
    if not step_s > 0.0:
        raise ValueError(f"step_s {step_s:g}: expected seconds above 0")
    if replicates:
        blocks_of(lab.traffic())  # too little is refused now, and not after the work
    goal = goal or Goal()
    space = {
        path: tuple(v)
        for path, v in (space_of(lab.base, pinned=lab.pinned) if axes is None else axes).items()
    }
    costs = Costs(cost_usd, running_usd)
    found = [
        _of_size(lab, space, size, goal, step_s, costs, interventions, replicates)
        for size in sizes or (lab.scenario.model.size,)
    ]
    return StartValue(goal, step_s, costs, space, tuple(found), replicates)


def _of_size(
    lab: Lab,
    space: Mapping[str, tuple[Any, ...]],
    size: int,
    goal: Goal,
    step_s: float,
    costs: Costs,
    interventions: bool,
    replicates: int,
) -> SizeValue:
    scenario = with_values(lab.scenario, {"model.size": size})
    try:
        pairs = list(starts(scenario)) if interventions else []
        timeline = timeline_of(scenario)
    except ModelDoesNotFit as error:
        return SizeValue(size, error=str(error))
    now = lengths(timeline)
    start_s = total_s(timeline)
    # Pull and fetch with rates of their own: what a changed start is held against.
    apart = _set(scenario, settings_for(scenario, timeline, {}))
    whole = {phase: seconds * max(1.0 - step_s / start_s, 0.0) for phase, seconds in now.items()}
    shorter = {phase: {phase: max(seconds - step_s, 0.0)} for phase, seconds in now.items()}
    changes = [(WHOLE_START, whole), *(shorter.items() if len(now) > 1 else ())]
    scenarios = {AS_IT_IS: scenario, "": apart}
    for name, want in changes:
        scenarios[name] = _set(scenario, settings_for(scenario, timeline, want))
    applied = [(saving, to) for saving, to in pairs if saving.intervention != AS_IT_IS and to]
    for saving, to in applied:
        scenarios[f"+{saving.intervention}"] = _with(scenario, to)
    tuned = _tune(lab, scenarios, space, goal)
    base, held = _best(tuned[AS_IT_IS], goal), _best(tuned[""], goal)
    if base["status"] != "ok":
        return SizeValue(size, error=str(base["error"]))
    drawn = _Drawn(lab, goal, tuned, replicates)
    seconds = []
    for name, _ in changes:
        changed = timeline_of(scenarios[name])
        gone = start_s if name == WHOLE_START else now[name]
        left = total_s(changed) if name == WHOLE_START else lengths(changed).get(name, 0.0)
        best = _best(tuned[name], goal)
        saved, spared = drawn.saved("", name), drawn.spared("", name)
        usd = money(_usd(goal, held) - _usd(goal, best))
        seconds.append(
            Second(
                phase=name,
                length_s=gone,
                removed_s=gone - left,
                start_shorter_s=start_s - total_s(changed),
                usd_per_month=usd if saved is None else saved.middle,
                misses_per_month=_misses(held) - _misses(best) if spared is None else spared.middle,
                settings=best["settings"],
                same=_as_good(tuned[name], goal, held["settings"]),
                saved=saved,
                spared=spared,
            )
        )
    return SizeValue(
        size_bytes=size,
        start_s=start_s,
        usd_per_month=_usd(goal, base),
        settings=base["settings"],
        keeps=goal.keeps(base),
        whole=seconds[0],
        phases=tuple(seconds[1:]),
        paybacks=tuple(
            _payback(
                goal, saving, tuned, AS_IT_IS if isinstance(to, Scenario) else "", costs, drawn
            )
            for saving, to in applied
        ),
        without=tuple((one.intervention, one.why) for one, to in pairs if to is None),
    )


def _payback(
    goal: Goal,
    saving: Saving,
    tuned: Mapping[str, _Tuned],
    against: str,
    costs: Costs,
    drawn: _Drawn,
) -> Payback:
    base = _best(tuned[against], goal)
    name = f"+{saving.intervention}"
    one = tuned[name]
    same_model = one.lab.scenario.model == tuned[AS_IT_IS].lab.scenario.model
    best = _best(one, goal)
    if best["status"] != "ok":
        return Payback(saving.intervention, saving.why, saving.saved_s or 0.0, error=best["error"])
    cost_usd, kept_usd = costs.once(saving.intervention), costs.running(saving.intervention)
    saved = drawn.saved(against, name)
    if saved is not None:
        saved = less(saved, kept_usd or 0.0)
    usd = (
        money(_usd(goal, base) - _usd(goal, best)) - (kept_usd or 0.0)
        if saved is None
        else saved.middle
    )
    months = [
        cost_usd / one if cost_usd is not None and one > 0.0 else None
        for one in ((usd,) if saved is None else (usd, saved.high, saved.low))
    ]
    paid = saved is None or saved.low > 0.0
    return Payback(
        intervention=saving.intervention,
        why=saving.why,
        saved_s=saving.saved_s or 0.0,
        usd_per_month=usd,
        cost_usd=cost_usd,
        running_usd_per_month=kept_usd,
        months=months[0] if paid else None,
        months_low=months[1] if saved is not None and saved.differs else None,
        months_high=months[2] if saved is not None and saved.differs else None,
        saved=saved,
        settings=best["settings"],
        same=_as_good(one, goal, base["settings"]),
        start_alone=same_model,
    )


class _Drawn:
    """Replicates of the best settings under each start, all with the same days and luck."""

    def __init__(self, lab: Lab, goal: Goal, tuned: Mapping[str, _Tuned], replicates: int) -> None:
        self._again: dict[str, Replicates | None] = {}
        if not replicates:
            return
        best = {name: _best(one, goal) for name, one in tuned.items()}
        names = [name for name, row in best.items() if row["status"] == "ok"]
        scenarios = [tuned[name].lab.variant(best[name]["settings"]) for name in names]
        rows = zip(names, lab.rows(scenarios, replicates=replicates), strict=True)
        self._again = {name: replicates_of(row, goal) for name, row in rows}

    def saved(self, against: str, name: str) -> Difference | None:
        """Dollars fewer under a start than under another. [USD/month]"""
        return self._apart(against, name, "usd_per_month", LEAST_USD)

    def spared(self, against: str, name: str) -> Difference | None:
        """Misses fewer. [requests/month]"""
        return self._apart(against, name, "missed_per_month", 1e-6)

    def _apart(self, against: str, name: str, figure: str, least: float) -> Difference | None:
        one, other = self._again.get(name), self._again.get(against)
        return apart(one, other, figure, least=least)


def _tune(
    lab: Lab,
    scenarios: Mapping[str, Scenario],
    space: Mapping[str, tuple[Any, ...]],
    goal: Goal,
) -> dict[str, _Tuned]:
    """Each start with its policy tuned; the winners of all are tried under every one."""
    tuned: dict[str, _Tuned] = {}
    for name, scenario in scenarios.items():
        own = lab.beside(scenario)
        rows = list(optimize(own, space, goal).tried) if space else [own.row({})]
        tuned[name] = _Tuned(own, rows)
    winners: list[Settings] = []
    for one in tuned.values():
        best = dict(_best(one, goal)["settings"])
        if best not in winners:
            winners.append(best)
    for own, rows in tuned.values():
        known = [row["settings"] for row in rows]
        rows += own.rows([best for best in winners if best not in known])
    return tuned


def _best(one: _Tuned, goal: Goal) -> Row:
    return min(one.rows, key=goal.rank)


def _as_good(one: _Tuned, goal: Goal, settings: Mapping[str, Any]) -> bool:
    """Whether settings are within a hundredth of the best under a start."""
    best = _best(one, goal)
    same = next((row for row in one.rows if row["settings"] == settings), best)
    return goal.keeps(same) == goal.keeps(best) and bool(
        goal.value(same) <= (1.0 + WITHIN) * goal.value(best)
    )


def _with(scenario: Scenario, to: Scenario | Timeline) -> Scenario:
    if isinstance(to, Scenario):
        return to
    return _set(scenario, settings_for(scenario, to, {}))


def _set(scenario: Scenario, settings: Settings) -> Scenario:
    return with_values(scenario, settings) if settings else scenario


def _usd(goal: Goal, row: Row) -> float:
    """With penalties. [USD/month]"""
    return goal.usd_per_hour(row) * HOURS_A_MONTH if row["status"] == "ok" else float("nan")


def _misses(row: Row) -> float:
    """[requests/month]"""
    if row["status"] != "ok" or not row["duration_s"]:
        return float("nan")
    missed = round(row["sla_violation_share"] * row["requests"])
    return float(missed / row["duration_s"] * 3600.0 * HOURS_A_MONTH)
