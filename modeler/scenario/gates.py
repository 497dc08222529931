"""Gates: conditions on the figures of an outcome, and whether a row keeps them.

>>> gate = parse_gate("p99 <= 2s")
>>> gate.check({"latency_s": {"p99": 1.5}})
Verdict(gate=Gate('p99 <= 2s'), value=1.5, passed=True, margin=0.5)
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from modeler.scenario.errors import nearest
from modeler.scenario.figures import SHARE, figure_of, known_figures
from modeler.scenario.units import (
    UnitError,
    format_duration,
    format_size,
    parse_duration,
    parse_number,
    parse_share,
    parse_size,
    parse_usd,
)

_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
    "==": operator.eq,
    "!=": operator.ne,
}
_OPPOSITE: Final = {"<=": ">", ">": "<=", ">=": "<", "<": ">=", "==": "!=", "!=": "=="}
_GATE: Final = re.compile(r"\s*([A-Za-z_][\w.]*)\s*(<=|>=|==|!=|<|>)\s*([^<>=!]*[^<>=!\s])\s*")
EXPECTED: Final = "a figure, one of < <= > >= ==, and a limit, such as p99 <= 2s"
NO_VALUE: Final = "no value"


class GateError(UnitError):
    """A gate that cannot be read.

    Attributes
    ----------
    nearest : str. The closest known figure where the name is unknown; empty otherwise.
    """

    def __init__(self, message: str, *, value: str, expected: str, nearest: str = "") -> None:
        super().__init__(message, value=value, expected=expected)
        self.nearest = nearest


class Verdict(NamedTuple):
    """A gate held against one outcome.

    Attributes
    ----------
    gate : Gate.
    value : float or None. Of its figure, in its unit; None where the outcome has none.
    passed : bool. A figure without a value never passes.
    margin : float or None. By how much the limit is kept, negative where it is not; of ``==`` and
        ``!=`` the distance from it, negative where the gate fails.
    """

    gate: Gate
    value: float | None
    passed: bool
    margin: float | None

    def to_dict(self) -> dict[str, Any]:
        """As a row of a sweep shows it."""
        return {"gate": self.gate.text, "value": self.value, "passed": self.passed}


@dataclass(frozen=True, repr=False)
class Gate:
    """A condition that an outcome has to keep.

    Parameters
    ----------
    text : str. As it was written.
    figure : str. Dotted name in a row of a sweep.
    factor : float. What its value is multiplied by: hours of a month for dollars of one.
    unit : str. Of the product and of the limit.
    comparison : str. One of ``< <= > >= == !=``.
    limit : float. [as `unit`]
    """

    text: str
    figure: str
    factor: float
    unit: str
    comparison: str
    limit: float

    def __repr__(self) -> str:
        return f"Gate({self.text!r})"

    def check(self, row: Mapping[str, Any]) -> Verdict:
        """Hold the gate against an outcome.

        Parameters
        ----------
        row : mapping. A row of a sweep, or `Outcome.to_dict()`.
        """
        value = None if row.get("status") == "failed" else _number_at(row, self.figure)
        if value is None:
            return Verdict(self, None, False, None)
        value *= self.factor
        passed = _COMPARE[self.comparison](value, self.limit)
        margin = value - self.limit if self.comparison[0] == ">" else self.limit - value
        if self.comparison in ("==", "!="):
            margin = abs(margin) if passed else -abs(margin)
        return Verdict(self, value, passed, margin)

    def shown(self, value: float | None) -> str:
        """A value of the gate's figure for reading."""
        return NO_VALUE if value is None else _FORMATS.get(self.unit, _plain)(value)


def parse_gate(text: str) -> Gate:
    """Read a gate.

    Parameters
    ----------
    text : str. Such as ``sla_violation_share <= 0.5%``, ``usd_per_month <= $3000``, ``p99 <= 2s``.
        A short name or the dotted name of a figure; a limit in the figure's unit.

    Returns
    -------
    Gate

    Raises
    ------
    GateError
        It is no comparison, the figure does not exist, or the limit is not of its unit.

    >>> parse_gate("usd_per_month <= $3,000").limit
    3000.0
    """
    match = _GATE.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise GateError(f"{text!r} is no gate: write {EXPECTED}", value=text, expected=EXPECTED)
    name, comparison, limit = match.groups()
    found = figure_of(name)
    if found is None:
        near = nearest(name, known_figures()) or _last_part(name)
        raise GateError(
            f'there is no figure "{name}" in a result' + ("" if near else _SOME),
            value=text,
            expected=EXPECTED,
            nearest=near,
        )
    try:
        value = float(_PARSERS.get(found.unit, parse_number)(limit))
    except UnitError as error:
        unit = f" [{found.unit}]" if found.unit else ""
        raise GateError(
            f"{name}{unit}: {error}", value=text, expected=f"{name} {comparison} {error.expected}"
        ) from error
    figure, factor, unit = found
    return Gate(" ".join(text.split()), figure, factor, unit, comparison, value)


def parse_fail_on(text: str) -> Gate:
    """The gate that a condition of failure comes to: its opposite.

    Raises
    ------
    GateError : as `parse_gate`.

    >>> parse_fail_on("p99 > 2s")
    Gate('p99 <= 2s')
    """
    given = parse_gate(text)
    left, right = given.text.split(given.comparison)
    return parse_gate(f"{left.strip()} {_OPPOSITE[given.comparison]} {right.strip()}")


def parse_gates(texts: Iterable[str]) -> tuple[Gate, ...]:
    """The gates of a scenario, ``scenario.gates``."""
    return tuple(parse_gate(text) for text in texts)


def _number_at(row: Mapping[str, Any], figure: str) -> float | None:
    """The number under a dotted name; None where there is none."""
    value: Any = row
    for part in figure.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _last_part(name: str) -> str:
    """A figure whose last part was probably meant: ``latency.p99`` is ``latency_s.p99``."""
    ends = {known.rpartition(".")[2]: known for known in reversed(known_figures())}
    return ends.get(nearest(name.rpartition(".")[2], list(ends), 0.8), "")


_SOME: Final = ": expected one such as p99, misses, usd_per_month, usd_total, breach_to_ready_s.p95"
_PARSERS: Final[Mapping[str, Callable[[str], float]]] = {
    "s": parse_duration,
    SHARE: parse_share,
    "bytes": parse_size,
    "USD": parse_usd,
    "USD/h": lambda text: parse_usd(text, per=("h", "hr", "hour")),
    "USD/month": lambda text: parse_usd(text, per=("month", "mo")),
}


def _plain(value: float) -> str:
    return f"{value:,.6g}"


_FORMATS: Final[Mapping[str, Callable[[float], str]]] = {
    "s": lambda value: f"{value:.3g} s" if 0.1 <= value < 60 else format_duration(value),
    SHARE: lambda value: f"{100.0 * value:.3g} %",
    "bytes": format_size,
    **dict.fromkeys(("USD", "USD/h", "USD/month"), lambda value: f"${value:,.2f}"),
}
