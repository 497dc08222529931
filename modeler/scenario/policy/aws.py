"""Application Auto Scaling and EC2 Auto Scaling."""

from typing import Literal

from modeler.scenario.fields import Block, Count, Number, Seconds, Share, setting

_AAS = "Application Auto Scaling, TargetTrackingScalingPolicyConfiguration, read 2026-09"
_ALARM = "alarms that target tracking created on user accounts: 3 of 3 out, 15 of 15 in"


class TargetTracking(Block):
    """AWS target tracking: two CloudWatch alarms around a target, and proportional arithmetic."""

    kind: Literal["target_tracking"] = setting(
        "target_tracking",
        "The rule that sets the capacity.",
        origin="assumed",
        source="what SageMaker's console offers first",
    )
    metric: Literal["invocations_per_instance", "concurrency_high_resolution"] = setting(
        "invocations_per_instance",
        "What is tracked: requests per instance and minute, or requests in flight and queued.",
        origin="assumed",
        source="the metric of SageMaker's own load-test recipe",
    )
    target: Number | None = setting(
        None,
        "Value of the metric to hold, in its own unit.",
        origin="assumed",
        source="SageMaker's load-test recipe: most requests a second x safety factor x 60",
        derived="target_utilisation x slots (x 60 / mean service time for invocations)",
        gt=0,
    )
    target_utilisation: Share = setting(
        0.7,
        "Share of a replica's capacity that the derived target holds.",
        origin="assumed",
        source="between the vendor's starting point of 0.5 and full use",
        gt=0,
    )
    scale_out_cooldown_s: Seconds = setting(
        300.0,
        "Time after added capacity is in service during which only a larger addition goes through.",
        unit="s",
        origin="documented",
        source=_AAS,
    )
    scale_in_cooldown_s: Seconds = setting(
        300.0,
        "Time after a removal during which no other removal starts.",
        unit="s",
        origin="documented",
        source=_AAS,
    )
    disable_scale_in: bool = setting(
        False, "Never remove capacity.", origin="documented", source=_AAS
    )
    period_s: Seconds | None = setting(
        None,
        "Period of the high alarm and of its metric.",
        unit="s",
        origin="documented",
        source="SageMaker developer guide, predefined metrics, read 2026-09",
        derived="60 for invocations, 10 for high-resolution concurrency",
        gt=0,
    )
    high_datapoints: Count = setting(
        3,
        "Datapoints above the target before scaling out.",
        origin="observed",
        source=f"{_ALARM}; not published for high-resolution metrics, there assumed",
        ge=1,
    )
    low_datapoints: Count = setting(
        15,
        "Datapoints below the low threshold before scaling in.",
        origin="observed",
        source=_ALARM,
        ge=1,
    )
    low_period_s: Seconds = setting(
        60.0,
        "Period of the low alarm, the same pace for both metrics.",
        unit="s",
        origin="documented",
        source="SageMaker developer guide, endpoint-auto-scaling-add-code-define, read 2026-09",
        gt=0,
    )
    low_threshold_factor: Share = setting(
        0.9,
        "Low threshold over target.",
        origin="observed",
        source="a target of 1500 gave a low alarm at 1350",
        gt=0,
    )
    publish_delay_s: Seconds | None = setting(
        None,
        "From the end of a period until its datapoint can be evaluated.",
        unit="s",
        origin="assumed",
        source="the vendor gives no number",
        derived="60 for invocations, 10 for high-resolution concurrency",
    )
    alarm_eval_delay_s: Seconds = setting(
        10.0,
        "From a datapoint until the alarm acts on it.",
        unit="s",
        origin="assumed",
        source="the vendor gives no number",
    )
    refuse_while_updating: bool | None = setting(
        None,
        "Whether a change is refused, and tried again a minute later, while one is under way.",
        origin="documented",
        source="Application Auto Scaling, scaling activities, reason codes, read 2026-09",
        derived="true for a SageMaker endpoint, false elsewhere",
    )
    scale_in_step_limit: Count | None = setting(
        None,
        "Most replicas removed at once.",
        origin="assumed",
        source="'more gradually' has no published rule; the 15-minute alarm is the damping",
        derived="no limit",
        ge=1,
    )
