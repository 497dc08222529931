"""Dollars a month over model size, the policy tuned at each, with the knee and the band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modeler.report.studies.words import money, told
from modeler.report.style import INK, MISSES, MONEY, SOFT, new_figure
from modeler.study.goldilocks_size import GoldilocksSize

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GB = 1e9


def draw(found: GoldilocksSize) -> Figure:
    """The curve of an analyst's sizes."""
    figure = new_figure(4.8)
    axes = figure.subplots()
    points = [point for point in found.points if point.usd_per_month is not None]
    sizes = [point.size_bytes / _GB for point in points]
    axes.plot(sizes, [point.usd_per_month or 0.0 for point in points], color=MONEY,
              label="policy tuned")  # fmt: skip
    for keeps, marker, label in ((True, "o", "keeps the service level"), (False, "x", "does not")):
        chosen = [point for point in points if point.keeps is keeps]
        if chosen:
            axes.plot(
                [point.size_bytes / _GB for point in chosen],
                [point.usd_per_month or 0.0 for point in chosen],
                marker, color=MONEY if keeps else MISSES, label=label,
            )  # fmt: skip
    banded = [point for point in points if point.low is not None and point.high is not None]
    if banded:
        axes.fill_between(
            [point.size_bytes / _GB for point in banded],
            [point.low or 0.0 for point in banded],
            [point.high or 0.0 for point in banded],
            color=MONEY, alpha=0.15, linewidth=0, label="95 % interval",
        )  # fmt: skip
    as_cheap = [point.size_bytes / _GB for point in points if point.as_cheap]
    if len(as_cheap) > 1:
        axes.axvspan(as_cheap[0], as_cheap[-1], color=SOFT, alpha=0.12, linewidth=0,
                     label="cost the same")  # fmt: skip
    if found.knee is not None:
        axes.axvline(found.knee.size_bytes / _GB, color=INK, linewidth=1.0, linestyle=(0, (4, 2)),
                     label="the size to start from")  # fmt: skip
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("model size, GB")
    axes.set_ylabel("dollars a month")
    money(axes.yaxis)
    if points:
        axes.legend(loc="best")
    told(axes, "What a larger model costs, its policy tuned", found.sentence())
    return figure
