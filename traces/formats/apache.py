"""Apache logs, common or combined: the stamp is the START, when the request was received.

Lines are written at the end of each request, so a file is not sorted. ``%D`` (whole microseconds)
or ``%T`` (whole seconds) after the bytes is the time to serve, if the log format has it.
"""

from typing import Final

from traces.formats import _access
from traces.formats._lines import UNKNOWN, Skip, collect
from traces.formats._source import Source
from traces.formats._text import Layout
from traces.trace import Trace

NAME: Final = "apache"
# A whole number from here on is %D: no request takes 1,000 s.
_LEAST_US: Final = 1000


def recognises(source: Source, layout: Layout | None) -> bool:
    """The first lines have the layout; those of Nginx with a request time were taken before."""
    return bool(_access.head_lines(source))


def read(source: Source, layout: Layout | None, *, asked: bool) -> Trace:
    """Read the file; see `traces.formats.read`."""

    def parse(line: bytes) -> tuple[str, list[float]]:
        found = _access.parse(line)
        if found.probe:
            raise Skip("health checks")
        return found.stamp, [_served_s(found.extra)]

    got = collect(source, source.lines(), parse, "time", ["service_s"])
    notes = ("the stamp is the start, as Apache writes it (Nginx writes the end)",)
    return got.events(source, NAME, notes)


def _served_s(extra: tuple[bytes, ...]) -> float:
    """Time to serve, from the last field. [s]"""
    if not extra or not extra[-1].isdigit():
        return UNKNOWN
    value = int(extra[-1])
    return value / 1e6 if value >= _LEAST_US else float(value)
