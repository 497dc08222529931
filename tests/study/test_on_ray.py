"""Sweeps on Ray: here, at an address through its client, and with a worker killed in the middle.

Each in a process of its own: Ray changes how the one it runs in waits for its children.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import textwrap
from contextlib import contextmanager
from pathlib import Path

import pytest
from test_executors import text

from modeler.study.jobs.executors import ExecutorError, executor_of

HERE = Path(__file__).resolve().parent
pytest.importorskip("ray")

# Ray on this machine alone; a worker's process says by its title what it is doing.
_STARTED = """
    import os, signal, sys, threading, time
    import ray
    import test_executors as t
    ray.init(address="local", num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1",
             log_to_driver=False, logging_level="error")
"""


@pytest.fixture(scope="module")
def serial() -> str:
    return text("threads", 1)


def ran(script: str, folder: Path, **more) -> str:
    """What a script, which may import these tests, writes to ``OUT``; Ray talks on its output."""
    out = folder / "out.json"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=environment(**more, OUT=str(out)),
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return out.read_text()


def environment(**more: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join((str(HERE), str(HERE.parents[1]), *sys.path[1:])),
        **more,
    }


def swept(executor: str, workers: int | None = 2) -> str:
    return f"""
    import os, test_executors as t
    with open(os.environ["OUT"], "w") as file:
        file.write(t.text({executor!r}, {workers}))
    """


def test_the_same_bytes_from_two_workers_of_ray(serial, tmp_path):
    assert ran(swept("ray"), tmp_path) == serial


def test_workers_of_ray_of_another_version_end_the_sweep_with_what_they_say(tmp_path):
    script = """
    import os, test_executors as t
    from modeler.study.jobs import on_ray
    on_ray.world = lambda: "another"
    try:
        t.text("ray")
    except t.ExecutorError as error:
        with open(os.environ["OUT"], "w") as file:
            file.write(str(error))
    """
    said = ran(script, tmp_path)
    assert said.startswith("a worker has another modeler, or other prices: ")
    assert said.endswith("expected another; install the same version and tables there")


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no titles of processes here")
def test_a_worker_of_ray_killed_in_the_middle_is_survived(serial, tmp_path):
    script = """
    killed, deadline = [], time.monotonic() + 240.0

    def parent(of):
        with open(f"/proc/{of}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])

    def kill():
        while not killed and time.monotonic() < deadline:
            for one in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{one}/cmdline") as file:
                        performs = "_perform" in file.read()
                    # Its parent is the node, whose parent is this process: no other cluster's.
                    if performs and parent(parent(one)) == os.getpid():
                        os.kill(int(one), signal.SIGKILL)
                        killed.append(one)
                        break
                except OSError:  # it has ended meanwhile
                    pass
            time.sleep(0.002)

    murderer = threading.Thread(target=kill)
    murderer.start()
    result = t.text("ray")
    murderer.join()
    assert killed
    with open(os.environ["OUT"], "w") as file:
        file.write(result)
    """
    assert ran(_STARTED + script, tmp_path) == serial


@contextmanager
def client_server(**more: str):
    """A cluster of two workers behind Ray's client server, on this machine alone."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    script = f"""
    from ray.util.client.server.server import serve
    server = serve("127.0.0.1", {port})
    print("ready", flush=True)
    sys.stdin.read()
    server.stop(0)
    ray.shutdown()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_STARTED + script)],
        env=environment(**more), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as head:  # fmt: skip
        assert head.stdin is not None
        assert head.stdout is not None
        assert head.stdout.readline() == "ready\n"
        yield port
        head.stdin.close()


def test_the_same_bytes_through_the_client_of_a_cluster_at_an_address(serial, tmp_path):
    pytest.importorskip("grpc")
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(16)}
    # Another spool than ours, as another machine has: the traffic has to travel.
    with tempfile.TemporaryDirectory() as elsewhere, client_server(
        **token, TMPDIR=elsewhere, RAY_TMPDIR=tempfile.gettempdir()
    ) as port:  # fmt: skip
        assert ran(swept(f"ray://127.0.0.1:{port}", None), tmp_path, **token) == serial
        (spooled,) = Path(elsewhere).glob("modeler-traffic-*")
        assert list(spooled.iterdir()) == []


def test_an_address_that_nobody_is_at_is_told():
    pytest.importorskip("grpc")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ExecutorError, match=f"executor ray: nobody answers at {address}"):
            executor_of(f"ray://{address}", None, {}, lambda number, done: None)


def test_a_client_without_its_transport_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "grpc", None)
    with pytest.raises(ExecutorError, match=r'pip install "ray\[client\]"'):
        executor_of("ray://127.0.0.1:1", None, {}, lambda number, done: None)
