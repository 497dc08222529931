"""The value of an assumption at which the better of two settings changes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from modeler.scenario import format_duration, format_size
from modeler.study.assumed import PRICE, SERVICE, TRAFFIC, Assumption, allowed, changed
from modeler.study.goal import Goal
from modeler.study.lab import Lab

Settings = Mapping[str, Any]

BEYOND: Final = 8.0
PRECISION: Final = 0.02
# Looked at before any halving: which side wins need not change once, or at all.
_POINTS: Final = 5

_NAMES: Final = {
    TRAFFIC: "traffic (1 is today's)",
    SERVICE: "service time (1 is today's)",
    PRICE: "hourly price",
    "cold_start.provision_s": "provisioning time",
    "cold_start.boot_s": "boot time",
    "cold_start.image_size": "image size",
    "cold_start.register_s": "registration time",
    "cold_start.registry_bytes_per_s": "rate of the image pull",
    "cold_start.store_bytes_per_s": "rate of the object store",
    "cold_start.nic_bytes_per_s": "rate of the network interface",
    "fleet.initial": "number of replicas at the start",
    "fleet.slots": "number of requests a replica serves at once",
    "hosting.release_s": "time on the bill after removal",
    "model.size": "model size",
    "policy.high_datapoints": "number of datapoints before adding",
    "policy.low_datapoints": "number of datapoints before removing",
    "policy.target_utilisation": "share of a replica held busy",
    "sla.threshold_s": "latency that is allowed",
}


@dataclass(frozen=True)
class Flip:
    """Where the advice changes as one assumption does.

    Parameters
    ----------
    assumption : Assumption. With the range that was searched.
    value : float or None. The crossing nearest to the value in force, to 2 %; None: it does not
        flip. [as the assumption's unit]
    above : bool. Whether the other setting wins above it.
    crossings : tuple of float. All that were found, in order.
    """

    assumption: Assumption
    value: float | None
    above: bool
    crossings: tuple[float, ...]

    @property
    def distance(self) -> float:
        """How far the number may be off, as a factor of 1 or more; infinite where none flips."""
        if self.value is None:
            return math.inf
        return math.exp(abs(math.log(self.value / self.assumption.middle)))

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "path": self.assumption.path,
            "value": self.value,
            "unit": self.assumption.unit,
            "above": self.above if self.value is not None else None,
            "factor": self.distance if self.value is not None else None,
            "crossings": list(self.crossings),
            "searched_low": self.assumption.low,
            "searched_high": self.assumption.high,
        }

    def words(self, other: str) -> str:
        """Such as ``above 410 s fleet.min = 2 wins``."""
        one = self.assumption
        if self.value is None:
            return (
                f"does not flip between {shown(one.low, one.unit)} and {shown(one.high, one.unit)}"
            )
        side = "above" if self.above else "below"
        return f"{side} {shown(self.value, one.unit)} {other} wins"


def find_flip(
    lab: Lab, goal: Goal, one: Assumption, winner: Settings, other: Settings, *, beyond: float
) -> Flip:
    """Search one assumption for the values at which the winner changes.

    Parameters
    ----------
    lab : Lab.
    goal : Goal. It ranks the two.
    one : Assumption.
    winner, other : mapping. Settings; the first wins at the value in force.
    beyond : float. How many times its range is searched to either side.

    Returns
    -------
    Flip

    Notes
    -----
    Five points of the range, evenly apart in their logarithm, and the value in force; then every
    gap between neighbours that differ is halved until it is within 2 %. Two changes inside one gap
    are not seen.
    """
    low = one.low if one.low > 0.0 else one.middle / 1.5
    wide = replace(
        one,
        low=allowed(lab, winner, one, low / beyond),
        high=allowed(lab, winner, one, one.high * beyond),
    )

    def flipped(value: float) -> bool:
        both = [changed(lab, settings, one.path, value) for settings in (winner, other)]
        rows = lab.rows([variant.settings for variant in both], traffic=both[0].traffic)
        return goal.rank(rows[1]) < goal.rank(rows[0])

    steps = [k / (_POINTS - 1) for k in range(_POINTS)]
    points = {_typed(one, wide.low * (wide.high / wide.low) ** step) for step in steps}
    values = sorted(points | {_typed(one, one.middle)})
    seen = {value: flipped(value) for value in values}
    crossings: list[tuple[float, bool]] = []
    for left, right in itertools.pairwise(values):
        if seen[left] == seen[right]:
            continue
        above, a, b = seen[right], left, right
        while b / a > 1.0 + PRECISION:
            between = _typed(one, math.sqrt(a * b))
            if between in (a, b):
                break
            if flipped(between) == above:
                b = between
            else:
                a = between
        crossings.append((float(b if above else a) if one.whole else math.sqrt(a * b), above))
    if not crossings:
        return Flip(wide, None, False, ())
    value, above = min(crossings, key=lambda at: abs(math.log(at[0] / one.middle)))
    return Flip(wide, value, above, tuple(value for value, _ in crossings))


def _typed(one: Assumption, value: float) -> float:
    return max(round(value), 1) if one.whole else value


def name_of(path: str) -> str:
    """What an assumption is called in a sentence."""
    return _NAMES.get(path, path)


def shown(value: float | None, unit: str) -> str:
    """A value with its unit."""
    if value is None:
        return "open"
    if unit == "s":
        return f"{value:.3g} s" if value < 1000.0 else format_duration(value)
    if unit == "bytes":
        return format_size(value)
    if unit == "bytes/s":
        return f"{format_size(value)}/s"
    if unit == "USD/h":
        return f"${value:,.3g}/h"
    return f"{value:.3g} {unit}".strip() if unit != "1" else f"{value:.3g}"
