"""How long to replay, and the replays: a pilot that is thrown away, then a length set in advance.

Rule
----
Each replication of a queue in its steady state starts empty and drops the arrivals of its first 20
relaxation times (at least 1,000, at least 2 % of what it measures); one that is watched at an
instant is many starts, each watched once. A pilot of 30 replications, on draws of its own and not
used again, tells the variance, and is repeated four times as long until it is `_PILOT_SHARE` of
what it asks for; the length follows so that the interval's expected half-width is
`_AIM` of what is allowed. Were replications added until the interval is narrow, it would be narrow
more often when the variance is understated by chance; with the length fixed beforehand this is so
only for the few runs whose interval comes out wider than allowed, which get more replications.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import blake2b
from threading import Event
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import numpy as np

from modeler.referee.statistics import Interval, interval, tier
from modeler.replay.simulate import Floats

if TYPE_CHECKING:
    from modeler.referee.quantities import Quantity

RULE: Final = (
    "99.9 % Student t interval over jackknife pseudo-values of at least 30 independent "
    "replications, regressed on the gaps, services and set-ups drawn, whose means are known. Each "
    "replication of a steady state starts empty and drops its first 20 relaxation times, 8 with "
    "set-ups (at least 1,000 requests and 2 % of what is measured); its length is set by a pilot "
    "that is discarded, and more replications are added only where the interval comes out too "
    "wide. A case passes when the expected value lies inside the interval and the half-width is at "
    "most 2 % of it; 5 % for p99 and beyond and for probabilities under 0.01; 30 % for "
    "probabilities under 0.001. Integer quantiles within 1, deterministic cases within 1 %. Seed: "
    "BLAKE2b hash of the case's id."
)
REPLICATIONS: Final = {False: 100, True: 30}  # full, quick
# Where a replication must be longer than this, warm-ups would cost more than they save. [requests]
_LONG: Final = 200_000
_PILOT: Final = 30
_AIM: Final = 0.8
# Where a run is short anyway it may as well be surer; where it is long, the few that come out too
# wide are better given more. [requests at `_AIM`, aim]
_CHEAP, _AIM_CHEAP = 20_000_000, 0.65
_DEAR, _AIM_DEAR = 100_000_000, 0.92
_PILOT_SHARE: Final = 0.02
# A replication measures at least so many requests (full, quick), and relaxation times: a quick one
# a third of them.
_LEAST_MEASURED: Final = {False: 10_000, True: 3_000}
_QUICK_SHARE: Final = 1.0 / 3.0
_TAIL: Final = 0.02  # a quantile with less than this above it is looked for in longer pilots
# What one case may cost; reached only by loads so near 1, or shares so rare, that the allowed
# width is out of reach. [requests]
MOST_REQUESTS: Final = 1_500_000_000
_PILOT_MOST: Final = MOST_REQUESTS // 10
# How much narrower t alone makes an interval of the full number of replications.
_T_PILOT: Final = 0.94


class Replication(NamedTuple):
    """One independent replay.

    Parameters
    ----------
    vector : float64[counts]. What the quantity counted.
    controls : float64[k]. By how much what was drawn exceeds its known mean.
    requests : int. Replayed in all, warm-up included.
    """

    vector: Floats
    controls: Floats
    requests: int


class Subject(Protocol):
    """Something that can be replayed again and again, each time with draws of its own."""

    @property
    def least_relaxations(self) -> float:
        """Relaxation times that a replication measures at least."""

    def relaxation_requests(self) -> float:
        """Arrivals for which a replay remembers how it began. [requests]"""

    def replicate(self, asked: Quantity, seed: int, name: str, length: int) -> Replication:
        """Replay once, measuring about `length` arrivals; `name` tells replications apart."""


@dataclass(frozen=True)
class Measured:
    """What an experiment found."""

    interval: Interval
    replications: int
    requests: int
    allowed: float


def seed_of(case_id: str, seed: int = 0) -> int:
    """Seed of a case: 48 bits of the hash of its id, of id and seed when one is given."""
    text = case_id if seed == 0 else f"{case_id}/{seed}"
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")


def measure(
    subject: Subject,
    asked: Quantity,
    expected: float,
    seed: int,
    *,
    quick: bool = False,
    stop: Event | None = None,
) -> Measured:
    """Replay a subject until the quantity is known as well as it must be.

    Parameters
    ----------
    expected : float. The known answer; only its size is used, to set the length of the run.
    seed : int. Of every draw.
    quick : bool. Wider tiers, fewer replications.
    stop : Event, optional. Once it is set the run ends after the replication under way.

    Raises
    ------
    InterruptedError
        `stop` was set.
    """
    allowed = tier(asked, expected, quick=quick)
    runs = _Runs(subject, asked, seed, stop)
    memory = subject.least_relaxations * subject.relaxation_requests()
    least = max(math.ceil(memory * (_QUICK_SHARE if quick else 1.0)), _LEAST_MEASURED[quick])
    replications = REPLICATIONS[quick or least > _LONG]
    length = _planned(runs, allowed, expected, replications, least)
    for replication in range(replications):
        runs.add(f"run.{replication}", length)
    found = runs.interval()
    while found.half_width > allowed:
        more = max(10, replications // 5)
        if not runs.may_go_on(more):
            break
        for replication in range(replications, replications + more):
            runs.add(f"run.{replication}", length)
        replications += more
        found = runs.interval()
    return Measured(found, replications, runs.requests, allowed)


class _Runs:
    """Replications of one queue, as vectors of counts."""

    def __init__(
        self,
        subject: Subject,
        asked: Quantity,
        seed: int,
        stop: Event | None,
    ) -> None:
        self.subject, self.asked, self._seed, self._stop = subject, asked, seed, stop
        self._vectors: list[Floats] = []
        self._controls: list[Floats] = []
        self.requests = 0
        self._last = 0

    def add(self, name: str, length: int) -> None:
        """Replay one more replication that measures `length` arrivals."""
        found = self.subject.replicate(self.asked, self._seed, name, length)
        self._vectors.append(found.vector)
        # What does not vary smoothly with what was drawn is not explained by it.
        self._controls.append(found.controls[: 0 if self.asked.kind == "integer" else None])
        self.requests += found.requests
        self._last = found.requests
        if self._stop is not None and self._stop.is_set():
            raise InterruptedError("stopped before the case was done")

    def may_go_on(self, more: int) -> bool:
        """Whether so many more replications stay within what a case may cost."""
        return self.requests + more * self._last <= MOST_REQUESTS

    def interval(self) -> Interval:
        """The interval over the replications kept."""
        return interval(np.stack(self._vectors), self.asked.estimate, np.stack(self._controls))

    def forget(self) -> None:
        """Drop all replications so far; their requests stay counted."""
        self._vectors.clear()
        self._controls.clear()


def _planned(runs: _Runs, allowed: float, expected: float, replications: int, least: int) -> int:
    """Arrivals that each replication must measure, `least` at least. [requests]"""
    asked = runs.asked
    if asked.kind == "quantile":
        least = math.ceil(least * max(1.0, _TAIL / (1.0 - asked.level)))
    if asked.kind == "integer" or expected == 0.0:
        return 4 * least
    most = MOST_REQUESTS // (2 * replications)
    length = least
    round_ = 0
    while True:
        for replication in range(_PILOT):
            runs.add(f"pilot.{round_}.{replication}", length)
        seen = runs.interval()
        half = seen.half_width
        runs.forget()
        if not math.isfinite(half):  # never seen: longer is no remedy for what cannot happen
            return least
        # Half-widths shrink with the root of the number of arrivals.
        ratio = half * _T_PILOT / (_AIM * allowed)
        wanted = math.ceil(length * _PILOT / replications * ratio**2)
        # A rare event met by chance, or not at all, tells no variance.
        telling = half <= max(0.5 * abs(expected), allowed)
        if asked.kind == "probability":
            telling = telling and half > 0.0 and seen.value >= 0.25 * expected
        longest = 4 * _PILOT * length > _PILOT_MOST
        if longest or (telling and _PILOT * length >= _PILOT_SHARE * replications * wanted):
            if wanted * replications < _CHEAP:
                wanted = math.ceil(wanted * (_AIM / _AIM_CHEAP) ** 2)
            elif wanted * replications > _DEAR:
                wanted = math.ceil(wanted * (_AIM / _AIM_DEAR) ** 2)
            return min(max(wanted, least), most)
        length *= 4
        round_ += 1
