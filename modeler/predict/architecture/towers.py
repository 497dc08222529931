"""Models that see or hear: what their configurations say, as tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from modeler.predict.architecture.encoders import encoder_layers, no_cache
from modeler.predict.architecture.fields import Fields
from modeler.predict.architecture.layers import (
    attention,
    convolution,
    dense,
    embedding,
    feed_forward,
    layer_norm,
)
from modeler.predict.architecture.parts import (
    BIAS,
    CONVOLUTION,
    EMBEDDING,
    NORM,
    Attention,
    Part,
)
from modeler.predict.architecture.stacks import Decoder, asked_class, labels


def _whisper(c: Fields) -> Decoder:
    """Two convolutions over the spectrum; keys without bias; the head is the embedding."""
    d = c.number("d_model", least=1)
    encoders, decoders = c.number("encoder_layers"), c.number("decoder_layers")
    heads = c.number("decoder_attention_heads", default=6, least=1)

    def attend(name: str, times: int) -> tuple[Part, ...]:
        return attention(name, d, 1, 1, d, qkv_bias=True, key_bias=False, out_bias=True,
                         times=times)  # fmt: skip

    parts = (
        *convolution("conv1", c.number("num_mel_bins", default=80), d, (3,)),
        *convolution("conv2", d, d, (3,)),
        *embedding("encoder.positions", c.number("max_source_positions", default=1500), d),
        *embedding("decoder.positions", c.number("max_target_positions", default=448), d),
        *embedding("tokens", c.number("vocab_size"), d),
        *attend("encoder.attention", encoders),
        *feed_forward("encoder.mlp", d, c.number("encoder_ffn_dim"), gated=False, bias=True,
                      times=encoders),
        *layer_norm("encoder.norms", d, times=2 * encoders + 1),
        *attend("decoder.attention", 2 * decoders),
        *feed_forward("decoder.mlp", d, c.number("decoder_ffn_dim"), gated=False, bias=True,
                      times=decoders),
        *layer_norm("decoder.norms", d, times=3 * decoders + 1),
    )  # fmt: skip
    return Decoder(parts, d, Attention(decoders, heads, heads, d // heads))


def _vit(c: Fields) -> Decoder:
    """Patches, one more token, encoder layers, a norm; a pooler unless it classifies."""
    d = c.number("hidden_size", least=1)
    patch = c.number("patch_size", default=16, least=1)
    tokens = (c.number("image_size", default=224) // patch) ** 2 + 1
    channels = c.number("num_channels", default=3)
    classes = asked_class(c).endswith("ForImageClassification")
    head = dense("classifier", d, labels(c)) if classes else dense("pooler", d, d)
    parts = (
        Part("cls_token", (1, 1, d), EMBEDDING),
        Part("positions", (1, tokens, d), EMBEDDING),
        *convolution("patch", channels, d, (patch, patch)),
        *encoder_layers("layer", d, c.number("intermediate_size"), c.number("num_hidden_layers")),
        *layer_norm("norm", d),
        *head,
    )
    return Decoder(parts, d, no_cache(c))


def _clip(c: Fields) -> Decoder:
    """A tower for text and one for images, each with a projection, and one temperature."""
    empty = Fields({}, c.source)
    text = c.part("text_config") or empty
    vision = c.part("vision_config") or empty
    shared = c.number("projection_dim", default=512)
    d = text.number("hidden_size", default=512, least=1)
    v = vision.number("hidden_size", default=768, least=1)
    patch = vision.number("patch_size", default=32, least=1)
    tokens = (vision.number("image_size", default=224) // patch) ** 2 + 1
    parts = (
        *embedding("text.tokens", text.number("vocab_size", default=49_408), d),
        *embedding("text.positions", text.number("max_position_embeddings", default=77), d),
        *encoder_layers("text.layer", d, text.number("intermediate_size", default=2048),
                        text.number("num_hidden_layers", default=12)),
        *layer_norm("text.norm", d),
        Part("vision.class", (v,), EMBEDDING),
        *convolution("vision.patch", vision.number("num_channels", default=3), v, (patch, patch),
                     bias=False),
        *embedding("vision.positions", tokens, v),
        *encoder_layers("vision.layer", v, vision.number("intermediate_size", default=3072),
                        vision.number("num_hidden_layers", default=12)),
        *layer_norm("vision.norms", v, times=2),
        *dense("visual_projection", v, shared, bias=False),
        *dense("text_projection", d, shared, bias=False),
        Part("logit_scale", (), BIAS),
    )  # fmt: skip
    return Decoder(parts, d, no_cache(c))


def _wav2vec2(c: Fields) -> Decoder:
    """Convolutions over the wave, one over places by groups, then encoder layers."""
    d = c.number("hidden_size", default=768, least=1)
    widths = c.numbers("conv_dim", default=(512,) * 7)
    kernels = c.numbers("conv_kernel", default=(10, 3, 3, 3, 3, 2, 2))
    bias = c.flag("conv_bias", default=False)
    every = c.text("feat_extract_norm", default="group") == "layer"
    parts: list[Part] = []
    for number, (inputs, outputs, kernel) in enumerate(
        zip((1, *widths), widths, kernels, strict=False)
    ):
        parts += convolution(f"conv.{number}", inputs, outputs, (kernel,), bias=bias)
        if every or number == 0:
            parts += layer_norm(f"conv.{number}.norm", outputs)
    places = c.number("num_conv_pos_embeddings", default=128, least=1)
    groups = c.number("num_conv_pos_embedding_groups", default=16, least=1)
    normed = c.flag("feat_proj_layer_norm", default=True)
    layers = c.number("num_hidden_layers", default=12)
    head: tuple[Part, ...] = ()
    if asked_class(c).endswith("ForCTC"):
        head = dense("lm_head", d, c.number("vocab_size", default=32))
    parts += (
        *(layer_norm("projection.norm", widths[-1]) if normed else ()),
        *dense("projection", widths[-1], d),
        Part("masked_spec_embed", (d,), EMBEDDING),
        Part("places.weight", (d, d // groups, places), CONVOLUTION),
        Part("places.scale", (1, 1, places), NORM),
        Part("places.bias", (d,), BIAS),
        *encoder_layers("layer", d, c.number("intermediate_size", default=3072), layers),
        *layer_norm("norm", d),
        *head,
    )
    return Decoder(tuple(parts), d, no_cache(c))


TOWERS: Final[dict[str, Callable[[Fields], Decoder]]] = {
    "whisper": _whisper,
    "vit": _vit,
    "clip": _clip,
    "wav2vec2": _wav2vec2,
    "hubert": _wav2vec2,
}
