"""What a second scenario changes: each replicate's difference, and the interval about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from modeler.report.studies.words import told
from modeler.report.style import GRID, INK, MISSES, MONEY, SOFT, new_figure, settle
from modeler.study.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Of each panel: its figure, what its axis says, what values are multiplied by, its colour.
_PANELS: Final = (
    ("usd_per_month", "dollars a month", 1.0, MONEY),
    ("sla_violation_share", "missed, of each 100 requests", 100.0, MISSES),
    ("latency_p99_s", "time within which 99 % are answered, s", 1.0, SOFT),
    (
        "breach_to_ready_p95_s",
        "from overload to help that is ready, p95, s",
        1.0,
        SOFT,
    ),
)


def draw(found: Comparison) -> Figure:
    """A panel a figure with an interval: each replicate, and the interval with its middle."""
    shown = [panel for panel in _PANELS if found[panel[0]].low is not None] or _PANELS[:1]
    figure = new_figure(1.6 + 1.2 * len(shown))
    panels = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
    for axes, (name, label, factor, color) in zip(panels, shown, strict=True):
        _panel(axes, found, name, factor, color)
        chance = "; no more than chance" if found[name].differs is False else ""
        axes.set_xlabel(f"B less A: {label}{chance}")
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
    figure.supxlabel(
        "a dot: the same days under both; line: their median; shade: 95 % interval",
        fontsize=9.0, color=SOFT,
    )  # fmt: skip
    told(panels[0], f"A: {found.names[0]}; B: {found.names[1]}", found.sentence())
    settle(figure)
    return figure


def _panel(axes: Axes, found: Comparison, name: str, factor: float, color: str) -> None:
    axes.axvline(0.0, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    axes.set_ylim(-1.0, 1.0)
    one = found[name]
    if one.low is None or one.high is None or one.difference is None:
        axes.text(0.5, 0.5, "no interval", transform=axes.transAxes, ha="center", color=SOFT)
        return
    a, b = (np.array(of) for of in found.values[name])
    apart = (b - a)[np.isfinite(b - a)] * factor
    # Replicates lie one above the other in their order, so that none hides another.
    axes.scatter(apart, np.linspace(-0.7, 0.7, apart.size), color=color, s=9, alpha=0.6)
    axes.axvspan(one.low * factor, one.high * factor, color=GRID, zorder=0)
    axes.axvline(one.difference * factor, color=color, linewidth=1.6)
