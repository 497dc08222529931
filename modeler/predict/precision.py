"""Bytes of the same parameters at each precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Storage of one parameter; int4 is the 4-bit payload alone, without the scales and zero points
# that quantised files add (5 to 20 percent, by their group size).
BYTES_PER_PARAMETER: Final[Mapping[str, float]] = {
    "fp32": 4.0,
    "fp16": 2.0,
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "int4": 0.5,
}
_REPORTED: Final = ("fp32", "fp16", "bf16", "int8", "int4")


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
    """Bytes of a model's weights at fp32, fp16, bf16, int8 and 4-bit.

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
