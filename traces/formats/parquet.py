"""Parquet: a time column and, if there, tokens or counts; pyarrow is imported when needed.

Files that `traces.convert` writes carry their origin in the schema's metadata.
"""

import json
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _assemble, _stamps
from traces.formats import counts as count_format
from traces.formats import timestamps as stamp_format
from traces.formats._columns import STAMPS, stamp_column
from traces.formats._source import Source
from traces.formats._text import Fields, Layout, plain_name
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
            names = tuple(plain_name(name) for name in schema.names)
            origin = json.loads((schema.metadata or {}).get(METADATA, b"null"))
            wanted = [schema.names[k] for k in _used(names)]
            table = parquet.read(columns=wanted)
    except (pa.ArrowException, OSError) as error:
        raise source.refuse(f"not a whole Parquet file ({error})") from None
    try:
        if origin is not None:
            return _own(source, table, origin)
        return _foreign(source, table)
    except TraceError as error:
        raise TraceError(source.path, error.problems, error.more) from None


def import_parquet(path: str) -> Any:
    """``pyarrow.parquet``, or an error that says how to get it."""
    try:
        import pyarrow.parquet as pq
    except ImportError:
        expected = "pyarrow: pip install 'coldstart-modeler[parquet]'"
        raise TraceError(path, Problem("Parquet needs a library of its own", expected)) from None
    return pq


def _used(names: tuple[str, ...]) -> list[int]:
    known = {*stamp_format.RENAME, *count_format.RENAME, *trace_columns()}
    stamp = stamp_column(names, count_format.COLUMNS)
    return [k for k, name in enumerate(names) if name in known or k == stamp]


def _own(source: Source, table: "pa.Table", origin: dict[str, Any]) -> Trace | CountSeries:
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


def _foreign(source: Source, table: "pa.Table") -> Trace | CountSeries:
    names = tuple(plain_name(name) for name in table.column_names)
    counted = not count_format.RENAME.keys().isdisjoint(names)
    stamp = stamp_column(names, count_format.COLUMNS if counted else STAMPS)
    if stamp is None:
        raise source.refuse(
            f"columns {', '.join(table.column_names) or 'of other names'}",
            "a time column such as timestamp or arrival_s",
        )
    faults = _assemble.Faults(source.path)
    ns, absolute, notes = _times(table, stamp, faults)
    place: dict[str, int] = {}
    for k, name in enumerate(names):
        house = stamp_format.RENAME.get(name) or count_format.RENAME.get(name)
        if house and k != stamp:
            place.setdefault(house, k)
    values = {house: _numbers(table, k, faults) for house, k in place.items()}
    faults.settle()
    if "counts" in values:
        return _assemble.counts(
            source.path, ns, values["counts"], None, absolute=absolute, format=NAME, notes=notes
        )
    if "service_s" in place and names[place["service_s"]].endswith("_ms"):
        values["service_s"] = values["service_s"] / 1e3
    return _assemble.events(source.path, ns, values, absolute=absolute, format=NAME, notes=notes)


def _times(
    table: "pa.Table", number: int, faults: _assemble.Faults
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
    if pa.types.is_timestamp(kind):
        stamps = column.to_numpy().astype("datetime64[ns]").astype(np.int64)
        return stamps, True, () if kind.tz else ("stamps without a zone, taken as UTC",)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        text = np.array(column.to_pylist(), dtype=np.bytes_)
        matrix = text.view(np.uint8).reshape(text.size, -1)
        ns, bad, naive = _stamps.iso_ns(Fields(matrix, np.strings.str_len(text)))
        rows = np.flatnonzero(bad)
        found = [
            Problem(
                "not a stamp",
                _stamps.EXPECTED_ISO,
                row=int(k) + 1,
                column=name,
                value=column[k].as_py(),
            )
            for k in rows[:5].tolist()
        ]
        faults.add(found, rows.size)
        return ns, True, ("stamps without a zone, taken as UTC",) if naive else ()
    values = column.to_numpy()
    if not np.issubdtype(values.dtype, np.number):
        raise TraceError(None, Problem(f"of type {kind}", _stamps.EXPECTED, column=name))
    as_float = values.astype(np.float64)
    faults.add(*_assemble.check_values(name, as_float))
    faults.settle()
    clock = _stamps.clock_of(as_float, plain_name(name))
    since = "1970-01-01 UTC" if clock.absolute else "an unknown start"
    note = (f"{name} taken as {clock.unit} since {since}",)
    if np.issubdtype(values.dtype, np.integer):
        scale = 10 ** _stamps.PLACES[clock.unit]
        return values.astype(np.int64) * scale, clock.absolute, note
    return _stamps.float_ns(as_float, clock.unit), clock.absolute, note


def _numbers(table: "pa.Table", number: int, faults: _assemble.Faults) -> Floats:
    import pyarrow as pa

    name = table.column_names[number]
    try:
        values = table.column(number).cast(pa.float64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise TraceError(None, Problem(f"not numbers ({error})", column=name)) from None
    faults.add(*_assemble.check_values(name, values))
    return np.asarray(values)
