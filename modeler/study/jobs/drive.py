"""Tasks become rows: chunks are handed to an executor, and again where a worker was lost."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from typing import Final, NamedTuple

from modeler.study.jobs.executors import Executor, ExecutorError
from modeler.study.jobs.task import Packed, Task, lost
from modeler.study.rows import Interrupted

# How often a task is tried that takes its worker with it; a chunk is tried twice before that.
ATTEMPTS: Final = 3
# Chunks handed over before they are needed, for each worker: the next is there when one is done.
_AHEAD: Final = 2
_ROUNDS: Final = 20  # chunks that each worker gets at least, before chunks grow
_POLL_S: Final = 0.2  # so that Ctrl-C is answered while chunks are under way


# Where finished rows go as they come, by the numbers of their tasks.
Keep = Callable[[Sequence[tuple[int, Packed]]], None]


class _Chunk(NamedTuple):
    """Tasks that travel together, and how often they were tried.

    One task that was in a lost chunk is a suspect: it is tried alone, so that no other is lost with
    it and what is lost is known to be its own.
    """

    numbers: tuple[int, ...]
    attempts: int = 0
    suspect: bool = False


def drive(
    tasks: Sequence[Task],
    todo: Sequence[int],
    executor: Executor,
    keep: Keep,
) -> None:
    """Perform the tasks that are not done, and hand on each chunk of rows.

    Parameters
    ----------
    tasks : sequence of Task. All of them.
    todo : sequence of int. Numbers of those to perform.
    executor : Executor.
    keep : callable. Called from this thread alone, in whatever order chunks finish.

    Raises
    ------
    ExecutorError
        A worker has another version or other tables, and refuses.

    Notes
    -----
    A chunk whose worker is lost is tried again, then task by task, each alone: one that takes its
    worker with it `ATTEMPTS` times is a failed row, and the others are not lost with it.
    """
    waiting = deque(_Chunk(numbers) for numbers in _cut(todo, executor))
    running: dict[Future[list[Packed]], _Chunk] = {}
    try:
        while waiting or running:
            while waiting and _room(waiting[0], running, executor):
                chunk = waiting.popleft()
                try:
                    future = executor.submit([tasks[k] for k in chunk.numbers], chunk.numbers)
                except executor.lost:
                    # Nothing of it was begun: it only came when a worker had just been lost.
                    executor.renew()
                    waiting.appendleft(chunk)
                    continue
                running[future] = chunk
            if not running:
                return
            done, _ = wait(running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            broken = []
            for future in done:
                chunk = running.pop(future)
                try:
                    rows = future.result()
                except executor.lost:
                    broken.append(chunk)
                    continue
                except Interrupted:
                    raise
                except ExecutorError as error:
                    # A worker of another version would refuse every chunk. Ray tells of it with all
                    # of the worker's traceback, and has what the worker said as the cause.
                    raise getattr(error, "cause", error) from None
                except Exception as error:
                    # Not a scenario's fault, which is a row: something about the chunk. One at a
                    # time, so that the others are not lost with it.
                    if len(chunk.numbers) > 1:
                        waiting.extend(_Chunk((number,)) for number in chunk.numbers)
                    else:
                        reason = f"{type(error).__name__}: {error}"
                        keep([(n, lost(tasks[n], reason)) for n in chunk.numbers])
                    continue
                keep(list(zip(chunk.numbers, rows, strict=True)))
            if broken:
                # What shared the pool of a lost worker may have been lost with it.
                executor.renew()
                for chunk in broken:
                    again = _again(chunk, tasks, keep)
                    (waiting.extend if chunk.suspect or again[1:] else waiting.extendleft)(again)
    finally:
        for future in running:
            future.cancel()


def _room(chunk: _Chunk, running: dict[Future[list[Packed]], _Chunk], executor: Executor) -> bool:
    """Whether a chunk may be handed over now."""
    if chunk.suspect or any(one.suspect for one in running.values()):
        return not running
    return len(running) < executor.workers * _AHEAD


def _cut(todo: Sequence[int], executor: Executor) -> list[tuple[int, ...]]:
    """Neighbours travel together: so many that handing over is cheap, and every worker has some.

    Chunks grow with the sweep until each worker gets `_ROUNDS` of them: then the last ones end
    within a twentieth of each other, and a chunk that is lost is a small part of the whole.
    """
    if not todo:
        return []
    fair = -(-len(todo) // executor.workers)
    grown = len(todo) // (executor.workers * _ROUNDS)
    size = max(1, min(max(executor.least, min(grown, executor.most)), fair))
    return [tuple(todo[first : first + size]) for first in range(0, len(todo), size)]


def _again(chunk: _Chunk, tasks: Sequence[Task], keep: Keep) -> list[_Chunk]:
    """What to try again of a chunk that was lost."""
    attempts = chunk.attempts + 1
    if attempts < (ATTEMPTS if chunk.suspect else 2):
        return [chunk._replace(attempts=attempts)]
    if not chunk.suspect:
        return [_Chunk((number,), suspect=True) for number in chunk.numbers]
    (number,) = chunk.numbers
    reason = f"the process that replayed it was lost {ATTEMPTS} times: out of memory, or killed"
    keep([(number, lost(tasks[number], reason))])
    return []
