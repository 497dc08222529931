"""What is said over a figure, and the intervals in it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from modeler.report.style import INK, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

_LINE: Final = 118  # characters of a line under the title
_LINE_PT: Final = 12.0  # height of one
_POINTS: Final = 72.0  # of an inch


def money(axis: Axis) -> None:
    """Dollars of an axis in whole figures with commas."""
    axis.set_major_formatter(lambda value, _: f"{value:,.0f}")


def told(axes: Axes, title: str, sentence: str, width: int = _LINE) -> None:
    """Write a title, and a sentence between it and the axes on as many lines as it takes.

    The figure grows by every line beyond the first.

    Parameters
    ----------
    width : int. Of a line: fewer where names stand to the left of the axes. [characters]
    """
    lines = textwrap.wrap(sentence, width) or [""]
    axes.set_title(title, pad=10.0 + _LINE_PT * len(lines))
    figure = axes.get_figure(root=True)
    assert figure is not None
    wide, tall = figure.get_size_inches()
    figure.set_size_inches(wide, tall + _LINE_PT * (len(lines) - 1) / _POINTS)
    tell(axes, "\n".join(lines))


def whisker(axes: Axes, at: float, ends: tuple[float, float]) -> None:
    """An interval across a lying bar: a line from its low to its high end."""
    axes.plot(ends, (at, at), color=INK, linewidth=1.0, marker="|", markersize=6.0)
