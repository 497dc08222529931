"""The adapters of HPA and KEDA: what nulls mean, and that every input is read.

The numbers follow from the upstream projects' own tests (kubernetes/kubernetes,
pkg/controller/podautoscaler; kedacore/keda, pkg/scaling/executor; read 2026-09).
"""

from __future__ import annotations

import pytest

from modeler.referee.conformance import hpa, keda
from modeler.referee.conformance.inputs import Inputs
from modeler.referee.parameters import CaseError

KINDS = {**hpa.KINDS, **keda.KINDS}


def answer(kind, **values):
    case = Inputs(values)
    got = KINDS[kind](case)
    assert list(case.unread()) == []
    return got


def pods(*values, request=1000, state="ready"):
    return [{"state": state, "value": value, "request": request} for value in values]


def test_a_metric_over_pods():
    got = answer(
        "replica_calc", metric_type="resource_utilization", current_replicas=3,
        target_utilization_percent=30, pods=pods(300, 500, 700),
    )  # fmt: skip
    assert got == {
        "desired_replicas": 5.0,
        "observed_utilization_percent": 50.0,
        "observed_average": 500.0,
    }
    # Memory looks at no readiness, the CPU does.
    rows = [*pods(900), *pods(100, state="unready_never_ready")]
    of = {"metric_type": "resource_utilization", "current_replicas": 2, "pods": rows}
    cpu = answer("replica_calc", target_utilization_percent=50, resource="cpu", **of)
    memory = answer("replica_calc", target_utilization_percent=50, resource="memory", **of)
    assert cpu["observed_utilization_percent"] == 90.0
    assert memory["observed_utilization_percent"] == 50.0
    # A pod without a request is an error, and so is none with a sample.
    lacking = {"current_replicas": 1, "target_utilization_percent": 50}
    for rows in (pods(1, request=None), pods(None), []):
        got = answer("replica_calc", metric_type="resource_utilization", pods=rows, **lacking)
        assert got == {"error": True}


def test_pods_by_their_ages():
    row = {
        "phase": "Running", "value": 900, "request": 1000, "pod_start_age_s": 60,
        "ready_condition": False, "last_ready_transition_age_s": 60,
    }  # fmt: skip
    got = answer(
        "replica_calc", metric_type="resource_utilization", current_replicas=2,
        target_utilization_percent=50, pods=[*pods(900), row],
    )  # fmt: skip
    assert got["desired_replicas"] == 2.0  # empty: 45 % over two


def test_a_metric_of_an_object_without_pods_takes_the_replicas():
    of = {"metric_type": "external_value", "current_replicas": 2, "target_value": 1000}
    assert answer("replica_calc", metric_total=3000, **of)["desired_replicas"] == 6.0
    assert answer("replica_calc", metric_total=[1000, 2000], **of)["desired_replicas"] == 6.0
    assert answer("replica_calc", metric_total=3000, pods=[], **of) == {"error": True}
    assert answer("replica_calc", metric_total=None, **of) == {"error": True}
    got = answer(
        "replica_calc", metric_type="object_average_value", current_replicas=3,
        status_replicas=4, target_value=1000, metric_total=5999, tolerance=0.5,
    )  # fmt: skip
    assert (got["desired_replicas"], got["observed_average"]) == (4.0, 1500.0)
    got = answer("replica_calc", metric_total=2300, scale_up_tolerance=0.2, tolerance=0.0, **of)
    assert got["desired_replicas"] == 5.0


def test_the_defaults_of_a_pod():
    assert answer("pod_classification", ready_condition=True, pod_start_age_s=1) == {
        "class": "ready"
    }
    assert answer("pod_classification", pod_start_age_s=1)["class"] == "ignored"
    assert answer("pod_classification", has_sample=False)["class"] == "missing"
    assert answer("pod_classification", resource="memory")["class"] == "ready"
    for phase in ("pending", "Failed", "succeeded"):
        assert answer("pod_classification", phase=phase)["class"] == "ignored"
    # A sample of the default window of 60 s, 10 s old, of a pod ready for 69 and for 70 s.
    of = {"ready_condition": True, "pod_start_age_s": 100, "sample_age_s": 10}
    for ago_s, expected in ((69, "ignored"), (70, "ready")):
        got = answer("pod_classification", last_ready_transition_age_s=ago_s, **of)
        assert got["class"] == expected
    with pytest.raises(CaseError, match="phase: found 'gone', expected one of running"):
        answer("pod_classification", phase="gone")


def test_rules_that_are_not_given_are_the_api_s():
    up = answer("behavior_limit_only", direction="up", current_replicas=10)
    assert up == {"limit": 20.0}
    down = answer("behavior_limit_only", direction="down", current_replicas=10)
    assert down == {"limit": 0.0}
    off = {"select_policy": "Disabled"}
    assert answer("behavior_limit_only", direction="up", current_replicas=3, rules=off) == {
        "limit": 3.0
    }
    got = answer(
        "behavior_rate_limit", current_replicas=10, desired_replicas=500, max_replicas=1000,
        scale_up_events=[{"replica_change": 4, "age_s": 5}],
    )  # fmt: skip
    assert got == {"replicas": 12.0, "limited_by": "scale_up_policy"}
    got = answer("legacy_bounds", current_replicas=3, desired_replicas=0, max_replicas=9)
    assert got == {"replicas": 1.0, "limited_by": "min_replicas"}


def test_histories():
    past = [{"replicas": 9, "age_s": 299}, {"replicas": 20, "age_s": 300}]
    got = answer("stabilization_legacy", desired_replicas=3, recommendations=past)
    assert got == {"stabilized_replicas": 9.0}
    # Absent: the first reconcile has just put the current replicas there.
    for recommendations, expected in ((None, 6.0), ([], 3.0)):
        got = answer(
            "stabilization_behavior", current_replicas=6, desired_replicas=3,
            recommendations=recommendations,
        )  # fmt: skip
        assert got == {"stabilized_replicas": expected}


def metric(*values, target):
    return {
        "metric_type": "resource_utilization",
        "target_utilization_percent": target,
        "pods": pods(*values),
    }


def test_a_whole_pass():
    of = {"current_replicas": 3, "max_replicas": 20, "metrics": [metric(100, 200, 300, target=80)]}
    # Seeded by the first reconcile, or with an empty history.
    assert answer("reconcile", **of)["replicas"] == 3.0
    assert answer("reconcile", recommendations=[], **of)["replicas"] == 1.0
    broken = {**of, "metrics": [*of["metrics"], {"metric_type": "unknown", "error": True}]}
    got = answer("reconcile", recommendations=[], **broken)
    assert (got["replicas"], got["error"]) == (3.0, True)
    high = {**of, "metrics": [metric(900, 900, 900, target=10)]}
    got = answer("reconcile", recommendations=[], **high)
    assert (got["replicas"], got["limited_by"]) == (6.0, "scale_up_limit")
    behavior = {"scale_down": {"stabilization_window_s": 0}}
    got = answer("reconcile", recommendations=[], behavior=behavior, **high)
    assert (got["replicas"], got["limited_by"]) == (7.0, "scale_up_policy")
    # Tolerances by direction: 90 % of a target of 80 is 12.5 % above it.
    near = {**of, "metrics": [metric(900, 900, 900, target=80)]}
    assert answer("reconcile", recommendations=[], **near)["replicas"] == 4.0
    wide = {"scale_up": {"tolerance": 0.2}}
    assert answer("reconcile", recommendations=[], behavior=wide, **near)["replicas"] == 3.0
    # Bounds come before everything, zero replicas before them.
    assert answer("reconcile", **{**of, "current_replicas": 30})["replicas"] == 20.0
    assert answer("reconcile", **{**of, "current_replicas": 0})["replicas"] == 0.0


def test_keda_nulls():
    assert answer("activation_step", current_replicas=4)["replicas"] == 0.0
    got = answer("activation_step", current_replicas=0, any_trigger_active=True)
    assert (got["replicas"], got["active"]) == (1.0, True)
    got = answer("activation_step", current_replicas=4, seconds_since_last_active=10)
    assert (got["replicas"], got["active_reason"]) == (4.0, "ScalerCooldown")
    got = answer("activation_step", current_replicas=4, force_activation=True)
    assert (got["replicas"], got["active"]) == (4.0, True)
    got = answer("scaled_job_strategy", max_scale=3, running_jobs=2, strategy="custom")
    assert got["effective_max_scale"] == 1.0
    got = answer(
        "scaled_job_strategy", max_scale=10, strategy="custom", max_replicas=10,
        queue_length_deduction=1, running_job_percentage="0.5",
    )  # fmt: skip
    assert got["effective_max_scale"] == 9.0
    got = answer("scaled_job_strategy", max_scale=4, strategy="eager", max_replicas=10)
    assert (got["effective_max_scale"], got["scale_to"]) == (4.0, 10.0)
