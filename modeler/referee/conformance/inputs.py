"""The input of a conformance case: read by name, null and absent alike, nothing left unread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from modeler.referee.parameters import CaseError

REQUIRED: Final = object()


class Inputs:
    """One object of a case's input; remembers which of its keys were read.

    A key that is absent or null takes the default, which is the platform's own; a key without a
    default must be given. Keys that nothing has read are found by `unread`, so that a case with an
    input this version does not know is never called passed.

    Parameters
    ----------
    values : mapping. The object as it stands in the file.
    path : str. Where it stands, for messages.
    """

    def __init__(self, values: Mapping[str, Any], path: str = "input") -> None:
        self._values = values
        self._path = path
        self._read: set[str] = set()
        self._children: list[Inputs] = []

    def given(self, key: str) -> bool:
        """Whether a key is there and not null; it then counts as read by whoever reads it."""
        return self._values.get(key) is not None

    def given_keys(self) -> list[str]:
        """Names of the keys that are there and not null; asking for them reads none."""
        return [key for key, value in self._values.items() if value is not None]

    def first(self, *keys: str, default: Any = REQUIRED) -> Any:
        """The first of these numbers that is given: several names of one input."""
        found = [self.number(key, None) for key in keys]
        given = [value for value in found if value is not None]
        if given:
            return given[0]
        if default is REQUIRED:
            raise CaseError(f"{self._path}.{keys[0]} is missing")
        return default

    def number(self, key: str, default: Any = REQUIRED) -> Any:
        """A finite number. The default may be None."""
        value = self._take(key, default)
        if value is default:
            return value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, value, "a number")
        if not math.isfinite(value):
            raise self._wrong(key, value, "a finite number")
        return float(value)

    def whole(self, key: str, default: Any = REQUIRED) -> Any:
        """A whole number. The default may be None."""
        value = self.number(key, default)
        if value is default:
            return value
        if value != int(value):
            raise self._wrong(key, value, "a whole number")
        return int(value)

    def flag(self, key: str, default: Any = REQUIRED) -> Any:
        """True or false. The default may be None."""
        value = self._take(key, default)
        if value is not default and not isinstance(value, bool):
            raise self._wrong(key, value, "true or false")
        return value

    def text(self, key: str, default: Any = REQUIRED, choices: Sequence[str] = ()) -> Any:
        """A name, one of `choices` where they are given. The default may be None."""
        value = self._take(key, default)
        if value is default:
            return value
        if not isinstance(value, str) or (choices and value not in choices):
            expected = f"one of {', '.join(choices)}" if choices else "a name"
            raise self._wrong(key, value, expected)
        return value

    def numbers(self, key: str, default: Any = REQUIRED) -> Any:
        """A list of numbers; a null among them is None."""
        value = self._take(key, default)
        if value is default:
            return value
        if not isinstance(value, list) or any(
            isinstance(one, bool) or not isinstance(one, int | float | None) for one in value
        ):
            raise self._wrong(key, value, "a list of numbers")
        return [None if one is None else float(one) for one in value]

    def child(self, key: str, default: Any = REQUIRED) -> Any:
        """An object, as `Inputs`. The default may be None."""
        value = self._take(key, default)
        if value is default:
            return value
        if not isinstance(value, Mapping):
            raise self._wrong(key, value, "an object")
        return self._enter(value, key)

    def rows(self, key: str, default: Any = REQUIRED) -> Any:
        """A list of objects, each as `Inputs`. The default may be None."""
        value = self._take(key, default)
        if value is default:
            return value
        if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
            raise self._wrong(key, value, "a list of objects")
        return [self._enter(one, f"{key}[{i}]") for i, one in enumerate(value)]

    def raw(self, key: str, default: Any = REQUIRED) -> Any:
        """A value of any shape, taken as it stands."""
        return self._take(key, default)

    def ignore(self, *keys: str) -> None:
        """Read keys that change nothing: say why where it is called."""
        self._read.update(keys)

    def unread(self) -> Iterator[str]:
        """Paths of the keys that nothing has read, nulls left out: they ask for the default."""
        for key, value in self._values.items():
            if key not in self._read and value is not None:
                yield f"{self._path}.{key}"
        for child in self._children:
            yield from child.unread()

    def _take(self, key: str, default: Any) -> Any:
        self._read.add(key)
        value = self._values.get(key)
        if value is not None:
            return value
        if default is REQUIRED:
            raise CaseError(f"{self._path}.{key} is missing")
        return default

    def _enter(self, values: Mapping[str, Any], key: str) -> Inputs:
        child = Inputs(values, f"{self._path}.{key}")
        self._children.append(child)
        return child

    def _wrong(self, key: str, value: Any, expected: str) -> CaseError:
        return CaseError(f"{self._path}.{key}: found {value!r}, expected {expected}")
