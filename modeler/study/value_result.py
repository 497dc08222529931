"""What a second of cold start is worth: the result, in figures and in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modeler.scenario import format_duration, format_size
from modeler.study.goal import Goal

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
    usd_per_month : float. Saved by that, with penalties. [USD/month]
    misses_per_month : float. Fewer by that. [requests/month]
    settings : dict. Best under it.
    same : bool. Whether the settings that were best before are within 1 % of it.
    """

    phase: str
    length_s: float
    removed_s: float
    start_shorter_s: float
    usd_per_month: float
    misses_per_month: float
    settings: Mapping[str, Any]
    same: bool

    @property
    def usd_per_month_per_s(self) -> float:
        """Worth of a second. [USD/month/s]"""
        return self.usd_per_month / self.removed_s if self.removed_s > 0.0 else 0.0

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
        return {
            **dataclasses.asdict(self),
            "usd_per_month_per_s": self.usd_per_month_per_s,
            "misses_per_month_per_s": self.misses_per_month_per_s,
        }


@dataclass(frozen=True)
class Payback:
    """What an intervention saves.

    Parameters
    ----------
    intervention, why : str. Its name, and what it changes.
    saved_s : float. Of the median start. [s]
    usd_per_month : float or None. Saved by the whole of it, tuned anew; None where it could not be
        replayed. What the intervention itself costs is not in it. [USD/month]
    months : float or None. Until the cost is paid back; None without a cost, or where nothing is
        saved.
    settings : dict. Best under it.
    same : bool. Whether the settings that were best before are within 1 % of it.
    start_alone : bool. Whether the model is the same, and all that is saved is the start's.
    error : str. Why it could not be replayed.
    """

    intervention: str
    why: str
    saved_s: float
    usd_per_month: float | None = None
    months: float | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    same: bool = True
    start_alone: bool = True
    error: str = ""

    def to_dict(self) -> Row:
        """Plain data."""
        return dataclasses.asdict(self)

    @property
    def note(self) -> str:
        """What to know of it, in words."""
        if self.error:
            return self.error
        words = [] if self.start_alone else ["of another model: it serves faster too"]
        return "; ".join([*words, *([] if self.same else [_retuned(self.settings)])])


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
    cost_usd : float or None. To be paid back. [USD]
    axes : mapping. What was tuned.
    sizes : tuple of SizeValue.
    """

    goal: Goal
    step_s: float
    cost_usd: float | None
    axes: Mapping[str, tuple[Any, ...]]
    sizes: tuple[SizeValue, ...]

    def to_dict(self) -> Row:
        """The versioned JSON contract, schema ``start-value/1``."""
        return {
            "schema": "start-value/1",
            "goal": {"kind": self.goal.kind, "weight": self.goal.weight,
                     "penalty_usd": self.goal.penalty_usd},
            "step_s": self.step_s,
            "cost_usd": self.cost_usd,
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
                        "usd_per_month_per_s": one.usd_per_month_per_s,
                        "misses_per_month_per_s": one.misses_per_month_per_s,
                        "months": None, "note": _note(one),
                    }
                )  # fmt: skip
            for paid in size.paybacks:
                found.append(
                    {
                        **at, "what": f"+ {paid.intervention}", "saved_s": paid.saved_s,
                        "usd_per_month": paid.usd_per_month, "usd_per_month_per_s": None,
                        "misses_per_month_per_s": None, "months": paid.months,
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
        return " ".join(self._of(size) for size in self.sizes)

    def _of(self, size: SizeValue) -> str:
        at = format_size(size.size_bytes)
        if size.whole is None:
            return f"At {at} there is no result: {size.error}."
        worth = size.whole.usd_per_month_per_s
        text = f"One second of cold start is worth {_usd(worth)} a month at {at}"
        if worth < 0.0:
            text = (
                f"One second of cold start is worth nothing at {at} that one replay shows: "
                f"{_usd(worth)} a month"
            )
        most = max(size.phases, key=lambda one: one.worth_usd_per_month, default=None)
        if worth > 0.0 and most is not None and most.worth_usd_per_month > 0.0:
            text += (
                f", most of it in {most.phase.replace('_', ' ')} ({format_duration(most.length_s)})"
            )
        alone = [one for one in size.paybacks if one.start_alone]
        best = max(alone, key=lambda one: one.usd_per_month or 0.0, default=None)
        if best is not None and (best.usd_per_month or 0.0) > 0.0:
            text += f"; what saves most is {best.intervention}, {format_duration(best.saved_s)}: "
            text += f"{_usd(best.usd_per_month or 0.0)} a month"
            if best.months is not None:
                text += f", paid back in {best.months:.1f} months"
        text += "."
        if size.whole.same and all(one.same for one in size.phases):
            text += " The policy need not be tuned anew for a start that much shorter."
        if worth <= 0.0 and (best is None or (best.usd_per_month or 0.0) <= 0.0):
            text += " For this traffic spend nothing on faster starts."
        if not size.keeps:
            text += " No setting here keeps the service level; dollars are of what misses least:"
            text += " say with --penalty what a miss costs."
        return text

    def __repr__(self) -> str:
        return f"Value of a second at {len(self.sizes)} sizes: {self.sentence()}"

    def _repr_html_(self) -> str:
        table: str = self.frame().to_html(index=False)
        return f"<p>{self.sentence()}</p>{table}"


def _note(one: Second) -> str:
    words = []
    if one.removed_s - one.start_shorter_s > 1e-6 * max(one.removed_s, 1.0):
        words.append("hidden by what runs beside it")
    if not one.same:
        words.append(_retuned(one.settings))
    return "; ".join(words)


def _retuned(settings: Mapping[str, Any]) -> str:
    return "tuned anew: " + ", ".join(
        f"{path} = {value:g}" if isinstance(value, float) else f"{path} = {value}"
        for path, value in settings.items()
    )


def _usd(value: float) -> str:
    sign = "-" if value < 0.0 else ""
    size = abs(value)
    return f"{sign}${size:,.0f}" if size >= 10.0 or size == 0.0 else f"{sign}${size:.2f}"
