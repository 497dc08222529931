"""A Hugging Face ``config.json`` as an architecture."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

from modeler.predict.architecture.decoders import DECODERS
from modeler.predict.architecture.encoders import ENCODERS
from modeler.predict.architecture.fields import ArchitectureError, Fields, shown
from modeler.predict.architecture.layers import attention, embedding, feed_forward, layer_norm
from modeler.predict.architecture.parts import HEAD, Architecture, Part
from modeler.predict.architecture.quantised import kept_in_sixteen, stored_as
from modeler.predict.architecture.stacks import Decoder, Widths, cache
from modeler.predict.architecture.towers import TOWERS

FAMILIES: Final = {**DECODERS, **ENCODERS, **TOWERS}
# Names of `torch_dtype` (`dtype` in newer files) to ours.
_DTYPES: Final = {
    "float32": "fp32",
    "float16": "fp16",
    "bfloat16": "bf16",
    "float64": "fp64",
    "float8_e4m3fn": "fp8",
    "float8_e5m2": "fp8",
}
# Decoders that were published in 32 bit, as encoders are; all others in 16.
_FULL: Final = frozenset({"gpt2", "gptj", "gpt_neo", "gpt_bigcode"})
_MOST_BYTES: Final = 10_000_000  # a configuration is a few kilobytes


def from_config(content: Mapping[str, Any], source: str = "config.json") -> Architecture:
    """Read the architecture of a parsed ``config.json``.

    Parameters
    ----------
    content : mapping. ``model_type`` says which family; ``class`` or ``architectures`` which head.
    source : str. Named in errors.

    Returns
    -------
    Architecture
        ``used`` and ``unused`` list the fields. Of an unknown ``model_type`` the count is an
        estimate, of a decoder with a gated feed-forward, and its notes say so.

    Raises
    ------
    ArchitectureError
        A field is missing or cannot be; all of them at once.
    """
    fields = Fields(content, source)
    kind = fields.text("model_type")
    family = FAMILIES.get(kind)
    if family is None and "text_config" in fields and not kind.startswith("gemma3"):
        inner = fields.part("text_config")
        if inner is not None and inner.text("model_type") in FAMILIES:
            return _of_text(kind, inner, fields)
        if inner is not None:
            return _unknown(f"{kind} / {inner.text('model_type') or 'text'}", inner, fields)
    if family is None:
        return _unknown(kind, fields)
    found = family(fields)
    fields.check()
    return _architecture(kind, found, fields, exact=True)


def _of_text(kind: str, inner: Fields, fields: Fields) -> Architecture:
    """The text part of a model of several: what else it has is named and not counted."""
    found = FAMILIES[inner.text("model_type")](inner)
    inner.check()
    others = [name for name in fields.unused if name.endswith("_config")]
    note = f'model_type "{kind}": its text part is counted'
    note += f", {', '.join(others)} is not" if others else ""
    found = found._replace(notes=(*found.notes, note))
    return _architecture(kind, found, inner, exact=False, outer=fields)


def _dtype(kind: str, fields: Fields, notes: list[str]) -> str:
    """Precision of the published weights; what is assumed of it is noted."""
    said = fields.raw("torch_dtype", "dtype")
    name = said.removeprefix("torch.") if isinstance(said, str) else ""
    if name in _DTYPES:
        return _DTYPES[name]
    full = kind in _FULL or kind in ENCODERS or kind in TOWERS
    assumed = "fp32" if full else "bf16"
    if said is not None:
        notes.append(f"torch_dtype {shown(said)} is not known here: {assumed} is assumed")
    elif kind not in FAMILIES:
        notes.append(f"torch_dtype is missing: {assumed} is assumed")
    return assumed


def _architecture(
    kind: str, found: Decoder, fields: Fields, *, exact: bool, outer: Fields | None = None
) -> Architecture:
    """The tensors with their precision, which a model of several parts says for all of them."""
    notes = [*found.notes, *fields.remarks]
    saying = outer if outer is not None and not {"torch_dtype", "dtype"} & set(fields) else fields
    dtype = _dtype(kind, saying, notes)
    parts = tuple(part for part in found.parts if part.times)
    quantised = fields.part("quantization_config")
    if quantised is None and outer is not None:
        quantised = outer.part("quantization_config")
    if quantised is not None:
        stored = stored_as(quantised)
        notes.append(stored.note)
        dtype = stored.precision or dtype
        parts = kept_in_sixteen(parts, stored.kept)
    if fields.filled:
        notes.append(f"not said, and taken from the family's defaults: {', '.join(fields.filled)}")
    fields.check()
    return Architecture(
        kind=kind,
        parts=parts,
        dtype=dtype,
        hidden=found.hidden,
        attention=found.attention if found.attention.layers else None,
        experts=found.experts,
        experts_per_token=found.experts_per_token if found.experts else 0,
        used=tuple(fields.used),
        unused=fields.unused,
        notes=tuple(notes),
        exact=exact,
        positions=fields.positions(),
    )


def _unknown(kind: str, fields: Fields, outer: Fields | None = None) -> Architecture:
    """A decoder as most are today, from the fields that say something to it."""
    near = difflib.get_close_matches(kind, FAMILIES, n=1)
    known = f'; the nearest known is "{near[0]}"' if near else ""
    said = f'model_type "{kind}" is not known' if kind else "model_type is missing"
    needed = ("hidden_size", "num_hidden_layers", "intermediate_size", "vocab_size")
    others = {
        "hidden_size": ("n_embd", "d_model", "dim"),
        "num_hidden_layers": ("n_layer", "n_layers", "num_layers"),
        "intermediate_size": ("ffn_dim", "n_inner", "d_ff", "ffn_hidden_size"),
        "vocab_size": (),
    }
    missing = [name for name in needed if not any(each in fields for each in (name, *others[name]))]
    if missing:
        there = ", ".join(fields.unused[:8]) or "nothing else"
        raise ArchitectureError(
            fields.source,
            [
                f"{said}{known}, and no estimate is possible without {', '.join(missing)}; "
                f"found {there}"
            ],
        )
    sizes = {name: fields.number(name, *others[name]) for name in needed}
    d, layers = sizes["hidden_size"], sizes["num_hidden_layers"]
    heads = fields.number("num_attention_heads", "n_head", "n_heads", default=1, least=1)
    kv = fields.number("num_key_value_heads", "num_kv_heads", "n_kv_heads", default=heads, least=1)
    head_dim = fields.number("head_dim", default=max(d // heads, 1), least=1)
    if "head_dim" not in fields and d % heads:
        fields.remark(f"hidden_size = {d} is no multiple of num_attention_heads = {heads}")
    inner = sizes["intermediate_size"]
    tied = fields.flag("tie_word_embeddings", default=False)
    vocabulary = sizes["vocab_size"]
    parts = (
        *embedding("embed", vocabulary, d),
        *attention("attention", d, heads, kv, head_dim, times=layers),
        *feed_forward("mlp", d, inner, gated=True, times=layers),
        *layer_norm("norms", d, bias=False, times=2 * layers),
        *layer_norm("norm", d, bias=False),
        *(() if tied else (Part("lm_head.weight", (vocabulary, d), HEAD),)),
    )
    cached = cache(fields, Widths(d, layers, heads, kv, head_dim, inner, vocabulary))
    fields.check()
    unused = [name for name in fields.unused if name != "model_type"]
    could_not = f"; {', '.join(unused)} could not be used" if unused else ""
    used = [name for name in fields.used if name != "model_type"]
    note = (
        f"{said}{known}: estimated as a decoder with a gated feed-forward from {', '.join(used)}"
        f"{could_not}"
    )
    found = Decoder(parts, d, cached, notes=(note,))
    return _architecture(kind, found, fields, exact=False, outer=outer)
