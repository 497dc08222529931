"""Fields of a configuration, read one by one, remembering which were of use."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class ArchitectureError(Exception):
    """A description from which no count follows.

    Attributes
    ----------
    source : str. The file or description.
    problems : tuple of str. Each names a field, what was found and what was expected.
    """

    exit_code = 2

    def __init__(self, source: str, problems: Iterable[str]) -> None:
        self.source, self.problems = source, tuple(problems)
        super().__init__(source, self.problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {problem}" for problem in self.problems)


class Fields:
    """What a configuration says, by name or by one of the names other families give it.

    Parameters
    ----------
    content : mapping. The parsed configuration.
    source : str. For messages.
    """

    def __init__(self, content: Mapping[str, Any], source: str) -> None:
        self._content = content
        self.source = source
        self.used: list[str] = []
        self.asked: list[str] = []
        self.problems: list[str] = []

    def __contains__(self, name: str) -> bool:
        return self._content.get(name) is not None

    def _find(self, names: tuple[str, ...]) -> tuple[str, Any]:
        if names[0] not in self.asked:
            self.asked.append(names[0])
        for name in names:
            if self._content.get(name) is not None:
                self._use(name)
                return name, self._content[name]
        return names[0], None

    def _use(self, name: str) -> None:
        if name not in self.used:
            self.used.append(name)

    def number(self, *names: str, default: int | None = None, least: int = 0) -> int:
        """A whole number; without a default it must be there.

        What is missing or wrong is noted, and 1 stands in, so that all problems are found at once.
        """
        name, value = self._find(names)
        if value is None:
            if default is not None:
                return default
            near = difflib.get_close_matches(name, list(self._content), n=1, cutoff=0.8)
            hint = f"; there is {near[0]}" if near else ""
            also = f" (or {', '.join(names[1:])})" if len(names) > 1 else ""
            self.problems.append(f"{name}{also} is missing: expected a whole number{hint}")
            return 1
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.problems.append(f"{name} = {value!r}: expected a whole number of at least {least}")
            return 1
        return value

    def flag(self, *names: str, default: bool) -> bool:
        """Yes or no."""
        name, value = self._find(names)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.problems.append(f"{name} = {value!r}: expected true or false")
            return default
        return value

    def text(self, *names: str, default: str = "") -> str:
        """A name."""
        name, value = self._find(names)
        if value is None:
            return default
        if not isinstance(value, str):
            self.problems.append(f"{name} = {value!r}: expected a text")
            return default
        return value

    def numbers(self, *names: str, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """A list of whole numbers."""
        name, value = self._find(names)
        if value is None:
            if default is not None:
                return default
            self.problems.append(f"{name} is missing: expected a list of whole numbers")
            return (1,)
        right = isinstance(value, list | tuple) and all(
            isinstance(each, int) and not isinstance(each, bool) and each >= 0 for each in value
        )
        if not right or not value:
            self.problems.append(f"{name} = {value!r}: expected a list of whole numbers")
            return (1,)
        return tuple(value)

    def raw(self, *names: str) -> Any:
        """The value as it stands; None where there is none."""
        return self._find(names)[1]

    def part(self, name: str) -> Fields | None:
        """A configuration within this one; None where there is none."""
        value = self._content.get(name)
        if not isinstance(value, Mapping):
            return None
        self._use(name)
        inner = Fields(value, f"{self.source}: {name}")
        inner.problems = self.problems
        return inner

    @property
    def unused(self) -> tuple[str, ...]:
        """Fields that were not asked for."""
        return tuple(name for name in self._content if name not in self.used)

    def check(self) -> None:
        """Refuse what was found missing or wrong.

        Raises
        ------
        ArchitectureError
        """
        if self.problems:
            raise ArchitectureError(self.source, self.problems)
