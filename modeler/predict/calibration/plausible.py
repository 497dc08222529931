"""Rows of an analyst's own that cannot be meant: a misspelt hosting, a slip of a unit.

Only what nothing could measure is refused. What is merely far from every published start is said.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import Final

import pricing
from modeler.predict.calibration.fit import UNITS, Fitted
from modeler.predict.calibration.measurements import Measurement, MeasurementsError
from modeler.predict.calibration.places import KNOWN, places_of
from modeler.predict.calibration.steps import NETWORK, RATE, Missing, step_of

_DAY_S: Final = 86_400.0
_GB: Final = 1e9
# An interface brings its line rate; the margin is for bytes counted before compression or rounding.
_MARGIN: Final = 1.25
# Above every interface sold (8 x 400 Gbit/s of a p5), above every host's memory, and below a modem.
_MOST_NETWORK: Final = 400e9
_MOST: Final = 2e12
_LEAST: Final = 1e5
_FAR: Final = 30.0  # times the published constant, or a part of it
_LIKE: Final = 0.8


def check_rows(measurements: Sequence[Measurement]) -> None:
    """Refuse rows that cannot be meant.

    Raises
    ------
    MeasurementsError
        A system that is nearly a hosting's name and none, a phase of more than a day, a transfer
        faster than the interface of its machine or slower than any; all at once.
    """
    problems = [problem for m in measurements for problem in _problems(m)]
    if problems:
        raise MeasurementsError(problems)


def _problems(m: Measurement) -> Iterator[str]:
    if m.system and not places_of(m):
        near = difflib.get_close_matches(m.system.lower(), KNOWN, n=1, cutoff=_LIKE)
        if near:
            yield f"{m.id}: system {m.system} is no hosting; did you mean {near[0]}?"
    if m.seconds > _DAY_S:
        yield f"{m.id}: seconds = {m.seconds:g}: expected at most a day; is it in milliseconds?"
        return
    if m.phase.startswith("total"):
        return
    try:
        step = step_of(m)
    except Missing:
        return
    if step.law != RATE or m.seconds <= 0.0:
        return
    rate = step.amount * _GB / m.seconds
    most, whose = _limit(m, network=step.key[0] in (*NETWORK, "pull"))
    said = f"{m.id}: {step.amount:g} GB in {m.seconds:g} s is {_per_second(rate)}"
    if rate > most:
        yield f"{said}, more than {whose} ({_per_second(most)}); is artifact_gb in MB?"
    elif 0.0 < rate < _LEAST:
        yield f"{said}, slower than any transfer; is seconds in milliseconds?"


def _limit(m: Measurement, *, network: bool) -> tuple[float, str]:
    """The rate no transfer of a row can exceed [bytes/s], and whose it is."""
    if not network:
        return _MOST, "any machine's memory brings"
    if m.aws_instance is None:
        return _MOST_NETWORK, "any machine's interface brings"
    spec = pricing.instance(m.aws_instance)
    return _MARGIN * spec.network_burst_bytes_per_s, f"the interface of {m.aws_instance} brings"


def _per_second(rate: float) -> str:
    for unit, size in (("GB/s", _GB), ("MB/s", 1e6)):
        if rate >= 0.1 * size:
            return f"{rate / size:.3g} {unit}"
    return f"{rate / 1e3:.3g} kB/s"


def far_from_published(told: Sequence[Fitted], published: Sequence[Fitted]) -> Iterator[str]:
    """Constants that differ from the published by more than any two of its sources do."""
    base = {(one.law, one.key): one.value for one in published}
    for one in told:
        known = base.get((one.law, one.key), one.value)
        if not known / _FAR <= one.value <= known * _FAR:
            yield (
                f"{one.name}: {one.value:.4g} {UNITS[one.law]} is far from the published "
                f"{known:.4g}: expected seconds, and artifact_gb in GB"
            )


def unknown_systems(measurements: Sequence[Measurement]) -> tuple[str, ...]:
    """Systems that are no hosting: their durations reach no setting of one."""
    return tuple(sorted({m.system for m in measurements if m.system and not places_of(m)}))
