"""Cases of Knative's autoscaler, answered by the functions that the replay runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from modeler.autoscale import knative_decider as decider
from modeler.autoscale import knative_scaler as scaler
from modeler.autoscale import knative_window as window
from modeler.referee.conformance.inputs import Inputs
from modeler.referee.parameters import CaseError

# The cluster's defaults (knative/serving pkg/autoscaler/config/config.go).
_METRIC: Final = "concurrency"
_TOTALS: Final = {"concurrency": 100.0, "rps": 200.0}
_UTILISATION: Final = 0.7
_BURST: Final = 211.0
_STABLE_WINDOW_S: Final = 60.0
_GRACE_S: Final = 30.0
_ACTIVATION_TIMEOUT_S: Final = 630.0  # progress deadline of 600 s, and 30 s
# A tick on which the metrics or the pods could not be read makes no decision.
_FAILURES: Final = ("metrics_error", "no_data", "pod_count_error", "ready_pods_error", "error")
_ACTIVITY: Final = {
    "activating": scaler.ACTIVATING,
    "active": scaler.ACTIVE,
    "inactive": scaler.INACTIVE,
}


def _values(config: Inputs, target: float | None, total: float | None) -> tuple[float, float]:
    """Target and total of a pod; what is missing follows from the other, or from the defaults."""
    metric = config.text("metric", _METRIC, choices=tuple(_TOTALS))
    limit = config.number("container_concurrency", 0.0)
    annotation = config.number("target_annotation", None)
    utilisation = config.number("target_utilization", _UTILISATION)
    default = config.number("target_default", _TOTALS[metric])
    total = config.number("total_value", total)
    target = config.number("target_value", target)
    if total is None:
        total = (
            decider.total_value(limit, default, annotation)
            if target is None
            else target / utilisation
        )
    if target is None:
        target = decider.target_value(total, utilisation)
    return target, total


def _checked(spec: decider.Spec) -> decider.Spec:
    """Refuse what would divide by zero."""
    for name, value in (
        ("target_value", spec.target),
        ("max_scale_down_rate", spec.max_scale_down_rate),
    ):
        if value <= 0.0:
            raise CaseError(f"config.{name}: found {value:g}, expected a number above 0")
    return spec


def _spec(config: Inputs) -> decider.Spec:
    target, total = _values(config, None, None)
    return decider.Spec(
        target=target,
        total=total,
        target_burst_capacity=config.number("target_burst_capacity", _BURST),
        panic_threshold=config.number("panic_threshold", 2.0),
        max_scale_up_rate=config.number("max_scale_up_rate", 1000.0),
        max_scale_down_rate=config.number("max_scale_down_rate", 2.0),
        stable_window_s=config.number("stable_window_s", _STABLE_WINDOW_S),
        delay_steps=float(decider.delay_steps(config.number("scale_down_delay_s", 0.0))),
        tick_s=decider.TICK_S,
        activation_scale=config.number("activation_scale", 1.0),
        reachable=float(config.flag("reachable", True)),
    )


def _updated(spec: decider.Spec, update: Inputs) -> decider.Spec:
    """The settings with some of them changed; the delay stays as the decider was made with."""
    # A new target alone keeps the share of the total that it was.
    keeps_total = update.given("total_value") or not update.given("target_value")
    total = spec.total if keeps_total else None
    if update.given("target_value") and not update.given("total_value"):
        total = update.number("target_value") * spec.total / spec.target
    target, total = _values(update, spec.target, total)
    update.ignore("scale_down_delay_s")  # upstream makes the delay's window once, at creation
    return spec._replace(
        target=target,
        total=total,
        target_burst_capacity=update.number("target_burst_capacity", spec.target_burst_capacity),
        panic_threshold=update.number("panic_threshold", spec.panic_threshold),
        max_scale_up_rate=update.number("max_scale_up_rate", spec.max_scale_up_rate),
        max_scale_down_rate=update.number("max_scale_down_rate", spec.max_scale_down_rate),
        stable_window_s=update.number("stable_window_s", spec.stable_window_s),
        activation_scale=update.number("activation_scale", spec.activation_scale),
        reachable=float(update.flag("reachable", spec.reachable != 0.0)),
    )


def _panic(state: NDArray[np.float64]) -> dict[str, Any]:
    panicking = bool(state[decider.PANICKING] != 0.0)
    return {
        "in_panic": panicking,
        "panic_since_s": float(state[decider.PANIC_SINCE]) if panicking else None,
        "max_panic_pods": int(state[decider.MAX_PANIC]),
    }


def scale_sequence(inputs: Inputs) -> dict[str, Any]:
    """Decisions of one decider, tick by tick."""
    config = inputs.child("config", None) or Inputs({}, "input.config")
    spec = _checked(_spec(config))
    state = np.zeros(decider.size_of(int(spec.delay_steps)))
    steps = inputs.rows("steps")
    times = [step.number("t_s", 0.0) for step in steps]
    created_s = min([0.0, *times])
    decider.created(state, 0, config.number("initial_ready_pods", 0.0), created_s)
    given = inputs.child("initial_state", None)
    if given is not None:
        since_s = given.number("panic_since_s", None)
        if since_s is not None or given.flag("in_panic", None) is not None:
            panicking = given.flag("in_panic", since_s is not None)
            state[decider.PANICKING] = float(panicking)
            state[decider.PANIC_SINCE] = (since_s or 0.0) if panicking else 0.0
        state[decider.MAX_PANIC] = given.number("max_panic_pods", state[decider.MAX_PANIC])
    answers = []
    for step, now_s in zip(steps, times, strict=True):
        update = step.child("config_update", None)
        if update is not None:
            spec = _checked(_updated(spec, update))
        ready = step.number("ready_pods", None)
        stable = step.number("stable_value", None)
        # An empty panic window averages to nothing; an empty stable one leaves no data.
        panic = step.number("panic_value", 0.0)
        failed = [bool(step.raw(key, False)) for key in _FAILURES]
        if ready is None or stable is None or any(failed):
            answers.append(
                {"valid": False, "desired_pods": 0, "excess_burst_capacity": 0, **_panic(state)}
            )
            continue
        wanted = decider.scale(spec, state, 0, now_s, ready, stable, panic)
        answers.append(
            {
                "valid": True,
                "desired_pods": int(wanted),
                "excess_burst_capacity": int(state[decider.EXCESS_BURST]),
                **_panic(state),
            }
        )
    return {"steps": answers}


def initial_state(inputs: Inputs) -> dict[str, Any]:
    """A decider as it is made."""
    state = np.zeros(decider.size_of(0))
    ready = inputs.number("ready_pods_at_creation", 0.0)
    if inputs.flag("pod_count_error", False):
        ready = 0.0
    decider.created(state, 0, ready, inputs.number("t_s", 0.0))
    return _panic(state)


def scale_to_zero(inputs: Inputs) -> dict[str, Any]:
    """One pass of the scaler, bounds and steps to zero."""
    deadline_s = inputs.number("progress_deadline_s", None)
    timeout_s = _ACTIVATION_TIMEOUT_S if deadline_s is None else deadline_s + 30.0
    rules = scaler.Rules(
        minimum=inputs.number("min_scale", 0.0),
        maximum=inputs.number("max_scale", 0.0),
        initial_scale=inputs.number("initial_scale", 1.0),
        initial_scale_reached=float(inputs.flag("initial_scale_reached", True)),
        reachable=float(inputs.flag("reachable", True)),
        enable_scale_to_zero=float(inputs.flag("enable_scale_to_zero", True)),
        stable_window_s=inputs.number("stable_window_s", _STABLE_WINDOW_S),
        grace_s=inputs.number("scale_to_zero_grace_s", _GRACE_S),
        retention_s=inputs.number("pod_retention_s", 0.0),
        activation_timeout_s=inputs.number("activation_timeout_s", timeout_s),
        target_burst_capacity=inputs.number("target_burst_capacity", _BURST),
    )
    activity = _ACTIVITY[inputs.text("activity_state", "active", choices=tuple(_ACTIVITY))]
    scale, carried_out = scaler.right_size(
        rules,
        inputs.number("autoscaler_desired", scaler.UNKNOWN),
        activity,
        inputs.number("state_for_s", 0.0),
        inputs.number("proxy_mode_for_s", 0.0),
        inputs.flag("activator_in_path", True),
    )
    # A deployment without a count has one replica.
    current = inputs.number("current_replicas", 1.0)
    return {
        "scale": int(scale),
        "replica_change_applied": bool(carried_out and scale != current),
    }


def window_average(inputs: Inputs) -> dict[str, Any]:
    """What a window's readers see while it is written to."""
    window_s = inputs.number("window_s", _STABLE_WINDOW_S)
    bucket_s = inputs.number("bucket_s", 1.0)
    weighted = inputs.text("algorithm", "linear") not in ("linear", "")
    state = np.zeros(window.size_of(window_s, bucket_s))
    reads: list[float] = []
    empty: list[bool] = []
    now_s = 0.0
    for operation in inputs.rows("operations"):
        buckets = window.buckets_of(window_s, bucket_s)
        if operation.given("record"):
            at_s, value = operation.numbers("record")
            now_s = max(now_s, at_s)
            window.record(state, 0, buckets, window_s, bucket_s, at_s, value)
        if operation.given("resize"):
            asked = operation.raw("resize")
            at_s, new_s = asked if isinstance(asked, list) else (now_s, asked)
            state = window.resized(state, window_s, float(new_s), bucket_s, float(at_s))
            window_s = float(new_s)
        if operation.given("read"):
            at_s = operation.number("read")
            reads.append(_read(state, window_s, bucket_s, at_s, weighted=weighted))
        if operation.given("is_empty"):
            at_s = operation.number("is_empty")
            empty.append(bool(window.is_empty(state, 0, window_s, bucket_s, at_s)))
    return {"reads": reads, "is_empty": empty}


def _read(
    state: NDArray[np.float64], window_s: float, bucket_s: float, at_s: float, *, weighted: bool
) -> float:
    buckets = window.buckets_of(window_s, bucket_s)
    if weighted:
        coefficient = window.smoothing_coefficient(float(buckets))
        return float(
            window.weighted_average(state, 0, buckets, window_s, bucket_s, at_s, coefficient)
        )
    return float(window.average(state, 0, buckets, window_s, bucket_s, at_s))


def smoothing_coefficient(inputs: Inputs) -> dict[str, Any]:
    """The weight of a weighted window's newest bucket."""
    buckets = inputs.number("buckets", None)
    if buckets is None:
        buckets = window.buckets_of(
            inputs.number("window_s", _STABLE_WINDOW_S), inputs.number("bucket_s", 1.0)
        )
    return {"coefficient": float(window.smoothing_coefficient(float(buckets)))}


def scrape_sample_size(inputs: Inputs) -> dict[str, Any]:
    """Pods that are asked for their metrics."""
    return {"sample_size": decider.scrape_sample_size(inputs.whole("pods"))}


KINDS: Final[dict[str, Callable[[Inputs], dict[str, Any]]]] = {
    "kpa_scale_sequence": scale_sequence,
    "kpa_initial_state": initial_state,
    "kpa_scale_to_zero": scale_to_zero,
    "window_average": window_average,
    "smoothing_coefficient": smoothing_coefficient,
    "scrape_sample_size": scrape_sample_size,
}
