"""How figures look: colours that colour-blind readers tell apart, and settings of their own.

The reader's own matplotlib settings are set aside while a figure is drawn, so that the same result
gives the same bytes everywhere.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#1c2430"
SOFT = "#5c6673"
GRID = "#dfe3e8"
PAPER = "#fefefe"
MONEY = "#0072b2"
MISSES = "#d55e00"
GOOD = "#009e73"
# Okabe and Ito, "Color Universal Design" (2008), without the yellow that paper swallows.
SERIES = (MONEY, MISSES, GOOD, "#cc79a7", "#e69f00", "#56b4e9")
# Paul Tol, "Colour schemes" (2021), muted: nine that stay apart in the common deficiencies.
PHASES = {
    "detect": "#bbbbbb",
    "provision": "#332288",
    "boot": "#88ccee",
    "device": "#999933",
    "image_pull": "#44aa99",
    "artifact_fetch": "#cc6677",
    "load": "#882255",
    "init": "#ddcc77",
    "register": "#117733",
}
OTHER_PHASE = "#aa4499"

_SETTINGS: Mapping[Any, Any] = {
    "font.family": ["DejaVu Sans"],
    "font.size": 10.0,
    "text.parse_math": False,  # "$5 … $6" is money
    "text.color": INK,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.facecolor": PAPER,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    "lines.linewidth": 2.0,
    "lines.markersize": 7.0,
    "svg.hashsalt": "modeler",
}


@contextmanager
def drawing() -> Iterator[None]:
    """Our settings, and no one else's, for as long as a figure is drawn and saved."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        # A setting's value may hold a character that the font lacks: a box is drawn for it.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def new_figure(height_in: float) -> Figure:
    """An empty figure as wide as a slide's body.

    Parameters
    ----------
    height_in : float. [inches]
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.6, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def settle(figure: Figure) -> None:
    """Lay a figure out once and for all: the solver's last bits vary from one run to the next.

    Of more than two panels, whose places it finds in no fixed order.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        x, y, width, height = (round(float(side), 6) for side in axes.get_position().bounds)
        axes.set_position((x, y, width, height))


def tell(axes: Axes, text: str, *, color: str = SOFT) -> None:
    """A line of explanation between title and axes."""
    axes.annotate(
        text,
        (0.0, 1.0),
        (0.0, 5.0),
        xycoords="axes fraction",
        textcoords="offset points",
        fontsize=9.0,
        color=color,
        va="bottom",
    )
