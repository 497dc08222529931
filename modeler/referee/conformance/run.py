"""One conformance case, shown to the function that decides, and judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from modeler.referee.conformance import aws, hpa, keda, knative
from modeler.referee.conformance.cases import ConformanceCase
from modeler.referee.conformance.compare import TOLERANCES, answered, compare
from modeler.referee.conformance.inputs import Inputs
from modeler.referee.parameters import CaseError

Adapter = Callable[[Inputs], Mapping[str, Any]]

PLATFORMS: Final[Mapping[str, Mapping[str, Adapter]]] = {
    "hpa": hpa.KINDS,
    "keda": keda.KINDS,
    "knative": knative.KINDS,
    "aws": aws.KINDS,
}


@dataclass(frozen=True)
class ConformanceResult:
    """One conformance case, answered.

    Parameters
    ----------
    expected, got : mapping. The known answer; ours, under the same names.
    status : str. ``passed``, ``failed`` or ``skipped``.
    why : str. The first difference and how many more; what is not known here, when skipped.
    """

    id: str
    autoscaler: str
    kind: str
    expected: Mapping[str, Any]
    got: Mapping[str, Any] | None
    status: str
    why: str
    source: str
    confidence: str

    def to_dict(self) -> dict[str, Any]:
        """Plain data; ``pass`` is None for a skipped case."""
        return {
            "id": self.id,
            "autoscaler": self.autoscaler,
            "kind": self.kind,
            "expected": dict(self.expected),
            "got": None if self.got is None else dict(self.got),
            "status": self.status,
            "pass": None if self.status == "skipped" else self.status == "passed",
            "why": self.why,
            "source": self.source,
            "confidence": self.confidence,
        }


def run_conformance(case: ConformanceCase) -> ConformanceResult:
    """Show one case to its function and judge the answer.

    A case of a kind that is not known here, with an input that was not read, with a key that may
    change its meaning, or that expects a name the answer does not have, is skipped and says so:
    it never passes.
    """
    if case.others:
        return _judged(case, None, "skipped", f"unknown key of the case: {_list(case.others)}")
    adapter, unknown = _find(case)
    if adapter is None:
        return _judged(case, None, "skipped", unknown)
    inputs = Inputs(case.input)
    try:
        got = adapter(inputs)
    except CaseError as error:
        return _judged(case, None, "failed", str(error))
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        # One case that breaks its function must not hide the answers of the others.
        return _judged(case, None, "failed", f"broke off: {type(error).__name__}: {error}")
    unread = list(inputs.unread())
    if unread:
        return _judged(case, got, "skipped", f"not read: {_list(unread)}")
    found = compare(got, case.expected)
    if found.differences:
        more = len(found.differences) - 1
        tail = f"; {more} more" if more else ""
        return _judged(case, got, "failed", found.differences[0] + tail)
    if found.unanswered:
        return _judged(case, got, "skipped", f"not answered: {_list(found.unanswered)}")
    if found.compared == 0:
        return _judged(case, got, "skipped", "nothing to compare is expected")
    return _judged(case, got, "passed", "")


def _find(case: ConformanceCase) -> tuple[Adapter | None, str]:
    """The adapter of a case, else what about it is unknown."""
    platform = case.autoscaler.strip().lower().partition("-")[0]
    if platform and platform not in PLATFORMS:
        near = _nearest(platform, list(PLATFORMS))
        known = ", ".join(PLATFORMS)
        return None, f"unknown autoscaler {case.autoscaler!r}: {near}known are {known}"
    kinds = (
        PLATFORMS[platform]
        if platform
        else {kind: adapter for table in PLATFORMS.values() for kind, adapter in table.items()}
    )
    adapter = kinds.get(case.kind)
    if adapter is not None:
        return adapter, ""
    near = _nearest(case.kind, list(kinds))
    known = ", ".join(sorted(kinds)) or "none"
    of = f" of {case.autoscaler}" if platform else ""
    return None, f"unknown kind {case.kind!r}{of}: {near}known are {known}"


def _nearest(name: str, names: list[str]) -> str:
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"nearest {near[0]!r}; " if near else ""


def _judged(
    case: ConformanceCase, got: Mapping[str, Any] | None, status: str, why: str
) -> ConformanceResult:
    return ConformanceResult(
        id=case.id,
        autoscaler=case.autoscaler,
        kind=case.kind,
        expected={name: value for name, value in case.expected.items() if name not in TOLERANCES},
        got=None if got is None else answered(got, case.expected),
        status=status,
        why=why,
        source=case.source,
        confidence=case.confidence,
    )


def _list(names: Any) -> str:
    return ", ".join(names)
