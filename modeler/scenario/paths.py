"""The one name of every setting: ``block.key``, ``block.list.0.key``."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from modeler.scenario.errors import nearest
from modeler.scenario.kinds import default_policy
from modeler.scenario.schema import Scenario
from modeler.scenario.tree import (
    ITEM,
    Shape,
    default_of,
    is_list,
    part_of,
    parts_of,
    patterns,
    shapes,
)

Path = tuple[str | int, ...]


class Place(NamedTuple):
    """A place in a scenario as written.

    Attributes
    ----------
    at : tuple of str and int. Its path; empty for the scenario itself.
    shape : Shape. What may stand there.
    value : object. What does: plain data or blocks; the default where nothing was written.
    kind : str. The kind of the block that stands there; empty where there is no choice.
    """

    at: Path
    shape: Shape
    value: Any
    kind: str

    @property
    def name(self) -> str:
        """The path with dots."""
        return dotted(self.at)

    def keys(self) -> tuple[str, ...]:
        """The keys of the block that stands there; of every kind when its own is unknown."""
        found = self.shape.classes.get(self.kind)
        classes = [found] if found else self.shape.classes.values()
        return tuple(dict.fromkeys(key for cls in classes for key in cls.model_fields))


class Unknown(NamedTuple):
    """Why a path means nothing in a scenario.

    Attributes
    ----------
    message : str. What is wrong.
    key : str. The key that was probably meant, as it would be written in its place.
    path : str. The whole path that was probably meant.
    """

    message: str
    key: str = ""
    path: str = ""


@cache
def known_paths() -> dict[str, tuple[str, ...]]:
    """Every path a scenario understands, with the kinds of its block that have it.

    Returns
    -------
    mapping of str to tuple of str
        ``N`` stands for the number of an item of a list. The kinds are empty for a path whose
        block has only one kind.
    """
    paths: dict[str, tuple[str, ...]] = {}
    for path, kinds in patterns(Scenario):
        paths[path] = tuple(dict.fromkeys((*paths.get(path, ()), *kinds)))
    return paths


def dotted(path: Path) -> str:
    """A path as text."""
    return ".".join(str(part) for part in path)


def follow(path: Path, data: Any) -> tuple[list[Place], Path]:
    """The places along a path, and what is left of it where it leads nowhere.

    Parameters
    ----------
    path : tuple of str and int. Where to go.
    data : mapping or Scenario. The scenario as written, mistakes included.
    """
    places = [Place((), Shape({"": Scenario}), data, "")]
    for i, part in enumerate(path):
        step = _step(places[-1], part, data)
        if step is None:
            return places, path[i:]
        places.append(step)
    return places, ()


def place_of(path: Path, data: Any) -> Place:
    """The last place along a path that means something."""
    return follow(path, data)[0][-1]


def owner_of(path: Path, data: Any) -> Place:
    """The block that a path is a key of, or as near to it as the path means something."""
    return place_of(path[:-1], data)


def kind_of(name: str, data: Any) -> str:
    """The kind of a block as written, its default where left out; empty where there is one."""
    return place_of((name,), data).kind


def unknown(path: Path, data: Any) -> Unknown | None:
    """Why a path means nothing here, and what was probably meant; None when it means something.

    Parameters
    ----------
    path : tuple of str and int. Such as ``("policy", "targt")`` or ``("min",)``.
    data : mapping or Scenario. The scenario as written: a kind decides which keys there are.
    """
    places, rest = follow(path, data)
    if not rest:
        return None
    place, part = places[-1], rest[0]
    if place.shape.listed:
        return _no_item(place, part)
    if not place.shape.classes:
        return Unknown(f'{place.name} is one value and has no "{part}"')
    others = [kind for kind, cls in place.shape.classes.items() if part in cls.model_fields]
    if others:
        kinds = " or ".join(others)
        where = place.name
        return Unknown(
            f"{where}.{part} belongs to {where}.kind {kinds}; here {where}.kind is {place.kind}"
        )
    return _no_key(place, str(part), dotted(path), dotted(rest[1:]))


def _step(place: Place, part: str | int, data: Any) -> Place | None:
    """One part further, or None when it leads nowhere."""
    shape = place.shape
    if shape.listed:
        items: Any = place.value if is_list(place.value) else ()
        if isinstance(place.value, Mapping):
            items = (place.value,)  # one item, where a class takes it without its brackets
        if not isinstance(part, int) or part >= len(items):
            return None
        item = shape._replace(listed=False)
        return _place((*place.at, part), item, items[part], data)
    cls = shape.classes.get(place.kind)
    if cls is None and place.shape.has_kinds:  # an unknown kind is another mistake
        cls = next((one for one in shape.classes.values() if part in one.model_fields), None)
    if shape.keyed:
        return Place((*place.at, part), Shape(), part_of(place.value, part), "")
    if cls is None or part not in cls.model_fields:
        return None
    name = str(part)
    value = part_of(place.value, name, default_of(cls, name))
    return _place((*place.at, name), shapes(cls)[name], value, data)


def _place(at: Path, shape: Shape, value: Any, data: Any) -> Place:
    if at == ("policy",) and part_of(value, "kind") is None:
        # Only the policy's default is another block's: each platform has its own.
        return Place(at, shape, value, default_policy(kind_of("hosting", data)))
    return Place(at, shape, value, "" if shape.listed else shape.kind_of(value))


def _no_item(place: Place, part: str | int) -> Unknown:
    count = len(place.value) if is_list(place.value) else 0
    held = f"holds {count}" if count else "is empty"
    known = (
        f"write 0 to {count - 1}" if count > 1 else "write 0" if count else "give the whole list"
    )
    what = "has no item" if isinstance(part, int) else "is a list, items have numbers: no"
    return Unknown(f"{place.name} {what} {part}: it {held}, {known}")


# What engines and platforms call a setting that has another name here.
_ALSO_CALLED: Final = {
    "loader": "cold_start.streaming_load", "max_num_seqs": "fleet.slots", "max_seqs": "fleet.slots",
    "max_concurrency": "fleet.slots", "ttft": "sla.metric", "instance_type": "hosting.instance",
    "min_replicas": "fleet.min", "max_replicas": "fleet.max", "precision": "model.dtype",
}  # fmt: skip
# How alike a key of another block must be to be meant.
_ELSEWHERE: Final = 0.8


def _no_key(place: Place, part: str, path: str, rest: str) -> Unknown:
    """An unknown key of a block, or of the scenario itself."""
    paths = [known for known in known_paths() if f".{ITEM}" not in known]
    keys = place.keys()
    message = f'unknown key "{part}"' + (f" in {place.name}" if place.at else "")
    meant = _ALSO_CALLED.get(part.lower())
    if meant is not None:
        return Unknown(message, meant, meant)
    near = nearest(part, keys)
    if near:
        return Unknown(message, near, _beyond(dotted((*place.at, near)), rest, paths))
    if not place.at:
        near = nearest(path, paths)
    if not near:
        # A key at home in another block, or misspelt there: "min" is fleet.min.
        at_home = {known.rpartition(".")[2]: known for known in reversed(paths) if "." in known}
        near = at_home.get(nearest(path.rpartition(".")[2], list(at_home), _ELSEWHERE), "")
    if not near:
        message += f": expected one of {', '.join(keys)}"
    return Unknown(message, near, near)


def _beyond(path: str, rest: str, paths: Sequence[str]) -> str:
    """A path that was meant, with what was written after it where that means something."""
    if not rest:
        return path
    return f"{path}.{rest}" if f"{path}.{rest}" in paths else nearest(f"{path}.{rest}", paths)


def written(path: str, data: Mapping[str, Any]) -> Sequence[tuple[Path, Any]]:
    """The values written for a setting, alone or to vary it, each with its place."""
    at = parts_of(path)
    value: Any = data
    for part in at:
        value = part_of(value, part)
    axes = data.get("sweep")
    values = axes.get(path) if isinstance(axes, Mapping) else None
    several: Sequence[Any] = values if is_list(values) else ()
    found: list[tuple[Path, Any]] = [] if value is None else [(at, value)]
    return [*found, *((("sweep", path, i), one) for i, one in enumerate(several))]
