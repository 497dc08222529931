"""ONNX: initialisers of the graph, walked field by field without their data.

Field numbers are those of onnx.proto (ModelProto.graph 7, GraphProto.initializer 5, TensorProto
dims 1, data_type 2, raw_data 9, external_data 13).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from modeler.predict.artifact.bytes_source import ArtifactError, Bytes, Cursor
from modeler.predict.artifact.contents import MOST_ELEMENTS, Contents

_GRAPH, _INITIALISER = 7, 5
_DIMS, _TYPE, _RAW, _EXTERNAL = 1, 2, 9, 13
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_TYPES: Final = {
    1: ("fp32", 4.0), 2: ("uint8", 1.0), 3: ("int8", 1.0), 4: ("uint16", 2.0), 5: ("int16", 2.0),
    6: ("int32", 4.0), 7: ("int64", 8.0), 9: ("bool", 1.0), 10: ("fp16", 2.0), 11: ("fp64", 8.0),
    12: ("uint32", 4.0), 13: ("uint64", 8.0), 16: ("bf16", 2.0), 17: ("fp8", 1.0),
    18: ("fp8", 1.0), 19: ("fp8", 1.0), 20: ("fp8", 1.0), 21: ("uint4", 0.5), 22: ("int4", 0.5),
    23: ("fp4", 0.5), 24: ("fp8", 1.0),
}  # fmt: skip
_MOST_FIELDS: Final = 5_000_000
_MOST_METADATA: Final = 64_000_000


def looks_like(head: bytes) -> bool:
    """Whether the first bytes are those of a model: its version of the format, then a name."""
    return len(head) > 4 and head[0] == 0x08 and head[1] < 0x20 and head[2] in (0x12, 0x3A, 0x42)


def read(source: Bytes) -> Contents:
    """Initialisers of a model.

    Raises
    ------
    ArtifactError
        Fields that do not lie in the file, or no graph.
    """
    cursor = Cursor(source, most=_MOST_METADATA)
    elements: dict[str, int] = {}
    total = 0
    tensors = external = graphs = 0
    for number, wire, length in _fields(cursor, source.size):
        if number != _GRAPH or wire != _BYTES:
            cursor.skip(length)
            continue
        graphs += 1
        end = cursor.at + length
        for inner, inner_wire, inner_length in _fields(cursor, end):
            if inner != _INITIALISER or inner_wire != _BYTES:
                cursor.skip(inner_length)
                continue
            dtype, size, count, outside = _tensor(cursor, cursor.at + inner_length)
            elements[dtype] = elements.get(dtype, 0) + count
            total += size
            tensors += 1
            external += outside
    if not graphs:
        raise ArtifactError(source.name, "no graph of ONNX in it")
    notes: tuple[str, ...] = ()
    if external:
        notes = (f"{external} tensors lie in files beside it: count those files' bytes as well",)
    return Contents("onnx", sum(elements.values()), total, elements, tensors, notes=notes)


def _fields(cursor: Cursor, end: int) -> Iterator[tuple[int, int, int]]:
    """Number, wire type and length of each field up to `end`; the caller reads or skips it."""
    for _ in range(_MOST_FIELDS):
        if cursor.at >= end:
            return
        key = _varint(cursor)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            length = 0
            at = cursor.at
            _varint(cursor)
            length = cursor.at - at
            cursor.at = at
        elif wire == _FIXED64:
            length = 8
        elif wire == _FIXED32:
            length = 4
        elif wire == _BYTES:
            length = _varint(cursor)
        else:
            raise ArtifactError(cursor.source.name, f"a field of wire type {wire}: no ONNX")
        if cursor.at + length > end:
            raise ArtifactError(
                cursor.source.name,
                f"field {number} at byte {cursor.at:,} is {length:,} bytes long and ends behind "
                f"byte {end:,}: truncated?",
            )
        yield number, wire, length
    raise ArtifactError(cursor.source.name, "too many fields")


def _varint(cursor: Cursor) -> int:
    value = shift = 0
    while True:
        (byte,) = cursor.take(1)
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7
        if shift > 63:
            raise ArtifactError(cursor.source.name, f"no number at byte {cursor.at:,}")


def _tensor(cursor: Cursor, end: int) -> tuple[str, int, int, int]:
    """Precision, bytes, elements, and whether it lies outside."""
    count = 1
    kind = outside = 0
    raw: int | None = None
    for number, wire, length in _fields(cursor, end):
        if number == _DIMS and wire == _VARINT:
            count *= _varint(cursor)
        elif number == _DIMS and wire == _BYTES:
            stop = cursor.at + length
            while cursor.at < stop:
                count *= _varint(cursor)
        elif number == _TYPE and wire == _VARINT:
            kind = _varint(cursor)
        else:
            outside = outside or int(number == _EXTERNAL)
            raw = length if number == _RAW else raw
            cursor.skip(length)
        if count > MOST_ELEMENTS:
            raise ArtifactError(cursor.source.name, "a tensor has too many elements")
    if kind not in _TYPES:
        raise ArtifactError(cursor.source.name, f"data type {kind} of a tensor is not known")
    dtype, width = _TYPES[kind]
    size = math.ceil(width * count)  # elements of four bits are packed by twos
    if raw is not None and not outside and raw != size:
        raise ArtifactError(
            cursor.source.name,
            f"a tensor of {count:,} elements of {dtype} has {raw:,} bytes: expected {size:,}",
        )
    return dtype, size, count, outside
