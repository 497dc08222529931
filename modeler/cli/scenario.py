"""From the options that several commands share to one scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modeler.scenario import Scenario, default, load, with_values


def scenario_of(
    file: str | None,
    *,
    trace: str | None = None,
    region: str | None = None,
    seed: int | None = None,
) -> Scenario:
    """The scenario of a file, or the embedded one, with the simple options laid over it.

    Raises
    ------
    ScenarioError : the file or a value does not hold.
    """
    scenario = default() if file is None else load(file)
    given: dict[str, Any] = {"trace": trace, "hosting.region": region, "seed": seed}
    chosen = {path: value for path, value in given.items() if value is not None}
    return with_values(scenario, chosen) if chosen else scenario


def axes_of(
    settings: Mapping[str, Sequence[str]], instances: Sequence[str] | None
) -> dict[str, Sequence[Any]]:
    """The axes that ``--set`` and ``--instance`` ask for."""
    axes: dict[str, Sequence[Any]] = dict(settings)
    if instances is not None:
        axes["hosting.instance"] = instances
    return axes
