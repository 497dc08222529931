"""Lines of access logs in the common and combined layout, which Apache and Nginx share.

``host ident user [10/May/2024:00:00:00 +0000] "request" status bytes "referer" "agent" ...``
"""

import re
from typing import Final, NamedTuple

from traces.formats._lines import Unfit
from traces.formats._source import Source

# Inside quotes a quote is escaped by a backslash; what follows the bytes differs by server.
_LINE: Final = re.compile(
    rb'\S+ \S+ .*?\[([^]]{26})\] "(?:[^"\\]|\\.)*" (?:\d{3}|-) (?:\d+|-)(.*)', re.DOTALL
)
_QUOTED: Final = re.compile(rb'"(?:[^"\\]|\\.)*"')
_STAMP: Final = re.compile(r"(\d\d)/([A-Z][a-z]{2})/(\d{4}):(\d\d:\d\d:\d\d) ([+-]\d{4})")
# English in every locale.
_MONTHS: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
# Agents of health checks: they come at a steady rate and ask nothing of a model.
_PROBES: Final = re.compile(rb"ELB-HealthChecker|kube-probe|GoogleHC|HealthCheck", re.IGNORECASE)


class Line(NamedTuple):
    """What a line says.

    Attributes
    ----------
    stamp : str. ISO 8601 with its offset from UTC.
    extra : tuple of bytes. Fields after the bytes that are not quoted.
    probe : bool. Whether a health check sent it.
    """

    stamp: str
    extra: tuple[bytes, ...]
    probe: bool


def parse(line: bytes) -> Line:
    """Take a line apart.

    Raises
    ------
    Unfit
        It has another layout.
    """
    found = _LINE.match(line)
    if found is None:
        expected = 'host - - [time] "request" status bytes'
        raise Unfit("no line of an access log", expected, None, line)
    extra = tuple(_QUOTED.sub(b" ", found[2]).split())
    stamp = iso(found[1].decode("utf-8", "replace"), "time")
    return Line(stamp, extra, bool(_PROBES.search(found[2])))


def iso(text: str, column: str) -> str:
    """``10/May/2024:00:00:00 +0000`` as ISO 8601.

    Raises
    ------
    Unfit
        It is none.
    """
    found = _STAMP.fullmatch(text.strip())
    month = _MONTHS.find(found[2]) if found else -1
    if found is None or month % 3:
        raise Unfit("not a stamp", "10/May/2024:00:00:00 +0000", column, text)
    return f"{found[3]}-{month // 3 + 1:02d}-{found[1]}T{found[4]}{found[5]}"


def head_lines(source: Source) -> list[Line]:
    """The first lines; those that cannot be read are left out."""
    found = []
    for line in source.head.split(b"\n")[:50]:
        try:
            found.append(parse(line))
        except Unfit:
            continue
    return found
