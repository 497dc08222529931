"""Provisioned concurrency: environments that are prepared ahead, under a policy of their own.

They have no keep-alive and take requests before any other. Their number is the policy's desired
capacity; it acts on the shares of them that are in use, as on replicas of a fleet.
"""

from __future__ import annotations

import numpy as np
from numba import types

from modeler.autoscale import observation as o
from modeler.compiled import kernel
from modeler.replay import environments as e
from modeler.replay import layout as m
from modeler.replay.fleet import note_decision
from modeler.replay.pool import beyond, close_up, law_now, put

_INF = m.INF
_ARRIVAL, _WAKE, _TICK, _BUCKET, _BOUNDS = range(5)


@kernel()
def next_event(w, until):  # type: ignore[no-untyped-def]
    """The first event not later than `until`, or the arrival at `until` itself (0)."""
    kind = _ARRIVAL
    now = until
    if w.floats[m.NEXT_WAKE] < now:
        kind, now = _WAKE, w.floats[m.NEXT_WAKE]
    if w.floats[m.NEXT_TICK] < now or (kind == _WAKE and w.floats[m.NEXT_TICK] == now):
        kind, now = _TICK, w.floats[m.NEXT_TICK]
    if w.floats[m.NEXT_BUCKET] <= now and w.floats[m.NEXT_BUCKET] < _INF:
        kind, now = _BUCKET, w.floats[m.NEXT_BUCKET]
    if w.floats[m.NEXT_BOUND] <= now and w.floats[m.NEXT_BOUND] < _INF:
        kind, now = _BOUNDS, w.floats[m.NEXT_BOUND]
    return kind, now


@kernel()
def room_for_event(w):  # type: ignore[no-untyped-def]
    """Whether every table has room for whatever an event can add."""
    more = w.integers[m.REPLICAS] + w.integers[m.MOST] + 1
    return (
        more - w.integers[e.DRAWS_FIRST] <= len(w.draws)
        and (w.integers[e.ROWS] == 0 or more <= len(w.replicas))
        and w.integers[e.HELD] + w.integers[m.MOST] < len(w.held)
        and w.integers[m.DECISIONS] < len(w.decisions)
    )


@kernel()
def handle(policy, w, kind, now, arrived):  # type: ignore[no-untyped-def]
    """One event."""
    if kind == _BOUNDS:
        _new_bounds(w, now)
    elif kind == _WAKE:
        w.floats[m.NEXT_WAKE] = _INF
        _ask(policy, w, o.WAKE, now, arrived)
    elif kind == _BUCKET:
        w.floats[m.BUCKETS_DONE] += 1.0
        w.floats[m.NEXT_BUCKET] = (
            w.floats[m.FIRST_BUCKET] + w.floats[m.BUCKETS_DONE] * w.floats[m.BUCKET_PERIOD]
        )
        _ask(policy, w, o.BUCKET, now, arrived)
    else:
        w.floats[m.TICKS_DONE] += 1.0
        w.floats[m.NEXT_TICK] = (
            w.floats[m.FIRST_TICK] + w.floats[m.TICKS_DONE] * w.floats[m.TICK_PERIOD]
        )
        _ask(policy, w, o.TICK, now, arrived)
    w.floats[m.NOW] = now


@kernel()
def _ask(policy, w, event, now, arrived):  # type: ignore[no-untyped-def]
    """Show the policy the provisioned environments and carry out what it answers."""
    _observe(w, now, arrived)
    before = w.integers[m.DESIRED]
    w.out[o.OUT_DESIRED] = before
    w.out[o.OUT_METRIC] = 0.0
    w.out[o.OUT_WAKE] = w.floats[m.NEXT_WAKE]
    reason = policy(event, w.obs, w.params, w.state, w.out)
    w.floats[m.NEXT_WAKE] = w.out[o.OUT_WAKE]
    if reason == o.NOTHING:
        return
    wanted = int(w.out[o.OUT_DESIRED])
    wanted = min(max(wanted, w.integers[m.MIN]), w.integers[m.MAX])
    if reason == o.SCALED_OUT or reason == o.SCALED_IN:
        if wanted != before:
            note_decision(w, now, reason, before, wanted)
            set_provisioned(w, now, wanted)
    else:
        note_decision(w, now, reason, before, before)


@kernel()
def _new_bounds(w, now):  # type: ignore[no-untyped-def]
    """Put the next row of the table of bounds into force and move the capacity into them."""
    k = w.integers[m.BOUND]
    row = w.bounds[k]
    w.integers[m.BOUND] = k + 1
    w.floats[m.NEXT_BOUND] = w.bounds[k + 1, 0] if k + 1 < len(w.bounds) else _INF
    if not np.isnan(row[1]):
        w.integers[m.MIN] = int(row[1])
    if not np.isnan(row[2]):
        w.integers[m.MAX] = int(row[2])
    before = w.integers[m.DESIRED]
    wanted = min(max(before, w.integers[m.MIN]), w.integers[m.MAX])
    if wanted != before:
        _count(w, now)
        w.out[o.OUT_METRIC] = 0.0
        note_decision(w, now, o.SCHEDULED, before, wanted)
        set_provisioned(w, now, wanted)


@kernel()
def set_provisioned(w, now, desired):  # type: ignore[no-untyped-def]
    """Prepare more environments, or release some: the newest that are not ready, then idle, first.

    One that is released while it serves ends its requests first; they no longer count as use of
    what is provisioned.
    """
    pool = w.provisioned
    size = w.integers[e.P_SIZE]
    while size < desired:
        _prepare(w, size, now)
        size += 1
    while size > desired:
        k = _to_release(pool, size, now)
        ordinal = pool.ordinal[k]
        ready = pool.ready[k]
        stop = now
        if ready <= now:
            w.floats[e.P_GONE_READY] += now - ready
            stop = max(now, pool.latest[k])
            cut = beyond(pool, k, now)[1]
            w.floats[e.P_BUSY] -= cut
            w.floats[e.P_CUT] += cut
        if w.integers[e.ROWS] != 0:
            if ready > now:
                w.replicas[ordinal, m.READY_S] = _INF
            else:
                w.replicas[ordinal, m.DRAIN_S] = now
            w.replicas[ordinal, m.STOP_S] = stop
        w.floats[m.END] = max(w.floats[m.END], stop)
        hand_back(w, k, now)
        size -= 1
        for j in range(k, size):
            pool.earliest[j] = pool.earliest[j + 1]
            pool.begin[j] = pool.begin[j + 1]
            pool.ready[j] = pool.ready[j + 1]
            pool.requested[j] = pool.requested[j + 1]
            pool.ordinal[j] = pool.ordinal[j + 1]
        if w.integers[m.SLOTS] > 1:
            close_up(pool.latest, pool.ends, pool.begins, k, size)
    w.integers[e.P_SIZE] = size
    w.integers[m.DESIRED] = desired
    w.floats[e.P_CHANGED] = now
    alive = size
    for k in range(w.integers[e.SIZE]):
        gone = w.on_demand.expire[k]
        if w.integers[e.KEEP_SAMPLED] == 0:
            gone = w.on_demand.latest[k] + w.floats[e.KEEP]
        if gone > now:
            alive += 1
    w.integers[e.PEAK] = max(w.integers[e.PEAK], alive)


@kernel()
def hand_back(w, k, now):  # type: ignore[no-untyped-def]
    """Enter a provisioned environment in the table of those that are gone."""
    w.held[w.integers[e.HELD], 0] = w.provisioned.requested[k]
    w.held[w.integers[e.HELD], 1] = now
    w.integers[e.HELD] += 1


@kernel()
def _prepare(w, k, now):  # type: ignore[no-untyped-def]
    """Ask for one more; how long it takes is drawn by its ordinal."""
    ordinal = w.integers[m.REPLICAS]
    w.integers[m.REPLICAS] = ordinal + 1
    row = ordinal - w.integers[e.DRAWS_FIRST]
    running, ready, _ = w.draws[row, law_now(w.spells, now)]
    lead = max(ready, w.floats[e.P_LEAD])
    put(w.provisioned, k, now, now + lead, ordinal)
    if w.integers[e.ROWS] != 0:
        w.replicas[ordinal, m.REQUESTED_S] = now
        w.replicas[ordinal, m.RUNNING_S] = now + lead - (ready - running)
        w.replicas[ordinal, m.READY_S] = now + lead


@kernel()
def _to_release(pool, size, now):  # type: ignore[no-untyped-def]
    """The newest that is not ready, else the newest that is idle, else the newest."""
    for k in range(size - 1, -1, -1):
        if pool.ready[k] > now:
            return k
    for k in range(size - 1, -1, -1):
        if pool.latest[k] <= now:
            return k
    return size - 1


@kernel()
def _count(w, now):  # type: ignore[no-untyped-def]
    """Count those that are ready and those that are not."""
    pool = w.provisioned
    size = w.integers[e.P_SIZE]
    ready = 0
    done = 0.0
    for k in range(size):
        if pool.ready[k] <= now:
            ready += 1
            done = max(done, pool.ready[k])
    w.integers[m.READY] = ready
    w.integers[m.PENDING] = size - ready
    return done


@kernel()
def _observe(w, now, arrived):  # type: ignore[no-untyped-def]
    """Write what a policy may see: provisioned environments, and the requests on them."""
    done = _count(w, now)
    pool = w.provisioned
    in_flight = 0
    ahead = 0.0
    ready_s = w.floats[e.P_GONE_READY]
    for k in range(w.integers[e.P_SIZE]):
        count, more = beyond(pool, k, now)
        in_flight += count
        ahead += more
        ready_s += max(now - pool.ready[k], 0.0)
    obs = w.obs
    obs[o.NOW] = now
    obs[o.WALL] = w.floats[m.MIDNIGHT] + now
    obs[o.READY] = w.integers[m.READY]
    obs[o.PENDING] = w.integers[m.PENDING]
    obs[o.DESIRED] = w.integers[m.DESIRED]
    obs[o.MIN] = w.integers[m.MIN]
    obs[o.MAX] = w.integers[m.MAX]
    obs[o.ARRIVED] = arrived
    obs[o.IN_FLIGHT] = in_flight
    obs[o.IN_FLIGHT_SECONDS] = w.floats[e.P_BUSY] - ahead
    obs[o.READY_SECONDS] = ready_s
    obs[o.ACTIVITY_DONE] = _INF if w.integers[m.PENDING] > 0 else max(done, w.floats[e.P_CHANGED])
    obs[o.SLOTS] = w.integers[m.SLOTS]
    obs[o.REFUSED] = w.integers[m.REJECTED_N]
    obs[o.INSTANCES] = w.integers[e.P_SIZE]


@kernel(types.void(e.MEMORY_TYPE, types.int64, types.int64))
def start(w, initial, desired):  # type: ignore[no-untyped-def]
    """Put the first provisioned environments in place, ready at t = 0, and ask for the rest."""
    for k in range(initial):
        put(w.provisioned, k, 0.0, 0.0, k)
        if w.integers[e.ROWS] != 0:
            w.replicas[k, m.REQUESTED_S] = 0.0
            w.replicas[k, m.RUNNING_S] = 0.0
            w.replicas[k, m.READY_S] = 0.0
    w.integers[m.REPLICAS] = initial
    w.integers[e.P_SIZE] = initial
    set_provisioned(w, 0.0, desired)
