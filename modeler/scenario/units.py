"""Quantities as people write them: ``13.5GB``, ``12.6GiB``, ``300ms``, ``0.5%``, ``10Gbps``.

Sizes always carry a unit, because taking GB for GiB is an error of seven percent. Other numbers
may stand bare: their key names the unit.
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Final

# Decimal prefixes are powers of 1000, binary ones powers of 1024 (IEC 80000-13).
BYTES_PER_UNIT: Final[Mapping[str, int]] = {
    "B": 1,
    **{f"{prefix}B": 1000 ** (i + 1) for i, prefix in enumerate("kMGTP")},
    **{f"{prefix}iB": 1024 ** (i + 1) for i, prefix in enumerate("KMGTP")},
}
SECONDS_PER_UNIT: Final[Mapping[str, float]] = {
    "us": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3600.0,
    "d": 86400.0,
}
_BITS_PER_UNIT: Final[Mapping[str, int]] = {
    prefix: 1000**power for power, prefix in enumerate(["", "k", "M", "G", "T"])
}
_SIZE_UNITS: Final = {name.lower(): factor for name, factor in BYTES_PER_UNIT.items()} | {
    name.lower().removesuffix("b"): factor  # Kubernetes writes 12Gi
    for name, factor in BYTES_PER_UNIT.items()
    if name.endswith("iB")
}

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_QUANTITY: Final = re.compile(rf"\s*({_NUMBER})\s*([A-Za-z]*)\s*")
_DURATION: Final = re.compile(rf"\s*(?:{_NUMBER}\s*(?:us|ms|min|s|m|h|d)\s*)+")
_DURATION_PART: Final = re.compile(rf"({_NUMBER})\s*(us|ms|min|s|m|h|d)")
_BIT_RATE: Final = re.compile(rf"\s*({_NUMBER})\s*([kMGT]?)(?:bps|bits?/s|b/s)\s*")
_MONEY: Final = re.compile(rf"\s*\$?\s*({_NUMBER})\s*(?:USD)?\s*(?:/\s*(?:h|hr|hour))?\s*")

_DOLLARS: Final = re.compile(
    r"\s*\$?\s*((?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*(?:USD)?\s*"
    r"(?:/\s*([a-z]+))?\s*"
)


class UnitError(ValueError):
    """A quantity that cannot be read.

    Attributes
    ----------
    value : object. What was written.
    expected : str. What would have been understood.
    """

    def __init__(self, message: str, *, value: object, expected: str) -> None:
        super().__init__(message)
        self.value = value
        self.expected = expected


_COUNTED: Final = " (modeler size counts the bytes of a config.json, a file or a folder)"


def parse_size(value: str) -> int:
    """Bytes of a size written with its unit.

    Parameters
    ----------
    value : str. ``13.5GB`` (10^9), ``12.6GiB`` (2^30), ``12.6Gi``, ``500 MB``, ``100B``.

    Returns
    -------
    int
        Rounded to a whole byte. [bytes]

    Raises
    ------
    UnitError
        Without a unit, with one in bits, negative, or not a number.

    >>> parse_size("13.5GB"), parse_size("12.6GiB")
    (13500000000, 13529146982)
    """
    expected = "a size with its unit, e.g. 4GB or 4GiB"
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise UnitError(
            f"{value!r} is not a size: write {expected}{_COUNTED}", value=value, expected=expected
        )
    number, unit = match.groups() if match else (f"{value:g}", "")
    if not unit:
        raise UnitError(
            f"size needs a unit, e.g. {number}GB or {number}GiB", value=value, expected=expected
        )
    factor = _SIZE_UNITS.get(unit.lower())
    if factor is None or (unit.endswith("b") and not unit.islower()):
        near = _nearest_size_unit(unit)
        raise UnitError(
            f"{unit!r} is no unit of bytes: write {number}{near}B or {number}{near}iB",
            value=value,
            expected=expected,
        )
    size = float(number) * factor
    if not 0 <= size < math.inf:
        raise UnitError(f"a size is not negative: {value!r}", value=value, expected=expected)
    return round(size)


def parse_duration(value: str | float) -> float:
    """Seconds of a duration.

    Parameters
    ----------
    value : str or float. ``300ms``, ``5m``, ``1h30m``, ``2d``; a bare number is seconds.

    Returns
    -------
    float
        Not negative. [s]

    Raises
    ------
    UnitError
        Unknown unit, negative, NaN or infinite.

    >>> parse_duration("300ms"), parse_duration("1h30m"), parse_duration(5)
    (0.3, 5400.0, 5.0)
    """
    expected = "seconds, or a duration such as 300ms, 5m or 1h30m"
    if isinstance(value, str) and _DURATION.fullmatch(value):
        parts = _DURATION_PART.findall(value)
        # A product first: 300 x 0.001 is 0.3, and one part needs no sum.
        seconds = math.fsum(float(number) * SECONDS_PER_UNIT[unit] for number, unit in parts)
        if any(float(number) < 0 for number, _ in parts):
            seconds = -1.0
    else:
        seconds = _bare_number(value, expected)
    return _not_negative(seconds, value, expected)


def parse_rate(value: str | float) -> float:
    """Bytes per second of a bandwidth.

    Parameters
    ----------
    value : str or float. ``500MB/s``, ``1.2GiB/s``, ``10Gbps``; a bare number is bytes per second.

    Returns
    -------
    float
        Not negative. [bytes/s]

    Raises
    ------
    UnitError
        Unknown unit, negative, NaN or infinite.

    >>> parse_rate("10Gbps"), parse_rate("500MB/s")
    (1250000000.0, 500000000.0)
    """
    expected = "bytes per second, or a rate such as 500MB/s or 10Gbps"
    if isinstance(value, str):
        bits = _BIT_RATE.fullmatch(value)
        if bits:
            rate = float(bits[1]) * _BITS_PER_UNIT[bits[2]] / 8
            return _not_negative(rate, value, expected)
        if value.rstrip().endswith("/s"):
            return float(parse_size(value.rstrip().removesuffix("/s")))
    return _not_negative(_bare_number(value, expected), value, expected)


def parse_share(value: str | float) -> float:
    """A share between 0 and 1.

    Parameters
    ----------
    value : str or float. ``0.5%`` or 0.005.

    Returns
    -------
    float
        Between 0 and 1. [1]

    Raises
    ------
    UnitError
        Outside of that, or not a number.

    >>> parse_share("0.5%"), parse_share(0.005)
    (0.005, 0.005)
    """
    expected = "a share from 0 to 1, or a percentage such as 0.5%"
    if isinstance(value, str) and value.rstrip().endswith("%"):
        share = _bare_number(value.rstrip().removesuffix("%"), expected) / 100
    else:
        share = _bare_number(value, expected)
    if not 0 <= share <= 1:
        raise UnitError(
            f"{value!r} is not between 0 and 1 (0% and 100%)", value=value, expected=expected
        )
    return share


def parse_usd_per_hour(value: str | float) -> float:
    """Dollars per hour.

    Parameters
    ----------
    value : str or float. ``$1.20/h`` or 1.2.

    Returns
    -------
    float
        Not negative. [USD/h]

    Raises
    ------
    UnitError
        Another currency or period, negative, or not a number.

    >>> parse_usd_per_hour("$1.20/h")
    1.2
    """
    expected = "dollars per hour, e.g. $1.20/h or 1.2"
    match = _MONEY.fullmatch(value) if isinstance(value, str) else None
    number = float(match[1]) if match else _bare_number(value, expected)
    return _not_negative(number, value, expected)


def parse_usd(value: str | float, *, per: Sequence[str] = ()) -> float:
    """Dollars.

    Parameters
    ----------
    value : str or float. ``$3,000``, ``3000 USD`` or 3000; where it is per something also
        ``$3000/month``.
    per : sequence of str. What may stand after the slash.

    Returns
    -------
    float
        Not negative. [USD]

    Raises
    ------
    UnitError
        Another currency or period, negative, or not a number.

    >>> parse_usd("$3,000"), parse_usd("$4.10/month", per=("month",))
    (3000.0, 4.1)
    """
    period = f"/{per[0]}" if per else ""
    expected = f"dollars{' per ' + per[0] if per else ''}, e.g. $3000{period} or 3000"
    match = _DOLLARS.fullmatch(value) if isinstance(value, str) else None
    if match and match[2] in (None, *per):
        value = match[1].replace(",", "")
    return _not_negative(_bare_number(value, expected), value, expected)


def parse_number(value: str | float) -> float:
    """A finite number without a unit.

    Raises
    ------
    UnitError
        Not a number, or not finite.

    >>> parse_number("12")
    12.0
    """
    expected = "a number, e.g. 12"
    number = _bare_number(value, expected)
    if not math.isfinite(number):
        raise UnitError(f"{value!r} must be finite", value=value, expected=expected)
    return number


def format_size(size_bytes: float, *, binary: bool = False) -> str:
    """A size for reading, to three digits.

    Parameters
    ----------
    size_bytes : float. The size. [bytes]
    binary : bool. GiB instead of GB.

    >>> format_size(13_500_000_000), format_size(13_500_000_000, binary=True), format_size(250e6)
    ('13.5 GB', '12.6 GiB', '250 MB')
    """
    step = 1024 if binary else 1000
    names = [name for name in BYTES_PER_UNIT if name == "B" or ("i" in name) == binary]
    power = 0
    amount = float(size_bytes)
    # 999.6 would print as "1e+03"; it belongs to the next unit.
    while abs(amount) >= 999.5 and power < len(names) - 1:
        amount /= step
        power += 1
    return f"{amount:.3g} {names[power]}"


def format_duration(seconds: float) -> str:
    """A duration for reading.

    Parameters
    ----------
    seconds : float. The duration. [s]

    >>> format_duration(0.0123), format_duration(4.25), format_duration(372), format_duration(90061)
    ('12 ms', '4.2 s', '6 m 12 s', '1 d 1 h')
    """
    if not math.isfinite(seconds):
        return "-"
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds < 0.9995:
        return f"{seconds * 1000:.2g} ms" if seconds < 0.0995 else f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60} s"
    minutes = round(seconds / 60)
    if minutes < 1440:
        return f"{minutes // 60} h {minutes % 60} m"
    hours = round(seconds / 3600)
    return f"{hours // 24} d {hours % 24} h"


def _bare_number(value: object, expected: str) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        return float(value)
    except ValueError:
        raise UnitError(
            f"{value!r} is not understood: expected {expected}", value=value, expected=expected
        ) from None


def _not_negative(number: float, value: object, expected: str) -> float:
    if not 0 <= number < math.inf:
        raise UnitError(
            f"{value!r} must be finite and not negative", value=value, expected=expected
        )
    return number


def _nearest_size_unit(unit: str) -> str:
    """The prefix that was probably meant."""
    letter = unit[0].upper()
    return letter if letter in "KMGTP" else "G"
