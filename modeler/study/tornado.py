"""Which assumption moves the answer most, and the value at which the advice changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.assumed import Assumption, assumptions_of, changed
from modeler.study.flips import BEYOND, Flip, find_flip, name_of, shown
from modeler.study.goal import Goal
from modeler.study.lab import Lab
from modeler.study.optimize import optimize
from modeler.study.space import space_of

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
Settings = dict[str, Any]
Headline = tuple[float, float]

# A change of less than this, of what it changes, is none: it is seen in no table.
_NOTHING: Final = 1e-4
TOP: Final = 3


@dataclass(frozen=True)
class Bar:
    """What one assumption does to the answer.

    Parameters
    ----------
    assumption : Assumption.
    low, high : tuple of float, or None. Dollars a month with penalties, and the share of requests
        missed, at either end; None where it could not be replayed. [USD/month, 1]
    base : tuple of float. The same at the value in force.
    error : str. Why an end could not be replayed.
    """

    assumption: Assumption
    low: Headline | None
    high: Headline | None
    base: Headline
    error: str = ""

    def swing(self, k: int) -> float:
        """Between the least and the most of the three: 0 of dollars, 1 of misses."""
        ends = [end[k] for end in (self.low, self.base, self.high) if end is not None]
        return max(ends) - min(ends)

    @property
    def moves(self) -> bool:
        """Whether it changes anything."""
        usd, share = (abs(value or 0.0) for value in self.base)
        dollars = self.swing(0) > _NOTHING * usd
        return bool(self.error) or dollars or self.swing(1) > _NOTHING * share

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        one, nothing = self.assumption, (None, None)
        low, high = self.low or nothing, self.high or nothing
        return {
            "path": one.path, "value": one.value, "unit": one.unit, "low": one.low,
            "high": one.high, "origin": one.origin, "source": one.source,
            "usd_per_month_low": low[0], "usd_per_month_high": high[0],
            "swing_usd_per_month": self.swing(0),
            "sla_violation_share_low": low[1], "sla_violation_share_high": high[1],
            "swing_sla_violation_share": self.swing(1), "error": self.error or None,
        }  # fmt: skip


@dataclass(frozen=True, repr=False)
class Tornado:
    """Assumptions by what they move, and where the advice changes.

    Parameters
    ----------
    goal : Goal.
    settings, against : dict. The setting that wins, and the one it is held against.
    base, other : dict. Their rows; `other` is None where nothing was held against it.
    bars : tuple of Bar. What moves the answer: by dollars, then by misses.
    dropped : int. Assumptions whose change changes nothing.
    flips : tuple of Flip. Of those that move most, the most fragile first.
    """

    goal: Goal
    settings: Settings
    against: Settings
    base: Row
    other: Row | None
    bars: tuple[Bar, ...]
    dropped: int
    flips: tuple[Flip, ...]

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``tornado/1``."""
        usd, share = _headline(self.goal, self.base)
        return {
            "schema": "tornado/1",
            "goal": {"kind": self.goal.kind, "weight": self.goal.weight,
                     "penalty_usd": self.goal.penalty_usd},
            "settings": self.settings,
            "against": self.against if self.other is not None else None,
            "usd_per_month": usd,
            "sla_violation_share": share,
            "assumptions": [bar.to_dict() for bar in self.bars],
            "dropped": self.dropped,
            "flips": [flip.to_dict() for flip in self.flips],
            "advice": self.sentence(),
        }  # fmt: skip

    def frame(self) -> pd.DataFrame:
        """One row an assumption, what moves dollars most first, with its flip point."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def rows(self) -> list[Row]:
        """The same as plain data."""
        flips = {flip.assumption.path: flip for flip in self.flips}
        found = []
        for bar in self.bars:
            flip = flips.get(bar.assumption.path)
            words = "" if flip is None else flip.words(self.sides()[1])
            at = None if flip is None else flip.value
            found.append({**bar.to_dict(), "flip": at, "flip_words": words})
        return found

    def sentence(self) -> str:
        """The advice in words."""
        if self.base["status"] != "ok":
            return f"Nothing could be replayed: {self.base['error']}."
        if not self.bars:
            return f"None of {self.dropped} assumptions changes dollars or misses."
        first = self.bars[0]
        one = first.assumption
        text = f"The {name_of(one.path)} moves the answer most: "
        text += f"from {shown(one.low, one.unit)} to {shown(one.high, one.unit)} "
        if first.swing(0) > 0.0:
            text += f"it is worth ${first.swing(0):,.0f} a month."
        else:
            text += f"{100.0 * first.swing(1):.2g} % of requests more are missed or fewer."
        if self.other is None:
            return text
        one_side, other_side = self.sides()
        chosen = f"{one_side} rather than {other_side}"
        if not self.goal.keeps(self.base):
            text += " Neither setting keeps the service level."
        sure = [flip for flip in self.flips if flip.value is not None]
        if not sure:
            return (
                f"{text} The advice, {chosen}, holds however far the {len(self.flips)} that move "
                "it most are off, each by itself, within what was searched."
            )
        most = sure[0]
        return (
            f"{text} Most fragile for {chosen}: {name_of(most.assumption.path)}, now "
            f"{shown(most.assumption.value, most.assumption.unit)}; {most.words(other_side)}."
        )

    def sides(self) -> tuple[str, str]:
        """The setting that wins and the other in words: what they do not share."""
        return _apart(self.settings, self.against), _apart(self.against, self.settings)

    def __repr__(self) -> str:
        return f"Tornado of {len(self.bars)} assumptions: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def words_of(settings: Mapping[str, Any]) -> str:
    """Settings in a sentence."""
    if not settings:
        return "the scenario as it is"
    return ", ".join(
        f"{path} = {value:g}" if isinstance(value, float) else f"{path} = {value}"
        for path, value in settings.items()
    )


def _apart(settings: Settings, other: Settings) -> str:
    if not settings:
        return words_of({})
    return words_of({k: v for k, v in settings.items() if k not in other or other[k] != v})


def tornado(
    lab: Lab,
    *,
    ranges: Mapping[str, tuple[Any, Any]] | None = None,
    against: Mapping[str, Any] | None = None,
    goal: Goal | None = None,
    top: int = TOP,
    beyond: float = BEYOND,
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

    Returns
    -------
    Tornado

    Raises
    ------
    ScenarioError, traces.TraceError : as a sweep's; ranges that cannot be.

    Notes
    -----
    Two replays an assumption, all with the same seed: requests, services and starts are drawn by
    number, so that a difference is the assumption's. One assumption is changed at a time; what two
    of them do together is not seen.
    """
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
    return Tornado(
        goal=goal,
        settings=settings,
        against=other or {},
        base=base,
        other=None if other is None else lab.row(other),
        bars=tuple(moving),
        dropped=len(bars) - len(moving),
        flips=tuple(sorted(flips, key=lambda flip: flip.distance)),
    )


def _sides(
    lab: Lab, goal: Goal, against: Mapping[str, Any] | None, top: int
) -> tuple[Settings, Settings | None]:
    """The setting that wins, and the one it is held against."""
    if not top and against is None:
        return {}, None
    one: Settings = {}
    if against is not None:
        other = dict(against)
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


def _headline(goal: Goal, row: Mapping[str, Any]) -> Headline:
    return goal.usd_per_hour(row) * HOURS_A_MONTH, float(row["sla_violation_share"])


def _bar(lab: Lab, goal: Goal, settings: Settings, base: Row, one: Assumption) -> Bar:
    ends: list[Headline | None] = []
    errors: list[str] = []
    for value in (one.low, one.high):
        variant = changed(lab, settings, one.path, value)
        (row,) = lab.rows([variant.settings], traffic=variant.traffic)
        if row["status"] == "ok":
            ends.append(_headline(goal, row))
        else:
            ends.append(None)
            errors.append(f"{shown(value, one.unit)}: {row['error']}")
    return Bar(one, ends[0], ends[1], _headline(goal, base), "; ".join(errors))
