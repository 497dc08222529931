"""What moves the answer: dollars a month at either end of each assumption, and flip points."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from modeler.report.studies.words import money as in_dollars
from modeler.report.studies.words import whisker
from modeler.report.style import INK, MISSES, MONEY, SOFT, new_figure
from modeler.study.flips import name_of, shown
from modeler.study.tornado_result import Tornado

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 12
_WORDS = 120


def draw(found: Tornado) -> Figure:
    """The assumptions that move most, each a bar from its low to its high end."""
    bars = found.bars[:_MOST]
    figure = new_figure(2.2 + 0.36 * max(len(bars), 2))
    money, missed = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    flips = {flip.assumption.path: flip for flip in found.flips}
    for k, factor in ((0, 1.0), (1, 100.0)):
        axes = (money, missed)[k]
        for at, bar in enumerate(bars):
            start = factor * bar.base[k]
            for end, color in ((bar.low, MONEY), (bar.high, MISSES)):
                if end is not None:
                    axes.barh(at, factor * end[k] - start, left=start, color=color, height=0.6)
            for above, far in ((-0.15, bar.drawn and bar.drawn.low[k]),
                              (0.15, bar.drawn and bar.drawn.high[k])):  # fmt: skip
                if far is not None:
                    whisker(axes, at + above, (start + factor * far.low, start + factor * far.high))
        if bars:
            axes.axvline(factor * bars[0].base[k], color=INK, linewidth=1.0)
    labels = []
    for bar in bars:
        one = bar.assumption
        flip = flips.get(one.path)
        text = f"{name_of(one.path)}: {shown(one.low, one.unit)} to {shown(one.high, one.unit)}"
        if flip is not None and flip.value is not None:
            side = "above" if flip.above else "below"
            text += f"\nflips {side} {shown(flip.value, one.unit)}"
        if bar.told_apart is False:
            text += "\nnot by more than chance"
        labels.append(text)
    money.set_yticks(range(len(bars)), labels, fontsize=8.0)
    money.invert_yaxis()
    in_dollars(money.xaxis)
    money.set_xlabel("dollars a month" + (" with penalties" if found.goal.penalty_usd else ""))
    missed.set_xlabel("requests missed, %")
    for color, label in ((MONEY, "at the low end"), (MISSES, "at the high end")):
        missed.barh(0, 0.0, color=color, label=label)
    figure.legend(
        *missed.get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=8.0
    )
    missed.tick_params(axis="y", length=0.0)
    figure.suptitle(
        f"What moves the answer: {found.sides()[0]}",
        x=0.01,
        ha="left",
        fontsize=12.0,
        weight="bold",
    )
    sentence = textwrap.fill(found.sentence(), _WORDS)
    figure.supxlabel(sentence, x=0.01, ha="left", fontsize=9.0, color=SOFT)
    return figure
