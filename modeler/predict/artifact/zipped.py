"""Archives: PyTorch's zip of a pickle, NumPy's npz, Keras; by their directory, never unpickled."""

from __future__ import annotations

import io
import pickletools
import re
import struct
import zipfile
import zlib
from typing import Any, Final

from modeler.predict.artifact import keras
from modeler.predict.artifact.bytes_source import ArtifactError, Bytes, Stream
from modeler.predict.artifact.contents import MOST_ELEMENTS, Contents

_MOST_PICKLE: Final = 64_000_000
_MOST_CONFIG: Final = 8_000_000  # of Keras; a thousand layers are one megabyte
# Directory of an archive: 350,000 members at least; beyond, building it takes gigabytes. [bytes]
_MOST_DIRECTORY: Final = 16_000_000
_END, _END_64, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_END_BYTES, _LOCATOR_BYTES = 22, 20
_MOST_COMMENT: Final = 65_535
_DEFLATE_RATIO: Final = 1032  # the most that deflate packs
_NPY_HEAD: Final = 65_536
_STORAGES: Final = {
    "FloatStorage": "fp32", "DoubleStorage": "fp64", "HalfStorage": "fp16",
    "BFloat16Storage": "bf16", "CharStorage": "int8", "ByteStorage": "uint8",
    "ShortStorage": "int16", "IntStorage": "int32", "LongStorage": "int64", "BoolStorage": "bool",
    "Float8_e4m3fnStorage": "fp8", "Float8_e5m2Storage": "fp8",
}  # fmt: skip
_WIDTHS: Final = {
    "fp32": 4, "fp64": 8, "fp16": 2, "bf16": 2, "int8": 1, "uint8": 1, "int16": 2, "int32": 4,
    "int64": 8, "bool": 1, "fp8": 1,
}  # fmt: skip
_NUMPY: Final = {
    "f2": "fp16", "f4": "fp32", "f8": "fp64", "i1": "int8", "i2": "int16", "i4": "int32",
    "i8": "int64", "u1": "uint8", "u2": "uint16", "u4": "uint32", "u8": "uint64", "b1": "bool",
}  # fmt: skip
_NPY_SHAPE: Final = re.compile(r"'shape':\s*\(([^)]*)\)")
_NPY_DESCR: Final = re.compile(r"'descr':\s*'([^']*)'")
_DATA: Final = re.compile(r"(?:^|/)data/[^/]+$")


def read(source: Bytes) -> Contents:
    """What an archive holds.

    Raises
    ------
    ArtifactError
        No archive, truncated, or members that do not add up.
    """
    _check_directory(source)
    try:
        with zipfile.ZipFile(io.BufferedReader(Stream(source), 131_072)) as archive:
            return _of_archive(source, archive)
    except ArtifactError:
        raise
    except (
        zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, EOFError, OSError,
        ValueError, RuntimeError, struct.error, zlib.error, OverflowError, UnicodeDecodeError,
        AttributeError, IndexError, MemoryError,
    ) as error:  # fmt: skip
        raise ArtifactError(source.name, f"no whole zip archive: {error}") from error


def _check_directory(source: Bytes) -> None:
    """Refuse a directory of more bytes than archives of weights have, before it is built."""
    start = max(source.size - _END_BYTES - _MOST_COMMENT, 0)
    tail = source.read(start, source.size - start)
    at = tail.rfind(_END)
    if at < 0 or at + _END_BYTES > len(tail):
        return  # the reader says what is wrong
    size = int.from_bytes(tail[at + 12 : at + 16], "little")
    locator = tail[max(at - _LOCATOR_BYTES, 0) : at]
    if size == 0xFFFFFFFF and locator[:4] == _LOCATOR_64:
        end = source.read(min(int.from_bytes(locator[8:16], "little"), source.size), 56)
        size = int.from_bytes(end[40:48], "little") if end[:4] == _END_64 else 0
    if size > _MOST_DIRECTORY:
        raise ArtifactError(
            source.name,
            f"a zip with a directory of {size:,} bytes: at most {_MOST_DIRECTORY:,} are read",
        )


def _of_archive(source: Bytes, archive: zipfile.ZipFile) -> Contents:
    members = archive.infolist()
    for member in members:
        if member.filename.startswith("/") or ".." in member.filename.split("/"):
            raise ArtifactError(
                source.name, f'member "{member.filename[:80]}" leads out of the archive'
            )
    names = [member.filename for member in members]
    pickled = [name for name in names if name.endswith("data.pkl")]
    if pickled:
        return _torch(source, archive, members, pickled[0])
    if names and all(name.endswith(".npy") for name in names):
        return _npz(source, archive, members)
    total = sum(member.file_size for member in members)
    if total > _DEFLATE_RATIO * source.size:
        raise ArtifactError(source.name, f"announces {total:,} bytes in {source.size:,}: a bomb?")
    note = f"{len(members)} members, {total:,} bytes unpacked; no tensors are told by it"
    if set(names) >= keras.MEMBERS:
        config = _member(source, archive, keras.CONFIG, _MOST_CONFIG)
        stored = sum(m.file_size for m in members if ".weights." in m.filename)
        return keras.read(source, config, stored, len(members))
    return Contents("zip", facts={"members": len(members), "unpacked_bytes": total}, notes=(note,))


def _torch(
    source: Bytes, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], pickled: str
) -> Contents:
    """Storages by the directory; their precision by the pickle's operations, not run."""
    held = {
        member.filename.rpartition("/")[2]: member.file_size
        for member in members
        if _DATA.search(member.filename)
    }
    total = sum(held.values())
    packed = any(member.compress_type for member in members)
    if total > source.size * (_DEFLATE_RATIO if packed else 1):
        raise ArtifactError(
            source.name, f"announces {total:,} bytes of storages in {source.size:,}"
        )
    described = _storages(_member(source, archive, pickled))
    elements: dict[str, int] = {}
    for key, size in held.items():
        dtype, _ = described.get(key, ("unknown", 0))
        width = _WIDTHS.get(dtype)
        if width is None:
            dtype, width = "unknown", 4
        elements[dtype] = elements.get(dtype, 0) + size // width
    notes: tuple[str, ...] = ()
    if "unknown" in elements:
        notes = ("the precision of some storages is not told: counted as 4 bytes an element",)
    return Contents("torch", sum(elements.values()), total, elements, len(held), notes=notes)


def _member(source: Bytes, archive: zipfile.ZipFile, name: str, most: int = _MOST_PICKLE) -> bytes:
    """A small member, whatever its directory claims."""
    _check_packing(source, archive.getinfo(name))
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise ArtifactError(source.name, f'member "{name[:80]}" is longer than {most:,} bytes')
    return content


def _check_packing(source: Bytes, member: zipfile.ZipInfo) -> None:
    """bz2 and xz unpack a few bytes to gigabytes at once; no writer of weights uses them."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ArtifactError(
            source.name,
            f'member "{member.filename[:80]}" is packed by method {member.compress_type}: '
            "expected stored or deflate",
        )


def _storages(content: bytes) -> dict[str, tuple[str, int]]:
    """Key of each storage to its precision and elements, from the operations of a pickle.

    Torch refers to a storage as (``storage``, its class, key, place, elements). The operations are
    followed as far as names and numbers go; nothing is built and nothing is called.
    """
    found: dict[str, tuple[str, int]] = {}
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for operation, argument, _ in pickletools.genops(content):
            name = operation.name
            if name in ("GLOBAL",):
                stack.append(str(argument).replace(" ", "."))
            elif name == "STACK_GLOBAL":
                last = stack.pop() if stack else ""
                module = stack.pop() if stack else ""
                stack.append(f"{module}.{last}")
            elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
                memo[int(argument or 0)] = stack[-1] if stack else None
            elif name == "MEMOIZE":
                memo[len(memo)] = stack[-1] if stack else None
            elif name in ("BINGET", "LONG_BINGET", "GET"):
                stack.append(memo.get(int(argument or 0)))
            elif name == "BINPERSID":
                tail = [item for item in stack[-8:] if item is not None]
                _note_storage(tail, found)
                stack.append(None)
            elif isinstance(argument, str | int) and not isinstance(argument, bool):
                stack.append(argument)
            if len(stack) > 4096:
                del stack[:2048]
    except Exception:
        return found
    return found


def _note_storage(tail: list[Any], found: dict[str, tuple[str, int]]) -> None:
    for at in range(len(tail) - 1, -1, -1):
        item = tail[at]
        if isinstance(item, str) and item.endswith("Storage"):
            rest = tail[at + 1 :]
            keys = [x for x in rest if isinstance(x, str)]
            counts = [x for x in rest if isinstance(x, int)]
            dtype = _STORAGES.get(item.rpartition(".")[2], "unknown")
            if keys:
                found[keys[0]] = (dtype, counts[-1] if counts else 0)
            return


def _npz(source: Bytes, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Contents:
    elements: dict[str, int] = {}
    total = 0
    for member in members:
        _check_packing(source, member)
        with archive.open(member) as file:
            head = file.read(_NPY_HEAD)
        dtype, count, size = npy_header(source.name, member.filename, head, member.file_size)
        elements[dtype] = elements.get(dtype, 0) + count
        total += size
    return Contents("npz", sum(elements.values()), total, elements, len(members))


def npy_header(file: str, name: str, head: bytes, length: int) -> tuple[str, int, int]:
    """Precision, elements and bytes of an array, from the beginning of an npy file.

    Parameters
    ----------
    length : int. Of the whole file, which header and elements have to fill. [bytes]

    Raises
    ------
    ArtifactError : no npy header, or a shape that cannot be or does not fill the file.
    """
    if head[:6] != b"\x93NUMPY" or len(head) < 12:
        raise ArtifactError(file, f'array "{name[:80]}" does not begin as npy')
    wide = head[6] >= 2
    header = struct.unpack("<I" if wide else "<H", head[8 : 12 if wide else 10])[0]
    start = 12 if wide else 10
    text = head[start:][:header].decode("latin-1")
    shape, descr = _NPY_SHAPE.search(text), _NPY_DESCR.search(text)
    if shape is None or (descr is None and "'descr': [" not in text):
        raise ArtifactError(file, f'array "{name[:80]}": no shape and type in its header')
    count = 1
    for part in shape[1].split(","):
        part = part.strip().rstrip("L")
        if not part:
            continue
        # No isdigit: it takes a superscript for a digit.
        if not re.fullmatch("[0-9]{1,20}", part):
            raise ArtifactError(file, f'array "{name[:80]}": shape ({shape[1][:60]})')
        count *= int(part)
        if count > MOST_ELEMENTS:
            raise ArtifactError(file, f'array "{name[:80]}": too many elements')
    code = "O" if descr is None else descr[1].lstrip("<>|=")
    width = re.fullmatch("[a-zA-Z]([0-9]{1,9})", code)
    size = int(width[1]) if width else 8
    if code[:1] in ("U",):
        size *= 4
    held = length - start - header
    if code == "O":  # objects are pickled behind the header, records have fields of their own
        return "record" if descr is None else "object", count, max(held, 0)
    if held != count * size:
        raise ArtifactError(
            file,
            f'array "{name[:80]}": {held:,} bytes behind its header, expected {count * size:,}: '
            "truncated?",
        )
    return _NUMPY.get(code, code), count, count * size
