"""A sweep and its ledger: what is known already, and each new row kept as it comes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from modeler.study.jobs.asked import packed
from modeler.study.jobs.key import digest_of, keys_of
from modeler.study.jobs.ledger import Ledger, LedgerError, find, known, latest_of
from modeler.study.jobs.task import SCENARIO, Packed, Task


class Asked(Protocol):
    """A sweep to be kept.

    Attributes
    ----------
    tasks : list of Task. Those of scenarios first.
    meta : mapping. For who reads the run later; ``gates`` and ``goal`` as well.
    """

    @property
    def tasks(self) -> Sequence[Task]: ...

    @property
    def meta(self) -> Mapping[str, Any]: ...

    @property
    def gates(self) -> Sequence[str]: ...

    @property
    def goal(self) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class Book:
    """An open ledger, with the keys of the tasks.

    Parameters
    ----------
    ledger : Ledger.
    keys : sequence of str. Of all tasks.
    found : collection of int. Numbers of the tasks whose rows need not be made.
    said : str. What a person is told of them.
    """

    ledger: Ledger
    keys: Sequence[str]
    found: Collection[int]
    said: str

    @property
    def run(self) -> str:
        """The run's name."""
        return self.ledger.path.stem

    def keep(self, rows: Sequence[tuple[int, Packed]]) -> None:
        """Commit rows; see `Ledger.keep`."""
        self.ledger.keep([(number, self.keys[number], row) for number, row in rows])

    def rows(self) -> Iterator[tuple[int, Packed]]:
        """All rows that are kept, by the numbers of their tasks, one after another from disk."""
        return ((number, row) for number, _, row in self.ledger.rows())


@contextmanager
def begun(
    folder: Path,
    asked: Asked,
    *,
    resume: str | None = None,
) -> Iterator[Book]:
    """Begin a run in a folder of them, or go on with one.

    Parameters
    ----------
    folder : Path. Of runs.
    asked : Asked. The sweep.
    resume : str, optional. The name of a run, or ``latest`` for the latest of these tasks.

    Raises
    ------
    LedgerError
        It cannot be read or written; there is no such run, or it is one of another sweep.
    """
    tasks = asked.tasks
    keys = keys_of(tasks)
    digest = digest_of(keys)
    path = None if resume is None else _resumed(folder, digest, resume)
    if path is None:
        about = {
            "digest": digest,
            "scenarios": sum(task.kind == SCENARIO for task in tasks),
            "name": asked.meta["name"],
            "meta": asked.meta,
            "gates": list(asked.gates),
            "goal": asked.goal,
        }
        own = (packed(task.point.scenario) for task in tasks if task.kind == SCENARIO)
        ledger = Ledger.create(folder, keys, about, own)
    else:
        ledger = Ledger(path)
    try:
        found = {number for number, _, _ in ledger.rows()}
        anew = "no run of this sweep to resume, begun anew: " if resume and path is None else ""
        said = [f"{anew}run {ledger.path.stem}"]
        if found:
            said.append(f"{len(found)} of {len(tasks)} rows are done")
        elsewhere = known(folder, _without(keys, found), besides=ledger.path)
        taken = {
            number: elsewhere[key]
            for number, key in enumerate(keys)
            if number not in found and key in elsewhere
        }
        if taken:
            ledger.keep([(k, keys[k], row) for k, row in taken.items()], cached=True)
            said.append(f"{len(taken)} rows are taken over from earlier runs")
        yield Book(
            ledger,
            keys,
            found | taken.keys(),
            ": ".join((said[0], ", ".join(said[1:] or ["no rows yet" if path else "new"]))),
        )
    finally:
        ledger.close()


def hits(folder: Path, tasks: Sequence[Task]) -> set[int]:
    """Numbers of the tasks whose rows a folder of runs has."""
    keys = keys_of(tasks)
    found = known(folder, keys)
    return {number for number, key in enumerate(keys) if key in found}


def _resumed(folder: Path, digest: str, name: str) -> Path | None:
    if name == "latest":
        return latest_of(folder, digest)
    path = find(folder, name)
    with closing(Ledger(path, read_only=True)) as ledger:
        if ledger.about().digest != digest:
            raise LedgerError(
                f"run {path.stem} is of another sweep: another scenario, traffic, prices or engine "
                "than now; leave --resume out, and rows that are still the same are taken over"
            )
    return path


def _without(keys: Sequence[str], found: Collection[int]) -> list[str]:
    return [key for number, key in enumerate(keys) if number not in found]
