"""Traffic in layouts that no reader knows, put as lines that one does; what was done is noted.

`text_of` is asked before the readers, for what they would take for something else; `json_of` after
them, for what none knows. Counts without a header, before or after their stamps; the stamps of web
logs in a column; one long line of counts; JSON that is a list instead of lines; a line that holds
many requests.
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from traces.errors import Problem, TraceError
from traces.formats._source import HEAD_BYTES, Source

Rewrite = Callable[[bytes], bytes]

_MONTHS: Final = {
    name: f"{number:02}".encode()
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun",
         b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1,
    )
}  # fmt: skip
_LOG: Final = (
    rb"\[?(?P<day>\d\d)/(?P<month>" + b"|".join(_MONTHS) + rb")/(?P<year>\d{4})"
    rb":(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d))?"
    rb"(?: ?(?P<zone>[+-]\d\d:?\d\d))?\]?"
)  # fmt: skip
_LOG_STAMP: Final = re.compile(_LOG)
# Such a stamp at the start of a line, alone or before a delimiter or a number: no access log.
_LOG_LINE: Final = re.compile(rb'[ \t]*(?:\d+[ \t]+)?"?' + _LOG + rb'"?[ \t]*(?:[,;|\t]|\d+|\r?$)')
_ISO: Final = (
    rb"\d{4}[-/]\d\d[-/]\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)? ?(?:[Zz]|UTC|[+-]\d\d:?\d\d)?)?"
)
_EPOCH: Final = rb"\d{9,19}(?:\.\d+)?"
_BEFORE: Final = re.compile(
    rb"^[ \t]*(\d{1,15})[ \t]+(" + _ISO + rb"|" + _EPOCH + rb")[ \t]*(?=\r?$)", re.MULTILINE
)
_AFTER: Final = re.compile(
    rb"^[ \t]*(" + _ISO + rb"|" + _EPOCH + rb")[ \t]+(\d{1,15})[ \t]*(?=\r?$)", re.MULTILINE
)
_PAIR: Final = re.compile(
    rb'[ \t]*"?(?:' + _ISO + rb"|" + _EPOCH + rb')"?[ \t]*[,;\t][ \t]*"?\d{1,15}"?[ \t]*\r?'
)
_COUNTS: Final = re.compile(rb"\s*\d{1,15}(?:[\s,;]+\d{1,15}){15,}\s*")
_LOOKED_AT: Final = 20
_COLUMNS: Final = ("timestamp", "count")


class Loose(Source):
    """A file whose content is put in another way before it is read.

    Parameters
    ----------
    source : Source. The file as it is.
    content : callable. Its blocks, as they are to be read.
    head : bytes. The first of them.
    note : str. What was done.
    columns : tuple of str. Names of its columns, where it has no header.
    """

    def __init__(
        self,
        source: Source,
        content: Callable[[], Iterator[bytes]],
        head: bytes,
        note: str,
        columns: tuple[str, ...] = (),
    ) -> None:
        self.__dict__.update(source.__dict__)
        self._content = content
        self.head, self.note, self.columns = head[:HEAD_BYTES], note, columns

    def blocks(self) -> Iterator[bytes]:
        """The content in blocks that end where a line ends."""
        return self._content()


def text_of(source: Source) -> Source:
    """The file with stamps and counts where the readers of text look for them."""
    lines = [line for line in source.head.split(b"\n")[:_LOOKED_AT] if line.strip()]
    if lines and lines[0].lstrip().startswith(b"{"):
        return _many(source, lines[0]) or source
    if len(lines) < 2:
        return _one_line(source) if lines and _COUNTS.fullmatch(source.head) else source
    steps: list[Rewrite] = []
    notes: list[str] = []
    data = lines[1:]  # the first may be a header
    if sum(bool(_LOG_LINE.match(line)) for line in data) > len(data) / 2:
        steps.append(lambda block: _LOG_STAMP.sub(_iso, block))
        notes.append("stamps as web logs write them")
        data = [_LOG_STAMP.sub(_iso, line) for line in data]
    columns: tuple[str, ...] = ()
    first = _LOG_STAMP.sub(_iso, lines[0]) if steps else lines[0]
    rows = [first, *data]
    if all(_BEFORE.match(row) for row in rows):
        steps.append(lambda block: _BEFORE.sub(rb"\2,\1", block))
        notes.append("a count before each stamp, as uniq -c writes them")
        columns = _COLUMNS
    elif all(_AFTER.match(row) for row in rows):
        steps.append(lambda block: _AFTER.sub(rb"\1,\2", block))
        notes.append("a stamp and a count a line")
        columns = _COLUMNS
    elif all(_PAIR.fullmatch(row) for row in rows) and _apart(rows):
        notes.append("no header: a stamp and a count a line")
        columns = _COLUMNS
    if not notes:
        return source

    def rewrite(block: bytes) -> bytes:
        for step in steps:
            block = step(block)
        return block

    return Loose(
        source, lambda: map(rewrite, source.blocks()), rewrite(source.head), "; ".join(notes),
        columns,
    )  # fmt: skip


def json_of(source: Source) -> Source:
    """The file with its JSON as one object a line; itself where it is no such list."""
    start = source.head.lstrip()[:1]
    if start == b"[":
        listed, what = source.document(), "a list"
    elif start == b"{":
        found = _listed(source)
        if found is None:
            return source
        listed, what = found
    else:
        return source
    if not isinstance(listed, list) or not listed:
        return source
    records = [_record(one) for one in listed]
    if sum(isinstance(one, dict) for one in records) < len(records) / 2:
        return source
    text = b"".join(json.dumps(one).encode() + b"\n" for one in records)

    def content() -> Iterator[bytes]:
        yield text

    return Loose(source, content, text, f"{what} of JSON, its items counted as lines")


def _iso(match: re.Match[bytes]) -> bytes:
    """A stamp of a web log as ISO 8601."""
    part = match.groupdict()
    second = part["second"] or b"00"
    stamp = b"%s-%s-%sT%s:%s:%s" % (
        part["year"], _MONTHS[part["month"]], part["day"], part["hour"], part["minute"], second,
    )  # fmt: skip
    return stamp + (part["zone"] or b"")


def _apart(rows: list[bytes]) -> bool:
    """Whether no two rows have one stamp, as counts have and requests need not."""
    stamps = [re.split(rb"[,;\t]", row, maxsplit=1)[0].strip() for row in rows]
    return len(set(stamps)) == len(stamps)


def _one_line(source: Source) -> Source:
    """One long line of counts, an interval each."""
    width_s = source.options.bin_s or 1.0
    counts = [one for block in source.blocks() for one in re.findall(rb"\d+", block)]
    text = b"".join(b"%.9g,%s\n" % (number * width_s, one) for number, one in enumerate(counts))

    def content() -> Iterator[bytes]:
        yield text

    note = f"one line of counts, one for each {width_s:g} s (--bin says another width)"
    return Loose(source, content, text, note, _COLUMNS)


def _record(one: Any) -> Any:
    """An item of a list as an object; a pair is a stamp and a count."""
    pair = isinstance(one, list) and len(one) == 2
    return dict(zip(_COLUMNS, one, strict=True)) if pair else one


def _listed(source: Source) -> tuple[list[Any], str] | None:
    """The one list of objects or pairs that an object wraps, and its key."""
    if b"\n{" in source.head.strip():
        return None  # lines, or several documents
    try:
        document = source.document()
    except TraceError:
        return None
    found = [
        (value, f'the list "{key}"')
        for key, value in document.items()
        if isinstance(value, list) and value and isinstance(_record(value[0]), dict)
    ]
    return found[0] if len(found) == 1 else None


def _many(source: Source, line: bytes) -> Source | None:
    """Lines that each hold a stamp and a list of requests (AIBrix), a line a request."""
    try:
        first = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if set(first) != {"timestamp", "requests"} or not isinstance(first["requests"], list):
        return None

    def content() -> Iterator[bytes]:
        for number, line in source.lines():
            try:
                one = json.loads(line)
                stamp, requests = one["timestamp"], one["requests"]
                yield b"".join(
                    json.dumps({"timestamp_ms": stamp, **_sizes(each)}).encode() + b"\n"
                    for each in requests
                )
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                problem = Problem("not a stamp and its requests", "a list of them", line=number)
                raise TraceError(source.path, problem) from None

    head = next(content(), b"")
    return Loose(source, content, head, "each line a stamp in ms and its requests")


def _sizes(request: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if "length" in key.lower()}
