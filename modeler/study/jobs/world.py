"""What a row depends on besides its scenario and its traffic: engine, prices, constants.

A worker on another machine is asked for the hash of its own before it starts: a row of another
version, or of other prices, is never taken for one of those asked for.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import modeler
import pricing
import traces
from pricing.own import folder as pricing_folder

_ROOTS: Final = (modeler, pricing, traces)
_LIBRARIES: Final = ("numpy", "numba", "scipy")  # scipy for the intervals of a row
_KINDS: Final = (".py", ".csv", ".json", ".yaml")


def world() -> str:
    """Hash of the engine's source, its tables and the libraries that do its arithmetic."""
    own = pricing_folder()
    tables = sorted(own.glob("*.csv")) if own is not None and own.is_dir() else []
    return _hashed(tuple((path, path.stat().st_mtime_ns) for path in tables))


@cache
def _hashed(own: tuple[tuple[Path, int], ...]) -> str:
    """The same, for a user's tables as they were last written."""
    digest = hashlib.sha256()
    for name in _LIBRARIES:
        digest.update(f"{name} {version(name)}\n".encode())
    digest.update(f"{platform.python_version()} {platform.machine()}\n".encode())
    for path in _sources():
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for path, _ in own:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    """Every file of code and every table, in an order that no file system decides."""
    for package in _ROOTS:
        root = Path(package.__path__[0])
        found = (path for path in root.rglob("*") if path.suffix in _KINDS and path.is_file())
        yield from sorted(found, key=lambda path: path.relative_to(root).as_posix())
