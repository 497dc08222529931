"""The short way of `routed`: arrivals that find a free slot in one queue where nobody waits."""

from __future__ import annotations

from modeler.compiled import inner
from modeler.replay import layout as m
from modeler.replay.heap import replace_root
from modeler.replay.histogram import bucket_of
from modeler.replay.quiet import note


@inner()
def brisk(  # type: ignore[no-untyped-def]
    arrival_s,
    service_s,
    judged_s,
    i,
    n,
    first,
    until,
    times,
    owners,
    latency,
    firsts,
    integers,
    floats,
    record_s,
    record,
):
    """Start requests ``i .. n - 1`` as they come before `until`; the first that cannot be."""
    heap = integers[m.HEAP]
    recording = integers[m.RECORD] != 0
    first_wanted = integers[m.FIRST_WANTED] != 0
    threshold = floats[m.THRESHOLD]
    client = floats[m.CLIENT_TIMEOUT]
    busy = floats[m.BUSY]
    while i < n:
        arrival, service, judged = arrival_s[i], service_s[i], judged_s[i]
        if arrival >= until or times[0] > arrival or service > client:
            break
        replica = owners[0]
        end = arrival + service
        replace_root(times, owners, heap, end, replica)
        busy += service
        cause = m.KEPT
        if judged > threshold:
            cause = m.SERVICE_TIME
            integers[m.CAUSE_N + cause] += 1
        latency[bucket_of(service)] += 1
        if first_wanted:
            firsts[bucket_of(judged)] += 1
        if recording:
            note(record_s, record, first + i, arrival, end, m.SERVED, cause, replica)
        i += 1
    floats[m.BUSY] = busy
    return i
