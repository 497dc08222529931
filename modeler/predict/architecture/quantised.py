"""What a ``quantization_config`` says of the stored weights, as the name of a precision.

Layouts are those of the methods' own configurations in transformers (read 2026-11): GPTQ and AWQ
with bits and group, bitsandbytes in 8 and 4 bits, FP8 by blocks, compressed-tensors by groups of
modules, MXFP4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from modeler.predict.architecture.fields import Fields, shown
from modeler.predict.architecture.parts import LINEAR, Part

_GROUPED: Final = ("gptq", "awq")
_BITS: Final = (2, 3, 4, 8)
_LARGEST_GROUP: Final = 999_999
# Modules that are named where they are kept in 16 bits, and what of ours they are; head, norms and
# embeddings are not quantised in any case.
_KEPT: Final = (
    (("self_attn", "attention", "attn"), ("attention",)),
    (("router", "gate"), ("moe.router", "router")),
    (("shared_expert",), ("moe.shared",)),
    (("experts",), ("moe.experts", "experts")),
    (("mlp",), ("mlp",)),
    (("vision_tower", "vision_model", "visual", "multi_modal_projector"), ("vision", "projector")),
)


class Stored(NamedTuple):
    """How weights are stored.

    Attributes
    ----------
    precision : str. As `modeler.predict.precision` names it; empty where the method is not known.
    kept : tuple of str. Parts that keep 16 bits, by the beginning of their names.
    note : str. For the reader.
    """

    precision: str
    kept: tuple[str, ...]
    note: str


def stored_as(fields: Fields) -> Stored:
    """Read a ``quantization_config``."""
    method = fields.text("quant_method", "quant_type", default="").lower()
    name = ""
    if method in _GROUPED:
        name = _grouped(method, fields)
    elif method in ("bitsandbytes", "bnb"):
        if fields.flag("load_in_8bit", "_load_in_8bit", default=False):
            name = "int8_weights"
        elif fields.flag("load_in_4bit", "_load_in_4bit", default=False):
            double = fields.flag("bnb_4bit_use_double_quant", default=False)
            name = "nf4_double" if double else "nf4"
    elif method in ("fp8", "fbgemm_fp8"):
        name = "fp8"
    elif method == "mxfp4":
        name = "mxfp4"
    elif method in ("compressed-tensors", "compressed_tensors"):
        name = _compressed(fields)
    kept, unread = _kept(fields)
    if not name:
        said = f'quant_method "{method}"' if method else "a quantization_config without a method"
        return Stored("", (), f"{said} is not known here: sized as if it were not quantised")
    note = f"stored quantised ({method}, {name})"
    if kept:
        note += f"; {', '.join(kept)} keeps 16 bits"
    if unread:
        note += f"; counted as quantised though left out: {', '.join(unread)}"
    return Stored(name, kept, note)


def kept_in_sixteen(parts: tuple[Part, ...], kept: tuple[str, ...]) -> tuple[Part, ...]:
    """Parts of which those that are left out of the quantisation have two bytes an element."""
    return (
        tuple(
            replace(part, fixed=2.0) if part.role == LINEAR and part.name.startswith(kept) else part
            for part in parts
        )
        if kept
        else parts
    )


def _grouped(method: str, fields: Fields) -> str:
    bits = fields.number("bits", "w_bit", default=4, least=1)
    group = fields.raw("group_size", "q_group_size")
    if bits not in _BITS:
        fields.wrong(f"bits = {bits}: expected one of {', '.join(map(str, _BITS))}")
        return ""
    if group is None:
        group = 128
    if not _is_group(group):
        fields.wrong(f"group_size = {shown(group)}: expected 1 to {_LARGEST_GROUP:,}, or -1")
        return ""
    return f"{method}_{bits}bit_{'channel' if group == -1 else f'g{group}'}"


def _compressed(fields: Fields) -> str:
    """The first group of modules: bits, kind of number, and group of weights."""
    groups = fields.raw("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, Mapping) else None
    weights = first.get("weights") if isinstance(first, Mapping) else None
    if not isinstance(weights, Mapping):
        return ""
    bits, kind, group = (weights.get(name) for name in ("num_bits", "type", "group_size"))
    if kind == "float":
        return {8: "fp8", 4: "nvfp4"}.get(_whole(bits), "")
    if bits == 8:
        return (
            "int8"
            if isinstance(first, Mapping) and first.get("input_activations")
            else ("int8_weights")
        )
    if bits == 4:
        return f"gptq_4bit_{f'g{group}' if _is_group(group) and group != -1 else 'channel'}"
    return ""


def _is_group(group: Any) -> bool:
    return _whole(group) == -1 or 1 <= _whole(group) <= _LARGEST_GROUP


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _kept(fields: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Parts that are left out of the quantisation, and names that say less than a part."""
    names = fields.raw(
        "modules_to_not_convert", "ignore", "ignored_layers", "llm_int8_skip_modules"
    )
    if not isinstance(names, list):
        return (), ()
    kept: list[str] = []
    unread: list[str] = []
    for name in names:
        if not isinstance(name, str) or "lm_head" in name or "embed" in name or "norm" in name:
            continue
        last = name.rstrip("$").rsplit(".", 1)[-1].strip("*").lower()
        # One layer of many is no part of its own: ours are equal tensors of all layers.
        one_layer = any(piece.isdigit() for piece in name.split("."))
        parts = next((ours for theirs, ours in _KEPT if last.startswith(theirs)), ())
        if parts and not one_layer:
            kept += [part for part in parts if part not in kept]
        elif name not in unread:
            unread.append(name)
    if len(unread) > 3:
        unread = [*unread[:3], f"{len(unread) - 3} more"]
    return tuple(kept), tuple(unread)
