"""NumPy archives as `traces.convert` writes them; others need only ``arrival_s`` or ``counts``.

Nothing is unpickled.
"""

from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _assemble
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import ReadReport, Trace, trace_columns

NAME: Final = "npz"
Arrays = dict[str, NDArray[Any]]


def recognises(source: Source, layout: Layout | None) -> bool:
    """A zip archive: `read` looks inside."""
    return source.head.startswith(b"PK\x03\x04")


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace | CountSeries:
    """Read the file; see `traces.formats.read`."""
    arrays = _load(source)
    absolute = bool(arrays.get("t0_is_absolute", False))
    t0_ns = int(arrays.get("t0_ns", 0))
    notes = (f"written from {arrays['source']}",) if "source" in arrays else ()
    try:
        if "counts" in arrays and "bin_s" in arrays:
            report = ReadReport(NAME, rows=arrays["counts"].size, notes=notes)
            return CountSeries(
                arrays["counts"],
                float(arrays["bin_s"]),
                t0_ns=t0_ns,
                t0_is_absolute=absolute,
                source=source.path,
                report=report,
            )
        if "arrival_s" not in arrays:
            names = ", ".join(arrays) or "none"
            raise source.refuse(f"arrays {names}", "arrival_s, or counts and bin_s")
        return from_arrays(
            source.path, arrays, t0_ns=t0_ns, absolute=absolute, format=NAME, notes=notes
        )
    except TraceError as error:
        raise TraceError(source.path, error.problems, error.more) from None


def from_arrays(
    path: str,
    arrays: Arrays,
    *,
    t0_ns: int,
    absolute: bool,
    format: str,
    notes: tuple[str, ...] = (),
) -> Trace:
    """A trace from arrays in any order that may not start at 0.

    Parameters
    ----------
    path : str. The file, as the trace's source.
    arrays : dict of str to array. ``arrival_s`` and other columns; those not declared are left.
    t0_ns : int. Where `arrival_s` counts from. [ns]
    absolute : bool. Whether `t0_ns` counts from 1970-01-01 UTC.
    format : str. Name of the format, for the report.
    notes : tuple of str. What else the report says.
    """
    faults = _assemble.Faults(path)
    wanted = {
        name: np.asarray(arrays[name], dtype=np.float64)
        for name in ("arrival_s", *trace_columns())
        if name in arrays
    }
    for name, values in wanted.items():
        faults.add(*_assemble.check_values(name, values))
    faults.settle()
    arrivals = wanted.pop("arrival_s")
    moved = 0
    if arrivals.size and bool((arrivals[1:] < arrivals[:-1]).any()):
        moved = int((arrivals < np.maximum.accumulate(arrivals)).sum())
        order = np.argsort(arrivals, kind="stable")
        arrivals = arrivals[order]
        wanted = {
            name: values[order] for name, values in wanted.items() if values.size == order.size
        }
    if arrivals.size and arrivals[0] != 0.0:
        t0_ns += round(float(arrivals[0]) * 1e9)
        arrivals = arrivals - arrivals[0]
    return Trace(
        arrivals,
        wanted,
        t0_ns=t0_ns,
        t0_is_absolute=absolute,
        source=path,
        report=ReadReport(format, rows=arrivals.size, reordered=moved, notes=notes),
    )


def _load(source: Source) -> Arrays:
    try:
        with source.whole() as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (BadZipFile, ValueError, EOFError, KeyError, OSError) as error:
        raise TraceError(
            source.path, Problem(f"not a NumPy archive of plain arrays ({error})", "an .npz file")
        ) from None
