"""The ways of an attempt that do not depend on what serves it.

Where the router sends it, when it is refused or held, how long it may wait, who gives up first and
who comes again: `routed` and `batched` share these, and differ in what a free place is.
"""

from __future__ import annotations

from numba import types

from modeler.compiled import inner
from modeler.replay import events as e
from modeler.replay import layout as m
from modeler.replay.attempts import (
    append,
    close_breach,
    free_row,
    joins_queue,
    leaves_queue,
    lose,
    next_on,
    refuse,
    route_draw,
    take_first,
    take_head,
    take_row,
)
from modeler.replay.heap import pop

_INF = m.INF
# Compiled once each, whatever the types of a call's constants.
_ORDINAL, _SECONDS = types.int64, types.float64
ATTEMPT = (_SECONDS, _ORDINAL, _ORDINAL, *(_SECONDS,) * 5)


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


@inner(types.void(m.MEMORY_TYPE, *ATTEMPT))
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


@inner(types.int64(m.MEMORY_TYPE, *ATTEMPT))
def sent_to(w, now, ordinal, attempt, first, came, service, judged, pending_s):  # type: ignore[no-untyped-def]
    """Place in `live` that the router sends an attempt to, 0 with one line before all replicas.

    Negative where that was its end, or it is held: no replica was there, or one without its model.
    """
    ready = w.integers[m.READY]
    seen = ready + false_ready(w, now)
    central = w.integers[m.ROUTER] == m.CENTRAL
    queues = central and w.integers[m.FROM_ZERO] == m.QUEUE_FROM_ZERO
    if seen == 0 and not queues:
        from_zero(w, now, ordinal, attempt, first, came, service, judged, pending_s)
        return -1
    place = 0
    if not central:
        place = choose(w, now, ordinal, attempt, seen)
    elif seen > ready and route_draw(w, ordinal, attempt) * seen < seen - ready:
        place = ready
    if seen > ready and place >= ready:
        # Its health is green and its model is not loaded.
        refuse(w, now, ordinal, attempt, first, service, judged, pending_s, m.COLD_START)
        return -1
    return place


@inner(types.boolean(m.MEMORY_TYPE, *ATTEMPT, types.int64))
def turned_away(w, now, ordinal, attempt, first, came, service, judged, pending_s, waiting):  # type: ignore[no-untyped-def]
    """Whether a line in which so many wait takes no more; then the attempt is refused."""
    if waiting < w.integers[m.LIMIT]:
        return False
    if w.integers[m.QUEUED] == 0 and w.integers[m.BREACH] == 0:
        w.integers[m.SELF_CLEARED] += 1  # opened and closed at once: nothing may wait
    refuse(w, now, ordinal, attempt, first, service, judged, pending_s, m.QUEUE_LIMIT)
    return True


@inner(types.int64(m.MEMORY_TYPE, *ATTEMPT))
def takes_row(w, now, ordinal, attempt, first, came, service, judged, pending_s):  # type: ignore[no-untyped-def]
    """Row of an attempt that may wait as long as queue and client have patience."""
    deadline = min(now + w.floats[m.QUEUE_TIMEOUT], came + w.floats[m.CLIENT_TIMEOUT])
    return take_row(w, ordinal, attempt, first, came, deadline, service, judged, pending_s)


@inner()
def attempt_of(w, row):  # type: ignore[no-untyped-def]
    """What a row holds of its attempt, as `_place` takes it; the row is free."""
    t = w.tries[row]
    ordinal, attempt = w.tries_id[row, m.I_ORDINAL], w.tries_id[row, m.I_ATTEMPT]
    first, came, service, judged, pending_s = (
        t[m.T_FIRST], t[m.T_CAME], t[m.T_SERVICE], t[m.T_JUDGED], t[m.T_PENDING_SECONDS]
    )  # fmt: skip
    free_row(w, row)
    return ordinal, attempt, first, came, service, judged, pending_s


@inner()
def comes_again(w, kind, now):  # type: ignore[no-untyped-def]
    """The attempt that looks for a place now: one that comes back, or one that was held."""
    if kind == e.RETRY:
        w.integers[m.COMEBACKS] += 1
        row = take_first(w, m.A_RETRY)
        w.tries[row, m.T_CAME] = now
    else:
        leaves_queue(w, now)
        w.integers[m.HELD] -= 1
        row = take_head(w, m.HELD_HEAD)
    return attempt_of(w, row)


@inner()
def unbind(w, row):  # type: ignore[no-untyped-def]
    """Take an attempt off the counts of the replica it waits at."""
    replica = w.tries_id[row, m.I_REPLICA]
    w.load[replica, m.L_WAITING] -= 1
    w.load[replica, m.L_OUTSTANDING] -= 1


@inner()
def deadline_of(w, head):  # type: ignore[no-untyped-def]
    """When the first in a line gives up; who came later has no earlier deadline. [s]"""
    return _INF if w.integers[head] == m.NOBODY else w.tries[w.integers[head], m.T_DEADLINE]


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
