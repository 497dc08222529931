"""What is wrong with a file of known answers: all of it, at once, with its place."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file: where, what was found, what was expected."""

    file: str
    case: str
    key: str
    found: str
    expected: str

    def __str__(self) -> str:
        if not self.expected:  # told whole by whoever read the file
            return self.found
        where = ": ".join(part for part in (self.file, self.case, self.key) if part)
        return f"{where}: found {self.found}, expected {self.expected}"


class CasesError(ValueError):
    """A file of known answers cannot be read; ``problems`` lists all that is wrong with it."""

    exit_code: Final = 2

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        lines = "\n".join(f"  {problem}" for problem in self.problems)
        super().__init__(f"{head} in known answers:\n{lines}")


class Row:
    """One case as it stands in its file; collects what is wrong with it.

    Parameters
    ----------
    content : mapping. The case.
    place : str. Its id, or its number where it has none.
    known : sequence of str. Keys a case may have, for the nearest to one that is missing.
    """

    def __init__(
        self, content: Mapping[str, Any], place: str, file: str, known: Sequence[str]
    ) -> None:
        self.content, self.place, self._file, self._known = content, place, file, known
        self.problems: list[Problem] = []

    def refuse(self, key: str, expected: str) -> None:
        """Note a key that is missing or holds what it must not."""
        if key in self.content:
            found = shown(self.content[key])
        else:
            others = [str(k) for k in self.content if k not in self._known]
            near = get_close_matches(key, others, n=1)
            found = f"nothing, but {near[0]!r}" if near else "nothing"
        self.refuse_found(key, found, expected)

    def refuse_found(self, key: str, found: str, expected: str) -> None:
        """Note what was found under a key, in words."""
        self.problems.append(Problem(self._file, self.place, key, found, expected))

    def need_name(self, key: str) -> None:
        """A text that is not empty."""
        if not isinstance(self.content.get(key), str) or not self.content[key].strip():
            self.refuse(key, "a name")

    def need_object(self, key: str, of: str) -> Mapping[str, Any]:
        """An object; empty, and noted, where there is none."""
        value = self.content.get(key)
        if isinstance(value, dict):
            return value
        self.refuse(key, of)
        return {}


def is_number(value: Any) -> bool:
    """Whether a value is a finite number, which True is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def shown(value: Any) -> str:
    """A value as a message quotes it: JSON, cut after 60 characters."""
    text = "nothing" if value is None else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
