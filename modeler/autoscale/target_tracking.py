"""AWS target tracking (Application Auto Scaling), as CloudWatch alarms drive it.

Two alarms watch one metric. The high alarm is in ALARM when its last M datapoints all exceed the
target; the low alarm when its last M all lie under ``low_threshold_factor`` of it. Both comparisons
are strict. A datapoint can be judged only after its period, the metric's publish delay and the
alarm's evaluation delay have passed: with the 60 s metric and the defaults, a step of load on a
minute boundary leads to scale-out 3 x 60 + 60 + 10 = 250 s later, and its end to scale-in
15 x 60 + 60 + 10 = 970 s later.

The alarms are `cloudwatch`'s, the arithmetic is `proportional`'s, cooldowns are `cooldown`'s, and
`scalable_loop` runs them. The capacity in the arithmetic is the one the metric was normalised by
(assumed), so that the product is the load of the whole fleet in that period.

EC2 Auto Scaling has no cooldown but an instance warm-up: replicas in service for less feed no
metric, are capacity for a scale-out, and hold every removal back; its low alarm stands at 0.7 of
the target.

Sources: docs.aws.amazon.com/autoscaling/application/userguide/
target-tracking-scaling-policy-overview.html; autoscaling/ec2/userguide/
ec2-auto-scaling-default-instance-warmup.html; alarm counts and the 0.9 factor as observed at
repost.aws/questions/QUf450Wsd9RROGGOIwaolN9w. Delays are assumptions and are settings.
"""

from __future__ import annotations

import math
from typing import Final

from modeler.autoscale import aws_metrics as a
from modeler.autoscale.cloudwatch import GREATER, LESS, MISSING
from modeler.autoscale.context import Context
from modeler.autoscale.policy import Policy
from modeler.autoscale.scalable_layout import Alarm, Bounds, Tracking, assemble
from modeler.autoscale.scalable_loop import entry
from modeler.scenario.policy import Predictive, StepScaling, TargetTracking

EC2: Final = "ec2_asg"
# Instance metrics of EC2 come every five minutes unless detailed monitoring is on (documented:
# autoscaling/ec2/userguide/enable-as-instance-metrics.html).
BASIC_MONITORING_S: Final = 300.0
# Low threshold over target, as observed on user accounts: 0.9 of Application Auto Scaling (1500
# gave 1350), 0.7 of an EC2 group's CPU (75 gave 52.5, 50 gave 35, 40 gave 28).
LOW_FACTOR: Final = 0.9
LOW_FACTOR_EC2: Final = 0.7
# Cooldown of Application Auto Scaling; none where capacity is provisioned concurrency
# (documented: API reference, TargetTrackingScalingPolicyConfiguration).
COOLDOWN_S: Final = 300.0
# DefaultCooldown of an EC2 group, its warm-up where neither policy nor group sets one (documented).
WARM_UP_S: Final = 300.0


def build(
    *,
    metric: str,
    target: float,
    minimum: int,
    maximum: int,
    initial: int,
    period_s: float,
    publish_delay_s: float,
    alarm_eval_delay_s: float = 10.0,
    scale_out_cooldown_s: float = COOLDOWN_S,
    scale_in_cooldown_s: float = COOLDOWN_S,
    disable_scale_in: bool = False,
    high_datapoints: int = 3,
    low_datapoints: int = 15,
    low_period_s: float = 60.0,
    low_threshold_factor: float = LOW_FACTOR,
    refuse_while_updating: bool = False,
    scale_in_step_limit: int | None = None,
    warm_up_s: float = 0.0,
) -> Policy:
    """Make the policy.

    Parameters
    ----------
    metric : str. A name of `aws_metrics.METRICS`.
    target : float. In the metric's unit: requests per instance and minute, or requests in flight
        and queued per instance.
    period_s : float. The metric's period: 60 standard, 10 high resolution. [s]
    publish_delay_s, alarm_eval_delay_s : float. From a period's end until its datapoint can be
        judged, in two parts. [s]
    """
    rule = tracking(
        measure=a.METRICS[metric].measure,
        full=1.0,
        target=target,
        period_s=period_s,
        low_period_s=low_period_s,
        delay_s=publish_delay_s + alarm_eval_delay_s,
        high_datapoints=high_datapoints,
        low_datapoints=None if disable_scale_in else low_datapoints,
        low_threshold_factor=low_threshold_factor,
        out_cooldown_s=scale_out_cooldown_s,
        in_cooldown_s=scale_in_cooldown_s,
        step_limit=math.inf if scale_in_step_limit is None else scale_in_step_limit,
    )
    return assemble(
        "target_tracking",
        entry,
        [rule],
        Bounds(minimum, maximum, initial),
        refuse_while_updating=refuse_while_updating,
        warm_up_s=warm_up_s,
    )


def tracking(
    *,
    measure: int,
    full: float,
    target: float,
    period_s: float,
    low_period_s: float,
    delay_s: float,
    high_datapoints: int,
    low_datapoints: int | None,
    low_threshold_factor: float,
    out_cooldown_s: float,
    in_cooldown_s: float,
    step_limit: float = math.inf,
    averaged: bool = False,
    guard: bool = True,
) -> Tracking:
    """The two alarms around a target, and what they lead to.

    Parameters
    ----------
    measure : int. What is measured (`aws_metrics`).
    full : float. Value of a utilisation when every slot is in use; 1 for other measures.
    low_datapoints : int or None. None for a policy that never removes.
    """

    def alarm(period_s: float, comparison: int, threshold: float, points: int) -> Alarm:
        requests = measure == a.REQUESTS
        return Alarm(
            measure=measure,
            statistic=a.SUM if requests else a.AVERAGE,
            period_s=period_s,
            delay_s=delay_s,
            comparison=comparison,
            threshold=threshold,
            periods=points,
            needed=points,
            fill=MISSING,
            # Requests are tracked per minute, whatever the period they are counted in.
            scale=a.MINUTE_S / period_s if requests else full,
        )

    low = None
    if low_datapoints is not None:
        threshold = low_threshold_factor * target
        low = alarm(max(low_period_s, period_s), LESS, threshold, low_datapoints)
    return Tracking(
        high=alarm(period_s, GREATER, target, high_datapoints),
        low=low,
        target=float(target),
        out_cooldown_s=out_cooldown_s,
        in_cooldown_s=in_cooldown_s,
        step_limit=step_limit,
        averaged=averaged,
        guard=guard,
    )


def rule_of(block: TargetTracking, context: Context) -> Tracking:
    """The rule of a scenario's block, with the platform's own defaults."""
    period_s, publish_delay_s = metric_timing(block, context.hosting)
    factor = block.low_threshold_factor
    if factor is None:
        factor = LOW_FACTOR_EC2 if context.hosting == EC2 else LOW_FACTOR
    warm = warm_up_s(block.instance_warmup_s, context.hosting)
    cooldown_s = cooldown_default_s(block.metric, context.hosting)
    out_s, in_s = block.scale_out_cooldown_s, block.scale_in_cooldown_s
    return tracking(
        measure=a.METRICS[block.metric].measure,
        full=full_utilisation(block, context),
        target=target_of(block, context),
        period_s=period_s,
        low_period_s=block.low_period_s,
        delay_s=publish_delay_s + block.alarm_eval_delay_s,
        high_datapoints=block.high_datapoints,
        low_datapoints=None if block.disable_scale_in else block.low_datapoints,
        low_threshold_factor=factor,
        out_cooldown_s=max(cooldown_s if out_s is None else out_s, warm),
        in_cooldown_s=cooldown_s if in_s is None else in_s,
        step_limit=math.inf if block.scale_in_step_limit is None else block.scale_in_step_limit,
        averaged=block.ratio_datapoint == "average",
        guard=block.flap_guard,
    )


def cooldown_default_s(metric: str, hosting: str) -> float:
    """The platform's cooldown where none is set. [s]"""
    no_cooldown = hosting == EC2 or metric == "provisioned_concurrency_utilisation"
    return 0.0 if no_cooldown else COOLDOWN_S


def warm_up_s(asked: float | None, hosting: str) -> float:
    """Instance warm-up in force: as set, else an EC2 group's default cooldown; none elsewhere."""
    if asked is not None:
        return asked
    return WARM_UP_S if hosting == EC2 else 0.0


def metric_timing(block: TargetTracking, hosting: str) -> tuple[float, float]:
    """Period and publish delay of the tracked metric. [s]"""
    known = a.METRICS[block.metric]
    period_s, publish_delay_s = known.period_s, known.publish_delay_s
    if hosting == EC2 and block.metric == "cpu_utilisation" and not block.detailed_monitoring:
        period_s = BASIC_MONITORING_S
    if block.period_s is not None:
        period_s = block.period_s
    if block.publish_delay_s is not None:
        publish_delay_s = block.publish_delay_s
    return period_s, publish_delay_s


def full_utilisation(block: TargetTracking | StepScaling | Predictive, context: Context) -> float:
    """Value of a utilisation when every slot is in use: 100 a core or device on SageMaker.

    SageMaker adds up cores and devices, so that four GPUs span 0 to 400 (documented: developer
    guide, monitoring-cloudwatch); EC2 publishes their mean; provisioned concurrency is a share.
    The factor of any other measure is 1.
    """
    metric = block.metric
    if a.METRICS[metric].measure != a.UTILISATION or metric.startswith("provisioned"):
        return 1.0
    if block.full_utilisation is not None:
        return block.full_utilisation
    if not context.hosting.startswith("sagemaker"):
        return 100.0
    return 100.0 * (context.vcpus if metric == "cpu_utilisation" else max(context.accelerators, 1))


def target_of(block: TargetTracking | Predictive, context: Context) -> float:
    """The target in force: the analyst's, or the same rule at every model size.

    For requests, ``utilisation x slots x 60 / mean service time`` requests per instance and minute;
    for concurrency and backlogs ``utilisation x slots`` requests; for a utilisation that share of
    its full value. [metric unit]
    """
    if block.target is not None:
        return block.target
    share = block.target_utilisation
    measure = a.METRICS[block.metric].measure
    if measure == a.REQUESTS:
        return share * context.slots * a.MINUTE_S / context.service_s("policy.target")
    if measure == a.UTILISATION:
        return share * full_utilisation(block, context)
    return share * context.slots
