"""Who performs tasks: threads here, processes here, or a cluster, all shaped as an executor.

An executor takes a chunk of tasks and gives a `concurrent.futures.Future` of their packed rows. The
row does not depend on who made it, nor on which worker, nor in which order: seeds are the
scenario's. Threads share the traffic in memory and let the replay release the interpreter's lock;
the others map it from the spool, where it lies once on each machine.
"""

from __future__ import annotations

import multiprocessing
import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, Protocol

from modeler._interrupt import hidden_from_children
from modeler.replay.run import Traffic
from modeler.scenario.errors import nearest
from modeler.study.jobs import spool
from modeler.study.jobs.task import Packed, Task, perform
from modeler.study.jobs.world import world

Chunk = Sequence[Task]
Report = Callable[[int, int], None]
LEAST: Final = 50  # scenarios of a chunk that travels to another process
MOST: Final = 200  # of one of a sweep of many thousands
NAMES: Final = ("threads", "processes", "dask", "dask://HOST:PORT", "ray", "ray://HOST:PORT")


class ExecutorError(Exception):
    """An executor that is not known, not installed, not there, or of another version."""

    exit_code: Final = 2


class Executor(Protocol):
    """What performs chunks of tasks.

    Attributes
    ----------
    workers : int. How many chunks it performs at once.
    least : int. Tasks that a chunk should have, so that handing it over is not what costs.
    most : int. Tasks that a chunk of a large sweep may have: they are lost with their worker, and
        are not in the ledger before the last of them is done.
    lost : tuple of exception types. What its futures raise when a worker ended in the middle.
    """

    workers: int
    least: int
    most: int
    lost: tuple[type[BaseException], ...]

    def submit(self, chunk: Chunk, numbers: Sequence[int]) -> Future[list[Packed]]:
        """Perform a chunk whose tasks have these numbers; `Report` is told how far they are."""
        ...

    def renew(self) -> None:
        """Replace what a lost worker broke."""
        ...

    def close(self) -> None:
        """Stop the workers that this executor started."""
        ...


class Threads:
    """Threads of this process, which share the traffic."""

    least = most = 1
    lost: tuple[type[BaseException], ...] = ()

    def __init__(self, workers: int, traffic: Mapping[str, Traffic], report: Report) -> None:
        self.workers = workers
        self._traffic, self._report = traffic, report
        self._pool = ThreadPoolExecutor(workers)

    def submit(self, chunk: Chunk, numbers: Sequence[int]) -> Future[list[Packed]]:
        """Perform a chunk."""
        return self._pool.submit(self._perform, chunk, numbers)

    def _perform(self, chunk: Chunk, numbers: Sequence[int]) -> list[Packed]:
        rows = []
        for number, task in zip(numbers, chunk, strict=True):

            def at(done: int, number: int = number) -> None:
                self._report(number, done)

            rows.append(perform(task, self._traffic[task.trace], at))
        return rows

    def renew(self) -> None:
        """A thread is not lost without its process."""

    def close(self) -> None:
        """Wait for what runs; nothing more is begun."""
        self._pool.shutdown(cancel_futures=True)


class Processes:
    """Processes of this machine, each with the traffic mapped from the spool."""

    least, most = LEAST, MOST
    lost: tuple[type[BaseException], ...] = (BrokenProcessPool, spool.TraceMissing)

    def __init__(self, workers: int, traffic: Mapping[str, Traffic], report: Report) -> None:
        del report  # rows are reported as chunks come back
        self.workers = workers
        self._placed = Placed(traffic)
        self._pool, self._broken = self._open(), False
        self._running: set[Future[list[Packed]]] = set()

    def _open(self) -> ProcessPoolExecutor:
        # A fork would copy threads and locks of the compiled engine in whatever state they are.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin_worker)
        # All workers at the first chunk: one that `submit` starts while a pool breaks is missed by
        # the thread that ends its workers, which then waits for it or stumbles (CPython 3.11).
        pool._safe_to_dynamically_spawn_children = False  # type: ignore[attr-defined]
        return pool

    def submit(self, chunk: Chunk, numbers: Sequence[int]) -> Future[list[Packed]]:
        """Perform a chunk.

        Raises
        ------
        BrokenProcessPool
            A worker was lost a moment ago.
        """
        self._placed.ensure()
        try:
            with hidden_from_children():
                future = self._pool.submit(perform_here, list(chunk), self._placed.sweep)
                self._running.add(future)
        except BrokenProcessPool:
            self._broken = True
            raise
        future.add_done_callback(self._running.discard)
        return future

    def renew(self) -> None:
        """Start the workers again: one that was killed takes its pool with it.

        Chunks of the lost pool fail one after another, and the later ones must not end the pool
        that has taken its place: only a pool that refuses work is replaced.
        """
        if self._broken:
            self._kill()
            self._pool, self._broken = self._open(), False

    def close(self) -> None:
        """Stop the workers and take the traffic from the spool."""
        if self._broken or self._running:
            self._kill()
        else:
            self._pool.shutdown()
        self._placed.remove()

    def _kill(self) -> None:
        """End a pool whose work is not waited for.

        A worker that is busy handing over its rows to a pool that is gone would wait for ever, and
        the interpreter, when it ends, for the worker.
        """
        workers = list((self._pool._processes or {}).values())
        self._pool.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.kill()


class Placed:
    """Traffic in the spool for as long as an executor needs it.

    Attributes
    ----------
    sweep : str. What the spool's marks of this executor are called, here and on other machines.
    """

    def __init__(self, traffic: Mapping[str, Traffic]) -> None:
        self.traffic = traffic
        self.sweep = secrets.token_hex(8)
        try:
            self.ensure()
        except BaseException:
            self.remove()
            raise

    def ensure(self) -> None:
        """Write what is not there; another run may have taken its own away."""
        for digest, one in self.traffic.items():
            spool.hold(digest, self.sweep)
            spool.place(one)

    def remove(self) -> None:
        """Take away what no other sweep uses; processes that have mapped it keep it."""
        release(list(self.traffic), self.sweep)


def release(digests: Sequence[str], sweep: str) -> None:
    """Empty a machine's spool of what a sweep put there, but for what others use."""
    for digest in digests:
        spool.release(digest, sweep)


def perform_here(chunk: list[Task], sweep: str, expected: str | None = None) -> list[Packed]:
    """Perform a chunk in another process, on traffic from this machine's spool.

    Parameters
    ----------
    chunk : list of Task.
    sweep : str. As `Placed` has it.
    expected : str, optional. The sender's `world`.

    Raises
    ------
    ExecutorError
        Engine or tables here are not the sender's: the rows would not be those asked for.
    modeler.study.jobs.spool.TraceMissing
        The traffic is not on this machine yet.
    """
    if expected is not None and expected != world():
        raise ExecutorError(
            f"a worker has another modeler, or other prices: {world()}, expected {expected}; "
            "install the same version and tables there"
        )
    for digest in {task.trace for task in chunk}:
        spool.hold(digest, sweep)
    return [perform(task, spool.traffic_of(task.trace), _silent) for task in chunk]


def _silent(done: int) -> None:
    """Another process reports by its finished chunks."""


def _begin_worker() -> None:
    """Ctrl-C is the driver's to answer: it stops the workers, which do not outlive it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_driver, daemon=True).start()


def _end_with_the_driver() -> None:
    """A driver that was killed stops nobody, and its workers would wait for work for ever."""
    driver = multiprocessing.parent_process()
    if driver is not None:
        driver.join()
        os._exit(1)


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_executor(name: str) -> None:
    """Refuse a name that no executor has, before the work.

    Raises
    ------
    ExecutorError
        With the nearest.
    """
    if name in NAMES or name.partition("://")[0] in ("dask", "ray"):
        return
    near = nearest(name, NAMES)
    hint = f'; did you mean "{near}"?' if near else ""
    raise ExecutorError(f'executor "{name}": expected one of {", ".join(NAMES)}{hint}')


def executor_of(
    name: str, workers: int | None, traffic: Mapping[str, Traffic], report: Report
) -> Executor:
    """The executor of a name.

    Parameters
    ----------
    name : str. One of `NAMES`.
    workers : int, optional. Threads or processes; by default one a core, of a cluster at an
        address as many as it has.
    traffic : mapping of str to Traffic. By content hash.
    report : callable. Told a task's number and how many of its requests are done.

    Raises
    ------
    ExecutorError
        No such executor, a package that is not installed, or nobody at the address.
    """
    check_executor(name)
    kind, _, address = name.partition("://")
    given: dict[str, Any] = {"traffic": traffic, "report": report}
    here = workers or cores()
    if name == "threads":
        return Threads(here, **given)
    if name == "processes":
        return Processes(here, **given)
    if kind == "dask":
        from modeler.study.jobs.on_dask import Dask

        return Dask(address, workers, **given)
    from modeler.study.jobs.on_ray import Ray

    return Ray(address, workers, **given)
