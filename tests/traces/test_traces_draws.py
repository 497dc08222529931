"""Draws against published values, SciPy and the laws they claim."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import ndtri

from traces import draws

SEEDS = st.integers(min_value=-(2**70), max_value=2**70)
DRAWS = 200_000


def test_words_are_those_of_splitmix64() -> None:
    # First words of SplitMix64 seeded with 1234567, as published with its reference code.
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert draws.bits(np.uint64(1234567), 0, 5).tolist() == expected


def test_draws_are_frozen() -> None:
    # A golden value: a change of the hash or of the key would change every result ever shown.
    assert draws.stream_key(0, "service") == np.uint64(968701899237020800)
    assert draws.uniform(0, "service", 0, 2).tolist() == [0.1559293994915551, 0.835524471432705]


@given(SEEDS, st.integers(0, 2**62), st.integers(0, 300), st.integers(0, 300))
def test_any_slice_can_be_drawn_alone(seed: int, first: int, before: int, count: int) -> None:
    whole = draws.uniform(seed, "s", first, before + count)
    assert np.array_equal(whole[before:], draws.uniform(seed, "s", first + before, count))


def test_slices_longer_than_a_piece_agree() -> None:
    whole = draws.normal(3, "s", 5, 50_000)
    parts = [draws.normal(3, "s", 5 + k, 12_500) for k in range(0, 50_000, 12_500)]
    assert np.array_equal(whole, np.concatenate(parts))


@given(SEEDS)
def test_streams_and_seeds_differ(seed: int) -> None:
    keys = {
        int(draws.stream_key(seed + step, name)) for step in range(3) for name in ("a", "b", "")
    }
    assert len(keys) == 9


@pytest.mark.parametrize("seed", [0, 1, 2**63])
def test_uniform_is_uniform(seed: int) -> None:
    u = draws.uniform(seed, "quality", 0, DRAWS)
    assert u.min() > 0.0
    assert u.max() < 1.0
    # Four standard errors: a correct generator fails one check in 16,000.
    assert abs(u.mean() - 0.5) < 4 * np.sqrt(1 / 12 / DRAWS)
    assert abs(u.var() - 1 / 12) < 4 * np.sqrt(1 / 180 / DRAWS)
    # Kolmogorov's distance at the level 1e-4.
    assert stats.kstest(u, "uniform").statistic < 2.23 / np.sqrt(DRAWS)
    lag = np.corrcoef(u[:-1], u[1:])[0, 1]
    assert abs(lag) < 4 / np.sqrt(DRAWS)


def test_neighbouring_seeds_and_streams_are_uncorrelated() -> None:
    base = draws.uniform(7, "a", 0, DRAWS)
    for other in (draws.uniform(8, "a", 0, DRAWS), draws.uniform(7, "b", 0, DRAWS)):
        assert abs(np.corrcoef(base, other)[0, 1]) < 4 / np.sqrt(DRAWS)


@pytest.mark.parametrize(("draw", "law"), [(draws.normal, "norm"), (draws.exponential, "expon")])
def test_other_laws(draw, law: str) -> None:
    values = draw(11, "quality", 0, DRAWS)
    assert stats.kstest(values, law).statistic < 2.23 / np.sqrt(DRAWS)


def test_inverse_normal_against_scipy() -> None:
    p = np.concatenate(
        [
            draws.uniform(0, "p", 0, 100_000),
            10.0 ** -np.arange(1, 300),
            1.0 - 2.0 ** -np.arange(2, 53),
            [0.075, 0.925, 0.0749999, 0.9250001],
        ]
    )
    # AS 241 claims about 1e-16 relative; SciPy's ndtri is good to a few 1e-15.
    np.testing.assert_allclose(draws.inverse_normal(p), ndtri(p), rtol=1e-13, atol=1e-15)


def test_inverse_normal_of_a_half_is_zero() -> None:
    assert draws.inverse_normal(np.array([0.5]))[0] == 0.0
