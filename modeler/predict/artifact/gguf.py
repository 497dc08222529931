"""GGUF: key-values, then a table of tensors, then their blocks.

Source: ggml docs/gguf.md. Block bytes and block sizes of the quantised types are those of the gguf
package 0.19.
"""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import Any, Final

from modeler.predict.artifact.bytes_source import ArtifactError, Bytes, Cursor
from modeler.predict.artifact.contents import MOST_ELEMENTS, Contents

MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
# Tokenizers make metadata of some megabytes.
_MOST: Final = 256_000_000
_MOST_TENSORS: Final = 100_000
_MOST_DIMENSIONS: Final = 8
_ARRAY, _STRING = 9, 8
_SCALARS: Final = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
_LEAST_ENTRY: Final = {_STRING: 8, _ARRAY: 12}
# Type's number to name, elements of a block and bytes of it.
_TYPES: Final = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 36),
    10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66),
    17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4),
    27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
}  # fmt: skip
_NAMES: Final = {"F32": "fp32", "F16": "fp16", "BF16": "bf16", "F64": "fp64"}
_KEPT: Final = ("general.architecture", "general.name", "general.alignment", "split.count")


def read(source: Bytes) -> Contents:
    """Tensors of one file.

    Raises
    ------
    ArtifactError
        Another version, counts or lengths that the file cannot hold, a type that is not known.
    """
    cursor = Cursor(source, most=_MOST)
    if cursor.take(4) != MAGIC:
        raise ArtifactError(source.name, "does not begin with GGUF")
    (version,) = struct.unpack("<I", cursor.take(4))
    if version not in _VERSIONS:
        raise ArtifactError(source.name, f"GGUF version {version}: 2 and 3 are read")
    tensors, pairs = struct.unpack("<QQ", cursor.take(16))
    if tensors > _MOST_TENSORS or pairs > _MOST_TENSORS:
        raise ArtifactError(
            source.name, f"announces {tensors:,} tensors and {pairs:,} keys: more than is believed"
        )
    facts: dict[str, Any] = {}
    for _ in range(pairs):
        name = _string(cursor)
        (kind,) = struct.unpack("<I", cursor.take(4))
        value = _value(cursor, kind)
        if name in _KEPT:
            facts[name] = value
    elements: dict[str, int] = {}
    total = 0
    places: list[tuple[int, int, str]] = []
    for _ in range(tensors):
        name = _string(cursor)
        (dimensions,) = struct.unpack("<I", cursor.take(4))
        if dimensions > _MOST_DIMENSIONS:
            raise ArtifactError(source.name, f'tensor "{name[:80]}" has {dimensions:,} dimensions')
        shape = struct.unpack(f"<{dimensions}Q", cursor.take(8 * dimensions))
        kind, offset = struct.unpack("<IQ", cursor.take(12))
        count, size, dtype = _tensor(source, name, shape, kind)
        elements[dtype] = elements.get(dtype, 0) + count
        total += size
        places.append((offset, offset + size, name))
        if offset + size > source.size:
            raise ArtifactError(
                source.name,
                f'tensor "{name[:80]}" ends {offset + size:,} bytes after the header of a file of '
                f"{source.size:,}: truncated?",
            )
    for (_, end, name), (begin, _, other) in pairwise(sorted(places)):
        if begin < end:
            raise ArtifactError(
                source.name, f'tensors "{name[:80]}" and "{other[:80]}" overlap at {begin:,}'
            )
    if cursor.at + total > source.size:
        raise ArtifactError(
            source.name,
            f"holds {total:,} bytes of tensors by its header and is {source.size:,} long: "
            "truncated?",
        )
    notes: tuple[str, ...] = ()
    if int(facts.get("split.count") or 1) > 1:
        notes = (f"one of {facts['split.count']} files of a split model",)
    return Contents("gguf", sum(elements.values()), total, elements, tensors, facts=facts,
                    notes=notes)  # fmt: skip


def _tensor(source: Bytes, name: str, shape: tuple[int, ...], kind: int) -> tuple[int, int, str]:
    if kind not in _TYPES:
        raise ArtifactError(source.name, f'tensor "{name[:80]}": type {kind} is not known')
    dtype, block, size = _TYPES[kind]
    count = 1
    for n in shape:
        count *= n
        if count > MOST_ELEMENTS:
            raise ArtifactError(source.name, f'tensor "{name[:80]}": too many elements {shape}')
    return count, -(-count // block) * size, _NAMES.get(dtype, dtype)


def _string(cursor: Cursor) -> str:
    (length,) = struct.unpack("<Q", cursor.take(8))
    return cursor.take(length).decode("utf-8", errors="replace")


def _value(cursor: Cursor, kind: int, depth: int = 0) -> Any:
    """One value; of arrays nothing is kept."""
    if kind in _SCALARS:
        raw = cursor.take(_SCALARS[kind])
        return int.from_bytes(raw, "little") if kind not in (6, 12) else None
    if kind == _STRING:
        return _string(cursor)
    if kind != _ARRAY or depth > 2:
        raise ArtifactError(cursor.source.name, f"value of type {kind} is not known")
    inner, count = struct.unpack("<IQ", cursor.take(12))
    width = _SCALARS.get(inner)
    if width is not None:
        cursor.skip(count * width)
        return None
    if count * _LEAST_ENTRY.get(inner, 1) > cursor.source.size:
        raise ArtifactError(cursor.source.name, f"an array of {count:,} entries does not fit")
    for _ in range(count):
        _value(cursor, inner, depth + 1)
    return None
