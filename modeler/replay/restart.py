"""Replicas that have to go because their machine does, and those asked for in their place."""

from __future__ import annotations

from modeler.compiled import inner
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.fleet import drain, new_replica, pending_changed
from modeler.replay.losses import note_draining
from modeler.replay.machine_events import plan
from modeler.replay.placement import put
from modeler.replay.release import vacate

_INF = m.INF


@inner()
def ask_again(w, now, count, earliest, attempt):  # type: ignore[no-untyped-def]
    """Request replacements that start from `earliest` on, after so many starts that failed."""
    before = w.integers[m.PENDING]
    for _ in range(count):
        put(w, new_replica(w, now), now, earliest, attempt)
    if count > 0:
        w.floats[m.ACTIVITY_DONE] = _INF
        pending_changed(w, now, before)
    elif before == 0 and w.floats[m.ACTIVITY_DONE] == _INF:
        w.floats[m.ACTIVITY_DONE] = now


@inner()
def evict(w, node, now, arrived, why):  # type: ignore[no-untyped-def]
    """Take every replica of an instance out of service; how many there were."""
    count = 0
    for seat in range(w.integers[m.READY] - 1, -1, -1):
        replica = w.live[seat]
        if w.ground.placed[replica, g.P_NODE] == node:
            drain(w, seat, now, arrived)
            plan(w, w.replicas[replica, m.STOP_S], g.E_STOP, replica)
            note_draining(w, replica, now)
            w.ground.placed[replica, g.P_NOTICE] = now
            w.ground.placed[replica, g.P_ENDED] = why
            count += 1
    return count + abandon_starts(w, node, now, why)


@inner()
def abandon_starts(w, node, now, why):  # type: ignore[no-untyped-def]
    """Give up every start on an instance; how many there were."""
    before = w.integers[m.PENDING]
    kept = 0
    for k in range(before):
        replica = w.pending[k]
        if w.ground.placed[replica, g.P_NODE] == node:
            w.replicas[replica, m.READY_S] = _INF
            w.replicas[replica, m.STOP_S] = now
            w.ground.placed[replica, g.P_NOTICE] = now
            vacate(w, replica, now, why)
        else:
            w.pending[kept] = replica
            kept += 1
    w.integers[m.PENDING] = kept
    pending_changed(w, now, before)
    return before - kept
