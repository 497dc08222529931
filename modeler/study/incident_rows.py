"""The rows of an incident: which policies there are, and what each would have changed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.measure import unit_price
from modeler.measure.cost import cost_lines, total_usd
from modeler.measure.intervals import mean_count
from modeler.measure.window import in_window, violated
from modeler.replay import layout as m
from modeler.replay.run import Run, Traffic
from modeler.replay.simulate import Floats
from modeler.scenario import Scenario, ScenarioError
from modeler.scenario.errors import Problem
from modeler.study.grid import Point, grid
from modeler.study.incident_window import Window, clock
from modeler.study.presets import Preset

RAN: Final = "the policy that ran"
_MOST_BINS: Final = 240  # more would not show in a figure
_ROUND_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)


@dataclass(frozen=True)
class Named:
    """A policy to replay, and what to call it."""

    name: str
    scenario: Scenario
    settings: Mapping[str, Any] | None = None
    note: str = ""
    error: Exception | None = None

    @property
    def metered(self) -> bool:
        """Whether it is billed by the request, and not by the machine."""
        return self.scenario.hosting.platform.per_request

    @classmethod
    def of(cls, point: Point) -> Named:
        """A point of a grid."""
        if point.preset is not None:
            preset = point.preset
            return cls(preset.name, point.scenario, None, preset.note, point.error)
        name = ", ".join(f"{path} = {_short(value)}" for path, value in point.settings.items())
        return cls(name, point.scenario, point.settings)


def points_of(
    base: Scenario,
    alternatives: Mapping[str, Scenario],
    presets: Sequence[Preset],
    settings: Mapping[str, Sequence[Any]],
) -> list[Named]:
    """The policy that ran, then every other, by name."""
    found = [Named(RAN, base)]
    found += [Named(name, one) for name, one in alternatives.items()]
    if presets:
        found += [Named.of(point) for point in grid(base, presets=presets)]
    if settings:
        found += [Named.of(point) for point in grid(base, settings=settings)]
    problems = [
        Problem(
            f"{one.name}: an alternative meets the same requests; expected trace {base.trace} and "
            f"seed {base.seed}",
            "trace",
        )
        for one in found
        if (one.scenario.trace, one.scenario.seed) != (base.trace, base.seed)
    ]
    if problems:
        raise ScenarioError(problems)
    return found


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


class Part(NamedTuple):
    """A window of some traffic, of which a part is replayed.

    Attributes
    ----------
    whole : Trace or CountSeries. The traffic.
    span : Window. In its time.
    begin_s : float. Where the replay begins in it. [s]
    """

    whole: Traffic
    span: Window
    begin_s: float

    @property
    def inside(self) -> tuple[float, float]:
        """The window in the time of the replay. [s]"""
        return self.span.from_s - self.begin_s, self.span.to_s - self.begin_s

    def end_s(self, ran: Run) -> float:
        """Where the window ends, in the traffic's time, if not before a replay does. [s]"""
        return min(self.span.to_s, ran.result.end_s + self.begin_s)


def seen_in(point: Named, done: Run, part: Part) -> Seen:
    """A policy in the window: its row, which of its requests missed, and its replicas."""
    price = unit_price(point.scenario)
    found = in_window(done, price, *part.inside)
    arrival_s = done.arrivals()
    inside = (arrival_s >= part.inside[0]) & (arrival_s < part.inside[1])
    table = done.result.replicas
    ready_s = np.minimum(table[:, m.READY_S], table[:, m.STOP_S])
    out_s = np.maximum(np.minimum(table[:, m.DRAIN_S], table[:, m.STOP_S]), ready_s)
    moments = {"acted": found.acted_s, "ready": found.ready_s}
    row = {**_head(point), **found._asdict()}
    for name, moment in moments.items():
        time_s = None if moment is None else moment + part.begin_s
        row |= {f"{name}_s": time_s, f"{name}_at": clock(part.whole, time_s)}
    row["violations"] = sum(found.violations_by_cause.values())
    row["usd_run"] = total_usd(cost_lines(point.scenario, price, done.result, done.layer))
    return Seen(row, violated(done)[inside], np.column_stack([ready_s, out_s]))


def _head(point: Named) -> dict[str, Any]:
    return {
        "name": point.name,
        "policy": " + ".join(policy.kind for policy in point.scenario.in_force),
        "settings": dict(point.settings) if point.settings is not None else None,
        "note": point.note or None,
    }


def against(one: Seen, ran: Seen) -> dict[str, Any]:
    """The row of a policy, with what it would have changed."""
    row, other = one.row, ran.row
    causes, before = row["violations_by_cause"], other["violations_by_cause"]
    both = row["acted_s"] is not None and other["acted_s"] is not None
    return {
        **{key: row[key] for key in ("name", "policy", "settings", "note")},
        **{key: row[key] for key in ("acted_s", "acted_at")},
        "earlier_s": other["acted_s"] - row["acted_s"] if both else None,
        **{key: row[key] for key in ("ready_s", "ready_at", "requests")},
        **{key: row[key] for key in ("violations", "violations_by_cause")},
        "saved": other["violations"] - row["violations"],
        "saved_by_cause": {cause: before[cause] - count for cause, count in causes.items()},
        "rescued": int((ran.missed & ~one.missed).sum()),
        "harmed": int((one.missed & ~ran.missed).sum()),
        "usd": row["usd"],
        "usd_added": row["usd"] - other["usd"],
        "usd_run": row["usd_run"],
        "usd_run_added": row["usd_run"] - other["usd_run"],
        **{key: row[key] for key in ("ready_at_start", "pending_at_start")},
        **{key: row[key] for key in ("peak_replicas", "peak_backlog")},
        "status": "ok",
        "error": None,
    }


def with_intervals(row: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """A row with its intervals, before its status."""
    last = ("status", "error", "error_kind")
    return {
        **{key: value for key, value in row.items() if key not in last},
        **found,
        **{key: row[key] for key in last if key in row},
    }


def failed(point: Named, error: Exception, like: Mapping[str, Any]) -> dict[str, Any]:
    """A row with every key of the others, empty where nothing is known, and the reason."""
    return {
        **dict.fromkeys(like),
        **_head(point),
        "status": "failed",
        "error": error.summary if isinstance(error, ScenarioError) else str(error),
        "error_kind": type(error).__name__,
    }


@dataclass(frozen=True)
class Seen:
    """What is kept of a replay once its row is made: of the window's requests and its replicas."""

    row: dict[str, Any]
    missed: NDArray[np.bool_]
    replicas: Floats


def timeline_of(ran: Run, part: Part, shown: Sequence[Seen]) -> dict[str, Any]:
    """Demand, replicas and misses of each policy by bin of the window, in the traffic's time."""
    from_s, to_s = part.inside
    long_s = max(part.end_s(ran) - part.span.from_s, 1.0)
    bin_s = float(next((w for w in _ROUND_S if long_s / w <= _MOST_BINS), long_s / _MOST_BINS))
    bins = math.ceil(long_s / bin_s)
    edges: Floats = from_s + bin_s * np.arange(bins + 1, dtype=np.float64)
    arrival_s = ran.arrivals()
    came = arrival_s[(arrival_s >= from_s) & (arrival_s < to_s)]
    at = np.minimum(((came - from_s) / bin_s).astype(np.int64), bins - 1)
    return {
        "bin_s": bin_s,
        "t_s": (edges[:-1] + part.begin_s).tolist(),
        "arrivals_rps": (np.bincount(at, minlength=bins) / bin_s).tolist(),
        "policies": [
            {
                "name": one.row["name"],
                "ready": mean_count(edges, *one.replicas.T).tolist(),
                "missed": np.bincount(at[one.missed], minlength=bins).tolist(),
            }
            for one in shown
        ],
    }
