"""How node autoscalers take instances away: Karpenter, Cluster Autoscaler, SageMaker.

Karpenter looks every 10 s for empty instances, else for instances whose replicas all find places
on others, takes as many as its disruption budget allows, and acts when a second look 15 s later
finds the same. Cluster Autoscaler removes an instance that a run of scans has found unneeded for
10 minutes, empty ones many at a time and one with replicas at a time. SageMaker's consolidation
repacks copies once per cooldown.
"""

from __future__ import annotations

import math

from modeler.compiled import inner
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.machine_events import plan
from modeler.replay.placement import close_node
from modeler.replay.restart import ask_again, evict

_INF = m.INF
_LOOK, _LOOK_AGAIN = 0, 1


@inner()
def _is_candidate(w, node, now):  # type: ignore[no-untyped-def]
    row = w.ground.nodes[node]
    still = now - row[g.N_CHANGED] >= w.ground.settings[g.S_QUIET]
    return row[g.N_STATE] == g.LIVE and row[g.N_UP] <= now and still


@inner()
def _free_elsewhere(w, now):  # type: ignore[no-untyped-def]
    """Places free on instances that are up and that nobody thinks of taking away."""
    free = 0.0
    for k in range(w.integers[m.OPEN]):
        row = w.ground.nodes[w.ground.open[k]]
        if row[g.N_STATE] == g.LIVE and row[g.N_UP] <= now and row[g.N_MARK] == _INF:
            free += w.ground.settings[g.S_PLACES] - row[g.N_USED]
    return free


@inner()
def _clear_marks(w):  # type: ignore[no-untyped-def]
    for k in range(w.integers[m.OPEN]):
        w.ground.nodes[w.ground.open[k], g.N_MARK] = _INF


@inner()
def _allowed(w, now):  # type: ignore[no-untyped-def]
    """Instances that may be disrupted now: the budget's share, rounded up, less those that are."""
    disrupted = 0
    for k in range(w.integers[m.OPEN]):
        row = w.ground.nodes[w.ground.open[k]]
        if row[g.N_STATE] != g.LIVE or row[g.N_UP] > now:
            disrupted += 1
    share = w.ground.settings[g.S_BUDGET] * w.integers[m.OPEN]
    return min(math.ceil(share) - disrupted, int(w.ground.settings[g.S_STEP]))


@inner()
def _mark_empty(w, now, allowed):  # type: ignore[no-untyped-def]
    """Mark empty instances, the oldest first."""
    marked = 0
    spare = w.integers[m.OPEN] - w.ground.settings[g.S_MIN_NODES]
    for k in range(w.integers[m.OPEN]):
        node = w.ground.open[k]
        fits = marked < allowed and marked < spare
        if fits and w.ground.nodes[node, g.N_USED] == 0.0 and _is_candidate(w, node, now):
            w.ground.nodes[node, g.N_MARK] = now
            marked += 1
    return marked


@inner()
def _mark_underused(w, now, allowed):  # type: ignore[no-untyped-def]
    """Mark the instances with the fewest replicas, as many as the others have places for."""
    marked = 0
    moved = 0.0
    spare = w.integers[m.OPEN] - w.ground.settings[g.S_MIN_NODES]
    while marked < allowed and marked < spare:
        best = -1
        for k in range(w.integers[m.OPEN]):
            node = w.ground.open[k]
            row = w.ground.nodes[node]
            marked_already = row[g.N_MARK] < _INF
            if marked_already or row[g.N_USED] == 0.0 or not _is_candidate(w, node, now):
                continue
            if best < 0 or row[g.N_USED] < w.ground.nodes[best, g.N_USED]:
                best = node
        if best < 0:
            break
        used = w.ground.nodes[best, g.N_USED]
        w.ground.nodes[best, g.N_MARK] = now
        if moved + used > _free_elsewhere(w, now):
            w.ground.nodes[best, g.N_MARK] = _INF
            break
        moved += used
        marked += 1
    return marked


@inner()
def _look(w, now):  # type: ignore[no-untyped-def]
    """Karpenter's or SageMaker's first look: which instances could go."""
    settings = w.ground.settings
    _clear_marks(w)
    allowed = _allowed(w, now)
    marked = _mark_empty(w, now, allowed) if settings[g.S_KIND] == g.KARPENTER else 0
    if marked == 0 and settings[g.S_UNDERUSED] != 0.0:
        marked = _mark_underused(w, now, allowed)
    if marked > 0:
        plan(w, now + settings[g.S_VALIDATE], g.E_SCAN, _LOOK_AGAIN)
    else:
        plan(w, now + settings[g.S_SCAN], g.E_SCAN, _LOOK)


@inner()
def _look_again(w, now, arrived):  # type: ignore[no-untyped-def]
    """Act on what the first look found, if nothing has come or gone since and it still fits."""
    moved = 0.0
    holds = True
    for k in range(w.integers[m.OPEN]):
        row = w.ground.nodes[w.ground.open[k]]
        if row[g.N_MARK] < _INF:
            holds = holds and row[g.N_STATE] == g.LIVE and row[g.N_CHANGED] <= row[g.N_MARK]
            moved += row[g.N_USED]
    if holds and (moved == 0.0 or moved <= _free_elsewhere(w, now)):
        _remove_marked(w, now, arrived)
    _clear_marks(w)
    plan(w, now + w.ground.settings[g.S_SCAN], g.E_SCAN, _LOOK)


@inner()
def _remove_marked(w, now, arrived):  # type: ignore[no-untyped-def]
    """Empty the marked instances; what was on them is asked for again, and finds other places."""
    evicted = 0
    k = 0
    while k < w.integers[m.OPEN]:
        node = w.ground.open[k]
        row = w.ground.nodes[node]
        if row[g.N_MARK] < _INF:
            row[g.N_MARK] = _INF
            if row[g.N_USED] == 0.0:
                close_node(w, node, now, g.RELEASED)
                continue
            row[g.N_STATE] = g.CLOSING
            evicted += evict(w, node, now, arrived, g.EVICTED)
            if row[g.N_STATE] == g.GONE:
                continue
        k += 1
    ask_again(w, now, evicted, now, 0)


@inner()
def _scan(w, now, arrived):  # type: ignore[no-untyped-def]
    """One loop of Cluster Autoscaler's scale-down."""
    settings = w.ground.settings
    moved = 0.0
    free = 0.0
    for k in range(w.integers[m.OPEN]):
        row = w.ground.nodes[w.ground.open[k]]
        if row[g.N_STATE] == g.LIVE and row[g.N_UP] <= now:
            free += settings[g.S_PLACES] - row[g.N_USED]
    for k in range(w.integers[m.OPEN]):
        row = w.ground.nodes[w.ground.open[k]]
        if row[g.N_STATE] != g.LIVE or row[g.N_UP] > now:
            row[g.N_MARK] = _INF
            continue
        own = settings[g.S_PLACES] - row[g.N_USED]
        under = row[g.N_USED] < settings[g.S_THRESHOLD] * settings[g.S_PLACES]
        if under and moved + row[g.N_USED] <= free - own:
            moved += row[g.N_USED]
            free -= own
            row[g.N_MARK] = min(row[g.N_MARK], now)
        else:
            row[g.N_MARK] = _INF
    cooled = now - w.floats[m.LAST_ADD] >= settings[g.S_AFTER_ADD]
    if cooled and now - w.floats[m.LAST_FAILURE] >= settings[g.S_AFTER_FAILURE]:
        _scale_down(w, now, arrived)
    plan(w, now + settings[g.S_SCAN], g.E_SCAN, _LOOK)


@inner()
def _scale_down(w, now, arrived):  # type: ignore[no-untyped-def]
    """Remove what has been unneeded for long: empty instances at once, else one with replicas."""
    settings = w.ground.settings
    removed = 0
    k = 0
    while k < w.integers[m.OPEN]:
        node = w.ground.open[k]
        row = w.ground.nodes[node]
        long = now - row[g.N_MARK] >= settings[g.S_UNNEEDED]
        spare = w.integers[m.OPEN] > settings[g.S_MIN_NODES]
        if long and row[g.N_USED] == 0.0 and spare and removed < settings[g.S_STEP]:
            close_node(w, node, now, g.RELEASED)
            removed += 1
        else:
            k += 1
    if removed > 0 or w.integers[m.OPEN] <= settings[g.S_MIN_NODES]:
        return
    for k in range(w.integers[m.OPEN]):
        node = w.ground.open[k]
        row = w.ground.nodes[node]
        if now - row[g.N_MARK] >= settings[g.S_UNNEEDED]:
            row[g.N_MARK] = _INF
            row[g.N_STATE] = g.CLOSING
            ask_again(w, now, evict(w, node, now, arrived, g.EVICTED), now, 0)
            return


@inner()
def scan(w, subject, now, arrived):  # type: ignore[no-untyped-def]
    """What the node autoscaler does at one of its looks."""
    if w.ground.settings[g.S_KIND] == g.CLUSTER_AUTOSCALER:
        _scan(w, now, arrived)
    elif subject == _LOOK:
        _look(w, now)
    else:
        _look_again(w, now, arrived)


@inner()
def first_scan(w):  # type: ignore[no-untyped-def]
    """Plan the first look: one period after the start, where the layer looks at all."""
    kind = w.ground.settings[g.S_KIND]
    if kind == g.KARPENTER or kind == g.CLUSTER_AUTOSCALER or kind == g.MANAGED:
        plan(w, w.ground.settings[g.S_SCAN], g.E_SCAN, _LOOK)
