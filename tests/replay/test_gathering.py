"""Dynamic batching beside a plain simulator, in closed form, and its laws."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from naive_dynamic import INF, NaiveDynamic
from scenes import assert_same_bits, fixed_fleet, policies

from modeler.autoscale import fixed
from modeler.replay import Fates, Limits, Work, simulate
from modeler.replay import layout as m
from modeler.replay.batching import Gathering

ROUNDING = 1e-9


def replay(seconds, delay_s, arrival, *, replicas=1, ready=(), **of):
    """Arrivals on a fixed fleet of replicas that gather."""
    limits = Limits(slots=len(seconds), batching=Gathering(tuple(seconds), delay_s), **of)
    nothing = np.zeros(len(arrival))
    return fixed_fleet(limits, arrival, nothing, nothing, replicas=replicas, ready=ready)


@st.composite
def scenes(draw):
    count = draw(st.integers(1, 40))
    gaps = draw(
        st.lists(st.floats(0.0, 0.5, allow_subnormal=False), min_size=count, max_size=count)
    )
    scale = draw(st.sampled_from([1.0, 0.1]))
    size = draw(st.integers(1, 5))
    step = draw(st.sampled_from([0.0, 0.05, 0.3]))
    router = draw(st.sampled_from(["central", "central", "least_outstanding", "round_robin"]))
    replicas = draw(st.integers(1, 3))
    late = draw(st.integers(0, replicas - 1)) if router == "central" else 0
    return {
        "seconds": tuple(0.2 + step * k for k in range(size)),
        "delay_s": draw(st.sampled_from([0.0, 0.04, 0.7])),
        "arrivals": np.cumsum([scale * gap for gap in gaps]).tolist(),
        "ready": [0.0] * (replicas - late) + [0.3 + 0.4 * k for k in range(late)],
        "router": router,
        "queue_limit": draw(st.sampled_from([None, None, 0, 3])),
        "queue_timeout_s": draw(st.sampled_from([INF, INF, 0.5, 0.03])),
        "client_timeout_s": draw(st.sampled_from([INF, INF, 0.8])),
    }


@settings(max_examples=400, deadline=None)
@given(scenes())
def test_every_request_as_the_plain_simulator_has_it(scene):
    plain = NaiveDynamic(**scene).run()
    result = replay(
        scene["seconds"], scene["delay_s"], scene["arrivals"],
        replicas=len(scene["ready"]), ready=[at for at in scene["ready"] if at > 0.0],
        queue_limit=scene["queue_limit"], queue_timeout_s=scene["queue_timeout_s"],
        client_timeout_s=scene["client_timeout_s"], fates=Fates(router=scene["router"]),
    )  # fmt: skip
    event(f"gathered: {scene['delay_s'] > 0 and len(scene['seconds']) > 1}")
    for k, one in enumerate(plain.requests):
        assert m.OUTCOMES[int(result.record[k, 0])] == one.outcome, k
        assert result.record_s[k, 1] == pytest.approx(one.end, abs=ROUNDING), k
        if one.start < INF:
            assert result.record_s[k, 0] == pytest.approx(one.start, abs=ROUNDING), k
            assert result.record[k, 2] == one.replica, k
    slots = len(scene["seconds"])
    assert result.busy_slot_s == pytest.approx(slots * plain.busy_s, abs=1e-6)
    assert result.between is None


def test_a_walk_by_hand():
    # Four at most, a quarter of a second's patience, 1 s and a tenth more for each.
    result = replay([1.0, 1.1, 1.2, 1.3], 0.25, [0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.9])
    # Two have come when the first has waited 0.25 s; four wait when they are done at 1.35 s, and
    # the seventh until those are.
    assert result.record_s[:, 0].tolist() == pytest.approx([0.25] * 2 + [1.35] * 4 + [2.65])
    assert result.record_s[:, 1].tolist() == pytest.approx([1.35] * 2 + [2.65] * 4 + [3.65])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.sampled_from([0.3, 0.8, 1.4]))
@example(1086, 3, 0.3)  # nobody waits
def test_batches_of_one_are_the_ordinary_engine(seed, replicas, load):
    """One at a time and no delay is a queue before slots, whose engine knows nothing of batches."""
    rng = np.random.default_rng(seed)
    arrival = np.cumsum(rng.exponential(1.0 / (load * replicas), 60))
    same = np.ones(60)
    plain = simulate(
        fixed.build(replicas),
        [Work(0, arrival, same, same)],
        Limits(slots=1, threshold_s=2.0),
        draws=lambda first, count: (np.zeros(count), np.zeros(count)),
        horizon_s=float(arrival[-1]) + 1.0,
        records=60,
    )
    found = replay([1.0], 0.0, arrival, replicas=replicas, threshold_s=2.0)
    assert found.record_s[:, :2] == pytest.approx(plain.record_s, abs=ROUNDING)
    assert found.causes == plain.causes
    assert found.busy_slot_s == pytest.approx(plain.busy_slot_s)
    assert (found.self_cleared, found.peak_queue) == (plain.self_cleared, plain.peak_queue)


def test_a_full_replica_serves_whole_batches():
    seconds = [0.05 + 0.01 * k for k in range(1, 33)]
    result = replay(seconds, 0.1, [0.0] * 3200)
    assert result.record_s[:, 1].max() == pytest.approx(100 * seconds[-1])


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_laws_of_a_fleet_that_scales(data):
    policy, _ = data.draw(policies(grid=False))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    count = data.draw(st.integers(1, 120))
    arrival = np.cumsum(rng.exponential(data.draw(st.sampled_from([0.1, 0.4, 1.0])), count))
    slots = data.draw(st.integers(1, 6))
    seconds = tuple(0.5 + 0.2 * k for k in range(slots))
    ready = rng.exponential(4.0, 64)
    nothing = np.zeros(count)
    limits = Limits(
        slots=slots,
        queue_limit=data.draw(st.sampled_from([None, 4])),
        queue_timeout_s=data.draw(st.sampled_from([INF, 2.0])),
        client_timeout_s=data.draw(st.sampled_from([INF, 5.0])),
        threshold_s=1.0,
        fates=Fates(
            router=data.draw(st.sampled_from(["central", "least_outstanding", "random"])),
            retries=data.draw(st.integers(0, 1)),
        ),
        batching=Gathering(seconds, data.draw(st.sampled_from([0.0, 0.3]))),
    )

    def of(cuts):
        bounds = [0, *cuts, count]
        return simulate(
            policy,
            [Work(a, arrival[a:b], nothing[a:b], nothing[a:b]) for a, b in pairwise(bounds)],
            limits, horizon_s=float(arrival[-1]) + 30.0, records=count,
            draws=lambda first, n: (np.zeros(n), np.resize(np.roll(ready, -first), n)),
        )  # fmt: skip

    result = of(())
    outcome = result.record[:, 0]
    assert result.served + result.rejected + result.timed_out + result.lost == count
    served = outcome == m.SERVED
    start, end = result.record_s[:, 0], result.record_s[:, 1]
    assert (arrival[served] <= start[served] + ROUNDING).all()
    held = end[served] - start[served]
    assert np.isclose(held[:, None], np.array(seconds)).any(axis=1).all()
    table = result.replicas[result.record[served, 2]]
    assert (table[:, m.READY_S] <= start[served] + ROUNDING).all()
    assert (end[served] <= table[:, m.STOP_S] + ROUNDING).all()
    late = served & (end - arrival > 1.0)
    assert sum(result.causes.values()) == late.sum() + (~served).sum()
    up = np.maximum(result.replicas[:, m.STOP_S] - result.replicas[:, m.READY_S], 0.0)
    assert result.busy_slot_s <= slots * up[np.isfinite(up)].sum() + 1e-6
    assert_same_bits(result, of((count // 3,)) if count > 3 else of(()))
