"""Bytes of an artifact, read in parts: a local file, or an object in S3 by ranged requests.

Nothing is read whole. A reader asks for what it needs, and what it asks for is bounded by the
file's own size and by `MOST_AT_ONCE`, whatever a header claims.
"""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from modeler.predict.printable import printable

# Largest single read: a header of a format, never weights. safetensors allows 100 MB. [bytes]
MOST_AT_ONCE: Final = 100_000_000
# Largest sum of what is brought over the network for one source: trees and archives have to be
# read whole. [bytes]
MOST_OVER_NETWORK: Final = 256_000_000
_BLOCK: Final = 131_072  # one ranged request; most headers fit into it [bytes]
_KEPT_BLOCKS: Final = 64
# Weights hardly compress; text does by ten. Beyond this, and beyond some bytes, it is a bomb.
MOST_RATIO: Final = 200
MOST_FREE: Final = 64_000_000
_SAID: Final = 400  # letters of a message


class ArtifactError(Exception):
    """An artifact that is not what it says it is.

    Attributes
    ----------
    file : str. Its name.
    problem : str. What is wrong with it.
    """

    exit_code: Final = 2

    def __init__(self, file: str, problem: str) -> None:
        # Names in a file may be of any bytes, and libraries quote as many as they like.
        problem = printable(problem[:_SAID]) + ("..." if len(problem) > _SAID else "")
        super().__init__(file, problem)
        self.file, self.problem = file, problem

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


class TooFar(Exception):
    """More would have to come over the network than is worth a count."""


class Bytes(Protocol):
    """Bytes with a name and a size."""

    @property
    def name(self) -> str:
        """A path or an address."""

    @property
    def size(self) -> int:
        """[bytes]"""

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes from an offset on; fewer at the end."""


@dataclass
class Traffic:
    """What was asked for over the network.

    Parameters
    ----------
    requests : int.
    bytes : int. Received. [bytes]
    """

    requests: int = 0
    bytes: int = 0


class LocalBytes:
    """A file on this machine.

    Raises
    ------
    ArtifactError : it is no regular file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        status = self._path.stat()
        if not stat.S_ISREG(status.st_mode):  # a pipe would be waited for without end
            raise ArtifactError(str(path), "not a regular file: a pipe, a socket or a device")
        self._size = status.st_size

    @property
    def name(self) -> str:
        """Its path."""
        return str(self._path)

    @property
    def size(self) -> int:
        """[bytes]"""
        return self._size

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes from an offset on; fewer at the end."""
        _check(self, offset, length)
        with self._path.open("rb") as file:
            file.seek(offset)
            return _whole(self, file.read(length), offset, length)


@dataclass
class S3Bytes:
    """An object in S3, read by blocks that are kept for a while.

    Parameters
    ----------
    client : a boto3 S3 client.
    bucket, key : str.
    length : int. Its size. [bytes]
    traffic : Traffic. Shared by all objects of a source.
    """

    client: Any
    bucket: str
    key: str
    length: int
    traffic: Traffic = field(default_factory=Traffic)
    _blocks: dict[int, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its address."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def size(self) -> int:
        """[bytes]"""
        return self.length

    def read(self, offset: int, length: int) -> bytes:
        """So many bytes from an offset on; fewer at the end."""
        _check(self, offset, length)
        length = min(length, self.size - offset)
        if length <= 0:
            return b""
        first, last = offset // _BLOCK, (offset + length - 1) // _BLOCK
        if last - first > 1:  # long: in one request, and not kept
            return self._get(offset, length)
        content = b"".join(self._block(number) for number in range(first, last + 1))
        start = offset - first * _BLOCK
        return content[start : start + length]

    def _block(self, number: int) -> bytes:
        if number not in self._blocks:
            if len(self._blocks) >= _KEPT_BLOCKS:
                self._blocks.pop(next(iter(self._blocks)))
            start = number * _BLOCK
            self._blocks[number] = self._get(start, min(_BLOCK, self.size - start))
        return self._blocks[number]

    def _get(self, offset: int, length: int) -> bytes:
        if self.traffic.bytes + length > MOST_OVER_NETWORK:
            raise TooFar
        span = f"bytes={offset}-{offset + length - 1}"
        answer = self.client.get_object(Bucket=self.bucket, Key=self.key, Range=span)
        content: bytes = answer["Body"].read(length)  # an endpoint may not heed the range
        self.traffic.requests += 1
        self.traffic.bytes += len(content)
        return _whole(self, content, offset, length)


def _check(source: Bytes, offset: int, length: int) -> None:
    if length > MOST_AT_ONCE:
        raise ArtifactError(
            source.name, f"asks for {length:,} bytes at once, at most {MOST_AT_ONCE:,} are read"
        )
    if offset < 0 or length < 0:
        raise ArtifactError(source.name, f"asks for bytes {offset:,} to {offset + length:,}")


def _whole(source: Bytes, content: bytes, offset: int, length: int) -> bytes:
    """The same, of the length that the size promised."""
    expected = max(min(length, source.size - offset), 0)
    if len(content) < expected:
        raise ArtifactError(
            source.name,
            f"{len(content):,} bytes came of {expected:,} from byte {offset:,}: it changed while "
            "it was read",
        )
    return content


class Stream(io.RawIOBase):
    """Bytes as a file that can be searched, for libraries that want one."""

    def __init__(self, source: Bytes) -> None:
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Bytes from here on."""
        left = max(self._source.size - self._at, 0)
        wanted = left if size is None or size < 0 else min(size, left)
        content = self._source.read(self._at, wanted)
        self._at += len(content)
        return content

    def readinto(self, buffer: Any) -> int:
        """As `read`, into a buffer."""
        content = self.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


class Cursor:
    """A place in an artifact whose metadata is read forward, with a bound on all of it."""

    def __init__(self, source: Bytes, at: int = 0, most: int = MOST_AT_ONCE) -> None:
        self.source, self.at = source, at
        self._most, self._read = most, 0
        self._held = b""
        self._held_at = at

    def take(self, length: int) -> bytes:
        """The next bytes.

        Raises
        ------
        ArtifactError
            The file ends before, or its metadata is longer than the bound.
        """
        if length < 0 or self.at + length > self.source.size:
            raise ArtifactError(
                self.source.name,
                f"ends at byte {self.source.size:,}, where {length:,} more are announced after "
                f"byte {self.at:,}: truncated?",
            )
        self._read += length
        if self._read > self._most:
            raise ArtifactError(self.source.name, f"has more than {self._most:,} bytes of metadata")
        start = self.at - self._held_at
        if start < 0 or start + length > len(self._held):
            self._held = self.source.read(self.at, max(length, min(_BLOCK, MOST_AT_ONCE)))
            self._held_at, start = self.at, 0
        self.at += length
        return self._held[start : start + length]

    def skip(self, length: int) -> None:
        """Go on without reading.

        Raises
        ------
        ArtifactError : beyond the end.
        """
        if length < 0 or self.at + length > self.source.size:
            raise ArtifactError(
                self.source.name,
                f"ends at byte {self.source.size:,}, where {length:,} more are announced after "
                f"byte {self.at:,}: truncated?",
            )
        self.at += length
