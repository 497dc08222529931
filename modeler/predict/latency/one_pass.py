"""Models that answer in one pass: convolutions, vision transformers, encoders.

    t_image = FLOPs / (peak x 0.7) + activations x 2 bytes x 8 / bandwidth
    t_call = overhead + batch x t_image

A sum and not a maximum: parts of such a network are bound by arithmetic and others by traffic of
activations. The two constants were fitted to 1,444 measurements on one card, with a median error
of 13.6 %, and of 16.0 % on a card they were not fitted to; vision transformers, whose attention is
fused, come out up to 1.6 times too slow. Batches whose work is shorter than the
launch of their kernels are not covered: there the runtime decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from modeler.predict.architecture import Architecture
from modeler.predict.architecture.parts import LINEAR
from modeler.predict.latency.constants import value_of
from modeler.predict.latency.roofline import Group, NotCovered

_ACTIVATION_BYTES: Final = 2.0
# Multiply-adds and elements of all outputs of convolutions and dense layers at 224 pixels (299 for
# Inception), as timm's infer_gmacs and infer_macts list them; kernels are counted as convolution,
# normalisation and activation. [1e9, 1e6, 1]
_NETWORKS: Final[dict[str, tuple[float, float, int]]] = {
    "resnet18": (1.82, 2.48, 60),
    "resnet34": (3.67, 3.74, 108),
    "resnet50": (4.11, 11.11, 161),
    "resnet101": (7.83, 16.23, 314),
    "resnet152": (11.56, 22.56, 467),
    "vgg16": (15.47, 13.56, 34),
    "densenet121": (2.87, 6.90, 364),
    "mobilenetv2": (0.31, 6.68, 156),
    "efficientnet_b0": (0.40, 6.75, 240),
    "inception_v3": (5.73, 8.97, 284),
    "vit_base": (16.87, 16.49, 150),
    "deit_base": (16.87, 16.49, 150),
    "convnext_base": (15.38, 28.75, 220),
}
_KERNELS_A_LAYER: Final = 12  # of an encoder: four products, two norms, softmax, sums


@dataclass(frozen=True)
class Pass:
    """One pass over one example.

    Parameters
    ----------
    flops : float. A multiply-add is two. [FLOP]
    activations : float. Elements of all outputs of convolutions and products. [1]
    kernels : int. That a call starts.
    """

    flops: float
    activations: float
    kernels: int


# What is said of the picture and of the data, the former at the size the counts are of.
_TRAINED_ON: Final = re.compile(r"(?:[-_ ]*(?:patch16|p16|(?:224)(?:x224)?|in1k|imagenet))+$")


def _bare(name: str) -> str:
    """A name without what joins its words."""
    return re.sub(r"[-_ .]", "", name)


def network(name: str) -> Pass:
    """A convolutional network or vision transformer by name.

    Raises
    ------
    NotCovered : its multiply-adds or activations are not known here.
    """
    plain = _TRAINED_ON.sub("", name.lower())
    held = {_bare(one): counts for one, counts in _NETWORKS.items()}
    for spelt in (plain, plain.removesuffix("v1.5"), plain.removesuffix("v1")):
        if _bare(spelt) in held:
            gmacs, macts, kernels = held[_bare(spelt)]
            return Pass(2e9 * gmacs, 1e6 * macts, kernels)
    near = get_close_matches(plain, _NETWORKS, n=1)
    hint = f"the nearest known is {near[0]}" if near else f"known are {', '.join(_NETWORKS)}"
    raise NotCovered(f'operations and activations of "{name}" are not known; {hint}')


def encoder(architecture: Architecture, tokens: float) -> Pass:
    """An encoder over a sequence: ``2 P tokens + 4 L d S^2`` operations.

    Parameters
    ----------
    architecture : Architecture. Its matrices; embeddings are looked up and not multiplied.
    tokens : float. Length of the sequence. [tokens]
    """
    matrices = [part for part in architecture.of(LINEAR) if part.times > 1]
    layers = max((part.times for part in matrices), default=1)
    body = sum(part.elements for part in matrices)
    outputs = sum(part.shape[0] * part.times for part in matrices)
    square = 4.0 * layers * architecture.hidden * tokens**2
    return Pass(2.0 * body * tokens + square, outputs * tokens, _KERNELS_A_LAYER * layers)


def call_s(
    one: Pass, group: Group, batch: float, *, maths: str = "fp16", compiled: bool = False
) -> float:
    """One call over a batch. [s]

    Parameters
    ----------
    compiled : bool. Whether kernels are fused, as TensorRT and compilers do.

    Raises
    ------
    NotCovered
        No figures for the accelerator, or a batch whose work is shorter than the launch.
    """
    if group.accelerator.kind == "aws":
        raise NotCovered(f"{group.accelerator.name}: the rule was fitted to GPUs")
    per_example = example_s(one, group, maths=maths, compiled=compiled)
    launch = one.kernels * value_of("kernel_launch_s")
    if batch * per_example < launch:
        raise NotCovered(
            f"a batch of {batch:g} takes {1e3 * batch * per_example:.2g} ms of work and "
            f"{1e3 * launch:.2g} ms to launch: the runtime decides"
        )
    return launch + batch * per_example


def example_s(one: Pass, group: Group, *, maths: str = "fp16", compiled: bool = False) -> float:
    """The work of one example in a large batch. [s]"""
    name = "activation_accesses_compiled" if compiled else "activation_accesses"
    width = _ACTIVATION_BYTES * (2.0 if maths in ("fp32", "tf32") else 1.0)
    traffic = one.activations * width * value_of(name)
    arithmetic = one.flops / (group.flops(maths) * value_of("one_pass_efficiency"))
    return arithmetic + traffic / group.accelerator.memory_bandwidth_bytes_per_s
