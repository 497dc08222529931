"""Traffic on disk under its content hash, where every process of a machine maps the same pages."""

from __future__ import annotations

import getpass
import hashlib
import os
import tempfile
from functools import lru_cache
from pathlib import Path

import traces
from modeler.replay.run import Traffic
from traces import CountSeries, Trace
from traces.convert import write


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
    path = _path(digest)
    handle, scratch = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(scratch, path)
    finally:
        Path(scratch).unlink(missing_ok=True)


def forget(digest: str) -> None:
    """Take traffic from the spool; a process that has mapped it keeps it."""
    _path(digest).unlink(missing_ok=True)


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
