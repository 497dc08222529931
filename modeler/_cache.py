"""Where compiled code is kept, so that what was compiled from other sources is never run.

numba keeps a compiled function as long as its own file is unchanged, also when a function that it
calls from another file is not: after an update the old code would run, silently. So the cache lies
in a folder named after all the sources that are compiled together, and another version of any of
them has another folder. It is put beside the package, else under the user's cache folder, else,
for an installed package in a container without a home, say, in the temporary directory.
"""

import hashlib
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

_PREFIX: Final = "modeler-compiled-"
_COMPILED: Final = ("compiled.py", "autoscale", "measure", "replay")
# Folders of other versions are kept for a while: checkouts take turns with one cache.
_KEPT_S: Final = 14 * 86_400.0


def ensure_cache() -> None:
    """Point numba at the folder of these very sources."""
    package = Path(__file__).resolve().parent
    name = f"{_PREFIX}{fingerprint(package)}"
    given = os.environ.get("NUMBA_CACHE_DIR")
    if given:
        # A folder that another process of ours has chosen is named anew, not nested.
        base = Path(given).parent if Path(given).name.startswith(_PREFIX) else Path(given)
    else:
        home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
        places = (package / "__pycache__", home / "numba")
        spare = Path(tempfile.gettempdir()) / f"modeler-{os.getuid()}"
        base = next((place for place in places if _writable(place)), spare)
    folder = base / name
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:  # it has read its environment already
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    if not folder.exists():
        _forget(base, name)


def compiles(since_s: float) -> bool:
    """Whether functions are being compiled: none was kept yet, or some since a moment.

    Parameters
    ----------
    since_s : float. As `time.time` tells it. [s]
    """
    kept = [one.stat().st_mtime for one in Path(os.environ["NUMBA_CACHE_DIR"]).rglob("*.nb[ic]")]
    return max(kept, default=since_s) >= since_s


def fingerprint(package: Path) -> str:
    """Twelve hex digits that change with any source that is compiled: name, size, time."""
    digest = hashlib.sha256()
    for part in _COMPILED:
        place = package / part
        for path in sorted(place.glob("*.py")) if place.is_dir() else (place,):
            about = path.stat()
            digest.update(f"{path.name}:{about.st_size}:{about.st_mtime_ns};".encode())
    return digest.hexdigest()[:12]


def _forget(base: Path, name: str) -> None:
    """Drop the folders of other versions that nobody has used for long."""
    try:
        others = [one for one in base.glob(f"{_PREFIX}*") if one.name != name]
        for one in others:
            if time.time() - one.stat().st_atime > _KEPT_S:
                shutil.rmtree(one, ignore_errors=True)
    except OSError:
        return  # tidying must not keep anybody from working


def _writable(folder: Path) -> bool:
    """Whether the folder, or the nearest one above it that exists, can be written."""
    for place in (folder, *folder.parents):
        if place.exists():
            return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return False
