"""TensorFlow SavedModel and checkpoints: the index of their variables, without TensorFlow.

``variables.index`` is a sorted table of the LevelDB kind: a footer with the place of an index
block, blocks of entries whose keys share prefixes (TensorFlow tensor_bundle and table format.h). A
value is a BundleEntryProto: dtype 1, shape 2 with dim 2 and its size 1, shard 3, offset 4, size 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modeler.predict.artifact.bytes_source import ArtifactError, Bytes
from modeler.predict.artifact.contents import MOST_ELEMENTS, Contents

SUFFIX: Final = ".index"
_MAGIC: Final = bytes.fromhex("57fb808b247547db")
_FOOTER: Final = 48
_MOST_BLOCK: Final = 32_000_000
_TRAILER: Final = 5  # of a block: its compression and its checksum [bytes]
_MOST_ENTRIES: Final = 5_000_000
# DataType of TensorFlow's types.proto, with bytes.
_TYPES: Final = {
    1: ("fp32", 4), 2: ("fp64", 8), 3: ("int32", 4), 4: ("uint8", 1), 5: ("int16", 2),
    6: ("int8", 1), 9: ("int64", 8), 10: ("bool", 1), 14: ("bf16", 2), 17: ("uint16", 2),
    19: ("fp16", 2), 22: ("uint32", 4), 23: ("uint64", 8), 24: ("fp8", 1), 25: ("fp8", 1),
}  # fmt: skip
_STRING: Final = 7
# Kept beside the weights for training on, or to count saves; a served model loads the first two too
# but they are no parameters.
_NO_PARAMETERS: Final = ("/.OPTIMIZER_SLOT/", "optimizer/", "save_counter/", "_CHECKPOINTABLE_")
# The export of Keras 3 writes every variable a second time under this name (seen with 3.15).
_COPIES: Final = "_all_variables/"


def is_index(source: Bytes) -> bool:
    """Whether a file ends as such a table does."""
    if source.size < _FOOTER:
        return False
    return source.read(source.size - 8, 8) == _MAGIC


def read(source: Bytes) -> Contents:
    """Variables of a model by their index.

    Raises
    ------
    ArtifactError
        Compressed, truncated, or entries that do not lie in their block.
    """
    try:
        return _read(source)
    except (IndexError, UnicodeDecodeError, OverflowError) as error:
        raise ArtifactError(source.name, f"no whole index of variables: {error}") from error


def _read(source: Bytes) -> Contents:
    footer = source.read(source.size - _FOOTER, _FOOTER)
    at = 0
    for _ in range(2):  # the metaindex block's place, which is not looked at
        _, at = _varint(footer, at)
    offset, at = _varint(footer, at)
    length, at = _varint(footer, at)
    elements: dict[str, int] = {}
    copies: dict[str, int] = {}
    tensors = total = training = seen = blocks = 0
    for _, place in _entries(source, _block(source, offset, length)):
        start, at = _varint(place, 0)
        size, at = _varint(place, at)
        blocks += size + _TRAILER
        if blocks > source.size:  # the same block again and again would be read without end
            raise ArtifactError(source.name, f"blocks of {blocks:,} bytes in {source.size:,}")
        for key, value in _entries(source, _block(source, start, size)):
            seen += 1
            if seen > _MOST_ENTRIES:
                raise ArtifactError(source.name, f"more than {_MOST_ENTRIES:,} variables")
            if not key:
                continue  # the header of the bundle
            dtype, count, held = _variable(source, key, value)
            if dtype is None:
                continue
            total += held
            name = key.decode("utf-8", "replace")
            if any(mark in name for mark in _NO_PARAMETERS):
                training += count
                continue
            counted = copies if name.startswith(_COPIES) else elements
            counted[dtype] = counted.get(dtype, 0) + count
            tensors += not name.startswith(_COPIES)
    notes: list[str] = []
    if training:
        notes.append(f"{training:,} elements of the optimizer are beside the parameters")
    if copies and elements:
        twice = sum(copies.values())
        notes.append(f"{twice:,} elements are there a second time, under {_COPIES}")
    elements = elements or copies
    return Contents(
        "saved_model", sum(elements.values()), total, elements, tensors, notes=tuple(notes)
    )


def _block(source: Bytes, offset: int, length: int) -> bytes:
    """A block without its trailer."""
    if length > _MOST_BLOCK or offset + length + _TRAILER > source.size:
        raise ArtifactError(
            source.name, f"a block of {length:,} bytes at {offset:,} does not lie in it"
        )
    content = source.read(offset, length + 1)
    if content[length]:
        raise ArtifactError(source.name, "a compressed block, which TensorFlow does not write")
    return content[:length]


def _entries(source: Bytes, block: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block; the places of restarts at its end are passed over."""
    restarts = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 - 4 * restarts
    if end < 0:
        raise ArtifactError(source.name, f"a block of {len(block):,} bytes has {restarts} restarts")
    at = 0
    key = b""
    while at < end:
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        if shared > len(key) or at + fresh + length > end:
            raise ArtifactError(source.name, f"an entry at byte {at} does not lie in its block")
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length


def _variable(source: Bytes, key: bytes, value: bytes) -> tuple[str | None, int, int]:
    """Precision, elements and bytes of one entry; no precision of what is no number."""
    dtype = held = 0
    count = 1
    for field, number, inner in _fields(source, value):
        if field == 1:
            dtype = number
        elif field == 5:
            held = number
        elif field == 2:
            for dim, _, size in _fields(source, inner):
                if dim == 2:
                    count *= next((n for f, n, _ in _fields(source, size) if f == 1), 0)
                if count > MOST_ELEMENTS:
                    raise ArtifactError(source.name, f"{_shown(key)} has {count:,} elements")
    if dtype == _STRING:
        return None, 0, 0
    if dtype not in _TYPES:
        raise ArtifactError(source.name, f"{_shown(key)} is of type {dtype}, which is not known")
    name, width = _TYPES[dtype]
    if held != count * width:
        raise ArtifactError(
            source.name,
            f"{_shown(key)}: {held:,} bytes for {count:,} elements of {name}: expected "
            f"{count * width:,}",
        )
    return name, count, held


def _shown(key: bytes) -> str:
    return f'variable "{key[:80].decode("utf-8", "replace")}"'


def _fields(source: Bytes, message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Fields of a protocol buffer: number, value of a varint, bytes of a nested one."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == 0:
            number, at = _varint(message, at)
            yield tag >> 3, number, b""
            continue
        length = {1: 8, 5: 4}.get(wire, 0)
        if wire == 2:
            length, at = _varint(message, at)
        elif not length:
            raise ArtifactError(source.name, f"a field of wire type {wire} in its index")
        if at + length > len(message):
            raise ArtifactError(source.name, "a field that does not lie in its entry")
        yield tag >> 3, 0, message[at : at + length] if wire == 2 else b""
        at += length


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise OverflowError("a number of more than ten bytes")
