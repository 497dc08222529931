"""Keras archives: counts beside `count_params` of Keras 3.15, and what is not counted, by name."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from sample_artifacts import zipped

from modeler.predict import measure_size
from modeler.predict.artifact import ArtifactError, LocalBytes, read


def layer(kind, shape=None, module="keras.layers", shapes=None, **config):
    """A layer as Keras 3 writes it, as far as counts go."""
    built = {"input_shape": [None, *shape]} if shape else {}
    if shapes:
        built = {"shapes_dict": {name: [None, *sides] for name, sides in shapes.items()}}
    name = config.pop("name", kind.lower())
    policy = config.pop("dtype", "float32")
    policy = {"class_name": "DTypePolicy", "config": {"name": policy}}
    config = {"name": name, "dtype": policy, **config}
    return {"module": module, "class_name": kind, "config": config, "build_config": built}


def model(*layers, kind="Functional"):
    return {"module": "keras", "class_name": kind, "config": {"layers": list(layers)}}


def archive(folder, content, stored=1_000_000):
    path = folder / "m.keras"
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(zipped(
        {"metadata.json": b"{}", "config.json": text, "model.weights.h5": bytes(stored)}
    ))  # fmt: skip
    return path


IMAGES = model(
    layer("InputLayer"),
    layer("Conv2D", [32, 32, 3], filters=8, kernel_size=[3, 3], use_bias=False, groups=1),
    layer("BatchNormalization", [30, 30, 8], axis=-1, center=True, scale=True),
    layer("DepthwiseConv2D", [30, 30, 8], kernel_size=[3, 3], depth_multiplier=2, use_bias=True),
    layer("SeparableConv2D", [28, 28, 16], filters=16, kernel_size=[3, 3], depth_multiplier=1),
    layer("GlobalAveragePooling2D", [26, 26, 16]),
    layer("Dense", [16], units=10, use_bias=True),
)
lstm = layer("LSTM", units=12, use_bias=True)
SEQUENCES = model(
    layer("Embedding", [20], input_dim=100, output_dim=16),
    layer("MultiHeadAttention", shapes={"query_shape": [20, 16], "value_shape": [20, 16]},
          num_heads=2, key_dim=8, value_dim=8, use_bias=True, output_shape=None),
    layer("Add", module="keras.layers"),
    layer("LayerNormalization", [20, 16], axis=[-1]),
    layer("Bidirectional", [20, 16], layer=lstm, backward_layer=lstm),
    layer("GRU", [20, 24], units=7, reset_after=True),
    layer("Dense", [7], units=3),
)  # fmt: skip
OTHERS = model(
    layer("Conv2DTranspose", [8, 8, 3], filters=5, kernel_size=[3, 3]),
    layer("PReLU", [10, 10, 5], shared_axes=[1, 2]),
    layer("GroupNormalization", [10, 10, 5], axis=-1),
    layer("Conv2D", [10, 10, 5], filters=10, kernel_size=[3, 3], groups=5),
    layer("Reshape"),
    layer("TimeDistributed", [64, 10], layer=layer("Dense", units=4)),
    layer("Bidirectional", [64, 4], layer=layer("GRU", units=3, reset_after=False)),
    layer("UnitNormalization"),
    layer("RMSNormalization", [6], axis=-1),
)
NESTED = model(
    layer("MultiHeadAttention", shapes={"query_shape": [9, 6], "value_shape": [5, 7]},
          num_heads=3, key_dim=4, value_dim=5, use_bias=False, output_shape=[11]),
    layer("SimpleRNN", [9, 11], units=4),
    layer("SeparableConv1D", [9, 4], filters=4, kernel_size=[2], depth_multiplier=2),
    layer("Conv1D", [8, 4], filters=3, kernel_size=[2], dtype="float16"),
    layer("Multiply", module="keras.src.ops.numpy"),
    model(layer("LSTM", [7, 3], units=4, use_bias=False), kind="Sequential"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("content", "parameters", "size"),
    [
        # count_params of the same models, built and saved by Keras 3.15.1.
        (IMAGES, 994, 4 * 994),
        (SEQUENCES, 6221, 4 * 6221),
        (OTHERS, 449, 4 * 449),
        (NESTED, 681, 4 * 654 + 2 * 27),
        # EfficientNet's: a mean and a variance of three channels, and a counter.
        (model(layer("Normalization", [8, 8, 3], axis=[-1], mean=None)), 7, 28),
        (model(layer("Dense", [5], units=4, dtype="mixed_float16")), 24, 96),
    ],
)
def test_counts_of_keras(tmp_path, content, parameters, size):
    report = measure_size(archive(tmp_path, content))
    assert (report.counted, report.weight_bytes) == (parameters, size)
    assert report.contents.format == "keras"
    assert report.artifact_bytes > 1_000_000


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (model(layer("LayerScale", [4], name="mine")), 'layer "mine" of class LayerScale is not k'),
        (model(layer("Odd", [4], module="my.code")), "is a class of my.code"),
        (model(layer("Dense", units=4)), 'layer "dense" of class Dense: no input_shape'),
        (model(layer("Dense", [4], units=-1)), "units is no number of a layer"),
        (model(layer("Dense", [4], units=10**30)), "units is no number of a layer"),
        (model(layer("Dense", [4], units=True)), "units is no number of a layer"),
        (model(layer("Dense", [None], units=4)), "input_shape is no number"),
        (model(layer("Dense", [4], units=4, dtype="int8_from_float32")), "dtype int8_from_float32"),
        (model(layer("Dense", [4], units=4, lora_rank=2)), "quantised, adapted or gated"),
        (model(layer("BatchNormalization", [4], axis=9)), "no axis 9"),
        (model(layer("Bidirectional", [4, 4], layer=3)), "wraps no layer"),
        (model(3), "a layer that is no object"),
        (model(layer("InputLayer")), "no layer with weights"),
        # More than the weights could be: some count is wrong.
        (model(layer("Dense", [1000], units=1000)), "its layers have 4,004,000 bytes, its weights"),
        ({"class_name": "Sequential", "config": {}}, "has no layers"),
        ({}, "without class_name and config"),
    ],
)
def test_what_is_not_counted_is_said(tmp_path, content, said):
    path = archive(tmp_path, content)
    report = measure_size(path)
    assert report.counted is None
    assert report.weight_bytes == path.stat().st_size
    (note,) = report.notes
    assert note.startswith("by bytes; parameters not read: ")
    assert said in note


def test_hostile_configurations(tmp_path):
    for content, said in (
        (b"{", "its config.json is no JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b"[]", "is no object"),
        (b"{" + b" " * 9_000_000 + b"}", 'member "config.json" is longer than 8,000,000'),
    ):
        with pytest.raises(ArtifactError, match=said):
            read(LocalBytes(archive(tmp_path, content)))
    deep = model(layer("Dense", [4], units=4))
    for _ in range(100):
        deep = model(deep)
    wrapped = layer("Dense", units=4)
    for _ in range(200):
        wrapped = layer("TimeDistributed", layer=wrapped)
    wrapped["build_config"] = {"input_shape": [None] * 400 + [4]}
    tracemalloc.start()
    try:
        assert "too deep" in read(LocalBytes(archive(tmp_path, deep))).notes[0]
        found = read(LocalBytes(archive(tmp_path, model(wrapped))))
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()
    assert "too deep" in found.notes[0]
