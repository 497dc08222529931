"""One row of a run that was kept: which is meant, and the scenario that it is of."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import traces
from modeler.replay.run import Traffic
from modeler.scenario import Scenario, ScenarioError, scenario_id
from modeler.scenario.errors import nearest
from modeler.scenario.gates import Gate
from modeler.study.goal import Goal
from modeler.study.jobs.asked import unpacked
from modeler.study.jobs.ledger import Ledger, find, folder
from modeler.study.level import BREAKS, KEEPS, UNSURE, level_of
from modeler.study.result import Row, SweepResult
from modeler.study.runs import read_run
from modeler.study.verdict import best_row

BEST: Final = "best"
_KEPT: Final = {KEEPS: "keeps", BREAKS: "does not keep", UNSURE: "may or may not keep"}
_SHORTEST_ID: Final = 4  # digits of a scenario_id; what is shorter is the number of a row


class KeptError(Exception):
    """A row that a run does not have, or whose scenario cannot be had again."""

    exit_code: Final = 2


@dataclass(frozen=True)
class Kept:
    """A row of a run.

    Parameters
    ----------
    run : str. Its name.
    number : int. Of the row, from 1, in the order of the run's rows.
    row : dict.
    scenario : Scenario. What was replayed; without ``sweep`` and ``gates``.
    goal : Goal. That ``best`` went by.
    gates : tuple of Gate. The run's own, and those that ``best`` had to keep besides.
    hashes : frozenset of str. Of the contents of the run's traffic.
    """

    run: str
    number: int
    row: Row
    scenario: Scenario
    goal: Goal
    gates: tuple[Gate, ...]
    hashes: frozenset[str]

    @property
    def name(self) -> str:
        """The run, and the row by its ``scenario_id``."""
        return f"{self.run}:{self.row['scenario_id']}"

    def sentence(self) -> str:
        """What the row came to, in words."""
        row = self.row
        settings = ", ".join(f"{path} = {value}" for path, value in row["settings"].items())
        kept = _KEPT[level_of(row)]
        return (
            f"{self.name} is row {self.number}{f' ({settings})' if settings else ''}: "
            f"{self.goal.words(row)}, {100.0 * row['sla_violation_share']:.2g} % of requests "
            f"missed, which {kept} the service level."
        )

    def traffic(self) -> Traffic:
        """The traffic that was replayed.

        Raises
        ------
        traces.TraceError : it is not where it was.
        KeptError : what is there now is other traffic.
        """
        scenario = self.scenario
        found = traces.load(scenario.trace, seed=scenario.seed)
        if found.content_hash not in self.hashes:
            raise KeptError(
                f"{self.name}: {scenario.trace} is not the traffic that was replayed, and a number "
                "of the policy follows from it: sweep again, or over a trace that is a file"
            )
        return found


def kept_row(
    run: str,
    row: str = BEST,
    where: Path | None = None,
    *,
    goal: Goal | None = None,
    gates: tuple[Gate, ...] = (),
) -> Kept:
    """A row of a run, with its scenario.

    Parameters
    ----------
    run : str. A run's name, its beginning, or ``latest``.
    row : str. As for `row_number`.
    where : Path, optional. Folder of runs.
    goal, gates : as for `row_number`.

    Raises
    ------
    modeler.study.jobs.ledger.LedgerError : there is no such run.
    KeptError : no such row, one without a result, or one whose scenario is not held.
    """
    result = read_run(run, where)
    number = row_number(result, row, goal=goal, gates=gates)
    found = result.rows[number]
    with closing(Ledger(find(where or folder(), str(result.run)), read_only=True)) as ledger:
        places = [place for place, _, _ in ledger.rows()]
        text = ledger.scenario(places[number])
    name = f"{result.run}:{found['scenario_id']}"
    if text is None:
        raise KeptError(
            f"{name}: this run was kept by an earlier version, without its scenarios: sweep again"
        )
    try:
        scenario = unpacked(text)
    except ScenarioError as error:
        raise KeptError(f"{name} is of another version: {error.summary}") from error
    if scenario_id(scenario) != found["scenario_id"]:
        raise KeptError(f"{name} is of another version, with other defaults: sweep again")
    return Kept(
        run=str(result.run),
        number=number + 1,
        row=found,
        scenario=scenario,
        goal=goal or result.goal or Goal(),
        gates=_all(result, gates),
        hashes=frozenset(one["content_hash"] for one in result.meta["traces"]),
    )


def row_number(
    result: SweepResult, name: str, *, goal: Goal | None = None, gates: tuple[Gate, ...] = ()
) -> int:
    """Where the row that a name means stands among a run's rows, from 0.

    Parameters
    ----------
    result : SweepResult. As `modeler.study.runs.read_run` gives it.
    name : str. A row's ``scenario_id`` or the beginning of it, its number from 1, or ``best``: of
        an optimisation its winner, else the cheapest that keeps the service level and the gates;
        where none does, the one that misses least.
    goal : Goal, optional. For ``best``, instead of the run's own.
    gates : tuple of Gate. For ``best``, besides the run's own.

    Raises
    ------
    KeptError : no such row, or one without a result.
    """
    ids = [row["scenario_id"] for row in result.rows.brief]
    if name == BEST:
        return _best(result, goal or result.goal or Goal(), _all(result, gates))
    if len(name) >= _SHORTEST_ID and any(one.startswith(name) for one in ids):
        found = [k for k, one in enumerate(ids) if one.startswith(name)]
    else:
        found = [int(name) - 1] if name.isdecimal() and 0 < int(name) <= len(ids) else []
    if len({ids[k] for k in found}) != 1:
        held = ", ".join(dict.fromkeys(ids[k] for k in found or range(len(ids))))
        what = f"{len(found)} rows begin so: {held}" if found else _expected(name, ids)
        raise KeptError(f'{result.run}: row "{name}": {what}')
    row = result.rows.brief[found[0]]
    if row["status"] != "ok":
        raise KeptError(f"{result.run}:{name} has no result: {row['error']}")
    return found[0]


def _expected(name: str, ids: list[str]) -> str:
    if not ids:
        return "the run has no rows yet"
    shown = ", ".join(dict.fromkeys(ids[:6])) + (", ..." if len(ids) > 6 else "")
    near = nearest(name, [BEST, *ids])
    hint = f'; did you mean "{near}"?' if near else ""
    return f"expected best, a number from 1 to {len(ids)}, or an id of {shown}{hint}"


def _all(result: SweepResult, gates: tuple[Gate, ...]) -> tuple[Gate, ...]:
    return (*(verdict.gate for verdict in result.gates), *gates)


def _best(result: SweepResult, goal: Goal, gates: tuple[Gate, ...]) -> int:
    keeping = [
        k
        for k, row in enumerate(result.rows if gates else result.rows.brief)
        if goal.keeps(row) and all(gate.check(row).passed for gate in gates)
    ]
    chosen = keeping or [k for k, row in enumerate(result.rows.brief) if row["status"] == "ok"]
    if not chosen:
        raise KeptError(f"{result.run}: no row has a result")
    if goal == Goal():  # as the verdict has it, so that both name the same of two that tie
        brief = [result.rows.brief[k] for k in chosen]
        best = best_row(brief)
        return next(k for k in chosen if result.rows.brief[k] is best)
    return min(chosen, key=lambda k: goal.rank(result.rows[k]))
