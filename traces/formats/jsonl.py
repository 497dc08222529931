"""JSON lines of any release or log: keys are named as columns of text are.

Stamps may be numbers, numbers as text or dates; keys may stand in an object inside the record.
Several releases share their keys and not their unit. Whole small numbers are seconds unless that
makes the file weeks long at hardly a request a minute; then they are milliseconds, and the
report says which. ``time_unit`` settles it.
"""

from typing import Final

import numpy as np

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _json, _names
from traces.formats._lines import Collected, collect
from traces.formats._source import Source
from traces.formats._stamps import UNITS
from traces.formats._text import Layout
from traces.formats.mooncake import quantised
from traces.trace import Trace

NAME: Final = "jsonl"
# Traffic that would last longer than this at a lower rate is milliseconds read as seconds.
_LONGEST_S: Final = 7 * 86_400
_LEAST_RPS: Final = 0.02


def recognises(source: Source, layout: Layout | None) -> bool:
    """The first lines are objects, and one of their keys is a stamp."""
    records = _json.head_records(source)
    if not records:
        return False
    names = _names_of(source, _json.paths(records))
    return _names.stamp_column(names) is not None or _names.holds_counts(names)


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace | CountSeries:
    """Read the file; see `traces.formats.read`."""
    records = _json.head_records(source)
    if not records:
        raise source.refuse("not this format", "one JSON object a line")
    paths = _json.paths(records)
    shown, names = _json.shown_names(paths), _names_of(source, paths)
    counted = _names.holds_counts(names)
    choices = _names.INTERVAL_STAMPS if counted else _names.STAMPS
    stamp = _names.stamp_column(names, choices)
    if stamp is None:
        raise source.refuse(f"keys {', '.join(shown)}", _names.EXPECTED_STAMP)
    if counted:
        return _counts(source, paths, names, stamp)
    place = _names.optional_columns(names, stamp)
    used = [paths[k] for k in place.values()]

    def parse(line: bytes) -> tuple[str, list[float]]:
        record = _json.record_of(line)
        return _json.stamp_at(record, paths[stamp]), _json.values_at(record, used)

    got = collect(source, source.lines(), parse, paths[stamp][-1], list(place))
    if "service_s" in place and names[place["service_s"]].endswith("_ms"):
        got.columns["service_s"][:] /= 1e3
    got, told = _plausible(got, names[stamp], source)
    left = [name for k, name in enumerate(shown) if k != stamp and k not in place.values()]
    unused = (f"keys not used: {', '.join(left)}",) if left else ()
    return got.events(source, NAME, (*told, *quantised(got.ns), *unused))


def _counts(
    source: Source, paths: tuple[_json.Path, ...], names: tuple[str, ...], stamp: int
) -> CountSeries:
    _, found = _names.count_columns(names)
    rate = _names.rate_column(names) if not found else None
    number = found[0] if found else rate
    assert number is not None  # as `holds_counts` has it

    column = ".".join(paths[number])
    whose = _names.series_column(names)
    known: dict[str, float] = {}

    def parse(line: bytes) -> tuple[str, list[float]]:
        record = _json.record_of(line)
        found = _json.values_at(record, [paths[number]])
        if whose is not None:
            name = str(_json.at(record, paths[whose]))
            found.append(known.setdefault(name, float(len(known))))
        return _json.stamp_at(record, paths[stamp]), found

    wanted = [column] if whose is None else [column, _WHOSE]
    got = collect(source, source.lines(), parse, paths[stamp][-1], wanted, strict=True)
    seconds = 1.0 if rate is None else _names.seconds_of_rate(names[number])
    what = "requests per bin" if rate is None else f"requests per {_names.PERIODS[seconds]}"
    taken: tuple[str, ...] = (f"{column} taken as {what}",)
    if seconds != 1.0:
        got.columns[column] = got.columns[column] / seconds
    rows = got.ns.size
    if whose is not None and np.unique(got.ns).size < rows:
        got = _summed(got, column, source)
        taken += (f"summed over {len(known):,} values of {'.'.join(paths[whose])}",)
    return got.counts(
        source, NAME, column, rate=rate is not None, notes=taken, merged=rows - got.ns.size
    )


_WHOSE: Final = "whose"


def _summed(got: Collected, column: str, source: Source) -> Collected:
    """Rows of one stamp added up over who they are of.

    Raises
    ------
    TraceError
        Two rows of one stamp are of the same.
    """
    pairs = np.stack((got.ns, got.columns[_WHOSE].astype(np.int64)))
    _, first = np.unique(pairs, axis=1, return_index=True)
    if first.size < got.ns.size:
        row = int(np.setdiff1d(np.arange(got.ns.size), first)[0])
        problem = Problem(
            "another row of the same for the same bin", "one row a bin and name",
            line=int(got.lines[row]),
        )  # fmt: skip
        raise TraceError(source.path, problem)
    ns, where, bins = np.unique(got.ns, return_index=True, return_inverse=True)
    total = np.bincount(bins, got.columns[column], ns.size).astype(np.float64)
    return got._replace(ns=ns, columns={column: total}, lines=got.lines[where])


def _names_of(source: Source, paths: tuple[_json.Path, ...]) -> tuple[str, ...]:
    shown, plain = _json.shown_names(paths), _json.plain_names(paths)
    return source.options.renamed(source.path, shown, plain)


def _plausible(got: Collected, stamp: str, source: Source) -> tuple[Collected, tuple[str, ...]]:
    """Milliseconds where seconds cannot be meant, and a note that says so."""
    clock = got.clock.clock
    told_unit = source.options.time_unit or stamp.rpartition("_")[2] in UNITS
    if clock is None or clock.absolute or told_unit or bool((got.ns % 10**9).any()):
        return got, ()
    span_s = float(got.ns.max() - got.ns.min()) / 1e9
    if span_s <= _LONGEST_S or got.ns.size / span_s >= _LEAST_RPS:
        return got, ()
    note = (
        f"whole numbers taken as ms: as s the file would span {span_s / 86_400:.0f} days at "
        f"{got.ns.size / span_s:.2g} requests/s",
    )
    notes = tuple(one for one in got.notes if not one.endswith(str(clock)))
    return got._replace(ns=np.floor_divide(got.ns, 1000), notes=notes), note
