"""A folder of results, written whole or not at all.

Everything is built in a folder beside the place and moved there when it is complete, so that an
interrupted run leaves what stood there before.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final


class OutputFolderError(Exception):
    """A folder that cannot be written.

    Attributes
    ----------
    folder : Path. The folder that was asked for.
    """

    exit_code: Final = 2

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"cannot write to {folder}: {why}")
        self.folder = folder


def check_writable(folder: str | os.PathLike[str]) -> Path:
    """Refuse a folder that could not be written, before the work instead of after it.

    Nothing is left behind: the folder is not made, only the nearest one that exists is tried.

    Parameters
    ----------
    folder : path. It, or any number of its parents, need not exist yet.

    Raises
    ------
    OutputFolderError
        Naming the folder and what is wrong with it.
    """
    path = Path(folder)
    nearest = next(one for one in (path, *path.absolute().parents) if one.exists())
    if not nearest.is_dir():
        raise OutputFolderError(path, f"{nearest} is not a folder")
    try:
        # Permissions alone do not tell: the file system may be read-only, or the user root.
        os.rmdir(tempfile.mkdtemp(dir=nearest, prefix=".modeler-"))
    except OSError as error:
        raise OutputFolderError(path, f"{nearest}: {error.strerror}") from error
    return path


@contextlib.contextmanager
def whole_folder(folder: str | os.PathLike[str]) -> Iterator[Path]:
    """A scratch folder whose files all appear in `folder` when the block ends without an error.

    Files of other names in `folder` stay; each of ours is replaced in one step.

    Raises
    ------
    OutputFolderError
        The folder cannot be made or written.
    """
    path = check_writable(folder)
    scratch: str | None = None
    try:
        path.absolute().parent.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(dir=path.absolute().parent, prefix=f".{path.name}.")
        yield Path(scratch)
        _move(Path(scratch), path)
    except OSError as error:
        raise OutputFolderError(path, error.strerror or str(error)) from error
    finally:
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)


def _move(scratch: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for source in sorted(one for one in scratch.rglob("*") if one.is_file()):
        target = folder / source.relative_to(scratch)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(source, target)
