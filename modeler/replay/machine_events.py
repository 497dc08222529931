"""The heap of what will happen to machines: (time, kind, subject), the earliest first.

Events of one instant come in the order of their kinds, then of their subjects' numbers.
"""

from __future__ import annotations

from modeler.compiled import inner, kernel
from modeler.replay import layout as m


@kernel()
def _before(events, one, other):  # type: ignore[no-untyped-def]
    for column in range(3):
        if events[one, column] != events[other, column]:
            return events[one, column] < events[other, column]
    return False


@kernel()
def _swap(events, one, other):  # type: ignore[no-untyped-def]
    for column in range(3):
        kept = events[one, column]
        events[one, column] = events[other, column]
        events[other, column] = kept


@inner()
def plan(w, time, kind, subject):  # type: ignore[no-untyped-def]
    """Have an event happen; an infinite time is never."""
    if time == m.INF:
        return
    events = w.ground.events
    hole = w.integers[m.EVENTS]
    w.integers[m.EVENTS] = hole + 1
    events[hole, 0] = time
    events[hole, 1] = kind
    events[hole, 2] = subject
    while hole > 0 and _before(events, hole, (hole - 1) >> 1):
        _swap(events, hole, (hole - 1) >> 1)
        hole = (hole - 1) >> 1
    w.floats[m.NEXT_MACHINE] = events[0, 0]


@inner()
def take_event(w):  # type: ignore[no-untyped-def]
    """Take the earliest event out: its kind and its subject."""
    events = w.ground.events
    kind = int(events[0, 1])
    subject = int(events[0, 2])
    last = w.integers[m.EVENTS] - 1
    w.integers[m.EVENTS] = last
    _swap(events, 0, last)
    hole = 0
    child = 1
    while child < last:
        if child + 1 < last and _before(events, child + 1, child):
            child += 1
        if not _before(events, child, hole):
            break
        _swap(events, child, hole)
        hole = child
        child = 2 * hole + 1
    w.floats[m.NEXT_MACHINE] = events[0, 0] if last > 0 else m.INF
    return kind, subject
