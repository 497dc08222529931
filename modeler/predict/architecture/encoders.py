"""Encoder families, and encoders with a decoder, of Hugging Face, as tensors.

What stands on top of the stack (a pooler, a head for a task) follows from the class that the
configuration names: ``class``, or the first of ``architectures``; without one, the bare model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from modeler.predict.architecture.fields import Fields
from modeler.predict.architecture.layers import (
    attention,
    convolution,
    dense,
    embedding,
    feed_forward,
    layer_norm,
)
from modeler.predict.architecture.parts import BIAS, BUFFER, EMBEDDING, HEAD, Attention, Part
from modeler.predict.architecture.stacks import Decoder, asked_class, labels


def encoder_layers(name: str, width: int, inner: int, times: int) -> tuple[Part, ...]:
    """Encoder layers with biases everywhere and two norms."""
    return (
        *attention(f"{name}.attention", width, 1, 1, width, qkv_bias=True, out_bias=True,
                   times=times),
        *feed_forward(f"{name}.mlp", width, inner, gated=False, bias=True, times=times),
        *layer_norm(f"{name}.norms", width, times=2 * times),
    )  # fmt: skip


def _task(c: Fields, width: int, *, pooled: bool, masked: tuple[Part, ...]) -> tuple[Part, ...]:
    """Pooler and head of a class of the BERT kind."""
    name = asked_class(c)
    pooler = dense("pooler", width, width) if pooled else ()
    if name.endswith("ForPreTraining"):
        return (*pooler, *masked, *dense("cls.relationship", width, 2))
    if name.endswith(("ForMaskedLM", "LMHeadModel", "ForCausalLM")):
        return masked
    if name.endswith("ForSequenceClassification"):
        return (*pooler, *dense("classifier", width, labels(c)))
    if name.endswith("ForMultipleChoice"):
        return (*pooler, *dense("classifier", width, 1))
    if name.endswith("ForNextSentencePrediction"):
        return (*pooler, *dense("cls", width, 2))
    if name.endswith("ForTokenClassification"):
        return dense("classifier", width, labels(c))
    if name.endswith("ForQuestionAnswering"):
        return dense("qa_outputs", width, 2)
    return pooler


def _masked(width: int, inner: int, vocabulary: int) -> tuple[Part, ...]:
    """A dense layer, a norm and a bias; the matrix is the embedding."""
    return (
        *dense("lm.dense", width, inner),
        *layer_norm("lm.norm", inner),
        Part("lm.bias", (vocabulary,), BIAS),
    )


def _bert(c: Fields) -> Decoder:
    return _encoder(c, default_types=2)


def _roberta(c: Fields) -> Decoder:
    """As BERT; the dense layer before its classes has the size of BERT's pooler."""
    return _encoder(c, default_types=1)


def _encoder(c: Fields, *, default_types: int) -> Decoder:
    d = c.number("hidden_size", least=1)
    vocabulary = c.number("vocab_size")
    types = c.number("type_vocab_size", default=default_types)
    layers = c.number("num_hidden_layers")
    parts = (
        *embedding("words", vocabulary, d),
        *embedding("positions", c.number("max_position_embeddings"), d),
        *(embedding("types", types, d) if types else ()),
        *layer_norm("embeddings.norm", d),
        *encoder_layers("layer", d, c.number("intermediate_size"), layers),
        *_task(c, d, pooled=True, masked=_masked(d, d, vocabulary)),
    )
    return Decoder(parts, d, no_cache(c))


def no_cache(c: Fields) -> Attention:
    """No cache: an encoder looks at everything at once."""
    heads = c.number("num_attention_heads", "n_heads", "encoder_attention_heads", default=1)
    return Attention(0, heads, heads, 0)


def _distilbert(c: Fields) -> Decoder:
    d = c.number("dim", "hidden_size", least=1)
    vocabulary = c.number("vocab_size")
    layers = c.number("n_layers", "num_hidden_layers")
    name = asked_class(c)
    head: tuple[Part, ...] = ()
    if name.endswith("ForSequenceClassification"):
        head = (*dense("pre_classifier", d, d), *dense("classifier", d, labels(c)))
    elif name.endswith("ForMaskedLM"):
        head = _masked(d, d, vocabulary)
    elif name.endswith("ForTokenClassification"):
        head = dense("classifier", d, labels(c))
    elif name.endswith("ForQuestionAnswering"):
        head = dense("qa_outputs", d, 2)
    parts = (
        *embedding("words", vocabulary, d),
        *embedding("positions", c.number("max_position_embeddings", default=512), d),
        *layer_norm("embeddings.norm", d),
        *encoder_layers("layer", d, c.number("hidden_dim", "intermediate_size"), layers),
        *head,
    )
    return Decoder(parts, d, no_cache(c))


def _electra(c: Fields) -> Decoder:
    """A narrow embedding that is projected, and no pooler."""
    d = c.number("hidden_size", least=1)
    narrow = c.number("embedding_size", default=128)
    vocabulary = c.number("vocab_size")
    name = asked_class(c)
    head: tuple[Part, ...] = ()
    if name.endswith("ForPreTraining"):
        head = (*dense("discriminator.dense", d, d), *dense("discriminator.head", d, 1))
    elif name.endswith("ForMaskedLM"):
        head = _masked(d, narrow, vocabulary)
        head = (*head[:2], *layer_norm("lm.norm", narrow), head[-1])
    elif name.endswith("ForSequenceClassification"):
        head = (*dense("classifier.dense", d, d), *dense("classifier", d, labels(c)))
    elif name.endswith("ForTokenClassification"):
        head = dense("classifier", d, labels(c))
    parts = (
        *embedding("words", vocabulary, narrow),
        *embedding("positions", c.number("max_position_embeddings", default=512), narrow),
        *embedding("types", c.number("type_vocab_size", default=2), narrow),
        *layer_norm("embeddings.norm", narrow),
        *(dense("projection", narrow, d) if narrow != d else ()),
        *encoder_layers("layer", d, c.number("intermediate_size"), c.number("num_hidden_layers")),
        *head,
    )
    return Decoder(parts, d, no_cache(c))


def _albert(c: Fields) -> Decoder:
    """One group of layers that all share, behind a narrow embedding."""
    d = c.number("hidden_size", least=1)
    narrow = c.number("embedding_size", default=128)
    vocabulary = c.number("vocab_size")
    groups = c.number("num_hidden_groups", default=1) * c.number("inner_group_num", default=1)
    parts = (
        *embedding("words", vocabulary, narrow),
        *embedding("positions", c.number("max_position_embeddings", default=512), narrow),
        *embedding("types", c.number("type_vocab_size", default=2), narrow),
        *layer_norm("embeddings.norm", narrow),
        *dense("projection", narrow, d),
        *encoder_layers("group", d, c.number("intermediate_size"), groups),
        *_task(c, d, pooled=True, masked=(*_masked(d, narrow, vocabulary),)),
    )
    notes = ("layers are shared: the count is small, the work is that of all of them",)
    return Decoder(parts, d, no_cache(c), notes=notes)


def _deberta(c: Fields) -> Decoder:
    """Distances in a table of their own; keys and queries of places unless those are shared."""
    d = c.number("hidden_size", least=1)
    vocabulary = c.number("vocab_size")
    layers = c.number("num_hidden_layers")
    types = c.number("type_vocab_size", default=0)
    own_places = c.flag("position_biased_input", default=True)
    relative = c.flag("relative_attention", default=False)
    extra: tuple[Part, ...] = ()
    if relative:
        buckets = c.raw("position_buckets")
        farthest = c.raw("max_relative_positions")
        if not isinstance(farthest, int) or farthest < 1:
            farthest = c.number("max_position_embeddings")
        rows = buckets if isinstance(buckets, int) and buckets > 0 else farthest
        extra = embedding("distances", 2 * rows, d)
        if "layer_norm" in c.text("norm_rel_ebd", default="none"):
            extra = (*extra, *layer_norm("distances.norm", d))
        if not c.flag("share_att_key", default=False):
            kinds = c.raw("pos_att_type") or ()
            asked = kinds.split("|") if isinstance(kinds, str) else kinds
            for kind in ("c2p", "p2c"):
                if kind in asked:
                    extra = (*extra, *dense(f"{kind}_proj", d, d, times=layers))
    if c.number("conv_kernel_size", default=0):
        kernel = c.number("conv_kernel_size")
        extra = (*extra, *convolution("conv", d, d, (kernel,)), *layer_norm("conv.norm", d))
    positions = c.number("max_position_embeddings") if own_places else 0
    parts = (
        *embedding("words", vocabulary, d),
        *(embedding("positions", positions, d) if positions else ()),
        *(embedding("types", types, d) if types else ()),
        *layer_norm("embeddings.norm", d),
        *encoder_layers("layer", d, c.number("intermediate_size"), layers),
        *extra,
        *_task(c, d, pooled=False, masked=_masked(d, d, vocabulary)),
    )
    if asked_class(c).endswith("ForSequenceClassification"):
        parts = (*parts, *dense("pooler", d, d))
    return Decoder(parts, d, no_cache(c))


def _t5(c: Fields) -> Decoder:
    return _text_to_text(c, every_layer=False)


def _umt5(c: Fields) -> Decoder:
    return _text_to_text(c, every_layer=True)


def _text_to_text(c: Fields, *, every_layer: bool) -> Decoder:
    """Encoder and decoder without biases; distances in the first layer of each, or in all."""
    d, f = c.number("d_model", least=1), c.number("d_ff")
    heads = c.number("num_heads", least=1)
    head_dim = c.number("d_kv")
    encoders = c.number("num_layers")
    decoders = c.number("num_decoder_layers", default=encoders)
    buckets = c.number("relative_attention_num_buckets", default=32)
    vocabulary = c.number("vocab_size")
    gated = c.text("feed_forward_proj", default="relu").startswith("gated")
    name = asked_class(c)
    alone = name.endswith("EncoderModel")
    tied = c.flag("tie_word_embeddings", default=True)
    tables = (encoders if every_layer else 1) + (0 if alone else decoders if every_layer else 1)
    attentions = encoders + (0 if alone else 2 * decoders)
    stacks = encoders + (0 if alone else decoders)
    head = name.endswith("ForConditionalGeneration") or not name
    parts = (
        *embedding("shared", vocabulary, d),
        *attention("attention", d, heads, heads, head_dim, times=attentions),
        *feed_forward("mlp", d, f, gated=gated, times=stacks),
        *layer_norm("norms", d, bias=False, times=attentions + stacks),
        *layer_norm("norm", d, bias=False, times=1 if alone else 2),
        Part("distances.weight", (buckets, heads), EMBEDDING, tables),
        *((Part("lm_head.weight", (vocabulary, d), HEAD),) if head and not tied else ()),
    )
    cache = Attention(0 if alone else decoders, heads, heads, head_dim)
    return Decoder(parts, d, cache)


def _bart(c: Fields) -> Decoder:
    return _pair(c, offset=2)


def _mbart(c: Fields) -> Decoder:
    return _pair(c, offset=2, stack_norms=True)


def _marian(c: Fields) -> Decoder:
    """Places by sines, which a file holds all the same, and no norm of the embedding."""
    return _pair(c, offset=0, embedding_norms=False)


def _pegasus(c: Fields) -> Decoder:
    return _pair(c, offset=0, embedding_norms=False, stack_norms=True)


def _m2m(c: Fields) -> Decoder:
    """Places by sines that no file holds."""
    return _pair(c, offset=None, embedding_norms=False, stack_norms=True, head_buffer=False)


def _pair(
    c: Fields,
    *,
    offset: int | None,
    embedding_norms: bool = True,
    stack_norms: bool = False,
    head_buffer: bool = True,
) -> Decoder:
    d = c.number("d_model", least=1)
    encoders, decoders = c.number("encoder_layers"), c.number("decoder_layers")
    vocabulary = c.number("vocab_size")
    positions = 0 if offset is None else c.number("max_position_embeddings") + offset
    name = asked_class(c)
    head: tuple[Part, ...] = ()
    if head_buffer and name.endswith(("ForConditionalGeneration", "MTModel")):
        head = (Part("final_logits_bias", (1, vocabulary), BUFFER),)
    elif name.endswith("ForSequenceClassification"):
        head = (*dense("head.dense", d, d), *dense("head.out", d, labels(c, 3)))
    elif name.endswith("ForQuestionAnswering"):
        head = dense("qa_outputs", d, 2)
    parts = (
        *embedding("shared", vocabulary, d),
        *((Part("positions.weight", (positions, d), EMBEDDING, 2),) if positions else ()),
        *(layer_norm("embeddings.norm", d, times=2) if embedding_norms else ()),
        *encoder_layers("encoder", d, c.number("encoder_ffn_dim"), encoders),
        *encoder_layers("decoder", d, c.number("decoder_ffn_dim"), decoders),
        *attention("cross", d, 1, 1, d, qkv_bias=True, out_bias=True, times=decoders),
        *layer_norm("cross.norm", d, times=decoders),
        *(layer_norm("stack.norm", d, times=2) if stack_norms else ()),
        *head,
    )
    heads = c.number("decoder_attention_heads", default=16, least=1)
    return Decoder(parts, d, Attention(decoders, heads, heads, d // heads))


ENCODERS: Final[dict[str, Callable[[Fields], Decoder]]] = {
    "bert": _bert,
    "roberta": _roberta,
    "xlm-roberta": _roberta,
    "camembert": _roberta,
    "distilbert": _distilbert,
    "electra": _electra,
    "albert": _albert,
    "t5": _t5,
    "mt5": _t5,
    "umt5": _umt5,
    "bart": _bart,
    "mbart": _mbart,
    "marian": _marian,
    "pegasus": _pegasus,
    "m2m_100": _m2m,
    "deberta-v2": _deberta,
}
