"""From the options that several commands share to one scenario."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import click

from modeler.cli.output import talk
from modeler.platforms import apply, load, read_policy
from modeler.scenario import Scenario, default, with_values


def scenario_of(
    file: str | None,
    *,
    trace: str | None = None,
    seed: int | None = None,
    settings: Collection[str] = (),
    policies: Sequence[str] = (),
    check_files: bool = True,
) -> Scenario:
    """The scenario of a file, or the embedded one, with the simple options laid over it.

    What a policy file says and is not modelled goes to stderr, line by line.

    Parameters
    ----------
    file : str, optional. The scenario file.
    trace, seed : optional. What to use instead of the file's own, its sweep's included.
    settings : collection of str. Paths that are set elsewhere, after this.
    policies : sequence of str. Policy files, ``FILE`` or ``FILE#NAME``, in place of the scenario's
        own policy.
    check_files : bool. Whether the files that the scenario names must be there.

    Raises
    ------
    ScenarioError : the file or a value does not hold.
    """
    # A trace that is replaced need not be there.
    own_files = check_files and trace is None and "trace" not in settings
    scenario = default() if file is None else load(file, check_files=own_files, say=talk)
    if policies:
        files = [read_policy(*split_name(one)) for one in policies]
        scenario, notes = apply(scenario, *files, keep=settings)
        for note in notes:
            talk(note)
    given: dict[str, Any] = {"trace": trace, "seed": seed}
    chosen = {path: value for path, value in given.items() if value is not None}
    if scenario.sweep.keys() & chosen.keys():
        chosen["sweep"] = {p: v for p, v in scenario.sweep.items() if p not in chosen}
    return with_values(scenario, chosen) if chosen else scenario


def one_scenario(
    command: str,
    scenario_file: str | None,
    *,
    trace: str | None = None,
    size: str | None = None,
    instance: str | None = None,
    region: str | None = None,
    seed: int | None = None,
    settings: Mapping[str, Sequence[str]],
    policies: Sequence[str] = (),
) -> Scenario:
    """The one scenario of a command that takes no more: its options pin what they set.

    What the file would vary and no option pins stays as the file has it, and is said.

    Parameters
    ----------
    command : str. Its name, for messages.
    scenario_file : str, optional. As ``file`` of `scenario_of`; ``trace``, ``seed`` and
        ``policies`` are as there.
    size, instance, region : str, optional. Instead of the scenario's own.
    settings : mapping of str to sequence of str. Of ``--set``, one value each.

    Raises
    ------
    click.UsageError : a setting has several values.
    ScenarioError : the file or a value does not hold.
    """
    several = [path for path, values in settings.items() if len(values) > 1]
    if several:
        raise click.UsageError(
            f"{command} takes one scenario: {several[0]} has several values; use sweep"
        )
    scenario = scenario_of(
        scenario_file, trace=trace, seed=seed, settings=settings, policies=policies
    )
    pinned: dict[str, Any] = {path: values[0] for path, values in settings.items()}
    pinned |= {"sweep": {}} if scenario.sweep else {}
    named = {"model.size": size, "hosting.instance": instance, "hosting.region": region}
    pinned |= {path: value for path, value in named.items() if value is not None}
    ignored = [path for path in scenario.sweep if path not in pinned]
    if ignored:
        talk(f"sweep: {', '.join(ignored)} not varied: {command} takes one scenario")
    return with_values(scenario, pinned) if pinned else scenario


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


def split_name(policy: str) -> tuple[str, str]:
    """``FILE#NAME`` to its parts; the name is empty without one."""
    path, _, name = policy.partition("#")
    return path, name
