"""What becomes of an instance when a replica leaves it, and how full a warm pool is kept."""

from __future__ import annotations

from modeler.autoscale.warm_pool import warm_pool_size
from modeler.compiled import inner
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.machine_events import plan
from modeler.replay.placement import ask_for_instance, close_node, open_node

_INF = m.INF


@inner()
def on_the_bill(w):  # type: ignore[no-untyped-def]
    """Instances that are up or on their way; stopped ones of a warm pool are not."""
    count = 0
    for k in range(w.integers[m.OPEN]):
        held = w.ground.nodes[w.ground.open[k], g.N_ROLE] == g.HELD
        if not held or w.ground.settings[g.S_POOL_RUNS] != 0.0:
            count += 1
    return count


@inner()
def vacate(w, replica, now, why):  # type: ignore[no-untyped-def]
    """A replica gives its place back, and its instance goes or stays as the layer has it."""
    placed = w.ground.placed[replica]
    if placed[g.P_HOLDS] == 0.0:
        return
    placed[g.P_HOLDS] = 0.0
    placed[g.P_ENDED] = why
    node = int(placed[g.P_NODE])
    row = w.ground.nodes[node]
    row[g.N_USED] -= 1.0
    row[g.N_CHANGED] = max(now, row[g.N_UP])
    if row[g.N_USED] > 0.0 or row[g.N_STATE] == g.GONE:
        return
    kind = w.ground.settings[g.S_KIND]
    if kind == g.SINGLE or kind == g.WARM_POOL:
        if row[g.N_STATE] == g.NOTICED:
            return  # it runs until it is reclaimed
        out = w.replicas[replica, m.DRAIN_S]
        held_until = now if out == _INF else max(now, out + w.ground.settings[g.S_RELEASE])
        close_node(w, node, held_until, why)
        if kind == g.WARM_POOL and out < _INF:
            _back_to_pool(w, node, now)
    elif row[g.N_STATE] != g.LIVE or row[g.N_REQUESTED] > now:
        close_node(w, node, now, why)
    elif kind == g.MANAGED:
        plan(w, row[g.N_CHANGED] + w.ground.settings[g.S_RELEASE], g.E_RELEASE, node)


@inner()
def release_empty(w, node, now):  # type: ignore[no-untyped-def]
    """Managed instance scaling lets go of an instance that has been empty for long enough."""
    row = w.ground.nodes[node]
    due = row[g.N_CHANGED] + w.ground.settings[g.S_RELEASE]
    if row[g.N_STATE] != g.LIVE or row[g.N_USED] > 0.0 or due > now:
        return
    if w.integers[m.OPEN] > w.ground.settings[g.S_MIN_NODES]:
        close_node(w, node, now, g.RELEASED)


# --- the warm pool ---


@inner()
def _pool_wanted(w):  # type: ignore[no-untyped-def]
    settings = w.ground.settings
    return warm_pool_size(
        w.integers[m.DESIRED],
        w.integers[m.MAX],
        int(settings[g.S_MAX_PREPARED]),
        int(settings[g.S_MIN_POOL]),
    )


@inner()
def _pool_members(w):  # type: ignore[no-untyped-def]
    """Instances in the pool, on their first start, or on their way back to it."""
    count = 0
    for k in range(w.integers[m.OPEN]):
        row = w.ground.nodes[w.ground.open[k]]
        if row[g.N_ROLE] != g.SERVING:
            count += 1
    if w.ground.settings[g.S_REUSE] != 0.0:
        # Serving instances beyond the ready and pending ones are draining ones.
        serving = w.integers[m.OPEN] - count
        count += max(serving - w.integers[m.READY] - w.integers[m.PENDING], 0)
    return count


@inner()
def _back_to_pool(w, node, now):  # type: ignore[no-untyped-def]
    if w.ground.settings[g.S_REUSE] != 0.0 and _pool_members(w) < _pool_wanted(w):
        row = w.ground.nodes[node]
        open_node(w, now, 0, row[g.N_ZONE], g.HELD, row[g.N_MACHINE])


@inner()
def _newest(w, role):  # type: ignore[no-untyped-def]
    """The row last opened in a role; -1 for none."""
    for k in range(w.integers[m.OPEN] - 1, -1, -1):
        if w.ground.nodes[w.ground.open[k], g.N_ROLE] == role:
            return w.ground.open[k]
    return -1


@inner()
def balance_pool(w, now):  # type: ignore[no-untyped-def]
    """Bring a warm pool to its size: start instances for it, or end the newest."""
    if w.ground.settings[g.S_KIND] != g.WARM_POOL:
        return
    wanted = _pool_wanted(w)
    members = _pool_members(w)
    while members < wanted:
        asked, pool, zone = ask_for_instance(w, now, now)
        init = w.integers[m.INITS]
        w.integers[m.INITS] = init + 1
        node = open_node(w, asked, pool, zone, g.INITIALISING, -1)
        row = w.ground.nodes[node]
        row[g.N_RUNNING] = asked + w.ground.inits[init, g.RUNNING]
        row[g.N_UP] = asked + w.ground.inits[init, g.UP]
        row[g.N_IMAGE] = asked + w.ground.inits[init, g.IMAGE]
        plan(w, asked + w.ground.inits[init, g.READY], g.E_POOL_READY, node)
        members += 1
    while members > wanted:
        newest = _newest(w, g.INITIALISING)
        if newest < 0:
            newest = _newest(w, g.HELD)
        if newest < 0:
            return  # the rest is on its way back and will not be taken in
        close_node(w, newest, now, g.RELEASED)
        members -= 1


@inner()
def enter_pool(w, node, now):  # type: ignore[no-untyped-def]
    """An instance has been prepared: it is held in the pool from now on."""
    row = w.ground.nodes[node]
    if row[g.N_STATE] == g.LIVE and row[g.N_ROLE] == g.INITIALISING:
        close_node(w, node, now, g.RELEASED)
        open_node(w, now, row[g.N_POOL], row[g.N_ZONE], g.HELD, row[g.N_MACHINE])


@inner()
def fill_pool(w, desired):  # type: ignore[no-untyped-def]
    """A warm pool that has been there for long is full of prepared instances at t = 0."""
    if w.ground.settings[g.S_KIND] != g.WARM_POOL:
        return
    settings = w.ground.settings
    wanted = warm_pool_size(
        desired,
        w.integers[m.MAX],
        int(settings[g.S_MAX_PREPARED]),
        int(settings[g.S_MIN_POOL]),
    )
    for _ in range(int(wanted)):
        _, pool, zone = ask_for_instance(w, 0.0, 0.0)
        open_node(w, 0.0, pool, zone, g.HELD, -1)
