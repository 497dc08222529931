"""Sweeps that were kept: which there are, one of them whole, and taking old ones away."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from modeler.study.goal import Goal
from modeler.study.jobs.ledger import (
    About,
    Ledger,
    LedgerError,
    find,
    folder,
    remove,
    runs,
)
from modeler.study.result import SweepResult, result_of


def list_runs(where: Path | None = None) -> list[About]:
    """What is kept in a folder of runs, the latest first.

    Parameters
    ----------
    where : Path, optional. By default the folder that ``MODELER_RUNS`` names, or the user's own.

    Notes
    -----
    A file that is no ledger, or of another version, is left out.
    """
    found = []
    for path in runs(where or folder()):
        try:
            found.append(_about(path))
        except (LedgerError, sqlite3.Error, KeyError):
            continue
    return found


def read_run(name: str, where: Path | None = None) -> SweepResult:
    """A sweep as it was kept; of one that was stopped, the rows that it made.

    Parameters
    ----------
    name : str. A run's name, its beginning, or ``latest``.
    where : Path, optional. Folder of runs.

    Returns
    -------
    SweepResult
        Without its points; `modeler.study.kept_row` gives the scenario of one row.

    Raises
    ------
    modeler.study.jobs.ledger.LedgerError
        There is no such run.
    """
    path = find(where or folder(), name)
    with closing(Ledger(path, read_only=True)) as ledger:
        told, rows = ledger.told(), list(ledger.rows())
    scenarios = sum(number < told["scenarios"] for number, _, _ in rows)
    packed = [row for _, _, row in rows]
    goal = Goal(**told["goal"]) if told.get("goal") else None
    return result_of(packed, scenarios, told["meta"], gates=told["gates"], run=path.stem, goal=goal)


def prune(
    where: Path | None = None,
    *,
    keep: int | None = None,
    older_than_s: float | None = None,
    name: str | None = None,
    now: datetime | None = None,
) -> list[str]:
    """Take runs away.

    Parameters
    ----------
    where : Path, optional. Folder of runs.
    keep : int, optional. So many of the latest stay.
    older_than_s : float, optional. Only those that began longer ago than this. [s]
    name : str, optional. This one alone.
    now : datetime, optional. For `older_than_s`.

    Returns
    -------
    list of str
        Names of what was taken away.

    Raises
    ------
    ValueError : nothing says which.
    modeler.study.jobs.ledger.LedgerError : there is no such run.
    """
    place = where or folder()
    if name is not None:
        chosen = [find(place, name)]
    elif keep is None and older_than_s is None:
        raise ValueError("prune needs keep, older_than_s or name")
    else:
        chosen = runs(place)[keep or 0 :]
        if older_than_s is not None:
            limit = (now or datetime.now(UTC)).timestamp() - older_than_s
            chosen = [path for path in chosen if (_begun(path) or limit) < limit]
    for path in chosen:
        remove(path)
    return [path.stem for path in chosen]


def _about(path: Path) -> About:
    with closing(Ledger(path, read_only=True)) as ledger:
        return ledger.about()


def _begun(path: Path) -> float | None:
    """When a run began, from its name; None where it does not say. [s since 1970]"""
    found = re.match(r"(\d{8}-\d{6})", path.stem)
    if found is None:
        return None
    return datetime.strptime(found[1], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp()
