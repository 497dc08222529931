"""Small artifacts of every format, made by hand from the formats' own definitions."""

import gzip
import io
import json
import pickle
import struct
import tarfile
import zipfile

import numpy as np


def weights(size: int) -> bytes:
    """A safetensors file of exactly so many bytes, of one tensor of U8."""
    tensor = size - 8 - 64
    header = f'{{"w":{{"dtype":"U8","shape":[{tensor}],"data_offsets":[0,{tensor}]}}}}'
    assert len(header) <= 64
    assert tensor > 0
    return (64).to_bytes(8, "little") + header.encode().ljust(64) + b"x" * tensor


def safetensors(tensors: dict[str, tuple[str, list[int], int]]) -> tuple[bytes, int]:
    """Header and bytes of data of tensors given as dtype, shape and bytes."""
    header = {}
    at = 0
    for name, (dtype, shape, size) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    text = text.ljust(-(-len(text) // 8) * 8)
    return len(text).to_bytes(8, "little") + text, at


class _Storage:
    """Stands for a storage in a pickle."""

    def __init__(self, kind: str, key: str, count: int) -> None:
        self.kind, self.key, self.count = kind, key, count


class FloatStorage:
    """By its name the class torch names for 32-bit storages."""


class HalfStorage:
    """By its name the class torch names for 16-bit storages."""


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj):
        if isinstance(obj, _Storage):
            return ("storage", globals()[obj.kind], obj.key, "cpu", obj.count)
        return None


def torch_zip() -> bytes:
    """A state of two 32-bit storages and one 16-bit one: 30 + 4 and 10 elements."""
    stored = {"0": ("FloatStorage", 30), "1": ("FloatStorage", 4), "2": ("HalfStorage", 10)}
    text = io.BytesIO()
    _Pickler(text, protocol=2).dump(
        {f"layer.{key}": _Storage(kind, key, count) for key, (kind, count) in stored.items()}
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("archive/data.pkl", text.getvalue())
        for key, (kind, count) in stored.items():
            archive.writestr(f"archive/data/{key}", bytes(count * (4 if kind[0] == "F" else 2)))
        archive.writestr("archive/version", "3\n")
    return out.getvalue()


def npz() -> bytes:
    """Two arrays: 6 of float32 and 5 of float16."""
    out = io.BytesIO()
    np.savez(out, a=np.zeros((2, 3), np.float32), b=np.zeros(5, np.float16))
    return out.getvalue()


def zipped(members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    """An archive of members by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def npy() -> bytes:
    """One array of four elements of float32."""
    out = io.BytesIO()
    np.save(out, np.zeros(4, np.float32))
    return out.getvalue()


def sparse_tar() -> bytes:
    """A member of GNU's sparse type that claims 2^40 bytes and has none."""
    info = tarfile.TarInfo("a")
    info.type = tarfile.GNUTYPE_SPARSE
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[483:495] = (1 << 40).to_bytes(12, "big")
    block[483] = 0x80
    block[148:156] = b" " * 8
    block[148:156] = f"{sum(block[:512]):06o}\0 ".encode()
    return bytes(block) + bytes(1024)


def _string(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def gguf() -> bytes:
    """512 elements of Q4_K and 8 of F32, with a list of three tokens."""
    tensors = [("w", (256, 2), 12, 288), ("n", (8,), 0, 32)]
    out = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), 2)
    out += _string("general.architecture") + struct.pack("<I", 8) + _string("llama")
    out += _string("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 3)
    out += _string("a") + _string("b") + _string("c")
    at = 0
    for name, shape, kind, size in tensors:
        out += _string(name) + struct.pack("<I", len(shape))
        out += struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, at)
        at += size
    out += b"\0" * (-len(out) % 32)
    return out + bytes(at)


def _varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def onnx() -> bytes:
    """A graph of two initialisers: 12 of float32 and 5 of float16."""

    def tensor(dims: list[int], kind: int, raw: bytes) -> bytes:
        content = b"".join(b"\x08" + _varint(n) for n in dims) + b"\x10" + _varint(kind)
        return content + _field(8, b"name") + _field(9, raw)

    graph = _field(1, _field(4, b"MatMul")) + _field(2, b"g")
    graph += _field(5, tensor([3, 4], 1, bytes(48))) + _field(5, tensor([5], 10, bytes(10)))
    return b"\x08\x09" + _field(2, b"maker") + _field(7, graph)


def xgboost_json() -> bytes:
    """Two trees of 3 and 5 nodes."""
    trees = [{"tree_param": {"num_nodes": "3"}}, {"tree_param": {"num_nodes": "5"}}]
    return json.dumps({"learner": {"gradient_booster": {"model": {"trees": trees}}}}).encode()


def xgboost_ubj() -> bytes:
    """The same in UBJSON, as far as nodes go."""
    out = b"{L" + struct.pack(">q", 7) + b"learner{"
    for nodes in ("3", "5"):
        out += b"L" + struct.pack(">q", 9) + b"num_nodesSL" + struct.pack(">q", 1) + nodes.encode()
    return out + b"}}"


def lightgbm_text() -> bytes:
    """Two trees of 3 and 7 leaves."""
    return b"tree\nversion=v4\nTree=0\nnum_leaves=3\n\nTree=1\nnum_leaves=7\nend of trees\n"


def tar_gz(members: dict[str, bytes]) -> bytes:
    """An archive of members by name."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def gzip_bomb(size: int) -> bytes:
    """A packed archive of one member of zeros."""
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as packed:
        info = tarfile.TarInfo("weights.bin")
        info.size = size
        packed.write(info.tobuf())
        block = bytes(1 << 20)
        for _ in range(size >> 20):
            packed.write(block)
        packed.write(bytes(1024))
    return out.getvalue()


def _varint(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _field(number: int, content: int | bytes) -> bytes:
    if isinstance(content, int):
        return _varint(number << 3) + _varint(content)
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _table_block(entries: list[tuple[bytes, bytes]]) -> bytes:
    """Entries with shared prefixes, one restart, no compression, no checksum."""
    out = before = b""
    for key, value in entries:
        shared = 0
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        out += _varint(shared) + _varint(len(key) - shared) + _varint(len(value))
        out += key[shared:] + value
        before = key
    return out + (0).to_bytes(4, "little") + (1).to_bytes(4, "little")


def variables_index(variables: dict[str, tuple[int, list[int], int]], times: int = 1) -> bytes:
    """The table of a SavedModel: each variable its type's number, shape and bytes, in order."""
    entries = [(b"", _field(1, 1))]
    offset = 0
    for name, (dtype, shape, size) in sorted(variables.items()):
        dims = b"".join(_field(2, _field(1, side)) for side in shape)
        value = _field(1, dtype) + _field(2, dims) + _field(4, offset) + _field(5, size)
        entries.append((name.encode(), value + b"\x35" + b"\0" * 4))  # crc32c, of fixed width
        offset += size
    data = _table_block(entries)
    out = data + b"\0" * 5
    meta = _table_block([])
    at_meta, out = len(out), out + meta + b"\0" * 5
    place = _varint(0) + _varint(len(data))
    index = _table_block([(entries[-1][0] + b"\xff" * (n + 1), place) for n in range(times)])
    at_index, out = len(out), out + index + b"\0" * 5
    places = b"".join(map(_varint, (at_meta, len(meta), at_index, len(index))))
    return out + places.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def keras() -> bytes:
    """One dense layer of five inputs and four outputs."""
    dense = {"class_name": "Dense", "config": {"name": "d", "units": 4},
             "build_config": {"input_shape": [None, 5]}}  # fmt: skip
    config = {"class_name": "Sequential", "config": {"layers": [dense]}}
    return zipped(
        {"metadata.json": b"{}", "config.json": json.dumps(config).encode(),
         "model.weights.h5": bytes(200)}
    )  # fmt: skip


EVERY_NPY = npy()
EVERY = {
    "model.safetensors": weights(200), "model.pt": torch_zip(), "model.npz": npz(),
    "model.gguf": gguf(), "model.onnx": onnx(), "model.json": xgboost_json(),
    "model.ubj": xgboost_ubj(), "model.txt": lightgbm_text(),
    "model.tar.gz": tar_gz({"a.bin": b"x" * 100, "b/c.json": b"{}"}),
    "model.keras": keras(), "model.npy": EVERY_NPY,
    "model.pkl": pickle.dumps({"a": [1, 2, 3]}, protocol=5),
    "variables.index": variables_index({
        "dense/kernel/.ATTRIBUTES/VARIABLE_VALUE": (1, [3, 4], 48),
        "dense/bias/.ATTRIBUTES/VARIABLE_VALUE": (19, [4], 8),
        "dense/bias/.OPTIMIZER_SLOT/optimizer/m": (1, [4], 16),
        "_CHECKPOINTABLE_OBJECT_GRAPH": (7, [], 300),
        "save_counter/.ATTRIBUTES/VARIABLE_VALUE": (9, [], 8),
    }),
}  # fmt: skip
