"""What a sweep would take, before it is begun."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pricing
from modeler.measure import unit_price
from modeler.scenario import Scenario, format_duration
from modeler.study.jobs.book import hits
from modeler.study.jobs.executors import cores
from modeler.study.jobs.task import Task, perform
from modeler.study.prepare import Prepared, prepare

if TYPE_CHECKING:
    import pandas as pd

_PROBES: Final = 3
# A task as it waits, and its row as it is kept, measured over a thousand of office-week.
_BYTES_PER_TASK: Final = 6_000


@dataclass(frozen=True)
class Plan:
    """What a sweep would do.

    Parameters
    ----------
    scenarios, references : int. Rows of each kind.
    known : int. Rows that earlier runs have.
    to_make : int. Those that would be replayed.
    failing : int. Of them, those that are known to fail, before any replay.
    requests : int. In one pass over every scenario to make, references once.
    seconds : float. Estimated, with so many workers. [s]
    seconds_per_row : float. CPU seconds of one row, from a probe. [s]
    probes : int. Rows that were made to estimate it.
    workers : int.
    memory_bytes : int. Estimated peak of this process. [bytes]
    price_dates : tuple of str. Of the prices that the rows would use.
    unpriced : int. Scenarios that no price is held for.
    traces : tuple of dict. Source, requests and duration of the traffic.
    """

    scenarios: int
    references: int
    known: int
    to_make: int
    failing: int
    requests: int
    seconds: float
    seconds_per_row: float | None
    probes: int
    workers: int
    memory_bytes: int
    price_dates: tuple[str, ...]
    unpriced: int
    traces: tuple[dict[str, Any], ...]

    def to_dict(self) -> dict[str, Any]:
        """The versioned JSON contract, schema ``plan/1``."""
        return {"schema": "plan/1", **asdict(self)}

    def sentence(self) -> str:
        """The same in words."""
        known = f", {self.known} of their rows are known" if self.known else ""
        failing = f", {self.failing} cannot be replayed" if self.failing else ""
        return (
            f"{self.scenarios} scenarios and {self.references} fixed fleets{known}{failing}: about "
            f"{format_duration(self.seconds)} with {self.workers} workers, "
            f"{self.memory_bytes / 1e6:,.0f} MB, no network"
        )

    def frame(self) -> pd.DataFrame:
        """One row."""
        import pandas as pd

        return pd.json_normalize([self.to_dict()])


def plan(
    scenario: Scenario,
    *,
    workers: int | None = None,
    ledger: str | os.PathLike[str] | None = None,
    **asked: Any,
) -> Plan:
    """Say what a sweep would take, from a few of its rows.

    Parameters
    ----------
    scenario : Scenario.
    workers : int, optional. One a core by default.
    ledger : path, optional. Folder of runs.
    **asked : what else `modeler.study.prepare.prepare` takes.

    Raises
    ------
    As `modeler.study.sweep`.
    """
    prepared = prepare(scenario, **asked)
    done = hits(Path(ledger), prepared.tasks) if ledger is not None else set[int]()
    todo = [k for k in range(len(prepared.tasks)) if k not in done]
    seconds, probes = _probed(prepared, [k for k in todo if not _fails(prepared.tasks[k])])
    requests = prepared.requests()
    count = min(workers or cores(), max(1, len(todo)))
    work = sum(seconds * _replays(prepared.tasks[k]) for k in todo if seconds)
    dates, unpriced = _price_dates(prepared)
    return Plan(
        scenarios=len(prepared.points),
        references=len(prepared.tasks) - len(prepared.points),
        known=len(done),
        to_make=len(todo),
        failing=sum(_fails(prepared.tasks[k]) for k in todo),
        requests=sum(requests[k] for k in todo),
        seconds=work / count,
        seconds_per_row=seconds or None,
        probes=probes,
        workers=count,
        memory_bytes=_peak_bytes() + _BYTES_PER_TASK * len(prepared.tasks),
        price_dates=tuple(sorted(dates)),
        unpriced=unpriced,
        traces=tuple(prepared.meta["traces"]),
    )


def _fails(task: Task) -> bool:
    return task.point.error is not None


def _replays(task: Task) -> int:
    """How many replays a row takes: a reference looks for its fleet by bisection."""
    if _fails(task):
        return 0
    if task.kind == "scenario":
        return 1 + task.replicates
    looked = 1 + max(task.point.scenario.fleet.max - 1, 1).bit_length()
    return looked + (1 + task.replicates if task.replicates else 0)


def _probed(prepared: Prepared, todo: list[int]) -> tuple[float, int]:
    """Mean CPU seconds of a replay, from rows spread over those to make; the first warms up."""
    own = [k for k in todo if prepared.tasks[k].kind == "scenario"]
    if not own:
        return 0.0, 0
    step = max(1, len(own) // _PROBES)
    chosen = own[::step][:_PROBES]
    spent = []
    for number in (chosen[0], *chosen):
        task = prepared.tasks[number]
        before = time.process_time()
        perform(task._replace(replicates=0), prepared.traffic[task.trace], lambda done: None)
        spent.append(time.process_time() - before)
    return sum(spent[1:]) / len(chosen), len(chosen)


def _price_dates(prepared: Prepared) -> tuple[set[str], int]:
    dates, unpriced = set[str](), 0
    for point in prepared.points:
        if point.error is not None:
            continue
        try:
            as_of = unit_price(point.scenario).as_of
        except pricing.PricingError:
            unpriced += 1
            continue
        if as_of:
            dates.add(str(as_of))
    return dates, unpriced


def _peak_bytes() -> int:
    """Most memory that this process has had, with the traffic and one replay in it. [bytes]"""
    try:
        import resource
    except ImportError:  # not on Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
