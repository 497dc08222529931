"""Pickles and joblib files: their size and what they name, never unpickled."""

from __future__ import annotations

import bz2
import lzma
import pickletools
import zlib
from typing import Any, Final

from modeler.predict.artifact.bytes_source import MOST_FREE, MOST_RATIO, ArtifactError, Bytes
from modeler.predict.artifact.contents import Contents

SUFFIXES: Final = (".pkl", ".pickle", ".joblib")
_WINDOW: Final = 1_000_000
_STEP: Final = 1_000_000
_MOST_PACKED: Final = 200_000_000  # unpacked to count what comes out, some seconds [bytes]
_MOST_NAMES: Final = 12
_STOP: Final = b"."
# First bytes of the compressions that joblib writes.
_PACKED: Final = {
    b"\x1f\x8b\x08": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x5d\x00\x00": "lzma",
    b"\x04\x22\x4d\x18": "lz4", b"\x28\xb5\x2f\xfd": "zstd",
    b"x\x01": "zlib", b"x\x5e": "zlib", b"x\x9c": "zlib", b"x\xda": "zlib",
}  # fmt: skip


def looks_like(head: bytes) -> bool:
    """Protocol 2 and later begin with 0x80 and the protocol; joblib may be compressed."""
    return _begins(head) or _packing(head) is not None


def _begins(head: bytes) -> bool:
    return len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5


def _packing(head: bytes) -> str | None:
    """The compression, where what comes out begins as a pickle or cannot be looked at."""
    found = next((name for magic, name in _PACKED.items() if head.startswith(magic)), None)
    if found in (None, "lz4", "zstd"):
        return found
    unpack: Any = {
        "gzip": lambda: zlib.decompressobj(wbits=31),
        "zlib": zlib.decompressobj,
        "bz2": bz2.BZ2Decompressor,
    }.get(found or "", lambda: lzma.LZMADecompressor(memlimit=1 << 28))
    try:
        inner: bytes = unpack().decompress(head, 16)
    except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, MemoryError):
        return None
    # A block of bz2 is longer than what was looked at, and gives nothing yet.
    return found if _begins(inner) or not inner else None


def _unpacked(source: Bytes) -> int:
    """Bytes that come out of zlib or gzip, none of them kept.

    Raises
    ------
    ArtifactError
        Damaged, truncated, or one that swells without end.
    """
    unpack = zlib.decompressobj(wbits=47)  # either header
    size = at = 0
    try:
        while at < source.size and not unpack.eof:
            some = source.read(at, _STEP)
            at += len(some)
            while some and not unpack.eof:
                size += len(unpack.decompress(some, _STEP))
                some = unpack.unconsumed_tail
                if size > MOST_FREE + MOST_RATIO * at:
                    raise ArtifactError(
                        source.name, f"unpacks to more than {MOST_RATIO} times its bytes"
                    )
    except zlib.error as error:
        raise ArtifactError(source.name, f"damaged within: {error}") from error
    if not unpack.eof:
        raise ArtifactError(source.name, "its compressed bytes have no end: truncated?")
    return size


def is_old(source: Bytes) -> bool:
    """Whether it is a pickle of protocol 0 or 1, which begin with any operation."""
    if source.size > _WINDOW:
        return False
    try:
        return any(op.name == "STOP" for op, _, _ in pickletools.genops(source.read(0, _WINDOW)))
    except Exception:  # pickletools raises what the operations' readers raise
        return False


def read(source: Bytes) -> Contents:
    """What the beginning of a pickle names.

    The file's bytes are all that can be said safely of its weights.

    Raises
    ------
    ArtifactError
        A pickle of scikit-learn or joblib, by its suffix, without an end; or as `_unpacked` says.
    """
    packing = _packing(source.read(0, min(4096, source.size)))
    if packing in ("zlib", "gzip") and source.size <= _MOST_PACKED:
        size = _unpacked(source)
        note = f"compressed by {packing}: {size:,} bytes unpacked are taken as the model's"
        facts: dict[str, object] = {"compression": packing, "unpacked_bytes": size}
        return Contents("joblib", memory_bytes=size, facts=facts, notes=(note,))
    if packing is not None:
        note = f"compressed by {packing}: in memory 3 to 5 times its bytes, by measured forests"
        return Contents("joblib", facts={"compression": packing}, notes=(note,))
    # Torch's older files go on behind the pickle.
    if source.name.lower().endswith(SUFFIXES) and source.read(source.size - 1, 1) != _STOP:
        raise ArtifactError(
            source.name, 'a pickle that does not end with its last operation ".": truncated?'
        )
    names: list[str] = []
    texts: list[str] = []
    window = source.read(0, min(_WINDOW, source.size))
    try:
        for operation, argument, _ in pickletools.genops(window):
            if operation.name == "GLOBAL":
                names.append(str(argument).replace(" ", "."))
            elif operation.name == "STACK_GLOBAL" and len(texts) >= 2:
                names.append(f"{texts[-2]}.{texts[-1]}")
            elif isinstance(argument, str):
                texts.append(argument)
                del texts[:-4]
            if len(names) >= _MOST_NAMES:
                break
    except Exception:
        pass
    facts = {"names": tuple(dict.fromkeys(names))}
    note = "a pickle is not opened: its bytes are taken as the model's"
    return Contents("pickle", memory_bytes=source.size, facts=facts, notes=(note,))
