"""A policy that stands in a file of the platform's own: ``policy: {kind: file, path: hpa.yaml}``.

Who reads it is handed in (`modeler.platforms.load` does): here is only where it belongs.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path as File
from typing import Any, Final

from modeler.scenario.build import Locate
from modeler.scenario.errors import Problem, ScenarioError, nearest

KEYS: Final = {
    "path": "The file, relative to the scenario.",
    "name": "Which policy of the file, where it holds several.",
}
# Its path and the name of the policy that is meant -> settings by path, and as ``hosting.kind`` the
# hosting it is for.
ReadPolicy = Callable[[File, str], Mapping[str, Any]]


def names_a_policy_file(data: Mapping[str, Any]) -> bool:
    """Whether the policy of a scenario, as written, stands in a file."""
    policy = data.get("policy")
    return isinstance(policy, Mapping) and policy.get("kind") == "file"


def with_policy_file(
    data: Mapping[str, Any], folder: File, read: ReadPolicy | None, locate: Locate
) -> tuple[dict[str, Any], list[Problem]]:
    """The scenario with what its policy file says, where it does not say otherwise itself.

    Parameters
    ----------
    data : mapping. A scenario as written.
    folder : Path. Where the file is looked for.
    read : callable, optional. Reads it.
    locate : callable. Knows where a path stands in the scenario.

    Returns
    -------
    data, problems : dict, list of Problem
        Without a policy where the file could not be read.
    """
    merged = {key: value for key, value in data.items() if key != "policy"}
    asked = data["policy"]
    problems = list(_mistakes(asked, folder, readable=read is not None, locate=locate))
    if problems or read is None:
        return merged, problems
    try:
        settings = read(folder / asked["path"], str(asked.get("name", "")))
    except ScenarioError as error:
        return merged, list(error.problems)
    for path, value in settings.items():
        block, _, key = path.partition(".")
        own = merged.get(block, {})
        if not key:
            merged[block] = value
        elif isinstance(own, Mapping) and key not in own:
            merged[block] = {**own, key: value}
    return merged, problems


def _mistakes(
    asked: Mapping[str, Any], folder: File, *, readable: bool, locate: Locate
) -> Iterator[Problem]:
    if not readable:
        message = "policy.kind file is read by modeler.platforms.load"
        yield locate(Problem(message, "policy.kind", "file"), ("policy", "kind"), False)
    for key in asked:
        if key not in ("kind", *KEYS):
            near = nearest(key, list(KEYS))
            problem = Problem(f'unknown key "{key}" in policy', f"policy.{key}", nearest=near)
            yield locate(problem, ("policy", key), True)
    path = asked.get("path")
    if not isinstance(path, str) or not path:
        message = "policy.path is missing for policy.kind file"
        yield locate(Problem(message, "policy.path", path), ("policy", "path"), False)
    elif not (folder / path).exists():
        message = f'policy.path: there is no file "{path}"'
        yield locate(Problem(message, "policy.path", path), ("policy", "path"), False)
