"""When each phase of a cold start begins and ends: pure arithmetic over many replicas at once.

A timeline takes one factor per replica and phase and gives the start and end of every phase. The
factor multiplies the work of its phase (its seconds, or its bytes over the same rate), so a factor
of 1 everywhere is the timeline itself and its spread is the spread of the cold start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PHASES: Final = (
    "provision",
    "boot",
    "device",
    "image_pull",
    "artifact_fetch",
    "load",
    "init",
    "register",
)


class Timeline(Protocol):
    """Anything that places its phases in time."""

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the phases, in the order of the columns."""

    def place(self, factors: Floats) -> tuple[Floats, Floats]:
        """Starts and ends of each phase, of the shape of `factors`. [s]"""


@dataclass(frozen=True)
class Serial:
    """Stages one after another.

    Parameters
    ----------
    seconds : mapping of str to float. Stages in order. [s]
    """

    seconds: Mapping[str, float]

    def __hash__(self) -> int:
        return hash(tuple(self.seconds.items()))

    @property
    def phases(self) -> tuple[str, ...]:
        """Names of the stages, in order."""
        return tuple(self.seconds)

    def place(self, factors: Floats) -> tuple[Floats, Floats]:
        """Each stage starts where the one before it ends. [s]"""
        durations = factors * np.array(list(self.seconds.values()))
        ends = np.cumsum(durations, axis=1)
        return ends - durations, ends


@dataclass(frozen=True)
class Transfer:
    """Bytes to bring over the network.

    Parameters
    ----------
    bytes : float. [bytes]
    alone_bytes_per_s : float. Rate with nothing else under way. [bytes/s]
    together_bytes_per_s : float. Rate while the other transfer runs too. [bytes/s]
    """

    bytes: float
    alone_bytes_per_s: float
    together_bytes_per_s: float


def share_nic(a: Transfer, b: Transfer, a_work: Floats, b_work: Floats) -> tuple[Floats, Floats]:
    """When two transfers that start together on one interface end.

    Parameters
    ----------
    a, b : Transfer. The two transfers.
    a_work, b_work : array of float. Factors on their bytes, one per replica.

    Returns
    -------
    tuple of array
        End of `a` and of `b` after their common start. [s]

    Notes
    -----
    While both run each moves at its ``together`` rate; the one left goes on at its ``alone``
    rate. With ``t`` the end of the first, the other ends at ``t + (bytes - together * t) /
    alone``: a fluid, exact for constant rates.
    """
    a_bytes, b_bytes = a.bytes * a_work, b.bytes * b_work
    a_first = a_bytes / a.together_bytes_per_s
    b_first = b_bytes / b.together_bytes_per_s
    a_left = np.maximum(a_bytes - a.together_bytes_per_s * b_first, 0.0)
    b_left = np.maximum(b_bytes - b.together_bytes_per_s * a_first, 0.0)
    a_end = np.where(a_first <= b_first, a_first, b_first + a_left / a.alone_bytes_per_s)
    b_end = np.where(b_first <= a_first, b_first, a_first + b_left / b.alone_bytes_per_s)
    return a_end, b_end


@dataclass(frozen=True)
class Staged:
    """The phases of one replica on a fresh instance.

    Parameters
    ----------
    provision_s, boot_s, device_s : float. One after another. [s]
    pull, fetch : Transfer. Image from the registry, weights from the store.
    unpack_s : float. Work on the image after its download, part of the pull. [s]
    parallel : bool. Pull and fetch start together and share the interface; otherwise the fetch
        waits for the pull.
    load_s : float. Weights into accelerator memory. [s]
    streaming : bool. Loading starts with the fetch and keeps pace with it; otherwise it waits
        for both transfers.
    init_s, register_s : float. One after another, once loaded. [s]
    load_cached_s : float, optional. The load where the fetch has a factor of 0, because the
        instance holds the weights; `load_s` when None. [s]
    """

    provision_s: float
    boot_s: float
    device_s: float
    pull: Transfer
    fetch: Transfer
    unpack_s: float
    parallel: bool
    load_s: float
    streaming: bool
    init_s: float
    register_s: float
    load_cached_s: float | None = None

    @property
    def phases(self) -> tuple[str, ...]:
        """The names in `PHASES`."""
        return PHASES

    def place(self, factors: Floats) -> tuple[Floats, Floats]:
        """Starts and ends of the phases; the pull and what runs beside it overlap. [s]"""
        work = by_phase(factors)
        host_up = self.host_up(work)
        unpack = self.unpack_s * work["image_pull"]
        if self.parallel:
            fetch_starts = host_up
            pulled, fetched = share_nic(
                self.pull, self.fetch, work["image_pull"], work["artifact_fetch"]
            )
            pull_ends, fetch_ends = host_up + (pulled + unpack), host_up + fetched
        else:
            pull_s = self.pull.bytes / self.pull.alone_bytes_per_s
            fetch_s = self.fetch.bytes / self.fetch.alone_bytes_per_s
            pull_ends = fetch_starts = host_up + (pull_s * work["image_pull"] + unpack)
            fetch_ends = fetch_starts + fetch_s * work["artifact_fetch"]
        return self.around(work, pull_ends, fetch_starts, fetch_ends)

    def host_up(self, work: Mapping[str, Floats]) -> Floats:
        """When the instance is ready for image and weights. [s]"""
        booted = self.provision_s * work["provision"] + self.boot_s * work["boot"]
        return booted + self.device_s * work["device"]

    def around(
        self,
        work: Mapping[str, Floats],
        pull_ends: Floats,
        fetch_starts: Floats,
        fetch_ends: Floats,
    ) -> tuple[Floats, Floats]:
        """Starts and ends of all phases, for pulls and fetches whose times are known. [s]"""
        running = self.provision_s * work["provision"]
        booted = running + self.boot_s * work["boot"]
        host_up = self.host_up(work)
        brought = np.maximum(pull_ends, fetch_ends)
        load: Floats = self.load_s * work["load"]
        if self.load_cached_s is not None:
            held = work["artifact_fetch"] == 0.0
            load = np.where(held, self.load_cached_s * work["load"], load)
        load_starts = fetch_starts if self.streaming else brought
        loaded = np.maximum(brought, load_starts + load)
        initialised = loaded + self.init_s * work["init"]
        ready = initialised + self.register_s * work["register"]
        at_zero = np.zeros_like(running)
        starts = (
            at_zero, running, booted, host_up, fetch_starts, load_starts, loaded, initialised
        )  # fmt: skip
        ends = (
            running, booted, host_up, pull_ends, fetch_ends, loaded, initialised, ready
        )  # fmt: skip
        return np.stack(starts, axis=1), np.stack(ends, axis=1)


def by_phase(factors: Floats) -> dict[str, Floats]:
    """The columns of factors, by the names in `PHASES`."""
    return dict(zip(PHASES, factors.T, strict=True))


@dataclass(frozen=True)
class BegunAgain:
    """Phases that are broken off at a limit and begun again where they last longer.

    Parameters
    ----------
    once : Timeline. One uninterrupted run.
    limit_s : float. After which it is broken off; the second run has none. [s]
    """

    once: Timeline
    limit_s: float

    @property
    def phases(self) -> tuple[str, ...]:
        """Those of one run, and at the end what the second run adds to them."""
        return (*self.once.phases, "begun_again")

    def place(self, factors: Floats) -> tuple[Floats, Floats]:
        """The first run as if it were whole, then the part of it that was in vain. [s]"""
        starts, ends = self.once.place(factors[:, :-1])
        total = ends[:, -1:]
        lost = np.where(total > self.limit_s, self.limit_s, 0.0)
        return np.hstack([starts, total]), np.hstack([ends, total + lost])
