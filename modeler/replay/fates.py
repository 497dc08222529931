"""What may happen to a request beside one central queue: settings, and how the engine takes them.

With none of it set, the engine takes its fast path (`quiet`) and never looks here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from modeler.replay import layout as m
from traces.draws import stream_key

if TYPE_CHECKING:
    from modeler.replay.environments import Memory as Environments

FromZero = Literal["queue", "fail", "hold"]
Router = Literal["central", "least_outstanding", "round_robin", "random"]
Jitter = Literal["full", "none"]

FROM_ZERO: Final[dict[FromZero, int]] = {
    "queue": m.QUEUE_FROM_ZERO,
    "fail": m.FAIL_FROM_ZERO,
    "hold": m.HOLD_FROM_ZERO,
}
ROUTERS: Final[dict[Router, int]] = {
    "central": m.CENTRAL,
    "least_outstanding": m.LEAST_OUTSTANDING,
    "round_robin": m.ROUND_ROBIN,
    "random": m.RANDOM,
}
UNBOUNDED: Final = int(np.iinfo(np.int64).max)


@dataclass(frozen=True)
class Fates:
    """What happens to requests from zero, by the router and after a failure.

    Parameters
    ----------
    from_zero : str. What an arrival meets while no replica is there: ``queue`` (it waits),
        ``fail`` (refused at once) or ``hold`` (an activator keeps it until one is).
    hold_limit : int, optional. Requests an activator keeps; unbounded when None. [requests]
    hold_timeout_s : float. How long it keeps one. [s]
    router : str. ``central`` for one queue before all replicas; with the others each request is
        bound to a replica as it comes: the one with the fewest outstanding, each in turn, any.
    false_ready_s : float. How long before it is ready a replica already counts as one for the
        router; what is sent there fails. [s]
    retries : int. How often a request that failed comes back. [attempts]
    retry_base_s, retry_factor, retry_max_s : float. Pause before the first retry, growth from one
        to the next, longest pause. [s, ratio, s]
    retry_jitter : str. ``full``: a uniform share of the pause; ``none``: all of it.
    retry_client_timeouts : bool. Whether a request its client gave up comes back as well.
    seed : int. Of the draws of router and jitter.
    """

    from_zero: FromZero = "queue"
    hold_limit: int | None = None
    hold_timeout_s: float = m.INF
    router: Router = "central"
    false_ready_s: float = 0.0
    retries: int = 0
    retry_base_s: float = 1.0
    retry_factor: float = 2.0
    retry_max_s: float = 20.0
    retry_jitter: Jitter = "full"
    retry_client_timeouts: bool = False
    seed: int = 0

    def plain(self, *, may_empty: bool = True) -> bool:
        """Whether there is one queue for all, from zero as well, and nobody comes back.

        Parameters
        ----------
        may_empty : bool. Whether the fleet can ever be without a ready replica.
        """
        return (
            (self.from_zero == "queue" or not may_empty)
            and self.router == "central"
            and self.false_ready_s == 0.0
            and self.retries == 0
        )


def configure(w: m.Memory, fates: Fates, *, may_empty: bool) -> None:
    """Write the settings where the compiled loop reads them."""
    i, f = w.integers, w.floats
    i[m.FATES] = int(not fates.plain(may_empty=may_empty))
    i[m.ROUTER] = ROUTERS[fates.router]
    i[m.FROM_ZERO] = FROM_ZERO[fates.from_zero]
    # A router without a queue of its own lets those who queue from zero wait as an activator
    # without limits would.
    holds = fates.from_zero == "hold"
    limit = fates.hold_limit if holds else None
    i[m.HOLD_LIMIT] = UNBOUNDED if limit is None else limit
    f[m.HOLD_TIMEOUT] = fates.hold_timeout_s if holds else f[m.QUEUE_TIMEOUT]
    for place in (m.HELD_HEAD, m.HELD_TAIL, m.LINE_HEAD, m.LINE_TAIL):
        i[place] = m.NOBODY
    f[m.FALSE_READY] = fates.false_ready_s
    configure_retries(w, fates)


def configure_retries(w: m.Memory | Environments, fates: Fates) -> None:
    """Write how requests come back, which both regimes have."""
    i, f = w.integers, w.floats
    i[m.RETRIES] = fates.retries
    i[m.KEY] = np.array([stream_key(fates.seed, "fate")]).view(np.int64)[0]
    i[m.FREE] = m.NOBODY
    f[m.RETRY_BASE] = fates.retry_base_s
    f[m.RETRY_FACTOR] = fates.retry_factor
    f[m.RETRY_MAX] = fates.retry_max_s
    f[m.RETRY_JITTER] = float(fates.retry_jitter == "full")
    f[m.RETRY_CLIENT] = float(fates.retry_client_timeouts)
