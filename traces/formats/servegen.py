"""ServeGen client traces: for each client and window of 600 s a fitted law of its arrivals.

Plain files have no header and one client each: start of the window in seconds from midnight, rate
in requests per second, coefficient of variation, law, shape, scale. Clients joined into one file
have a header. What is read is the rate: the fitted law does not reproduce it. Windows with fewer
than 10 requests were zeroed by the publisher.
"""

import csv
from typing import Final

import numpy as np

from traces.counts import CountSeries
from traces.errors import Problem, TraceError
from traces.formats import _assemble
from traces.formats._columns import read_columns
from traces.formats._growing import Lines
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Floats

NAME: Final = "servegen"
# A joined file's names, and where they stand in a plain one.
RENAME: Final = {"window_start_s": 0, "rate_rps": 1, "cv": 2, "dist": 3, "shape": 4, "scale": 5}
_LAWS: Final = ("gamma", "weibull", "")


def recognises(source: Source, layout: Layout | None) -> bool:
    """The names of a joined file, or six columns of which the fourth names a law."""
    if layout is None:
        return False
    if layout.header is not None:
        return set(RENAME) <= set(layout.names)
    lines = source.head.decode("utf-8", "replace").splitlines()[:50]
    rows = [row for row in csv.reader(lines) if row]
    if layout.width != len(RENAME) or len(rows[0]) != len(RENAME):
        return False
    laws = {row[3].strip().lower() for row in rows if len(row) > 3}
    return laws <= set(_LAWS)


def read(source: Source, layout: Layout | None, *, asked: bool) -> CountSeries:
    """Read the file; see `traces.formats.read`. Clients are summed."""
    if layout is None or not recognises(source, layout):
        raise source.refuse("not this format", f"columns {', '.join(RENAME)}")
    place = {name: layout.names.index(name) if layout.header else k for name, k in RENAME.items()}
    columns = {"rate_rps": place["rate_rps"], "cv": place["cv"]}
    if layout.header and "client_id" in layout.names:
        columns["client_id"] = layout.names.index("client_id")
    got = read_columns(source, layout, place["window_start_s"], columns)
    clients = got.values.get("client_id", np.zeros(got.ns.size))
    _refuse_twice(source, np.stack([clients, got.ns.astype(np.float64)]), got.lines)
    starts, window = np.unique(got.ns, return_inverse=True)
    rates = np.zeros(starts.size)
    np.add.at(rates, window, got.values["rate_rps"])
    return _assemble.counts(
        source.path,
        starts,
        rates,
        None,
        absolute=False,
        format=NAME,
        notes=(*got.notes, _told(clients, got.values)),
        rate=True,
        bin_s=source.options.bin_s,
        merged=got.ns.size - starts.size,
    )


def _told(clients: Floats, values: dict[str, Floats]) -> str:
    """What the series does not keep."""
    rate, cv = values["rate_rps"], values["cv"]
    busy = float(np.average(cv, weights=rate)) if rate.sum() > 0.0 else 0.0
    return (
        f"the sum of {np.unique(clients).size:,} clients; the burstiness of each within a window "
        f"(CV {busy:.2f} on average) is not kept"
    )


def _refuse_twice(source: Source, keys: Floats, lines: Lines) -> None:
    """The same window of the same client twice would be summed."""
    order = np.lexsort(keys)
    again = np.flatnonzero((np.diff(keys[:, order], axis=1) == 0.0).all(axis=0))
    if again.size:
        what = "the same window of the same client again"
        line = lines[int(order[again + 1].min())]
        raise TraceError(source.path, Problem(what, "one row", line=line))
