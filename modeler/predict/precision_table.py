"""One described model in every precision: bytes, arithmetic, what changes in latency and in load.

Weights that are expanded before each product save what is read and nothing else: small batches
gain, prompts and large batches do not. Precisions with arithmetic of their own gain in both, where
the accelerator has it. A load moves the bytes, so it takes their share. Accuracy is not a matter of
this table.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import pricing
from modeler.predict.architecture import Architecture
from modeler.predict.latency.roofline import Group, NotCovered, TokenModel
from modeler.predict.precision import Precision, precision, precisions

_PROMPT: Final = 1_000  # tokens
_LARGE: Final = 64  # sequences
_BITS: Final = 8.0


@dataclass(frozen=True)
class InPrecision:
    """A model in one precision.

    Parameters
    ----------
    precision : str.
    bits : float. A weight of a matrix, scales included. [bits]
    weight_bytes : int. In a file and in memory. [bytes]
    load_share : float. Of the time that 16 bits take to fetch and to load. [1]
    maths : str. Arithmetic of its products, on the instance where one is named.
    expanded : bool. Whether weights are expanded to 16 bits before each product.
    decode_s, decode_large_s : float, optional. A step for one sequence of 1,000 tokens and for 64;
        None without an instance, or where it has no such arithmetic. [s]
    prefill_s : float, optional. A prompt of 1,000 tokens. [s]
    why : str. Why there is no latency; empty where there is, or none was asked for.
    """

    precision: str
    bits: float
    weight_bytes: int
    load_share: float
    maths: str
    expanded: bool
    decode_s: float | None = None
    decode_large_s: float | None = None
    prefill_s: float | None = None
    why: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def in_every_precision(
    architecture: Architecture, instance: str | None = None
) -> tuple[InPrecision, ...]:
    """A described model in each precision that is known.

    Parameters
    ----------
    architecture : Architecture.
    instance : str, optional. Whose accelerators the latencies are of, all of them sharing each
        layer; only of a decoder.

    Raises
    ------
    pricing.UnknownInstance, pricing.SpecNotFound
        No such instance, or no figures of it.
    """
    group, why = None, ""
    if instance is not None:
        spec = pricing.instance(instance)
        if spec.accelerator is None:
            why = f"{spec.instance_type} has no accelerator"
        else:
            group = Group(pricing.accelerator(spec.accelerator), spec.accelerator_count)
    sixteen = precision("fp16").memory_bytes(architecture)
    rows = []
    for name in precisions():
        kind = precision(name)
        size = kind.memory_bytes(architecture)
        maths = kind.maths if group is None else _maths(kind, group)
        rows.append(
            InPrecision(
                name, _BITS * kind.linear_bytes, round(size), size / sixteen, maths,
                kind.expanded or maths != kind.maths, *_latencies(architecture, name, group, why),
            )
        )  # fmt: skip
    return tuple(rows)


def _maths(kind: Precision, group: Group) -> str:
    """The arithmetic on a device; the precision's own where the device has none for it."""
    try:
        return group.maths_of(kind)
    except NotCovered:
        return kind.maths


def _latencies(
    architecture: Architecture, name: str, group: Group | None, why: str
) -> tuple[float | None, float | None, float | None, str]:
    if group is None:
        return None, None, None, why
    try:
        model = TokenModel(architecture, name, group)
    except NotCovered as error:
        return None, None, None, str(error)
    return (
        model.step_s(1, _PROMPT),
        model.step_s(_LARGE, _PROMPT),
        model.prefill_s(_PROMPT, _PROMPT),
        "",
    )
