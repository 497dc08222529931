"""What the doctor looked at: times on one axis, capacities on another, each finding at its mark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from modeler.report.studies.marks import Row, rows_of
from modeler.report.studies.words import told
from modeler.report.style import GRID, INK, MISSES, MONEY, SOFT, new_figure, settle
from modeler.study.doctor.findings import SEVERITIES, Diagnosis

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Told apart by shape and by colour: a cross, a triangle, a circle.
_LOOKS: Final = {
    "critical": ("X", MISSES), "warning": ("^", "#e69f00"), "note": ("o", MONEY),
}  # fmt: skip
_TICKS: Final = {
    0.001: "1 ms", 0.01: "10 ms", 0.1: "0.1 s", 1.0: "1 s", 10.0: "10 s", 60.0: "1 min",
    600.0: "10 min", 3600.0: "1 h", 21_600.0: "6 h", 86_400.0: "1 day", 604_800.0: "1 week",
}  # fmt: skip
_ROW_IN: Final = 0.22
_BESIDE: Final = 0.4  # of the times' axis, left and right of what it holds
# A share beyond this is drawn at the edge; its figure stands beside its name.
_MOST_PERCENT: Final = 150.0
_WORDS: Final = 80
_WIDE: Final = 1.01  # a range that is narrower is drawn as one value


def draw(found: Diagnosis) -> Figure:
    """Times above, shares of capacity below, findings named to the right of what they are about."""
    times, levels = rows_of(found)
    panels = [(rows, of) for rows, of in ((times, _of_times), (levels, _of_levels)) if rows]
    heights = [len(rows) + 1.0 for rows, _ in panels]
    figure = new_figure(1.9 + _ROW_IN * sum(heights))
    drawn = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for axes, (rows, of) in zip(drawn, panels, strict=True):
        _named(axes, rows)
        of(axes, rows)
        for at, row in enumerate(rows):
            _marked(axes, at, row)
    for severity in SEVERITIES:
        marker, color = _LOOKS[severity]
        drawn[0].plot([], [], marker, color=color, label=severity)
    figure.legend(loc="outside lower center", ncols=len(SEVERITIES))
    told(drawn[0], "What the doctor looked at, and found", found.sentence(), _WORDS)
    settle(figure)
    return figure


def _named(axes: Axes, rows: Sequence[Row]) -> None:
    """The rows' names at the left, their findings at the right."""
    axes.set_yticks(range(len(rows)), [row.name for row in rows], fontsize=8.0)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0.0)
    for at, row in enumerate(rows):
        if row.first and at:
            axes.axhline(at - 0.5, color=SOFT, linewidth=0.6)
        if row.finding is not None:
            marker, color = _LOOKS[row.finding.severity]
            axes.plot([1.025], [at], marker, color=color, clip_on=False,
                      transform=axes.get_yaxis_transform())  # fmt: skip
            axes.annotate(
                row.finding.id, (1.025, at), (9.0, 0.0), xycoords=("axes fraction", "data"),
                textcoords="offset points", fontsize=8.0, color=INK, va="center",
            )  # fmt: skip


def _of_times(axes: Axes, rows: Sequence[Row]) -> None:
    """A logarithmic axis, with the range of a whole start behind all of it."""
    known = [value for row in rows for value in (row.low, row.high, row.against) if value]
    least, most = min(known) * (1.0 - _BESIDE), max(known) / (1.0 - _BESIDE)
    axes.set_xscale("log")
    axes.set_xlim(least, most)
    ticks = [value for value in _TICKS if least <= value <= most]
    axes.set_xticks(ticks, [_TICKS[value] for value in ticks])
    axes.set_xticks([], minor=True)
    if rows[0].low is not None and rows[0].high is not None:
        axes.axvspan(rows[0].low, rows[0].high, color=GRID, linewidth=1.0)
    axes.set_xlabel("time; bars are from median to 95th percentile, the shade is a whole start")


def _of_levels(axes: Axes, rows: Sequence[Row]) -> None:
    """Shares up to all of a capacity and half as much again; no axis where none is known."""
    shares = [row.high for row in rows if row.high is not None]
    if not shares:
        axes.set_xticks([])
        axes.spines["bottom"].set_visible(False)
        return
    axes.set_xlim(0.0, min(max([110.0, *(1.1 * share for share in shares)]), _MOST_PERCENT))
    axes.axvline(100.0, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.set_xlabel("share of what one replica can do (targets) or all of them (traffic), %")


def _marked(axes: Axes, at: int, row: Row) -> None:
    """A value or its range, and how far it is from what a finding holds it against."""
    if row.low is None or row.high is None:
        return
    most = axes.get_xlim()[1]
    low, high = min(row.low, most), min(row.high, most)
    marker, color, size = "o", SOFT, 5.0
    if row.finding is not None:
        marker, color = _LOOKS[row.finding.severity]
        size = 7.0
    if row.against is not None:
        ends = (row.against, high)
        axes.plot(ends, [at, at], color=color, linewidth=5.0, alpha=0.35, solid_capstyle="butt")
        axes.plot([row.against], [at], "|", color=color, markersize=9.0, markeredgewidth=2.0)
    if high > _WIDE * low:
        axes.plot([low, high], [at, at], color=INK, linewidth=4.0, solid_capstyle="butt")
    elif row.high > most:  # further than is drawn
        axes.plot([0.985 * most], [at], ">", color=color, markersize=size)
    else:
        axes.plot([high], [at], marker, color=color, markersize=size, clip_on=False)
