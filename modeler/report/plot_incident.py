"""A window of traffic under several policies: demand, replicas, and what missed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from modeler.report import numbers
from modeler.report.style import INK, MONEY, SERIES, new_figure, settle, tell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_UNITS = ((86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))
_MANY = 3.0  # an axis of so many of a unit and more is read in it
_LONG = 40  # characters of a name; of longer ones no two stand side by side
_DASHES = ("-", "--", ":")


def draw(result: Mapping[str, Any]) -> Figure:
    """Demand above, ready replicas of each policy, and below the requests that missed so far.

    Parameters
    ----------
    result : mapping. An incident, schema ``incident/1``.
    """
    line, window = result["timeline"], result["window"]
    begin_s, bin_s = window["from_s"], line["bin_s"]
    long_s = max(window["to_s"] - begin_s, bin_s)
    unit_s, unit = next(((s, name) for s, name in _UNITS if long_s >= _MANY * s), _UNITS[-1])
    edges = [(t - begin_s) / unit_s for t in line["t_s"]]
    edges.append(edges[-1] + bin_s / unit_s)
    figure = new_figure(6.6)
    load, fleet, missed = figure.subplots(3, 1, sharex=True, height_ratios=(2, 3, 3))
    load.stairs(line["arrivals_rps"], edges, fill=True, color=MONEY, alpha=0.25)
    load.stairs(line["arrivals_rps"], edges, color=MONEY, linewidth=1.2)
    load.set_ylabel("requests/s")
    load.set_ylim(bottom=0.0)
    load.set_title("The same traffic under other policies", pad=20.0)
    limit = numbers.duration(result["sla"]["threshold_s"])
    tell(load, f"bins of {numbers.duration(bin_s)}; missed: not answered within {limit}")
    acted = {row["name"]: row["acted_s"] for row in result["policies"]}
    for number, policy in enumerate(line["policies"]):
        look = _look(number)
        fleet.stairs(policy["ready"], edges, baseline=None, label=policy["name"], **look)
        missed.plot(edges, [0, *accumulate(policy["missed"])], **look)
        if acted[policy["name"]] is not None:
            fleet.plot(
                [(acted[policy["name"]] - begin_s) / unit_s],
                [1.0],
                "v",
                color=look["color"],
                transform=fleet.get_xaxis_transform(),
                clip_on=False,
            )
    for number, policy in enumerate(result["policies"]):
        if policy["violations_low"] is not None:
            # Beside the end of its line, one policy next to another.
            at = 1.004 + 0.006 * number
            missed.plot(
                [at, at],
                [policy["violations_low"], policy["violations_high"]],
                color=_look(number)["color"],
                marker="_",
                transform=missed.get_yaxis_transform(),
                clip_on=False,
            )
    tell(fleet, "▼ the first decision to add replicas")
    fleet.set_ylabel("replicas ready")
    fleet.set_ylim(bottom=0.0)
    fleet.yaxis.get_major_locator().set_params(integer=True)
    missed.set_ylabel("missed so far")
    missed.set_ylim(bottom=0.0)
    missed.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    missed.set_xlim(0.0, long_s / unit_s)
    origin = window["from"] or f"{numbers.moment(begin_s)} of the traffic"
    missed.set_xlabel(f"{unit} from {origin}")
    handles, names = fleet.get_legend_handles_labels()
    columns = min(len(names), 3) if max(map(len, names)) <= _LONG else 1
    figure.legend(handles, names, loc="outside lower center", ncols=columns)
    settle(figure)
    return figure


def _look(number: int) -> dict[str, Any]:
    """The policy that ran in ink, the others in colours, then in the same colours dashed."""
    if number == 0:
        return {"color": INK, "linewidth": 2.4}
    turn, at = divmod(number - 1, len(SERIES))
    return {
        "color": SERIES[at],
        "linestyle": _DASHES[turn % len(_DASHES)],
        "linewidth": 1.6,
    }
