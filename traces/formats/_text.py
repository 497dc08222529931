"""Delimited text, split by NumPy: a field of all rows at once, without a string per field."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from traces.formats._source import HEAD_BYTES, Source

Bytes = NDArray[np.uint8]
Index = NDArray[np.int64]

# Longer fields are no number and no stamp; they are cut here for the message that says so.
WIDEST: Final = 64
_VALUE: Final = re.compile(r"[-+]?(\d|\.\d|(nan|inf(inity)?)$)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_SHOWN: Final = 40
# A delimiter inside quotes stands as a byte that no number or stamp has, until it is shown.
_PROTECTED: Final = {",": "\x01", ";": "\x02", "\t": "\x03", "|": "\x04"}
_SHOWN_AS: Final = str.maketrans({mark: delimiter for delimiter, mark in _PROTECTED.items()})
# The one header that holds numbers: a column for each minute of the day.
_WIDE: Final = "HashOwner"
# Rows of the head that tell what a column holds.
_LOOKED_AT: Final = 50


@dataclass(frozen=True)
class Layout:
    """How the text is divided.

    Attributes
    ----------
    delimiter : str. Between two fields; a comma where there is a single column.
    header : tuple of str or None. Names as the file has them, or None if it starts with data.
    width : int. Fields in the first line.
    names : tuple of str. Plain names of the columns, or the roles that the caller gave them;
        empty if there is neither a header nor a role.
    """

    delimiter: str
    header: tuple[str, ...] | None
    width: int
    names: tuple[str, ...]


@dataclass(frozen=True)
class Fields:
    """One column of some rows.

    Attributes
    ----------
    text : array of uint8, rows × width. Bytes of each field, zeros after its end.
    length : array of int64. Bytes in each field.
    """

    text: Bytes
    length: Index

    def strings(self) -> NDArray[np.bytes_]:
        """The fields as NumPy byte strings."""
        width = self.text.shape[1]
        return np.ascontiguousarray(self.text).view(f"S{width}").ravel()

    def shown(self, row: int) -> str:
        """One field, for a message."""
        value = bytes(self.text[row, : self.length[row]]).decode("utf-8", "replace")
        value = value.translate(_SHOWN_AS)
        return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"


@dataclass(frozen=True)
class Rows:
    """Some rows of the file, with the line that each stands on.

    ``share`` is how much of the file they end at, 0 where that is not known.
    """

    data: Bytes
    delimiters: Index
    starts: Index
    ends: Index
    line: Index
    share: float = 0.0

    @cached_property
    def _table(self) -> Index | None:
        """The delimiters of each row, where all rows have as many; None where they do not."""
        rows = self.starts.size
        each, uneven = divmod(self.delimiters.size, max(rows, 1))
        if not each or uneven:
            return None
        table = self.delimiters.reshape(rows, each)
        inside = (table[:, 0] >= self.starts).all() and (table[:, -1] < self.ends).all()
        return table if inside else None

    @cached_property
    def _marks(self) -> tuple[Index, Index]:
        """The first delimiter at or after the start of each row, and how many it has."""
        first = np.searchsorted(self.delimiters, self.starts)
        return first, np.searchsorted(self.delimiters, self.ends) - first

    @property
    def width(self) -> Index:
        """Fields in each row."""
        if self._table is not None:
            return np.full(self.starts.size, self._table.shape[1] + 1)
        return self._marks[1] + 1

    def field(self, number: int) -> Fields:
        """Column `number`, from 0; empty where a row is too short."""
        table = self._table
        if table is not None and number <= table.shape[1]:
            # As many in every row, most often: then nothing is searched for.
            begin = table[:, number - 1] + 1 if number else self.starts
            until = table[:, number] if number < table.shape[1] else self.ends
            return _cut(self._padded, begin, until)
        first, present = self._marks
        padded = np.append(self.delimiters, self.data.size)
        last = padded.size - 1
        start = self.starts
        if number:
            before = padded[np.minimum(first + number - 1, last)] + 1
            start = np.where(present >= number, before, self.ends)
        after = padded[np.minimum(first + number, last)]
        end = np.where(present > number, after, self.ends)
        return _cut(self._padded, start, end)

    @cached_property
    def _padded(self) -> Bytes:
        """The data with zeros behind it, so that a field at its end can be cut as wide as any."""
        return np.concatenate((self.data, np.zeros(WIDEST, dtype=np.uint8)))

    def repeats(self, among: NDArray[np.bool_]) -> int:
        """How many rows have the very bytes of the row before, of those marked in `among`."""
        length = self.ends - self.starts
        where = np.flatnonzero(among[1:] & (length[1:] == length[:-1])) + 1
        found = at = 0
        # From the end, since rows of one stamp differ after it.
        while where.size:
            at += 1
            same = self.data[self.ends[where] - at] == self.data[self.ends[where - 1] - at]
            where = where[same]
            done = length[where] == at
            found += int(done.sum())
            where = where[~done]
        return found

    def text(self, row: int) -> bytes:
        """One whole row."""
        return self.data[self.starts[row] : self.ends[row]].tobytes()


def plain_name(name: str) -> str:
    """A column's name in lower case, words joined by ``_``.

    >>> plain_name(' "Request tokens"'), plain_name("RequestCount")
    ('request_tokens', 'request_count')
    """
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip().strip('"').strip())
    return re.sub(r"[\s\-_]+", "_", words.lower())


def layout_of(source: Source) -> Layout | None:
    """How the text is divided, or None if the file holds no text."""
    if b"\x00" in source.head:
        return None
    try:
        text = source.head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(source.head) - 4:  # else a character cut by the end of the head
            return None
        text = source.head[: error.start].decode("utf-8")
    line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = next((mark for mark in ",;\t|" if mark in line), ",")
    fields = next(csv.reader([line], delimiter=delimiter), [])
    if line.lstrip().startswith(("{", "[")):
        return None
    # A percentile's name, as 99%, is no number.
    numbers = any(
        _VALUE.match(field.strip()) for field in fields if not field.strip().endswith("%")
    )
    has_header = not numbers or fields[0].strip() == _WIDE
    header = tuple(fields) if has_header else None
    plain = tuple(plain_name(name) for name in header or ())
    shown = header or tuple(str(number) for number in range(1, len(fields) + 1))
    names = source.options.renamed(source.path, shown, plain or source.columns)
    return Layout(delimiter, header, len(fields), names)


def number_columns(source: Source, layout: Layout) -> tuple[int, ...]:
    """Which columns hold numbers, judged by the first rows."""
    lines = [line for line in source.head.decode("utf-8", "replace").splitlines() if line.strip()]
    first = 0 if layout.header is None else 1
    rows = list(csv.reader(lines[first : first + _LOOKED_AT], delimiter=layout.delimiter))
    if len(source.head) >= HEAD_BYTES and len(rows) > 1:
        rows.pop()  # perhaps cut
    columns = ([row[k] for row in rows if len(row) > k] for k in range(layout.width))
    return tuple(k for k, fields in enumerate(columns) if _are_numbers(fields))


def _are_numbers(fields: list[str]) -> bool:
    filled = [field.strip().replace(",", "") for field in fields if field.strip()]
    return bool(filled) and all(_NUMBER.fullmatch(field) for field in filled)


def rows_of(source: Source, layout: Layout) -> Iterator[Rows]:
    """The rows of data, block by block; blank lines are passed over and counted as lines."""
    lines = 0
    header = layout.header is not None
    read = 0
    for block in source.blocks():
        read += len(block)
        if b'"' in block:
            block = _unquoted(block, layout.delimiter)
            if not block:
                continue  # nothing but a quote
        rows, count = _split(block, layout.delimiter, lines)
        if header and rows.starts.size:
            rows = Rows(rows.data, rows.delimiters, rows.starts[1:], rows.ends[1:], rows.line[1:])
            header = False
        lines += count
        if rows.starts.size:
            yield replace(rows, share=source.share(read))


def _split(block: bytes, delimiter: str, lines_before: int) -> tuple[Rows, int]:
    data = np.frombuffer(block, dtype=np.uint8)
    breaks = np.flatnonzero(data == ord("\n"))
    starts = np.concatenate((np.zeros(1, dtype=np.int64), breaks + 1))
    ends = np.append(breaks, data.size)
    ends = ends - ((ends > starts) & (data[np.maximum(ends - 1, 0)] == ord("\r")))
    line = np.arange(starts.size) + lines_before + 1
    full = ends > starts
    delimiters = np.flatnonzero(data == ord(delimiter))
    return Rows(data, delimiters, starts[full], ends[full], line[full]), breaks.size


def _cut(padded: Bytes, start: Index, end: Index) -> Fields:
    """The bytes between `start` and `end` of each row, blanks around them left out.

    Parameters
    ----------
    padded : array of uint8. The data with `WIDEST` zeros behind it.
    """
    blank = ord(" ")
    if ((padded[start] == blank) | (padded[end - 1] == blank)).any():
        start, end = start.copy(), end.copy()
        while (inside := (start < end) & (padded[start] == blank)).any():
            start += inside
        while (inside := (start < end) & (padded[end - 1] == blank)).any():
            end -= inside
    length = np.minimum(end - start, WIDEST)
    width = max(int(length.max(initial=0)), 1)
    # The bytes of a field as one item, at every place of the data: a row is then one copy.
    items = np.ndarray((padded.size - width + 1,), dtype=f"V{width}", buffer=padded, strides=(1,))
    text = items[start].view(np.uint8).reshape(-1, width)
    if int(length.min(initial=width)) < width:
        text[np.arange(width) >= length[:, None]] = 0
    return Fields(text, length)


def _unquoted(block: bytes, delimiter: str) -> bytes:
    """The same lines without quotes: what they protected is no delimiter, line ends stay."""
    text = block.decode("utf-8", "replace")
    lines, mark = [], _PROTECTED[delimiter]
    for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
        inside = sum(field.count("\n") for field in row)
        fields = (re.sub(r"[\r\n]", " ", field.replace(delimiter, mark)) for field in row)
        lines.append(delimiter.join(fields) + "\n" * (1 + inside))
    joined = "".join(lines)
    return (joined if text.endswith("\n") else joined.removesuffix("\n")).encode()
