"""One row to make, and how a finished row is packed.

Rows travel and are kept as JSON. The defaults in force, nine tenths of a row and nearly the same in
every row, stand apart under the hash of their text, so that a thousand rows hold them once.
"""

from __future__ import annotations

import hashlib
import json
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from modeler.plain import to_plain
from modeler.replay.run import Traffic
from modeler.study.grid import Point
from modeler.study.rows import failed_row, reference_row, scenario_row

SCENARIO: Final = "scenario"
REFERENCE: Final = "reference"
LOST: Final = "lost"
_APART: Final = "assumptions"


class Task(NamedTuple):
    """One row to make.

    Attributes
    ----------
    kind : str. `SCENARIO` or `REFERENCE`.
    point : Point. The scenario, and the settings that make it.
    trace : str. Content hash of its traffic.
    replicates : int. Of the scenario, or of the fleet that is chosen for a reference, for bands
        about its headlines; 0 for none.
    lead_s : float or None. Warm-up before each; None: the scenario's own. [s]
    """

    kind: str
    point: Point
    trace: str
    replicates: int = 0
    lead_s: float | None = None


class Packed(NamedTuple):
    """A finished row.

    Attributes
    ----------
    body : bytes. Compressed JSON of the row without the defaults in force.
    apart : str. Hash of those; empty where the row is.
    text : bytes. The defaults themselves, compressed; empty once they are known to the receiver.
    status : str. ``ok``, ``failed``, ``none`` where no fleet can run, or ``lost``: a failed row
        that says of its worker, not of its scenario, and is worth another try.
    """

    body: bytes
    apart: str
    text: bytes
    status: str


def perform(task: Task, traffic: Traffic, progress: Callable[[int], None]) -> Packed:
    """Make a row and pack it."""
    make = reference_row if task.kind == REFERENCE else scenario_row
    return pack(make(task.point, traffic, progress, task.replicates, task.lead_s))


def lost(task: Task, reason: str) -> Packed:
    """The row of a task whose worker died of it."""
    row = {} if task.kind == REFERENCE else failed_row(task.point, WorkerLost(reason))
    return pack(row)._replace(status=LOST)


class WorkerLost(Exception):
    """The process that made a row ended before it was done, every time it was tried."""


def pack(row: Mapping[str, Any]) -> Packed:
    """A row as bytes.

    >>> packed = pack({"status": "ok", "assumptions": [{"path": "fleet.min"}], "seed": 1})
    >>> Unpacker().add(packed).row(packed)
    {'status': 'ok', 'assumptions': [{'path': 'fleet.min'}], 'seed': 1}
    """
    body = dict(row)
    apart = _text(body[_APART]) if body.get(_APART) else b""
    if apart:
        body[_APART] = None  # keeps its place
    key = hashlib.sha256(apart).hexdigest()[:16] if apart else ""
    status = str(body["status"]) if body else "none"
    return Packed(zlib.compress(_text(body), 1), key, _compressed(apart) if apart else b"", status)


@lru_cache(maxsize=16)
def _compressed(apart: bytes) -> bytes:
    return zlib.compress(apart)


def _text(value: Any) -> bytes:
    def dumped(plain: Any) -> str:
        return json.dumps(
            plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=to_plain
        )

    try:
        return dumped(value).encode()
    except ValueError:  # a NaN or an infinity, which are no JSON
        return dumped(to_plain(value)).encode()


class Unpacker:
    """Turns packed rows back into dicts; those with the same defaults share one list of them."""

    def __init__(self) -> None:
        self._apart: dict[str, list[Any]] = {}

    def add(self, packed: Packed) -> Unpacker:
        """Learn the defaults that a row came with."""
        if packed.apart and packed.apart not in self._apart:
            self._apart[packed.apart] = json.loads(zlib.decompress(packed.text))
        return self

    def row(self, packed: Packed) -> dict[str, Any]:
        """The row as it was."""
        return self.read(zlib.decompress(packed.body), packed.apart)

    def read(self, text: bytes, apart: str) -> dict[str, Any]:
        """The same, from its JSON and the hash of its defaults."""
        row: dict[str, Any] = json.loads(text)
        if apart:
            row[_APART] = self._apart[apart]
        return row


class Shelf:
    """Texts of packed rows in a third of their room: each is written in terms of the first."""

    def __init__(self) -> None:
        self._first = b""
        self._rows: list[tuple[bytes, str]] = []

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, packed: Packed) -> None:
        """Put a row at the end."""
        text = zlib.decompress(packed.body)
        self._first = self._first or text
        writer = zlib.compressobj(zdict=self._first)
        body = writer.compress(text) + writer.flush()
        self._rows.append((body, sys.intern(packed.apart)))

    def __getitem__(self, index: int) -> tuple[bytes, str]:
        """JSON of a row, and the hash of its defaults; see `Unpacker.read`."""
        body, apart = self._rows[index]
        return zlib.decompressobj(zdict=self._first).decompress(body), apart
