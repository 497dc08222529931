"""What the checks hold against each other, computed once: starts, service, capacity, traffic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale.build import context_of
from modeler.autoscale.context import Context
from modeler.predict import (
    ColdStartLaw,
    ServiceLaw,
    check_fit,
    cold_start_law,
    instance_of,
    service_law,
)
from modeler.replay.machines_setup import nodes_of, plain_laws
from modeler.replay.run import Traffic, sla_threshold_s
from modeler.scenario import Scenario, settings_in_force
from modeler.study.doctor.findings import Held
from pricing import InstanceSpec

Floats = NDArray[np.float64]

# As many cold starts as the shown quantiles are taken from.
_STARTS: Final = 2000
# Requests that the quantiles of the service time are taken from, evenly over the trace.
_SAMPLE: Final = 500_000
MINUTE_S: Final = 60.0
# Columns of `StartLaws.moments`.
_RUNNING, _UP, _BEGUN, _READY = 0, 1, 3, 4
# Which of `plain_laws` is the start from a warm pool.
_POOLED: Final = 2


@dataclass(frozen=True)
class Facts:
    """A scenario on its traffic, as far as it is known without a replay.

    Parameters
    ----------
    scenario, trace, instance, law : what is asked, the traffic, the machine and its cold start.
    context : Context. What the policy is built for; holds slots and mean service time.
    ready_s : array of float. Request until a replica serves, of some starts: of a new instance, or
        from a warm pool that holds any. [s]
    counted_s : array of float. Of the same the part that the platform's limit counts. [s]
    running_s, up_s : array of float. Until the instance runs, and until its machine is up. [s]
    service_s, judged_s : array of float. Service times of requests, and what of them is held
        against the service level; empty where they depend on the other requests of a batch. [s]
    minute_rps : array of float. Arrivals a second in each minute of the trace. [1/s]
    tokens : bool. Whether the traffic carries tokens.
    """

    scenario: Scenario
    trace: Traffic
    instance: InstanceSpec
    law: ColdStartLaw
    context: Context
    ready_s: Floats
    counted_s: Floats
    running_s: Floats
    up_s: Floats
    service_s: Floats
    judged_s: Floats
    minute_rps: Floats
    tokens: bool

    # --- starts ---

    @property
    def start_p50_s(self) -> float:
        """Median of a start. [s]"""
        return float(np.quantile(self.ready_s, 0.5))

    @property
    def start_p95_s(self) -> float:
        """95th percentile of a start. [s]"""
        return float(np.quantile(self.ready_s, 0.95))

    # --- capacity ---

    @property
    def slots(self) -> int:
        """Requests a replica serves at once."""
        return self.context.slots

    @property
    def mean_service_s(self) -> float:
        """Mean time a request keeps its slot. [s]"""
        return self.context.mean_service_s

    @property
    def replica_rps(self) -> float:
        """Most requests a second that one replica serves. [1/s]"""
        return self.slots / self.context.service_s("the capacity of a replica")

    @property
    def per_request(self) -> bool:
        """Whether the platform starts an environment per request."""
        return self.scenario.hosting.platform.per_request

    @property
    def most(self) -> int:
        """Replicas at most. [replicas]"""
        first = self.scenario.in_force[0]
        if first.kind == "fixed":
            return int(first.replicas)
        bounds = [one.max_replicas for _, one in self.policies if one.kind == "scheduled"]
        return max([self.scenario.fleet.max, *(one for one in bounds if one is not None)])

    @property
    def least(self) -> int:
        """Replicas at least. [replicas]"""
        first = self.scenario.in_force[0]
        return int(first.replicas) if first.kind == "fixed" else self.scenario.fleet.min

    # --- traffic ---

    @property
    def mean_rps(self) -> float:
        """Mean arrivals a second. [1/s]"""
        return self.trace.requests / max(self.trace.duration_s, MINUTE_S)

    @cached_property
    def peak_rps(self) -> float:
        """Arrivals a second in the busiest minute. [1/s]"""
        return float(self.minute_rps.max())

    @cached_property
    def busiest_hour_rps(self) -> float:
        """Mean arrivals a second over the busiest 60 minutes. [1/s]"""
        wide = min(60, self.minute_rps.size)
        sums = np.convolve(self.minute_rps, np.ones(wide), mode="valid")
        return float(sums.max() / wide)

    # --- settings ---

    @cached_property
    def policies(self) -> tuple[tuple[str, Any], ...]:
        """The policies in force, each with its path."""
        if self.scenario.policies:
            return tuple((f"policies.{i}", one) for i, one in enumerate(self.scenario.policies))
        return (("policy", self.scenario.policy),)

    @cached_property
    def _origins(self) -> dict[str, str]:
        return {row.path: row.origin for row in settings_in_force(self.scenario)}

    def setting(self, path: str, what: str, value: float, unit: str = "") -> Held:
        """A value that is a setting, with where it comes from."""
        return Held(what, float(value), unit, path, self._origins.get(path, "assumed"))

    def at_least(self, replicas: int) -> dict[str, Any]:
        """The settings that keep so many replicas: ``fleet.min``, and the bounds that follow."""
        fleet = self.scenario.fleet
        settings: dict[str, Any] = {"fleet.min": replicas}
        if fleet.max < replicas:
            settings["fleet.max"] = replicas
        if fleet.initial is not None and fleet.initial < replicas:
            settings["fleet.initial"] = None
        return settings

    def start_held(self) -> Held:
        """The 95th percentile of a start, as findings show it."""
        return Held("start (p95)", self.start_p95_s, "s")


def facts_of(scenario: Scenario, trace: Traffic) -> Facts:
    """Everything the checks need.

    Raises
    ------
    modeler.predict.ModelDoesNotFit, modeler.predict.ServiceError : as the rooms say.
    """
    instance = instance_of(scenario)
    check_fit(instance, scenario.model.size)
    law = cold_start_law(scenario, instance)
    service = service_law(scenario, trace, instance)
    per_request = scenario.hosting.platform.per_request
    slots = 1 if per_request else scenario.fleet.slots or service.slots_default
    context = context_of(
        scenario,
        instance,
        slots=slots,
        mean_service_s=service.mean_s(trace),
        t0_ns=trace.t0_ns,
        horizon_s=trace.duration_s + scenario.fleet.tail_s,
    )
    count = _STARTS if law.varies else 1
    ready_s = law.sample(0, count).ready_s
    running_s = up_s = counted_s = ready_s
    if not per_request:
        moments = plain_laws(scenario, law).moments(0, count)
        fresh = moments[:, 0]
        running_s, up_s = fresh[:, _RUNNING], fresh[:, _UP]
        counted_s = fresh[:, _READY] - fresh[:, _BEGUN]
        if pool_holds_any(scenario):
            ready_s = moments[:, _POOLED, _READY]
    service_s, judged_s, minutes = _traffic(scenario, trace, service)
    return Facts(
        scenario=scenario,
        trace=trace,
        instance=instance,
        law=law,
        context=context,
        ready_s=ready_s,
        counted_s=counted_s,
        running_s=running_s,
        up_s=up_s,
        service_s=service_s,
        judged_s=judged_s,
        minute_rps=minutes,
        tokens=service.tokens,
    )


def pool_holds_any(scenario: Scenario) -> bool:
    """Whether a warm pool lies beneath that is not empty once the group has its minimum."""
    nodes = nodes_of(scenario)
    if nodes.kind != "warm_pool":
        return False
    prepared = scenario.fleet.max if nodes.max_prepared is None else nodes.max_prepared
    return bool(nodes.min_size) or prepared > scenario.fleet.min


def threshold_s(facts: Facts) -> float:
    """The service level in force. [s]"""
    return sla_threshold_s(facts.scenario, tokens=facts.tokens)


def _traffic(
    scenario: Scenario, trace: Traffic, service: ServiceLaw
) -> tuple[Floats, Floats, Floats]:
    """Sampled service and judged times, and the arrivals of each minute."""
    minutes = np.zeros(int(trace.duration_s // MINUTE_S) + 1)
    stride = math.ceil(trace.requests / _SAMPLE)
    parts: list[tuple[Floats, Floats]] = []
    for chunk in trace.chunks(seed=scenario.seed):
        index = np.minimum((chunk.arrival_s // MINUTE_S).astype(np.int64), minutes.size - 1)
        minutes += np.bincount(index, minlength=minutes.size)
        if service.batching is None:
            taken, first_s = service.draw(chunk)
            judged = first_s if scenario.sla.metric == "first_token" else taken
            parts.append((taken[::stride], judged[::stride]))
    none = np.empty(0)
    service_s = np.concatenate([none, *(taken for taken, _ in parts)])
    judged_s = np.concatenate([none, *(judged for _, judged in parts)])
    # A last minute that is cut short would read as a quiet one; of a short trace it is all.
    last_s = trace.duration_s - MINUTE_S * (minutes.size - 1)
    if minutes.size > 1 and last_s < MINUTE_S:
        minutes = minutes[:-1]
    return service_s, judged_s, minutes / MINUTE_S


def up_to_minute(seconds: float) -> int:
    """The next whole minute, in seconds. [s]

    >>> up_to_minute(552.3), up_to_minute(60.0)
    (600, 60)
    """
    return math.ceil(seconds / MINUTE_S - 1e-9) * 60
