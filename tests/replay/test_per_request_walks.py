"""Scale per request, walked by hand: burst, lull, return from zero, flap around the cap."""

import numpy as np
import pytest

from modeler.autoscale import scalable_target
from modeler.autoscale.context import Context
from modeler.autoscale.keep_alive import fixed
from modeler.replay import Limits, Work
from modeler.replay import layout as m
from modeler.replay.per_request import Capacity, simulate
from modeler.scenario.policy import Scheduled, TargetTracking

INF = float("inf")


def replay(arrival, service, *, keep=10.0, init=1.0, horizon=0.0, **more):
    arrival = np.asarray(arrival, dtype=np.float64)
    service = np.broadcast_to(np.asarray(service, dtype=np.float64), arrival.shape).copy()

    def draws(first, count):
        return np.zeros(count), np.full(count, init), None

    return simulate(
        [Work(0, arrival, service, service)],
        more.pop("limits", Limits(threshold_s=3.5)),
        fixed(keep),
        draws=draws,
        horizon_s=horizon,
        records=len(arrival),
        **more,
    )


def test_burst_then_lull_then_return_from_zero():
    # Three at once start three; at 5 s the newest serves again; at 15.9 the two that have been
    # idle since 3 s are gone and the newest is kept; at 40 all are gone.
    result = replay([0.0, 0.0, 0.0, 5.0, 15.9, 40.0], 2.0)
    assert result.record[:, 2].tolist() == [0, 1, 2, 2, 2, 3]
    assert result.record_s[:, 0].tolist() == [1.0, 1.0, 1.0, 5.0, 15.9, 41.0]
    assert result.replicas[:, m.STOP_S].tolist() == [13.0, 13.0, 27.9, 43.0]
    assert result.environments.cold == 4
    assert result.environments.peak == 3
    # One breach for the burst, one for the return: each until its first environment is ready.
    assert result.breaches.tolist() == [[0.0, 0.0, 1.0], [40.0, 3.0, 41.0]]


def test_a_finish_and_an_expiry_come_before_the_arrival_of_their_instant():
    result = replay([0.0, 3.0, 15.0], 2.0)  # free at 3; idle from 5, gone at 15
    assert result.record[:, 2].tolist() == [0, 0, 1]


def test_flap_around_the_cap():
    # Two at most: of three at once one is throttled; so is one at 2 s, for both still serve.
    arrival = [0.0, 0.0, 0.0, 2.0, 3.0, 3.0, 3.0]
    result = replay(arrival, 2.0, capacity=Capacity(cap=2))
    assert result.record[:, 0].tolist() == [1, 1, 2, 2, 1, 1, 2]
    assert result.environments.throttled_by_cap == 3
    assert result.causes["replica_cap"] == 3
    assert result.environments.peak == 2


def test_a_burst_rate_throttles_what_it_does_not_start():
    capacity = Capacity(burst="bucket", burst_limit=2.0, burst_period_s=10.0)
    result = replay([0.0] * 3 + [5.0, 5.0, 5.0, 5.0], 3.0, capacity=capacity)
    # Two started, one refused; at 5 s both are free again and the bucket has one more.
    assert result.record[:, 0].tolist() == [1, 1, 2, 1, 1, 1, 2]
    assert result.environments.throttled_by_burst == 2
    assert result.causes["decision"] == 2


def test_several_requests_share_an_environment_and_wait_for_it():
    result = replay([0.0, 0.5, 2.0, 2.0, 2.0], 4.0, limits=Limits(slots=3))
    assert result.record[:, 2].tolist() == [0, 0, 0, 1, 1]
    assert result.record_s[:, 0].tolist() == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert result.environments.running_s == 6.0 + 5.0


def test_the_whole_cold_response_replaces_start_and_service():
    def draws(first, count):
        return np.zeros(count), np.zeros(count), np.full(count, 9.0)

    work = [Work(0, np.array([0.0, 20.0]), np.array([1.0, 1.0]), np.array([1.0, 1.0]))]
    result = simulate(
        work, Limits(threshold_s=5.0), fixed(60.0), draws=draws, horizon_s=0.0, records=2
    )
    assert result.record_s[:, 1].tolist() == [9.0, 21.0]
    assert result.causes["cold_start"] == 1


def tracked(maximum=10, least=2):
    block = TargetTracking(metric="provisioned_concurrency_utilisation", target=0.7)
    return scalable_target.from_block(block, Context("lambda", least, maximum, None, 1, 1.0))


def steady(rate, begin, end, service):
    """Evenly spaced arrivals; in flight are rate x service."""
    return np.arange(begin, end, 1.0 / rate), service


def test_provisioned_concurrency_follows_its_utilisation():
    # 4 in flight from 0 to 30 minutes on 2 provisioned: utilisation 1 above the target 0.7, so 3
    # datapoints, published 70 s after the third minute, ask for more at 250 s; then it holds; the
    # lull brings it back 15 minutes and 70 s after its start.
    burst, service = steady(4.0, 0.0, 1800.0, 1.0)
    result = replay(
        burst,
        service,
        keep=60.0,
        horizon=3600.0,
        provisioned=tracked(),
        capacity=Capacity(provisioned_lead_s=30.0),
    )
    changes = [(d.time_s, d.to_replicas) for d in result.decisions if d.reason.startswith("Scaled")]
    assert changes[0] == (250.0, 3)  # ceil(2 x 1.0 / 0.7)
    most = max(to for _, to in changes)
    # 4 in flight on 6 are 0.67: under the target, above nine tenths of it.
    assert most == 6
    down = next(t for t, to in changes if t > 1800.0)
    assert 1800.0 + 15 * 60.0 <= down <= 1800.0 + 17 * 60.0
    assert changes[-1][1] == 2
    held = result.environments.provisioned
    assert len(held) == most
    # The last ones live to the end of the run.
    assert (held[:, 1] == 3600.0).sum() == 2


def test_a_scheduled_action_prepares_environments_and_lets_them_go():
    blocks = [
        Scheduled(schedule="at(1970-01-01T00:10:00)", min_replicas=3, max_replicas=3),
        Scheduled(schedule="at(1970-01-01T00:20:00)", min_replicas=0, max_replicas=0),
    ]
    context = Context("lambda", 0, 10, None, 1, 1.0, horizon_s=1800.0)
    result = replay(
        [595.0] * 3 + [700.0] * 3 + [1300.0] * 3,
        1.0,
        keep=10.0,
        horizon=1800.0,
        provisioned=scalable_target.from_blocks(blocks, context),
        capacity=Capacity(provisioned_lead_s=60.0),
    )
    # Three cold before, three that find what was prepared from 600 to 660 s, three cold after.
    assert (result.environments.cold, result.environments.on_provisioned) == (6, 3)
    held = result.environments.provisioned
    assert held[:, :2].tolist() == [[600.0, 1200.0]] * 3


def test_what_overflows_provisioned_environments_starts_on_demand():
    result = replay([1.0] * 5, 2.0, provisioned=tracked(least=3), horizon=10.0)
    assert result.environments.on_provisioned == 3
    assert result.environments.cold == 2
    assert sorted(result.record[:, 2].tolist()) == [0, 1, 2, 3, 4]
    capped = replay(
        [1.0] * 5, 2.0, provisioned=tracked(least=3), capacity=Capacity(cap=4), horizon=10.0
    )
    assert capped.rejected == 1


def test_more_requests_on_provisioned_environments_than_on_demand_cost_no_cold_start():
    slow = replay([0.0, 1.0, 2.0], 0.5, keep=0.0)
    warm = replay([0.0, 1.0, 2.0], 0.5, keep=0.0, provisioned=tracked(least=1))
    assert slow.environments.cold == 3
    assert warm.environments.cold == 0
    assert warm.wait_sum_s == 0.0


@pytest.mark.parametrize("keep", [0.0, 5.0, INF])
def test_longer_keep_alive_never_means_more_cold_starts(keep):
    rng = np.random.default_rng(3)
    arrival = np.cumsum(rng.exponential(1.0, 500))
    service = rng.exponential(1.0, 500)
    fewer = replay(arrival, service, keep=keep + 1.0, init=0.0).environments.cold
    assert fewer <= replay(arrival, service, keep=keep, init=0.0).environments.cold
