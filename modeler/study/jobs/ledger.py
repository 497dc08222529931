"""Rows on disk as they are made: one SQLite file a run, its rows known by their keys.

Chunks are committed whole, so that a process killed at any instant loses the chunk in flight and
nothing else (SQLite's write-ahead log). A row of any run of the folder answers for the same key:
what was replayed once is not replayed again.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, Self
from urllib.parse import quote

from modeler.scenario.errors import nearest
from modeler.study.jobs.task import LOST, Packed

VARIABLE: Final = "MODELER_RUNS"
_SCHEMA: Final = 1
_TABLES: Final = """
CREATE TABLE run (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE apart (key TEXT PRIMARY KEY, text BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE row (
    number INTEGER PRIMARY KEY, key TEXT NOT NULL, status TEXT NOT NULL,
    body BLOB NOT NULL, apart TEXT NOT NULL, cached INTEGER NOT NULL
);
CREATE INDEX by_key ON row (key);
CREATE TABLE scenario (number INTEGER PRIMARY KEY, text BLOB NOT NULL);
"""
_ENDING: Final = ".sqlite"
_ASKED_AT_ONCE: Final = 500  # keys of one query; SQLite takes 999 variables at least


class LedgerError(Exception):
    """A ledger that cannot be written, read or found; says where, and what is not lost."""

    exit_code: Final = 2


class About(NamedTuple):
    """A run, as a list of them shows it.

    Attributes
    ----------
    run : str. Its name, which is that of its file.
    created : str. When it began, UTC.
    name : str. Of the scenario.
    tasks, done, failed, cached : int. Rows asked for, made, failed among them, and taken over from
        other runs.
    finished : bool. Whether it came to its end.
    digest : str. Hash of the keys of all its rows: the same sweep has the same.
    size_bytes : int. Of the file. [bytes]
    """

    run: str
    created: str
    name: str
    tasks: int
    done: int
    failed: int
    cached: int
    finished: bool
    digest: str
    size_bytes: int


def folder() -> Path:
    """Where runs are kept: what ``MODELER_RUNS`` names, else the user's data folder."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    base = os.environ.get("XDG_DATA_HOME") or os.path.join("~", ".local", "share")
    return Path(base).expanduser() / "modeler" / "runs"


def check(where: Path) -> None:
    """Refuse a folder that no run could be written to, before the work.

    Raises
    ------
    LedgerError
        Naming the folder and what is wrong with it.
    """
    try:
        where.mkdir(parents=True, exist_ok=True)
        # Permissions alone do not tell: the file system may be read-only, or the user root.
        os.rmdir(tempfile.mkdtemp(dir=where, prefix=".modeler-"))
    except OSError as error:
        raise _cannot(where, error) from error


class Ledger:
    """One run's rows.

    Parameters
    ----------
    path : Path. The file; it must be there, see `create`.
    read_only : bool. Whether it is only looked at.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self.path = path
        self._base = _open(path, read_only=read_only)
        try:
            self._known = {key for (key,) in self._base.execute("SELECT key FROM apart")}
        except sqlite3.Error as error:
            self._base.close()
            raise LedgerError(f"{path} is no ledger of runs: {error}") from error

    @classmethod
    def create(
        cls,
        where: Path,
        keys: Sequence[str],
        about: Mapping[str, Any],
        scenarios: Iterable[bytes] = (),
    ) -> Self:
        """Begin a run.

        Parameters
        ----------
        where : Path. Folder of runs; made if it is not there.
        keys : sequence of str. Of all its rows, in their order.
        about : mapping. What `About` and a report need: ``name``, ``digest``, ``meta``.
        scenarios : iterable of bytes. Of its first rows, as `scenario` gives them back.

        Raises
        ------
        LedgerError
            The folder cannot be written.
        """
        stamp = datetime.now(UTC)
        name = f"{stamp:%Y%m%d-%H%M%S}-{stamp.microsecond // 1000:03}-{about['digest'][:6]}"
        scratch = where / f".{name}-{os.getpid()}.new"
        try:
            where.mkdir(parents=True, exist_ok=True)
            path = next(
                path
                for number in range(1000)
                if not (
                    path := where / f"{name}{f'-{number:03}' if number else ''}{_ENDING}"
                ).exists()
            )
            with closing(sqlite3.connect(scratch)) as base, base:
                base.executescript(_TABLES)
                told = {"schema": _SCHEMA, "created": f"{stamp:%Y-%m-%dT%H:%M:%SZ}",
                        "tasks": len(keys), **about}  # fmt: skip
                base.executemany(
                    "INSERT INTO run VALUES (?, ?)",
                    [(name, json.dumps(value)) for name, value in told.items()],
                )
                base.executemany("INSERT INTO scenario VALUES (?, ?)", enumerate(scenarios))
            os.replace(scratch, path)  # a file of runs has its tables, or is not there
        except (OSError, sqlite3.Error) as error:
            with suppress(
                OSError
            ):  # a file system that is read-only refuses even what is not there
                remove(scratch)
            raise _cannot(where, error) from error
        return cls(path)

    def about(self) -> About:
        """What the run is and how far it came."""
        told = self.told()
        counts = dict(self._base.execute("SELECT status, count(*) FROM row GROUP BY status"))
        (cached,) = self._base.execute("SELECT count(*) FROM row WHERE cached").fetchone()
        done = sum(counts.values())
        return About(
            self.path.stem, told["created"], told.get("name", ""), told["tasks"], done,
            counts.get("failed", 0), cached, done == told["tasks"], told["digest"],
            self.path.stat().st_size,
        )  # fmt: skip

    def told(self) -> dict[str, Any]:
        """What was said of the run when it began."""
        rows = self._base.execute("SELECT name, value FROM run")
        return {name: json.loads(value) for name, value in rows}

    def rows(self) -> Iterator[tuple[int, str, Packed]]:
        """Number, key and row of everything that is done, in the order of the tasks."""
        yield from _read(self._base)

    def scenario(self, number: int) -> bytes | None:
        """The scenario of a row; None where the run came without."""
        query = "SELECT text FROM scenario WHERE number = ?"
        try:
            found = self._base.execute(query, (number,)).fetchone()
        except sqlite3.OperationalError:  # of a version that kept rows alone
            return None
        return found and bytes(found[0])

    def keep(self, rows: Iterable[tuple[int, str, Packed]], *, cached: bool = False) -> None:
        """Commit rows, all or none.

        Raises
        ------
        LedgerError
            The file cannot be written; what was committed before stays.
        """
        # A row that only says that its worker was lost is no result: it is tried another time.
        rows = [one for one in rows if one[2].status != LOST]
        fresh = {one.apart: one.text for _, _, one in rows if one.apart not in self._known}
        fresh.pop("", None)
        try:
            with self._base:
                self._base.executemany("INSERT OR IGNORE INTO apart VALUES (?, ?)", fresh.items())
                self._base.executemany(
                    "INSERT INTO row VALUES (?, ?, ?, ?, ?, ?)",
                    [(number, key, one.status, one.body, one.apart, cached)
                     for number, key, one in rows],
                )  # fmt: skip
        except sqlite3.Error as error:
            raise _cannot(self.path, error, kept=True) from error
        self._known |= fresh.keys()

    def close(self) -> None:
        """Close the file; its log is folded in."""
        with suppress(sqlite3.Error):
            self._base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._base.close()


def known(where: Path, keys: Sequence[str], *, besides: Path | None = None) -> dict[str, Packed]:
    """Rows that runs of a folder have for keys: those that were made, failed ones left out.

    Parameters
    ----------
    where : Path. Folder of runs.
    keys : sequence of str.
    besides : Path, optional. A file that is not asked.
    """
    missing, found = set(keys), dict[str, Packed]()
    for path in runs(where):
        if not missing:
            break
        if path == besides:
            continue
        try:
            with closing(_open(path, read_only=True)) as base:
                asked = sorted(missing)
                for first in range(0, len(asked), _ASKED_AT_ONCE):
                    part = asked[first : first + _ASKED_AT_ONCE]
                    marks = ",".join("?" * len(part))
                    where_keys = f"WHERE row.status != 'failed' AND row.key IN ({marks})"
                    found |= {key: one for _, key, one in _read(base, where_keys, part)}
        except (LedgerError, sqlite3.Error):
            continue  # a file that another version wrote, or that is damaged, has nothing to say
        missing -= found.keys()
    return found


def runs(where: Path) -> list[Path]:
    """The files of a folder's runs, the latest first."""
    return sorted(where.glob(f"*{_ENDING}"), key=lambda path: path.stem, reverse=True)


def find(where: Path, name: str) -> Path:
    """The file of a run by its name, the beginning of it, or ``latest``.

    Raises
    ------
    LedgerError
        There is none, or several begin so; the nearest are named.
    """
    files = runs(where)
    if not files:
        raise LedgerError(f"no runs in {where}")
    if name == "latest":
        return files[0]
    found = [path for path in files if path.stem == name] or [
        path for path in files if path.stem.startswith(name)
    ]
    if len(found) == 1:
        return found[0]
    names = [path.stem for path in found or files]
    if found:
        raise LedgerError(f'run "{name}": {len(found)} begin so: {", ".join(names[:4])}')
    near = nearest(name, names) or names[0]
    raise LedgerError(f'run "{name}": not in {where}; nearest: {near}')


def latest_of(where: Path, digest: str) -> Path | None:
    """The latest run of the same sweep, finished or not."""
    for path in runs(where):
        try:
            with closing(Ledger(path, read_only=True)) as ledger:
                if ledger.about().digest == digest:
                    return path
        except (LedgerError, sqlite3.Error, KeyError):
            continue
    return None


def remove(path: Path) -> None:
    """Take a run away, with its log."""
    for ending in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{ending}").unlink(missing_ok=True)


def _open(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    try:
        if read_only:
            base = _read_only(path)
        else:
            base = sqlite3.connect(path, timeout=30.0)
            base.execute("PRAGMA journal_mode=WAL")
            base.execute("PRAGMA synchronous=NORMAL")
        base.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        raise _cannot(path, error) from error
    return base


def _read_only(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(os.fspath(path))}?mode=ro"
    base = sqlite3.connect(address, uri=True, timeout=10.0)
    try:
        base.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        # A folder that cannot be written holds no index of the log: then nobody writes either.
        base.close()
        base = sqlite3.connect(f"{address}&immutable=1", uri=True)
    return base


def _read(
    base: sqlite3.Connection, where: str = "", values: Sequence[str] = ()
) -> Iterator[tuple[int, str, Packed]]:
    query = (
        "SELECT number, row.key, body, apart, coalesce(text, x''), status FROM row "
        f"LEFT JOIN apart ON apart.key = row.apart {where} ORDER BY number"
    )
    texts: dict[str, bytes] = {}  # of one hash once, not once a row
    for number, key, body, apart, text, status in base.execute(query, values):
        yield number, key, Packed(body, apart, texts.setdefault(apart, text), status)


def _cannot(path: Path, error: Exception, *, kept: bool = False) -> LedgerError:
    said = re.sub(r"^\[Errno \d+\] ", "", _reason(path, error))
    room = "full" in said or "disk I/O" in said or "No space" in said
    elsewhere = "name another folder with --ledger DIR, or keep no rows: sweep --no-ledger"
    if isinstance(error, FileExistsError | NotADirectoryError):
        file = next((one for one in (path, *path.parents) if one.is_file()), path)
        return LedgerError(f"the ledger {path}: {file} is a file, expected a folder; {elsewhere}")
    cure = f"make room, or {elsewhere}" if room else elsewhere
    if kept:
        mend = "make room" if room else "make the file writable again"
        cure = f"what was committed before is kept: {mend}, and go on with --resume"
    return LedgerError(f"the ledger {path} cannot be written: {said}; {cure}")


def _reason(path: Path, error: Exception) -> str:
    """What is wrong: of a disk that fails SQLite says no more than that; the system says why."""
    if "disk I/O" in str(error):
        try:
            tempfile.TemporaryFile(dir=path if path.is_dir() else path.parent).close()
        except OSError as reason:
            return str(reason.strerror)
    return str(error)
