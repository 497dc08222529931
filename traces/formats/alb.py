"""Access logs of an Application Load Balancer: fields in a fixed order, blanks between them.

``request_creation_time`` is the START; ``time``, near the beginning of the line, is the end. The
file is not sorted. A processing time of -1 means that there was none. Fields are only ever added
at the end, so further ones are ignored.
"""

import re
from typing import Final

from traces.formats._lines import UNKNOWN, Unfit, collect, number
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "alb"
# Where the fields that are used stand, from 0.
RENAME: Final = {"request_creation_time": 21, "target_processing_time": 6}
_TYPES: Final = (b"http", b"https", b"h2", b"grpcs", b"ws", b"wss")
_FIELD: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|\S+')
_LEAST: Final = 22
_NONE: Final = ("-1", "-1.000")
_STAMP: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def recognises(source: Source, layout: Layout | None) -> bool:
    """The first line names a protocol, and has a stamp where this format has two."""
    line = source.head.lstrip().split(b"\n")[0]
    found = _FIELD.findall(line)
    return len(found) >= _LEAST and found[0] in _TYPES and bool(_STAMP.fullmatch(found[1]))


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""

    def parse(line: bytes) -> tuple[str, list[float]]:
        found = _FIELD.findall(line)
        if len(found) < _LEAST or found[0] not in _TYPES:
            raise Unfit(
                f"{len(found)} fields", f"at least {_LEAST}, the first of them a type", None, line
            )
        stamp = found[RENAME["request_creation_time"]]
        if not _STAMP.fullmatch(stamp):
            what = "request_creation_time"
            raise Unfit("not a stamp", "ISO 8601 in UTC", what, stamp)
        waited = found[RENAME["target_processing_time"]].decode("utf-8", "replace")
        none = waited in _NONE
        return stamp.decode(), [UNKNOWN if none else number(waited, "target_processing_time")]

    got = collect(source, source.lines(), parse, "request_creation_time", ["service_s"])
    notes = (
        "request_creation_time is the start; service_s is target_processing_time, with any wait "
        "inside the target",
    )
    return got.events(source, NAME, notes)
