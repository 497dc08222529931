"""Which format an artifact has, by its first bytes; its name decides only where they do not."""

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

_HEAD: Final = 4096
_INDEX: Final = ".safetensors.index.json"
_NPY: Final = b"\x93NUMPY"
# Of several formats of one model in a folder the first is counted.
_PREFERRED: Final = (".safetensors", ".gguf", ".onnx", ".bin", ".pt", ".pth", ".npz")


def read(source: Bytes) -> Contents | None:
    """What one file holds; None where its format is not one that is read.

    Raises
    ------
    ArtifactError
        It begins as a format it does not keep to.
    """
    head = source.read(0, min(_HEAD, source.size))
    name = source.name.lower()
    if head[:4] == gguf.MAGIC:
        return gguf.read(source)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return zipped.read(source)
    if head[:2] == b"\x1f\x8b" and name.endswith((".tar.gz", ".tgz")):
        return tarred.read(source)
    if head[257:262] == b"ustar" or name.endswith(".tar"):
        return tarred.read(source)
    if head[:6] == _NPY:
        dtype, count, size = zipped.npy_header(source.name, source.name, head)
        return Contents("npy", count, size, {dtype: count}, 1)
    if trees.looks_like_lightgbm(head):
        return trees.read_lightgbm(source)
    if trees.looks_like_xgboost(head):
        return trees.read_xgboost(source)
    if name.endswith(".safetensors") or safetensors.looks_like(head, source.size):
        return safetensors.read(source)
    if name.endswith(".onnx") or onnx.looks_like(head):
        return onnx.read(source)
    if saved_model.is_index(source):
        return saved_model.read(source)
    if pickled.looks_like(head):
        return pickled.read(source)
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
        return _sharded(indices[0], sources)
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


def _sharded(index: Bytes, sources: Sequence[Bytes]) -> Contents:
    total, names = safetensors.shards_of(index)
    folder = index.name.rpartition("/")[0]
    by_name = {source.name: source for source in sources}
    wanted = [f"{folder}/{name}" if folder else name for name in names]
    missing = [name for name in wanted if name not in by_name]
    if missing:
        raise ArtifactError(
            index.name, f"names {len(missing)} shards that are not there: {missing[0]}"
        )
    parts = [safetensors.read(by_name[name]) for name in wanted]
    found = together("safetensors", parts, _others(sources, ".safetensors"))
    if total is not None and found.tensor_bytes != total:
        note = f"its index says {total:,} bytes of tensors, its shards {found.tensor_bytes:,}"
        return together("safetensors", parts, (*found.notes, note))
    return found


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
