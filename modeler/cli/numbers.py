"""Options that are lists of numbers."""

from __future__ import annotations

import math
from collections.abc import Callable

import click

Read = Callable[[click.Context, click.Parameter, str | None], tuple[float, ...]]


def numbers(*units: str) -> Read:
    """The callback of an option with numbers above 0 and commas, each with one of some units.

    Raises
    ------
    click.BadParameter : naming every word that is no such number.
    """

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[float, ...]:
        words = [] if value is None else [word.strip() for word in value.split(",")]
        found = [_number(word, units) for word in words]
        wrong = [word for word, one in zip(words, found, strict=True) if not 0.0 < one < math.inf]
        if wrong:
            unit = f", as 0.5{units[0]}" if units else ""
            raise click.BadParameter(f"{', '.join(wrong)}: expected numbers above 0{unit}")
        return tuple(found)

    return read


def _number(word: str, units: tuple[str, ...]) -> float:
    for unit in units:
        word = word.removesuffix(unit)
    try:
        return float(word)
    except ValueError:
        return math.nan
