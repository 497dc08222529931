"""Starts that share a store and a registry, against closed forms and what a fluid must keep."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modeler.predict.timeline import PHASES, Staged, Transfer
from modeler.predict.together import Shared, even_share, fair_rates, place_together, transfer_s

PULL, FETCH = PHASES.index("image_pull"), PHASES.index("artifact_fetch")


def staged(*, parallel: bool = False, streaming: bool = False) -> Staged:
    return Staged(
        provision_s=20.0,
        boot_s=10.0,
        device_s=5.0,
        pull=Transfer(3000, 100, 50),
        fetch=Transfer(1000, 100, 50),
        unpack_s=7.0,
        parallel=parallel,
        load_s=4.0,
        streaming=streaming,
        init_s=30.0,
        register_s=2.0,
    )


def drawn(rows: int, seed: int) -> np.ndarray:
    return np.exp(0.3 * np.random.default_rng(seed).standard_normal((rows, len(PHASES))))


@pytest.mark.parametrize("replicas", [1, 2, 5, 40])
def test_equal_starts_one_after_the_other(replicas):
    # Pull: 3000 each at min(100, 400 / n); fetch: 1000 each at min(100, 150 / n). Arithmetic: 1e-9.
    start = staged()
    _, ends = place_together(
        start, np.ones((replicas, len(PHASES))), replicas, Shared(150.0, 400.0)
    )
    pulled = 35 + 3000 / min(100, 400 / replicas) + 7
    fetched = pulled + 1000 / min(100, 150 / replicas)
    assert ends[:, PULL] == pytest.approx(np.full(replicas, pulled), rel=1e-9)
    assert ends[:, FETCH] == pytest.approx(np.full(replicas, fetched), rel=1e-9)
    assert ends[:, -1] == pytest.approx(np.full(replicas, fetched + 4 + 30 + 2), rel=1e-9)


@pytest.mark.parametrize("parallel", [False, True])
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("shared", [Shared(90.0, 130.0), Shared(math.inf, 60.0), Shared(40.0)])
def test_equal_starts_are_the_even_share(parallel, streaming, shared):
    start = staged(parallel=parallel, streaming=streaming)
    ones = np.ones((3, len(PHASES)))
    for fluid, even in zip(
        place_together(start, ones, 3, shared),
        even_share(start, 3, shared).place(ones),
        strict=True,
    ):
        assert fluid == pytest.approx(even, rel=1e-9)


def test_unequal_starts_by_hand():
    # Two fetches of 1000 and 2000 over a store of 100 that each could fill: 50 each until 20 s,
    # then the second has 1000 left at 100, to 30 s.
    start = Staged(0.0, 0.0, 0.0, Transfer(0, 1e3, 1e3), Transfer(1000, 100, 50), 0.0, False, 0.0,
                   False, 0.0, 0.0)  # fmt: skip
    factors = np.ones((2, len(PHASES)))
    factors[1, FETCH] = 2.0
    _, ends = place_together(start, factors, 2, Shared(100.0))
    assert ends[:, -1].tolist() == pytest.approx([20.0, 30.0], rel=1e-12)
    # The second begins 10 s later: 100 alone, then 50 each; the first has its 1000 at 10 s.
    later = Staged(10.0, 0.0, 0.0, Transfer(0, 1e3, 1e3), Transfer(1000, 100, 50), 0.0, False,
                   0.0, False, 0.0, 0.0)  # fmt: skip
    factors = np.ones((2, len(PHASES)))
    factors[1, 0] = 1.5  # up at 15 s, the first at 10 s
    _, ends = place_together(later, factors, 2, Shared(100.0))
    # 500 moved by 15 s, then 50 each: the first ends at 25 s, the other has 500 left, to 30 s.
    assert ends[:, -1].tolist() == pytest.approx([25.0, 30.0], rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    replicas=st.integers(1, 12),
    parallel=st.booleans(),
    store=st.one_of(st.just(math.inf), st.floats(5.0, 2000.0)),
    registry=st.one_of(st.just(math.inf), st.floats(5.0, 2000.0)),
)
def test_what_sharing_keeps(seed, replicas, parallel, store, registry):
    start, shared = staged(parallel=parallel), Shared(store, registry)
    factors = drawn(3 * replicas, seed)
    starts, ends = place_together(start, factors, replicas, shared)
    alone = start.place(factors)[1]
    even = even_share(start, replicas, shared).place(factors)[1]
    slack = 1e-6 * (1 + even[:, -1].max())
    # Never sooner than alone, never later than with an even share throughout.
    assert (ends[:, -1] >= alone[:, -1] - slack).all()
    assert (ends[:, -1] <= even[:, -1] + slack).all()
    # No more bytes have passed than a shared rate gives between the first begin and the last end.
    for column, phase_bytes, total in ((PULL, 3000, registry), (FETCH, 1000, store)):
        if total == math.inf:
            continue
        begin = starts[:, column].reshape(3, replicas).min(axis=1)
        end = ends[:, column].reshape(3, replicas).max(axis=1)
        moved = phase_bytes * factors[:, column].reshape(3, replicas).sum(axis=1)
        assert (moved <= total * (end - begin) * (1 + 1e-6)).all()


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), parallel=st.booleans())
def test_without_a_limit_nothing_changes(seed, parallel):
    factors = drawn(12, seed)
    start = staged(parallel=parallel)
    for shared, alone in zip(
        place_together(start, factors, 4, Shared()), start.place(factors), strict=True
    ):
        assert shared == pytest.approx(alone, rel=1e-9)


def test_a_busy_link_is_never_idle():
    # All fetch from the beginning on and each could fill the link: work is conserved, so the last
    # ends when the bytes have passed. Rounding of a sum: 1e-9.
    start = Staged(0.0, 0.0, 0.0, Transfer(0, 1e3, 1e3), Transfer(1000, 100, 50), 0.0, False, 0.0,
                   False, 0.0, 0.0)  # fmt: skip
    factors = drawn(8, 3)
    _, ends = place_together(start, factors, 8, Shared(100.0))
    assert ends[:, -1].max() == pytest.approx(1000 * factors[:, FETCH].sum() / 100, rel=1e-9)


@settings(max_examples=100, deadline=None)
@given(
    caps=st.lists(st.floats(0.0, 1e3), min_size=1, max_size=9),
    total=st.floats(0.1, 5e3),
)
def test_fair_rates_use_all_that_they_may(caps, total):
    row = np.array([caps])
    rates = fair_rates(row, total)[0]
    assert (rates <= row[0]).all()
    assert rates.sum() == pytest.approx(min(total, row.sum()), rel=1e-9, abs=1e-9)
    # Whoever is below its own limit gets as much as anyone.
    held = rates[rates < row[0] - 1e-9]
    assert all(one >= rates.max() - 1e-9 for one in held)


def test_the_law_of_several_at_once(make):
    law = make.law(cold_start__store_total_bytes_per_s=1e9, cold_start__sigma_log=0)
    one, many = law.sample_together(1, 1), law.sample_together(50, 1)
    assert one.ready_s[0] == pytest.approx(law.sample(0, 1).ready_s[0], rel=1e-12)
    assert many.ready_s.min() > one.ready_s[0] + 100
    assert np.array_equal(law.sample_together(5, 4).running_s, law.sample(0, 20).running_s)


def test_how_long_a_start_draws_on_what_is_shared():
    # 3000 at 100 and 7 s of unpacking; then 1000 at 100.
    assert transfer_s(staged(), Shared(200.0)) == pytest.approx(10.0)
    assert transfer_s(staged(), Shared(200.0, 200.0)) == pytest.approx(37.0)
    # Four of them have 50 each.
    assert transfer_s(staged(), Shared(200.0), 4) == pytest.approx(20.0)
    assert transfer_s(staged(), Shared()) == 0.0
