"""Numbers that a rule gives, put in: a file of a platform states them, a scenario need not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, Final

import traces
from modeler.autoscale import aws_metrics
from modeler.autoscale.build import context_of
from modeler.autoscale.context import Context
from modeler.autoscale.hpa import derived_target
from modeler.autoscale.hpa_reconcile import AVERAGE, UTILISATION
from modeler.autoscale.target_tracking import target_of
from modeler.predict import instance_of, service_law
from modeler.replay.run import Traffic, slots_of
from modeler.scenario import Scenario, with_values
from modeler.scenario.policy import Hpa, Keda, KnativeKpa, Predictive, StepScaling, TargetTracking
from modeler.scenario.policy.keda import KedaTrigger
from modeler.scenario.policy.kubernetes import HpaMetric, Measured
from modeler.scenario.serverless import Lambda, SageMakerServerless
from modeler.scenario.settings import said

_STATISTICS: Final = {number: name for name, number in aws_metrics.STATISTICS.items()}


def pinned(scenario: Scenario, trace: Traffic | Callable[[], Traffic] | None = None) -> Scenario:
    """The same scenario with every number in it that a file of a platform has to state.

    Targets that a rule gives from the traffic and the model become that number; what has no effect
    (the share behind a target that is set, a list of one) is written the one way that a file of the
    platform reads back.

    Parameters
    ----------
    scenario : Scenario. Its ``sweep`` is not looked at.
    trace : optional. The traffic, or what loads it, instead of what ``scenario.trace`` names;
        looked at only where a number depends on it.
    """
    context = cache(partial(_context, scenario, trace))
    blocks = [_block(block, context) for block in scenario.in_force]
    values: dict[str, Any] = {"policies": blocks} if len(blocks) > 1 else {"policy": blocks[0]}
    if isinstance(scenario.hosting, Lambda | SageMakerServerless):
        values["hosting.provisioned_max"] = scenario.hosting.provisioned_bounds[1]
    for block in scenario.in_force:
        limit = block.container_concurrency if isinstance(block, KnativeKpa) else 0
        if limit and limit == context().slots:
            values["fleet.slots"] = limit  # one figure there, which says both
    return with_values(scenario, values)


def _context(scenario: Scenario, trace: Traffic | Callable[[], Traffic] | None) -> Context:
    """What the rules go by; reads the traffic."""
    if trace is None:
        traffic = traces.load(scenario.trace, seed=scenario.seed)
    else:
        traffic = trace() if callable(trace) else trace
    instance = instance_of(scenario)
    service = service_law(scenario, traffic, instance)
    return context_of(
        scenario,
        instance,
        slots=slots_of(scenario, service),
        mean_service_s=service.mean_s(traffic),
    )


def _block(block: Any, context: Callable[[], Context]) -> dict[str, Any]:
    data = said(block)
    if isinstance(block, TargetTracking | Predictive):
        data["target"] = target_of(block, context()) if block.target is None else block.target
        data.pop("target_utilisation", None)
    if isinstance(block, Predictive) and block.max_capacity_behaviour == "honour":
        data.pop("max_capacity_buffer_percent", None)
    if isinstance(block, StepScaling):
        known = aws_metrics.METRICS[block.metric]
        data["period_s"] = known.period_s if block.period_s is None else block.period_s
        data["statistic"] = block.statistic or _STATISTICS[known.statistic]
    if isinstance(block, Hpa):
        found = [_metric(one, context) for one in block.all_metrics]
        data = _one_or_many(data, "metrics", found, HpaMetric)
    if isinstance(block, Keda):
        found = [_trigger(one, context) for one in block.all_triggers]
        data = _one_or_many(data, "triggers", found, KedaTrigger)
        if block.fallback_replicas is None:
            data = _without(data, "failure_threshold", "fallback_behavior")
    return data


def _one_or_many(
    data: dict[str, Any], key: str, found: list[dict[str, Any]], entry: type[Measured]
) -> dict[str, Any]:
    """One entry in the block itself, several as its list."""
    rest = _without(data, key, *entry.model_fields)
    return {**rest, **found[0]} if len(found) == 1 else {**rest, key: found}


def _metric(block: HpaMetric, context: Callable[[], Context]) -> dict[str, Any]:
    kind = block.target_type_in_force
    return {
        **_set_in(block, HpaMetric),
        "metric": block.metric,
        "source": block.source_in_force,
        "target_type": kind,
        "target": _target(block, block.metric, kind, context),
    }


def _trigger(block: KedaTrigger, context: Callable[[], Context]) -> dict[str, Any]:
    cpu = block.metric == "cpu_utilisation"
    kind = block.metric_type or ("utilisation" if cpu else "average_value")
    # The CPU never activates, and no scaler is asked for it.
    idle = ("activation_target", "use_cached_metrics") if cpu else ()
    return {
        **_without(_set_in(block, KedaTrigger), *idle),
        "metric": block.metric,
        "metric_type": kind,
        "target": _target(block, block.metric, kind, context),
    }


def _target(block: Measured, metric: str, kind: str, context: Callable[[], Context]) -> float:
    if block.target is not None:
        return block.target
    return derived_target(
        block, metric, UTILISATION if kind == "utilisation" else AVERAGE, context()
    )


def _set_in(block: Measured, entry: type[Measured]) -> dict[str, Any]:
    """What was set of a metric, without the share that only the rule of a target looks at."""
    data = {key: value for key, value in said(block).items() if key in entry.model_fields}
    return _without(data, "target_utilisation")


def _without(data: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in keys}
