"""Closed forms of batching: a static batch, a full server, a server at a concurrency."""

from __future__ import annotations

from typing import NamedTuple

from modeler.predict.latency.constants import value_of
from modeler.predict.latency.roofline import NotCovered, TokenModel


def static_batch_s(model: TokenModel, batch: float, prompt: float, output: float) -> float:
    """A batch that starts together and ends together: one prefill, then a step a token. [s]"""
    steps = max(output - 1.0, 0.0)
    return model.prefill_s(batch * prompt, prompt) + steps * model.step_s(
        batch, prompt + output / 2.0
    )


def full_batch(
    model: TokenModel, prompt: float, output: float, limit: float | None = None
) -> float:
    """Sequences in flight when requests never run out. [sequences]

    As many as may be, or whose cache fits at half of their output.

    Raises
    ------
    NotCovered : the weights leave no room for a single sequence.
    """
    most = value_of("max_num_seqs") if limit is None else limit
    fits = model.cache_tokens / (prompt + output / 2.0)
    if fits < 1.0:
        raise NotCovered(
            f"{model.weight_bytes / 1e9:.3g} GB of weights leave no cache for a sequence of "
            f"{prompt + output:.0f} tokens on {model.group.accelerator.name}"
        )
    return min(most, fits)


def full_throughput(model: TokenModel, prompt: float, output: float) -> float:
    """Output tokens a second under continuous batching, with requests waiting at all times.

    Each sequence needs its steps, and its prefill is shared by all:
    ``B OSL / (OSL step(B) + B prefill)``. Prompts are taken together up to the step's budget.
    """
    batch = full_batch(model, prompt, output)
    together = max(value_of("batched_tokens") // max(prompt, 1.0), 1.0)
    prefill = model.prefill_s(together * prompt, prompt) / together
    busy = output * model.step_s(batch, prompt + output / 2.0) + batch * prefill
    return batch * output / busy


class Loaded(NamedTuple):
    """What a request sees at a constant number of requests in flight. [s]"""

    first_token_s: float
    between_tokens_s: float
    whole_s: float


def at_concurrency(model: TokenModel, requests: float, prompt: float, output: float) -> Loaded:
    """Latencies with so many requests in flight, each replaced when it ends.

    Every request that ends lets one prompt in, whose prefill holds up all the others: over the
    steps of one request each of the others brings one, which adds
    ``(c - 1) prefill / OSL`` to the time between two tokens. Requests whose cache does not fit
    wait for those that do: by Little's law all of them together take as many times the whole of
    one as they are of those at work.

    Raises
    ------
    NotCovered : the cache of a single one does not fit.
    """
    working = full_batch(model, prompt, output, requests)
    prefill = model.prefill_s(prompt, prompt)
    step = model.step_s(working, prompt + output / 2.0)
    between = step + max(working - 1.0, 0.0) * prefill / max(output, 1.0)
    # A prompt waits for the step that is running, and for half of a prefill before it in the mean.
    waits = step / 2.0 if requests > 1.0 else 0.0
    first = prefill + waits
    whole = first + max(output - 1.0, 0.0) * between
    queued = max(requests / working - 1.0, 0.0) * whole
    return Loaded(first + queued, between, whole + queued)
