"""A measured profile: seconds by batch or by concurrency, interpolated between its rows.

It takes the place of the rules wherever an analyst has one. What was measured says little of what
was not: above its last row it is continued to twice that and no farther, and says so.
"""

from __future__ import annotations

import csv
import math
import os
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_SIZES: Final = ("batch", "concurrency", "requests")
_SECONDS: Final = {"seconds": 1.0, "latency_s": 1.0, "latency_ms": 1e-3, "ms": 1e-3}


# How far a profile is continued above its last row, over that row. [1]
_REACH: Final = 2.0


class ProfileError(Exception):
    """A profile that cannot be read, or does not reach so far; names the file and the way out."""

    exit_code: Final = 2


@dataclass(frozen=True)
class Profile:
    """Measured latencies.

    Parameters
    ----------
    sizes : float64[n]. Batch or concurrency, ascending. [requests]
    seconds : float64[n]. Latency at each. [s]
    name : str. ``batch`` or ``concurrency``.
    file : str. Where they stand, for messages.
    """

    sizes: Floats
    seconds: Floats
    name: str = "batch"
    file: str = "the profile"

    @property
    def reach(self) -> int:
        """The largest size that it is continued to: twice the last row. [requests]"""
        return int(_REACH * float(self.sizes[-1]))

    def check(self, size: int, setting: str) -> None:
        """Refuse a size that the profile does not reach.

        Raises
        ------
        ProfileError : naming the setting that asks for it, and the largest that may be.
        """
        if size > self.reach:
            raise ProfileError(
                f"{setting} = {size} is beyond {self.file}, whose last row is of {self.name} "
                f"{self.sizes[-1]:g} and is continued to twice that: measure farther, or write "
                f"{setting}: {self.reach}"
            )

    def notes(self, size: int) -> tuple[str, ...]:
        """What is no measurement up to a size, in words."""
        first, last = float(self.sizes[0]), float(self.sizes[-1])
        found = []
        if first > 1.0:
            found.append(f"{self.file} starts at {self.name} {first:g}: below, as there")
        if size > last:
            how = "the slope of the last two rows" if len(self.sizes) > 1 else "in proportion"
            rest = f"from there to {size}, {how}; not measured"
            found.append(f"{self.file} ends at {self.name} {last:g}: {rest}")
        return tuple(found)

    def latency_s(self, size: float) -> float:
        """Latency at a size. [s]

        Between two rows on a straight line; below the first as the first; above the last, to twice
        that, with the slope of the last two, for a machine that is full takes as much longer as
        there is more; in proportion where there is one row alone.

        Raises
        ------
        ProfileError : more than twice the last row.
        """
        self.check(math.ceil(size), self.name)
        last = float(self.sizes[-1])
        if size <= last:
            return float(np.interp(size, self.sizes, self.seconds))
        if len(self.sizes) == 1:
            return float(self.seconds[0]) * size / last
        slope = (self.seconds[-1] - self.seconds[-2]) / (self.sizes[-1] - self.sizes[-2])
        return float(self.seconds[-1] + max(slope, 0.0) * (size - last))

    def throughput(self, size: float) -> float:
        """Requests a second at a size. [1/s]"""
        return size / self.latency_s(size)


def read_profile(path: str | os.PathLike[str]) -> Profile:
    """Read a profile.

    Parameters
    ----------
    path : path. A CSV with ``batch`` or ``concurrency``, and ``seconds`` or ``latency_ms``.

    Raises
    ------
    ProfileError
        A column that is missing, a value that is no number, no rows, a size that comes twice.
    OSError
        The file cannot be opened.
    """
    name = os.fspath(path)
    with open(path, newline="", encoding="utf-8") as file:
        try:
            reader = csv.DictReader(file)
            header = [column.strip() for column in reader.fieldnames or ()]
            rows = [{str(k).strip(): v for k, v in row.items() if k is not None} for row in reader]
        except (UnicodeDecodeError, csv.Error) as error:
            raise ProfileError(f"{name}: not a CSV: {error}") from error
    size = next((column for column in _SIZES if column in header), None)
    time = next((column for column in _SECONDS if column in header), None)
    missing = [
        f"one of {', '.join(names)}"
        for found, names in ((size, _SIZES), (time, tuple(_SECONDS)))
        if found is None
    ]
    if size is None or time is None:
        raise ProfileError(
            f"{name}: columns {', '.join(header) or 'none'}: expected {' and '.join(missing)}"
        )
    found: dict[float, float] = {}
    problems = []
    for line, row in enumerate(rows, start=2):
        try:
            at, value = float(row[size] or ""), float(row[time] or "") * _SECONDS[time]
        except ValueError:
            problems.append(f"{name}, line {line}: {size} and {time} must be numbers")
            continue
        if not (0.0 < at < np.inf and 0.0 <= value < np.inf):
            problems.append(f"{name}, line {line}: expected {size} above 0 and {time} of 0 or more")
        elif at in found:
            problems.append(f"{name}, line {line}: {size} {at:g} comes a second time")
        found[at] = value
    if not rows:
        problems.append(f"{name}: no rows")
    if problems:
        raise ProfileError("\n".join(problems))
    sizes = np.array(sorted(found))
    kind = "batch" if size == "batch" else "concurrency"
    return Profile(sizes, np.array([found[at] for at in sizes]), kind, name)
