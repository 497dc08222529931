"""Dollars, misses and lag over model size, a line for each precision, the Goldilocks point marked.

The point is the cheapest variant that keeps the service level, of equals the larger; its reason
stands in one sentence above. Accuracy is not on this figure: it is the analyst's to bring.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from modeler.report import numbers, view
from modeler.report.style import INK, PAPER, SERIES, SOFT, new_figure, tell
from modeler.report.view import Result, Row
from modeler.study.goldilocks import goldilocks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GB = 1e9
_DTYPE = "model.dtype"
# Lines that lie on each other, as int8 on fp8 where a card has neither, must both be seen.
_MARKERS = ("o", "s", "^", "D")
_DASHES = ("-", "-", (0, (4, 2)), "-.")
_LINE = 112  # characters of the reason in a line
_WIDE = 8.0  # largest over smallest size from which a logarithmic axis reads better


def draw(result: Result) -> Figure | None:
    """The figure; None unless at least two precisions have a result."""
    rows = view.finished(result["scenarios"])
    sizes = {row["size_bytes"] for row in rows}
    precisions = {row["settings"].get(_DTYPE) for row in rows}
    if len(precisions) < 2 or len(sizes) < 2 or view.compares_policies(result):
        return None
    lines = _lines(rows)
    chosen = goldilocks(rows)
    figure = new_figure(8.4)
    axes = figure.subplots(3, 1, sharex=True)
    panels: tuple[tuple[str, Callable[[Row], float | None]], ...] = (
        ("$ per hour", lambda row: row["usd_per_hour"]),
        ("requests missed, %", lambda row: 100.0 * row["sla_violation_share"]),
        ("breach to ready, s (p50)", lambda row: row["breach_to_ready_s"]["p50"]),
    )
    for panel, (name, value) in zip(axes, panels, strict=True):
        _draw(panel, lines, value, None if chosen is None else chosen.row)
        panel.set_ylabel(name)
        panel.set_ylim(bottom=0.0)
    limit = 100.0 * rows[0]["sla"]["max_violation_share"]
    axes[1].set_ylim(top=max(axes[1].get_ylim()[1], 2.0 * limit))
    axes[1].axhline(limit, color=INK, linewidth=1.0, alpha=0.7, zorder=1)
    axes[1].annotate(
        f"SLA: at most {limit:g} %", (1.0, limit), (-4.0, 3.0),
        xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=8.5, ha="right",
    )  # fmt: skip
    tell(axes[2], _starts(rows))
    _size_axis(axes[-1], sorted(size / _GB for size in sizes))
    said = chosen.reason if chosen is not None else "Nothing here keeps the service level."
    told = textwrap.wrap(said, _LINE)
    axes[0].set_title("One model in several sizes and precisions", pad=9.0 + 12.5 * len(told))
    tell(axes[0], "\n".join(told))
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=5, handlelength=2.4)
    return figure


def _starts(rows: Sequence[Row]) -> str:
    """Why a lag may be far shorter than a start: said beside it, or a reader takes it for one."""
    whole = [row["decision_to_ready_s"]["p50"] for row in rows]
    known = [seconds for seconds in whole if seconds is not None]
    if not known:
        return ""
    low, high = round(min(known)), round(max(known))
    takes = f"{low:,} s" if low == high else f"{low:,} to {high:,} s"
    return f"Decision to ready: {takes}. A replica already on its way ends a breach sooner."


def _lines(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows by precision and what else was varied, each from small to large."""
    paths = dict.fromkeys(path for row in rows for path in row["settings"] if path != "model.size")
    varied = [p for p in paths if len({str(row["settings"].get(p)) for row in rows}) > 1]
    groups: dict[str, list[Row]] = {}
    for row in rows:
        name = ", ".join(
            numbers.plain(row["settings"][path])
            if path == _DTYPE
            else f"{view.short(path)} {numbers.plain(row['settings'][path])}"
            for path in varied
            if path in row["settings"]
        )
        groups.setdefault(name or view.policy_name(row), []).append(row)
    for members in groups.values():
        members.sort(key=lambda row: row["size_bytes"])
    return groups


def _draw(
    axes: Axes,
    lines: dict[str, list[Row]],
    value: Callable[[Row], float | None],
    chosen: Row | None,
) -> None:
    for number, (name, members) in enumerate(lines.items()):
        color = SERIES[number % len(SERIES)] if number < 2 * len(SERIES) else SOFT
        shown = [(row["size_bytes"] / _GB, value(row), row) for row in members]
        known = [(x, y, row) for x, y, row in shown if y is not None]
        axes.plot(
            [x for x, _, _ in known], [y for _, y, _ in known], color=color,
            marker=_MARKERS[number % len(_MARKERS)], linestyle=_DASHES[number % len(_DASHES)],
            label=name, zorder=3,
        )  # fmt: skip
        missed = [(x, y) for x, y, row in known if not row["meets_sla"]]
        axes.plot(
            [x for x, _ in missed], [y for _, y in missed], color=color, linestyle="",
            marker=_MARKERS[number % len(_MARKERS)], markerfacecolor=PAPER,
            markeredgewidth=1.8, zorder=4,
        )  # fmt: skip
    if chosen is not None:
        at = value(chosen)
        if at is not None:
            axes.plot(
                [chosen["size_bytes"] / _GB], [at], "*", color=INK, markersize=17.0,
                markeredgecolor=PAPER, zorder=6, label="Goldilocks",
            )  # fmt: skip


def _size_axis(axes: Axes, sizes: Sequence[float]) -> None:
    if sizes[-1] / sizes[0] > _WIDE:
        axes.set_xscale("log")
        axes.set_xticks([], minor=True)
    named: list[float] = []
    for size in sizes:  # names that would overlap are left out, the largest never
        if not named or size / named[-1] > 1.25:
            named.append(size)
    axes.set_xticks(named, [numbers.size(size * _GB) for size in named])
    axes.set_xlabel("model size; hollow: the service level is not kept")
