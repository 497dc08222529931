"""Keras: the layers of ``config.json`` in a ``.keras`` archive, counted from what they say.

The weights lie in HDF5, which is not read. Counts are those of `count_params` of Keras 3: trained
variables, and the moving statistics of normalisations. A class that is not known here, or a count
that the stored weights cannot hold, leaves the bytes alone, and says why.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from modeler.predict.artifact.bytes_source import ArtifactError, Bytes
from modeler.predict.artifact.contents import Contents

CONFIG: Final = "config.json"
MEMBERS: Final = frozenset({CONFIG, "metadata.json"})
_MOST_DEEP: Final = 30  # models within models
_MOST_WRAPPED: Final = 3  # layers within layers, of which one counts its own twice
_MOST: Final = 10**12  # of one number of a layer
_MOST_ELEMENTS: Final = 1 << 56
_BY_BYTES: Final = "by bytes; parameters not read"
_MODELS: Final = ("Functional", "Sequential", "Model")
# Variables are kept in 32 bits where only the arithmetic is in 16.
_DTYPES: Final = {
    "float64": ("fp64", 8), "float32": ("fp32", 4), "mixed_float16": ("fp32", 4),
    "mixed_bfloat16": ("fp32", 4), "float16": ("fp16", 2), "bfloat16": ("bf16", 2),
}  # fmt: skip
_WITHOUT: Final = frozenset({
    "InputLayer", "Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise",
    "ActivityRegularization", "Flatten", "Reshape", "Permute", "RepeatVector", "Activation",
    "ReLU", "LeakyReLU", "ELU", "Softmax", "Identity", "Lambda", "Masking", "Add", "Subtract",
    "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot", "UnitNormalization",
    "Rescaling", "Resizing", "CenterCrop", "CategoryEncoding",
})  # fmt: skip
_WITHOUT_ENDS: Final = (
    "Pooling1D", "Pooling2D", "Pooling3D", "Dropout1D", "Dropout2D", "Dropout3D",
)  # fmt: skip
_WITHOUT_BEGINS: Final = ("ZeroPadding", "Cropping", "UpSampling", "Random")
Shape = tuple[int | None, ...]


class _Unread(Exception):
    """Why the parameters are not told."""


def read(source: Bytes, config: bytes, stored: int, members: int) -> Contents:
    """Layers of a model.

    Parameters
    ----------
    config : bytes. ``config.json``.
    stored : int. Bytes of the members that hold weights. [bytes]
    members : int. Of the archive.

    Raises
    ------
    ArtifactError
        ``config.json`` is no JSON, or no object.
    """
    try:
        model = json.loads(config)
    except RecursionError as error:
        raise ArtifactError(source.name, f"its {CONFIG} is nested too deep") from error
    except ValueError as error:
        raise ArtifactError(source.name, f"its {CONFIG} is no JSON: {error}") from error
    if not isinstance(model, dict):
        raise ArtifactError(source.name, f"its {CONFIG} is no object")
    facts = {"members": members}
    try:
        sizes: dict[str, int] = {}
        total = tensors = layers = 0
        for dtype, width, variables in _layers(model, 0):
            layers += 1
            sizes[dtype] = sizes.get(dtype, 0) + sum(variables)
            total += width * sum(variables)
            tensors += len(variables)
        if not tensors:
            raise _Unread("no layer with weights")
        if total > min(stored, _MOST_ELEMENTS):
            raise _Unread(f"its layers have {total:,} bytes, its weights {stored:,}")
    except _Unread as error:
        return Contents("keras", facts=facts, notes=(f"{_BY_BYTES}: {error}",))
    return Contents(
        "keras", sum(sizes.values()), total, sizes, tensors, facts=facts | {"layers": layers}
    )


def _layers(layer: Any, depth: int) -> Iterator[tuple[str, int, tuple[int, ...]]]:
    """Precision, its bytes and elements of each variable, of every layer with weights."""
    if depth > _MOST_DEEP:
        raise _Unread("models within models, too deep")
    if not isinstance(layer, Mapping):
        raise _Unread("a layer that is no object")
    kind, config = layer.get("class_name"), layer.get("config")
    if not isinstance(kind, str) or not isinstance(config, Mapping):
        raise _Unread("a layer without class_name and config")
    module = str(layer.get("module") or "keras.layers")
    if kind in _MODELS and module.startswith("keras"):
        inner = config.get("layers")
        if not isinstance(inner, list):
            raise _Unread(f"{_named(kind, config)} has no layers")
        for each in inner:
            yield from _layers(each, depth + 1)
        return
    if module.startswith("keras.src.ops") or _is_without(kind):
        return
    if not module.startswith("keras"):
        raise _Unread(f"{_named(kind, config)} is a class of {module[:40]}")
    yield _counted(kind, config, _shapes(layer))


def _is_without(kind: str) -> bool:
    """Whether a class of layers has no weights."""
    return (
        kind in _WITHOUT or kind.endswith(_WITHOUT_ENDS) or kind.startswith(_WITHOUT_BEGINS)
    )  # fmt: skip


def _named(kind: str, config: Mapping[str, Any]) -> str:
    return f'layer "{str(config.get("name"))[:40]}" of class {kind[:40]}'


def _counted(
    kind: str, config: Mapping[str, Any], shapes: Mapping[str, Shape], wrapped: int = 0
) -> tuple[str, int, tuple[int, ...]]:
    """Precision and variables of one layer."""
    where = _named(kind, config)
    if wrapped > _MOST_WRAPPED:
        raise _Unread("layers within layers, too deep")
    count = _CLASSES.get(kind)
    if count is None:
        raise _Unread(f"{where} is not known")
    if config.get("quantization_config") or config.get("lora_rank") or config.get("use_gate"):
        raise _Unread(f"{where} is quantised, adapted or gated")
    policy = config.get("dtype", "float32")
    if isinstance(policy, Mapping):
        inner = policy.get("config")
        policy = inner.get("name") if isinstance(inner, Mapping) else None
    if not isinstance(policy, str) or policy not in _DTYPES:
        raise _Unread(f"{where} has dtype {str(policy)[:40]}")
    dtype, width = _DTYPES[policy]
    try:
        return dtype, width, tuple(count(_Layer(config, shapes, wrapped)))
    except _Unread as error:
        raise _Unread(f"{where}: {error}") from error


def _shapes(layer: Mapping[str, Any]) -> dict[str, Shape]:
    """Shapes of inputs by name; ``input_shape`` of layers with one."""
    built = layer.get("build_config")
    if not isinstance(built, Mapping):
        return {}
    inner = built.get("shapes_dict")
    given = {**built, **(inner if isinstance(inner, Mapping) else {})}
    return {
        name: tuple(None if n is None else _whole(n, name) for n in shape)
        for name, shape in given.items()
        if isinstance(shape, list) and all(n is None or isinstance(n, int) for n in shape)
    }


def _whole(value: Any, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST:
        raise _Unread(f"{name} is no number of a layer")
    return value


class _Layer:
    """What a layer says of itself."""

    def __init__(
        self, config: Mapping[str, Any], shapes: Mapping[str, Shape], wrapped: int
    ) -> None:
        self.config, self.shapes, self._wrapped = config, shapes, wrapped

    def number(self, name: str, default: int | None = None) -> int:
        """A whole number."""
        value = self.config.get(name)
        return default if value is None and default is not None else _whole(value, name)

    def flag(self, name: str, default: bool = True) -> bool:
        """Yes or no."""
        return bool(self.config.get(name, default))

    def kernel(self) -> int:
        """Elements of a kernel over its dimensions."""
        value = self.config.get("kernel_size")
        sides = value if isinstance(value, list) else [value]
        return math.prod(_whole(side, "kernel_size") for side in sides)

    def shape(self, name: str = "input_shape") -> Shape:
        """Of an input."""
        if not self.shapes.get(name):
            raise _Unread(f"no {name}")
        return self.shapes[name]

    def width(self, axis: int = -1, name: str = "input_shape") -> int:
        """One side of an input, which has to be fixed."""
        shape = self.shape(name)
        if not -len(shape) <= axis < len(shape):
            raise _Unread(f"no axis {axis} in {name}")
        return _whole(shape[axis], name)

    def channels(self) -> int:
        """Channels of an input, which come first or last."""
        return self.width(1 if self.config.get("data_format") == "channels_first" else -1)

    def over_axes(self) -> int:
        """Elements over the axes of a normalisation."""
        axis = self.config.get("axis", -1)
        axes = axis if isinstance(axis, list) else [axis]
        if not all(isinstance(each, int) for each in axes):
            raise _Unread("axis is no number")
        return math.prod(self.width(each) for each in axes)

    def within(self, config: Any, shape: Shape) -> tuple[int, ...]:
        """Variables of a layer that this one wraps."""
        inner = config if isinstance(config, Mapping) else {}
        kind, settings = inner.get("class_name"), inner.get("config")
        if not isinstance(kind, str) or not isinstance(settings, Mapping):
            raise _Unread("wraps no layer")
        if _is_without(kind):
            return ()
        return _counted(kind, settings, {"input_shape": shape}, self._wrapped + 1)[2]


def _biased(weights: int, outputs: int, layer: _Layer) -> Iterator[int]:
    yield weights
    if layer.flag("use_bias"):
        yield outputs


def _dense(c: _Layer) -> Iterator[int]:
    units = c.number("units")
    return _biased(c.width() * units, units, c)


def _conv(c: _Layer) -> Iterator[int]:
    filters = c.number("filters")
    groups = max(c.number("groups", 1), 1)
    return _biased(c.kernel() * (c.channels() // groups) * filters, filters, c)


def _depthwise(c: _Layer) -> Iterator[int]:
    outputs = c.channels() * c.number("depth_multiplier", 1)
    return _biased(c.kernel() * outputs, outputs, c)


def _separable(c: _Layer) -> Iterator[int]:
    between, filters = c.channels() * c.number("depth_multiplier", 1), c.number("filters")
    yield c.kernel() * between
    yield from _biased(between * filters, filters, c)


def _embedding(c: _Layer) -> Iterator[int]:
    yield c.number("input_dim") * c.number("output_dim")


def _recurrent(gates: int) -> Callable[[_Layer], Iterator[int]]:
    def count(c: _Layer) -> Iterator[int]:
        units = c.number("units")
        yield gates * units * c.width()
        yield gates * units * units
        if c.flag("use_bias"):
            # A GRU that resets after the product, as is its default, has two vectors.
            two = gates == 3 and c.flag("reset_after")
            yield gates * units * (2 if two else 1)

    return count


def _batch_norm(c: _Layer) -> Iterator[int]:
    width = c.over_axes()
    return iter([width] * (2 + c.flag("center") + c.flag("scale")))


def _norm(c: _Layer) -> Iterator[int]:
    width = c.over_axes()
    rms = c.flag("rms_scaling", False)
    return iter([width] * (c.flag("scale") + (c.flag("center") and not rms)))


def _fixed_norm(c: _Layer) -> Iterator[int]:
    """Mean, variance and a counter, of a layer that learns them from data before training."""
    if c.config.get("mean") is None:
        yield from (c.over_axes(), c.over_axes(), 1)


def _rms_norm(c: _Layer) -> Iterator[int]:
    yield c.over_axes()


def _prelu(c: _Layer) -> Iterator[int]:
    shared = c.config.get("shared_axes") or []
    if not isinstance(shared, list):
        raise _Unread("shared_axes is no list")
    sides = range(1, len(c.shape()))
    yield math.prod(1 if side in shared else c.width(side) for side in sides)


def _attention(c: _Layer) -> Iterator[int]:
    """Queries, keys, values and what puts heads together: matrices of heads x width."""
    heads, key = c.number("num_heads"), c.number("key_dim")
    value = c.number("value_dim", key)
    query_width, value_width = c.width(name="query_shape"), c.width(name="value_shape")
    key_width = c.width(name="key_shape") if "key_shape" in c.shapes else value_width
    asked = c.config.get("output_shape")
    sides = asked if isinstance(asked, list) else [query_width if asked is None else asked]
    out = math.prod(_whole(side, "output_shape") for side in sides)
    yield from _biased(query_width * heads * key, heads * key, c)
    yield from _biased(key_width * heads * key, heads * key, c)
    yield from _biased(value_width * heads * value, heads * value, c)
    yield from _biased(heads * value * out, out, c)


def _bidirectional(c: _Layer) -> Iterator[int]:
    forward = c.config.get("layer")
    for each in (forward, c.config.get("backward_layer") or forward):
        yield from c.within(each, c.shape())


def _each_step(c: _Layer) -> Iterator[int]:
    shape = c.shape()
    yield from c.within(c.config.get("layer"), (*shape[:1], *shape[2:]))


_CLASSES: Final[Mapping[str, Callable[[_Layer], Iterator[int]]]] = {
    "Dense": _dense,
    **{f"Conv{n}D{end}": _conv for n in (1, 2, 3) for end in ("", "Transpose")},
    **{f"DepthwiseConv{n}D": _depthwise for n in (1, 2)},
    **{f"SeparableConv{n}D": _separable for n in (1, 2)},
    "Embedding": _embedding,
    "SimpleRNN": _recurrent(1),
    "GRU": _recurrent(3),
    "LSTM": _recurrent(4),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _norm,
    "GroupNormalization": _norm,
    "RMSNormalization": _rms_norm,
    "Normalization": _fixed_norm,
    "PReLU": _prelu,
    "MultiHeadAttention": _attention,
    "Bidirectional": _bidirectional,
    "TimeDistributed": _each_step,
}
