"""Known answers about capacity: steps, targets, warm pools, forecasts, why nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from modeler.autoscale import cooldown, predictive, proportional, steps
from modeler.autoscale.cloudwatch import GREATER, LESS, breaches
from modeler.autoscale.observation import REASONS, SCALED_IN, SCALED_OUT
from modeler.autoscale.steps import ADJUSTMENTS, AGGREGATIONS
from modeler.autoscale.target_tracking import COOLDOWN_S, LOW_FACTOR
from modeler.autoscale.warm_pool import warm_pool_size
from modeler.referee.conformance.inputs import Inputs
from modeler.referee.parameters import CaseError
from modeler.scenario.policy.aws_checks import step_fault

Answer = dict[str, Any]


def step_scaling(case: Inputs) -> Answer:
    """Capacity after a step policy has acted."""
    capacity = case.number("current_capacity")
    kind = case.text("adjustment_type", "ChangeInCapacity", choices=tuple(ADJUSTMENTS))
    rows = [
        (row.number("lower", None), row.number("upper", None), row.number("adjustment"))
        for row in case.rows("steps")
    ]
    minimum, maximum = case.number("min", 0.0), case.number("max", np.inf)
    table = np.array(
        [
            (-np.inf if low is None else low, np.inf if high is None else high, adjustment)
            for low, high, adjustment in rows
        ]
    ).ravel()
    breach = _metric(case) - case.first("alarm_threshold", "threshold", default=0.0)
    least = case.number("min_adjustment_magnitude", 0.0)
    code = ADJUSTMENTS[kind]
    if step_fault([row[:2] for row in rows]):
        return {"error": True}
    wanted = float(steps.stepped(capacity, code, table, 0, len(rows), breach, least))
    after = min(max(wanted, minimum), maximum)
    return {"capacity": after, "change": after - capacity, "error": False}


def _metric(case: Inputs) -> float:
    """The aggregated metric: as given, or of the datapoints."""
    how = case.text("metric_aggregation_type", case.text("aggregation", "Average"))
    points = case.numbers("datapoints", None)
    if points is None:
        return float(case.number("metric"))
    if how not in AGGREGATIONS:
        raise CaseError(f"input.aggregation: found {how!r}, expected {', '.join(AGGREGATIONS)}")
    real = [one for one in points if one is not None]
    values = {"Average": sum(real) / len(real), "Minimum": min(real), "Maximum": max(real)}
    return float(values[how])


def percent_rounding(case: Inputs) -> Answer:
    """A percentage of the capacity, as it is carried out."""
    return {"change": float(steps.truncated(case.number("raw_change")))}


def step_cooldown_credit(case: Inputs) -> Answer:
    """Capacity after each of several invocations of a step policy."""
    kind = ADJUSTMENTS[case.text("adjustment_type", "ChangeInCapacity", choices=tuple(ADJUSTMENTS))]
    length = case.number("cooldown_s", COOLDOWN_S)
    capacity = case.number("capacity_before")
    minimum, maximum = case.number("min", 0.0), case.number("max", np.inf)
    least = case.number("min_adjustment_magnitude", 0.0)
    lag = case.number("activity_s", 0.0)
    memory = np.zeros(cooldown.SIZE)
    after = []
    for event in case.rows("events"):
        now = event.number("t_s") + 1.0  # a completion at 0 is none
        _finish(memory, now)
        adjustment = event.number("adjustment")
        wanted = steps.adjusted(capacity, kind, adjustment, least)
        if wanted > capacity:
            base = cooldown.base_of(memory, now, capacity)
            wanted = min(steps.adjusted(base, kind, adjustment, least), maximum)
            if wanted > capacity:
                _scale_out(memory, now, capacity, length, lag)
                capacity = wanted
        elif wanted < capacity and not cooldown.locked(memory, now):
            cooldown.scaled_in(memory, length)
            memory[cooldown.IN_DONE] = now + lag
            capacity = max(wanted, minimum)
        after.append(float(capacity))
    return {"capacity_after_each": after, "capacity": after[-1] if after else capacity}


def _scale_out(memory: Any, now: float, before: float, length: float, lag: float) -> None:
    """An addition whose completion is known beforehand."""
    cooldown.scaled_out(memory, now, before, length)
    memory[cooldown.OUT_DONE] = now + lag


def _finish(memory: Any, now: float) -> None:
    cooldown.complete(memory, now, now)


def target_tracking_rounding(case: Inputs) -> Answer:
    """A needed change, as it is carried out."""
    direction = case.text("direction", None, choices=("out", "in"))
    exact = case.number("exact_change")
    signed = -abs(exact) if direction == "in" else abs(exact) if direction == "out" else exact
    change = float(proportional.rounded_change(signed))
    # A removal may be written as a positive number of replicas.
    return {"change": -change if direction == "in" and exact > 0.0 else change}


def target_tracking_capacity(case: Inputs) -> Answer:
    """Capacity that a target asks for."""
    current = case.number("current_capacity")
    target = case.number("target")
    minimum, maximum = case.number("min", 0.0), case.number("max", np.inf)
    value = case.number("metric_value", None)
    name = case.raw("metric", None)
    if value is None and not isinstance(name, str) and name is not None:
        value = case.number("metric")
    if value is None:
        queued = case.number("queue_length", None)
        load = queued if queued is not None else case.first("backlog", "load")
        value = load / max(current, 1.0)
    else:
        load = value * max(current, 1.0)
    case.ignore("queue_length", "backlog", "load")
    factor = case.number("low_threshold_factor", LOW_FACTOR)
    low = case.number("low_threshold", factor * target)
    if target <= 0.0:
        case.ignore("disable_scale_in", "scale_in_step_limit")
        return {"error": True}
    wanted = current
    if breaches(value, GREATER, target):
        wanted = max(float(proportional.capacity_for(load, target)), current)
    elif breaches(value, LESS, low) and not case.flag("disable_scale_in", False):
        wanted = min(float(proportional.capacity_for(load, target)), current)
        limit = case.number("scale_in_step_limit", np.inf)
        wanted = max(wanted, current - limit)
    case.ignore("disable_scale_in", "scale_in_step_limit")  # of a removal, where there is none
    return {
        "metric_value": value,
        "capacity": min(max(wanted, minimum), maximum),
        "unbounded_capacity": wanted,
    }


def target_value(case: Inputs) -> Answer:
    """The target that a latency or a throughput allows."""
    if case.given("acceptable_latency_s"):
        each = case.first("seconds_per_message", "average_processing_time_s", default=0.0)
        longest = case.number("acceptable_latency_s")
        if each <= 0.0:
            return {"error": True}
        backlog = float(f"{longest / each:.12g}")
        return {"target_backlog_per_instance": backlog, "target": backlog}
    rps = case.first("max_rps", "max_requests_per_second", "requests_per_second")
    # 0.5 is where the vendor's load-test recipe begins.
    per_minute = float(f"{rps * case.number('safety_factor', 0.5) * 60.0:.12g}")
    return {
        "target": per_minute,
        "target_value": per_minute,
        "target_invocations_per_instance": per_minute,
        "invocations_per_instance": per_minute,
        "invocations_per_instance_per_minute": per_minute,
    }


def not_scaled_reason(case: Inputs) -> Answer:
    """Why a due action changes nothing, or what it changes."""
    current = case.number("current_capacity")
    target, metric = case.number("target", None), case.number("metric", None)
    minimum, maximum = case.number("min", 0.0), case.number("max", np.inf)
    load = None if metric is None else metric * current
    wanted = case.first(
        *("proposal_by_ceil", "proposal", "proposed_capacity", "desired_capacity", "new_capacity"),
        default=None,
    )
    if wanted is None and case.given("step_adjustment"):
        wanted = current + case.number("step_adjustment")
    if wanted is None:
        if load is None or target is None:
            raise CaseError("input.metric and input.target, or a proposal, are missing")
        wanted = float(proportional.capacity_for(load, target))
    low = case.number("low_threshold", None if target is None else LOW_FACTOR * target)
    status = case.text("endpoint_status", case.text("status", "InService"))
    updating = case.flag("updating", case.flag("endpoint_updating", status != "InService"))
    direction = case.text("direction", None, choices=("out", "in"))
    if direction is None:
        out = wanted > current
        if metric is not None and target is not None and wanted == current:
            out = not breaches(metric, LESS, low)
        direction = "out" if out else "in"
    if direction == "out":
        outcome = int(proportional.out_outcome(current, wanted, maximum, updating))
    else:
        outcome = int(proportional.in_outcome(current, wanted, minimum, updating))
        if load is not None and target is not None:
            bounded = max(wanted, minimum)
            guard = case.flag("flap_guard", True)
            outcome = int(proportional.guarded(outcome, guard, load, target, bounded))
    case.ignore("flap_guard")
    scaled = outcome in (SCALED_OUT, SCALED_IN)
    capacity = min(max(wanted, minimum), maximum) if scaled else current
    return {"capacity": capacity, "reason": None if scaled else REASONS[outcome], "scaled": scaled}


def warm_pool(case: Inputs) -> Answer:
    """Instances in a warm pool."""
    prepared = case.first("max_prepared", "max_group_prepared_capacity", default=-1.0)
    size = float(
        warm_pool_size(
            case.number("desired"), case.number("max"), prepared, case.number("min_pool", 0.0)
        )
    )
    return {"pool_size": size, "size": size}


def predictive_buffer(case: Inputs) -> Answer:
    """How far a forecast may raise the capacity."""
    mode = case.text(
        "mode", "HonorMaxCapacity", choices=("HonorMaxCapacity", "IncreaseMaxCapacity")
    )
    forecast = case.number("forecast_capacity")
    maximum = case.number("max")
    buffer = case.number("buffer_percent", 0.0)
    top = float(
        predictive.effective_maximum(forecast, maximum, mode == "IncreaseMaxCapacity", buffer)
    )
    return {"effective_max": top, "capacity": min(forecast, top)}


def predictive_hourly(case: Inputs) -> Answer:
    """Capacity of an hour, from what runs and what was forecast."""
    actual = case.first("actual", "dynamic", "current_capacity")
    # Without a mode the case is about a policy that acts: one that only forecasts has no hour.
    mode = case.text("mode", "ForecastAndScale", choices=("ForecastAndScale", "ForecastOnly"))
    forecast = case.number("forecast")
    capacity = actual
    if mode == "ForecastAndScale":
        capacity = float(predictive.combined(actual, forecast))
    bounded = min(max(capacity, case.number("min", 0.0)), case.number("max", np.inf))
    return {"capacity": bounded, "scaled_out": bounded > actual}


KINDS: Final[dict[str, Callable[[Inputs], Answer]]] = {
    "step_scaling": step_scaling,
    "percent_rounding": percent_rounding,
    "step_cooldown_credit": step_cooldown_credit,
    "target_tracking_rounding": target_tracking_rounding,
    "target_tracking_capacity": target_tracking_capacity,
    "target_value": target_value,
    "not_scaled_reason": not_scaled_reason,
    "warm_pool_size": warm_pool,
    "predictive_buffer": predictive_buffer,
    "predictive_hourly": predictive_hourly,
}
