"""``model.tar.gz``: its members and their bytes, unpacked in passing and never written."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from typing import Any, Final

from modeler.predict.artifact.bytes_source import (
    MOST_FREE,
    MOST_RATIO,
    ArtifactError,
    Bytes,
    Stream,
)
from modeler.predict.artifact.contents import Contents

_MOST_READ: Final = 16_000_000  # by the archive's own headers at once
_MOST_MEMBERS: Final = 1_000_000
_GZIP: Final = b"\x1f\x8b"


class _Guarded:
    """A stream that counts what comes out of it against what went in."""

    def __init__(self, inner: Any, source: Bytes, compressed: Stream) -> None:
        self._inner, self._source, self._compressed = inner, source, compressed
        self.unpacked = 0

    def read(self, size: int) -> bytes:
        """So many bytes; refuses headers of megabytes and archives that swell."""
        if size > _MOST_READ:
            raise ArtifactError(
                self._source.name, f"a header in it announces {size:,} bytes: not believed"
            )
        content: bytes = self._inner.read(size)
        self.unpacked += len(content)
        if self.unpacked > MOST_FREE + MOST_RATIO * self._compressed.tell():
            raise ArtifactError(
                self._source.name,
                f"unpacks to more than {MOST_RATIO} times its bytes: not read on",
            )
        return content


def read(source: Bytes) -> Contents:
    """Members of an archive, packed by gzip or plain.

    Raises
    ------
    ArtifactError
        Damaged, truncated, a member that leads out of it, or one that swells without end.
    """
    compressed = Stream(source)
    packed = source.read(0, 2) == _GZIP
    inner: Any = gzip.GzipFile(fileobj=compressed, mode="rb") if packed else compressed
    guarded = _Guarded(inner, source, compressed)
    total = members = 0
    try:
        with tarfile.open(fileobj=guarded, mode="r|") as archive:  # type: ignore[call-overload]
            for member in archive:
                members += 1
                _check(source, member)
                if members > _MOST_MEMBERS:
                    raise ArtifactError(source.name, f"more than {_MOST_MEMBERS:,} members")
                total += member.size if member.isreg() else 0
                archive.members = []
    except ArtifactError:
        raise
    except (
        tarfile.TarError, EOFError, OSError, zlib.error, ValueError, OverflowError, RecursionError,
        UnicodeDecodeError, AttributeError, IndexError, MemoryError,
    ) as error:  # fmt: skip
        kind = "tar.gz" if packed else "tar"
        raise ArtifactError(source.name, f"no whole {kind}: {error}") from error
    if not members:
        raise ArtifactError(source.name, "an archive without members")
    facts = {"members": members, "unpacked_bytes": total}
    note = f"{members} members, {total:,} bytes unpacked: what has to be loaded"
    return Contents(
        "tar.gz" if packed else "tar", tensor_bytes=total, memory_bytes=total, facts=facts,
        notes=(note,),
    )  # fmt: skip


def _check(source: Bytes, member: tarfile.TarInfo) -> None:
    for name in (member.name, member.linkname if member.issym() or member.islnk() else ""):
        if name.startswith("/") or ".." in name.split("/"):
            raise ArtifactError(source.name, f'member "{name[:80]}" leads out of the archive')
    if member.issparse():
        raise ArtifactError(source.name, f'member "{member.name[:80]}" is sparse: not read')
    if member.size < 0:
        raise ArtifactError(source.name, f'member "{member.name[:80]}" has {member.size} bytes')
