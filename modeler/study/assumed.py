"""What an answer rests on: the numbers that nobody has measured here, and how far they may be off.

A number may be off by a factor of 1.5 to either side where nobody says; that is a range to try, and
no claim about how likely it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np

from modeler.predict import cold_start_law, instance_of
from modeler.predict.constants import SET
from modeler.predict.service import FALLBACK_MEAN_S, service_law
from modeler.replay.run import Traffic
from modeler.scenario import (
    Problem,
    Scenario,
    ScenarioError,
    settings_in_force,
    value_at,
    with_values,
)
from modeler.scenario.errors import nearest
from modeler.scenario.explain import YOURS
from modeler.study.lab import Lab
from traces import CountSeries, Trace
from traces.transform import scale

Row = Mapping[str, Any]
Settings = dict[str, Any]

# A choice of this tool: as far off as two careful measurements of one phase often are.
FACTOR: Final = 1.5
TRAFFIC: Final = "traffic"
SERVICE: Final = "service_time"
PRICE: Final = "hosting.usd_per_hour"
_ORIGINS: Final = ("assumed", "observed")
_EFFICIENCIES: Final = ("prefill_efficiency", "decode_efficiency", "bandwidth_efficiency")
_HALVINGS: Final = 12
_LIKE: Final = 0.75  # how alike a misspelt name must be to that of a factor
# Settings whose number in force stands in a row, where the scenario has words for it.
_IN_ROW: Final[Mapping[str, tuple[str, ...]]] = {
    "fleet.slots": ("slots",),
    "sla.threshold_s": ("sla", "threshold_s"),
}


@dataclass(frozen=True)
class Assumption:
    """A number that an answer rests on.

    Parameters
    ----------
    path : str. The setting; ``traffic`` and ``service_time`` are factors on what there is.
    value : float or None. In force; None where the setting is left open. [as `unit`]
    low, high : float. What is tried. [as `unit`]
    unit : str. Empty for counts and factors.
    origin, source : str. Of the value.
    """

    path: str
    value: float | None
    low: float
    high: float
    unit: str
    origin: str
    source: str

    @property
    def whole(self) -> bool:
        """Whether it is a count, or one of bytes."""
        return isinstance(self.value, int)

    @property
    def middle(self) -> float:
        """The value in force, or between the two that are tried."""
        return self.value or math.sqrt(max(self.low, self.high / 64.0) * self.high)


class Variant(NamedTuple):
    """What to replay: settings, on other traffic where there is some."""

    settings: Settings
    traffic: Traffic | None


def changed(lab: Lab, settings: Mapping[str, Any], path: str, value: float) -> Variant:
    """One assumption at another value, the rest as it is.

    Parameters
    ----------
    lab : Lab.
    settings : mapping. Laid over the scenario beside it.
    path, value : as of an `Assumption`.

    Raises
    ------
    ScenarioError : service times that are read from a file.
    """
    base = lab.variant(settings)
    if path == TRAFFIC:
        return Variant(dict(settings), scaled(lab.traffic(base), value, base.seed))
    if path == SERVICE:
        own, traffic = _slower(base, lab.traffic(base), value)
        return Variant({**settings, **own}, traffic)
    found: Settings = {**settings, path: value}
    if path == "cold_start.register_s" and base.cold_start.gap_s is None:
        # Setting the one takes the other as part of it, unless that is said too.
        gaps = {f"cold_start.{one.name}": one.value for one in _constants(base)}
        found |= {key: gap for key, gap in gaps.items() if key == "cold_start.gap_s"}
    return Variant(found, None)


def scaled(traffic: Traffic, factor: float, seed: int) -> Traffic:
    """More or less of the same traffic."""
    if isinstance(traffic, CountSeries):
        return CountSeries(
            np.round(traffic.counts * factor).astype(np.int64),
            traffic.bin_s,
            t0_ns=traffic.t0_ns,
            t0_is_absolute=traffic.t0_is_absolute,
            source=f"{traffic.source} (x {factor:g})",
        )
    assert isinstance(traffic, Trace)
    return scale(traffic, factor, seed)


def _slower(base: Scenario, traffic: Traffic, factor: float) -> tuple[Settings, Traffic | None]:
    """Settings, or traffic, under which every request takes so many times as long."""
    service, law = base.service, service_law(base, traffic, instance_of(base))
    if hasattr(service, "mean_s"):
        return {"service.mean_s": service.mean_s * factor}, None
    if law.kind == "exponential":
        return {"service": {"kind": law.kind, "mean_s": FALLBACK_MEAN_S * factor}}, None
    if law.kind in ("tokens", "batched"):
        kind = {} if service.kind == law.kind else {"service.kind": law.kind}
        own = with_values(base, kind)
        shares = {
            f"service.{name}": getattr(own.service, name) / factor
            for name in _EFFICIENCIES
            if hasattr(own.service, name)
        }
        step = {"service.step_overhead_s": value_at(own, "service.step_overhead_s") * factor}
        return {**kind, **shares, **step}, None
    if law.kind == "trace" and isinstance(traffic, Trace):
        columns = {**traffic.columns, "service_s": traffic.columns["service_s"] * factor}
        return {}, Trace(
            traffic.arrival_s,
            columns,
            t0_ns=traffic.t0_ns,
            t0_is_absolute=traffic.t0_is_absolute,
            source=f"{traffic.source} (service x {factor:g})",
        )
    raise _refused(SERVICE, factor, f"service.kind {law.kind} has no one number to scale")


def assumptions_of(
    lab: Lab,
    row: Row,
    settings: Mapping[str, Any] | None = None,
    ranges: Mapping[str, tuple[Any, Any]] | None = None,
) -> list[Assumption]:
    """What the row of a scenario rests on.

    Parameters
    ----------
    lab : Lab.
    row : mapping. Of the scenario with `settings`: it has the price.
    settings : mapping, optional. Laid over the scenario; what they set is a choice and left out.
    ranges : mapping of path to low and high. Of the analyst, whatever the origin of the number; as
        typed or with units.

    Returns
    -------
    list of Assumption
        The numbers above 0 whose origin is ``assumed`` or ``observed``, the price, the traffic and
        the service time; then what only `ranges` names. Each within what its setting allows.

    Raises
    ------
    ScenarioError : a range that cannot be, with all of them.
    """
    settings, ranges = dict(settings or {}), dict(ranges or {})
    found = {one.path: one for one in _found(lab, row, settings)}
    problems: list[Problem] = []
    for path, (low, high) in ranges.items():
        try:
            found[path] = _ranged(lab, settings, path, (low, high), found.get(path))
        except ScenarioError as error:
            problems += [_or_a_factor(problem) for problem in error.problems]
    if problems:
        raise ScenarioError(problems)
    return [
        one if one.path in ranges else within(lab, settings, one)
        for one in found.values()
        if one.path in ranges or one.path not in settings
    ]


def _or_a_factor(problem: Problem) -> Problem:
    """A misspelt name, where it is rather that of a factor than of a setting."""
    near = nearest(problem.path, (TRAFFIC, SERVICE), _LIKE)
    unknown = problem.message.startswith("unknown")
    return replace(problem, nearest=near) if unknown and near else problem


def within(lab: Lab, settings: Mapping[str, Any], one: Assumption) -> Assumption:
    """The same with a range that its setting allows."""
    return replace(
        one,
        low=allowed(lab, settings, one, one.low),
        high=allowed(lab, settings, one, one.high),
    )


def allowed(lab: Lab, settings: Mapping[str, Any], one: Assumption, asked: float) -> float:
    """The value nearest to one asked for that can be set, from the value in force outwards."""

    def fits(value: float) -> bool:
        try:
            lab.variant(changed(lab, settings, one.path, value).settings)
        except ScenarioError:
            return False
        return True

    asked = round(asked) if one.whole else asked
    if one.path == TRAFFIC or fits(asked):
        return asked
    inner, outer = one.middle, asked
    for _ in range(_HALVINGS):
        between = math.sqrt(inner * outer) if outer > 0.0 else inner / 2.0
        between = round(between) if one.whole else between
        if fits(between):
            inner = between
        else:
            outer = between
    return inner


def _found(lab: Lab, row: Row, settings: Settings) -> Iterator[Assumption]:
    scenario = lab.variant(settings)
    for one in settings_in_force(scenario):
        value: Any = _in_row(row, one.path) if isinstance(one.value, str) else one.value
        if one.origin in _ORIGINS and _is_number(value):
            yield _about(one.path, value, one.unit, one.origin, one.source)
    for constant in _constants(scenario):
        if constant.origin == SET or constant.unit == "flag" or constant.value <= 0.0:
            continue
        path, value = f"cold_start.{constant.name}", constant.value
        if constant.name not in type(scenario.cold_start).model_fields:
            continue
        source = constant.source
        if constant.name == "registry_bytes_per_s":
            # As a setting it is the rate of a whole pull, unpacking included.
            value, source = _pull_rate(scenario) or value, f"{source}; with unpacking, as in force"
        if constant.origin in _ORIGINS:
            whole = constant.name.endswith("_size")
            value = int(value) if whole else value
            yield _about(path, value, constant.unit, constant.origin, source)
    prices = row.get("prices") or []
    if len(prices) == 1 and hasattr(scenario.hosting, "usd_per_hour"):
        price = prices[0]
        origin = YOURS if scenario.hosting.usd_per_hour is not None else price["confidence"]
        yield _about(PRICE, price["usd_per_hour"], "USD/h", origin, price["source"])
    origin = YOURS if lab.given or "trace" in scenario.model_fields_set else "assumed"
    yield _about(TRAFFIC, 1.0, "", origin, lab.traffic(scenario).source)
    try:
        changed(lab, settings, SERVICE, 1.0)
    except ScenarioError:
        return
    yield _about(SERVICE, 1.0, "", "assumed", str(row.get("service") or ""))


def _about(path: str, value: float, unit: str, origin: str, source: str) -> Assumption:
    low, high = value / FACTOR, value * FACTOR
    if isinstance(value, int):
        low, high = math.floor(low), math.ceil(high)
    return Assumption(path, value, low, high, unit, origin, source)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _in_row(row: Row, path: str) -> Any:
    if path not in _IN_ROW:
        return None
    value: Any = row
    for key in _IN_ROW[path]:
        value = value[key]
    return value


def _constants(scenario: Scenario) -> list[Any]:
    return cold_start_law(scenario, instance_of(scenario)).constants()


def _pull_rate(scenario: Scenario) -> float | None:
    """What the image comes at, unpacking included. [bytes/s]"""
    law = cold_start_law(scenario, instance_of(scenario))
    bars = {bar.phase: bar.p50_s for bar in law.waterfall().phases}
    size = {one.name: one.value for one in law.constants()}.get("image_size", 0.0)
    pull_s = bars.get("image_pull", 0.0)
    return size / pull_s if pull_s > 0.0 else None


def _ranged(
    lab: Lab, settings: Settings, path: str, ends: tuple[Any, Any], known: Assumption | None
) -> Assumption:
    scenario = lab.variant(settings)
    low, high = _read(scenario, path, ends[0]), _read(scenario, path, ends[1])
    if not low < high:
        raise _refused(path, f"{ends[0]},{ends[1]}", "expected the lower end first")
    if known is not None:
        return replace(known, low=low, high=high)
    about = {one.path: one for one in settings_in_force(scenario)}.get(path)
    value = value_at(scenario, path)
    if about is None:
        return Assumption(path, value, low, high, "", YOURS, "")
    number = value if _is_number(value) else None
    return Assumption(path, number, low, high, about.unit, about.origin, about.source)


def _read(scenario: Scenario, path: str, value: Any) -> Any:
    """A value as its setting reads it."""
    if path in (TRAFFIC, SERVICE):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not 0.0 < number < math.inf:
            raise _refused(path, value, "expected a factor above 0")
        return number
    read = value_at(with_values(scenario, {path: value}), path)
    if isinstance(read, bool) or not isinstance(read, int | float):
        raise _refused(path, value, "expected a number: this setting has none")
    return read


def _refused(path: str, value: object, why: str) -> ScenarioError:
    return ScenarioError([Problem(f"{path} {value}: {why}", path, value)])
