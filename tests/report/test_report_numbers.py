import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeler.report import numbers


def number_in(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


@pytest.mark.parametrize(
    "write",
    [
        numbers.dollars,
        numbers.unit_price,
        numbers.percent,
        numbers.duration,
        numbers.size,
        numbers.count,
        numbers.ratio,
        numbers.rate,
        numbers.moment,
        numbers.plain,
    ],
)
def test_nothing_is_a_dash(write) -> None:
    assert write(None) == "–"


@given(st.floats(1e-6, 1e9))
def test_dollars_are_within_half_a_cent_or_half_a_percent(usd: float) -> None:
    # Three significant digits round by at most 5 in 1,000; above ten cents, by half a cent.
    assert number_in(numbers.dollars(usd)) == pytest.approx(usd, abs=0.005 + 1e-6, rel=0)
    if usd < 0.0995:
        assert number_in(numbers.dollars(usd)) == pytest.approx(usd, rel=0.005 + 1e-9)


@given(st.integers(1, 10**9))
def test_a_unit_price_loses_no_digit(millionths: int) -> None:
    assert number_in(numbers.unit_price(millionths / 1e6)) == millionths / 1e6


@given(st.floats(1e-12, 1.0))
def test_only_nothing_is_zero_percent(share: float) -> None:
    shown = numbers.percent(share)
    assert shown.startswith("<") or number_in(shown) > 0.0
    # Two decimals from 1 % on, three below it.
    assert shown.startswith("<") or number_in(shown) == pytest.approx(100 * share, abs=0.0051)


@given(st.floats(0.1, 1e7))
def test_a_rate_keeps_three_digits(rate: float) -> None:
    shown = numbers.rate(rate)
    assert "e" not in shown
    assert number_in(shown) == pytest.approx(rate, rel=0.0051)  # half of the third digit


def test_durations_as_people_write_them() -> None:
    assert numbers.duration(372.0) == "6 m 12 s"
    assert numbers.duration(372.0, tight=True) == "6m12s"
    assert numbers.moment(604_800.0 - 1800.0) == "6 d 23:30:00"


def test_counts_are_whole_and_means_are_not() -> None:
    assert (numbers.count(20), numbers.count(20.0)) == ("20", "20.0")
