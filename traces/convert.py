"""Write traffic to NPZ, Parquet or CSV: a whole file or none."""

import gzip
import json
import os
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, cast
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats.npz import SEAL, seal_of
from traces.formats.parquet import METADATA, import_parquet
from traces.trace import Trace

OUTPUT_FORMATS: Final = ("npz", "parquet", "csv")
_BLOCK_ROWS: Final = 65_536


def write(trace: Trace | CountSeries, path: str | Path, output_format: str | None = None) -> None:
    """Write traffic to a file, which appears when it is complete.

    NPZ and Parquet keep every bit. CSV keeps whole nanoseconds, which is all that any reader
    of text yields, so that read and written traffic has the same ``content_hash``.

    Parameters
    ----------
    trace : Trace or CountSeries. The traffic.
    path : str or path. The file to create or replace; ``.gz`` after ``.csv`` compresses it.
    output_format : str, optional. One of `OUTPUT_FORMATS`; by default what the name ends in.

    Raises
    ------
    TraceError
        No such format, no pyarrow for Parquet, or the file cannot be written.
    """
    form = format_for(Path(path), output_format)
    target = Path(path).resolve()  # through a link, so that the link stays one
    zipped = Path(path).suffix == ".gz"
    try:
        if target.exists() and not target.is_file():
            # A pipe or a device is written into; it must not be replaced by a file.
            with open(target, "wb") as file:
                _write_open(file, trace, form, zipped)
        else:
            _write_beside(target, trace, form, zipped)
    except OSError as error:
        raise TraceError(str(path), Problem(f"cannot be written: {error.strerror}")) from error


def write_to(stream: IO[bytes], trace: Trace | CountSeries, output_format: str) -> None:
    """Write traffic to an open binary stream; see `write`."""
    if output_format == "npz":
        _write_npz(stream, trace)
    elif output_format == "parquet":
        _write_parquet(stream, trace)
    else:
        for text in _csv_blocks(trace):
            stream.write(text.encode())


def format_for(path: Path, output_format: str | None = None) -> str:
    """The format to write, by name or by what the file's name ends in.

    Raises
    ------
    TraceError
        Neither tells.
    """
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    form = output_format or plain.suffix.lstrip(".").lower()
    if form not in OUTPUT_FORMATS:
        expected = f"one of {', '.join(OUTPUT_FORMATS)}, by name or as the ending of the file"
        problem = Problem("unknown", expected, column="output_format", value=form)
        raise TraceError(str(path), problem)
    return form


def _write_beside(target: Path, trace: Trace | CountSeries, form: str, zipped: bool) -> None:
    """Write a file next to the place, then move it there."""
    handle, scratch = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            _write_open(file, trace, form, zipped)
        umask = os.umask(0)  # mkstemp makes private files; there is no other way to ask
        os.umask(umask)
        os.chmod(scratch, 0o666 & ~umask)
        os.replace(scratch, target)
    finally:
        Path(scratch).unlink(missing_ok=True)


def _write_open(file: IO[bytes], trace: Trace | CountSeries, form: str, zipped: bool) -> None:
    if not zipped:
        write_to(file, trace, form)
        return
    # No name and no time inside: the same traffic gives the same bytes.
    with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as wrapper:
        write_to(cast(IO[bytes], wrapper), trace, form)


def _write_npz(stream: IO[bytes], trace: Trace | CountSeries) -> None:
    """Arrays as they are, and a seal by which `formats.npz` knows them again unread."""
    arrays: dict[str, Any] = {**_arrays(trace), **_origin(trace)}
    with ZipFile(stream, "w", ZIP_STORED) as archive:
        for name, values in arrays.items():
            _add(archive, name, np.asanyarray(values))
        if isinstance(trace, Trace):
            _add(archive, SEAL, np.array([seal_of(archive), trace.content_hash]))


def _add(archive: ZipFile, name: str, values: NDArray[Any]) -> None:
    """One array of an archive, its numbers where memory would put them: at a multiple of 64."""
    member = ZipInfo(f"{name}.npy")  # of 1980, so that the same traffic gives the same bytes
    large = values.nbytes >= _ZIP64_BYTES
    before = archive.fp.tell() if archive.fp is not None else 0
    before += _LOCAL_BYTES + len(member.filename) + (_ZIP64_EXTRA if large else 0)
    padding = -(before + _EXTRA_HEADER) % _ALIGNED
    member.extra = struct.pack("<HH", _ALIGNMENT_EXTRA, padding) + bytes(padding)
    with archive.open(member, "w", force_zip64=large) as file:
        np.lib.format.write_array(file, values, allow_pickle=False)


# Of a zip archive: a member's header before its name, what sizes of 64 bits add to it, and a field
# of the kind that aligns a member's data (0xD935, APPNOTE's registry of extra fields).
_LOCAL_BYTES: Final = 30
_ZIP64_EXTRA: Final = 20
_ZIP64_BYTES: Final = 2**31 - 2**20
_EXTRA_HEADER: Final = 4
_ALIGNMENT_EXTRA: Final = 0xD935
_ALIGNED: Final = 64  # as the headers of arrays are


def _write_parquet(stream: IO[bytes], trace: Trace | CountSeries) -> None:
    pq = import_parquet("the output")
    import pyarrow as pa

    metadata = {METADATA: json.dumps(_origin(trace)).encode()}
    pq.write_table(pa.table(_arrays(trace)).replace_schema_metadata(metadata), stream)


def _arrays(trace: Trace | CountSeries) -> dict[str, NDArray[Any]]:
    if isinstance(trace, CountSeries):
        return {"counts": trace.counts}
    return {"arrival_s": trace.arrival_s, **trace.columns}


def _origin(trace: Trace | CountSeries) -> dict[str, Any]:
    """What the arrays leave unsaid."""
    origin = {
        "kind": "counts" if isinstance(trace, CountSeries) else "events",
        "t0_ns": trace.t0_ns,
        "t0_is_absolute": trace.t0_is_absolute,
        "source": trace.source,
    }
    return origin | ({"bin_s": trace.bin_s} if isinstance(trace, CountSeries) else {})


def _csv_blocks(trace: Trace | CountSeries) -> Iterator[str]:
    """CSV text, some rows at a time."""
    if isinstance(trace, CountSeries):
        step_ns = round(trace.bin_s * 1e9)
        rows, names = trace.counts.size, ["requests"]
        label = "timestamp" if trace.t0_is_absolute else "bin_start_s"
    else:
        rows, names = trace.requests, list(trace.columns)
        label = "timestamp" if trace.t0_is_absolute else "arrival_s"
    yield ",".join([label, *names]) + "\n"
    for start in range(0, rows, _BLOCK_ROWS):
        part = slice(start, min(start + _BLOCK_ROWS, rows))
        if isinstance(trace, CountSeries):
            since_ns = np.arange(part.start, part.stop) * step_ns
            columns = [trace.counts[part].astype(str).tolist()]
        else:
            since_ns = np.rint(trace.arrival_s[part] * 1e9).astype(np.int64)
            columns = [_plain(values[part]) for values in trace.columns.values()]
        stamps = _stamps(trace.t0_ns + since_ns, trace.t0_is_absolute)
        yield "".join(",".join(row) + "\n" for row in zip(stamps, *columns, strict=True))


def _stamps(ns: NDArray[np.int64], absolute: bool) -> list[str]:
    if not absolute:
        seconds, rest = np.divmod(ns, 1_000_000_000)
        pairs = zip(seconds.tolist(), rest.tolist(), strict=True)
        return [f"{whole}.{fraction:09d}" for whole, fraction in pairs]
    unit = "us" if not (ns % 1000).any() else "ns"
    text = np.datetime_as_string(ns.astype("datetime64[ns]"), unit=cast(Any, unit))
    return [f"{stamp}Z" for stamp in text.tolist()]


def _plain(values: NDArray[np.float64]) -> list[str]:
    """Shortest text that reads back as the same numbers; whole ones without a point."""
    return [str(int(x)) if x.is_integer() else repr(x) for x in values.tolist()]
