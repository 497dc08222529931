"""Sizes of literals, files and folders, precision, and whether a model fits."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_artifacts import weights

import pricing
from modeler.predict import (
    ModelDoesNotFit,
    SizeError,
    bytes_by_precision,
    check_fit,
    measure_size,
    parameters_of,
    smallest_instance,
)
from modeler.predict.artifact import ArtifactError, LocalBytes
from modeler.predict.fit import limit_bytes


def test_bytes_by_precision():
    # 6.738 billion parameters (Llama-2-7B): 4, 2, 2, 1 and half a byte each.
    assert bytes_by_precision(6_738_415_616) == {
        "fp32": 26_953_662_464,
        "fp16": 13_476_831_232,
        "bf16": 13_476_831_232,
        "fp8": 6_738_415_616,
        "int8": 6_738_415_616,
        "int4": 3_369_207_808,
    }


@given(st.integers(1, 10**13), st.sampled_from(["fp32", "fp16", "bf16", "int8", "int4"]))
def test_parameters_and_bytes_are_inverse(size, dtype):
    # Half a byte a parameter rounds to whole bytes, and doubles hold 53 bits.
    assert bytes_by_precision(parameters_of(size, dtype))[dtype] == pytest.approx(size, rel=1e-15)


def test_unknown_precision_names_the_known():
    with pytest.raises(ValueError, match="fp16"):
        measure_size("1GB", dtype="fp12")


def test_literal():
    report = measure_size("13.5GB")
    assert (report.kind, report.weight_bytes, report.artifact_bytes, report.objects) == (
        "literal",
        13_500_000_000,
        13_500_000_000,
        0,
    )
    assert report.parameters == 6_750_000_000
    assert measure_size("12.6GiB", dtype="int4").parameters == round(12.6 * 2**30) * 2


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ("13.5", "unit"),
        ("-3GB", "negative"),
        ("12XB", "XB"),
        ("0GB", "at least one byte"),
        ("nowhere.safetensors", "no such file"),
        ("no/such/folder", "no such file"),
        ("7b/model.bin", "no such file"),
        ("nanGB", "no such file"),
    ],
)
def test_what_is_no_size(source, named):
    with pytest.raises(SizeError, match=named) as refusal:
        measure_size(source)
    assert refusal.value.exit_code == 2
    assert refusal.value.source == source


def test_file(tmp_path):
    file = tmp_path / "model.bin"  # a suffix that promises no format
    file.write_bytes(b"x" * 1234)
    report = measure_size(file)
    assert (report.kind, report.artifact_bytes, report.objects) == ("file", 1234, 1)


def test_folder_counts_everything_and_weighs_the_weights(tmp_path):
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "model-00001.safetensors").write_bytes(weights(700))
    (tmp_path / "model-00002.SAFETENSORS").write_bytes(weights(300))
    (tmp_path / "tokenizer.json").write_bytes(b"x" * 50)
    report = measure_size(tmp_path)
    assert (report.kind, report.objects) == ("directory", 3)
    assert (report.artifact_bytes, report.weight_bytes, report.parameters) == (1050, 856, 856)
    assert report.notes == ()


def test_folder_of_another_format_is_all_weights(tmp_path):
    (tmp_path / "part-0").write_bytes(b"x" * 10)
    report = measure_size(tmp_path)
    assert report.weight_bytes == 10
    assert "all bytes are taken as weights" in report.notes[0]


def test_a_file_linked_twice_is_fetched_once(tmp_path):
    # As the model hub's cache lays it out: blobs, and snapshots of links to them.
    (tmp_path / "blobs").mkdir()
    (tmp_path / "snapshots").mkdir()
    (tmp_path / "blobs" / "abc").write_bytes(weights(100))
    os.symlink(tmp_path / "blobs" / "abc", tmp_path / "snapshots" / "model.safetensors")
    assert measure_size(tmp_path / "snapshots").weight_bytes == 28
    assert measure_size(tmp_path).artifact_bytes == 100


def test_folder_refusals(tmp_path):
    with pytest.raises(SizeError, match="no files"):
        measure_size(tmp_path)
    (tmp_path / "empty.bin").touch()
    with pytest.raises(SizeError, match="0 bytes"):
        measure_size(tmp_path)
    os.symlink(tmp_path / "gone", tmp_path / "link")
    with pytest.raises(SizeError, match="leads nowhere"):
        measure_size(tmp_path)


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "model.safetensors")
    for source in (tmp_path, tmp_path / "model.safetensors", "/dev/null"):
        with pytest.raises(SizeError, match="a pipe, a socket or a device"):
            measure_size(source)
    with pytest.raises(ArtifactError, match="not a regular file"):
        LocalBytes(tmp_path / "model.safetensors")


def test_a_folder_that_cannot_be_listed_is_not_left_out(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "model.bin").write_bytes(b"x")
    listed = os.scandir

    def scandir(path):
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(PermissionError):
        measure_size(tmp_path)


def test_a_folder_of_many_files(tmp_path):
    for number in range(20_000):
        (tmp_path / f"{number}").touch()
    (tmp_path / "model.safetensors").write_bytes(weights(300))
    began = time.monotonic()
    assert measure_size(tmp_path).objects == 20_001
    assert time.monotonic() - began < 5.0


def test_limit_is_nine_tenths_of_memory():
    # g5.2xlarge: one A10G, 22.35 GiB as EC2 lists it.
    assert limit_bytes(pricing.instance("g5.2xlarge")) == int(0.9 * round(22.35 * 2**30))
    # m5.2xlarge: no accelerator, 32 GiB of memory.
    assert limit_bytes(pricing.instance("m5.2xlarge")) == int(0.9 * 32 * 2**30)


def test_fit_names_the_nearest_of_the_family_first():
    g5 = pricing.instance("ml.g5.2xlarge")
    check_fit(g5, limit_bytes(g5))
    with pytest.raises(ModelDoesNotFit) as refusal:
        check_fit(g5, 40_000_000_000)
    error = refusal.value
    assert (error.size_bytes, error.instance_type, error.exit_code) == (
        40_000_000_000,
        "ml.g5.2xlarge",
        2,
    )
    assert error.limit_bytes == limit_bytes(g5)
    # Four A10G hold it; one L40S (g6e.xlarge) would too, and is another family.
    assert error.nearest == "ml.g5.12xlarge"
    assert "40 GB" in str(error)
    assert "ml.g5.12xlarge" in str(error)


def test_fit_goes_to_another_family_and_then_gives_up():
    t4 = pricing.instance("g4dn.xlarge")
    with pytest.raises(ModelDoesNotFit) as refusal:
        check_fit(t4, 400_000_000_000)
    assert refusal.value.nearest is not None
    assert not refusal.value.nearest.startswith("g4dn")
    with pytest.raises(ModelDoesNotFit, match="none does"):
        check_fit(t4, 10**15)


@given(st.integers(1, 10**12))
def test_the_smallest_instance_holds_the_model(size):
    name = smallest_instance(size)
    if name is not None:
        check_fit(pricing.instance(name), size)
