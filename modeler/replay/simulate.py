"""One run of the engine: tables allocated, chunks fed, tables grown when they are full."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale.observation import DEPARTURE
from modeler.autoscale.policy import Policy
from modeler.replay import layout as m
from modeler.replay.batching import Batching, Gathering, more_seats, with_chunk
from modeler.replay.beneath import nothing
from modeler.replay.engine import finish, replay_chunk, start
from modeler.replay.environments import Memory as Environments
from modeler.replay.fates import UNBOUNDED, Fates
from modeler.replay.fates import configure as configure_fates
from modeler.replay.machines import Machines, lay, more_ground, record_of
from modeler.replay.result import Result, result_of
from modeler.replay.totals import totals

Floats = NDArray[np.float64]
Draws = Callable[[int, int], tuple[Floats, Floats]]

_NEVER = np.array([m.INF])


class Work(NamedTuple):
    """A chunk of requests with what they need.

    ``first`` is the ordinal of the first; ``arrival_s``, ``service_s`` and ``judged_s`` (from the
    start of service to the moment the service level judges) are float64[n]. [s]

    Where replicas batch, what a request takes depends on the others: in the two places then stand
    its prompt and its output. [tokens]
    """

    first: int
    arrival_s: Floats
    service_s: Floats
    judged_s: Floats


@dataclass(frozen=True)
class Limits:
    """What bounds a request's life.

    Parameters
    ----------
    slots : int. Requests a replica serves at once. [requests]
    queue_limit : int, optional. Requests that may wait, for each replica where the router binds
        them to one; unbounded when None. [requests]
    queue_timeout_s, client_timeout_s : float. Longest wait, longest response. [s]
    threshold_s : float. Service level: arrival to the judged moment. [s]
    fates : Fates. What happens from zero, by the router and after a failure.
    batching : Batching or Gathering, optional. Of replicas that batch; `slots` is then the largest
        batch.
    """

    slots: int = 1
    queue_limit: int | None = None
    queue_timeout_s: float = m.INF
    client_timeout_s: float = m.INF
    threshold_s: float = m.INF
    fates: Fates = field(default_factory=Fates)
    batching: Batching | Gathering | None = None


def simulate(
    policy: Policy,
    work: Iterable[Work],
    limits: Limits,
    *,
    draws: Draws,
    horizon_s: float,
    t0_ns: int = 0,
    records: int = 0,
    first_wanted: bool = False,
    release_s: float = 0.0,
    marks: Sequence[int] = (),
    keep_decisions: bool = True,
    machines: Machines | None = None,
    progress: Callable[[int], None] | None = None,
) -> Result:
    """Replay `work` under `policy`.

    Parameters
    ----------
    work : chunks in order of arrival, as `traces` gives them: it refuses what is out of order.
    draws : function (first, count) -> (running_s, ready_s). From the request of replicas
        first .. first + count - 1 until they run and until they serve. [s]
    horizon_s : float. End of the traffic; billing ends no earlier. [s]
    t0_ns : int. The trace's origin on the wall clock, to which metric periods are aligned. [ns]
    records : int. Rows of request records to keep: the number of requests, or 0 for none.
    release_s : float. How long the platform holds a replica it took out of service, at least. It
        is billed and delays no decision (assumed). [s]
    machines : Machines, optional. Instances beneath the replicas; `draws` and `release_s` are then
        not looked at, for the laws and the hold are the machines' own.
    marks : counts of arrivals after which interim totals are taken, say to take a warm-up off.
    keep_decisions : bool. Whether the result lists every decision: for a policy that decides with
        every request they would outgrow the requests.
    progress : called with the number of requests replayed so far.
    """
    batching = limits.batching
    batch = None if batching is None else batching.batch(limits.slots, m.most_replicas(policy))
    w = m.allocate(policy, limits.slots, records, batch)
    configure(w, policy, limits, horizon_s, t0_ns, first_wanted)
    w.floats[m.NEXT_STEP] = w.floats[m.NEXT_LEAVE] = m.INF
    # A fleet that starts with a replica and may not let its last one go is never without, unless
    # its machines are taken away.
    lower = policy.bounds[:, 1]
    least = min(policy.initial, policy.minimum, lower[np.isfinite(lower)].min(initial=np.inf))
    can_lose = machines is not None and machines.can_lose
    configure_fates(w, limits.fates, may_empty=least < 1 or can_lose)
    if batching is not None:
        if policy.hooks & DEPARTURE:
            raise ValueError("a policy on departures does not go with replicas that batch")
        if machines is not None and not machines.leaves_batches:
            raise ValueError("replicas that batch stand on machines that are not taken from them")
        w.integers[m.BATCHED] = batching.mode
        w.integers[m.FATES] = 1
        w.integers[m.FIRST_JUDGED] = int(batching.judge_first)
    if machines is not None:
        w = lay(w, machines, policy, limits.slots)
    w = _more_room(w, draws, machines)
    beneath = nothing if machines is None else machines.function()
    if batching is not None:
        # Compiled apart: a fleet of slots does not pay for it.
        from modeler.replay.batched import batched, batched_on_machines

        beneath = batched if machines is None else batched_on_machines
    start(beneath, w, policy.initial, min(max(policy.initial, policy.minimum), policy.maximum))
    requests = 0
    taken_totals = []
    for chunk in cut(work, marks) if marks else work:
        taken = 0
        while taken < len(chunk.arrival_s):
            if batching is not None:
                w = with_chunk(w, *(column[taken:] for column in chunk[1:]))
            status, consumed = replay_chunk(
                policy.function,
                beneath,
                chunk.arrival_s[taken:],
                chunk.service_s[taken:],
                chunk.judged_s[taken:],
                chunk.first + taken,
                w,
            )
            taken += consumed
            if status == m.GROW:
                if not keep_decisions:
                    w.integers[m.DECISIONS] = 0
                w = _more_room(w, draws, machines)
        requests = chunk.first + taken
        if requests in marks:
            taken_totals.append(totals(w, requests, float(chunk.arrival_s[-1])))
        if progress is not None:
            progress(requests)
    while finish(policy.function, beneath, requests, _NEVER, w) == m.GROW:
        w = _more_room(w, draws, machines)
    if not keep_decisions:
        w.integers[m.DECISIONS] = 0
    done = result_of(w, policy, requests, horizon_s, first_wanted, release_s, tuple(taken_totals))
    if machines is None:
        return done
    return replace(done, ground=record_of(w, machines, done.end_s))


def cut(work: Iterable[Work], marks: Sequence[int]) -> Iterator[Work]:
    """The same requests in chunks that end wherever a mark is."""
    for chunk in work:
        size = len(chunk.arrival_s)
        inside = sorted({mark - chunk.first for mark in marks if 0 < mark - chunk.first < size})
        for begin, end in zip([0, *inside], [*inside, size], strict=True):
            yield Work(chunk.first + begin, *(column[begin:end] for column in chunk[1:]))


def first_after(period_s: float, offset_s: float, t0_ns: int) -> float:
    """First instant after t = 0 that is `offset_s` past a wall-clock multiple of the period. [s]"""
    if not np.isfinite(period_s):
        return m.INF
    period_ns = round(period_s * 1e9)
    since = (t0_ns - round(offset_s * 1e9)) % period_ns
    return (period_ns - since) / 1e9


def configure(
    w: m.Memory | Environments,
    policy: Policy,
    limits: Limits,
    horizon_s: float,
    t0_ns: int,
    first_wanted: bool,
) -> None:
    """Write the settings of a run into an engine's memory."""
    i, f = w.integers, w.floats
    i[m.SLOTS] = limits.slots
    i[m.MIN] = policy.minimum
    i[m.MAX] = policy.maximum
    i[m.MOST] = m.most_replicas(policy)
    i[m.LIMIT] = UNBOUNDED if limits.queue_limit is None else limits.queue_limit
    i[m.HOOKS] = policy.hooks
    i[m.IN_FLIGHT_WANTED] = int(policy.needs_in_flight)
    i[m.IDLE_FIRST] = int(policy.idle_first)
    i[m.RECORD] = int(w.record.shape[0] > 0)
    i[m.FIRST_WANTED] = int(first_wanted)
    f[m.QUEUE_TIMEOUT] = limits.queue_timeout_s
    f[m.CLIENT_TIMEOUT] = limits.client_timeout_s
    f[m.THRESHOLD] = limits.threshold_s
    f[m.HORIZON] = horizon_s
    f[m.NEXT_READY] = m.INF
    f[m.AT_MAX_SINCE] = m.INF
    f[m.NEXT_WAKE] = m.INF
    f[m.NEXT_MACHINE] = m.INF
    f[m.NEXT_BOUND] = w.bounds[0, 0] if len(w.bounds) else m.INF
    f[m.RECENT_FOR] = policy.recent_s
    f[m.MIDNIGHT] = t0_ns % 86_400_000_000_000 / 1e9
    clock = policy.clock
    f[m.BUCKET_PERIOD] = clock.bucket_s
    f[m.TICK_PERIOD] = clock.tick_s
    f[m.FIRST_BUCKET] = f[m.NEXT_BUCKET] = first_after(clock.bucket_s, 0.0, t0_ns)
    f[m.FIRST_TICK] = f[m.NEXT_TICK] = first_after(clock.tick_s, clock.tick_delay_s, t0_ns)


def _more_room(w: m.Memory, draws: Draws, machines: Machines | None) -> m.Memory:
    """Grow whatever the next event could overflow; draw further cold starts as needed."""
    i = w.integers
    replicas = int(i[m.REPLICAS] + i[m.MOST] + 1)
    table = m.grown(w.replicas, replicas, m.INF)
    drawn = w.draws
    if len(drawn) < len(table) and machines is not None:
        drawn = np.zeros((len(table), 2))
    elif len(drawn) < len(table):
        running_s, ready_s = draws(len(drawn), len(table) - len(drawn))
        drawn = np.concatenate([drawn, np.column_stack([running_s, ready_s])])
    ring, ring_id = w.ring, w.ring_id
    if i[m.QUEUED] >= len(ring_id):
        # Straighten the ring before it doubles, so that its order survives.
        order = (i[m.HEAD] + np.arange(len(ring_id))) % len(ring_id)
        ring = m.grown(ring[order], 2 * len(ring))
        ring_id = m.grown(ring_id[order], 2 * len(ring_id))
        i[m.HEAD] = 0
    grown = w._replace(
        replicas=table,
        draws=np.ascontiguousarray(drawn),
        ring=ring,
        ring_id=ring_id,
        decisions=m.grown(w.decisions, int(i[m.DECISIONS]) + 1),
        breaches=m.grown(w.breaches, int(i[m.BREACHES]) + 1),
        drained=m.grown(w.drained, int(i[m.DRAINED] + i[m.HEAP])),
        departures=m.grown(w.departures, int(i[m.DEPARTURES] + i[m.HEAP]) + 1),
        **_more_attempts(w, replicas),
    )
    grown = more_seats(grown)
    return grown if machines is None else more_ground(grown, machines)


def _more_attempts(w: m.Memory, replicas: int) -> dict[str, Any]:
    """Room for one more attempt that waits or comes back, and one more service."""
    i = w.integers
    tries = len(w.tries) + int(i[m.FREE] == m.NOBODY and i[m.TRIES] == len(w.tries))
    ends = int(i[m.ENDS]) + 1
    return {
        "tries": m.grown(w.tries, tries),
        "tries_id": m.grown(w.tries_id, tries),
        "agenda_s": m.grown(w.agenda_s, tries),
        "agenda_row": m.grown(w.agenda_row, tries),
        "end_s": m.grown(w.end_s, ends),
        "end_replica": m.grown(w.end_replica, ends),
        "load": m.grown(w.load, replicas),
    }
