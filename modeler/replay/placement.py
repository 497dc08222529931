"""Where a replica goes: a free place, an instance on its way, a warm pool, or a new instance.

The image lies on an instance from the moment the first replica on it has pulled it. A replica put
on an instance that is there starts by the law "warm node": no provision, no boot, no pull. One put
on an instance still on its way, or still pulling, starts by the same law once the image is there.
"""

from __future__ import annotations

import numpy as np

from modeler.compiled import inner
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.machine_events import plan

_INF = m.INF


@inner()
def law_at(w, now, base):  # type: ignore[no-untyped-def]
    """Number of a law in the spell of weather that holds now, by how many start at once."""
    spells = w.ground.spells
    spell = 0
    for k in range(len(spells)):
        if spells[k, 0] <= now:
            spell = int(spells[k, 1])
    levels = int(w.ground.settings[g.S_LEVELS])
    level = max(min(w.integers[m.AT_ONCE], g.EVERY_NUMBER) - 1, 0)
    size = g.EVERY_NUMBER
    while size < w.integers[m.AT_ONCE]:
        size *= 2
        level += 1
    level = min(level, levels - 1)
    return (spell * levels + level) * int(w.ground.settings[g.S_BASES]) + base


@inner()
def law_s(w, replica, law, column):  # type: ignore[no-untyped-def]
    """One moment of a replica's start under a law, from its beginning. [s]"""
    return w.ground.laws[replica, law * g.LAW_COLUMNS + column]


@inner()
def _closed(w, now, pool):  # type: ignore[no-untyped-def]
    """Row of a window without capacity for a pool; -1 when there is none."""
    closed = w.ground.closed
    for k in range(len(closed)):
        if closed[k, g.C_POOL] == pool and closed[k, g.C_FROM] <= now < closed[k, g.C_UNTIL]:
            return k
    return -1


@inner()
def launch(w, asked):  # type: ignore[no-untyped-def]
    """When an instance that is asked for is granted, and from which pool. [s, pool]

    A request inside a window without capacity fails and is repeated; where there is a fallback it
    goes there once it has failed for long enough.
    """
    closed = w.ground.closed
    pool = 0
    since = asked
    now = asked
    hops = 0
    while True:
        k = _closed(w, now, pool)
        if k < 0:
            return now, pool
        fallback = int(closed[k, g.C_FALLBACK])
        if fallback >= 0 and hops < w.ground.settings[g.S_POOLS]:
            if now >= since + closed[k, g.C_AFTER]:
                pool = fallback
                since = now
                hops += 1
                continue
            now = min(now + closed[k, g.C_RETRY], since + closed[k, g.C_AFTER])
        else:
            now += closed[k, g.C_RETRY]


@inner()
def zone_of(w, launched):  # type: ignore[no-untyped-def]
    """The zone a new instance goes to and when: the emptiest that is there. [zone, s]"""
    zones = int(w.ground.settings[g.S_ZONES])
    outages = w.ground.outages
    best = -1
    fewest = 0
    earliest = _INF
    for zone in range(zones):
        back = launched
        again = True
        while again:
            again = False
            for k in range(len(outages)):
                down = outages[k, g.O_FROM] <= back < outages[k, g.O_UNTIL]
                if outages[k, g.O_ZONE] == zone and down:
                    back = outages[k, g.O_UNTIL]
                    again = True
        held = 0
        for k in range(w.integers[m.OPEN]):
            if w.ground.nodes[w.ground.open[k], g.N_ZONE] == zone:
                held += 1
        if best < 0 or back < earliest or (back == earliest and held < fewest):
            best = zone
            fewest = held
            earliest = back
    return best, earliest


@inner()
def open_node(w, asked, pool, zone, role, machine):  # type: ignore[no-untyped-def]
    """A new row of `nodes`; its moments are set by whoever opens it. A new machine for -1."""
    node = w.integers[m.NODES]
    w.integers[m.NODES] = node + 1
    if machine < 0:
        machine = w.integers[m.MACHINES]
        w.integers[m.MACHINES] = machine + 1
    row = w.ground.nodes[node]
    row[g.N_REQUESTED] = asked
    row[g.N_RUNNING] = asked
    row[g.N_UP] = asked
    row[g.N_IMAGE] = asked
    row[g.N_STOP] = _INF
    row[g.N_POOL] = pool
    row[g.N_ZONE] = zone
    row[g.N_ROLE] = role
    row[g.N_ENDED] = g.RELEASED
    row[g.N_MACHINE] = machine
    row[g.N_USED] = 0.0
    row[g.N_STATE] = g.LIVE
    row[g.N_CHANGED] = asked
    row[g.N_MARK] = _INF
    row[g.N_OWED] = 0.0
    w.ground.open[w.integers[m.OPEN]] = node
    w.integers[m.OPEN] += 1
    return node


@inner()
def close_node(w, node, at, why):  # type: ignore[no-untyped-def]
    """End a row of `nodes`; its bill ends at `at`, which may lie ahead."""
    w.ground.nodes[node, g.N_STOP] = at
    w.ground.nodes[node, g.N_STATE] = g.GONE
    w.ground.nodes[node, g.N_ENDED] = why
    kept = 0
    for k in range(w.integers[m.OPEN]):
        if w.ground.open[k] != node:
            w.ground.open[kept] = w.ground.open[k]
            kept += 1
    w.integers[m.OPEN] = kept


@inner()
def plan_life(w, node):  # type: ignore[no-untyped-def]
    """Plan what the weather and the platform's limits hold for a new instance."""
    row = w.ground.nodes[node]
    settings = w.ground.settings
    running = row[g.N_RUNNING]
    if w.ground.spot[int(row[g.N_POOL])] != 0:
        reclaim = running + w.ground.lives[node]
        plan(w, max(reclaim - settings[g.S_NOTICE], running), g.E_NOTICE, node)
        plan(w, reclaim, g.E_RECLAIM, node)
    asked = row[g.N_REQUESTED]
    if running - asked > settings[g.S_LAUNCH_LIMIT]:
        plan(w, asked + settings[g.S_LAUNCH_LIMIT], g.E_NODE_FAIL, node)
    elif row[g.N_UP] - asked > settings[g.S_NODE_LIMIT]:
        plan(w, asked + settings[g.S_NODE_LIMIT], g.E_NODE_FAIL, node)


@inner()
def _free_place(w, now):  # type: ignore[no-untyped-def]
    """The instance a replica is put on: one that is up, else the first to come; -1 for none."""
    places = w.ground.settings[g.S_PLACES]
    sign = 1.0 if w.ground.settings[g.S_BINPACK] != 0.0 else -1.0
    best = -1
    on_its_way = -1
    for k in range(w.integers[m.OPEN]):
        node = w.ground.open[k]
        row = w.ground.nodes[node]
        if row[g.N_STATE] != g.LIVE or row[g.N_ROLE] != g.SERVING or row[g.N_USED] >= places:
            continue
        if row[g.N_UP] > now:
            if on_its_way < 0 or row[g.N_UP] < w.ground.nodes[on_its_way, g.N_UP]:
                on_its_way = node
        elif best < 0 or sign * row[g.N_USED] > sign * w.ground.nodes[best, g.N_USED]:
            best = node
    return best if best >= 0 else on_its_way


@inner()
def _batched(w, asked):  # type: ignore[no-untyped-def]
    """When Karpenter asks for the instances of what waits now: the end of the batch. [s]

    A batch ends when nothing has come for `S_BATCH_IDLE`, and at the latest `S_BATCH_MAX` after it
    began; what is already in it moves with it.
    """
    settings = w.ground.settings
    close = w.floats[m.BATCH_CLOSE]
    if not w.floats[m.BATCH_OPEN] <= asked <= close:
        w.floats[m.BATCH_OPEN] = asked
        w.floats[m.BATCH_CLOSE] = asked + settings[g.S_BATCH_IDLE]
        return w.floats[m.BATCH_CLOSE]
    later = min(asked + settings[g.S_BATCH_IDLE], w.floats[m.BATCH_OPEN] + settings[g.S_BATCH_MAX])
    if later > close:
        w.floats[m.BATCH_CLOSE] = later
        _move_batch(w, close, later)
    return w.floats[m.BATCH_CLOSE]


@inner()
def _move_batch(w, close, later):  # type: ignore[no-untyped-def]
    by = later - close
    for k in range(w.integers[m.OPEN]):
        node = w.ground.open[k]
        row = w.ground.nodes[node]
        # What is asked for at the close of the batch and was not put off by want of capacity.
        if row[g.N_REQUESTED] != close or row[g.N_POOL] != 0.0:
            continue
        for column in (g.N_REQUESTED, g.N_RUNNING, g.N_UP, g.N_IMAGE, g.N_CHANGED):
            row[column] += by
        plan_life(w, node)
        for place in range(w.integers[m.PENDING]):
            replica = w.pending[place]
            if w.ground.placed[replica, g.P_NODE] == node:
                w.ground.placed[replica, g.P_START] += by
                w.replicas[replica, m.READY_S] += by
                w.replicas[replica, m.RUNNING_S] += by
                if w.ground.placed[replica, g.P_FAIL] < _INF:
                    w.ground.placed[replica, g.P_FAIL] += by
                    plan(w, w.ground.placed[replica, g.P_FAIL], g.E_FAIL, replica)


@inner()
def _asked(w, now, earliest):  # type: ignore[no-untyped-def]
    """When the layer asks for an instance that is needed from `earliest` on. [s]"""
    kind = w.ground.settings[g.S_KIND]
    if kind == g.KARPENTER:
        if earliest > now:
            return earliest + w.ground.settings[g.S_BATCH_IDLE]
        return _batched(w, now)
    if kind == g.CLUSTER_AUTOSCALER:
        scan = w.ground.settings[g.S_SCAN]
        return (np.floor(earliest / scan) + 1.0) * scan
    return earliest


@inner()
def ask_for_instance(w, now, earliest):  # type: ignore[no-untyped-def]
    """When an instance needed from `earliest` on is granted, from which pool, in which zone."""
    granted, pool = launch(w, _asked(w, now, earliest))
    zone, back = zone_of(w, granted)
    while back > granted:
        granted, pool = launch(w, back)
        zone, back = zone_of(w, granted)
    w.floats[m.LAST_ADD] = now
    return granted, pool, zone


@inner()
def _from_pool(w, at):  # type: ignore[no-untyped-def]
    """The warm pool's instance to take, the one held longest; -1 for none."""
    if w.ground.settings[g.S_KIND] != g.WARM_POOL:
        return -1
    if w.ground.settings[g.S_POOL_RUNS] == 0.0 and _closed(w, at, 0) >= 0:
        return -1  # to start a stopped instance takes capacity too
    for k in range(w.integers[m.OPEN]):
        node = w.ground.open[k]
        if w.ground.nodes[node, g.N_ROLE] == g.HELD:
            return node
    return -1


@inner()
def _bring_up(w, replica, node, at, law):  # type: ignore[no-untyped-def]
    """Set the moments of an instance by the start of the first replica on it."""
    row = w.ground.nodes[node]
    row[g.N_RUNNING] = at + law_s(w, replica, law, g.RUNNING)
    row[g.N_UP] = at + law_s(w, replica, law, g.UP)
    row[g.N_IMAGE] = at + law_s(w, replica, law, g.IMAGE)
    plan_life(w, node)


@inner()
def put(w, replica, now, earliest, attempt):  # type: ignore[no-untyped-def]
    """Put a replica that is asked for now, and may start from `earliest` on, on an instance."""
    settings = w.ground.settings
    shares = settings[g.S_KIND] != g.SINGLE and settings[g.S_KIND] != g.WARM_POOL
    node = _free_place(w, now) if shares else -1
    pooled = _from_pool(w, earliest)
    if node >= 0:
        row = w.ground.nodes[node]
        law = law_at(w, now, 2 * int(row[g.N_POOL]) + 1)
        start = max(earliest, row[g.N_IMAGE])
        running = start
    elif pooled >= 0:
        held = w.ground.nodes[pooled]
        close_node(w, pooled, earliest, g.RELEASED)
        node = open_node(w, earliest, 0, held[g.N_ZONE], g.SERVING, held[g.N_MACHINE])
        law = law_at(w, now, 2 * int(settings[g.S_POOLS]))
        start = earliest
        _bring_up(w, replica, node, start, law)
        running = w.ground.nodes[node, g.N_RUNNING]
    else:
        start, pool, zone = ask_for_instance(w, now, earliest)
        node = open_node(w, start, pool, zone, g.SERVING, -1)
        law = law_at(w, now, 2 * pool)
        _bring_up(w, replica, node, start, law)
        running = w.ground.nodes[node, g.N_RUNNING]
    ready = start + law_s(w, replica, law, g.READY)
    w.replicas[replica, m.RUNNING_S] = running
    w.replicas[replica, m.READY_S] = ready
    limit = settings[g.S_START_LIMIT]
    begun = start + law_s(w, replica, law, g.BEGUN)
    fail = _INF
    if w.ground.fails[replica] != 0.0:
        fail = begun + limit if settings[g.S_FAIL_AT_LIMIT] != 0.0 else ready
    if ready - begun > limit:
        fail = begun + limit
    if fail < _INF:
        # Whatever is seen of it until then, it does not serve.
        w.replicas[replica, m.READY_S] = max(ready, fail)
    hold(w, replica, node, law, now, start, attempt)
    w.ground.placed[replica, g.P_FAIL] = fail
    plan(w, fail, g.E_FAIL, replica)


@inner()
def hold(w, replica, node, law, now, start, attempt):  # type: ignore[no-untyped-def]
    """Note where a replica is, and that its place is taken."""
    row = w.ground.placed[replica]
    row[g.P_NODE] = node
    row[g.P_LAW] = law
    row[g.P_START] = start
    row[g.P_ENDED] = g.RELEASED
    row[g.P_NOTICE] = _INF
    row[g.P_ATTEMPT] = attempt
    row[g.P_BUSY] = 0.0
    row[g.P_BUSY_DRAINING] = 0.0
    row[g.P_FAIL] = _INF
    row[g.P_HOLDS] = 1.0
    w.ground.nodes[node, g.N_USED] += 1.0
    w.ground.nodes[node, g.N_CHANGED] = max(now, w.ground.nodes[node, g.N_UP])


@inner()
def put_warm(w, replica):  # type: ignore[no-untyped-def]
    """Put a replica that is warm at t = 0 on an instance that is there."""
    node = _free_place(w, 0.0) if w.ground.settings[g.S_PLACES] > 1.0 else -1
    if node < 0:
        node = warm_instance(w)
    hold(w, replica, node, -1, 0.0, 0.0, 0)


@inner()
def warm_instance(w):  # type: ignore[no-untyped-def]
    """An instance that is there, with its image, at t = 0."""
    zone, _ = zone_of(w, 0.0)
    node = open_node(w, 0.0, 0, zone, g.SERVING, -1)
    plan_life(w, node)
    return node
