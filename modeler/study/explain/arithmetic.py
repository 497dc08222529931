"""Lines of arithmetic: each a figure, what it is made of, its value, unit and source."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

SUM: Final = "sum"
DIFFERENCE: Final = "difference"
PRODUCT: Final = "product"
QUOTIENT: Final = "quotient"
_SIGNS: Final[Mapping[str, str]] = {
    SUM: " + ",
    DIFFERENCE: " - ",
    PRODUCT: " x ",
    QUOTIENT: " / ",
}


@dataclass(frozen=True)
class Line:
    """One line of an explanation.

    Parameters
    ----------
    figure : str. What it gives: a figure of the result, or a step towards one.
    value : float or None. [as `unit`]
    unit : str.
    source : str. Where it was read or how it was measured.
    operation : str. ``sum``, ``difference``, ``product`` or ``quotient`` of the terms, each in
        order; empty for what is read or measured.
    terms : tuple of float.
    words : str. What the terms are, or what is read.
    """

    figure: str
    value: float | None
    unit: str
    source: str
    operation: str = ""
    terms: tuple[float, ...] = ()
    words: str = ""

    @property
    def computed(self) -> float | None:
        """What the terms come to; None for what is read or measured."""
        first, rest = self.terms[:1], self.terms[1:]
        if self.operation == SUM:
            return math.fsum(self.terms)
        if self.operation == DIFFERENCE:
            return math.fsum((*first, *(-term for term in rest)))
        if self.operation == PRODUCT:
            return math.prod(self.terms)
        if self.operation == QUOTIENT:
            return first[0] / math.prod(rest)
        return None

    @property
    def expression(self) -> str:
        """The arithmetic with its numbers, to six digits, then in words."""
        shown = _SIGNS.get(self.operation, "").join(number(term) for term in self.terms)
        shown = shown.replace("+ -", "- ")
        return f"{shown} ({self.words})" if shown and self.words else shown or self.words

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "figure": self.figure,
            "expression": self.expression,
            "value": self.value,
            "unit": self.unit,
            "source": self.source,
            "operation": self.operation,
            "terms": list(self.terms),
        }


def number(value: float) -> str:
    """A number for reading: whole ones whole, others to six digits.

    >>> number(19366000.0), number(0.1234567), number(1234567.8)
    ('19,366,000', '0.123457', '1,234,568')
    """
    if float(value).is_integer() or abs(value) >= 1e6:
        return f"{value:,.0f}"
    return f"{value:,.6g}"


def added(figure: str, of: Iterable[Line], value: float, unit: str, source: str) -> Line:
    """A line that is the sum of others."""
    lines = [line for line in of if line.value is not None]
    words = " + ".join(line.figure for line in lines)
    terms = tuple(float(line.value) for line in lines if line.value is not None)
    return Line(figure, value, unit, source, SUM, terms, words)


def step(
    figure: str,
    operation: str,
    terms: Iterable[float],
    value: float | None,
    unit: str,
    source: str,
    words: str,
) -> Line:
    """A line of another operation on numbers."""
    return Line(figure, value, unit, source, operation, tuple(map(float, terms)), words)


def read(figure: str, value: float | None, unit: str, source: str, words: str = "") -> Line:
    """A line that is read, or measured from the records."""
    return Line(figure, value, unit, source, words=words)
