"""Machines beneath replicas, and bad weather: the engine against a plain simulator, and laws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from naive import INF, Request
from naive_machines import NaiveMachines
from scenes import policies

from modeler.replay import Limits, Work, simulate
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.machines import Closure, Machines, Outage

QUICK = settings(
    max_examples=250,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
)
ROUNDING = 1e-9


def laws_of(rng, count: int, laws: int, mean: float, grid: bool):
    """Random starts, the moments of each in order; the warm one has no machine to wait for."""
    steps = rng.exponential(mean / 4, (count, laws, 5))
    if grid:
        steps = np.round(4 * steps) / 4
    table = np.cumsum(steps, axis=2)
    table[:, 1::2, :3] = 0.0
    table[:, 1::2, 3:] = np.cumsum(steps[:, 1::2, 3:], axis=2)
    return table


@st.composite
def machines_and_case(draw, grid: bool):
    policy, decide = draw(policies(grid))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(1, 80))
    service = rng.exponential(draw(st.sampled_from([0.5, 2.0, 4.0])), n)
    arrival = np.cumsum(rng.exponential(draw(st.sampled_from([0.2, 0.5, 1.0])), n))
    arrival -= arrival[0]
    judged = service * rng.choice([0.5, 1.0], n)
    if grid:
        arrival, service, judged = (np.round(4 * x) / 4 for x in (arrival, service, judged))
    kind = draw(st.sampled_from(list(g.KINDS)))
    pools = draw(st.sampled_from([1, 2]))
    spells = draw(st.sampled_from([((0.0, 0),), ((0.0, 0), (6.0, 1), (20.0, 0))]))
    per_spell = 2 * pools + 1
    table = laws_of(rng, 64, 2 * per_spell, draw(st.sampled_from([1.0, 4.0, 8.0])), grid)
    lives = rng.exponential(draw(st.sampled_from([8.0, 40.0])), 64)
    lives = np.round(4 * lives) / 4 if grid else lives
    spot = draw(st.booleans()) and kind != "warm_pool"
    zones = draw(st.sampled_from([1, 1, 3]))
    closures = []
    if draw(st.booleans()):
        fallback = 1 if pools == 2 and draw(st.booleans()) else -1
        closures.append(
            Closure(draw(st.sampled_from([0.0, 5.0])), draw(st.sampled_from([12.0, 40.0])), 0,
                    draw(st.sampled_from([0.5, 3.0])), fallback,
                    draw(st.sampled_from([0.0, 2.5])))
        )  # fmt: skip
        if fallback == 1 and draw(st.booleans()):
            closures.append(Closure(8.0, 16.0, 1, 1.0, 0, 1.0))
    outages = (
        [Outage(draw(st.sampled_from([4.0, 10.25])), 25.0, draw(st.integers(0, 1)))]
        if zones > 1 and draw(st.booleans())
        else []
    )
    failing = rng.random(64) < draw(st.sampled_from([0.0, 0.0, 0.3, 1.0]))
    limit = draw(st.sampled_from([INF, INF, 2.0]))
    sets = {
        g.S_PLACES: 1.0
        if kind in ("none", "warm_pool")
        else draw(st.sampled_from([1.0, 2.0, 3.0])),
        g.S_BINPACK: float(draw(st.booleans())),
        g.S_RELEASE: draw(st.sampled_from([0.0, 3.0])),
        g.S_SCAN: draw(st.sampled_from([1.0, 2.5])),
        g.S_BATCH_IDLE: draw(st.sampled_from([0.0, 0.5])),
        g.S_BATCH_MAX: 1.0,
        g.S_QUIET: draw(st.sampled_from([0.0, 1.0])),
        g.S_VALIDATE: draw(st.sampled_from([0.0, 0.75])),
        g.S_BUDGET: draw(st.sampled_from([0.1, 0.5, 1.0])),
        g.S_UNDERUSED: float(draw(st.booleans())),
        g.S_UNNEEDED: draw(st.sampled_from([0.0, 2.5])),
        g.S_AFTER_ADD: draw(st.sampled_from([0.0, 4.0])),
        g.S_AFTER_FAILURE: 1.0,
        g.S_THRESHOLD: draw(st.sampled_from([0.5, 0.7, 1.0])),
        g.S_MIN_NODES: float(draw(st.sampled_from([0, 0, 2]))) if kind != "none" else 0.0,
        g.S_LAUNCH_LIMIT: draw(st.sampled_from([INF, INF, 3.0])),
        g.S_NODE_LIMIT: draw(st.sampled_from([INF, INF, 5.0])),
        g.S_NODE_BACKOFF: draw(st.sampled_from([0.0, 1.5])),
        g.S_NODE_BACKOFF_MAX: 4.0,
        g.S_START_LIMIT: limit,
        g.S_BACKOFF: draw(st.sampled_from([0.0, 0.5])),
        g.S_BACKOFF_MAX: 3.0,
        g.S_ATTEMPTS: float(draw(st.sampled_from([1, 3]))),
        g.S_FAIL_AT_LIMIT: float(limit < INF and draw(st.booleans())),
        g.S_NOTICE: draw(st.sampled_from([0.0, 1.0, 4.0])),
        g.S_AT_NOTICE: float(draw(st.booleans())),
        g.S_ZONES: float(zones),
        g.S_MAX_PREPARED: draw(st.sampled_from([-1.0, 3.0])),
        g.S_MIN_POOL: draw(st.sampled_from([0.0, 1.0])),
        g.S_REUSE: float(draw(st.booleans())),
        g.S_POOL_RUNS: float(draw(st.booleans())),
        g.S_STEP: draw(st.sampled_from([1.0, 10.0])),
    }
    if kind in ("none", "warm_pool"):
        sets[g.S_MIN_NODES] = 0.0
    at = lambda first, count: np.arange(first, first + count) % 64  # noqa: E731
    machines = Machines(
        kind,
        laws=lambda first, count: table[at(first, count)],
        pools=pools,
        spot=(spot, False)[:pools],
        inits=lambda first, count: table[at(first, count), 0],
        lives=lambda first, count: lives[at(first, count)],
        fails=lambda first, count: failing[at(first, count)],
        spells=spells,
        closures=closures,
        outages=outages,
        settings=sets,
        splits_work=True,
    )
    limits = Limits(
        slots=draw(st.sampled_from([1, 2, 3])),
        queue_limit=draw(st.sampled_from([None, None, 2])),
        queue_timeout_s=draw(st.sampled_from([INF, 5.0])),
        client_timeout_s=draw(st.sampled_from([INF, 4.0])),
        threshold_s=draw(st.sampled_from([0.5, 5.0])),
    )
    after = draw(st.sampled_from([0.0, 2.5, 60.0]))
    return policy, decide, arrival, service, judged, limits, machines, arrival[-1] + after


def replayed(scene, cuts=()):  # type: ignore[no-untyped-def]
    policy, _, arrival, service, judged, limits, machines, horizon = scene
    bounds = [0, *cuts, len(arrival)]
    return simulate(
        policy,
        [Work(a, arrival[a:b], service[a:b], judged[a:b]) for a, b in pairwise(bounds)],
        limits,
        draws=None,
        horizon_s=horizon,
        records=len(arrival),
        machines=machines,
    )


def same(got, expected, exact):  # type: ignore[no-untyped-def]
    if exact:
        np.testing.assert_array_equal(got, expected)
    else:
        np.testing.assert_allclose(got, expected, rtol=ROUNDING, atol=ROUNDING)


def compare(scene, *, exact):  # type: ignore[no-untyped-def]
    result = replayed(scene)
    policy, decide, arrival, service, judged, limits, machines, horizon = scene
    requests = [
        Request(*row)
        for row in zip(arrival.tolist(), service.tolist(), judged.tolist(), strict=True)
    ]
    naive = NaiveMachines(
        policy, decide, requests, limits, machines=machines, horizon_s=horizon,
        chosen=result.record[:, 2].tolist(),
    ).run()  # fmt: skip
    end = naive.end
    assert result.end_s == pytest.approx(end, abs=0.0 if exact else ROUNDING)
    rows, placed = [], []
    for r in naive.replicas:
        stop = min(r.stop, end)
        running = r.running if r.running <= stop else INF
        ready = r.ready if r.ready <= end else INF
        rows.append((r.requested, running, ready, r.drain, stop))
        k = r.ordinal
        placed.append((naive.where[k].number, naive.law[k], naive.begin_at[k], naive.ended[k],
                       naive.notice.get(k, INF), naive.attempt[k]))  # fmt: skip
    same(result.replicas, rows, exact)
    ground = result.ground
    same(ground.placed[:, : g.P_BUSY], np.array(placed).reshape(-1, 6), exact)
    roles = {name: code for code, name in {**g.ROLES, g.HELD: "held"}.items()}
    nodes = []
    for n in naive.nodes:
        stop = min(n.stop, end)
        moments = [t if t <= stop else INF for t in (n.running, n.up, n.image)]
        nodes.append((n.requested, *moments, stop, n.pool, n.zone, roles[n.role], n.ended,
                      n.machine))  # fmt: skip
    same(ground.nodes, np.array(nodes).reshape(-1, g.NODE_RECORD), exact)

    codes = {name: code for code, name in [*m.OUTCOMES.items(), *m.CAUSES.items()]}
    assert [codes[r.outcome] for r in requests] == result.record[:, 0].tolist()
    assert [codes.get(r.cause, 0) for r in requests] == result.record[:, 1].tolist()
    same(result.record_s, [(r.start, r.end) for r in requests], exact)
    outcomes = [r.outcome for r in requests]
    for name in ("served", "rejected", "timed_out", "lost"):
        assert getattr(result, name) == outcomes.count(name)
    for name, count in result.causes.items():
        assert count == [r.cause for r in requests].count(name)
    assert (ground.failed_starts, ground.given_up) == (naive.failed, naive.given_up)
    assert ground.lost_in_service == naive.lost
    served = [r for r in requests if r.outcome == "served"]
    assert result.latency.sum() == len(served)
    assert (result.latency >= 0).all()
    assert result.wait.sum() == sum(1 for r in served if r.queued)
    sums = {
        "wait_sum_s": sum(r.start - r.arrival for r in served),
        "served_sum_s": sum(r.end - r.arrival for r in served),
    }
    for name, expected in sums.items():
        assert getattr(result, name) == pytest.approx(expected, rel=ROUNDING, abs=1e-7), name
    draining = ground.placed[:, g.P_BUSY_DRAINING].sum()
    assert draining == pytest.approx(result.busy_draining_slot_s, abs=1e-7)
    assert ground.placed[:, g.P_BUSY].sum() == pytest.approx(result.busy_slot_s, abs=1e-7)


@QUICK
@given(machines_and_case(grid=True))
def test_every_row_as_the_simulator_says_with_ties(scene):
    compare(scene, exact=True)


@QUICK
@given(machines_and_case(grid=False))
def test_every_row_as_the_simulator_says_without_ties(scene):
    compare(scene, exact=False)


@QUICK
@given(machines_and_case(grid=True), st.data())
def test_chunks_change_nothing(scene, data):
    whole = replayed(scene)
    cuts = data.draw(st.sets(st.integers(0, len(scene[2])), max_size=5).map(sorted))
    parts = replayed(scene, tuple(cuts))
    for name in ("nodes", "placed"):
        one, other = getattr(whole.ground, name), getattr(parts.ground, name)
        # Work is added up in the order in which the log is emptied.
        np.testing.assert_allclose(one, other, rtol=ROUNDING, atol=ROUNDING)
    np.testing.assert_array_equal(whole.replicas, parts.replicas)
    np.testing.assert_array_equal(whole.record, parts.record)


@QUICK
@given(machines_and_case(grid=False))
def test_the_same_run_twice_gives_the_same_bytes(scene):
    one, other = replayed(scene), replayed(scene)
    assert one.ground.nodes.tobytes() == other.ground.nodes.tobytes()
    assert one.ground.placed.tobytes() == other.ground.placed.tobytes()


@QUICK
@given(machines_and_case(grid=False))
def test_no_instance_holds_too_many_and_no_replica_outlives_its_own(scene):
    result = replayed(scene)
    nodes, placed, table = result.ground.nodes, result.ground.placed, result.replicas
    home = placed[:, g.P_NODE].astype(int)
    stop = nodes[home, g.N_STOP]
    assert (table[:, m.STOP_S] <= stop).all()
    served = table[:, m.READY_S] < INF
    # Each ready second lies inside the life of an instance that runs.
    assert (nodes[home[served], g.N_RUNNING] <= table[served, m.READY_S]).all()
    for node in range(len(nodes)):
        held = table[home == node]
        moments = np.concatenate([held[:, m.REQUESTED_S], held[:, m.STOP_S]])
        steps = np.concatenate([np.ones(len(held)), -np.ones(len(held))])
        order = np.lexsort((steps, moments))
        assert np.max(np.cumsum(steps[order]), initial=0) <= result.ground.places
