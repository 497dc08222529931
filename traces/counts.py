"""`CountSeries`: traffic known only as requests per bin, never exploded into rows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from traces.draws import uniform
from traces.errors import Problem, TraceError
from traces.trace import CHUNK_REQUESTS, Chunk, Floats, ReadReport, hash_of, set_fields

# A bin with more requests than this is first split into cells, so that memory stays flat.
_CELL_REQUESTS: Final = 65_536


@dataclass(frozen=True, eq=False, init=False)
class CountSeries:
    """Requests per bin of equal width; it never changes once built.

    Parameters
    ----------
    counts : array of int64. Requests in each bin; 0 or more, not all 0.
    bin_s : float. Width of a bin. [s]
    t0_ns : int. Start of the first bin: since 1970-01-01 UTC, or since an unknown origin. [ns]
    t0_is_absolute : bool. Whether the origin of `t0_ns` is 1970-01-01 UTC.
    source : str. Where the traffic came from.
    report : ReadReport, optional. How it was read.

    Attributes
    ----------
    duration_s : float. Number of bins times their width: the last bin counts too. [s]
    requests : int. Sum of the counts.
    columns : mapping. Always empty: nothing is known of a single request.
    content_hash : str. SHA-256 (hex) of counts, width and t0.

    Raises
    ------
    TraceError
        Naming the first bad row: not whole, not finite, negative, empty, all zero.
    """

    counts: NDArray[np.int64]
    bin_s: float
    t0_ns: int
    t0_is_absolute: bool
    source: str
    report: ReadReport | None = field(repr=False)

    def __init__(
        self,
        counts: ArrayLike,
        bin_s: float,
        *,
        t0_ns: int = 0,
        t0_is_absolute: bool = False,
        source: str = "memory",
        report: ReadReport | None = None,
    ) -> None:
        if not (np.isfinite(bin_s) and bin_s > 0.0):
            raise TraceError(
                None,
                Problem("not a width", "a finite number above 0", column="bin_s", value=str(bin_s)),
            )
        set_fields(
            self,
            counts=_whole_counts(counts),
            bin_s=float(bin_s),
            t0_ns=int(t0_ns),
            t0_is_absolute=bool(t0_is_absolute),
            source=source,
            report=report,
        )

    @cached_property
    def requests(self) -> int:
        """Sum of the counts."""
        return int(self.counts.sum())

    @property
    def duration_s(self) -> float:
        """Number of bins times their width. [s]"""
        return self.counts.size * self.bin_s

    @property
    def columns(self) -> Mapping[str, Floats]:
        """Empty: nothing is known of a single request."""
        return MappingProxyType({})

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) of what the series says, whatever file it came from."""
        arrays = {"bin_s": np.array([self.bin_s]), "counts": self.counts}
        return hash_of("counts", self.t0_ns, self.t0_is_absolute, arrays)

    def chunks(self, size: int = CHUNK_REQUESTS, *, seed: int = 0) -> Iterator[Chunk]:
        """Draw the arrivals in order, `size` at a time.

        Within a bin arrivals are independent and uniform, which is what a Poisson process does
        given the count; burstiness inside a bin is not known and not invented. The same seed
        gives the same arrivals whatever the chunk size. Arrivals count from the start of the
        first bin, so the first is not 0.

        Parameters
        ----------
        size : int. Requests in a chunk; the last may be shorter.
        seed : int. Seed of the draws.
        """
        first, held, waiting = 0, 0, list[Floats]()
        for block in self._blocks(seed):
            waiting.append(block)
            held += block.size
            if held < size:
                continue
            ready = np.concatenate(waiting)
            whole = held - held % size
            for start in range(0, whole, size):
                yield _chunk(first + start, ready[start : start + size])
            first += whole
            held -= whole
            waiting = [ready[whole:]]
        if held:
            yield _chunk(first, np.concatenate(waiting))

    def _blocks(self, seed: int) -> Iterator[Floats]:
        """Sorted arrivals of some whole bins, or of one cell of a large bin."""
        ends = np.cumsum(self.counts)
        bin_, first = 0, 0
        while bin_ < self.counts.size:
            stop = int(np.searchsorted(ends, first + _CELL_REQUESTS, side="right"))
            if stop > bin_:
                part = self.counts[bin_:stop]
                yield self._spread(np.arange(bin_, stop), 1, part, first, seed)
            else:
                stop = bin_ + 1
                cells, at = self._cells(bin_, first, seed), first
                for cell, inside in enumerate(cells):
                    index = np.array([bin_ * cells.size + cell])
                    yield self._spread(index, cells.size, cells[cell : cell + 1], at, seed)
                    at += int(inside)
            bin_, first = stop, int(ends[stop - 1])

    def _cells(self, bin_: int, first: int, seed: int) -> NDArray[np.int64]:
        """Requests in each cell of a large bin, as uniform arrivals would fall into them."""
        count = int(self.counts[bin_])
        cells = -(-count // (_CELL_REQUESTS // 2))
        found = np.zeros(cells, dtype=np.int64)
        for start in range(0, count, _CELL_REQUESTS):
            some = min(_CELL_REQUESTS, count - start)
            where = (uniform(seed, "arrivals.cell", first + start, some) * cells).astype(np.int64)
            found += np.bincount(where, minlength=cells)
        return found

    def _spread(
        self,
        index: NDArray[np.int64],
        per_bin: int,
        counts: NDArray[np.int64],
        first: int,
        seed: int,
    ) -> Floats:
        """Uniform arrivals in consecutive slots of width ``bin_s / per_bin``, sorted."""
        drawn = uniform(seed, "arrivals", first, int(counts.sum()))
        drawn += np.repeat(index, counts)
        drawn *= self.bin_s / per_bin
        drawn.sort()
        return drawn

    def __reduce__(self) -> tuple[Any, ...]:
        return (
            _rebuild,
            (
                self.counts,
                self.bin_s,
                self.t0_ns,
                self.t0_is_absolute,
                self.source,
                self.report,
            ),
        )


def _chunk(first: int, arrivals: Floats) -> Chunk:
    arrivals.flags.writeable = False
    return Chunk(first, arrivals, {})


def _whole_counts(values: ArrayLike) -> NDArray[np.int64]:
    given = np.asarray(values)
    if given.ndim != 1 or given.size == 0:
        raise TraceError(None, Problem("the series is empty", "at least one bin", column="counts"))
    if not np.issubdtype(given.dtype, np.integer):
        try:
            given = given.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise TraceError(None, Problem(f"not numbers ({error})", column="counts")) from None
        _refuse(given, ~np.isfinite(given), "not finite")
        _refuse(given, given != np.floor(given), "not whole")
    _refuse(given, given < 0, "negative")
    counts = np.require(given, np.int64, ["C", "A"]).view()
    if not counts.any():
        raise TraceError(None, Problem("no requests: every bin is 0", "at least one request"))
    counts.flags.writeable = False
    return counts


def _refuse(values: NDArray[Any], bad: NDArray[np.bool_], what: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        expected = "a whole number, 0 or more"
        value = str(values[row])
        raise TraceError(None, Problem(what, expected, row=row + 1, column="counts", value=value))


def _rebuild(
    counts: NDArray[np.int64],
    bin_s: float,
    t0_ns: int,
    t0_is_absolute: bool,
    source: str,
    report: ReadReport | None,
) -> CountSeries:
    """A pickled series, back: the constructor checks it again."""
    return CountSeries(
        counts,
        bin_s,
        t0_ns=t0_ns,
        t0_is_absolute=t0_is_absolute,
        source=source,
        report=report,
    )
