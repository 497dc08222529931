"""safetensors: a length, a JSON header, then tensors.

Eight bytes little-endian hold the header's length, at most 100 MB; the header maps each name to
dtype, shape and offsets. Source: the format's specification, huggingface/safetensors README.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Final

from modeler.predict.artifact.bytes_source import MOST_AT_ONCE, ArtifactError, Bytes
from modeler.predict.artifact.contents import MOST_ELEMENTS, Contents

# Format's name to ours and bits an element.
_DTYPES: Final = {
    "F64": ("fp64", 64), "F32": ("fp32", 32), "F16": ("fp16", 16), "BF16": ("bf16", 16),
    "F8_E4M3": ("fp8", 8), "F8_E5M2": ("fp8", 8), "F8_E8M0": ("fp8", 8), "I64": ("int64", 64),
    "I32": ("int32", 32), "I16": ("int16", 16), "I8": ("int8", 8), "U64": ("uint64", 64),
    "U32": ("uint32", 32), "U16": ("uint16", 16), "U8": ("uint8", 8), "BOOL": ("bool", 8),
    "F4": ("fp4", 4), "F6_E2M3": ("fp6", 6), "F6_E3M2": ("fp6", 6), "C64": ("complex64", 64),
}  # fmt: skip
_LENGTH: Final = 8


def looks_like(head: bytes, size: int) -> bool:
    """Whether the first bytes are a length and the beginning of an object."""
    if len(head) < _LENGTH + 1:
        return False
    length = int.from_bytes(head[:_LENGTH], "little")
    return 2 <= length <= size and head[_LENGTH : _LENGTH + 1] == b"{"


def may_be(head: bytes) -> bool:
    """Whether it is worth saying what is wrong with the header: it is there, or its length is."""
    if len(head) <= _LENGTH:
        return False
    length = int.from_bytes(head[:_LENGTH], "little")
    return length <= MOST_AT_ONCE or head[_LENGTH : _LENGTH + 1] == b"{"


def read(source: Bytes) -> Contents:
    """Tensors of one file.

    Raises
    ------
    ArtifactError
        A header that is longer than the file or than the format allows, that is no JSON or names
        a tensor twice, or whose tensors do not fill the file without overlap and without hole.
    """
    head = source.read(0, _LENGTH)
    if len(head) < _LENGTH:
        raise ArtifactError(source.name, f"has {source.size} bytes: no header fits")
    length = int.from_bytes(head, "little")
    if length > MOST_AT_ONCE:
        raise ArtifactError(
            source.name,
            f"announces a header of {length:,} bytes, at most {MOST_AT_ONCE:,} are allowed",
        )
    if length > source.size - _LENGTH:
        raise ArtifactError(
            source.name,
            f"announces a header of {length:,} bytes in a file of {source.size:,}: truncated?",
        )
    try:
        header = json.loads(
            source.read(_LENGTH, length).decode("utf-8"), object_pairs_hook=_without_doubles
        )
    except RecursionError as error:
        raise ArtifactError(source.name, "its header is no JSON: nested too deep") from error
    except ValueError as error:
        raise ArtifactError(source.name, f"its header is no JSON: {error}") from error
    if not isinstance(header, dict):
        raise ArtifactError(source.name, "its header is no object")
    room = source.size - _LENGTH - length
    elements: dict[str, int] = {}
    places: list[tuple[int, int, str]] = []
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        dtype, count, begin, end = _tensor(source, name, entry, room)
        elements[dtype] = elements.get(dtype, 0) + count
        places.append((begin, end, name))
    _check_places(source, places, room)
    return Contents("safetensors", sum(elements.values()), room, elements, len(places))


def _without_doubles(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f'"{name[:80]}" is there twice')
        found[name] = value
    return found


def _check_places(source: Bytes, places: list[tuple[int, int, str]], room: int) -> None:
    """The format wants every byte behind the header to belong to one tensor."""
    places = sorted(places)
    for (begin, end, name), (later, until, other) in pairwise(places):
        if later < end:
            raise ArtifactError(
                source.name,
                f'tensors "{name[:80]}" ({begin:,} to {end:,}) and "{other[:80]}" ({later:,} to '
                f"{until:,}) overlap",
            )
        if later > end:
            raise ArtifactError(
                source.name,
                f'{later - end:,} bytes between tensors "{name[:80]}" and "{other[:80]}" belong '
                "to none",
            )
    first = places[0][0] if places else 0
    if first:
        raise ArtifactError(
            source.name, f'{first:,} bytes before tensor "{places[0][2][:80]}" belong to none'
        )
    last = places[-1][1] if places else 0
    if last != room:
        raise ArtifactError(
            source.name, f"{room - last:,} bytes behind the last tensor belong to none"
        )


def _tensor(source: Bytes, name: str, entry: Any, room: int) -> tuple[str, int, int, int]:
    """Precision, elements, first byte and end of one tensor."""
    where = f'tensor "{name[:80]}"'
    if not isinstance(entry, Mapping):
        raise ArtifactError(source.name, f"{where} is no object")
    code, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if not isinstance(code, str) or code not in _DTYPES:
        raise ArtifactError(source.name, f"{where}: dtype {code!r:.60} is not known")
    if not isinstance(shape, list) or not all(_is_count(n) for n in shape):
        raise ArtifactError(source.name, f"{where}: shape {shape!r:.60} is no list of sizes")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(_is_count(n) for n in offsets):
        raise ArtifactError(
            source.name, f"{where}: data_offsets {offsets!r:.60} are no two offsets"
        )
    count = 1
    for n in shape:
        count *= n
        if count > MOST_ELEMENTS:
            raise ArtifactError(source.name, f"{where}: shape {shape!r:.60} has too many elements")
    dtype, bits = _DTYPES[code]
    size = offsets[1] - offsets[0]
    if size < 0 or offsets[1] > room:
        raise ArtifactError(
            source.name,
            f"{where} lies at {offsets[0]:,} to {offsets[1]:,} of {room:,} bytes: truncated?",
        )
    if size * 8 != count * bits:
        raise ArtifactError(
            source.name, f"{where}: {count:,} elements of {code} do not take {size:,} bytes"
        )
    return dtype, count, offsets[0], offsets[1]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def shards_of(source: Bytes) -> tuple[int | None, tuple[str, ...]]:
    """What an index of shards says: bytes of all tensors, and the files' names.

    Raises
    ------
    ArtifactError
        No JSON, no ``weight_map``, or a name that leads out of the folder.
    """
    if source.size > MOST_AT_ONCE:
        raise ArtifactError(source.name, f"an index of {source.size:,} bytes is not read")
    try:
        index = json.loads(source.read(0, source.size).decode("utf-8"))
    except RecursionError as error:
        raise ArtifactError(source.name, "no JSON: nested too deep") from error
    except ValueError as error:
        raise ArtifactError(source.name, f"no JSON: {error}") from error
    weights = index.get("weight_map") if isinstance(index, dict) else None
    if not isinstance(weights, dict) or not all(isinstance(n, str) for n in weights.values()):
        raise ArtifactError(source.name, "no weight_map of names to files")
    names = tuple(sorted(set(weights.values())))
    for name in names:
        if name.startswith("/") or ".." in name.split("/"):
            raise ArtifactError(source.name, f'shard "{name[:80]}" leads out of the folder')
    metadata = index.get("metadata")
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    return (total if isinstance(total, int) and _is_count(total) else None), names
