"""Requests lost in service: a short log of what has started, and how a start is undone.

The loop counts a request when its service starts. Where a machine can be taken away before the
service ends, each start is logged as well, and a start that was cut short is taken out of every
counter, histogram and record again. Finished services leave the log when it is half full.
"""

from __future__ import annotations

from modeler.compiled import inner, kernel
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.histogram import bucket_of

_INF = m.INF


@kernel(inline="always")
def keep(row, start, replica, ordinal, came, service, judged, cause, waited, client_s):  # type: ignore[no-untyped-def]
    """Write one start into the log.

    `client_s` is when its client goes, for a request that is timed out; infinite for a served one.
    """
    row[g.L_END] = start + service
    row[g.L_START] = start
    row[g.L_REPLICA] = replica
    row[g.L_ORDINAL] = ordinal
    row[g.L_CAME] = came
    row[g.L_SERVICE] = service
    row[g.L_JUDGED] = judged
    row[g.L_CAUSE] = cause
    row[g.L_WAITED] = waited
    row[g.L_CLIENT] = client_s


@inner()
def _drop(w, k):  # type: ignore[no-untyped-def]
    """Take one entry out of the log; the last takes its place."""
    last = w.integers[m.LOGGED] - 1
    for column in range(g.LOG_COLUMNS):
        w.ground.log[k, column] = w.ground.log[last, column]
    w.integers[m.LOGGED] = last


@inner()
def settle(w, now):  # type: ignore[no-untyped-def]
    """Let services that have finished by now leave the log; their work is their replica's."""
    k = 0
    while k < w.integers[m.LOGGED]:
        row = w.ground.log[k]
        if row[g.L_END] <= now:
            w.ground.placed[int(row[g.L_REPLICA]), g.P_BUSY] += row[g.L_SERVICE]
            _drop(w, k)
        else:
            k += 1


@inner()
def room_in_log(w, arrived_s):  # type: ignore[no-untyped-def]
    """Whether half of the log is free, once what has finished has left it.

    ``arrived_s`` is the last arrival taken: nothing can be lost before it any more. [s]
    """
    half = len(w.ground.log) // 2
    if w.integers[m.LOGGED] > half:
        settle(w, max(arrived_s, w.floats[m.NOW]))
    return w.integers[m.LOGGED] <= half


@inner()
def _cut_departure(w, end, now):  # type: ignore[no-untyped-def]
    """The departure that was to come at `end` comes now."""
    leaving = w.integers[m.DEPARTURES]
    for k in range(leaving):
        if w.departures[k] == end:
            # Up to the root, then in again: a heap of times alone.
            hole = k
            while hole > 0:
                w.departures[hole] = w.departures[(hole - 1) >> 1]
                hole = (hole - 1) >> 1
            w.departures[0] = now
            return


@inner()
def _cut_drained(w, end):  # type: ignore[no-untyped-def]
    for k in range(w.integers[m.DRAINED]):
        if w.drained[k] == end:
            w.integers[m.DRAINED] -= 1
            w.drained[k] = w.drained[w.integers[m.DRAINED]]
            return


@inner()
def _undo(w, row, now):  # type: ignore[no-untyped-def]
    """Take a service that is cut short now out of all that was counted at its start."""
    end = row[g.L_END]
    start = row[g.L_START]
    came = row[g.L_CAME]
    replica = int(row[g.L_REPLICA])
    w.floats[m.BUSY] -= end - now
    w.ground.placed[replica, g.P_BUSY] += now - start
    if w.replicas[replica, m.DRAIN_S] < _INF:
        w.floats[m.BUSY_DRAINING] -= end - now
        w.ground.placed[replica, g.P_BUSY_DRAINING] -= end - now
        _cut_drained(w, end)
    if w.integers[m.DEPARTURES] > 0:
        _cut_departure(w, end, now)
    if row[g.L_CLIENT] < _INF:
        w.floats[m.UNSERVED] -= end - now
        if row[g.L_CLIENT] < now:
            return  # its client had gone before
        w.integers[m.TIMED_OUT_N] -= 1
    else:
        w.floats[m.UNSERVED] += now - start
        wait = start - came
        if row[g.L_WAITED] != 0.0:
            w.wait[bucket_of(wait)] -= 1
            w.latency[bucket_of(end - came)] -= 1
            w.floats[m.WAIT_SUM] -= wait
        else:
            w.latency[bucket_of(row[g.L_SERVICE])] -= 1
        if w.integers[m.FIRST_WANTED] != 0:
            w.first[bucket_of(wait + row[g.L_JUDGED])] -= 1
    cause = int(row[g.L_CAUSE])
    if cause != m.KEPT:
        w.integers[m.CAUSE_N + cause] -= 1
    w.integers[m.CAUSE_N + m.LOST_CAPACITY] += 1
    w.integers[m.LOST_N] += 1
    w.integers[m.LOST_STARTED] += 1
    if w.integers[m.RECORD] != 0:
        ordinal = int(row[g.L_ORDINAL])
        w.record_s[ordinal, 1] = now
        w.record[ordinal, 0] = m.LOST
        w.record[ordinal, 1] = m.LOST_CAPACITY


@inner()
def note_draining(w, replica, now):  # type: ignore[no-untyped-def]
    """Keep apart what a replica that is taken out of service now has yet to finish."""
    for k in range(w.integers[m.LOGGED]):
        row = w.ground.log[k]
        if row[g.L_REPLICA] == replica and row[g.L_END] > now:
            w.ground.placed[replica, g.P_BUSY_DRAINING] += row[g.L_END] - now


@inner()
def lose_services(w, node, now):  # type: ignore[no-untyped-def]
    """Lose what is in service on a machine that goes now, draining replicas included."""
    k = 0
    while k < w.integers[m.LOGGED]:
        row = w.ground.log[k]
        replica = int(row[g.L_REPLICA])
        if row[g.L_END] > now and w.ground.placed[replica, g.P_NODE] == node:
            _undo(w, row, now)
            w.replicas[replica, m.STOP_S] = now
            _drop(w, k)
        else:
            k += 1
