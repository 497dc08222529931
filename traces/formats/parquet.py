"""Parquet: a time column and, if there, tokens or counts; pyarrow is imported when needed.

Files that `traces.convert` writes carry their origin in the schema's metadata.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _assemble, _names, _stamps
from traces.formats._columns import Clockwork
from traces.formats._source import Source
from traces.formats._text import Fields, Layout, plain_name
from traces.formats.counts import count_column
from traces.formats.npz import from_arrays
from traces.trace import Floats, ReadReport, Trace, trace_columns

if TYPE_CHECKING:
    import pyarrow as pa

NAME: Final = "parquet"
METADATA: Final = b"traces"


def recognises(source: Source, layout: Layout | None) -> bool:
    """The four letters that every Parquet file starts with."""
    return source.head.startswith(b"PAR1")


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace | CountSeries:
    """Read the file; see `traces.formats.read`."""
    pq = import_parquet(source.path)
    import pyarrow as pa

    try:
        with source.whole() as file:
            parquet = pq.ParquetFile(file)
            schema = parquet.schema_arrow
            plain = tuple(plain_name(name) for name in schema.names)
            names = source.options.renamed(source.path, schema.names, plain)
            origin = json.loads((schema.metadata or {}).get(METADATA, b"null"))
            used = _used(names)
            columns = _Columns(parquet, tuple(schema.names[k] for k in used))
            chosen = tuple(names[k] for k in used)
            left = [
                schema.names[k]
                for k, name in enumerate(names)
                if k not in used and not _names.is_label(name) and _is_number(schema.types[k])
            ]
            return _read(source, columns, origin, chosen, () if asked else left, asked=asked)
    except TraceError as error:
        raise TraceError(source.path, error.problems, error.more) from None
    except UnicodeDecodeError as error:
        raise source.refuse(f"text that is not UTF-8 ({error})") from None
    # Names and the origin in a damaged schema are no UTF-8, or no JSON: both are ValueErrors.
    except (pa.ArrowException, OSError, ValueError) as error:
        raise source.refuse(f"not a whole Parquet file ({error})") from None


def _read(
    source: Source,
    columns: "_Columns",
    origin: dict[str, Any] | None,
    chosen: tuple[str, ...],
    left: Sequence[str],
    *,
    asked: bool,
) -> Trace | CountSeries:
    if origin is None:
        return _foreign(source, columns, chosen, left, asked=asked)
    try:
        return _own(source, columns, origin)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, TraceError):
            raise
        expected = "the file as `trace convert` wrote it"
        raise source.refuse(f"its origin is damaged ({error!r})", expected) from None


class _Columns:
    """Columns of a file, each read when it is asked for: all at once would be held twice.

    Parameters
    ----------
    file : pyarrow.parquet.ParquetFile.
    column_names : tuple of str. Those that are used.
    """

    def __init__(self, file: Any, column_names: tuple[str, ...]) -> None:
        self._file, self.column_names = file, column_names

    def column(self, name: int | str) -> "pa.ChunkedArray":
        """A column by its number or name."""
        wanted = self.column_names[name] if isinstance(name, int) else name
        return self._file.read(columns=[wanted]).column(0)


def import_parquet(path: str) -> Any:
    """``pyarrow.parquet``, or an error that says how to get it."""
    try:
        import pyarrow.parquet as pq
    except ImportError:
        expected = "pyarrow: pip install 'coldstart-modeler[parquet]'"
        raise TraceError(path, Problem("Parquet needs a library of its own", expected)) from None
    return pq


def _used(names: tuple[str, ...]) -> list[int]:
    """Columns to read: the stamps, and the count or else what is known of each request."""
    own = {"arrival_s", "counts", *trace_columns()}
    stamp = _names.stamp_column(names, _names.INTERVAL_STAMPS)
    known = {*_names.optional_columns(names, stamp).values(), *_names.count_columns(names)[1]}
    rate = _names.rate_column(names)
    known |= set() if rate is None else {rate}
    return [k for k, name in enumerate(names) if name in own or k in known or k == stamp]


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _own(source: Source, table: _Columns, origin: dict[str, Any]) -> Trace | CountSeries:
    t0_ns, absolute = int(origin["t0_ns"]), bool(origin["t0_is_absolute"])
    notes = (f"written from {origin['source']}",)
    arrays = {name: table.column(name).to_numpy() for name in table.column_names}
    if origin["kind"] == "events":
        return from_arrays(
            source.path, arrays, t0_ns=t0_ns, absolute=absolute, format=NAME, notes=notes
        )
    return CountSeries(
        arrays["counts"],
        float(origin["bin_s"]),
        t0_ns=t0_ns,
        t0_is_absolute=absolute,
        source=source.path,
        report=ReadReport(NAME, rows=arrays["counts"].size, notes=notes),
    )


def _foreign(
    source: Source,
    table: _Columns,
    names: tuple[str, ...],
    left: Sequence[str],
    *,
    asked: bool,
) -> Trace | CountSeries:
    """Read a file that others wrote; `names` are those its columns go by, `left` are not read."""
    counted = _names.holds_counts(names)
    choices = _names.INTERVAL_STAMPS if counted or asked else _names.STAMPS
    stamp = _names.stamp_column(names, choices)
    if stamp is None:
        raise source.refuse(
            f"columns {', '.join(table.column_names) or 'of other names'}",
            f"columns{_names.EXPECTED}",
        )
    faults = _assemble.Faults(source.path)
    ns, absolute, notes = _times(source, table, stamp, faults)
    if counted:
        return _counted(source, table, names, ns, absolute, notes, faults)
    place = _names.optional_columns(names, stamp)
    values = {house: _numbers(table, k, faults) for house, k in place.items()}
    faults.settle()
    insist = "or --input-format parquet if each row is one request"
    _assemble.refuse_grid(source.path, ns, left, insist)
    if "service_s" in place and names[place["service_s"]].endswith("_ms"):
        values["service_s"] = values["service_s"] / 1e3
    return _assemble.events(source.path, ns, values, absolute=absolute, format=NAME, notes=notes)


def _counted(
    source: Source,
    table: _Columns,
    names: tuple[str, ...],
    ns: NDArray[np.int64],
    absolute: bool,
    notes: tuple[str, ...],
    faults: _assemble.Faults,
) -> CountSeries:
    """Counts or rates per interval."""
    rank, found = _names.count_columns(names)
    rate = _names.rate_column(names)
    by_rate = not found and rate is not None
    columns = (rate,) if by_rate and rate is not None else found
    values = {table.column_names[k]: _numbers(table, k, faults) for k in columns}
    faults.settle()
    if by_rate:
        name = next(iter(values))
        seconds = _names.seconds_of_rate(names[columns[0]])
        values[name] = values[name] / seconds
        taken: tuple[str, ...] = (f"{name} taken as requests per {_names.PERIODS[seconds]}",)
    else:
        name, taken = count_column(source.path, values, rank)
    return _assemble.counts(
        source.path,
        ns,
        values[name],
        None,
        absolute=absolute,
        format=NAME,
        notes=(*notes, *taken),
        rate=by_rate,
        bin_s=source.options.bin_s,
    )


def _times(
    source: Source, table: _Columns, number: int, faults: _assemble.Faults
) -> tuple[NDArray[np.int64], bool, tuple[str, ...]]:
    import pyarrow as pa

    name = table.column_names[number]
    column = table.column(number)
    kind = column.type
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        faults.add(
            [Problem("missing", _stamps.EXPECTED, row=row + 1, column=name)], column.null_count
        )
        faults.settle()
    clockwork = Clockwork(name, faults, source.options)
    if pa.types.is_timestamp(kind):
        stamps = column.to_numpy().astype("datetime64[ns]").astype(np.int64)
        return clockwork.dated(stamps, naive=not kind.tz)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = np.array([one.encode() for one in column.to_pylist()], dtype=np.bytes_)
        matrix = text.view(np.uint8).reshape(text.size, -1)
        ns = clockwork.read(Fields(matrix, np.strings.str_len(text)), None, 0)
        faults.settle()
        return clockwork.settled(ns, None), clockwork.absolute, clockwork.notes()
    values = column.to_numpy()
    if not np.issubdtype(values.dtype, np.number):
        raise TraceError(None, Problem(f"of type {kind}", _stamps.EXPECTED, column=name))
    as_float = values.astype(np.float64)
    faults.add(*_assemble.check_values(name, as_float))
    faults.settle()
    clock = _stamps.clock_of(as_float, plain_name(name), source.options.time_unit)
    note = (f"{name} taken as {clock}",)
    if np.issubdtype(values.dtype, np.integer):
        ns = values.astype(np.int64) * 10 ** _stamps.PLACES[clock.unit]
    else:
        ns = _stamps.float_ns(as_float, clock.unit)
    return clock.scaled(ns)[0], clock.absolute, note


def _numbers(table: _Columns, number: int, faults: _assemble.Faults) -> Floats:
    import pyarrow as pa

    name = table.column_names[number]
    try:
        values = table.column(number).cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise TraceError(None, Problem(f"not numbers ({error})", column=name)) from None
    faults.add(*_assemble.check_values(name, values))
    return np.asarray(values)
