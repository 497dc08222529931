"""CloudFront standard logs: tabs between fields, whose names a line ``#Fields:`` gives.

``date`` and ``time`` are UTC in whole seconds when the edge FINISHED, so arrival = stamp -
time-taken. What the edge answered itself never reached the model: it is dropped and counted.
"""

from typing import Final

from traces.formats import _assemble
from traces.formats._lines import Skip, Unfit, collect, number
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "cloudfront"
RENAME: Final = {"date": "end_s", "time": "end_s", "time-taken": "service_s"}
# Results of the edge alone.
_AT_EDGE: Final = frozenset(
    {"Hit", "OriginShieldHit", "Redirect", "LimitExceeded", "CapacityExceeded"}
)
_MARK: Final = b"#Fields:"


def recognises(source: Source, layout: Layout | None) -> bool:
    """The two comment lines at the start."""
    names = _fields(source)
    return "date" in names and "time" in names


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""
    names = _fields(source)
    if not set(RENAME) <= set(names):
        raise source.refuse("not this format", "a line #Fields: with date, time and time-taken")
    date, time, taken = (names.index(name) for name in RENAME)
    result = names.index("x-edge-result-type") if "x-edge-result-type" in names else None

    def parse(line: bytes) -> tuple[str, list[float]]:
        fields = line.decode("utf-8", "replace").strip("\r\n").split("\t")
        if len(fields) < len(names):
            raise Unfit(f"{len(fields)} fields", f"{len(names)}, as in #Fields", None, line)
        if result is not None and fields[result] in _AT_EDGE:
            raise Skip("answered by the edge")
        return f"{fields[date]}T{fields[time]}Z", [number(fields[taken], "time-taken")]

    rows = ((at, line) for at, line in source.lines() if not line.startswith(b"#"))
    got = collect(source, rows, parse, "date time", ["service_s"])
    seconds = got.columns["service_s"]
    ns, without = _assemble.starts_of(source.path, got.ns, seconds, "time-taken", got.lines)
    notes = (
        "date and time are the end: arrival = stamp - time-taken; service_s is time-taken, with "
        "the way to the client",
        *((f"{without:,} rows without time-taken arrive at their stamp",) if without else ()),
    )
    return got._replace(ns=ns).events(source, NAME, notes)


def _fields(source: Source) -> list[str]:
    """Names of the fields; empty if no line gives them."""
    for line in source.head.split(b"\n")[:20]:
        if line.startswith(_MARK):
            return line.removeprefix(_MARK).decode("utf-8", "replace").split()
    return []
