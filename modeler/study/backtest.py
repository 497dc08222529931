"""What a replay says beside what was seen: instances, billed hours, latency, each with its error.

Before any what-if is believed: the same traffic under the same policy should have given the same
fleet. `modeler.platforms.account` writes what was seen as ``observed/1``.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from modeler.measure import timeline
from modeler.scenario import Scenario
from modeler.study.replay import replay
from traces import CountSeries, Trace
from traces import load as load_trace

SCHEMA: Final = "observed/1"
_SERIES: Final = ("invocations", "latency_mean", "latency_p50", "latency_p99", "overhead_mean",
                  "instances")  # fmt: skip
_ABOUT_ONE: Final = 0.5  # instances: nearer than this they are as many
_HOUR_S: Final = 3600.0
Floats = NDArray[np.float64]


class BacktestError(Exception):
    """Something that was seen cannot be read, or does not lie in the traffic's time."""

    exit_code: Final = 2


@dataclass(frozen=True)
class Seen:
    """Series as they were seen.

    Parameters
    ----------
    period_s : float. Of every series. [s]
    series : mapping of str to (stamps [s since 1970], values).
    """

    period_s: float
    series: Mapping[str, tuple[Floats, Floats]]

    def mean(self, name: str) -> float | None:
        """Weighed by the requests of each period."""
        if name not in self.series:
            return None
        stamps, values = self.series[name]
        came = dict(zip(*(part.tolist() for part in self.series["invocations"]), strict=True))
        weights = np.array([came.get(stamp, 0.0) for stamp in stamps.tolist()])
        return float(np.average(values, weights=weights)) if weights.sum() > 0.0 else None


@dataclass(frozen=True)
class Compared:
    """One quantity, seen and predicted.

    Parameters
    ----------
    quantity, unit : str.
    seen, predicted : float.
    error_pct : float, optional. Of the prediction; None where 0 was seen. [%]
    note : str. What to know of either.
    """

    quantity: str
    unit: str
    seen: float
    predicted: float
    error_pct: float | None
    note: str = ""


def read_seen(path: str | os.PathLike[str]) -> Seen:
    """Read what was seen.

    Raises
    ------
    BacktestError : another schema, or series that cannot be; all at once.
    OSError : the file cannot be opened.
    """
    name = os.fspath(path)
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BacktestError(f"{name}: not JSON: {error}") from error
    if not isinstance(content, Mapping) or content.get("schema") != SCHEMA:
        raise BacktestError(f"{name}: expected the schema {SCHEMA}, as init writes it")
    problems = []
    period = content.get("period_s")
    if isinstance(period, bool) or not isinstance(period, int | float) or not period > 0:
        problems.append(f"{name}: period_s = {period!r}: expected seconds above 0")
    series = {}
    given = content.get("series")
    for key, value in (given if isinstance(given, Mapping) else {}).items():
        if key not in _SERIES:
            problems.append(f"{name}: series.{key}: expected one of {', '.join(_SERIES)}")
            continue
        try:
            stamps = np.array([datetime.fromisoformat(t).timestamp() for t in value["t"]])
            values = np.array(value["values"], dtype=np.float64)
            if stamps.size != values.size or not np.isfinite(values).all():
                raise ValueError("as many finite values as stamps")
        except (KeyError, TypeError, ValueError) as error:
            problems.append(f"{name}: series.{key}: {error}: expected t (ISO 8601) and values")
            continue
        series[key] = (stamps, values)
    if "invocations" not in series:
        problems.append(f"{name}: series.invocations is missing")
    if problems:
        raise BacktestError("\n".join(problems))
    assert period is not None  # checked above
    return Seen(float(period), series)


def backtest(scenario: Scenario, seen: Seen) -> tuple[Compared, ...]:
    """Replay a scenario over its own traffic and compare it with what was seen.

    Raises
    ------
    BacktestError
        The traffic has no date, or the series lie outside it.
    """
    traffic = load_trace(scenario.trace, seed=scenario.seed)
    if not traffic.t0_is_absolute:
        raise BacktestError(
            f"trace {scenario.trace} has no date: expected the window's own traffic"
        )
    found = replay(scenario, trace=traffic)
    outcome = found.outcome
    rows = [_row("requests", "requests", float(seen.series["invocations"][1].sum()),
                 float(outcome.requests))]  # fmt: skip
    rows += _instances(found.run, traffic, seen)
    latency: Any = outcome.to_dict()["latency_s"] or {}
    note = "ModelLatency is of the container; the prediction holds the wait before it as well"
    for name, key, words in (
        ("latency_mean", "mean", "mean latency"),
        ("latency_p50", "p50", "median latency"),
        ("latency_p99", "p99", "99th percentile of latency"),
    ):
        value = seen.mean(name)
        if value is not None and latency.get(key) is not None:
            rows.append(_row(words, "s", value, float(latency[key]), note))
    return tuple(rows)


def _instances(run: Any, traffic: Trace | CountSeries, seen: Seen) -> list[Compared]:
    """Instances by period, over the periods that were seen."""
    if "instances" not in seen.series:
        return []
    stamps, values = seen.series["instances"]
    shown = timeline(run, bin_s=seen.period_s)
    serving = np.array(shown["ready"]) + np.array(shown["draining"])
    at = np.floor((stamps - traffic.t0_ns / 1e9) / seen.period_s + 1e-6).astype(np.int64)
    inside = (at >= 0) & (at < serving.size)
    if not inside.any():
        raise BacktestError("no instance count was seen within the time of the traffic")
    # CPUUtilization has one sample a minute of each instance: over a longer period, more.
    observed = values[inside] / max(seen.period_s / 60.0, 1.0)
    predicted = serving[at[inside]]
    apart = np.abs(predicted - observed)
    hours = seen.period_s / _HOUR_S
    return [
        _row("mean instances", "instances", float(observed.mean()), float(predicted.mean())),
        _row("most instances", "instances", float(observed.max()), float(predicted.max())),
        _row("hours of instances in service", "h", float(observed.sum()) * hours,
             float(predicted.sum()) * hours, "starts that are billed before they serve left out"),
        Compared("mean distance a period", "instances", 0.0, float(apart.mean()), None,
                 f"as many in {100.0 * float((apart < _ABOUT_ONE).mean()):.0f} % of periods"),
    ]  # fmt: skip


def _row(quantity: str, unit: str, seen: float, predicted: float, note: str = "") -> Compared:
    off = 100.0 * (predicted / seen - 1.0) if seen and math.isfinite(seen) else None
    return Compared(quantity, unit, seen, predicted, off, note)
