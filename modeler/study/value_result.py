"""What a second of cold start is worth: the result, in figures and in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modeler.study.goal import Goal
from modeler.study.intervals import Difference, ends_of
from modeler.study.value_costs import HELD, Costs
from modeler.study.value_words import advice, note_of, retuned

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]


@dataclass(frozen=True)
class Second:
    """A start, or one phase of it, made shorter.

    Parameters
    ----------
    phase : str. ``whole start``, where every phase is shorter by the same share, or one of them.
    length_s : float. Of it as it is. [s]
    removed_s : float. Taken from it: the step, or all of it. [s]
    start_shorter_s : float. By how much the start is shorter: less where another phase runs
        beside it. [s]
    usd_per_month : float. Saved by that, with penalties: where every day is drawn once, fitted to
        the replicates, else of the traffic as it came. [USD/month]
    misses_per_month : float. Fewer by that, likewise. [requests/month]
    settings : dict. Best under it.
    same : bool. Whether the settings that were best before are within 1 % of it.
    saved, spared : Difference or None. Intervals of the dollars and of the misses, replicate by
        replicate. [USD/month, requests/month]
    """

    phase: str
    length_s: float
    removed_s: float
    start_shorter_s: float
    usd_per_month: float
    misses_per_month: float
    settings: Mapping[str, Any]
    same: bool
    saved: Difference | None = None
    spared: Difference | None = None

    @property
    def usd_per_month_per_s(self) -> float:
        """Worth of a second. [USD/month/s]"""
        return self.usd_per_month / self.removed_s if self.removed_s > 0.0 else 0.0

    @property
    def per_s_ends(self) -> tuple[float, float] | None:
        """Interval of the worth of a second; None where nothing was drawn again. [USD/month/s]"""
        if self.saved is None or not self.removed_s > 0.0:
            return None
        return self.saved.low / self.removed_s, self.saved.high / self.removed_s

    @property
    def told_above_zero(self) -> bool:
        """Whether a second is worth something: for sure, where there is an interval."""
        return self.saved.low > 0.0 if self.saved is not None else self.usd_per_month > 0.0

    @property
    def worth_usd_per_month(self) -> float:
        """Of all its seconds that shorten the start, at the worth of one. [USD/month]"""
        return self.usd_per_month_per_s * self.length_s

    @property
    def misses_per_month_per_s(self) -> float:
        """Misses that a second saves. [requests/month/s]"""
        return self.misses_per_month / self.removed_s if self.removed_s > 0.0 else 0.0

    def to_dict(self) -> Row:
        """Plain data."""
        low, high = self.per_s_ends or (None, None)
        return {
            **_plain(self),
            **ends_of("usd_per_month", self.saved),
            **ends_of("misses_per_month", self.spared),
            "usd_per_month_per_s": self.usd_per_month_per_s,
            "usd_per_month_per_s_low": low,
            "usd_per_month_per_s_high": high,
            "misses_per_month_per_s": self.misses_per_month_per_s,
        }


@dataclass(frozen=True)
class Payback:
    """What an intervention saves.

    Parameters
    ----------
    intervention, why : str. Its name, and what it changes.
    saved_s : float. Of the median start. [s]
    usd_per_month : float or None. Saved by the whole of it, tuned anew: where every day is drawn
        once, fitted to the replicates, else of the traffic as it came; None where it could not be
        replayed. What it costs to keep is taken off where that is said. [USD/month]
    cost_usd : float or None. Of it, once; None where it is not said. [USD]
    running_usd_per_month : float or None. What it costs to keep, likewise. [USD/month]
    months : float or None. Until the cost is paid back; None without a cost, or where nothing is
        saved, for sure where there is an interval.
    months_low, months_high : float or None. Its range.
    saved : Difference or None. Interval of the dollars, replicate by replicate. [USD/month]
    settings : dict. Best under it.
    same : bool. Whether the settings that were best before are within 1 % of it.
    start_alone : bool. Whether the model is the same, and all that is saved is the start's.
    error : str. Why it could not be replayed.
    """

    intervention: str
    why: str
    saved_s: float
    usd_per_month: float | None = None
    cost_usd: float | None = None
    running_usd_per_month: float | None = None
    months: float | None = None
    months_low: float | None = None
    months_high: float | None = None
    saved: Difference | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    same: bool = True
    start_alone: bool = True
    error: str = ""

    def to_dict(self) -> Row:
        """Plain data."""
        return {**_plain(self), **ends_of("usd_per_month", self.saved)}

    @property
    def pays(self) -> bool:
        """Whether it saves dollars: for sure, where there is an interval."""
        return self.saved.low > 0.0 if self.saved is not None else (self.usd_per_month or 0.0) > 0.0

    @property
    def held_unpaid(self) -> bool:
        """Whether it holds something ready that is in no bill, and no one said what that costs."""
        return self.intervention in HELD and self.running_usd_per_month is None

    @property
    def note(self) -> str:
        """What to know of it, in words."""
        if self.error:
            return self.error
        words = [] if self.start_alone else ["of another model: it serves faster too"]
        if self.held_unpaid:
            words.append("what it costs to keep is not in it")
        if self.saved is not None and not self.pays:
            sure = self.saved.differs
            unsure = "not shown to pay: what is saved may be chance"
            words.append("makes it dearer" if sure else unsure)
        return "; ".join([*words, *([] if self.same else [retuned(self.settings)])])


@dataclass(frozen=True)
class SizeValue:
    """What a second is worth at one model size.

    Parameters
    ----------
    size_bytes : int. [bytes]
    start_s : float. Of an ordinary start. [s]
    usd_per_month : float. At the best settings, with penalties. [USD/month]
    settings : dict. The best.
    keeps : bool. Whether they keep what was asked; else they miss least.
    whole : Second or None. The start as a whole; None where there is no result.
    phases : tuple of Second.
    paybacks : tuple of Payback. Of what applies.
    without : tuple of (str, str). Interventions that do not apply, with why.
    error : str. Why there is no result.
    """

    size_bytes: int
    start_s: float = 0.0
    usd_per_month: float = 0.0
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    keeps: bool = True
    whole: Second | None = None
    phases: tuple[Second, ...] = ()
    paybacks: tuple[Payback, ...] = ()
    without: tuple[tuple[str, str], ...] = ()
    error: str = ""

    def to_dict(self) -> Row:
        """Plain data."""
        found = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name not in ("whole", "phases", "paybacks", "without")
        }
        return {
            **found,
            "whole": self.whole.to_dict() if self.whole else None,
            "phases": [one.to_dict() for one in self.phases],
            "paybacks": [one.to_dict() for one in self.paybacks],
            "does_not_apply": dict(self.without),
        }


@dataclass(frozen=True, repr=False)
class StartValue:
    """What a second of cold start is worth.

    Parameters
    ----------
    goal : Goal. What tuning looked for, with the penalty.
    step_s : float. By which starts and phases were made shorter. [s]
    costs : Costs. Of interventions.
    axes : mapping. What was tuned.
    sizes : tuple of SizeValue.
    replicates : int. Asked for, of each; fewer say enough where intervals are narrow.
    """

    goal: Goal
    step_s: float
    costs: Costs
    axes: Mapping[str, tuple[Any, ...]]
    sizes: tuple[SizeValue, ...]
    replicates: int = 0

    def to_dict(self) -> Row:
        """The versioned JSON contract, schema ``start-value/1``."""
        return {
            "schema": "start-value/1",
            "goal": {"kind": self.goal.kind, "weight": self.goal.weight,
                     "penalty_usd": self.goal.penalty_usd},
            "step_s": self.step_s,
            "cost_usd": self.costs.once_usd,
            "running_usd_per_month": self.costs.running_usd,
            "replicates": self.replicates,
            "axes": {path: list(values) for path, values in self.axes.items()},
            "sizes": [one.to_dict() for one in self.sizes],
            "advice": self.sentence(),
        }  # fmt: skip

    def rows(self) -> list[Row]:
        """One row a size and phase or intervention, as plain data."""
        found: list[Row] = []
        for size in self.sizes:
            at = {"size_bytes": size.size_bytes}
            if size.whole is None:
                found.append({**at, "what": "no result", "note": size.error})
                continue
            for one in (size.whole, *size.phases):
                found.append(
                    {
                        **at, "what": one.phase, "saved_s": one.start_shorter_s,
                        "usd_per_month": one.usd_per_month,
                        **ends_of("usd_per_month", one.saved),
                        "usd_per_month_per_s": one.usd_per_month_per_s,
                        "misses_per_month_per_s": one.misses_per_month_per_s,
                        "cost_usd": None, "running_usd_per_month": None,
                        "months": None, "months_low": None, "months_high": None,
                        "note": note_of(one),
                    }
                )  # fmt: skip
            for paid in size.paybacks:
                found.append(
                    {
                        **at, "what": f"+ {paid.intervention}", "saved_s": paid.saved_s,
                        "usd_per_month": paid.usd_per_month,
                        **ends_of("usd_per_month", paid.saved), "usd_per_month_per_s": None,
                        "misses_per_month_per_s": None, "cost_usd": paid.cost_usd,
                        "running_usd_per_month": paid.running_usd_per_month, "months": paid.months,
                        "months_low": paid.months_low, "months_high": paid.months_high,
                        "note": paid.note,
                    }
                )  # fmt: skip
        return found

    def frame(self) -> pd.DataFrame:
        """The rows as a table."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def sentence(self) -> str:
        """The advice in words."""
        return advice(self.sizes)

    def __repr__(self) -> str:
        return f"Value of a second at {len(self.sizes)} sizes: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def _plain(one: Second | Payback) -> Row:
    """Its fields, without those that hold intervals."""
    names = (field.name for field in dataclasses.fields(one))
    return {name: getattr(one, name) for name in names if name not in ("saved", "spared")}
