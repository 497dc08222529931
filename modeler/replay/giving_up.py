"""How the head of the one queue leaves it unserved: out of patience, or lost for good."""

from __future__ import annotations

from modeler.compiled import inner
from modeler.replay import layout as m
from modeler.replay.fleet import mark_queue_change, pending_seconds
from modeler.replay.quiet import cause_of_wait, note


@inner()
def _leave_queue(w, now):  # type: ignore[no-untyped-def]
    """Take the head out of the queue; its place in the ring."""
    mark_queue_change(w, now)
    head = w.integers[m.HEAD]
    w.integers[m.HEAD] = (head + 1) % len(w.ring_id)
    w.integers[m.QUEUED] -= 1
    if w.integers[m.QUEUED] == 0:
        if w.integers[m.BREACH] == 1:
            w.integers[m.SELF_CLEARED] += 1
        w.integers[m.BREACH] = 0
    return head


@inner()
def give_up_head(w, now, outcome):  # type: ignore[no-untyped-def]
    """The head of the queue leaves without service: its time-out has come, or nothing can serve."""
    head = _leave_queue(w, now)
    arrival = w.ring[head, m.Q_ARRIVAL]
    if outcome == m.LOST:
        w.integers[m.LOST_N] += 1
        cause = m.LOST_CAPACITY
    else:
        w.integers[m.TIMED_OUT_N] += 1
        if (
            w.ring[head, m.Q_JUDGED] > w.floats[m.THRESHOLD]
            or w.ring[head, m.Q_SERVICE] > w.floats[m.CLIENT_TIMEOUT]
        ):
            cause = m.SERVICE_TIME
        else:
            overlap = pending_seconds(w, now) - w.ring[head, m.Q_PENDING_SECONDS]
            cause = cause_of_wait(w.floats[m.AT_MAX_SINCE], arrival, now - arrival, overlap)
    w.integers[m.CAUSE_N + cause] += 1
    if w.integers[m.RECORD] != 0:
        note(w.record_s, w.record, w.ring_id[head], m.INF, now, outcome, cause, -1)
