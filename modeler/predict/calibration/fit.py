"""Constants from measurements, each source counting once, and how far they predict what they saw.

Of a law the constant is the median over sources of each source's geometric mean: one study of a
hundred rows says as much as one of two. A row is predicted by constants fitted without its source,
for rows of one study share a machine, a version and a stopwatch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean, median, stdev
from typing import Final

from modeler.predict.calibration.measurements import Measurement, shipped
from modeler.predict.calibration.steps import (
    DOCUMENTED,
    DURATION,
    GROWING,
    GROWTH_PER_B,
    NETWORK,
    RATE,
    Missing,
    Step,
    step_of,
    steps_of,
)

Key = tuple[str, tuple[str, ...]]
# What a transfer from memory takes whatever its bytes: opening, mapping, one synchronisation. [s]
_MEMORY_FIXED_S: Final = 0.1
_LEAST_S: Final = 0.01
UNITS: Final = {DURATION: "s", RATE: "GB/s", GROWING: "s, at no parameters"}


@dataclass(frozen=True)
class Fitted:
    """One constant.

    Parameters
    ----------
    law, key : as of its steps.
    value : float. [as `UNITS`]
    rows, sources : int. It was fitted to.
    spread : float. Standard deviation of the sources' logarithms; of a single source, of its rows';
        0 of a single row.
    low, high : float, optional. 95 % interval of the constant by that spread: Student's on the
        logarithms; None of a single row.
    """

    law: str
    key: tuple[str, ...]
    value: float
    rows: int
    sources: int
    spread: float
    low: float | None = None
    high: float | None = None

    @property
    def name(self) -> str:
        """Its key in one word."""
        return " / ".join(self.key)


class Calibration:
    """Constants fitted to some measurements.

    Parameters
    ----------
    measurements : sequence of Measurement. Single phases count; whole starts are left for checking.
    """

    def __init__(self, measurements: Iterable[Measurement]) -> None:
        found: dict[Key, dict[str, list[float]]] = {}
        for m in measurements:
            for key, value in _told_by(m):
                found.setdefault(key, {}).setdefault(m.source, []).append(value)
        self._by_source = found

    def without(self, source: str) -> Calibration:
        """The same, fitted without one source."""
        other = Calibration(())
        other._by_source = {
            key: kept
            for key, sources in self._by_source.items()
            if (kept := {name: v for name, v in sources.items() if name != source})
        }
        return other

    def constants(self) -> tuple[Fitted, ...]:
        """Every constant that the measurements tell, by key."""
        whole = [key for key in self._by_source if not _is_shared(key)]
        return tuple(self._fitted(key) for key in sorted(whole))

    def _fitted(self, key: Key) -> Fitted:
        by_source = self._by_source[key].values()
        logs = [math.log(mean) for mean in self._means(key)]
        value = math.exp(median(logs))
        told = logs if len(logs) > 1 else [math.log(x) for values in by_source for x in values]
        low, high = interval(told)
        return Fitted(
            *key,
            value,
            sum(len(values) for values in by_source),
            len(logs),
            stdev(told) if len(told) > 1 else 0.0,
            None if low is None else math.exp(low),
            None if high is None else math.exp(high),
        )

    def _means(self, key: Key) -> list[float]:
        """The geometric mean of each source."""
        return [
            math.exp(fmean(math.log(value) for value in values))
            for values in self._by_source[key].values()
        ]

    def value(self, step: Step) -> float:
        """The constant of a step.

        Raises
        ------
        Missing
            No measurement tells it.
        """
        for key in _from_near_to_far(step):
            if key in self._by_source:
                return math.exp(median(math.log(mean) for mean in self._means(key)))
        raise Missing(f"other source that measures {' / '.join(step.key)}")

    def seconds(self, step: Step) -> float:
        """What a step is predicted to take. [s]

        Raises
        ------
        Missing
        """
        if step.law == DOCUMENTED:
            return step.amount
        try:
            value = self.value(step)
        except Missing:
            parts = _in_turn(step)
            if not parts:
                raise
            return sum(self.seconds(part) for part in parts)
        if step.law == DURATION:
            return value
        if step.law == GROWING:
            return value * (1.0 + GROWTH_PER_B * step.amount)
        return _fixed_s(step.key) + step.amount / value

    def predict(self, m: Measurement) -> float:
        """What a row is predicted to take: the sum of its steps. [s]

        Raises
        ------
        Missing
            What the row does not say, or nothing measures.
        """
        return sum(self.seconds(step) for step in steps_of(m))


def interval(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Student's 95 % interval of what the values are drawn around; None of a single value."""
    if len(values) < 2:
        return None, None
    from scipy.special import stdtrit  # here, for most commands do without scipy

    half = float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / math.sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def _told_by(m: Measurement) -> Iterable[tuple[Key, float]]:
    """What one row says of constants, as near as it says it and as far as that holds."""
    if m.phase.startswith("total") or m.seconds <= 0.0:
        return
    try:
        step = step_of(m)
    except Missing:
        return
    if step.law == DOCUMENTED:
        return
    if step.key[-2:] == ("download", "small") and not m.instance_type:
        return  # of an unknown machine a download says nothing
    value = m.seconds
    if step.law == RATE:
        value = step.amount / max(m.seconds - _fixed_s(step.key), _LEAST_S)
    elif step.law == GROWING:
        value = m.seconds / (1.0 + GROWTH_PER_B * step.amount)
    if value > 0.0:
        for key in _from_near_to_far(step):
            yield key, value


def _from_near_to_far(step: Step) -> list[Key]:
    """A step's own key; of a transfer that the network does not bound, that of any host as well."""
    near = (step.law, step.key)
    if step.law == RATE and len(step.key) == 3 and step.key[0] not in NETWORK:
        return [near, (step.law, step.key[:2])]
    return [near]


def _in_turn(step: Step) -> tuple[Step, ...]:
    """A load from a store by the framework's own loader, where none was measured whole.

    It downloads to the host and then copies from memory (cold-start model, section 2).
    """
    medium, loader, size = step.key if len(step.key) == 3 else ("", "", "")
    if step.law != RATE or medium not in NETWORK or loader != "default":
        return ()
    return tuple(
        Step(RATE, key, step.amount)
        for key in ((medium, "download", size), ("memory", "default", size))
    )


def _is_shared(key: Key) -> bool:
    law, name = key
    return law == RATE and len(name) == 2 and name[0] != "pull"


def _fixed_s(key: tuple[str, ...]) -> float:
    return _MEMORY_FIXED_S if key[0] == "memory" else 0.0


@cache
def published() -> Calibration:
    """Constants of the shipped measurements."""
    return Calibration(shipped())


@cache
def _published_without(source: str) -> Calibration:
    return published().without(source)


def cross_validated(
    measurements: Sequence[Measurement], calibration: Calibration
) -> list[tuple[Measurement, float | None, str]]:
    """Each row beside a prediction whose constants were fitted without its source.

    Returns
    -------
    list of (Measurement, float or None, str)
        The prediction [s], or None and what is missing.
    """
    without: dict[str, Calibration] = {}
    found: list[tuple[Measurement, float | None, str]] = []
    for m in measurements:
        if m.source not in without:
            without[m.source] = calibration.without(m.source)
        try:
            found.append((m, without[m.source].predict(m), ""))
        except Missing as error:
            found.append((m, None, explained(error)))
    return found


def explained(error: Missing) -> str:
    """Why a row is out of scope, in words."""
    said = str(error)
    return f"no {said}" if said.startswith("other source") else f"not stated: {said}"


def predict_measured(m: Measurement) -> float:
    """A row by the shipped constants, fitted without its source where that is among them. [s]

    Raises
    ------
    Missing
    """
    return _published_without(m.source).predict(m)
