"""The service law of replicas that batch continuously: a law of steps, not of requests.

What a request takes then depends on the others in its batch, so the replay takes its tokens and
adds up steps. What is said of one request here is what it takes of a full replica: its share of the
steps times the sequences in flight. Targets and the bound without waits are made of that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import pricing
from modeler.predict.architecture import Architecture, from_config
from modeler.predict.known import known
from modeler.predict.latency.profile import Profile, ProfileError, read_profile
from modeler.predict.latency.roofline import Group, NotADecoder, NotCovered, TokenModel
from modeler.predict.latency.step_law import (
    Efficiency,
    StepLaw,
    default_batched_tokens,
    default_max_num_seqs,
    described_law,
    generic_law,
    measured_law,
)
from modeler.predict.precision import bytes_by_precision, bytes_of, parameters_of, precision

if TYPE_CHECKING:
    from modeler.scenario import Scenario
    from pricing import InstanceSpec
    from traces import Chunk, CountSeries, Trace

Floats = NDArray[np.float64]
# A described model whose weights differ from model.size by more than this is another model. [1]
_SIZE_TOLERANCE = 0.2


class BatchedError(Exception):
    """A step law that the scenario cannot have; says why and what to write."""


@dataclass(frozen=True)
class StepBatching:
    """How a replica takes its steps.

    Parameters
    ----------
    law : StepLaw.
    batched_tokens : int. Tokens of a step at most. [tokens]
    mixed : bool. Whether decoding goes on in a step with prompt tokens.
    slots : int. Sequences in flight at most. [sequences]
    notes : tuple of str. What of a profile is no measurement.
    """

    law: StepLaw
    batched_tokens: int
    mixed: bool
    slots: int
    notes: tuple[str, ...] = ()


class FullReplica(NamedTuple):
    """Steps of a replica that always has enough to do: sequences in flight, seconds of a step."""

    batch: float
    step_s: float


def step_batching(scenario: Scenario, instance: InstanceSpec) -> StepBatching:
    """The steps of a scenario's model on its instance.

    Raises
    ------
    BatchedError
        No accelerator or none with figures; an architecture that is not known, or whose weights
        are not of ``model.size``; no room for a cache; a profile that cannot be read.
    """
    settings: Any = scenario.service
    group = _group(instance)
    efficiency = Efficiency(
        settings.prefill_efficiency,
        settings.decode_efficiency,
        settings.bandwidth_efficiency,
        settings.step_overhead_s,
    )
    slots = scenario.fleet.slots or default_max_num_seqs(group)
    profile, notes = _profile(settings.profile, scenario.fleet.slots, slots)
    if profile is not None:
        slots = min(slots, profile.reach)
    tokens = settings.batched_tokens or max(default_batched_tokens(group), slots)
    if settings.prefill == "mixed" and tokens < slots:
        raise BatchedError(
            f"service.batched_tokens = {tokens} has no room for a token of each of the {slots} "
            f"sequences in flight: write at least {slots}, or fleet.slots: {tokens}"
        )
    size, dtype = scenario.model.size, scenario.model.dtype
    try:
        if settings.architecture is None:
            law = generic_law(size, dtype, group, settings.cache_dtype, efficiency)
        else:
            shape = _architecture(settings.architecture)
            model = TokenModel(shape, dtype, group, settings.cache_dtype)
            _check_size(model, size, settings.architecture)
            law = described_law(model, tokens, efficiency)
        if profile is not None:
            law = measured_law(law, profile, slots)
    except NotADecoder as error:
        raise BatchedError(f"{error}; service.kind: dynamic is for models of one pass") from error
    except NotCovered as error:
        raise BatchedError(f"{error}; take another instance or a smaller precision") from error
    return StepBatching(law, tokens, settings.prefill == "mixed", slots, notes)


def _profile(
    file: str | None, asked: int | None, slots: int
) -> tuple[Profile | None, tuple[str, ...]]:
    """The measured steps, and what of them is none.

    Raises
    ------
    BatchedError
        They cannot be read, or do not reach the slots that were asked for. The engine's own number
        of slots gives way instead.
    """
    if file is None:
        return None, ()
    try:
        profile = read_profile(file)
        if asked is not None:
            profile.check(asked, "fleet.slots")
    except (ProfileError, OSError) as error:
        raise BatchedError(str(error)) from error
    used = min(slots, profile.reach)
    notes = profile.notes(used)
    if used < slots:
        notes += (
            f"fleet.slots is {used} and not the engine's {slots}: {file} reaches no farther; "
            "measure more, or set fleet.slots",
        )
    return profile, notes


def sizes_by_precision(scenario: Scenario) -> tuple[dict[str, int], bool]:
    """Bytes of a scenario's model in each precision, and whether scales are among them.

    Of an architecture that ``service.architecture`` names they are, and what stays in 16 bits; of a
    size alone the bytes are those of its parameters.

    Raises
    ------
    BatchedError : an architecture that is not known.
    """
    model = scenario.model
    name = getattr(scenario.service, "architecture", None)
    if name is not None:
        sizes = bytes_of(_architecture(name))
        if abs(sizes[model.dtype] - model.size) <= _SIZE_TOLERANCE * model.size:
            return sizes, True
    return bytes_by_precision(parameters_of(model.size, model.dtype)), False


def _group(instance: InstanceSpec) -> Group:
    if instance.accelerator is None:
        raise BatchedError(
            f"{instance.instance_type} has no accelerator to derive the steps from; give another "
            "instance, or a law such as service.kind: fixed"
        )
    try:
        return Group(pricing.accelerator(instance.accelerator), instance.accelerator_count)
    except pricing.SpecNotFound as error:
        raise BatchedError(
            f"no figures are held for {instance.accelerator} of {instance.instance_type}"
        ) from error


def _architecture(name: str) -> Architecture:
    if not name.endswith(".json"):
        try:
            return known(name)
        except LookupError as error:
            raise BatchedError(f"service.architecture: {error.args[0]}") from error
    try:
        config = json.loads(Path(name).read_text(encoding="utf-8"))
        return from_config(config, name)
    except (OSError, ValueError) as error:
        raise BatchedError(f"service.architecture: {name}: {error}") from error


def _check_size(model: TokenModel, size: int, name: str) -> None:
    held = precision(model.weights).memory_bytes(model.architecture)
    if abs(held - size) > _SIZE_TOLERANCE * size:
        raise BatchedError(
            f"service.architecture: {name} takes {held / 1e9:.4g} GB in {model.weights}, not the "
            f"model.size of {size / 1e9:.4g} GB: write model.size: {held / 1e9:.4g}GB, or leave "
            "the architecture out"
        )


def full_replica(steps: StepBatching, prompt: float, output: float) -> FullReplica:
    """The batch of a replica that never runs out of such requests.

    As many sequences as may be, or whose cache fits at half of their output.

    Parameters
    ----------
    prompt, output : float. Means. [tokens]
    """
    fits = steps.law.cache_tokens / max(prompt + output / 2.0, 1.0)
    batch = max(min(float(steps.slots), fits), 1.0)
    whole = int(batch)
    context = batch * (prompt + output / 2.0)
    return FullReplica(batch, steps.law.step_s(whole, context))


def slot_seconds(steps: StepBatching, full: FullReplica, chunk: Chunk) -> Floats:
    """What each request takes of a full replica, times its slots. [s]

    A prompt passes through alone in steps of its own, an output token costs its share of a step:
    ``prefill + output step(B) / B`` seconds of the replica.
    """
    law = steps.law
    prompt, output = chunk.columns["prompt_tokens"], chunk.columns["output_tokens"]
    passes = np.maximum(prompt, 1.0)
    work = passes * law.prompt_s + 0.5 * passes**2 * law.prompt_context_s
    together = np.maximum(steps.batched_tokens // passes, 1.0)
    # Short prompts pass together, and share what a step costs whatever is in it.
    fixed = np.maximum(law.read_s[-1], work * together) / together
    fixed += law.overhead_s / together + passes * law.exchange_s
    decoding = np.maximum(output - 1.0, 0.0) * full.step_s / full.batch
    seconds: Floats = steps.slots * (fixed + decoding)
    return seconds


def mean_tokens(trace: Trace | CountSeries, chunk_size: int) -> tuple[float, float]:
    """Mean prompt and mean output of a trace. [tokens]"""
    sums = np.zeros(2)
    for chunk in trace.chunks(chunk_size):
        sums += [float(chunk.columns[name].sum()) for name in ("prompt_tokens", "output_tokens")]
    return float(sums[0] / trace.requests), float(sums[1] / trace.requests)
