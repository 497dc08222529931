"""The loop's fast path: arrivals, waits and starts between two control events.

Nearly every request of a run passes through here, so the state of the queue and of the heap is held
in registers. It stops in front of the first arrival that shares its instant with, or comes after, a
control event or a time-out; `engine` handles that and comes back.
"""

from __future__ import annotations

from modeler.autoscale.observation import DEPARTURE
from modeler.compiled import kernel
from modeler.replay import layout as m
from modeler.replay.heap import push, replace_root
from modeler.replay.histogram import bucket_of
from modeler.replay.losses import keep


@kernel(inline="always")
def note(record_s, record, ordinal, start, end, outcome, cause, replica):  # type: ignore[no-untyped-def]
    """Keep one request\'s record."""
    record_s[ordinal, 0] = start
    record_s[ordinal, 1] = end
    record[ordinal, 0] = outcome
    record[ordinal, 1] = cause
    record[ordinal, 2] = replica


@kernel(inline="always")
def cause_of_wait(at_max_since, came, wait, overlap):  # type: ignore[no-untyped-def]
    """Why a request waited: no capacity allowed, capacity on its way, or none decided on.

    `overlap` is the part of the wait during which replicas were pending; a tie is a cold start.
    """
    if at_max_since <= came:
        return m.REPLICA_CAP
    return m.COLD_START if 2.0 * overlap >= wait else m.DECISION


@kernel(m.QUIET_SIGNATURE)
def quiet(  # type: ignore[no-untyped-def]
    arrival_s,
    service_s,
    judged_s,
    i,
    n,
    first,
    due,
    times,
    owners,
    ring,
    ring_id,
    departures,
    latency,
    waits,
    firsts,
    integers,
    floats,
    record_s,
    record,
    log,
):
    """Replay requests ``i .. n - 1`` as far as they come before `due`; where to go on from.

    Waiting requests start on slots that are free up to and including `due`, for a finish precedes
    every other event of its instant.
    """
    heap = integers[m.HEAP]
    recording = integers[m.RECORD] != 0
    first_wanted = integers[m.FIRST_WANTED] != 0
    limit = min(integers[m.LIMIT], len(ring_id))
    bounded = integers[m.LIMIT] <= len(ring_id)
    mask = len(ring_id) - 1
    threshold = floats[m.THRESHOLD]
    client = floats[m.CLIENT_TIMEOUT]
    patience = min(floats[m.QUEUE_TIMEOUT], client)
    at_max_since = floats[m.AT_MAX_SINCE]
    pending_base = floats[m.PENDING_SECONDS]
    pending_since = floats[m.PENDING_SINCE]
    pending = integers[m.PENDING] > 0
    head = integers[m.HEAD]
    queued = integers[m.QUEUED]
    peak = integers[m.PEAK_QUEUE]
    breach = integers[m.BREACH]
    queued_s = floats[m.QUEUED_SECONDS]
    queued_since = floats[m.QUEUED_SINCE]
    leaving = integers[m.DEPARTURES]
    watched = integers[m.HOOKS] & DEPARTURE != 0
    # Sums go on from where they stand, so that the last bits do not depend on where calls end.
    busy = floats[m.BUSY]
    wait_sum = floats[m.WAIT_SUM]
    wait_all = floats[m.WAIT_SUM_ALL]
    unserved = floats[m.UNSERVED]
    waited = 0
    logging = integers[m.LOGGING] != 0
    logged = integers[m.LOGGED]
    full = len(log) if logging else -1
    while i < n:
        if logged == full:
            break
        arrival = arrival_s[i]
        if queued > 0:
            free = times[0]
            deadline = ring[head, m.Q_ARRIVAL] + patience
            if free <= arrival and free <= due and free <= deadline:
                # The head of the queue starts on the slot that is free.
                queued_s += queued * (free - queued_since)
                queued_since = free
                came = ring[head, m.Q_ARRIVAL]
                service = ring[head, m.Q_SERVICE]
                judged = ring[head, m.Q_JUDGED]
                replica = owners[0]
                end = free + service
                replace_root(times, owners, heap, end, replica)
                if watched:
                    push(departures, departures, leaving, end, end)
                    leaving += 1
                busy += service
                wait = free - came
                waited += 1
                wait_all += wait
                outcome = m.SERVED
                cause = m.KEPT
                if end - came > client:
                    outcome = m.TIMED_OUT
                    end = came + client
                    integers[m.TIMED_OUT_N] += 1
                    unserved += service
                else:
                    waits[bucket_of(wait)] += 1
                    latency[bucket_of(end - came)] += 1
                    wait_sum += wait
                    if first_wanted:
                        firsts[bucket_of(wait + judged)] += 1
                if wait + judged > threshold or outcome != m.SERVED:
                    if judged > threshold or service > client:
                        cause = m.SERVICE_TIME
                    else:
                        overlap = pending_base - ring[head, m.Q_PENDING_SECONDS]
                        if pending:
                            overlap += free - pending_since
                        cause = cause_of_wait(at_max_since, came, wait, overlap)
                    integers[m.CAUSE_N + cause] += 1
                if recording:
                    note(record_s, record, ring_id[head], free, end, outcome, cause, replica)
                if logging:
                    gone = m.INF if outcome == m.SERVED else end
                    keep(
                        log[logged], free, replica, ring_id[head], came, service, judged, cause,
                        1.0, gone,
                    )  # fmt: skip
                    logged += 1
                head = (head + 1) & mask
                queued -= 1
                if queued == 0:
                    if breach == 1:
                        integers[m.SELF_CLEARED] += 1
                    breach = 0
                continue
            if arrival >= due or deadline <= arrival:
                break
        else:
            if arrival >= due:
                break
            if times[0] <= arrival:
                # A slot is free: the request starts at once.
                service = service_s[i]
                judged = judged_s[i]
                replica = owners[0]
                end = arrival + service
                replace_root(times, owners, heap, end, replica)
                if watched:
                    push(departures, departures, leaving, end, end)
                    leaving += 1
                busy += service
                outcome = m.SERVED
                cause = m.KEPT
                if judged > threshold or service > client:
                    cause = m.SERVICE_TIME
                    integers[m.CAUSE_N + cause] += 1
                if service > client:
                    outcome = m.TIMED_OUT
                    end = arrival + client
                    integers[m.TIMED_OUT_N] += 1
                    unserved += service
                else:
                    latency[bucket_of(service)] += 1
                    if first_wanted:
                        firsts[bucket_of(judged)] += 1
                if recording:
                    note(record_s, record, first + i, arrival, end, outcome, cause, replica)
                if logging:
                    gone = m.INF if outcome == m.SERVED else end
                    keep(
                        log[logged], arrival, replica, first + i, arrival, service, judged, cause,
                        0.0, gone,
                    )  # fmt: skip
                    logged += 1
                i += 1
                continue
        # No slot is free: the request waits or is refused.
        service = service_s[i]
        judged = judged_s[i]
        if queued >= limit:
            if not bounded:
                break  # the ring must grow first
            if queued == 0:
                integers[m.SELF_CLEARED] += 1  # opened and closed at once: nothing may wait
            integers[m.REJECTED_N] += 1
            cause = m.QUEUE_LIMIT
            if judged > threshold or service > client:
                cause = m.SERVICE_TIME
            integers[m.CAUSE_N + cause] += 1
            if recording:
                note(record_s, record, first + i, m.INF, arrival, m.REJECTED, cause, -1)
            i += 1
            continue
        queued_s += queued * (arrival - queued_since)
        queued_since = arrival
        if queued == 0:
            breach = 1
            floats[m.BREACH_OPEN] = arrival
        place = (head + queued) & mask
        ring[place, m.Q_ARRIVAL] = arrival
        ring[place, m.Q_SERVICE] = service
        ring[place, m.Q_JUDGED] = judged
        overlap = pending_base
        if pending:
            overlap += arrival - pending_since
        ring[place, m.Q_PENDING_SECONDS] = overlap
        ring_id[place] = first + i
        queued += 1
        peak = max(peak, queued)
        i += 1
    integers[m.HEAD] = head
    integers[m.QUEUED] = queued
    integers[m.PEAK_QUEUE] = peak
    integers[m.BREACH] = breach
    integers[m.WAITED] += waited
    floats[m.QUEUED_SECONDS] = queued_s
    floats[m.QUEUED_SINCE] = queued_since
    floats[m.BUSY] = busy
    floats[m.WAIT_SUM] = wait_sum
    floats[m.WAIT_SUM_ALL] = wait_all
    floats[m.UNSERVED] = unserved
    integers[m.DEPARTURES] = leaving
    integers[m.LOGGED] = logged
    return i
