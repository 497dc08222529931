"""What was read out of policy files: settings of a scenario, each with its place."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ruamel.yaml.nodes import Node

from modeler.platforms.document import Source
from modeler.scenario import Problem, Scenario, ScenarioError, with_values
from modeler.scenario.settings import said

# Where the platform scales per request, and the policies of a file scale what is provisioned.
PER_REQUEST: Final = ("lambda", "sagemaker_serverless")


@dataclass
class PolicyFile:
    """The policies of one target.

    Attributes
    ----------
    source : Source. The file.
    title : str. What it is, such as ``HorizontalPodAutoscaler web``.
    hosting : str. The ``hosting.kind`` it is for, where the scenario names none.
    policies : list of dict. Blocks of the scenario, in order; empty for bounds alone.
    others : dict of str to object. Other settings by path: ``fleet.min``, ``fleet.slots``, ...
    places : dict of str to Node. Where each setting stands in the file; the policies are
        ``policies.0`` and so on.
    """

    source: Source
    title: str
    hosting: str
    policies: list[dict[str, Any]] = field(default_factory=list)
    others: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Node] = field(default_factory=dict)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings by path, as for `modeler.scenario.with_values`."""
        return {**_policies(self.policies, self.hosting), **self.others}

    @property
    def notes(self) -> tuple[str, ...]:
        """What is read and not modelled, each with its line."""
        return self.source.notes

    def place_of(self, path: str) -> Node | None:
        """Where a setting stands, or what it is a part of."""
        while path and path not in self.places:
            path = path.rpartition(".")[0]
        return self.places.get(path)


def apply(
    scenario: Scenario, *files: PolicyFile, keep: Collection[str] = ()
) -> tuple[Scenario, tuple[str, ...]]:
    """A scenario with the policies of files in place of its own.

    Parameters
    ----------
    scenario : Scenario.
    *files : PolicyFile. Of one target: their policies add up, and the last bounds hold.
    keep : collection of str. Settings by path that hold against the files'.

    Returns
    -------
    scenario, notes : Scenario, tuple of str
        The notes are the files', and what of them was not taken.

    Raises
    ------
    ScenarioError : what a file says does not hold, each mistake in its place.
    """
    policies = [policy for file in files for policy in file.policies]
    hosting = files[0].hosting if files else ""
    values: dict[str, Any] = _policies(policies, hosting)
    own = scenario.in_force[0]
    if own.kind == "per_request" and hosting in PER_REQUEST and "policies" in values:
        values["policies"][0] = said(own)  # the platform's own rule, of which no file speaks
    notes: list[str] = []
    for file in files:
        notes += file.notes
        values |= {path: value for path, value in file.others.items() if path not in keep}
        notes += [
            f"{file.source.name}: {path} = {value} gives way to the scenario's own"
            for path, value in file.others.items()
            if path in keep
        ]
    placed = "kind" in scenario.hosting.model_fields_set or "hosting.kind" in keep
    for file in files[:1]:
        if not placed and file.hosting != scenario.hosting.kind:
            values["hosting.kind"] = file.hosting
            why = f"hosting.kind is {file.hosting}, which {file.title} is for"
            notes.append(f"{file.source.name}: {why}")
    try:
        return with_values(scenario, values), tuple(notes)
    except ScenarioError as error:
        found = [
            _located(problem, files, several="policies" in values) for problem in error.problems
        ]
        raise ScenarioError(found) from None


def _policies(policies: list[dict[str, Any]], hosting: str) -> dict[str, Any]:
    """One ``policy``, or ``policies``."""
    if policies and hosting in PER_REQUEST:
        return {"policies": [{"kind": "per_request"}, *policies]}
    if len(policies) > 1:
        return {"policies": policies}
    return {"policy": policies[0]} if policies else {}


def _located(problem: Problem, files: Sequence[PolicyFile], *, several: bool) -> Problem:
    """A problem of a setting with the place that the setting came from."""
    block, _, rest = problem.path.partition(".")
    if block == "policies" and several and rest:
        number, _, key = rest.partition(".")
        index = max(int(number) - (files[0].hosting in PER_REQUEST), 0)
        for file in files:
            if index < len(file.policies):
                break
            index -= len(file.policies)
        path = f"policies.{index}.{key}".rstrip(".")
    else:
        file = next((file for file in files if file.policies), files[0])
        path = f"policies.0.{rest}".rstrip(".") if block == "policy" else problem.path
    for one in (file, *files):
        place = one.place_of(path)
        if place is not None:
            return one.source.located(problem, place)
    return replace(problem, file=file.source.name)
