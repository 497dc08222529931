"""Tasks on a Ray cluster: one at an address, or one of processes here."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, Final
from urllib.parse import urlsplit

from modeler.replay.run import Traffic
from modeler.study.jobs import spool
from modeler.study.jobs.executors import (
    LEAST,
    MOST,
    Chunk,
    ExecutorError,
    Placed,
    Report,
    perform_here,
    release,
)
from modeler.study.jobs.task import Packed
from modeler.study.jobs.world import world

_PORT: Final = 10001  # of Ray's client server, where an address names none
_TIMEOUT_S: Final = 10.0  # who does not answer by then is not there


class Ray:
    """A Ray cluster as an executor; Ray tries a chunk of a lost worker again itself."""

    least, most = LEAST, MOST

    def __init__(
        self, address: str, workers: int | None, traffic: Mapping[str, Traffic], report: Report
    ) -> None:
        del report
        try:
            import ray
        except ImportError as error:
            raise ExecutorError(
                "executor ray: the package ray is not installed: pip install ray, or the extra ray"
            ) from error
        self._ray = ray
        if address:
            _answers(address)
        self.lost: tuple[type[BaseException], ...] = (
            ray.exceptions.WorkerCrashedError,
            ray.exceptions.NodeDiedError,
            ray.exceptions.OutOfMemoryError,
            ray.exceptions.ObjectLostError,
            spool.TraceMissing,
        )
        self._own = not ray.is_initialized()
        self._here = self._own and not address
        quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        try:
            if address:
                ray.init(f"ray://{address}", ignore_reinit_error=True, **quiet)
            elif self._here:
                ray.init(
                    address="local", num_cpus=workers, include_dashboard=False,
                    _node_ip_address="127.0.0.1", **quiet,
                )  # fmt: skip
        except (OSError, RuntimeError, ray.exceptions.RayError) as error:
            # Another version of Ray or Python there; or a token is asked for, which Ray does not
            # say: it only waits.
            raise ExecutorError(
                f"executor ray: no session at {address or 'this machine'}: {error}; a cluster that "
                "asks for a token wants RAY_AUTH_MODE=token and the token here too"
            ) from error
        self.workers = max(int(ray.cluster_resources().get("CPU", 1)), 1)
        self._placed = Placed(traffic)
        try:
            # One copy in the object store of each machine, whatever the number of its workers.
            self._data = {digest: ray.put(spool.content(one)) for digest, one in traffic.items()}
        except BaseException:
            self.close()
            raise
        self._perform = ray.remote(num_cpus=1, max_retries=3)(_perform)

    def submit(self, chunk: Chunk, numbers: Sequence[int]) -> Future[list[Packed]]:
        """Perform a chunk."""
        needed = {digest: [self._data[digest]] for digest in {task.trace for task in chunk}}
        reference = self._perform.remote(list(chunk), self._placed.sweep, world(), needed)
        answer: Future[list[Packed]] = reference.future()
        return answer

    def renew(self) -> None:
        """A lost worker is replaced by Ray."""

    def close(self) -> None:
        """Empty the spools and leave the cluster; one that was started here is stopped."""
        if not self._here:
            with suppress(OSError, RuntimeError, self._ray.exceptions.RayError):
                self._empty()  # the cluster may be gone
        if self._own:
            self._ray.shutdown()
        self._placed.remove()

    def _empty(self) -> None:
        """Take the traffic from every machine where no other sweep uses it."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        emptied = self._ray.remote(num_cpus=0, max_retries=0)(release)
        there = [
            emptied.options(
                scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            ).remote(list(self._placed.traffic), self._placed.sweep)
            for node in self._ray.nodes()
            if node["Alive"]
        ]
        self._ray.wait(there, num_returns=len(there), timeout=_TIMEOUT_S)


def _answers(address: str) -> None:
    """Refuse an address that no client server is at; Ray itself tries for most of a minute.

    Raises
    ------
    ExecutorError
        Nobody is there, or the part of Ray that speaks to a cluster is not installed here.
    """
    if find_spec("grpc") is None:
        raise ExecutorError(
            "executor ray: a cluster at an address needs the package grpcio: "
            'pip install "ray[client]", or the extra ray'
        )
    try:
        parts = urlsplit(f"ray://{address}")
        socket.create_connection((parts.hostname, parts.port or _PORT), _TIMEOUT_S).close()
    except (OSError, ValueError) as error:
        raise ExecutorError(f"executor ray: nobody answers at {address}: {error}") from error


def _perform(chunk: Any, sweep: str, expected: str, needed: dict[str, list[Any]]) -> list[Packed]:
    """Perform a chunk on a machine that may not hold its traffic yet."""
    import ray

    for digest, (reference,) in needed.items():
        spool.hold(digest, sweep)
        if not spool.held(digest):
            data, checked = ray.get(reference)
            spool.receive(digest, data, checked)
    return perform_here(chunk, sweep, expected)
