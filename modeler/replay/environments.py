"""Scale per request: the tables of execution environments and what is counted over them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import types

from modeler.autoscale.observation import OBS_SIZE, OUT_SIZE
from modeler.autoscale.policy import Policy
from modeler.replay import layout as m
from modeler.replay.histogram import BUCKETS

# Integer scalars beside those of `layout` that mean the same here.
SIZE: Final = 60  # on-demand environments in the table, expired ones not yet found included
P_SIZE: Final = 61  # provisioned environments, those being prepared included
CAP: Final = 62  # environments at most, provisioned ones included
COLD: Final = 63  # cold starts that a request waited for
CAPPED: Final = 64  # throttled: the cap on environments
BURSTED: Final = 65  # throttled: the rate at which environments may be started
ON_PROVISIONED: Final = 66  # requests served by provisioned environments
BILLED_MS: Final = 67  # services on demand, each rounded up to a millisecond [ms]
BILLED_PROVISIONED_MS: Final = 68  # services on provisioned environments, likewise [ms]
BILLED_INIT_MS: Final = 69  # initialisations, likewise [ms]
DRAWS_FIRST: Final = 70  # ordinal of the first row of the table of draws
ROWS: Final = 71  # whether environments are kept as rows
PEAK: Final = 72  # environments alive at once
BURST_KIND: Final = 73  # 0 none, 1 a bucket that refills, 2 windows
KEEP_SAMPLED: Final = 74
HELD: Final = 75  # provisioned environments that are gone

# Float scalars beside those of `layout`.
IDLE: Final = 50  # closed idle time of on-demand environments [s]
RUNNING: Final = 51  # environments with a request, initialisation included [s]; over many slots
INIT_SUM: Final = 52  # initialisations that requests waited for [s]
P_BUSY: Final = 53  # services on provisioned environments [s]
P_GONE_READY: Final = 54  # ready time of provisioned environments that were released [s]
BREACH_END: Final = 55  # when the last environment of the open breach is ready [s]
BURST_LIMIT: Final = 56  # [environments]
BURST_PER_S: Final = 57  # [environments/s]
P_CUT: Final = 58  # what P_BUSY was cut by when environments were released [s]
P_LEAD: Final = 59  # least time until a provisioned environment is ready [s]
P_CHANGED: Final = 60  # when their number last changed [s]
KEEP: Final = 61  # the keep-alive, where it does not vary [s]
PAUSED: Final = 62  # between attempts of requests that started in the end [s]

# Columns of the table of attempts beside those of `layout` that mean the same here: the request's
# keep-alive, and the cause of its last refusal.
T_KEEP: Final = m.T_PENDING_SECONDS
I_CAUSE: Final = m.I_REPLICA


class Pool(NamedTuple):
    """Environments in order of their start. Shapes: n environments, s slots.

    ``earliest`` and ``latest`` are one array where an environment serves one request at a time.
    """

    earliest: Any  # float64[n] when it can take a request next [s]
    latest: Any  # float64[n] when its last request ends [s]
    expire: Any  # float64[n] when it is gone unless a request comes, where that varies [s]
    begin: Any  # float64[n] start of its last service; of provisioned ones [s]
    ready: Any  # float64[n] [s]
    requested: Any  # float64[n]; of provisioned ones [s]
    ordinal: Any  # int64[n] its row
    ends: Any  # float64[n, s] when each slot is free; no columns for one slot [s]
    begins: Any  # float64[n, s] start of each slot's last service [s]


class Memory(NamedTuple):
    """All arrays of a run. Shapes: r environments, d decisions, b breaches, h released."""

    on_demand: Any  # Pool
    provisioned: Any  # Pool
    replicas: Any  # float64[r, 5] as in `layout`
    # float64[k, laws, 3] request to running, to ready; the whole cold response or NaN [s]
    draws: Any
    spells: Any  # float64[s, 2] from [s], number of the law of a start that holds from then
    held: Any  # float64[h, 2] provisioned ones that are gone: requested, released [s]
    decisions: Any  # float64[d, 8]
    breaches: Any  # float64[b, 3]
    latency: Any  # int64[BUCKETS]
    wait: Any  # int64[BUCKETS]
    first: Any  # int64[BUCKETS]
    integers: Any
    floats: Any
    burst: Any  # float64[2] memory of the burst rate
    obs: Any
    params: Any
    state: Any
    out: Any
    bounds: Any  # float64[k, 3]
    record_s: Any
    record: Any
    tries: Any  # float64[t, 6] requests that will come back, as in `layout`
    tries_id: Any  # int64[t, 4]
    agenda_s: Any  # float64[t, 3] [s]
    agenda_row: Any  # int64[t, 3]
    one: Any  # float64[4] one attempt as a chunk: arrival, service, judged, keep-alive [s]


_F1 = types.Array(types.float64, 1, "C")
_F2 = types.Array(types.float64, 2, "C")
_F3 = types.Array(types.float64, 3, "C")
_I1 = types.Array(types.int64, 1, "C")
_I2 = types.Array(types.int64, 2, "C")
_I42 = types.Array(types.int32, 2, "C")
POOL_TYPE: Final = types.NamedTuple((_F1, _F1, _F1, _F1, _F1, _F1, _I1, _F2, _F2), Pool)
MEMORY_TYPE: Final = types.NamedTuple(
    (
        POOL_TYPE, POOL_TYPE, _F2, _F3, _F2, _F2, _F2, _F2, _I1, _I1, _I1, _I1, _F1, _F1,
        _F1, _F1, _F1, _F1, _F2, _F2, _I42, _F2, _I2, _F2, _I2, _F1,
    ),
    Memory,
)  # fmt: skip


def _pool(room: int, slots: int) -> Pool:
    earliest = np.zeros(room)
    columns = slots if slots > 1 else 0
    return Pool(
        earliest=earliest,
        latest=earliest if slots == 1 else np.zeros(room),
        expire=np.zeros(room),
        begin=np.zeros(room),
        ready=np.zeros(room),
        requested=np.zeros(room),
        ordinal=np.zeros(room, dtype=np.int64),
        ends=np.zeros((room, columns)),
        begins=np.zeros((room, columns)),
    )


def allocate(policy: Policy, slots: int, records: int) -> Memory:
    """Empty tables for a run; those that grow start small."""
    return Memory(
        on_demand=_pool(64, slots),
        provisioned=_pool(m.most_replicas(policy) + 1, slots),
        replicas=np.full((256, 5), m.INF),
        draws=np.zeros((0, 1, 3)),
        spells=np.zeros((0, 2)),
        held=np.zeros((64, 2)),
        decisions=np.zeros((256, 8)),
        breaches=np.zeros((256, 3)),
        latency=np.zeros(BUCKETS, dtype=np.int64),
        wait=np.zeros(BUCKETS, dtype=np.int64),
        first=np.zeros(BUCKETS, dtype=np.int64),
        integers=np.zeros(m.INTEGERS, dtype=np.int64),
        floats=np.zeros(m.FLOATS),
        burst=np.zeros(2),
        obs=np.zeros(OBS_SIZE),
        params=policy.params.copy(),
        state=np.zeros(max(policy.state_size, 1)),
        out=np.zeros(OUT_SIZE),
        bounds=np.ascontiguousarray(policy.bounds, dtype=np.float64),
        record_s=np.full((records, 2), np.nan),
        record=np.zeros((records, 3), dtype=np.int32),
        tries=np.zeros((0, 6)),
        tries_id=np.zeros((0, 4), dtype=np.int64),
        agenda_s=np.zeros((0, 3)),
        agenda_row=np.zeros((0, 3), dtype=np.int64),
        one=np.zeros(4),
    )


def grown_pool(pool: Pool, rows: int) -> Pool:
    """A copy of a table of environments with at least `rows` rows."""
    if len(pool.earliest) >= rows:
        return pool
    bigger = Pool(*(m.grown(column, rows) for column in pool))
    if pool.latest is pool.earliest:
        return bigger._replace(latest=bigger.earliest)
    return bigger
