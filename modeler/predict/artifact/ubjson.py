"""Universal Binary JSON, draft 12, walked from end to end without keeping it.

A value is a marker and its bytes; lengths are numbers with a marker of their own; ``[$d#L`` begins
an array of one type with a count. Source: ubjson.org, and the writer of XGBoost's own json.cc.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from modeler.predict.artifact.bytes_source import ArtifactError, Bytes, Cursor

# Bytes behind a marker.
_FIXED: Final = {
    b"Z": 0, b"N": 0, b"T": 0, b"F": 0, b"i": 1, b"U": 1, b"C": 1, b"I": 2, b"l": 4, b"L": 8,
    b"d": 4, b"D": 8,
}  # fmt: skip
_LENGTHS: Final = (b"i", b"U", b"I", b"l", b"L")
_TEXTS: Final = (b"S", b"H")
_DEEPEST: Final = 64
_OBJECT, _ENDLESS = -1, -2  # in place of what is left of a counted array


def texts(source: Bytes, wanted: Collection[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Keys that are wanted and their texts, in order, of a document that is one object.

    Raises
    ------
    ArtifactError
        A marker that is not known, lengths that do not lie in the file, or bytes behind the end.
    """
    cursor = Cursor(source)
    if cursor.take(1) != b"{":
        raise _unknown(cursor, "an object")
    inside = [_OBJECT]
    key = b""
    while inside:
        top = inside[-1]
        marker = b"" if top == 0 else cursor.take(1)
        if not marker or marker == {_OBJECT: b"}", _ENDLESS: b"]"}.get(top):
            inside.pop()
            continue
        if top == _OBJECT:
            key = cursor.take(_length(cursor, marker))
            marker = cursor.take(1)
        elif top > 0:
            inside[-1] -= 1
        if marker in _FIXED:
            cursor.skip(_FIXED[marker])
        elif marker in _TEXTS:
            length = _length(cursor, cursor.take(1))
            if key in wanted:
                yield key, cursor.take(length)
            else:
                cursor.skip(length)
        elif marker == b"{":
            inside.append(_OBJECT)
        elif marker == b"[":
            inside.append(_array(cursor))
        else:
            raise _unknown(cursor, "a value")
        if len(inside) > _DEEPEST:
            raise ArtifactError(source.name, f"nested deeper than {_DEEPEST}")
    if cursor.at != source.size:
        raise ArtifactError(
            source.name, f"{source.size - cursor.at:,} bytes lie behind the end of its object"
        )


def _array(cursor: Cursor) -> int:
    """What is left to read of an array that begins here: its values of one type are passed."""
    marker = cursor.take(1)
    if marker == b"$":
        kind = cursor.take(1)
        if kind not in _FIXED or cursor.take(1) != b"#":
            raise _unknown(cursor, "an array of numbers with a count")
        cursor.skip(_FIXED[kind] * _length(cursor, cursor.take(1)))
        return 0
    if marker == b"#":
        return _length(cursor, cursor.take(1))
    cursor.at -= 1
    return _ENDLESS


def _length(cursor: Cursor, marker: bytes) -> int:
    if marker not in _LENGTHS:
        raise _unknown(cursor, "a length")
    length = int.from_bytes(cursor.take(_FIXED[marker]), "big", signed=marker != b"U")
    if length < 0:
        raise _unknown(cursor, "a length of at least 0")
    return length


def _unknown(cursor: Cursor, expected: str) -> ArtifactError:
    return ArtifactError(
        cursor.source.name, f"no UBJSON: expected {expected} before byte {cursor.at:,}"
    )
