"""The shape of a block: which settings, blocks and lists of blocks stand under its keys."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    NamedTuple,
    TypeGuard,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import Discriminator

from modeler.scenario.fields import Block

# Stands in a path for the number of an item of a list.
ITEM: Final = "N"


class Shape(NamedTuple):
    """What may stand under a key.

    Attributes
    ----------
    classes : mapping of str to class. The blocks that may stand there, by kind; one under the
        empty string where there is no choice; none for a plain value.
    default : str. The kind of a block that names none; empty where it must be named.
    listed : bool. A list of these.
    keyed : bool. A mapping with keys of the analyst's own.
    """

    classes: Mapping[str, type[Block]] = {}
    default: str = ""
    listed: bool = False
    keyed: bool = False

    @property
    def has_kinds(self) -> bool:
        """Whether ``kind`` chooses the class."""
        return bool(self.classes) and "" not in self.classes

    def kind_of(self, value: object) -> str:
        """The kind of a block as written; empty where there is no choice."""
        if not self.has_kinds:
            return ""
        return str(part_of(value, "kind", self.default))

    def class_of(self, value: object) -> type[Block] | None:
        """The class of a block as written; None for an unknown kind and for a plain value."""
        return self.classes.get(self.kind_of(value))


@cache
def shapes(cls: type[Block]) -> dict[str, Shape]:
    """What stands under each key of a class."""
    hints = get_type_hints(cls, include_extras=True)
    return {name: shape_of(hints[name]) for name in cls.model_fields}


def shape_of(hint: Any) -> Shape:
    """What a type stands for.

    >>> shape_of(tuple[float, ...]).listed
    True
    """
    shape = Shape()
    while True:
        origin, arguments = get_origin(hint), get_args(hint)
        if origin is Annotated:
            for about in arguments[1:]:
                if isinstance(about, Discriminator) and callable(about.discriminator):
                    shape = shape._replace(default=str(about.discriminator({})))
            hint = arguments[0]
        elif origin in (tuple, list):
            shape, hint = shape._replace(listed=True), arguments[0]
        elif origin in (Union, UnionType):
            members = [member for member in arguments if member is not NoneType]
            if len(members) > 1:
                classes = [_bare(member) for member in members]
                if all(_is_block(found) for found in classes):
                    return shape._replace(classes={_own_kind(found): found for found in classes})
                return shape
            hint = members[0]
        elif _is_block(hint):
            return shape._replace(classes={"": hint})
        else:
            return shape._replace(keyed=origin is dict or hint is dict)


def patterns(cls: type[Block], prefix: str = "") -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every path below a class, `ITEM` for the number of an item, with the kinds that have it.

    A path comes once for each kind of its own block that has it; the kinds are empty where the
    block has no kinds.
    """
    for name, shape in shapes(cls).items():
        path = f"{prefix}{name}"
        yield path, ()
        below = f"{path}.{ITEM}" if shape.listed else path
        for kind, found in shape.classes.items():
            for deeper, kinds in patterns(found, f"{below}."):
                own = deeper.rpartition(".")[0] == below
                yield deeper, (kind,) if own and kind else kinds


def part_of(value: object, key: str | int, default: object = None) -> Any:
    """What stands under a key of a mapping or block, or at a number of a list."""
    if isinstance(value, Block) and isinstance(key, str):
        return getattr(value, key, default)
    if isinstance(value, Mapping):
        return value.get(key, default)
    if is_list(value) and isinstance(key, int) and 0 <= key < len(value):
        return value[key]
    return default


def is_list(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether a value is a list of values, and no text."""
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def parts_of(path: str) -> tuple[str | int, ...]:
    """The parts of a dotted path, numbers of items as numbers.

    >>> parts_of("policies.0.target")
    ('policies', 0, 'target')
    """
    return tuple(int(part) if part.isdecimal() else part for part in path.split("."))


def default_of(cls: type[Block], name: str) -> Any:
    """The default of a field; None where it must be given."""
    field = cls.model_fields[name]
    return None if field.is_required() else field.get_default(call_default_factory=True)


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def _is_block(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Block)


def _own_kind(cls: type[Block]) -> str:
    return str(get_args(cls.model_fields["kind"].annotation)[0])
