"""Bytes of a file that holds an architecture: tensors, and what each format adds to them.

The laws of the formats are their own definitions (safetensors, npz, GGUF), or fits to files saved
with torch 2.13 and 2.14, whose overhead moves by some tens of bytes a tensor between versions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from modeler.predict.architecture.parts import Architecture, Part

FORMATS: Final = ("safetensors", "torch_pt", "npz", "gguf", "onnx")
_DTYPES: Final = {
    "fp64": ("F64", 8),
    "fp32": ("F32", 4),
    "tf32": ("F32", 4),
    "bf16": ("BF16", 2),
    "fp16": ("F16", 2),
    "fp8": ("F8_E4M3", 1),
    "int8": ("I8", 1),
}
_FIXED: Final = {8.0: "I64", 4.0: "I32", 2.0: "I16", 1.0: "U8"}
_ALIGN: Final = 8  # safetensors pads its header to whole words
# Fits to torch 2.14: a zip entry, its alignment to 64 bytes and its pickled description.
_TORCH_BASE: Final = 1_300
_TORCH_A_TENSOR: Final = 240
_NPZ_BASE: Final = 22  # end of the zip's directory
_NPZ_AN_ARRAY: Final = 224  # local and central entries and a header of 128
# Without a graph and without a vocabulary.
_ONNX_BASE, _ONNX_A_TENSOR = 80, 15
_GGUF_BASE, _GGUF_A_TENSOR = 120, 33
_GGUF_ALIGN: Final = 32


def file_bytes(architecture: Architecture, format: str, dtype: str | None = None) -> int:
    """Size of a file of a model's parameters and buffers.

    Parameters
    ----------
    format : str. One of `FORMATS`; ``onnx`` without its graph, ``gguf`` without a vocabulary.
    dtype : str, optional. Precision; the architecture's own when not given.

    Returns
    -------
    int
        [bytes]

    Raises
    ------
    ValueError : an unknown format, or a precision that this format's tensors do not have.
    """
    if format not in FORMATS:
        raise ValueError(f"format {format!r}: expected one of {', '.join(FORMATS)}")
    wanted = dtype or architecture.dtype
    if wanted not in _DTYPES:
        raise ValueError(f"dtype {wanted!r}: expected one of {', '.join(_DTYPES)}")
    code, width = _DTYPES[wanted]
    raw = architecture.state_bytes(width)
    if format == "safetensors":
        return raw + _safetensors(architecture, code, width)
    if format == "gguf":
        padding = sum(-round(part.stored_bytes(width) // part.times) % _GGUF_ALIGN * part.times
                      for part in architecture.parts)  # fmt: skip
        names = sum(len(name) for name, _ in _tensors(architecture))
        return raw + _GGUF_BASE + _GGUF_A_TENSOR * architecture.tensors + names + padding
    names = sum(len(name) for name, _ in _tensors(architecture))
    if format == "torch_pt":
        return raw + _TORCH_BASE + _TORCH_A_TENSOR * architecture.tensors + names
    if format == "npz":
        suffix = 4 * architecture.tensors  # ".npy", in each of two directories
        return raw + _NPZ_BASE + _NPZ_AN_ARRAY * architecture.tensors + 2 * (names + suffix)
    return raw + _ONNX_BASE + _ONNX_A_TENSOR * architecture.tensors + names


def _tensors(architecture: Architecture) -> Iterator[tuple[str, Part]]:
    """Every tensor with a name, those that are equal numbered."""
    for part in architecture.parts:
        if part.times == 1:
            yield part.name, part
        else:
            for number in range(part.times):
                yield f"layers.{number}.{part.name}", part


def _safetensors(architecture: Architecture, code: str, width: int) -> int:
    """Length of the header, its own length included, padded to whole words. [bytes]"""
    offset = 0
    header = {}
    for name, part in _tensors(architecture):
        size = round(part.stored_bytes(width) / part.times)
        header[name] = {
            "dtype": _FIXED[part.fixed] if part.fixed else code,
            "shape": list(part.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    length = len(json.dumps(header, separators=(",", ":")))
    return 8 + length + -length % _ALIGN
