"""`Trace`: one arrival per request. `Chunk`: a slice of it. `ReadReport`: how it was read."""

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.errors import Problem, TraceError

Floats = NDArray[np.float64]

CHUNK_REQUESTS: Final = 262_144
# Checks run in slices, so that a long trace costs no second array.
_SLICE: Final = 262_144
_NOTHING: Final[Mapping[str, Floats]] = MappingProxyType({})


class Chunk(NamedTuple):
    """Some consecutive requests of a trace.

    Attributes
    ----------
    first : int. Ordinal of its first request in the whole trace, from 0.
    arrival_s : array of float64. Arrivals since the trace's t0. [s]
    columns : dict of str to array of float64. The other columns, same length.
    """

    first: int
    arrival_s: Floats
    columns: dict[str, Floats]


@dataclass(frozen=True)
class ReadReport:
    """What a reader did to the rows of a file.

    Attributes
    ----------
    format : str. Name of the format, as ``input_format`` takes it.
    rows : int. Rows of data read.
    dropped : int. Rows left out.
    reordered : int. Rows that came after a later one and were moved.
    filled : int. Bins that the file left out and that count as zero.
    notes : tuple of str. Whatever was assumed or ignored.
    """

    format: str
    rows: int
    dropped: int = 0
    reordered: int = 0
    filled: int = 0
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = (
            f"read {self.rows:,}, dropped {self.dropped:,}, "
            f"reordered {self.reordered:,}, filled {self.filled:,}"
        )
        return "; ".join([f"{self.format}: {counts}", *self.notes])


@dataclass(frozen=True, eq=False, init=False)
class Trace:
    """Traffic with one arrival per request; it never changes once built.

    Arrays are kept as read-only views, without a copy where they are aligned float64.

    Parameters
    ----------
    arrival_s : array of float64. Sorted arrivals, the first exactly 0. [s]
    columns : mapping of str to array, optional. Columns that ``columns.csv`` declares for the
        table ``trace``, one value per request: finite, not negative.
    t0_ns : int. The first arrival: since 1970-01-01 UTC, or since an unknown origin. [ns]
    t0_is_absolute : bool. Whether the origin of `t0_ns` is 1970-01-01 UTC.
    source : str. Where the traffic came from.
    report : ReadReport, optional. How it was read.

    Attributes
    ----------
    duration_s : float. From the first arrival to the last. [s]
    requests : int. How many requests.
    content_hash : str. SHA-256 (hex) of arrays and t0; not of `source`, nor of a file's bytes.

    Raises
    ------
    TraceError
        Naming the first bad row: not sorted, not finite, negative, not starting at 0, empty,
        an undeclared column or one of another length.
    """

    arrival_s: Floats
    columns: Mapping[str, Floats]
    t0_ns: int
    t0_is_absolute: bool
    source: str
    report: ReadReport | None = field(repr=False)

    def __init__(
        self,
        arrival_s: ArrayLike,
        columns: Mapping[str, ArrayLike] = _NOTHING,
        *,
        t0_ns: int = 0,
        t0_is_absolute: bool = False,
        source: str = "memory",
        report: ReadReport | None = None,
    ) -> None:
        arrivals = _frozen(arrival_s, "arrival_s")
        _check_arrivals(arrivals)
        kept: dict[str, Floats] = {}
        for name, values in columns.items():
            if name not in trace_columns():
                choices = ", ".join(trace_columns())
                raise TraceError(None, Problem("unknown column", f"one of {choices}", column=name))
            kept[name] = _frozen(values, name)
            _check_column(name, kept[name], arrivals.size)
        set_fields(
            self,
            arrival_s=arrivals,
            columns=MappingProxyType(kept),
            t0_ns=int(t0_ns),
            t0_is_absolute=bool(t0_is_absolute),
            source=source,
            report=report,
        )

    @classmethod
    def sealed(
        cls,
        arrival_s: Floats,
        columns: Mapping[str, Floats],
        *,
        t0_ns: int,
        t0_is_absolute: bool,
        source: str,
        report: ReadReport,
        content_hash: str,
    ) -> Self:
        """A trace of arrays that were one before, unchanged since: nothing is checked or read.

        Parameters
        ----------
        content_hash : str. Of the arrays, as it was found then.
        """
        made = object.__new__(cls)
        set_fields(
            made,
            arrival_s=_view(arrival_s),
            columns=MappingProxyType({name: _view(one) for name, one in columns.items()}),
            t0_ns=t0_ns,
            t0_is_absolute=t0_is_absolute,
            source=source,
            report=report,
            content_hash=content_hash,  # takes the place of the cached property
        )
        return made

    @property
    def requests(self) -> int:
        """How many requests."""
        return int(self.arrival_s.size)

    @property
    def duration_s(self) -> float:
        """From the first arrival to the last. [s]"""
        return float(self.arrival_s[-1])

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) of what the trace says, whatever file it came from."""
        arrays = {"arrival_s": self.arrival_s, **dict(sorted(self.columns.items()))}
        return hash_of("events", self.t0_ns, self.t0_is_absolute, arrays)

    def chunks(self, size: int = CHUNK_REQUESTS, *, seed: int = 0) -> Iterator[Chunk]:
        """Yield the requests in order, `size` at a time, as views.

        Parameters
        ----------
        size : int. Requests in a chunk; the last may be shorter.
        seed : int. Unused: arrivals are known. `CountSeries.chunks` needs it, and both are
            called alike.
        """
        for start in range(0, self.requests, size):
            part = slice(start, start + size)
            columns = {name: values[part] for name, values in self.columns.items()}
            yield Chunk(start, self.arrival_s[part], columns)

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            _rebuild,
            (
                self.arrival_s,
                dict(self.columns),
                self.t0_ns,
                self.t0_is_absolute,
                self.source,
                self.report,
            ),
        )


@cache
def trace_columns() -> tuple[str, ...]:
    """Names that a column of a `Trace` may have, beside ``arrival_s``."""
    text = files("traces").joinpath("columns.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    names = [row["column"] for row in rows if row["table"] == "trace"]
    return tuple(name for name in names if name != "arrival_s")


def hash_of(kind: str, t0_ns: int, absolute: bool, arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of named arrays in little-endian order, after a line that says what they are."""
    digest = hashlib.sha256(f"{kind} {t0_ns} {int(absolute)}\n".encode())
    for name, values in arrays.items():
        digest.update(f"{name} {values.dtype.name} {values.size}\n".encode())
        little = values.astype(values.dtype.newbyteorder("<"), copy=False)
        digest.update(little.data)
    return digest.hexdigest()


def set_fields(target: object, **values: object) -> None:
    """Fill a frozen dataclass from its own constructor."""
    for name, value in values.items():
        object.__setattr__(target, name, value)


def _frozen(values: ArrayLike, name: str) -> Floats:
    """A read-only view; aligned, since the last bits of NumPy's sums depend on it."""
    try:
        array = np.require(values, np.float64, ["C", "A"])
    except (TypeError, ValueError) as error:
        raise TraceError(None, Problem(f"not numbers ({error})", column=name)) from None
    if array.ndim != 1:
        raise TraceError(
            None, Problem(f"has {array.ndim} dimensions", "one value per request", column=name)
        )
    return _view(array)


def _view(array: Floats) -> Floats:
    view = array.view(np.ndarray)
    view.flags.writeable = False
    return view


def _check_arrivals(arrivals: Floats) -> None:
    if arrivals.size == 0:
        raise TraceError(None, Problem("the trace is empty", "at least one request"))
    _check_values("arrival_s", arrivals)
    if arrivals[0] != 0.0:
        raise _bad("arrival_s", arrivals, 0, "does not start the trace", "0 for the first arrival")
    for start in range(0, arrivals.size, _SLICE):
        part = arrivals[start : start + _SLICE + 1]
        back = part[1:] < part[:-1]
        if back.any():
            row = start + int(back.argmax()) + 1
            raise _bad("arrival_s", arrivals, row, "earlier than the row before", "sorted arrivals")


def _check_column(name: str, values: Floats, requests: int) -> None:
    if values.size != requests:
        raise TraceError(
            None, Problem(f"has {values.size:,} values", f"{requests:,}, as arrival_s", column=name)
        )
    _check_values(name, values)


def _check_values(name: str, values: Floats) -> None:
    for start in range(0, values.size, _SLICE):
        part = values[start : start + _SLICE]
        good = np.isfinite(part) & (part >= 0.0)
        if not good.all():
            row = start + int(good.argmin())
            what = "negative" if np.isfinite(values[row]) else "not finite"
            raise _bad(name, values, row, what, "a finite number, 0 or more")


def _bad(name: str, values: Floats, index: int, what: str, expected: str) -> TraceError:
    value = str(float(values[index]))
    return TraceError(None, Problem(what, expected, row=index + 1, column=name, value=value))


def _rebuild(
    arrival_s: Floats,
    columns: dict[str, Floats],
    t0_ns: int,
    t0_is_absolute: bool,
    source: str,
    report: ReadReport | None,
) -> Trace:
    """A pickled trace, back: the constructor checks it again."""
    return Trace(
        arrival_s,
        columns,
        t0_ns=t0_ns,
        t0_is_absolute=t0_is_absolute,
        source=source,
        report=report,
    )
