"""The conformance case: what an autoscaler was shown and what it answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from modeler.referee.conformance.compare import TOLERANCES
from modeler.referee.problems import Row, is_number, shown

KEYS: Final = (
    "id", "autoscaler", "kind", "source", "input", "expected", "note", "confidence",
)  # fmt: skip


@dataclass(frozen=True)
class ConformanceCase:
    """One known answer of an autoscaler.

    Parameters
    ----------
    id : str. Its name.
    autoscaler : str. Whose decision it is: ``hpa``, ``keda``, ``knative-kpa``, ``aws``; empty when
        the kind alone tells.
    kind : str. Which function of it.
    input, expected : mapping. What the function is shown; what it answers, with ``abs_tolerance``
        and ``rel_tolerance`` where its numbers are rounded.
    source, confidence : str. Where the answer comes from; documented, observed or derived.
    others : mapping. What else the case has: nobody knows whether it changes what is meant.
    """

    id: str
    autoscaler: str
    kind: str
    input: Mapping[str, Any]
    expected: Mapping[str, Any]
    source: str = ""
    confidence: str = ""
    others: Mapping[str, Any] = field(default_factory=dict)


def parse(row: Row) -> ConformanceCase:
    """The case of one row; what is wrong with it is left on the row."""
    content = row.content
    for key in ("id", "kind"):
        row.need_name(key)
    for key in ("autoscaler", "source", "confidence", "note"):
        if content.get(key) is not None:
            row.need_name(key)
    given = row.need_object("input", "an object")
    expected = row.need_object("expected", "an object of at least one answer")
    if isinstance(content.get("expected"), dict) and not expected:
        row.refuse("expected", "an object of at least one answer")
    for path, value in _tolerances(expected, "expected"):
        if not is_number(value) or value < 0.0:
            row.refuse_found(path, shown(value), "a number of at least 0")
    return ConformanceCase(
        id=str(content.get("id")),
        autoscaler=str(content.get("autoscaler") or ""),
        kind=str(content.get("kind")),
        input=given,
        expected=expected,
        source=str(content.get("source") or ""),
        confidence=str(content.get("confidence") or ""),
        others={k: v for k, v in content.items() if k not in KEYS and v is not None},
    )


def _tolerances(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every tolerance in an expected answer, with its path."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key in TOLERANCES:
                yield f"{path}.{key}", inner
            else:
                yield from _tolerances(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _tolerances(inner, f"{path}[{i}]")
