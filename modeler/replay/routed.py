"""The loop beside `quiet`: routers, what is refused or held from zero, and retries.

A router that binds a request to a replica as it comes makes of every replica a queue of its own,
first come, first served. Service times are known, so start and end, or the moment the request gives
up, are known at the arrival: a replica is its slots' free times, those of services that still wait
included, and what waits is an agenda of starts and give-ups.
"""

from __future__ import annotations

from numba import types

from modeler.autoscale.observation import DEPARTURE
from modeler.compiled import inner
from modeler.replay import events as e
from modeler.replay import layout as m
from modeler.replay.attempts import (
    append,
    attempts_fit,
    begin,
    close_breach,
    free_row,
    give_up,
    joins_queue,
    leaves_queue,
    lose,
    next_on,
    plan,
    refuse,
    route_draw,
    take_first,
    take_head,
    take_row,
)
from modeler.replay.brisk import brisk
from modeler.replay.fleet import pending_seconds
from modeler.replay.heap import pop, replace_root, sift_block

_INF = m.INF
# Compiled once each, whatever the types of a call's constants.
_ORDINAL, _SECONDS = types.int64, types.float64
_ATTEMPT = (_SECONDS, _ORDINAL, _ORDINAL, *(_SECONDS,) * 5)


@inner()
def false_ready(w, now):  # type: ignore[no-untyped-def]
    """Pending replicas that the router already takes for ready ones. [replicas]"""
    count = 0
    if w.floats[m.FALSE_READY] > 0.0:
        for k in range(w.integers[m.PENDING]):
            ready = w.replicas[w.pending[k], m.READY_S]
            count += ready - w.floats[m.FALSE_READY] <= now
    return count


@inner()
def _finished(w, now):  # type: ignore[no-untyped-def]
    """Take the services that have ended by now off their replicas' counts."""
    while w.integers[m.ENDS] > 0 and w.end_s[0] <= now:
        w.load[w.end_replica[0], m.L_OUTSTANDING] -= 1
        pop(w.end_s, w.end_replica, w.integers[m.ENDS])
        w.integers[m.ENDS] -= 1


@inner()
def choose(w, now, ordinal, attempt, seen):  # type: ignore[no-untyped-def]
    """Place in `live` of the replica an attempt goes to; beyond the ready ones: falsely ready.

    `seen` replicas stand in the router's list: the ready ones, the longest ready first, then those
    falsely so, which have nothing outstanding: what comes to them has failed.
    """
    router = w.integers[m.ROUTER]
    if router == m.RANDOM:
        return int(route_draw(w, ordinal, attempt) * seen)
    if router == m.ROUND_ROBIN:
        turn = w.integers[m.TURN]
        w.integers[m.TURN] = turn + 1
        return turn % seen
    _finished(w, now)
    best, least = -1, 0
    ready = w.integers[m.READY]
    for k in range(ready):
        outstanding = w.load[w.live[k], m.L_OUTSTANDING]
        if best < 0 or outstanding < least:
            best, least = k, outstanding
    if seen > ready and (best < 0 or least > 0):
        return ready
    return best


@inner(types.void(m.MEMORY_TYPE, *_ATTEMPT))
def from_zero(w, now, ordinal, attempt, first, came, service, judged, pending_s):  # type: ignore[no-untyped-def]
    """No replica is there: the attempt is refused, or held until one is."""
    refused = w.integers[m.FROM_ZERO] == m.FAIL_FROM_ZERO
    if not refused and w.integers[m.HELD] < w.integers[m.HOLD_LIMIT]:
        patience = min(w.floats[m.HOLD_TIMEOUT], w.floats[m.CLIENT_TIMEOUT])
        row = take_row(
            w, ordinal, attempt, first, came, came + patience, service, judged, pending_s
        )
        append(w, m.HELD_HEAD, row)
        w.integers[m.HELD] += 1
        joins_queue(w, now)
        return
    w.integers[m.UNPLACED_N] += 1
    cause = m.QUEUE_LIMIT
    if refused:
        cause = m.DECISION
        if w.integers[m.PENDING] > 0:
            cause = m.COLD_START
        elif w.integers[m.DESIRED] >= w.integers[m.MAX]:
            cause = m.REPLICA_CAP
    if w.integers[m.QUEUED] == 0 and w.integers[m.BREACH] == 0:
        w.integers[m.SELF_CLEARED] += 1
    refuse(w, now, ordinal, attempt, first, service, judged, pending_s, cause)


@inner(types.void(m.MEMORY_TYPE, *_ATTEMPT, types.boolean))
def _place(w, now, ordinal, attempt, first, came, service, judged, pending_s, waited):  # type: ignore[no-untyped-def]
    """Send one attempt on its way: served, waiting, held or refused."""
    ready = w.integers[m.READY]
    seen = ready + false_ready(w, now)
    central = w.integers[m.ROUTER] == m.CENTRAL
    queues = central and w.integers[m.FROM_ZERO] == m.QUEUE_FROM_ZERO
    if seen == 0 and not queues:
        from_zero(w, now, ordinal, attempt, first, came, service, judged, pending_s)
        return
    place = 0
    if not central:
        place = choose(w, now, ordinal, attempt, seen)
    elif seen > ready and route_draw(w, ordinal, attempt) * seen < seen - ready:
        place = ready
    if seen > ready and place >= ready:
        # Its health is green and its model is not loaded.
        refuse(w, now, ordinal, attempt, first, service, judged, pending_s, m.COLD_START)
        return
    at = 0 if central else place * w.integers[m.SLOTS]
    replica = w.owners[at]
    free = w.times[at]
    if free <= now:
        w.floats[m.BUSY] += service
        if central:
            replace_root(w.times, w.owners, w.integers[m.HEAP], now + service, replica)
        else:
            sift_block(w.times, at, w.integers[m.SLOTS], now + service)
            w.load[replica, m.L_OUTSTANDING] += 1
        begin(w, now, ordinal, attempt, first, came, service, judged, pending_s, replica, waited)
        return
    waiting = w.integers[m.QUEUED] - w.integers[m.HELD] if central else w.load[replica, m.L_WAITING]
    if waiting >= w.integers[m.LIMIT]:
        if w.integers[m.QUEUED] == 0 and w.integers[m.BREACH] == 0:
            w.integers[m.SELF_CLEARED] += 1  # opened and closed at once: nothing may wait
        refuse(w, now, ordinal, attempt, first, service, judged, pending_s, m.QUEUE_LIMIT)
        return
    deadline = min(now + w.floats[m.QUEUE_TIMEOUT], came + w.floats[m.CLIENT_TIMEOUT])
    row = take_row(w, ordinal, attempt, first, came, deadline, service, judged, pending_s)
    joins_queue(w, now)
    if central:
        append(w, m.LINE_HEAD, row)
        return
    w.tries_id[row, m.I_REPLICA] = replica
    w.load[replica, m.L_WAITING] += 1
    w.load[replica, m.L_OUTSTANDING] += 1
    if free <= deadline:
        w.floats[m.BUSY] += service
        w.floats[m.AHEAD] += service
        sift_block(w.times, at, w.integers[m.SLOTS], free + service)
        plan(w, m.A_START, free, row)
    else:
        plan(w, m.A_LEAVE, deadline, row)


@inner()
def arrive(w, now, ordinal, service, judged):  # type: ignore[no-untyped-def]
    """A request comes for the first time."""
    _place(w, now, ordinal, 0, now, now, service, judged, pending_seconds(w, now), False)


@inner()
def _again(w, now, row, came):  # type: ignore[no-untyped-def]
    """The attempt of a row, which no longer waits where it did, looks for a place."""
    t = w.tries[row]
    ordinal, attempt = w.tries_id[row, m.I_ORDINAL], w.tries_id[row, m.I_ATTEMPT]
    first, service, judged, pending_s = (
        t[m.T_FIRST], t[m.T_SERVICE], t[m.T_JUDGED], t[m.T_PENDING_SECONDS]
    )  # fmt: skip
    free_row(w, row)
    _place(w, now, ordinal, attempt, first, came, service, judged, pending_s, True)


@inner()
def _start(w, now):  # type: ignore[no-untyped-def]
    """The next request that waits for a slot starts."""
    leaves_queue(w, now)
    if w.integers[m.ROUTER] == m.CENTRAL:
        row = take_head(w, m.LINE_HEAD)
        service = w.tries[row, m.T_SERVICE]
        replica = w.owners[0]
        w.floats[m.BUSY] += service
        replace_root(w.times, w.owners, w.integers[m.HEAP], now + service, replica)
    else:
        row = take_first(w, m.A_START)
        replica = w.tries_id[row, m.I_REPLICA]
        w.load[replica, m.L_WAITING] -= 1
        w.floats[m.AHEAD] -= w.tries[row, m.T_SERVICE]
    t = w.tries[row]
    ordinal, attempt = w.tries_id[row, m.I_ORDINAL], w.tries_id[row, m.I_ATTEMPT]
    first, came, service, judged, pending_s = (
        t[m.T_FIRST], t[m.T_CAME], t[m.T_SERVICE], t[m.T_JUDGED], t[m.T_PENDING_SECONDS]
    )  # fmt: skip
    free_row(w, row)
    begin(w, now, ordinal, attempt, first, came, service, judged, pending_s, replica, True)
    close_breach(w)


@inner()
def deadline_of(w, head):  # type: ignore[no-untyped-def]
    """When the first in a line gives up; who came later has no earlier deadline. [s]"""
    return _INF if w.integers[head] == m.NOBODY else w.tries[w.integers[head], m.T_DEADLINE]


@inner()
def _leave(w, now):  # type: ignore[no-untyped-def]
    """One of those whose deadline has come gives up: held, in the line, then bound to a replica."""
    leaves_queue(w, now)
    if deadline_of(w, m.HELD_HEAD) <= now:
        w.integers[m.HELD] -= 1
        row = take_head(w, m.HELD_HEAD)
    elif deadline_of(w, m.LINE_HEAD) <= now:
        row = take_head(w, m.LINE_HEAD)
    else:
        row = take_first(w, m.A_LEAVE)
        replica = w.tries_id[row, m.I_REPLICA]
        w.load[replica, m.L_WAITING] -= 1
        w.load[replica, m.L_OUTSTANDING] -= 1
    give_up(w, row, now)
    close_breach(w)


@inner(types.void(m.MEMORY_TYPE, _ORDINAL, _SECONDS))
def step(w, kind, now):  # type: ignore[no-untyped-def]
    """One event of requests that are here already."""
    if kind == e.START:
        _start(w, now)
    elif kind == e.TIMEOUT:
        _leave(w, now)
    elif kind == e.RETRY:
        w.integers[m.COMEBACKS] += 1
        _again(w, now, take_first(w, m.A_RETRY), now)
    else:
        leaves_queue(w, now)
        w.integers[m.HELD] -= 1
        row = take_head(w, m.HELD_HEAD)
        _again(w, now, row, w.tries[row, m.T_CAME])
        close_breach(w)


@inner()
def next_start(w):  # type: ignore[no-untyped-def]
    """When the next request that waits for a slot starts. [s]"""
    if w.integers[m.ROUTER] != m.CENTRAL:
        return next_on(w, m.A_START)
    waits = w.integers[m.LINE_HEAD] != m.NOBODY and w.integers[m.HEAP] > 0
    return w.times[0] if waits else _INF


@inner()
def next_leave(w):  # type: ignore[no-untyped-def]
    """When the next request gives up waiting. [s]"""
    in_line = min(deadline_of(w, m.HELD_HEAD), deadline_of(w, m.LINE_HEAD))
    return min(in_line, next_on(w, m.A_LEAVE), w.floats[m.NEXT_LEAVE])


@inner()
def next_release(w):  # type: ignore[no-untyped-def]
    """When the next held request can be sent on: a replica is there, or seems to be. [s]"""
    if w.integers[m.HELD] == 0:
        return _INF
    if w.integers[m.READY] > 0:
        return w.floats[m.NOW]
    if w.floats[m.FALSE_READY] > 0.0:
        return max(w.floats[m.NOW], w.floats[m.NEXT_READY] - w.floats[m.FALSE_READY])
    return _INF


@inner()
def next_retry(w):  # type: ignore[no-untyped-def]
    """When the next request comes back. [s]"""
    return next_on(w, m.A_RETRY)


@inner()
def lose_one(w, now):  # type: ignore[no-untyped-def]
    """One of those that nothing will ever serve is lost."""
    leaves_queue(w, now)
    if w.integers[m.HELD] > 0:
        w.integers[m.HELD] -= 1
        row = take_head(w, m.HELD_HEAD)
    else:
        row = take_head(w, m.LINE_HEAD)
    lose(w, row, now)
    close_breach(w)


@inner()
def last_came(w):  # type: ignore[no-untyped-def]
    """When the first of those that wait for any replica came; infinite if all are bound. [s]"""
    if w.integers[m.HELD] > 0:
        return w.tries[w.integers[m.HELD_HEAD], m.T_CAME]
    if w.integers[m.LINE_HEAD] != m.NOBODY:
        return w.tries[w.integers[m.LINE_HEAD], m.T_CAME]
    return _INF


@inner(inline="always")
def _nothing_in_the_way(w):  # type: ignore[no-untyped-def]
    """Whether an arrival that finds a free slot of the one queue starts, whatever is set."""
    return (
        w.integers[m.ROUTER] == m.CENTRAL
        and w.integers[m.QUEUED] == 0
        and w.integers[m.READY] > 0
        and (w.floats[m.FALSE_READY] == 0.0 or w.integers[m.PENDING] == 0)
        and w.integers[m.HOOKS] & DEPARTURE == 0
        and w.integers[m.LOGGING] == 0
    )


@inner(
    types.int64(
        m.MEMORY_TYPE,
        m.CHUNK_TYPE,
        m.CHUNK_TYPE,
        m.CHUNK_TYPE,
        _ORDINAL,
        _ORDINAL,
        _ORDINAL,
        _SECONDS,
    )
)
def attend(w, arrival_s, service_s, judged_s, i, n, first, due):  # type: ignore[no-untyped-def]
    """As `quiet`: requests ``i .. n - 1`` as far as they come before `due`; where to go on from."""
    while i < n and attempts_fit(w):
        retry = next_retry(w)
        if _nothing_in_the_way(w):
            i = brisk(
                arrival_s,
                service_s,
                judged_s,
                i,
                n,
                first,
                min(due, retry),
                w.times,
                w.owners,
                w.latency,
                w.first,
                w.integers,
                w.floats,
                w.record_s,
                w.record,
            )
            if i == n:
                break
        arrival = arrival_s[i]
        kind, now = e.ARRIVAL, arrival
        if retry <= now:
            kind, now = e.RETRY, retry
        if w.integers[m.QUEUED] > 0:
            leave = next_leave(w)
            if leave <= now:
                kind, now = e.TIMEOUT, leave
            release = next_release(w)
            if release <= now:
                kind, now = e.RELEASE, release
            starts = next_start(w)
            if starts <= now:
                kind, now = e.START, starts
        if now > due or (now == due and kind != e.START):
            break
        if kind == e.ARRIVAL:
            arrive(w, arrival, first + i, service_s[i], judged_s[i])
            i += 1
        else:
            step(w, kind, now)
    return i
