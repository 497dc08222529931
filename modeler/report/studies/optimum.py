"""What an optimisation tried: dollars against misses, the plateau, and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from modeler.report.studies.words import told
from modeler.report.style import GOOD, INK, MISSES, MONEY, SOFT, new_figure
from modeler.study.certainty import Again
from modeler.study.optimize import Optimum
from modeler.study.optimum_words import apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_AXIS = {
    "usd_per_hour": "dollars an hour",
    "latency_p99_s": "latency p99, s",
    "balance": "dollars and latency, balanced",
}


def draw(found: Optimum) -> Figure:
    """Every setting that was replayed on all of the traffic.

    Where there are replicates: intervals about the best and the scenario as it stands, and below
    them the difference of each setting of the plateau from the best.
    """
    sure = found.certainty
    beside = [] if sure is None else [one for one in sure.each[1:] if one.difference is not None]
    if beside:
        figure = new_figure(5.4 + 0.3 * len(beside))
        axes, below = figure.subplots(2, 1, height_ratios=(4.0, 0.5 + 0.3 * len(beside)))
        _differences(below, found, beside)
    else:
        figure = new_figure(4.8)
        axes = figure.subplots()
    rows = [row for row in found.tried if row["status"] == "ok"]
    rest = [row for row in rows if not any(row is one for one in found.plateau)]
    groups = [
        (rest, "o", SOFT, "tried"),
        (list(found.plateau[1:]), "D", MONEY, "within 1 % of the best"),
        ([found.best] if found.best["status"] == "ok" else [], "*", MISSES, "best"),
    ]
    if sure is not None and sure.own is not None and not sure.is_own(found.best):
        groups.append(([sure.own.row], "s", GOOD, "as it stands"))
    for chosen, marker, color, label in groups:
        if chosen:
            axes.scatter(
                [found.goal.usd_per_hour(row) for row in chosen],
                [100.0 * row["sla_violation_share"] for row in chosen],
                color=color, marker=marker, s=140 if marker == "*" else 36, label=label,
            )  # fmt: skip
    if sure is not None:
        _intervals(axes, found, found.best, MISSES)
        if sure.own is not None and not sure.is_own(found.best):
            _intervals(axes, found, sure.own.row, GOOD)
    if rows:
        limit = 100.0 * rows[0]["sla"]["max_violation_share"]
        axes.axhline(limit, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
        axes.annotate(
            f"allowed: {limit:g} %", (1.0, limit), (-4.0, 4.0), xycoords=("axes fraction", "data"),
            textcoords="offset points", fontsize=8.0, color=INK, ha="right",
        )  # fmt: skip
        axes.legend(loc="best")
    crosses = "" if sure is None else "; crosses are 95 % intervals"
    axes.set_xlabel(f"dollars an hour{crosses}")
    axes.set_ylabel("requests missed, %")
    told(axes, "What each setting costs and misses", found.sentence())
    return figure


def _intervals(axes: Axes, found: Optimum, row: dict[str, object], color: str) -> None:
    """A cross about a point; its arms need not be of one length, nor even hold the point."""
    again = None if found.certainty is None else found.certainty.of(row)
    if again is None:
        return
    usd = again.replicates.band("usd_per_hour")
    share = again.replicates.band("sla_violation_share")
    x, y = found.goal.usd_per_hour(row), 100.0 * again.row["sla_violation_share"]
    if usd is not None:
        axes.hlines(y, usd.low, usd.high, color=color, linewidth=1.2, alpha=0.6)
    if share is not None:
        axes.vlines(x, 100.0 * share.low, 100.0 * share.high, color=color, linewidth=1.2, alpha=0.6)


def _differences(axes: Axes, found: Optimum, beside: Sequence[Again]) -> None:
    sure = found.certainty
    assert sure is not None
    axes.axvline(0.0, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
    for k, one in enumerate(beside):
        ends = one.difference
        assert ends is not None
        color = MISSES if ends.differs else SOFT
        axes.hlines(k, ends.low, ends.high, color=color, linewidth=2.0)
        axes.plot(ends.middle, k, marker="o", markersize=4.0, color=color)
    names = ["as it stands" if one is sure.own else apart(one, sure) for one in beside]
    axes.set_yticks(range(len(beside)), names, fontsize=8.0)
    axes.set_ylim(len(beside) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(
        f"{_AXIS[sure.figure]}, less the best's: 95 % interval; grey where chance explains it"
    )
