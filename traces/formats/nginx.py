"""Nginx logs in the combined layout with ``$request_time`` behind it, perhaps more times.

``$time_local`` is the END, when the line is written; arrival = end - ``$request_time``, which is
seconds with three decimals and the first such field. ``$upstream_response_time``, if it follows,
is the time of the server behind.
"""

import re
from typing import Final

from traces.formats import _access, _assemble
from traces.formats._lines import UNKNOWN, Skip, collect
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "nginx"
_TIME: Final = re.compile(rb"(?:\w+=)?(\d+\.\d{3})")


def recognises(source: Source, layout: Layout | None) -> bool:
    """The first lines have the layout and end in seconds with three decimals."""
    lines = _access.head_lines(source)
    return bool(lines) and all(times(line.extra) for line in lines)


def times(extra: tuple[bytes, ...]) -> list[float]:
    """Fields that are seconds with three decimals. [s]"""
    return [float(found[1]) for field in extra if (found := _TIME.fullmatch(field))]


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""

    def parse(line: bytes) -> tuple[str, list[float]]:
        found = _access.parse(line)
        if found.probe:
            raise Skip("health checks")
        taken = times(found.extra) or [UNKNOWN]
        return found.stamp, [taken[0], taken[min(1, len(taken) - 1)]]

    got = collect(source, source.lines(), parse, "time_local", ["request_s", "service_s"])
    elapsed = got.columns.pop("request_s")
    ns, without = _assemble.starts_of(source.path, got.ns, elapsed, "request_time", got.lines)
    notes = ["the stamp is the end: arrival = time_local - request_time"]
    if without:
        notes.append(f"{without:,} rows without request_time arrive at their stamp")
    return got._replace(ns=ns).events(source, NAME, tuple(notes))
