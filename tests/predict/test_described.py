"""A description is what its content says, whatever its name; other files are artifacts."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.predict import measure_size
from modeler.predict.architecture import ArchitectureError, read_description

LLAMA = {
    "model_type": "llama", "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2,
    "num_attention_heads": 4, "vocab_size": 100,
}  # fmt: skip


def of(folder, name, content):
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize("name", ["config.json", "my-model.json", "adapter_config.json"])
def test_a_configuration_by_any_name(tmp_path, name):
    report = measure_size(of(tmp_path, name, LLAMA))
    # Two tables of 100 x 64; a layer of four products of 64 x 64, three of 64 x 128, two norms.
    layer = 4 * 64 * 64 + 3 * 64 * 128 + 2 * 64
    assert report.parameters == 2 * 100 * 64 + 2 * layer + 64
    assert report.kind == "description"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("layers.json", {"type": "mlp", "layers": [30, 64, 2]}),
        ("layers.yaml", "type: mlp\nlayers: [30, 64, 2]\n"),
        ("stack.yml", "layers:\n  - {type: linear, in: 30, out: 64}\n"
                      "  - {type: linear, in: 64, out: 2}\n"),
    ],
)  # fmt: skip
def test_layers(tmp_path, name, content):
    report = measure_size(of(tmp_path, name, content))
    assert report.counted == 30 * 64 + 64 + 64 * 2 + 2
    assert report.weight_bytes == 4 * report.counted


def test_only_the_first_layer_grows_with_the_features(tmp_path):
    few, many = (
        measure_size(of(tmp_path, "l.json", {"type": "mlp", "layers": [n, 64, 64, 2]})).counted
        for n in (10, 1010)
    )
    assert many - few == 1000 * 64


def test_trees(tmp_path):
    forest = {
        "lib": "xgboost", "n_features": 30,
        "params": {"n_estimators": 200, "max_depth": 3},
    }  # fmt: skip
    report = measure_size(of(tmp_path, "forest.json", forest))
    # 200 full trees of depth 3: 8 leaves and 7 inner nodes each.
    assert report.counted == 200 * 15
    assert any("200 trees, 3,000 nodes, 1,600 leaves" in note for note in report.notes)
    assert report.artifact_bytes > 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("config.json", "{", "not JSON"),
        ("config.json", "[1]", "expected an object"),
        ("m.yaml", "a: [", "not YAML"),
        ("m.yaml", "size: 3\n", "expected model_type .* found size"),
        ("m.json", {"type": "mpl", "layers": [1, 2]}, 'did you mean "mlp"'),
        ("m.json", {"lib": "xgbost"}, 'did you mean "xgboost"'),
    ],
)
def test_what_a_description_may_not_be(tmp_path, name, content, said):
    path = of(tmp_path, name, content)
    with pytest.raises(ArchitectureError, match=said) as caught:
        measure_size(path)
    assert str(path) in str(caught.value)


def test_other_json_is_no_description(tmp_path):
    assert read_description(of(tmp_path, "vocab.json", {"a": 1})) is None
    assert read_description(of(tmp_path, "broken.json", "{")) is None
    assert read_description(of(tmp_path, "notes.txt", "type: mlp")) is None


def test_the_command(tmp_path):
    path = of(tmp_path, "net.yaml", "type: mlp\nlayers: [30, 64, 2]\n")
    ran = CliRunner().invoke(cli, ["size", str(path), "--format", "json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["parameters"] == 2114
    refused = CliRunner().invoke(cli, ["size", str(path), "--context", "100"])
    assert refused.exit_code == 2
    assert "does not describe a decoder" in refused.output
