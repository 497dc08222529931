"""What happens to the fleet: a decision carried out, a replica ready, a replica released."""

from __future__ import annotations

from numba import types

from modeler.autoscale import observation as o
from modeler.compiled import inner, kernel
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.heap import drop_owner, push, remove_owner

_INF = m.INF


@inner()
def pending_seconds(w, now):  # type: ignore[no-untyped-def]
    """Time up to now with at least one replica pending. [s]"""
    if w.integers[m.PENDING] > 0:
        return w.floats[m.PENDING_SECONDS] + (now - w.floats[m.PENDING_SINCE])
    return w.floats[m.PENDING_SECONDS]


@inner()
def pending_changed(w, now, before):  # type: ignore[no-untyped-def]
    """Bring what follows from the pending replicas up to now, after they changed."""
    after = w.integers[m.PENDING]
    if before == 0 and after > 0:
        w.floats[m.PENDING_SINCE] = now
    elif before > 0 and after == 0:
        w.floats[m.PENDING_SECONDS] += now - w.floats[m.PENDING_SINCE]
    earliest = _INF
    for k in range(after):
        earliest = min(earliest, w.replicas[w.pending[k], m.READY_S])
    w.floats[m.NEXT_READY] = earliest


@inner()
def mark_ready_change(w, now, arrived):  # type: ignore[no-untyped-def]
    """Bring the integrals over the ready count up to now, before the count changes."""
    ready = w.integers[m.READY]
    if ready > 0:
        w.floats[m.INVOCATIONS] += (arrived - w.integers[m.MARK]) / ready
    w.integers[m.MARK] = arrived
    w.floats[m.READY_SECONDS] += ready * (now - w.floats[m.READY_SINCE])
    w.floats[m.READY_SINCE] = now


@kernel(inline="always")
def mark_queue_change(w, now):  # type: ignore[no-untyped-def]
    """Bring the queue's integral up to now, before its length changes."""
    w.floats[m.QUEUED_SECONDS] += w.integers[m.QUEUED] * (now - w.floats[m.QUEUED_SINCE])
    w.floats[m.QUEUED_SINCE] = now


@inner()
def serve_from(w, replica, now):  # type: ignore[no-untyped-def]
    """Put a replica's slots at the fleet's disposal."""
    size = w.integers[m.HEAP]
    # What batches has a seat instead.
    for _ in range(w.integers[m.SLOTS] if w.integers[m.BATCHED] == 0 else 0):
        if w.integers[m.ROUTER] == m.CENTRAL:
            push(w.times, w.owners, size, now, replica)
        else:
            # A block of slots for each replica, in the order of `live`.
            w.times[size] = now
            w.owners[size] = replica
        size += 1
    w.integers[m.HEAP] = size
    w.live[w.integers[m.READY]] = replica
    w.integers[m.READY] += 1


@inner()
def become_ready(w, now, arrived):  # type: ignore[no-untyped-def]
    """Let the pending replica whose cold start ends now serve; the lowest ordinal among equals."""
    before = w.integers[m.PENDING]
    best = -1
    for k in range(before):
        replica = w.pending[k]
        if w.replicas[replica, m.READY_S] <= now and (best < 0 or replica < w.pending[best]):
            best = k
    replica = w.pending[best]
    for k in range(best, before - 1):
        w.pending[k] = w.pending[k + 1]
    w.integers[m.PENDING] = before - 1
    mark_ready_change(w, now, arrived)
    serve_from(w, replica, now)
    pending_changed(w, now, before)
    if w.integers[m.PENDING] == 0:
        w.floats[m.ACTIVITY_DONE] = now
    if w.integers[m.BREACH] == 1:
        # The first replica to become ready inside an open breach is the one users waited for.
        k = w.integers[m.BREACHES]
        w.breaches[k, 0] = w.floats[m.BREACH_OPEN]
        w.breaches[k, 1] = replica
        w.breaches[k, 2] = now
        w.integers[m.BREACHES] = k + 1
        w.integers[m.BREACH] = 2


@inner()
def new_replica(w, now):  # type: ignore[no-untyped-def]
    """Open the row of a replica that is requested now; its ordinal."""
    replica = w.integers[m.REPLICAS]
    w.integers[m.REPLICAS] = replica + 1
    w.replicas[replica, m.REQUESTED_S] = now
    w.replicas[replica, m.DRAIN_S] = _INF
    w.replicas[replica, m.STOP_S] = _INF
    w.pending[w.integers[m.PENDING]] = replica
    w.integers[m.PENDING] += 1
    return replica


@inner()
def _overlapping(w, now):  # type: ignore[no-untyped-def]
    """Pending replicas whose transfers are under way when those of one asked for now begin."""
    if w.integers[m.GROUND] == 0:
        return 0
    bases = int(w.ground.settings[g.S_BASES])
    found = 0
    for k in range(w.integers[m.PENDING]):
        replica = w.pending[k]
        level = (int(w.ground.placed[replica, g.P_LAW]) // bases) % len(w.ground.overlaps)
        if now - w.replicas[replica, m.REQUESTED_S] < w.ground.overlaps[level]:
            found += 1
    return found


@inner()
def request_replicas(beneath, w, now, count):  # type: ignore[no-untyped-def]
    """Start `count` cold starts; their lengths are drawn by the replicas' ordinals."""
    before = w.integers[m.PENDING]
    w.integers[m.AT_ONCE] = count + _overlapping(w, now)
    for _ in range(count):
        replica = new_replica(w, now)
        if w.integers[m.GROUND] != 0:
            beneath(m.OP_PUT, replica, now, 0, w)
        else:
            w.replicas[replica, m.RUNNING_S] = now + w.draws[replica, 0]
            w.replicas[replica, m.READY_S] = now + w.draws[replica, 1]
    w.integers[m.AT_ONCE] = 0
    w.floats[m.ACTIVITY_DONE] = _INF
    pending_changed(w, now, before)


@inner()
def _cancel_newest(beneath, w, now):  # type: ignore[no-untyped-def]
    before = w.integers[m.PENDING]
    replica = w.pending[before - 1]
    w.integers[m.PENDING] = before - 1
    w.replicas[replica, m.READY_S] = _INF
    w.replicas[replica, m.STOP_S] = now
    if w.integers[m.GROUND] != 0:
        beneath(m.OP_LEFT, replica, now, 0, w)
    pending_changed(w, now, before)


@inner()
def _choose(w, now):  # type: ignore[no-untyped-def]
    """Place in `live` of the replica to release."""
    ready = w.integers[m.READY]
    if w.integers[m.IDLE_FIRST] == 0:
        return ready - 1
    for place in range(ready - 1, -1, -1):
        idle = True
        if w.integers[m.BATCHED] != 0:
            idle = w.load[w.live[place], m.L_OUTSTANDING] == 0
        for k in range(w.integers[m.HEAP]):
            if w.owners[k] == w.live[place] and w.times[k] > now:
                idle = False
                break
        if idle:
            return place
    return ready - 1


@inner()
def take_out(w, seat, now, arrived):  # type: ignore[no-untyped-def]
    """Strike the ready replica at a place of `live` off the list; its ordinal."""
    replica = w.live[seat]
    mark_ready_change(w, now, arrived)
    ready = w.integers[m.READY] - 1
    for k in range(seat, ready):
        w.live[k] = w.live[k + 1]
    w.integers[m.READY] = ready
    return replica


@inner()
def drain(w, seat, now, arrived):  # type: ignore[no-untyped-def]
    """Take a ready replica out of service; it stops when its last request has finished."""
    replica = take_out(w, seat, now, arrived)
    stop = now
    for k in range(w.integers[m.HEAP]):
        if w.owners[k] == replica and w.times[k] > now:
            finish = w.times[k]
            stop = max(stop, finish)
            w.floats[m.BUSY_DRAINING] += finish - now
            if w.integers[m.IN_FLIGHT_WANTED] != 0:
                w.drained[w.integers[m.DRAINED]] = finish
                w.integers[m.DRAINED] += 1
    if w.integers[m.ROUTER] == m.CENTRAL:
        w.integers[m.HEAP] = remove_owner(w.times, w.owners, w.integers[m.HEAP], replica)
    else:
        w.integers[m.HEAP] = drop_owner(w.times, w.owners, w.integers[m.HEAP], replica)
    w.times[w.integers[m.HEAP]] = _INF
    w.replicas[replica, m.DRAIN_S] = now
    w.replicas[replica, m.STOP_S] = stop
    return replica


@inner(types.void(m.BENEATH, m.MEMORY_TYPE, types.float64, types.int64, types.int64))
def set_desired(beneath, w, now, arrived, desired):  # type: ignore[no-untyped-def]
    """Move the fleet to `desired` replicas: start some, or cancel pending ones and drain others."""
    have = w.integers[m.READY] + w.integers[m.PENDING] + w.integers[m.OWED]
    if desired > have:
        request_replicas(beneath, w, now, desired - have)
    elif desired < have:
        done = now
        for _ in range(have - desired):
            if w.integers[m.OWED] > 0:
                w.integers[m.OWED] -= 1
            elif w.integers[m.PENDING] > 0:
                _cancel_newest(beneath, w, now)
            else:
                replica = drain(w, _choose(w, now), now, arrived)
                if w.integers[m.BATCHED] != 0:
                    beneath(m.OP_UNSEAT, replica, now, 0, w)
                done = max(done, w.replicas[replica, m.STOP_S])
                if w.integers[m.GROUND] != 0:
                    beneath(m.OP_DRAINED, replica, now, 0, w)
        w.floats[m.ACTIVITY_DONE] = done if w.integers[m.PENDING] == 0 else _INF
    w.integers[m.DESIRED] = desired
    if w.integers[m.GROUND] != 0:
        beneath(m.OP_DESIRED, 0, now, 0, w)
    if desired >= w.integers[m.MAX]:
        w.floats[m.AT_MAX_SINCE] = min(w.floats[m.AT_MAX_SINCE], now)
    else:
        w.floats[m.AT_MAX_SINCE] = _INF


@kernel(inline="always")
def in_flight(w, now):  # type: ignore[no-untyped-def]
    """Requests in service and the part of started services that lies beyond now. [count, s]"""
    heap = w.integers[m.HEAP]
    count = 0
    # Four sums side by side: one alone waits for each addition before it begins the next.
    a = b = c = d = 0.0
    for k in range(0, heap - 3, 4):
        t, u, v, x = w.times[k], w.times[k + 1], w.times[k + 2], w.times[k + 3]
        a += max(t - now, 0.0)
        b += max(u - now, 0.0)
        c += max(v - now, 0.0)
        d += max(x - now, 0.0)
        count += int(t > now) + int(u > now) + int(v > now) + int(x > now)
    for k in range(heap - heap % 4, heap):
        a += max(w.times[k] - now, 0.0)
        count += int(w.times[k] > now)
    beyond = a + b + (c + d)
    kept = 0
    for k in range(w.integers[m.DRAINED]):
        finish = w.drained[k]
        if finish > now:
            count += 1
            beyond += finish - now
            w.drained[kept] = finish
            kept += 1
    w.integers[m.DRAINED] = kept
    return count, beyond


@inner()
def _recent(w, now):  # type: ignore[no-untyped-def]
    """Ready replicas that have been so for less than the policy's while; the newest come last.

    The fleet that is warm at t = 0 has been so for long.
    """
    count = 0
    for place in range(w.integers[m.READY] - 1, -1, -1):
        since = w.replicas[w.live[place], m.READY_S]
        if since <= 0.0 or now - since >= w.floats[m.RECENT_FOR]:
            break
        count += 1
    return count


@kernel(inline="always")
def observe(beneath, w, now, arrived):  # type: ignore[no-untyped-def]
    """Write what a policy may see at this instant."""
    mark_queue_change(w, now)
    ready = w.integers[m.READY]
    obs = w.obs
    obs[o.NOW] = now
    obs[o.WALL] = w.floats[m.MIDNIGHT] + now
    obs[o.READY] = ready
    obs[o.PENDING] = w.integers[m.PENDING]
    obs[o.DESIRED] = w.integers[m.DESIRED]
    obs[o.MIN] = w.integers[m.MIN]
    obs[o.MAX] = w.integers[m.MAX]
    obs[o.QUEUED] = w.integers[m.QUEUED]
    obs[o.ARRIVED] = arrived
    # One quotient as long as the fleet does not change: a round datapoint is exactly round.
    obs[o.INVOCATIONS] = w.floats[m.INVOCATIONS]
    if ready > 0:
        obs[o.INVOCATIONS] += (arrived - w.integers[m.MARK]) / ready
    obs[o.QUEUED_SECONDS] = w.floats[m.QUEUED_SECONDS]
    obs[o.READY_SECONDS] = w.floats[m.READY_SECONDS] + ready * (now - w.floats[m.READY_SINCE])
    obs[o.ACTIVITY_DONE] = w.floats[m.ACTIVITY_DONE]
    obs[o.SLOTS] = w.integers[m.SLOTS]
    obs[o.REFUSED] = w.integers[m.REJECTED_N] + w.integers[m.REFUSED_AGAIN]
    obs[o.UNPLACED] = w.integers[m.UNPLACED_N]
    if w.integers[m.GROUND] != 0:
        obs[o.INSTANCES] = beneath(m.OP_COUNT, 0, now, 0, w)
    else:
        obs[o.INSTANCES] = ready + w.integers[m.PENDING]
    if w.floats[m.RECENT_FOR] > 0.0:
        obs[o.RECENT] = _recent(w, now)
    if w.integers[m.BATCHED] != 0:
        count = w.integers[m.IN_SERVICE]
        obs[o.IN_FLIGHT] = count
        obs[o.IN_FLIGHT_SECONDS] = w.floats[m.BUSY] + (count * now - w.floats[m.START_SUM])
    elif w.integers[m.IN_FLIGHT_WANTED] != 0:
        count, beyond = in_flight(w, now)
        obs[o.IN_FLIGHT] = count
        obs[o.IN_FLIGHT_SECONDS] = w.floats[m.BUSY] - beyond


@inner()
def note_decision(w, now, reason, before, after):  # type: ignore[no-untyped-def]
    """Keep a decision; a repeat of the same refusal only raises the count of the last one."""
    k = w.integers[m.DECISIONS]
    table = w.decisions
    if k > 0 and before == after and table[k - 1, m.D_REASON] == reason:
        table[k - 1, m.D_REPEATS] += 1.0
        return
    table[k, m.D_TIME] = now
    table[k, m.D_REASON] = reason
    table[k, m.D_FROM] = before
    table[k, m.D_TO] = after
    table[k, m.D_METRIC] = w.out[o.OUT_METRIC]
    table[k, m.D_REPEATS] = 1.0
    table[k, m.D_READY] = w.integers[m.READY]
    table[k, m.D_PENDING] = w.integers[m.PENDING]
    w.integers[m.DECISIONS] = k + 1
