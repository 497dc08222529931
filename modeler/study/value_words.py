"""What a second of cold start is worth, in sentences that need no engineer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from modeler.scenario import format_duration, format_size

if TYPE_CHECKING:
    from modeler.study.value_result import Payback, Second, SizeValue


def advice(sizes: Sequence[SizeValue]) -> str:
    """The advice of every size."""
    return " ".join(_of(size) for size in sizes)


def note_of(one: Second) -> str:
    """What to know of a phase that was made shorter."""
    words = []
    if one.removed_s - one.start_shorter_s > 1e-6 * max(one.removed_s, 1.0):
        words.append("hidden by what runs beside it")
    if one.saved is not None and not one.saved.differs:
        words.append("not told apart from nothing")
    if not one.same:
        words.append(retuned(one.settings))
    return "; ".join(words)


def retuned(settings: Mapping[str, Any]) -> str:
    """Settings that a changed start asks for."""
    return "tuned anew: " + ", ".join(
        f"{path} = {value:g}" if isinstance(value, float) else f"{path} = {value}"
        for path, value in settings.items()
    )


def _of(size: SizeValue) -> str:
    at = format_size(size.size_bytes)
    if size.whole is None:
        return f"At {at} there is no result: {size.error}."
    text = _worth(size.whole, at)
    phases = [one for one in size.phases if one.saved is None or one.saved.differs]
    most = max(phases, key=lambda one: one.worth_usd_per_month, default=None)
    if size.whole.told_above_zero and most is not None and most.worth_usd_per_month > 0.0:
        text += f", most of it in {most.phase.replace('_', ' ')} ({format_duration(most.length_s)})"
    text += _best(size.paybacks)
    text += "."
    told = [one for one in size.paybacks if one.saved is not None and not one.pays]
    unsure = [one.intervention for one in told if one.saved and not one.saved.differs]
    dearer = [one.intervention for one in told if one.saved and one.saved.differs]
    if unsure:
        verb = "is" if len(unsure) == 1 else "are"
        text += f" Here {_joined(unsure)} {verb} not shown to pay: what is saved may be chance."
    if dearer:
        verb = "makes" if len(dearer) == 1 else "make"
        text += f" Here {_joined(dearer)} {verb} it dearer."
    if size.whole.same and all(one.same for one in size.phases):
        text += " The policy need not be tuned anew for a start that much shorter."
    if size.whole.usd_per_month_per_s <= 0.0 and not any(
        one.pays and (one.usd_per_month or 0.0) > 0.0 for one in size.paybacks
    ):
        text += " For this traffic spend nothing on faster starts."
    if not size.keeps:
        text += " No setting here keeps the service level; dollars are of what misses least:"
        text += " say with --penalty what a miss costs."
    return text


def _worth(whole: Second, at: str) -> str:
    worth, ends = whole.usd_per_month_per_s, whole.per_s_ends
    if ends is None:
        if worth >= 0.0:
            return f"One second of cold start is worth {_usd(worth)} a month at {at}"
        return (
            f"One second of cold start is worth nothing at {at} that one replay shows: "
            f"{_usd(worth)} a month"
        )
    assert whole.saved is not None
    if whole.saved.differs:
        between = f" (between {_usd(ends[0])} and {_usd(ends[1])})"
        return f"One second of cold start is worth {_usd(worth)} a month{between} at {at}"
    if ends == (0.0, 0.0):
        every = f"in each of {whole.saved.replicates} replicates"
        return f"One second of cold start is worth $0 a month at {at}, {every}"
    return (
        f"What one second of cold start is worth at {at} is not told apart from nothing: between "
        f"{_usd(ends[0])} and {_usd(ends[1])} a month"
    )


def _best(paybacks: Sequence[Payback]) -> str:
    """The intervention that saves most, of those that save for sure."""
    alone = [one for one in paybacks if one.start_alone and one.pays]
    best = max(alone, key=lambda one: one.usd_per_month or 0.0, default=None)
    if best is None:
        return ""
    text = f"; what saves most is {best.intervention}, {format_duration(best.saved_s)}: "
    text += f"{_usd(best.usd_per_month or 0.0)} a month"
    if best.saved is not None:
        text += f" (between {_usd(best.saved.low)} and {_usd(best.saved.high)})"
    text += _kept(best) + _back(best)
    soonest = min(
        (one for one in alone if one.months is not None),
        key=lambda one: one.months or 0.0,
        default=best,
    )
    if soonest is not best:
        text += f"; first to be paid back is {soonest.intervention}{_kept(soonest)}"
        text += _back(soonest, "")
    return text


def _kept(one: Payback) -> str:
    """Whether what it costs to keep is in the dollars."""
    if one.running_usd_per_month is not None:
        return f", after the {_usd(one.running_usd_per_month)} a month that it costs to keep"
    return ", without what it costs to keep (--running)" if one.held_unpaid else ""


def _back(one: Payback, lead: str = " paid back") -> str:
    """When it is paid back."""
    if one.months is None:
        return ""
    text = f",{lead} in {one.months:.1f} months"
    if one.months_low is not None and one.months_high is not None:
        text += f" ({one.months_low:.1f} to {one.months_high:.1f})"
    return text


def _usd(value: float) -> str:
    sign = "-" if value < 0.0 else ""
    size = abs(value)
    return f"{sign}${size:,.0f}" if size >= 10.0 or size == 0.0 else f"{sign}${size:.2f}"


def _joined(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
