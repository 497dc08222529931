"""What the engine keeps of the machines beneath the replicas, by name.

A row of `Ground.nodes` is one start of an instance, from its request to the end of its bill; an
instance that is stopped and started again has a row for each. A row of `Ground.placed` says where
and how a replica was started.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numba import types

INF: Final = float("inf")

# Kinds of layer beneath the replicas.
SINGLE: Final = 0  # one replica is one instance
KARPENTER: Final = 1
CLUSTER_AUTOSCALER: Final = 2
MANAGED: Final = 3  # SageMaker managed instance scaling
WARM_POOL: Final = 4  # one replica is one instance; EC2 keeps prepared ones
KINDS: Final = {
    "none": SINGLE,
    "karpenter": KARPENTER,
    "cluster_autoscaler": CLUSTER_AUTOSCALER,
    "managed_instances": MANAGED,
    "warm_pool": WARM_POOL,
}

# Columns of a row of `nodes`.
N_REQUESTED: Final = 0  # the request that the provider took up [s]
N_RUNNING: Final = 1  # the machine runs [s]
N_UP: Final = 2  # a replica can be put on it [s]
N_IMAGE: Final = 3  # the container image lies on it [s]
N_STOP: Final = 4  # end of the row's bill [s]
N_POOL: Final = 5  # which instance type and price
N_ZONE: Final = 6
N_ROLE: Final = 7
N_ENDED: Final = 8  # why the row ended, one of `ENDS`
N_MACHINE: Final = 9  # the machine; a start of the same one has the same number
NODE_RECORD: Final = 10  # the columns above are the run's record, those below its working memory
N_USED: Final = 10  # places taken [replicas]
N_STATE: Final = 11
N_CHANGED: Final = 12  # when a replica last came or went [s]
N_MARK: Final = 13  # since when the layer thinks it can go; inf while it does not [s]
N_OWED: Final = 14  # replacements to be asked for when it is reclaimed [replicas]
NODE_COLUMNS: Final = 15

# Roles.
SERVING: Final = 0
INITIALISING: Final = 1  # a warm pool's instance on its first start
HELD: Final = 2  # in a warm pool
ROLES: Final = {SERVING: "serving", INITIALISING: "pool_initialising", HELD: "pool_held"}

# States.
LIVE: Final = 0
CLOSING: Final = 1  # takes no replica and goes when it is empty
NOTICED: Final = 2  # takes no replica and goes when it is reclaimed
GONE: Final = 3

# Why a row of `nodes`, or a start in `placed`, ended.
RELEASED: Final = 0
RECLAIMED: Final = 1
ZONE_LOST: Final = 2
FAILED: Final = 3
EVICTED: Final = 4
ENDS: Final = {
    RELEASED: "released",
    RECLAIMED: "reclaimed",
    ZONE_LOST: "zone_lost",
    FAILED: "failed_start",
    EVICTED: "evicted",
}

# Columns of `placed`.
P_NODE: Final = 0
P_LAW: Final = 1
P_START: Final = 2  # when the law began to run: a machine was found, asked for or ready [s]
P_ENDED: Final = 3
P_NOTICE: Final = 4  # when it was told that it would go [s]
P_ATTEMPT: Final = 5  # failed starts before it
P_BUSY: Final = 6  # slot-seconds it worked, kept while starts are logged [s]
P_BUSY_DRAINING: Final = 7  # the part of it after it was taken out of service [s]
PLACED_RECORD: Final = 8
P_FAIL: Final = 8  # when its start will fail [s]
P_HOLDS: Final = 9  # whether it still holds its place
PLACED_COLUMNS: Final = 10

# Columns of one law in `laws`, from the request of the instance, or of the place. [s]
RUNNING, UP, IMAGE, BEGUN, READY = 0, 1, 2, 3, 4
LAW_COLUMNS: Final = 5

# Events, in the order in which those of one instant happen.
E_STOP: Final = 0  # a draining replica has finished
E_RECLAIM: Final = 1
E_ZONE: Final = 2
E_NOTICE: Final = 3
E_NODE_FAIL: Final = 4
E_FAIL: Final = 5
E_POOL_READY: Final = 6
E_RELEASE: Final = 7
E_SCAN: Final = 8

# Columns of the log of started services.
L_END, L_START, L_REPLICA, L_ORDINAL, L_CAME = 0, 1, 2, 3, 4
L_SERVICE, L_JUDGED, L_CAUSE, L_WAITED, L_CLIENT = 5, 6, 7, 8, 9
LOG_COLUMNS: Final = 10

# Settings.
S_KIND: Final = 0
S_PLACES: Final = 1  # replicas an instance holds
S_BINPACK: Final = 2  # 1: the fullest instance first; 0: the emptiest
S_BASES: Final = 3  # laws to a spell of weather and a number of starts at once
S_RELEASE: Final = 4  # how long an empty instance is held [s]
S_SCAN: Final = 5  # period of the node autoscaler's loop [s]
S_BATCH_IDLE: Final = 6
S_BATCH_MAX: Final = 7
S_QUIET: Final = 8  # since the last replica came or went, before an instance is a candidate [s]
S_VALIDATE: Final = 9  # between a consolidation's decision and its second look [s]
S_BUDGET: Final = 10  # share of instances that may be disrupted at once
S_UNDERUSED: Final = 11  # whether instances with replicas on them may be emptied
S_UNNEEDED: Final = 12  # how long unneeded before removal [s]
S_AFTER_ADD: Final = 13
S_AFTER_FAILURE: Final = 14
S_THRESHOLD: Final = 15  # share of places below which an instance is under-used
S_MIN_NODES: Final = 16
S_LAUNCH_LIMIT: Final = 17  # request to running [s]
S_NODE_LIMIT: Final = 18  # request to up [s]
S_NODE_BACKOFF: Final = 19
S_NODE_BACKOFF_MAX: Final = 20
S_START_LIMIT: Final = 21  # begun to ready [s]
S_BACKOFF: Final = 22
S_BACKOFF_MAX: Final = 23
S_ATTEMPTS: Final = 24  # starts of one replica at most
S_FAIL_AT_LIMIT: Final = 25  # a failed start is seen at the limit, not when it would be ready
S_NOTICE: Final = 26
S_AT_NOTICE: Final = 27  # replacement asked for at the notice, not at the end
S_ZONES: Final = 28
S_MAX_PREPARED: Final = 29  # -1: the group's maximum
S_MIN_POOL: Final = 30
S_REUSE: Final = 31
S_POOL_RUNS: Final = 32  # the warm pool's instances run while they are held
S_STEP: Final = 33  # instances that one consolidation may take at most
S_POOLS: Final = 34  # instance types and prices there are
S_LEVELS: Final = 35  # numbers of starts at once that have laws of their own
SETTINGS: Final = 36

# Up to so many starts at once each number has laws of its own; above, each power of two of it.
EVERY_NUMBER: Final = 32

# Columns of `closed`: windows without capacity.
C_FROM, C_UNTIL, C_POOL, C_RETRY, C_FALLBACK, C_AFTER = 0, 1, 2, 3, 4, 5
# Columns of `outages`: windows without a zone. Of `spells`: from when, which laws hold.
O_FROM, O_UNTIL, O_ZONE = 0, 1, 2


class Ground(NamedTuple):
    """Arrays of the machines beneath a run: k rows of instances, r replicas, e events."""

    nodes: Any  # float64[k, NODE_COLUMNS]
    placed: Any  # float64[r, PLACED_COLUMNS]
    laws: Any  # float64[r, laws * LAW_COLUMNS]
    fails: Any  # float64[r] 1 where the start fails whatever its length
    inits: Any  # float64[k, LAW_COLUMNS] starts of a warm pool's instances
    lives: Any  # float64[k] from running until reclaimed [s]
    open: Any  # int64[k] rows that are not gone, in order of their request
    events: Any  # float64[e, 3] heap of (time, kind, subject)
    log: Any  # float64[n, LOG_COLUMNS]
    settings: Any  # float64[SETTINGS]
    spot: Any  # int64[pools] whether a pool's instances can be reclaimed
    spells: Any  # float64[s, 2] from [s], number of the spell's laws
    closed: Any  # float64[c, 6]
    outages: Any  # float64[z, 3]
    overlaps: Any  # float64[l] how long starts transfer, by the number of them at once [s]


_F1 = types.Array(types.float64, 1, "C")
_F2 = types.Array(types.float64, 2, "C")
_I1 = types.Array(types.int64, 1, "C")
GROUND_TYPE: Final = types.NamedTuple(
    (_F2, _F2, _F2, _F1, _F2, _F1, _I1, _F2, _F2, _F1, _I1, _F2, _F2, _F2, _F1), Ground
)


def no_ground() -> Ground:
    """The tables of a run in which a replica is its instance and the weather is fair."""
    flat, table = np.zeros(0), np.zeros((0, 1))
    whole = np.zeros(0, dtype=np.int64)
    return Ground(
        nodes=table,
        placed=table,
        laws=table,
        fails=flat,
        inits=table,
        lives=flat,
        open=whole,
        events=table,
        log=table,
        settings=flat,
        spot=whole,
        spells=table,
        closed=table,
        outages=table,
        overlaps=flat,
    )
