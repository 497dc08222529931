"""Kubernetes HPA: one pod, and one metric over pods, shown to the functions of the replay.

Values, requests and targets are in milli-units, utilisations in percent, ages in seconds. A pod is
given by its state or, with more to say, by phase, readiness and ages.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from modeler.autoscale import hpa_replicas as replicas
from modeler.referee.conformance.inputs import Inputs
from modeler.referee.parameters import CaseError
from modeler.scenario.policy import Hpa

Answer = dict[str, Any]
_ERROR: Final[Answer] = {"error": True}

_CLASSES: Final = {
    replicas.READY: "ready",
    replicas.IGNORED: "ignored",
    replicas.MISSING: "missing",
    replicas.GONE: "ignored",  # neither counted nor filled in: the controller's own word
}
_PHASES: Final = {
    "running": replicas.RUNNING,
    "unknown": replicas.RUNNING,
    "pending": replicas.PENDING,
    "failed": replicas.ENDED,
    "succeeded": replicas.ENDED,
    "terminating": replicas.ENDED,
}
# Pods by state: phase, and for the CPU whether the sample counts; whether the pod is Ready.
_STATES: Final = {
    "ready": ("running", True, True),
    "unready": ("running", True, False),
    "unready_was_ready": ("running", True, False),
    "unready_never_ready": ("running", False, False),
    "starting_no_fresh_sample": ("running", False, True),
    "starting_unready": ("running", False, False),
    "pending": ("pending", False, False),
    "failed": ("failed", False, False),
    "succeeded": ("succeeded", False, False),
    "terminating": ("terminating", False, True),
}
# The window of a sample that does not say: metrics-server's (documented:
# pkg/controller/podautoscaler/metrics/client.go, metricServerDefaultMetricWindow).
_WINDOW_S: Final = 60.0
_CPU_INITIALIZATION_S: Final = Hpa.model_fields["cpu_initialization_period_s"].default
_READINESS_DELAY_S: Final = Hpa.model_fields["initial_readiness_delay_s"].default
TOLERANCE: Final = Hpa.model_fields["tolerance"].default

# Types of metrics: how they are held, and whether they are the pods' own resource.
_UTILISATION, _AVERAGE, _VALUE, _AVERAGE_VALUE = range(4)
_TYPES: Final = {
    "resource_utilization": (_UTILISATION, True),
    "container_resource_utilization": (_UTILISATION, True),
    "resource_average_value": (_AVERAGE, True),
    "container_resource_average_value": (_AVERAGE, True),
    "pods_average_value": (_AVERAGE, False),
    "object_value": (_VALUE, False),
    "external_value": (_VALUE, False),
    "object_average_value": (_AVERAGE_VALUE, False),
    "external_average_value": (_AVERAGE_VALUE, False),
}


def pod_classification(case: Inputs) -> Answer:
    """One pod by its ages: ready, ignored or missing."""
    cpu = case.text("resource", "cpu").lower() == "cpu"
    return {"class": _CLASSES[_classified(case, cpu, case.flag("has_sample", True))]}


def _classified(pod: Inputs, cpu: bool, has_sample: bool) -> float:
    name = pod.text("phase", "running").lower()
    if name not in _PHASES:
        raise CaseError(f"phase: found {name!r}, expected one of {', '.join(_PHASES)}")
    phase = _PHASES[name]
    if pod.flag("terminating", False) or pod.flag("deletion_requested", False):
        phase = replicas.ENDED
    ready = pod.flag("ready_condition", None)
    return replicas.classify(
        phase,
        has_sample,
        cpu,
        pod.number("pod_start_age_s", math.nan),
        math.nan if ready is None else float(ready),
        pod.number("last_ready_transition_age_s", math.nan),
        pod.number("sample_age_s", math.nan),
        pod.number("sample_window_s", _WINDOW_S),
        pod.number("cpu_initialization_period_s", _CPU_INITIALIZATION_S),
        pod.number("initial_readiness_delay_s", _READINESS_DELAY_S),
    )


def replica_calc(case: Inputs) -> Answer:
    """One metric: what it asks for and what was observed, or an error."""
    tolerance = case.number("tolerance", TOLERANCE)
    down = case.number("scale_down_tolerance", tolerance)
    up = case.number("scale_up_tolerance", tolerance)
    return metric(case, case.number("current_replicas"), down, up)


def metric(case: Inputs, current: float, down: float, up: float) -> Answer:
    """What one metric asks for, with the replicas and tolerances in force."""
    case.ignore("metric_name", "name", "container")  # labels
    if case.flag("error", False):
        case.ignore("metric_type")
        return _ERROR
    name = case.text("metric_type")
    if name not in _TYPES:
        raise CaseError(f"metric_type: found {name!r}, expected one of {', '.join(_TYPES)}")
    form, resource = _TYPES[name]
    if form in (_VALUE, _AVERAGE_VALUE):
        return _whole(case, form, current, down, up)
    cpu = resource and case.text("resource", "cpu").lower() == "cpu"
    rows = [_row(pod, cpu) for pod in case.rows("pods", [])]
    extra = case.numbers("samples_for_unknown_pods", [])
    rows += [(1.0, value, math.nan, replicas.STRANGER) for value in extra if value is not None]
    pods = np.array(rows, dtype=np.float64).ravel()
    if form == _UTILISATION:
        target = case.number("target_utilization_percent")
        result, percent, average = replicas.utilisation_replicas(
            pods, 0, len(rows), current, target, down, up
        )
        seen = {"observed_utilization_percent": percent, "observed_average": average}
    else:
        target = case.number("target_value")
        result, average = replicas.average_replicas(pods, 0, len(rows), current, target, down, up)
        seen = {"observed_average": average}
    return _ERROR if result == replicas.FAILED else {"desired_replicas": result, **seen}


def _whole(case: Inputs, form: int, current: float, down: float, up: float) -> Answer:
    """A metric of an object or an external source."""
    total = case.raw("metric_total", None)
    if isinstance(total, list):
        total = math.fsum(case.numbers("metric_total"))
    elif total is not None:
        total = case.number("metric_total")
    target = case.number("target_value")
    status = case.number("status_replicas", current)
    pods = case.rows("pods", None)
    # Without a list the pods are as many as the replicas, all of them ready.
    ready = current if pods is None else sum(_is_ready(pod) for pod in pods)
    if total is None:
        return _ERROR
    if form == _VALUE:
        result = replicas.value_replicas(
            total, target, current, -1.0 if pods == [] else float(ready), down, up
        )
        average = replicas.average_value_replicas(total, target, status, down, up)[1]
    else:
        result, average = replicas.average_value_replicas(total, target, status, down, up)
    if result == replicas.FAILED:
        return _ERROR
    return {"desired_replicas": result, "observed_average": average, "observed_value": total}


def _row(pod: Inputs, cpu: bool) -> tuple[float, float, float, float]:
    value = pod.number("value", math.nan)
    request = pod.number("request", math.nan)
    kind = _class_of(pod, cpu, not math.isnan(value))
    return 1.0, value, request, kind


def _class_of(pod: Inputs, cpu: bool, has_sample: bool) -> float:
    if not pod.given("state") and (pod.given("phase") or pod.given("pod_start_age_s")):
        return _classified(pod, cpu, has_sample)
    state = pod.text("state", "ready", tuple(_STATES))
    phase, counts, _ = _STATES[state]
    # The two start-up states stand for ages: those in which the CPU does not count yet.
    start_age_s = 0.0 if not counts else math.inf
    return replicas.classify(
        _PHASES[phase], has_sample, cpu, start_age_s, float(counts), 0.0, math.nan, 0.0,
        _CPU_INITIALIZATION_S, _READINESS_DELAY_S,
    )  # fmt: skip


def _is_ready(pod: Inputs) -> bool:
    """Whether a pod runs and is Ready, which is all that counts here."""
    pod.ignore("value", "request")
    return _STATES[pod.text("state", "ready", tuple(_STATES))][2]
