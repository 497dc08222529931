"""What decoder families share: stacks of layers between embedding and head, and their windows.

Three stacks cover the families of `decoders`: norms by root mean square with a gated feed-forward,
the same with experts, and layer norms with a plain feed-forward.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from modeler.predict.architecture.fields import Fields
from modeler.predict.architecture.layers import (
    attention,
    embedding,
    feed_forward,
    layer_norm,
    mixture,
)
from modeler.predict.architecture.parts import BIAS, HEAD, Attention, Part


class Decoder(NamedTuple):
    """A stack of decoder layers between embedding and head."""

    parts: tuple[Part, ...]
    hidden: int
    attention: Attention
    experts: int = 0
    experts_per_token: int = 0
    notes: tuple[str, ...] = ()


class Widths(NamedTuple):
    """Sizes that nearly every family has."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    inner: int
    vocabulary: int


@dataclass(frozen=True)
class Windows:
    """Which layers see no further back than ``sliding_window``, where ``layer_types`` says nothing.

    Defaults are those of the configuration classes of transformers, read 2026-11.

    Parameters
    ----------
    size : int. Where ``sliding_window`` is not there; null there is none. [tokens]
    every : int. Every so many layers one sees everything; 0: none does.
    switched : bool. Only where ``use_sliding_window`` says so, from ``max_window_layers`` on.
    """

    size: int = 0
    every: int = 0
    switched: bool = False


EVERY_LAYER: Final = Windows()
_FIRST_WINDOWED: Final = 28  # max_window_layers of the Qwen families, where it is not said


def widths(
    c: Fields, *, inner: int | None = None, kv: int | None = None, head_dim: int | None = None
) -> Widths:
    """Sizes by their names in any family.

    Parameters
    ----------
    inner, kv, head_dim : int, optional. Of the family, where the configuration does not say: the
        feed-forward's width, key and value heads (else all heads), width of a head (else the
        layers' over the heads).
    """
    hidden = c.number("hidden_size", "n_embd", "n_embed", "d_model", "dim", least=1)
    heads = c.number("num_attention_heads", "n_head", "n_heads", "num_heads", least=1)
    width = c.number("head_dim", default=head_dim or max(hidden // heads, 1), least=1)
    if head_dim is None and "head_dim" not in c and hidden % heads:
        c.remark(
            f"hidden_size = {hidden} is no multiple of num_attention_heads = {heads}: heads of "
            f"{width} are counted, which no attention could run"
        )
    kv_heads = c.number("num_key_value_heads", default=kv or heads, least=1)
    if heads % kv_heads:
        c.remark(
            f"num_attention_heads = {heads} is no multiple of num_key_value_heads = {kv_heads}: "
            "counted, but no attention could run"
        )
    return Widths(
        hidden=hidden,
        layers=c.number("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        heads=heads,
        kv_heads=kv_heads,
        head_dim=width,
        inner=c.number("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", default=inner),
        vocabulary=c.number("vocab_size"),
    )


def asked_class(c: Fields) -> str:
    """The class asked for; empty for the bare model."""
    named = c.text("class")
    listed = c.raw("architectures")
    if named or not isinstance(listed, list) or not listed:
        return named
    return str(listed[0])


def labels(c: Fields, default: int = 2) -> int:
    """Classes that a head tells apart, from their names or their number."""
    names = c.raw("id2label")
    return len(names) if isinstance(names, dict) else c.number("num_labels", default=default)


def head(c: Fields, w: Widths, *, tied: bool, bias: bool = False) -> tuple[Part, ...]:
    """The output matrix, unless it is the embedding over again, and its bias.

    Of a class that tells labels apart, its rows instead; of the bare model nothing.
    """
    name = "" if c.within else asked_class(c)
    if name.endswith(("ForSequenceClassification", "ForTokenClassification")):
        rows = labels(c)
        score = Part("score.weight", (rows, w.hidden), HEAD)
        tokens = name.endswith("ForTokenClassification")
        return (score, Part("score.bias", (rows,), BIAS)) if tokens else (score,)
    if name.endswith("Model") and not name.endswith(("LMHeadModel", "DoubleHeadsModel")):
        return ()
    extra = (Part("lm_head.bias", (w.vocabulary,), BIAS),) if bias else ()
    if c.flag("tie_word_embeddings", default=tied):
        return extra
    return (Part("lm_head.weight", (w.vocabulary, w.hidden), HEAD), *extra)


def cache(c: Fields, w: Widths, windows: Windows | None = None) -> Attention:
    """What is cached, with the windows that ``layer_types`` or the family says."""
    size = c.number("sliding_window", default=0 if c.says("sliding_window") else _size(windows))
    types = c.raw("layer_types")
    count = 0
    if isinstance(types, list):
        count = min(sum(1 for kind in types if kind == "sliding_attention"), w.layers)
    elif windows is not None and windows.switched:
        if c.flag("use_sliding_window", default=False):
            first = c.number("max_window_layers", default=_FIRST_WINDOWED)
            count = max(w.layers - first, 0)
    else:
        pattern = c.raw("sliding_window_pattern")
        if isinstance(pattern, str):  # "LLLG": local layers and one that sees everything
            every = len(pattern)
        else:
            every = c.number("sliding_window_pattern", default=windows.every if windows else 0)
        count = w.layers - w.layers // every if every else (w.layers if windows else 0)
    count = count if size else 0
    return Attention(w.layers, w.heads, w.kv_heads, w.head_dim, 0, size if count else 0, count)


def _size(windows: Windows | None) -> int:
    return windows.size if windows else 0


def gated_stack(
    c: Fields,
    *,
    qkv_bias: bool = False,
    out_bias: bool = False,
    mlp_bias: bool = False,
    head_norm: bool = False,
    norms: int = 2,
    tied: bool = False,
    kv: int | None = None,
    head_dim: int | None = None,
    norm_bias: bool = False,
    windows: Windows | None = None,
) -> Decoder:
    """Norms by root mean square and a gated feed-forward: Llama and what came of it."""
    w = widths(c, kv=kv, head_dim=head_dim)
    parts = (
        *embedding("embed", w.vocabulary, w.hidden),
        *attention(
            "attention", w.hidden, w.heads, w.kv_heads, w.head_dim,
            qkv_bias=qkv_bias, out_bias=out_bias, times=w.layers,
        ),
        *feed_forward("mlp", w.hidden, w.inner, gated=True, bias=mlp_bias, times=w.layers),
        *layer_norm("norms", w.hidden, bias=norm_bias, times=norms * w.layers),
        *(layer_norm("head_norm", w.head_dim, bias=False, times=2 * w.layers) if head_norm else ()),
        *layer_norm("norm", w.hidden, bias=norm_bias),
        *head(c, w, tied=tied),
    )  # fmt: skip
    return Decoder(parts, w.hidden, cache(c, w, windows))


def experts_stack(
    c: Fields,
    *,
    experts: int,
    per_token: int,
    inner: int,
    qkv_bias: bool = False,
    out_bias: bool = False,
    head_norm: bool = False,
    shared: int = 0,
    shared_gate: bool = False,
    sparse: int | None = None,
    kv: int | None = None,
    norm_bias: bool = False,
    windows: Windows | None = None,
) -> Decoder:
    """As `gated_stack`, with experts in some of the layers or in all."""
    w = widths(c, inner=0, kv=kv)
    with_experts = w.layers if sparse is None else sparse
    plain = w.layers - with_experts
    parts = (
        *embedding("embed", w.vocabulary, w.hidden),
        *attention(
            "attention", w.hidden, w.heads, w.kv_heads, w.head_dim,
            qkv_bias=qkv_bias, out_bias=out_bias, times=w.layers,
        ),
        *mixture(
            "moe", w.hidden, inner, experts, per_token,
            shared_inner=shared, shared_gate=shared_gate, times=with_experts,
        ),
        *(feed_forward("mlp", w.hidden, w.inner, gated=True, times=plain) if plain else ()),
        *layer_norm("norms", w.hidden, bias=norm_bias, times=2 * w.layers),
        *(layer_norm("head_norm", w.head_dim, bias=False, times=2 * w.layers) if head_norm else ()),
        *layer_norm("norm", w.hidden, bias=norm_bias),
        *head(c, w, tied=False),
    )  # fmt: skip
    return Decoder(parts, w.hidden, cache(c, w, windows), experts, per_token)


def plain_stack(
    c: Fields,
    *,
    positions: int = 0,
    kv: int | None = None,
    attention_bias: bool = True,
    out_bias: bool | None = None,
    mlp_bias: bool = True,
    norms: int = 2,
    norm_bias: bool = True,
    final_norm: bool = True,
    embedding_norm: bool = False,
    tied: bool = True,
    head_bias: bool = False,
    inner_factor: int | None = 4,
    windows: Windows | None = None,
) -> Decoder:
    """Layer norms and a feed-forward without a gate: GPT-2 and its kin."""
    hidden = c.number("hidden_size", "n_embd", "n_embed", "d_model", "dim", least=1)
    w = widths(c, inner=None if inner_factor is None else inner_factor * hidden, kv=kv)
    out = attention_bias if out_bias is None else out_bias
    parts = (
        *embedding("embed", w.vocabulary, w.hidden),
        *(embedding("positions", positions, w.hidden) if positions else ()),
        *(layer_norm("embed.norm", w.hidden) if embedding_norm else ()),
        *attention(
            "attention", w.hidden, w.heads, w.kv_heads, w.head_dim,
            qkv_bias=attention_bias, out_bias=out, times=w.layers,
        ),
        *feed_forward("mlp", w.hidden, w.inner, gated=False, bias=mlp_bias, times=w.layers),
        *layer_norm("norms", w.hidden, bias=norm_bias, times=norms * w.layers),
        *(layer_norm("norm", w.hidden, bias=norm_bias) if final_norm else ()),
        *head(c, w, tied=tied, bias=head_bias),
    )  # fmt: skip
    return Decoder(parts, w.hidden, cache(c, w, windows))
