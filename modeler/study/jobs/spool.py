"""Traffic on disk under its content hash, where every process of a machine maps the same pages.

A sweep marks what it uses, and takes its marks away when it ends; traffic goes with the last mark.
A sweep that was killed leaves marks behind: one that nobody has renewed for a day counts no more,
and the next sweep on that machine clears away what was left.
"""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Final

import traces
from modeler.replay.run import Traffic
from traces import CountSeries, Trace
from traces.convert import write

# A mark is renewed with each chunk of scenarios; none is expected to take as long.
KEPT_S: Final = 86_400.0
_MARK: Final = ".use"


class TraceMissing(Exception):
    """A machine does not hold the traffic that a task needs.

    Attributes
    ----------
    digest : str. Its content hash.
    """

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest


def folder() -> Path:
    """Where this machine keeps traffic for its workers: a folder of this user alone."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = str(os.getuid()) if hasattr(os, "getuid") else "user"
    path = Path(tempfile.gettempdir()) / f"modeler-traffic-{user}"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def place(traffic: Traffic) -> Path:
    """Write traffic to the spool unless it lies there; the file appears when it is complete."""
    path = _path(traffic.content_hash)
    if not path.exists():
        _clear()
        write(traffic, path, "npz")
    return path


def content(traffic: Traffic) -> tuple[bytes, str]:
    """The spooled file's bytes and their SHA-256, to send to another machine."""
    data = place(traffic).read_bytes()
    return data, hashlib.sha256(data).hexdigest()


def receive(digest: str, data: bytes, expected: str) -> None:
    """Keep traffic that was sent.

    Raises
    ------
    ValueError
        The bytes are not those that were sent.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise ValueError(f"traffic {digest} arrived damaged: {found}, expected {expected}")
    _clear()
    path = _path(digest)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(scratch, path)
    finally:
        Path(scratch).unlink(missing_ok=True)


def hold(digest: str, sweep: str) -> None:
    """Mark traffic as used by a sweep, for `KEPT_S` from now; before it is looked for."""
    (folder() / f"{digest}.{sweep}{_MARK}").touch()


def release(digest: str, sweep: str) -> None:
    """Take a sweep's mark away, and the traffic where no other sweep uses it.

    A process that has mapped the traffic keeps it; a sweep that came at this very moment finds it
    missing, and places it again.
    """
    (folder() / f"{digest}.{sweep}{_MARK}").unlink(missing_ok=True)
    if digest not in _used():
        with suppress(OSError):  # where a file that is mapped cannot be removed, `_clear` will
            _path(digest).unlink(missing_ok=True)
    traffic_of.cache_clear()  # or a worker that lives on would keep the file's room


def where() -> str:
    """The same for all processes that share a spool."""
    return f"{socket.gethostname()}:{folder()}"


def held(digest: str) -> bool:
    """Whether this machine holds the traffic."""
    return _path(digest).exists()


@lru_cache(maxsize=4)
def traffic_of(digest: str) -> Traffic:
    """The traffic of a content hash, mapped into memory and verified.

    Raises
    ------
    TraceMissing
        It is not in the spool, or what is there is another's.
    """
    path = _path(digest)
    if not path.exists():
        raise TraceMissing(digest)
    found = traces.load(str(path))
    if _hash_of(found) != digest:
        path.unlink(missing_ok=True)
        raise TraceMissing(digest)
    return found


def _hash_of(found: Traffic) -> str:
    """The hash of what a file holds, not of what it says of itself."""
    if isinstance(found, CountSeries):
        return found.content_hash  # read whole, and taken from what was read
    return Trace(
        found.arrival_s,
        dict(found.columns),
        t0_ns=found.t0_ns,
        t0_is_absolute=found.t0_is_absolute,
    ).content_hash


def _path(digest: str) -> Path:
    return folder() / f"{digest}.npz"


def _used() -> set[str]:
    """What sweeps use now."""
    found, now = set(), time.time()
    for path in folder().glob(f"*{_MARK}"):
        with suppress(OSError):  # taken away meanwhile
            if now - path.stat().st_mtime < KEPT_S:
                found.add(path.name.partition(".")[0])
    return found


def _clear() -> None:
    """Take away what sweeps that were killed left: old marks, traffic without any, scratch."""
    used, now = _used(), time.time()
    for path in folder().iterdir():
        with suppress(OSError):
            old = now - path.stat().st_mtime >= KEPT_S
            if old and not (path.suffix == ".npz" and path.stem in used):
                path.unlink()
