"""Where compiled code is kept when neither the package nor the home folder can be written.

numba keeps its cache beside the source, else under the user's cache folder, and refuses to work
where it can write to neither: an installed package in a container without a home, say.
"""

import os
import sys
import tempfile
from pathlib import Path


def ensure_cache() -> None:
    """Point numba at a folder of this user's in the temporary directory, if it has no other."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    package = Path(__file__).resolve().parent
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if _writable(package) or _writable(home / "numba"):
        return
    folder = Path(tempfile.gettempdir()) / f"modeler-compiled-{os.getuid()}"
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    if "numba" in sys.modules:  # it has read its environment already
        sys.modules["numba"].config.CACHE_DIR = str(folder)


def _writable(folder: Path) -> bool:
    """Whether the folder, or the nearest one above it that exists, can be written."""
    for place in (folder, *folder.parents):
        if place.exists():
            return place.is_dir() and os.access(place, os.W_OK | os.X_OK)
    return False
