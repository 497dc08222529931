"""The engine's working memory: every table and every scalar it keeps between chunks, by name."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import types
from numpy.typing import NDArray

from modeler.autoscale.observation import OBS_SIZE, OUT_SIZE
from modeler.autoscale.policy import Policy
from modeler.replay.batch_layout import BATCH_TYPE, RIDE_COLUMNS, Batch, no_batch
from modeler.replay.histogram import BUCKETS
from modeler.replay.machine_layout import GROUND_TYPE, no_ground

Floats = NDArray[np.float64]

INF: Final = float("inf")

# Outcomes and causes of a request; the names are the product's words.
SERVED: Final = 1
REJECTED: Final = 2
TIMED_OUT: Final = 3
LOST: Final = 4
OUTCOMES: Final = {SERVED: "served", REJECTED: "rejected", TIMED_OUT: "timed_out", LOST: "lost"}

KEPT: Final = 0
SERVICE_TIME: Final = 1
QUEUE_LIMIT: Final = 2
REPLICA_CAP: Final = 3
COLD_START: Final = 4
DECISION: Final = 5
LOST_CAPACITY: Final = 6
CAUSES: Final = {
    SERVICE_TIME: "service_time",
    QUEUE_LIMIT: "queue_limit",
    REPLICA_CAP: "replica_cap",
    COLD_START: "cold_start",
    DECISION: "decision",
    LOST_CAPACITY: "lost_capacity",
}

# Integer scalars.
SLOTS: Final = 0
MIN: Final = 1
MAX: Final = 2
LIMIT: Final = 3  # places in the queue
HOOKS: Final = 4
IN_FLIGHT_WANTED: Final = 5
IDLE_FIRST: Final = 6
RECORD: Final = 7
HEAP: Final = 8  # entries in the heap of slots
READY: Final = 9
PENDING: Final = 10
DESIRED: Final = 11
REPLICAS: Final = 12  # ordinals given out
HEAD: Final = 13  # first place of the queue's ring
QUEUED: Final = 14
DECISIONS: Final = 15
BREACHES: Final = 16  # measured ones, which are kept
DRAINED: Final = 17  # busy slots of draining replicas, kept while policies ask for in-flight
DEPARTURES: Final = 18
BREACH: Final = 19  # 0 none, 1 open, 2 open and already counted
SELF_CLEARED: Final = 20
CENSORED: Final = 21
REJECTED_N: Final = 22
TIMED_OUT_N: Final = 23
LOST_N: Final = 24
MARK: Final = 25  # ordinal up to which invocations are in INVOCATIONS
PEAK_QUEUE: Final = 26
STAGE: Final = 27  # 0 arrivals, 1 up to the horizon, 2 until the queue is empty, 3 to the end
WAITED: Final = 28  # requests that started after a wait
FIRST_WANTED: Final = 29  # whether the judged moment has a histogram of its own
CAUSE_N: Final = 30  # seven counters
BOUND: Final = 37  # rows of the table of bounds that have come into force
UNPLACED_N: Final = 38  # refused because no replica was there
MOST: Final = 39  # replicas at most, whatever bounds come into force
FATES: Final = 40  # whether anything of `fates` is set
ROUTER: Final = 41
FROM_ZERO: Final = 42
HOLD_LIMIT: Final = 43
RETRIES: Final = 44
KEY: Final = 45  # of the draws of router and jitter
TURN: Final = 46  # requests sent in turn
HELD: Final = 47  # requests that wait for any replica to be there
HELD_HEAD: Final = 48
HELD_TAIL: Final = 49
LINE_HEAD: Final = 50  # of the central queue
LINE_TAIL: Final = 51
FREE: Final = 52  # first free row of the table of attempts
TRIES: Final = 53  # rows of it that were ever used
AGENDA_N: Final = 54  # three counters
ENDS: Final = 57
COMEBACKS: Final = 58  # attempts that were not a request's first
REFUSED_AGAIN: Final = 59  # refusals after which the request came back
GROUND: Final = 60  # whether instances beneath the replicas are kept
OWED: Final = 61  # replacements to be asked for when a noticed instance goes
NODES: Final = 62  # rows of instances given out
OPEN: Final = 63  # of those, not gone
EVENTS: Final = 64  # entries in the heap of machine events
LOGGING: Final = 65  # whether started services are logged
LOGGED: Final = 66
INITS: Final = 67  # starts of a warm pool's instances given out
MACHINES: Final = 68  # machines given out
FAILED_N: Final = 69  # starts that failed
LOST_STARTED: Final = 70  # requests lost in service
GIVEN_UP: Final = 71  # replicas given up after the last attempt
BATCHED: Final = 72  # whether replicas batch, and how: `batch_layout`
FIRST_JUDGED: Final = 73  # whether their level is the first token's
SEATS: Final = 74  # seats in use, free ones between them included
IN_SERVICE: Final = 75  # sequences that have started, those put back included
UNTIL: Final = 76  # end of the requests that may be taken
AT_ONCE: Final = 77  # starts that transfer together with those asked for now; 0 for one by itself
INTEGERS: Final = 80

# Float scalars.
QUEUE_TIMEOUT: Final = 0
CLIENT_TIMEOUT: Final = 1
THRESHOLD: Final = 2
HORIZON: Final = 3
NEXT_READY: Final = 4
NEXT_BUCKET: Final = 5
NEXT_TICK: Final = 6
BUCKET_PERIOD: Final = 7
TICK_PERIOD: Final = 8
BUSY: Final = 9  # slot-seconds of all services started
BUSY_DRAINING: Final = 10  # the part of them on draining replicas
WAIT_SUM: Final = 11  # of served requests
UNSERVED: Final = 12  # slot-seconds of services that were started and not served
PENDING_SECONDS: Final = 13  # time with at least one replica pending, up to PENDING_SINCE
PENDING_SINCE: Final = 14
AT_MAX_SINCE: Final = 15  # inf while desired < max
INVOCATIONS: Final = 16  # of the running bucket, up to request MARK
QUEUED_SECONDS: Final = 18
QUEUED_SINCE: Final = 19
READY_SECONDS: Final = 20
READY_SINCE: Final = 21
ACTIVITY_DONE: Final = 22
BREACH_OPEN: Final = 23
NOW: Final = 24
END: Final = 25
FIRST_BUCKET: Final = 26
FIRST_TICK: Final = 27
BUCKETS_DONE: Final = 28
TICKS_DONE: Final = 29
MIDNIGHT: Final = 17  # from the last midnight to the trace's origin
WAIT_SUM_ALL: Final = 30  # waits of all requests that started, served or not
NEXT_WAKE: Final = 31
NEXT_BOUND: Final = 32
RECENT_FOR: Final = 33
HOLD_TIMEOUT: Final = 34
FALSE_READY: Final = 35
RETRY_BASE: Final = 36
RETRY_FACTOR: Final = 37
RETRY_MAX: Final = 38
RETRY_JITTER: Final = 39
RETRY_CLIENT: Final = 40
AHEAD: Final = 41  # slot-seconds of services bound to a slot and not yet started
NEXT_MACHINE: Final = 48
BATCH_OPEN: Final = 49  # first replica of the running batch, inf when none runs
BATCH_CLOSE: Final = 50  # when its instances are asked for
LAST_ADD: Final = 51  # when an instance was last asked for
LAST_FAILURE: Final = 52  # when an instance last failed to come up
NEXT_STEP: Final = 53  # when the batch of a replica next changes
NEXT_LEAVE: Final = 54  # when the first who waits at a replica gives up
START_SUM: Final = 55  # of the starts of those in service
STEPPING: Final = 56  # seconds in which replicas took steps
STEPPING_DRAINING: Final = 57  # of those, after they were taken out of service
FLOATS: Final = 64

# Columns of the replica table.
REQUESTED_S, RUNNING_S, READY_S, DRAIN_S, STOP_S = 0, 1, 2, 3, 4
# Columns of the decision table.
D_TIME, D_REASON, D_FROM, D_TO, D_METRIC, D_REPEATS, D_READY, D_PENDING = 0, 1, 2, 3, 4, 5, 6, 7
# Columns of the ring of waiting requests.
Q_ARRIVAL, Q_SERVICE, Q_JUDGED, Q_PENDING_SECONDS = 0, 1, 2, 3

# Columns of the table of attempts that wait or will come back.
T_FIRST, T_CAME, T_DEADLINE, T_SERVICE, T_JUDGED, T_PENDING_SECONDS = 0, 1, 2, 3, 4, 5
I_ORDINAL, I_ATTEMPT, I_REPLICA, I_NEXT = 0, 1, 2, 3
NOBODY: Final = -1
# Columns of the agenda: heaps of instants, each with a row of that table.
A_START, A_LEAVE, A_RETRY = 0, 1, 2
# Columns of the load of a replica under a router that binds requests to replicas.
L_WAITING, L_OUTSTANDING, L_SEAT = 0, 1, 2

QUEUE_FROM_ZERO, FAIL_FROM_ZERO, HOLD_FROM_ZERO = 0, 1, 2
CENTRAL, LEAST_OUTSTANDING, ROUND_ROBIN, RANDOM = 0, 1, 2, 3

# What a call of the kernel ends with.
DONE: Final = 0
GROW: Final = 1


class Memory(NamedTuple):
    """All arrays of a run. Shapes: n slots, r replicas, q places, d decisions, b breaches."""

    times: Any  # float64[n] when each slot is free [s]
    owners: Any  # int32[n] replica of each slot
    ring: Any  # float64[q, 4] waiting requests
    ring_id: Any  # int64[q] their ordinals
    pending: Any  # int64[r] ordinals of replicas not yet ready
    live: Any  # int64[r] ordinals of ready replicas, oldest first
    replicas: Any  # float64[r, 5]
    draws: Any  # float64[r, 2] request to running, request to ready [s]
    decisions: Any  # float64[d, 8]
    breaches: Any  # float64[b, 3] opened, replica ordinal, ready [s]
    drained: Any  # float64[n] finishes on draining replicas [s]
    departures: Any  # float64[n] heap of finishes, for policies that act on them [s]
    latency: Any  # int64[BUCKETS] served: arrival to finish
    wait: Any  # int64[BUCKETS] served: arrival to start, of those that waited
    first: Any  # int64[BUCKETS] served: arrival to the judged moment
    integers: Any  # int64[INTEGERS]
    floats: Any  # float64[FLOATS]
    obs: Any
    params: Any
    state: Any
    out: Any
    bounds: Any  # float64[k, 3] time [s], minimum, maximum; NaN for no change
    record_s: Any  # float64[requests or 0, 2] start, end; 3: first token of those that batch
    record: Any  # int32[requests or 0, 3] outcome, cause, replica
    tries: Any  # float64[t, 6 or more] attempts that wait or will come back
    tries_id: Any  # int64[t, 4] their requests, attempts, replicas, successors in line
    agenda_s: Any  # float64[t, 3] heaps: starts, give-ups, retries [s]
    agenda_row: Any  # int64[t, 3] whose
    end_s: Any  # float64[e] heap of finishes, for the router that counts them [s]
    end_replica: Any  # int32[e]
    load: Any  # int64[r, 3] waiting for each replica, with those in service, its seat
    ground: Any  # machine_layout.Ground
    batch: Any  # batch_layout.Batch


CHUNK_TYPE: Final = types.Array(types.float64, 1, "C", readonly=True)
_F1 = types.Array(types.float64, 1, "C")
_F2 = types.Array(types.float64, 2, "C")
_I1 = types.Array(types.int64, 1, "C")
_I4 = types.Array(types.int32, 1, "C")
_I2 = types.Array(types.int64, 2, "C")
_I42 = types.Array(types.int32, 2, "C")
MEMORY_TYPE: Final = types.NamedTuple(
    (
        _F1, _I4, _F2, _I1, _I1, _I1, _F2, _F2, _F2, _F2, _F1, _F1,
        _I1, _I1, _I1, _I1, _F1, _F1, _F1, _F1, _F1, _F2, _F2, _I42,
        _F2, _I2, _F2, _I2, _F1, _I4, _I2, GROUND_TYPE, BATCH_TYPE,
    ),
    Memory,
)  # fmt: skip
# The fast path takes the arrays it needs one by one; see `quiet`. Written out, because without a
# signature numba compiles it again for each literal that a caller passes.
QUIET_SIGNATURE: Final = types.int64(
    CHUNK_TYPE, CHUNK_TYPE, CHUNK_TYPE, types.int64, types.int64, types.int64, types.float64,
    _F1, _I4, _F2, _I1, _F1, _I1, _I1, _I1, _I1, _F1, _F2, _I42, _F2,
)  # fmt: skip
# What lies beneath the replicas acts through one function, (operation, subject, now, arrived,
# memory) -> int: it is compiled once, and only where there is something beneath them.
BENEATH_SIGNATURE: Final = types.int64(
    types.int64, types.int64, types.float64, types.int64, MEMORY_TYPE
)
BENEATH: Final = types.FunctionType(BENEATH_SIGNATURE)
OP_PUT: Final = 0  # a replica is requested
OP_LEFT: Final = 1  # a pending replica was cancelled
OP_DRAINED: Final = 2  # a replica was taken out of service
OP_DESIRED: Final = 3  # the desired capacity has been set
OP_EVENT: Final = 4  # the next event of the machines is due
OP_START: Final = 5  # the run begins with so many warm replicas
OP_COUNT: Final = 6  # gives the instances on the bill
OP_ROOM: Final = 7  # gives whether every table has room
OP_LOG: Final = 8  # gives whether the log of starts has room
OP_SETTLE: Final = 9  # what has finished leaves that log
# From here on: of replicas that batch.
OP_SEAT: Final = 10  # one is ready
OP_UNSEAT: Final = 11  # it was taken out of service
OP_ATTEND: Final = 12  # requests come; gives where to go on from
OP_STEP: Final = 13  # one event of requests that are here


def most_replicas(policy: Policy) -> int:
    """Replicas at most, under any of the bounds that come into force. [replicas]"""
    scheduled = policy.bounds[:, 2]
    scheduled = scheduled[np.isfinite(scheduled)]
    return max(policy.maximum, policy.initial, 1, int(scheduled.max(initial=1)))


def allocate(policy: Policy, slots: int, records: int, batch: Batch | None = None) -> Memory:
    """Empty tables for a run; those that grow start small."""
    batches = batch is not None
    room = most_replicas(policy)
    slot_room = room * slots + 1
    integers = np.zeros(INTEGERS, dtype=np.int64)
    floats = np.zeros(FLOATS)
    start = 256
    return Memory(
        times=np.full(slot_room, INF),
        owners=np.zeros(slot_room, dtype=np.int32),
        ring=np.zeros((1024, 4)),
        ring_id=np.zeros(1024, dtype=np.int64),
        pending=np.zeros(room + 1, dtype=np.int64),
        live=np.zeros(room + 1, dtype=np.int64),
        replicas=np.full((start + room, 5), INF),
        draws=np.zeros((0, 2)),
        decisions=np.zeros((start, 8)),
        breaches=np.zeros((start, 3)),
        drained=np.zeros(slot_room),
        departures=np.zeros(2 * slot_room if policy.hooks else 1),
        latency=np.zeros(BUCKETS, dtype=np.int64),
        wait=np.zeros(BUCKETS, dtype=np.int64),
        first=np.zeros(BUCKETS, dtype=np.int64),
        integers=integers,
        floats=floats,
        obs=np.zeros(OBS_SIZE),
        params=policy.params.copy(),
        state=np.zeros(max(policy.state_size, 1)),
        out=np.zeros(OUT_SIZE),
        bounds=np.ascontiguousarray(policy.bounds, dtype=np.float64),
        record_s=np.full((records, 3 if batches else 2), np.nan),
        record=np.zeros((records, 3), dtype=np.int32),
        tries=np.zeros((start, RIDE_COLUMNS if batches else 6)),
        tries_id=np.zeros((start, 4), dtype=np.int64),
        agenda_s=np.zeros((start, 3)),
        agenda_row=np.zeros((start, 3), dtype=np.int64),
        end_s=np.zeros(2 * slot_room),
        end_replica=np.zeros(2 * slot_room, dtype=np.int32),
        load=np.zeros((start + room, 3), dtype=np.int64),
        ground=no_ground(),
        batch=no_batch() if batch is None else batch,
    )


def grown(array: Any, rows: int, fill: float = 0.0) -> Any:
    """A copy of a table with at least `rows` rows, doubling."""
    if len(array) >= rows:
        return array
    bigger = np.full((max(rows, 2 * len(array)), *array.shape[1:]), fill, dtype=array.dtype)
    bigger[: len(array)] = array
    return bigger
