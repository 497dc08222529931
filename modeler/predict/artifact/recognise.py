"""Which format an artifact has, by its first bytes; a suffix that promises another is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from modeler.predict.artifact import (
    gguf,
    onnx,
    pickled,
    safetensors,
    saved_model,
    tarred,
    trees,
    zipped,
)
from modeler.predict.artifact.bytes_source import ArtifactError, Bytes
from modeler.predict.artifact.contents import Contents, together
from modeler.predict.artifact.promised import broken, promise_of

_HEAD: Final = 4096
_INDEX: Final = ".safetensors.index.json"
_NPY: Final = b"\x93NUMPY"
_GZIP: Final = b"\x1f\x8b"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
# Of several formats of one model in a folder the first is counted.
_PREFERRED: Final = (".safetensors", ".gguf", ".onnx", ".bin", ".pt", ".pth", ".npz")
_OLD_GGML: Final = (b"lmgg", b"fmgg", b"tjgg", b"algg")  # ggml, ggmf, ggjt, ggla as words
_BY_BYTES: Final = "by bytes; parameters not read"


def read(source: Bytes) -> Contents | None:
    """What one file holds; None where its format is not one that is read.

    Raises
    ------
    ArtifactError
        It begins as a format it does not keep to, or is not what its suffix promises: says what
        was expected and the first bytes that were found.
    """
    head = source.read(0, min(_HEAD, source.size))
    found = _by_content(source, head)
    promise = promise_of(source.name)
    if promise is not None and (found is None or found.format not in promise.formats):
        raise broken(source, promise, head, found.format if found else None)
    return found


def _by_content(source: Bytes, head: bytes) -> Contents | None:
    name = source.name.lower()
    if head[:4] == gguf.MAGIC:
        return gguf.read(source)
    if head[:4] in _ZIP:
        return zipped.read(source)
    if head[:2] == _GZIP and name.endswith((".tar.gz", ".tgz")):
        return tarred.read(source)
    if head[257:262] == b"ustar":
        return tarred.read(source)
    if head[:6] == _NPY:
        dtype, count, size = zipped.npy_header(source.name, source.name, head, source.size)
        return Contents("npy", count, size, {dtype: count}, 1)
    if trees.looks_like_lightgbm(head):
        return trees.read_lightgbm(source)
    if trees.looks_like_xgboost(head):
        return trees.read_xgboost(source)
    if safetensors.looks_like(head, source.size):
        return safetensors.read(source)
    if name.endswith(".safetensors") and safetensors.may_be(head):
        return safetensors.read(source)  # says what is wrong with it
    if onnx.looks_like(head):
        return onnx.read(source)
    if name.endswith(".onnx"):
        return _reluctantly(source)
    if saved_model.is_index(source):
        return saved_model.read(source)
    whole = _whole_file(head)
    if whole is not None:
        return Contents(whole, notes=(_BY_BYTES,))
    if pickled.looks_like(head):
        return pickled.read(source)
    if name.endswith(pickled.SUFFIXES) and pickled.is_old(source):
        return pickled.read(source)
    if name.endswith(".msgpack") and _is_map(head):
        return Contents("msgpack", notes=(_BY_BYTES,))
    return None


def _is_map(head: bytes) -> bool:
    """Whether MessagePack of a map begins here, whose first key is a text."""
    start = {0xDE: 3, 0xDF: 5}.get(head[0], 1 if 0x80 <= head[0] <= 0x8F else len(head))
    key = head[start : start + 1]
    return bool(key) and (0xA0 <= key[0] <= 0xBF or key in (b"\xd9", b"\xda", b"\xdb"))


def _whole_file(head: bytes) -> str | None:
    """Formats of which no more than the bytes is told."""
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        return "hdf5"
    if head[4:8] == b"TFL3":
        return "tflite"
    return "ggml" if head[:4] in _OLD_GGML else None


def _reluctantly(source: Bytes) -> Contents | None:
    """ONNX whose fields are in another order than their numbers; None of what is no graph."""
    try:
        return onnx.read(source)
    except ArtifactError:
        return None


def read_all(sources: Sequence[Bytes]) -> Contents | None:
    """What the files of one model hold; of several formats of the same weights, one.

    Raises
    ------
    ArtifactError
        A file that is damaged, or a shard that the index names and that is not there.
    """
    indices = [source for source in sources if source.name.endswith(_INDEX)]
    if indices:
        return _sharded(indices, sources)
    for suffix in _PREFERRED:
        chosen = [source for source in sources if source.name.lower().endswith(suffix)]
        if chosen:
            found = [(source, read(source)) for source in chosen]
            parts = [contents for _, contents in found if contents is not None]
            if not parts:
                return None
            notes = _others(sources, suffix)
            return together(parts[0].format, parts, notes) if len(parts) > 1 or notes else parts[0]
    tables = [source for source in sources if source.name.endswith(saved_model.SUFFIX)]
    models = [saved_model.read(source) for source in tables if saved_model.is_index(source)]
    if models:
        return together("saved_model", models) if len(models) > 1 else models[0]
    if len(sources) == 1:
        return read(sources[0])
    return None


def _sharded(indices: Sequence[Bytes], sources: Sequence[Bytes]) -> Contents:
    """Shards by the index of each folder; of folders without one, every file."""
    by_name = {source.name: source for source in sources}
    chosen: dict[str, Bytes] = {}
    for index in sorted(indices, key=lambda each: (len(each.name), each.name)):
        chosen.setdefault(_folder(index), index)
    parts: list[Contents] = []
    notes = [
        f"{index.name} is not counted: another index is beside it"
        for index in indices
        if index is not chosen[_folder(index)]
    ]
    for folder, index in chosen.items():
        total, names = safetensors.shards_of(index)
        wanted = [f"{folder}/{name}" if folder else name for name in names]
        missing = [name for name in wanted if name not in by_name]
        if missing:
            raise ArtifactError(
                index.name, f"names {len(missing)} shards that are not there: {missing[0]}"
            )
        shards = [safetensors.read(by_name[name]) for name in wanted]
        held = sum(each.tensor_bytes or 0 for each in shards)
        if total is not None and held != total:
            notes.append(f"its index says {total:,} bytes of tensors, its shards {held:,}")
        parts += shards
    for source in sources:
        if source.name.lower().endswith(".safetensors") and _folder(source) not in chosen:
            parts.append(safetensors.read(source))
    return together("safetensors", parts, (*_others(sources, ".safetensors"), *notes))


def _folder(source: Bytes) -> str:
    return source.name.rpartition("/")[0]


def _others(sources: Sequence[Bytes], suffix: str) -> tuple[str, ...]:
    """A word on the same weights in other formats beside those counted."""
    others = [
        other
        for other in _PREFERRED
        if other != suffix and any(source.name.lower().endswith(other) for source in sources)
    ]
    if not others:
        return ()
    return (f"counted are the {suffix} files; {', '.join(others)} beside them are not",)
