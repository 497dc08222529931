"""A file of traffic as bytes: plain or packed, told by its first bytes and not by its name."""

import bz2
import gzip
import io
import json
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any, Final, cast

from traces.errors import Problem, TraceError
from traces.formats._options import Options

HEAD_BYTES: Final = 65_536
# Text is parsed in blocks of this size, so that a long file costs its arrays and little more.
BLOCK_BYTES: Final = 1 << 22
# A longer line is no row, and a longer JSON document no result of a query: neither is held.
LINE_BYTES: Final = 1 << 26
_PIECE_BYTES: Final = 1 << 20
DOCUMENT_BYTES: Final = 1 << 29

# How each wrapper begins, what it is called, and what opens it.
_WRAPPERS: Final[Mapping[bytes, tuple[str, Callable[[str], object]]]] = MappingProxyType(
    {
        b"\x1f\x8b": ("gzip", gzip.open),
        b"BZh": ("bzip2", bz2.open),
        b"\xfd7zXZ\x00": ("xz", lzma.open),
    }
)
_OTHER_WRAPPERS: Final = {
    b"\x28\xb5\x2f\xfd": "zstd",
    b"Rar!\x1a\x07": "RAR",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
}
_LFS: Final = b"version https://git-lfs"
_BOM: Final = b"\xef\xbb\xbf"


class Source:
    """A file, its first bytes once unwrapped, and ways to read the rest.

    Parameters
    ----------
    path : str or path. The file.
    options : Options. How the caller wants it read.

    Attributes
    ----------
    path : str. The file, for messages.
    options : Options. As given.
    head : bytes. Its first bytes, unwrapped, without a byte-order mark.
    columns : tuple of str. Names of its columns, where it has no header and they are known.
    note : str. What was done to read it, for the report.

    Raises
    ------
    TraceError
        Empty, truncated, wrapped in something that is not unwrapped, a Git LFS pointer, a web
        page, no file at all.
    OSError
        The file cannot be opened.
    """

    columns: tuple[str, ...] = ()
    note: str = ""

    def __init__(self, path: str | Path, options: Options) -> None:
        self.path, self.options = str(path), options
        options.check(self.path)
        if not stat.S_ISREG(os.stat(path).st_mode):
            # It is read more than once, and opening a pipe that nobody writes to never ends.
            raise self.refuse("a pipe, a device or a socket", "a file: write it into one first")
        with open(path, "rb") as file:
            magic = file.read(8)
        wrapped = [about for start, about in _WRAPPERS.items() if magic.startswith(start)]
        self._wrapper = wrapped[0][0] if wrapped else ""
        self._unwrap = wrapped[0][1] if wrapped else None
        with self._open() as stream:
            head = self._read(stream, HEAD_BYTES)
        self.head = head.removeprefix(_BOM)
        self._refuse_strangers(magic)

    def refuse(self, what: str, expected: str | None = None) -> TraceError:
        """An error about the file as a whole."""
        return TraceError(self.path, Problem(what, expected))

    def whole(self) -> IO[bytes]:
        """The content, unwrapped, as something that can be sought in."""
        if self._unwrap is None:
            return open(self.path, "rb")
        with self._open() as stream:
            return io.BytesIO(self._read(stream, -1))

    def blocks(self) -> Iterator[bytes]:
        """The content in blocks that end where a line ends."""
        rest = b""
        with self._open() as stream:
            first = True
            while block := self._read(stream, BLOCK_BYTES):
                if first:
                    block, first = block.removeprefix(_BOM), False
                cut = block.rfind(b"\n") + 1
                if cut:
                    yield rest + block[:cut]
                    rest = block[cut:]
                else:
                    rest += block
                    if len(rest) > LINE_BYTES:
                        what = f"a line of more than {LINE_BYTES:,} bytes"
                        raise self.refuse(what, "one row a line")
        if rest:
            yield rest

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines that are not blank, with their numbers from 1."""
        before = 0
        for block in self.blocks():
            found = block.split(b"\n")
            for number, line in enumerate(found, before + 1):
                if line and not line.isspace():
                    yield number, line
            before += len(found) - 1

    @property
    def zipped(self) -> bool:
        """Whether the file is a packed stream."""
        return self._unwrap is not None

    def share(self, read: int) -> float:
        """How much of the file so many bytes of its content are; 0 of a packed one."""
        if self.zipped:
            return 0.0
        return min(read / max(os.path.getsize(self.path), 1), 1.0)

    def document(self) -> Any:
        """The content as one JSON document.

        Raises
        ------
        TraceError
            It is none, naming line and column, or is larger than memory should hold.
        """
        parts: list[bytes] = []
        size = 0
        with self._open() as stream:
            # Piece by piece: a file object sets aside as much as it is asked for.
            while size <= DOCUMENT_BYTES and (part := self._read(stream, _PIECE_BYTES)):
                parts.append(part)
                size += len(part)
        content = b"".join(parts)
        if len(content) > DOCUMENT_BYTES:
            raise self.refuse(f"a JSON document of more than {DOCUMENT_BYTES:,} bytes", "less")
        try:
            return json.loads(content.removeprefix(_BOM))
        except json.JSONDecodeError as error:
            problem = Problem(
                f"not JSON from column {error.colno} on ({error.msg})",
                "one whole JSON document",
                line=error.lineno,
            )
            raise TraceError(self.path, problem) from None
        except (ValueError, RecursionError) as error:
            raise self.refuse(f"not JSON ({error})", "one whole JSON document") from None

    def _open(self) -> IO[bytes]:
        if self._unwrap is not None:
            return cast(IO[bytes], self._unwrap(self.path))
        return open(self.path, "rb")

    def _read(self, stream: IO[bytes], size: int) -> bytes:
        try:
            return stream.read(size)
        except EOFError:
            what = f"the {self._wrapper} stream ends before its end mark: the file is truncated"
            raise self.refuse(what, "a whole file") from None
        except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
            what = f"the {self._wrapper} stream is damaged ({error})"
            raise self.refuse(what, "a whole file") from None
        except OSError as error:
            if self._unwrap is None or error.errno is not None:
                raise
            what = f"the {self._wrapper} stream is damaged ({error})"
            raise self.refuse(what, "a whole file") from None

    def _refuse_strangers(self, magic: bytes) -> None:
        for start, name in _OTHER_WRAPPERS.items():
            if magic.startswith(start):
                expected = "plain, gzip, bzip2 or xz: unpack it first"
                raise self.refuse(f"packed with {name}", expected)
        if self.head.startswith(_LFS):
            raise self.refuse(
                "a Git LFS pointer, not the file it stands for", "the content (git lfs pull)"
            )
        start_of_text = self.head.lstrip()[:512].lower()
        if not start_of_text:
            raise self.refuse("the file is empty", "at least one request")
        if start_of_text.startswith((b"<!doctype", b"<html", b"<?xml")):
            raise self.refuse("a web page, not a trace", "the file that the page links to")
