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
    give_up,
    joins_queue,
    leaves_queue,
    next_on,
    plan,
    take_first,
    take_head,
)
from modeler.replay.brisk import brisk
from modeler.replay.fleet import pending_seconds
from modeler.replay.heap import replace_root, sift_block
from modeler.replay.ways import (
    ATTEMPT,
    attempt_of,
    comes_again,
    deadline_of,
    next_leave,
    next_release,
    next_retry,
    sent_to,
    takes_row,
    turned_away,
    unbind,
)

_INF = m.INF
_ORDINAL, _SECONDS = types.int64, types.float64


@inner(types.void(m.MEMORY_TYPE, *ATTEMPT, types.boolean))
def _place(w, now, ordinal, attempt, first, came, service, judged, pending_s, waited):  # type: ignore[no-untyped-def]
    """Send one attempt on its way: served, waiting, held or refused."""
    place = sent_to(w, now, ordinal, attempt, first, came, service, judged, pending_s)
    if place < 0:
        return
    central = w.integers[m.ROUTER] == m.CENTRAL
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
    if turned_away(w, now, ordinal, attempt, first, came, service, judged, pending_s, waiting):
        return
    row = takes_row(w, now, ordinal, attempt, first, came, service, judged, pending_s)
    joins_queue(w, now)
    if central:
        append(w, m.LINE_HEAD, row)
        return
    w.tries_id[row, m.I_REPLICA] = replica
    w.load[replica, m.L_WAITING] += 1
    w.load[replica, m.L_OUTSTANDING] += 1
    deadline = w.tries[row, m.T_DEADLINE]
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
    ordinal, attempt, first, came, service, judged, pending_s = attempt_of(w, row)
    begin(w, now, ordinal, attempt, first, came, service, judged, pending_s, replica, True)
    close_breach(w)


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
        unbind(w, row)
    give_up(w, row, now)
    close_breach(w)


@inner(types.void(m.MEMORY_TYPE, _ORDINAL, _SECONDS))
def step(w, kind, now):  # type: ignore[no-untyped-def]
    """One event of requests that are here already."""
    if kind == e.START:
        _start(w, now)
    elif kind == e.TIMEOUT:
        _leave(w, now)
    else:
        ordinal, attempt, first, came, service, judged, pending_s = comes_again(w, kind, now)
        _place(w, now, ordinal, attempt, first, came, service, judged, pending_s, True)
        if kind == e.RELEASE:
            close_breach(w)


@inner()
def next_start(w):  # type: ignore[no-untyped-def]
    """When the next request that waits for a slot starts. [s]"""
    if w.integers[m.ROUTER] != m.CENTRAL:
        return next_on(w, m.A_START)
    waits = w.integers[m.LINE_HEAD] != m.NOBODY and w.integers[m.HEAP] > 0
    return w.times[0] if waits else _INF


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
