"""One inference of a variant in a place: how long it takes, what says so, whether it is held."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import pricing
from modeler.predict import ModelDoesNotFit, check_fit
from modeler.predict.known import known
from modeler.predict.latency import (
    Group,
    NotCovered,
    TokenModel,
    at_concurrency,
    call_s,
    encoder,
    network,
)
from modeler.predict.precision import precision
from modeler.predict.serving_fit import Holder, holders
from modeler.scenario import format_size
from modeler.study.choice_blocks import Place, Variant

# As of the replay: a small batch for token traffic, one worker otherwise.
_TOKEN_SLOTS = 8


class Work(NamedTuple):
    """What a place makes of a variant.

    Parameters
    ----------
    service_s : float, optional. One inference on average; None where nothing says it. [s]
    how : str. ``stated``, ``compute budget``, ``one-pass rule``, ``token rule``; or why there is
        none.
    slots : int. Requests that an instance serves at once, in all its copies.
    fits : str. Why the instance cannot hold it; empty where it can.
    """

    service_s: float | None
    how: str
    slots: int = 1
    fits: str = ""


def work_of(variant: Variant, place: Place) -> Work:
    """One inference in a place.

    Raises
    ------
    pricing.PricingError : the instance is not known.
    """
    if place.instance is None or place.kind == "device":
        return Work(*_stated(variant, place, "no latency stated"))
    slots, shards, copies = place.slots or 1, 1, 1
    if _tokens(variant):
        slots = _slots(variant, place)
        holder, why = _holder(variant, place.instance, slots)
        if holder is not None:
            shards, copies = holder.tensor_parallel, holder.copies
    else:
        why = _too_large(place.instance, variant.size)
    return Work(*_stated(variant, place, "", slots, shards), slots * copies, why)


def _stated(
    variant: Variant, place: Place, without: str, slots: int = 1, shards: int = 1
) -> tuple[float | None, str]:
    """Seconds, and what says so: what is stated goes before a budget, and that before a rule."""
    if variant.latency_s is not None:
        return variant.latency_s / place.speed, "stated"
    if place.flops_per_s is not None:
        return _of_budget(variant, place.flops_per_s)
    if without or place.instance is None:
        return None, without
    try:
        return _of_rule(variant, place.instance, slots, shards)
    except NotCovered as error:
        return None, f"no latency stated, and no rule covers it: {error}; {_way_out(variant)}"


def _way_out(variant: Variant) -> str:
    """What would give a latency that no rule gives."""
    if variant.architecture is None and variant.network is not None:
        return "state latency_s, or more slots of the place, a batch served together"
    return "state latency_s"


def _of_budget(variant: Variant, flops_per_s: float) -> tuple[float | None, str]:
    if variant.flops is None:
        return None, "no latency stated, and no flops for the compute budget"
    passes = 1
    if variant.architecture is not None:
        if variant.prompt_tokens is None:
            return None, "no latency stated; flops are of one token: state prompt_tokens"
        passes = variant.prompt_tokens + variant.output_tokens
    return passes * variant.flops / flops_per_s, "compute budget"


def _of_rule(variant: Variant, instance: str, slots: int, shards: int) -> tuple[float | None, str]:
    """By the rule of one-pass models or of token models, on the instance's accelerator.

    Raises
    ------
    NotCovered : neither covers the variant or the instance.
    """
    if variant.network is None and variant.architecture is None:
        return None, "no latency stated, and neither network nor architecture to predict it from"
    spec = pricing.instance(instance)
    if spec.accelerator is None:
        return None, f"no latency stated, and {instance} has no accelerator to predict it on"
    try:
        group = Group(pricing.accelerator(spec.accelerator), shards)
    except pricing.SpecNotFound as error:
        raise NotCovered(str(error)) from error
    kind = variant.dtype or "fp16"
    maths = group.maths_of(precision(kind))
    if variant.architecture is None:
        one = network(variant.network or "")
        return call_s(one, group, float(slots), maths=maths), "one-pass rule"
    if variant.prompt_tokens is None:
        return None, "no latency stated; a token model's depends on prompt_tokens: state them"
    architecture = known(variant.architecture)
    prompt, output = float(variant.prompt_tokens), float(variant.output_tokens)
    if architecture.attention is None:
        one = encoder(architecture, prompt)
        return call_s(one, group, float(slots), maths=maths), "one-pass rule"
    model = TokenModel(architecture, kind, group)
    if not output:
        return model.prefill_s(slots * prompt, prompt), "token rule"
    loaded = at_concurrency(model, float(slots), prompt, output)
    return loaded.whole_s, "token rule"


def _tokens(variant: Variant) -> bool:
    """Whether it is a decoder of tokens, whose cache takes memory beside its weights."""
    if variant.architecture is None or variant.prompt_tokens is None:
        return False
    return known(variant.architecture).attention is not None


def _context(variant: Variant) -> int:
    return (variant.prompt_tokens or 0) + variant.output_tokens


def _slots(variant: Variant, place: Place) -> int:
    """Sequences of a copy: as stated, else eight, or as many as have room for their cache."""
    if place.slots is not None:
        return place.slots
    room = _room(variant, place.instance or "")
    return min(_TOKEN_SLOTS, room) if room else _TOKEN_SLOTS


def _room(variant: Variant, instance: str) -> int:
    """Sequences whose cache an instance holds beside the weights; 0 for none. [sequences]"""
    alone, _ = _holder(variant, instance, 1)
    return int(min(alone.cache_tokens // _context(variant), 1e6)) if alone is not None else 0


def _holder(variant: Variant, instance: str, slots: int) -> tuple[Holder | None, str]:
    """How an instance holds a token model with the cache of its requests, or why it cannot."""
    if pricing.instance(instance).accelerator is None:
        return None, _too_large(instance, variant.size)
    context = _context(variant)
    found = _holders(variant.architecture or "", variant.dtype or "fp16", context, slots)
    bare = instance.removeprefix("ml.")
    holder = next((one for one in found if one.instance_type == bare), None)
    if holder is not None:
        return holder, ""
    way_out = f"the smallest that holds them is {found[0].instance_type}" if found else "none does"
    if slots > 1 and (room := _room(variant, instance)):
        way_out += f"; with slots: {room} it does"
    many = f"{slots} sequences" if slots > 1 else "a sequence"
    return None, (
        f"{format_size(variant.size)} of weights and the cache of {many} of {context} tokens do "
        f"not fit {instance}: {way_out}"
    )


@cache
def _holders(architecture: str, dtype: str, context: int, slots: int) -> tuple[Holder, ...]:
    return holders(known(architecture), dtype, context=context, sequences=slots)


def _too_large(instance: str, size: int) -> str:
    try:
        check_fit(pricing.instance(instance), size)
    except ModelDoesNotFit as error:
        return str(error)
    return ""
