"""The scenarios of a sweep: every combination of the varied settings, model size first."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from modeler.scenario import Scenario, value_at, with_values

SIZE = "model.size"


class Point(NamedTuple):
    """One scenario of the grid and the settings that make it."""

    scenario: Scenario
    settings: dict[str, Any]


def grid(
    scenario: Scenario,
    *,
    sizes: Sequence[str | int] | None = None,
    settings: Mapping[str, Sequence[Any]] | None = None,
) -> list[Point]:
    """All combinations of the scenario's own ``sweep`` and what is asked for here.

    Parameters
    ----------
    scenario : Scenario. Where everything that is not varied comes from.
    sizes : sequence, optional. Values of ``model.size``, instead of the scenario's own.
    settings : mapping of path to values, optional. They replace the scenario's own values of the
        same path; a single value pins the setting.

    Returns
    -------
    list of Point
        In order: the first axis, model size, varies slowest.

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
        point = with_values(base, chosen)
        points.append(Point(point, {path: value_at(point, path) for path in ordered}))
    return points
