"""Dollars and misses over model size, with the smallest fixed fleet and both bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modeler.report import numbers, view
from modeler.report.style import (
    INK,
    MISSES,
    MONEY,
    PAPER,
    SERIES,
    SOFT,
    new_figure,
    tell,
)
from modeler.report.view import Result, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GB = 1e9
_WIDE = 8.0  # largest over smallest size from which a logarithmic axis reads better
_CLOSE = 0.05  # of the axis: labels nearer than this would overlap
_STEEP = 30.0  # largest share over the limit from which the misses need a bent axis


@dataclass(frozen=True)
class _Line:
    """Rows that differ in size alone."""

    name: str
    rows: list[Row]
    color: str
    strong: bool


def draw(result: Result) -> Figure | None:
    """The figure; None when no scenario has a result.

    One set of settings: dollars on the left axis, misses on the right. Several: one panel each,
    a colour a set; beyond six, the best set is coloured and the others stay in the background.
    """
    rows = view.finished(result["scenarios"])
    if not rows:
        return None
    lines = _lines(result, rows)
    sizes = sorted({row["size_bytes"] / _GB for row in result["scenarios"]})
    if len(lines) == 1:
        figure = new_figure(5.0)
        money = figure.add_subplot()
        misses = money.twinx()
        misses.spines["right"].set_visible(True)
        misses.grid(False)
    else:
        figure = new_figure(7.4)
        money, misses = figure.subplots(2, 1, sharex=True)
    _draw_money(money, result, lines)
    _draw_misses(misses, lines)
    below = money if len(lines) == 1 else misses
    _size_axis(money, below, sizes)
    _mark_failed(below, result)
    money.set_title("Dollars and missed requests by model size", pad=20.0)
    tell(money, _subtitle(rows))
    handles, names = money.get_legend_handles_labels()
    more = misses.get_legend_handles_labels() if len(lines) == 1 else ([], [])
    figure.legend(
        handles + more[0], names + more[1], loc="outside lower center", ncols=4, handlelength=2.4
    )
    return figure


def _lines(result: Result, rows: Sequence[Row]) -> list[_Line]:
    paths = view.varied(result)
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(view.settings_name(row, paths) or view.policy_name(row), []).append(row)
    winner = view.best(result)
    many = len(groups) > len(SERIES)
    lines = []
    for i, (name, members) in enumerate(groups.items()):
        strong = not many or any(row is winner for row in members)
        members.sort(key=lambda row: row["size_bytes"])
        color = (SERIES[0] if strong else SOFT) if many else SERIES[i]
        lines.append(_Line(name, members, color, strong))
    return lines


def _points(rows: Sequence[Row], value: str) -> tuple[list[float], list[float]]:
    return [row["size_bytes"] / _GB for row in rows], [row[value] for row in rows]


def _draw_money(axes: Axes, result: Result, lines: Sequence[_Line]) -> None:
    only = len(lines) == 1
    for line in lines:
        color = MONEY if only else line.color
        missing = [row for row in line.rows if not row["meets_sla"]]
        axes.plot(
            *_points(missing, "usd_per_hour"),
            "o",
            color=color,
            markerfacecolor=PAPER,
            markeredgewidth=1.8,
            alpha=1.0 if line.strong else 0.5,
            zorder=4.5 if line.strong else 3.5,
        )
        axes.plot(
            *_points(line.rows, "usd_per_hour"),
            color=color,
            marker="o",
            alpha=1.0 if line.strong else 0.35,
            linewidth=2.2 if line.strong else 1.0,
            label=f"{line.name}, $ per hour" if only else _label(line),
            zorder=4 if line.strong else 3,
        )
    pareto = [row for line in lines for row in line.rows if row["pareto"]]
    axes.plot(
        *_points(pareto, "usd_per_hour"),
        "D",
        markersize=12.0,
        markerfacecolor="none",
        markeredgecolor=INK,
        markeredgewidth=1.4,
        label="Pareto",
        zorder=5,
    )
    _draw_bounds(axes, result)
    axes.set_ylim(0.0, _money_top(result))
    _draw_references(axes, result)
    axes.set_ylabel("$ per hour", color=MONEY if only else INK)
    axes.tick_params(axis="y", labelcolor=MONEY if only else INK)
    axes.yaxis.set_major_formatter(lambda value, _: f"${value:,.6g}")


def _label(line: _Line) -> str:
    return line.name if line.strong else "_"  # matplotlib leaves such names out of the legend


def _draw_bounds(axes: Axes, result: Result) -> None:
    """A line for each bound; where several instances were swept, the cheapest at each size."""
    for name, dashes in (("zero wait", (6, 2)), ("work bound", (1.5, 1.5))):
        least: dict[float, float] = {}
        for bound in view.bounds(result):
            if bound.name == name:
                size = bound.row["size_bytes"] / _GB
                least[size] = min(least.get(size, math.inf), bound.usd_per_hour)
        sizes = sorted(least)
        axes.plot(
            sizes,
            [least[size] for size in sizes],
            color=SOFT,
            linewidth=1.4,
            dashes=dashes,
            marker="." if len(sizes) == 1 else "",
            label=name,
            zorder=2,
        )


def _keeping(result: Result) -> list[Row]:
    return [row for row in view.finished(result["references"]) if row["meets_sla"]]


def _money_top(result: Result) -> float:
    """Room for every scenario and for fixed fleets that keep the promise, unless far above."""
    highest = max(row["usd_per_hour"] for row in view.finished(result["scenarios"]))
    references = [row["usd_per_hour"] for row in _keeping(result)]
    near = [usd for usd in references if usd <= 3.0 * highest]
    return 1.15 * max([highest, *near]) or 1.0


def _draw_references(axes: Axes, result: Result) -> None:
    """The cheapest fixed fleet that keeps the service level; above the axis, at its edge."""
    cheapest: dict[int, Row] = {}
    for row in sorted(_keeping(result), key=lambda row: (row["size_bytes"], row["usd_total"])):
        cheapest.setdefault(row["size_bytes"], row)
    top = axes.get_ylim()[1]
    inside = [row for row in cheapest.values() if row["usd_per_hour"] <= top]
    if inside:
        axes.plot(
            *_points(inside, "usd_per_hour"),
            color=INK,
            linewidth=1.0,
            marker="s",
            markersize=5.0,
            label="smallest fixed fleet that keeps the SLA",
            zorder=2,
        )
    for row in cheapest.values():
        usd, fleet = row["usd_per_hour"], f"{row['replicas']['peak']}×"
        above = usd > top
        axes.annotate(
            f"{fleet} {numbers.dollars(usd)} ↑" if above else fleet,
            (row["size_bytes"] / _GB, min(usd, top)),
            (0.0, -3.0) if above else (6.0, -5.0),
            textcoords="offset points",
            fontsize=8.5,
            color=INK,
            ha="center" if above else "left",
            va="top",
            zorder=6,
        )


def _draw_misses(axes: Axes, lines: Sequence[_Line]) -> None:
    only = len(lines) == 1
    worst = 0.0
    for line in lines:
        sizes, shares = _points(line.rows, "sla_violation_share")
        shares = [100.0 * share for share in shares]
        worst = max([worst, *shares])
        axes.plot(
            sizes,
            shares,
            color=MISSES if only else line.color,
            marker="^",
            markersize=6.0,
            linewidth=1.8 if line.strong else 1.0,
            linestyle=(0, (4, 1.5)) if only else "-",
            alpha=1.0 if line.strong else 0.35,
            label=f"{line.name}, requests missed" if only else _label(line),
            clip_on=False,  # nothing missed stands on the axis itself
            zorder=4 if line.strong else 3,
        )
    limit = 100.0 * lines[0].rows[0]["sla"]["max_violation_share"]
    axes.axhline(limit, color=MISSES if only else INK, linewidth=1.0, alpha=0.7, zorder=1)
    axes.annotate(
        f"SLA: at most {limit:g} %",
        (1.0, limit),
        (-4.0, 3.0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        fontsize=8.5,
        color=MISSES if only else INK,
        ha="right",
    )
    if limit > 0.0 and worst > _STEEP * limit:
        axes.set_yscale("symlog", linthresh=limit)
        axes.set_ylim(0.0, min(worst * 1.6, 150.0))
    else:
        axes.set_ylim(0.0, max(worst * 1.15, 2.0 * limit, 0.01))
    axes.tick_params(axis="y", labelcolor=MISSES if only else INK)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.4g} %")
    axes.set_ylabel("requests missed", color=MISSES if only else INK)


def _size_axis(money: Axes, below: Axes, sizes: Sequence[float]) -> None:
    """Ticks at the sizes swept; the largest of several that would overlap is left unnamed."""
    wide = sizes[-1] / sizes[0] > _WIDE
    at = [math.log(size) if wide else size for size in sizes]
    span = at[-1] - at[0] or 1.0
    margin = 0.06 * span
    if wide:
        money.set_xscale("log")
        low, high = math.exp(at[0] - margin), math.exp(at[-1] + margin)
    else:
        low, high = at[0] - margin, at[-1] + margin
        if len(sizes) == 1:
            low, high = 0.5 * sizes[0], 1.5 * sizes[0]
    money.set_xlim(low, high)
    names = []
    last = -math.inf
    for place, size in zip(at, sizes, strict=True):
        near = (place - last) / span < _CLOSE
        names.append("" if near else numbers.size(size * _GB))
        last = last if near else place
    below.set_xticks(sizes, names)
    below.set_xticks([], minor=True)
    below.set_xlabel("model size")


def _mark_failed(axes: Axes, result: Result) -> None:
    """A size without any result is named where it would stand."""
    done = {row["size_bytes"] for row in view.finished(result["scenarios"])}
    failed = sorted({row["size_bytes"] for row in result["scenarios"]} - done)
    for size in failed:
        axes.annotate(
            "✗ could not be replayed",
            (size / _GB, 0.97),
            xycoords=("data", "axes fraction"),
            rotation=90.0,
            fontsize=9.0,
            color=SOFT,
            ha="center",
            va="top",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 3.0},
        )


def _subtitle(rows: Sequence[Row]) -> str:
    row: dict[str, Any] = rows[0]
    instances = ", ".join(dict.fromkeys(row["instance_type"] for row in rows))
    return f"{instances} · {view.promise(row)}; hollow: not kept"
