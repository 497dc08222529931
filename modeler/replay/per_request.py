"""One run of scale per request: tables allocated, chunks fed, tables grown when they are full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale import fixed as fixed_policy
from modeler.autoscale import lambda_scaling
from modeler.autoscale.keep_alive import KeepAlive
from modeler.autoscale.policy import Policy
from modeler.replay import environments as e
from modeler.replay import layout as m
from modeler.replay.counts import EnvironmentCounts
from modeler.replay.fates import configure_retries
from modeler.replay.per_request_finish import finish
from modeler.replay.per_request_loop import replay_chunk
from modeler.replay.provisioned import start
from modeler.replay.result import Result, decision_of
from modeler.replay.simulate import Floats, Limits, Work, configure, cut

# First and count -> request to running, request to ready, and the whole response of the request
# that started it where that has a law of its own, else None. [s]
ColdDraws = Callable[[int, int], tuple[Floats, Floats, Floats | None]]
# From when which law of a start holds [s], of those given.
Spells = Sequence[tuple[float, int]]

_UNBOUNDED = 1 << 62
_LEAST_DRAWS = 256
_TRIES = 64  # rows that the table of attempts grows by, or doubles


@dataclass(frozen=True)
class Capacity:
    """What bounds the execution environments of a function.

    Parameters
    ----------
    cap : int, optional. Environments at most, provisioned ones included; no bound when None.
    burst : str. ``none``, ``bucket`` or ``window``: how fast environments may be started.
    burst_limit : float. Size of the bucket, or starts in a window. [environments]
    burst_period_s : float. Time to refill the bucket, or length of a window. [s]
    provisioned_lead_s : float. Least time until a provisioned environment is ready. [s]
    """

    cap: int | None = None
    burst: str = "none"
    burst_limit: float = lambda_scaling.ENVIRONMENTS
    burst_period_s: float = lambda_scaling.PERIOD_S
    provisioned_lead_s: float = 0.0


class Totals(NamedTuple):
    """Counters of a run just after one arrival, or their differences between two arrivals.

    Parameters
    ----------
    requests : int. Arrivals so far. [requests]
    time_s : float. Since the start of the run. [s]
    busy_slot_s : float. Integral of requests in service. [slot s]
    queued_request_s : float. Integral of requests that wait for their environment. [request s]
    started_service_s, wait_sum_s : float. Of all requests that have started, or will. [s]
    waited, rejected, served : int. Started after a wait; throttled; started and not timed out.
        [requests]
    cold : int. Cold starts. [requests]
    running_s : float. Integral of environments with a request, initialisation included. [s]
    idle_s : float. Integral of on-demand environments without one. [s]
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
    cold: int
    running_s: float
    idle_s: float
    wait: NDArray[np.int64]
    latency: NDArray[np.int64]

    def since(self, earlier: Totals) -> Totals:
        """What happened between an earlier arrival and this one."""
        pairs: Any = zip(self, earlier, strict=True)
        return Totals(*(now - then for now, then in pairs))


def simulate(
    work: Iterable[Work],
    limits: Limits,
    keep_alive: KeepAlive,
    *,
    draws: ColdDraws | Sequence[ColdDraws],
    spells: Spells = (),
    horizon_s: float,
    capacity: Capacity | None = None,
    provisioned: Policy | None = None,
    t0_ns: int = 0,
    records: int = 0,
    rows: bool = True,
    first_wanted: bool = False,
    marks: Sequence[int] = (),
    progress: Callable[[int], None] | None = None,
) -> Result:
    """Replay `work` on environments that are started per request and kept for a while.

    Parameters
    ----------
    work : chunks in order of arrival, as `traces` gives them: it refuses what is out of order.
    limits : Limits. ``queue_limit`` and ``queue_timeout_s`` do not apply: nothing queues.
    keep_alive : KeepAlive.
    draws : function or several. Cold starts by the environments' ordinals; several are laws that
        hold by turns.
    spells : sequence of (float, int). From when which of several laws holds; the first until then.
        [s]
    horizon_s : float. End of the traffic; the run ends no earlier. [s]
    capacity : Capacity, optional. No bound when not given.
    provisioned : Policy, optional. Of the provisioned environments; none when not given.
    t0_ns : int. The trace's origin on the wall clock, to which metric periods are aligned. [ns]
    records : int. Rows of request records to keep: the number of requests, or 0 for none.
    rows : bool. Keep one row an environment, and the breaches; memory is flat without.
    marks : counts of arrivals after which interim totals are taken, say to take a warm-up off.
    progress : called with the number of requests replayed so far.
    """
    policy = provisioned if provisioned is not None else fixed_policy.build(0)
    bounds = capacity if capacity is not None else Capacity()
    laws = [draws] if callable(draws) else draws
    w = e.allocate(policy, limits.slots, records)
    w = w._replace(
        spells=np.array([[at, law] for at, law in spells], dtype=np.float64).reshape(-1, 2)
    )
    configure(w, policy, limits, horizon_s, t0_ns, first_wanted)
    configure_retries(w, limits.fates)
    _configure(w, bounds, keep_alive, rows)
    w = _more_room(w, laws)
    start(w, policy.initial, min(max(policy.initial, policy.minimum), policy.maximum))
    requests = 0
    taken_totals = []
    for chunk in cut(work, marks) if marks else work:
        keep_s = keep_alive.draw(chunk.first, len(chunk.arrival_s))
        taken = 0
        while taken < len(chunk.arrival_s):
            status, consumed = replay_chunk(
                policy.function,
                chunk.arrival_s[taken:],
                chunk.service_s[taken:],
                chunk.judged_s[taken:],
                keep_s[taken:] if keep_alive.sampled else keep_s,
                chunk.first + taken,
                w,
            )
            taken += consumed
            if status == m.GROW:
                w = _more_room(w, laws)
        requests = chunk.first + taken
        if requests in marks:
            taken_totals.append(_totals(w, requests, float(chunk.arrival_s[-1])))
        if progress is not None:
            progress(requests)
    none = np.zeros(0)
    while replay_chunk(policy.function, none, none, none, none, requests, w)[0] == m.GROW:
        w = _more_room(w, laws)
    while finish(policy.function, requests, w) == m.GROW:
        w = _more_room(w, laws)
    return _result(w, policy, requests, horizon_s, first_wanted, tuple(taken_totals))


def _configure(w: e.Memory, capacity: Capacity, keep_alive: KeepAlive, rows: bool) -> None:
    i, f = w.integers, w.floats
    i[e.CAP] = _UNBOUNDED if capacity.cap is None else capacity.cap
    i[e.ROWS] = int(rows)
    i[e.KEEP_SAMPLED] = int(keep_alive.sampled)
    i[e.BURST_KIND] = lambda_scaling.READINGS[capacity.burst]
    f[e.BURST_LIMIT] = capacity.burst_limit
    f[e.BURST_PER_S] = capacity.burst_limit / capacity.burst_period_s
    f[e.P_LEAD] = capacity.provisioned_lead_s
    f[e.BREACH_END] = -m.INF
    f[e.KEEP] = keep_alive.mean_s
    w.burst[0] = capacity.burst_limit


def _more_room(w: e.Memory, laws: Sequence[ColdDraws]) -> e.Memory:
    """Grow whatever the next event could overflow; draw further cold starts as needed."""
    i = w.integers
    ordinals = int(i[m.REPLICAS])
    more = int(i[m.MOST]) + 1
    drawn = w.draws
    left = drawn[ordinals - int(i[e.DRAWS_FIRST]) :]
    if len(left) < more:
        # What has been used is dropped: the table holds what comes, not what was.
        known = ordinals + len(left)
        count = max(more - len(left), 2 * len(drawn) if len(drawn) < 65_536 else 65_536)
        fresh = np.stack([_drawn(law, known, max(count, _LEAST_DRAWS)) for law in laws], axis=1)
        left = left if len(left) else fresh[:0]
        drawn = np.ascontiguousarray(np.concatenate([left, fresh]))
        i[e.DRAWS_FIRST] = ordinals
    rows = ordinals + more if i[e.ROWS] else 0
    tries = len(w.tries)
    if i[m.RETRIES] > 0 and i[m.FREE] == m.NOBODY and i[m.TRIES] == tries:
        tries += _TRIES
    return w._replace(
        on_demand=e.grown_pool(w.on_demand, int(i[e.SIZE]) + 1),
        replicas=m.grown(w.replicas, rows, m.INF),
        draws=drawn,
        held=m.grown(w.held, int(i[e.HELD]) + more),
        decisions=m.grown(w.decisions, int(i[m.DECISIONS]) + 1),
        breaches=m.grown(w.breaches, int(i[m.BREACHES]) + 1 if i[e.ROWS] else 0),
        tries=m.grown(w.tries, tries),
        tries_id=m.grown(w.tries_id, tries),
        agenda_s=m.grown(w.agenda_s, tries),
        agenda_row=m.grown(w.agenda_row, tries),
    )


def _drawn(law: ColdDraws, first: int, count: int) -> Floats:
    running_s, ready_s, whole_s = law(first, count)
    if whole_s is None:
        whole_s = np.full(len(ready_s), np.nan)
    return np.column_stack([running_s, ready_s, whole_s])


def _totals(w: e.Memory, requests: int, now_s: float) -> Totals:
    """Read the totals off the tables just after an arrival."""
    i, f = w.integers, w.floats
    served = waiting = running = idle = 0.0
    for pool, size in ((w.on_demand, i[e.SIZE]), (w.provisioned, i[e.P_SIZE])):
        if pool.ends.shape[1]:
            begin, end = pool.begins[:size], pool.ends[:size]
        else:
            begin = (pool.ready if pool is w.on_demand else pool.begin)[:size]
            end = pool.latest[:size]
        served += float(np.maximum(end - np.maximum(begin, now_s), 0.0).sum())
        wait = np.where(end > begin, np.maximum(begin - now_s, 0.0), 0.0)
        waiting += float(wait.sum())
        if pool is w.on_demand:
            latest = pool.latest[:size]
            running += float(np.maximum(latest - now_s, 0.0).sum())
            gone = pool.expire[:size] if i[e.KEEP_SAMPLED] else latest + f[e.KEEP]
            seen = np.minimum(gone, now_s)
            idle += float(np.maximum(seen - latest, 0.0).sum())
        else:
            running += float(np.maximum(end - np.maximum(begin, now_s), 0.0).sum())
    return Totals(
        requests=requests,
        time_s=now_s,
        busy_slot_s=float(f[m.BUSY]) - served,
        queued_request_s=float(f[m.WAIT_SUM_ALL]) - waiting,
        started_service_s=float(f[m.BUSY]),
        wait_sum_s=float(f[m.WAIT_SUM_ALL]),
        waited=int(i[m.WAITED]),
        rejected=int(i[m.REJECTED_N]),
        served=int(w.latency.sum()),
        cold=int(i[e.COLD]),
        running_s=_running_s(w) - running,
        idle_s=float(f[e.IDLE]) + idle,
        wait=w.wait.copy(),
        latency=w.latency.copy(),
    )


def _running_s(w: e.Memory) -> float:
    """Time of environments with a request, those of the provisioned by their slots. [s]"""
    i, f = w.integers, w.floats
    provisioned = float(f[e.P_BUSY] + f[e.P_CUT])
    if i[m.SLOTS] == 1:
        return float(f[m.BUSY] + f[e.INIT_SUM])
    return float(f[e.RUNNING]) + provisioned / int(i[m.SLOTS])


def _result(
    w: e.Memory,
    policy: Policy,
    requests: int,
    horizon_s: float,
    first_wanted: bool,
    taken_totals: tuple[Totals, ...],
) -> Result:
    i, f = w.integers, w.floats
    end_s = float(f[m.END])
    rows = w.replicas[: i[m.REPLICAS] if i[e.ROWS] else 0].copy()
    rows[:, m.STOP_S] = np.minimum(rows[:, m.STOP_S], end_s)
    rows[rows[:, m.READY_S] > end_s, m.READY_S] = m.INF
    rows[rows[:, m.RUNNING_S] > rows[:, m.STOP_S], m.RUNNING_S] = m.INF
    waited_s = float(f[m.WAIT_SUM])
    return Result(
        requests=requests,
        initial=policy.initial,
        slots=int(i[m.SLOTS]),
        horizon_s=horizon_s,
        end_s=end_s,
        busy_slot_s=float(f[m.BUSY]),
        busy_draining_slot_s=float(f[e.P_CUT]),
        wait_sum_s=waited_s,
        wait_sum_started_s=float(f[m.WAIT_SUM_ALL]),
        served_sum_s=float(f[m.BUSY] - f[m.UNSERVED]) + waited_s,
        queued_request_s=float(f[m.WAIT_SUM_ALL] - f[e.PAUSED]),
        waited=int(i[m.WAITED]),
        rejected=int(i[m.REJECTED_N]),
        timed_out=int(i[m.TIMED_OUT_N]),
        lost=0,
        peak_queue=0,
        causes={name: int(i[m.CAUSE_N + code]) for code, name in m.CAUSES.items()},
        self_cleared=int(i[m.SELF_CLEARED]),
        censored=0,
        latency=w.latency,
        wait=w.wait,
        first=w.first if first_wanted else None,
        replicas=rows,
        breaches=w.breaches[: i[m.BREACHES]].copy(),
        decisions=tuple(decision_of(row) for row in w.decisions[: i[m.DECISIONS]]),
        record_s=w.record_s,
        record=w.record,
        totals=taken_totals,
        attempts=requests + int(i[m.COMEBACKS]),
        unplaced=0,
        environments=EnvironmentCounts(
            cold=int(i[e.COLD]),
            started=requests + int(i[m.COMEBACKS] - i[m.REFUSED_AGAIN] - i[m.REJECTED_N]),
            throttled_by_cap=int(i[e.CAPPED]),
            throttled_by_burst=int(i[e.BURSTED]),
            on_provisioned=int(i[e.ON_PROVISIONED]),
            peak=int(i[e.PEAK]),
            init_s=float(f[e.INIT_SUM]),
            running_s=_running_s(w),
            idle_s=float(f[e.IDLE]),
            provisioned_busy_s=float(f[e.P_BUSY] + f[e.P_CUT]),
            provisioned=w.held[: i[e.HELD]].copy(),
            billed_ms=int(i[e.BILLED_MS]),
            billed_provisioned_ms=int(i[e.BILLED_PROVISIONED_MS]),
            billed_init_ms=int(i[e.BILLED_INIT_MS]),
        ),
    )
