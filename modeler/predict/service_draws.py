"""Service times that do not look at the requests: fixed, or drawn by seed and ordinal."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from traces import draws

if TYPE_CHECKING:
    from traces import Chunk

    Times = Callable[[Chunk], tuple[NDArray[np.float64], NDArray[np.float64]]]

Floats = NDArray[np.float64]

STREAM: Final = "service"


class ServiceError(Exception):
    """A service law that the trace or the instance cannot support.

    Attributes
    ----------
    kind : str. The law.
    problem : str. What is missing, and what to do.
    """

    exit_code: Final = 2

    def __init__(self, kind: str, problem: str) -> None:
        super().__init__(kind, problem)
        self.kind, self.problem = kind, problem

    def __str__(self) -> str:
        return f"service.kind {self.kind}: {self.problem}"


def read_seconds(file: str) -> Floats:
    """Read measured service times, one a line.

    Parameters
    ----------
    file : str. A text file; empty lines are skipped.

    Returns
    -------
    array of float
        Sorted. [s]

    Raises
    ------
    ServiceError
        Unreadable, empty, or a line that is no duration; names the line.
    """
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ServiceError("empirical", f"cannot read {file}: {error}") from error
    values = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            seconds = float(line)
        except ValueError:
            seconds = math.nan
        if not 0.0 <= seconds < math.inf:
            raise ServiceError(
                "empirical", f"{file}, line {number}: {line.strip()!r} is no duration in seconds"
            )
        values.append(seconds)
    if not values:
        raise ServiceError("empirical", f"{file} holds no service times")
    return np.sort(np.array(values))


def fixed(mean_s: float) -> Times:
    """The same for every request. [s]"""

    def times(chunk: Chunk) -> tuple[Floats, Floats]:
        service = np.full(len(chunk.arrival_s), mean_s)
        return service, service

    return times


def exponential(seed: int, mean_s: float) -> Times:
    """Exponential, by the mean. [s]"""

    def times(chunk: Chunk) -> tuple[Floats, Floats]:
        service = mean_s * draws.exponential(seed, STREAM, chunk.first, len(chunk.arrival_s))
        return service, service

    return times


def lognormal(seed: int, mean_s: float, cv: float) -> Times:
    """Lognormal, by mean and standard deviation over mean. [s, 1]"""
    # Of a lognormal with log-mean m and log-variance v: mean exp(m + v/2), cv^2 = exp(v) - 1.
    variance = math.log1p(cv * cv)
    log_mean = math.log(mean_s) - variance / 2.0

    def times(chunk: Chunk) -> tuple[Floats, Floats]:
        normal = draws.normal(seed, STREAM, chunk.first, len(chunk.arrival_s))
        service = np.exp(log_mean + math.sqrt(variance) * normal)
        return service, service

    return times


def empirical(seed: int, values: Floats) -> Times:
    """Drawn with replacement from measured times. [s]"""

    def times(chunk: Chunk) -> tuple[Floats, Floats]:
        u = draws.uniform(seed, STREAM, chunk.first, len(chunk.arrival_s))
        # The largest double below 1 times a count may round up to the count.
        rank = np.minimum((u * len(values)).astype(np.int64), len(values) - 1)
        service = values[rank]
        return service, service

    return times
