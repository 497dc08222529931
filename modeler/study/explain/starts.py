"""What a start is made of: phases, how they overlap, and what was measured of them."""

from __future__ import annotations

from typing import Any, Final

from modeler.predict.cold_start import PhaseQuantiles
from modeler.study.explain.arithmetic import DIFFERENCE, SUM, Line, read, step
from modeler.study.replay import Replay

_SAMPLES: Final = 2000  # as many as the row's own percentiles are over
_LAW: Final = f"the law of the start, drawn for the same {_SAMPLES:,} replicas at every size"
_CUTS: Final = {"p50": "median", "p95": "95th percentile"}
_OBSERVED: Final = "the replay's own replicas, requested and ready within it"
_BREACHES: Final = "the replay's breaches that added capacity closed"


def decision_to_ready(done: Replay, figure: str) -> list[Line]:
    """Constants, phases, what overlaps, and what percentiles of a sum are not."""
    parts = figure.split(".")
    found: Any = done.outcome.decision_to_ready_s
    if parts[1] == "observed":
        return [_observed(figure, found["observed"])]
    if parts[1] == "phases":
        return [*_constants(done), _phase(figure, found["phases"][parts[2]], parts)]
    cut = parts[1]
    bars = done.run.cold_start.waterfall(_SAMPLES).phases
    lines = [_bar(bar, cut, bars) for bar in bars]
    values = [line.value for line in lines if line.value is not None]
    together = _union(bars)
    stretch = sum(bar.ends_s - bar.starts_s for bar in bars)
    overlap = stretch - together
    ahead = sum(values) - overlap
    rest = found[cut] - ahead
    reason = {
        "p50": "the median of a sum is not the sum of medians",
        "p95": "phases are not all at their 95th percentile in one start",
    }[cut]
    return [
        *_constants(done),
        *lines,
        step(
            "overlap", DIFFERENCE, (stretch, together), overlap, "s", _LAW,
            "phases from median start to median end - the time that any of them covers",
        ),
        read("not at once", rest, "s", _LAW, reason),
        step(
            figure, SUM, (*values, -overlap, rest), found[cut], "s", _LAW,
            "phases - overlap + not at once",
        ),
    ]  # fmt: skip


def _constants(done: Replay) -> list[Line]:
    """What the law goes by, each with its source."""
    return [
        read(
            f"cold_start.{constant.name}",
            float(constant.value),
            "" if constant.unit in ("1", "flag") else constant.unit,
            f"{constant.origin}: {constant.source}",
            constant.note or "a constant of the law of the start",
        )
        for constant in done.run.cold_start.constants()
    ]


def _bar(bar: PhaseQuantiles, cut: str, bars: tuple[PhaseQuantiles, ...]) -> Line:
    """One phase: how long, from when to when, and beside which others."""
    beside = [
        f"{other.phase} for {shared:,.4g} s"
        for other in bars
        if other is not bar and (shared := _shared(bar, other)) > 0.0
    ]
    words = f"from {bar.starts_s:,.4g} s to {bar.ends_s:,.4g} s"
    words += f", beside {', '.join(beside)}" if beside else ", alone"
    value = bar.p50_s if cut == "p50" else bar.p95_s
    return read(f"decision_to_ready_s.phases.{bar.phase}.{cut}", value, "s", _LAW, words)


def _shared(one: PhaseQuantiles, other: PhaseQuantiles) -> float:
    return min(one.ends_s, other.ends_s) - max(one.starts_s, other.starts_s)


def _union(bars: tuple[PhaseQuantiles, ...]) -> float:
    """How long at least one phase is under way, from median start to median end. [s]"""
    covered, until = 0.0, 0.0
    for bar in sorted(bars, key=lambda bar: bar.starts_s):
        covered += max(bar.ends_s - max(bar.starts_s, until), 0.0)
        until = max(until, bar.ends_s)
    return covered


def _phase(figure: str, phase: dict[str, float], parts: list[str]) -> Line:
    key = parts[-1]
    words = f"{_CUTS[key]} of its length" if key in _CUTS else "median of when it begins"
    return read(figure, phase[key], "s", _LAW, words)


def _observed(figure: str, observed: dict[str, Any]) -> Line:
    key = figure.rpartition(".")[2]
    if key == "count":
        return read(figure, observed[key], "replicas", _OBSERVED, "how many there were")
    words = f"{_CUTS[key]} of {observed['count']} replicas, linear between order statistics"
    return read(figure, observed[key], "s", _OBSERVED, words)


def breach_to_ready(done: Replay, figure: str) -> list[Line]:
    """A percentile over the breaches; of a phase, of the part of it that lay inside the breach."""
    found: Any = done.outcome.breach_to_ready_s
    parts, key = figure.split("."), figure.rpartition(".")[2]
    if key == "count":
        return [read(figure, found["count"], "", _BREACHES, "how many there were")]
    value = found["phases"][parts[2]][key] if parts[1] == "phases" else found[key]
    words = f"{_CUTS[key]} of {found['count']} breaches, linear between order statistics"
    if parts[1] == "phases":
        words += "; of a phase, what of it lay inside the breach"
        return [read(figure, value, "s", _BREACHES, words)]
    phases = [
        read(
            f"breach_to_ready_s.phases.{name}.{key}", phase[key], "s", _BREACHES,
            "what of it lay inside the breach; percentiles do not add up",
        )
        for name, phase in found["phases"].items()
    ]  # fmt: skip
    return [*phases, read(figure, value, "s", _BREACHES, words)]


def breaches(done: Replay, figure: str) -> list[Line]:
    """How breaches ended."""
    key = figure.rpartition(".")[2]
    words = {
        "measured": "closed after added capacity was ready",
        "self_cleared": "closed without added capacity",
        "censored": "still open when the trace ended",
    }[key]
    return [read(figure, done.outcome.breaches[key], "breaches", "counted by the replay", words)]
