"""Exit codes, and which exception means which.

The table is matched on names so that the edge knows every room's errors without importing the
rooms: ``--help`` and ``price`` stay quick. An exception class may also carry ``exit_code``.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

OK: Final = 0
INTERNAL: Final = 1
USAGE: Final = 2
GATE: Final = 3
PARTIAL: Final = 4
UNAVAILABLE: Final = 5
INTERRUPTED: Final = 130

# Where several apply, the earlier one is reported.
_URGENCY: Final = (INTERNAL, INTERRUPTED, USAGE, UNAVAILABLE, GATE, PARTIAL, OK)

_OURS: Final = frozenset({"modeler", "pricing", "traces"})
_BY_NAME: Final = {
    "AmbiguousPrice": UNAVAILABLE,
    "ModelDoesNotFit": USAGE,
    "PriceNotFound": UNAVAILABLE,
    "ScenarioError": USAGE,
    "SpecNotFound": USAGE,
    "TraceError": USAGE,
    "UnitError": USAGE,
    "UnknownInstance": USAGE,
    "UnknownRegion": USAGE,
}
_BY_LIBRARY: Final = {
    "click": USAGE,
    "botocore": UNAVAILABLE,  # no credentials, denied, unreachable, timed out
    "boto3": UNAVAILABLE,
}


def code_of(error: BaseException) -> int:
    """Exit code for an exception.

    Parameters
    ----------
    error : BaseException. What ended the command.

    Returns
    -------
    int
        One of the constants of this module; `INTERNAL` for an error nobody foresaw.
    """
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    for cls in type(error).__mro__:
        library = cls.__module__.partition(".")[0]
        if library in _OURS:
            declared = cls.__dict__.get("exit_code")
            if isinstance(declared, int):
                return declared
            if cls.__name__ in _BY_NAME:
                return _BY_NAME[cls.__name__]
        elif library in _BY_LIBRARY:
            return _BY_LIBRARY[library]
    # A file that is missing, a folder that cannot be written: the caller's to mend.
    return USAGE if isinstance(error, OSError) else INTERNAL


def of_rows(rows: Iterable[Mapping[str, Any]]) -> int:
    """What rows come to, of which some may have failed: they have another status, or an error.

    >>> of_rows([{"status": "ok"}, {"status": "failed", "error_kind": "PriceNotFound"}])
    5
    """
    return most_urgent(
        UNAVAILABLE if _BY_NAME.get(row.get("error_kind") or "") == UNAVAILABLE else PARTIAL
        for row in rows
        if row.get("error") is not None or row.get("status", "ok") != "ok"
    )


def most_urgent(codes: Iterable[int]) -> int:
    """The one exit code to report where several apply.

    >>> most_urgent([4, 3, 0])
    3
    >>> most_urgent([])
    0
    """
    return min(codes, key=_URGENCY.index, default=OK)
