"""What happens to machines: stops, reclaims, lost zones, notices, failed starts, releases."""

from __future__ import annotations

from modeler.compiled import inner, kernel
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.consolidate import first_scan, scan
from modeler.replay.fleet import mark_ready_change, pending_changed, take_out
from modeler.replay.heap import remove_owner
from modeler.replay.losses import lose_services
from modeler.replay.machine_events import plan, take_event
from modeler.replay.placement import close_node, put_warm, warm_instance
from modeler.replay.release import enter_pool, fill_pool, release_empty, vacate
from modeler.replay.restart import abandon_starts, ask_again, evict

_INF = m.INF


@inner()
def at_once(w):  # type: ignore[no-untyped-def]
    """Instances that one event can add at most: for every replica, and for a warm pool."""
    settings = w.ground.settings
    pool = max(settings[g.S_MAX_PREPARED], 0.0) + settings[g.S_MIN_POOL]
    return 2 * w.integers[m.MOST] + 2 + int(pool)


@inner()
def room_on_ground(w):  # type: ignore[no-untyped-def]
    """Whether the tables of machines have room for whatever the next event can add."""
    most = at_once(w)
    ground = w.ground
    return (
        w.integers[m.NODES] + most <= len(ground.nodes)
        and w.integers[m.INITS] + most <= len(ground.inits)
        and w.integers[m.EVENTS] + 8 * most <= len(ground.events)
        and w.integers[m.OPEN] + most <= len(ground.open)
    )


@inner()
def _lose(w, node, now, arrived, why):  # type: ignore[no-untyped-def]
    """A machine dies with all that is on it; how many replicas are missing now."""
    count = 0
    for seat in range(w.integers[m.READY] - 1, -1, -1):
        replica = w.live[seat]
        if w.ground.placed[replica, g.P_NODE] == node:
            take_out(w, seat, now, arrived)
            w.integers[m.HEAP] = remove_owner(w.times, w.owners, w.integers[m.HEAP], replica)
            w.times[w.integers[m.HEAP]] = _INF
            w.replicas[replica, m.STOP_S] = now
            w.ground.placed[replica, g.P_ENDED] = why
            w.ground.placed[replica, g.P_HOLDS] = 0.0
            count += 1
    w.ground.nodes[node, g.N_STATE] = g.CLOSING
    count += abandon_starts(w, node, now, why)
    lose_services(w, node, now)
    close_node(w, node, now, why)
    return count


@inner()
def _reclaim(w, node, now, arrived):  # type: ignore[no-untyped-def]
    """A machine is taken back, whatever is still on it."""
    row = w.ground.nodes[node]
    if now != row[g.N_RUNNING] + w.ground.lives[node]:
        return
    missing = 0
    if row[g.N_STATE] != g.GONE:
        missing = _lose(w, node, now, arrived, g.RECLAIMED)
    ask_again(w, now, missing + _collect(w, node), now, 0)


@inner()
def _collect(w, node):  # type: ignore[no-untyped-def]
    """Replacements put off until this machine was gone, less those no longer wanted."""
    owed = min(int(w.ground.nodes[node, g.N_OWED]), w.integers[m.OWED])
    w.ground.nodes[node, g.N_OWED] = 0.0
    w.integers[m.OWED] -= owed
    return owed


@inner()
def _notice(w, node, now, arrived):  # type: ignore[no-untyped-def]
    """Two minutes before a reclaim: drain at once, and replace now or when it is gone."""
    row = w.ground.nodes[node]
    settings = w.ground.settings
    planned = max(row[g.N_RUNNING] + w.ground.lives[node] - settings[g.S_NOTICE], row[g.N_RUNNING])
    if row[g.N_STATE] == g.GONE or row[g.N_STATE] == g.NOTICED or now != planned:
        return
    single = settings[g.S_KIND] == g.SINGLE or settings[g.S_KIND] == g.WARM_POOL
    row[g.N_STATE] = g.NOTICED if single else g.CLOSING
    count = evict(w, node, now, arrived, g.RECLAIMED)
    if settings[g.S_AT_NOTICE] != 0.0:
        ask_again(w, now, count, now, 0)
    else:
        row[g.N_OWED] = count
        w.integers[m.OWED] += count
        ask_again(w, now, 0, now, 0)


@inner()
def _lose_zone(w, k, now, arrived):  # type: ignore[no-untyped-def]
    """Every machine of a zone dies; what is missing is asked for elsewhere."""
    zone = w.ground.outages[k, g.O_ZONE]
    missing = 0
    seat = 0
    while seat < w.integers[m.OPEN]:
        node = w.ground.open[seat]
        row = w.ground.nodes[node]
        if row[g.N_ZONE] == zone and row[g.N_REQUESTED] <= now:
            missing += _lose(w, node, now, arrived, g.ZONE_LOST) + _collect(w, node)
        else:
            seat += 1
    ask_again(w, now, missing, now, 0)


@kernel()
def _wait_s(base, most, attempt):  # type: ignore[no-untyped-def]
    """Back-off before the next attempt: doubling, up to a most. [s]"""
    return min(base * 2.0**attempt, most)


@inner()
def _start_again(w, now, arrived, replica, base, most):  # type: ignore[no-untyped-def]
    """Ask for a replica whose start failed again, unless that has been tried often enough."""
    attempt = int(w.ground.placed[replica, g.P_ATTEMPT])
    w.integers[m.FAILED_N] += 1
    if attempt + 1 < w.ground.settings[g.S_ATTEMPTS]:
        ask_again(w, now, 1, now + _wait_s(base, most, attempt), attempt + 1)
    else:
        w.integers[m.GIVEN_UP] += 1
        if w.integers[m.READY] == 0:
            mark_ready_change(w, now, arrived)  # there has been hope until now
        ask_again(w, now, 0, now, 0)


@inner()
def _fail(w, replica, now, arrived):  # type: ignore[no-untyped-def]
    """A start has failed."""
    if w.replicas[replica, m.STOP_S] < _INF or w.ground.placed[replica, g.P_FAIL] != now:
        return
    before = w.integers[m.PENDING]
    kept = 0
    for k in range(before):
        if w.pending[k] != replica:
            w.pending[kept] = w.pending[k]
            kept += 1
    w.integers[m.PENDING] = kept
    w.replicas[replica, m.READY_S] = _INF
    w.replicas[replica, m.STOP_S] = now
    vacate(w, replica, now, g.FAILED)
    pending_changed(w, now, before)
    settings = w.ground.settings
    _start_again(w, now, arrived, replica, settings[g.S_BACKOFF], settings[g.S_BACKOFF_MAX])


@inner()
def _fail_node(w, node, now, arrived):  # type: ignore[no-untyped-def]
    """An instance has not come up in time: it is deleted, and asked for again."""
    row = w.ground.nodes[node]
    settings = w.ground.settings
    asked = row[g.N_REQUESTED]
    late = row[g.N_RUNNING] - asked > settings[g.S_LAUNCH_LIMIT]
    limit = settings[g.S_LAUNCH_LIMIT] if late else settings[g.S_NODE_LIMIT]
    if row[g.N_STATE] == g.GONE or now != asked + limit:
        return
    w.floats[m.LAST_FAILURE] = now
    known = w.integers[m.REPLICAS]
    row[g.N_STATE] = g.CLOSING
    abandon_starts(w, node, now, g.FAILED)
    close_node(w, node, now, g.FAILED)
    base, most = settings[g.S_NODE_BACKOFF], settings[g.S_NODE_BACKOFF_MAX]
    for replica in range(known):
        placed = w.ground.placed[replica]
        given_up = placed[g.P_ENDED] == g.FAILED and placed[g.P_NOTICE] == now
        if placed[g.P_NODE] == node and given_up:
            _start_again(w, now, arrived, replica, base, most)


@inner()
def machine_event(w, now, arrived):  # type: ignore[no-untyped-def]
    """Let the earliest event of the machines happen."""
    kind, subject = take_event(w)
    if kind == g.E_STOP:
        if w.replicas[subject, m.STOP_S] == now:
            vacate(w, subject, now, int(w.ground.placed[subject, g.P_ENDED]))
    elif kind == g.E_RECLAIM:
        _reclaim(w, subject, now, arrived)
    elif kind == g.E_ZONE:
        _lose_zone(w, subject, now, arrived)
    elif kind == g.E_NOTICE:
        _notice(w, subject, now, arrived)
    elif kind == g.E_NODE_FAIL:
        _fail_node(w, subject, now, arrived)
    elif kind == g.E_FAIL:
        _fail(w, subject, now, arrived)
    elif kind == g.E_POOL_READY:
        enter_pool(w, subject, now)
    elif kind == g.E_RELEASE:
        release_empty(w, subject, now)
    else:
        scan(w, subject, now, arrived)


@inner()
def settle_warm(w, initial):  # type: ignore[no-untyped-def]
    """Put the warm fleet on instances, and plan what is known to come."""
    w.floats[m.BATCH_OPEN] = _INF
    w.floats[m.BATCH_CLOSE] = -_INF
    w.floats[m.LAST_ADD] = -_INF
    w.floats[m.LAST_FAILURE] = -_INF
    for replica in range(initial):
        put_warm(w, replica)
    while w.integers[m.OPEN] < w.ground.settings[g.S_MIN_NODES]:
        warm_instance(w)
    fill_pool(w, initial)
    for k in range(len(w.ground.outages)):
        plan(w, w.ground.outages[k, g.O_FROM], g.E_ZONE, k)
    first_scan(w)
