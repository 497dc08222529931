"""Walks by the clock: what each layer does to instances, and each kind of weather to replicas."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from modeler.autoscale import fixed
from modeler.replay import Limits, Work, simulate
from modeler.replay import layout as m
from modeler.replay import machine_layout as g
from modeler.replay.machines import Closure, Machines, Outage

INF = float("inf")
# A new instance runs after 20 s, takes replicas after 30, has the image after 50, serves after 80;
# a warm node serves after 30. A fallback's takes ten times as long. From a warm pool: 10 s.
NEW = (20.0, 30.0, 50.0, 50.0, 80.0)
WARM = (0.0, 0.0, 0.0, 0.0, 30.0)
SLOW = tuple(10.0 * t for t in NEW)
POOLED = (5.0, 6.0, 6.0, 6.0, 10.0)


def planned(*steps: tuple[float, int], most: int):
    """A fleet whose capacity is set by the clock alone: (instant, replicas)."""
    first = steps[0][1]
    policy = fixed.build(first)
    bounds = np.array([(at, n, n) for at, n in steps[1:]], dtype=np.float64).reshape(-1, 3)
    return dataclasses.replace(policy, bounds=bounds, maximum=max(first, most))


def walked(policy, kind="none", *, arrival=(), service=0.0, until=3600.0, slots=1, **machines):
    laws = [NEW, WARM, POOLED]
    if machines.get("pools") == 2:
        laws = [NEW, WARM, SLOW, WARM, POOLED]
    settings = machines.pop("settings", {})
    arrival = np.array(arrival, dtype=np.float64)
    work = np.broadcast_to(np.array(service, dtype=np.float64), arrival.shape).copy()
    return simulate(
        policy,
        [Work(0, arrival, work, work)],
        Limits(slots=slots),
        draws=None,
        horizon_s=until,
        records=len(arrival),
        machines=Machines(
            kind,
            laws=lambda first, count: np.tile(np.array(laws), (count, 1, 1)),
            inits=lambda first, count: np.tile(np.array(NEW), (count, 1)),
            settings=settings,
            **machines,
        ),
    )


def ready(result):
    return result.replicas[:, m.READY_S].tolist()


def stops(result):
    return result.ground.nodes[:, g.N_STOP].tolist()


KARPENTER = {
    g.S_PLACES: 2.0, g.S_BATCH_IDLE: 1.0, g.S_BATCH_MAX: 10.0, g.S_SCAN: 10.0, g.S_VALIDATE: 15.0,
    g.S_BUDGET: 0.1, g.S_UNDERUSED: 1.0,
}  # fmt: skip


def test_karpenter_burst_lull_and_return():
    # Two warm on one node; a burst to 6 asks for two nodes a second later; a lull frees them.
    policy = planned((0, 2), (100, 6), (995, 2), (1100, 3), most=6)
    result = walked(policy, "karpenter", settings=KARPENTER, until=1500.0)
    nodes = result.ground.nodes
    assert nodes[:3, g.N_REQUESTED].tolist() == [0.0, 101.0, 101.0]
    # The first on each node brings the image at 151; the second starts from there.
    assert ready(result)[2:6] == [181.0, 181.0, 181.0, 181.0]
    # At 995 the newest four go. Looks come every 10 s; a node is deleted on the second look 15 s
    # later, one at a time (10 % of three nodes, rounded up), and the loop goes on 10 s after that.
    assert stops(result)[1:3] == [1015.0, 1040.0]
    # The return at 1100 finds both nodes gone, and the first one full.
    assert nodes[3, g.N_REQUESTED] == 1101.0
    assert ready(result)[6] == 1181.0


def test_karpenter_moves_the_replica_of_an_underused_node():
    # Two nodes of two; the third replica is busy for long, so that the scale-in at 95 takes the
    # newest idle ones, the fourth and the second: one is left on each node.
    policy = dataclasses.replace(planned((0, 4), (95, 2), most=4), idle_first=True)
    result = walked(
        policy, "karpenter", settings=KARPENTER, until=400.0,
        arrival=[10.0, 10.0, 10.0, 10.0], service=[10.0, 10.0, 10.0, 1000.0],
    )  # fmt: skip
    assert result.record[3, 2] == 2
    placed, nodes = result.ground.placed, result.ground.nodes
    # The look at 100 picks the older of equals, the second look at 115 acts: the first replica
    # goes, and one in its place starts as on a warm node, beside the busy one.
    assert placed[0, [g.P_ENDED, g.P_NOTICE]].tolist() == [g.EVICTED, 115.0]
    assert stops(result)[0] == 115.0
    assert placed[4, g.P_NODE] == 1.0
    assert ready(result)[4] == 145.0
    assert len(nodes) == 2
    # With empty nodes alone to be taken away, both stay.
    kept = walked(
        policy, "karpenter", settings={**KARPENTER, g.S_UNDERUSED: 0.0}, until=400.0,
        arrival=[10.0, 10.0, 10.0, 10.0], service=[10.0, 10.0, 10.0, 1000.0],
    )  # fmt: skip
    assert min(stops(kept)) == kept.end_s


CLUSTER = {
    g.S_PLACES: 1.0, g.S_SCAN: 10.0, g.S_UNNEEDED: 600.0, g.S_AFTER_ADD: 600.0,
    g.S_AFTER_FAILURE: 180.0, g.S_THRESHOLD: 0.5, g.S_STEP: 10.0,
}  # fmt: skip


def test_cluster_autoscaler_scans_and_waits_ten_minutes():
    policy = planned((0, 1), (95, 3), (1000, 1), most=3)
    result = walked(policy, "cluster_autoscaler", settings=CLUSTER, until=3600.0)
    # The scan at 100 asks for two nodes; both are unneeded from the scan at 1000 on (a replica's
    # stop precedes the scan of its instant only if it was asked for before; so from 1010).
    assert result.ground.nodes[1:, g.N_REQUESTED].tolist() == [100.0, 100.0]
    assert stops(result)[1:] == [1610.0, 1610.0]


def test_cluster_autoscaler_flap_resets_the_clock_and_reuses_the_node():
    policy = planned((0, 1), (95, 2), (1000, 1), (1500, 2), (1600, 1), most=2)
    result = walked(policy, "cluster_autoscaler", settings=CLUSTER, until=3600.0)
    assert len(result.ground.nodes) == 2
    assert ready(result)[2] == 1530.0  # a warm node
    assert stops(result)[1] == 2210.0  # unneeded from the scan at 1610 on, for 600 s


def test_managed_instances_are_held_for_ten_minutes():
    policy = planned((0, 1), (100, 3), (1000, 1), (1300, 2), (2000, 1), most=3)
    settings = {g.S_PLACES: 1.0, g.S_RELEASE: 600.0, g.S_SCAN: 1200.0, g.S_STEP: 1.0}
    result = walked(policy, "managed_instances", settings=settings, until=3600.0)
    assert ready(result)[1:] == [180.0, 180.0, 1330.0]  # at 1300 a held one is taken
    assert sorted(stops(result)[1:]) == [1600.0, 2600.0]


def test_a_warm_pool_is_drawn_from_first_and_filled_again():
    policy = planned((0, 1), (100, 3), (1000, 2), most=3)
    result = walked(policy, "warm_pool", settings={g.S_MAX_PREPARED: 2.0}, until=2000.0)
    nodes = result.ground.nodes
    # One is prepared at t = 0 (2 - 1): of the two that are asked for one comes from the pool.
    assert ready(result)[1:] == [110.0, 180.0]
    assert nodes[1, g.N_ROLE] == g.HELD
    assert nodes[1, g.N_STOP] == 100.0
    assert nodes[2, g.N_MACHINE] == nodes[1, g.N_MACHINE]
    # At two of two prepared the pool is empty: scale-in to 2 leaves it so.
    assert (nodes[:, g.N_ROLE] == g.INITIALISING).sum() == 0
    again = walked(policy, "warm_pool", settings={g.S_REUSE: 1.0, g.S_MAX_PREPARED: 3.0})
    # Three in all: at scale-in the instance goes back, nothing new is started.
    held = again.ground.nodes[again.ground.nodes[:, g.N_ROLE] == g.HELD]
    assert held[-1, g.N_REQUESTED] == 1000.0
    assert (again.ground.nodes[:, g.N_ROLE] == g.INITIALISING).sum() == 0


def test_without_reuse_a_scale_in_starts_an_instance_for_the_pool():
    policy = planned((0, 1), (100, 3), (1000, 2), (1050, 3), (1200, 2), (1400, 3), most=3)
    result = walked(policy, "warm_pool", settings={g.S_MAX_PREPARED: 3.0}, until=2000.0)
    nodes = result.ground.nodes
    first = nodes[nodes[:, g.N_ROLE] == g.INITIALISING]
    # The one begun at 1000 is not prepared by 1050: it ends, and the scale-out is a cold one.
    assert first[0, [g.N_REQUESTED, g.N_STOP]].tolist() == [1000.0, 1050.0]
    assert ready(result)[3] == 1130.0
    # The one begun at 1200 is prepared at 1280 and serves the scale-out at 1400.
    assert first[1, g.N_STOP] == 1280.0
    assert ready(result)[4] == 1410.0


def lives(*seconds: float):
    return lambda first, count: np.array(seconds + (INF,) * count)[first : first + count]


@pytest.mark.parametrize(("at_notice", "served"), [(1.0, 260.0), (0.0, 380.0)])
def test_a_reclaim_drains_at_its_notice_and_loses_what_is_unfinished(at_notice, served):
    # Told at 180, gone at 300. The request that came at 170 takes 200 s and is lost at 300; the
    # one that came at 190 waits for the replacement.
    result = walked(
        planned((0, 1), most=1), arrival=[0.0, 170.0, 190.0], service=100.0, spot=(True,),
        lives=lives(300.0), settings={g.S_NOTICE: 120.0, g.S_AT_NOTICE: at_notice},
    )  # fmt: skip
    assert result.record[:, 0].tolist() == [m.SERVED, m.SERVED, m.SERVED]
    assert result.record_s[2, 0] == served
    longer = walked(
        planned((0, 1), most=1), arrival=[0.0, 170.0, 190.0], service=150.0, spot=(True,),
        lives=lives(300.0), settings={g.S_NOTICE: 120.0, g.S_AT_NOTICE: at_notice},
    )  # fmt: skip
    assert longer.record[:, 0].tolist() == [m.SERVED, m.LOST, m.SERVED]
    assert longer.record[1, 1] == m.LOST_CAPACITY
    assert longer.record_s[1].tolist() == [170.0, 300.0]
    assert longer.busy_slot_s == 150.0 + 130.0 + 150.0
    assert longer.latency.sum() == longer.served == 2
    assert longer.causes["lost_capacity"] == longer.ground.lost_in_service == 1
    assert longer.ground.placed[0, g.P_NOTICE] == 180.0


def test_insufficient_capacity_is_retried_and_then_falls_back():
    policy = planned((0, 1), (100, 2), most=2)
    closed = Closure(50.0, 300.0, 0, retry_s=60.0)
    result = walked(policy, closures=[closed])
    # Asked at 100, 160, 220, 280 in vain, granted at 340.
    assert result.ground.nodes[1, g.N_REQUESTED] == 340.0
    assert ready(result)[1] == 420.0
    falls = dataclasses.replace(closed, fallback=1, after_s=90.0)
    result = walked(policy, closures=[falls], pools=2, spot=(False, False))
    assert result.ground.nodes[1, [g.N_REQUESTED, g.N_POOL]].tolist() == [190.0, 1.0]
    assert ready(result)[1] == 990.0
    # A capacity that is no longer wanted is never billed.
    result = walked(planned((0, 1), (100, 2), (200, 1), most=2), closures=[closed])
    assert result.ground.nodes[1, g.N_RUNNING] == INF
    assert stops(result)[1] == 200.0


def test_a_failed_start_is_tried_again_with_back_off_and_given_up():
    fails = lambda first, count: np.arange(first, first + count) < 3  # noqa: E731
    settings = {g.S_BACKOFF: 10.0, g.S_BACKOFF_MAX: 15.0, g.S_ATTEMPTS: 10.0}
    policy = planned((0, 1), (100, 2), most=2)
    result = walked(policy, fails=fails, settings=settings)
    # The ordinals 1 and 2 fail when they would be ready: at 180, and 10 s of pause later at 270;
    # the third start comes after 15 s, for 20 are more than the most.
    assert result.replicas[1:, m.STOP_S].tolist() == [180.0, 270.0, 3600.0]
    assert ready(result)[3] == 365.0
    assert result.ground.failed_starts == 2
    given_up = walked(policy, fails=fails, settings={**settings, g.S_ATTEMPTS: 2.0})
    assert (given_up.ground.failed_starts, given_up.ground.given_up) == (2, 1)
    assert len(given_up.replicas) == 3


def test_a_start_beyond_the_limit_fails_at_the_limit():
    settings = {g.S_START_LIMIT: 20.0, g.S_ATTEMPTS: 1.0}
    result = walked(planned((0, 1), (100, 2), most=2), settings=settings)
    # It begins to count at 150, with the image, and would have been ready at 180.
    assert result.replicas[1, m.STOP_S] == 170.0
    assert result.ground.given_up == 1


def test_a_node_that_does_not_come_up_is_asked_for_again():
    settings = {**CLUSTER, g.S_NODE_LIMIT: 25.0, g.S_NODE_BACKOFF: 300.0, g.S_ATTEMPTS: 2.0}
    result = walked(planned((0, 1), (95, 2), most=2), "cluster_autoscaler", settings=settings)
    # Asked at 100, given up at 125; 300 s later the scan at 430 asks again, in vain.
    assert result.ground.nodes[1:3, g.N_REQUESTED].tolist() == [100.0, 430.0]
    assert stops(result)[1:3] == [125.0, 455.0]
    assert result.ground.given_up == 1


def test_a_lost_zone_takes_its_replicas_and_the_others_take_their_place():
    result = walked(
        planned((0, 3), most=3), arrival=[90.0, 91.0, 92.0], service=60.0,
        outages=[Outage(100.0, 400.0, 1)], settings={g.S_ZONES: 3.0},
    )  # fmt: skip
    nodes = result.ground.nodes
    assert nodes[:3, g.N_ZONE].tolist() == [0.0, 1.0, 2.0]
    assert stops(result)[1] == 100.0
    assert nodes[3, [g.N_REQUESTED, g.N_ZONE]].tolist() == [100.0, 0.0]
    assert ready(result)[3] == 180.0
    assert sorted(result.record[:, 0].tolist()) == [m.SERVED, m.SERVED, m.LOST]


def test_a_spell_of_weather_holds_for_what_is_requested_in_it():
    slow = np.array([NEW, WARM, POOLED, SLOW, WARM, POOLED])
    result = simulate(
        planned((0, 1), (99, 2), (100, 3), (200, 4), most=4),
        [],
        Limits(),
        draws=None,
        horizon_s=2000.0,
        machines=Machines(
            "none",
            laws=lambda first, count: np.tile(slow, (count, 1, 1)),
            spells=[(0.0, 0), (100.0, 1), (200.0, 0)],
        ),
    )
    assert ready(result)[1:] == [179.0, 900.0, 280.0]
