"""Instances that hold a model with its cache, by hand and by their laws."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from modeler.cli.main import cli
from modeler.predict import measure_size
from modeler.predict.known import known
from modeler.predict.serving_fit import OVERHEAD_BYTES, cheapest, holders
from modeler.predict.size import SizeError

EIGHT = known("llama-3.1-8b")


def test_what_a_device_needs_by_hand():
    (found,) = (h for h in holders(EIGHT, "bf16", context=8192, sequences=2)
                if h.instance_type == "g6e.xlarge")  # fmt: skip
    weights = 2 * 8_030_261_248
    cache = 131_072 * 8192 * 2
    activations = 8192 * (2 * 14336 + 4 * 4096) * 2
    assert found.need_bytes == pytest.approx(weights + cache + activations + OVERHEAD_BYTES)
    assert found.tensor_parallel == 1
    spare = found.room_bytes - (found.need_bytes - cache)
    assert found.cache_tokens == pytest.approx(spare / 131_072)


def test_a_70b_in_16_bit_is_sharded_and_in_4_bit_is_not():
    large = known("llama-3.1-70b")
    whole = {h.instance_type: h for h in holders(large, "bf16")}
    packed = {h.instance_type: h for h in holders(large, "awq")}
    # 141 GB and 3 GB beside them do not go into one device of 80 GiB, and go into two.
    assert whole["p5.48xlarge"].tensor_parallel == 2
    # Packed to 38 GB they go into one of 45 GiB with a sequence of 4,096 tokens.
    assert packed["g6e.xlarge"].tensor_parallel == 1
    assert packed["p5.48xlarge"].tensor_parallel == 1
    assert packed["p5.48xlarge"].copies == 8
    assert set(whole) < set(packed)
    assert holders(known("llama-3.1-405b"), "fp32") == ()


@given(
    context=st.integers(1, 32_768), sequences=st.integers(1, 64),
    dtype=st.sampled_from(["bf16", "fp8", "awq"]),
)  # fmt: skip
def test_laws(context, sequences, dtype):
    found = holders(EIGHT, dtype, context=context, sequences=sequences)
    for one in found:
        assert one.need_bytes <= one.room_bytes
        assert one.cache_tokens >= context * sequences - 1e-6
    more = {h.instance_type for h in holders(EIGHT, dtype, context=context + 1,
                                             sequences=sequences)}  # fmt: skip
    assert more <= {h.instance_type for h in found}
    best = cheapest(found)
    if best is not None:
        assert all(h.usd_per_hour is None or h.usd_per_hour >= best.usd_per_hour for h in found)
    totals = [h.room_bytes * h.tensor_parallel * h.copies for h in found]
    assert totals == sorted(totals)


def test_what_cannot_be():
    with pytest.raises(ValueError, match="expected at least 1 each"):
        holders(EIGHT, "bf16", context=0)
    with pytest.raises(ValueError, match="unknown precision"):
        holders(EIGHT, "fp3")


def test_the_command(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps(
            {"model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
             "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
             "vocab_size": 128256}
        )
    )  # fmt: skip
    ran = CliRunner().invoke(cli, ["size", str(path), "--context", "8192", "--format", "json"])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.stdout)
    assert found["schema"] == "fit/1"
    assert found["smallest"] == found["instances"][0]["instance_type"]
    assert found["cheapest"] in {row["instance_type"] for row in found["instances"]}
    refused = CliRunner().invoke(cli, ["size", "7GB", "--context", "8192"])
    assert refused.exit_code == 2


MISTRAL = {
    "model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "vocab_size": 32000,
    "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
    "max_position_embeddings": 32768, "torch_dtype": "bfloat16", "sliding_window": None,
}  # fmt: skip


@pytest.fixture
def mistral(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(MISTRAL))
    return path


def test_the_smallest_instance_is_that_of_the_fit(mistral):
    """14.5 GB and what the engine takes are more than a T4 has; one rule says so in both tables."""
    run = CliRunner().invoke
    report = json.loads(run(cli, ["size", str(mistral), "--format", "json"]).stdout)
    fit = run(cli, ["size", str(mistral), "--context", "4096", "--format", "json"])
    assert report["smallest_instance"] == json.loads(fit.stdout)["smallest"] == "g6.xlarge"
    assert any("one sequence of 4,096 tokens" in note for note in report["notes"])
    # Of a size alone only the weights are known: nine tenths of 15 GiB are 14.5 GB.
    literal = json.loads(run(cli, ["size", "14.4GB", "--format", "json"]).stdout)
    assert literal["smallest_instance"] == "g4dn.xlarge"
    assert any("0.9 of its accelerators' memory (assumed)" in note for note in literal["notes"])


def test_a_folder_of_a_config_alone_is_counted_from_it(mistral, tmp_path):
    (tmp_path / "tokenizer.json").write_text('{"version": "1.0"}')
    report = measure_size(tmp_path)
    # Embedding and head, and of each layer two square matrices, two of 1,024 rows, three of the
    # feed-forward and two norms; one norm at the end.
    each = 2 * 4096**2 + 2 * 4096 * 1024 + 3 * 4096 * 14336 + 2 * 4096
    assert report.parameters == 2 * 32000 * 4096 + 32 * each + 4096
    assert "no weights are there: counted from its config.json" in report.notes


def test_a_folder_without_weights_is_refused(tmp_path):
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "README.md").write_text("nothing")
    with pytest.raises(SizeError, match=r"no file of weights, and no config.json"):
        measure_size(tmp_path)


def test_what_a_context_beyond_the_models_own_means_is_said(mistral):
    ran = CliRunner().invoke(cli, ["size", str(mistral), "--context", "40000"])
    assert "40,000 tokens are more than the 32,768 of its max_position_embeddings" in ran.stderr
    ran = CliRunner().invoke(cli, ["size", str(mistral), "--context", "32768"])
    assert "max_position_embeddings" not in ran.stderr


def test_where_windows_bound_the_cache_there_is_no_limit(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**MISTRAL, "sliding_window": 4096}))
    ran = CliRunner().invoke(cli, ["size", str(path), "--context", "30000"])
    assert "no limit" in ran.stdout
    assert "inf" not in ran.stdout


def test_another_precision_than_a_descriptions_own_is_said(mistral):
    notes = measure_size(mistral, dtype="int8").notes
    assert "counted in int8, as asked; the description's own precision is bf16" in notes


def test_precisions_that_say_the_same_are_one_row(mistral):
    run = CliRunner().invoke
    shown = run(cli, ["size", str(mistral), "--precisions"]).stdout
    every = json.loads(run(cli, ["size", str(mistral), "--precisions", "--format", "json"]).stdout)
    assert len(shown.splitlines()) < len(every["precisions"])
    # Both: 4 bits, and 16 + 4 more for each group of 32.
    line = next(line for line in shown.splitlines() if "gptq_g32, awq_g32" in line)
    assert " 4.625 " in line
    for row in every["precisions"]:
        assert row["precision"] in shown
