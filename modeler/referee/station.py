"""A queue in Kendall's notation, as work and limits for the engine.

``A/S/c/K``: law of the gaps, law of the service, servers, places in the system (those in service
counted). Each server is a replica of one slot in a fixed fleet that is warm at t = 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from modeler.autoscale import fixed
from modeler.referee.laws import Deterministic, Erlang, Exponential, Law, service_law
from modeler.referee.parameters import CaseError, Parameters
from modeler.replay.simulate import Floats, Limits, Result, Work, simulate

# Draws and replay stay in cache, and memory flat, at this many requests. [requests]
_CHUNK: Final = 65_536
_KENDALL: Final = re.compile(
    r"(?P<gap>M|D)/(?P<service>M|D|G|E\d*|H2)/(?P<servers>c|s|k|m|n|inf|infinity|∞|\d+)"
    r"(?:/(?P<places>c|s|m|K|N|\d+))?$"
)
_ENDLESS: Final = ("inf", "infinity", "∞")


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
            fixed.build(self.servers),
            _watched(self.work(seed, replication, requests), warmup, drawn),
            Limits(slots=1, queue_limit=waiting),
            draws=warm,
            horizon_s=0.0,
            records=requests if records else 0,
            marks=(warmup, requests),
        )
        mean = self.service.mean
        known = np.array([self.gap.mean, mean, mean**2 * (1.0 + self.service.cv2)])
        return result, drawn / (measured * known) - 1.0


def _watched(work: Iterator[Work], warmup: int, drawn: Floats) -> Iterator[Work]:
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


def is_kendall(model: str) -> bool:
    """Whether a model's name is one that `station` reads."""
    return _KENDALL.match(model.strip()) is not None


def station(model: str, params: Parameters) -> Station:
    """The queue of a case.

    Raises
    ------
    CaseError
        A parameter is missing or out of range, or the queue has no steady state.
    """
    found = _KENDALL.match(model.strip())
    if found is None:
        raise CaseError(f"{model!r} is not a queue in Kendall's notation")
    endless = found["servers"] in _ENDLESS
    service, note = _service(found["service"], params, endless)
    servers = _servers(found["servers"], params)
    gap_mean = service.mean / (_offered(params, service, servers))
    gap: Law = Exponential(gap_mean) if found["gap"] == "M" else Deterministic(gap_mean)
    if endless:
        servers = enough_servers(service.mean / gap_mean)
    capacity = _capacity(found["places"], params, servers)
    result = Station(gap, service, servers, capacity, note)
    if capacity is None and result.rho >= 1.0:
        raise CaseError(f"offered load per server is {result.rho:.4g}: there is no steady state")
    return result


def enough_servers(offered: float) -> int:
    """More servers than an infinite-server queue of this load is ever seen to use."""
    return math.ceil(offered + 12.0 * math.sqrt(offered) + 40.0)


def _service(letter: str, params: Parameters, endless: bool) -> tuple[Law, str]:
    rate = params.number("service_rate")
    mean = params.number("mean_service")
    if mean is None:
        # Loads given in erlangs, or as rho, leave the unit of time free.
        free = params.number("offered_load") is not None or params.number("rho") is not None
        if rate is None and not free:
            mean = params.positive("mean_service", "service_rate")
        mean = 1.0 if rate is None else 1.0 / params.positive("service_rate")
    if not mean > 0.0:
        raise CaseError(f"params.mean_service: found {mean:g}, expected a number above 0")
    if letter == "M":
        return Exponential(mean), ""
    if letter == "D":
        return Deterministic(mean), ""
    if letter.startswith("E"):
        stages = params.whole("stages", least=1)
        if stages is None and letter == "E":
            raise CaseError("params.stages is missing: how many stages the Erlang law has")
        return Erlang(mean, stages if stages is not None else int(letter[1:])), ""
    name = params.text("distribution") or ("hyperexponential" if letter == "H2" else "")
    cv2 = _cv2(params, mean)
    if endless and cv2 is None and not name:
        return Exponential(mean), "no service law is named: replayed as exponential"
    return service_law(name, mean, cv2)


def _cv2(params: Parameters, mean: float) -> float | None:
    cv2 = params.number("cv2")
    cv = params.number("cv")
    variance = params.number("variance")
    second = params.number("second_moment")
    if cv2 is not None:
        return cv2
    if cv is not None:
        return cv * cv
    if variance is not None:
        return variance / mean**2
    return None if second is None else max(second / mean**2 - 1.0, 0.0)


def _servers(symbol: str, params: Parameters) -> int:
    if symbol.isdigit():
        stated = params.whole("servers", least=1)
        if stated is not None and stated != int(symbol):
            raise CaseError(f"params.servers: found {stated}, but the model has {symbol}")
        return int(symbol)
    if symbol in _ENDLESS:
        return 1
    stated = params.whole("servers", least=1)
    if stated is None:
        params.need("servers")
        raise AssertionError("need() raises for what is missing")
    return stated


def _offered(params: Parameters, service: Law, servers: int) -> float:
    """Offered load in erlangs. [-]"""
    if params.number("arrival_rate") is not None:
        return params.positive("arrival_rate") * service.mean
    if params.number("offered_load") is not None:
        return params.positive("offered_load")
    return params.positive("arrival_rate", "rho") * servers


def _capacity(symbol: str | None, params: Parameters, servers: int) -> int | None:
    if symbol is None:
        return None
    if symbol.isdigit():
        capacity = int(symbol)
    elif symbol in ("K", "N"):
        waiting = params.whole("queue_limit", least=0)
        stated = params.whole("capacity", least=1)
        if stated is None and waiting is None:
            params.need("capacity")
        capacity = stated if stated is not None else servers + int(waiting or 0)
    else:
        capacity = servers
    if capacity < servers:
        raise CaseError(f"params.K: found {capacity}, expected at least the {servers} servers")
    return capacity
