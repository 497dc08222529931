"""A scenario of scale per request, as the engine takes it: limits, and draws of cold starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np

from modeler.autoscale.per_request import keep_alive
from modeler.autoscale.policy import Policy
from modeler.predict import ColdStartLaw
from modeler.predict.start_laws import slowed
from modeler.replay.errors import StartsTooSlowly
from modeler.replay.per_request import Capacity, ColdDraws, simulate
from modeler.replay.result import Result
from modeler.replay.simulate import Floats, Limits, Work
from modeler.replay.weather_setup import of_kind, spells_of
from modeler.scenario import Scenario
from modeler.scenario.policy import PerRequest
from modeler.scenario.weather import FailedStart
from traces import draws

_STREAM: Final = "cold_response"
# The stream of how often a start fails; one block of the kind is all that a scenario has.
_FAILURES: Final = "weather.failed_start.0"


def replay_requests(
    scenario: Scenario,
    policy: PerRequest,
    law: ColdStartLaw,
    work: Iterable[Work],
    limits: Limits,
    *,
    provisioned: Policy,
    horizon_s: float,
    t0_ns: int,
    records: int,
    progress: Callable[[int], None] | None,
) -> Result:
    """Replay a scenario of scale per request.

    Raises
    ------
    StartsTooSlowly : the platform gives up on such a start.
    """
    check_start(scenario, law)
    spells, rates = spells_of(scenario, t0_ns, horizon_s)
    if scenario.hosting.kind == "lambda" and scenario.hosting.package == "image":
        rates = [(registry, registry) for _, registry in rates]  # the weights lie in the image
    laws = [
        dataclasses.replace(law, timeline=slowed(law.timeline, store, registry))
        for store, registry in rates
    ]
    return simulate(
        work,
        limits,
        keep_alive(policy, scenario.seed),
        draws=[cold_draws(scenario, law) for law in laws],
        spells=spells,
        capacity=capacity_of(scenario),
        provisioned=provisioned,
        horizon_s=horizon_s,
        t0_ns=t0_ns,
        records=records,
        first_wanted=scenario.sla.metric == "first_token",
        progress=progress,
    )


def check_start(scenario: Scenario, law: ColdStartLaw) -> None:
    """Refuse a model that is not there when the platform's health checks end.

    Raises
    ------
    StartsTooSlowly
    """
    hosting = scenario.hosting
    if hosting.kind != "sagemaker_serverless":
        return
    start_s = law.waterfall().total_p50_s
    if start_s > hosting.health_check_s:
        raise StartsTooSlowly(start_s, hosting.health_check_s, "hosting.health_check_s")


def capacity_of(scenario: Scenario) -> Capacity:
    """What bounds the environments of a scenario's function."""
    hosting = scenario.hosting
    policy = scenario.in_force[0]
    assert hosting.kind in ("lambda", "sagemaker_serverless")
    assert isinstance(policy, PerRequest)
    cap = hosting.cap if policy.max_environments is None else policy.max_environments
    if hosting.kind == "sagemaker_serverless":
        return Capacity(
            cap=min(cap, hosting.cap, hosting.account_concurrency),
            provisioned_lead_s=hosting.provisioned_lead_s,
        )
    return Capacity(
        cap=min(cap, hosting.cap),
        burst=hosting.burst,
        burst_limit=float(hosting.burst_environments),
        burst_period_s=hosting.burst_period_s,
        provisioned_lead_s=hosting.provisioned_lead_s,
    )


def cold_draws(scenario: Scenario, law: ColdStartLaw) -> ColdDraws:
    """Cold starts by ordinal; where the whole response has a law, it is all there is."""
    policy = scenario.in_force[0]
    assert isinstance(policy, PerRequest)
    mean_s = policy.cold_response_s

    failing = of_kind(scenario, FailedStart)

    def phases(first: int, count: int) -> tuple[Floats, Floats, Floats | None]:
        table = law.sample(first, count)
        lost_s = _failed_s(scenario, failing, table.ready_s, first)
        return lost_s + table.running_s, lost_s + table.ready_s, None

    def whole(first: int, count: int) -> tuple[Floats, Floats, Floats | None]:
        assert mean_s is not None
        nothing = np.zeros(count)
        if policy.cold_response_law == "fixed":
            return nothing, nothing, np.full(count, mean_s)
        drawn = draws.exponential(scenario.seed, _STREAM, first, count)
        return nothing, nothing, mean_s * drawn

    return phases if mean_s is None else whole


def _failed_s(
    scenario: Scenario, failing: Sequence[FailedStart], ready_s: Floats, first: int
) -> Floats:
    """What failed attempts take before the one that succeeds, by environment. [s]

    The platform tries again at once and in the same environment, as Lambda does; each attempt
    fails with the same probability, independently, and takes as long as the one that succeeds, or
    until the limit.
    """
    lost_s = np.zeros(len(ready_s))
    for block in failing:
        if block.probability == 0.0:
            continue
        drawn = draws.uniform(scenario.seed, _FAILURES, first, len(ready_s))
        attempts = np.floor(np.log(drawn) / np.log(block.probability))
        limit_s = scenario.cold_start.start_limit_s
        if limit_s is None and scenario.hosting.kind == "sagemaker_serverless":
            limit_s = scenario.hosting.health_check_s
        each_s: Floats | float = ready_s
        if block.detected == "limit" and limit_s is not None:
            each_s = limit_s
        lost_s += attempts * each_s
    return lost_s
