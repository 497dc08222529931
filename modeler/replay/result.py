"""What a run of the engine leaves behind: counters, histograms and the records of its fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale.observation import REASONS
from modeler.autoscale.policy import Policy
from modeler.replay import layout as m
from modeler.replay.batch_layout import CONTINUOUS
from modeler.replay.counts import EnvironmentCounts
from modeler.replay.machines import GroundRecord
from modeler.replay.totals import Totals

Floats = NDArray[np.float64]


class Decision(NamedTuple):
    """One decision of the policy; ``repeats`` counts a refusal given again and again."""

    time_s: float
    reason: str
    from_replicas: int
    to_replicas: int
    metric: float
    ready: int
    pending: int
    repeats: int


@dataclass(frozen=True)
class Result:
    """What a run leaves behind: counters, histograms and the records of its fleet.

    ``replicas`` is float64[r, 5]: requested, running, ready, drain, stop, infinite where it never
    came to that, in order of the replicas' ordinals; the first `initial` were warm at t = 0.
    ``breaches`` is float64[b, 3]: opened, the replica it was measured by, ready. [s]
    ``records`` holds one row a request when they were asked for: start, end [s] in
    ``record_s`` (infinite start: never started), and outcome, cause, replica in ``record``.
    ``attempts`` counts a request each time it comes, ``unplaced`` the attempts that were refused
    because no replica was there. ``totals`` are the interim ones that were asked for.
    ``environments`` is what scale per request counts apart; None of a fleet behind a queue.
    ``ground`` is None where a replica is its instance and the weather is fair.
    A replica that batches is busy, with all its slots, while it takes steps; ``between`` is the
    histogram of the time per output token after the first, and ``record_s`` has
    the first token's time in a third column, where replicas batch.
    """

    requests: int
    attempts: int
    unplaced: int
    initial: int
    slots: int
    horizon_s: float
    end_s: float
    busy_slot_s: float
    busy_draining_slot_s: float
    wait_sum_s: float
    wait_sum_started_s: float
    served_sum_s: float
    queued_request_s: float
    waited: int
    rejected: int
    timed_out: int
    lost: int
    peak_queue: int
    causes: dict[str, int]
    self_cleared: int
    censored: int
    latency: NDArray[np.int64]
    wait: NDArray[np.int64]
    first: NDArray[np.int64] | None
    replicas: Floats
    breaches: Floats
    decisions: tuple[Decision, ...]
    record_s: Floats
    record: NDArray[np.int32]
    totals: tuple[Any, ...] = ()
    environments: EnvironmentCounts | None = None
    ground: GroundRecord | None = None
    between: NDArray[np.int64] | None = None

    @property
    def served(self) -> int:
        """Requests served. [requests]"""
        return self.requests - self.rejected - self.timed_out - self.lost


def result_of(
    w: m.Memory,
    policy: Policy,
    requests: int,
    horizon_s: float,
    first_wanted: bool,
    release_s: float,
    taken_totals: tuple[Totals, ...],
) -> Result:
    """What a run that has ended leaves behind."""
    i, f = w.integers, w.floats
    replicas = w.replicas[: i[m.REPLICAS]].copy()
    # What never stopped is released when the run ends; what was still pending never served.
    end_s = float(f[m.END])
    held = np.isfinite(replicas[:, m.DRAIN_S]) & (i[m.GROUND] == 0)
    replicas[held, m.STOP_S] = np.maximum(
        replicas[held, m.STOP_S], replicas[held, m.DRAIN_S] + release_s
    )
    replicas[:, m.STOP_S] = np.minimum(replicas[:, m.STOP_S], end_s)
    late = replicas[:, m.READY_S] > end_s
    replicas[late, m.READY_S] = m.INF
    replicas[replicas[:, m.RUNNING_S] > replicas[:, m.STOP_S], m.RUNNING_S] = m.INF
    waited_sum = float(f[m.WAIT_SUM])
    batches = bool(i[m.BATCHED])
    return Result(
        requests=requests,
        attempts=requests + int(i[m.COMEBACKS]),
        unplaced=int(i[m.UNPLACED_N]),
        initial=policy.initial,
        slots=int(i[m.SLOTS]),
        horizon_s=horizon_s,
        end_s=end_s,
        busy_slot_s=float(f[m.STEPPING] * i[m.SLOTS] if batches else f[m.BUSY]),
        busy_draining_slot_s=float(
            f[m.STEPPING_DRAINING] * i[m.SLOTS] if batches else f[m.BUSY_DRAINING]
        ),
        wait_sum_s=waited_sum,
        wait_sum_started_s=float(f[m.WAIT_SUM_ALL]),
        served_sum_s=float(f[m.BUSY] - f[m.UNSERVED]) + waited_sum,
        queued_request_s=float(f[m.QUEUED_SECONDS]),
        waited=int(i[m.WAITED]),
        rejected=int(i[m.REJECTED_N]),
        timed_out=int(i[m.TIMED_OUT_N]),
        lost=int(i[m.LOST_N]),
        peak_queue=int(i[m.PEAK_QUEUE]),
        causes={name: int(i[m.CAUSE_N + code]) for code, name in m.CAUSES.items()},
        self_cleared=int(i[m.SELF_CLEARED]),
        censored=int(i[m.CENSORED]),
        latency=w.latency,
        wait=w.wait,
        first=w.first if first_wanted else None,
        replicas=replicas,
        breaches=w.breaches[: i[m.BREACHES]].copy(),
        decisions=tuple(decision_of(row) for row in w.decisions[: i[m.DECISIONS]]),
        record_s=w.record_s,
        record=w.record,
        totals=taken_totals,
        between=w.batch.between if i[m.BATCHED] == CONTINUOUS else None,
    )


def decision_of(row: Floats) -> Decision:
    """A decision of a row of the table."""
    return Decision(
        time_s=float(row[m.D_TIME]),
        reason=REASONS[int(row[m.D_REASON])],
        from_replicas=int(row[m.D_FROM]),
        to_replicas=int(row[m.D_TO]),
        metric=float(row[m.D_METRIC]),
        ready=int(row[m.D_READY]),
        pending=int(row[m.D_PENDING]),
        repeats=int(row[m.D_REPEATS]),
    )
