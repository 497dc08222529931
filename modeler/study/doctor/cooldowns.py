"""Cooldowns after an addition, against when the metric shows it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from modeler.autoscale import step_scaling, target_tracking
from modeler.scenario import format_duration
from modeler.scenario.policy import StepScaling, TargetTracking
from modeler.study.doctor.facts import MINUTE_S, Facts, up_to_minute
from modeler.study.doctor.findings import Cure, Finding, Held


def cooldown_under_metric(facts: Facts) -> Iterator[Finding]:
    """A policy adds again, before its metric shows what was added."""
    if facts.per_request:
        return
    # From its cooldown's start, a replica in service, until it serves: none unless green too soon.
    loads_s = facts.scenario.cold_start.false_ready_s
    for path, block in facts.policies:
        if isinstance(block, StepScaling):
            added = max((step.adjustment for step in block.steps), default=0)
            rule = step_scaling.rule_of(block, facts.context)
            alarm, credit_s, at = rule.alarm, rule.credit_s, f"{path}.cooldown_s"
            if added <= 0 or block.adjustment_type == "ExactCapacity":
                continue
        elif isinstance(block, TargetTracking) and loads_s > 0.0:
            tracking = target_tracking.rule_of(block, facts.context)
            alarm, credit_s = tracking.high, tracking.out_cooldown_s
            at = f"{path}.scale_out_cooldown_s"
        else:
            continue  # the arithmetic of a target adds nothing twice for capacity that serves
        # The first whole period after the capacity serves ends two periods later at most, and the
        # alarm ends once fewer than M of its N datapoints breach.
        shows_s = (alarm.periods - alarm.needed + 2) * alarm.period_s + alarm.delay_s + loads_s
        if credit_s < shows_s:
            yield _adds_again(facts, at, credit_s, shows_s, loads_s)


def _adds_again(facts: Facts, at: str, credit_s: float, shows_s: float, loads_s: float) -> Finding:
    again = math.ceil((shows_s - credit_s) / MINUTE_S)
    value = up_to_minute(shows_s)
    loading = f", {format_duration(loads_s)} of it still loading" if loads_s else ""
    return Finding(
        "cooldown-under-start" if loads_s else "cooldown-under-metric",
        "warning",
        (at, "cold_start.false_ready_s") if loads_s else (at,),
        (
            facts.setting(at, "additions are credited", credit_s, "s"),
            Held("the metric shows them after", shows_s, "s"),
            Held("further additions until then", again),
        ),
        f"New replicas show in the metric {format_duration(shows_s)} after they are in "
        f"service{loading}, and are credited for {format_duration(credit_s)}: the alarm, which "
        f"acts each minute, adds up to {again} more times for a load that is taken care of.",
        Cure(f"wait {format_duration(value)} after an addition", {at: value}),
        "documented",
        "Application Auto Scaling: a cooldown begins when the activity completes; CloudWatch: "
        "alarm actions repeat each minute",
    )


CHECKS: Final = (cooldown_under_metric,)
