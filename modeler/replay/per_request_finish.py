"""The end of a run of scale per request: the clock to the horizon, and every account closed."""

from __future__ import annotations

from numba import types

from modeler.autoscale.observation import FUNCTION
from modeler.compiled import kernel
from modeler.replay import environments as e
from modeler.replay import layout as m
from modeler.replay.provisioned import hand_back, handle, next_event, room_for_event


@kernel(types.int64(FUNCTION, types.int64, e.MEMORY_TYPE), nogil=True)
def finish(policy, requests, w):  # type: ignore[no-untyped-def]
    """Let the clock run to the horizon, then close every environment's account.

    The run ends with the horizon or with the last request, whichever is later. What is idle then
    has been so up to that moment, or until it was gone.
    """
    while True:
        kind, now = next_event(w, w.floats[m.HORIZON])
        if kind == 0:
            break
        if not room_for_event(w):
            return m.GROW
        handle(policy, w, kind, now, requests + w.integers[m.COMEBACKS])
    if not room_for_event(w):
        return m.GROW
    end = max(w.floats[m.HORIZON], w.floats[m.END])
    pool = w.on_demand
    size = w.integers[e.SIZE]
    for k in range(size):
        end = max(end, pool.latest[k])
    for k in range(w.integers[e.P_SIZE]):
        # What is still being prepared has had no request.
        if w.provisioned.latest[k] > w.provisioned.begin[k]:
            end = max(end, w.provisioned.latest[k])
    w.floats[m.END] = end
    for k in range(size):
        gone = pool.expire[k]
        if w.integers[e.KEEP_SAMPLED] == 0:
            gone = pool.latest[k] + w.floats[e.KEEP]
        gone = min(gone, end)
        w.floats[e.IDLE] += gone - pool.latest[k]
        if w.integers[e.ROWS] != 0:
            w.replicas[pool.ordinal[k], m.STOP_S] = gone
    for k in range(w.integers[e.P_SIZE]):
        hand_back(w, k, end)
    return m.DONE
