"""A scenario of scale per request, as the engine takes it: limits, and draws of cold starts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from modeler.autoscale.per_request import keep_alive
from modeler.autoscale.policy import Policy
from modeler.predict import ColdStartLaw
from modeler.replay.errors import StartsTooSlowly
from modeler.replay.per_request import Capacity, ColdDraws, simulate
from modeler.replay.simulate import Floats, Limits, Result, Work
from modeler.scenario import Scenario
from modeler.scenario.policy import PerRequest
from traces import draws

_STREAM: Final = "cold_response"


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
    return simulate(
        work,
        limits,
        keep_alive(policy, scenario.seed),
        draws=cold_draws(scenario, law),
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

    def phases(first: int, count: int) -> tuple[Floats, Floats, Floats | None]:
        table = law.sample(first, count)
        return table.running_s, table.ready_s, None

    def whole(first: int, count: int) -> tuple[Floats, Floats, Floats | None]:
        assert mean_s is not None
        nothing = np.zeros(count)
        if policy.cold_response_law == "fixed":
            return nothing, nothing, np.full(count, mean_s)
        drawn = draws.exponential(scenario.seed, _STREAM, first, count)
        return nothing, nothing, mean_s * drawn

    return phases if mean_s is None else whole
