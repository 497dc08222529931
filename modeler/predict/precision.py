"""Precisions: bytes of the same parameters in each, and the arithmetic that runs on them.

Formats below 8 bits pack groups of weights with a scale, and only matrices: embeddings, head and
norms keep 16 bits. Bits per weight are the formats' own definitions: a group of G four-bit weights
of GPTQ and AWQ has a 16-bit scale and a packed zero point, 4 + 16/G + 4/G; nf4 a 32-bit scale for
64; MXFP4 8 bits for 32 and NVFP4 8 bits for 16; the block types of GGUF as its package has them.
Accuracy is not a matter of this table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from modeler.predict.architecture import Architecture

# Storage of one parameter; int4 is the 4-bit payload alone, without the scales and zero points
# that quantised files add (4 to 16 percent, by their group size).
BYTES_PER_PARAMETER: Final[Mapping[str, float]] = {
    "fp64": 8.0,
    "fp32": 4.0,
    "tf32": 4.0,
    "fp16": 2.0,
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "int4": 0.5,
}
_REPORTED: Final = ("fp32", "fp16", "bf16", "fp8", "int8", "int4")
_SIXTEEN: Final = 2.0
_GROUPS: Final = (32, 64, 128)
# Bits a weight of GGUF's block types, from block bytes over block size of the gguf package 0.19.
GGUF_BITS: Final[Mapping[str, float]] = {
    "F32": 32.0, "F16": 16.0, "BF16": 16.0,
    "Q4_0": 4.5, "Q4_1": 5.0, "Q5_0": 5.5, "Q5_1": 6.0, "Q8_0": 8.5, "Q8_1": 9.0,
    "Q2_K": 2.625, "Q3_K": 3.4375, "Q4_K": 4.5, "Q5_K": 5.5, "Q6_K": 6.5625, "Q8_K": 9.125,
    "IQ1_S": 1.5625, "IQ1_M": 1.75, "IQ2_XXS": 2.0625, "IQ2_XS": 2.3125, "IQ2_S": 2.5625,
    "IQ3_XXS": 3.0625, "IQ3_S": 3.4375, "IQ4_XS": 4.25, "IQ4_NL": 4.5,
    "TQ1_0": 1.6875, "TQ2_0": 2.0625, "MXFP4": 4.25, "NVFP4": 4.5,
}  # fmt: skip
# Mixes of block types over a whole file, as Llama-3.1-8B comes out (llama.cpp quantize README
# @311c2c9); models with a large vocabulary come out wider. [bits/weight]
GGUF_MIXES: Final[Mapping[str, float]] = {
    "Q2_K_M": 3.16, "Q3_K_S": 3.64, "Q3_K_M": 4.0, "Q3_K_L": 4.30, "Q4_K_S": 4.67,
    "Q4_K_M": 4.89, "Q5_K_S": 5.57, "Q5_K_M": 5.70,
}  # fmt: skip


@dataclass(frozen=True)
class Precision:
    """A way of keeping weights.

    Parameters
    ----------
    name : str.
    linear_bytes : float. One weight of a matrix, scales included. [bytes]
    other_bytes : float. One weight of an embedding, the head or a norm. [bytes]
    maths : str. Arithmetic that it runs in: its own, or fp16 where weights are expanded first.
    expanded : bool. Whether weights are expanded to 16 bits before each product: small batches
        gain by what is not read, large ones and prompts gain nothing.
    """

    name: str
    linear_bytes: float
    other_bytes: float
    maths: str
    expanded: bool = False

    def memory_bytes(self, architecture: Architecture) -> float:
        """Weights of a model in memory. [bytes]"""
        linear = architecture.linear_parameters
        rest = architecture.parameters - linear
        dense = linear * self.linear_bytes + rest * self.other_bytes
        return dense + architecture.sparse_bytes(self.linear_bytes)


def _packed(name: str, bits: float, maths: str = "fp16") -> Precision:
    return Precision(name, bits / 8.0, _SIXTEEN, maths, expanded=maths == "fp16")


_TABLE: Final[dict[str, Precision]] = {
    "fp64": Precision("fp64", 8.0, 8.0, "fp64"),
    "fp32": Precision("fp32", 4.0, 4.0, "fp32"),
    "tf32": Precision("tf32", 4.0, 4.0, "tf32"),
    "fp16": Precision("fp16", 2.0, 2.0, "fp16"),
    "bf16": Precision("bf16", 2.0, 2.0, "bf16"),
    # Blocks of 128 x 128 with a 32-bit scale.
    "fp8": Precision("fp8", 1.0 + 4.0 / 128**2, _SIXTEEN, "fp8"),
    "int8": Precision("int8", 1.0, _SIXTEEN, "int8"),
    # Weights alone, as bitsandbytes keeps them.
    "int8_weights": Precision("int8_weights", 1.0, _SIXTEEN, "fp16", expanded=True),
    "nf4": _packed("nf4", 4.0 + 32.0 / 64.0),
    "nf4_double": _packed("nf4_double", 4.127),
    "mxfp4": _packed("mxfp4", 4.25),
    "nvfp4": _packed("nvfp4", 4.5, "fp4"),
    "fp4": _packed("fp4", 4.5, "fp4"),
    **{
        f"{kind}_g{group}": _packed(f"{kind}_g{group}", 4.0 + 20.0 / group)
        for kind in ("gptq", "awq")
        for group in _GROUPS
    },
    "gptq": _packed("gptq", 4.0 + 20.0 / 128.0),
    "awq": _packed("awq", 4.0 + 20.0 / 128.0),
    "int4": _packed("int4", 4.0 + 20.0 / 128.0),
    **{
        name.lower(): Precision(name.lower(), bits / 8.0, bits / 8.0, "fp16", expanded=bits < 16.0)
        for name, bits in {**GGUF_MIXES, **GGUF_BITS}.items()
        if name.lower() not in ("f32", "f16", "bf16", "mxfp4", "nvfp4")
    },
}


def precision(name: str) -> Precision:
    """A precision by its name.

    Raises
    ------
    ValueError
        For an unknown one; names those known.

    >>> precision("awq_g128").linear_bytes * 8
    4.15625
    """
    found = _TABLE.get(name.lower())
    grouped = _GROUPED.fullmatch(name.lower())
    if found is None and grouped:
        bits, group = int(grouped[2]), int(grouped[3] or 0)
        found = _packed(name.lower(), bits + (16.0 + bits) / group if group else float(bits))
    if found is None:
        raise ValueError(f"unknown precision {name!r}: one of {', '.join(_TABLE)}")
    return found


# Any width and group of GPTQ and AWQ, a scale of 16 bits and a packed zero point for each; of a
# whole channel too few to count.
_GROUPED: Final = re.compile(r"(gptq|awq)_([2-8])bit_(?:g([1-9]\d{0,5})|channel)")


def precisions() -> tuple[str, ...]:
    """Names of all of them."""
    return tuple(_TABLE)


def parameters_of(weight_bytes: float, dtype: str) -> float:
    """Parameters that so many bytes hold at one precision.

    Parameters
    ----------
    weight_bytes : float. Bytes of the weights. [bytes]
    dtype : str. One of `BYTES_PER_PARAMETER`.

    Returns
    -------
    float
        [parameters]

    Raises
    ------
    ValueError
        For an unknown precision; names those known.

    >>> parameters_of(14e9, "fp16")
    7000000000.0
    """
    if dtype not in BYTES_PER_PARAMETER:
        known = ", ".join(BYTES_PER_PARAMETER)
        raise ValueError(f"unknown precision {dtype!r}: one of {known}")
    return weight_bytes / BYTES_PER_PARAMETER[dtype]


def bytes_by_precision(parameters: float) -> dict[str, int]:
    """Bytes of so many parameters at fp32, fp16, bf16, fp8, int8 and 4-bit: the payload alone.

    Of a model that is described, `bytes_of` has scales and what stays in 16 bits as well.

    Parameters
    ----------
    parameters : float. [parameters]

    Returns
    -------
    dict of str to int
        [bytes]

    >>> bytes_by_precision(7e9)["int4"]
    3500000000
    """
    return {dtype: round(parameters * BYTES_PER_PARAMETER[dtype]) for dtype in _REPORTED}


def bytes_of(architecture: Architecture) -> dict[str, int]:
    """Bytes of a described model's weights in the same precisions: scales, and what stays in 16.

    Returns
    -------
    dict of str to int
        [bytes]
    """
    return {name: round(precision(name).memory_bytes(architecture)) for name in _REPORTED}
