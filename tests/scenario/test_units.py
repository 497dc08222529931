"""Quantities: against the definitions of the prefixes (SI, IEC 80000-13), not against the code."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modeler.scenario.units import (
    UnitError,
    format_duration,
    format_size,
    parse_duration,
    parse_rate,
    parse_share,
    parse_size,
    parse_usd_per_hour,
)


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0B", 0),
        ("100B", 100),
        ("1kB", 1_000),
        ("250MB", 250_000_000),
        ("13.5GB", 13_500_000_000),
        ("13.5 GB", 13_500_000_000),
        ("1gb", 1_000_000_000),
        ("1GiB", 1_073_741_824),
        ("1Gi", 1_073_741_824),
        ("12.6GiB", 13_529_146_982),  # 12.6 x 2^30 = 13529146982.4
        ("1.5TB", 1_500_000_000_000),
        ("1e3MB", 1_000_000_000),
    ],
)
def test_sizes(text: str, size_bytes: int) -> None:
    assert parse_size(text) == size_bytes


@pytest.mark.parametrize("text", ["14", "14.5", 14, 0.5])
def test_a_size_without_unit_is_refused_with_two_ways_out(text: object) -> None:
    with pytest.raises(UnitError, match=r"size needs a unit, e\.g\. .*GB or .*GiB"):
        parse_size(text)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["4G", "4Gb", "4Gbit", "4XB", "-1GB", "GB", "", "four GB", True])
def test_sizes_that_are_refused(text: str) -> None:
    with pytest.raises(UnitError):
        parse_size(text)


def test_bits_are_not_taken_for_bytes() -> None:
    with pytest.raises(UnitError, match="write 4GB or 4GiB"):
        parse_size("4Gb")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("300ms", 0.3),
        ("250us", 0.00025),
        ("5", 5.0),
        (5, 5.0),
        (0.25, 0.25),
        ("5s", 5.0),
        ("5m", 300.0),
        ("5min", 300.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("2d", 172_800.0),
    ],
)
def test_durations(text: str | float, seconds: float) -> None:
    # One multiplication and at most one sum: two units in the last place.
    assert parse_duration(text) == pytest.approx(seconds, rel=4.5e-16)


@pytest.mark.parametrize(
    "text", ["5 parsecs", "-5s", "-1", "nan", "inf", math.nan, "5mm", "", True, "1h-30m"]
)
def test_durations_that_are_refused(text: str | float) -> None:
    with pytest.raises(UnitError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "bytes_per_s"),
    [
        ("10Gbps", 1.25e9),
        ("10Gbit/s", 1.25e9),
        ("500MB/s", 5e8),
        ("1GiB/s", 2.0**30),
        (1e8, 1e8),
        ("1e8", 1e8),
    ],
)
def test_rates(text: str | float, bytes_per_s: float) -> None:
    assert parse_rate(text) == bytes_per_s


@pytest.mark.parametrize(("text", "share"), [("0.5%", 0.005), ("100%", 1.0), (0.005, 0.005)])
def test_shares(text: str | float, share: float) -> None:
    assert parse_share(text) == share


@pytest.mark.parametrize("text", ["101%", 1.5, -0.1, "many", "nan"])
def test_shares_that_are_refused(text: str | float) -> None:
    with pytest.raises(UnitError):
        parse_share(text)


@pytest.mark.parametrize("text", ["$1.20/h", "1.2", "1.2 USD/h", 1.2, "$1.2/hour"])
def test_prices(text: str | float) -> None:
    assert parse_usd_per_hour(text) == 1.2


@given(st.integers(min_value=0, max_value=10**16))
def test_a_size_in_bytes_is_read_back_exactly(size_bytes: int) -> None:
    # Up to 2^53 a count of bytes passes through a float unharmed.
    if size_bytes < 2**53:
        assert parse_size(f"{size_bytes}B") == size_bytes


@given(st.floats(min_value=1.0, max_value=1e17), st.booleans())
def test_a_size_for_reading_keeps_three_digits(size_bytes: float, binary: bool) -> None:
    shown = parse_size(format_size(size_bytes, binary=binary))
    # Three significant digits: at most 5 in 1000 off; one byte of rounding below that.
    assert shown == pytest.approx(size_bytes, rel=5.01e-3, abs=1)


@given(st.floats(min_value=1.0, max_value=1e7))
def test_a_duration_for_reading_keeps_two_units(seconds: float) -> None:
    shown = parse_duration(format_duration(seconds))
    # Half of the smaller unit shown: 0.05 s, 0.5 s, 30 s or half an hour.
    step = 0.05 if seconds < 60 else 0.5 if seconds < 3600 else 30 if seconds < 86400 else 1800
    assert abs(shown - seconds) <= step * 1.001
