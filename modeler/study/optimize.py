"""The best setting of many with few replays, and how flat it is about it.

Everything is replayed on a short piece of the traffic; the few that promise most are replayed on
all of it, and what they show corrects what is foreseen of the others. All see the same traffic and
the same luck, so that a difference is the setting's. What is asked for is a region: every setting
whose value is within a hundredth of the best is as good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modeler.predict import cold_start_law, instance_of
from modeler.replay.run import Traffic
from modeler.scenario.gates import Gate
from modeler.study.certainty import Certainty, certainty
from modeler.study.goal import Goal
from modeler.study.lab import Lab
from modeler.study.optimum_words import figures, how_sure, region, spans
from modeler.study.pieces import piece
from modeler.study.search import Search
from modeler.study.settings_words import explained
from modeler.study.space import combinations, neighbours

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
Settings = dict[str, Any]

# Share of the traffic's length that everything is replayed on, and of the replays of an exhaustive
# search that is not gone beyond: 0.07 of them are spent on the pieces.
_PIECE: Final = 1 / 14
_BUDGET: Final = 0.2
_SEARCHED: Final = 0.19  # of them for the best; the rest follows the plateau about it
_LEAST_REPLAYS: Final = 4.0  # of all of the traffic, however small the space
# Of a piece shorter than this many starts, a start is most.
_LEAST_STARTS: Final = 6.0
_LEAST_PIECE_S: Final = 1800.0
# A gain that is expected to be smaller, relative to the best, is not looked for.
_LEAST_GAIN: Final = 0.0005


@dataclass(frozen=True, repr=False)
class Optimum:
    """What an optimisation found.

    Parameters
    ----------
    goal : Goal.
    axes : mapping. What was varied.
    best : dict. The row of the best setting.
    plateau : tuple of dict. Rows within a hundredth of its value, the best first, all replayed on
        all of the traffic.
    tried : tuple of dict. Every row that was replayed on all of it.
    settings : int. In the whole space.
    replays : float. Made, in replays of the whole traffic.
    keeps : bool. Whether the best keeps what was asked; else it is what misses least.
    gates : tuple of Gate. What it had to keep besides.
    certainty : Certainty, optional. Over replicates of the traffic, where they were asked for.
    """

    goal: Goal
    axes: Mapping[str, tuple[Any, ...]]
    best: Row
    plateau: tuple[Row, ...]
    tried: tuple[Row, ...]
    settings: int
    replays: float
    keeps: bool
    gates: tuple[Gate, ...] = ()
    certainty: Certainty | None = None

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``optimum/1``."""
        return {
            "schema": "optimum/1",
            "goal": {"kind": self.goal.kind, "weight": self.goal.weight,
                     "penalty_usd": self.goal.penalty_usd},
            "axes": {path: list(values) for path, values in self.axes.items()},
            "settings": self.settings,
            "replays": self.replays,
            "keeps": self.keeps,
            "advice": self.sentence(),
            "region": self.region(),
            "best": self.best,
            "plateau": list(self.plateau),
            "certainty": None if self.certainty is None else self.certainty.to_dict(),
        }  # fmt: skip

    def region(self) -> dict[str, list[Any]]:
        """By setting, the values that the plateau holds, in their order."""
        return region(self.axes, self.plateau)

    def frame(self) -> pd.DataFrame:
        """One row a setting that was replayed on all of the traffic, the best first.

        Where there are replicates: the scenario as it stands too, intervals, and the difference of
        the goal's figure to the best's.
        """
        import pandas as pd

        rows = sorted(self.tried, key=self.goal.rank)
        sure = self.certainty
        if sure is not None and sure.own is not None and not any(map(sure.is_own, rows)):
            rows.append(sure.own.row)
        frame = pd.DataFrame(
            [{**row["settings"], **_shown(self.goal, row), **_sure(sure, row)} for row in rows]
        )
        frame["plateau"] = [any(row is one for one in self.plateau) for row in rows]
        return frame

    def sentence(self) -> str:
        """The advice in words."""
        if self.best["status"] != "ok":
            return f"Nothing could be replayed: {self.best['error']}."
        chosen = explained(self.best["settings"])
        value, missed = figures(self.best, self.goal, self.certainty)
        if self.keeps:
            text = f"Take {chosen}: {value}, {missed}."
        else:
            broken = [gate.text for gate in self.gates if not gate.check(self.best).passed]
            gates = f", nor {', '.join(broken)}" if broken else ""
            text = (
                f"{self._none()} keeps what is asked{gates}; {chosen} comes closest: "
                f"{missed} at {value}."
            )
        if self.certainty is not None:
            asked = self.goal.kind == "cheapest" or bool(self.gates)
            return f"{text} {how_sure(self.certainty, self.goal, self.axes, asked=asked)}"
        several = spans(self.axes, self.plateau)
        if several:
            text += f" It need not be precise: {several} come within 1 % of it."
        return text

    def _none(self) -> str:
        """Of how much it is said that nothing keeps what is asked."""
        if len(self.tried) == self.settings:
            return "No setting here"
        replayed = sum(row["status"] == "ok" for row in self.tried)
        return f"None of the {replayed} settings that were replayed, of {self.settings},"

    def __repr__(self) -> str:
        return f"Optimum of {self.settings} settings: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def _shown(goal: Goal, row: Row) -> dict[str, Any]:
    ok = row["status"] == "ok"
    return {
        "usd_per_hour": goal.usd_per_hour(row) if ok else None,
        "sla_violation_share": row["sla_violation_share"],
        "latency_p99_s": row["latency_s"]["p99"] if ok else None,
        "meets_sla": row["meets_sla"],
        "error": row["error"],
    }


def _sure(sure: Certainty | None, row: Row) -> dict[str, Any]:
    if sure is None:
        return {}
    again = sure.of(row)
    known = {"difference": None} if again is None else again.to_dict()
    found: dict[str, Any] = {}
    for name in ("usd_per_hour", "sla_violation_share"):
        ends = known.get(name) or {}
        found |= {f"{name}_{end}": ends.get(end) for end in ("low", "high")}
    apart = known["difference"] or {}
    found |= {f"difference_{end}": apart.get(end) for end in ("low", "high")}
    return {
        **found,
        "differs": apart.get("differs"),
        "kept": known.get("kept"),
        "replicates": known.get("replicates"),
        "as_it_stands": sure.is_own(row),
    }


def optimize(
    lab: Lab,
    axes: Mapping[str, Sequence[Any]],
    goal: Goal | None = None,
    *,
    gates: Sequence[Gate] = (),
    replicates: int = 0,
) -> Optimum:
    """Find the best combination of settings.

    Parameters
    ----------
    lab : Lab. Of the scenario; see `modeler.study.space.space_of` for axes of its policy.
    axes : mapping of path to values. Each with its values in order.
    goal : Goal, optional. By default the cheapest that keeps the service level.
    gates : sequence of Gate. What the winner must keep besides.
    replicates : int. Of the plateau and of the scenario as it stands, for intervals and for what
        differs by more than chance; 0 for none.

    Returns
    -------
    Optimum

    Raises
    ------
    modeler.study.goal.GoalError : nothing to choose from, or traffic that cannot be drawn again.
    ScenarioError, traces.TraceError : as a sweep's.

    Notes
    -----
    Two rungs of successive halving (Jamieson and Talwalkar 2016, "Non-stochastic Best Arm
    Identification and Hyperparameter Optimization") with the length of traffic as the resource;
    who comes to the second is decided one by one, by `modeler.study.search`. Together they stay
    within a fifth of the replays that trying everything would take, or within four replays where
    that is fewer; a space of four settings or fewer is replayed whole.
    """
    goal = goal or Goal()
    space = {path: tuple(values) for path, values in axes.items()}
    settings = combinations(space)
    search = Search(lab, settings, space, goal, tuple(gates))
    budget = max(_BUDGET * len(settings), _LEAST_REPLAYS)
    if len(settings) <= budget:
        search.whole(settings)
    else:
        _within(budget, search, piece(lab.traffic(), _PIECE, least_s=_least_s(lab)))
    best = search.best()
    plateau = search.plateau(best) if search.keeps(best) else [best]
    sure = None
    if replicates and best["status"] == "ok":
        sure = certainty(lab, space, plateau, goal, tuple(gates), replicates)
    return Optimum(
        goal=goal,
        axes=space,
        best=best,
        plateau=tuple(plateau),
        tried=tuple(search.rows),
        settings=len(settings),
        replays=search.spent,
        keeps=search.keeps(best),
        gates=tuple(gates),
        certainty=sure,
    )


def _within(budget: float, search: Search, short: Traffic | None) -> None:
    """Look for the best, and for what is as good, with so many replays of all of the traffic."""
    if short is not None:
        search.on_piece(short)
    searched = max(_SEARCHED / _BUDGET * budget, 3.0)
    while search.spent + 1.0 <= searched and search.more(_LEAST_GAIN, searched):
        pass
    # Where nothing keeps what is asked there is no plateau: all goes into looking on.
    while not search.keeps(search.best()) and search.more(_LEAST_GAIN, budget):
        pass
    # The plateau is followed outwards as far as the budget goes.
    best = search.best()
    while search.keeps(best) and search.spent + 1.0 <= budget:
        edge = [
            one for row in search.plateau(best) for one in neighbours(row["settings"], search.axes)
        ]
        if not search.whole(edge[: int(budget - search.spent)]):
            break
        best = search.best()


def _least_s(lab: Lab) -> float:
    law = cold_start_law(lab.scenario, instance_of(lab.scenario)).waterfall()
    return max(_LEAST_PIECE_S, _LEAST_STARTS * float(law.total_p95_s))
