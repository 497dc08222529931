"""Types of layers: counts by hand from their definitions, and beside those of torch."""

from __future__ import annotations

import json

import pytest

from modeler.predict.architecture import ArchitectureError, file_bytes, from_spec
from modeler.predict.precision import precision


def weight_bytes(found, width):
    """Bytes in 16 or 32 bits, zeros and indices that are kept included."""
    return precision({2.0: "fp16", 4.0: "fp32"}[width]).memory_bytes(found)


def count(**content):
    return from_spec(content).parameters


@pytest.mark.parametrize(
    ("content", "parameters"),
    [
        # torch 2.13: sums of parameters() of the modules of that name.
        ({"type": "mlp", "layers": [784, 256, 128, 10]}, 235_146),
        ({"type": "lstm", "input": 128, "hidden": 256, "layers": 2}, 921_600),
        ({"type": "transformer_encoder", "d_model": 768, "heads": 12, "d_ff": 3072, "layers": 12},
         85_054_464),
        # torchvision: conv1 of ResNet-50, a depthwise convolution, ConvTranspose2d of U-Net.
        ({"type": "conv2d", "in": 3, "out": 64, "kernel": 7, "bias": False}, 9_408),
        ({"type": "conv2d", "in": 64, "out": 64, "kernel": 3, "groups": 64}, 64 * 9 + 64),
        ({"type": "conv2d", "in": 64, "out": 32, "kernel": [2, 2], "transposed": True},
         64 * 32 * 4 + 32),
        ({"type": "conv3d", "in": 2, "out": 4, "kernel": [3, 3, 3]}, 2 * 4 * 27 + 4),
        # A head follows the last outputs, of a transposed convolution too.
        ({"type": "conv2d", "in": 8, "out": 4, "kernel": 1, "transposed": True, "classes": 10},
         8 * 4 + 4 + 4 * 10 + 10),
        # Two vectors of all channels whatever the groups; one of RMS; no parameters in buffers.
        ({"type": "group_norm", "channels": 64, "groups": 32}, 128),
        ({"type": "rms_norm", "width": 4096}, 4096),
        ({"type": "layer_norm", "width": 768}, 1536),
        ({"type": "batch_norm", "channels": 64}, 128),
        ({"type": "batch_norm", "channels": 64, "affine": False}, 0),
        ({"type": "mlp", "layers": [4, 8, 2], "norm": "group"}, 4 * 8 + 8 + 16 + 8 * 2 + 2),
        ({"type": "mlp", "layers": [4, 8, 2], "norm": "rms"}, 4 * 8 + 8 + 8 + 8 * 2 + 2),
        ({"type": "linear_model", "features": 100, "classes": 2}, 101),
        ({"type": "linear_model", "features": 100, "classes": 3}, 303),
        ({"type": "linear_model", "features": 100, "outputs": 2}, 202),
        # DeepSeek-V3: 7168 wide, 128 heads. 7168 x 1536 + 1536 + 1536 x 128 x 192 for queries,
        # 7168 x 576 + 512 + 512 x 128 x 256 for keys and values, 128 x 128 x 7168 out.
        ({"type": "mla", "d_model": 7168, "heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512,
          "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128}, 187_107_328),
        # DeepSeek-V2-Lite, whose queries have no low rank: 2048 x 16 x 192 for them.
        ({"type": "mla", "d_model": 2048, "heads": 16, "kv_lora_rank": 512,
          "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128}, 13_763_072),
    ],
)  # fmt: skip
def test_counts(content, parameters):
    assert from_spec(content).parameters == parameters


def test_buffers_are_in_the_file_and_no_parameters():
    norm = from_spec({"type": "batch_norm", "channels": 64})
    # Mean and variance of 64, and one int64 that counts batches.
    assert norm.buffer_elements == 129
    assert norm.state_bytes(4.0) == 4 * (128 + 128) + 8
    assert weight_bytes(norm, 4.0) == 4 * 128


def test_the_cache_of_latent_attention():
    # DeepSeek-V3 keeps 512 + 64 elements a token and layer: 70,272 bytes in 61 layers of 16 bit.
    found = from_spec(
        {"type": "mla", "d_model": 7168, "heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512,
         "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128, "layers": 61}
    )  # fmt: skip
    assert 2 * found.attention.cache_elements() == 70_272


def test_caches_of_a_stack_are_one_where_they_are_alike():
    decoder = {"type": "transformer_decoder", "width": 64, "heads": 4, "layers": 2}
    one = from_spec({"layers": [decoder, decoder]})
    # Keys and values of 64 in each of four layers.
    assert one.attention.cache_elements() == 4 * 2 * 64
    mixed = from_spec({"layers": [decoder, decoder | {"heads": 8}]})
    assert mixed.attention is None
    assert "several kinds of attention" in mixed.notes[0]


# --- sparse layers ---


def sparse(storage=None, density=0.1, **more):
    content = {"type": "dense", "in": 100, "out": 200, "bias": False, "density": density}
    return from_spec(content | ({"storage": storage} if storage else {}) | more)


def test_zeros_that_are_kept_take_the_bytes_of_a_dense_layer():
    found = sparse()
    assert found.parameters == 2000
    assert weight_bytes(found, 4.0) == 4 * 100 * 200
    assert "18,000 zeros are stored" in found.notes[0]
    dense = from_spec({"type": "dense", "in": 100, "out": 200, "bias": False})
    assert file_bytes(found, "safetensors") == file_bytes(dense, "safetensors")


def test_rows_of_values_and_indices():
    # CSR: 2,000 values and as many column indices, 201 row pointers.
    assert weight_bytes(sparse("csr"), 4.0) == 2000 * (4 + 4) + 201 * 4
    assert weight_bytes(sparse("csr", index_bytes=8), 4.0) == 2000 * (4 + 8) + 201 * 8
    assert weight_bytes(sparse("csr"), 2.0) == 2000 * (2 + 4) + 201 * 4
    assert sparse("csr").parameters == 2000
    assert sparse("csr").notes == (
        "places of values at 4 bytes each: 8,804 bytes beside the values",
    )
    # With 32-bit values and indices it wins below about half.
    assert weight_bytes(sparse("csr", 0.49), 4.0) < weight_bytes(sparse("dense", 0.49), 4.0)
    assert weight_bytes(sparse("csr", 0.51), 4.0) > weight_bytes(sparse("dense", 0.51), 4.0)


def test_two_of_four():
    # Half the values, and 2 bits for the place of each: 0.5625 of dense at 16 bit.
    found = sparse("2:4", 0.5)
    assert weight_bytes(found, 2.0) == 100 * 200 / 2 * 2 + 100 * 200 / 2 * 2 / 8
    assert weight_bytes(found, 2.0) / (2 * 100 * 200) == 0.5625
    # Fewer that are not zero take the same bytes.
    assert weight_bytes(sparse("2:4", 0.25), 2.0) == weight_bytes(found, 2.0)
    assert sparse("2:4", 0.25).parameters == 5000
    assert "places of values at 2 bits each: 2,500 bytes" in found.notes[0]
    free = {"type": "dense", "in": 8, "out": 2, "storage": "2:4", "bias": False}
    assert count(**free) == 8


def test_a_sparse_report_says_the_bytes_of_each_precision(tmp_path):
    from modeler.predict import measure_size

    path = tmp_path / "m.json"
    path.write_text(json.dumps({"type": "mlp", "layers": [100, 100], "density": 0.1,
                                "storage": "csr"}))  # fmt: skip
    report = measure_size(path).to_dict()
    values, indices, biases = 1000, (1000 + 101) * 4, 100
    assert report["parameters"] == values + biases
    assert report["weight_bytes"] == 4 * (values + biases) + indices
    assert report["bytes_by_precision"]["fp16"] == 2 * (values + biases) + indices


def test_packed_precisions_keep_the_places_as_they_are():
    found = sparse("csr")
    # Values at 4.15625 bits, indices at 32.
    expected = 2000 * 4.15625 / 8 + (2000 + 201) * 4
    assert precision("awq_g128").memory_bytes(found) == pytest.approx(expected)


# --- refusals ---


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"type": "conv2d", "in": 8, "out": 8, "kernel": [3, 3, 3]},
         r"kernel = \[3, 3, 3\]: expected one number or 2 of them, for conv2d"),
        ({"type": "conv2d", "in": 8, "out": 8, "kernel": [3, 0]}, "kernel has 0: expected .* of 1"),
        ({"type": "mlp", "layers": [0, 3]}, "layers has 0: expected whole numbers of 1"),
        ({"type": "mlp", "layers": [True, 3]}, "layers = .*: expected a list of whole numbers"),
        ({"type": "mlp", "layers": [3, 10**30]}, "layers has 1000.*: expected whole numbers"),
        ({"type": "mlp", "layers": [3, float("nan")]}, "expected a list of whole numbers"),
        ({"type": "mlp", "layers": [1] * 20_000}, "layers has 20,000 entries: expected at most"),
        ({"type": "dense", "in": 10**30, "out": 1}, "in = 1000.*: expected at most 1,000,000,000"),
        ({"type": "dense", "in": -1, "out": 1}, "in = -1: expected a whole number of at least 1"),
        ({"type": "dense", "in": True, "out": 1}, "in = True: expected a whole number"),
        ({"type": "dense", "in": float("inf"), "out": 1}, "in = inf: expected a whole number"),
        ({"type": "lstm", "input": 1, "hidden": 1, "layers": 10**9}, "expected at most 10,000"),
        ({"type": "embedding+mlp", "tables": [[True, 2]], "mlp": [2, 1]}, r"expected \[rows, wid"),
        ({"type": "conv2d", "conv": [[True, 2]]}, r"conv.0 = .*: expected \[in, out\]"),
        ({"type": "mlp", "layers": [3, 2], "norm": "bacth"}, 'norm = "bacth".*mean "batch"'),
        ({"type": "mlp", "layers": [3, 2], "precision": "fp99"}, "precision = 'fp99': expected"),
        ({"type": "mlp", "layers": [3, 2], "precision": 16}, "precision = 16: expected one of"),
        ({"type": "group_norm", "channels": 6, "groups": 4}, "expected a divisor of 6 channels"),
        ({"type": "transformer_encoder", "d_model": 10, "heads": 3}, "expected a divisor of d_mod"),
        ({"type": "attention", "d_model": 64, "heads": 8, "kv_heads": 3}, "a divisor of heads = 8"),
        ({"type": "moe", "d_model": 8, "d_ff": 8, "experts": 2, "per_token": 3}, "at most experts"),
        ({"type": "dense", "in": 8, "out": 8, "storage": "crs"}, 'storage = "crs".*mean "csr"'),
        ({"type": "dense", "in": 6, "out": 8, "storage": "2:4"}, "expected inputs in fours"),
        ({"type": "dense", "in": 8, "out": 8, "storage": "2:4", "density": 0.6}, "at most 0.5"),
        ({"type": "dense", "in": 40_000, "out": 8, "storage": "csr", "density": 0.5,
          "index_bytes": 2}, "too narrow for 40,000 columns"),
        ({"type": ["mlp"]}, r"type = \['mlp'\]: expected one of"),
        ({"layers": ["dense"]}, r"layers.0 = 'dense': expected widths .* such as \[57, 512, 3\]"),
        ({"layers": []}, r"layers = \[\]: expected widths"),
        ({"layers": 3}, "layers = 3: expected widths"),
        ({"layers": [{"in": 3}]}, "layers.0.type is missing: expected one of mlp"),
        ({"layers": [{"type": "dense", "in": 1, "out": 1, "precision": "fp16"}]},
         "precision: of the whole stack"),
    ],
)  # fmt: skip
def test_what_layers_may_not_say(content, said):
    with pytest.raises(ArchitectureError, match=said) as caught:
        from_spec(content)
    assert len(str(caught.value)) < 1500


def test_a_key_moves_no_cursor():
    with pytest.raises(ArchitectureError, match=r"\?\[2J: no field of type mlp"):
        from_spec({"type": "mlp", "layers": [1, 2], "\x1b[2J": 1})


def test_all_problems_are_said_at_once_and_not_more():
    wrong = {"type": "transformer_encoder", "d_model": 10, "heads": 3, "d_ff": 0, "bais": True}
    with pytest.raises(ArchitectureError) as caught:
        from_spec(wrong)
    said = str(caught.value).splitlines()
    assert len(said) == 3
    assert 'did you mean "bias"' in said[2]
    with pytest.raises(ArchitectureError, match="more problems") as caught:
        from_spec({"layers": [{"type": "dense"}] * 5000})
    assert len(caught.value.problems) <= 25
