"""Prefill and decode of a token model on accelerators: the larger of arithmetic and memory.

    prefill(n) = max( (2 P n + 2 L H h S n) / TP / (peak x 0.5),  W / (bandwidth x 0.75) ) + 2 ms
    step(B, c) = max( (W + B c kv) / (bandwidth x 0.75),
                      (2 P B + 4 L H h c B) / TP / (peak x 0.5) ) + 2 ms

with P parameters that take part in products, S the prompt, c the context of each sequence, W the
weights that are read and kv the cache of a token, both of one device. Source of the rule: latency
rules for token models, compared with 46 published points (read 2026-11); constants in
`constants.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import pricing
from modeler.predict.architecture import Architecture
from modeler.predict.architecture.parts import EMBEDDING, HEAD, LINEAR
from modeler.predict.latency.constants import value_of
from modeler.predict.precision import Precision, precision

_EXPANDABLE: Final = ("fp8", "fp4")


class NotCovered(ValueError):
    """A model, a machine or a precision that the rule has no figures for."""

    exit_code = 2


class NotADecoder(NotCovered):
    """A model that writes no tokens; no instance and no precision makes it one."""


@dataclass(frozen=True)
class Group:
    """Accelerators that serve one copy of a model.

    Parameters
    ----------
    accelerator : pricing.Accelerator.
    count : int. Devices that share every layer (tensor parallelism).
    """

    accelerator: pricing.Accelerator
    count: int = 1

    def flops(self, maths: str) -> float:
        """Dense peak of one device in a kind of arithmetic. [FLOP/s]

        Raises
        ------
        NotCovered : the device does not have it, or no figure is held.
        """
        found = self._held(maths)
        if not found:
            raise NotCovered(f"{self.accelerator.name} has no figure for arithmetic in {maths}")
        return found

    def maths_of(self, kind: Precision) -> str:
        """The arithmetic that weights of a precision run in on this device.

        Their own where the device has it. Weights in 8 or 4 bits of floating point are expanded to
        16 on a GPU that lacks it and has bfloat16 (Ampere and later), as vLLM's Marlin kernels do
        (vLLM documentation, FP8 W8A16 and supported hardware; read 2026-11).

        Raises
        ------
        NotCovered : the device has neither.
        """
        one = self.accelerator
        if not self._held(kind.maths) and kind.maths in _EXPANDABLE:
            if one.kind != "aws" and one.bf16_flops:
                return "fp16"
            raise NotCovered(
                f"{one.name} has no figure for arithmetic in {kind.maths}, and no kernels that "
                "expand such weights"
            )
        self.flops(kind.maths)
        return kind.maths

    def _held(self, maths: str) -> float | None:
        one = self.accelerator
        # TF32 runs at half of the 16-bit rate where there is bfloat16, and else as FP32 does
        # (NVIDIA data sheets: A100 156 of 312, H100 494 of 989, A10G 35 of 70 TFLOPS).
        tf32 = one.bf16_flops / 2.0 if one.bf16_flops else one.fp32_flops
        return {
            "fp32": one.fp32_flops,
            "tf32": tf32,
            "fp16": one.fp16_flops,
            "bf16": one.bf16_flops or one.fp16_flops,
            "fp8": one.fp8_flops,
            "int8": one.int8_ops,
            "fp4": one.fp4_flops,
        }.get(maths)


def exchange(group: Group, layers: float, width: float) -> tuple[float, float]:
    """Two all-reduces a layer among the devices: of every step, and of each prompt token. [s]"""
    if group.count == 1:
        return 0.0, 0.0
    one = group.accelerator
    link = one.link_bytes_per_s or one.host_bandwidth_bytes_per_s
    moved = 2.0 * width / link if link else 0.0
    return 2.0 * layers * value_of("all_reduce_s"), 2.0 * layers * moved


@dataclass(frozen=True)
class TokenModel:
    """A decoder in one precision on a group of accelerators.

    Parameters
    ----------
    architecture : Architecture. Of a decoder.
    weights : str. Precision of the weights, as `precision` names it.
    group : Group.
    cache_dtype : str. Of keys and values: fp16, or fp8.

    Raises
    ------
    NotCovered : no decoder, or the group lacks the arithmetic.
    """

    architecture: Architecture
    weights: str
    group: Group
    cache_dtype: str = "fp16"

    def __post_init__(self) -> None:
        if self.architecture.attention is None:
            raise NotADecoder(f"{self.architecture.kind} is no decoder of tokens")
        self.group.maths_of(precision(self.weights))

    @cached_property
    def matrix_parameters(self) -> float:
        """Parameters in products, those of experts that a token visits. [parameters]"""
        return (
            sum(part.elements * part.active for part in self.architecture.of(LINEAR)) + self._head
        )

    @property
    def _head(self) -> float:
        """The output matrix, which is the embedding where both are tied."""
        head = sum(part.elements for part in self.architecture.of(HEAD))
        if head:
            return float(head)
        return float(max((p.elements for p in self.architecture.of(EMBEDDING)), default=0))

    @cached_property
    def weight_bytes(self) -> float:
        """Everything that a device holds. [bytes]"""
        return precision(self.weights).memory_bytes(self.architecture) / self.group.count

    def read_bytes(self, tokens: float) -> float:
        """Weights that a device reads in a step over so many tokens. [bytes]

        Experts are read as they are expected to be hit; the input table is only looked up.
        """
        kind = precision(self.weights)
        linear = 0.0
        for part in self.architecture.of(LINEAR):
            share = 1.0
            if part.active < 1.0:
                share = 1.0 - (1.0 - part.active) ** max(tokens, 1.0)
            linear += part.elements * share * (part.fixed or kind.linear_bytes)
        return (linear + self._head * kind.other_bytes) / self.group.count

    @cached_property
    def cache_bytes(self) -> float:
        """Cache of one token on one device. [bytes]"""
        attention = self.architecture.attention
        assert attention is not None
        width = 1.0 if self.cache_dtype in ("fp8", "int8") else 2.0
        ranks = min(self.group.count, attention.kv_heads) if not attention.latent else 1
        return attention.cache_elements() * width / ranks

    @property
    def heads_width(self) -> float:
        """Widths of all heads of all layers. [1]"""
        attention = self.architecture.attention
        assert attention is not None
        return float(attention.layers * attention.heads * attention.head_dim)

    @property
    def layers(self) -> int:
        """Layers with attention."""
        attention = self.architecture.attention
        assert attention is not None
        return attention.layers

    def prefill_s(self, tokens: float, prompt: float) -> float:
        """One pass over prompt tokens, which gives the first output token. [s]

        Parameters
        ----------
        tokens : float. Prompt tokens in the pass, of one prompt or of several.
        prompt : float. Length of each prompt. [tokens]
        """
        group = self.group
        work = 2.0 * self.matrix_parameters * tokens + 2.0 * self.heads_width * prompt * tokens
        arithmetic = work / group.count / (self._peak * value_of("prefill_efficiency"))
        memory = self.read_bytes(tokens) / self._bandwidth
        busy = max(arithmetic, memory) + value_of("step_overhead_s")
        floor = self.layers * value_of("layer_launch_s")
        return max(busy, floor) + self._exchange_s(tokens)

    def step_s(self, batch: float, context: float) -> float:
        """One decoding step, a token for each sequence. [s]

        Parameters
        ----------
        batch : float. Sequences.
        context : float. Tokens each looks back on.
        """
        group = self.group
        memory = (self.read_bytes(batch) + batch * context * self.cache_bytes) / self._bandwidth
        work = 2.0 * self.matrix_parameters * batch + 4.0 * self.heads_width * context * batch
        arithmetic = work / group.count / (self._peak * value_of("decode_efficiency"))
        overhead = value_of("step_overhead_s")
        return max(memory, arithmetic) + overhead + self._exchange_s(0.0)

    def _exchange_s(self, tokens: float) -> float:
        """Two all-reduces a layer among the devices. [s]"""
        fixed, moved = exchange(self.group, self.layers, self.architecture.hidden)
        return fixed + tokens * moved

    @cached_property
    def _peak(self) -> float:
        return self.group.flops(self.group.maths_of(precision(self.weights)))

    @cached_property
    def _bandwidth(self) -> float:
        peak = self.group.accelerator.memory_bandwidth_bytes_per_s
        return peak * value_of("bandwidth_efficiency")

    @property
    def cache_tokens(self) -> float:
        """Tokens whose cache fits beside the weights. [tokens]"""
        memory = self.group.accelerator.memory_bytes * value_of("memory_share")
        return max((memory - self.weight_bytes) / self.cache_bytes, 0.0)
