"""Decoder families of Hugging Face: what each reads from its ``config.json``, as tensors.

Each family is a function of its fields. What the families do not say in their configuration (the
biases of Qwen 2, the four norms of Gemma 2, the tied head of Falcon) is said here; counts agree
with those of ``transformers`` 5 on its meta device (``size_cases.json``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from modeler.predict.architecture.fields import Fields
from modeler.predict.architecture.layers import (
    attention,
    dense,
    embedding,
    feed_forward,
    latent_attention,
    layer_norm,
    mixture,
)
from modeler.predict.architecture.parts import BIAS, EMBEDDING, HEAD, LINEAR, Attention, Part


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


def _widths(c: Fields, *, inner: int | None = None, kv: int | None = None) -> Widths:
    hidden = c.number("hidden_size", "n_embd", "d_model", "dim", least=1)
    heads = c.number("num_attention_heads", "n_head", "n_heads", "num_heads", least=1)
    return Widths(
        hidden=hidden,
        layers=c.number("num_hidden_layers", "n_layer", "n_layers", "num_layers"),
        heads=heads,
        kv_heads=c.number("num_key_value_heads", default=kv or heads, least=1),
        head_dim=c.number("head_dim", default=max(hidden // heads, 1), least=1),
        inner=c.number("intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size", default=inner),
        vocabulary=c.number("vocab_size"),
    )


def _head(c: Fields, w: Widths, *, tied: bool, bias: bool = False) -> tuple[Part, ...]:
    """The output matrix, unless it is the embedding over again, and its bias."""
    extra = (Part("lm_head.bias", (w.vocabulary,), BIAS),) if bias else ()
    if c.flag("tie_word_embeddings", default=tied):
        return extra
    return (Part("lm_head.weight", (w.vocabulary, w.hidden), HEAD), *extra)


def _cache(w: Widths, *, window: int = 0, windowed: int = 0) -> Attention:
    return Attention(w.layers, w.heads, w.kv_heads, w.head_dim, 0, window, windowed)


def _window(c: Fields, w: Widths) -> Attention:
    """Sliding windows where the layers' types say so, or every nth does not have one."""
    size = c.number("sliding_window", default=0)
    types = c.raw("layer_types")
    if not size:
        return _cache(w)
    if isinstance(types, list):
        sliding = sum(1 for kind in types if kind == "sliding_attention")
    else:
        every = c.number("sliding_window_pattern", default=0)
        sliding = w.layers - w.layers // every if every else 0
    return _cache(w, window=size, windowed=sliding)


def _rms(
    c: Fields,
    *,
    qkv_bias: bool = False,
    out_bias: bool = False,
    mlp_bias: bool = False,
    head_norm: bool = False,
    norms: int = 2,
    tied: bool = False,
    kv: int | None = None,
    norm_bias: bool = False,
) -> Decoder:
    """Norms by root mean square and a gated feed-forward: Llama and what came of it."""
    w = _widths(c, kv=kv)
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
        *_head(c, w, tied=tied),
    )  # fmt: skip
    return Decoder(parts, w.hidden, _window(c, w))


def _llama(c: Fields) -> Decoder:
    bias = c.flag("attention_bias", default=False)
    return _rms(c, qkv_bias=bias, out_bias=bias, mlp_bias=c.flag("mlp_bias", default=False))


def _mistral(c: Fields) -> Decoder:
    return _rms(c, kv=8)


def _qwen2(c: Fields) -> Decoder:
    return _rms(c, qkv_bias=True)


def _qwen3(c: Fields) -> Decoder:
    bias = c.flag("attention_bias", default=False)
    return _rms(c, qkv_bias=bias, out_bias=bias, head_norm=True)


def _gemma(c: Fields) -> Decoder:
    return _rms(c, tied=True)


def _gemma2(c: Fields) -> Decoder:
    return _rms(c, tied=True, norms=4)


def _gemma3(c: Fields) -> Decoder:
    """Text alone, or text within a model that also sees; the tower is SigLIP."""
    text = c.part("text_config")
    own = _rms(text or c, tied=True, norms=4, head_norm=True)
    if text is None:
        return own
    vision = c.part("vision_config")
    if vision is None:
        return own
    d = vision.number("hidden_size", least=1)
    layers = vision.number("num_hidden_layers")
    inner = vision.number("intermediate_size")
    patch = vision.number("patch_size", least=1)
    patches = (vision.number("image_size") // patch) ** 2
    head: tuple[Part, ...] = ()
    if vision.flag("vision_use_head", default=True):
        head = (
            Part("head.probe", (1, 1, d), EMBEDDING),
            *attention("head.attention", d, 1, 1, d, qkv_bias=True, out_bias=True),
            *feed_forward("head.mlp", d, inner, gated=False, bias=True),
            *layer_norm("head.norm", d),
        )
    tower = (
        *head,
        Part("patch.weight", (d, vision.number("num_channels", default=3), patch, patch), LINEAR),
        Part("patch.bias", (d,), BIAS),
        *embedding("patch_position", patches, d),
        *attention("vision.attention", d, 1, 1, d, qkv_bias=True, out_bias=True, times=layers),
        *feed_forward("vision.mlp", d, inner, gated=False, bias=True, times=layers),
        *layer_norm("vision.norms", d, times=2 * layers),
        *layer_norm("vision.norm", d),
        *dense("projector", d, own.hidden, bias=False),
        *layer_norm("projector.norm", d, bias=False),
    )
    note = "the vision tower and its projector are counted"
    return own._replace(parts=(*own.parts, *tower), notes=(*own.notes, note))


def _olmo2(c: Fields) -> Decoder:
    """Norms over all heads' queries and keys together, after the layers instead of before."""
    own = _rms(c)
    w = _widths(c)
    extra = (
        *layer_norm("q_norm", w.heads * w.head_dim, bias=False, times=w.layers),
        *layer_norm("k_norm", w.kv_heads * w.head_dim, bias=False, times=w.layers),
    )
    return own._replace(parts=(*own.parts, *extra))


def _olmo(c: Fields) -> Decoder:
    """Norms without a trained element."""
    own = _rms(c, qkv_bias=c.flag("attention_bias", default=False), norms=0)
    return own._replace(parts=tuple(part for part in own.parts if part.name != "norm.weight"))


def _cohere(c: Fields) -> Decoder:
    bias = c.flag("attention_bias", default=False)
    own = _rms(c, qkv_bias=bias, out_bias=bias, norms=1, tied=True)
    if not c.flag("use_qk_norm", default=False):
        return own
    w = _widths(c)
    extra = (
        *layer_norm("q_norm", w.heads * w.head_dim, bias=False, times=w.layers),
        *layer_norm("k_norm", w.kv_heads * w.head_dim, bias=False, times=w.layers),
    )
    return own._replace(parts=(*own.parts, *extra))


def _stablelm(c: Fields) -> Decoder:
    parallel = c.flag("use_parallel_residual", default=False)
    return _rms(
        c,
        qkv_bias=c.flag("use_qkv_bias", default=False),
        norms=1 if parallel else 2,
        norm_bias=True,
    )


def _mixtral(c: Fields) -> Decoder:
    return _experts(
        c,
        experts=c.number("num_local_experts", default=8, least=1),
        per_token=c.number("num_experts_per_tok", default=2, least=1),
        inner=c.number("intermediate_size"),
        kv=8,
    )


def _phimoe(c: Fields) -> Decoder:
    bias = c.flag("attention_bias", default=False)
    own = _experts(
        c,
        experts=c.number("num_local_experts", default=16, least=1),
        per_token=c.number("num_experts_per_tok", default=2, least=1),
        inner=c.number("intermediate_size"),
        qkv_bias=bias,
        out_bias=bias,
        norm_bias=True,
    )
    if c.flag("lm_head_bias", default=False):
        extra = Part("lm_head.bias", (c.number("vocab_size"),), BIAS)
        own = own._replace(parts=(*own.parts, extra))
    return own


def _qwen2_moe(c: Fields) -> Decoder:
    return _experts(
        c,
        experts=c.number("num_experts", default=60, least=1),
        per_token=c.number("num_experts_per_tok", default=4, least=1),
        inner=c.number("moe_intermediate_size"),
        qkv_bias=c.flag("qkv_bias", default=True),
        shared=c.number("shared_expert_intermediate_size"),
        shared_gate=True,
        sparse=_sparse_layers(c),
    )


def _qwen3_moe(c: Fields) -> Decoder:
    bias = c.flag("attention_bias", default=False)
    return _experts(
        c,
        experts=c.number("num_experts", "num_local_experts", default=128, least=1),
        per_token=c.number("num_experts_per_tok", default=8, least=1),
        inner=c.number("moe_intermediate_size"),
        qkv_bias=bias,
        out_bias=bias,
        head_norm=True,
        sparse=_sparse_layers(c),
    )


def _olmoe(c: Fields) -> Decoder:
    own = _experts(
        c,
        experts=c.number("num_experts", default=64, least=1),
        per_token=c.number("num_experts_per_tok", default=8, least=1),
        inner=c.number("intermediate_size"),
    )
    w = _widths(c)
    extra = (
        *layer_norm("q_norm", w.hidden, bias=False, times=w.layers),
        *layer_norm("k_norm", w.kv_heads * w.head_dim, bias=False, times=w.layers),
    )
    return own._replace(parts=(*own.parts, *extra))


def _sparse_layers(c: Fields) -> int:
    """Layers with experts: every so many, but those named as plain."""
    layers = c.number("num_hidden_layers")
    step = c.number("decoder_sparse_step", default=1, least=1)
    plain = c.numbers("mlp_only_layers", default=()) if c.raw("mlp_only_layers") else ()
    return sum(1 for i in range(layers) if i not in plain and (i + 1) % step == 0)


def _experts(
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
) -> Decoder:
    w = _widths(c, inner=0, kv=kv)
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
        *_head(c, w, tied=False),
    )  # fmt: skip
    return Decoder(parts, w.hidden, _window(c, w), experts, per_token)


def _deepseek(c: Fields, *, correction: bool) -> Decoder:
    w = _widths(c, inner=0)
    first = min(c.number("first_k_dense_replace", default=0), w.layers)
    step = c.number("moe_layer_freq", default=1, least=1)
    experts = c.number("n_routed_experts", "num_local_experts", default=0)
    sparse = sum(1 for i in range(first, w.layers) if i % step == 0) if experts else 0
    per_token = c.number("num_experts_per_tok", default=1, least=1)
    inner = c.number("moe_intermediate_size", default=0)
    kv_rank, rope = c.number("kv_lora_rank"), c.number("qk_rope_head_dim")
    plain = w.layers - sparse
    experts_parts: tuple[Part, ...] = ()
    if sparse:
        experts_parts = mixture(
            "moe", w.hidden, inner, experts, per_token,
            shared_inner=inner * c.number("n_shared_experts", default=0),
            correction=correction, times=sparse,
        )  # fmt: skip
    parts = (
        *embedding("embed", w.vocabulary, w.hidden),
        *latent_attention(
            "attention", w.hidden, w.heads,
            query_rank=c.number("q_lora_rank", default=0), kv_rank=kv_rank,
            nope=c.number("qk_nope_head_dim"), rope=rope, value=c.number("v_head_dim"),
            bias=c.flag("attention_bias", default=False), times=w.layers,
        ),
        *experts_parts,
        *(feed_forward("mlp", w.hidden, w.inner, gated=True, times=plain) if plain else ()),
        *layer_norm("norms", w.hidden, bias=False, times=2 * w.layers),
        *layer_norm("norm", w.hidden, bias=False),
        *_head(c, w, tied=False),
    )  # fmt: skip
    notes: tuple[str, ...] = ()
    if c.number("num_nextn_predict_layers", default=0):
        notes = ("a checkpoint may hold a module of multi-token prediction beside this count",)
    cache = Attention(w.layers, w.heads, w.kv_heads, w.head_dim, latent=kv_rank + rope)
    return Decoder(parts, w.hidden, cache, experts if sparse else 0, per_token, notes)


def _deepseek_v2(c: Fields) -> Decoder:
    return _deepseek(c, correction=False)


def _deepseek_v3(c: Fields) -> Decoder:
    return _deepseek(c, correction=True)


def _plain(
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
) -> Decoder:
    """Layer norms and a feed-forward without a gate: GPT-2 and its kin."""
    hidden = c.number("hidden_size", "n_embd", "d_model", "dim", least=1)
    w = _widths(c, inner=None if inner_factor is None else inner_factor * hidden, kv=kv)
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
        *_head(c, w, tied=tied, bias=head_bias),
    )  # fmt: skip
    return Decoder(parts, w.hidden, _window(c, w))


def _gpt2(c: Fields) -> Decoder:
    return _plain(c, positions=c.number("n_positions", "n_ctx", default=1024))


def _gpt_bigcode(c: Fields) -> Decoder:
    shared = 1 if c.flag("multi_query", default=True) else None
    return _plain(c, positions=c.number("n_positions", default=1024), kv=shared)


def _gpt_neo(c: Fields) -> Decoder:
    positions = c.number("max_position_embeddings", default=2048)
    return _plain(c, positions=positions, attention_bias=False, out_bias=True)


def _gptj(c: Fields) -> Decoder:
    return _plain(c, attention_bias=False, norms=1, tied=False, head_bias=True)


def _gpt_neox(c: Fields) -> Decoder:
    bias = c.flag("attention_bias", default=True)
    return _plain(c, attention_bias=bias, tied=False, inner_factor=None)


def _phi(c: Fields) -> Decoder:
    own = _plain(c, norms=1, tied=False, head_bias=True, inner_factor=None)
    if not c.flag("qk_layernorm", default=False):
        return own
    w = _widths(c)
    norms = layer_norm("head_norm", w.head_dim, times=2 * w.layers)
    return own._replace(parts=(*own.parts, *norms))


def _gpt_oss(c: Fields) -> Decoder:
    """Biases everywhere, in the experts too, and a sink for each head."""
    w = _widths(c)
    experts = c.number("num_local_experts", default=128, least=1)
    per_token = c.number("num_experts_per_tok", default=4, least=1)
    bias = c.flag("attention_bias", default=True)
    parts = (
        *embedding("embed", w.vocabulary, w.hidden),
        *attention(
            "attention", w.hidden, w.heads, w.kv_heads, w.head_dim,
            qkv_bias=bias, out_bias=bias, times=w.layers,
        ),
        Part("sinks", (w.heads,), BIAS, w.layers),
        *dense("router", w.hidden, experts, times=w.layers),
        *feed_forward(
            "experts", w.hidden, w.inner, gated=True, bias=True, times=w.layers * experts,
            active=min(per_token / experts, 1.0),
        ),
        *layer_norm("norms", w.hidden, bias=False, times=2 * w.layers),
        *layer_norm("norm", w.hidden, bias=False),
        *_head(c, w, tied=False),
    )  # fmt: skip
    return Decoder(parts, w.hidden, _window(c, w), experts, per_token)


def _glm(c: Fields) -> Decoder:
    return _rms(c, qkv_bias=c.flag("attention_bias", default=True), kv=2)


def _glm4(c: Fields) -> Decoder:
    return _rms(c, qkv_bias=c.flag("attention_bias", default=True), norms=4, kv=2)


def _exaone4(c: Fields) -> Decoder:
    return _rms(c, head_norm=True)


def _cohere2(c: Fields) -> Decoder:
    bias = c.flag("attention_bias", default=False)
    return _rms(c, qkv_bias=bias, out_bias=bias, norms=1, tied=True)


def _nemotron(c: Fields) -> Decoder:
    """Two matrices a feed-forward, as before the gates, and no bias outside the norms."""
    attention_bias = c.flag("attention_bias", default=False)
    mlp_bias = c.flag("mlp_bias", default=False)
    return _plain(
        c, attention_bias=attention_bias, mlp_bias=mlp_bias, tied=False, inner_factor=None
    )


def _codegen(c: Fields) -> Decoder:
    return _plain(c, attention_bias=False, norms=1, tied=False, head_bias=True)


def _phi3(c: Fields) -> Decoder:
    return _rms(c)


def _opt(c: Fields) -> Decoder:
    """Positions start at the third row; a narrower embedding is projected in and out."""
    hidden = c.number("hidden_size", least=1)
    narrow = c.number("word_embed_proj_dim", default=hidden)
    before = c.flag("do_layer_norm_before", default=True)
    removed = c.flag("_remove_final_layer_norm", default=False)
    bias = c.flag("enable_bias", default=True)
    affine = c.flag("layer_norm_elementwise_affine", default=True)
    own = _plain(
        c,
        positions=c.number("max_position_embeddings", default=2048) + 2,
        attention_bias=bias,
        mlp_bias=bias,
        norms=2 if affine else 0,
        final_norm=before and affine and not removed,
        inner_factor=None,
    )
    if narrow == hidden:
        return own
    vocabulary = c.number("vocab_size")
    parts = tuple(
        replace(part, shape=(vocabulary, narrow)) if part.name in _TABLES else part
        for part in own.parts
    )
    projections = (
        *dense("project_in", narrow, hidden, bias=False),
        *dense("project_out", hidden, narrow, bias=False),
    )
    return own._replace(parts=(*parts, *projections))


_TABLES: Final = ("embed.weight", "lm_head.weight")


def _bloom(c: Fields) -> Decoder:
    return _plain(c, embedding_norm=True)


def _falcon(c: Fields) -> Decoder:
    """One key and value head, or some in the newer layout, with a norm for each branch there."""
    newer = c.flag("new_decoder_architecture", default=False)
    parallel = c.flag("parallel_attn", default=True)
    bias = c.flag("bias", default=False)
    heads = c.number("num_attention_heads", "n_head", least=1)
    if newer:
        kv = c.number("num_kv_heads", "n_head_kv", default=heads)
        norms = c.number("num_ln_in_parallel_attn", default=2)
    else:
        kv = 1 if c.flag("multi_query", default=True) else heads
        norms = 1 if parallel else 2
    return _plain(c, kv=kv, attention_bias=bias, mlp_bias=bias, norms=norms, tied=True)


def _starcoder2(c: Fields) -> Decoder:
    bias = c.flag("use_bias", default=True)
    return _plain(c, attention_bias=bias, mlp_bias=bias, tied=True, inner_factor=None)


def _mpt(c: Fields) -> Decoder:
    bias = not c.flag("no_bias", default=True)
    factor = c.number("expansion_ratio", default=4, least=1)
    return _plain(
        c, attention_bias=bias, mlp_bias=bias, norm_bias=bias, tied=True, inner_factor=factor
    )


# ``model_type`` to family.
DECODERS: Final[dict[str, Callable[[Fields], Decoder]]] = {
    "llama": _llama,
    "mistral": _mistral,
    "mixtral": _mixtral,
    "qwen2": _qwen2,
    "qwen2_moe": _qwen2_moe,
    "qwen3": _qwen3,
    "qwen3_moe": _qwen3_moe,
    "gemma": _gemma,
    "gemma2": _gemma2,
    "gemma3": _gemma3,
    "gemma3_text": _gemma3,
    "phi": _phi,
    "phi3": _phi3,
    "phimoe": _phimoe,
    "gpt2": _gpt2,
    "gptj": _gptj,
    "gpt_neo": _gpt_neo,
    "gpt_neox": _gpt_neox,
    "gpt_bigcode": _gpt_bigcode,
    "opt": _opt,
    "bloom": _bloom,
    "falcon": _falcon,
    "starcoder2": _starcoder2,
    "mpt": _mpt,
    "deepseek_v2": _deepseek_v2,
    "deepseek_v3": _deepseek_v3,
    "granite": _llama,
    "smollm3": _llama,
    "olmo": _olmo,
    "olmo2": _olmo2,
    "olmoe": _olmoe,
    "cohere": _cohere,
    "cohere2": _cohere2,
    "stablelm": _stablelm,
    "gpt_oss": _gpt_oss,
    "glm": _glm,
    "glm4": _glm4,
    "exaone4": _exaone4,
    "nemotron": _nemotron,
    "codegen": _codegen,
}
