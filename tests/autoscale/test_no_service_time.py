"""Traffic whose services take no time: a target that would follow from them is refused by name."""

from typing import Any

import numpy as np
import pytest

from modeler.autoscale.context import NoServiceTime
from modeler.platforms import export
from modeler.scenario import Scenario, loads, with_values
from modeler.study import doctor, replay
from traces import Trace

TRACE = Trace(np.arange(50.0), {"service_s": np.zeros(50)})
BASE = loads("hosting: {usd_per_hour: 1}\nmodel: {size: 2GB}\npolicy: {kind: target_tracking}")
EKS = {"hosting.kind": "eks_karpenter", "cold_start.total_s": "60s"}


def of(**settings: Any) -> Scenario:
    return with_values(BASE, settings)


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({}, "policy.target"),
        (EKS | {"policy.kind": "hpa", "policy.metric": "requests_per_second"}, "policy.target"),
        (EKS | {"policy.kind": "sky_serve"}, "policy.target_qps_per_replica"),
    ],
)
def test_a_rate_that_would_follow_is_refused_by_its_key(settings: dict[str, Any], key: str) -> None:
    with pytest.raises(NoServiceTime, match=rf"^{key} cannot follow .* 0 s: set {key}, or"):
        replay(with_values(BASE, settings), trace=TRACE)


def test_with_the_target_set_it_replays_and_is_written() -> None:
    scenario = of(**{"policy.target": 60})
    outcome = replay(scenario, trace=TRACE).outcome
    # One replica throughout, and no request waits: an hour of it costs what an hour costs.
    assert outcome.sla_violation_share == 0.0
    assert outcome.usd_per_hour == pytest.approx(1.0, rel=1e-9)
    assert "60" in export(scenario, "terraform", trace=TRACE)


def test_the_doctor_has_no_capacity_to_look_at() -> None:
    with pytest.raises(NoServiceTime, match="capacity of a replica .* service.mean_s"):
        doctor(of(**{"policy.target": 60}), trace=TRACE)
