"""Dollars a month over the request rate, one line a way to serve, with one's own rate marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modeler.report.studies.words import told
from modeler.report.style import GRID, INK, SERIES, SOFT, new_figure
from modeler.study.breakeven import Breakeven
from modeler.study.breakeven_words import named

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DASHES = ("-", "--", ":", "-.")
_FEW_TICKS = 100.0  # powers of ten alone are too few on an axis of so little and less


def draw(found: Breakeven) -> Figure:
    """Every mode that could be replayed; a dash pattern a burstiness."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    figure = new_figure(5.0)
    axes = figure.subplots()
    done = [row for row in found.rows if row["status"] == "ok"]
    modes = list(dict.fromkeys(row["mode"] for row in done))
    kinds = list(dict.fromkeys(row["burstiness"] for row in done))
    colors = (*SERIES, INK, SOFT)
    paid = [row["usd_per_month"] for row in done if row["usd_per_month"] > 0.0]
    least = min(paid, default=1.0) / 2.0  # the axis has no nought
    for k, mode in enumerate(modes):
        for n, cv in enumerate(kinds):
            rows = [row for row in done if row["mode"] == mode and row["burstiness"] == cv]
            x = [row["requests_per_hour"] for row in rows]
            color = colors[k % len(colors)]
            label = named(mode) if n == 0 else None
            axes.plot(x, [row["usd_per_month"] for row in rows], _DASHES[n % len(_DASHES)],
                      color=color, marker="o", markersize=3.5, label=label)  # fmt: skip
            if rows[0]["usd_low"] is not None:
                axes.fill_between(
                    x, [max(row["usd_low"], least) for row in rows],
                    [max(row["usd_high"], least) for row in rows],
                    color=color, alpha=0.12, linewidth=0.0,
                )  # fmt: skip
    for one in found.crossings:
        if one["cheapest"]:
            if one["low"] is not None:
                axes.axvspan(one["low"], one["high"], color=GRID, alpha=0.6, linewidth=0.0)
            axes.plot([one["requests_per_hour"]], [one["usd_per_month"]], "D", color=INK)
    if done:
        own = 3600.0 * found.own_rps
        axes.axvline(own, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
        axes.annotate(
            "your traffic", (own, 1.0), (-4.0, -4.0), xycoords=("data", "axes fraction"),
            textcoords="offset points", fontsize=8.0, color=INK, ha="right", va="top",
        )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_ylim(bottom=least)
        for side in (axes.xaxis, axes.yaxis):
            low, high = side.get_view_interval()
            if high < _FEW_TICKS * low:
                side.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            side.set_major_formatter(FuncFormatter(_number))
            side.set_minor_formatter(NullFormatter())
        for n, cv in enumerate(kinds):
            if cv is not None:
                axes.plot(
                    [], [], _DASHES[n % len(_DASHES)], color=SOFT, label=f"gaps vary by {cv:g}"
                )
        figure.legend(loc="outside lower center", ncols=5)
    axes.set_xlabel("requests an hour")
    axes.set_ylabel("dollars a month")
    told(axes, "What each way to serve costs at each request rate", found.sentence())
    return figure


def _number(value: float, at: int | None = None) -> str:
    """A tick in plain digits: powers of ten are no money."""
    return f"{value:,.0f}" if value >= 1.0 else f"{value:g}"
