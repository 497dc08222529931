"""JSON lines: one object a line, whose keys are named as columns are."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from traces.formats._lines import Unfit, number
from traces.formats._source import Source
from traces.formats._text import plain_name

Path = tuple[str, ...]
Record = Mapping[str, Any]

_LOOKED_AT: Final = 50
_OBJECT: Final = "one JSON object a line"


def is_lines(source: Source) -> bool:
    """Whether the file starts with an object on a line of its own."""
    return bool(head_records(source))


def head_records(source: Source) -> list[Record]:
    """The objects on the first lines; those that cannot be read are left out."""
    if not source.head.lstrip().startswith(b"{"):
        return []
    lines = [line for line in source.head.split(b"\n") if line.strip()][:_LOOKED_AT]
    return [record for line in lines if (record := _quietly(line)) is not None]


def record_of(line: bytes) -> Record:
    """The object on a line.

    Raises
    ------
    Unfit
        The line holds none.
    """
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        raise Unfit("no JSON", _OBJECT, value=line) from None
    if not isinstance(found, dict):
        raise Unfit("no object", _OBJECT, value=line)
    return found


def paths(records: Iterable[Record]) -> tuple[Path, ...]:
    """Keys of some records in order of appearance, those of objects inside them too."""
    found: dict[Path, None] = {}
    for record in records:
        for key, value in record.items():
            if isinstance(value, dict):
                found |= dict.fromkeys((key, inner) for inner in value)
            else:
                found[(key,)] = None
    return tuple(found)


def shown_names(found: Sequence[Path]) -> tuple[str, ...]:
    """Names of paths for people, joined by a dot."""
    return tuple(".".join(path) for path in found)


def plain_names(found: Sequence[Path]) -> tuple[str, ...]:
    """Names of paths as those of columns: the innermost key."""
    return tuple(plain_name(path[-1]) for path in found)


def at(record: Record, path: Path) -> Any:
    """What stands at a path, or None."""
    value: Any = record
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def stamp_at(record: Record, path: Path) -> str:
    """The text of a stamp, which may be a number or text.

    Raises
    ------
    Unfit
        There is none.
    """
    value = at(record, path)
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return repr(value)
    raise Unfit("no stamp", "a number or a text", ".".join(path), value)


def values_at(record: Record, found: Sequence[Path]) -> list[float]:
    """The numbers at some paths; NaN where there is none."""
    return [number(at(record, path), ".".join(path)) for path in found]


def objects(document: Any) -> Iterator[tuple[int, Any]]:
    """The items of a list with ordinals from 1, as lines are numbered."""
    yield from enumerate(document, 1)


def _quietly(line: bytes) -> Record | None:
    try:
        return record_of(line)
    except Unfit:
        return None
