"""A small description of layers as an architecture: what an analyst writes who has no config.json.

``{"type": "mlp", "layers": [57, 512, 3]}``, or ``{"layers": [{"type": "conv", ...}, ...]}`` for one
after another; ``layers`` of widths alone are those of dense layers. Only the first layer of a
network grows with the number of input features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from modeler.predict.architecture.fields import (
    MOST_LISTED,
    ArchitectureError,
    Fields,
    nearest,
    shown,
)
from modeler.predict.architecture.parts import INDEX, Architecture, Attention, Part
from modeler.predict.architecture.spec_layers import ALIASES, TYPES, WITHOUT_WEIGHTS
from modeler.predict.precision import BYTES_PER_PARAMETER

_STACKS: Final = ("stack", "sequential")
_STACK_FIELDS: Final = ("type", "layers", "precision")
_MOST_PARTS: Final = 200_000  # tensors; a thousand layers of a transformer are 16,000
_MOST_PROBLEMS: Final = 20
_HOW: Final = (
    'expected widths of dense layers such as [57, 512, 3], or layers such as [{"type": "dense", '
    '"in": 57, "out": 512}, ...]'
)


def from_spec(content: Mapping[str, Any], source: str = "layers") -> Architecture:
    """Read a description of layers.

    Parameters
    ----------
    content : mapping. ``type`` and what that type needs; ``precision`` of the weights, fp32
        without it; or ``layers`` without a type, a list of such descriptions, or of widths.
    source : str. Named in errors.

    Raises
    ------
    ArchitectureError
        An unknown type, a field that is missing, unknown or cannot be; all of them at once.
    """
    listed = content.get("layers")
    kind = content.get("type")
    if kind is None and isinstance(listed, list) and listed and all(map(_is_width, listed)):
        content = {**content, "type": "mlp"}
        kind = "mlp"
    found = _Found()
    if kind is None or kind in _STACKS:
        kind = "stack"
        _stack(content, found)
    else:
        found.add(content, "")
    precision = content.get("precision")
    if precision is None:
        precision = "fp32"
    elif not isinstance(precision, str) or precision not in BYTES_PER_PARAMETER:
        known = ", ".join(BYTES_PER_PARAMETER)
        hint = nearest(shown(precision), BYTES_PER_PARAMETER)
        found.problems.append(f"precision = {shown(precision)}: expected one of {known}{hint}")
    if found.problems:
        more = len(found.problems) - _MOST_PROBLEMS
        rest = [f"and {more:,} more problems"] if more > 0 else []
        raise ArchitectureError(source, found.problems[:_MOST_PROBLEMS] + rest)
    return Architecture(
        str(kind), tuple(found.parts), precision, attention=found.cache(), notes=found.notes()
    )


def _is_width(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class _Found:
    """Parts, caches and problems of the layers read so far."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.caches: list[Attention] = []
        self.problems: list[str] = []

    def add(self, content: Mapping[str, Any], at: str) -> None:
        """Read one layer; ``at`` is its place, empty for the only one."""
        kind = content.get("type")
        path = f"{at}.type" if at else "type"
        if kind is None:
            hint = next((h for h in (nearest(k, ("type",), 0.75) for k in content) if h), "")
            self.problems.append(f"{path} is missing: expected one of {', '.join(TYPES)}{hint}")
            return
        name = ALIASES.get(kind, kind) if isinstance(kind, str) else ""
        if name not in TYPES:
            hint = nearest(_quoted(kind).strip('"'), [*TYPES, *ALIASES])
            self.problems.append(
                f"{path} = {_quoted(kind)}: expected one of {', '.join(TYPES)}{hint}"
            )
            return
        fields = Fields(content, at or "layers")
        fields.raw("type")
        if not at:
            fields.raw("precision")
        parts, cache = TYPES[name](fields)
        for key in fields.unused:
            if key in WITHOUT_WEIGHTS:
                continue
            said = f"no field of type {name}, which has {', '.join(fields.asked)}"
            if at and key == "precision":
                said = "of the whole stack, beside layers"
            hint = nearest(key, fields.asked)
            fields.problems.append(f"{key[:40]}: {said}{hint}")
        prefix = f"{at}: " if at else ""
        self.problems += [f"{prefix}{problem}" for problem in fields.problems]
        number = at.rpartition(".")[2]
        self.parts += [
            replace(part, name=f"{number}.{part.name}") if at else part for part in parts
        ]
        if cache is not None:
            self.caches.append(cache)

    def cache(self) -> Attention | None:
        """The caches of all layers as one, where they are alike."""
        if not self.caches or len({replace(each, layers=0) for each in self.caches}) > 1:
            return None
        return replace(self.caches[0], layers=sum(each.layers for each in self.caches))

    def notes(self) -> tuple[str, ...]:
        """What to know before relying on the count."""
        notes = []
        if self.caches and self.cache() is None:
            notes.append("layers of several kinds of attention: no cache is counted")
        zeros = sum(part.zeros for part in self.parts)
        if zeros:
            notes.append(
                f"{zeros:,} zeros are stored beside the parameters: storage csr keeps only the "
                "others, with their places"
            )
        places = [part for part in self.parts if part.role == INDEX]
        if places:
            each = "2 bits" if places[0].fixed == 1.0 else f"{places[0].fixed:.0f} bytes"
            size = sum(part.stored_bytes(0.0) for part in places)
            notes.append(f"places of values at {each} each: {size:,.0f} bytes beside the values")
        return tuple(notes)


def _stack(content: Mapping[str, Any], found: _Found) -> None:
    """Layers one after another."""
    listed = content.get("layers")
    if not isinstance(listed, list) or not listed:
        known = ", ".join(TYPES)
        found.problems.append(f"layers = {shown(listed)}: {_HOW}; or give type, one of {known}")
        listed = []
    if len(listed) > MOST_LISTED:
        found.problems.append(
            f"layers has {len(listed):,} entries: expected at most {MOST_LISTED:,}"
        )
        listed = []
    for number, each in enumerate(listed):
        if not isinstance(each, Mapping):
            found.problems.append(f"layers.{number} = {shown(each)}: {_HOW}")
        else:
            found.add(each, f"layers.{number}")
        if len(found.parts) > _MOST_PARTS or len(found.problems) > _MOST_PROBLEMS:
            if len(found.parts) > _MOST_PARTS:
                found.problems.append(f"more than {_MOST_PARTS:,} tensors by layers.{number}")
            break
    for name in content:
        if name not in _STACK_FIELDS:
            hint = nearest(name, _STACK_FIELDS)
            found.problems.append(f"{name[:40]}: expected {', '.join(_STACK_FIELDS)}{hint}")


def _quoted(value: object) -> str:
    return f'"{value[:40]}"' if isinstance(value, str) else shown(value)
