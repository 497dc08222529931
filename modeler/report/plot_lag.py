"""The cold start of an added replica, phase by phase, for each model size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modeler.report import numbers, view
from modeler.report.style import INK, OTHER_PHASE, PAPER, PHASES, SOFT, new_figure, tell
from modeler.report.view import Result, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_BARS = 12
# Medians of phases do not add up to the median of their sum, by a few percent; phases that follow
# each other must not seem to overlap for it.
_SLACK = 0.03
_BAR = 0.7


@dataclass(frozen=True)
class _Part:
    """One phase of one bar, placed in a lane."""

    phase: str
    start_s: float
    length_s: float
    lane: int


def draw(result: Result) -> Figure | None:
    """A bar for each size: medians of the phases from the decision, whisker to the 95th percentile.

    Phases that run at the same time stand under each other. Where a bar is one scenario's alone,
    the time before the decision stands to the left of zero. None when no row has phases.
    """
    bars = _bars(result)
    if not bars:
        return None
    figure = new_figure(1.9 + 0.66 * max(len(bars), 1.6))
    axes = figure.add_subplot()
    seen: dict[str, None] = {}
    farthest = 0.0
    for y, (_, row, alone) in enumerate(bars):
        lag = row["decision_to_ready_s"]
        parts = _place(lag)
        lanes = 1 + max(part.lane for part in parts)
        first = y - _BAR / 2.0 + _BAR / lanes / 2.0
        for part in parts:
            _bar(axes, y, part, lanes)
            seen.setdefault(part.phase)
        if alone and _detect(axes, y, row):
            seen.setdefault("detect")
        axes.plot([lag["p50"], lag["p95"]], [first, first], color=INK, linewidth=1.3, zorder=4)
        axes.plot([lag["p95"]], [first], "|", color=INK, markersize=9.0, zorder=4)
        axes.annotate(
            f"{numbers.duration(lag['p50'])}  (p95 {numbers.duration(lag['p95'])})",
            (lag["p95"], first),
            (7.0, 0.0),
            textcoords="offset points",
            fontsize=9.0,
            va="center",
        )
        farthest = max(farthest, lag["p95"])
    _finish(figure, axes, bars, [name for name in PHASES if name in seen] or list(seen), farthest)
    return figure


def _bars(result: Result) -> list[tuple[str, Row, bool]]:
    """Name, row, and whether it stands for that row only; equal cold starts are shown once."""
    paths = [path for path in view.varied(result) if not path.startswith("policy.")]
    groups: dict[str, list[Row]] = {}
    for row in view.finished(result["scenarios"]):
        if row["decision_to_ready_s"].get("phases"):
            name = numbers.size(row["size_bytes"])
            extra = view.settings_name(row, paths)
            groups.setdefault(f"{name}, {extra}" if extra else name, []).append(row)
    bars = [(name, rows[0], len(rows) == 1) for name, rows in groups.items()]
    bars.sort(key=lambda bar: bar[1]["size_bytes"])
    if len(bars) <= _MOST_BARS:
        return bars
    step = (len(bars) - 1) / (_MOST_BARS - 1)
    return [bars[round(i * step)] for i in range(_MOST_BARS)]


def _place(lag: Mapping[str, Any]) -> list[_Part]:
    """Phases in as few lanes as show what runs at the same time."""
    parts = []
    ends: list[float] = []
    slack_s = _SLACK * lag["p50"]
    following_s = 0.0
    for phase, times in lag["phases"].items():
        start_s = times.get("starts_s", following_s)
        length_s = times["p50"]
        following_s = start_s + length_s
        if not length_s:
            continue
        lane = next((i for i, end in enumerate(ends) if start_s >= end - slack_s), len(ends))
        if lane == len(ends):
            ends.append(0.0)
        else:
            start_s = max(start_s, ends[lane])
        ends[lane] = start_s + length_s
        parts.append(_Part(phase, start_s, length_s, lane))
    return parts


def _bar(axes: Axes, y: float, part: _Part, lanes: int) -> None:
    height = _BAR / lanes
    middle = y - _BAR / 2.0 + height * (part.lane + 0.5)
    axes.barh(
        middle,
        part.length_s,
        height,
        left=part.start_s,
        color=PHASES.get(part.phase, OTHER_PHASE),
        edgecolor=PAPER,
        linewidth=0.8,
        zorder=3,
    )


def _detect(axes: Axes, y: float, row: Row) -> bool:
    """The median time from a breach to the decision, left of zero."""
    phases = row["breach_to_ready_s"].get("phases") or {}
    waited = phases.get("detect", {}).get("p50")
    if not waited:
        return False
    axes.barh(y, -waited, _BAR, color=PHASES["detect"], hatch="////", edgecolor=PAPER, zorder=3)
    return True


def _finish(
    figure: Figure,
    axes: Axes,
    bars: Sequence[tuple[str, Row, bool]],
    phases: Sequence[str],
    farthest_s: float,
) -> None:
    from matplotlib.patches import Patch

    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    middle, half = (len(bars) - 1) / 2.0, max(len(bars), 1.6) / 2.0
    axes.set_ylim(middle + half, middle - half)
    axes.grid(axis="y", visible=False)
    left = axes.get_xlim()[0]
    axes.set_xlim(left, farthest_s + 0.3 * (farthest_s - left) or 1.0)
    axes.axvline(0.0, color=SOFT, linewidth=1.0)
    step = _step(farthest_s)
    axes.xaxis.set_major_locator(_multiples(step))
    axes.xaxis.set_major_formatter(lambda value, _: _clock(value, step))
    axes.set_xlabel("from the decision to scale out")
    axes.set_title("How long an added replica takes, and where the time goes", pad=20.0)
    about = "medians by phase; whisker: 95th percentile of the whole"
    tell(axes, about + ("; detect: from breach to decision" if "detect" in phases else ""))
    handles = [
        Patch(
            facecolor=PHASES.get(name, OTHER_PHASE),
            label=name.replace("_", " "),
        )
        for name in phases
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 8))


def _step(farthest_s: float) -> float:
    """A round number of seconds that makes four to eight ticks. [s]"""
    steps = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200)
    return float(next((step for step in steps if farthest_s / step <= 8), 14_400))


def _multiples(step: float) -> Any:
    from matplotlib.ticker import MultipleLocator

    return MultipleLocator(step)


def _clock(seconds: float, step: float) -> str:
    if seconds == 0.0:
        return "0"
    return f"{seconds:g} s" if step < 60.0 else f"{seconds / 60.0:g} min"
