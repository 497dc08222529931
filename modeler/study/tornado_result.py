"""What an answer rests on: the result of a tornado, in figures and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from modeler.scenario.figures import HOURS_A_MONTH
from modeler.study.assumed import Assumption
from modeler.study.compare_words import inside, percent
from modeler.study.flips import Flip, name_of, shown
from modeler.study.goal import Goal
from modeler.study.intervals import Difference, ends_of

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
Settings = dict[str, Any]
Headline = tuple[float, float]
Pair = tuple[Difference | None, Difference | None]

# A change of less than this, of what it changes, is none: it is seen in no table.
_NOTHING: Final = 1e-4


class Drawn(NamedTuple):
    """What an assumption does, over replicates of the same days and luck.

    Attributes
    ----------
    low, high : pair of Difference or None. Dollars a month and share missed at either end, less
        those at the value in force. [USD/month, 1]
    swing : pair of Difference or None. Between the ends, or the value in force, that are the least
        and the most on the traffic as it came. [USD/month, 1]
    """

    low: Pair
    high: Pair
    swing: Pair


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
    drawn : Drawn or None. The same over replicates.
    """

    assumption: Assumption
    low: Headline | None
    high: Headline | None
    base: Headline
    error: str = ""
    drawn: Drawn | None = None

    def swing(self, k: int) -> float:
        """Between the least and the most of the three: 0 of dollars, 1 of misses.

        Where every day is drawn once, fitted to the replicates, else of the traffic as it came.
        """
        told = self.interval(k)
        if told is not None:
            return told.middle
        ends = [end[k] for end in (self.low, self.base, self.high) if end is not None]
        return max(ends) - min(ends)

    def interval(self, k: int) -> Difference | None:
        """Of the swing; None where nothing was drawn again."""
        return None if self.drawn is None else self.drawn.swing[k]

    @property
    def told_apart(self) -> bool | None:
        """Whether it moves dollars or misses by more than chance; None where nothing says."""
        known = [one.differs for k in (0, 1) if (one := self.interval(k)) is not None]
        return any(known) if known else None

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
            **ends_of("swing_usd_per_month", self.interval(0)),
            "sla_violation_share_low": low[1], "sla_violation_share_high": high[1],
            "swing_sla_violation_share": self.swing(1),
            **ends_of("swing_sla_violation_share", self.interval(1)),
            "told_apart": self.told_apart, "error": self.error or None,
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
    replicates : int. Asked for, of each; fewer say enough where intervals are narrow.
    lead : pair of Difference or None. Dollars a month and share missed of the other setting less
        those of the one that wins, over the replicates. [USD/month, 1]
    """

    goal: Goal
    settings: Settings
    against: Settings
    base: Row
    other: Row | None
    bars: tuple[Bar, ...]
    dropped: int
    flips: tuple[Flip, ...]
    replicates: int = 0
    lead: Pair = (None, None)

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``tornado/1``."""
        usd, share = headline(self.goal, self.base)
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
            "replicates": self.replicates,
            "lead": {
                **ends_of("usd_per_month", self.lead[0]),
                **ends_of("sla_violation_share", self.lead[1]),
            },
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
        text = self._most()
        if self.other is None:
            return text
        one_side, other_side = self.sides()
        chosen = f"{one_side} rather than {other_side}"
        if not self.goal.keeps(self.base):
            text += " Neither setting keeps the service level."
        known = [one.differs for one in self.lead if one is not None]
        if known and not any(known):
            text += f" {chosen[0].upper()}{chosen[1:]}: whether the two differ this traffic "
            text += "does not say, nor where the advice flips."
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

    def _most(self) -> str:
        """What moves the answer most, of what does for sure."""
        told = [bar for bar in self.bars if bar.told_apart is not False]
        unsure = len(self.bars) - len(told)
        if not told:
            return (
                f"None of the {unsure} assumptions that move dollars or misses on this traffic "
                "does so by more than chance."
            )
        first = told[0]
        one = first.assumption
        text = f"The {name_of(one.path)} moves the answer most: "
        text += f"from {shown(one.low, one.unit)} to {shown(one.high, one.unit)} "
        usd, share = first.interval(0), first.interval(1)
        if first.swing(0) > 0.0 and (usd is None or usd.differs):
            text += f"it is worth ${first.swing(0):,.0f} a month"
            text += "" if usd is None else inside(usd.low, usd.high, lambda x: f"${x:,.0f}")
        else:
            text += f"{100.0 * first.swing(1):.2g} % of requests more are missed or fewer"
            if share is not None:
                text += inside(share.low, share.high, percent)
        text += "."
        if unsure:
            text += f" Of {len(self.bars)} that move it here {unsure} may do so by chance."
        return text

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


def headline(goal: Goal, row: Mapping[str, Any]) -> Headline:
    """Dollars a month with penalties, and the share missed. [USD/month, 1]"""
    return goal.usd_per_hour(row) * HOURS_A_MONTH, float(row["sla_violation_share"])
