"""The compiled loop: arrivals in, counters and records out, exact request by request.

With a central first-come-first-served queue a request starts at the later of its arrival and the
moment the earliest slot is free, so between control events the whole fleet is one heap of
slot-free times, and an arrival that finds a free slot costs one walk down that heap. Everything
that can change the fleet, or that must be seen at its own instant, is an event; the loop leaves
its fast path only when an event is due or a request waits.

Events at one instant happen in this order: finish (a waiting request starts), what happens to
machines (`machine_events`: stop, reclaim, zone, notice, failure, release), replica ready, time-out,
scheduled bounds, metric bucket closes, arrival, control tick, a policy's own wake-up.
Slots that are free equally long are taken in the order of the heap, which the run's own history
fixes. Where `fates` are set, `routed` takes the place of `quiet`; held requests are then sent on
once all replicas of the instant are ready, and who comes back does so as an arrival. Where replicas
batch, `batched` takes the place of both, and a start is the end of a replica's steps.
"""

from __future__ import annotations

import numpy as np
from numba import types

from modeler.autoscale import observation as o
from modeler.autoscale.observation import FUNCTION
from modeler.compiled import inner, kernel
from modeler.replay import events as e
from modeler.replay import layout as m
from modeler.replay.attempts import attempts_fit
from modeler.replay.fleet import (
    become_ready,
    note_decision,
    observe,
    serve_from,
    set_desired,
)
from modeler.replay.giving_up import give_up_head
from modeler.replay.heap import pop
from modeler.replay.quiet import quiet
from modeler.replay.routed import attend, next_start, step
from modeler.replay.ways import last_came, lose_one, next_leave, next_release, next_retry

_INF = m.INF
# An hour: every control loop we know has acted on a waiting request long before (assumed).
_LAST_HOPE_S = 3600.0


@kernel(types.void(FUNCTION, m.BENEATH, m.MEMORY_TYPE, types.int64, types.float64, types.int64))
def ask(policy, beneath, w, event, now, arrived):  # type: ignore[no-untyped-def]
    """Show the policy the fleet as it is now and carry out what it answers."""
    observe(beneath, w, now, arrived)
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
        if wanted == before:
            return
        note_decision(w, now, reason, before, wanted)
        set_desired(beneath, w, now, arrived, wanted)
    else:
        note_decision(w, now, reason, before, before)


@inner()
def _new_bounds(beneath, w, now, arrived):  # type: ignore[no-untyped-def]
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
        w.out[o.OUT_METRIC] = 0.0
        note_decision(w, now, o.SCHEDULED, before, wanted)
    set_desired(beneath, w, now, arrived, wanted)


@kernel(inline="always")
def _quiet(w, arrival_s, service_s, judged_s, i, n, first, due):  # type: ignore[no-untyped-def]
    return quiet(
        arrival_s,
        service_s,
        judged_s,
        i,
        n,
        first,
        due,
        w.times,
        w.owners,
        w.ring,
        w.ring_id,
        w.departures,
        w.latency,
        w.wait,
        w.first,
        w.integers,
        w.floats,
        w.record_s,
        w.record,
        w.ground.log,
    )


@kernel(inline="always")
def _room(beneath, w):  # type: ignore[no-untyped-def]
    """Whether every table has room for whatever the next event can add."""
    replicas = w.integers[m.REPLICAS] + w.integers[m.MOST] + 1
    return (
        replicas <= len(w.draws)
        and replicas <= len(w.replicas)
        and w.integers[m.DECISIONS] < len(w.decisions)
        and w.integers[m.BREACHES] < len(w.breaches)
        and w.integers[m.QUEUED] < len(w.ring_id)
        and w.integers[m.DRAINED] + w.integers[m.HEAP] <= len(w.drained)
        and (w.integers[m.GROUND] == 0 or beneath(m.OP_ROOM, 0, 0.0, 0, w) != 0)
        and (w.integers[m.BATCHED] == 0 or w.integers[m.SEATS] < len(w.batch.seats))
        and (w.integers[m.FATES] == 0 or (replicas <= len(w.load) and attempts_fit(w)))
        and (
            w.integers[m.HOOKS] == 0
            or w.integers[m.DEPARTURES] + w.integers[m.HEAP] < len(w.departures)
        )
    )


@kernel(inline="always")
def _undisturbed(w):  # type: ignore[no-untyped-def]
    """Whether requests may come, start and finish without the policy being asked."""
    hooks = w.integers[m.HOOKS]
    if hooks == 0:
        return True
    return hooks == o.FROM_ZERO and w.integers[m.DESIRED] > 0


@kernel(inline="always")
def _hears_arrival(w):  # type: ignore[no-untyped-def]
    """Whether the policy is asked at this arrival, which has just taken its place."""
    hooks = w.integers[m.HOOKS]
    return (
        hooks & o.ARRIVAL != 0
        or (hooks & o.FROM_ZERO != 0 and w.integers[m.DESIRED] == 0)
        or (hooks & o.WAITS != 0 and w.integers[m.QUEUED] > 0)
    )


@kernel(inline="always")
def _on_the_clock(policy, beneath, w, kind, now, arrived):  # type: ignore[no-untyped-def]
    """A control tick, or the end of a metric bucket."""
    if kind == e.TICK:
        w.floats[m.TICKS_DONE] += 1.0
        w.floats[m.NEXT_TICK] = (
            w.floats[m.FIRST_TICK] + w.floats[m.TICKS_DONE] * w.floats[m.TICK_PERIOD]
        )
        ask(policy, beneath, w, o.TICK, now, arrived)
    else:
        w.floats[m.BUCKETS_DONE] += 1.0
        w.floats[m.NEXT_BUCKET] = (
            w.floats[m.FIRST_BUCKET] + w.floats[m.BUCKETS_DONE] * w.floats[m.BUCKET_PERIOD]
        )
        ask(policy, beneath, w, o.BUCKET, now, arrived)
        w.floats[m.INVOCATIONS] = 0.0
        w.integers[m.MARK] = arrived


@inner()
def _handle(policy, beneath, w, kind, now, arrived):  # type: ignore[no-untyped-def]
    """One event that is neither an arrival nor a start."""
    if kind == e.DEPARTURE:
        pop(w.departures, w.departures, w.integers[m.DEPARTURES])
        w.integers[m.DEPARTURES] -= 1
        ask(policy, beneath, w, o.DEPARTURE, now, arrived)
    elif kind == e.READY:
        become_ready(w, now, arrived)
        if w.integers[m.BATCHED] != 0:
            beneath(m.OP_SEAT, w.live[w.integers[m.READY] - 1], now, arrived, w)
    elif kind == e.MACHINE:
        beneath(m.OP_EVENT, 0, now, arrived, w)
    elif kind == e.TIMEOUT and w.integers[m.FATES] == 0:
        give_up_head(w, now, m.TIMED_OUT)
    elif kind == e.TIMEOUT or kind >= e.START:
        if w.integers[m.BATCHED] != 0:
            beneath(m.OP_STEP, kind, now, arrived, w)
        else:
            step(w, kind, now)
        if kind == e.RETRY and _hears_arrival(w):
            w.floats[m.NOW] = now
            ask(policy, beneath, w, o.ARRIVAL, now, arrived + 1)
    elif kind == e.BOUNDS:
        _new_bounds(beneath, w, now, arrived)
    elif kind == e.WAKE:
        w.floats[m.NEXT_WAKE] = _INF
        ask(policy, beneath, w, o.WAKE, now, arrived)
    else:
        _on_the_clock(policy, beneath, w, kind, now, arrived)
    w.floats[m.NOW] = now


@kernel(inline="always")
def _next_event(w, until):  # type: ignore[no-untyped-def]
    """The first event not later than `until`, or the arrival at `until` itself."""
    kind = e.ARRIVAL
    now = until
    fates = w.integers[m.FATES] != 0
    if fates and next_retry(w) <= now:
        kind, now = e.RETRY, next_retry(w)
    if w.floats[m.NEXT_WAKE] < now:
        kind, now = e.WAKE, w.floats[m.NEXT_WAKE]
    if w.floats[m.NEXT_TICK] < now or (kind == e.WAKE and w.floats[m.NEXT_TICK] == now):
        kind, now = e.TICK, w.floats[m.NEXT_TICK]
    if w.floats[m.NEXT_BUCKET] <= now:
        kind, now = e.BUCKET, w.floats[m.NEXT_BUCKET]
    if w.floats[m.NEXT_BOUND] <= now:
        kind, now = e.BOUNDS, w.floats[m.NEXT_BOUND]
    waiting = w.integers[m.QUEUED] > 0
    if fates and waiting:
        leave, release = next_leave(w), next_release(w)
        if leave <= now:
            kind, now = e.TIMEOUT, leave
        if release <= now:
            kind, now = e.RELEASE, release
    elif waiting:
        patience = min(w.floats[m.QUEUE_TIMEOUT], w.floats[m.CLIENT_TIMEOUT])
        deadline = w.ring[w.integers[m.HEAD], m.Q_ARRIVAL] + patience
        if deadline <= now:
            kind, now = e.TIMEOUT, deadline
    if w.floats[m.NEXT_READY] <= now:
        kind, now = e.READY, w.floats[m.NEXT_READY]
    if w.floats[m.NEXT_MACHINE] <= now and w.integers[m.EVENTS] > 0:
        kind, now = e.MACHINE, w.floats[m.NEXT_MACHINE]
    if w.integers[m.DEPARTURES] > 0 and w.departures[0] <= now:
        kind, now = e.DEPARTURE, w.departures[0]
    if w.integers[m.BATCHED] != 0 and w.floats[m.NEXT_STEP] <= now:
        kind, now = e.START, w.floats[m.NEXT_STEP]
    elif fates and waiting:
        if next_start(w) <= now:
            kind, now = e.START, next_start(w)
    elif waiting and w.integers[m.HEAP] > 0 and w.times[0] <= now:
        kind, now = e.START, w.times[0]
    return kind, now


@kernel(
    types.UniTuple(types.int64, 2)(
        FUNCTION,
        m.BENEATH,
        m.CHUNK_TYPE,
        m.CHUNK_TYPE,
        m.CHUNK_TYPE,
        types.int64,
        m.MEMORY_TYPE,
    ),
    nogil=True,
)
def replay_chunk(policy, beneath, arrival_s, service_s, judged_s, first, w):  # type: ignore[no-untyped-def]
    """Replay one chunk of arrivals.

    Parameters
    ----------
    policy : first-class function of `observation.SIGNATURE`.
    beneath : first-class function of `layout.BENEATH_SIGNATURE`.
    arrival_s, service_s, judged_s : float64[n]. Arrival, service time, and time from the start of
        service to the moment the service level judges. [s]
    first : int. Ordinal of the chunk's first request.
    w : layout.Memory.

    Returns
    -------
    (status, consumed) : `layout.DONE`, or `layout.GROW` when a table must grow before the request
    at `consumed` can be taken.
    """
    n = len(arrival_s)
    i = 0
    while i < n:
        if w.integers[m.LOGGING] != 0:
            before = arrival_s[i - 1] if i > 0 else 0.0
            if beneath(m.OP_LOG, 0, before, 0, w) == 0:
                return m.GROW, i
        if _undisturbed(w):
            due = min(
                w.floats[m.NEXT_READY],
                w.floats[m.NEXT_BUCKET],
                w.floats[m.NEXT_TICK],
                w.floats[m.NEXT_WAKE],
                w.floats[m.NEXT_BOUND],
                w.floats[m.NEXT_MACHINE],
            )
            if w.integers[m.BATCHED] != 0:
                w.integers[m.UNTIL] = n
                i = beneath(m.OP_ATTEND, i, due, first, w)
            elif w.integers[m.FATES] != 0:
                i = attend(w, arrival_s, service_s, judged_s, i, n, first, due)
            else:
                i = _quiet(w, arrival_s, service_s, judged_s, i, n, first, due)
            if i == n:
                break
        # An event is due before, or with, this arrival: one at a time.
        if not _room(beneath, w):
            return m.GROW, i
        arrival = arrival_s[i]
        kind, now = _next_event(w, arrival)
        if kind == e.START and w.integers[m.FATES] == 0:
            _quiet(w, arrival_s, service_s, judged_s, i, n, first, now)
        elif kind == e.TICK or kind == e.BUCKET:
            # Not by way of `_handle`: handing the memory on once more costs as much as the rest.
            _on_the_clock(policy, beneath, w, kind, now, first + i + w.integers[m.COMEBACKS])
            w.floats[m.NOW] = now
        elif kind != e.ARRIVAL:
            _handle(policy, beneath, w, kind, now, first + i + w.integers[m.COMEBACKS])
        else:
            if w.integers[m.BATCHED] != 0:
                w.integers[m.UNTIL] = i + 1
                i = beneath(m.OP_ATTEND, i, _INF, first, w)
            elif w.integers[m.FATES] != 0:
                i = attend(w, arrival_s, service_s, judged_s, i, i + 1, first, _INF)
            else:
                i = _quiet(w, arrival_s, service_s, judged_s, i, i + 1, first, _INF)
            w.floats[m.NOW] = arrival
            if _hears_arrival(w):
                ask(policy, beneath, w, o.ARRIVAL, arrival, first + i + w.integers[m.COMEBACKS])
    return m.DONE, n


@inner()
def _last_hope(w):  # type: ignore[no-untyped-def]
    """Until when requests that wait after the traffic's end may yet be served. [s]"""
    if w.integers[m.HEAP] > 0 or w.integers[m.PENDING] > 0 or w.integers[m.OWED] > 0:
        return _INF
    if w.floats[m.NEXT_STEP] < _INF:
        return _INF
    empty_since = max(w.floats[m.HORIZON], w.floats[m.READY_SINCE])
    if w.integers[m.FATES] != 0:
        empty_since = max(empty_since, last_came(w))
    next_act = min(
        w.floats[m.NEXT_TICK],
        w.floats[m.NEXT_BUCKET],
        w.floats[m.NEXT_WAKE],
        w.floats[m.NEXT_BOUND],
    )
    has_clock = next_act < _INF
    return empty_since + _LAST_HOPE_S if has_clock else empty_since


@kernel(types.int64(FUNCTION, m.BENEATH, types.int64, m.CHUNK_TYPE, m.MEMORY_TYPE), nogil=True)
def finish(policy, beneath, requests, never, w):  # type: ignore[no-untyped-def]
    """Let the fleet finish after the last arrival: up to the horizon, then until all have ended.

    The control loop goes on; billing ends with the trace or with the last request, whichever is
    later. Requests that still wait when nothing serves, nothing is on its way and the policy has
    had `_LAST_HOPE_S` to think of something are lost. A breach still open at the horizon with no
    replica ready is censored. ``never`` is one infinite time: the arrival that does not come.
    """
    while True:
        if not _room(beneath, w):
            return m.GROW
        if w.integers[m.LOGGING] != 0 and beneath(m.OP_LOG, 0, 0.0, 0, w) == 0:
            return m.GROW
        stage = w.integers[m.STAGE]
        if stage == 0:
            until = w.floats[m.HORIZON]
        elif w.integers[m.QUEUED] > 0:
            until = _last_hope(w)
        else:
            until = max(w.floats[m.HORIZON], w.floats[m.NOW])
            for k in range(w.integers[m.HEAP]):
                until = max(until, w.times[k])
            for k in range(w.integers[m.REPLICAS]):
                if w.replicas[k, m.STOP_S] < _INF:
                    until = max(until, w.replicas[k, m.STOP_S])
            if w.integers[m.FATES] != 0 and next_retry(w) < _INF:
                until = max(until, next_retry(w))
            if w.floats[m.NEXT_STEP] < _INF:
                until = _INF  # when the last of a batch ends is not known yet
            w.floats[m.END] = until
        kind, now = _next_event(w, until)
        if kind == e.START and w.integers[m.FATES] == 0:
            _quiet(w, never, never, never, 0, 1, requests, now)
            w.floats[m.NOW] = now
        elif kind != e.ARRIVAL:
            _handle(policy, beneath, w, kind, now, requests + w.integers[m.COMEBACKS])
        elif stage == 0:
            if w.integers[m.BREACH] == 1:
                w.integers[m.CENSORED] += 1
                w.integers[m.BREACH] = 2
            w.integers[m.STAGE] = 1
        elif w.integers[m.QUEUED] > 0:
            if w.integers[m.FATES] != 0:
                lose_one(w, now)
            else:
                give_up_head(w, now, m.LOST)
            w.floats[m.NOW] = now
        else:
            observe(beneath, w, until, requests + w.integers[m.COMEBACKS])
            return m.DONE


@kernel(types.void(m.BENEATH, m.MEMORY_TYPE, types.int64, types.int64))
def start(beneath, w, initial, desired):  # type: ignore[no-untyped-def]
    """Put the warm fleet in place at t = 0 and request what is missing to the desired capacity."""
    for replica in range(initial):
        w.replicas[replica, m.REQUESTED_S] = 0.0
        w.replicas[replica, m.RUNNING_S] = 0.0
        w.replicas[replica, m.READY_S] = 0.0
        serve_from(w, replica, 0.0)
        if w.integers[m.BATCHED] != 0:
            beneath(m.OP_SEAT, replica, 0.0, 0, w)
    if w.integers[m.GROUND] != 0:
        beneath(m.OP_START, initial, 0.0, 0, w)
    w.integers[m.REPLICAS] = initial
    w.integers[m.DESIRED] = initial
    w.floats[m.ACTIVITY_DONE] = 0.0
    set_desired(beneath, w, 0.0, 0, desired)
