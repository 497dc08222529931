"""Load and fleet of one scenario over time."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modeler.report import numbers
from modeler.report.style import GOOD, MISSES, MONEY, SOFT, new_figure, tell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_UNITS = ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


def draw(timeline: Mapping[str, Any], name: str = "") -> Figure:
    """Arrivals above; ready, pending and draining replicas stacked below.

    Parameters
    ----------
    timeline : mapping. ``bin_s``, and by bin ``t_s``, ``arrivals_rps``, ``ready``, ``pending`` and
        ``draining``.
    name : str. The scenario's, for the line under the title.
    """
    bin_s = timeline["bin_s"]
    end_s = timeline["t_s"][-1] + bin_s
    unit_s, unit = next(((s, name) for s, name in _UNITS if end_s >= 2.0 * s), _UNITS[-1])
    edges = [t / unit_s for t in [*timeline["t_s"], end_s]]
    figure = new_figure(5.4)
    load, fleet = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
    load.stairs(timeline["arrivals_rps"], edges, fill=True, color=MONEY, alpha=0.25)
    load.stairs(timeline["arrivals_rps"], edges, color=MONEY, linewidth=1.2)
    load.set_ylabel("requests/s")
    load.set_ylim(bottom=0.0)
    load.set_title("Load and replicas over time", pad=20.0)
    tell(load, " · ".join(filter(None, (name, f"means over {_round_name(bin_s)}"))))
    floor = [0.0] * len(timeline["t_s"])
    for name, color, hatch in (
        ("ready", GOOD, None),
        ("draining", SOFT, "\\\\\\\\"),
        ("pending", MISSES, "////"),
    ):
        top = [low + more for low, more in zip(floor, timeline[name], strict=True)]
        fleet.stairs(
            top,
            edges,
            baseline=floor,
            fill=True,
            facecolor=color,
            edgecolor="white",
            linewidth=0.0,
            alpha=0.85,
            hatch=hatch,
            label=name,
        )
        floor = top
    fleet.set_ylabel("replicas")
    fleet.set_ylim(0.0, 1.1 * max([*floor, 1.0]))
    fleet.yaxis.get_major_locator().set_params(integer=True)
    fleet.set_xlim(edges[0], edges[-1])
    fleet.set_xlabel(f"{unit} from the first request")
    figure.legend(*fleet.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def _round_name(seconds: float) -> str:
    """A bin's width without the parts that are nothing: 30 m, not 30 m 0 s."""
    return re.sub(r" 0 [a-z]+$", "", numbers.duration(seconds))
