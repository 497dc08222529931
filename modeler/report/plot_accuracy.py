"""Accuracy against size of published models: all of them, the frontier, and the fitted law."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from modeler.predict.accuracy import AccuracyCurve
from modeler.predict.catalogue import catalogue
from modeler.report.style import INK, MISSES, MONEY, SOFT, new_figure, tell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MILLION = 1e6
_NAMED = 6  # models of the frontier that are named


def draw(curve: AccuracyCurve) -> Figure:
    """The figure of one benchmark."""
    from matplotlib.ticker import FuncFormatter

    figure = new_figure(5.2)
    axes = figure.subplots()
    rest = [
        one
        for one in catalogue()
        if one.benchmark == curve.benchmark and one.parameters and one.accuracy is not None
    ]
    axes.scatter(
        [(one.parameters or 0) / _MILLION for one in rest],
        [one.accuracy or 0.0 for one in rest],
        color=SOFT, s=14, alpha=0.5, linewidths=0, label=f"{len(rest)} published models",
    )  # fmt: skip
    sizes = np.array([float(one.parameters or 0) for one in curve.frontier])
    values = [one.accuracy or 0.0 for one in curve.frontier]
    axes.plot(
        sizes / _MILLION, values, "o", color=MISSES, markersize=5, label="no smaller is better"
    )
    grid = np.geomspace(sizes[0], sizes[-1], 200)
    axes.plot(
        grid / _MILLION, [curve.at(float(size)) for size in grid], color=MONEY, linewidth=2.0,
        label=f"top {curve.top:.1f} %, missed by {curve.spread:.1f} points without the row",
    )  # fmt: skip
    every = max(len(curve.frontier) // _NAMED, 1)
    for one in curve.frontier[::every]:
        axes.annotate(
            one.name.partition(":")[0].rpartition("/")[2],
            ((one.parameters or 0) / _MILLION, one.accuracy or 0.0),
            (5.0, -11.0), textcoords="offset points", fontsize=8.0, color=INK,
        )  # fmt: skip
    axes.set_xscale("log")
    # Numbers as people write them: 10^1 would be mathematics, which "$" keeps off.
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_xlabel("parameters, millions")
    axes.set_ylabel(f"{curve.benchmark}, %")
    axes.legend(loc="lower right", frameon=False)
    low, high = (curve.gain_per_doubling(float(size)) for size in (sizes[0], sizes[-1] / 2.0))
    axes.set_title("Larger models are more accurate, by less and less", pad=22.0)
    tell(
        axes,
        f"A doubling brings {low:.1f} points at {sizes[0] / _MILLION:.3g} million parameters and "
        f"{high:.2f} at {sizes[-1] / 2.0 / _MILLION:.3g} million.",
    )
    return figure
