"""One model in every precision: bytes by the formats' definitions, and what gains where."""

import json

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.predict.known import known
from modeler.predict.precision_table import in_every_precision


def test_bytes_and_what_gains_where():
    model = known("Llama-3.1-8B")
    rows = {row.precision: row for row in in_every_precision(model, "g5.2xlarge")}
    assert rows["fp16"].weight_bytes == 2 * model.parameters
    matrices = model.linear_parameters
    rest = model.parameters - matrices
    # 4 bits, and 16 + 4 more for each group of 128.
    assert rows["awq_g128"].weight_bytes == pytest.approx(
        matrices * (4 + 20 / 128) / 8 + 2 * rest, abs=1
    )
    assert rows["awq_g128"].load_share == pytest.approx(
        rows["awq_g128"].weight_bytes / rows["fp16"].weight_bytes
    )
    sixteen, four, eight = rows["fp16"], rows["awq_g128"], rows["int8"]
    # Expanded weights: a small batch reads less, a prompt is no faster.
    assert four.decode_s < 0.5 * sixteen.decode_s
    assert four.prefill_s == pytest.approx(sixteen.prefill_s)
    # Arithmetic of its own: both.
    assert eight.prefill_s < 0.6 * sixteen.prefill_s
    # An A10G has no arithmetic in 8-bit floating point: such weights are expanded, too.
    assert (rows["fp8"].maths, rows["fp8"].expanded) == ("fp16", True)
    assert rows["fp8"].decode_s < 0.6 * sixteen.decode_s
    assert rows["fp8"].prefill_s == pytest.approx(sixteen.prefill_s)
    ada = {row.precision: row for row in in_every_precision(model, "g6.2xlarge")}["fp8"]
    assert (ada.maths, ada.expanded) == ("fp8", False)
    turing = {row.precision: row for row in in_every_precision(model, "g4dn.2xlarge")}["fp8"]
    assert (turing.maths, turing.decode_s) == ("fp8", None)
    assert all(row.decode_s is None for row in in_every_precision(model))


def test_the_command(tmp_path):
    path = tmp_path / "net.json"
    path.write_text('{"type": "mlp", "layers": [30, 64, 2]}')
    ran = CliRunner().invoke(cli, ["size", str(path), "--precisions", "--format", "json"])
    assert ran.exit_code == 0, ran.output
    rows = {row["precision"]: row for row in json.loads(ran.stdout)["precisions"]}
    assert rows["fp32"]["weight_bytes"] == 4 * 2114
    assert CliRunner().invoke(cli, ["size", str(path), "--precisions"]).exit_code == 0
    refused = CliRunner().invoke(cli, ["size", "7GB", "--precisions"])
    assert refused.exit_code == 2
    assert "needs a description" in refused.output
