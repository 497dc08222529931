"""Parameter counts of single layers, as tensors.

Counts follow the definitions of the layers (PyTorch's where frameworks differ): a dense layer has
in x out weights and out biases, an LSTM four gates, a gated feed-forward three matrices.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from modeler.predict.architecture.parts import (
    BIAS,
    BUFFER,
    CONVOLUTION,
    EMBEDDING,
    INDEX,
    LINEAR,
    NORM,
    RECURRENT,
    Part,
)

# Gates of recurrent cells: input, forget, cell and output; reset, update and new; none.
GATES: Final = {"rnn": 1, "gru": 3, "lstm": 4}


def dense(
    name: str, inputs: int, outputs: int, *, bias: bool = True, times: int = 1, active: float = 1.0
) -> tuple[Part, ...]:
    """A dense layer: inputs x outputs, and outputs biases."""
    weight = Part(f"{name}.weight", (outputs, inputs), LINEAR, times, active)
    if not bias:
        return (weight,)
    return (weight, Part(f"{name}.bias", (outputs,), BIAS, times, active))


def convolution(
    name: str,
    inputs: int,
    outputs: int,
    kernel: Sequence[int],
    *,
    groups: int = 1,
    bias: bool = True,
    transposed: bool = False,
    times: int = 1,
) -> tuple[Part, ...]:
    """A convolution: (inputs / groups) x outputs x kernel; transposed, inputs x (outputs / groups).

    Raises
    ------
    ValueError : the groups do not divide the channels.
    """
    if groups < 1 or inputs % groups or outputs % groups:
        raise ValueError(f"groups {groups}: expected a divisor of {inputs} and {outputs} channels")
    shape = (inputs, outputs // groups) if transposed else (outputs, inputs // groups)
    weight = Part(f"{name}.weight", (*shape, *kernel), CONVOLUTION, times)
    if not bias:
        return (weight,)
    return (weight, Part(f"{name}.bias", (outputs,), BIAS, times))


def batch_norm(name: str, channels: int, *, affine: bool = True) -> tuple[Part, ...]:
    """Batch normalisation: two trained vectors; mean, variance and a counter beside them."""
    trained = (
        Part(f"{name}.weight", (channels,), NORM),
        Part(f"{name}.bias", (channels,), NORM),
    )
    return (
        *(trained if affine else ()),
        Part(f"{name}.running_mean", (channels,), BUFFER),
        Part(f"{name}.running_var", (channels,), BUFFER),
        Part(f"{name}.num_batches_tracked", (), BUFFER, fixed=8.0),  # one int64
    )


def layer_norm(name: str, width: int, *, bias: bool = True, times: int = 1) -> tuple[Part, ...]:
    """Layer or group normalisation; without bias, RMS normalisation."""
    weight = Part(f"{name}.weight", (width,), NORM, times)
    if not bias:
        return (weight,)
    return (weight, Part(f"{name}.bias", (width,), NORM, times))


def embedding(name: str, rows: int, width: int) -> tuple[Part, ...]:
    """A table of rows x width."""
    return (Part(f"{name}.weight", (rows, width), EMBEDDING),)


def recurrent(
    cell: str,
    inputs: int,
    hidden: int,
    *,
    layers: int = 1,
    bidirectional: bool = False,
    bias: bool = True,
    projection: int = 0,
    framework: str = "torch",
) -> tuple[Part, ...]:
    """RNN, GRU or LSTM: gates x (inputs + outputs) x hidden, with biases and a projection.

    Parameters
    ----------
    projection : int. Width of the projected output of an LSTM; 0 for none.
    framework : str. ``torch`` keeps two bias vectors a gate. ``keras`` keeps one for an RNN or an
        LSTM, and two for a GRU that resets after the product, which is its default.
    """
    gates = GATES[cell]
    out = projection or hidden
    directions = 2 if bidirectional else 1
    biases = 2 if framework != "keras" or cell == "gru" else 1
    parts: list[Part] = []
    for layer in range(layers):
        width = inputs if layer == 0 else out * directions
        for direction in range(directions):
            end = f"l{layer}{'_reverse' if direction else ''}"
            parts += [
                Part(f"weight_ih_{end}", (gates * hidden, width), RECURRENT),
                Part(f"weight_hh_{end}", (gates * hidden, out), RECURRENT),
            ]
            if bias:
                parts += [
                    Part(f"bias_{kind}_{end}", (gates * hidden,), BIAS)
                    for kind in ("ih", "hh")[:biases]
                ]
            if projection:
                parts.append(Part(f"weight_hr_{end}", (projection, hidden), RECURRENT))
    return tuple(parts)


def attention(
    name: str,
    width: int,
    heads: int,
    kv_heads: int,
    head_dim: int,
    *,
    qkv_bias: bool = False,
    key_bias: bool | None = None,
    out_bias: bool = False,
    times: int = 1,
) -> tuple[Part, ...]:
    """Query, key, value and output; fewer key and value heads than query heads are grouped."""
    inner, shared = heads * head_dim, kv_heads * head_dim
    key = qkv_bias if key_bias is None else key_bias
    return (
        *dense(f"{name}.q_proj", width, inner, bias=qkv_bias, times=times),
        *dense(f"{name}.k_proj", width, shared, bias=key, times=times),
        *dense(f"{name}.v_proj", width, shared, bias=qkv_bias, times=times),
        *dense(f"{name}.o_proj", inner, width, bias=out_bias, times=times),
    )


def latent_attention(
    name: str,
    width: int,
    heads: int,
    *,
    query_rank: int,
    kv_rank: int,
    nope: int,
    rope: int,
    value: int,
    bias: bool = False,
    times: int = 1,
) -> tuple[Part, ...]:
    """Multi-head latent attention: keys and values through a low rank; queries may go likewise."""
    query = nope + rope
    if query_rank:
        queries = (
            *dense(f"{name}.q_a_proj", width, query_rank, bias=bias, times=times),
            *layer_norm(f"{name}.q_a_layernorm", query_rank, bias=False, times=times),
            *dense(f"{name}.q_b_proj", query_rank, heads * query, bias=False, times=times),
        )
    else:
        queries = dense(f"{name}.q_proj", width, heads * query, bias=False, times=times)
    return (
        *queries,
        *dense(f"{name}.kv_a_proj", width, kv_rank + rope, bias=bias, times=times),
        *layer_norm(f"{name}.kv_a_layernorm", kv_rank, bias=False, times=times),
        *dense(f"{name}.kv_b_proj", kv_rank, heads * (nope + value), bias=False, times=times),
        *dense(f"{name}.o_proj", heads * value, width, bias=bias, times=times),
    )


def feed_forward(
    name: str,
    width: int,
    inner: int,
    *,
    gated: bool,
    bias: bool = False,
    times: int = 1,
    active: float = 1.0,
) -> tuple[Part, ...]:
    """Up and down; gated, a gate beside the up."""
    gate = dense(f"{name}.gate", width, inner, bias=bias, times=times, active=active)
    return (
        *(gate if gated else ()),
        *dense(f"{name}.up", width, inner, bias=bias, times=times, active=active),
        *dense(f"{name}.down", inner, width, bias=bias, times=times, active=active),
    )


def mixture(
    name: str,
    width: int,
    inner: int,
    experts: int,
    per_token: int,
    *,
    shared_inner: int = 0,
    shared_gate: bool = False,
    correction: bool = False,
    times: int = 1,
) -> tuple[Part, ...]:
    """A router, gated experts of which each token visits a few, and a shared one that all visit."""
    parts: list[Part] = [
        *dense(f"{name}.router", width, experts, bias=False, times=times),
        *feed_forward(
            f"{name}.experts", width, inner, gated=True, times=times * experts,
            active=min(per_token / experts, 1.0),
        ),
    ]  # fmt: skip
    if correction:
        parts.append(Part(f"{name}.router.correction", (experts,), BUFFER, times))
    if shared_inner:
        parts += feed_forward(f"{name}.shared", width, shared_inner, gated=True, times=times)
    if shared_gate:
        parts += dense(f"{name}.shared_gate", width, 1, bias=False, times=times)
    return tuple(parts)


def kept(inputs: int, outputs: int, density: float) -> int:
    """Weights of a pruned dense layer that are not zero."""
    return round(inputs * outputs * density)


def pruned(
    name: str,
    inputs: int,
    outputs: int,
    density: float,
    storage: str,
    *,
    bias: bool = True,
    index_bytes: int = 4,
) -> tuple[Part, ...]:
    """A dense layer of which only some weights are not zero, in one way of keeping it.

    Parameters
    ----------
    density : float. Share of weights that are not zero. [1]
    storage : str. ``dense``: zeros kept, the bytes of a dense layer. ``csr``: values, a column
        index for each and a pointer for each row and the end. ``2:4``: of every four inputs two
        values are kept, zeros among them, with 2 bits each for their places.
    index_bytes : int. Of a column index or a row pointer. [bytes]

    Raises
    ------
    ValueError
        Indices too narrow for the layer; inputs or a density that 2:4 does not have.
    """
    there = kept(inputs, outputs, density)
    biases = (Part(f"{name}.bias", (outputs,), BIAS),) if bias else ()
    if storage == "csr":
        most = max(inputs, there)
        if most >= 1 << (8 * index_bytes - 1):
            raise ValueError(
                f"index_bytes = {index_bytes}: too narrow for {inputs:,} columns and {there:,} "
                "values"
            )
        return (
            Part(f"{name}.values", (there,), LINEAR),
            Part(f"{name}.col_indices", (there,), INDEX, fixed=float(index_bytes)),
            Part(f"{name}.crow_indices", (outputs + 1,), INDEX, fixed=float(index_bytes)),
            *biases,
        )
    if storage == "2:4":
        if inputs % 4:
            raise ValueError(f"storage = 2:4: expected inputs in fours, found {inputs:,}")
        half = inputs * outputs // 2
        if there > half:
            raise ValueError(f"density = {density}: expected at most 0.5 with storage 2:4")
        return (
            Part(f"{name}.values", (outputs, inputs // 2), LINEAR, zeros=half - there),
            Part(f"{name}.places", (math.ceil(half / 4),), INDEX, fixed=1.0),
            *biases,
        )
    zeros = inputs * outputs - there
    return (Part(f"{name}.weight", (outputs, inputs), LINEAR, zeros=zeros), *biases)
