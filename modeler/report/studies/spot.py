"""Dollars and misses over the share of the traffic on spot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from modeler.report.studies.words import told
from modeler.report.style import INK, SERIES, new_figure
from modeler.study.spot_result import SpotResult, often

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DASHES: Final = ("-", "--", ":")  # lines of two weathers often lie on each other
_PANELS: Final = (
    ("usd_per_hour_with_penalty", 1.0, "dollars an hour"),
    ("sla_violation_share", 100.0, "requests missed, %"),
)


def draw(found: SpotResult) -> Figure:
    """A line a combination of reclaims and reload; rings are spot that falls back on demand."""
    figure = new_figure(6.0)
    panels = figure.subplots(len(_PANELS), 1, sharex=True)
    for axes, (key, factor, label) in zip(panels, _PANELS, strict=True):
        for k, cell in enumerate(found.cells()):
            done = [row for row in cell if row["status"] == "ok"]
            color = SERIES[k % len(SERIES)]
            line = [row for row in done if not row["fallback"]]
            axes.plot(
                [100.0 * row["spot_share"] for row in line], [factor * row[key] for row in line],
                color=color, marker="o", markersize=4, linestyle=_DASHES[k % len(_DASHES)],
                label=often(cell[0]),
            )  # fmt: skip
            for row in done:
                ends = (row[f"{key}_low"], row[f"{key}_high"])
                if ends[0] is not None:
                    # Beside each other, so that none hides another.
                    at = 100.0 * row["spot_share"] + 0.6 * k + (1.5 if row["fallback"] else 0.0)
                    axes.plot((at, at), [factor * end for end in ends], color=color,
                              linewidth=1.0, marker="_", markersize=7)  # fmt: skip
            rings = [row for row in done if row["fallback"]]
            axes.scatter(
                [100.0 * row["spot_share"] for row in rings], [factor * row[key] for row in rings],
                facecolors="none", edgecolors=color, s=70, linewidths=1.6,
            )  # fmt: skip
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0.0)
    allowed = next((row["allowed"] for row in found.rows if row["status"] == "ok"), None)
    if allowed is not None:
        limit = 100.0 * allowed
        panels[1].axhline(limit, color=INK, linewidth=1.0, linestyle=(0, (4, 2)))
        panels[1].annotate(
            f"allowed: {limit:g} %", (0.0, limit), (4.0, 4.0), xycoords=("axes fraction", "data"),
            annotation_clip=True,
            textcoords="offset points", fontsize=8.0, color=INK,
        )  # fmt: skip
    panels[0].legend(loc="best")
    panels[1].set_xlabel("share of the traffic on spot, %; rings: spot, else on demand")
    told(panels[0], "What spot saves and misses", found.sentence())
    return figure
