"""Types of layers that a description may name, and the fields each has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any, Final

from modeler.predict.architecture import layers as of
from modeler.predict.architecture.fields import MOST, MOST_LISTED, Fields, is_whole, nearest, shown
from modeler.predict.architecture.parts import BIAS, HEAD, LINEAR, Attention, Part

Layer = tuple[tuple[Part, ...], Attention | None]

_NORMS: Final = {
    "batch": "batch_norm", "layer": "layer_norm", "group": "group_norm", "rms": "rms_norm",
    "batch_norm": "batch_norm", "layer_norm": "layer_norm", "group_norm": "group_norm",
    "rms_norm": "rms_norm", "none": "",
}  # fmt: skip
_STORAGES: Final = ("dense", "csr", "2:4")
_INDEX_BYTES: Final = (2, 4, 8)


def _mlp(c: Fields) -> tuple[Part, ...]:
    """Dense layers one after another, with an activation or a normalisation between them."""
    widths = c.numbers("layers", "widths", "sizes", least=1)
    bias = c.flag("bias", default=True)
    norm = _normalisation(c)
    prune = _pruning(c)
    step = 3 if norm else 2  # places in a torch Sequential: dense, normalisation, activation
    if len(widths) < 2 and not c.problems:
        c.problems.append(
            f"layers = {shown(list(widths))}: expected at least input and output width"
        )
    parts: list[Part] = []
    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        parts += prune(str(number * step), inputs, outputs, bias)
        if norm and number < len(widths) - 2:
            parts += _norm(norm, f"{number * step + 1}", outputs)
    return tuple(parts)


def _norm(kind: str, name: str, width: int) -> tuple[Part, ...]:
    """A normalisation: batch with its buffers, layer and group with two vectors, RMS with one."""
    if kind == "batch_norm":
        return of.batch_norm(name, width)
    return of.layer_norm(name, width, bias=kind != "rms_norm")


def _normalisation(c: Fields) -> str:
    named = c.text("norm", "normalisation", "normalization")
    if named and named not in _NORMS:
        c.problems.append(
            f'norm = "{named[:40]}": expected one of batch, layer, group, rms'
            f"{nearest(named[:40], _NORMS)}"
        )
    if c.flag("batch_norm", "batchnorm", "bn", default=False):
        return "batch_norm"
    if c.flag("layer_norm", "layernorm", default=False):
        return "layer_norm"
    return _NORMS.get(named, "")


def _pruning(c: Fields) -> Callable[[str, int, int, bool], tuple[Part, ...]]:
    """How a dense layer is kept: whole, or by the share of its weights that are not zero."""
    storage = c.text("storage", default="dense")
    if storage not in _STORAGES:
        hint = nearest(storage[:40], _STORAGES)
        c.problems.append(
            f'storage = "{storage[:40]}": expected one of dense (zeros kept), csr, 2:4{hint}'
        )
    density = _density(c, 0.5 if storage == "2:4" else 1.0)
    width = c.number("index_bytes", default=4)
    if width not in _INDEX_BYTES:
        c.problems.append(f"index_bytes = {width}: expected 2, 4 or 8")

    def layer(name: str, inputs: int, outputs: int, bias: bool) -> tuple[Part, ...]:
        if c.problems:
            return ()
        if density == 1.0 and storage == "dense":
            return of.dense(name, inputs, outputs, bias=bias)
        try:
            return of.pruned(
                name, inputs, outputs, density, storage, bias=bias, index_bytes=width
            )  # fmt: skip
        except ValueError as error:
            c.problems.append(str(error))
            return ()

    return layer


def _density(c: Fields, default: float) -> float:
    """Share of weights that are not zero: connections that are there at all."""
    value = c.raw("density")
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value <= 1.0:
        c.problems.append(f"density = {shown(value)}: expected above 0 and at most 1")
        return default
    return float(value)


def _dense(c: Fields) -> tuple[Part, ...]:
    inputs = c.number("in", "inputs", "input", "in_features", least=1)
    outputs = c.number("out", "outputs", "output", "out_features", "units", least=1)
    bias = c.flag("bias", default=True)
    return _pruning(c)("dense", inputs, outputs, bias)


def _embedding(c: Fields) -> tuple[Part, ...]:
    rows = c.number("rows", "vocab", "vocab_size", "num_embeddings", least=1)
    width = c.number("width", "dim", "d", "embedding_dim", least=1)
    return of.embedding("embedding", rows, width)


def _rows(
    c: Fields, name: str, listed: Any, lengths: tuple[int, ...], expected: str
) -> list[tuple[int, ...]]:
    """Entries of a list that are lists of whole numbers themselves."""
    if not isinstance(listed, list) or not listed or len(listed) > MOST_LISTED:
        c.problems.append(f"{name} = {shown(listed)}: expected a list of {expected}")
        return []
    found = []
    for number, each in enumerate(listed):
        right = isinstance(each, list | tuple) and len(each) in lengths
        if not right or not all(is_whole(n) and 1 <= n <= MOST for n in each):
            c.problems.append(f"{name}.{number} = {shown(each)}: expected {expected}")
        else:
            found.append(tuple(each))
    return found


def _tables(c: Fields) -> tuple[Part, ...]:
    """Embedding tables beside a multi-layer perceptron, as recommenders have them."""
    parts: list[Part] = []
    tables = _rows(c, "tables", c.raw("tables", "embeddings"), (2,), "[rows, width]")
    for number, (rows, width) in enumerate(tables):
        parts += of.embedding(f"tables.{number}", rows, width)
    widths = c.numbers("mlp", "layers", least=1)
    bias = c.flag("bias", default=True)
    for number, (inputs, outputs) in enumerate(pairwise(widths)):
        parts += of.dense(f"mlp.{2 * number}", inputs, outputs, bias=bias)
    return tuple(parts)


def _recurrent(cell: str) -> Callable[[Fields], tuple[Part, ...]]:
    def read(c: Fields) -> tuple[Part, ...]:
        framework = c.text("framework", default="torch")
        if framework not in ("torch", "keras"):
            c.problems.append(f'framework = "{framework[:40]}": expected torch or keras')
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
        chain = _chain(c, kernel, dimensions)
        for number, (inputs, outputs, own) in enumerate(chain):
            if inputs % groups or outputs % groups:
                c.problems.append(
                    f"groups = {groups:,}: expected a divisor of {inputs:,} and {outputs:,} "
                    "channels"
                )
                continue
            parts += of.convolution(
                str(number * step), inputs, outputs, own,
                groups=groups, bias=bias, transposed=transposed,
            )  # fmt: skip
            if norm:
                parts += _norm(norm, f"{number * step + 1}", outputs)
        widths = c.numbers("fc", "mlp", "dense", default=(), least=1)
        for number, (inputs, outputs) in enumerate(pairwise(widths)):
            parts += of.dense(f"fc.{2 * number}", inputs, outputs)
        classes = c.number("classes", "num_classes", "head", default=0)
        last = c.number("head_in", default=chain[-1][1] if chain else 1, least=1)
        if classes:
            parts += of.dense("head", last, classes)
        return tuple(parts)

    return read


def _chain(
    c: Fields, kernel: tuple[int, ...], dimensions: int
) -> list[tuple[int, int, tuple[int, ...]]]:
    """Input and output channels and kernel of each convolution."""
    listed = c.raw("conv", "convs")
    if listed is not None:
        rows = _rows(c, "conv", listed, (2, 3), "[in, out] or [in, out, kernel]")
        return [
            (row[0], row[1], (row[2],) * dimensions if len(row) == 3 else kernel) for row in rows
        ]
    if isinstance(c.raw("channels"), list):
        widths = c.numbers("channels", least=1)
        if len(widths) < 2 and not c.problems:
            c.problems.append(f"channels = {shown(list(widths))}: expected at least two")
    else:
        widths = (
            c.number("in", "in_channels", "inputs", least=1),
            c.number("out", "out_channels", "outputs", least=1),
        )
    return [(inputs, outputs, kernel) for inputs, outputs in pairwise(widths)]


def _kernel(c: Fields, dimensions: int) -> tuple[int, ...]:
    names = ("kernel", "kernel_size", "k")
    if not isinstance(c.raw(*names), list):
        return (c.number(*names, default=3, least=1),) * dimensions
    found = c.numbers(*names, least=1)
    if len(found) != dimensions:
        c.problems.append(
            f"kernel = {shown(list(found))}: expected one number or {dimensions} of them, for "
            f"conv{dimensions}d"
        )
    return found


def _batch_norm(c: Fields) -> tuple[Part, ...]:
    width = c.number("channels", "width", "features", "num_features", least=1)
    return of.batch_norm("norm", width, affine=c.flag("affine", default=True))


def _layer_norm(c: Fields) -> tuple[Part, ...]:
    width = c.number("width", "channels", "features", "d_model", "normalized_shape", least=1)
    return of.layer_norm("norm", width, bias=c.flag("bias", default=True))


def _group_norm(c: Fields) -> tuple[Part, ...]:
    """Two vectors of all channels, whatever the groups."""
    channels = c.number("channels", "width", "features", "num_channels", least=1)
    groups = c.number("groups", "num_groups", default=1, least=1)
    if channels % groups:
        c.problems.append(f"groups = {groups:,}: expected a divisor of {channels:,} channels")
    return of.layer_norm("norm", channels)


def _rms_norm(c: Fields) -> tuple[Part, ...]:
    width = c.number("width", "channels", "features", "d_model", least=1)
    return of.layer_norm("norm", width, bias=False)


def _heads(c: Fields, d: int, *, given: bool = False) -> tuple[int, int]:
    """Query heads, and key and value heads; ``given``: their width is, and need not divide d."""
    heads = c.number("heads", "nhead", "num_heads", "n_heads", default=8, least=1)
    kv = c.number("kv_heads", "num_kv_heads", default=heads, least=1)
    if d % heads and not given:
        c.problems.append(f"heads = {heads:,}: expected a divisor of d_model = {d:,}")
    if heads % kv:
        c.problems.append(f"kv_heads = {kv:,}: expected a divisor of heads = {heads:,}")
    return heads, kv


def _transformer(c: Fields, *, decoder: bool) -> Layer:
    """Transformer layers: attention, feed-forward, norms; embeddings and a head if asked."""
    d = c.number("d_model", "width", "hidden", "hidden_size", "d", least=1)
    heads, kv = _heads(c, d)
    inner = c.number(
        "d_ff", "ff", "ffn", "dim_feedforward", "intermediate_size", default=4 * d, least=1
    )
    layers = c.number("layers", "num_layers", "n_layers", default=1, least=1)
    bias = c.flag("bias", default=True)
    gated = c.flag("gated", default=False)
    rms = c.flag("rms_norm", default=False)
    crossed = decoder and c.flag("cross_attention", default=False)
    vocabulary = c.number("vocab", "vocab_size", default=0)
    positions = c.number("positions", "max_len", default=0)
    tied = c.flag("tied", default=True)
    classes = c.number("classes", "num_classes", default=0)
    attentions = 2 * layers if crossed else layers
    head = () if tied or not vocabulary else (Part("head.weight", (vocabulary, d), HEAD),)
    parts = (
        *(of.embedding("tokens", vocabulary, d) if vocabulary else ()),
        *(of.embedding("positions", positions, d) if positions else ()),
        *_joined_attention(d, heads, kv, bias, attentions),
        *of.feed_forward("mlp", d, inner, gated=gated, bias=bias, times=layers),
        *of.layer_norm("norms", d, bias=not rms, times=layers + attentions),
        *(of.layer_norm("norm", d, bias=not rms) if c.flag("final_norm", default=False) else ()),
        *head,
        *(of.dense("classifier", d, classes) if classes else ()),
    )
    return parts, Attention(layers, heads, kv, d // heads) if decoder else None


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
    heads, kv = _heads(c, d, given="head_dim" in c)
    head_dim = c.number("head_dim", default=max(d // heads, 1), least=1)
    bias = c.flag("bias", default=True)
    if kv == heads and head_dim * heads == d:
        return _joined_attention(d, heads, kv, bias, 1)
    return of.attention("attention", d, heads, kv, head_dim, qkv_bias=bias, out_bias=bias)


def _latent_attention(c: Fields) -> Layer:
    """Multi-head latent attention, of which the cache keeps the low rank and the rotary part."""
    d = c.number("d_model", "width", "hidden", "hidden_size", "d", least=1)
    heads = c.number("heads", "num_heads", "num_attention_heads", least=1)
    query_rank = c.number("q_lora_rank", "q_rank", default=0)
    rank = c.number("kv_lora_rank", "kv_rank", least=1)
    nope = c.number("qk_nope_head_dim", "nope", least=1)
    rope = c.number("qk_rope_head_dim", "rope", least=1)
    value = c.number("v_head_dim", "value", least=1)
    layers = c.number("layers", "num_layers", default=1, least=1)
    parts = of.latent_attention(
        "attention", d, heads, query_rank=query_rank, kv_rank=rank, nope=nope, rope=rope,
        value=value, bias=c.flag("bias", default=False), times=layers,
    )  # fmt: skip
    return parts, Attention(layers, heads, heads, nope + rope, latent=rank + rope)


def _feed_forward(c: Fields) -> tuple[Part, ...]:
    d = c.number("d_model", "width", "hidden", "d", least=1)
    inner = c.number("d_ff", "ff", "inner", "intermediate_size", default=4 * d, least=1)
    gated = c.flag("gated", default=False)
    return of.feed_forward("mlp", d, inner, gated=gated, bias=c.flag("bias", default=not gated))


def _mixture(c: Fields) -> tuple[Part, ...]:
    experts = c.number("experts", "num_experts", least=1)
    per_token = c.number(
        "per_token", "top_k", "num_experts_per_tok", default=min(2, experts), least=1
    )
    if per_token > experts:
        c.problems.append(f"per_token = {per_token:,}: expected at most experts = {experts:,}")
    return of.mixture(
        "moe",
        c.number("d_model", "width", "hidden", "d", least=1),
        c.number("d_ff", "ff", "inner", "moe_intermediate_size", least=1),
        experts,
        per_token,
        shared_inner=c.number("shared", "shared_inner", default=0),
    )


def _linear_model(c: Fields) -> tuple[Part, ...]:
    """One row of weights for two classes or a regression, else one for each class or output."""
    features = c.number("features", "n_features", "in", least=1)
    classes = c.number("classes", "n_classes", default=1, least=1)
    outputs = c.number("outputs", "out", default=1 if classes <= 2 else classes, least=1)
    return of.dense("coef", features, outputs, bias=c.flag("bias", default=True))


def _plain(read: Callable[[Fields], tuple[Part, ...]]) -> Callable[[Fields], Layer]:
    """A layer without a cache."""
    return lambda c: (read(c), None)


TYPES: Final[Mapping[str, Callable[[Fields], Layer]]] = {
    "mlp": _plain(_mlp),
    "dense": _plain(_dense),
    "embedding": _plain(_embedding),
    "embedding+mlp": _plain(_tables),
    "rnn": _plain(_recurrent("rnn")),
    "gru": _plain(_recurrent("gru")),
    "lstm": _plain(_recurrent("lstm")),
    "conv1d": _plain(_conv(1)),
    "conv2d": _plain(_conv(2)),
    "conv3d": _plain(_conv(3)),
    "batch_norm": _plain(_batch_norm),
    "layer_norm": _plain(_layer_norm),
    "group_norm": _plain(_group_norm),
    "rms_norm": _plain(_rms_norm),
    "attention": _plain(_attention),
    "mla": _latent_attention,
    "feed_forward": _plain(_feed_forward),
    "transformer_encoder": lambda c: _transformer(c, decoder=False),
    "transformer_decoder": lambda c: _transformer(c, decoder=True),
    "moe": _plain(_mixture),
    "linear_model": _plain(_linear_model),
}
# Arguments of the libraries' layers that no tensor follows from.
WITHOUT_WEIGHTS: Final = frozenset({
    "name", "framework", "activation", "dropout", "dropout_rate", "recurrent_dropout", "stride",
    "strides", "padding", "padding_mode", "dilation", "dilation_rate", "nonlinearity", "eps",
    "epsilon", "momentum", "batch_first", "inplace", "norm_first", "return_sequences",
})  # fmt: skip
ALIASES: Final = {
    "linear": "dense",
    "conv": "conv2d",
    "cnn": "conv2d",
    "convolution": "conv2d",
    "batchnorm": "batch_norm",
    "batchnorm1d": "batch_norm",
    "batchnorm2d": "batch_norm",
    "batchnorm3d": "batch_norm",
    "layernorm": "layer_norm",
    "groupnorm": "group_norm",
    "rmsnorm": "rms_norm",
    "encoder": "transformer_encoder",
    "transformer": "transformer_encoder",
    "decoder": "transformer_decoder",
    "mha": "attention",
    "multihead_attention": "attention",
    "multiheadattention": "attention",
    "latent_attention": "mla",
    "multi_head_latent_attention": "mla",
    "ffn": "feed_forward",
    "logistic_regression": "linear_model",
    "linear_regression": "linear_model",
}
