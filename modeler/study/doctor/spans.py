"""The times and the capacities that findings are about, as they are drawn."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Group = Literal["start", "limit", "request", "policy", "traffic"]


@dataclass(frozen=True)
class Span:
    """A time, or the usual range of one.

    Parameters
    ----------
    group : str. What it belongs to.
    what : str. In words.
    low_s, high_s : float. Median and 95th percentile of what varies, else the same twice. [s]
    path : str. The setting it is; empty where it follows from others.
    """

    group: Group
    what: str
    low_s: float
    high_s: float
    path: str = ""


@dataclass(frozen=True)
class Level:
    """How much of a capacity is held, or asked for.

    Parameters
    ----------
    what : str. In words.
    value, full : float. What is held or asked for, and the whole capacity, both in `unit`.
    unit : str.
    paths : tuple of str. The settings that make it.
    """

    what: str
    value: float
    full: float
    unit: str
    paths: tuple[str, ...]

    @property
    def share(self) -> float:
        """Of the capacity. [1]"""
        return self.value / self.full


@dataclass(frozen=True)
class Overview:
    """The times and the capacities that a scenario's findings are about."""

    times: tuple[Span, ...] = ()
    levels: tuple[Level, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "times": [asdict(one) for one in self.times],
            "capacity": [asdict(one) | {"paths": list(one.paths)} for one in self.levels],
        }
