"""What a row is known by: everything that it depends on, as one hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from modeler.plain import to_plain
from modeler.study.jobs.task import Task
from modeler.study.jobs.world import world


def keys_of(tasks: Sequence[Task]) -> list[str]:
    """The key of each task's row.

    Parameters
    ----------
    tasks : sequence of Task.

    Returns
    -------
    list of str
        32 hex digits each, of engine, tables and libraries (`world`), the traffic's content, every
        setting with the seed among them, and the content of the files that settings name. Two
        tasks with one key have the same row, whenever and wherever it was made.
    """
    return [_key(task) for task in tasks]


def digest_of(keys: Sequence[str]) -> str:
    """Hash of a whole sweep: of its rows' keys, in their order."""
    return hashlib.sha256("\n".join(keys).encode()).hexdigest()[:16]


def _key(task: Task) -> str:
    point = task.point
    settings = point.scenario.model_dump(mode="json", exclude={"name", "sweep", "gates"})
    said = [
        world(),
        task.kind,
        task.trace,
        task.replicates,
        task.lead_s,
        settings,
        to_plain(point.settings),
        None if point.preset is None else [point.preset.name, point.preset.note],
        None if point.error is None else str(point.error),
        [_content(text, *_stamp(text)) for text in _texts(settings)],
    ]
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:32]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key in sorted(value):
            if key != "trace":  # whose content the task names
                yield from _texts(value[key])
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _stamp(text: str) -> tuple[int, int]:
    """When the file that a setting names was last written, and its size; zeros for other text."""
    try:
        found = Path(text).stat()
    except (OSError, ValueError):  # no file, a name too long for one, or with a null
        return 0, 0
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=256)
def _content(text: str, written_ns: int, size: int) -> str:
    """Hash of the file that a setting names; empty for other text."""
    path = Path(text)
    return hashlib.sha256(path.read_bytes()).hexdigest() if written_ns and path.is_file() else ""
