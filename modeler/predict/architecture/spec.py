"""A small description of layers as an architecture: what an analyst writes who has no config.json.

``{"type": "mlp", "layers": [57, 512, 3]}``, or ``{"layers": [{"type": "conv", ...}, ...]}`` for one
after another. Only the first layer of a network grows with the number of input features.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from modeler.predict.architecture import layers as of
from modeler.predict.architecture.fields import ArchitectureError, Fields
from modeler.predict.architecture.parts import (
    BIAS,
    CONVOLUTION,
    HEAD,
    LINEAR,
    Architecture,
    Attention,
    Part,
)

_KERNEL_2D: Final = 2


def from_spec(content: Mapping[str, Any], source: str = "layers") -> Architecture:
    """Read a description of layers.

    Parameters
    ----------
    content : mapping. ``type`` and what that type needs; ``precision`` of the weights, fp32
        without it; or ``layers``, a list of such descriptions.
    source : str. Named in errors.

    Raises
    ------
    ArchitectureError
        An unknown type, a field that is missing, unknown or cannot be; all of them at once.
    """
    stack = content.get("layers")
    several = isinstance(stack, list) and bool(stack) and isinstance(stack[0], Mapping)
    kind = str(content.get("type", "stack"))
    problems: list[str] = []
    parts: list[Part] = []
    cache: Attention | None = None
    if several and kind in ("stack", "sequential"):
        assert isinstance(stack, list)
        for number, each in enumerate(stack):
            inner = each if isinstance(each, Mapping) else {}
            found, _, wrong = _layer(inner, f"layers.{number}")
            problems += wrong
            parts += [_renamed(part, number) for part in found]
        unknown = [name for name in content if name not in ("type", "layers", "precision")]
        problems += [f"{name}: expected type, layers or precision" for name in unknown]
    else:
        found, cache, problems = _layer(content, "")
        parts += found
    if problems:
        raise ArchitectureError(source, problems)
    return Architecture(kind, tuple(parts), str(content.get("precision", "fp32")), attention=cache)


def _renamed(part: Part, number: int) -> Part:
    return Part(f"{number}.{part.name}", part.shape, part.role, part.times, part.active)


def _layer(
    content: Mapping[str, Any], at: str
) -> tuple[tuple[Part, ...], Attention | None, list[str]]:
    kind = str(content.get("type", ""))
    name = _ALIASES.get(kind, kind)
    path = f"{at}.type" if at else "type"
    if name not in _TYPES:
        near = difflib.get_close_matches(kind, [*_TYPES, *_ALIASES], n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        return (), None, [f'{path} = "{kind}": expected one of {", ".join(_TYPES)}{hint}']
    fields = Fields(content, at or "layers")
    fields.raw("type", "precision")
    fields.raw("precision")
    try:
        parts = _TYPES[name](fields)
    except (ValueError, OverflowError) as error:
        fields.problems.append(str(error))
        parts = ()
    known = fields.asked
    for key in fields.unused:
        near = difflib.get_close_matches(key, known, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else ""
        fields.problems.append(
            f"{key}: no field of type {name}, which has {', '.join(known)}{hint}"
        )
    prefix = f"{at}: " if at else ""
    cache = None
    if name == "transformer_decoder" and not fields.problems:
        cache = _cache(fields)
    return parts, cache, [f"{prefix}{problem}" for problem in fields.problems]


def _cache(c: Fields) -> Attention:
    d = c.number("d_model", least=1)
    heads = c.number("heads", "nhead", "num_heads", default=8, least=1)
    kv = c.number("kv_heads", default=heads, least=1)
    return Attention(c.number("layers", "num_layers", default=1), heads, kv, d // heads)


def _mlp(c: Fields) -> tuple[Part, ...]:
    """Dense layers one after another, with an activation or a normalisation between them."""
    widths = c.numbers("layers", "widths", "sizes")
    bias = c.flag("bias", default=True)
    norm = _normalisation(c)
    density = _density(c)
    step = 3 if norm else 2  # places in a torch Sequential: dense, normalisation, activation
    parts: list[Part] = []
    pairs = list(pairwise(widths))
    if not pairs:
        raise ValueError(f"layers = {list(widths)}: expected at least input and output width")
    for number, (inputs, outputs) in enumerate(pairs):
        parts += _pruned(of.dense(str(number * step), inputs, outputs, bias=bias), density)
        if norm and number < len(pairs) - 1:
            at = f"{number * step + 1}"
            batch = norm == "batch_norm"
            parts += of.batch_norm(at, outputs) if batch else of.layer_norm(at, outputs)
    return tuple(parts)


def _normalisation(c: Fields) -> str:
    named = c.raw("norm", "normalisation", "normalization")
    if c.flag("batch_norm", "batchnorm", "bn", default=False) or named in ("batch", "batch_norm"):
        return "batch_norm"
    if c.flag("layer_norm", "layernorm", default=False) or named in ("layer", "layer_norm"):
        return "layer_norm"
    return ""


def _density(c: Fields) -> float:
    """Share of weights that are not zero: connections that are there at all."""
    value = c.raw("density")
    if value is None:
        return 1.0
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value <= 1.0:
        c.problems.append(f"density = {value!r}: expected above 0 and at most 1")
        return 1.0
    return float(value)


def _pruned(parts: tuple[Part, ...], density: float) -> tuple[Part, ...]:
    if density == 1.0:
        return parts
    return tuple(
        Part(part.name, (round(part.elements * density),), part.role)
        if part.role == LINEAR
        else part
        for part in parts
    )


def _dense(c: Fields) -> tuple[Part, ...]:
    inputs = c.number("in", "inputs", "input", "in_features", least=1)
    outputs = c.number("out", "outputs", "output", "out_features", "units", least=1)
    return _pruned(
        of.dense("dense", inputs, outputs, bias=c.flag("bias", default=True)), _density(c)
    )


def _embedding(c: Fields) -> tuple[Part, ...]:
    rows = c.number("rows", "vocab", "vocab_size", "num_embeddings", least=1)
    width = c.number("width", "dim", "d", "embedding_dim", least=1)
    return of.embedding("embedding", rows, width)


def _tables(c: Fields) -> tuple[Part, ...]:
    """Embedding tables beside a multi-layer perceptron, as recommenders have them."""
    tables = c.raw("tables", "embeddings")
    parts: list[Part] = []
    if not isinstance(tables, list) or not tables:
        raise ValueError(f"tables = {tables!r}: expected a list of [rows, width]")
    for number, table in enumerate(tables):
        pair = isinstance(table, list | tuple) and len(table) == 2
        if not pair or not all(isinstance(n, int) and n > 0 for n in table):
            raise ValueError(f"tables.{number} = {table!r}: expected [rows, width]")
        parts += of.embedding(f"tables.{number}", table[0], table[1])
    widths = c.numbers("mlp", "layers")
    bias = c.flag("bias", default=True)
    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        parts += of.dense(f"mlp.{2 * number}", inputs, outputs, bias=bias)
    return tuple(parts)


def _recurrent(cell: str) -> Callable[[Fields], tuple[Part, ...]]:
    def read(c: Fields) -> tuple[Part, ...]:
        framework = c.text("framework", default="torch")
        if framework not in ("torch", "keras"):
            c.problems.append(f'framework = "{framework}": expected torch or keras')
        projection = c.number("proj_size", "projection", default=0) if cell == "lstm" else 0
        hidden = c.number("hidden", "hidden_size", "units", least=1)
        inputs = c.number("input", "inputs", "input_size", "in", least=1)
        layers = c.number("layers", "num_layers", default=1, least=1)
        two = c.flag("bidirectional", default=False)
        out = c.number("classes", "num_classes", "output", "out", "head", default=0)
        vocabulary = c.number("vocab", "vocab_size", default=0)
        table = of.embedding("embedding", vocabulary, inputs) if vocabulary else ()
        width = (projection or hidden) * (2 if two else 1)
        return (
            *table,
            *of.recurrent(
                cell, inputs, hidden, layers=layers, bidirectional=two,
                bias=c.flag("bias", default=True), projection=projection, framework=framework,
            ),
            *(of.dense("head", width, out) if out else ()),
        )  # fmt: skip

    return read


def _conv(dimensions: int) -> Callable[[Fields], tuple[Part, ...]]:
    def read(c: Fields) -> tuple[Part, ...]:
        """One convolution, or one after another by their channels, with a head if asked."""
        kernel = _kernel(c, dimensions)
        bias = c.flag("bias", default=True)
        groups = c.number("groups", default=1, least=1)
        transposed = c.flag("transposed", default=False)
        norm = _normalisation(c)
        parts: list[Part] = []
        step = 3 if norm else 2
        for number, (inputs, outputs, own) in enumerate(_chain(c, kernel, dimensions)):
            parts += of.convolution(
                str(number * step), inputs, outputs, own,
                groups=groups, bias=bias, transposed=transposed,
            )  # fmt: skip
            if norm:
                at = f"{number * step + 1}"
                batch = norm == "batch_norm"
                parts += of.batch_norm(at, outputs) if batch else of.layer_norm(at, outputs)
        widths = c.numbers("fc", "mlp", "dense", default=())
        for number, (inputs, outputs) in enumerate(pairwise(widths)):
            parts += of.dense(f"fc.{2 * number}", inputs, outputs)
        classes = c.number("classes", "num_classes", "head", default=0)
        if classes:
            last = [part.shape[0] for part in parts if part.role == CONVOLUTION][-1]
            parts += of.dense("head", c.number("head_in", default=last, least=1), classes)
        return tuple(parts)

    return read


def _chain(
    c: Fields, kernel: tuple[int, ...], dimensions: int
) -> list[tuple[int, int, tuple[int, ...]]]:
    """Input and output channels and kernel of each convolution."""
    listed = c.raw("conv", "convs")
    if isinstance(listed, list):
        found = []
        for number, each in enumerate(listed):
            right = isinstance(each, list | tuple) and len(each) in (2, 3)
            if not right or not all(isinstance(n, int) and n > 0 for n in each):
                raise ValueError(f"conv.{number} = {each!r}: expected [in, out, kernel]")
            own = (each[2],) * dimensions if len(each) == 3 else kernel
            found.append((each[0], each[1], own))
        return found
    if isinstance(c.raw("channels"), list):
        widths = c.numbers("channels")
    else:
        widths = (
            c.number("in", "in_channels", "inputs", least=1),
            c.number("out", "out_channels", "outputs", least=1),
        )
    return [(inputs, outputs, kernel) for inputs, outputs in pairwise(widths)]


def _kernel(c: Fields, dimensions: int) -> tuple[int, ...]:
    value = c.raw("kernel", "kernel_size", "k")
    if isinstance(value, list):
        return c.numbers("kernel", "kernel_size", "k")
    return (c.number("kernel", "kernel_size", "k", default=3, least=1),) * dimensions


def _batch_norm(c: Fields) -> tuple[Part, ...]:
    return of.batch_norm("norm", c.number("channels", "width", "features", least=1))


def _layer_norm(c: Fields) -> tuple[Part, ...]:
    width = c.number("width", "channels", "features", "d_model", least=1)
    return of.layer_norm("norm", width, bias=c.flag("bias", default=True))


def _stack(c: Fields, *, decoder: bool) -> tuple[Part, ...]:
    """Transformer layers: attention, feed-forward, norms; embeddings and a head if asked."""
    d = c.number("d_model", "width", "hidden", "hidden_size", "d", least=1)
    heads = c.number("heads", "nhead", "num_heads", "n_heads", default=8, least=1)
    kv = c.number("kv_heads", "num_kv_heads", default=heads, least=1)
    if d % heads:
        raise ValueError(f"heads = {heads}: expected a divisor of d_model = {d}")
    inner = c.number("d_ff", "ff", "ffn", "dim_feedforward", "intermediate_size", default=4 * d)
    layers = c.number("layers", "num_layers", "n_layers", default=1, least=1)
    bias = c.flag("bias", default=True)
    gated = c.flag("gated", default=False)
    rms = c.flag("rms_norm", default=False)
    norms = 2
    crossed = decoder and c.flag("cross_attention", default=False)
    vocabulary = c.number("vocab", "vocab_size", default=0)
    positions = c.number("positions", "max_len", default=0)
    tied = c.flag("tied", default=True)
    classes = c.number("classes", "num_classes", default=0)
    attentions = 2 * layers if crossed else layers
    head = () if tied or not vocabulary else (Part("head.weight", (vocabulary, d), HEAD),)
    return (
        *(of.embedding("tokens", vocabulary, d) if vocabulary else ()),
        *(of.embedding("positions", positions, d) if positions else ()),
        *_joined_attention(d, heads, kv, bias, attentions),
        *of.feed_forward("mlp", d, inner, gated=gated, bias=bias, times=layers),
        *of.layer_norm("norms", d, bias=not rms, times=norms * layers + (attentions - layers)),
        *(of.layer_norm("norm", d, bias=not rms) if c.flag("final_norm", default=False) else ()),
        *head,
        *(of.dense("classifier", d, classes) if classes else ()),
    )


def _joined_attention(d: int, heads: int, kv: int, bias: bool, times: int) -> tuple[Part, ...]:
    """As torch keeps it: queries, keys and values in one matrix where all have as many heads."""
    if kv != heads:
        return of.attention("attention", d, heads, kv, d // heads, qkv_bias=bias, out_bias=bias,
                            times=times)  # fmt: skip
    return (
        Part("attention.in_proj_weight", (3 * d, d), LINEAR, times),
        *((Part("attention.in_proj_bias", (3 * d,), BIAS, times),) if bias else ()),
        *of.dense("attention.out_proj", d, d, bias=bias, times=times),
    )


def _attention(c: Fields) -> tuple[Part, ...]:
    d = c.number("d_model", "width", "hidden", "embed_dim", "d", least=1)
    heads = c.number("heads", "nhead", "num_heads", default=8, least=1)
    kv = c.number("kv_heads", "num_kv_heads", default=heads, least=1)
    head_dim = c.number("head_dim", default=max(d // heads, 1), least=1)
    bias = c.flag("bias", default=True)
    if kv == heads and head_dim * heads == d:
        return _joined_attention(d, heads, kv, bias, 1)
    return of.attention("attention", d, heads, kv, head_dim, qkv_bias=bias, out_bias=bias)


def _feed_forward(c: Fields) -> tuple[Part, ...]:
    d = c.number("d_model", "width", "hidden", "d", least=1)
    inner = c.number("d_ff", "ff", "inner", "intermediate_size", default=4 * d, least=1)
    gated = c.flag("gated", default=False)
    return of.feed_forward("mlp", d, inner, gated=gated, bias=c.flag("bias", default=not gated))


def _mixture(c: Fields) -> tuple[Part, ...]:
    experts = c.number("experts", "num_experts", least=1)
    return of.mixture(
        "moe",
        c.number("d_model", "width", "hidden", "d", least=1),
        c.number("d_ff", "ff", "inner", "moe_intermediate_size", least=1),
        experts,
        c.number("per_token", "top_k", "num_experts_per_tok", default=min(2, experts), least=1),
        shared_inner=c.number("shared", "shared_inner", default=0),
    )


def _linear_model(c: Fields) -> tuple[Part, ...]:
    features = c.number("features", "n_features", "in", least=1)
    classes = c.number("classes", "n_classes", "out", default=1, least=1)
    return of.dense("coef", features, 1 if classes <= 2 else classes)


_TYPES: Final[dict[str, Callable[[Fields], tuple[Part, ...]]]] = {
    "mlp": _mlp,
    "dense": _dense,
    "embedding": _embedding,
    "embedding+mlp": _tables,
    "rnn": _recurrent("rnn"),
    "gru": _recurrent("gru"),
    "lstm": _recurrent("lstm"),
    "conv1d": _conv(1),
    "conv2d": _conv(_KERNEL_2D),
    "conv3d": _conv(3),
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "attention": _attention,
    "feed_forward": _feed_forward,
    "transformer_encoder": lambda c: _stack(c, decoder=False),
    "transformer_decoder": lambda c: _stack(c, decoder=True),
    "moe": _mixture,
    "linear_model": _linear_model,
}
_ALIASES: Final = {
    "linear": "dense",
    "conv": "conv2d",
    "cnn": "conv2d",
    "convolution": "conv2d",
    "batchnorm": "batch_norm",
    "layernorm": "layer_norm",
    "encoder": "transformer_encoder",
    "transformer": "transformer_encoder",
    "decoder": "transformer_decoder",
    "mha": "attention",
    "ffn": "feed_forward",
    "logistic_regression": "linear_model",
    "linear_regression": "linear_model",
}
