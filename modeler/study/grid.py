"""The scenarios of a sweep: every combination of the varied settings, model size first."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from modeler.predict import ServiceError
from modeler.predict.batched_service import sizes_by_precision
from modeler.scenario import Scenario, ScenarioError, value_at, with_values
from modeler.scenario.errors import Problem
from modeler.study.presets import Preset, with_preset

SIZE = "model.size"
DTYPE = "model.dtype"


class Point(NamedTuple):
    """One scenario of the grid and the settings that make it.

    ``preset`` is the policy it was put under, where the sweep compares policies; ``error`` says why
    a preset does not go with the scenario, which then stands as it was. ``payload`` says that the
    size in a precision is that of its parameters alone.
    """

    scenario: Scenario
    settings: dict[str, Any]
    preset: Preset | None = None
    error: ScenarioError | None = None
    payload: bool = False


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
    if precisions and len(axes.get(DTYPE, ())) > 1:
        varied = ", ".join(map(str, axes[DTYPE]))
        problem = (
            f"{DTYPE} is varied as {varied}, and by the precisions {', '.join(precisions)} as "
            "well: leave one out, or give the one precision that the sizes are of"
        )
        raise ScenarioError([Problem(problem, DTYPE)])
    ordered = sorted(axes, key=lambda path: path != SIZE)
    base = with_values(scenario, {"sweep": {}})
    points = []
    for values in itertools.product(*(axes[path] for path in ordered)):
        chosen = dict(zip(ordered, values, strict=True))
        for precision in precisions or (None,):
            variant, payload = chosen, False
            if precision is not None:
                variant, payload = in_precision(base, chosen, precision)
            for preset in presets or (None,):
                points.append(_point(base, variant, preset)._replace(payload=payload))
    return points


def in_precision(
    base: Scenario, chosen: Mapping[str, Any], precision: str
) -> tuple[dict[str, Any], bool]:
    """The same choice with the same parameters in another precision, and whether they are all.

    Parameters
    ----------
    base : Scenario.
    chosen : mapping of path to value. Laid over it; its size is that of its own precision.
    precision : str.

    Returns
    -------
    dict, bool
        The choice with ``model.dtype`` and ``model.size``; and whether that size leaves out scales
        and what a file keeps in 16 bits.

    Raises
    ------
    ScenarioError : no such precision, or an architecture that is not known.
    """
    given = {path: chosen[path] for path in (SIZE, DTYPE) if path in chosen}
    try:
        sizes, complete = sizes_by_precision(with_values(base, given))
    except ServiceError as error:
        raise ScenarioError([Problem(str(error), "service.architecture")]) from error
    if precision not in sizes:
        problem = f'precision "{precision}": expected one of {", ".join(sizes)}'
        raise ScenarioError([Problem(problem, DTYPE)])
    changed = {**chosen, SIZE: sizes[precision], DTYPE: precision}
    return changed, not complete and precision in _WITH_SCALES


# Precisions whose files keep embeddings and norms in 16 bits, with scales beside the others.
_WITH_SCALES: Final = ("fp8", "int8", "int4")


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
