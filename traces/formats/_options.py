"""How the caller wants a file read, beside its format: what its content does not tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from traces.errors import Problem, TraceError

TIME_UNITS: Final = ("s", "ms", "us", "ns")
# What a column may be named for with `columns`: the plain name under which it is then read.
ROLES: Final = (
    "arrival",
    "count",
    "rate",
    "counter",
    "prompt_tokens",
    "output_tokens",
    "service_s",
    "service_ms",
)
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class Options:
    """What the analyst says of a file.

    Attributes
    ----------
    columns : mapping of str to str. For a role of `ROLES`, the column as the file names it; its
        number, from 1, in text without a header.
    time_unit : str or None. ``s``, ``ms``, ``us`` or ``ns``: what a bare number of time is.
    time_zone : str or None. Zone of stamps that state none, as ``Europe/Berlin``.
    bin_s : float or None. Width of an interval, instead of the commonest gap. [s]
    series : str or None. Which of several series or runs in the file is meant, by its label.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: _NONE)
    time_unit: str | None = None
    time_zone: str | None = None
    bin_s: float | None = None
    series: str | None = None

    def check(self, path: str) -> None:
        """Refuse what no file could be read with.

        Raises
        ------
        TraceError
            Naming the option, its value and the choices there are.
        """
        for role in self.columns:
            if role not in ROLES:
                raise _unknown(path, "columns", role, ROLES)
        if self.time_unit is not None and self.time_unit not in TIME_UNITS:
            raise _unknown(path, "time_unit", self.time_unit, TIME_UNITS)
        if self.bin_s is not None and not 0.0 < self.bin_s < float("inf"):
            problem = Problem("not a width", "above 0", column="bin_s", value=str(self.bin_s))
            raise TraceError(path, problem)
        if self.time_zone is not None:
            try:
                ZoneInfo(self.time_zone)
            except (KeyError, ValueError, OSError):
                expected = "the name of a zone, as Europe/Berlin or UTC"
                raise TraceError(
                    path,
                    Problem("unknown", expected, column="time_zone", value=self.time_zone),
                ) from None

    def renamed(self, path: str, shown: Sequence[str], plain: Sequence[str]) -> tuple[str, ...]:
        """Plain names of some columns, those that the caller named under their roles.

        A column that would otherwise have the role of a named one loses its name, so that it
        does not compete.

        Parameters
        ----------
        path : str. The file, for messages.
        shown : sequence of str. The columns as the file names them, or their numbers from 1.
        plain : sequence of str. Their plain names.

        Raises
        ------
        TraceError
            The file has no such column, or one is named for two roles.
        """
        names = list(plain)
        exact = [name.strip() for name in shown]
        taken: dict[int, str] = {}
        for role, column in self.columns.items():
            if column not in exact:
                raise _unknown(path, f"columns {role}", column, tuple(exact))
            at = exact.index(column)
            if at in taken:
                what = f"named for {taken[at]} and for {role}"
                raise TraceError(path, Problem(what, "one role a column", value=column))
            taken[at] = role
        if not taken:
            return tuple(names)
        names = names or [""] * len(exact)
        return tuple(
            taken.get(at, "" if name in taken.values() else name) for at, name in enumerate(names)
        )


def _unknown(path: str, what: str, value: str, choices: Sequence[str]) -> TraceError:
    near = get_close_matches(value, choices, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    expected = f"one of {', '.join(choices)}{hint}"
    return TraceError(path, Problem("unknown", expected, column=what, value=value))
