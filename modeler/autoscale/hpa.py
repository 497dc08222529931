"""Kubernetes HorizontalPodAutoscaler (autoscaling/v2).

Every sync, 15 s by default, each metric proposes replicas; the largest proposal counts. It is
stabilised over the recommendations of the last five minutes, held to a rate and to the bounds, and
carried out. `hpa_samples` says what a metric shows of the fleet, `hpa_replicas` what it asks for,
`hpa_limits` what holds that back, `hpa_reconcile` in which order; `hpa_memory` keeps it.

Source: kubernetes/kubernetes, pkg/controller/podautoscaler, read 2026-09.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from modeler.autoscale.context import Context
from modeler.autoscale.hpa_limits import DOWN_RULES, UP_RULES, Rules, pack_rules
from modeler.autoscale.hpa_memory import Header, header, placed, state_size, watch
from modeler.autoscale.hpa_reconcile import AVERAGE, AVERAGE_VALUE, UTILISATION, VALUE, sync
from modeler.autoscale.hpa_samples import MEASURES, Metric
from modeler.autoscale.observation import MIN, SIGNATURE
from modeler.autoscale.policy import Clock, Policy
from modeler.compiled import first_class
from modeler.scenario.policy import Hpa
from modeler.scenario.policy.kubernetes import (
    Controller,
    HpaMetric,
    Measured,
    ScalingRules,
)

_PERCENT = 100.0
_MILLI = 1000.0
# Documented: the target that the API gives to a HorizontalPodAutoscaler without metrics (percent).
_CPU_TARGET: Final = 80.0
# Assumed, as the settings say: what a scrape and an adapter add up to, and what a sample spans.
_DELAY_S: Final = 30.0
_WINDOW_S: Final = {"cpu_utilisation": 30.0, "gpu_utilisation": 30.0, "requests_per_second": 60.0}


@first_class(SIGNATURE)
def decide(event, obs, params, state, out):  # type: ignore[no-untyped-def]
    """Sample and reconcile: one event a sync."""
    h = header(params)
    watch(obs, state, h)
    return sync(obs, params, state, h, obs[MIN], out)


def build(
    controller: Controller,
    metrics: Sequence[Metric],
    *,
    minimum: int,
    maximum: int,
    initial: int,
) -> Policy:
    """Make the policy.

    Parameters
    ----------
    controller : the settings of the controller, behavior included.
    metrics : what is measured and held, see `metric`.
    minimum, maximum, initial : int. Bounds and the warm fleet. [replicas]
    """
    h, rest = settings(controller, metrics)
    return Policy(
        kind="hpa",
        function=decide,
        params=np.array([*h, *rest]),
        state_size=state_size(h),
        minimum=minimum,
        maximum=maximum,
        initial=initial,
        clock=Clock(tick_s=controller.sync_period_s),
        needs_in_flight=needs_in_flight(metrics),
    )


def from_block(block: Hpa, context: Context) -> Policy:
    """Make the policy of a scenario's block."""
    return build(
        block,
        [metric_of(one, context) for one in block.all_metrics],
        minimum=context.minimum,
        maximum=context.maximum,
        initial=context.warm,
    )


def needs_in_flight(metrics: Sequence[Metric]) -> bool:
    """Whether a metric counts requests in service."""
    counted = (MEASURES["cpu_utilisation"], MEASURES["concurrency"])
    return any(metric.measure in counted for metric in metrics)


def metric_of(block: HpaMetric, context: Context) -> Metric:
    """One metric of an HPA."""
    forms = {"utilisation": UTILISATION, "value": VALUE}
    per_pod = block.source_in_force in ("resource", "pods")
    average = AVERAGE if per_pod else AVERAGE_VALUE
    kind = block.target_type_in_force
    return metric(block, block.metric, forms.get(kind, average), context)


def metric(
    block: Measured,
    name: str,
    form: float,
    context: Context,
    *,
    delay_s: float = _DELAY_S,
    activation: float = 0.0,
    cached: bool = False,
) -> Metric:
    """One metric as numbers.

    Parameters
    ----------
    name : str. One of `hpa_samples.MEASURES`.
    form : float. How it is held against its target.
    delay_s : float. Its age where the block does not say. [s]
    activation, cached : KEDA's threshold, and whether the HPA gets the last poll's value.
    """
    cpu = name == "cpu_utilisation"
    scale = 1.0
    if cpu:
        scale = block.busy_usage * (1.0 if form == UTILISATION else block.request)
    elif name == "gpu_utilisation":
        scale = _PERCENT * block.busy_usage
    target = block.target
    if target is None:
        target = derived_target(block, name, form, context)
    return Metric(
        measure=MEASURES[name],
        form=form,
        target=target if form == UTILISATION else max(float(math.ceil(target * _MILLI)), 1.0),
        delay_s=delay_s if block.metric_delay_s is None else block.metric_delay_s,
        window_s=_WINDOW_S.get(name, 0.0) if block.window_s is None else block.window_s,
        scale=scale,
        cpu=float(cpu),
        activation=activation,
        cached=float(cached),
    )


def derived_target(block: Measured, name: str, form: float, context: Context) -> float:
    """The target where none is set: the platform's own, else the same share at every model size.

    In percent for a utilisation, else in the metric's unit per replica.
    """
    if name == "cpu_utilisation":
        return _CPU_TARGET if form == UTILISATION else _CPU_TARGET / _PERCENT * block.request
    if name == "gpu_utilisation":
        return block.target_utilisation * _PERCENT
    requests = block.target_utilisation * context.slots
    if name != "requests_per_second":
        return requests
    return requests / context.service_s("policy.target")


def settings(
    controller: Controller,
    metrics: Sequence[Metric],
    *,
    poll_s: float = math.inf,
    pause_in: bool = False,
    pause_out: bool = False,
) -> tuple[Header, list[float]]:
    """The header, and the metrics and rules that follow it, as numbers.

    Parameters
    ----------
    poll_s : float. Period of further samples beside the syncs. [s]
    pause_in, pause_out : bool. Whether a direction is switched off.
    """
    behavior = controller.behavior
    up = behavior.scale_up if behavior else ScalingRules()
    down = behavior.scale_down if behavior else ScalingRules()
    up_rules = rules_of(up, UP_RULES, pause_out)
    flag_s = controller.downscale_stabilization_s
    down_rules = rules_of(down, DOWN_RULES._replace(window_s=flag_s), pause_in)
    up_longest_s, down_longest_s = up_rules.longest_s, down_rules.longest_s
    period_s = controller.sync_period_s
    span_s = max((one.delay_s + one.window_s for one in metrics), default=0.0)
    from_s = math.inf if controller.outage_from_s is None else controller.outage_from_s
    h = Header(
        metrics=float(len(metrics)),
        behavior=float(behavior is not None or pause_in or pause_out),
        tolerance_down=controller.tolerance if down.tolerance is None else down.tolerance,
        tolerance_up=controller.tolerance if up.tolerance is None else up.tolerance,
        up_window_s=up_rules.window_s,
        down_window_s=down_rules.window_s,
        up_longest_s=up_longest_s,
        down_longest_s=down_longest_s,
        recommendations=math.ceil(max(up_rules.window_s, down_rules.window_s) / period_s) + 2.0,
        events=math.ceil(max(up_longest_s, down_longest_s) / period_s) + 2.0,
        samples=math.ceil(span_s / period_s) + math.ceil(span_s / poll_s) + 4.0,
        cpu_initialization_period_s=controller.cpu_initialization_period_s,
        initial_readiness_delay_s=controller.initial_readiness_delay_s,
        outage_from_s=from_s,
        outage_until_s=from_s + controller.outage_s,
        fallback=math.nan,
        fallback_behavior=0.0,
        failure_threshold=0.0,
        recommendations_at=0.0,
        ups_at=0.0,
        downs_at=0.0,
        samples_at=0.0,
        up_rules_at=0.0,
        down_rules_at=0.0,
        hpa_minimum=math.nan,
        keda_minimum=math.nan,
        idle=math.nan,
        cooldown_s=0.0,
        initial_cooldown_s=0.0,
        pause_in=float(pause_in),
        pause_out=float(pause_out),
        force=0.0,
        paused=math.nan,
    )
    up_packed, down_packed = pack_rules(up_rules), pack_rules(down_rules)
    rest = [value for one in metrics for value in one] + up_packed + down_packed
    return placed(h, len(metrics), up_packed), rest


def rules_of(rules: ScalingRules, default: Rules, off: bool = False) -> Rules:
    """Select policy, rates and window of one direction, the API's own where none are given."""
    rates = default.rates
    if rules.policies is not None:
        rates = tuple((rate.type, float(rate.value), rate.period_s) for rate in rules.policies)
    window_s = rules.stabilization_window_s
    return Rules(
        "disabled" if off else rules.select_policy,
        rates,
        default.window_s if window_s is None else window_s,
    )
