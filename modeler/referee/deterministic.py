"""Cases without chance: one replay each, compared within 1 %."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, NamedTuple

import numpy as np

from modeler.autoscale import fixed
from modeler.predict import serial_stages
from modeler.referee.parameters import CaseError, Parameters, UnknownError
from modeler.referee.quantities import canonical
from modeler.replay import layout as m
from modeler.replay.simulate import Floats, Limits, Work, simulate

# A request is cut into this many, or more, until the first lag sees so many arrivals. [requests]
_GRAIN: Final = 200_000
_MOST: Final = 20_000_000
_CHUNK: Final = 65_536


class Answer(NamedTuple):
    """What one replay gave."""

    value: float
    requests: int


@dataclass(frozen=True)
class ScaleOut:
    """A step of load on a warm fleet, and more replicas a fixed lag later.

    Parameters
    ----------
    rate : float. Arrivals from t = 0 on. [rps]
    per_replica : float. What one replica serves. [rps]
    before, after : int. Warm at t = 0; ready from `lag_s` on. [replicas]
    lag_s : float. From request to ready. [s]
    """

    rate: float
    per_replica: float
    before: int
    after: int
    lag_s: float


class _Replay(NamedTuple):
    """A scale-out replayed in requests `grain` times finer than the case's own."""

    grain: int
    requests: int
    peak_queue: int
    queued_request_s: float
    max_wait_s: float
    drained_s: float
    delayed: int


_SCALE_OUT: Final[dict[str, tuple[tuple[str, ...], Callable[[_Replay, ScaleOut], float]]]] = {
    "peak_backlog": (
        ("peak_backlog_requests", "max_backlog", "peak_queue", "peak_queue_length", "backlog_peak",
         "max_queue_length", "max_backlog_requests", "backlog_at_ready"),
        lambda r, _: r.peak_queue / r.grain,
    ),
    "drain_time_after_ready": (
        ("drain_time", "drain", "drain_s", "drain_after_ready", "time_to_drain_after_ready"),
        lambda r, case: r.drained_s - case.lag_s,
    ),
    "time_to_drain": (
        ("time_to_clear", "backlog_duration", "total_recovery_time", "recovery_time",
         "breach_duration", "time_until_drained"),
        lambda r, _: r.drained_s,
    ),
    "max_wait": (("worst_wait", "peak_wait", "max_delay"), lambda r, _: r.max_wait_s),
    "total_delay": (
        ("total_delay_request", "total_delay_request_seconds", "total_wait", "delay",
         "total_wait_request_seconds", "total_waiting_time", "delay_request_seconds",
         "area_of_backlog"),
        lambda r, _: r.queued_request_s / r.grain,
    ),
    "delayed_requests": (
        ("requests_delayed", "delayed", "affected_requests"),
        lambda r, _: r.delayed / r.grain,
    ),
    "mean_wait_of_delayed": (
        ("mean_delay_of_delayed", "mean_wait_delayed"),
        lambda r, _: r.queued_request_s / max(r.delayed, 1),
    ),
}  # fmt: skip

# What shows by the time the replicas are ready, whether the backlog goes afterwards or stays.
_KNOWN_AT_READY: Final = ("peak_backlog", "max_wait")


def scale_out(params: Parameters, quantity: str) -> Answer:
    """Replay a fluid scale-out: a deterministic stream, cut fine, through the engine.

    Raises
    ------
    CaseError
        A parameter is missing, the quantity is unknown, or the backlog never drains.
    """
    names = {alias: name for name, (more, _) in _SCALE_OUT.items() for alias in (name, *more)}
    found = _named(quantity, names)
    case = ScaleOut(
        rate=params.positive("rate_after", "arrival_rate"),
        per_replica=params.positive("per_instance_rate", "service_rate"),
        before=_replicas(params, "instances_before", least=0),
        after=_replicas(params, "instances_after", least=1),
        lag_s=params.positive("lag", "lag_s"),
    )
    params.number("rate_before")  # the fleet is warm and idle before the step, whatever it was
    if case.after < case.before:
        raise CaseError(f"params.instances_after: found {case.after}, fewer than before")
    replayed = replay_scale_out(case, to_the_end=found not in _KNOWN_AT_READY)
    return Answer(_SCALE_OUT[found][1](replayed, case), replayed.requests)


def replay_scale_out(case: ScaleOut, *, to_the_end: bool) -> _Replay:
    """Replay the step until its backlog is gone.

    Parameters
    ----------
    to_the_end : bool. Whether the backlog must go; otherwise it may also stay as it is.

    Raises
    ------
    CaseError
        It grows for ever, or does not go within a stream of 20 million requests.
    """
    capacity = case.after * case.per_replica
    if capacity < case.rate or (to_the_end and capacity == case.rate):
        raise CaseError(
            f"the backlog does not drain: {case.after} replicas serve {capacity:g} rps, "
            f"{case.rate:g} rps arrive"
        )
    grain = max(1, math.ceil(_GRAIN / (case.rate * case.lag_s)))
    requests = math.ceil(2.0 * case.lag_s * case.rate * grain)
    while requests <= _MOST:
        found = _stream(case, grain, requests, to_the_end)
        if found is not None:
            return found
        requests *= 2
    raise CaseError(f"the backlog does not drain within {_MOST:,} requests")


def _stream(case: ScaleOut, grain: int, requests: int, to_the_end: bool) -> _Replay | None:
    """One stream; None when somebody still waits at its end who should not."""
    gap_s = 1.0 / (case.rate * grain)
    service_s = 1.0 / (case.per_replica * grain)

    def work() -> Iterator[Work]:
        for first in range(0, requests, _CHUNK):
            count = min(_CHUNK, requests - first)
            services = np.full(count, service_s)
            yield Work(first, _multiples(gap_s, first, count), services, services)

    result = simulate(
        fixed.build(case.after, initial=case.before),
        work(),
        Limits(slots=1),
        draws=lambda first, count: (np.zeros(count), np.full(count, case.lag_s)),
        horizon_s=requests * gap_s,
        records=requests,
    )
    arrival_s = _multiples(gap_s, 0, requests)
    wait_s = result.record_s[:, 0] - arrival_s
    # A wait shorter than a service is how single requests meet, not backlog.
    waited = np.flatnonzero(wait_s > 2.0 * service_s)
    if len(waited) == 0:
        return _Replay(grain, requests, 0, 0.0, 0.0, case.lag_s, 0)
    if to_the_end and waited[-1] == requests - 1:
        return None
    return _Replay(
        grain=grain,
        requests=requests,
        peak_queue=result.peak_queue,
        queued_request_s=result.queued_request_s,
        max_wait_s=float(wait_s.max()),
        drained_s=float(result.record_s[waited[-1], 0]),
        delayed=len(waited),
    )


def _multiples(gap_s: float, first: int, count: int) -> Floats:
    return np.arange(first, first + count, dtype=np.float64) * gap_s


_STAGES: Final = (
    "provision_s", "boot_s", "device_s", "image_pull", "artifact_fetch", "load", "load_fixed_s",
    "init_s", "register_s",
)  # fmt: skip
# A transfer or load: gigabytes over gigabytes a second, under the names files give them.
_TRANSFERS: Final = {
    "image_pull": (("image_GB",), ("image_GBps", "registry_GBps")),
    "artifact_fetch": (("weights_GB", "artifact_GB"), ("store_GBps", "weights_GBps")),
    "load": (("weights_GB", "artifact_GB"), ("load_GBps",)),
}


def stages_of(params: Parameters) -> dict[str, float]:
    """The stages of a cold start, in order. [s]

    Raises
    ------
    CaseError
        No stage is given, or bytes without a rate.
    """
    seconds: dict[str, float] = {}
    for stage in _STAGES:
        if stage in _TRANSFERS:
            sizes, rates = _TRANSFERS[stage]
            amount = _first(params, sizes)
            rate = _first(params, rates)
            if rate is None and (amount is None or stage == "load"):
                continue
            if amount is None or rate is None or not rate > 0.0:
                raise CaseError(f"params: {stage} needs {sizes[0]} and {rates[0]} above 0")
            seconds[stage] = amount / rate
        else:
            duration = params.number(stage)
            if duration is not None:
                seconds[stage.removesuffix("_s")] = duration
    others = [name for name in params.unused() if name.endswith("_s")]
    seconds |= {name.removesuffix("_s"): params.need(name) for name in others}
    if not seconds:
        raise CaseError(f"params: no stage of a cold start; known are {', '.join(_STAGES)}")
    return seconds


def cold_start(params: Parameters, quantity: str) -> Answer:
    """Replay one request to a fleet whose only replica starts cold: its wait is the time to ready.

    Raises
    ------
    CaseError
        As for `stages_of`; or the quantity is unknown.
    """
    names = dict.fromkeys(
        (
            "time_to_ready",
            "cold_start",
            "total",
            "ready",
            "time_to_ready_total",
            "total_cold_start",
        ),
        "time_to_ready",
    )
    _named(quantity, names)
    try:
        law = serial_stages(stages_of(params))
    except ValueError as error:
        raise CaseError(f"params: {error}") from error

    def draws(first: int, count: int) -> tuple[Floats, Floats]:
        table = law.sample(first, count)
        return table.running_s, table.ready_s

    once = np.zeros(1)
    result = simulate(
        fixed.build(1, initial=0),
        [Work(0, once, once, once)],
        Limits(),
        draws=draws,
        horizon_s=0.0,
        records=1,
    )
    if result.record[0, 0] != m.SERVED:
        raise CaseError("the request was not served")
    return Answer(float(result.record_s[0, 0]), 1)


def _first(params: Parameters, names: tuple[str, ...]) -> float | None:
    for name in names:
        value = params.number(name)
        if value is not None:
            return value
    return None


def _replicas(params: Parameters, name: str, *, least: int) -> int:
    value = params.whole(name, least=least)
    return int(params.need(name)) if value is None else value


def _named(quantity: str, names: dict[str, str]) -> str:
    plain = canonical(quantity)
    if plain in names:
        return names[plain]
    known = sorted(set(names.values()))
    near = get_close_matches(plain, names, n=1, cutoff=0.4)
    hint = f"nearest {near[0]!r}; " if near else ""
    raise UnknownError(f"unknown quantity {quantity!r}: {hint}known are {', '.join(known)}")
