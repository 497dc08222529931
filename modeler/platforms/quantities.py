"""Quantities as Kubernetes writes them: ``500m``, ``2Gi``, ``1e3``; durations as Go does."""

import re
from decimal import Decimal
from typing import Any, Final

from modeler.scenario import parse_duration

# Documented: apimachinery, resource.Quantity.
_SUFFIXES: Final = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3,
    **{letter: 1000.0 ** (i + 2) for i, letter in enumerate("MGTPE")},
    **{f"{letter}i": 1024.0 ** (i + 1) for i, letter in enumerate("KMGTPE")},
}  # fmt: skip
_QUANTITY: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([numkKMGTPE]?i?)")


def quantity(value: Any) -> float:
    """The number of a quantity.

    Raises
    ------
    ValueError : not a quantity.

    >>> quantity("500m"), quantity("2Ki"), quantity(3), quantity("1e3")
    (0.5, 2048.0, 3.0, 1000.0)
    """
    match = None if isinstance(value, bool) else _QUANTITY.fullmatch(str(value).strip())
    if match is None or match[2] not in _SUFFIXES:
        raise ValueError(f"{value!r} is not a quantity: write a number, or one such as 500m or 2Gi")
    number, factor = float(match[1]), _SUFFIXES[match[2]]
    # Divided, not multiplied by a thousandth: 300m is 0.3 exactly as written.
    return number / round(1 / factor) if factor < 1 else number * factor


def whole(value: Any) -> int:
    """A whole number, also where it is written as text.

    Raises
    ------
    ValueError : not one.
    """
    if not isinstance(value, bool) and re.fullmatch(r"[+-]?\d+", str(value).strip()):
        return int(value)
    raise ValueError(f"{value!r} is not a whole number")


def number(value: Any) -> float:
    """A plain number, also where it is written as text.

    Raises
    ------
    ValueError : not one.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{value!r} is not a number") from None


def percent(value: Any) -> float:
    """A share from a percentage: 70, ``70`` or ``70%``.

    Raises
    ------
    ValueError : not one.

    >>> percent("70%"), percent(12.5)
    (0.7, 0.125)
    """
    text = str(value).strip().removesuffix("%")
    number(text)
    # Shifted, not divided: 33.3 is 0.333 exactly as written.
    return float(Decimal(text) / 100)


def seconds(value: Any) -> float:
    """Seconds of a Go duration or a bare number.

    Raises
    ------
    UnitError : not a duration.

    >>> seconds("1m30s"), seconds(30)
    (90.0, 30.0)
    """
    return parse_duration(value)


def flag(value: Any) -> bool:
    """True or false, also as text, as annotations are.

    Raises
    ------
    ValueError : neither.
    """
    words = {"true": True, "false": False}
    if str(value).lower() not in words:
        raise ValueError(f"{value!r} is not true or false")
    return words[str(value).lower()]
