"""Tasks on a Dask cluster: one at an address, or one of processes here."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

from modeler.replay.run import Traffic
from modeler.study.jobs import spool
from modeler.study.jobs.executors import Chunk, ExecutorError, Placed, Report, perform_here
from modeler.study.jobs.task import Packed
from modeler.study.jobs.world import world

_TIMEOUT_S: Final = 10.0  # a scheduler that does not answer by then is not there


class Dask:
    """A Dask cluster as an executor; the scheduler tries a chunk of a lost worker again itself."""

    least = 50

    def __init__(
        self, address: str, workers: int | None, traffic: Mapping[str, Traffic], report: Report
    ) -> None:
        del report
        try:
            import distributed
        except ImportError as error:
            raise ExecutorError(
                "executor dask: the package distributed is not installed: pip install distributed, "
                "or the extra dask"
            ) from error
        self.lost: tuple[type[BaseException], ...] = (
            distributed.scheduler.KilledWorker,
            spool.TraceMissing,
        )
        self._cluster: Any = None
        try:
            if address:
                self._client = distributed.Client(f"tcp://{address}", timeout=_TIMEOUT_S)
            else:
                self._cluster = distributed.LocalCluster(
                    n_workers=workers, threads_per_worker=1, processes=True,
                    host="127.0.0.1", dashboard_address=None,
                )  # fmt: skip
                self._client = distributed.Client(self._cluster)
        except (OSError, TimeoutError) as error:
            raise ExecutorError(f"executor dask: nobody answers at {address}: {error}") from error
        self.workers = max(sum(self._threads().values()), 1)
        self._placed = Placed(traffic)
        self._distribute()

    def _threads(self) -> dict[str, int]:
        found: dict[str, int] = self._client.nthreads()
        return found

    def _distribute(self) -> None:
        """Send the traffic to each machine that does not hold it, once."""
        self._placed.ensure()
        hosts: dict[str, str] = self._client.run(socket.gethostname)
        one_a_host = {host: address for address, host in hosts.items()}
        for digest, traffic in self._placed.traffic.items():
            has: dict[str, bool] = self._client.run(
                spool.held, digest, workers=list(one_a_host.values())
            )
            lacking = [address for address, there in has.items() if not there]
            if lacking:
                data, expected = spool.content(traffic)
                self._client.run(spool.receive, digest, data, expected, workers=lacking)

    def submit(self, chunk: Chunk, numbers: Sequence[int]) -> Future[list[Packed]]:
        """Perform a chunk."""
        answer: Future[list[Packed]] = Future()
        remote = self._client.submit(perform_here, list(chunk), world(), pure=False, retries=2)
        remote.add_done_callback(lambda done: _hand_over(done, answer))
        answer.add_done_callback(lambda mine: remote.cancel() if mine.cancelled() else None)
        return answer

    def renew(self) -> None:
        """Send the traffic to machines that came since."""
        self._distribute()

    def close(self) -> None:
        """Leave the cluster; one that was started here is stopped."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()
        self._placed.remove()


def _hand_over(done: Any, answer: Future[list[Packed]]) -> None:
    """A finished future of the cluster becomes one of this process."""
    if answer.cancelled() or not answer.set_running_or_notify_cancel():
        return
    try:
        answer.set_result(done.result())
    except BaseException as error:
        answer.set_exception(error)
