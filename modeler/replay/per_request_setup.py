"""A scenario of scale per request, as the engine takes it: limits, and draws of cold starts."""

from __future__ import annotations

from typing import Final

import numpy as np

from modeler.predict import ColdStartLaw
from modeler.replay.per_request import Capacity, ColdDraws
from modeler.replay.simulate import Floats
from modeler.scenario import Scenario
from modeler.scenario.policy import PerRequest
from traces import draws

_STREAM: Final = "cold_response"


class StartsTooSlowly(Exception):
    """A cold start that the platform does not wait for.

    Attributes
    ----------
    start_s : float. Median of the cold start. [s]
    limit_s : float. What the platform allows. [s]
    setting : str. The setting that holds the limit.
    """

    exit_code: Final = 2

    def __init__(self, start_s: float, limit_s: float, setting: str) -> None:
        super().__init__(start_s, limit_s, setting)
        self.start_s, self.limit_s, self.setting = start_s, limit_s, setting

    def __str__(self) -> str:
        return (
            f"a cold start takes {self.start_s:.4g} s (median), but the platform gives up after "
            f"{self.limit_s:.4g} s ({self.setting}): nothing would ever serve; raise "
            f"{self.setting}, or take a smaller model or a faster start"
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
    policy = scenario.policy
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
    policy = scenario.policy
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
