"""Tasks on a Dask cluster: one at an address, or one of processes here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final

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

_TIMEOUT_S: Final = 10.0  # a scheduler that does not answer by then is not there


class Dask:
    """A Dask cluster as an executor; the scheduler tries a chunk of a lost worker again itself."""

    least, most = LEAST, MOST

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
        try:
            self._distribute()
        except BaseException:
            self.close()
            raise

    def _threads(self) -> dict[str, int]:
        found: dict[str, int] = self._client.nthreads()
        return found

    def _run(self, function: Callable[..., Any], *given: Any, **more: Any) -> dict[str, Any]:
        """What workers answer, by their addresses; one that dies meanwhile does not.

        Raises
        ------
        ExecutorError
            One could not do it, for want of room, say.
        """
        found: dict[str, Any] = self._client.run(function, *given, on_error="return", **more)
        for address, answer in found.items():
            # Errors of a lost connection have no number.
            if isinstance(answer, ValueError) or getattr(answer, "errno", None):
                raise ExecutorError(f"executor dask: worker {address}: {answer}") from answer
        return {k: one for k, one in found.items() if not isinstance(one, BaseException)}

    def _distribute(self) -> None:
        """Send the traffic to each machine that does not hold it, once."""
        self._placed.ensure()
        one_a_spool = {where: address for address, where in self._run(spool.where).items()}
        workers = list(one_a_spool.values())
        for digest, traffic in self._placed.traffic.items():
            self._run(spool.hold, digest, self._placed.sweep, workers=workers)
            has = self._run(spool.held, digest, workers=workers)
            lacking = [address for address, there in has.items() if not there]
            if lacking:
                data, expected = spool.content(traffic)
                self._run(spool.receive, digest, data, expected, workers=lacking)

    def submit(self, chunk: Chunk, numbers: Sequence[int]) -> Future[list[Packed]]:
        """Perform a chunk."""
        answer: Future[list[Packed]] = Future()
        remote = self._client.submit(
            perform_here, list(chunk), self._placed.sweep, world(), pure=False, retries=2
        )
        remote.add_done_callback(lambda done: _hand_over(done, answer))
        answer.add_done_callback(lambda mine: remote.cancel() if mine.cancelled() else None)
        return answer

    def renew(self) -> None:
        """Send the traffic to machines that came since."""
        self._distribute()

    def close(self) -> None:
        """Empty the spools and leave the cluster; one that was started here is stopped."""
        if self._cluster is None:
            with suppress(ExecutorError, OSError, ValueError):  # the cluster may be gone
                self._run(release, list(self._placed.traffic), self._placed.sweep)
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
