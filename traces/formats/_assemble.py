"""From stamps in nanoseconds to a `Trace` or a `CountSeries`, counting what had to be moved."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats._growing import Lines
from traces.trace import Floats, ReadReport, Trace

Index = NDArray[np.int64]

# More bins than this out of a file of counts, a year by the second, or so many for each row beyond
# a few, mean that a stamp or its unit is wrong.
_MOST_BINS: Final = 32_000_000
_MANY_BINS: Final = 1_000_000
_BINS_A_ROW: Final = 1_000
# A request that takes longer has a duration in another unit.
_LONGEST_S: Final = 366 * 86_400.0
_MOST_REQUESTS: Final = 2.0**53  # beyond this a float is no count any more
_SHOWN: Final = 5
_SLICE: Final = 1 << 16  # of temporary arrays that stay in cache
# So many of the smallest gap are no accident.
_OFTEN: Final = 3
# A column that more rows than this share lack tells nothing of the others.
_MOST_UNKNOWN: Final = 0.5
# Equal rows are normal where many requests come at once; above this share they may be a mistake.
_FEW_REPEATS: Final = 0.01
# Stamps are a grid, not arrivals, from this many rows on and if so many gaps are all the same.
_GRID_ROWS: Final = 10
_GRID_SHARE: Final = 0.9
_ONE_REQUEST: Final = "; if each row is one request, --input-format timestamps"


class Faults:
    """Bad rows of a file, collected so that several are told at once.

    Attributes
    ----------
    total : int. How many there are.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._found: list[Problem] = []
        self.total = 0

    def add(self, problems: list[Problem], total: int) -> None:
        """Note some problems, of `total` that there are."""
        # Only the first few are ever told, however many blocks there are.
        self._found = sorted([*self._found, *problems[:_SHOWN]], key=_place)[:_SHOWN]
        self.total += total

    @property
    def first(self) -> Problem:
        """The first in order of the file; there is one."""
        return self._found[0]

    def settle(self) -> None:
        """Raise if there are any.

        Raises
        ------
        TraceError
            With the first few in order of the file.
        """
        if self._found:
            raise TraceError(self._path, self._found, self.total - len(self._found))


def _place(problem: Problem) -> int:
    return problem.line or problem.row or 0


def events(
    path: str,
    ns: Index,
    columns: dict[str, Floats],
    *,
    absolute: bool,
    format: str,
    notes: tuple[str, ...] = (),
    repeats: int = 0,
    dropped: int = 0,
) -> Trace:
    """A trace from one stamp a request, in any order.

    Parameters
    ----------
    path : str. The file, as the trace's source.
    ns : array of int64. Stamps; its memory becomes that of the arrivals. [ns]
    columns : dict of str to array of float64. Other columns, checked already; NaN where a row
        has no value, which then is the mean of the others.
    absolute : bool. Whether stamps count from 1970-01-01 UTC.
    format : str. Name of the format, for the report.
    notes : tuple of str. What was assumed or ignored.
    repeats : int. Rows that repeat the row before; told when they are more than a stray few.
    dropped : int. Rows of the file that are not among these; `notes` tell why.
    """
    if ns.size == 0:
        raise TraceError(path, Problem("no rows of data", "at least one request"))
    if repeats > _FEW_REPEATS * ns.size:
        notes += (f"{repeats:,} rows repeat the row before exactly (kept)",)
    columns, told = _known(columns)
    notes += told
    moved, order = _order(ns)
    if order is not None:
        ns = ns[order]
        columns = {name: values[order] for name, values in columns.items()}
    t0_ns = int(ns[0])
    # t0 is the earliest stamp, so whole nanoseconds become seconds with one rounding.
    own = ns.flags.writeable and ns.flags.c_contiguous
    arrivals = ns.view(np.float64) if own else np.empty(ns.size)
    for start in range(0, ns.size, _SLICE):
        part = slice(start, start + _SLICE)
        np.divide(ns[part] - t0_ns, 1e9, out=arrivals[part])
    return Trace(
        arrivals,
        columns,
        t0_ns=t0_ns,
        t0_is_absolute=absolute,
        source=path,
        report=ReadReport(
            format, rows=ns.size + dropped, dropped=dropped, reordered=moved, notes=notes
        ),
    )


def counts(
    path: str,
    ns: Index,
    values: Floats,
    lines: Index | Lines | None,
    *,
    absolute: bool,
    format: str,
    notes: tuple[str, ...] = (),
    rate: bool = False,
    bin_s: float | None = None,
    gaps: str = "zero",
    dropped: int = 0,
    merged: int = 0,
) -> CountSeries:
    """A series from starts of bins and counts, in any order; missing bins count as 0.

    Parameters
    ----------
    path : str. The file, as the series' source.
    ns : array of int64. Start of each bin. [ns]
    values : array of float64. Requests in it; rounded if not whole, and said so.
    lines : array of int64 or Lines, optional. Line of the file that each row stands on.
    absolute : bool. Whether stamps count from 1970-01-01 UTC.
    format : str. Name of the format, for the report.
    notes : tuple of str. What was assumed or ignored.
    rate : bool. `values` are requests per second, not requests.
    bin_s : float, optional. Width of a bin; by default the commonest gap. [s]
    gaps : str. ``zero``, or ``line`` where a missing bin is unknown: then on the straight line
        between its neighbours.
    dropped : int. Rows of the file that are not among these; `notes` tell why.
    merged : int. Rows of the file that were added to others; `notes` tell so.

    Raises
    ------
    TraceError
        Fewer than two bins, two values for one bin, a stamp off the grid of the commonest gap.
    """
    if ns.size == 0:
        raise TraceError(path, Problem("no rows of data", "at least two bins"))

    def fault(row: int, what: str, expected: str) -> TraceError:
        line = None
        if lines is not None:
            line = int(lines[row])
            expected += _ONE_REQUEST
        return TraceError(path, Problem(what, expected, row=row + 1, line=line))

    moved, order = _order(ns)
    place = np.arange(ns.size) if order is None else order
    ns, values = ns[place], values[place]
    gaps_ns = np.diff(ns)
    again = np.flatnonzero(gaps_ns == 0) + 1
    differ = again[values[again] != values[again - 1]]
    if differ.size:
        raise fault(int(place[differ[0]]), "another count for the same bin", "one row a bin")
    if again.size:
        ns, values, place = np.delete(ns, again), np.delete(values, again), np.delete(place, again)
        gaps_ns = np.diff(ns)
    if gaps_ns.size == 0 and bin_s is None:
        expected = "at least two bins, or their width (--bin)"
        raise TraceError(path, Problem("one bin gives no width", expected))
    width = width_of(gaps_ns) if bin_s is None else max(round(bin_s * 1e9), 1)
    index, off = np.divmod(ns - ns[0], width)
    if off.any():
        row = int(place[np.flatnonzero(off)[0]])
        expected = (
            f"a whole number of bins of {width / 1e9:g} s, the commonest gap, after the first"
            if bin_s is None
            else f"a whole number of bins of {width / 1e9:g} s, as asked, after the first"
        )
        raise fault(row, "the bin does not start on the grid of the others", expected)
    bins = int(index[-1]) + 1
    most = most_bins(ns.size)
    if bins > most:
        row = int(place[int(gaps_ns.argmax()) + 1])
        what = f"{bins:,} bins of {width / 1e9:g} s from {ns.size:,} rows"
        raise fault(row, what, f"at most {most:,}: a stamp, or its unit, is wrong")
    told = np.zeros(bins)
    told[index] = values * (width / 1e9) if rate else values
    if gaps == "line" and bins > ns.size:
        told = np.interp(np.arange(bins), index, told[index])
        notes += ("intervals without a value are unknown: on a line between their neighbours",)
    if (huge := told > _MOST_REQUESTS).any():
        at = int(np.searchsorted(index, int(huge.argmax())))
        row = int(place[min(at, place.size - 1)])
        raise fault(row, f"{told[huge][0]:g} requests in one bin", f"at most {_MOST_REQUESTS:g}")
    whole = running(told) if rate else np.rint(told)
    uneven = int((whole != told).sum())
    change = float((whole - told).sum())
    if rate:
        notes += (f"rates times the width, rounded so that no bin drifts (sum {change:+.3g})",)
    elif uneven:
        notes += (f"{uneven:,} counts were not whole and were rounded (sum {change:+.3g})",)
    filled = whole.astype(np.int64)
    report = ReadReport(
        format,
        rows=ns.size + again.size + dropped + merged,
        dropped=again.size + dropped,
        reordered=moved,
        filled=bins - ns.size,
        notes=(*notes, f"bins of {width / 1e9:g} s, each stamped at its start"),
    )
    try:
        return CountSeries(
            filled,
            width / 1e9,
            t0_ns=int(ns[0]),
            t0_is_absolute=absolute,
            source=path,
            report=report,
        )
    except TraceError as error:
        raise TraceError(path, error.problems, error.more) from None


def width_of(gaps_ns: Index) -> int:
    """Width of a bin: the commonest gap, or a smaller one that all gaps are multiples of. [ns]

    Where most intervals are idle and left out, the commonest gap may be two or three widths.
    """
    widths, frequency = np.unique(gaps_ns, return_counts=True)
    width = int(widths[frequency.argmax()])
    least = int(widths[0])
    often = frequency[0] >= max(_OFTEN, 0.01 * gaps_ns.size)
    if (gaps_ns % width).any() and often and not (gaps_ns % least).any():
        return least
    return width


def running(values: Floats) -> Floats:
    """Whole numbers whose running sum is never more than a half away from that of the values."""
    return np.diff(np.rint(np.cumsum(values)), prepend=0.0)


def _known(columns: dict[str, Floats]) -> tuple[dict[str, Floats], tuple[str, ...]]:
    """Columns with a value in every row, and what to note of rows without one or with 0 tokens."""
    kept: dict[str, Floats] = {}
    notes: list[str] = []
    for name, values in columns.items():
        none = np.isnan(values)
        missing = int(none.sum())
        if missing == values.size:
            continue
        if missing > _MOST_UNKNOWN * values.size:
            notes.append(f"{name} left out: {missing:,} of {values.size:,} rows have none")
            continue
        if missing:
            mean = float(values[~none].mean())
            values = np.where(none, mean, values)
            notes.append(f"{missing:,} rows without {name} take the mean of the others, {mean:g}")
        kept[name] = values
        zero = int((values == 0.0).sum()) if name.endswith("_tokens") else 0
        if zero:
            notes.append(f"{zero:,} rows with 0 {name} (kept)")
    return kept, tuple(notes)


def most_bins(rows: int) -> int:
    """Bins that so many rows of a file may be spread over."""
    return min(_MOST_BINS, max(_MANY_BINS, _BINS_A_ROW * rows))


def starts_of(
    path: str, ends: Index, seconds: Floats, column: str, lines: Index | Lines | None = None
) -> tuple[Index, int]:
    """Starts of requests from their ends and durations, and how many have no duration.

    Parameters
    ----------
    path : str. The file.
    ends : array of int64. [ns]
    seconds : array of float64. Durations; a row without one (NaN) starts at its end. [s]
    column : str. The durations as the file names them.
    lines : array of int64 or Lines, optional. Line of each.

    Raises
    ------
    TraceError
        A duration of more than a year.
    """
    known = np.nan_to_num(seconds, nan=0.0)
    long = np.flatnonzero(~(known <= _LONGEST_S))
    if long.size:
        problems = [
            Problem(
                "a request of more than a year",
                "a duration in the unit of this format",
                row=int(k) + 1,
                line=None if lines is None else int(lines[k]),
                column=column,
                value=f"{seconds[k]:g} s",
            )
            for k in long[:_SHOWN]
        ]
        raise TraceError(path, problems, long.size - len(problems))
    return ends - np.rint(known * 1e9).astype(np.int64), int(np.isnan(seconds).sum())


def increments(path: str, ns: Index, totals: Floats, width: int) -> tuple[Index, Floats]:
    """Starts of bins and increments of a running total between them.

    Parameters
    ----------
    path : str. The file.
    ns : array of int64. Sorted stamps of the total, no two equal. [ns]
    totals : array of float64. What had come by each stamp; never falls.
    width : int. Width of a bin; across a longer gap the increments are spread evenly. [ns]

    Returns
    -------
    array of int64, array of float64
        The first bin ends at the first stamp and holds its total.

    Raises
    ------
    TraceError
        Two stamps stand further apart than a file of so many rows can mean.
    """
    bins = int((ns[-1] - ns[0]) // width) + 1
    if bins > (most := most_bins(ns.size)):
        at = int(np.diff(ns).argmax())
        apart = f"{(ns[at + 1] - ns[at]) / 1e9:g} s between two stamps: {bins:,} steps"
        problem = Problem(apart, f"at most {most:,} steps of {width / 1e9:g} s", row=at + 2)
        raise TraceError(path, problem)
    ends = ns[0] + width * np.arange(bins)
    held = np.interp((ends - ns[0]).astype(np.float64), (ns - ns[0]).astype(np.float64), totals)
    held[-1] = totals[-1]
    return ends - width, running(np.diff(held, prepend=0.0))


def refuse_grid(path: str, ns: Index, names: Sequence[str], insist: str) -> None:
    """Refuse counts per interval whose column of counts has a name that is not known.

    Parameters
    ----------
    path : str. The file.
    ns : array of int64. Stamps, one a row, in any order. [ns]
    names : sequence of str. Columns of numbers that are not used.
    insist : str. How the caller may have the file read all the same.

    Raises
    ------
    TraceError
        No two stamps are equal, nearly all gaps are, and the others are multiples of it.
    """
    if not names or ns.size < _GRID_ROWS:
        return
    gaps = np.diff(ns)
    if gaps.min() < 0:
        gaps = np.diff(np.sort(ns))
    width = int(gaps.min())
    if width == 0 or (gaps == width).mean() < _GRID_SHARE or (gaps % width).any():
        return
    raise TraceError(
        path,
        Problem(
            f"looks like counts per interval: one row every {width / 1e9:g} s, and numbers in "
            f"{', '.join(names)} that would not be used",
            f"the column of counts under the name `count`; {insist}",
        ),
    )


def check_values(
    name: str,
    values: Floats,
    text: Any = None,
    rows_before: int = 0,
    lines: Index | Lines | None = None,
) -> tuple[list[Problem], int]:
    """Values of a column that are not finite, negative, or beyond what a float counts.

    Parameters
    ----------
    name : str. The column as the file names it.
    values : array of float64. What was read.
    text : callable, optional. Gives the text of a row, for the message.
    rows_before : int. Rows of the file before these.
    lines : array of int64 or Lines, optional. Line of each row.

    Returns
    -------
    list of Problem, int
        The first few, and how many there are.
    """
    bad = np.flatnonzero(~((values >= 0.0) & (values <= _MOST_REQUESTS)))
    problems = [
        Problem(
            "not finite"
            if not np.isfinite(values[k])
            else "negative"
            if values[k] < 0.0
            else "too large to be counted",
            "a finite number, 0 or more",
            row=rows_before + int(k) + 1,
            line=None if lines is None else int(lines[k]),
            column=name,
            value=str(float(values[k])) if text is None else text(int(k)),
        )
        for k in bad[:_SHOWN]
    ]
    return problems, bad.size


def _order(ns: Index) -> tuple[int, NDArray[np.intp] | None]:
    """How many stamps come after a later one, and the order that sorts them (None: sorted)."""
    if bool((ns[1:] >= ns[:-1]).all()):
        return 0, None
    moved = int((ns < np.maximum.accumulate(ns)).sum())
    return moved, np.argsort(ns, kind="stable")
