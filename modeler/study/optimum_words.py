"""What an optimum says of its plateau and of how sure it is, in words that need no engineer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modeler.scenario import format_duration
from modeler.study.compare_words import between, dollars, percent, told_apart
from modeler.study.goal import Goal
from modeler.study.level import UNSURE, standing

if TYPE_CHECKING:
    from modeler.study.certainty import Again, Certainty

Row = Mapping[str, Any]
# How a setting is said that comes out worse by a goal's figure: one, and several.
_WORSE = {
    "usd_per_hour": ("costs", "cost", "more"),
    "latency_p99_s": ("is", "are", "slower"),
    "balance": ("comes", "come", "out worse"),
}
_CALLED = {"usd_per_hour": "dollars", "latency_p99_s": "latency", "balance": "that balance"}


def named(settings: Mapping[str, Any]) -> str:
    """Settings in a row.

    >>> named({"fleet.min": 2, "policy.target": 70.0})
    'fleet.min = 2, policy.target = 70'
    """
    return ", ".join(f"{path} = {_text(value)}" for path, value in settings.items())


def region(axes: Mapping[str, Sequence[Any]], rows: Sequence[Row]) -> dict[str, list[Any]]:
    """By setting, the values that rows hold, in their order."""
    return {
        path: [value for value in values if any(row["settings"][path] == value for row in rows)]
        for path, values in axes.items()
    }


def spans(axes: Mapping[str, Sequence[Any]], rows: Sequence[Row]) -> str:
    """Of the settings in which rows differ, from where to where; empty where they do in none."""
    wide = {path: values for path, values in region(axes, rows).items() if len(values) > 1}
    return "; ".join(f"{path} {_span(values)}" for path, values in wide.items())


def apart(one: Again, sure: Certainty) -> str:
    """A setting by what it has otherwise than the best."""
    best = sure.best.row["settings"]
    return named({path: v for path, v in one.row["settings"].items() if v != best[path]})


def figures(row: Row, goal: Goal, sure: Certainty | None) -> tuple[str, str]:
    """What the best comes to by its goal, and what it misses, with intervals where there are."""
    missed = f"{percent(row['sla_violation_share'])} of requests missed"
    if sure is None:
        return goal.words(row), missed

    def ends(figure: str, text: Callable[[float], str]) -> str:
        found = sure.best.replicates.band(figure)
        return "" if found is None else between(found.low, found.high, text)

    usd = ends("usd_per_hour", lambda usd: f"${usd:,.2f}")
    return (
        goal.words(row, usd, ends("latency_p99_s", format_duration)),
        missed + ends("sla_violation_share", percent),
    )


def how_sure(sure: Certainty, goal: Goal, axes: Mapping[str, Sequence[Any]], *, asked: bool) -> str:
    """How often the best keeps what is asked, what is as good, and what it saves.

    Parameters
    ----------
    asked : bool. Whether there is something to keep: the service level, or gates.
    """
    parts = []
    if asked:
        best = sure.best.replicates
        parts.append(
            f"It keeps what is asked in {best.kept} of {best.count} replicates of the traffic."
        )
        if sure.untold:
            parts.append(f"They do not tell of {', '.join(sure.untold)}.")
        parts += _unsettled(sure)
    parts += _plateau(sure, goal, axes)
    if asked:
        parts += _safer(sure)
    if sure.own is None:
        parts.append(f"As it stands the scenario cannot be replayed: {sure.own_error}.")
    elif sure.is_own(sure.best.row):
        parts.append("It is what the scenario has now.")
    else:
        pairs = min(sure.own.replicates.count, sure.best.replicates.count)
        parts.append(
            told_apart(
                sure.changes,
                pairs,
                second="Against the scenario as it stands it",
                both="It and the scenario as it stands",
            )
        )
        if goal.penalty_usd:
            parts.append("Dollars are with penalties.")
        if asked:
            own = sure.own.replicates
            parts.append(f"As it stands that is kept in {own.kept} of {own.count}.")
    return " ".join(parts)


def _plateau(sure: Certainty, goal: Goal, axes: Mapping[str, Sequence[Any]]) -> list[str]:
    said = []
    known = [one for one in sure.plateau if one.difference is not None]
    alike = _alike(sure)
    if alike:
        several = spans(axes, [sure.best.row, *(one.row for one in alike)])
        said.append(
            f"It need not be precise: {several} come within 1 % of it and do not differ from it in "
            f"{_CALLED[sure.figure]} by more than chance."
        )
    worse = [one for one in known if one.difference and one.difference.low > 0.0]
    if worse:
        one_is, are, how = _WORSE[sure.figure]
        most = max(one.difference.middle for one in worse if one.difference)
        said.append(
            f"{len(worse)} of the {len(sure.plateau)} other settings within 1 % of it "
            f"{one_is if len(worse) == 1 else are} {how} by more than chance, "
            f"up to {_amount(most, sure, goal)}."
        )
    better = [one for one in known if one.difference and one.difference.high < 0.0]
    if better:
        one = min(better, key=lambda one: one.difference.middle if one.difference else 0.0)
        assert one.difference is not None
        said.append(
            f"Over the replicates {apart(one, sure)} comes out better than it, by "
            f"{_amount(-one.difference.middle, sure, goal)}."
        )
    if sure.left_out:
        said.append(f"{sure.left_out} more within 1 % were not replayed again.")
    return said


def _alike(sure: Certainty) -> list[Again]:
    return [one for one in sure.plateau if one.difference and not one.difference.differs]


def _unsettled(sure: Certainty) -> list[str]:
    """That replicates, which are of the same few days, do not settle the service level."""
    row, share = sure.best.row, sure.best.replicates.band("sla_violation_share")
    allowed = row["sla"]["max_violation_share"]
    if share is None or standing(share, allowed, kept=bool(row["meets_sla"])) != UNSURE:
        return []
    return [
        f"Whether it keeps the service level, that {percent(allowed)} may be missed, over other "
        f"weeks this traffic does not say ({percent(share.low)} to {percent(share.high)})."
    ]


def _safer(sure: Certainty) -> list[str]:
    """Of what is as good, the one that keeps what is asked in most replicates, if more do."""
    own = sure.best.replicates
    more = [one for one in _alike(sure) if _often(one) > own.kept / own.count]
    if not more:
        return []
    one = max(more, key=_often)
    return [
        f"{apart(one, sure)} keeps what is asked in {one.replicates.kept} of "
        f"{one.replicates.count}."
    ]


def _often(one: Again) -> float:
    return one.replicates.kept / one.replicates.count


def _amount(difference: float, sure: Certainty, goal: Goal) -> str:
    if sure.figure == "usd_per_hour":
        return f"{dollars(difference)} an hour"
    if sure.figure == "latency_p99_s":
        return format_duration(difference)
    return f"{100.0 * difference / goal.value(sure.best.row):.2g} %"


def _span(values: Sequence[Any]) -> str:
    if len(values) > 2 and all(isinstance(value, int | float) for value in values):
        return f"{_text(values[0])} to {_text(values[-1])}"
    return " or ".join(map(_text, values))


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
