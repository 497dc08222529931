"""Two bounds that stand beside every policy.

``work_bound``: busy slot-seconds over slots at the unit price. Whoever serves this work on replicas
of these slots pays at least that; nothing can beat it.

``zero_wait``: the replicas that instant, perfectly forecast scaling would hold so that nobody
waits: requests in service if each started on arrival (the infinite-server occupancy), over slots,
rounded up, within the fleet's bounds. Queueing may beat it, by letting requests wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numba import njit, types
from numpy.typing import NDArray

from modeler.replay.heap import pop, push
from modeler.replay.layout import CHUNK_TYPE
from modeler.replay.simulate import Work

Floats = NDArray[np.float64]

_F1 = types.Array(types.float64, 1, "C")
_I4 = types.Array(types.int32, 1, "C")


class ZeroWait(NamedTuple):
    """The bound's fleet: its replica-seconds and its largest size. [s, replicas]"""

    replica_s: float
    peak_replicas: int


@njit(
    types.int64(
        CHUNK_TYPE, CHUNK_TYPE, types.int64, types.int64, types.int64, types.int64, _F1, _I4, _F1
    ),
    cache=True,
    nogil=True,
)
def _occupy(arrival_s, service_s, start, slots, minimum, maximum, ends, owners, state):  # type: ignore[no-untyped-def]
    """Walk through arrivals and finishes; `state` is (busy, now, replica seconds, peak).

    Returns where it stopped: short of the end when the heap is full.
    """
    busy = int(state[0])
    now = state[1]
    held_s = state[2]
    peak = state[3]
    i = start
    n = len(arrival_s)
    while i < n:
        if busy == len(ends):
            break
        arrival = arrival_s[i]
        while busy > 0 and ends[0] <= arrival:
            replicas = min(max((busy + slots - 1) // slots, minimum), maximum)
            held_s += replicas * (ends[0] - now)
            now = ends[0]
            pop(ends, owners, busy)
            busy -= 1
        replicas = min(max((busy + slots - 1) // slots, minimum), maximum)
        held_s += replicas * (arrival - now)
        now = arrival
        push(ends, owners, busy, arrival + service_s[i], 0)
        busy += 1
        peak = max(peak, busy)
        i += 1
    state[0] = busy
    state[1] = now
    state[2] = held_s
    state[3] = peak
    return i


class Walk(NamedTuple):
    """The infinite server after the last arrival: what a bound over any end follows from.

    Attributes
    ----------
    now_s, held_s : float. Instant of the last arrival, replica-seconds until then. [s]
    peak : int. Most requests in service at once.
    ends : array of float. When those still in service end, sorted. [s]
    slots, minimum, maximum : int. Of a replica, and of the fleet.
    """

    now_s: float
    held_s: float
    peak: int
    ends: Floats
    slots: int
    minimum: int
    maximum: int


def walked(work: Iterable[Work], *, slots: int, minimum: int, maximum: int) -> Walk:
    """Replay the work on unlimited instant capacity, until its last arrival.

    Parameters
    ----------
    work : chunks of requests with their service times.
    slots : int. Requests a replica serves at once. [requests]
    minimum, maximum : int. Bounds of the fleet. [replicas]
    """
    ends = np.zeros(1024)
    owners = np.zeros(1024, dtype=np.int32)
    state = np.zeros(4)
    for chunk in work:
        at = 0
        while at < len(chunk.arrival_s):
            at = _occupy(
                chunk.arrival_s,
                chunk.service_s,
                at,
                slots,
                minimum,
                maximum,
                ends,
                owners,
                state,
            )
            if at < len(chunk.arrival_s):
                ends = np.concatenate([ends, np.zeros_like(ends)])
                owners = np.concatenate([owners, np.zeros_like(owners)])
    busy, now, held_s, peak = int(state[0]), float(state[1]), float(state[2]), int(state[3])
    return Walk(now, held_s, peak, np.sort(ends[:busy]), slots, minimum, maximum)


def zero_wait(walk: Walk, *, until_s: float) -> ZeroWait:
    """The bound over a run's own time.

    Parameters
    ----------
    walk : Walk.
    until_s : float. End of the window the bound is billed over; the same as the run's. [s]

    >>> chunk = Work(0, np.array([0.0, 1.0]), np.array([4.0, 4.0]), np.array([4.0, 4.0]))
    >>> zero_wait(walked([chunk], slots=1, minimum=0, maximum=9), until_s=10.0)
    ZeroWait(replica_s=8.0, peak_replicas=2)
    """
    now, held_s, busy = walk.now_s, walk.held_s, len(walk.ends)
    for end in walk.ends:
        stop = min(end, until_s)
        held_s += _held(busy, walk) * max(stop - now, 0.0)
        now = max(stop, now)
        busy -= 1
    held_s += _held(0, walk) * max(until_s - now, 0.0)
    return ZeroWait(float(held_s), _held(walk.peak, walk))


def _held(busy: int, walk: Walk) -> int:
    return min(max(-(-busy // walk.slots), walk.minimum), walk.maximum)
