"""The machines beneath a run, made ready for the engine: a layer, its laws and its weather."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale.policy import Policy
from modeler.replay import layout as m
from modeler.replay import machine_layout as g

Floats = NDArray[np.float64]
Laws = Callable[[int, int], Floats]
NEVER = float("inf")


@dataclass(frozen=True)
class Closure:
    """A window in which a pool has no capacity.

    Parameters
    ----------
    from_s, until_s : float. Since the trace's origin; finite. [s]
    pool : int. The pool that is short.
    retry_s : float. Between one failed request and the next. [s]
    fallback : int. Pool that is asked instead, -1 for none.
    after_s : float. How long requests fail before that. [s]
    """

    from_s: float
    until_s: float
    pool: int = 0
    retry_s: float = 60.0
    fallback: int = -1
    after_s: float = 0.0


@dataclass(frozen=True)
class Outage:
    """A window in which a zone is gone, and all that was in it. [s]"""

    from_s: float
    until_s: float
    zone: int = 0


@dataclass(frozen=True)
class Machines:
    """A layer of instances, what its starts take and what happens to it.

    Parameters
    ----------
    kind : str. One of `machine_layout.KINDS`.
    laws : function (first, count) -> float64[count, laws, 5]. From the beginning of the start of
        replicas first .. first + count - 1: running, up, image, begun, ready. The laws of a spell:
        for each number of starts at once, for each pool "new instance" and "warm node", and at
        last "from the warm pool". [s]
    pools : int. Instance types and prices: the scenario's own and the fallbacks.
    spot : sequence of bool. Whether a pool's instances can be reclaimed.
    inits : function (first, count) -> float64[count, 5]. First starts of a warm pool's instances.
    lives : function (first, count) -> float64[count]. From running until reclaimed. [s]
    fails : function (first, count) -> bool[count]. Whether a replica's start fails.
    spells : sequence of (from_s, int). From when on which spell's laws hold.
    closures, outages : the windows.
    settings : mapping of an index of `machine_layout` (``S_..``) to its value.
    at_once : int. Numbers of starts at once that have laws of their own; the last holds above.
    overlaps : sequence of float. How long starts transfer, by those numbers: one asked for sooner
        than that after another shares with it. None overlaps where it is empty. [s]
    splits_work : bool. Whether each replica's work is kept apart, as several prices need.
    """

    kind: str
    laws: Laws
    pools: int = 1
    spot: Sequence[bool] = (False,)
    inits: Laws | None = None
    lives: Callable[[int, int], Floats] | None = None
    fails: Callable[[int, int], NDArray[np.bool_]] | None = None
    spells: Sequence[tuple[float, int]] = ((0.0, 0),)
    closures: Sequence[Closure] = ()
    outages: Sequence[Outage] = ()
    settings: dict[int, float] = field(default_factory=dict)
    splits_work: bool = False
    at_once: int = 1
    overlaps: Sequence[float] = ()

    def function(self) -> Any:
        """The compiled function through which the loop reaches the machines."""
        from modeler.replay.ground import beneath

        return beneath

    def act(self, operation: int, now_s: float, w: m.Memory) -> None:
        """Do one operation from Python."""
        from modeler.replay.ground import act

        act(operation, 0, now_s, 0, w)

    @property
    def can_lose(self) -> bool:
        """Whether a machine can be taken away before its work is done."""
        return any(self.spot) or bool(self.outages)

    @property
    def leaves_batches(self) -> bool:
        """Whether no machine is ever taken from under a replica, nor its work kept apart."""
        consolidates = self.kind in ("karpenter", "cluster_autoscaler")
        return not (self.can_lose or self.splits_work or consolidates)


@dataclass(frozen=True)
class GroundRecord:
    """What a run leaves behind of the machines beneath its replicas.

    ``nodes`` is float64[k, NODE_RECORD], one row a start of an instance, ``placed``
    float64[r, PLACED_RECORD], one row a replica; columns are named in `machine_layout`.
    ``failed_starts`` and ``given_up`` count starts; ``lost_in_service`` counts requests.
    """

    kind: str
    places: int
    nodes: Floats
    placed: Floats
    failed_starts: int
    given_up: int
    lost_in_service: int


# What a setting is that a layer does not use.
_NEUTRAL = {
    g.S_PLACES: 1.0,
    g.S_BUDGET: 1.0,
    g.S_STEP: 1e9,
    g.S_THRESHOLD: 0.5,
    g.S_SCAN: 10.0,
    g.S_LAUNCH_LIMIT: NEVER,
    g.S_NODE_LIMIT: NEVER,
    g.S_START_LIMIT: NEVER,
    g.S_BACKOFF_MAX: NEVER,
    g.S_NODE_BACKOFF_MAX: NEVER,
    g.S_ATTEMPTS: 10.0,
    g.S_NOTICE: 120.0,
    g.S_AT_NOTICE: 1.0,
    g.S_ZONES: 1.0,
    g.S_MAX_PREPARED: -1.0,
}


def lay(w: m.Memory, machines: Machines, policy: Policy, slots: int) -> m.Memory:
    """The memory of a run with machines beneath its replicas."""
    settings = np.zeros(g.SETTINGS)
    for index, value in {**_NEUTRAL, **machines.settings}.items():
        settings[index] = value
    settings[g.S_KIND] = g.KINDS[machines.kind]
    settings[g.S_POOLS] = machines.pools
    settings[g.S_BASES] = 2 * machines.pools + 1
    settings[g.S_LEVELS] = machines.at_once
    logging = machines.can_lose or machines.splits_work
    w.integers[m.GROUND] = 1
    w.integers[m.LOGGING] = int(logging)
    most = m.most_replicas(policy)
    width = machines.laws(0, 1).shape[1] * g.LAW_COLUMNS
    spot = [int(one) for one in machines.spot]
    ground = g.Ground(
        nodes=np.zeros((0, g.NODE_COLUMNS)),
        placed=np.zeros((0, g.PLACED_COLUMNS)),
        laws=np.zeros((0, width)),
        fails=np.zeros(0),
        inits=np.zeros((0, g.LAW_COLUMNS)),
        lives=np.zeros(0),
        open=np.zeros(256 + 4 * most, dtype=np.int64),
        events=np.zeros((512 + 16 * most, 3)),
        log=np.zeros((1024 + 4 * most * slots if logging else 0, g.LOG_COLUMNS)),
        settings=settings,
        spot=np.array(spot + [0] * (machines.pools - len(spot)), dtype=np.int64),
        spells=np.array([(float(at), float(law)) for at, law in machines.spells]),
        closed=np.array(
            [(c.from_s, c.until_s, c.pool, c.retry_s, c.fallback, c.after_s)
             for c in machines.closures]
        ).reshape(-1, 6),
        outages=np.array([(o.from_s, o.until_s, o.zone) for o in machines.outages]).reshape(-1, 3),
        overlaps=np.array(machines.overlaps or [0.0] * machines.at_once, dtype=np.float64),
    )  # fmt: skip
    return w._replace(ground=ground)


def more_ground(w: m.Memory, machines: Machines) -> m.Memory:
    """Grow the tables of machines; draw further starts as needed."""
    i, old = w.integers, w.ground
    pool = max(old.settings[g.S_MAX_PREPARED], 0.0) + old.settings[g.S_MIN_POOL]
    most = 2 * int(i[m.MOST]) + 2 + int(pool)
    rows = len(w.replicas)
    laws, fails = old.laws, old.fails
    if len(laws) < rows:
        first, count = len(laws), rows - len(laws)
        laws = np.concatenate([laws, machines.laws(first, count).reshape(count, -1)])
        failing = machines.fails(first, count) if machines.fails else np.zeros(count)
        fails = np.concatenate([fails, failing.astype(np.float64)])
    nodes = m.grown(old.nodes, int(i[m.NODES]) + most + 256)
    lives = old.lives
    if len(lives) < len(nodes):
        first, count = len(lives), len(nodes) - len(lives)
        drawn = machines.lives(first, count) if machines.lives else np.full(count, m.INF)
        lives = np.concatenate([lives, drawn])
    inits = old.inits
    wanted = int(i[m.INITS]) + most
    if len(inits) < wanted:
        first, count = len(inits), max(wanted, 2 * len(inits)) - len(inits)
        drawn = machines.inits(first, count) if machines.inits else np.zeros((count, 5))
        inits = np.concatenate([inits, drawn])
    log = old.log
    if i[m.LOGGING] and 2 * i[m.LOGGED] > len(log):
        log = m.grown(log, 2 * len(log))
    return w._replace(
        ground=old._replace(
            nodes=nodes,
            placed=m.grown(old.placed, rows),
            laws=np.ascontiguousarray(laws),
            fails=fails,
            inits=np.ascontiguousarray(inits),
            lives=lives,
            open=m.grown(old.open, int(i[m.OPEN]) + most),
            events=m.grown(old.events, int(i[m.EVENTS]) + 8 * most),
            log=log,
        )
    )


def record_of(w: m.Memory, machines: Machines, end_s: float) -> GroundRecord:
    """The record of the machines of a run that ended at `end_s`. [s]"""
    i = w.integers
    machines.act(m.OP_SETTLE, m.INF, w)  # what was logged last is its replica's work
    nodes = w.ground.nodes[: i[m.NODES], : g.NODE_RECORD].copy()
    nodes[:, g.N_STOP] = np.minimum(nodes[:, g.N_STOP], end_s)
    for column in (g.N_RUNNING, g.N_UP, g.N_IMAGE):
        nodes[nodes[:, column] > nodes[:, g.N_STOP], column] = m.INF
    return GroundRecord(
        kind=machines.kind,
        places=int(w.ground.settings[g.S_PLACES]),
        nodes=nodes,
        placed=w.ground.placed[: i[m.REPLICAS], : g.PLACED_RECORD].copy(),
        failed_starts=int(i[m.FAILED_N]),
        given_up=int(i[m.GIVEN_UP]),
        lost_in_service=int(i[m.LOST_STARTED]),
    )
