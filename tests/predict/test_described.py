"""A description is what its content says, whatever its name; other files are artifacts."""

from __future__ import annotations

import importlib.util
import json
import time
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner

from modeler.cli.main import cli
from modeler.predict import measure_size
from modeler.predict.architecture import ArchitectureError, read_description
from modeler.predict.size import SizeError

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
        ("config.json", "{", "not JSON: line 1, column 2: ends too early"),
        (
            "net.json",
            '{\n "type": "mlp",\n "layers": [57, 3],\n}',
            "net.json: not JSON: line 4, column 1: a comma before }",
        ),
        ("net.json", '{"layers": [57, 3,]}', "line 1, column 19: a comma before ]"),
        ("net.json", "[" * 99_999, "nested too deep"),
        ("net.json", '{"layers": [1, ' + "9" * 5000 + "]}", "not JSON that can be read: Exceeds"),
        ("net.json", "", "empty: 0 bytes"),
        ("net.json", {"typ": "mlp", "width": [1, 2]}, 'found typ, width; did you mean "type"'),
        ("config.json", "[1]", "expected an object"),
        ("m.yaml", "a: [", "not YAML: line 1, column 5"),
        ("m.yaml", "type: mlp\nlayers: [1, 2\nbias: true\n", "not YAML: line 3, column 5"),
        ("m.yaml", '{"conv": ,[[8, 16]]}', "line 1, column 11: expected a text as key"),
        ("m.yaml", "layers: [3, 2]\nlayers: [4, 2]\n", 'line 2, column 1: key "layers" is there'),
        ("m.yaml", "a: &a [*a]", "an alias that contains itself"),
        ("m.yaml", "a: " + "[" * 900, "nested deeper than 50"),
        ("m.yaml", "- " * 900, "nested deeper than 50"),
        ("m.yaml", "just words", "expected an object, with model_type"),
        ("m.yaml", "size: 3\n", "expected model_type .* found size"),
        ("m.json", {"type": "mpl", "layers": [1, 2]}, 'did you mean "mlp"'),
        ("config.json", LLAMA | {"num_hidden_layers": 10**12}, "expected at most 10,000"),
        ("config.json", LLAMA | {"hidden_size": 10**30}, "hidden_size = 1000.*expected at most"),
        (
            "config.json",
            LLAMA | {"hidden_size": 10**9, "vocab_size": 10**9, "head_dim": 1},
            "parameters: expected at most 72,057,594,037,927,936",
        ),
        (
            "config.json",
            LLAMA | {"model_type": "qwen2_moe", "mlp_only_layers": 0.5},
            "mlp_only_layers = 0.5: expected a list of whole numbers",
        ),
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
    assert read_description(of(tmp_path, "notes.txt", "type: mlp")) is None
    for content in ({"a": 1}, {}):
        with pytest.raises(SizeError, match="vocab.json: describes no model: expected a config"):
            measure_size(of(tmp_path, "vocab.json", content))
    report = measure_size(of(tmp_path, "model.dat", {"a": 1}))  # whatever it is
    assert any("no description and no format that is read" in note for note in report.notes)


def test_bytes_that_are_no_text(tmp_path):
    for name, kind in (("m.json", "JSON"), ("m.yaml", "YAML")):
        path = tmp_path / name
        path.write_bytes(b"\xff\xfe\xfd" * 5)
        with pytest.raises(ArchitectureError, match=f"not {kind}: not a text"):
            measure_size(path)


def test_json_too_long_to_parse_is_looked_at_from_both_ends(tmp_path):
    whole = json.dumps(["word"] * 600_000)
    assert len(whole) > 4_000_000
    assert read_description(of(tmp_path, "m.json", whole)) is None
    with pytest.raises(ArchitectureError, match=r"not JSON: ends .*truncated\?"):
        read_description(of(tmp_path, "m.json", whole[:-1]))
    with pytest.raises(ArchitectureError, match="not JSON: begins"):
        read_description(of(tmp_path, "m.json", "x" + whole))
    with pytest.raises(ArchitectureError, match="expected a description of at most 50,000"):
        read_description(of(tmp_path, "m.yaml", "# long\n" * 20_000))


def test_a_bomb_of_aliases(tmp_path):
    """A billion laughs: ten aliases, each of ten of the one before."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    tracemalloc.start()
    began = time.monotonic()
    try:
        with pytest.raises(ArchitectureError, match="stand for more than 100,000 values"):
            read_description(of(tmp_path, "m.yaml", "\n".join([*lines, "layers: *a11"])))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 2.0
    fair = "type: mlp\nlayers: &w [30, 64, 2]\nbias: true\n"
    assert read_description(of(tmp_path, "m.yaml", fair)).parameters == 2114


def test_a_list_is_one_of_layers_or_of_widths(tmp_path):
    by_hand = 57 * 512 + 512 + 512 * 3 + 3
    dense = [{"type": "dense", "in": 57, "out": 512}, {"type": "dense", "in": 512, "out": 3}]
    for content in ([57, 512, 3], {"layers": [57, 512, 3]}, dense, {"layers": dense}):
        assert measure_size(of(tmp_path, "m.json", content)).counted == by_hand
    assert measure_size(of(tmp_path, "m.yaml", "[57, 512, 3]")).counted == by_hand


def test_a_name_that_ends_as_a_configuration_but_describes_layers(tmp_path):
    path = of(tmp_path, "my_config.json", {"type": "mlp", "layers": [30, 64, 2]})
    assert measure_size(path).counted == 2114


def test_mutations_of_valid_descriptions_are_counted_or_refused():
    """Some of those that tests/fuzz/fuzz_descriptions.py makes by the ten thousand."""
    path = Path(__file__).parents[1] / "fuzz" / "fuzz_descriptions.py"
    found = importlib.util.spec_from_file_location("fuzz_descriptions", path)
    fuzz = importlib.util.module_from_spec(found)
    found.loader.exec_module(fuzz)
    fuzz.run(0, seed=3)  # imports and prices, which take ten times as long when they are traced
    tracemalloc.start()
    try:
        ends = fuzz.run(200, seed=3)
    finally:
        tracemalloc.stop()
    assert ends["counted"] > 30
    assert ends["refused"] > 100


def test_the_command(tmp_path):
    path = of(tmp_path, "net.yaml", "type: mlp\nlayers: [30, 64, 2]\n")
    ran = CliRunner().invoke(cli, ["size", str(path), "--format", "json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["parameters"] == 2114
    refused = CliRunner().invoke(cli, ["size", str(path), "--context", "100"])
    assert refused.exit_code == 2
    assert "does not describe a decoder" in refused.output
