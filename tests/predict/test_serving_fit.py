"""Instances that hold a model with its cache, by hand and by their laws."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from modeler.cli.main import cli
from modeler.predict.known import known
from modeler.predict.serving_fit import OVERHEAD_BYTES, cheapest, holders

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
