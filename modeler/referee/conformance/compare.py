"""An answer beside the expected one: the first place where they differ, the names not answered."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

# Numbers are the same within the rounding of a different order of the same operations.
REL_TOLERANCE: Final = 1e-9
TOLERANCES: Final = ("abs_tolerance", "rel_tolerance")
_ERROR: Final = "error"


@dataclass
class Comparison:
    """What a comparison found.

    Parameters
    ----------
    differences : list of str. Each with its path, what was got and what was expected.
    unanswered : list of str. Paths of expected names that the answer does not have.
    compared : int. Values set beside each other.
    """

    differences: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    compared: int = 0


def compare(got: Mapping[str, Any], expected: Mapping[str, Any]) -> Comparison:
    """Set an answer beside the expected one.

    Numbers are compared within `REL_TOLERANCE`, or within ``abs_tolerance`` and ``rel_tolerance``
    where the expected object, or one around it, has them; lists by length and element; objects by
    the names that are expected. An error that answers none of them is never taken for an answer
    that merely does not know a name; one that does, such as a pass that holds its replicas because
    every metric failed, is compared by them.
    """
    found = Comparison()
    failed, should_fail = _failed(got, expected), bool(expected.get(_ERROR))
    if failed != should_fail:
        found.compared = 1
        found.differences.append(
            f"error: got {'an error' if failed else 'an answer'}, "
            f"expected {'an error' if should_fail else 'an answer'}"
        )
        return found
    rest = {name: value for name, value in expected.items() if name != _ERROR}
    found.compared = int(_ERROR in expected)
    _compare(plain(got), rest, "", (0.0, REL_TOLERANCE), found)
    return found


def _failed(got: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether an answer is an error and nothing else that was asked for."""
    return bool(got.get(_ERROR)) and (
        bool(expected.get(_ERROR)) or not any(name in got for name in expected)
    )


def answered(got: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an answer that was asked for."""
    names = [name for name in expected if name in got]
    if _failed(got, expected):
        names = [_ERROR]
    return {name: plain(got[name]) for name in names}


def plain(value: Any) -> Any:
    """Arrays and NumPy scalars as lists and numbers, tuples as lists."""
    if callable(getattr(value, "tolist", None)):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(item) for item in value]
    return value


def _compare(
    got: Any, expected: Any, path: str, tolerance: tuple[float, float], found: Comparison
) -> None:
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping):
            found.differences.append(_differs(path, got, expected))
            return
        tolerance = (
            expected.get("abs_tolerance", tolerance[0]),
            expected.get("rel_tolerance", tolerance[1]),
        )
        for name, value in expected.items():
            if name in TOLERANCES:
                continue
            inner = f"{path}.{name}" if path else name
            if name in got:
                _compare(got[name], value, inner, tolerance, found)
            else:
                found.unanswered.append(inner)
    elif isinstance(expected, list):
        found.compared += 1
        if not isinstance(got, list):
            found.differences.append(_differs(path, got, expected))
            return
        for i, (one, other) in enumerate(zip(got, expected, strict=False)):
            _compare(one, other, f"{path}[{i}]", tolerance, found)
        if len(got) != len(expected):
            found.differences.append(f"{path}: got {len(got)} elements, expected {len(expected)}")
    else:
        found.compared += 1
        if not _same(got, expected, tolerance):
            found.differences.append(_differs(path, got, expected))


def _same(got: Any, expected: Any, tolerance: tuple[float, float]) -> bool:
    if _is_number(got) and _is_number(expected):
        return math.isclose(got, expected, abs_tol=tolerance[0], rel_tol=tolerance[1])
    return type(got) is type(expected) and got == expected


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _differs(path: str, got: Any, expected: Any) -> str:
    return f"{path}: got {_shown(got)}, expected {_shown(expected)}"


def _shown(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, float) else str(value)
