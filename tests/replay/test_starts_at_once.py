"""Replicas that one decision asks for share a store and a registry; caches hit by the draw."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import pricing
from modeler.autoscale import fixed
from modeler.measure import judge
from modeler.measure.instances import summary
from modeler.predict import ColdStartLaw, StartLaws, cold_start_law
from modeler.predict.timeline import PHASES, Staged, Transfer
from modeler.predict.together import Shared, even_share, place_together, transfer_s
from modeler.replay import Limits, run, simulate
from modeler.replay import layout as m
from modeler.replay.machines import Machines
from modeler.scenario import default, with_values
from traces import Trace

NEW = np.array([20.0, 30.0, 50.0, 50.0, 80.0])


def planned(*steps: tuple[float, int]):
    first = steps[0][1]
    bounds = np.array([(at, n, n) for at, n in steps[1:]], dtype=np.float64).reshape(-1, 3)
    most = max(n for _, n in steps)
    return dataclasses.replace(fixed.build(first), bounds=bounds, maximum=most)


def ready_of(*steps: tuple[float, int], levels: int, spells=((0.0, 0),), overlaps=()):
    """Ready since the request, where the law of level k takes k + 1 times as long."""
    per_spell = np.concatenate([[k * NEW, k * NEW, k * NEW] for k in range(1, levels + 1)])
    laws = np.concatenate([per_spell, 1000.0 + per_spell])
    result = simulate(
        planned(*steps),
        [],
        Limits(),
        draws=None,
        horizon_s=1e6,
        machines=Machines(
            "none",
            laws=lambda first, count: np.tile(laws, (count, 1, 1)),
            spells=spells,
            at_once=levels,
            overlaps=overlaps,
        ),
    )
    table = result.replicas
    return (table[:, m.READY_S] - table[:, m.REQUESTED_S])[steps[0][1] :].tolist()


def test_each_decision_starts_by_the_law_of_its_number():
    steps = ((0, 1), (10_000, 4), (20_000, 5), (30_000, 7))
    assert ready_of(*steps, levels=8) == [240.0] * 3 + [80.0] + [160.0] * 2
    # A larger number than there are laws for takes the last.
    assert ready_of((0, 1), (10_000, 6), levels=3) == [240.0] * 5


def test_starts_still_under_way_count_for_those_that_come_later():
    steps = ((0, 1), (1000, 3), (1010, 4), (1030, 5))
    # Two transfer for 25 s; after ten a third comes, beside them for 30 s; when the last comes the
    # first two are through, the third is not.
    overlaps = [20.0 + 5 * (n - 1) for n in range(1, 9)]
    found = ready_of(*steps, levels=8, overlaps=overlaps)
    assert found == [160.0, 160.0, 240.0, 160.0]
    assert ready_of(*steps, levels=8) == [160.0, 160.0, 80.0, 80.0]


@pytest.mark.parametrize("gap_s", [5.0, 15.0, 30.0, 60.0])
def test_decisions_close_to_each_other_beside_the_fluid(gap_s):
    # Three decisions of four; 14 GB each of a store of 1 GB/s for all. The later ones are slowed
    # throughout and the earlier ones not again, which was found to cost up to 14 % of the mean.
    start = Staged(100.0, 0.0, 0.0, Transfer(0, 1, 1), Transfer(14e9, 0.9e9, 0.45e9), 0.0, False,
                   1.0, True, 60.0, 10.0)  # fmt: skip
    shared = Shared(1e9)
    timelines = []
    for number in range(1, 13):
        one = even_share(start, number, shared)
        timelines += [one, one, one]
    laws = StartLaws(ColdStartLaw(start), timelines)
    result = simulate(
        planned((0, 0), *((1000 + k * gap_s, 4 * (k + 1)) for k in range(3))),
        [],
        Limits(),
        draws=None,
        horizon_s=1e4,
        machines=Machines(
            "none",
            laws=laws.moments,
            at_once=12,
            overlaps=[transfer_s(start, shared, number) for number in range(1, 13)],
        ),
    )
    table = result.replicas
    found = table[:, m.READY_S] - table[:, m.REQUESTED_S]
    later = np.repeat(np.arange(3) * gap_s, 4)
    factors = np.ones((12, len(PHASES)))
    factors[:, 0] += later / 100.0  # provision, of 100 s
    fluid = place_together(start, factors, 12, shared)[1][:, -1] - later
    assert found.mean() == pytest.approx(fluid.mean(), rel=0.15)
    # Without a look at the others it would be that of four by themselves, always.
    apart = transfer_s(start, shared, 4) + 170.0
    assert found.min() == pytest.approx(apart)
    assert found.mean() >= apart - 1e-9


def test_above_thirty_two_a_number_is_rounded_up_to_a_power_of_two():
    levels = 34  # 1 to 32, 64, 128
    assert ready_of((0, 0), (10, 32), levels=levels)[0] == 32 * 80.0
    assert ready_of((0, 0), (10, 33), levels=levels)[0] == 33 * 80.0  # of 64
    assert ready_of((0, 0), (10, 65), levels=levels)[0] == 34 * 80.0  # of 128


def test_weather_and_number_choose_the_law_together():
    found = ready_of((0, 1), (100, 3), (200, 4), levels=3, spells=((0.0, 0), (150.0, 1)))
    assert found == [160.0, 160.0, 1080.0]


SHARED = {
    "hosting.kind": "ec2_asg",
    "hosting.instance": "g5.2xlarge",
    "model.size": 14_000_000_000,
    "fleet.max": 12,
    "hosting.usd_per_hour": 3.6,
    "service": {"kind": "fixed", "mean_s": 2.0},
    "policy": {"kind": "scheduled", "schedule": "at(1970-01-01T00:10:00)", "min_replicas": 9},
    "cold_start.sigma_log": 0,
    "cold_start.shared_nic": False,
    "cold_start.store_total_bytes_per_s": 0.5e9,
    "cold_start.registry_total_bytes_per_s": 0.4e9,
}


def replayed(**changes):
    scenario = with_values(default(), SHARED | changes)
    return run(scenario, Trace(np.arange(0.0, 4000.0, 10.0), t0_ns=0))


def test_a_replay_has_the_even_share_of_equal_starts():
    done = replayed()
    table = done.result.replicas
    lags = (table[:, m.READY_S] - table[:, m.REQUESTED_S])[1:]
    assert len(lags) == 8
    # 36 + 25.8 of machine; 11.6 GB at 0.4 / 8 and unpacked; 14 GB at 0.5 / 8; the rest as alone.
    law = cold_start_law(done.scenario, pricing.instance("g5.2xlarge"))
    together = law.sample_together(8, 1).ready_s
    assert lags == pytest.approx(together, rel=1e-12)
    alone = law.sample(0, 1).ready_s[0]
    more = 11.6e9 * (8 / 0.4e9 - 1 / 141463415) + 14e9 * (8 / 0.5e9 - 1 / 212987013)
    assert lags[0] - alone == pytest.approx(more, rel=1e-6)
    assert summary(done.layer, done.result)["laws"] == {
        "warm at the start": 1,
        "new instance (8 at once)": 8,
    }


def test_a_store_without_a_limit_changes_nothing():
    free = {
        "cold_start.store_total_bytes_per_s": None,
        "cold_start.registry_total_bytes_per_s": None,
    }
    plain = replayed(**free)
    assert plain.layer is None
    ample = replayed(**dict.fromkeys(free, 1e15))
    assert np.array_equal(plain.result.replicas, ample.result.replicas)


def test_what_comes_from_a_peer_waits_for_no_store():
    from_peer = {
        "cold_start.weights_from": "peer",
        "cold_start.registry_total_bytes_per_s": None,
    }
    slow = {"weather": [{"kind": "slow_store", "factor": 0.1, "from_s": 0, "for_s": 10_000}]}
    plain, slowed = replayed(**from_peer), replayed(**from_peer, **slow)
    assert plain.layer is None
    assert np.array_equal(plain.result.replicas, slowed.result.replicas)


def test_a_slow_store_gives_less_to_all():
    slow = {"weather": [{"kind": "slow_store", "factor": 0.5, "from_s": 0, "for_s": 10_000}]}
    lags = []
    for changes in ({}, slow):
        table = replayed(**changes).result.replicas
        lags.append(table[-1, m.READY_S] - table[-1, m.REQUESTED_S])
    # 14 GB at half of 0.5 / 8 GB/s instead of all of it.
    assert lags[1] - lags[0] == pytest.approx(14e9 * 8 / 0.5e9, rel=1e-9)


def test_a_replay_draws_hits_and_misses_by_the_replicas_ordinals():
    cached = {
        "cold_start.store_total_bytes_per_s": None,
        "cold_start.registry_total_bytes_per_s": None,
        "cold_start.image_cache_hit": 0.5,
    }
    done = replayed(**cached)
    table = done.result.replicas
    law = cold_start_law(done.scenario, pricing.instance("g5.2xlarge"))
    expected = law.sample(0, 9).ready_s[1:]
    assert (table[:, m.READY_S] - table[:, m.REQUESTED_S])[1:] == pytest.approx(expected, rel=1e-9)
    assert len(set(np.round(expected, 6).tolist())) == 2


def test_an_engine_that_sleeps_is_woken_and_billed_meanwhile():
    asleep = {
        "hosting.nodes": {"kind": "warm_pool", "state": "asleep", "min_size": 2},
        "cold_start.store_total_bytes_per_s": None,
        "cold_start.registry_total_bytes_per_s": None,
    }
    done = replayed(**asleep)
    table = done.result.replicas
    lags = (table[:, m.READY_S] - table[:, m.REQUESTED_S])[1:]
    # 1.9 s until the machine is there, 0.3 s + 14 GB at 45.7 GB/s, 15 s of the load balancer.
    assert lags == pytest.approx(np.full(8, 1.9 + 0.3 + 14 / 45.7 + 15), rel=1e-9)
    components = [line.component for line in judge(done).cost_lines]
    assert "warm pool: asleep" in components
    assert not any("storage" in component for component in components)
