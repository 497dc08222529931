"""Variants of a choice that name a published model: its row fills what is not written."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from modeler.predict.architecture import Architecture
from modeler.predict.catalogue import UnknownVariant, variants
from modeler.predict.known import known, known_names
from modeler.predict.precision import precision
from modeler.scenario import Problem
from modeler.scenario.tree import is_list

# Precisions in which a model is as accurate as it was published.
_AS_PUBLISHED: Final = ("fp64", "fp32", "tf32", "fp16", "bf16")

_Path = tuple[str | int, ...]


def filled(content: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[_Path, Problem]]]:
    """The content with its variants filled, and what the catalogue does not have.

    Parameters
    ----------
    content : mapping. A choice as written, mistakes included.
    """
    listed = content.get("variants")
    if not is_list(listed):
        return dict(content), []
    problems: list[tuple[_Path, Problem]] = []
    done = []
    for number, variant in enumerate(listed):
        wanted = variant.get("catalogue") if isinstance(variant, Mapping) else None
        if not isinstance(wanted, str):
            done.append(variant)
            continue
        try:
            done.append({**_row(wanted, variant.get("dtype")), **variant})
        except UnknownVariant as error:
            near = error.near or tuple(get_close_matches(wanted.lower(), known_names(), 2, 0.5))
            error = UnknownVariant(wanted, near)
            name = f"variants.{number}.catalogue"
            problems.append(
                (("variants", number, "catalogue"), Problem(f"{name}: {error}", name, wanted))
            )
            done.append(variant)
    return {**content, "variants": done}, problems


def _row(wanted: str, dtype: object) -> dict[str, Any]:
    """What is known of a published model, in a precision.

    Raises
    ------
    UnknownVariant
        Neither the catalogue nor the table of architectures has it.
    """
    architecture = _architecture(wanted)
    try:
        rows = variants(wanted)
    except UnknownVariant:
        if architecture is None:
            raise
        return _without_nothing(
            {
                "name": wanted,
                "size": _bytes(architecture, architecture.parameters, dtype),
                "architecture": wanted,
                "parameters": architecture.parameters,
                "flops": 2.0 * architecture.active_parameters,
                "source": f"published configuration of {wanted}",
            }
        )
    # A model has a row for each machine it was measured on; what counts here is in all.
    row = next((row for row in rows if row.accuracy is not None), rows[0])
    size = row.size_bytes
    kept = precision_name(dtype) in (None, *_AS_PUBLISHED)
    if dtype is not None:
        size = _bytes(architecture, row.parameters, dtype)
    accurate = row.accuracy is not None and kept
    return _without_nothing(
        {
            "name": wanted,
            "size": size,
            "accuracy": row.accuracy if accurate else None,
            "metric": row.benchmark if accurate else None,
            "parameters": row.parameters,
            "flops": row.flops,
            "network": row.name.partition(":")[0].rpartition("/")[2]
            if architecture is None
            else None,
            "architecture": None if architecture is None else wanted,
            "source": f"{row.source}, {row.date}".rstrip(", "),
        }
    )


def precision_name(dtype: object) -> str | None:
    """A precision as the table has it; None for none, and for one that is not known."""
    try:
        return precision(dtype).name if isinstance(dtype, str) else None
    except ValueError:
        return None


def _bytes(
    architecture: Architecture | None, parameters: float | None, dtype: object
) -> int | None:
    """Weights in a precision; None where neither the architecture nor a count is known. [bytes]

    Notes
    -----
    Without the architecture every weight takes the bytes of a matrix's: what stays in 16 bits is
    not known.
    """
    name = precision_name(dtype) or "fp16"
    if architecture is not None:
        return round(precision(name).memory_bytes(architecture))
    if parameters is None:
        return None
    return round(parameters * precision(name).linear_bytes)


def _architecture(name: str) -> Architecture | None:
    try:
        return known(name)
    except LookupError:
        return None


def _without_nothing(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
