"""Artifacts read by their headers: what they hold, hostile ones, and 140 GB in kilobytes."""

import bz2
import gzip
import io
import json
import lzma
import pickle
import resource
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_artifacts import (
    EVERY,
    EVERY_NPY,
    gguf,
    gzip_bomb,
    onnx,
    safetensors,
    sparse_tar,
    tar_gz,
    torch_zip,
    variables_index,
    weights,
    zipped,
)

from modeler.predict import measure_size
from modeler.predict.artifact import ArtifactError, LocalBytes, S3Bytes, Traffic, read, read_all
from modeler.predict.artifact.promised import SUFFIXES


def of(folder: Path, name: str, content: bytes) -> LocalBytes:
    path = folder / name
    path.write_bytes(content)
    return LocalBytes(path)


@pytest.mark.parametrize(
    ("name", "format", "parameters", "size", "elements"),
    [
        ("model.safetensors", "safetensors", 128, 128, {"uint8": 128}),
        ("model.pt", "torch", 44, 156, {"fp32": 34, "fp16": 10}),
        ("model.npz", "npz", 11, 34, {"fp32": 6, "fp16": 5}),
        ("model.gguf", "gguf", 520, 320, {"Q4_K": 512, "fp32": 8}),
        ("model.keras", "keras", 24, 96, {"fp32": 24}),
        ("model.npy", "npy", 4, 16, {"fp32": 4}),
        ("model.onnx", "onnx", 17, 58, {"fp32": 12, "fp16": 5}),
        ("variables.index", "saved_model", 16, 80, {"fp32": 12, "fp16": 4}),
    ],
)
def test_tensors_are_counted(tmp_path, name, format, parameters, size, elements):
    found = read(of(tmp_path, name, EVERY[name]))
    assert (found.format, found.parameters, found.tensor_bytes) == (format, parameters, size)
    assert found.elements == elements
    # The bytes decide, not the name.
    assert read(of(tmp_path, "weights", EVERY[name])).format == format


def test_trees_and_archives(tmp_path):
    for name in ("model.json", "model.ubj"):
        assert read(of(tmp_path, name, EVERY[name])).facts == {"trees": 2, "nodes": 8}
    found = read(of(tmp_path, "model.txt", EVERY["model.txt"]))
    assert found.facts == {"trees": 2, "leaves": 10, "nodes": 18}
    packed = read(of(tmp_path, "model.tar.gz", EVERY["model.tar.gz"]))
    assert packed.facts == {"members": 2, "unpacked_bytes": 102}
    pickled = read(of(tmp_path, "model.pkl", EVERY["model.pkl"]))
    assert pickled.format == "pickle"
    assert "not opened" in pickled.notes[0]


def test_a_saved_model_is_its_variables(tmp_path):
    folder = tmp_path / "model" / "variables"
    folder.mkdir(parents=True)
    (tmp_path / "model" / "saved_model.pb").write_bytes(b"\x08\x01")
    (folder / "variables.index").write_bytes(EVERY["variables.index"])
    (folder / "variables.data-00000-of-00001").write_bytes(b"x" * 380)
    report = measure_size(tmp_path / "model")
    assert (report.parameters, report.dtype, report.weight_bytes) == (16, "fp32", 80)
    assert report.counted == 16
    assert "5 elements of the optimizer" in report.notes[0]


@pytest.mark.parametrize("shape", ["\xb9", "9" * 5000, "-1", "1e3"])
def test_a_shape_that_is_no_number(tmp_path, shape):
    text = f"{{'descr': '<U4', 'shape': ({shape},), }}".encode("latin-1")
    content = b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text
    with pytest.raises(ArtifactError, match="shape|too many"):
        read(of(tmp_path, "w.npy", content))


def test_variables_that_are_there_twice_count_once(tmp_path):
    twice = {f"{folder}/0": (1, [5], 20) for folder in ("_all_variables", "variables")}
    found = read(of(tmp_path, "variables.index", variables_index(twice)))
    assert (found.parameters, found.tensor_bytes) == (5, 40)
    assert "5 elements are there a second time" in found.notes[0]
    alone = variables_index({"_all_variables/0": (1, [5], 20)})
    assert read(of(tmp_path, "variables.index", alone)).parameters == 5


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"v": (99, [2], 8)}, 'variable "v" is of type 99'),
        ({"v": (1, [2], 9)}, 'variable "v": 9 bytes for 2 elements of fp32: expected 8'),
        ({"v": (1, [2**40, 2**40], 8)}, "elements"),
    ],
)
def test_what_an_index_may_not_say(tmp_path, variables, said):
    with pytest.raises(ArtifactError, match=said):
        read(of(tmp_path, "variables.index", variables_index(variables)))


def test_an_index_that_names_one_block_again_and_again(tmp_path):
    content = variables_index({"v": (1, [2], 8)}, times=40)
    with pytest.raises(ArtifactError, match=r"blocks of \d+ bytes in \d+"):
        read(of(tmp_path, "variables.index", content))


def test_shards_are_one_model(tmp_path):
    for number in (1, 2):
        (tmp_path / f"model-{number}.safetensors").write_bytes(weights(100 * number))
    (tmp_path / "model.bin").write_bytes(torch_zip())  # the same weights once more
    index = {"metadata": {"total_size": 156}, "weight_map": {
        "a": "model-1.safetensors", "b": "model-2.safetensors"}}  # fmt: skip
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    report = measure_size(tmp_path)
    assert (report.parameters, report.weight_bytes, report.counted) == (156, 156, 156)
    assert "counted are the .safetensors files; .bin beside them are not" in report.notes
    index["metadata"]["total_size"] = 157
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "its index says 157 bytes of tensors" in measure_size(tmp_path).notes[-1]
    (tmp_path / "model-2.safetensors").unlink()
    with pytest.raises(ArtifactError, match="names 1 shards that are not there: .*model-2"):
        measure_size(tmp_path)


NOT_WHAT_THE_SUFFIX_PROMISES = {
    "noise": bytes(range(200, 256)) * 30,
    "text": b"this is no model\n" * 50,
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(500),
    "a few bytes": b"abc",
}


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("case", NOT_WHAT_THE_SUFFIX_PROMISES)
def test_a_suffix_is_a_promise(tmp_path, suffix, case):
    content = NOT_WHAT_THE_SUFFIX_PROMISES[case]
    source = of(tmp_path, f"model{suffix}", content)
    with pytest.raises(ArtifactError) as caught:
        measure_size(source.name)
    said = str(caught.value)
    assert said.startswith(f"{source.name}: expected ")
    assert f"by its suffix {suffix}; " in said
    assert content[:8].hex(" ") in said


def test_another_format_than_promised_is_named(tmp_path):
    with pytest.raises(ArtifactError, match=r"expected PyTorch.* by its suffix .pt; it is safete"):
        read(of(tmp_path, "model.pt", EVERY["model.safetensors"]))
    with pytest.raises(ArtifactError, match=r"by its suffix .npz; it is torch; its first bytes"):
        read(of(tmp_path, "model.npz", EVERY["model.pt"]))
    with pytest.raises(ArtifactError, match=r"by its suffix .pt; it is zip"):
        read(of(tmp_path, "model.pt", zipped({"notes.txt": b"hello"})))


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("m.h5", b"\x89HDF\r\n\x1a\n" + bytes(90), "hdf5"),
        ("m.tflite", b"\x1c\0\0\0TFL3" + bytes(90), "tflite"),
        ("m.msgpack", b"\x81\xa1a\x01", "msgpack"),
        ("m.ggml", b"tjgg" + bytes(90), "ggml"),
        ("m.npy", EVERY_NPY, "npy"),
        ("m.pt", pickle.dumps([1], protocol=2) + bytes(50), "pickle"),  # torch before its zip
        ("m.pkl", pickle.dumps([1], protocol=0), "pickle"),
        ("m.joblib", zlib.compress(pickle.dumps(list(range(99)))), "joblib"),
        ("m.joblib", bz2.compress(pickle.dumps(list(range(99)))), "joblib"),
        ("m.joblib", lzma.compress(pickle.dumps(list(range(99)))), "joblib"),
        ("m.joblib", gzip.compress(pickle.dumps(list(range(99)))), "joblib"),
        ("m.zip", zipped({"notes.txt": b"hello"}), "zip"),
    ],
)
def test_what_keeps_its_promise(tmp_path, name, content, format):
    assert read(of(tmp_path, name, content)).format == format


def test_what_is_packed_and_no_pickle_is_no_joblib(tmp_path):
    assert read(of(tmp_path, "notes.gz", gzip.compress(b"hello"))) is None
    with pytest.raises(ArtifactError, match="expected joblib"):
        read(of(tmp_path, "m.joblib", gzip.compress(b"hello")))


def test_what_a_compressed_pickle_unpacks_to(tmp_path):
    inner = pickle.dumps(bytes(1000) + bytes(range(256)) * 300)
    for pack in (zlib.compress, gzip.compress):
        packed = pack(inner)
        report = measure_size(of(tmp_path, "m.joblib", packed).name)
        assert (report.weight_bytes, report.artifact_bytes) == (len(inner), len(packed))
        with pytest.raises(ArtifactError, match="no end: truncated"):
            read(of(tmp_path, "m.joblib", packed[:-9]))
        damaged = packed[:200] + bytes(len(packed) - 200)
        with pytest.raises(ArtifactError, match="damaged within|no end"):
            read(of(tmp_path, "m.joblib", damaged))
    bomb = zlib.compress(pickle.dumps(bytes(1 << 20)) + bytes(90 << 20))
    with pytest.raises(ArtifactError, match="unpacks to more than 200 times"):
        read(of(tmp_path, "m.joblib", bomb))


def test_elements_of_four_bits_are_packed_by_twos(tmp_path):
    # The bytes that onnx 1.23 writes for five elements of INT4 (22): three.
    tensor = b"\x08\x05\x10\x16" + b"\x42\x01q" + b"\x4a\x03abc"
    graph = b"\x2a" + bytes([len(tensor)]) + tensor
    found = read(of(tmp_path, "m.onnx", b"\x08\x09\x3a" + bytes([len(graph)]) + graph))
    assert (found.parameters, found.tensor_bytes, found.dtype) == (5, 3, "int4")


def test_an_array_of_records(tmp_path):
    out = io.BytesIO()
    np.save(out, np.zeros(3, [("a", "f4"), ("b", "i8")]))
    found = read(of(tmp_path, "m.npy", out.getvalue()))
    assert (found.parameters, found.tensor_bytes, found.dtype) == (3, 36, "record")


def test_an_empty_file_in_s3_or_a_folder(tmp_path):
    with pytest.raises(ArtifactError, match=r"by its suffix .gguf; it is empty"):
        read(of(tmp_path, "m.gguf", b""))


def test_trees_in_the_arrays_of_ubjson(tmp_path):
    """Arrays with a type and a count, and with a count alone, as XGBoost writes them."""

    def key(text):
        return b"L" + struct.pack(">q", len(text)) + text

    tree = b"{" + key(b"base_weights") + b"[$d#L" + struct.pack(">q", 3) + bytes(12)
    tree += key(b"tree_param") + b"{" + key(b"num_nodes") + b"S" + key(b"3") + b"}}"
    trees = b"[#L" + struct.pack(">q", 2) + tree + tree
    model = b"{" + key(b"num_trees") + b"S" + key(b"2") + key(b"trees") + trees + b"}"
    content = b"{" + key(b"learner") + model + key(b"version") + b"[i\x03i\x02i\x00]" + b"}"
    assert read(of(tmp_path, "m.ubj", content)).facts == {"trees": 2, "nodes": 6}
    for cut in range(30, len(content), 7):
        with pytest.raises(ArtifactError):
            read(of(tmp_path, "m.ubj", content[:cut]))


def test_a_pipeline_of_several_sharded_models(tmp_path):
    """As diffusers lay them out: folders with an index each, folders of one file."""
    for folder, sizes in (("text", (100, 200)), ("image", (300,))):
        (tmp_path / folder).mkdir()
        names = [f"m-{size}.safetensors" for size in sizes]
        for name, size in zip(names, sizes, strict=True):
            (tmp_path / folder / name).write_bytes(weights(size))
        index = {"weight_map": {str(n): name for n, name in enumerate(names)}}
        (tmp_path / folder / "m.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "text" / "m.fp16.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "vae").mkdir()
    (tmp_path / "vae" / "m.safetensors").write_bytes(weights(150))
    # The same weights once more, in one file that no index names.
    (tmp_path / "text" / "consolidated.safetensors").write_bytes(weights(228))
    report = measure_size(tmp_path)
    assert report.counted == 28 + 128 + 228 + 78
    assert any("m.fp16.safetensors.index.json is not counted" in note for note in report.notes)


def test_a_file_that_shrinks_while_it_is_read(tmp_path):
    source = of(tmp_path, "m.gguf", EVERY["model.gguf"])
    (tmp_path / "m.gguf").write_bytes(EVERY["model.gguf"][:30])
    with pytest.raises(ArtifactError, match="it changed while it was read"):
        read(source)


def _safetensors(header: object, data: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


HOSTILE = {
    "a header of 2^60 bytes": ("x.safetensors", (1 << 60).to_bytes(8, "little") + b"{}",
                               "announces a header of 1,152,921,504,606,846,976 bytes"),
    "a header longer than the file": ("x.safetensors", (500).to_bytes(8, "little") + b"{}",
                                      "500 bytes in a file of 10: truncated?"),
    "no JSON": ("x.safetensors", (2).to_bytes(8, "little") + b"{x", "its header is no JSON"),
    "a list": ("x.safetensors", _safetensors([]), "its header is no object"),
    "tensors beyond the end": (
        "x.safetensors", _safetensors({"w": {"dtype": "F32", "shape": [4],
                                             "data_offsets": [0, 16]}}, b"xx"),
        r'tensor "w" lies at 0 to 16 of 2 bytes: truncated\?'),
    "elements that do not fit": (
        "x.safetensors", _safetensors({"w": {"dtype": "F32", "shape": [1 << 40],
                                             "data_offsets": [0, 2]}}, b"xx"),
        "do not take 2 bytes"),
    "elements without end": (
        "x.safetensors", _safetensors({"w": {"dtype": "F32", "shape": [1 << 40, 1 << 40],
                                             "data_offsets": [0, 2]}}, b"xx"), "too many elements"),
    "tensors that overlap": (
        "x.safetensors", _safetensors(
            {"a": {"dtype": "U8", "shape": [4], "data_offsets": [0, 4]},
             "b": {"dtype": "U8", "shape": [4], "data_offsets": [2, 6]}}, b"x" * 6),
        r'tensors "a" \(0 to 4\) and "b" \(2 to 6\) overlap'),
    "a hole": (
        "x.safetensors", _safetensors(
            {"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},
             "b": {"dtype": "U8", "shape": [2], "data_offsets": [4, 6]}}, b"x" * 6),
        'between tensors "a" and "b" belong to none'),
    "bytes before": (
        "x.safetensors", _safetensors(
            {"a": {"dtype": "U8", "shape": [2], "data_offsets": [4, 6]}}, b"x" * 6),
        '4 bytes before tensor "a" belong to none'),
    "bytes behind": (
        "x.safetensors", _safetensors(
            {"a": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]}}, b"x" * 6),
        "4 bytes behind the last tensor belong to none"),
    "a tensor twice": (
        "x.safetensors", (lambda text: len(text).to_bytes(8, "little") + text)(
            b'{"a": {"dtype": "U8", "shape": [0], "data_offsets": [0, 0]}, "a": {}}'),
        '"a" is there twice'),
    "an unknown dtype": (
        "x.safetensors", _safetensors({"w": {"dtype": "Q1", "shape": [], "data_offsets": [0, 2]}},
                                      b"xx"), "dtype 'Q1' is not known"),
    "a truncated archive": ("x.pt", torch_zip()[:-40], "no whole zip archive"),
    "2^60 tensors": ("x.gguf", b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 0),
                     "more than is believed"),
    "a text of 2^60 bytes": ("x.gguf", b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1 << 60),
                             "1,152,921,504,606,846,976 more are announced"),
    "a list of 2^60 texts": (
        "x.gguf", b"GGUF" + struct.pack("<IQQQ", 3, 0, 1, 1) + b"a"
        + struct.pack("<IIQ", 9, 8, 1 << 60), "an array of 1,152,921,504,606,846,976 entries"),
    "another version": ("x.gguf", b"GGUF" + struct.pack("<IQQ", 9, 0, 0), "GGUF version 9"),
    "a truncated gguf": ("x.gguf", gguf()[:-100], "truncated?"),
    "gguf that overlaps": ("x.gguf", gguf().replace(struct.pack("<IQ", 0, 288),
                                                    struct.pack("<IQ", 0, 256)),
                           'tensors "w" and "n" overlap at 256'),
    "a tensor of onnx without its bytes": (
        "x.onnx", onnx().replace(b"\x08\x03\x08\x04", b"\x08\x03\x08\x05"),
        "15 elements of fp32 has 48 bytes: expected 60"),
    "an array without its bytes": (
        "x.npy", EVERY_NPY[:-4], "12 bytes behind its header, expected 16: truncated?"),
    "a truncated ubj": ("x.ubj", EVERY["model.ubj"][:-3], "where 1 more are announced|truncated"),
    "bytes behind a ubj": ("x.ubj", EVERY["model.ubj"] + b"}", "1 bytes lie behind the end"),
    "fewer trees than announced": (
        "x.json", EVERY["model.json"].replace(b'{"trees"', b'{"num_trees": "9", "trees"'),
        "announces 9 trees and holds 2: truncated?"),
    "a truncated json of xgboost": ("x.json", EVERY["model.json"][:-8], 'does not end with "}"'),
    "a truncated lightgbm": ("x.txt", EVERY["model.txt"][:-14], 'no "end of trees" behind 2'),
    "a truncated pickle": ("x.pkl", EVERY["model.pkl"][:-1], "does not end with its last operat"),
    "a directory of gigabytes": (
        "x.zip", b"PK\x03\x04" + bytes(40)
        + b"PK\x05\x06" + struct.pack("<4HIIH", 0, 0, 1, 1, 1 << 31, 0, 0),
        "a directory of 2,147,483,648 bytes"),
    "an array packed by bz2": ("x.npz", zipped({"a.npy": EVERY_NPY}, zipfile.ZIP_BZIP2),
                               'member "a.npy" is packed by method 12'),
    "a sparse member": ("x.tar", sparse_tar(), 'member "a" is sparse'),
    "a truncated onnx": ("x.onnx", onnx()[:-20], "truncated?"),
    "a tar that leads out": ("x.tar.gz", tar_gz({"../../etc/passwd": b"x"}),
                             'member "../../etc/passwd" leads out of the archive'),
    "a tar at the root": ("x.tar.gz", tar_gz({"/etc/passwd": b"x"}), "leads out of the archive"),
    "a truncated tar": ("x.tar.gz", tar_gz({"a": bytes(range(256)) * 400})[:-300],
                        "no whole tar.gz"),
    "a bomb": ("x.tar.gz", gzip_bomb(300 << 20), "unpacks to more than 200 times its bytes"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_files_are_refused_with_their_name(tmp_path, case):
    name, content, said = HOSTILE[case]
    source = of(tmp_path, name, content)
    tracemalloc.start()
    try:
        with pytest.raises(ArtifactError, match=said) as error:
            read(source)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert str(error.value).startswith(f"{source.name}: ")
    assert peak < 64 << 20  # bounded, whatever is announced


def test_a_message_is_short_and_moves_no_cursor():
    error = ArtifactError("m.pt", 'member "\x1b[2J\n' + "x" * 5000)
    assert error.problem.startswith('member "?[2J xxx')
    assert len(str(error)) < 420


def tried(source):
    """What a file holds, or what its refusal says; anything else is a crash."""
    try:
        return (read(source) if source.size else None), None
    except ArtifactError as error:
        return None, str(error)


FUZZ = settings(
    max_examples=400, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@FUZZ
@given(
    name=st.sampled_from(sorted(EVERY)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=9)), max_size=6),
    cut=st.one_of(st.none(), st.floats(0, 1)),
)
def test_damaged_files_never_crash_a_reader(tmp_path, name, changes, cut):
    content = bytearray(EVERY[name])
    for where, what in changes:
        at = int(where * len(content))
        content[at : at + len(what)] = what
    if cut is not None:
        del content[int(cut * len(content)) :]
    source = of(tmp_path, name, bytes(content))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found, said = tried(source)
    assert said is None or (said.startswith(source.name) and len(said) > len(source.name) + 5)
    assert found is None or found.parameters is None or found.parameters >= 0
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000  # [kB]


@FUZZ
@given(content=st.binary(max_size=300), name=st.sampled_from(sorted(EVERY)))
def test_noise_never_crashes_a_reader(tmp_path, content, name):
    for head in (b"", EVERY[name][:8]):
        source = of(tmp_path, name, head + content)
        _, said = tried(source)
        assert said is None or said.startswith(source.name)


def test_a_header_cannot_ask_for_the_whole_file():
    class Huge:
        name, size = "huge.safetensors", 1 << 50

        def read(self, offset, length):
            assert length <= 100_000_000
            return b"\xff" * min(length, 64)

    with pytest.raises(ArtifactError):
        read(Huge())


# --- 140 GB in S3 ---


def _lazy(header: bytes, size: int):
    """What a moto object may hold in place of bytes: a header, then zeros that are nowhere."""

    class Lazy:
        def __len__(self):
            return size

        def __getitem__(self, span):
            start, stop, _ = span.indices(size)
            found = header[start:stop]
            return found + bytes(max(stop - max(start, len(header)), 0))

    return Lazy()


def test_140_gigabytes_in_s3_are_sized_in_kilobytes(monkeypatch):
    import boto3
    from moto.s3.models import FakeKey, s3_backends
    from moto.server import ThreadedMotoServer

    class HugeKey(FakeKey):
        __module__ = "moto.s3.models"  # where its registry expects it
        lazy = None

        @property
        def value(self):
            return self.lazy

        @value.setter
        def value(self, new):
            pass

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        client = boto3.client("s3", endpoint_url=url)
        client.create_bucket(Bucket="models")
        # Llama-2-70B in 16 bit: 80 layers of 9 tensors, in 30 shards; 137,953,296,384 bytes.
        layer = {"q": [8192, 8192], "k": [1024, 8192], "v": [1024, 8192], "o": [8192, 8192],
                 "gate": [28672, 8192], "up": [28672, 8192], "down": [8192, 28672],
                 "norm1": [8192], "norm2": [8192]}  # fmt: skip
        tensors = {f"model.layers.{n}.{k}.weight": s for n in range(80) for k, s in layer.items()}
        tensors |= {"embed": [32000, 8192], "lm_head": [32000, 8192], "norm": [8192]}
        names = sorted(tensors)
        keys = s3_backends["123456789012"]["aws"].get_bucket("models").keys
        weight_map = {}
        for shard in range(30):
            name = f"model-{shard + 1:05d}-of-00030.safetensors"
            mine = {}
            for tensor in names[shard::30]:
                shape = tensors[tensor]
                count = shape[0] * (shape[1] if len(shape) > 1 else 1)
                mine[tensor] = ("BF16", shape, 2 * count)
                weight_map[tensor] = name
            header, data = safetensors(mine)
            key = FakeKey(name=f"llama/{name}", value=b"", account_id="123456789012",
                          region_name="us-east-1")  # fmt: skip
            key.__class__ = HugeKey
            key.lazy = _lazy(header, len(header) + data)
            key.contentsize = len(header) + data
            keys[f"llama/{name}"] = key
        index = {"metadata": {"total_size": 137_953_296_384}, "weight_map": weight_map}
        client.put_object(Bucket="models", Key="llama/model.safetensors.index.json",
                          Body=json.dumps(index).encode())  # fmt: skip
        report = measure_size("s3://models/llama/", endpoint_url=url)
    finally:
        server.stop()
    assert report.parameters == 68_976_648_192
    assert report.weight_bytes == 137_953_296_384
    assert report.artifact_bytes > 137_953_296_384
    assert report.contents.elements == {"bf16": 68_976_648_192}
    assert report.traffic.bytes < 10_000_000
    assert 31 <= report.traffic.requests <= 100
    assert report.notes == ()


def test_blocks_are_read_once():
    class Client:
        def get_object(self, Bucket, Key, Range):
            first, last = map(int, Range.removeprefix("bytes=").split("-"))
            import io

            return {"Body": io.BytesIO(bytes(range(256))[first : last + 1])}

    traffic = Traffic()
    source = S3Bytes(Client(), "b", "k", 256, traffic)
    assert source.read(10, 5) == bytes(range(10, 15))
    assert source.read(250, 50) == bytes(range(250, 256))
    assert (traffic.requests, traffic.bytes) == (1, 256)
    assert read_all([]) is None
