"""Service times from percentiles of durations, as the Azure Functions dataset of 2019 has them.

Its file ``function_durations_percentiles`` has a row a function and day: how often it ran, and
percentiles of its durations in milliseconds, of averages over 30 seconds and without cold starts
(the dataset's own description, 2020). What is drawn from them is therefore narrower than single
calls are; the mean is that of the calls.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from traces.draws import uniform
from traces.errors import Problem, TraceError
from traces.formats._options import Options
from traces.formats._source import Source
from traces.formats._text import plain_name
from traces.trace import Floats

# Percentiles that the columns are named after.
PERCENTILES: Final = (0, 1, 25, 50, 75, 99, 100)
_PREFIX: Final = "percentile_average_"
_LABELS: Final = ("hash_owner", "hash_app", "hash_function")
_SHOWN: Final = 10
_LARGEST_MS: Final = 1e12


class ServiceTimes(NamedTuple):
    """Service times drawn from percentiles.

    Attributes
    ----------
    values_s : array of float64. In the order drawn. [s]
    functions : int. Rows that they were drawn from.
    calls : int. What the rows say that they ran.
    dropped : int. Rows without a call or without a duration.
    notes : tuple of str. What was assumed.
    """

    values_s: Floats
    functions: int
    calls: int
    dropped: int
    notes: tuple[str, ...]


def service_times(
    files: Iterable[str | Path], count: int = 10_000, seed: int = 0, series: str | None = None
) -> ServiceTimes:
    """Draw service times from files of percentiles.

    Parameters
    ----------
    files : iterable of path. ``function_durations_percentiles`` of any number of days; gzip too.
    count : int. How many to draw.
    seed : int. Of the draws.
    series : str, optional. Only rows of this owner, app or function.

    Raises
    ------
    TraceError
        A file of something else, or a cell that is no duration, with line and column.

    Notes
    -----
    A function is drawn by how often it ran, evenly over all calls; its duration on straight lines
    between the percentiles that are given, or its average where none is.
    """
    weights, tables, dropped = [], [], 0
    for file in files:
        for calls, row in _rows(file, series):
            if calls and np.isfinite(row).any():
                weights.append(calls)
                tables.append(row)
            else:
                dropped += 1
    if not weights:
        what = f"no row of {series}" if series else "no row with calls and a duration"
        raise TraceError(str(next(iter(files), "")), Problem(what, "at least one"))
    upto = np.cumsum(np.array(weights, dtype=np.float64))
    # One draw in each of as many equal parts of all calls: no function is left out by chance.
    even = (np.arange(count) + uniform(seed, "durations.function", 0, count)) / count
    chosen = np.searchsorted(upto, even * upto[-1], side="right").clip(max=len(tables) - 1)
    at = 100.0 * uniform(seed, "durations.percentile", 0, count)
    values = np.array(
        [_between(tables[k], p) for k, p in zip(chosen.tolist(), at.tolist(), strict=True)]
    )
    notes = (
        "milliseconds, averages of 30 s without cold starts: single calls scatter more",
        "functions drawn by their calls, durations on lines between their percentiles",
    )
    return ServiceTimes(values / 1e3, len(tables), int(upto[-1]), dropped, notes)


def _between(row: Floats, percentile: float) -> float:
    """A duration at a percentile; the last cell is the average, for want of any percentile. [ms]"""
    given = np.isfinite(row[:-1])
    if not given.any():
        return float(row[-1])
    known = np.maximum.accumulate(row[:-1][given])
    return float(np.interp(percentile, np.array(PERCENTILES, dtype=np.float64)[given], known))


def _rows(file: str | Path, series: str | None) -> Iterator[tuple[float, Floats]]:
    """Calls of each function, and its percentiles with the average behind them. [1, ms]"""
    source = Source(file, Options())
    lines = ((number, line.decode("utf-8", "replace")) for number, line in source.lines())
    first = next(lines, (1, ""))[1]
    names = [plain_name(name) for name in next(csv.reader([first]), [])]
    wanted = [f"{_PREFIX}{one}" for one in PERCENTILES]
    if not {"hash_function", "count", "percentile_average_50"} <= set(names):
        raise source.refuse(
            f"columns {', '.join(names)[:80]}",
            "HashOwner, HashApp, HashFunction, Average, Count and percentile_Average_0 to _100, as "
            "function_durations_percentiles has them",
        )
    place = {name: names.index(name) for name in names}
    labels = [place[name] for name in _LABELS if name in place]
    problems: list[Problem] = []
    for number, line in lines:
        cells = next(csv.reader([line]))
        if len(cells) != len(names):
            expected = f"{len(names)}, as in the first line"
            problems.append(Problem(f"{len(cells)} fields", expected, line=number))
            continue
        if series is not None and series not in {cells[k].strip() for k in labels}:
            continue
        found = []
        for name in ("count", *wanted, "average"):
            text = cells[place[name]].strip() if name in place else ""
            value = _number(text)
            if value is None:
                expected = "a number from 0 to 1e12, or nothing"
                problems.append(
                    Problem("no number", expected, line=number, column=name, value=text[:40])
                )
                value = np.nan
            found.append(value)
        calls = found[0] if np.isfinite(found[0]) else 0.0
        yield calls, np.array(found[1:])
    if problems:
        raise TraceError(source.path, problems[:_SHOWN], max(len(problems) - _SHOWN, 0))


def _number(text: str) -> float | None:
    """A cell; NaN where it is empty, as minima and maxima may be, None where it is no number."""
    if text.lower() in ("", "nan"):
        return float("nan")
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value <= _LARGEST_MS else None
