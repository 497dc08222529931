"""Two scenarios beside each other: which settings differ, and when their replays part.

Replays of the same traffic share every draw, so that up to one moment they are the same to the last
bit. What differs first says why: a decision, before it a replica, or neither and a request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from modeler.replay import layout as m
from modeler.replay.result import Decision, Result
from modeler.replay.run import Run
from modeler.replay.simulate import Floats
from modeler.scenario import Scenario, settings_in_force
from traces import CountSeries
from traces.describe import iso

ADDED: Final = "+"
REMOVED: Final = "-"
OTHER: Final = "~"
# What happens to a replica, in the columns of its row.
_EVENTS: Final = ("requested", "running", "ready", "draining", "stopped")


class Changed(NamedTuple):
    """A setting in force that is not the same in two scenarios.

    Attributes
    ----------
    path : str. Such as ``policy.target``.
    a, b : object. Its value in each; None where the scenario has no such setting.
    mark : str. ``+`` only the second has it, ``-`` only the first, ``~`` it has another value.
    """

    path: str
    a: object
    b: object
    mark: str


class DesiredDiffers(NamedTuple):
    """The first moment at which two replays want different capacities.

    Attributes
    ----------
    time_s : float. Since the trace's origin. [s]
    desired : (int, int). By each, once it has decided what it decides then. [replicas]
    decisions : (Decision, Decision). Of that moment, with its reason; None of one that decided
        nothing then, and of both where the fleets begin with different sizes.
    """

    time_s: float
    desired: tuple[int, int]
    decisions: tuple[Decision | None, Decision | None]


class ReplicaEvent(NamedTuple):
    """Something that happens to a replica.

    Attributes
    ----------
    event : str. ``requested``, ``running``, ``ready``, ``draining`` or ``stopped``.
    replica : int. Its ordinal.
    """

    event: str
    replica: int


class ReplicasDiffer(NamedTuple):
    """The first moment at which something happens to a replica of one replay only.

    Attributes
    ----------
    time_s : float. Since the trace's origin. [s]
    events : (ReplicaEvent, ReplicaEvent). The first of each replay that the other has not; None
        where there is none.
    """

    time_s: float
    events: tuple[ReplicaEvent | None, ReplicaEvent | None]


class RequestDiffers(NamedTuple):
    """The first moment at which a request fares differently.

    Attributes
    ----------
    time_s : float. When it starts or ends in one replay and not in the other. [s]
    request : int. Its ordinal.
    arrival_s : float. [s]
    outcome : (str, str). In each replay.
    start_s, end_s : (float, float). In each; an infinite start: it never started. [s]
    """

    time_s: float
    request: int
    arrival_s: float
    outcome: tuple[str, str]
    start_s: tuple[float, float]
    end_s: tuple[float, float]


@dataclass(frozen=True)
class Divergence:
    """When two replays of the same traffic first differ.

    Parameters
    ----------
    time_s : float. The first moment of all. [s]
    at : str, optional. The same in ISO 8601, of traffic with a date.
    decision : DesiredDiffers, optional. None: both want the same capacity throughout.
    replica : ReplicasDiffer, optional. None: the same happens to the same replicas.
    request : RequestDiffers, optional. None: none differs, or one replay kept no records.
    """

    time_s: float
    at: str | None
    decision: DesiredDiffers | None
    replica: ReplicasDiffer | None
    request: RequestDiffers | None


def settings_changed(a: Scenario, b: Scenario) -> list[Changed]:
    """The settings in force that two scenarios do not share, defaults included.

    Returns
    -------
    list of Changed
        In order of their paths, without the names and what the sweeps would vary. Empty: both
        replay alike.
    """
    of_a, of_b = _in_force(a), _in_force(b)
    found = []
    for path in sorted({*of_a, *of_b}):
        mine, others = of_a.get(path), of_b.get(path)
        if path not in of_b:
            found.append(Changed(path, mine, None, REMOVED))
        elif path not in of_a:
            found.append(Changed(path, None, others, ADDED))
        elif mine != others:
            found.append(Changed(path, mine, others, OTHER))
    return found


def _in_force(scenario: Scenario) -> dict[str, object]:
    rows = settings_in_force(scenario)
    return {
        row.path: row.value
        for row in rows
        if row.path != "name" and not row.path.startswith("sweep.")
    }


def first_divergence(a: Run, b: Run) -> Divergence | None:
    """When two replays of the same traffic first differ, in a decision, a replica and a request.

    Parameters
    ----------
    a, b : Run. Requests are compared where both kept their records.

    Returns
    -------
    Divergence, optional
        None: they never do.

    Raises
    ------
    ValueError : they replayed different traffic.
    """
    seeds = (a.scenario.seed, b.scenario.seed)
    drawn = isinstance(a.trace, CountSeries) and seeds[0] != seeds[1]
    if a.trace.content_hash != b.trace.content_hash or drawn:
        raise ValueError(
            f"different traffic: {a.trace.source} (seed {seeds[0]}) and {b.trace.source} "
            f"(seed {seeds[1]}); expected two replays of the same requests"
        )
    decision = _desired(a.result, b.result)
    replica = _replicas(a.result, b.result)
    request = _requests(a, b)
    times = [one.time_s for one in (decision, replica, request) if one is not None]
    if not times:
        return None
    first_s = min(times)
    at = iso(a.trace.t0_ns + round(first_s * 1e9)) if a.trace.t0_is_absolute else None
    return Divergence(first_s, at, decision, replica, request)


def _desired(a: Result, b: Result) -> DesiredDiffers | None:
    """Where the two capacities that are wanted part, as steps over time."""
    if a.initial != b.initial:
        return DesiredDiffers(0.0, (a.initial, b.initial), (None, None))
    steps = [{one.time_s: one for one in result.decisions if _moves(one)} for result in (a, b)]
    desired = [a.initial, b.initial]
    for time_s in sorted({*steps[0], *steps[1]}):
        made = [of.get(time_s) for of in steps]
        desired = [
            before if one is None else one.to_replicas
            for before, one in zip(desired, made, strict=True)
        ]
        if desired[0] != desired[1]:
            return DesiredDiffers(time_s, (desired[0], desired[1]), (made[0], made[1]))
    return None


def _moves(decision: Decision) -> bool:
    return decision.from_replicas != decision.to_replicas


def _replicas(a: Result, b: Result) -> ReplicasDiffer | None:
    of_a, of_b = _events(a), _events(b)
    shared = min(len(of_a), len(of_b))
    apart = (of_a[:shared] != of_b[:shared]).any(axis=1)
    k = int(apart.argmax()) if apart.any() else shared
    times = [float(of[k, 0]) for of in (of_a, of_b) if k < len(of)]
    if not times:
        return None
    time_s = min(times)
    here, there = (
        [(int(event), int(replica)) for _, event, replica in of[of[:, 0] == time_s].tolist()]
        for of in (of_a, of_b)
    )
    return ReplicasDiffer(time_s, (_first_only(here, there), _first_only(there, here)))


def _first_only(
    events: list[tuple[int, int]], others: list[tuple[int, int]]
) -> ReplicaEvent | None:
    """The first of some events of one moment that is not among the others."""
    known = set(others)
    only = next((one for one in events if one not in known), None)
    return None if only is None else ReplicaEvent(_EVENTS[only[0]], only[1])


def _events(result: Result) -> Floats:
    """float64[n, 3] in order of time: when, which event, of which replica.

    A replica that is only released because the replay ends has not been stopped by anyone.
    """
    table = result.replicas.copy()
    stop = table[:, m.STOP_S]
    stop[stop >= result.end_s] = m.INF
    replica, event = np.nonzero(np.isfinite(table))
    times = table[replica, event]
    order = np.lexsort((replica, event, times))
    return np.column_stack([times, event, replica])[order]


def _requests(a: Run, b: Run) -> RequestDiffers | None:
    one, other = a.result, b.result
    if len(one.record) != one.requests or len(other.record) != other.requests:
        return None
    here, there = one.record_s[:, :2], other.record_s[:, :2]
    moment = np.where(here != there, np.minimum(here, there), m.INF).min(axis=1)
    turned = (one.record[:, 0] != other.record[:, 0]) & np.isinf(moment)
    moment[turned] = here[turned, 1]
    k = int(moment.argmin())
    if np.isinf(moment[k]):
        return None
    names = [m.OUTCOMES[int(result.record[k, 0])] for result in (one, other)]
    (start_a, end_a), (start_b, end_b) = here[k].tolist(), there[k].tolist()
    return RequestDiffers(
        float(moment[k]),
        k,
        float(a.arrivals()[k]),
        (names[0], names[1]),
        (start_a, start_b),
        (end_a, end_b),
    )
