"""What happens to a table of environments, compiled."""

from __future__ import annotations

from modeler.compiled import kernel


@kernel()
def law_now(spells, now):  # type: ignore[no-untyped-def]
    """Number of the law of a start that is asked for now."""
    law = 0
    for k in range(len(spells)):
        if spells[k, 0] <= now:
            law = int(spells[k, 1])
    return law


@kernel()
def close_up(latest, ends, begins, k, size):  # type: ignore[no-untyped-def]
    """Close the gap that environment `k` leaves in the columns of several slots."""
    for j in range(k, size):
        latest[j] = latest[j + 1]
        for c in range(ends.shape[1]):
            ends[j, c] = ends[j + 1, c]
            begins[j, c] = begins[j + 1, c]


@kernel()
def running(latest, size, now):  # type: ignore[no-untyped-def]
    """Environments that have a request now."""
    count = 0
    for k in range(size):
        if latest[k] > now:
            count += 1
    return count


@kernel()
def fill(ends, begins, k, now):  # type: ignore[no-untyped-def]
    """Free every slot of an environment as of now."""
    for c in range(ends.shape[1]):
        ends[k, c] = now
        begins[k, c] = now


@kernel()
def seat(earliest, latest, ends, begins, k, start, end):  # type: ignore[no-untyped-def]
    """Give a request the slot that is free longest; whether it will be the last to leave."""
    place = 0
    for c in range(1, ends.shape[1]):
        if ends[k, c] < ends[k, place]:
            place = c
    ends[k, place] = end
    begins[k, place] = start
    soonest = ends[k, 0]
    for c in range(1, ends.shape[1]):
        soonest = min(soonest, ends[k, c])
    earliest[k] = soonest
    if end < latest[k]:
        return False
    latest[k] = end
    return True


@kernel()
def beyond(pool, k, now):  # type: ignore[no-untyped-def]
    """Requests an environment serves now, and the part of their service that lies ahead. [s]"""
    if pool.ends.shape[1] == 0:
        if pool.begin[k] <= now < pool.latest[k]:
            return 1, pool.latest[k] - now
        return 0, max(pool.latest[k] - max(pool.begin[k], now), 0.0)
    count = 0
    ahead = 0.0
    for c in range(pool.ends.shape[1]):
        if pool.begins[k, c] <= now < pool.ends[k, c]:
            count += 1
        ahead += max(pool.ends[k, c] - max(pool.begins[k, c], now), 0.0)
    return count, ahead


@kernel()
def put(pool, k, now, ready, ordinal):  # type: ignore[no-untyped-def]
    """Enter an environment without keep-alive that can take a request once it is ready."""
    pool.ordinal[k] = ordinal
    pool.requested[k] = now
    pool.ready[k] = ready
    pool.earliest[k] = ready
    pool.latest[k] = ready
    pool.begin[k] = ready
    fill(pool.ends, pool.begins, k, ready)
