"""Every setting in force: its value, where that comes from, and on what ground."""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from modeler.scenario.schema import Scenario
from modeler.scenario.settings import Found, settings_of

YOURS: Final = "yours"
HERE: Final = "the scenario"
_CHOICE: Final = "a choice of this tool; no claim about the world"


class InForce(NamedTuple):
    """One setting of a scenario.

    Attributes
    ----------
    path : str. Such as ``policy.target``.
    value : object. What holds: as set, the default, what follows from other settings, or in words
        how it will follow from the traffic.
    unit : str. Its unit; empty for counts and names.
    origin : str. ``documented``, ``observed``, ``assumed``, or ``yours``.
    source : str. Where it was read or why it was assumed; for your own, where you set it.
    meaning : str. What it sets.
    """

    path: str
    value: object
    unit: str
    origin: str
    source: str
    meaning: str


def settings_in_force(scenario: Scenario, given: Mapping[str, str] | None = None) -> list[InForce]:
    """Every setting of a scenario, in the order of the schema.

    Parameters
    ----------
    scenario : Scenario.
    given : mapping of str to str, optional. Where settings were given that are not the file's:
        path to the words of ``source``, such as ``{"policy.target": "--set"}``.

    Returns
    -------
    list of InForce
        What other settings decide is resolved; what only the traffic decides stays in words.
    """
    given = given or {}
    follows = resolved(scenario)
    rows = [_row(found, follows.get(found.path), given) for found in settings_of(scenario)]
    return [
        *rows,
        *(
            InForce(f"sweep.{path}", list(values), "", YOURS, given.get(path, HERE), "To vary.")
            for path, values in scenario.sweep.items()
        ),
    ]


def resolved(scenario: Scenario) -> dict[str, object]:
    """What the settings that are left open come to, where other settings decide it.

    Returns
    -------
    dict of str to object
        By path; an infinite limit as ``none``.
    """
    values = {
        "fleet.initial": scenario.initial_replicas,
        "hosting.release_s": scenario.release_s,
        "queue.queue_timeout_s": scenario.queue_timeout_s,
        "queue.client_timeout_s": scenario.client_timeout_s,
        "queue.from_zero": scenario.from_zero,
        "queue.hold_limit": scenario.hold_limit,
    }
    return {path: "none" if value == math.inf else value for path, value in values.items()}


def _row(found: Found, follows: object, given: Mapping[str, str]) -> InForce:
    about, value = found.about, found.value
    meaning = found.field.description or ""
    if found.name == "kind":
        meaning = type(found.block).__doc__ or ""
    if value is None:
        value = follows if follows is not None else about.get("derived") or None
    unit = str(about.get("unit", ""))
    if found.said:
        source = next((words for at, words in given.items() if _under(found.path, at)), HERE)
        return InForce(found.path, value, unit, YOURS, source, meaning)
    source = str(about.get("source") or _CHOICE)
    return InForce(found.path, value, unit, str(about.get("origin") or "assumed"), source, meaning)


def _under(path: str, at: str) -> bool:
    return path == at or path.startswith(f"{at}.")
