"""The batch of one replica: who comes in, what the next steps are, who leaves.

Between two changes of the batch every step decodes one token of the same sequences, so a stretch of
steps is one sum (`steps.stretch_s`) and the batch is looked at only when a sequence ends, a prompt
passes through, the cache is full, or somebody comes.

At the end of a step: tokens are put out, sequences that are complete leave, the newest are put back
while the cache is short, waiting ones come in, the next steps are planned. A sequence that was put
back keeps its place at the head of its replica's line, and its prompt and what it had put out pass
through again.
"""

from __future__ import annotations

from modeler.compiled import inner
from modeler.replay import batch_layout as b
from modeler.replay import layout as m
from modeler.replay.attempts import cause_of_late, close_breach, end_of, free_row, leaves_queue
from modeler.replay.fleet import pending_seconds
from modeler.replay.histogram import bucket_of
from modeler.replay.steps import step_s, steps_until, stretch_s

_INF = m.INF


@inner()
def need_of(w, row):  # type: ignore[no-untyped-def]
    """Tokens that must pass through before the next is put out."""
    # Of an empty prompt one token that begins the sequence.
    return max(w.tries[row, b.T_PROMPT] + w.tries[row, b.R_DONE], 1.0)


@inner()
def _steps_by(w, s, now):  # type: ignore[no-untyped-def]
    """The step of the running ones that ends first, now or later."""
    seat = w.batch.seats[s]
    if seat[b.S_PLANNED] <= 1.0:
        return 1.0
    return steps_until(
        w.batch.law,
        seat[b.S_DECODING],
        seat[b.S_CONTEXT],
        seat[b.S_PLANNED],
        now - seat[b.S_SINCE],
    )


@inner()
def fits(w, s, need, now):  # type: ignore[no-untyped-def]
    """Whether a sequence finds a place, and cache beside what lies there as the step began."""
    seat = w.batch.seats[s]
    if seat[b.S_RUNNING] >= w.integers[m.SLOTS] or int(seat[b.S_LINE_HEAD]) != m.NOBODY:
        return False
    capacity = w.batch.law[b.K_CAPACITY]
    used = seat[b.S_CONTEXT] + seat[b.S_HELD] + need
    if used > capacity:
        return False
    if seat[b.S_NEXT] == _INF:
        return True
    return used + seat[b.S_DECODING] * (_steps_by(w, s, now) - 1.0) <= capacity


@inner()
def _enter(w, s, row, now):  # type: ignore[no-untyped-def]
    """Put a sequence into the batch; its prompt passes through from the next step on."""
    seat = w.batch.seats[s]
    running = int(seat[b.S_RUNNING])
    w.batch.members[s, running] = row
    seat[b.S_RUNNING] = running + 1.0
    seat[b.S_HELD] += need_of(w, row)
    w.tries[row, b.R_FILLED] = 0.0
    if w.tries[row, b.R_START] == _INF:
        w.tries[row, b.R_START] = now
        w.tries[row, m.T_DEADLINE] = _INF
        w.integers[m.IN_SERVICE] += 1
        w.floats[m.START_SUM] += now


@inner()
def cut_short(w, s, now):  # type: ignore[no-untyped-def]
    """Let the stretch of steps end with the one that is running: who comes in next may be new."""
    seat = w.batch.seats[s]
    if seat[b.S_PLANNED] > 1.0:
        steps = _steps_by(w, s, now)
        seat[b.S_PLANNED] = steps
        seat[b.S_NEXT] = seat[b.S_SINCE] + stretch_s(
            w.batch.law, seat[b.S_DECODING], seat[b.S_CONTEXT], steps
        )


@inner()
def assign(w, s, row, now):  # type: ignore[no-untyped-def]
    """Give a sequence that has just come its place; the running step is the last without it."""
    _enter(w, s, row, now)
    seat = w.batch.seats[s]
    if seat[b.S_NEXT] == _INF:
        plan_steps(w, s, now)
    else:
        cut_short(w, s, now)


@inner()
def _put_back(w, s):  # type: ignore[no-untyped-def]
    """The newest sequence gives up its cache and waits at the head of its replica's line."""
    seat = w.batch.seats[s]
    last = int(seat[b.S_RUNNING]) - 1
    row = w.batch.members[s, last]
    seat[b.S_RUNNING] = float(last)
    if w.tries[row, b.R_FILLED] == _INF:
        done = w.tries[row, b.T_OUTPUT] - (w.tries[row, b.R_LAST] - seat[b.S_STEPS])
        seat[b.S_DECODING] -= 1.0
        seat[b.S_CONTEXT] -= w.tries[row, b.T_PROMPT] + done
        w.tries[row, b.R_DONE] = done
    else:
        seat[b.S_HELD] -= need_of(w, row)
    head = int(seat[b.S_LINE_HEAD])
    w.tries_id[row, m.I_NEXT] = head
    seat[b.S_LINE_HEAD] = row
    if head == m.NOBODY:
        seat[b.S_LINE_TAIL] = row


@inner()
def join_line(w, s, row):  # type: ignore[no-untyped-def]
    """Wait at a replica."""
    seat = w.batch.seats[s]
    if int(seat[b.S_LINE_HEAD]) == m.NOBODY:
        seat[b.S_LINE_HEAD] = row
    else:
        w.tries_id[int(seat[b.S_LINE_TAIL]), m.I_NEXT] = row
    seat[b.S_LINE_TAIL] = row
    seat[b.S_LEAVE] = min(seat[b.S_LEAVE], w.tries[row, m.T_DEADLINE])


@inner()
def first_deadline(w, s):  # type: ignore[no-untyped-def]
    """When the first in a replica's line gives up; who was put back has started and does not."""
    row = int(w.batch.seats[s, b.S_LINE_HEAD])
    while row != m.NOBODY:
        if w.tries[row, b.R_START] == _INF:
            return w.tries[row, m.T_DEADLINE]
        row = w.tries_id[row, m.I_NEXT]
    return _INF


@inner()
def leave_line(w, s, now):  # type: ignore[no-untyped-def]
    """Take the first whose deadline has come out of a replica's line; its row."""
    seat = w.batch.seats[s]
    before, row = m.NOBODY, int(seat[b.S_LINE_HEAD])
    while w.tries[row, m.T_DEADLINE] > now:
        before, row = row, w.tries_id[row, m.I_NEXT]
    after = w.tries_id[row, m.I_NEXT]
    if before == m.NOBODY:
        seat[b.S_LINE_HEAD] = after
    else:
        w.tries_id[before, m.I_NEXT] = after
    if after == m.NOBODY:
        seat[b.S_LINE_TAIL] = before
    seat[b.S_LEAVE] = first_deadline(w, s)
    return row


@inner()
def _let_in(w, s, now):  # type: ignore[no-untyped-def]
    """Who waits comes in, in turn: first those at the replica, then those before all of them."""
    seat = w.batch.seats[s]
    capacity = w.batch.law[b.K_CAPACITY]
    central = w.integers[m.ROUTER] == m.CENTRAL and seat[b.S_DRAINING] == 0.0
    while seat[b.S_RUNNING] < w.integers[m.SLOTS]:
        own = int(seat[b.S_LINE_HEAD])
        row = own
        if own == m.NOBODY and central:
            row = w.integers[m.LINE_HEAD]
        if row == m.NOBODY or seat[b.S_CONTEXT] + seat[b.S_HELD] + need_of(w, row) > capacity:
            break
        after = w.tries_id[row, m.I_NEXT]
        replica = int(seat[b.S_REPLICA])
        if own != m.NOBODY:
            seat[b.S_LINE_HEAD] = after
            if after == m.NOBODY:
                seat[b.S_LINE_TAIL] = m.NOBODY
        else:
            w.integers[m.LINE_HEAD] = after
            w.load[replica, m.L_OUTSTANDING] += 1
        waited = w.tries[row, b.R_START] == _INF
        _enter(w, s, row, now)
        if waited:
            if own != m.NOBODY:
                w.load[replica, m.L_WAITING] -= 1
                seat[b.S_LEAVE] = first_deadline(w, s)
            leaves_queue(w, now)
            close_breach(w)


@inner()
def _prompts(w, s):  # type: ignore[no-untyped-def]
    """Prompt tokens of the next step, and what they look back on; first come, first through."""
    seat = w.batch.seats[s]
    left = w.batch.law[b.K_BUDGET]
    if w.batch.law[b.K_MIXED] != 0.0:
        left -= seat[b.S_DECODING]
    tokens = looked_back = 0.0
    for k in range(int(seat[b.S_ENTERED])):
        row = w.batch.members[s, k]
        filled = w.tries[row, b.R_FILLED]
        if filled < _INF and left > 0.0:
            taken = min(left, need_of(w, row) - filled)
            left -= taken
            tokens += taken
            looked_back += taken * filled + 0.5 * taken * taken
    return tokens, looked_back


@inner()
def plan_steps(w, s, now):  # type: ignore[no-untyped-def]
    """Plan the steps up to the next change of the batch."""
    seat = w.batch.seats[s]
    law = w.batch.law
    capacity = law[b.K_CAPACITY]
    while seat[b.S_CONTEXT] + seat[b.S_HELD] > capacity and seat[b.S_RUNNING] > 1.0:
        _put_back(w, s)
    _let_in(w, s, now)
    running, decoding, context = seat[b.S_RUNNING], seat[b.S_DECODING], seat[b.S_CONTEXT]
    seat[b.S_ENTERED] = running
    seat[b.S_SINCE] = now
    if running == 0.0:
        seat[b.S_NEXT] = _INF
        seat[b.S_PLANNED] = 0.0
    elif running > decoding:
        tokens, looked_back = _prompts(w, s)
        if law[b.K_MIXED] == 0.0:
            decoding = context = 0.0
        seat[b.S_PLANNED] = 1.0
        seat[b.S_NEXT] = now + step_s(law, decoding, context, tokens, looked_back)
    else:
        steps = _INF
        for k in range(int(running)):
            steps = min(steps, w.tries[w.batch.members[s, k], b.R_LAST])
        steps -= seat[b.S_STEPS]
        if running > 1.0:
            steps = min(steps, float(int((capacity - context) / decoding)) + 1.0)
        seat[b.S_PLANNED] = steps
        seat[b.S_NEXT] = now + stretch_s(law, decoding, context, steps)


@inner()
def end_step(w, s, now):  # type: ignore[no-untyped-def]
    """The planned steps are done: tokens come out, and who has all of them leaves."""
    seat = w.batch.seats[s]
    since = seat[b.S_SINCE]
    w.floats[m.STEPPING] += now - since
    if seat[b.S_DRAINING] != 0.0:
        out = w.replicas[int(seat[b.S_REPLICA]), m.DRAIN_S]
        w.floats[m.STEPPING_DRAINING] += now - max(since, out)
    entered = int(seat[b.S_ENTERED])
    running = int(seat[b.S_RUNNING])
    decoding = seat[b.S_DECODING]
    fills = entered > decoding
    left = 0.0
    if fills:
        left = w.batch.law[b.K_BUDGET]
        if w.batch.law[b.K_MIXED] != 0.0:
            left -= decoding
    if not fills or w.batch.law[b.K_MIXED] != 0.0:
        steps = seat[b.S_PLANNED]
        seat[b.S_STEPS] += steps
        seat[b.S_CONTEXT] += decoding * steps
    kept = 0
    for k in range(running):
        row = w.batch.members[s, k]
        t = w.tries[row]
        complete = False
        if k >= entered:
            pass
        elif t[b.R_FILLED] == _INF:
            complete = t[b.R_LAST] == seat[b.S_STEPS]
            if complete:
                seat[b.S_DECODING] -= 1.0
                seat[b.S_CONTEXT] -= t[b.T_PROMPT] + t[b.T_OUTPUT]
        elif left > 0.0:
            need = need_of(w, row)
            taken = min(left, need - t[b.R_FILLED])
            left -= taken
            t[b.R_FILLED] += taken
            if t[b.R_FILLED] == need:
                seat[b.S_HELD] -= need
                done = t[b.R_DONE] + 1.0
                if t[b.R_TOKEN] == _INF:
                    t[b.R_TOKEN] = now
                    t[b.R_OVERLAP] = pending_seconds(w, now)
                complete = done >= t[b.T_OUTPUT]
                t[b.R_FILLED] = _INF
                t[b.R_LAST] = seat[b.S_STEPS] + (t[b.T_OUTPUT] - done)
                if not complete:
                    seat[b.S_DECODING] += 1.0
                    seat[b.S_CONTEXT] += t[b.T_PROMPT] + done
        if complete:
            finish(w, s, row, now)
        else:
            w.batch.members[s, kept] = row
            kept += 1
    seat[b.S_RUNNING] = float(kept)
    plan_steps(w, s, now)


@inner()
def finish(w, s, row, now):  # type: ignore[no-untyped-def]
    """A sequence is complete; with it the request's end is known."""
    t = w.tries[row]
    ordinal = w.tries_id[row, m.I_ORDINAL]
    replica = int(w.batch.seats[s, b.S_REPLICA])
    start, first, came, token = t[b.R_START], t[m.T_FIRST], t[m.T_CAME], t[b.R_TOKEN]
    prompt, output, pending_s, overlap = (
        t[b.T_PROMPT], t[b.T_OUTPUT], t[m.T_PENDING_SECONDS], t[b.R_OVERLAP]
    )  # fmt: skip
    free_row(w, row)
    w.load[replica, m.L_OUTSTANDING] -= 1
    w.integers[m.IN_SERVICE] -= 1
    w.floats[m.START_SUM] -= start
    w.floats[m.BUSY] += now - start
    wait = start - first
    if wait > 0.0:
        w.integers[m.WAITED] += 1
        w.floats[m.WAIT_SUM_ALL] += wait
    if w.integers[m.RECORD] != 0:
        w.record_s[ordinal, 2] = token
    late = now - came > w.floats[m.CLIENT_TIMEOUT]
    judged = token if w.integers[m.FIRST_JUDGED] != 0 else now
    cause = m.KEPT
    if late or judged - first > w.floats[m.THRESHOLD]:
        waited_for = overlap if w.integers[m.FIRST_JUDGED] != 0 else pending_seconds(w, now)
        cause = cause_of_late(w, first, judged, prompt, output, waited_for - pending_s)
    if late:
        w.floats[m.UNSERVED] += now - start
        w.integers[m.TIMED_OUT_N] += 1
        gone = came + w.floats[m.CLIENT_TIMEOUT]
        end_of(w, ordinal, start, gone, m.TIMED_OUT, cause, replica)
        return
    w.latency[bucket_of(now - first)] += 1
    if wait > 0.0:
        w.wait[bucket_of(wait)] += 1
        w.floats[m.WAIT_SUM] += wait
    w.first[bucket_of(token - first)] += 1
    if output > 1.0:
        w.batch.between[bucket_of((now - token) / (output - 1.0))] += 1
    end_of(w, ordinal, start, now, m.SERVED, cause, replica)
