"""Interim totals: what a run has counted up to one arrival, so that a warm-up can be taken off.

Two totals of one run differ by what happened between them. A time integral runs up to the instant
of the arrival it was taken at, so that what is still in service or waiting counts for the part
that lies behind.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.replay import layout as m


class Totals(NamedTuple):
    """Counters of a run just after one arrival, or their differences between two arrivals.

    Parameters
    ----------
    requests : int. Arrivals so far. [requests]
    time_s : float. Since the start of the run. [s]
    busy_slot_s : float. Integral of busy slots. Slots on draining replicas are known only under a
        policy that asks for requests in flight; a fixed fleet has none. [slot s]
    queued_request_s : float. Integral of waiting requests. [request s]
    started_service_s : float. Service times of all requests that have started. [s]
    wait_sum_s : float. Waits of all requests that have started. [s]
    waited, rejected, served : int. Started after a wait; refused; started and not timed out.
        [requests]
    replica_s : float. Integral of ready and draining replicas. [replica s]
    pending_replica_s : float. Integral of replicas requested and not yet ready. [replica s]
    started : int. Replicas requested since the start, cancelled ones too. [replicas]
    wait, latency : int64[]. Histograms of the served: waits above zero, arrival to finish.
    """

    requests: int
    time_s: float
    busy_slot_s: float
    queued_request_s: float
    started_service_s: float
    wait_sum_s: float
    waited: int
    rejected: int
    served: int
    replica_s: float
    pending_replica_s: float
    started: int
    wait: NDArray[np.int64]
    latency: NDArray[np.int64]

    def since(self, earlier: Totals) -> Totals:
        """What happened between an earlier arrival and this one."""
        return Totals(
            requests=self.requests - earlier.requests,
            time_s=self.time_s - earlier.time_s,
            busy_slot_s=self.busy_slot_s - earlier.busy_slot_s,
            queued_request_s=self.queued_request_s - earlier.queued_request_s,
            started_service_s=self.started_service_s - earlier.started_service_s,
            wait_sum_s=self.wait_sum_s - earlier.wait_sum_s,
            waited=self.waited - earlier.waited,
            rejected=self.rejected - earlier.rejected,
            served=self.served - earlier.served,
            replica_s=self.replica_s - earlier.replica_s,
            pending_replica_s=self.pending_replica_s - earlier.pending_replica_s,
            started=self.started - earlier.started,
            wait=self.wait - earlier.wait,
            latency=self.latency - earlier.latency,
        )


def totals(w: m.Memory, requests: int, now_s: float) -> Totals:
    """Read the totals off the engine's memory just after an arrival.

    Parameters
    ----------
    requests : int. Arrivals so far. [requests]
    now_s : float. Instant of the last of them. [s]
    """
    i, f = w.integers, w.floats
    heap = w.times[: i[m.HEAP]]
    drained = w.drained[: i[m.DRAINED]]
    beyond = np.maximum(heap - now_s, 0.0).sum() + np.maximum(drained - now_s, 0.0).sum()
    rows = w.replicas[: i[m.REPLICAS]]
    up = np.minimum(rows[:, m.STOP_S], now_s) - np.minimum(rows[:, m.READY_S], now_s)
    # A replica is pending until it is ready, or cancelled.
    until = np.minimum(rows[:, m.READY_S], rows[:, m.STOP_S])
    pending = np.minimum(until, now_s) - rows[:, m.REQUESTED_S]
    return Totals(
        requests=requests,
        time_s=now_s,
        busy_slot_s=float(f[m.BUSY] - beyond),
        queued_request_s=float(f[m.QUEUED_SECONDS] + i[m.QUEUED] * (now_s - f[m.QUEUED_SINCE])),
        started_service_s=float(f[m.BUSY] - f[m.AHEAD]),
        wait_sum_s=float(f[m.WAIT_SUM_ALL]),
        waited=int(i[m.WAITED]),
        rejected=int(i[m.REJECTED_N]),
        served=int(w.latency.sum()),
        replica_s=float(np.maximum(up, 0.0).sum()),
        pending_replica_s=float(pending.sum()),
        started=int(i[m.REPLICAS]),
        wait=w.wait.copy(),
        latency=w.latency.copy(),
    )
