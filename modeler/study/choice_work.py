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
    if _tokens(variant):
        holder, why = _holder(variant, place)
        slots = (place.slots or _TOKEN_SLOTS) * (holder.copies if holder else 1)
        shards = holder.tensor_parallel if holder else 1
    else:
        slots, shards, why = place.slots or 1, 1, _too_large(place.instance, variant.size)
    return Work(*_stated(variant, place, "", shards), slots, why)


def _stated(
    variant: Variant, place: Place, without: str, shards: int = 1
) -> tuple[float | None, str]:
    """Seconds, and what says so: what is stated goes before a budget, and that before a rule."""
    if variant.latency_s is not None:
        return variant.latency_s / place.speed, "stated"
    if place.flops_per_s is not None:
        return _of_budget(variant, place.flops_per_s)
    if without or place.instance is None:
        return None, without
    try:
        return _of_rule(variant, place.instance, place.slots, shards)
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


def _of_rule(
    variant: Variant, instance: str, slots: int | None, shards: int
) -> tuple[float | None, str]:
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
    maths = precision(kind).maths
    if variant.architecture is None:
        batch = float(slots or 1)
        return call_s(network(variant.network or ""), group, batch, maths=maths), "one-pass rule"
    if variant.prompt_tokens is None:
        return None, "no latency stated; a token model's depends on prompt_tokens: state them"
    architecture = known(variant.architecture)
    prompt, output = float(variant.prompt_tokens), float(variant.output_tokens)
    if architecture.attention is None:
        batch = float(slots or 1)
        return call_s(encoder(architecture, prompt), group, batch, maths=maths), "one-pass rule"
    model = TokenModel(architecture, kind, group)
    if not output:
        return model.prefill_s(prompt, prompt), "token rule"
    loaded = at_concurrency(model, float(slots or _TOKEN_SLOTS), prompt, output)
    return loaded.whole_s, "token rule"


def _tokens(variant: Variant) -> bool:
    """Whether it is a decoder of tokens, whose cache takes memory beside its weights."""
    if variant.architecture is None or variant.prompt_tokens is None:
        return False
    return known(variant.architecture).attention is not None


def _holder(variant: Variant, place: Place) -> tuple[Holder | None, str]:
    """How an instance holds a token model with the cache of its requests, or why it cannot."""
    assert variant.architecture is not None
    assert variant.prompt_tokens is not None
    assert place.instance is not None
    spec = pricing.instance(place.instance)
    if spec.accelerator is None:
        return None, _too_large(place.instance, variant.size)
    context = variant.prompt_tokens + variant.output_tokens
    slots = place.slots or _TOKEN_SLOTS
    found = _holders(variant.architecture, variant.dtype or "fp16", context, slots)
    bare = place.instance.removeprefix("ml.")
    holder = next((one for one in found if one.instance_type == bare), None)
    if holder is not None:
        return holder, ""
    way_out = f"the smallest that holds them is {found[0].instance_type}" if found else "none does"
    alone = _holders(variant.architecture, variant.dtype or "fp16", context, 1)
    room = next((one.cache_tokens for one in alone if one.instance_type == bare), 0.0)
    if room >= context:
        way_out += f"; with slots: {int(room // context)} it does"
    return None, (
        f"{format_size(variant.size)} of weights and the cache of {slots} sequences of {context} "
        f"tokens do not fit {place.instance}: {way_out}"
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
