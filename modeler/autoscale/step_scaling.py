"""AWS step scaling: a user's own alarm, and how much to add or remove by how far it is breached.

The alarm is `cloudwatch`'s, with any period, M of N, comparison and treatment of missing data; the
steps are `steps`'s; `scalable_loop` runs them. The metric held against the steps is the average,
least or largest of the datapoints that the alarm looks at.

Source: application/userguide/step-scaling-policy-overview.html and the API reference,
StepScalingPolicyConfiguration, read 2026-09.
"""

from __future__ import annotations

import math

from modeler.autoscale import aws_metrics as a
from modeler.autoscale import steps
from modeler.autoscale.cloudwatch import COMPARISONS, TREATMENTS
from modeler.autoscale.context import Context
from modeler.autoscale.scalable_layout import Alarm, Stepping
from modeler.autoscale.target_tracking import (
    cooldown_default_s,
    full_utilisation,
    warm_up_s,
)
from modeler.scenario.policy import StepScaling


def rule_of(block: StepScaling, context: Context) -> Stepping:
    """The rule of a scenario's block, with the platform's own defaults."""
    known = a.METRICS[block.metric]
    statistic = known.statistic if block.statistic is None else a.STATISTICS[block.statistic]
    delay_s = known.publish_delay_s if block.publish_delay_s is None else block.publish_delay_s
    needed = (
        block.evaluation_periods
        if block.datapoints_to_alarm is None
        else (block.datapoints_to_alarm)
    )
    warm = warm_up_s(block.instance_warmup_s, context.hosting)
    cooldown_s = block.cooldown_s
    if cooldown_s is None:
        cooldown_s = cooldown_default_s(block.metric, context.hosting)
    alarm = Alarm(
        measure=known.measure,
        statistic=statistic,
        period_s=known.period_s if block.period_s is None else block.period_s,
        delay_s=delay_s + block.alarm_eval_delay_s,
        comparison=COMPARISONS[block.comparison],
        threshold=block.threshold,
        periods=block.evaluation_periods,
        needed=needed,
        fill=TREATMENTS[block.treat_missing],
        scale=full_utilisation(block, context),
    )
    return Stepping(
        alarm=alarm,
        kind=steps.ADJUSTMENTS[block.adjustment_type],
        steps=tuple(
            (
                -math.inf if step.lower is None else step.lower,
                math.inf if step.upper is None else step.upper,
                step.adjustment,
            )
            for step in block.steps
        ),
        least=0.0 if block.min_adjustment_magnitude is None else block.min_adjustment_magnitude,
        aggregate=steps.AGGREGATIONS[block.metric_aggregation],
        cooldown_s=cooldown_s,
        credit_s=max(cooldown_s, warm),
    )
