"""Who replays decides nothing: the same bytes from threads, processes, Dask and Ray."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from modeler.scenario import default, with_values
from modeler.study import sweep
from modeler.study.grid import Point
from modeler.study.jobs import spool
from modeler.study.jobs.drive import ATTEMPTS, drive
from modeler.study.jobs.executors import ExecutorError, Placed, Processes, executor_of, perform_here
from modeler.study.jobs.task import SCENARIO, Task, Unpacker, pack
from traces import Trace
from traces.draws import exponential


def tokens(requests: int = 1500) -> Trace:
    arrival = np.cumsum(exponential(4, "gap", 0, requests))
    prompt = np.ceil(200 * exponential(4, "prompt", 0, requests))
    output = np.ceil(100 * exponential(4, "output", 0, requests))
    return Trace(arrival - arrival[0], {"prompt_tokens": prompt, "output_tokens": output})


def text(executor: str, workers: int | None = 2, **more) -> str:
    """Two hundred scenarios, some of which do not fit, as their result's bytes."""
    targets = [round(0.3 + 0.012 * k, 3) for k in range(50)]
    result = sweep(
        with_values(default(), {"sweep": {}}),
        sizes=["1GB", "4GB", "8GB", "40GB"],
        settings={"policy.target_utilisation": targets},
        trace=tokens(),
        executor=executor,
        workers=workers,
        **more,
    )
    assert len(result.rows) == 200
    assert result.failed == 50
    return json.dumps(result.to_dict(), allow_nan=False)


@pytest.fixture(scope="module")
def serial() -> str:
    return text("threads", 1)


@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_the_same_bytes_from_two_workers_here(serial, executor):
    assert text(executor) == serial


def running(pid: int) -> bool:
    """Whether a process computes now, instead of waiting for work."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "R"
    except OSError:  # it has ended meanwhile
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no states of processes here")
def test_a_process_killed_at_its_work_is_replaced_and_the_bytes_are_the_same(serial, monkeypatch):
    killed: list[tuple[int, int]] = []
    handed: Counter[int] = Counter()
    submit = Processes.submit

    def counted(self, chunk, numbers):
        future = submit(self, chunk, numbers)
        handed.update(numbers)
        return future

    def kill(status) -> None:
        """Once rows came: the first worker that is seen at work on others."""
        for child in () if killed else multiprocessing.active_children():
            if child.pid is not None and running(child.pid):
                os.kill(child.pid, signal.SIGKILL)
                killed.append((status.scenarios, status.scenarios_total))
                break

    monkeypatch.setattr(Processes, "submit", counted)
    monkeypatch.setattr(Processes, "least", 25)
    assert text("processes", progress=kill) == serial
    ((rows, total),) = killed
    assert 0 < rows < total
    again = [number for number, times in handed.items() if times > 1]
    assert 25 <= len(again) < total  # what was in flight, and not all of it


def test_the_same_bytes_from_two_workers_of_dask(serial):
    pytest.importorskip("distributed")
    assert text("dask") == serial


def test_the_traffic_travels_to_a_machine_of_a_dask_cluster_and_is_gone_at_the_end(tmp_path):
    """Workers with a temporary folder of their own have a spool of their own, as elsewhere."""
    distributed = pytest.importorskip("distributed")
    held = []

    def look(status):
        held.extend(path.name for path in tmp_path.glob("modeler-traffic-*/*"))

    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, host="127.0.0.1",
        dashboard_address=None, env={"TMPDIR": str(tmp_path)},
    ) as cluster:  # fmt: skip
        address = cluster.scheduler_address.removeprefix("tcp://")
        trace = tokens(61)  # of this test alone
        result = sweep(with_values(default(), {"sweep": {}}), sizes=["1GB"], trace=trace,
                       references=False, executor=f"dask://{address}", progress=look)  # fmt: skip
        (spooled,) = tmp_path.glob("modeler-traffic-*")
        spooled.rmdir()
        spooled.write_text("a file where the folder should be")
        with pytest.raises(ExecutorError, match=r"worker tcp://.*: .*File exists"):
            executor_of(f"dask://{address}", None, {trace.content_hash: trace}, print)
        assert not list(spool.folder().glob(f"{trace.content_hash}.*"))
    assert result.failed == 0
    assert f"{trace.content_hash}.npz" in held


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 on this platform")
def test_a_worker_of_dask_killed_in_the_middle_is_survived(serial):
    distributed = pytest.importorskip("distributed")
    killed: list[tuple[str, int, int]] = []
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster, distributed.Client(cluster) as client:  # fmt: skip
        pids = client.run(os.getpid)

        def kill(status) -> None:
            """Once rows came: the first worker that the scheduler has at work on others."""
            for worker, tasks in {} if killed else client.processing().items():
                if tasks:
                    os.kill(pids[worker], signal.SIGKILL)
                    killed.append((worker, status.scenarios, status.scenarios_total))
                    break

        address = cluster.scheduler_address.removeprefix("tcp://")
        assert text(f"dask://{address}", None, progress=kill) == serial
        ((worker, rows, total),) = killed
        assert 0 < rows < total
        # What the scheduler took from the worker when it was gone.
        events = [event for _, event in client.get_events("all") if event.get("worker") == worker]
        gone = [event for event in events if event["action"] == "remove-worker"]
        assert [bool(event["processing-tasks"]) for event in gone] == [True]


# --- what is lost is tried again ---


class Fragile:
    """An executor whose workers die of some tasks, and take with them what runs beside."""

    least = most = 4
    workers = 2
    lost = (ConnectionError,)

    def __init__(self, deadly: set[int], once: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        self.deadly, self.once = deadly, set(once)
        self.performed: list[tuple[int, ...]] = []
        self.renewed = 0

    def submit(self, chunk, numbers):
        answer: Future = Future()
        self.performed.append(tuple(numbers))
        dead = self.deadly & set(numbers) or self.once & set(numbers)
        self.once -= set(numbers)
        if dead:
            answer.set_exception(ConnectionError())
        else:
            answer.set_result([pack({"status": "ok", "number": n}) for n in numbers])
        return answer

    def renew(self) -> None:
        self.renewed += 1

    def close(self) -> None: ...


def performed(executor, count=10):
    point = Point(with_values(default(), {"sweep": {}}), {})
    tasks = [Task(SCENARIO, point, "t")] * count
    found = {}

    def keep(rows):
        for number, row in rows:
            assert number not in found, "performed twice"
            found[number] = Unpacker().add(row).row(row)

    drive(tasks, range(count), executor, keep)
    return [found[number] for number in range(count)]


def test_a_chunk_that_was_lost_once_is_tried_again():
    executor = Fragile(set(), once={5})
    assert [row["number"] for row in performed(executor)] == list(range(10))
    assert executor.renewed == 1
    assert [len(chunk) for chunk in executor.performed] == [4, 4, 2, 4]


@pytest.mark.parametrize(
    ("scenarios", "workers", "sizes"),
    [
        (30, 2, {15}),  # every worker has some
        (200, 2, {50}),
        (1_000, 2, {50}),
        (3_000, 2, {75}),  # twenty each
        (100_000, 2, {200}),
        (100_000, 100, {50}),
    ],
)
def test_chunks_have_fifty_scenarios_or_more_and_grow_with_the_sweep(scenarios, workers, sizes):
    executor = Fragile(set())
    executor.workers, executor.least, executor.most = workers, Processes.least, Processes.most
    drive([None] * scenarios, range(scenarios), executor, lambda rows: None)
    assert {len(chunk) for chunk in executor.performed} == sizes
    assert [n for chunk in executor.performed for n in chunk] == list(range(scenarios))


def test_one_task_that_kills_its_worker_is_a_failed_row_and_takes_no_other_with_it():
    executor = Fragile({6})
    rows = performed(executor)
    assert [row["status"] for row in rows] == ["ok"] * 6 + ["failed"] + ["ok"] * 3
    assert "lost 3 times" in rows[6]["error"]
    assert rows[6]["error_kind"] == "WorkerLost"
    alone = [chunk for chunk in executor.performed if chunk == (6,)]
    assert len(alone) == ATTEMPTS


class Pool(Fragile):
    """Like a pool of processes: what runs is lost together, and submitting says so first."""

    def __init__(self) -> None:
        super().__init__(set())
        self.open: list[Future] = []
        self.broken = self.killed = False

    def submit(self, chunk, numbers):
        if self.broken:
            raise ConnectionError
        answer: Future = Future()
        self.open.append(answer)
        if len(self.open) == 2 and not self.killed:
            self.broken = self.killed = True
            for one in self.open:
                threading.Timer(0.05, one.set_exception, [ConnectionError()]).start()
        elif self.killed:
            answer.set_result([pack({"status": "ok", "number": n}) for n in numbers])
        return answer

    def renew(self) -> None:
        self.renewed += 1
        self.broken = False


def test_work_that_is_refused_by_a_broken_pool_is_handed_over_again():
    executor = Pool()
    assert [row["number"] for row in performed(executor)] == list(range(10))
    assert executor.renewed >= 1


def test_every_task_deadly_ends_all_the_same():
    rows = performed(Fragile(set(range(10))))
    assert {row["status"] for row in rows} == {"failed"}


class Strange(Fragile):
    """An executor that fails for a reason that is no worker's: a message too large, say."""

    lost = ()

    def submit(self, chunk, numbers):
        answer = super().submit(chunk, numbers)
        failed = answer.exception() is not None
        if not failed:
            return answer
        answer = Future()
        answer.set_exception(RuntimeError("message too large"))
        return answer


def test_what_fails_for_another_reason_is_a_row_and_the_others_are_not_lost_with_it():
    rows = performed(Strange({3}))
    assert [row["number"] for row in rows if row["status"] == "ok"] == [0, 1, 2, *range(4, 10)]
    assert rows[3]["status"] == "failed"
    assert "RuntimeError: message too large" in rows[3]["error"]


class Refusing(Fragile):
    """An executor one of whose workers is of another version, as `perform_here` says it."""

    def submit(self, chunk, numbers):
        answer = super().submit(chunk, numbers)
        if answer.exception() is None:
            return answer
        answer = Future()
        answer.set_exception(ExecutorError("a worker has another modeler"))
        return answer


def test_a_worker_of_another_version_ends_the_sweep_at_its_first_chunk():
    executor = Refusing({3})
    with pytest.raises(ExecutorError, match="another modeler"):
        performed(executor, 100)
    assert executor.performed == [(0, 1, 2, 3), (4, 5, 6, 7), (8, 9, 10, 11), (12, 13, 14, 15)]


def test_workers_of_dask_of_another_version_end_the_sweep(monkeypatch):
    pytest.importorskip("distributed")
    from modeler.study.jobs import on_dask

    monkeypatch.setattr(on_dask, "world", lambda: "another")
    with pytest.raises(ExecutorError, match=r"^a worker has another modeler, .*expected another"):
        text("dask")


# --- the traffic on a machine ---


def test_traffic_lies_in_the_spool_while_it_is_needed(tmp_path, monkeypatch):
    monkeypatch.setattr(spool.tempfile, "gettempdir", lambda: str(tmp_path))
    spool.traffic_of.cache_clear()
    trace = tokens(20)
    with pytest.raises(spool.TraceMissing):
        spool.traffic_of(trace.content_hash)
    data, digest = spool.content(trace)
    assert spool.held(trace.content_hash)
    found = spool.traffic_of(trace.content_hash)
    assert found.content_hash == trace.content_hash
    assert np.array_equal(found.columns["prompt_tokens"], trace.columns["prompt_tokens"])
    spool.release(trace.content_hash, "a")
    assert not spool.held(trace.content_hash)
    with pytest.raises(ValueError, match="arrived damaged"):
        spool.receive(trace.content_hash, data[:-1], digest)
    spool.receive(trace.content_hash, data, digest)
    assert spool.held(trace.content_hash)


def test_traffic_goes_with_the_last_sweep_that_uses_it(tmp_path, monkeypatch):
    monkeypatch.setattr(spool.tempfile, "gettempdir", lambda: str(tmp_path))
    trace = tokens(20)
    one, other = Placed({trace.content_hash: trace}), Placed({trace.content_hash: trace})
    one.remove()
    assert spool.held(trace.content_hash)
    other.remove()
    assert list(spool.folder().iterdir()) == []


def test_what_a_killed_sweep_left_is_cleared_after_a_day_and_not_before(tmp_path, monkeypatch):
    monkeypatch.setattr(spool.tempfile, "gettempdir", lambda: str(tmp_path))
    left, running, new = tokens(20), tokens(21), tokens(22)
    Placed({left.content_hash: left})
    now = Placed({running.content_hash: running})
    scratch = spool.folder() / f".{left.content_hash}.npz.xyz"
    scratch.touch()
    spool.place(new)
    assert spool.held(left.content_hash)
    spool.release(new.content_hash, "new")
    for path in spool.folder().iterdir():
        os.utime(path, (0, time.time() - spool.KEPT_S - 1.0))
    now.ensure()  # a sweep that goes on for days renews its mark
    spool.place(new)
    assert not scratch.exists()
    assert not spool.held(left.content_hash)
    assert spool.held(running.content_hash)
    now.remove()
    spool.release(new.content_hash, "new")
    assert list(spool.folder().iterdir()) == []


def test_spooled_traffic_that_was_changed_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(spool.tempfile, "gettempdir", lambda: str(tmp_path))
    spool.traffic_of.cache_clear()
    trace = tokens(200)
    path = spool.place(trace)
    data = bytearray(path.read_bytes())
    where = data.index(trace.arrival_s[5:15].tobytes())
    data[where : where + 8] = np.float64(trace.arrival_s[5] + 1e-6).tobytes()
    path.write_bytes(bytes(data))
    with pytest.raises(spool.TraceMissing):
        spool.traffic_of(trace.content_hash)
    assert not path.exists()


def test_a_sweep_leaves_nothing_in_the_spool(tmp_path, monkeypatch):
    monkeypatch.setattr(spool.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # of the workers
    sweep(with_values(default(), {"sweep": {}}), sizes=["1GB"], trace=tokens(60),
          executor="processes", workers=1)  # fmt: skip
    assert spool.folder().parent == tmp_path
    assert list(spool.folder().iterdir()) == []


def test_a_worker_with_another_engine_refuses():
    with pytest.raises(ExecutorError, match="another modeler, or other prices"):
        perform_here([], "sweep", "another")


@pytest.mark.parametrize(
    ("name", "said"),
    [("thread", 'did you mean "threads"'), ("spark", "expected one of threads, processes, dask")],
)
def test_an_executor_that_is_not_known(name, said):
    with pytest.raises(ExecutorError, match=said):
        executor_of(name, 1, {}, lambda number, done: None)


def test_a_mistake_in_one_scenario_is_one_failed_row(monkeypatch):
    from modeler.study import rows

    real = rows.run

    def broken(scenario, *args, **more):
        if scenario.model.size == 2_000_000_000:
            raise ZeroDivisionError("of our own making")
        return real(scenario, *args, **more)

    monkeypatch.setattr(rows, "run", broken)
    result = sweep(with_values(default(), {"sweep": {}}), sizes=["1GB", "2GB", "3GB"],
                   trace=tokens(60), references=False)  # fmt: skip
    assert [row["status"] for row in result.rows] == ["ok", "failed", "ok"]
    assert result.rows[1]["error"] == "of our own making"
    assert result.rows[1]["error_kind"] == "ZeroDivisionError"
