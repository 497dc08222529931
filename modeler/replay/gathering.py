"""Dynamic batching: a replica that is free takes what waits, or waits for more to come.

A batch starts once as many wait as it takes at most, or when the first of them has waited for the
longest delay; its requests end together. Under the central router the longest ready of the free
replicas gathers for all.
"""

from __future__ import annotations

from modeler.compiled import inner
from modeler.replay import batch_layout as b
from modeler.replay import layout as m
from modeler.replay.attempts import append, close_breach, leaves_queue
from modeler.replay.fleet import mark_queue_change
from modeler.replay.seats import finish, first_deadline, join_line

_INF = m.INF


@inner()
def _is_central(w, s):  # type: ignore[no-untyped-def]
    return w.integers[m.ROUTER] == m.CENTRAL and w.batch.seats[s, b.S_DRAINING] == 0.0


@inner()
def _first_waiting(w, s):  # type: ignore[no-untyped-def]
    """Row of the first that a replica may take; NOBODY for none."""
    if _is_central(w, s):
        return w.integers[m.LINE_HEAD]
    return int(w.batch.seats[s, b.S_LINE_HEAD])


@inner()
def _start(w, s, now):  # type: ignore[no-untyped-def]
    """A replica takes the first of those that wait, and works on them."""
    seat = w.batch.seats[s]
    replica = int(seat[b.S_REPLICA])
    taken = 0
    while taken < w.integers[m.SLOTS]:
        row = _first_waiting(w, s)
        if row == m.NOBODY:
            break
        after = w.tries_id[row, m.I_NEXT]
        if _is_central(w, s):
            w.integers[m.LINE_HEAD] = after
            w.load[replica, m.L_OUTSTANDING] += 1
        else:
            seat[b.S_LINE_HEAD] = after
            if after == m.NOBODY:
                seat[b.S_LINE_TAIL] = m.NOBODY
            w.load[replica, m.L_WAITING] -= 1
        w.tries[row, b.R_START] = now
        w.integers[m.IN_SERVICE] += 1
        w.floats[m.START_SUM] += now
        leaves_queue(w, now)
        w.batch.members[s, taken] = row
        taken += 1
    seat[b.S_LEAVE] = first_deadline(w, s)
    seat[b.S_RUNNING] = float(taken)
    seat[b.S_SINCE] = now
    seat[b.S_NEXT] = now + w.batch.law[taken]
    close_breach(w)


@inner()
def _consider(w, s, now):  # type: ignore[no-untyped-def]
    """Whether a free replica starts now; otherwise until when it gathers."""
    row = _first_waiting(w, s)
    seat = w.batch.seats[s]
    seat[b.S_NEXT] = _INF
    if row == m.NOBODY:
        return False
    waiting = w.integers[m.QUEUED] - w.integers[m.HELD]
    if not _is_central(w, s):
        waiting = w.load[int(seat[b.S_REPLICA]), m.L_WAITING]
    until = w.tries[row, b.R_FILLED] + w.batch.law[b.G_DELAY]
    if waiting >= w.integers[m.SLOTS] or until <= now:
        _start(w, s, now)
        return True
    seat[b.S_NEXT] = until
    return False


@inner()
def free_seat(w):  # type: ignore[no-untyped-def]
    """Seat of the longest ready replica that is free; -1 for none."""
    for k in range(w.integers[m.READY]):
        s = w.load[w.live[k], m.L_SEAT]
        if w.batch.seats[s, b.S_RUNNING] == 0.0:
            return s
    return -1


@inner()
def reconsider(w, now):  # type: ignore[no-untyped-def]
    """The line before all replicas, or who is free, has changed: the first free one gathers."""
    for k in range(w.integers[m.READY]):
        s = w.load[w.live[k], m.L_SEAT]
        if w.batch.seats[s, b.S_RUNNING] == 0.0:
            w.batch.seats[s, b.S_NEXT] = _INF
    while True:
        s = free_seat(w)
        if s < 0 or not _consider(w, s, now):
            return


@inner()
def look_again(w, s, now):  # type: ignore[no-untyped-def]
    """What a replica may take has changed."""
    if w.integers[m.ROUTER] == m.CENTRAL:
        reconsider(w, now)
    elif w.batch.seats[s, b.S_RUNNING] == 0.0:
        _consider(w, s, now)


@inner()
def has_place(w, s):  # type: ignore[no-untyped-def]
    """Whether a replica is free, and what comes waits for others alone."""
    return w.batch.seats[s, b.S_RUNNING] == 0.0


@inner()
def gather(w, s, row, now, free):  # type: ignore[no-untyped-def]
    """A request waits; where a replica is free it waits for others alone, which is no breach."""
    mark_queue_change(w, now)
    if not free and w.integers[m.BREACH] == 0:
        w.integers[m.BREACH] = 1
        w.floats[m.BREACH_OPEN] = now
    w.integers[m.QUEUED] += 1
    w.tries[row, b.R_FILLED] = now
    if w.integers[m.ROUTER] == m.CENTRAL:
        append(w, m.LINE_HEAD, row)
    else:
        replica = int(w.batch.seats[s, b.S_REPLICA])
        w.tries_id[row, m.I_REPLICA] = replica
        w.load[replica, m.L_WAITING] += 1
        w.load[replica, m.L_OUTSTANDING] += 1
        join_line(w, s, row)
    if free:
        look_again(w, s, now)
    # After: a request that fills a batch on arrival, as any in batches of one, has not waited.
    w.integers[m.PEAK_QUEUE] = max(w.integers[m.PEAK_QUEUE], w.integers[m.QUEUED])


@inner()
def end_batch(w, s, now):  # type: ignore[no-untyped-def]
    """A batch ends, or a free replica has gathered long enough."""
    seat = w.batch.seats[s]
    running = int(seat[b.S_RUNNING])
    if running > 0:
        w.floats[m.STEPPING] += now - seat[b.S_SINCE]
        if seat[b.S_DRAINING] != 0.0:
            out = w.replicas[int(seat[b.S_REPLICA]), m.DRAIN_S]
            w.floats[m.STEPPING_DRAINING] += now - max(seat[b.S_SINCE], out)
        for k in range(running):
            row = w.batch.members[s, k]
            w.tries[row, b.R_TOKEN] = now
            finish(w, s, row, now)
        seat[b.S_RUNNING] = 0.0
        seat[b.S_NEXT] = _INF
    if seat[b.S_DRAINING] != 0.0:
        _consider(w, s, now)
    else:
        look_again(w, s, now)
