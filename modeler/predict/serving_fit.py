"""Which instances can serve a described model: weights, cache, activations and overhead a device.

    need a device = (weights + activations) / TP + cache of the sequences / ranks + overhead
    room a device = 0.92 x memory of one accelerator

Shards divide the heads; keys and values of fewer heads than shards are kept more than once, so the
cache has as many ranks as heads at most, and a latent cache one. Layers with a sliding window keep
no more of a sequence than the window.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import pricing
from modeler.predict.architecture import Architecture
from modeler.predict.architecture.parts import LINEAR, Attention
from modeler.predict.fit import described
from modeler.predict.precision import precision

# gpu_memory_utilization of vLLM, stable CacheConfig, read 2026-11. [1]
USABLE_SHARE: Final = 0.92
# Context, libraries' workspace and captured graphs: 0.3-0.6, 0.1-0.5 and 0.5-2 GB (approximate).
OVERHEAD_BYTES: Final = 1_500_000_000
# Prompt tokens of one pass, and the elements that are alive for each: two of the feed-forward's
# width and four of the layers' (approximate).
_PASS_TOKENS: Final = 8192
_SIXTEEN: Final = 2.0
_SHARDS: Final = (1, 2, 4, 8, 16)


@dataclass(frozen=True)
class Holder:
    """An instance that can serve the model.

    Parameters
    ----------
    instance_type, accelerator : str.
    tensor_parallel : int. Devices over which each copy is sharded: the fewest that hold it.
    copies : int. Copies of the model on the instance.
    need_bytes, room_bytes : float. Of one device. [bytes]
    cache_tokens : float. Tokens, of that many sequences together, whose cache fits one copy beside
        everything else; infinite where windows bound it. [tokens]
    usd_per_hour : float, optional. None where no price is held for the region. [USD/h]
    """

    instance_type: str
    accelerator: str
    tensor_parallel: int
    copies: int
    need_bytes: float
    room_bytes: float
    cache_tokens: float
    usd_per_hour: float | None

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def holders(
    architecture: Architecture,
    dtype: str,
    *,
    context: int = 4096,
    sequences: int = 1,
    cache_dtype: str = "fp16",
    region: str = "us-east-1",
) -> tuple[Holder, ...]:
    """EC2 instances with accelerators that hold a model, from the least memory up.

    Parameters
    ----------
    dtype : str. Precision of the weights, as `precision` names it.
    context, sequences : int. Tokens of each sequence, and sequences at once. [tokens, sequences]
    cache_dtype : str. fp16 or fp8.
    region : str. Of the price.

    Raises
    ------
    ValueError : an unknown precision, or a context or number of sequences below one.
    """
    if context < 1 or sequences < 1:
        raise ValueError(f"context {context} and sequences {sequences}: expected at least 1 each")
    found = []
    for spec in described(sagemaker=False):
        if spec.accelerator is None or not spec.accelerator_count:
            continue
        room = USABLE_SHARE * spec.accelerator_memory_bytes / spec.accelerator_count
        for shards in _SHARDS:
            if shards > spec.accelerator_count or not _divides(architecture, shards):
                continue
            fixed = _weights(architecture, dtype, shards) + OVERHEAD_BYTES
            fixed += _activations(architecture) / shards
            each = _element_bytes(architecture, cache_dtype, shards)
            cached = architecture.attention
            need = fixed
            if cached is not None:
                need += each * cached.cache_elements(context) * sequences
            if need <= room:
                found.append(
                    Holder(
                        spec.instance_type, spec.accelerator, shards,
                        spec.accelerator_count // shards, need, room,
                        _tokens(cached, (room - fixed) / each, sequences),
                        _usd(spec.instance_type, region),
                    )
                )  # fmt: skip
                break
    return tuple(sorted(found, key=_from_small_to_large))


def _from_small_to_large(one: Holder) -> tuple[float, float, str]:
    """By memory of all devices; equals by price, then by name."""
    price = math.inf if one.usd_per_hour is None else one.usd_per_hour
    return one.room_bytes * one.tensor_parallel * one.copies, price, one.instance_type


def cheapest(found: tuple[Holder, ...]) -> Holder | None:
    """The one with the lowest price an hour; None where none is priced."""
    priced = [holder for holder in found if holder.usd_per_hour is not None]
    return min(priced, key=lambda h: (h.usd_per_hour or 0.0, h.instance_type), default=None)


def _divides(architecture: Architecture, shards: int) -> bool:
    heads = architecture.attention.heads if architecture.attention else 1
    return shards == 1 or heads % shards == 0


def _weights(architecture: Architecture, dtype: str, shards: int) -> float:
    return precision(dtype).memory_bytes(architecture) / shards


def _activations(architecture: Architecture) -> float:
    """Of one pass over a prompt, in 16 bit. [bytes]"""
    widest = max(
        (part.shape[0] for part in architecture.of(LINEAR) if part.times > 1),
        default=architecture.hidden,
    )
    return _PASS_TOKENS * (2.0 * widest + 4.0 * architecture.hidden) * _SIXTEEN


def _element_bytes(architecture: Architecture, dtype: str, shards: int) -> float:
    """Of an element of the cache on one device. [bytes]"""
    attention = architecture.attention
    ranks = 1
    if attention is not None and not attention.latent:
        ranks = min(shards, attention.kv_heads)
    return (1.0 if dtype in ("fp8", "int8") else _SIXTEEN) / ranks


def _tokens(attention: Attention | None, elements: float, sequences: int) -> float:
    """Tokens of so many equal sequences whose cache takes so many elements."""
    if attention is None:
        return math.inf
    return attention.tokens_of(elements / sequences) * sequences


def _usd(instance_type: str, region: str) -> float | None:
    try:
        return float(pricing.price(instance_type, region).usd_per_hour)
    except (pricing.PriceNotFound, pricing.AmbiguousPrice):
        return None
