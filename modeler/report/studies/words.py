"""A title and a sentence of advice over a figure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from modeler.report.style import tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE: Final = 118  # characters of a line under the title


def told(axes: Axes, title: str, sentence: str, width: int = _LINE) -> None:
    """Write a title, and a sentence between it and the axes on as many lines as it takes.

    Parameters
    ----------
    width : int. Of a line: fewer where names stand to the left of the axes. [characters]
    """
    lines = textwrap.wrap(sentence, width) or [""]
    axes.set_title(title, pad=10.0 + 12.0 * len(lines))
    tell(axes, "\n".join(lines))
