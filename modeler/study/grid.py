"""The scenarios of a sweep: every combination of the varied settings, model size first."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from modeler.predict import bytes_by_precision, parameters_of
from modeler.scenario import Scenario, ScenarioError, value_at, with_values
from modeler.scenario.errors import Problem
from modeler.study.presets import Preset, with_preset

SIZE = "model.size"
DTYPE = "model.dtype"


class Point(NamedTuple):
    """One scenario of the grid and the settings that make it.

    ``preset`` is the policy it was put under, where the sweep compares policies; ``error`` says why
    a preset does not go with the scenario, which then stands as it was.
    """

    scenario: Scenario
    settings: dict[str, Any]
    preset: Preset | None = None
    error: ScenarioError | None = None


def grid(
    scenario: Scenario,
    *,
    sizes: Sequence[str | int] | None = None,
    precisions: Sequence[str] = (),
    settings: Mapping[str, Sequence[Any]] | None = None,
    presets: Sequence[Preset] = (),
) -> list[Point]:
    """All combinations of the scenario's own ``sweep`` and what is asked for here.

    Parameters
    ----------
    scenario : Scenario. Where everything that is not varied comes from.
    sizes : sequence, optional. Values of ``model.size``, instead of the scenario's own.
    precisions : sequence of str. The same model in several: ``model.dtype`` is set, and the size,
        which is that of the scenario's own precision, becomes what the same parameters take.
    settings : mapping of path to values, optional. They replace the scenario's own values of the
        same path; a single value pins the setting.
    presets : sequence of Preset, optional. Policies on their platforms, each instead of the
        scenario's own.

    Returns
    -------
    list of Point
        In order: the first axis, model size, varies slowest, the presets fastest.

    Raises
    ------
    ScenarioError : an unknown path, or values that do not fit.
    """
    axes: dict[str, Sequence[Any]] = dict(scenario.sweep)
    axes.update(settings or {})
    if sizes is not None:
        axes[SIZE] = sizes
    ordered = sorted(axes, key=lambda path: path != SIZE)
    base = with_values(scenario, {"sweep": {}})
    points = []
    for values in itertools.product(*(axes[path] for path in ordered)):
        chosen = dict(zip(ordered, values, strict=True))
        for precision in precisions or (None,):
            variant = chosen if precision is None else _in_precision(base, chosen, precision)
            for preset in presets or (None,):
                points.append(_point(base, variant, preset))
    return points


def _in_precision(base: Scenario, chosen: Mapping[str, Any], precision: str) -> dict[str, Any]:
    """The same choice with the same parameters in another precision."""
    given = {SIZE: chosen[SIZE]} if SIZE in chosen else {}
    model = with_values(base, given).model
    size = bytes_by_precision(parameters_of(model.size, model.dtype))
    if precision not in size:
        problem = f'precision "{precision}": expected one of {", ".join(size)}'
        raise ScenarioError([Problem(problem, DTYPE)])
    return {**chosen, SIZE: size[precision], DTYPE: precision}


def _point(base: Scenario, chosen: Mapping[str, Any], preset: Preset | None) -> Point:
    if preset is None:
        scenario = with_values(base, chosen)
        return Point(scenario, _settings(scenario, chosen))
    try:
        scenario = with_values(with_preset(base, preset), chosen)
    except ScenarioError as error:
        # The analyst's own values must hold; a platform may still not take them.
        sizes = {path: value for path, value in chosen.items() if path == SIZE}
        own = with_values(base, sizes)
        return Point(own, _settings(own, sizes), preset, error)
    return Point(scenario, _settings(scenario, chosen), preset)


def _settings(scenario: Scenario, chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {path: value_at(scenario, path) for path in chosen}
