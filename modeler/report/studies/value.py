"""What a second of cold start is worth, by phase and size, and what interventions save."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from modeler.report.studies.words import whisker
from modeler.report.style import INK, MONEY, OTHER_PHASE, PHASES, SOFT, new_figure
from modeler.scenario import format_size
from modeler.study.value_result import SizeValue, StartValue

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WORDS = 120
_TEN_YEARS = 120.0  # [months]


def draw(found: StartValue) -> Figure:
    """A row of panels a size: dollars a second by phase, dollars a month by intervention."""
    sizes = [size for size in found.sizes if size.whole is not None]
    figure = new_figure(1.4 + 3.4 * max(len(sizes), 1))
    figure.suptitle(
        "What a second of cold start is worth", x=0.01, ha="left", fontsize=12.0, weight="bold"
    )
    if sizes:
        tried = any(size.paybacks for size in sizes)
        panels = figure.subplots(len(sizes), 2 if tried else 1, squeeze=False)
        for (seconds, *saved), size in zip(panels, sizes, strict=True):
            _by_phase(seconds, size)
            for axes in saved:
                _by_intervention(axes, size)
    sentence = textwrap.fill(found.sentence(), _WORDS)
    figure.supxlabel(sentence, x=0.01, ha="left", fontsize=9.0, color=SOFT)
    return figure


def _by_phase(axes: Axes, size: SizeValue) -> None:
    assert size.whole is not None
    ones = (size.whole, *size.phases)
    axes.barh(
        range(len(ones)),
        [one.usd_per_month_per_s for one in ones],
        color=[INK, *(PHASES.get(one.phase, OTHER_PHASE) for one in size.phases)],
        height=0.7,
    )
    for at, one in enumerate(ones):
        if one.per_s_ends is not None:
            whisker(axes, at, one.per_s_ends)
    labels = [f"{one.phase.replace('_', ' ')}, {one.length_s:.3g} s" for one in ones]
    axes.set_yticks(range(len(ones)), labels, fontsize=8.0)
    axes.invert_yaxis()
    axes.set_xlabel("dollars a month for each second")
    _from_nought(axes, [one.usd_per_month_per_s for one in ones])
    axes.set_title(format_size(size.size_bytes), fontsize=10.0)


def _by_intervention(axes: Axes, size: SizeValue) -> None:
    paid = [one for one in size.paybacks if one.usd_per_month is not None]
    paid.sort(key=lambda one: -(one.usd_per_month or 0.0))
    axes.barh(range(len(paid)), [one.usd_per_month or 0.0 for one in paid], color=MONEY, height=0.7)
    labels = []
    for at, one in enumerate(paid):
        if one.saved is not None:
            whisker(axes, at, (one.saved.low, one.saved.high))
        months = "" if one.months is None else f", back in {_months(one.months)}"
        labels.append(f"{one.intervention}, {one.saved_s:.3g} s{months}")
    axes.set_yticks(range(len(paid)), labels, fontsize=8.0)
    axes.invert_yaxis()
    axes.set_xlabel("dollars a month that it saves")
    _from_nought(axes, [one.usd_per_month or 0.0 for one in paid])


def _from_nought(axes: Axes, values: Sequence[float]) -> None:
    """An axis that shows nought, and is no wider than a dollar where all of them are nought."""
    axes.axvline(0.0, color=INK, linewidth=1.0)
    if not any(values):
        axes.set_xlim(0.0, 1.0)


def _months(months: float) -> str:
    """A time to be paid back, which beyond ten years no one waits for."""
    return f"{months:.1f} months" if months <= _TEN_YEARS else "more than ten years"
