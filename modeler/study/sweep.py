"""The main job: one scenario becomes many, each is replayed and judged, the rows become a verdict.

Scenarios share the trace (one read-only copy) and the random numbers (service times by request,
cold starts by replica), so that a difference between two rows is the settings' and not luck's.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modeler.replay.run import Traffic
from modeler.scenario import Scenario
from modeler.study.jobs.book import Book, begun
from modeler.study.jobs.drive import drive
from modeler.study.jobs.executors import check_executor, executor_of
from modeler.study.jobs.task import LOST, Packed
from modeler.study.prepare import Prepared, prepare
from modeler.study.presets import Preset
from modeler.study.result import SweepResult, result_of
from modeler.study.rows import Interrupted

Progress = Callable[["Status"], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Status:
    """How far a sweep is: requests replayed, and scenarios finished, of all."""

    requests: int
    requests_total: int
    scenarios: int
    scenarios_total: int


def sweep(
    scenario: Scenario,
    *,
    sizes: Sequence[str | int] | None = None,
    precisions: Sequence[str] = (),
    settings: Mapping[str, Sequence[Any]] | None = None,
    presets: Sequence[Preset] = (),
    executor: str = "threads",
    workers: int | None = 1,
    references: bool = True,
    replicates: int = 0,
    ledger: str | os.PathLike[str] | None = None,
    resume: str | None = None,
    progress: Progress | None = None,
    say: Say = lambda text: None,
    trace: Traffic | None = None,
) -> SweepResult:
    """Replay every combination of the varied settings.

    Parameters
    ----------
    scenario : Scenario. The base; its own ``sweep`` block gives axes too.
    sizes : sequence, optional. Model sizes, with units or in bytes.
    precisions : sequence of str. Each size also in these, such as ``fp16`` and ``int8``; sizes are
        those of the scenario's own ``model.dtype``.
    settings : mapping of path to values, optional. Further axes, such as
        ``{"policy.target": [4, 6]}``.
    presets : sequence of Preset, optional. Policies to compare, each on its own platform; see
        `modeler.study.presets`. One that does not go with the scenario is a failed row.
    executor : str. Who replays: ``threads`` of this process, ``processes``, ``dask`` or ``ray``,
        or a cluster at an address, ``dask://host:8786`` or ``ray://host:10001``. The result is the
        same to the byte.
    workers : int, optional. Threads or processes; by default one a core, of a cluster as many as it
        has.
    references : bool. Also find the smallest fixed fleet that keeps the service level.
    replicates : int. Of each scenario, for a band about its headlines: the traffic drawn again from
        its own days, and everything random drawn anew; see `modeler.study.bands`.
    ledger : path, optional. Folder of runs, where each row is kept as it is made, and rows of
        earlier runs with the same key are taken over; none is kept without one.
    resume : str, optional. A run of that folder to go on with, or ``latest`` for the latest of this
        very sweep.
    progress : called with a `Status` now and then.
    say : called with a line of what the ledger holds already.
    trace : optional. The traffic, instead of what ``scenario.trace`` names.

    Returns
    -------
    SweepResult

    Raises
    ------
    ScenarioError, pricing.UnknownInstance, pricing.UnknownRegion, traces.TraceError : what was
        asked for does not exist. Whatever else goes wrong with a scenario is a failed row.
    modeler.study.jobs.executors.ExecutorError : no such executor, nobody at its address, or a
        worker of another version or with other tables.
    modeler.study.jobs.ledger.LedgerError : it cannot be written, which loses nothing that was
        committed; or there is no such run.
    Interrupted : by Ctrl-C; rows in the ledger are kept.
    """
    prepared = prepare(
        scenario,
        sizes=sizes,
        precisions=precisions,
        settings=settings,
        presets=presets,
        references=references,
        replicates=replicates,
        trace=trace,
    )
    return perform(
        prepared,
        executor=executor,
        workers=workers,
        ledger=ledger,
        resume=resume,
        progress=progress,
        say=say,
    )


def perform(
    prepared: Prepared,
    *,
    executor: str = "threads",
    workers: int | None = 1,
    ledger: str | os.PathLike[str] | None = None,
    resume: str | None = None,
    progress: Progress | None = None,
    say: Say = lambda text: None,
) -> SweepResult:
    """Replay what `prepare` made; parameters and errors are those of `sweep`."""
    check_executor(executor)
    tasks, scenarios = prepared.tasks, len(prepared.points)
    counter = _Counter(prepared.requests(), progress)
    with contextlib.ExitStack() as open_files:
        book = None
        if ledger is not None:
            book = open_files.enter_context(begun(Path(ledger), prepared, resume=resume))
        done = set[int]() if book is None else set(book.found)
        counter.taken_over(done)
        held: dict[int, Packed] = {}  # what no ledger keeps

        def keep(rows: Sequence[tuple[int, Packed]]) -> None:
            if book is not None:
                book.keep(rows)
            for number, row in rows:
                done.add(number)
                counter.finish(number)
                if book is None or row.status == LOST:
                    held[number] = row

        todo = [number for number in range(len(tasks)) if number not in done]
        try:
            if book is not None:
                say(book.said)
            if todo:
                chosen = executor_of(executor, workers, prepared.traffic, counter.at)
                try:
                    drive(tasks, todo, chosen, keep)
                except BaseException:
                    counter.stop.set()
                    raise
                finally:
                    chosen.close()
        except KeyboardInterrupt as error:
            kept = "nothing was written"
            if book is not None:
                kept = f"{len(done)} of {len(tasks)} rows are kept: go on with --resume"
            raise Interrupted(f"interrupted; {kept}") from error
        return result_of(
            _in_order(len(tasks), book, held),
            scenarios,
            prepared.meta,
            prepared.points,
            gates=prepared.gates,
            run=None if book is None else book.run,
        )


def _in_order(count: int, book: Book | None, held: dict[int, Packed]) -> Iterator[Packed]:
    """Every row, each let go as the result takes it, so that none is there twice."""
    kept = iter(()) if book is None else (row for _, row in book.rows())
    return (held.pop(number) if number in held else next(kept) for number in range(count))


class _Counter:
    """Adds up progress over threads, and carries the word to stop."""

    def __init__(self, totals: Sequence[int], progress: Progress | None) -> None:
        self._done = [0] * len(totals)
        self._totals = totals
        self._sum, self._total = 0, sum(totals)  # adding up at each step is slow
        self._finished = 0
        self._progress = progress
        self._lock = threading.Lock()
        self.stop = threading.Event()

    def at(self, index: int, requests: int) -> None:
        """A task has replayed so many requests."""
        if self.stop.is_set():
            raise Interrupted("interrupted")
        with self._lock:
            self._put(index, requests)
            self._report()

    def taken_over(self, numbers: Collection[int]) -> None:
        """Tasks that were done before."""
        for number in numbers:
            self._put(number, self._totals[number])
        self._finished += len(numbers)

    def finish(self, index: int) -> None:
        """A task is done."""
        with self._lock:
            self._put(index, self._totals[index])
            self._finished += 1
            self._report()

    def _put(self, index: int, requests: int) -> None:
        most = min(requests, self._totals[index])
        self._sum += most - self._done[index]
        self._done[index] = most

    def _report(self) -> None:
        if self._progress is not None:
            # Where nobody listens any more (a closed pipe) the work goes on all the same.
            with contextlib.suppress(OSError):
                self._progress(Status(self._sum, self._total, self._finished, len(self._totals)))
