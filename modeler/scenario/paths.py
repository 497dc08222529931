"""The one name of every setting: ``block.key``."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, get_args

from modeler.scenario.errors import nearest
from modeler.scenario.fields import Block
from modeler.scenario.schema import BLOCKS, KINDS, Scenario


@cache
def known_paths() -> dict[str, tuple[str, ...]]:
    """Every path a scenario understands, with the kinds of its block that have it.

    Returns
    -------
    mapping of str to tuple of str
        The kinds are empty for a path whose block has only one kind.
    """
    paths: dict[str, tuple[str, ...]] = {}
    for name in Scenario.model_fields:
        paths[name] = ()
        for kind, cls in block_classes(name):
            for key in cls.model_fields:
                paths[f"{name}.{key}"] = (*paths.get(f"{name}.{key}", ()), *kind)
    return paths


def block_classes(name: str) -> Iterator[tuple[tuple[str, ...], type[Block]]]:
    """The classes of a block, each with its kind; nothing for a plain setting."""
    if name in KINDS:
        for kind, cls in KINDS[name].items():
            yield (kind,), cls
    elif name in BLOCKS:
        annotation = Scenario.model_fields[name].annotation
        assert isinstance(annotation, type)
        yield (), annotation


def kind_of(name: str, block: Any) -> str:
    """The kind of a block as written, its default when left out; empty where there is one kind."""
    if name not in KINDS:
        return ""
    default = str(next(iter(KINDS[name])))
    return str(block.get("kind", default)) if isinstance(block, Mapping) else default


def keys_of(name: str, kind: str) -> tuple[str, ...]:
    """The keys of a block of that kind."""
    for kinds, cls in block_classes(name):
        if not kinds or kinds == (kind,):
            return tuple(cls.model_fields)
    return ()


def nested_block(annotation: Any) -> type[Block] | None:
    """The block inside of a key's annotation, alone or in a list; None for a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return annotation
    inner = (nested_block(one) for one in get_args(annotation))
    return next((found for found in inner if found), None)


def _keys_inside(block: str, kind: str, parts: Sequence[str]) -> tuple[str, ...]:
    """The keys of a block inside of a block, such as an entry of ``policy.metrics``."""
    here = next((cls for kinds, cls in block_classes(block) if kinds in ((), (kind,))), None)
    for part in parts:
        if here is not None and not part.isdigit():
            field = here.model_fields.get(part)
            here = nested_block(field.annotation) if field else None
    return tuple(here.model_fields) if here else ()


def explain_unknown(path: str, kind: str = "") -> tuple[str, str]:
    """Why a path means nothing here, and what was probably meant.

    Parameters
    ----------
    path : str. Such as ``policy.targt`` or ``min``.
    kind : str. The kind that its block has in this scenario, where it has several.

    Returns
    -------
    message, nearest : str, str
    """
    block, _, key = path.partition(".")
    paths = known_paths()
    if key and paths.get(path):
        kinds = " or ".join(paths[path])
        return f"{path} belongs to {block}.kind {kinds}; here {block}.kind is {kind}", ""
    inside, _, last = path.rpartition(".")
    if "." in inside and block in paths:
        near = nearest(last, _keys_inside(block, kind, inside.split(".")[1:]))
        message = f'unknown key "{last}" in {inside}'
    elif key and block in paths:
        near = nearest(key, keys_of(block, kind))
        message = f'unknown key "{key}" in {block}'
    else:
        near = nearest(path, list(Scenario.model_fields)) or nearest(path, list(paths))
        message = f'unknown key "{path}"'
    if not near:
        # A key at home in another block, or misspelt there: "min" is fleet.min.
        at_home = {known.rpartition(".")[2]: known for known in reversed(paths) if "." in known}
        near = at_home.get(nearest(path.rpartition(".")[2], list(at_home)), "")
    if not near:
        keys = keys_of(block, kind) if key and block in paths else tuple(Scenario.model_fields)
        message += f": expected one of {', '.join(keys)}"
    return message, near
