"""Pickles and joblib files: their size and what they name, never unpickled."""

from __future__ import annotations

import pickletools
from typing import Final

from modeler.predict.artifact.bytes_source import Bytes
from modeler.predict.artifact.contents import Contents

_WINDOW: Final = 1_000_000
_MOST_NAMES: Final = 12
# First bytes of the compressions that joblib writes.
_PACKED: Final = {
    b"\x1f\x8b": "gzip", b"BZ": "bz2", b"\xfd7": "xz", b"\x04\x22": "lz4", b"\x28\xb5": "zstd",
    b"x\x01": "zlib", b"x\x5e": "zlib", b"x\x9c": "zlib", b"x\xda": "zlib", b"ZF": "zlib",
}  # fmt: skip


def looks_like(head: bytes) -> bool:
    """Protocol 2 and later begin with 0x80 and the protocol; joblib may be compressed."""
    return (len(head) > 1 and head[0] == 0x80 and 2 <= head[1] <= 5) or head[:2] in _PACKED


def read(source: Bytes) -> Contents:
    """What the beginning of a pickle names.

    The file's bytes are all that can be said safely of its weights.
    """
    head = source.read(0, 2)
    if head in _PACKED:
        note = (
            f"compressed by {_PACKED[head]}: in memory 3 to 5 times its bytes, by measured forests"
        )
        return Contents("joblib", facts={"compression": _PACKED[head]}, notes=(note,))
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
    facts: dict[str, object] = {"names": tuple(dict.fromkeys(names))}
    note = "a pickle is not opened: its bytes are taken as the model's"
    return Contents("pickle", memory_bytes=source.size, facts=facts, notes=(note,))
