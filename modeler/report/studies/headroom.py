"""Dollars a month against what is missed for want of room: every setting, and the frontier."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from modeler.report.studies.words import money, told
from modeler.report.style import INK, MISSES, MONEY, SOFT, new_figure
from modeler.study.headroom import Headroom, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDE, _HIGH = 0.11, 0.05  # of a price beside a setting, as shares of the axes


def draw(found: Headroom) -> Figure:
    """Misses on a logarithmic axis, so that each nine is as high as the next.

    Where there are replicates: intervals about the frontier and about the scenario as it is, and a
    question mark at a nine that chance may have bought.
    """
    figure = new_figure(5.0)
    axes = figure.subplots()
    rest = [row for row in found.rows if not row["frontier"]]
    along = found.frontier
    for rows, color, label, line in (
        (rest, SOFT, "tried", ""),
        (along, MONEY, "cheapest for its misses", "-"),
        (found.rows[:1], MISSES, "as it is", ""),
    ):
        axes.plot(
            [row["usd_per_month"] for row in rows], [100.0 * row["short_share"] for row in rows],
            marker="o", linestyle=line or "none", color=color, label=label,
        )  # fmt: skip
        for row in rows:
            _interval(axes, row, color)
    _misses(axes, [100.0 * row["short_share"] for row in found.rows])
    limit = 100.0 * found.allowed_share
    axes.axhline(limit, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.annotate(
        f"allowed: {limit:g} %", (1.0, limit), (-4.0, 4.0), xycoords=("axes fraction", "data"),
        annotation_clip=True,
        textcoords="offset points", fontsize=8.0, color=INK, ha="right",
    )  # fmt: skip
    money(axes.xaxis)
    _prices(axes, along)
    axes.legend(loc="best")
    crosses = "; crosses are 95 % intervals" if found.notes else ""
    axes.set_xlabel(f"dollars a month{crosses}")
    axes.set_ylabel("requests missed for want of room, %;\na nine: ten times fewer")
    told(axes, "What room costs, and what it saves", found.sentence())
    return figure


def _prices(axes: Axes, along: Sequence[Row]) -> None:
    """Dollars a nine, at each setting that is not too near to one that has them already."""
    placed: list[tuple[float, float]] = []
    for row in along:
        at = (row["usd_per_month"], 100.0 * row["short_share"])
        x, y = (axes.transScale + axes.transLimits).transform(at)
        near = any(abs(x - u) < _WIDE and abs(y - v) < _HIGH for u, v in placed)
        if row["usd_per_nine"] is None or near:
            continue
        placed.append((x, y))
        left = x > 1.0 - _WIDE
        axes.annotate(
            f"${row['usd_per_nine']:,.0f} a nine{'?' if row['short_differs'] is False else ''}",
            at, (6.0, 4.0) if not left else (0.0, 8.0),
            textcoords="offset points", fontsize=8.0, color=INK, ha="right" if left else "left",
        )  # fmt: skip


def _misses(axes: Axes, percents: Sequence[float]) -> None:
    """A logarithmic axis; straight below the least that was missed, where nothing was at all."""
    above = [one for one in percents if one > 0.0]
    if not above:
        axes.set_ylim(bottom=0.0)
        return
    if len(above) < len(percents):
        axes.set_yscale("symlog", linthresh=min(above))
        axes.set_yticks([one for one in axes.get_yticks() if one == 0.0 or one >= min(above)])
        axes.set_ylim(bottom=0.0)
    else:
        axes.set_yscale("log")
        axes.set_ylim(bottom=0.5 * min(above))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.12f}".rstrip("0").rstrip("."))


def _interval(axes: Axes, row: dict[str, Any], color: str) -> None:
    """A cross about a point; its arms need not be of one length, nor even hold the point."""
    x, y = row["usd_per_month"], 100.0 * row["short_share"]
    if row["usd_low"] is not None:
        axes.hlines(y, row["usd_low"], row["usd_high"], color=color, linewidth=1.2, alpha=0.6)
    if row["short_low"] is not None:
        low, high = 100.0 * row["short_low"], 100.0 * row["short_high"]
        axes.vlines(x, low, high, color=color, linewidth=1.2, alpha=0.6)
