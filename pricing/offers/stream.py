"""JSON read piece by piece: a price list of hundreds of megabytes in a few of memory.

Only the outer braces are walked here; what lies between them is decoded by the standard library,
one value at a time. Numbers stay text, so that a price keeps every digit it was written with.
"""

import codecs
import gzip
import zlib
from collections.abc import Callable, Iterator
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any, BinaryIO, Final

from pricing.errors import OfferError

# Read at once. [bytes]
_PIECE_BYTES: Final = 1 << 20
# The largest single value that is decoded whole; a product of a price list has some 2,000. [chars]
MOST_CHARS: Final = 64 << 20
# An error this near to the end of what was read may only be a value that goes on. [chars]
_NEAR_END: Final = 16
_SPACE: Final = " \t\r\n"
_GZIP: Final = b"\x1f\x8b"

_decode: Final = JSONDecoder(parse_float=str, parse_int=str, parse_constant=str).raw_decode


class Scanner:
    """Where one is in a JSON text; the text before is forgotten.

    Parameters
    ----------
    read : callable. Gives the next piece of text, empty at the end.
    name : str. What to call the text in errors.
    """

    def __init__(self, read: Callable[[], str], name: str) -> None:
        self._read, self.name = read, name
        self._text, self._at, self._passed, self._ended = "", 0, 0, False

    def peek(self) -> str:
        """The next character that is not space; empty at the end."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def value(self) -> Any:
        """The next value, whole: numbers as text."""
        self.peek()
        while True:
            try:
                found, end = _decode(self._text, self._at)
            except JSONDecodeError as error:
                goes_on = error.msg.startswith("Unterminated") or (
                    error.pos >= len(self._text) - _NEAR_END
                )
                if not goes_on or not self._more():
                    raise self.wrong(error.msg, error.pos) from None
            except RecursionError:
                raise self.wrong("nested too deeply") from None
            else:
                # A number that ends with the piece may go on in the next.
                if end < len(self._text) or self._text[end - 1] in '"]}' or not self._more():
                    self._at = end
                    return found

    def members(self) -> Iterator[str]:
        """Keys of the object that begins here; the caller takes each value before the next."""
        self._take("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            if self.peek() != '"':
                raise self.wrong("a key expected")
            key = str(self.value())
            self._take(":")
            yield key
            if self._take(",}") == "}":
                return

    def elements(self) -> Iterator[None]:
        """Stops before each element of the array that begins here; the caller takes it."""
        self._take("[")
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield None
            if self._take(",]") == "]":
                return

    def wrong(self, problem: str, at: int | None = None) -> OfferError:
        """An error that names the text and the character."""
        where = self._passed + (self._at if at is None else at)
        end = self._passed + len(self._text)
        over = "; the text ends there" if self._ended and where >= end - _NEAR_END else ""
        return OfferError(self.name, f"character {where:,}: {problem}{over}")

    def _take(self, one_of: str) -> str:
        found = self.peek()
        if not found or found not in one_of:
            raise self.wrong(" or ".join(one_of) + " expected")
        self._at += 1
        return found

    def _more(self) -> bool:
        """Read on, at least as much as is kept: a long value is not decoded again and again."""
        if self._ended:
            return False
        kept = self._text[self._at :]
        if len(kept) > MOST_CHARS:
            raise self.wrong(f"a single value of more than {MOST_CHARS:,} characters")
        pieces = [kept]
        wanted = max(len(kept), 1)
        while wanted > 0:
            piece = self._read()
            if not piece:
                self._ended = True
                break
            pieces.append(piece)
            wanted -= len(piece)
        self._passed += self._at
        self._text, self._at = "".join(pieces), 0
        return len(self._text) > len(kept)


def scan_text(text: str, name: str) -> Scanner:
    """A scanner over text that is at hand."""
    pieces = iter((text,))
    return Scanner(lambda: next(pieces, ""), name)


def scan_file(path: Path, file: BinaryIO) -> Scanner:
    """A scanner over an open file, plain or gzipped, in UTF-8.

    Parameters
    ----------
    path : Path. What to call it.
    file : binary file. At its beginning.
    """
    start = file.read(2)
    file.seek(0)
    source: Any = gzip.GzipFile(fileobj=file) if start == _GZIP else file
    decoder = codecs.getincrementaldecoder("utf-8-sig")()

    def read() -> str:
        while True:
            try:
                data = source.read(_PIECE_BYTES)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise OfferError(str(path), f"does not unpack: {error}") from error
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise OfferError(str(path), f"is not UTF-8: {error.reason}") from error
            if text or not data:
                return text

    return Scanner(read, str(path))
