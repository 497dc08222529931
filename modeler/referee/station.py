"""A queue as work, policy and limits for the engine, and one replication of it.

Each server is a replica of one slot; in a plain queue the fleet is fixed and warm at t = 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale import Policy, fixed
from modeler.referee.experiment import Replication
from modeler.referee.laws import Law
from modeler.replay import layout as m
from modeler.replay.result import Result
from modeler.replay.simulate import Draws, Floats, Limits, Work, simulate

if TYPE_CHECKING:
    from modeler.referee.quantities import Quantity

# Draws and replay stay in cache, and memory flat, at this many requests. [requests]
_CHUNK: Final = 65_536
_LEAST_WARMUP: Final = 1_000
_WARMUP_SHARE: Final = 0.02
_BINS: Final = 4_096  # occupancies told apart; the last one takes all above


@dataclass(frozen=True)
class Station:
    """A queue that the engine can replay.

    Parameters
    ----------
    gap, service : Law. Between arrivals; in service. [s]
    servers : int. [replicas]
    capacity : int, optional. Places in the system, those in service counted. [requests]
    note : str. Where the replay is not literally what the case names.
    """

    gap: Law
    service: Law
    servers: int
    capacity: int | None
    note: str = ""

    warmup_relaxations: ClassVar[float] = 20.0
    least_relaxations: ClassVar[float] = 60.0

    @property
    def rho(self) -> float:
        """Offered load per server. [-]"""
        return self.service.mean / self.gap.mean / self.servers

    def relaxation_requests(self) -> float:
        """Arrivals within one relaxation time: how long a replay remembers how it began.

        Notes
        -----
        For M/M/c with room for `K - c` waiting the slowest mode of the birth-death process is
        no slower than ``1 / (c mu (1 + rho - 2 sqrt(rho) cos(pi / (K - c + 2))))``, which is
        ``1 / (c mu (1 - sqrt(rho))^2)`` without bound, nor than a service time (van Doorn,
        "Conditions for exponential ergodicity and bounds for the decay parameter of a birth-death
        process", Advances in Applied Probability 17, 1985). Other laws stretch it in heavy traffic
        by the mean of the two squared coefficients of variation.
        """
        rho = self.rho
        angle = 0.0
        if self.capacity is not None:
            angle = math.pi / (self.capacity - self.servers + 2)
        slowest = 1.0 + rho - 2.0 * math.sqrt(rho) * math.cos(angle)
        spread = max((self.gap.cv2 + self.service.cv2) / 2.0, 0.5)
        queue = rho / slowest * spread
        in_service = self.service.mean * (1.0 + self.service.cv2) / self.gap.mean
        return max(queue, in_service, 1.0)

    def work(self, seed: int, replication: str, requests: int) -> Iterator[Work]:
        """`requests` arrivals of one replication, in chunks."""
        last = 0.0
        for first in range(0, requests, _CHUNK):
            count = min(_CHUNK, requests - first)
            arrival_s = self.gap.draw(seed, f"{replication}.gap", first, count)
            arrival_s[0] += last
            np.cumsum(arrival_s, out=arrival_s)
            last = float(arrival_s[-1])
            service_s = self.service.draw(seed, f"{replication}.service", first, count)
            yield Work(first, arrival_s, service_s, service_s)

    def policy(self) -> Policy:
        """The fleet: all servers warm from the start, for good."""
        return fixed.build(self.servers)

    def cold_starts(self, seed: int, replication: str) -> Draws:
        """How long each replica takes to be ready: none of this fleet starts."""
        return warm

    def warmup(self, measured: int) -> int:
        """Arrivals dropped before `measured` ones are counted. [requests]"""
        memory = math.ceil(self.warmup_relaxations * self.relaxation_requests())
        return max(memory, _LEAST_WARMUP, math.ceil(_WARMUP_SHARE * measured))

    def replay(
        self, seed: int, replication: str, warmup: int, measured: int, *, records: bool = False
    ) -> tuple[Result, Floats]:
        """One replication, from an empty queue, with totals after its warm-up and at its end.

        Parameters
        ----------
        warmup, measured : int. Arrivals whose counters are taken off; that are measured. [requests]
        records : bool. Keep one record a request.

        Returns
        -------
        tuple
            The engine's result; and by how much gaps, services and squared services drawn for the
            measured arrivals exceed their known means, per arrival and in units of those means.
        """
        requests = warmup + measured
        waiting = None if self.capacity is None else self.capacity - self.servers
        drawn = np.zeros(3)
        result = simulate(
            self.policy(),
            watched(self.work(seed, replication, requests), warmup, drawn),
            Limits(slots=1, queue_limit=waiting),
            draws=self.cold_starts(seed, replication),
            horizon_s=0.0,
            records=requests if records else 0,
            marks=(warmup, requests),
            keep_decisions=False,
        )
        mean = self.service.mean
        known = np.array([self.gap.mean, mean, mean**2 * (1.0 + self.service.cv2)])
        return result, drawn / (measured * known) - 1.0

    def replicate(self, asked: Quantity, seed: int, name: str, length: int) -> Replication:
        """Replay once and count what is asked over `length` arrivals behind the warm-up."""
        warmup = self.warmup(length)
        result, controls = self.replay(seed, name, warmup, length, records=asked.occupancy != "")
        before, after = result.totals
        found = np.zeros(0)
        if asked.occupancy:
            arrival_s = [work.arrival_s for work in self.work(seed, name, warmup + length)]
            inside = _found(result, np.concatenate(arrival_s), asked.occupancy)
            counts = np.bincount(np.minimum(inside[warmup:], _BINS - 1), minlength=_BINS)
            found = counts.astype(np.float64)
        vector = asked.collect(after.since(before), found)
        return Replication(vector, controls, warmup + length)


def _found(result: Result, arrival_s: Floats, what: str) -> NDArray[np.int64]:
    """Requests in the ``system`` or ``busy``, in service, as each arrival finds them."""
    served = result.record[:, 0] == m.SERVED
    ends = np.sort(result.record_s[served, 1])
    gone = np.searchsorted(ends, arrival_s, side="right")
    if what == "system":
        return np.asarray(np.cumsum(served) - served - gone)
    start_s = result.record_s[:, 0]
    begun = np.searchsorted(np.sort(start_s[served]), arrival_s, side="right")
    return np.asarray(begun - (start_s == arrival_s) - gone)


def watched(work: Iterator[Work], warmup: int, drawn: Floats) -> Iterator[Work]:
    """The same chunks; adds what was drawn for the arrivals behind the warm-up to `drawn`."""
    last = 0.0
    for chunk in work:
        skip = min(max(warmup - chunk.first, 0), len(chunk.arrival_s))
        if skip < len(chunk.arrival_s):
            begin = float(chunk.arrival_s[skip - 1]) if skip > 0 else last
            service_s = chunk.service_s[skip:]
            drawn += (
                float(chunk.arrival_s[-1]) - begin,
                float(service_s.sum()),
                float(np.square(service_s).sum()),  # a dot product would wake a pool of threads
            )
        last = float(chunk.arrival_s[-1])
        yield chunk


def warm(first: int, count: int) -> tuple[Floats, Floats]:
    """Cold starts of a fleet that has none."""
    zeros = np.zeros(count)
    return zeros, zeros
