"""How each policy takes replicas away: how long it holds them, and how fast they then go."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from modeler.autoscale import cloud_run, hpa, step_scaling, target_tracking
from modeler.autoscale.hpa_limits import DOWN_RULES
from modeler.scenario.policy import (
    CloudRun,
    Hpa,
    Keda,
    KnativeKpa,
    PerRequest,
    RayServe,
    SkyServe,
    StepScaling,
    TargetTracking,
)
from modeler.scenario.policy.kubernetes import ScalingRules
from modeler.study.doctor.facts import MINUTE_S, Facts
from modeler.study.doctor.tracked import alarm_s

# Application Auto Scaling acts again once a minute while an alarm lasts.
_AGAIN_S: Final = MINUTE_S


@dataclass(frozen=True)
class Removal:
    """One way in which replicas go.

    Parameters
    ----------
    path : str. The setting that holds them, or the nearest to it.
    value_s : float. Its value. [s]
    hold_s : float. From the moment that a replica is not needed until it goes. [s]
    unit_s : float. Of the setting: 1 for seconds, the period for a number of datapoints. [s]
    to_zero : bool. Whether it is the last replica, or an idle environment, that goes.
    step : callable. From the replicas there are to those that go at once. [replicas]
    every_s : float. Between one removal and the next. [s]
    settable : bool. Whether a longer hold can be set.
    most_s : float. Longest hold that the setting takes. [s]
    """

    path: str
    value_s: float
    hold_s: float
    unit_s: float = 1.0
    to_zero: bool = False
    step: Callable[[int], int] = lambda replicas: replicas
    every_s: float = 0.0
    settable: bool = True
    most_s: float = math.inf


def removals(facts: Facts) -> Iterator[Removal]:
    """The ways in which the policies in force remove replicas."""
    for path, block in facts.policies:
        yield from _of(path, block, facts)


def _of(path: str, block: Any, facts: Facts) -> Iterator[Removal]:
    to_zero = facts.least == 0
    if isinstance(block, PerRequest):
        held: Any = facts.scenario.hosting
        if block.keep_alive_law != "empirical" and not held.provisioned_concurrency:
            kept_s = block.keep_alive_s
            yield Removal(f"{path}.keep_alive_s", kept_s, kept_s, to_zero=True, settable=False)
    elif facts.per_request:
        return
    elif isinstance(block, TargetTracking):
        rule = target_tracking.rule_of(block, facts.context)
        if rule.low is not None:
            limit = rule.step_limit
            yield Removal(
                f"{path}.low_datapoints", block.low_datapoints, alarm_s(rule.low),
                rule.low.period_s, step=_at_most(limit), settable=False,
                every_s=max(rule.in_cooldown_s, _AGAIN_S),
            )  # fmt: skip
    elif isinstance(block, StepScaling):
        yield from _steps(path, block, facts)
    elif isinstance(block, Hpa | Keda):
        yield _hpa(path, block)
        if isinstance(block, Keda) and (to_zero or block.idle_replicas == 0):
            yield Removal(f"{path}.cooldown_s", block.cooldown_s, block.cooldown_s, to_zero=True)
    elif isinstance(block, KnativeKpa):
        yield from _knative(path, block, facts)
    elif isinstance(block, RayServe):
        delay_s = block.downscale_delay_s
        yield Removal(f"{path}.downscale_delay_s", delay_s, delay_s)
        last_s = block.downscale_to_zero_delay_s
        if to_zero and last_s is not None:
            yield Removal(f"{path}.downscale_to_zero_delay_s", last_s, last_s, to_zero=True)
    elif isinstance(block, SkyServe):
        delay_s = block.downscale_delay_s
        yield Removal(f"{path}.downscale_delay_s", delay_s, delay_s)
    elif isinstance(block, CloudRun):
        idle_s = cloud_run.idle_s(block, facts.context)
        yield Removal(f"{path}.idle_s", idle_s, idle_s, to_zero=to_zero, settable=False)


def _at_most(limit: float) -> Callable[[int], int]:
    return lambda replicas: int(min(replicas, limit))


def _steps(path: str, block: StepScaling, facts: Facts) -> Iterator[Removal]:
    removed = [-step.adjustment for step in block.steps if step.adjustment < 0]
    if not removed or block.adjustment_type == "ExactCapacity":
        return
    rule = step_scaling.rule_of(block, facts.context)
    largest = max(removed)

    def step(replicas: int) -> int:
        if block.adjustment_type == "PercentChangeInCapacity":
            return max(int(replicas * largest / 100.0), int(rule.least), 1)
        return int(largest)

    yield Removal(
        f"{path}.evaluation_periods", block.evaluation_periods, alarm_s(rule.alarm),
        rule.alarm.period_s, step=step, every_s=max(rule.cooldown_s, _AGAIN_S),
    )  # fmt: skip


def _hpa(path: str, block: Hpa | Keda) -> Removal:
    rules = block.behavior.scale_down if block.behavior else ScalingRules()
    down = hpa.rules_of(rules, DOWN_RULES._replace(window_s=block.downscale_stabilization_s))
    at = f"{path}.downscale_stabilization_s"
    if block.behavior is not None and rules.stabilization_window_s is not None:
        at = f"{path}.behavior.scale_down.stabilization_window_s"
    held = down.select == "disabled" or (
        isinstance(block, Keda)
        and (block.pause_scale_in or block.paused or block.paused_replicas is not None)
    )

    def step(replicas: int) -> int:
        rates = [
            int(value) if kind == "pods" else replicas - int(replicas * (1.0 - value / 100.0))
            for kind, value, _ in down.rates
        ]
        return min(rates) if down.select == "min" else max(rates)

    hold_s = math.inf if held else down.window_s
    return Removal(
        at, down.window_s, hold_s, step=step, every_s=down.longest_s, most_s=3600.0
    )  # fmt: skip


def _knative(path: str, block: KnativeKpa, facts: Facts) -> Iterator[Removal]:
    window_s = block.stable_window_s

    def step(replicas: int) -> int:
        return max(replicas - math.floor(replicas / block.max_scale_down_rate), 1)

    yield Removal(
        f"{path}.scale_down_delay_s", block.scale_down_delay_s,
        window_s + block.scale_down_delay_s, step=step, every_s=window_s,
        most_s=window_s + 3600.0,
    )  # fmt: skip
    if facts.least == 0 and block.enable_scale_to_zero:
        kept_s = max(block.scale_to_zero_grace_s, block.pod_retention_s)
        yield Removal(
            f"{path}.pod_retention_s", block.pod_retention_s, window_s + kept_s, to_zero=True
        )
