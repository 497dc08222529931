"""The compiled loop of scale per request: an arrival takes an environment, starts one, or fails.

The newest environment that is free takes the request: a provisioned one first, then one on demand;
where none is free a new one starts, unless the cap or the burst rate refuses it (throttled, which
is final unless its client tries again). Nothing waits but for its own environment to start.

Environments are looked at only when an arrival does: the moment one is free and the moment it is
gone are known as soon as its last request has started, so there are no events of finishes and
expiries to sort. A cold start has looked at all of them, so that the number alive is exact
whenever it can rise. Ties: a finish and an expiry at an instant come before its arrivals.
"""

from __future__ import annotations

import numpy as np
from numba import types

from modeler.autoscale.lambda_scaling import may_start
from modeler.autoscale.observation import FUNCTION
from modeler.compiled import inner, kernel
from modeler.replay import environments as e
from modeler.replay import layout as m
from modeler.replay.attempts import free_row, next_on, pause_s, plan, take_first, take_row
from modeler.replay.histogram import bucket_of
from modeler.replay.pool import close_up, fill, law_now, running, seat
from modeler.replay.provisioned import handle, next_event, room_for_event
from modeler.replay.quiet import note

_INF = m.INF
_MS = 1000.0
# Milliseconds carry rounding: 0.07 s are 70 ms, not 71.
_MS_ROUNDING = 1e-6


@kernel(inline="always")
def rounded_ms(seconds):  # type: ignore[no-untyped-def]
    """A duration rounded up to whole milliseconds. [ms]"""
    return np.int64(np.ceil(seconds * _MS - _MS_ROUNDING))


@kernel()
def _breach(breaches, integers, floats, now, ready, ordinal):  # type: ignore[no-untyped-def]
    """A request that must wait opens a breach, unless one is open; its first to be ready counts."""
    k = integers[m.BREACHES]
    if now >= floats[e.BREACH_END]:
        breaches[k, 0] = now
        breaches[k, 1] = ordinal
        breaches[k, 2] = ready
        integers[m.BREACHES] = k + 1
        floats[e.BREACH_END] = ready
    else:
        if ready < breaches[k - 1, 2]:
            breaches[k - 1, 1] = ordinal
            breaches[k - 1, 2] = ready
        floats[e.BREACH_END] = max(floats[e.BREACH_END], ready)


@kernel()
def _throttle(integers, floats, cause, now, alone):  # type: ignore[no-untyped-def]
    """Count a request that is refused for good; the cause it is laid to."""
    integers[e.CAPPED if cause == m.REPLICA_CAP else e.BURSTED] += 1
    integers[m.REJECTED_N] += 1
    if now >= floats[e.BREACH_END]:
        integers[m.SELF_CLEARED] += 1  # opened and closed at once: nothing may wait
    if alone:
        cause = m.SERVICE_TIME
    integers[m.CAUSE_N + cause] += 1
    return cause


@kernel()
def _spare(w):  # type: ignore[no-untyped-def]
    """Environments that may be started before a table of them is full."""
    ordinal = w.integers[m.REPLICAS]
    spare = len(w.draws) - (ordinal - w.integers[e.DRAWS_FIRST])
    if w.integers[e.ROWS] != 0:
        spare = min(spare, len(w.replicas) - ordinal, len(w.breaches) - w.integers[m.BREACHES])
    return spare


@kernel()
def _warm(arrival_s, service_s, judged_s, i, n, due, size, free, latency, integers, floats):  # type: ignore[no-untyped-def]
    """Most requests of most runs: one at a time, warm, on demand, nothing to note; where it ends.

    The keep-alive does not vary here. Ends at the first that finds no environment, or one that has
    expired, or at `due`.
    """
    threshold = floats[m.THRESHOLD]
    client = floats[m.CLIENT_TIMEOUT]
    keep = floats[e.KEEP]
    busy = floats[m.BUSY]
    idle = floats[e.IDLE]
    billed = 0
    late = 0  # by their service alone
    while i < n:
        now = arrival_s[i]
        k = size - 1
        while k >= 0 and free[k] > now:
            k -= 1
        if k < 0 or now >= due:
            break
        since = free[k]
        gone = since + keep
        service = service_s[i]
        if gone <= now or service > client:
            break
        idle += now - since
        busy += service
        free[k] = now + service
        if judged_s[i] > threshold:
            late += 1
        billed += rounded_ms(service)
        latency[bucket_of(service)] += 1
        i += 1
    floats[m.BUSY] = busy
    floats[e.IDLE] = idle
    integers[e.BILLED_MS] += billed
    integers[m.CAUSE_N + m.SERVICE_TIME] += late
    return i


@inner()
def _may_come_back(w, attempt):  # type: ignore[no-untyped-def]
    """Whether an attempt that fails is followed by another."""
    return attempt < w.integers[m.RETRIES]


@inner()
def _room_to_come_back(w):  # type: ignore[no-untyped-def]
    return w.integers[m.FREE] != m.NOBODY or w.integers[m.TRIES] < len(w.tries)


@inner()
def _comes_back(w, at, ordinal, attempt, came, service, judged, keep, cause):  # type: ignore[no-untyped-def]
    """Plan the next attempt of a request whose last one failed at `at`, for `cause`."""
    row = take_row(w, ordinal, attempt + 1, came, at, _INF, service, judged, keep)
    w.tries_id[row, e.I_CAUSE] = cause
    plan(w, m.A_RETRY, at + pause_s(w, ordinal, attempt), row)


@kernel()
def _serve(arrival_s, service_s, judged_s, keep_s, i, n, first, due, attempt, came, why, w):  # type: ignore[no-untyped-def]
    """Serve requests ``i .. n - 1`` as far as they come before `due`; where to go on from.

    All of them are their request's attempt number `attempt`. After the first it is one alone, that
    `came` at first and was last refused for `why`.
    """
    # Arrays by name: to take one out of the memory where it is needed counts references.
    pool = w.on_demand
    free, latest, expire = pool.earliest, pool.latest, pool.expire
    ready, ordinals, ends, begins = pool.ready, pool.ordinal, pool.ends, pool.begins
    reserve = w.provisioned
    draws, replicas, breaches, burst = w.draws, w.replicas, w.breaches, w.burst
    record_s, record = w.record_s, w.record
    latency = w.latency
    waits = w.wait
    firsts = w.first
    integers = w.integers
    floats = w.floats
    slots = integers[m.SLOTS]
    single = slots == 1
    sampled = integers[e.KEEP_SAMPLED] != 0
    recording = integers[m.RECORD] != 0
    first_wanted = integers[m.FIRST_WANTED] != 0
    held = integers[e.P_SIZE]
    cap = max(integers[e.CAP] - integers[m.DESIRED], 0)
    room = len(free)
    spare = _spare(w)
    threshold = floats[m.THRESHOLD]
    client = floats[m.CLIENT_TIMEOUT]
    size = integers[e.SIZE]
    busy = floats[m.BUSY]
    idle = floats[e.IDLE]
    keep = keep_s[0]
    rows = integers[e.ROWS] != 0
    plain = (
        single and not sampled and held == 0 and size <= cap and not recording and not first_wanted
    )
    plain = plain and attempt == 0 and (integers[m.RETRIES] == 0 or floats[m.RETRY_CLIENT] == 0.0)
    while i < n:
        if plain:
            floats[m.BUSY] = busy
            floats[e.IDLE] = idle
            i = _warm(
                arrival_s, service_s, judged_s, i, n, due, size, free, latency, integers, floats
            )
            busy = floats[m.BUSY]
            idle = floats[e.IDLE]
            if i == n:
                break
        now = arrival_s[i]
        if now >= due:
            break
        service = service_s[i]
        start = now
        wait = 0.0
        if sampled:
            keep = keep_s[i]
        k = -1
        if held > 0:
            k = held - 1
            while k >= 0 and reserve.earliest[k] > now:
                k -= 1
            if k >= 0:
                start, end = now, now + service
                if single:
                    reserve.earliest[k] = end
                    reserve.begin[k] = now
                else:
                    seat(
                        reserve.earliest,
                        reserve.latest,
                        reserve.ends,
                        reserve.begins,
                        k,
                        start,
                        end,
                    )
                floats[e.P_BUSY] += service
                integers[e.BILLED_PROVISIONED_MS] += rounded_ms(service)
                integers[e.ON_PROVISIONED] += 1
                ordinal = reserve.ordinal[k]
        if k < 0:
            k = size - 1
            while k >= 0:
                if free[k] <= now:
                    gone = expire[k] if sampled else latest[k] + keep
                    if gone > now:
                        break
                    if rows:
                        replicas[ordinals[k], m.STOP_S] = gone
                    idle += gone - latest[k]
                    size -= 1
                    for j in range(k, size):
                        free[j] = free[j + 1]
                        ready[j] = ready[j + 1]
                        ordinals[j] = ordinals[j + 1]
                    if sampled:
                        for j in range(k, size):
                            expire[j] = expire[j + 1]
                    if not single:
                        close_up(latest, ends, begins, k, size)
                k -= 1
            refused = m.KEPT
            if k >= 0:
                if size > cap and latest[k] <= now and running(latest, size, now) >= cap:
                    # Provisioned environments have taken the room that others had; one that runs
                    # keeps its own, with all of its slots.
                    refused = m.REPLICA_CAP
            elif size >= cap:
                refused = m.REPLICA_CAP
            elif spare == 0 or size == room:
                break
            elif not may_start(
                integers[e.BURST_KIND], floats[e.BURST_LIMIT], floats[e.BURST_PER_S], now, burst
            ):
                refused = m.DECISION
            if refused != m.KEPT and _may_come_back(w, attempt):
                if not _room_to_come_back(w):
                    break
                integers[m.REFUSED_AGAIN] += 1
                since = now if attempt == 0 else came
                _comes_back(
                    w, now, first + i, attempt, since, service, judged_s[i], keep, refused
                )  # fmt: skip
                due = min(due, next_on(w, m.A_RETRY))
                i += 1
                continue
            if refused != m.KEPT:
                alone = judged_s[i] > threshold or service > client
                cause = _throttle(integers, floats, refused, now, alone)
                if recording:
                    note(record_s, record, first + i, _INF, now, m.REJECTED, cause, -1)
                i += 1
                continue
            if k >= 0:
                if single:
                    idle += now - free[k]
                    end = now + service
                    free[k] = end
                    if sampled:
                        expire[k] = end + keep
                else:
                    start = max(now, ready[k])
                    end = start + service
                    before = latest[k]
                    if seat(free, latest, ends, begins, k, start, end) and sampled:
                        expire[k] = end + keep
                    if before <= now:
                        idle += now - before
                        before = now
                    floats[e.RUNNING] += max(end - before, 0.0)
                integers[e.BILLED_MS] += rounded_ms(service)
                ordinal = ordinals[k]
            else:
                ordinal = integers[m.REPLICAS]
                integers[m.REPLICAS] = ordinal + 1
                row = ordinal - integers[e.DRAWS_FIRST]
                law = law_now(w.spells, now)
                wait = draws[row, law, 1]
                start = now + wait
                if not np.isnan(draws[row, law, 2]):
                    service = draws[row, law, 2]
                end = start + service
                ordinals[size] = ordinal
                ready[size] = start
                free[size] = end
                if not single:
                    latest[size] = end
                    free[size] = now
                    fill(ends, begins, size, now)
                    ends[size, 0] = end
                    begins[size, 0] = start
                    floats[e.RUNNING] += end - now
                if sampled:
                    expire[size] = end + keep
                size += 1
                spare -= 1
                integers[e.PEAK] = max(integers[e.PEAK], size + held)
                if rows:
                    replicas[ordinal, m.REQUESTED_S] = now
                    replicas[ordinal, m.RUNNING_S] = now + draws[row, law, 0]
                    replicas[ordinal, m.READY_S] = start
                    _breach(breaches, integers, floats, now, start, ordinal)
                integers[e.COLD] += 1
                integers[e.BILLED_INIT_MS] += rounded_ms(wait)
                floats[e.INIT_SUM] += wait
                integers[e.BILLED_MS] += rounded_ms(service)
        busy += service
        response = service
        if start > now:
            wait = start - now if wait == 0.0 else wait
            response = end - now
        cause = m.KEPT
        if response > client and floats[m.RETRY_CLIENT] != 0.0 and _may_come_back(w, attempt):
            floats[m.UNSERVED] += service
            late = m.COLD_START if start > now else why
            since = now if attempt == 0 else came
            _comes_back(
                w, now + client, first + i, attempt, since, service_s[i], judged_s[i], keep, late
            )  # fmt: skip
            due = min(due, next_on(w, m.A_RETRY))
            i += 1
            continue
        if attempt > 0:
            floats[e.PAUSED] += now - came
            wait += now - came
        judged = wait + judged_s[i] + (service - service_s[i])
        outcome = m.SERVED
        if response > client:
            outcome = m.TIMED_OUT
            integers[m.TIMED_OUT_N] += 1
            floats[m.UNSERVED] += service
            floats[m.WAIT_SUM_ALL] += wait
            integers[m.WAITED] += wait > 0.0
        else:
            if attempt > 0:
                response += now - came
            latency[bucket_of(response)] += 1
            if first_wanted:
                firsts[bucket_of(judged)] += 1
            if wait > 0.0:
                waits[bucket_of(wait)] += 1
                integers[m.WAITED] += 1
                floats[m.WAIT_SUM] += wait
                floats[m.WAIT_SUM_ALL] += wait
        if judged > threshold or outcome != m.SERVED:
            alone = judged_s[i] > threshold or service_s[i] > client
            cause = m.SERVICE_TIME if alone else m.COLD_START
            if not alone and start == now and attempt > 0:
                cause = why
            integers[m.CAUSE_N + cause] += 1
        if recording:
            left = now + client if outcome == m.TIMED_OUT else end
            note(record_s, record, first + i, start, left, outcome, cause, ordinal)
        i += 1
    integers[e.SIZE] = size
    floats[m.BUSY] = busy
    floats[e.IDLE] = idle
    return i


@kernel()
def _try_again(w, now):  # type: ignore[no-untyped-def]
    """The request that comes back first comes back; whatever it may need has room."""
    row = take_first(w, m.A_RETRY)
    ordinal, attempt, why = w.tries_id[row, 0], w.tries_id[row, 1], w.tries_id[row, e.I_CAUSE]
    came = w.tries[row, m.T_FIRST]
    one = w.one
    one[0] = now
    one[1] = w.tries[row, m.T_SERVICE]
    one[2] = w.tries[row, m.T_JUDGED]
    one[3] = w.tries[row, e.T_KEEP]
    free_row(w, row)
    w.integers[m.COMEBACKS] += 1
    w.floats[m.END] = max(w.floats[m.END], now)
    _serve(one[0:1], one[1:2], one[2:3], one[3:4], 0, 1, ordinal, _INF, attempt, came, why, w)


@kernel(
    types.UniTuple(types.int64, 2)(
        FUNCTION,
        m.CHUNK_TYPE,
        m.CHUNK_TYPE,
        m.CHUNK_TYPE,
        m.CHUNK_TYPE,
        types.int64,
        e.MEMORY_TYPE,
    ),
    nogil=True,
)
def replay_chunk(policy, arrival_s, service_s, judged_s, keep_s, first, w):  # type: ignore[no-untyped-def]
    """Replay one chunk of arrivals; an empty one lets every request that will, come back.

    Parameters
    ----------
    policy : first-class function of `observation.SIGNATURE`, of the provisioned environments.
    arrival_s, service_s, judged_s : float64[n]. Arrival, service time when warm, and time from
        the start of service to the moment the service level judges. [s]
    keep_s : float64[n], or float64[1] for one that never varies. Keep-alive after each. [s]
    first : int. Ordinal of the chunk's first request.
    w : environments.Memory.

    Returns
    -------
    (status, consumed) : `layout.DONE`, or `layout.GROW` when a table must grow before the request
    at `consumed` can be taken.
    """
    n = len(arrival_s)
    i = 0
    while True:
        kind, due = next_event(w, next_on(w, m.A_RETRY))
        if i < n:
            i = _serve(arrival_s, service_s, judged_s, keep_s, i, n, first, due, 0, 0.0, m.KEPT, w)
        again = next_on(w, m.A_RETRY)  # what was refused just now may come back first
        if i == n and (n > 0 or again == _INF):
            return m.DONE, n
        due = min(due, again)
        now = arrival_s[i] if i < n else again
        if now < due:
            return m.GROW, i
        kind, due = next_event(w, min(now, again))
        if kind != 0:
            if not room_for_event(w):
                return m.GROW, i
            handle(policy, w, kind, due, first + i + w.integers[m.COMEBACKS])
            continue
        if again <= now:  # of equal instants the request that came first
            if _spare(w) <= 0 or w.integers[e.SIZE] == len(w.on_demand.earliest):
                return m.GROW, i
            _try_again(w, again)
            continue
        # The arrival itself comes first at this instant.
        before = i
        i = _serve(
            arrival_s, service_s, judged_s, keep_s, i, i + 1, first, _INF, 0, 0.0, m.KEPT, w
        )  # fmt: skip
        if i == before:
            return m.GROW, i
