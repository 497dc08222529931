"""One scenario and one trace, replayed: the main path's middle.

`run` looks up the machine, foresees service times and cold starts, builds the policy and lets the
engine replay every request. What comes out is records and counters; judging them is `measure`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

import pricing
from modeler.autoscale.build import build
from modeler.autoscale.policy import Policy
from modeler.predict import (
    ColdStartLaw,
    ServiceLaw,
    check_fit,
    cold_start_law,
    instance_of,
    service_law,
)
from modeler.predict.dynamic_service import DynamicBatching
from modeler.predict.service import TOKENS
from modeler.replay.batching import Batching, Gathering
from modeler.replay.fates import Fates
from modeler.replay.machines_setup import Layer, layer_of
from modeler.replay.result import Result
from modeler.replay.simulate import Floats, Limits, Work, simulate
from modeler.scenario import Scenario
from modeler.scenario.policy import PerRequest
from modeler.scenario.queue import hold_timeout_s
from traces import CountSeries, Trace

Traffic = Trace | CountSeries


@dataclass(frozen=True)
class Run:
    """A replay and all that went into it."""

    scenario: Scenario
    trace: Traffic
    instance: pricing.InstanceSpec
    service: ServiceLaw
    cold_start: ColdStartLaw
    policy: Policy
    limits: Limits
    result: Result
    layer: Layer | None = None

    def work(self) -> Iterator[Work]:
        """The same requests again, with the same service times."""
        return work_of(self.scenario, self.trace, self.service)

    def arrivals(self) -> Floats:
        """When each request came, in their order. [s]"""
        return arrivals_of(self.trace, self.scenario.seed)


def slots_of(scenario: Scenario, service: ServiceLaw) -> int:
    """Requests a replica serves at once: as set, else as the service has it. [requests]"""
    slots = 1 if scenario.hosting.platform.per_request else scenario.fleet.slots
    return slots or service.slots_default


def run(
    scenario: Scenario,
    trace: Traffic,
    *,
    records: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Run:
    """Replay a scenario on a trace.

    Parameters
    ----------
    scenario : Scenario. Its ``sweep`` block is not looked at.
    trace : Trace or CountSeries. The traffic; never copied.
    records : bool. Keep one record per request.
    progress : called with the number of requests replayed so far.

    Raises
    ------
    pricing.UnknownInstance, pricing.SpecNotFound : the instance is not in the tables.
    modeler.predict.ModelDoesNotFit : the weights do not fit the instance.
    modeler.replay.StartsTooSlowly : the platform gives up on such a start.
    """
    instance = instance_of(scenario)
    check_fit(instance, scenario.model.size)
    service = service_law(scenario, trace, instance)
    cold_start = cold_start_law(scenario, instance)
    slots = slots_of(scenario, service)
    limits = Limits(
        slots=slots,
        queue_limit=scenario.queue.limit,
        queue_timeout_s=scenario.queue_timeout_s,
        client_timeout_s=scenario.client_timeout_s,
        threshold_s=sla_threshold_s(scenario, tokens=service.tokens),
        fates=fates_of(scenario, cold_start),
        batching=batching_of(scenario, service),
    )
    policy = build(
        scenario,
        instance,
        slots=slots,
        mean_service_s=service.mean_s(trace),
        t0_ns=trace.t0_ns,
        horizon_s=trace.duration_s + scenario.fleet.tail_s,
    )
    if isinstance(scenario.in_force[0], PerRequest):
        # Compiled apart: a fleet does not pay for the other regime, nor the other way round.
        from modeler.replay.per_request_setup import replay_requests

        result = replay_requests(
            scenario,
            scenario.in_force[0],
            cold_start,
            work_of(scenario, trace, service),
            limits,
            provisioned=policy,
            horizon_s=trace.duration_s + scenario.fleet.tail_s,
            t0_ns=trace.t0_ns,
            records=trace.requests if records else 0,
            progress=progress,
        )
        return Run(scenario, trace, instance, service, cold_start, policy, limits, result)
    horizon_s = trace.duration_s + scenario.fleet.tail_s
    layer = layer_of(scenario, cold_start, t0_ns=trace.t0_ns, horizon_s=horizon_s)
    result = simulate(
        policy,
        tokens_of(scenario, trace)
        if service.kind == "batched"
        else work_of(scenario, trace, service),
        limits,
        draws=_draws(cold_start),
        horizon_s=horizon_s,
        t0_ns=trace.t0_ns,
        records=trace.requests if records else 0,
        first_wanted=scenario.sla.metric == "first_token" or service.kind == "batched",
        release_s=scenario.release_s,
        machines=None if layer is None else layer.machines,
        progress=progress,
    )
    return Run(scenario, trace, instance, service, cold_start, policy, limits, result, layer)


def arrivals_of(trace: Traffic, seed: int) -> Floats:
    """When each request comes, in their order; of counts as they are drawn. [s]"""
    return np.concatenate([chunk.arrival_s for chunk in trace.chunks(seed=seed)])


def sla_threshold_s(scenario: Scenario, *, tokens: bool) -> float:
    """The service level in force: the analyst's, else 10 s for token traffic and 2 s else. [s]"""
    if scenario.sla.threshold_s is not None:
        return scenario.sla.threshold_s
    return 10.0 if tokens else 2.0


# As many cold starts as the shown quantiles are taken from.
_MEAN_OF = 2000


def fates_of(scenario: Scenario, cold_start: ColdStartLaw) -> Fates:
    """What the scenario says happens to requests from zero, by the router and after a failure."""
    queue = scenario.queue
    hold_s = queue.hold_timeout_s
    if hold_s is None:
        mean_s = cold_start.mean_s(_MEAN_OF)
        hold_s = hold_timeout_s(scenario.hosting, scenario.in_force, mean_s)
    return Fates(
        from_zero=scenario.from_zero,
        hold_limit=scenario.hold_limit,
        hold_timeout_s=hold_s,
        router=scenario.fleet.router,
        false_ready_s=scenario.cold_start.false_ready_s,
        retries=queue.retries,
        retry_base_s=queue.retry_base_s,
        retry_factor=queue.retry_factor,
        retry_max_s=queue.retry_max_s,
        retry_jitter=queue.retry_jitter,
        retry_client_timeouts=queue.retry_client_timeouts,
        seed=scenario.seed,
    )


def work_of(scenario: Scenario, trace: Traffic, service: ServiceLaw) -> Iterator[Work]:
    """The trace in chunks, each request with its service time and its judged moment.

    Of replicas that batch: with its share of a full one; see `tokens_of` for what they replay.
    """
    first_token = scenario.sla.metric == "first_token"
    for chunk in trace.chunks(seed=scenario.seed):
        service_s, first_token_s = service.draw(chunk)
        judged_s = first_token_s if first_token else service_s
        yield Work(chunk.first, chunk.arrival_s, service_s, judged_s)


def batching_of(scenario: Scenario, service: ServiceLaw) -> Batching | Gathering | None:
    """How replicas make their batches, where they do."""
    batching = service.batching
    if batching is None:
        return None
    if isinstance(batching, DynamicBatching):
        return Gathering(batching.seconds, batching.max_delay_s)
    first = scenario.sla.metric == "first_token"
    return Batching(batching.law, batching.batched_tokens, batching.mixed, first)


def tokens_of(scenario: Scenario, trace: Traffic) -> Iterator[Work]:
    """The trace in chunks, each request with its prompt and its output."""
    for chunk in trace.chunks(seed=scenario.seed):
        prompt, output = (
            np.ascontiguousarray(chunk.columns[name], dtype=np.float64) for name in TOKENS
        )
        yield Work(chunk.first, chunk.arrival_s, prompt, output)


def _draws(cold_start: ColdStartLaw) -> Callable[[int, int], tuple[Floats, Floats]]:
    def draw(first: int, count: int) -> tuple[Floats, Floats]:
        table = cold_start.sample(first, count)
        return table.running_s, table.ready_s

    return draw
