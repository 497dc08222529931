"""What an architecture is made of: tensors with a role, and what follows from them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

# Roles. Precisions below 16 bit apply to LINEAR alone: embeddings, heads and norms keep theirs.
LINEAR: Final = "linear"
EMBEDDING: Final = "embedding"
HEAD: Final = "head"
NORM: Final = "norm"
BIAS: Final = "bias"
CONVOLUTION: Final = "convolution"
RECURRENT: Final = "recurrent"
BUFFER: Final = "buffer"  # in the file, and no parameter
INDEX: Final = "index"  # where the values of a sparse tensor belong: stored, and no parameter
_NO_PARAMETERS: Final = (BUFFER, INDEX)


@dataclass(frozen=True)
class Part:
    """Equal tensors of an architecture.

    Parameters
    ----------
    name : str. What it is; with ``times`` above 1, of one of them.
    shape : tuple of int.
    role : str. One of the roles of this module.
    times : int. How many of them there are.
    active : float. Share of them that one token or example passes through. [1]
    zeros : int. Elements that are stored and known to be zero: no parameters.
    fixed : float. What an element takes whatever the model's precision; 0 where it has it. [bytes]
    """

    name: str
    shape: tuple[int, ...]
    role: str
    times: int = 1
    active: float = 1.0
    zeros: int = 0
    fixed: float = 0.0

    @property
    def stored(self) -> int:
        """Elements of all of them, zeros included."""
        return math.prod(self.shape) * self.times

    @property
    def elements(self) -> int:
        """Elements of all of them that are not known to be zero."""
        return self.stored - self.zeros

    def stored_bytes(self, bytes_per_element: float) -> float:
        """Bytes of all of them, in a precision of so many bytes an element. [bytes]"""
        return self.stored * (self.fixed or bytes_per_element)


@dataclass(frozen=True)
class Attention:
    """What decides the key-value cache of a decoder.

    Parameters
    ----------
    layers : int. Layers with attention over what came before.
    heads, kv_heads, head_dim : int. Query heads, key and value heads, and their width.
    latent : int. Elements cached per token and layer in place of keys and values; 0 for none.
    window : int. Tokens that a layer with a sliding window looks back; 0 for none.
    windowed_layers : int. How many of the layers have that window.
    """

    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    latent: int = 0
    window: int = 0
    windowed_layers: int = 0

    def cache_elements(self, tokens: float = 1.0) -> float:
        """Elements cached for a sequence of so many tokens, all ranks together."""
        full = self.layers - self.windowed_layers
        seen = min(tokens, self.window) if self.window else tokens
        return self._width * (full * tokens + self.windowed_layers * seen)

    def tokens_of(self, elements: float) -> float:
        """Tokens of a sequence whose cache takes so many elements; infinite where none grows."""
        full = self.layers - self.windowed_layers
        within = elements / (self._width * self.layers) if self.layers else math.inf
        if not self.windowed_layers or within <= self.window:
            return within
        if not full:
            return math.inf
        return (elements / self._width - self.windowed_layers * self.window) / full

    @property
    def _width(self) -> int:
        """Elements of a token in one layer."""
        return self.latent or 2 * self.kv_heads * self.head_dim


@dataclass(frozen=True)
class Architecture:
    """Tensors of a model, counted and not loaded.

    Parameters
    ----------
    kind : str. The family or type it was read as.
    parts : tuple of Part. Tied tensors once.
    dtype : str. Precision its weights are published in, as far as it says so.
    hidden : int. Width of its layers; 0 where they differ.
    attention : Attention, optional. Of a decoder.
    experts, experts_per_token : int. Routed experts in a layer; 0 without.
    used, unused : tuple of str. Fields that the count rests on, and fields that say nothing to it.
    notes : tuple of str. What to know before relying on the count.
    exact : bool. Whether the family is known; otherwise the count is an estimate.
    positions : int. Tokens of a sequence at most; 0 where it does not say.
    """

    kind: str
    parts: tuple[Part, ...]
    dtype: str = "fp32"
    hidden: int = 0
    attention: Attention | None = None
    experts: int = 0
    experts_per_token: int = 0
    used: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    exact: bool = True
    positions: int = 0

    def of(self, *roles: str) -> Iterator[Part]:
        """Parts of some roles."""
        return (part for part in self.parts if part.role in roles)

    @property
    def parameters(self) -> int:
        """All trained elements, tied ones once. [parameters]"""
        return total(part for part in self.parts if part.role not in _NO_PARAMETERS)

    @property
    def active_parameters(self) -> int:
        """Those that one token passes through: all but the experts it is not sent to."""
        return round(
            sum(
                part.elements * part.active
                for part in self.parts
                if part.role not in _NO_PARAMETERS
            )
        )

    @property
    def buffer_elements(self) -> int:
        """Elements in the file that are no parameters: buffers, counters and indices."""
        return total(self.of(*_NO_PARAMETERS))

    @property
    def linear_parameters(self) -> int:
        """Those of matrices that quantisation applies to. [parameters]"""
        quantised = self.of(LINEAR, CONVOLUTION, RECURRENT)
        return total(part for part in quantised if not part.fixed)

    @property
    def tensors(self) -> int:
        """Tensors in a file of it."""
        return sum(part.times for part in self.parts)

    def state_bytes(self, bytes_per_element: float) -> int:
        """Bytes of parameters and buffers, as a file keeps them; counters at 8 each. [bytes]"""
        return math.ceil(sum(part.stored_bytes(bytes_per_element) for part in self.parts))

    def sparse_bytes(self, bytes_per_element: float) -> float:
        """Bytes of zeros and of indices beside the parameters; 0 of a dense model. [bytes]"""
        indices = sum(part.stored_bytes(bytes_per_element) for part in self.of(INDEX))
        return sum(part.zeros for part in self.parts) * bytes_per_element + indices

    def read_bytes(self, batch: float, bytes_per_element: float) -> float:
        """Weights that one step over so many tokens reads, experts as they are expected to be hit.

        Notes
        -----
        Each token goes to k of E experts; B tokens are expected to hit E (1 - (1 - k/E)^B).
        """
        read = 0.0
        for part in self.parts:
            if part.role == BUFFER:
                continue
            share = 1.0 if part.active == 1.0 else 1.0 - (1.0 - part.active) ** max(batch, 1.0)
            read += part.stored_bytes(bytes_per_element) * share
        return read


def total(parts: Iterable[Part]) -> int:
    """Elements of several parts."""
    return sum(part.elements for part in parts)
