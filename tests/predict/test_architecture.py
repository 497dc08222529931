"""Counts from descriptions, beside those of transformers, torch and the tree libraries."""

import json
import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import modeler.referee
from modeler.predict.architecture import (
    ArchitectureError,
    file_bytes,
    from_config,
    from_ensemble,
    from_spec,
    read_description,
)
from modeler.predict.catalogue import UnknownVariant, catalogue, variants
from modeler.referee.cases import check_cases
from modeler.referee.sizes import run_size

SHIPPED = json.loads(Path(modeler.referee.__file__).with_name("size_cases.json").read_text())
LLAMA = {
    "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 8, "intermediate_size": 14336, "vocab_size": 128256,
}  # fmt: skip


@pytest.mark.parametrize("item", SHIPPED["items"], ids=lambda item: item["id"])
def test_shipped_counts(item):
    case = check_cases({"schema": SHIPPED["schema"], "items": [item]}, "size_cases.json").cases[0]
    result = run_size(case)
    assert (result.status, result.why) == ("passed", "")


def test_a_published_model_to_the_byte():
    # Published safetensors index of Meta-Llama-3-8B: total_size 16,060,522,496.
    found = from_config(LLAMA)
    assert found.parameters == 8_030_261_248
    assert 2 * found.parameters == 16_060_522_496
    assert found.dtype == "bf16"
    # 2 x 32 layers x 8 heads x 128 wide, 2 bytes each.
    assert found.attention.cache_elements() * 2 == 131_072


def test_experts_count_whole_and_by_token():
    mixtral = from_config(
        {"model_type": "mixtral", "hidden_size": 4096, "num_hidden_layers": 32,
         "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
         "vocab_size": 32000, "num_local_experts": 8, "num_experts_per_tok": 2}
    )  # fmt: skip
    assert mixtral.parameters == 46_702_792_704
    assert mixtral.active_parameters == pytest.approx(12.9e9, rel=0.005)  # published as 12.9e9
    # One token reads what is active; many read everything.
    assert mixtral.read_bytes(1, 2.0) == pytest.approx(2.0 * mixtral.active_parameters)
    assert mixtral.read_bytes(1000, 2.0) == pytest.approx(2.0 * mixtral.parameters, rel=1e-6)
    latent = from_config(
        {"model_type": "deepseek_v3", "hidden_size": 7168, "num_hidden_layers": 61,
         "num_attention_heads": 128, "vocab_size": 129280, "intermediate_size": 18432,
         "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
         "qk_rope_head_dim": 64, "v_head_dim": 128, "moe_intermediate_size": 2048,
         "n_routed_experts": 256, "num_experts_per_tok": 8, "n_shared_experts": 1,
         "first_k_dense_replace": 3}
    )  # fmt: skip
    assert latent.parameters == 671_026_404_352
    assert latent.attention.cache_elements() * 2 == 70_272  # 576 x 61 x 2 bytes
    assert latent.active_parameters == pytest.approx(37e9, rel=0.02)


def test_a_window_bounds_the_cache():
    windowed = from_config(
        LLAMA
        | {"model_type": "gemma3_text", "head_dim": 128, "sliding_window": 1024}
        | {"sliding_window_pattern": 4}
    )
    full = from_config(LLAMA)
    assert windowed.attention.windowed_layers == 24
    assert windowed.attention.cache_elements(1024) == full.attention.cache_elements(1024)
    expected = 2 * 8 * 128 * (8 * 10_000 + 24 * 1024)
    assert windowed.attention.cache_elements(10_000) == expected


def test_an_unknown_family_says_what_it_used_and_what_not():
    found = from_config(LLAMA | {"model_type": "lama5", "linear_attention": True})
    assert not found.exact
    note, of_dtype = found.notes
    assert of_dtype == "torch_dtype is missing: bf16 is assumed"
    assert 'model_type "lama5" is not known; the nearest known is "llama"' in note
    assert "from hidden_size, num_hidden_layers" in note
    assert "linear_attention could not be used" in note
    with pytest.raises(ArchitectureError, match="no estimate is possible without hidden_size"):
        from_config({"model_type": "lama5", "depth": 4})


def test_all_that_is_wrong_with_a_configuration_is_named_at_once(tmp_path):
    wrong = {"model_type": "llama", "hidden_size": "wide", "num_hidden_layers": -1,
             "num_attention_heads": 4, "intermediate_size": 8, "vocabsize": 10}  # fmt: skip
    with pytest.raises(ArchitectureError) as error:
        from_config(wrong, "mine.json")
    said = str(error.value).splitlines()
    assert len(said) == 3
    assert all(line.startswith("mine.json: ") for line in said)
    assert "vocab_size is missing: expected a whole number; there is vocabsize" in said[2]
    for text, expected in (("{", "not JSON"), ("[1]", "expected an object"), ("[" * 99999, "JSON")):
        path = tmp_path / "config.json"
        path.write_text(text)
        with pytest.raises(ArchitectureError, match=expected):
            read_description(path)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"type": "mpl", "layers": [1, 2]}, 'did you mean "mlp"'),
        ({"type": "mlp", "layer": [1, 2]}, 'no field of type mlp.*did you mean "layers"'),
        ({"type": "mlp", "layers": [3]}, "at least input and output width"),
        ({"type": "conv2d", "in": 8, "out": 9, "groups": 4}, "expected a divisor of 8 and 9"),
        ({"type": "embedding+mlp", "tables": [[1]], "mlp": [1, 2]}, "expected .rows, width."),
        ({"type": "mlp", "layers": [4, 2], "density": 2}, "above 0 and at most 1"),
        ({"layers": [{"type": "dense", "in": 1}]}, "layers.0: out .*is missing"),
    ],
)
def test_layers_that_cannot_be(spec, said):
    with pytest.raises(ArchitectureError, match=said):
        from_spec(spec)


def test_only_the_first_layer_grows_with_the_features():
    small, large = (from_spec({"type": "mlp", "layers": [n, 512, 256, 2]}) for n in (10, 1010))
    assert large.parameters - small.parameters == 1000 * 512


@given(
    widths=st.lists(st.integers(1, 300), min_size=2, max_size=6),
    bias=st.booleans(),
    dtype=st.sampled_from(["fp32", "fp16", "fp8"]),
)
def test_laws_of_a_perceptron(widths, bias, dtype):
    found = from_spec({"type": "mlp", "layers": widths, "bias": bias})
    by_hand = sum(a * b + (b if bias else 0) for a, b in pairwise(widths))
    assert found.parameters == by_hand
    raw = found.state_bytes({"fp32": 4.0, "fp16": 2.0, "fp8": 1.0}[dtype])
    # A container holds at least its tensors, and the leanest of them is safetensors.
    sizes = [file_bytes(found, format, dtype) for format in ("safetensors", "npz", "torch_pt")]
    assert raw < sizes[0] < sizes[1] < sizes[2]


@given(trees=st.integers(1, 500), depth=st.integers(1, 12), rows=st.integers(10, 100_000))
def test_laws_of_an_ensemble(trees, depth, rows):
    content = {"lib": "scikit-learn 1.9", "cls": "RandomForestRegressor", "n_train": rows,
               "params": {"n_estimators": trees, "max_depth": depth}}  # fmt: skip
    found = from_ensemble(content)
    assert not found.measured
    assert trees <= found.nodes <= trees * (2 ** (depth + 1) - 1)
    deeper = from_ensemble(content | {"params": {"n_estimators": trees, "max_depth": depth + 1}})
    assert deeper.nodes >= found.nodes
    assert found.file_bytes("pickle") > found.memory_bytes
    assert found.comparisons <= trees * depth + math.log2(2)


def test_ensembles_that_cannot_be():
    with pytest.raises(ArchitectureError, match='lib = "catboost": expected one of sklearn'):
        from_ensemble({"lib": "catboost 1"})
    with pytest.raises(ArchitectureError, match="nothing bounds the nodes"):
        from_ensemble({"lib": "sklearn", "cls": "RandomForestClassifier"})
    with pytest.raises(ValueError, match="json of lightgbm: expected one of txt"):
        from_ensemble({"lib": "lightgbm", "cls": "LGBMClassifier"}).file_bytes("json")


def test_trees_saved_elsewhere_are_within_their_tolerance():
    """Fifteen models of the catalogue that no law was fitted to."""
    seen = 0
    for row in catalogue():
        if not row.name.startswith("local/") or row.parameters is None:
            continue
        files, _, spec = row.notes.partition(" spec ")
        content = json.loads(spec) | {"total_nodes": row.parameters}
        if "hgb" in row.name:
            content |= {"cls": "HistGradientBoostingClassifier", "n_trees": 100}
        found = from_ensemble(content)
        for format, size in json.loads(files.partition("all files ")[2]).items():
            tolerance = 0.25 if "compress" in format else 0.05  # content decides how it compresses
            assert found.file_bytes(format) == pytest.approx(size, rel=tolerance), row.name
            seen += 1
    assert seen >= 20


def test_the_catalogue_is_whole():
    rows = catalogue()
    assert len(rows) > 400
    assert all(row.source and row.date for row in rows)
    assert all(row.metric for row in rows if row.accuracy is not None)
    resnet = variants("resnet50")
    assert {row.parameters for row in resnet if row.name.startswith("torchvision")} == {25_557_032}
    with pytest.raises(UnknownVariant, match="did you mean"):
        variants("resnet5")


def test_an_unknown_question_is_skipped_and_named():
    item = {"id": "x", "kind": "layer_spec", "config": {"type": "mlp", "layers": [2, 3]},
            "expected": {"params": 9, "colour": 3}}  # fmt: skip
    schema = "model-size-cases/1"

    def run(**changed):
        return run_size(check_cases({"schema": schema, "items": [item | changed]}, "f").cases[0])

    assert run().status == "skipped"
    assert "no answer to colour" in run().why
    assert run(kind="poem").why.startswith('unknown kind "poem": one of hf_config')
    assert run(expected={"params": 9}).status == "passed"
    wrong = run(expected={"params": 10, "buffer_elements": 1})
    assert (wrong.status, wrong.why) == ("failed", "params is 9, expected 10 exactly, and 1 more")
