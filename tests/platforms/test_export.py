"""What is exported is read back as the same policy, and replays to the same dollar."""

from pathlib import Path
from typing import Any

import pytest
from exports import (
    AWS,
    AWS_FORMS,
    CHEAP,
    GROUP,
    HPAS,
    KEDAS,
    KNATIVES,
    PROVISIONED,
    SERVICES,
    SHORT,
    back,
    check,
    of,
)

from modeler.platforms import export
from modeler.study import replay


@pytest.mark.parametrize("form", AWS_FORMS)
@pytest.mark.parametrize(("hosting", "policy"), [*AWS, *SERVICES])
def test_policies_of_application_auto_scaling_come_back(
    tmp_path: Path, form: str, hosting: str, policy: Any
) -> None:
    check(of(hosting, policy), form, tmp_path)


@pytest.mark.parametrize("form", AWS_FORMS)
@pytest.mark.parametrize(
    ("hosting", "other"), [("lambda", {}), ("sagemaker_serverless", {"hosting.memory_mb": 4096})]
)
def test_provisioned_concurrency_comes_back(
    tmp_path: Path, form: str, hosting: str, other: dict[str, Any]
) -> None:
    bounds = {"hosting.provisioned_concurrency": 1, "model.size": "400MB"}
    if hosting == "sagemaker_serverless":
        bounds |= {
            "hosting.provisioned_usd_per_gb_s": 1e-5,
            "hosting.on_provisioned_usd_per_gb_s": 1e-5,
        }
    check(of(hosting, PROVISIONED, **bounds, **other), form, tmp_path)


@pytest.mark.parametrize(("hosting", "policy"), GROUP)
def test_policies_of_a_group_come_back(tmp_path: Path, hosting: str, policy: Any) -> None:
    for form in AWS_FORMS:
        check(of(hosting, policy), form, tmp_path)


@pytest.mark.parametrize(
    ("form", "policy"),
    [
        *(("hpa", policy) for policy in HPAS),
        *(("keda", policy) for policy in KEDAS),
        *(("knative", policy) for policy in KNATIVES),
    ],
)
def test_policies_of_kubernetes_come_back(tmp_path: Path, form: str, policy: Any) -> None:
    others = {"fleet.slots": 2} if policy.get("container_concurrency") else {}
    others |= {"fleet.min": 2} if "idle_replicas" in policy else {}
    check(of("eks_karpenter", policy, **others), form, tmp_path)


@pytest.mark.parametrize("form", CHEAP)
def test_what_comes_back_costs_the_same_to_the_dollar(tmp_path: Path, form: str) -> None:
    scenario = CHEAP[form]
    again = back(export(scenario, form, trace=SHORT), form, tmp_path, scenario)
    before, after = (replay(one, trace=SHORT) for one in (scenario, again))
    assert after.outcome.usd_per_hour == before.outcome.usd_per_hour
    assert after.decisions == before.decisions
    assert before.decisions  # it scaled at all
    assert after.outcome.sla_violation_share == before.outcome.sla_violation_share
