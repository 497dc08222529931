"""Infinite-server queues watched at one instant: many independent starts, each seen at time t.

Each start is a fleet of more warm replicas than are ever busy, empty at first. Starts follow each
other in one replay, the next when everybody of the last has left, so that a start is a run of its
own in all but name. Between starts the arrivals of one Poisson stream are cut apart, which leaves
them independent; a rate that varies is a faster stream, thinned.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale import fixed
from modeler.referee.experiment import Replication
from modeler.referee.kendall import enough_servers, service_of
from modeler.referee.laws import Deterministic, Exponential, Law
from modeler.referee.parameters import CaseError, Parameters, UnknownError
from modeler.referee.quantities import (
    Quantity,
    canonical,
    divide,
    house_name,
    occupancy_quantity,
)
from modeler.referee.station import warm
from modeler.replay.simulate import Floats, Limits, Work, simulate
from modeler.replay.totals import Totals
from traces.draws import exponential, uniform

_NAME: Final = re.compile(
    r"(?P<gap>M_?t|M\(t\)|M)/(?P<service>M|D|G|E\d*|H2)/(?:inf|infinity|∞)(?P<words>\b.*)?$",
    re.IGNORECASE,
)
_EMPTY: Final = ("empty", "idle", "zero")
_STEADY: Final = ("steady", "stationary", "steady_state", "steady state", "equilibrium", "infinity",
                  "-infinity", "minus_infinity", "infinite_past")  # fmt: skip
# What was there so many mean services ago has left: exp(-25) of an exponential service is left.
_MEMORY: Final = 25.0
_BETWEEN_S: Final = 1.0  # from the last departure of one start to the next start [s]
_PHASE: Final = 2.0 * math.pi


@dataclass(frozen=True)
class Transient:
    """An infinite-server queue, watched `watch_s` after it began.

    Parameters
    ----------
    rate : float. Mean rate of the arrivals. [rps]
    amplitude, period_s, phase : float. The rate at time u is
        ``rate (1 + amplitude sin(2 pi u / period_s + phase))``. [-, s, rad]
    service : Law. [s]
    t : float. The instant at which it is watched, on the clock of the rate. [s]
    watch_s : float. How long before that it began. [s]
    initial : int. Requests that begin their service with it. [requests]
    """

    rate: float
    amplitude: float
    period_s: float
    phase: float
    service: Law
    t: float
    watch_s: float
    initial: int
    note: str = ""

    least_relaxations: ClassVar[float] = 1.0

    @property
    def servers(self) -> int:
        """More replicas than are ever seen busy. [replicas]"""
        return enough_servers(self._peak * self.service.mean) + self.initial

    @property
    def _peak(self) -> float:
        return self.rate * (1.0 + abs(self.amplitude))

    @property
    def expected_arrivals(self) -> float:
        """Expected arrivals of one start. [requests]"""
        if self.amplitude == 0.0:
            return self.rate * self.watch_s
        w = _PHASE / self.period_s
        begin, end = w * (self.t - self.watch_s) + self.phase, w * self.t + self.phase
        return self.rate * (self.watch_s + self.amplitude * (math.cos(begin) - math.cos(end)) / w)

    def relaxation_requests(self) -> float:
        """One request: starts have no memory of each other."""
        return 1.0

    def replicate(self, asked: Quantity, seed: int, name: str, length: int) -> Replication:
        """Replay about `length` arrivals, in whole starts; count the busy replicas in each."""
        expected = self.expected_arrivals
        starts = max(math.ceil(length / max(expected + self.initial, 1.0)), 1)
        which, since_s = self.stream(seed, name, starts)
        service_s = self.service.draw(seed, f"{name}.service", 0, len(which))
        # A start lasts until all have left, and until it has been watched.
        last_s = np.full(starts, self.watch_s)
        np.maximum.at(last_s, which, since_s + service_s)
        begin_s = np.concatenate([[0.0], np.cumsum(last_s + _BETWEEN_S)[:-1]])
        arrival_s = begin_s[which] + since_s
        result = simulate(
            fixed.build(self.servers),
            _chunks(arrival_s, service_s),
            Limits(slots=1),
            draws=warm,
            horizon_s=0.0,
            records=len(arrival_s),
            marks=(len(arrival_s),),
        )
        watched_s = begin_s + self.watch_s
        # Nobody waits, so starts are in order; ends are not.
        begun = np.searchsorted(result.record_s[:, 0], watched_s, side="right")
        gone = np.searchsorted(np.sort(result.record_s[:, 1]), watched_s, side="right")
        counts = np.bincount(begun - gone, minlength=self.servers + 1).astype(np.float64)
        drawn = len(which) - starts * self.initial
        beyond = (
            drawn / (starts * expected) - 1.0,
            float((service_s / self.service.mean - 1.0).sum()) / (starts * expected),
        )
        return Replication(
            asked.collect(result.totals[0], counts), np.array(beyond), len(arrival_s)
        )

    def stream(self, seed: int, name: str, starts: int) -> tuple[NDArray[np.int64], Floats]:
        """Which start each arrival belongs to, and how long after its beginning it comes. [s]"""
        peak = self._peak
        mean = starts * self.watch_s * peak
        # The stream is drawn until it has passed its end: more than a normal count ever needs.
        count = math.ceil(mean + 10.0 * math.sqrt(mean) + 100.0)
        at_s = np.cumsum(exponential(seed, f"{name}.gap", 0, count)) / peak
        at_s = at_s[at_s < starts * self.watch_s]
        which = np.minimum((at_s / self.watch_s).astype(np.int64), starts - 1)
        since_s = np.maximum(at_s - which * self.watch_s, 0.0)
        if self.amplitude != 0.0:
            clock_s = self.t - self.watch_s + since_s
            share = 1.0 + self.amplitude * np.sin(_PHASE * clock_s / self.period_s + self.phase)
            kept = uniform(seed, f"{name}.thinning", 0, len(at_s)) * (peak / self.rate) < share
            which, since_s = which[kept], since_s[kept]
        if self.initial > 0:
            which = np.concatenate([np.repeat(np.arange(starts), self.initial), which])
            since_s = np.concatenate([np.zeros(starts * self.initial), since_s])
            order = np.lexsort((since_s, which))
            which, since_s = which[order], since_s[order]
        return which, since_s


def _chunks(arrival_s: Floats, service_s: Floats) -> Iterator[Work]:
    size = 65_536
    for first in range(0, len(arrival_s), size):
        services = service_s[first : first + size]
        yield Work(first, arrival_s[first : first + size], services, services)


def is_transient(model: str) -> bool:
    """Whether a model's name is one that `transient` reads."""
    found = _NAME.match(model.strip())
    if found is None:
        return False
    return found["gap"] != "M" or "transient" in (found["words"] or "").lower()


def transient(model: str, params: Parameters) -> Transient:
    """The queue of a case.

    A constant rate begins empty, a varying one infinitely long ago, unless ``start`` says
    otherwise: ``empty``, ``steady``, or a number of requests that begin their service then.

    Raises
    ------
    CaseError
        A parameter is missing or out of range.
    """
    found = _NAME.match(model.strip())
    if found is None:
        raise CaseError(f"{model!r} is not an infinite-server queue watched at an instant")
    varying = found["gap"] != "M"
    service, note = service_of(found["service"].upper(), params, endless=True)
    rate = params.positive("arrival_rate", "base_rate")
    amplitude, period_s, phase = 0.0, 1.0, 0.0
    if varying:
        amplitude, period_s = params.need("amplitude"), params.positive("period")
        phase = params.number("phase") or 0.0
        if abs(amplitude) > 1.0:
            raise CaseError(f"params.amplitude: found {amplitude:g}, expected -1 to 1")
    t = params.need("t")
    start = params.text("start").strip().lower() or ("steady" if varying else "empty")
    initial = params.whole("initial", least=0) or 0
    if start.replace(".", "", 1).isdigit():
        initial = int(float(start))
    elif start in _STEADY:
        return Transient(
            rate, amplitude, period_s, phase, service, t, _memory_s(service), initial, note
        )
    elif start not in _EMPTY:
        raise UnknownError(f"params.start: found {start!r}, expected empty, steady or a number")
    if not t > 0.0:
        raise CaseError(f"params.t: found {t:g}, expected a number above 0")
    if initial > 0 and not isinstance(service, Exponential):
        note = "; ".join(part for part in (note, "requests there at first begin anew") if part)
    return Transient(rate, amplitude, period_s, phase, service, t, t, initial, note)


def _memory_s(service: Law) -> float:
    """For how long the past is still there to be seen. [s]"""
    if isinstance(service, Deterministic):
        return 2.0 * service.mean  # twice as long as anybody stays
    return _MEMORY * service.mean * max(service.cv2, 1.0)


def transient_quantity(name: str, params: Parameters) -> Quantity:
    """What a case asks of the number of busy servers at the instant.

    Raises
    ------
    UnknownError
        Names what is known.
    """
    plain = canonical(name)
    if house_name(plain) in ("mean_busy", "mean_in_system") or plain in ("m", "m_t", "mean"):
        return Quantity("mean_busy", _sum, divide)
    asked = occupancy_quantity(plain, params)
    if asked is None:
        raise UnknownError(
            f"unknown quantity {name!r}: known at an instant are mean_busy, variance_busy, "
            "pNN_busy, p_busy_exceeds_n, p_busy_le_n, p_n_in_system, p_empty"
        )
    return asked


def _sum(_: Totals, found: Floats) -> Floats:
    return np.array([found @ np.arange(len(found)), found.sum()])
