"""The arithmetic of one figure of a replay, line by line.

Reading guide: `explain_figure` finds who explains a figure; ``dollars``, ``fates``, ``starts`` and
``fleet`` do; a `Line` of ``arithmetic`` holds numbers, so that what adds up can be checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from modeler.plain import flatten, to_plain
from modeler.scenario.errors import nearest
from modeler.scenario.figures import FIGURES, SHORT_NAMES
from modeler.study.explain import dollars, fates, fleet, starts
from modeler.study.explain.arithmetic import PRODUCT, Line, step
from modeler.study.replay import Replay

# What is explained where no figure is asked for.
HEADLINES: Final = ("usd_total", "sla_violation_share")

# Figures whose names the run gives: the seed, and the laws its replicas started by.
_OF_THE_RUN: Final = ("seed", "instances.laws.")

_Explainer = Callable[[Replay, str], list[Line]]
_EXACT: Final[Mapping[str, _Explainer]] = {
    "usd_total": dollars.usd_total,
    "usd_per_hour": dollars.usd_per_hour,
    "usd_per_1k_requests": dollars.usd_per_1k_requests,
    "sla_violation_share": fates.violation_share,
    "requests": fates.outcomes,
    "served": fates.outcomes,
    "rejected": fates.outcomes,
    "timed_out": fates.outcomes,
    "lost": fates.outcomes,
    "duration_s": fleet.duration,
    "replicas.mean": fleet.mean_replicas,
    "utilisation": fleet.utilisation,
    "target": fleet.target,
}
_BY_GROUP: Final[Mapping[str, _Explainer]] = {
    "bounds.work_bound": dollars.work_bound,
    "bounds.zero_wait": dollars.zero_wait,
    "usd_by_phase": dollars.usd_of_phase,
    "token_api": dollars.token_api,
    "violations_by_cause": fates.cause,
    "latency_s": fates.times,
    "wait_s": fates.times,
    "first_token_s": fates.times,
    "time_per_output_token_s": fates.times,
    "decision_to_ready_s": starts.decision_to_ready,
    "breach_to_ready_s": starts.breach_to_ready,
    "breaches": starts.breaches,
    "replicas": fleet.counted,
    "instances": fleet.counted,
    "environments": fleet.counted,
}


class FigureError(Exception):
    """A figure that the result does not have; names the nearest that it has."""

    exit_code: Final = 2


@dataclass(frozen=True)
class Explanation:
    """How one figure comes about.

    Parameters
    ----------
    figure : str. Its dotted name.
    value : float or None. As in the row; None where the result has none.
    lines : tuple of Line. The last one is the figure itself.
    """

    figure: str
    value: float | None
    lines: tuple[Line, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "figure": self.figure,
            "value": self.value,
            "lines": [line.to_dict() for line in self.lines],
        }


def explain_figure(done: Replay, figure: str) -> Explanation:
    """The arithmetic of a figure.

    Parameters
    ----------
    done : Replay. Of the scenario, as `modeler.study.replay` returns it.
    figure : str. The dotted name of a number of the outcome, such as ``usd_total`` or
        ``latency_s.p99``, or a short name, such as ``p99``.

    Returns
    -------
    Explanation

    Raises
    ------
    FigureError
        The outcome has no such figure; the nearest is named.
    """
    row = flatten(to_plain(done.outcome))
    short = SHORT_NAMES.get(figure)
    name = short.figure if short else figure
    if name not in _numbers(row):
        raise FigureError(_unknown(figure, row))
    lines = _explainer(name)(done, name)
    value = row[name]
    if short and short.factor != 1.0:
        words = f"{name} x hours of a month"
        value *= short.factor
        terms = (row[name], short.factor)
        source = "a year of 8,760 hours over twelve"
        lines = [*lines, step(figure, PRODUCT, terms, value, short.unit, source, words)]
        name = figure
    return Explanation(name, value, tuple(lines))


def check_figure(figure: str) -> None:
    """Refuse, before a replay, a figure that no result can have.

    Raises
    ------
    FigureError
        With the nearest declared figure.
    """
    known = (*SHORT_NAMES, *FIGURES)
    if figure not in known and not figure.startswith(_OF_THE_RUN):
        raise FigureError(_misspelt(figure, known))


def figures_of(done: Replay) -> tuple[str, ...]:
    """Every figure of an outcome that can be explained."""
    return tuple(_numbers(flatten(to_plain(done.outcome))))


def _numbers(row: Mapping[str, Any]) -> list[str]:
    """Names of the numbers of a row, and of declared figures that this row leaves empty."""
    return [
        name
        for name, value in row.items()
        if (isinstance(value, int | float) and not isinstance(value, bool))
        or (value is None and name in FIGURES)
    ]


def _explainer(figure: str) -> _Explainer:
    if figure in _EXACT:
        return _EXACT[figure]
    group = figure.rpartition(".")[0]
    while group:
        if group in _BY_GROUP:
            return _BY_GROUP[group]
        group = group.rpartition(".")[0]
    return fleet.setting


def _unknown(figure: str, row: Mapping[str, Any]) -> str:
    if figure in FIGURES:
        return f'this result has no figure "{figure}": nothing of the kind was replayed'
    return _misspelt(figure, [*SHORT_NAMES, *_numbers(row)])


def _misspelt(figure: str, known: Sequence[str]) -> str:
    near = nearest(figure, known)
    hint = f'did you mean "{near}"?' if near else f"one such as {', '.join(HEADLINES)}, p99, target"
    return f'there is no figure "{figure}" in a result: {hint}'
