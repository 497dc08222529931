"""Queues whose servers are off until they are needed: set-up per waiting job, off when idle.

The fleet starts empty. `modeler.autoscale.setup_per_job` starts one replica for each waiting
request, up to the number of servers, and lets an idle one go at once or after a keep-alive; the
engine's cold start is the set-up.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from modeler.autoscale import Policy, setup_per_job
from modeler.referee.kendall import check_stated, offered_load, servers_of, service_of
from modeler.referee.laws import Deterministic, Exponential, Law, two_moments
from modeler.referee.parameters import CaseError, Parameters
from modeler.referee.station import Station
from modeler.replay.result import Result
from modeler.replay.simulate import Draws, Floats

# "M/M/c/setup", "M/M/c/setup/delayedoff", "M/G/1 with deterministic setup, off when idle",
# "M/G/1 with keep-alive and setup": the queue, then words.
_NAME: Final = re.compile(
    r"M/(?P<service>M|D|G|E\d*|H2)/(?P<servers>c|s|k|m|n|\d+)"
    r"(?:/|\s+with\s+)(?P<words>[\w ,/()-]*set-?up[\w ,/()-]*)$",
    re.IGNORECASE,
)
_KEPT: Final = re.compile(r"keep-?\s?alive|delayed-?\s?off", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class SetupStation(Station):
    """A queue whose servers go through a set-up before they serve.

    Parameters
    ----------
    setup : Law. From the request for a server until it serves. [s]
    keep_alive_s : float. How long a server stays on idle. [s]
    """

    setup: Law
    keep_alive_s: float = 0.0

    # Events make this replay dear; exp(-8) of how it began is left, for one part in twenty of it.
    warmup_relaxations: ClassVar[float] = 8.0
    least_relaxations: ClassVar[float] = 20.0

    def relaxation_requests(self) -> float:
        """As for a queue of warm servers, and until what piles up in a set-up has gone again.

        Notes
        -----
        A set-up of length I leaves lambda I requests behind, which servers work off while others
        come: ``I / (1 - rho)`` in all. The idle gap before it, 1 / lambda, is one request.
        """
        backlog = self.setup.mean / self.gap.mean / (1.0 - self.rho)
        return super().relaxation_requests() + backlog + 1.0

    def policy(self) -> Policy:
        """One set-up per waiting request, idle servers off in time."""
        return setup_per_job.build(self.servers, keep_alive_s=self.keep_alive_s)

    def cold_starts(self, seed: int, replication: str) -> Draws:
        """Set-ups, drawn by the ordinal of the replica."""

        def draws(first: int, count: int) -> tuple[Floats, Floats]:
            setup_s = self.setup.draw(seed, f"{replication}.setup", first, count)
            return np.zeros(count), setup_s

        return draws

    def replay(
        self, seed: int, replication: str, warmup: int, measured: int, *, records: bool = False
    ) -> tuple[Result, Floats]:
        """As for a queue of warm servers; set-ups drawn, and their squares, are controls as well.

        A set-up's length is drawn when it begins, so that the sum of what the ones begun exceed
        their mean by has mean zero however many there are (Wald).
        """
        result, controls = super().replay(seed, replication, warmup, measured, records=records)
        before, after = result.totals
        count = after.started - before.started
        setup_s = self.setup.draw(seed, f"{replication}.setup", before.started, count)
        mean = self.setup.mean
        square = mean**2 * (1.0 + self.setup.cv2)
        beyond = (
            (setup_s - mean).sum() / (measured * mean),
            (np.square(setup_s) - square).sum() / (measured * square),
        )
        return result, np.append(controls, beyond)


def is_setup(model: str) -> bool:
    """Whether a model's name is one that `setup_station` reads."""
    return _NAME.match(model.strip()) is not None


def setup_station(model: str, params: Parameters) -> SetupStation:
    """The queue of a case.

    Raises
    ------
    CaseError
        A parameter is missing or out of range, or the queue has no steady state.
    """
    found = _NAME.match(model.strip())
    if found is None:
        raise CaseError(f"{model!r} is not a queue with set-up")
    words = found["words"].lower()
    service, note = service_of(found["service"].upper(), params)
    servers = servers_of(found["servers"], params)
    gap = Exponential(service.mean / offered_load(params, service, servers))
    keep_alive_s = params.number("keep_alive")
    if keep_alive_s is None:
        if _KEPT.search(words):
            params.need("keep_alive")
        keep_alive_s = 0.0
    if keep_alive_s < 0.0:
        raise CaseError(f"params.keep_alive: found {keep_alive_s:g}, expected 0 or more")
    result = SetupStation(
        gap,
        service,
        servers,
        None,
        note,
        setup=setup_law(params, words, slashed="/setup" in model.lower()),
        keep_alive_s=keep_alive_s,
    )
    if result.rho >= 1.0:
        raise CaseError(f"offered load per server is {result.rho:.4g}: there is no steady state")
    check_stated(params, result)
    return result


def setup_law(params: Parameters, words: str, *, slashed: bool) -> Law:
    """The law of a set-up.

    In "M/M/c/setup" it is exponential; in words it is what they say, else constant when ``setup``
    gives its length and exponential when ``mean_setup`` or a rate does.

    Raises
    ------
    CaseError
        No length is given, or one that is not above zero.
    """
    fixed = params.number("setup")
    mean, rate = params.number("mean_setup"), params.number("setup_rate")
    if fixed is None and mean is None and rate is None:
        params.need("setup", "mean_setup")
    length = fixed if fixed is not None else mean
    if length is None:
        length = 1.0 / rate if rate else math.nan
    if not length > 0.0:
        raise CaseError(f"params.setup: found {length:g}, expected a number above 0")
    cv2 = params.number("cv2_setup")
    if cv2 is not None:
        if cv2 < 0.0:
            raise CaseError(f"params.cv2_setup: found {cv2:g}, expected 0 or more")
        return two_moments(length, cv2)
    if "deterministic" in words or "constant" in words or "fixed" in words:
        return Deterministic(length)
    if "exponential" in words or slashed or fixed is None:
        return Exponential(length)
    return Deterministic(length)
