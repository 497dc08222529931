"""kill -9 in the middle of a sweep, again and again: what was committed stands, the rest is made.

The ledger says when: each kill comes once it holds a drawn number of rows more than before.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path

import pytest
from test_ledger import BASE, targets, text, traffic

from modeler.study import sweep
from modeler.study.jobs.ledger import runs
from modeler.study.runs import list_runs
from traces import Trace
from traces.draws import uniform

HERE = Path(__file__).resolve().parent
SCENARIOS = 160  # of some twenty milliseconds each: many times as long as a look at the ledger
CHUNK = 10  # of processes, instead of fifty
WAIT_S = 120.0  # for a sweep that makes no rows, which fails the test
Rows = dict[int, tuple[bytes, int]]

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")


@cache
def busy() -> Trace:
    return traffic(300_000)


def many(**more):
    asked = {"policy.target_utilisation": targets(SCENARIOS)}
    return sweep(BASE, sizes=["1GB"], settings=asked, trace=busy(), workers=2, **more)


@cache
def whole() -> str:
    """The sweep without interruption."""
    return text(many())


# One process imports and loads the engine, and each sweep is a child of it: a start is not tried.
_PARENT = """
    import os, signal, sys
    from pathlib import Path
    import test_kills as t
    from modeler.study.jobs.executors import Processes

    Processes.least = t.CHUNK
    t.sweep(t.BASE, sizes=["1GB"], trace=t.busy())
    out = Path(sys.argv[1])
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                result = t.many(ledger=out / "runs", resume="latest", executor=line.strip(),
                                say=(out / "said").write_text)
                (out / "result").write_text(t.text(result))
            except BaseException as error:
                (out / "error").write_text(repr(error))
                os._exit(1)
            os._exit(0)
        if sys.stdin.readline() == "kill\\n":
            os.kill(child, signal.SIGKILL)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def environment(spool: Path) -> dict[str, str]:
    paths = (str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", ""))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "TMPDIR": str(spool)}


@contextmanager
def parent(out: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is told: an executor, whose sweep it begins, then to kill it or to wait."""
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_PARENT), str(out)],
        env=environment(out),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    ) as process:  # fmt: skip
        try:
            yield process
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # or its children would be waited for
            raise
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(WAIT_S) == 0


def told(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def ended(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def looked(folder: Path, query: str) -> list[tuple]:
    """What the one ledger of a folder answers; it is only looked at, so that nothing is mended."""
    (path,) = runs(folder)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        return base.execute(query).fetchall()


def rows_of(folder: Path) -> Rows:
    found = looked(folder, "SELECT number, body, cached FROM row")
    return {number: (body, cached) for number, body, cached in found}


def wait_for(rows: int, out: Path) -> None:
    """Until a ledger that is being written holds so many rows."""
    folder, error, deadline = out / "runs", out / "error", time.monotonic() + WAIT_S
    while time.monotonic() < deadline and not error.exists():
        logs = list(folder.glob("*.sqlite-wal"))  # there with the first row at the latest
        if logs and looked(folder, "SELECT count(*) FROM row")[0][0] >= rows:
            return
        time.sleep(0.004)
    said = error.read_text() if error.exists() else f"in {WAIT_S} s"
    raise AssertionError(f"not {rows} rows: {said}")


def killed_at(more: list[int], executor: str, out: Path, process: subprocess.Popen[str]) -> Rows:
    """Kill a sweep each time that it has committed so many rows more, and go on with it."""
    folder, seen, tasks = out / "runs", Rows(), SCENARIOS + 1
    for rows in more:
        told(process, executor)
        wait_for(len(seen) + rows, out)
        told(process, "kill")
        assert ended(process) == -signal.SIGKILL
        assert not (out / "error").exists()
        (path,) = runs(folder)  # each goes on with the run of the first, and with all of its rows
        done = f": {len(seen)} of {tasks} rows are done" if seen else ": new"
        assert (out / "said").read_text().endswith(f"run {path.stem}{done}")
        assert looked(folder, "PRAGMA integrity_check") == [("ok",)]
        now = rows_of(folder)
        assert len(seen) + rows <= len(now) < tasks
        assert seen.items() <= now.items()
        seen = now
    return seen


def finished(seen: Rows, executor: str, out: Path, process: subprocess.Popen[str]) -> None:
    """Let it come to its end; a row that is made again cannot be inserted, which is an error."""
    told(process, executor)
    told(process, "wait")
    assert ended(process) == 0
    assert seen.items() <= rows_of(out / "runs").items()
    (about,) = list_runs(out / "runs")
    assert (about.finished, about.done, about.cached) == (True, SCENARIOS + 1, 0)
    assert (out / "result").read_text() == whole()


def test_killed_at_twenty_instants_it_goes_on_and_ends_with_the_same_bytes(tmp_path):
    more = [1 + int(8.0 * u) for u in uniform(11, "kill", 0, 20)]
    with parent(tmp_path) as process:
        seen = killed_at(more, "threads", tmp_path, process)
        finished(seen, "threads", tmp_path, process)


def test_processes_that_are_killed_lose_the_chunks_in_flight_and_no_others(tmp_path):
    with parent(tmp_path) as process:
        seen = killed_at([1, CHUNK + 1, 1], "processes", tmp_path, process)
        assert len(seen) % CHUNK == 0
        finished(seen, "threads", tmp_path, process)


def test_workers_do_not_outlive_a_driver_that_was_killed(tmp_path):
    """They have its output, which is at its end when the last of them is."""
    code = """
        import os, signal
        from test_ledger import swept
        swept(executor="processes", progress=lambda status: os.kill(os.getpid(), signal.SIGKILL))
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment(tmp_path), stdout=subprocess.PIPE, start_new_session=True,
    ) as driver:  # fmt: skip
        try:
            driver.communicate(timeout=WAIT_S)
        except BaseException:
            os.killpg(driver.pid, signal.SIGKILL)
            raise
        assert driver.returncode == -signal.SIGKILL
