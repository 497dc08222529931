"""The load-duration curve of a fleet, and how much of it commitments cover."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modeler.report.studies.words import told
from modeler.report.style import INK, MISSES, MONEY, new_figure
from modeler.study.commit import Commitment
from modeler.study.committed import Committed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = (MISSES, INK)


def draw(found: Committed) -> Figure:
    """Instances billed, from the busiest hour to the quietest, with a line for each commitment."""
    figure = new_figure(4.8)
    axes = figure.subplots()
    level = found.load.instance_hours / found.load.hours
    order = np.argsort(level)[::-1]
    share = 100.0 * np.cumsum(found.load.hours[order]) / found.load.hours.sum()
    axes.fill_between(
        np.concatenate([[0.0], share]), np.concatenate([[level[order][0]], level[order]]),
        step="pre", color=MONEY, alpha=0.3, linewidth=0, label="instances on the bill",
    )  # fmt: skip
    for number, one in enumerate(found.found):
        axes.axhline(
            one.instances, color=_COLORS[number % len(_COLORS)], linewidth=1.6,
            linestyle=("-", (0, (4, 2)), "-.")[number % 3],
            label=f"{100 * one.discount:g} % off: commit {one.instances:.3g}{_saves(one)}",
        )  # fmt: skip
    axes.set_xlim(0.0, 100.0)
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("share of the hours, busiest first, %")
    axes.set_ylabel("instances")
    figure.legend(loc="outside lower center", ncols=4)
    told(axes, "How much of the fleet is always there", found.sentence())
    return figure


def _saves(one: Commitment) -> str:
    """The interval of what it saves, where there is one."""
    if one.saved is None:
        return ""
    return f", saves ${one.saved.low:,.0f} to ${one.saved.high:,.0f}"
