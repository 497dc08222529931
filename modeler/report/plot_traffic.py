"""A trace beside what its law makes: the rate over time, dispersion by width, gaps, memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from modeler.report.style import INK, MISSES, MONEY, SOFT, new_figure, tell
from traces.fit import counts_of, dispersion, widths_of
from traces.match import autocorrelation

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from traces import Trace

_POINTS = 300  # of a line over time
_LAGS = 30


def draw(trace: Trace, made: Trace) -> Figure:
    """Four panels, the trace in one colour and the made traffic in another."""
    figure = new_figure(6.6)
    rate, spread, gaps, memory = figure.subplots(2, 2).flat
    width = 60.0 * max(math.ceil(trace.duration_s / _POINTS / 60.0), 1)
    for one, colour, name in ((trace, MONEY, "trace"), (made, MISSES, "made by its law")):
        counts = counts_of(one, width)
        at = (np.arange(counts.size) + 0.5) * width
        unit, word = (3600.0, "hours") if trace.duration_s > 7200.0 else (60.0, "minutes")
        rate.plot(at / unit, counts / width, color=colour, linewidth=1.4, label=name)
        rate.set_xlabel(f"{word} since the first request")
        widths = widths_of(one)
        spread.loglog(
            widths, [dispersion(counts_of(one, w)) for w in widths], "o-", color=colour,
            markersize=4, linewidth=1.4,
        )  # fmt: skip
        _survival(gaps, np.diff(one.arrival_s), colour)
        minutes = counts_of(one, 60.0)
        lags = range(1, min(_LAGS, minutes.size // 4) + 1)
        memory.plot(
            list(lags), [autocorrelation(minutes, lag) for lag in lags], color=colour, linewidth=1.4
        )
    rate.set_ylabel("requests/s")
    rate.set_ylim(bottom=0.0)
    rate.set_title("Rate", pad=18.0)
    tell(rate, f"in bins of {width / 60.0:g} min")
    # Above the axes: anywhere within, it would lie on a curve of some trace.
    rate.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), ncols=2, frameon=False)
    spread.axhline(1.0, color=SOFT, linewidth=1.0, linestyle=":")
    spread.annotate("Poisson", (1.0, 1.0), (2.0, 4.0), textcoords="offset points", color=INK,
                    fontsize=8.0)  # fmt: skip
    _plain(spread)
    spread.set_xlabel("width of a bin, s")
    spread.set_title("Index of dispersion", pad=18.0)
    tell(spread, "variance over mean of requests in a bin")
    gaps.set_xlabel("gap, s")
    gaps.set_title("Gaps", pad=18.0)
    tell(gaps, "share of gaps that are longer")
    memory.axhline(0.0, color=SOFT, linewidth=1.0)
    memory.set_xlabel("lag, minutes")
    memory.set_title("Autocorrelation", pad=18.0)
    tell(memory, "of requests a minute")
    return figure


def _survival(axes: Axes, gaps: np.ndarray, colour: str) -> None:
    """Share of gaps above each length, at no more points than are seen."""
    ordered = np.sort(gaps[gaps > 0.0])
    if not ordered.size:
        return
    rank = np.unique(np.geomspace(1, ordered.size, _POINTS).astype(int))
    axes.loglog(ordered[ordered.size - rank], rank / gaps.size, color=colour, linewidth=1.4)
    _plain(axes)


def _plain(axes: Axes) -> None:
    """Numbers as people write them: 10^1 would be mathematics, which "$" keeps off."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
