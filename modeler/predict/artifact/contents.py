"""What an artifact holds, as its headers say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

# Elements of one tensor beyond which a header is not believed.
MOST_ELEMENTS: Final = 1 << 56


@dataclass(frozen=True)
class Contents:
    """Tensors or trees of an artifact.

    Parameters
    ----------
    format : str. As recognised from the bytes.
    parameters : int, optional. Elements of all tensors; None where the format does not tell.
    tensor_bytes : int, optional. Their bytes, headers apart. [bytes]
    elements : mapping of str to int. Elements by precision.
    tensors : int. How many.
    memory_bytes : int, optional. In memory once loaded, where not as the tensors. [bytes]
    facts : mapping of str to object. What else the headers say: trees, nodes, classes, members.
    notes : tuple of str. What to know before relying on it.
    """

    format: str
    parameters: int | None = None
    tensor_bytes: int | None = None
    elements: Mapping[str, int] = field(default_factory=dict)
    tensors: int = 0
    memory_bytes: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def dtype(self) -> str | None:
        """The precision that most elements have."""
        held = dict(self.elements)
        return max(held, key=lambda name: held[name]) if held else None


def together(format: str, parts: Iterable[Contents], notes: tuple[str, ...] = ()) -> Contents:
    """Several files of one model as one."""
    elements: dict[str, int] = {}
    parameters = tensor_bytes = tensors = 0
    said: list[str] = list(notes)
    for part in parts:
        for name, count in dict(part.elements).items():
            elements[name] = elements.get(name, 0) + count
        parameters += part.parameters or 0
        tensor_bytes += part.tensor_bytes or 0
        tensors += part.tensors
        said += [note for note in part.notes if note not in said]
    return Contents(format, parameters, tensor_bytes, elements, tensors, notes=tuple(said))
