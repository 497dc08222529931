"""NumPy archives as `traces.convert` writes them; others need only ``arrival_s`` or ``counts``.

Nothing is unpickled. What was written here carries a seal, the check sums that the archive keeps of
its arrays: where it still fits, the arrays were checked when they were written, and they are mapped
into memory instead of read.
"""

import hashlib
import struct
from typing import IO, Any, Final
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _assemble
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import ReadReport, Trace, trace_columns

NAME: Final = "npz"
SEAL: Final = "sealed"
_LOCAL_HEADER: Final = 30  # of a member of a zip archive, before its name [bytes]
Arrays = dict[str, NDArray[Any]]


def recognises(source: Source, layout: Layout | None) -> bool:
    """A zip archive: `read` looks inside."""
    return source.head.startswith(b"PK\x03\x04")


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace | CountSeries:
    """Read the file; see `traces.formats.read`."""
    mapped = _mapped(source)
    if mapped is not None:
        return mapped
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


def seal_of(archive: ZipFile) -> str:
    """What the directory of an archive says of its arrays: names, lengths and check sums."""
    told = [
        (info.filename, info.file_size, info.CRC)
        for info in archive.infolist()
        if info.filename != f"{SEAL}.npy"
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _mapped(source: Source) -> Trace | None:
    """Arrivals and columns as maps of the file; None where its seal is missing or broken."""
    if source.head[:2] != b"PK" or source.zipped:
        return None
    try:
        with ZipFile(source.path) as archive:
            names = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            if SEAL not in names or any(info.compress_type for info in names.values()):
                return None
            with np.load(source.path, allow_pickle=False) as small:
                sealed = small[SEAL].tolist()
                if sealed[0] != seal_of(archive):
                    return None
                told = {name: small[name] for name in ("t0_ns", "t0_is_absolute", "source")}
        with open(source.path, "rb") as file:
            columns = {
                name: _map(source.path, file, names[name])
                for name in ("arrival_s", *trace_columns())
                if name in names
            }
    except (BadZipFile, ValueError, EOFError, KeyError, OSError, IndexError, NotImplementedError):
        return None
    arrivals = columns.pop("arrival_s")
    if any(one.shape != arrivals.shape for one in columns.values()) or arrivals[0] != 0.0:
        return None
    notes = (f"written from {told['source']}", "mapped, as it was checked when it was written")
    return Trace.sealed(
        arrivals,
        columns,
        t0_ns=int(told["t0_ns"]),
        t0_is_absolute=bool(told["t0_is_absolute"]),
        source=source.path,
        report=ReadReport(NAME, rows=arrivals.size, notes=notes),
        content_hash=str(sealed[1]),
    )


def _map(path: str, file: IO[bytes], info: ZipInfo) -> NDArray[np.float64]:
    """One stored array of the archive as a map."""
    file.seek(info.header_offset)
    local = file.read(_LOCAL_HEADER)
    name, extra = struct.unpack("<HH", local[26:30])
    file.seek(info.header_offset + _LOCAL_HEADER + name + extra)
    version = np.lib.format.read_magic(file)
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else (np.lib.format.read_array_header_2_0)
    )
    shape, fortran, dtype = read_header(file)
    if fortran or len(shape) != 1 or dtype != np.float64:
        raise ValueError("not an array of numbers as it was written")
    return np.memmap(path, np.float64, "r", file.tell(), shape)


def _load(source: Source) -> Arrays:
    try:
        with source.whole() as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (BadZipFile, ValueError, EOFError, KeyError, OSError, NotImplementedError) as error:
        raise TraceError(
            source.path, Problem(f"not a NumPy archive of plain arrays ({error})", "an .npz file")
        ) from None
