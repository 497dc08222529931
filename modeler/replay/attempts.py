"""Attempts that are not served on arrival: where they wait, how they end, when they come back.

An attempt that waits or will come back has a row in one table. Rows hang in a line (requests held
from zero; the central queue) or on an agenda, a heap of instants (starts and give-ups that are
known at the arrival; retries). Of equal instants the request that came first has the first turn.
"""

from __future__ import annotations

import numpy as np
from numba import types

from modeler.autoscale.observation import DEPARTURE
from modeler.compiled import inner
from modeler.replay import layout as m
from modeler.replay.batch_layout import DYNAMIC
from modeler.replay.fleet import mark_queue_change, pending_seconds
from modeler.replay.heap import push
from modeler.replay.histogram import bucket_of
from modeler.replay.losses import keep
from modeler.replay.quiet import cause_of_wait, note
from modeler.replay.steps import alone_s

_ROUTE, _PAUSE = 0, 1
_ORDINAL, _SECONDS = types.int64, types.float64

_INF = m.INF


@inner()
def _mix(z):  # type: ignore[no-untyped-def]
    """The finaliser of SplitMix64, as `traces.draws.mix` has it for arrays."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@inner()
def _uniform(key, ordinal, attempt, use):  # type: ignore[no-untyped-def]
    """A uniform draw in (0, 1) that depends on the request, its attempt and the use made of it."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    word = _mix(np.uint64(key) + np.uint64(ordinal + 1) * golden)
    word = _mix(word + np.uint64(2 * attempt + use + 1) * golden)
    # The last of the 2^53 steps rounds up to 1.0.
    return min((np.float64(word >> np.uint64(11)) + 0.5) * 2.0**-53, 1.0 - 2.0**-53)


@inner()
def route_draw(w, ordinal, attempt):  # type: ignore[no-untyped-def]
    """The router's draw for one attempt."""
    return _uniform(w.integers[m.KEY], ordinal, attempt, _ROUTE)


@inner()
def attempts_fit(w):  # type: ignore[no-untyped-def]
    """Whether one more attempt can wait or come back, and one more service be counted."""
    free = w.integers[m.FREE] != m.NOBODY or w.integers[m.TRIES] < len(w.tries)
    logs = w.integers[m.LOGGING] == 0 or w.integers[m.LOGGED] < len(w.ground.log)
    return free and logs and w.integers[m.ENDS] < len(w.end_s)


@inner()
def take_row(w, ordinal, attempt, first, came, deadline, service, judged, pending_s):  # type: ignore[no-untyped-def]
    """Give an attempt a row."""
    row = w.integers[m.FREE]
    if row == m.NOBODY:
        row = w.integers[m.TRIES]
        w.integers[m.TRIES] = row + 1
    else:
        w.integers[m.FREE] = w.tries_id[row, m.I_NEXT]
    w.tries[row, m.T_FIRST] = first
    w.tries[row, m.T_CAME] = came
    w.tries[row, m.T_DEADLINE] = deadline
    w.tries[row, m.T_SERVICE] = service
    w.tries[row, m.T_JUDGED] = judged
    w.tries[row, m.T_PENDING_SECONDS] = pending_s
    w.tries_id[row, m.I_ORDINAL] = ordinal
    w.tries_id[row, m.I_ATTEMPT] = attempt
    w.tries_id[row, m.I_REPLICA] = m.NOBODY
    w.tries_id[row, m.I_NEXT] = m.NOBODY
    return row


@inner()
def free_row(w, row):  # type: ignore[no-untyped-def]
    """Give a row back; what it holds stays readable until the next is taken."""
    w.tries_id[row, m.I_NEXT] = w.integers[m.FREE]
    w.integers[m.FREE] = row


@inner()
def append(w, head, row):  # type: ignore[no-untyped-def]
    """Put a row at the end of the line whose head and tail stand at `head` and behind it."""
    if w.integers[head] == m.NOBODY:
        w.integers[head] = row
    else:
        w.tries_id[w.integers[head + 1], m.I_NEXT] = row
    w.integers[head + 1] = row


@inner()
def take_head(w, head):  # type: ignore[no-untyped-def]
    """Take the first row out of a line."""
    row = w.integers[head]
    w.integers[head] = w.tries_id[row, m.I_NEXT]
    return row


@inner()
def _before(w, a_s, a, b_s, b):  # type: ignore[no-untyped-def]
    """Whether row a's turn comes before row b's."""
    if a_s == b_s:
        return w.tries_id[a, m.I_ORDINAL] < w.tries_id[b, m.I_ORDINAL]
    return a_s < b_s


@inner()
def plan(w, kind, at, row):  # type: ignore[no-untyped-def]
    """Put a row on an agenda."""
    hole = w.integers[m.AGENDA_N + kind]
    w.integers[m.AGENDA_N + kind] = hole + 1
    while hole > 0:
        parent = (hole - 1) >> 1
        if not _before(w, at, row, w.agenda_s[parent, kind], w.agenda_row[parent, kind]):
            break
        w.agenda_s[hole, kind] = w.agenda_s[parent, kind]
        w.agenda_row[hole, kind] = w.agenda_row[parent, kind]
        hole = parent
    w.agenda_s[hole, kind] = at
    w.agenda_row[hole, kind] = row


@inner()
def next_on(w, kind):  # type: ignore[no-untyped-def]
    """The first instant on an agenda; infinite when it is empty. [s]"""
    return w.agenda_s[0, kind] if w.integers[m.AGENDA_N + kind] > 0 else m.INF


@inner()
def take_first(w, kind):  # type: ignore[no-untyped-def]
    """Take the row of the first instant off an agenda."""
    first = w.agenda_row[0, kind]
    size = w.integers[m.AGENDA_N + kind] - 1
    w.integers[m.AGENDA_N + kind] = size
    at, row = w.agenda_s[size, kind], w.agenda_row[size, kind]
    hole = 0
    child = 1
    while child < size:
        right = child + 1
        at_child, row_child = w.agenda_s[child, kind], w.agenda_row[child, kind]
        if right < size and _before(
            w, w.agenda_s[right, kind], w.agenda_row[right, kind], at_child, row_child
        ):
            child = right
            at_child, row_child = w.agenda_s[child, kind], w.agenda_row[child, kind]
        if not _before(w, at_child, row_child, at, row):
            break
        w.agenda_s[hole, kind] = at_child
        w.agenda_row[hole, kind] = row_child
        hole = child
        child = 2 * hole + 1
    w.agenda_s[hole, kind] = at
    w.agenda_row[hole, kind] = row
    return first


@inner()
def joins_queue(w, now):  # type: ignore[no-untyped-def]
    """One more request waits; with nobody else waiting, a breach opens."""
    mark_queue_change(w, now)
    if w.integers[m.QUEUED] == 0 and w.integers[m.BREACH] == 0:
        w.integers[m.BREACH] = 1
        w.floats[m.BREACH_OPEN] = now
    w.integers[m.QUEUED] += 1
    w.integers[m.PEAK_QUEUE] = max(w.integers[m.PEAK_QUEUE], w.integers[m.QUEUED])


@inner()
def leaves_queue(w, now):  # type: ignore[no-untyped-def]
    """One request waits no longer."""
    mark_queue_change(w, now)
    w.integers[m.QUEUED] -= 1


@inner()
def close_breach(w):  # type: ignore[no-untyped-def]
    """Close the breach if nobody waits."""
    if w.integers[m.QUEUED] == 0:
        if w.integers[m.BREACH] == 1:
            w.integers[m.SELF_CLEARED] += 1
        w.integers[m.BREACH] = 0


@inner()
def pause_s(w, ordinal, attempt):  # type: ignore[no-untyped-def]
    """Back-off after an attempt that failed: growing, up to a most, with jitter if asked. [s]"""
    pause = w.floats[m.RETRY_BASE]
    for _ in range(attempt):
        pause = min(pause * w.floats[m.RETRY_FACTOR], w.floats[m.RETRY_MAX])
    pause = min(pause, w.floats[m.RETRY_MAX])
    if w.floats[m.RETRY_JITTER] != 0.0:
        pause *= _uniform(w.integers[m.KEY], ordinal, attempt, _PAUSE)
    return pause


@inner(types.void(m.MEMORY_TYPE, _SECONDS, _ORDINAL, _ORDINAL, *(_SECONDS,) * 4))
def _comes_back(w, at, ordinal, attempt, first, service, judged, pending_s):  # type: ignore[no-untyped-def]
    """Plan the next attempt of a request whose last one failed at `at`."""
    row = take_row(w, ordinal, attempt + 1, first, at, m.INF, service, judged, pending_s)
    plan(w, m.A_RETRY, at + pause_s(w, ordinal, attempt), row)


@inner()
def _service_breaks(w, service, judged):  # type: ignore[no-untyped-def]
    """Whether the service alone misses the level or the client's time-out."""
    if w.integers[m.BATCHED] == DYNAMIC:
        service = judged = w.batch.law[1]
    elif w.integers[m.BATCHED] != 0:
        first, service = alone_s(w.batch.law, service, judged)
        judged = first if w.integers[m.FIRST_JUDGED] != 0 else service
    return judged > w.floats[m.THRESHOLD] or service > w.floats[m.CLIENT_TIMEOUT]


@inner()
def end_of(w, ordinal, start, end, outcome, cause, replica):  # type: ignore[no-untyped-def]
    """Count the cause of a request that has ended, and keep its record."""
    if cause != m.KEPT:
        w.integers[m.CAUSE_N + cause] += 1
    if w.integers[m.RECORD] != 0:
        note(w.record_s, w.record, ordinal, start, end, outcome, cause, replica)


@inner(types.void(m.MEMORY_TYPE, _SECONDS, _ORDINAL, _ORDINAL, *(_SECONDS,) * 4, _ORDINAL))
def refuse(w, now, ordinal, attempt, first, service, judged, pending_s, cause):  # type: ignore[no-untyped-def]
    """An attempt is refused at once, for `cause` unless the service alone is one."""
    if attempt < w.integers[m.RETRIES]:
        w.integers[m.REFUSED_AGAIN] += 1
        _comes_back(w, now, ordinal, attempt, first, service, judged, pending_s)
        return
    w.integers[m.REJECTED_N] += 1
    if _service_breaks(w, service, judged):
        cause = m.SERVICE_TIME
    end_of(w, ordinal, m.INF, now, m.REJECTED, cause, -1)


@inner()
def cause_of_late(w, first, until, service, judged, overlap):  # type: ignore[no-untyped-def]
    """Why a request that came at `first` was not there by `until`.

    `overlap` is how long replicas were pending in between. [s]
    """
    if _service_breaks(w, service, judged):
        return m.SERVICE_TIME
    return cause_of_wait(w.floats[m.AT_MAX_SINCE], first, until - first, overlap)


@inner()
def _cause(w, now, first, service, judged, pending_s):  # type: ignore[no-untyped-def]
    """Why a request that came at `first` and starts or gives up now is late."""
    return cause_of_late(w, first, now, service, judged, pending_seconds(w, now) - pending_s)


@inner()
def give_up(w, row, now):  # type: ignore[no-untyped-def]
    """The attempt of a row has waited too long; whoever's patience ended first decides."""
    t = w.tries[row]
    ordinal, attempt = w.tries_id[row, m.I_ORDINAL], w.tries_id[row, m.I_ATTEMPT]
    first, service, judged, pending_s = (
        t[m.T_FIRST], t[m.T_SERVICE], t[m.T_JUDGED], t[m.T_PENDING_SECONDS]
    )  # fmt: skip
    by_client = t[m.T_CAME] + w.floats[m.CLIENT_TIMEOUT] <= now
    free_row(w, row)
    again = not by_client or w.floats[m.RETRY_CLIENT] != 0.0
    if again and attempt < w.integers[m.RETRIES]:
        _comes_back(w, now, ordinal, attempt, first, service, judged, pending_s)
        return
    w.integers[m.TIMED_OUT_N] += 1
    cause = _cause(w, now, first, service, judged, pending_s)
    end_of(w, ordinal, m.INF, now, m.TIMED_OUT, cause, -1)


@inner()
def lose(w, row, now):  # type: ignore[no-untyped-def]
    """Nothing will ever serve the request of a row."""
    w.integers[m.LOST_N] += 1
    ordinal = w.tries_id[row, m.I_ORDINAL]
    free_row(w, row)
    end_of(w, ordinal, m.INF, now, m.LOST, m.LOST_CAPACITY, -1)


@inner()
def _log(w, now, replica, ordinal, first, service, judged, cause, waited, client_s):  # type: ignore[no-untyped-def]
    """Keep a start while machines can be taken away; a client that has gone has lost nothing."""
    if w.integers[m.LOGGING] != 0:
        row = w.ground.log[w.integers[m.LOGGED]]
        keep(row, now, replica, ordinal, first, service, judged, cause, waited, client_s)
        w.integers[m.LOGGED] += 1


@inner(
    types.void(
        m.MEMORY_TYPE, _SECONDS, _ORDINAL, _ORDINAL, *(_SECONDS,) * 5, _ORDINAL, types.boolean
    )
)
def begin(w, now, ordinal, attempt, first, came, service, judged, pending_s, replica, waited):  # type: ignore[no-untyped-def]
    """Service begins; its slot has been taken. With it the request's end is known."""
    end = now + service
    if w.integers[m.HOOKS] & DEPARTURE != 0:
        push(w.departures, w.departures, w.integers[m.DEPARTURES], end, end)
        w.integers[m.DEPARTURES] += 1
    if w.integers[m.ROUTER] == m.LEAST_OUTSTANDING:
        push(w.end_s, w.end_replica, w.integers[m.ENDS], end, replica)
        w.integers[m.ENDS] += 1
    client = w.floats[m.CLIENT_TIMEOUT]
    late = end - came > client if waited else service > client
    if late:
        w.floats[m.UNSERVED] += service
        if w.floats[m.RETRY_CLIENT] != 0.0 and attempt < w.integers[m.RETRIES]:
            _log(w, now, replica, ordinal, first, service, judged, m.KEPT, waited, -_INF)
            _comes_back(w, came + client, ordinal, attempt, first, service, judged, pending_s)
            return
    wait = 0.0
    latency = service
    if waited:
        wait = now - first
        latency = end - first
        w.integers[m.WAITED] += 1
        w.floats[m.WAIT_SUM_ALL] += wait
    cause = m.KEPT
    if late or wait + judged > w.floats[m.THRESHOLD]:
        cause = _cause(w, now, first, service, judged, pending_s)
    if late:
        w.integers[m.TIMED_OUT_N] += 1
        end_of(w, ordinal, now, came + client, m.TIMED_OUT, cause, replica)
        _log(w, now, replica, ordinal, first, service, judged, cause, waited, came + client)
        return
    w.latency[bucket_of(latency)] += 1
    if waited:
        w.wait[bucket_of(wait)] += 1
        w.floats[m.WAIT_SUM] += wait
    if w.integers[m.FIRST_WANTED] != 0:
        w.first[bucket_of(wait + judged)] += 1
    end_of(w, ordinal, now, end, m.SERVED, cause, replica)
    _log(w, now, replica, ordinal, first, service, judged, cause, waited, _INF)
