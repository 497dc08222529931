"""Figures of studies: one file a study, each with ``draw(result) -> Figure``.

>>> from modeler.report.studies import figure_bytes
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Result = TypeVar("Result")


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
