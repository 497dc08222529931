"""Fields of a configuration, read one by one, remembering which were of use."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from modeler.predict.printable import printable

MOST: Final = 10**12  # no width, count or vocabulary of a model comes near
MOST_LAYERS: Final = 10_000  # which are walked one by one
MOST_LISTED: Final = 10_000  # entries of a list
_NOTHING: Final[Mapping[str, Any]] = {}
_shorten = reprlib.Repr()
_shorten.maxlevel = _shorten.maxlist = _shorten.maxdict = 3
_shorten.maxlong = _shorten.maxstring = _shorten.maxother = 40


def shown(value: object) -> str:
    """A value for a message, short whatever it holds.

    >>> shown([1, 2, 3, 4])
    '[1, 2, 3, ...]'
    """
    try:
        return _shorten.repr(value)
    except ValueError:  # Python writes no number of more than 4,300 digits
        return "a number of thousands of digits"


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """A hint at the nearest valid name; empty where none is near.

    >>> nearest("max_dept", ["max_depth", "lib"])
    '; did you mean "max_depth"?'
    """
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f'; did you mean "{found[0]}"?' if found else ""


def is_whole(value: object) -> bool:
    """Whether it is a whole number; true and false are none."""
    return isinstance(value, int) and not isinstance(value, bool)


class ArchitectureError(Exception):
    """A description from which no count follows.

    Attributes
    ----------
    source : str. The file or description.
    problems : tuple of str. Each names a field, what was found and what was expected.
    """

    exit_code = 2

    def __init__(self, source: str, problems: Iterable[str]) -> None:
        # Keys of a file may hold what moves a terminal's cursor.
        self.source = source
        self.problems = tuple(map(printable, problems))
        super().__init__(source, self.problems)

    def __str__(self) -> str:
        return "\n".join(f"{self.source}: {problem}" for problem in self.problems)


_POSITIONS: Final = (
    "max_position_embeddings", "n_positions", "n_ctx", "max_seq_len", "max_sequence_length",
    "seq_length",
)  # fmt: skip


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
        self.filled: tuple[str, ...] = ()
        self.remarks: list[str] = []
        self.within = False  # a part of another configuration

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

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._content if name in self)

    def says(self, name: str) -> bool:
        """Whether it is there, be it null."""
        return name in self._content

    def wrong(self, problem: str) -> None:
        """Note what is wrong, once."""
        if problem not in self.problems:
            self.problems.append(problem)

    def remark(self, said: str) -> None:
        """Note what a reader should know, once."""
        if said not in self.remarks:
            self.remarks.append(said)

    def _use(self, name: str) -> None:
        if name not in self.used:
            self.used.append(name)

    def number(
        self, *names: str, default: int | None = None, least: int = 0, most: int = MOST
    ) -> int:
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
            self.wrong(f"{name}{also} is missing: expected a whole number{hint}")
            return 1
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            self.wrong(f"{name} = {shown(value)}: expected a whole number of at least {least}")
            return 1
        if name.endswith(("layers", "layer")):
            most = min(most, MOST_LAYERS)
        if value > most:
            self.wrong(f"{name} = {shown(value)}: expected at most {most:,}")
            return 1
        return value

    def flag(self, *names: str, default: bool) -> bool:
        """Yes or no."""
        name, value = self._find(names)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong(f"{name} = {shown(value)}: expected true or false")
            return default
        return value

    def text(self, *names: str, default: str = "") -> str:
        """A name."""
        name, value = self._find(names)
        if value is None:
            return default
        if not isinstance(value, str):
            self.wrong(f"{name} = {shown(value)}: expected a text")
            return default
        return value

    def numbers(
        self, *names: str, default: tuple[int, ...] | None = None, least: int = 0
    ) -> tuple[int, ...]:
        """A list of whole numbers."""
        name, value = self._find(names)
        if value is None:
            if default is not None:
                return default
            self.wrong(f"{name} is missing: expected a list of whole numbers")
            return (1,)
        if not isinstance(value, list | tuple) or not value or not all(map(is_whole, value)):
            self.wrong(f"{name} = {shown(value)}: expected a list of whole numbers")
            return (1,)
        wrong = next((each for each in value if not least <= each <= MOST), None)
        if wrong is not None:
            self.wrong(f"{name} has {shown(wrong)}: expected whole numbers of {least} to {MOST:,}")
            return (1,)
        if len(value) > MOST_LISTED:
            self.wrong(f"{name} has {len(value):,} entries: expected at most {MOST_LISTED:,}")
            return (1,)
        return tuple(value)

    def raw(self, *names: str) -> Any:
        """The value as it stands; None where there is none."""
        return self._find(names)[1]

    def positions(self) -> int:
        """Tokens of a sequence at most, where one of the usual names tells; 0 where none does.

        Nothing is counted by it, so it is not among the fields used.
        """
        found = (self._content.get(name) for name in _POSITIONS)
        told = [n for n in found if isinstance(n, int) and not isinstance(n, bool) and n > 0]
        return told[0] if told else 0

    def part(self, name: str, defaults: Mapping[str, Any] = _NOTHING) -> Fields | None:
        """A configuration within this one; None where there is none.

        Parameters
        ----------
        defaults : mapping. What holds where it does not say; `filled` lists what was taken of it.
        """
        value = self._content.get(name)
        if not isinstance(value, Mapping):
            return None
        self._use(name)
        filled = tuple(key for key in defaults if value.get(key) is None)
        content = {**value, **{key: defaults[key] for key in filled}}
        inner = Fields(content, f"{self.source}: {name}")
        inner.problems, inner.remarks, inner.filled = self.problems, self.remarks, filled
        inner.within = True
        self.filled += tuple(f"{name}.{key}" for key in filled)
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
