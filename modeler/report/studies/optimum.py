"""What an optimisation tried: dollars against misses, and the plateau about the best."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modeler.report.studies.words import told
from modeler.report.style import INK, MISSES, MONEY, SOFT, new_figure
from modeler.study.optimize import Optimum

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(found: Optimum) -> Figure:
    """Every setting that was replayed on all of the traffic."""
    figure = new_figure(4.8)
    axes = figure.subplots()
    rows = [row for row in found.tried if row["status"] == "ok"]
    rest = [row for row in rows if not any(row is one for one in found.plateau)]
    for chosen, marker, color, label in (
        (rest, "o", SOFT, "tried"),
        (list(found.plateau[1:]), "D", MONEY, "within 1 % of the best"),
        ([found.best] if found.best["status"] == "ok" else [], "*", MISSES, "best"),
    ):
        if chosen:
            axes.scatter(
                [found.goal.usd_per_hour(row) for row in chosen],
                [100.0 * row["sla_violation_share"] for row in chosen],
                color=color, marker=marker, s=140 if marker == "*" else 36, label=label,
            )  # fmt: skip
    if rows:
        limit = 100.0 * rows[0]["sla"]["max_violation_share"]
        axes.axhline(limit, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
        axes.annotate(
            f"allowed: {limit:g} %", (1.0, limit), (-4.0, 4.0), xycoords=("axes fraction", "data"),
            textcoords="offset points", fontsize=8.0, color=INK, ha="right",
        )  # fmt: skip
        axes.legend(loc="best")
    axes.set_xlabel("dollars an hour")
    axes.set_ylabel("requests missed, %")
    told(axes, "What each setting costs and misses", found.sentence())
    return figure
