"""What ``init`` writes: the files of a scenario, and what could not be known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCENARIO: Final = "scenario.yaml"


@dataclass(frozen=True)
class Composed:
    """Files by name, in the order in which they are written; the scenario last.

    Attributes
    ----------
    files : dict of str to str. Name to content.
    gaps : tuple of str. What was not known, in words.
    """

    files: dict[str, str]
    gaps: tuple[str, ...] = ()
