"""Many replicas that start at once share what the store and the registry give.

A fluid: at every moment the rate is shared evenly among those that transfer, none gets more than
its own way allows, and what one leaves over goes to the others.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from modeler.predict.timeline import PHASES, BegunAgain, Staged, Timeline, Transfer, by_phase

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Shared:
    """What a store and a registry give to all starts together.

    Parameters
    ----------
    store_bytes_per_s, registry_bytes_per_s : float. Infinite for no limit. [bytes/s]
    """

    store_bytes_per_s: float = math.inf
    registry_bytes_per_s: float = math.inf

    @classmethod
    def of(cls, store: float | None, registry: float | None) -> Shared:
        """None is no limit. [bytes/s]"""
        return cls(math.inf if store is None else store, math.inf if registry is None else registry)

    def __bool__(self) -> bool:
        """Whether there is a limit."""
        return min(self.store_bytes_per_s, self.registry_bytes_per_s) < math.inf

    def slowed(self, store: float, registry: float) -> Shared:
        """Both rates multiplied."""
        return Shared(self.store_bytes_per_s * store, self.registry_bytes_per_s * registry)


UNSHARED: Final = Shared()


def even_share(timeline: Timeline, replicas: int, shared: Shared) -> Timeline:
    """The start of one of several that are asked for at once, each with an even share throughout.

    Exact where they are equal; where they differ, it is never sooner than the fluid.
    """
    if isinstance(timeline, BegunAgain):
        return dataclasses.replace(timeline, once=even_share(timeline.once, replicas, shared))
    if not isinstance(timeline, Staged):
        return timeline
    return dataclasses.replace(
        timeline,
        pull=_at_most(timeline.pull, shared.registry_bytes_per_s / replicas),
        fetch=_at_most(timeline.fetch, shared.store_bytes_per_s / replicas),
    )


def transfer_s(timeline: Timeline, shared: Shared, replicas: int = 1) -> float:
    """How long a start draws on what is shared: the longer of its pull and its fetch.

    Of two starts alike, the second finds the first still drawing if it comes sooner than this.

    Parameters
    ----------
    replicas : int. That draw at once, each with an even share.

    Returns
    -------
    float
        0 where nothing is shared. [s]
    """
    alike = even_share(timeline, replicas, shared)
    if not isinstance(alike, Staged):
        return 0.0
    starts, ends = alike.place(np.ones((1, len(PHASES))))
    limits = {
        "image_pull": shared.registry_bytes_per_s,
        "artifact_fetch": shared.store_bytes_per_s,
    }
    drawing = [
        float(ends[0, column] - starts[0, column])
        for column, phase in enumerate(PHASES)
        if limits.get(phase, math.inf) < math.inf
    ]
    return max(drawing, default=0.0)


def _at_most(transfer: Transfer, rate: float) -> Transfer:
    return Transfer(
        transfer.bytes,
        min(transfer.alone_bytes_per_s, rate),
        min(transfer.together_bytes_per_s, rate),
    )


def fair_rates(caps: Floats, total: float) -> Floats:
    """Rates under a total, as even as their own limits allow (max-min fairness).

    Parameters
    ----------
    caps : float64[batches, replicas]. Most that each can take; 0 for one that takes nothing.
        [bytes/s]
    total : float. For the replicas of a batch together. [bytes/s]

    Returns
    -------
    float64[batches, replicas]
        Their sum is the total, or that of the limits where these come to less.
    """
    if total == math.inf:
        return caps
    ordered = np.sort(caps, axis=1)
    before = np.cumsum(ordered, axis=1) - ordered
    left = np.arange(caps.shape[1], 0, -1)
    level = np.maximum(total - before, 0.0) / left
    level[level > ordered] = math.inf
    # The first limit above the level that the smaller ones leave: from there on all get the level.
    first = np.argmax(level < math.inf, axis=1)
    chosen = level[np.arange(len(caps)), first]
    return np.minimum(caps, chosen[:, None])


def place_together(
    start: Staged, factors: Floats, replicas: int, shared: Shared
) -> tuple[Floats, Floats]:
    """Phases of batches of replicas, each batch asked for at one instant.

    Parameters
    ----------
    start : Staged. Of one replica alone.
    factors : float64[batches * replicas, phases]. As for `Staged.place`.
    replicas : int. In a batch.
    shared : Shared.

    Returns
    -------
    tuple of float64[batches * replicas, phases]
        Starts and ends, from the request. [s]

    Notes
    -----
    Exact for the fluid: rates change only where a transfer begins or ends, so the time is walked
    from one such moment to the next.
    """
    work = by_phase(factors)
    host_up = start.host_up(work)
    pull_ends, fetch_starts, fetch_ends = (
        one.ravel()
        for one in _walk(
            start,
            host_up.reshape(-1, replicas),
            (start.pull.bytes * work["image_pull"]).reshape(-1, replicas),
            (start.fetch.bytes * work["artifact_fetch"]).reshape(-1, replicas),
            (start.unpack_s * work["image_pull"]).reshape(-1, replicas),
            shared,
        )
    )
    return start.around(work, pull_ends, fetch_starts, fetch_ends)


def _walk(
    start: Staged,
    host_up: Floats,
    pull_left: Floats,
    fetch_left: Floats,
    unpack_s: Floats,
    shared: Shared,
) -> tuple[Floats, Floats, Floats]:
    """Ends of the pulls, starts and ends of the fetches, batches by replicas. [s]"""
    now = np.zeros((len(host_up), 1))
    nothing = pull_left == 0.0
    pull_ends = np.where(nothing, host_up + unpack_s, math.inf)
    fetch_starts = host_up if start.parallel else pull_ends
    fetch_ends = np.where(fetch_left == 0.0, fetch_starts, math.inf)
    while not np.isfinite(fetch_ends).all() or not np.isfinite(pull_ends).all():
        pulling = (now >= host_up) & (pull_left > 0.0)
        fetching = (now >= fetch_starts) & (fetch_left > 0.0)
        both = pulling & fetching
        pull_rate = fair_rates(_caps(start.pull, pulling, both), shared.registry_bytes_per_s)
        fetch_rate = fair_rates(_caps(start.fetch, fetching, both), shared.store_bytes_per_s)
        pull_s = _seconds(pull_left, pull_rate, pulling)
        fetch_s = _seconds(fetch_left, fetch_rate, fetching)
        coming = [np.where(at > now, at, math.inf) for at in (host_up, fetch_starts)]
        begins = np.minimum(*coming).min(axis=1, keepdims=True)
        step = np.minimum(pull_s, fetch_s).min(axis=1, keepdims=True)
        after = np.minimum(now + step, begins)
        ended = now + step <= begins
        over = np.isinf(after)  # a batch that is done waits for the others
        after = np.where(over, now, after)
        passed = after - now
        pulled = pulling & ended & (pull_s <= step)
        fetched = fetching & ended & (fetch_s <= step)
        pull_left = np.where(pulled, 0.0, np.maximum(pull_left - pull_rate * passed, 0.0))
        fetch_left = np.where(fetched, 0.0, np.maximum(fetch_left - fetch_rate * passed, 0.0))
        # What rounding leaves at nothing has ended as well.
        pulled |= pulling & (pull_left == 0.0)
        fetched |= fetching & (fetch_left == 0.0)
        pull_ends = np.where(pulled, after + unpack_s, pull_ends)
        if not start.parallel:
            fetch_starts = pull_ends
            idle = np.isfinite(fetch_starts) & (fetch_left == 0.0) & np.isinf(fetch_ends)
            fetch_ends = np.where(idle & ~fetched, fetch_starts, fetch_ends)
        fetch_ends = np.where(fetched, after, fetch_ends)
        now = after
    return pull_ends, fetch_starts, fetch_ends


def _caps(transfer: Transfer, active: NDArray[np.bool_], both: NDArray[np.bool_]) -> Floats:
    rate = np.where(both, transfer.together_bytes_per_s, transfer.alone_bytes_per_s)
    return np.where(active, rate, 0.0)


def _seconds(left: Floats, rate: Floats, active: NDArray[np.bool_]) -> Floats:
    return np.divide(left, rate, out=np.full_like(left, math.inf), where=active & (rate > 0.0))
