"""What is said over a figure, and the intervals in it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from modeler.report.style import INK, tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE: Final = 118  # characters of a line under the title


def told(axes: Axes, title: str, sentence: str) -> None:
    """Write a title, and a sentence between it and the axes on as many lines as it takes."""
    lines = textwrap.wrap(sentence, _LINE) or [""]
    axes.set_title(title, pad=10.0 + 12.0 * len(lines))
    tell(axes, "\n".join(lines))


def whisker(axes: Axes, at: float, ends: tuple[float, float]) -> None:
    """An interval across a lying bar: a line from its low to its high end."""
    axes.plot(ends, (at, at), color=INK, linewidth=1.0, marker="|", markersize=6.0)
