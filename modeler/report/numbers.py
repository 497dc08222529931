"""How a number is written: one place, so that table, figures and page say the same.

Every function takes None for a value that is not there and writes a dash.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from modeler.scenario.units import format_duration, format_size

DASH = "–"


def dollars(usd: float | None) -> str:
    """An amount of money, to the cent; under ten cents to three significant digits.

    Parameters
    ----------
    usd : float or None. The amount. [USD]

    >>> dollars(1234.5), dollars(0.4416), dollars(0.01234), dollars(0), dollars(None)
    ('$1,234.50', '$0.44', '$0.0123', '$0.00', '–')
    """
    if usd is None or not math.isfinite(usd):
        return DASH
    sign = "-" if usd < 0 else ""
    size = abs(usd)
    if size >= 0.0995 or size == 0:
        return f"{sign}${size:,.2f}"
    return f"{sign}${_fixed(size, 3)}"


def unit_price(usd: float | None) -> str:
    """A price per unit, with every digit that it has and never fewer than two decimals.

    >>> unit_price(1.515), unit_price(1.5), unit_price(None)
    ('$1.515', '$1.50', '–')
    """
    if usd is None or not math.isfinite(usd):
        return DASH
    text = f"{usd:,.6f}".rstrip("0")
    decimals = len(text) - text.index(".") - 1
    return f"${text}{'0' * max(2 - decimals, 0)}"


def percent(share: float | None) -> str:
    """A share of one, in percent; a small share keeps its digits, and only nothing is 0 %.

    >>> percent(0.0707), percent(0.00501), percent(5.1e-5), percent(0.0), percent(2e-8)
    ('7.07 %', '0.501 %', '0.005 %', '0 %', '<0.001 %')
    """
    if share is None or not math.isfinite(share):
        return DASH
    value = 100.0 * share
    if value == 0:
        return "0 %"
    if value >= 0.9995:
        return f"{value:.2f} %"
    return f"{value:.3f} %" if value >= 0.0005 else "<0.001 %"


def duration(seconds: float | None, *, tight: bool = False) -> str:
    """A duration in its two largest units.

    Parameters
    ----------
    seconds : float or None. The duration. [s]
    tight : bool. Without blanks, for a narrow column.

    >>> duration(372.0), duration(372.0, tight=True), duration(0.0), duration(None)
    ('6 m 12 s', '6m12s', '0 s', '–')
    """
    if seconds is None or not math.isfinite(seconds):
        return DASH
    text = "0 s" if seconds == 0 else format_duration(seconds)
    return text.replace(" ", "") if tight else text


def size(size_bytes: float | None) -> str:
    """A model's size, decimal units.

    Parameters
    ----------
    size_bytes : float or None. [bytes]

    >>> size(14_000_000_000), size(250_000_000), size(None)
    ('14 GB', '250 MB', '–')
    """
    return DASH if size_bytes is None else format_size(size_bytes)


def count(number: float | None) -> str:
    """A count, or a mean of counts to one decimal.

    >>> count(1209445), count(1.9777), count(None)
    ('1,209,445', '2.0', '–')
    """
    if number is None or not math.isfinite(number):
        return DASH
    return f"{number:,d}" if isinstance(number, int) else f"{number:,.1f}"


def ratio(number: float | None) -> str:
    """How many times another.

    >>> ratio(2.1987), ratio(None)
    ('2.20×', '–')
    """
    return DASH if number is None or not math.isfinite(number) else f"{number:,.2f}×"


def rate(per_second: float | None) -> str:
    """A rate or a mean, to three digits and never in exponent form.

    >>> rate(0.30421), rate(12.345), rate(1234.5), rate(0.0), rate(None)
    ('0.304', '12.3', '1,234', '0', '–')
    """
    if per_second is None or not math.isfinite(per_second):
        return DASH
    if per_second == 0:
        return "0"
    decimals = max(2 - math.floor(math.log10(abs(per_second))), 0)
    return f"{per_second:,.{decimals}f}"


def moment(seconds: float | None) -> str:
    """A time from the start, as a clock.

    >>> moment(0.0), moment(1830.0), moment(88_200.0)
    ('00:00:00', '00:30:30', '1 d 00:30:00')
    """
    if seconds is None or not math.isfinite(seconds):
        return DASH
    days, rest = divmod(round(seconds), 86_400)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return f"{days} d {clock}" if days else clock


def plain(value: object) -> str:
    """A setting's value as an analyst would write it.

    >>> plain(True), plain(None), plain(17_700_000_000.0), plain(0.7), plain("fp16")
    ('yes', '–', '17,700,000,000', '0.7', 'fp16')
    """
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return f"{int(value):,d}"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def _fixed(value: float, digits: int) -> str:
    """`value` below one to so many significant digits, never in exponent form."""
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    return f"{value:.{decimals}f}"


def token_api(row: Mapping[str, Any]) -> str:
    """What an API by the token would charge, in words.

    Parameters
    ----------
    row : mapping. An outcome's ``token_api``.
    """
    dated = f", {row['as_of']}" if row["as_of"] else ""
    return (
        f"{row['model']}: {dollars(row['usd_total'])} for the same "
        f"{row['prompt_tokens'] / 1e6:,.1f} million prompt and "
        f"{row['output_tokens'] / 1e6:,.1f} million output tokens "
        f"({dollars(row['usd_per_hour'])} an hour; ${row['prompt_usd_per_million']:g} and "
        f"${row['output_usd_per_million']:g} per million{dated})"
    )
