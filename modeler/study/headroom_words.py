"""What headroom says: what there is, the step worth taking, and what chance explains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from modeler.study.compare_words import between, percent
from modeler.study.settings_words import explained
from modeler.study.steps import Step

if TYPE_CHECKING:
    from modeler.study.headroom import Headroom

Row = Mapping[str, Any]
_NAMED: Final = 2  # steps that are named; of more the columns tell
_TOLD: Final = 1e-5  # a smaller share is said to be smaller


def advice(found: Headroom) -> str:
    """The advice in words, with intervals where there are replicates."""
    own, along = found.rows[0], found.frontier
    usd = between(own["usd_low"], own["usd_high"], _dollars)
    short = between(own["short_low"], own["short_high"], percent)
    text = (
        f"As it is ({_text(own['settings'])}) it costs {_dollars(own['usd_per_month'])} a "
        f"month{usd}; {_share(own['short_share'])} of requests{short} are missed for want of "
        f"room, in {own['breach_minutes_per_month']:,.0f} minutes of a month."
    )
    # Of the steps worth taking, the first that misses fewer than the own setting does; of those
    # that do by chance alone none, if others are sure.
    fewer = [row for row in along if row["worth"] and row["short_share"] < own["short_share"]]
    sure = [row for row in fewer if (row["nines_low_from_own"] or 0.0) > 0.0]
    better = fewer[fewer.index(sure[0]) :] if sure else fewer
    if better:
        text += f" {_step(own, better[0], found.step(own, better[0]))}"
    else:
        text += f" None of the {len(found.rows)} settings misses fewer."
    if len(better) > 1:
        text += _beyond(found, better[0], better[1])
    text += _alike(found)
    if own["slow_share"] > found.allowed_share:
        text += (
            f" {percent(own['slow_share'])} take too long even where they need not wait: no "
            "room helps those."
        )
    return text


def _step(own: Row, one: Row, drawn: Step | None) -> str:
    more = one["usd_per_month"] - own["usd_per_month"]
    short = between(one["short_low"], one["short_high"], percent)
    text = (
        f"{explained(one['settings'])} brings that to {_share(one['short_share'])}{short} and "
        f"{one['breach_minutes_per_month']:,.0f} minutes for "
    )
    if more <= 0.5:
        text += f"${max(-more, 0.0):,.0f} less"
        if drawn is not None:
            text += between(-drawn.usd.high, -drawn.usd.low, _dollars)
    else:
        each = one["usd_per_nine_from_own"]
        text += f"${more:,.0f} more"
        if drawn is not None:
            text += between(drawn.usd.low, drawn.usd.high, _dollars)
        text += f": ${each:,.0f} a month for each step to ten times fewer{_price(drawn)}"
    if drawn is None or drawn.nines.low > 0.0:
        return f"{text}."
    if drawn.nines.high < 0.0:
        return f"{text}; but over the replicates it misses more."
    return f"{text}; but that it misses less is not shown, for it may be chance."


def _beyond(found: Headroom, last: Row, one: Row) -> str:
    drawn = found.step(last, one)
    text = (
        f" Beyond it {_text(one['settings'])} leaves {_share(one['short_share'])} for "
        f"${one['usd_per_month'] - last['usd_per_month']:,.0f} more"
    )
    if drawn is None:
        return f"{text}."
    text += between(drawn.usd.low, drawn.usd.high, _dollars)
    return f"{text}." if drawn.nines.low > 0.0 else f"{text}, a gain that may be chance."


def _alike(found: Headroom) -> str:
    """How many steps along the frontier chance may explain."""
    if not found.notes:
        return ""
    steps = found.frontier[1:]
    said = []
    for key, does in (("nines_low", "miss less"), ("usd_more_low", "cost more")):
        same = [row for row in steps if row[key] is not None and row[key] <= 0.0]
        if same:
            names = f" (to {' and to '.join(_text(row['settings']) for row in same)})"
            verb = "is" if len(same) == 1 else "are"
            said.append(
                f"{len(same)} of {len(steps)} {verb} not shown to {does}"
                f"{names if len(same) <= _NAMED else ''}"
            )
    if not said:
        return ""
    return (
        " Of the steps along the frontier, each against the next cheaper setting of it, "
        f"{', and '.join(said)}: the difference may be chance."
    )


def _price(drawn: Step | None) -> str:
    if drawn is None or drawn.nine_low is None:
        return ""
    if drawn.nine_high is None:
        return f" (at least {_dollars(drawn.nine_low)})"
    return between(drawn.nine_low, drawn.nine_high, _dollars)


def _share(share: float) -> str:
    return f"less than {percent(_TOLD)}" if 0.0 < share < _TOLD else percent(share)


def _dollars(usd: float) -> str:
    return f"{'-' if usd <= -0.5 else ''}${abs(usd):,.0f}"


def _text(settings: Mapping[str, Any]) -> str:
    words = (
        f"{path} = {value:.4g}" if isinstance(value, float) else f"{path} = {value}"
        for path, value in settings.items()
    )
    return ", ".join(words)
