"""The loop beside `routed` for replicas that batch: requests come and join a batch.

An arrival that finds a place starts at once: its prompt passes through from the next step on. One
that finds none waits, in one line before all replicas or at the one it was sent to, as the router
has it. A request that could never fit beside nobody else is refused. Dynamic batching takes the
same ways; what differs at each is in `gathering`.
"""

from __future__ import annotations

from modeler.compiled import entry, inner, kernel
from modeler.replay import batch_layout as b
from modeler.replay import events as e
from modeler.replay import layout as m
from modeler.replay.attempts import (
    append,
    attempts_fit,
    close_breach,
    give_up,
    joins_queue,
    leaves_queue,
    refuse,
    take_head,
)
from modeler.replay.fleet import pending_seconds
from modeler.replay.gathering import (
    end_batch,
    free_seat,
    gather,
    has_place,
    look_again,
    reconsider,
)
from modeler.replay.ground import act
from modeler.replay.machine_events import plan
from modeler.replay.machine_layout import E_STOP
from modeler.replay.seats import (
    assign,
    cut_short,
    end_step,
    fits,
    join_line,
    leave_line,
    need_of,
    plan_steps,
)
from modeler.replay.ways import (
    comes_again,
    deadline_of,
    next_leave,
    next_release,
    next_retry,
    sent_to,
    takes_row,
    turned_away,
    unbind,
)

_INF = m.INF


@inner()
def _look_ahead(w):  # type: ignore[no-untyped-def]
    """Note when the batch of a replica next changes, and when who waits at one gives up."""
    step = leave = _INF
    for s in range(w.integers[m.SEATS]):
        step = min(step, w.batch.seats[s, b.S_NEXT])
        leave = min(leave, w.batch.seats[s, b.S_LEAVE])
    w.floats[m.NEXT_STEP] = step
    w.floats[m.NEXT_LEAVE] = leave


@inner()
def _new_head(w, now):  # type: ignore[no-untyped-def]
    """Another is first in the line before all replicas: it may fit where the one before did not."""
    head = w.integers[m.LINE_HEAD]
    if head == m.NOBODY:
        return
    need = need_of(w, head)
    for k in range(w.integers[m.READY]):
        seat = w.batch.seats[w.load[w.live[k], m.L_SEAT]]
        used = seat[b.S_CONTEXT] + seat[b.S_HELD]
        if seat[b.S_RUNNING] < w.integers[m.SLOTS] and used + need <= w.batch.law[b.K_CAPACITY]:
            cut_short(w, w.load[w.live[k], m.L_SEAT], now)


@inner()
def _emptiest(w, need, now):  # type: ignore[no-untyped-def]
    """Seat of the ready replica with the fewest sequences among those that have a place; -1: none.

    Of equal ones the longest ready.
    """
    least = -1.0
    while True:
        best, fewest = -1, _INF
        for k in range(w.integers[m.READY]):
            s = w.load[w.live[k], m.L_SEAT]
            running = w.batch.seats[s, b.S_RUNNING]
            if least < running < fewest:
                best, fewest = s, running
        if best < 0:
            return -1
        for k in range(w.integers[m.READY]):
            s = w.load[w.live[k], m.L_SEAT]
            if w.batch.seats[s, b.S_RUNNING] == fewest and fits(w, s, need, now):
                return s
        least = fewest


@inner()
def _place(w, now, ordinal, attempt, first, came, prompt, output, pending_s):  # type: ignore[no-untyped-def]
    """Send one attempt on its way: into a batch, into a line, held or refused."""
    central = w.integers[m.ROUTER] == m.CENTRAL
    gathers = w.integers[m.BATCHED] == b.DYNAMIC
    if not gathers and prompt + max(output, 1.0) - 1.0 > w.batch.law[b.K_CAPACITY]:
        refuse(w, now, ordinal, attempt, first, prompt, output, pending_s, m.SERVICE_TIME)
        return
    place = sent_to(w, now, ordinal, attempt, first, came, prompt, output, pending_s)
    if place < 0:
        return
    s, need = -1, max(prompt, 1.0)
    if not central:
        own = w.load[w.live[place], m.L_SEAT]
        if has_place(w, own) if gathers else fits(w, own, need, now):
            s = own
    elif gathers:
        s = free_seat(w)
    elif w.integers[m.LINE_HEAD] == m.NOBODY:
        s = _emptiest(w, need, now)
    if s < 0:
        waiting = w.integers[m.QUEUED] - w.integers[m.HELD]
        if not central:
            waiting = w.load[w.live[place], m.L_WAITING]
        if turned_away(w, now, ordinal, attempt, first, came, prompt, output, pending_s, waiting):
            return
    row = takes_row(w, now, ordinal, attempt, first, came, prompt, output, pending_s)
    w.tries[row, b.R_DONE] = 0.0
    w.tries[row, b.R_START] = _INF
    w.tries[row, b.R_TOKEN] = _INF
    if gathers:
        free = s >= 0
        if not central:
            s = w.load[w.live[place], m.L_SEAT]
        gather(w, s, row, now, free)
        _look_ahead(w)
        return
    if s >= 0:
        w.load[int(w.batch.seats[s, b.S_REPLICA]), m.L_OUTSTANDING] += 1
        assign(w, s, row, now)
        w.floats[m.NEXT_STEP] = min(w.floats[m.NEXT_STEP], w.batch.seats[s, b.S_NEXT])
        return
    joins_queue(w, now)
    if central:
        append(w, m.LINE_HEAD, row)
        return
    replica = w.live[place]
    w.tries_id[row, m.I_REPLICA] = replica
    w.load[replica, m.L_WAITING] += 1
    w.load[replica, m.L_OUTSTANDING] += 1
    join_line(w, w.load[replica, m.L_SEAT], row)
    w.floats[m.NEXT_LEAVE] = min(w.floats[m.NEXT_LEAVE], w.tries[row, m.T_DEADLINE])


@inner()
def _vacate(w, s, now):  # type: ignore[no-untyped-def]
    """A replica that drains stops once its batch is empty; with the last the activity is done."""
    seat = w.batch.seats[s]
    waits = int(seat[b.S_LINE_HEAD]) != m.NOBODY
    if seat[b.S_DRAINING] == 0.0 or seat[b.S_RUNNING] > 0.0 or waits:
        return
    replica = int(seat[b.S_REPLICA])
    w.replicas[replica, m.STOP_S] = now
    if w.integers[m.GROUND] != 0:
        plan(w, now, E_STOP, replica)
    seat[b.S_REPLICA] = float(m.NOBODY)
    seat[b.S_DRAINING] = 0.0
    for k in range(w.integers[m.SEATS]):
        if w.batch.seats[k, b.S_DRAINING] != 0.0:
            return
    if w.integers[m.PENDING] == 0:
        w.floats[m.ACTIVITY_DONE] = now


@inner()
def _end_steps(w, now):  # type: ignore[no-untyped-def]
    """The steps of one replica that end now, the longest seated among equals."""
    for s in range(w.integers[m.SEATS]):
        if w.batch.seats[s, b.S_NEXT] <= now:
            if w.integers[m.BATCHED] == b.DYNAMIC:
                end_batch(w, s, now)
                _vacate(w, s, now)
                break
            head = w.integers[m.LINE_HEAD]
            end_step(w, s, now)
            if w.integers[m.LINE_HEAD] != head:
                _new_head(w, now)
            _vacate(w, s, now)
            break
    _look_ahead(w)


@inner()
def _leave(w, now):  # type: ignore[no-untyped-def]
    """One of those whose deadline has come gives up: held, in the line, then at a replica."""
    leaves_queue(w, now)
    if deadline_of(w, m.HELD_HEAD) <= now:
        w.integers[m.HELD] -= 1
        row = take_head(w, m.HELD_HEAD)
    elif deadline_of(w, m.LINE_HEAD) <= now:
        row = take_head(w, m.LINE_HEAD)
        if w.integers[m.BATCHED] == b.DYNAMIC:
            reconsider(w, now)
        else:
            _new_head(w, now)
        _look_ahead(w)
    else:
        s = 0
        while w.batch.seats[s, b.S_LEAVE] > now:
            s += 1
        row = leave_line(w, s, now)
        unbind(w, row)
        if w.integers[m.BATCHED] == b.DYNAMIC:
            look_again(w, s, now)
            _vacate(w, s, now)
        else:
            cut_short(w, s, now)
        _look_ahead(w)
    give_up(w, row, now)
    close_breach(w)


@inner()
def _step(w, kind, now):  # type: ignore[no-untyped-def]
    """One event of requests that are here already."""
    if kind == e.START:
        _end_steps(w, now)
    elif kind == e.TIMEOUT:
        _leave(w, now)
    else:
        ordinal, attempt, first, came, prompt, output, pending_s = comes_again(w, kind, now)
        _place(w, now, ordinal, attempt, first, came, prompt, output, pending_s)
        if kind == e.RELEASE:
            close_breach(w)


@inner()
def _seat(w, replica, now):  # type: ignore[no-untyped-def]
    """Give a replica that has become ready a seat; who waits before all of them comes in."""
    s = 0
    while s < w.integers[m.SEATS] and int(w.batch.seats[s, b.S_REPLICA]) != m.NOBODY:
        s += 1
    w.integers[m.SEATS] = max(w.integers[m.SEATS], s + 1)
    seat = w.batch.seats[s]
    for column in range(b.SEAT_COLUMNS):
        seat[column] = 0.0
    seat[b.S_REPLICA] = replica
    seat[b.S_NEXT] = seat[b.S_LEAVE] = _INF
    seat[b.S_LINE_HEAD] = seat[b.S_LINE_TAIL] = m.NOBODY
    w.load[replica, m.L_SEAT] = s
    if w.integers[m.BATCHED] == b.DYNAMIC:
        look_again(w, s, now)
    else:
        plan_steps(w, s, now)
        _new_head(w, now)
    _look_ahead(w)


@inner()
def _unseat(w, replica, now):  # type: ignore[no-untyped-def]
    """Take a replica out of service; it finishes its batch and its own line."""
    s = w.load[replica, m.L_SEAT]
    w.batch.seats[s, b.S_DRAINING] = 1.0
    w.replicas[replica, m.STOP_S] = _INF
    if w.integers[m.BATCHED] == b.DYNAMIC and w.integers[m.ROUTER] == m.CENTRAL:
        # Another gathers in its place.
        if w.batch.seats[s, b.S_RUNNING] == 0.0:
            w.batch.seats[s, b.S_NEXT] = _INF
        reconsider(w, now)
        _look_ahead(w)
    _vacate(w, s, now)


@inner()
def _attend(w, i, due, first):  # type: ignore[no-untyped-def]
    """Requests ``i ..`` of the chunk as far as they come before `due`; where to go on from."""
    n = w.integers[m.UNTIL]
    while i < n and attempts_fit(w):
        arrival = w.batch.arrival_s[i]
        kind, now = e.ARRIVAL, arrival
        retry = next_retry(w)
        if retry <= now:
            kind, now = e.RETRY, retry
        if w.integers[m.QUEUED] > 0:
            leave = next_leave(w)
            if leave <= now:
                kind, now = e.TIMEOUT, leave
            release = next_release(w)
            if release <= now:
                kind, now = e.RELEASE, release
        if w.floats[m.NEXT_STEP] <= now:
            kind, now = e.START, w.floats[m.NEXT_STEP]
        if now > due or (now == due and kind != e.START):
            break
        if kind == e.ARRIVAL:
            pending_s = pending_seconds(w, now)
            prompt, output = w.batch.prompt[i], w.batch.output[i]
            _place(w, now, first + i, 0, now, now, prompt, output, pending_s)
            i += 1
        else:
            _step(w, kind, now)
    return i


@kernel(m.BENEATH_SIGNATURE)
def _batched(operation, subject, now, arrived, w):  # type: ignore[no-untyped-def]
    """What the loop asks of replicas that batch."""
    if operation == m.OP_ATTEND:
        return _attend(w, subject, now, arrived)
    if operation == m.OP_STEP:
        _step(w, subject, now)
    elif operation == m.OP_SEAT:
        _seat(w, subject, now)
    elif operation == m.OP_UNSEAT:
        _unseat(w, subject, now)
    return 0


@kernel(m.BENEATH_SIGNATURE)
def _on_machines(operation, subject, now, arrived, w):  # type: ignore[no-untyped-def]
    """The same, with machines beneath those replicas."""
    if operation >= m.OP_SEAT:
        return _batched(operation, subject, now, arrived, w)
    return act(operation, subject, now, arrived, w)


batched = entry(m.BENEATH_SIGNATURE, _batched)
batched_on_machines = entry(m.BENEATH_SIGNATURE, _on_machines)
