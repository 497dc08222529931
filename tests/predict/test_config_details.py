"""What a configuration leaves to its family, and what it says of windows and quantisation."""

from __future__ import annotations

import copy
import json
import math
import random

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.predict.architecture import ArchitectureError, from_config
from modeler.predict.architecture.parts import Attention
from modeler.predict.known import known
from modeler.predict.precision import bytes_of, precision
from modeler.predict.size import measure_size

BASE = {
    "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 32000, "head_dim": 128,
}  # fmt: skip
KV = 2 * 8 * 128  # elements of a token in a layer


def of(kind, **more):
    return from_config({"model_type": kind, **BASE, **more})


# Rules of the configuration classes of transformers (read 2026-11): which layers have a window.
@pytest.mark.parametrize(
    ("kind", "more", "window", "layers"),
    [
        ("mistral", {}, 4096, 32),  # the class's default
        ("mistral", {"sliding_window": None}, 0, 0),  # as Mistral 7B v0.2 and later say
        ("mistral", {"sliding_window": 1024}, 1024, 32),
        ("mixtral", {"sliding_window": 2048}, 2048, 32),
        ("mixtral", {}, 0, 0),
        ("qwen2", {"sliding_window": 32768}, 0, 0),  # use_sliding_window is false
        ("qwen2", {"use_sliding_window": True, "max_window_layers": 20}, 4096, 12),
        ("qwen3", {"use_sliding_window": True}, 4096, 4),  # from layer 28 on
        ("gemma2", {}, 4096, 16),  # every other layer, from the first on
        ("gemma2", {"num_hidden_layers": 27}, 4096, 14),
        ("gemma3_text", {"sliding_window": 1024}, 1024, 27),  # every sixth sees everything
        ("cohere2", {}, 4096, 24),
        ("exaone4", {"sliding_window_pattern": "LLLG"}, 4096, 24),
        ("exaone4", {"sliding_window": None}, 0, 0),
        ("phi3", {"sliding_window": 2047}, 2047, 32),
        ("starcoder2", {"sliding_window": 4096}, 4096, 32),
        ("llama", {"sliding_window": 4096}, 0, 0),
        ("llama", {"sliding_window": 512,
                   "layer_types": ["sliding_attention", "full_attention"] * 16}, 512, 16),
    ],
)  # fmt: skip
def test_layers_with_a_window(kind, more, window, layers):
    if kind == "mixtral":
        more = {**more, "num_local_experts": 8}
    attention = of(kind, **more).attention
    assert (attention.window, attention.windowed_layers) == (window, layers)


def test_the_cache_of_a_window_in_closed_form():
    attention = Attention(48, 16, 8, 256, 0, 1024, 40)
    width = 2 * 8 * 256
    for tokens in (1, 1024, 1025, 131_072):
        expected = width * (8 * tokens + 40 * min(tokens, 1024))
        assert attention.cache_elements(tokens) == expected
        assert attention.tokens_of(expected) == pytest.approx(tokens, rel=1e-12)
    every = Attention(32, 32, 8, 128, 0, 4096, 32)
    assert every.tokens_of(every.cache_elements(4096)) == 4096
    assert every.tokens_of(every.cache_elements(4096) + 1) == math.inf


def test_a_long_context_of_gemma_3_fits_one_device(tmp_path):
    # Gemma 3 12B at 131,072 tokens: 11.77 GB x 2 of weights, 9.0 GB of cache where full layers
    # alone would take 51.5, 1.5 GB of overhead, 0.8 of activations.
    path = tmp_path / "config.json"
    path.write_text(json.dumps({
        "model_type": "gemma3_text", "hidden_size": 3840, "intermediate_size": 15360,
        "num_hidden_layers": 48, "num_attention_heads": 16, "num_key_value_heads": 8,
        "head_dim": 256, "vocab_size": 262208, "sliding_window": 1024, "torch_dtype": "bfloat16",
    }))  # fmt: skip
    ran = CliRunner().invoke(cli, ["size", str(path), "--context", "131072", "--format", "json"])
    assert ran.exit_code == 0, ran.output
    first = json.loads(ran.stdout)["instances"][0]
    cache = 2 * 2 * 8 * 256 * (8 * 131_072 + 40 * 1024)
    assert first["need_bytes"] == pytest.approx(23.53e9 + cache + 1.5e9 + 0.76e9, rel=0.01)
    said = CliRunner().invoke(cli, ["size", str(path)]).stderr
    assert "393,216 bytes of cache a token in 16 bit up to 1,024 tokens" in said
    assert "65,536 beyond: 40 of 48 layers" in said


# Classes' own defaults, not hidden_size over heads.
@pytest.mark.parametrize(("kind", "width"), [("gemma", 256), ("gemma2", 256), ("qwen3", 128)])
def test_widths_of_heads_that_a_family_has(kind, width):
    found = from_config(
        {
            "model_type": kind,
            **{k: v for k, v in BASE.items() if k != "head_dim"},
            "hidden_size": 2560,
        }
    )
    assert found.attention.head_dim == width


def test_what_a_nested_part_leaves_out_is_its_class_s_default():
    # As Gemma 3 4B is published: 4,300,079,472 parameters on the model's page.
    found = from_config({
        "model_type": "gemma3", "torch_dtype": "bfloat16",
        "text_config": {"model_type": "gemma3_text", "hidden_size": 2560,
                        "intermediate_size": 10240, "num_hidden_layers": 34,
                        "sliding_window": 1024},
        "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152,
                          "image_size": 896, "intermediate_size": 4304,
                          "num_attention_heads": 16, "num_hidden_layers": 27, "patch_size": 14,
                          "vision_use_head": False},
    })  # fmt: skip
    assert found.parameters == 4_300_079_472
    (note,) = [note for note in found.notes if "defaults" in note]
    assert "text_config.vocab_size, text_config.num_attention_heads" in note


def test_heads_that_do_not_divide_are_said():
    found = of("llama", head_dim=None, num_attention_heads=12, num_key_value_heads=5)
    assert any("is no multiple of num_attention_heads = 12" in note for note in found.notes)
    assert any("is no multiple of num_key_value_heads = 5" in note for note in found.notes)


# Stored sizes as the repositories list them, within 2 %: Llama-2-7B in 4 bits with groups of 128,
# 3.90 GB of GPTQ and 3.89 of AWQ (TheBloke/Llama-2-7B-GPTQ and -AWQ).
LLAMA_2_7B = {
    "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008, "vocab_size": 32000,
    "num_hidden_layers": 32, "num_attention_heads": 32, "torch_dtype": "float16",
}  # fmt: skip


@pytest.mark.parametrize(
    ("quantisation", "stored", "gigabytes"),
    [
        ({"quant_method": "gptq", "bits": 4, "group_size": 128}, "gptq_4bit_g128", 3.90),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "awq_4bit_g128", 3.89),
    ],
)
def test_a_quantised_configuration_is_sized_as_it_is_stored(quantisation, stored, gigabytes):
    found = from_config({**LLAMA_2_7B, "quantization_config": quantisation})
    assert found.dtype == stored
    assert precision(found.dtype).memory_bytes(found) == pytest.approx(1e9 * gigabytes, rel=0.02)
    assert any(stored in note for note in found.notes)


@pytest.mark.parametrize(
    ("quantisation", "bits"),
    [
        # Bits a weight by the methods' own layouts.
        ({"quant_method": "gptq", "bits": 8, "group_size": 64}, 8 + 24 / 64),
        ({"quant_method": "gptq", "bits": 3, "group_size": -1}, 3),
        ({"quant_method": "awq", "w_bit": 4, "q_group_size": 64}, 4 + 20 / 64),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, 4.5),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True,
          "bnb_4bit_use_double_quant": True}, 4.127),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, 8),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, 8),
        ({"quant_method": "compressed-tensors", "config_groups": {
            "group_0": {"weights": {"num_bits": 8, "type": "float"}}}}, 8),
        ({"quant_method": "compressed-tensors", "config_groups": {
            "group_0": {"weights": {"num_bits": 4, "type": "int", "group_size": 64}}}},
         4 + 20 / 64),
        ({"quant_method": "mxfp4"}, 4.25),
    ],
)  # fmt: skip
def test_bits_of_a_quantised_configuration(quantisation, bits):
    found = from_config({**LLAMA_2_7B, "quantization_config": quantisation})
    rest = found.parameters - found.linear_parameters
    expected = found.linear_parameters * bits / 8 + 2 * rest
    assert precision(found.dtype).memory_bytes(found) == pytest.approx(expected, rel=1e-3)


def test_modules_that_are_left_out_keep_sixteen_bits():
    plain = {"quant_method": "awq", "bits": 4, "group_size": 128}
    left = {**plain, "modules_to_not_convert": ["lm_head", "self_attn", "model.layers.3.mlp"]}
    found, without = (from_config({**LLAMA_2_7B, "quantization_config": q}) for q in (left, plain))
    attention = 4 * 4096 * 4096 * 32
    more = precision(found.dtype).memory_bytes(found) - precision(found.dtype).memory_bytes(without)
    assert more == pytest.approx(attention * (2 - 4.15625 / 8))
    (note,) = [note for note in found.notes if "quantised" in note]
    assert "attention keeps 16 bits" in note
    assert "counted as quantised though left out: model.layers.3.mlp" in note


def test_a_method_that_is_not_known_is_said():
    found = from_config({**LLAMA_2_7B, "quantization_config": {"quant_method": "aqlm"}})
    assert found.dtype == "fp16"
    assert 'quant_method "aqlm" is not known here: sized as if it were not quantised' in found.notes
    with pytest.raises(ArchitectureError, match="bits = 5: expected one of 2, 3, 4, 8"):
        from_config({**LLAMA_2_7B, "quantization_config": {"quant_method": "gptq", "bits": 5}})


def test_every_way_to_a_precision_gives_the_same_bytes(tmp_path):
    llama = known("Llama-3.1-8B")
    # 8.03 billion parameters: 6.979 in matrices at 4.156 bits, embedding and head in 16.
    assert bytes_of(llama)["int4"] == pytest.approx(5.728e9, rel=1e-3)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({
        "model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336,
        "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
        "vocab_size": 128256, "torch_dtype": "bfloat16",
    }))  # fmt: skip
    told = {}
    for args in (["--dtype", "int4"], [], ["--precisions"]):
        ran = CliRunner().invoke(cli, ["size", str(path), *args, "--format", "json"])
        told[tuple(args)] = json.loads(ran.stdout)
    one, two, three = told.values()
    row = next(row for row in three["precisions"] if row["precision"] == "int4")
    assert one["weight_bytes"] == two["bytes_by_precision"]["int4"] == row["weight_bytes"]
    assert one["weight_bytes"] == bytes_of(llama)["int4"]


def test_arithmetic_that_a_device_lacks_is_named(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**BASE, "model_type": "llama"}))
    run = CliRunner().invoke
    ran = run(cli, ["size", str(path), "--precisions", "--instance", "g4dn.2xlarge"])
    said = "no latency of fp8: T4 has no figure for arithmetic in fp8, and no kernels that expand"
    assert said in ran.stderr
    ran = run(cli, ["size", str(path), "--precisions", "--instance", "m5.2xlarge"])
    assert "m5.2xlarge has no accelerator" in ran.stderr


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--precisions", "--context", "9"], "--context and --precisions ask for different things"),
        (["--precisions", "--dtype", "int8"], "--dtype and --precisions ask for different things"),
        (["--sequences", "3"], "--sequences needs --context"),
        (["--instance", "g5.xlarge"], "--instance needs --precisions"),
        (["--profile", "mine"], "--profile is for s3:// sources"),
    ],
)
def test_options_that_would_be_ignored_are_refused(tmp_path, args, said):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**BASE, "model_type": "llama"}))
    ran = CliRunner().invoke(cli, ["size", str(path), *args])
    assert ran.exit_code == 2
    assert said in ran.output


def test_where_nothing_holds_a_context_the_command_fails(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**BASE, "model_type": "llama"}))
    args = ["size", str(path), "--context", "1000000", "--sequences", "500"]
    ran = CliRunner().invoke(cli, args)
    assert ran.exit_code == 3
    assert "take a shorter context, fewer sequences or a smaller precision" in ran.stderr


def test_counts_of_layers_are_bounded():
    huge = {**BASE, "num_hidden_layers": 10_000, "vocab_size": 10**6}
    for kind in ("qwen2_moe", "deepseek_v3"):
        more = {
            "moe_intermediate_size": 8, "shared_expert_intermediate_size": 8, "kv_lora_rank": 8,
            "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 8, "n_routed_experts": 4,
            "mlp_only_layers": [1, 5], "first_k_dense_replace": 3,
        }  # fmt: skip
        assert from_config({"model_type": kind, **huge, **more}).parameters > 10**10
    with pytest.raises(ArchitectureError, match="mlp_only_layers"):
        from_config({"model_type": "qwen2_moe", **huge, **more, "mlp_only_layers": 5})
    with pytest.raises(ArchitectureError, match="expected at most 10,000"):
        from_config({"model_type": "llama", **BASE, "num_hidden_layers": 10**9})


FUZZED = [
    {"model_type": kind, **BASE, "num_local_experts": 4, "num_experts": 4, "n_routed_experts": 8,
     "moe_intermediate_size": 64, "shared_expert_intermediate_size": 64, "kv_lora_rank": 64,
     "qk_rope_head_dim": 16, "qk_nope_head_dim": 16, "v_head_dim": 16, "ffn_dim": 64,
     "layer_types": ["sliding_attention"] * 4, "sliding_window": 64, "d_model": 64,
     "quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128},
     "text_config": {"hidden_size": 64}, "vision_config": {"hidden_size": 64}, "d_ff": 64,
     "num_layers": 4, "max_position_embeddings": 64, "d_kv": 16, "num_heads": 4}
    for kind in ("llama", "gemma3", "gemma2", "qwen2_moe", "deepseek_v3", "opt", "falcon", "bert",
                 "t5", "gpt2", "gpt_oss", "exaone4", "whisper", "llama4")
]  # fmt: skip
STRANGE = [
    None, True, -1, 0, 10**30, 1.5, math.nan, math.inf, "4", "", [], {}, [None], [5, "a"],
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_no_configuration_brings_it_down(seed):
    rng = random.Random(seed)
    told = 0
    for number in range(400):
        content = copy.deepcopy(FUZZED[number % len(FUZZED)])
        for _ in range(rng.randint(1, 3)):
            key = rng.choice([key for key in content if key != "model_type"])
            content[key] = rng.choice(STRANGE)
        quantised = content["quantization_config"]
        if isinstance(quantised, dict) and rng.random() < 0.3:
            quantised[rng.choice(["quant_method", "bits", "group_size"])] = rng.choice(STRANGE)
        try:
            found = from_config(content, "config.json")
        except ArchitectureError:  # anything else is a fault
            continue
        told += 1
        assert precision(found.dtype).memory_bytes(found) >= 0
        assert min(bytes_of(found).values()) >= 0
    assert told > 20


QWEN3 = {
    "model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "vocab_size": 151669,
    "num_hidden_layers": 28, "num_attention_heads": 16, "num_key_value_heads": 8, "head_dim": 128,
    "tie_word_embeddings": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("Qwen3ForCausalLM", 151669),
        (None, 151669),
        ("Qwen3Model", 0),
        ("Qwen3ForSequenceClassification", 2),
    ],
)
def test_the_class_decides_the_head_of_a_decoder(name, rows):
    """595,776,512 of the bare model, as transformers counts it; rows of 1,024 of the head."""
    content = QWEN3 if name is None else {**QWEN3, "architectures": [name]}
    assert from_config(content).parameters == 595_776_512 + rows * 1024


def test_the_text_part_of_a_larger_model_keeps_its_head():
    inner = {**QWEN3, "architectures": ["Qwen3Model"]}
    whole = from_config({"model_type": "some_vlm", "text_config": inner})
    assert whole.parameters == 595_776_512 + 151669 * 1024


@pytest.mark.parametrize(
    ("layer", "parameters"),
    [
        ({"type": "conv2d", "in": 3, "out": 64, "kernel": 7, "stride": 2, "padding": 3}, 9_472),
        ({"type": "mlp", "layers": [10, 20, 2], "activation": "relu", "dropout": 0.1}, 262),
        ({"type": "transformer_encoder", "d_model": 512, "heads": 8, "layers": 6, "d_ff": 2048,
          "framework": "torch"}, 18_914_304),
        ({"type": "batchnorm1d", "num_features": 64}, 128),
        ({"type": "layer_norm", "normalized_shape": 768}, 1_536),
        ({"type": "multihead_attention", "d_model": 512, "heads": 8}, 1_050_624),
    ],
)  # fmt: skip
def test_arguments_that_no_tensor_follows_from_are_passed_over(tmp_path, layer, parameters):
    """torch: 64 x 3 x 49 + 64; 10 x 20 + 20 + 20 x 2 + 2; six layers of 3,152,384; two vectors;
    two vectors; four matrices of 512 with their biases."""
    path = tmp_path / "layer.json"
    path.write_text(json.dumps(layer))
    assert measure_size(path).parameters == parameters


def test_a_guess_is_not_called_counted(tmp_path):
    path = tmp_path / "config.json"
    for kind, counted in (("qwen3", True), ("something_new", False)):
        path.write_text(json.dumps({**QWEN3, "model_type": kind}))
        assert measure_size(path).to_dict()["parameters_counted"] is counted
