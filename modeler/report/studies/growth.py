"""Dollars and replicas over growing traffic, with the cap and where it binds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modeler.report.studies.words import money as in_dollars
from modeler.report.studies.words import told
from modeler.report.style import INK, MISSES, MONEY, new_figure, settle
from modeler.study.growth import Growth

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(found: Growth) -> Figure:
    """Dollars above, misses in the middle, the fleet at its largest below."""
    figure = new_figure(7.2)
    money, misses, fleet = figure.subplots(3, 1, sharex=True)
    done = [row for row in found.rows if row["status"] == "ok"]
    x = [row["factor"] for row in done]
    money.plot(x, [row["usd_per_month"] for row in done], marker="o", color=MONEY)
    if done and done[0]["usd_low"] is not None:
        money.fill_between(
            x, [row["usd_low"] for row in done], [row["usd_high"] for row in done],
            color=MONEY, alpha=0.15, linewidth=0.0,
        )  # fmt: skip
    if done and done[0]["sla_violation_share_low"] is not None:
        misses.fill_between(
            x, [100.0 * row["sla_violation_share_low"] for row in done],
            [100.0 * row["sla_violation_share_high"] for row in done],
            color=MISSES, alpha=0.15, linewidth=0.0,
        )  # fmt: skip
    misses.axhline(100.0 * found.allowed_share, color=INK, linewidth=1.0, linestyle=":",
                   label="allowed")  # fmt: skip
    misses.plot(x, [100.0 * row["sla_violation_share"] for row in done], marker="o", color=MISSES,
                label="missed")  # fmt: skip
    misses.plot(x, [100.0 * row["cap_share"] for row in done], marker="o", linestyle="--",
                color=INK, label="of them for the cap")  # fmt: skip
    fleet.plot(x, [row["wanted_replicas"] for row in done], marker="o", linestyle="--", color=INK,
               label="without a cap")  # fmt: skip
    fleet.plot(x, [row["peak_replicas"] for row in done], marker="o", color=MONEY,
               label=f"with {found.cap}")  # fmt: skip
    for axes in (money, misses, fleet):
        axes.set_ylim(bottom=0.0)
        if found.binding is not None and x and x[0] <= found.binding.high <= x[-1]:
            axes.axvline(found.binding.high, color=INK, linewidth=1.0, linestyle=(0, (4, 2)),
                         label="the cap binds" if axes is fleet else None)  # fmt: skip
    for axes in (misses, fleet):
        axes.legend(loc="best")
    in_dollars(money.yaxis)
    money.set_ylabel("dollars a month")
    misses.set_ylabel("requests missed, %")
    fleet.set_ylabel("most replicas at once")
    fleet.set_xlabel("times today's traffic")
    told(money, "What more traffic costs, and where the cap binds", found.sentence())
    settle(figure)
    return figure
