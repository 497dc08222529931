"""Figures of studies: one file a study, each with ``draw(result) -> Figure``.

>>> from modeler.report.studies import figure_bytes
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Result = TypeVar("Result")
_COLUMNS = 120
_LINES = 2


def figure_bytes(draw: Callable[[Result], Figure], result: Result, kind: str) -> bytes:
    """A figure as a file's content.

    Parameters
    ----------
    draw : function of the result -> Figure.
    result : what it draws.
    kind : str. ``png``, ``svg`` or ``pdf``.
    """
    from modeler.report.figures import rendered
    from modeler.report.style import drawing

    with drawing():
        return rendered(draw(result), kind)


def shortened(sentence: str) -> str:
    """Advice in two lines at most, to stand above a drawing whose title has a pad of 34."""
    from textwrap import wrap

    return "\n".join(wrap(sentence, _COLUMNS, max_lines=_LINES, placeholder=" …"))
