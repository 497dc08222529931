"""A scenario file whose policy may be a file of the platform's own."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from modeler.platforms.read import read_policy
from modeler.scenario import Scenario
from modeler.scenario import load as load_scenario


def load(
    path: str | os.PathLike[str],
    *,
    check_files: bool = True,
    say: Callable[[str], None] = warnings.warn,
) -> Scenario:
    """Read a scenario file, and the policy file that it names.

    Parameters
    ----------
    path : path. As for `modeler.scenario.load`; its policy may be
        ``policy: {kind: file, path: hpa.yaml}``, with ``name:`` where the file holds several.
    check_files : bool. Whether the files it names must be there.
    say : callable. Told, line by line, what the policy file says and is not modelled.

    Returns
    -------
    Scenario
        What the scenario itself says of the fleet holds against the file.

    Raises
    ------
    ScenarioError
        With all problems, each with its file, line and column.
    """

    def read(file: Path, name: str) -> dict[str, Any]:
        found = read_policy(file, name)
        for note in found.notes:
            say(note)
        return {**found.settings, "hosting.kind": found.hosting}

    return load_scenario(path, check_files=check_files, read_policy=read)
