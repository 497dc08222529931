"""One step of a replica that batches continuously, as numbers the replay can add up.

    step(B, C, n) = max( read(B + n) + C cache,
                         B token + C context + n prompt + A prompt_context )
                    + overhead + n exchange

with B sequences that decode and look back on C tokens together, n prompt tokens that pass through
and the sum A of the tokens each of them looks back on. It is the roofline of `roofline.py` with its
arithmetic added up, for decoding and prefill share a step; without prefill it is `step_s`, without
decoding `prefill_s`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from modeler.predict.architecture.parts import LINEAR
from modeler.predict.latency.constants import value_of
from modeler.predict.latency.profile import Profile
from modeler.predict.latency.roofline import Group, NotCovered, TokenModel, exchange
from modeler.predict.precision import parameters_of, precision

Floats = NDArray[np.float64]

# Above this memory servers take larger steps and batches by default (vLLM, arg_utils: 8,192 tokens
# and 1,024 sequences from 70 GiB on, 2,048 and 256 below; read 2026-11).
_LARGE_DEVICE_BYTES: Final = 70 * 2**30
# Of a model of which only the size is known: layers and width grow with the parameters as from
# Llama 3.1 8B (32 layers, 4,096 wide) to 70B (80, 8,192), with eight key heads of 128 (assumed).
_BASE_PARAMETERS: Final = 8.03e9
_BASE_LAYERS, _LAYERS_POWER = 32.0, math.log(80 / 32) / math.log(70.55 / 8.03)
_BASE_WIDTH, _WIDTH_POWER = 4096.0, math.log(2.0) / math.log(70.55 / 8.03)
_KEY_WIDTH: Final = 8 * 128


@dataclass(frozen=True)
class StepLaw:
    """Seconds of a step by what is in it.

    Parameters
    ----------
    read_s : float64[k]. Reading the weights for a step over 1, 2, .. tokens; the last holds for all
        beyond. Of one value where every step reads every weight. [s]
    cache_s : float. Reading the cache of one token. [s]
    token_s, context_s : float. Arithmetic of one decoded token, and of one token looked back on.
        [s]
    prompt_s, prompt_context_s : float. The same of prompt tokens. [s]
    overhead_s : float. Every step. [s]
    floor_s : float. Least of a step with prompt tokens, exchange aside. [s]
    exchange_s : float. Among devices, for each prompt token. [s]
    cache_tokens : float. Tokens whose cache fits beside the weights. [tokens]
    text : str. The law in words.
    """

    read_s: Floats
    cache_s: float
    token_s: float
    context_s: float
    prompt_s: float
    prompt_context_s: float
    overhead_s: float
    floor_s: float
    exchange_s: float
    cache_tokens: float
    text: str = ""

    def step_s(
        self, decoding: int, context: float, prompt: int = 0, looked_back: float = 0.0
    ) -> float:
        """One step. [s]

        Parameters
        ----------
        decoding : int. Sequences that decode.
        context : float. Tokens they look back on, together.
        prompt : int. Prompt tokens that pass through.
        looked_back : float. Tokens these look back on, together.
        """
        tokens = min(decoding + prompt, len(self.read_s))
        memory = self.read_s[tokens - 1] + context * self.cache_s
        work = decoding * self.token_s + context * self.context_s
        work += prompt * self.prompt_s + looked_back * self.prompt_context_s
        busy = max(float(memory), work) + self.overhead_s
        if prompt:
            busy = max(busy, self.floor_s)
        return busy + prompt * self.exchange_s


@dataclass(frozen=True)
class Efficiency:
    """Shares of the peaks that a server reaches, and its own time.

    Parameters
    ----------
    prefill, decode : float. Of the dense arithmetic. [1]
    bandwidth : float. Of the memory bandwidth. [1]
    overhead_s : float. Every step. [s]
    """

    prefill: float
    decode: float
    bandwidth: float
    overhead_s: float


def default_efficiency() -> Efficiency:
    """The shares of `constants.csv`."""
    return Efficiency(
        value_of("prefill_efficiency"),
        value_of("decode_efficiency"),
        value_of("bandwidth_efficiency"),
        value_of("step_overhead_s"),
    )


def default_batched_tokens(group: Group) -> int:
    """Tokens that one step takes at most, as servers set it by the device's memory. [tokens]"""
    return 8192 if group.accelerator.memory_bytes >= _LARGE_DEVICE_BYTES else 2048


def default_max_num_seqs(group: Group) -> int:
    """Sequences in flight at most, as servers set it by the device's memory. [sequences]"""
    return 1024 if group.accelerator.memory_bytes >= _LARGE_DEVICE_BYTES else 256


def described_law(model: TokenModel, tokens: int, efficiency: Efficiency) -> StepLaw:
    """The step law of a model whose architecture is known.

    Parameters
    ----------
    model : TokenModel.
    tokens : int. Most tokens of a step: how far the reading of experts is tabulated.
    efficiency : Efficiency.

    Raises
    ------
    NotCovered : the weights leave no room for a cache.
    """
    return _law(
        model.group,
        maths=model.group.maths_of(precision(model.weights)),
        parameters=model.matrix_parameters,
        read_bytes=model.read_bytes,
        experts=any(part.active < 1.0 for part in model.architecture.of(LINEAR)),
        tokens=tokens,
        cache_bytes=model.cache_bytes,
        cache_tokens=model.cache_tokens,
        heads_width=model.heads_width,
        layers=model.layers,
        width=model.architecture.hidden,
        efficiency=efficiency,
        weight_bytes=model.weight_bytes,
    )


def generic_law(
    size_bytes: float, dtype: str, group: Group, cache_dtype: str, efficiency: Efficiency
) -> StepLaw:
    """The step law of a model of which only size and precision are known: a dense decoder.

    Layers, width and key heads are assumed to grow as those of Llama 3.1.

    Raises
    ------
    NotCovered : no figures for the arithmetic, or the weights leave no room for a cache.
    """
    count = group.count
    parameters = parameters_of(size_bytes, dtype)
    ratio = parameters / _BASE_PARAMETERS
    layers = _BASE_LAYERS * ratio**_LAYERS_POWER
    width = _BASE_WIDTH * ratio**_WIDTH_POWER
    cached = 2.0 * layers * _KEY_WIDTH * (1.0 if cache_dtype == "fp8" else 2.0) / count
    room = group.accelerator.memory_bytes * value_of("memory_share") - size_bytes / count
    return _law(
        group,
        maths=group.maths_of(precision(dtype)),
        parameters=parameters,
        read_bytes=lambda tokens: size_bytes / count,
        experts=False,
        tokens=1,
        cache_bytes=cached,
        cache_tokens=max(room / cached, 0.0),
        heads_width=layers * width,
        layers=layers,
        width=width,
        efficiency=efficiency,
        weight_bytes=size_bytes / count,
    )


def measured_law(law: StepLaw, profile: Profile, slots: int) -> StepLaw:
    """The same law with decoding steps as they were measured, by sequences in flight.

    Parameters
    ----------
    profile : Profile. Seconds between two tokens by concurrency.
    slots : int. Sequences in flight at most.

    Notes
    -----
    A measured time between tokens holds whatever interference there was in it; where prompts were
    long, it is counted once more here.
    """
    table = np.array([profile.latency_s(size) for size in range(1, slots + 1)])
    return StepLaw(
        read_s=table,
        cache_s=0.0,
        token_s=0.0,
        context_s=0.0,
        prompt_s=law.prompt_s,
        prompt_context_s=law.prompt_context_s,
        overhead_s=0.0,
        floor_s=law.floor_s,
        exchange_s=law.exchange_s,
        cache_tokens=law.cache_tokens,
        text=f"steps measured at {len(profile.sizes)} sizes; {law.text}",
    )


def _law(
    group: Group,
    *,
    maths: str,
    parameters: float,
    read_bytes: Callable[[float], float],
    experts: bool,
    tokens: int,
    cache_bytes: float,
    cache_tokens: float,
    heads_width: float,
    layers: float,
    width: float,
    efficiency: Efficiency,
    weight_bytes: float,
) -> StepLaw:
    count = group.count
    if cache_tokens < 1.0:
        raise NotCovered(
            f"{weight_bytes / 1e9:.3g} GB of weights a device leave no room for a cache on "
            f"{group.accelerator.name}"
        )
    bandwidth = efficiency.bandwidth * group.accelerator.memory_bandwidth_bytes_per_s
    peak = group.flops(maths) * count
    decode, prefill = efficiency.decode * peak, efficiency.prefill * peak
    sizes = np.arange(1, (tokens if experts else 1) + 1)
    reads = np.array([read_bytes(float(size)) for size in sizes]) / bandwidth
    fixed, moved = exchange(group, layers, width)
    return StepLaw(
        read_s=reads,
        cache_s=cache_bytes / bandwidth,
        token_s=2.0 * parameters / decode,
        context_s=4.0 * heads_width / decode,
        prompt_s=2.0 * parameters / prefill,
        prompt_context_s=4.0 * heads_width / prefill,
        overhead_s=efficiency.overhead_s + fixed,
        floor_s=layers * value_of("layer_launch_s") + fixed,
        exchange_s=moved,
        cache_tokens=math.floor(cache_tokens),
        text=(
            f"continuous batching: a step reads {1e3 * reads[0]:.3g} ms of weights"
            f"{' and more experts as more tokens come' if experts else ''}, "
            f"{1e9 * cache_bytes / bandwidth:.3g} ns a cached token, "
            f"{1e6 * 2.0 * parameters / prefill:.3g} us a prompt token; "
            f"cache for {math.floor(cache_tokens)} tokens"
        ),
    )
