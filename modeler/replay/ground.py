"""The one way from the loop to what lies beneath the replicas.

The loop calls it through a function pointer, so that all of it is compiled once, apart from the
loop, and only in a process that has machines to replay.
"""

from __future__ import annotations

from modeler.compiled import entry, kernel
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.incidents import machine_event, room_on_ground, settle_warm
from modeler.replay.losses import note_draining, room_in_log, settle
from modeler.replay.machine_events import plan
from modeler.replay.placement import put
from modeler.replay.release import balance_pool, on_the_bill, vacate


@kernel(m.BENEATH_SIGNATURE)
def act(operation, subject, now, arrived, w):  # type: ignore[no-untyped-def]
    """Do one operation of `layout.OP_..`."""
    if operation == m.OP_EVENT:
        machine_event(w, now, arrived)
    elif operation == m.OP_PUT:
        put(w, subject, now, now, 0)
    elif operation == m.OP_LEFT:
        vacate(w, subject, now, g.RELEASED)
    elif operation == m.OP_DRAINED:
        plan(w, w.replicas[subject, m.STOP_S], g.E_STOP, subject)
        note_draining(w, subject, now)
    elif operation == m.OP_DESIRED:
        balance_pool(w, now)
    elif operation == m.OP_START:
        settle_warm(w, subject)
    elif operation == m.OP_COUNT:
        return on_the_bill(w)
    elif operation == m.OP_ROOM:
        return int(room_on_ground(w))
    elif operation == m.OP_LOG:
        return int(room_in_log(w, now))
    elif operation == m.OP_SETTLE:
        settle(w, now)
    return 0


beneath = entry(m.BENEATH_SIGNATURE, act)
