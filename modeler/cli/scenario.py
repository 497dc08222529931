"""From the options that several commands share to one scenario."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from modeler.scenario import Scenario, default, load, with_values


def scenario_of(
    file: str | None,
    *,
    trace: str | None = None,
    seed: int | None = None,
    settings: Collection[str] = (),
) -> Scenario:
    """The scenario of a file, or the embedded one, with the simple options laid over it.

    Parameters
    ----------
    file : str, optional. The scenario file.
    trace, seed : optional. What to use instead of the file's own, its sweep's included.
    settings : collection of str. Paths that are set elsewhere, after this.

    Raises
    ------
    ScenarioError : the file or a value does not hold.
    """
    # A trace that is replaced need not be there.
    own_files = trace is None and "trace" not in settings
    scenario = default() if file is None else load(file, check_files=own_files)
    given: dict[str, Any] = {"trace": trace, "seed": seed}
    chosen = {path: value for path, value in given.items() if value is not None}
    if scenario.sweep.keys() & chosen.keys():
        chosen["sweep"] = {p: v for p, v in scenario.sweep.items() if p not in chosen}
    return with_values(scenario, chosen) if chosen else scenario


def axes_of(
    settings: Mapping[str, Sequence[str]], instances: Sequence[str] | None, region: str | None
) -> dict[str, Sequence[Any]]:
    """The axes that ``--set``, ``--instance`` and ``--region`` ask for."""
    axes: dict[str, Sequence[Any]] = dict(settings)
    if instances is not None:
        axes["hosting.instance"] = instances
    if region is not None:
        axes["hosting.region"] = [region]
    return axes
