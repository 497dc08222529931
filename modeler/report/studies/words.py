"""A sentence of advice under the title of a figure."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from modeler.report.style import tell

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE: Final = 118  # characters of a line under the title


def told(axes: Axes, sentence: str) -> None:
    """Write a sentence between title and axes, on as many lines as it takes."""
    lines = textwrap.wrap(sentence, _LINE) or [""]
    axes.set_title(axes.get_title(), pad=10.0 + 12.0 * len(lines))
    tell(axes, "\n".join(lines))
