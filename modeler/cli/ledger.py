"""Where a command keeps its rows: the options, and the folder they mean."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from modeler.cli.output import talk

F = TypeVar("F", bound=Callable[..., Any])

# RUN:ROW; a path has a separator, and the name of a file an ending.
_KEPT = re.compile(r"(?P<run>[^/\\:.]+):(?P<row>[^/\\:.]+)")

ledger_option = click.option(
    "--ledger",
    metavar="DIR",
    help="Folder of runs; by default that of MODELER_RUNS, or modeler/runs in the user's data "
    "folder.",
)


def ledger_options(command: F) -> F:
    """``--ledger`` and ``--no-ledger``."""
    command = click.option(
        "--no-ledger", is_flag=True, help="Keep no rows, and take over none of earlier runs."
    )(command)
    return ledger_option(command)


def row_of_a_run(text: str | None) -> tuple[str, str] | None:
    """The run and the row that ``RUN:ROW`` names; None for anything else, or for a file.

    >>> row_of_a_run("latest:best"), row_of_a_run("mine.yaml")
    (('latest', 'best'), None)
    """
    found = None if text is None or os.path.exists(text) else _KEPT.fullmatch(text)
    return None if found is None else (found["run"], found["row"])


def ledger_of(given: str | None, *, off: bool = False, needed: bool = False) -> Path | None:
    """The folder of runs that the options mean; None where rows are not kept.

    A folder that nobody named and that cannot be written is done without, and that is said.

    Parameters
    ----------
    given : str, optional. What ``--ledger`` says.
    off : bool. What ``--no-ledger`` says.
    needed : bool. Whether a run is to be resumed.

    Raises
    ------
    click.UsageError
        It is asked for and asked not to be.
    modeler.study.jobs.ledger.LedgerError
        The folder that was named cannot be written.
    """
    from modeler.study.jobs.ledger import VARIABLE, LedgerError, check, folder

    if off:
        if given is not None or needed:
            raise click.UsageError(
                f"--no-ledger and {'--resume' if needed else '--ledger'} exclude each other"
            )
        return None
    path = folder() if given is None else Path(given)
    try:
        check(path)
    except LedgerError as error:
        if given is not None or needed or os.environ.get(VARIABLE):
            raise
        talk(f"rows are not kept: {error}")
        return None
    return path
