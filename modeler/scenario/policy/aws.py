"""Application Auto Scaling and EC2 Auto Scaling: target tracking.

The fields of the vendor's ``TargetTrackingScalingPolicyConfiguration`` are here under our names:
``TargetValue`` is `target`, the predefined or customised metric is `metric`, the two cooldowns,
``DisableScaleIn`` and ``EstimatedInstanceWarmup`` are what they say.
"""

from typing import Final, Literal

from modeler.scenario.fields import Block, Count, Number, Seconds, Share, setting

AAS: Final = "Application Auto Scaling, TargetTrackingScalingPolicyConfiguration, read 2026-09"
EC2: Final = "EC2 Auto Scaling user guide, ec2-auto-scaling-default-instance-warmup, read 2026-09"
_ALARM = "alarms that target tracking created on user accounts: 3 of 3 out, 15 of 15 in"
NO_NUMBER: Final = "the vendor gives no number"

# What each metric is called by the vendor.
TRACKED = Literal[
    "invocations_per_instance",
    "concurrency_high_resolution",
    "cpu_utilisation",
    "gpu_utilisation",
    "backlog_per_instance",
    "queue_per_instance",
    "provisioned_concurrency_utilisation",
]
VENDOR_METRICS: Final[dict[str, str]] = {
    "SageMakerVariantInvocationsPerInstance": "invocations_per_instance",
    "SageMakerInferenceComponentInvocationsPerCopy": "invocations_per_instance",
    "InvocationsPerInstance": "invocations_per_instance",
    "InvocationsPerCopy": "invocations_per_instance",
    "ALBRequestCountPerTarget": "invocations_per_instance",
    "RequestCountPerTarget": "invocations_per_instance",
    "SageMakerVariantConcurrentRequestsPerModelHighResolution": "concurrency_high_resolution",
    "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": (
        "concurrency_high_resolution"
    ),
    "ConcurrentRequestsPerModel": "concurrency_high_resolution",
    "ConcurrentRequestsPerCopy": "concurrency_high_resolution",
    "ASGAverageCPUUtilization": "cpu_utilisation",
    "ECSServiceAverageCPUUtilization": "cpu_utilisation",
    "CPUUtilization": "cpu_utilisation",
    "CPUUtilizationNormalized": "cpu_utilisation",
    "GPUUtilization": "gpu_utilisation",
    "ApproximateBacklogSizePerInstance": "backlog_per_instance",
    "SageMakerVariantProvisionedConcurrencyUtilization": "provisioned_concurrency_utilisation",
    "LambdaProvisionedConcurrencyUtilization": "provisioned_concurrency_utilisation",
    "ProvisionedConcurrencyUtilization": "provisioned_concurrency_utilisation",
    "ServerlessProvisionedConcurrencyUtilization": "provisioned_concurrency_utilisation",
    "HasBacklogWithoutCapacity": "has_backlog_without_capacity",
    "NoCapacityInvocationFailures": "no_capacity_invocation_failures",
}


class TargetTracking(Block):
    """AWS target tracking: two CloudWatch alarms around a target, and proportional arithmetic."""

    kind: Literal["target_tracking"] = setting(
        "target_tracking",
        "The rule that sets the capacity.",
        origin="assumed",
        source="what SageMaker's console offers first",
    )
    metric: TRACKED = setting(
        "invocations_per_instance",
        "What is tracked: requests per instance and minute; requests in flight and queued; CPU or "
        "GPU in percent; an asynchronous endpoint's backlog; a queue's length per instance; the "
        "share of provisioned concurrency in use.",
        origin="assumed",
        source="the metric of SageMaker's own load-test recipe",
    )
    target: Number | None = setting(
        None,
        "Value of the metric to hold, in its own unit.",
        origin="assumed",
        source="SageMaker's load-test recipe: most requests a second x safety factor x 60",
        derived="target_utilisation x slots (x 60 / mean service time for invocations), or that "
        "share of a full utilisation",
        gt=0,
    )
    target_utilisation: Share = setting(
        0.7,
        "Share of a replica's capacity that the derived target holds.",
        origin="assumed",
        source="between the vendor's starting point of 0.5 and full use",
        gt=0,
    )
    full_utilisation: Number | None = setting(
        None,
        "CPU or GPU utilisation when every slot is in use.",
        unit="%",
        origin="documented",
        source="SageMaker adds up cores and devices: developer guide, monitoring-cloudwatch",
        derived="100 a core or device on SageMaker, 100 elsewhere",
        gt=0,
    )
    scale_out_cooldown_s: Seconds | None = setting(
        None,
        "Time after added capacity is in service during which only a larger addition goes through.",
        unit="s",
        origin="documented",
        source=AAS,
        derived="300; 0 for provisioned concurrency and on EC2, which has a warm-up instead",
    )
    scale_in_cooldown_s: Seconds | None = setting(
        None,
        "Time after a removal during which no other removal starts.",
        unit="s",
        origin="documented",
        source=AAS,
        derived="300; 0 for provisioned concurrency and on EC2, which has a warm-up instead",
    )
    instance_warmup_s: Seconds | None = setting(
        None,
        "Time in service before a replica feeds the metric; until then it counts as capacity and "
        "holds every removal back.",
        unit="s",
        origin="documented",
        source=EC2,
        derived="300 on EC2, the group's default cooldown; none elsewhere",
    )
    disable_scale_in: bool = setting(
        False, "Never remove capacity.", origin="documented", source=AAS
    )
    detailed_monitoring: bool = setting(
        False,
        "EC2 instance metrics each minute instead of every five.",
        origin="documented",
        source="EC2 Auto Scaling user guide, enable-as-instance-metrics, read 2026-09",
    )
    period_s: Seconds | None = setting(
        None,
        "Period of the high alarm and of its metric.",
        unit="s",
        origin="documented",
        source="SageMaker developer guide, predefined metrics, read 2026-09",
        derived="10 for high-resolution concurrency, 300 for EC2's basic monitoring, else 60",
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
    low_threshold_factor: Share | None = setting(
        None,
        "Low threshold over target.",
        origin="observed",
        source="a target of 1500 gave a low alarm at 1350; an EC2 group's 75, 50, 40 and 30 gave "
        "52.5, 35, 28 and 21",
        derived="0.9; 0.7 on EC2",
        gt=0,
    )
    publish_delay_s: Seconds | None = setting(
        None,
        "From the end of a period until its datapoint can be evaluated.",
        unit="s",
        origin="assumed",
        source=NO_NUMBER,
        derived="10 for high-resolution concurrency, else 60",
    )
    alarm_eval_delay_s: Seconds = setting(
        10.0,
        "From a datapoint until the alarm acts on it.",
        unit="s",
        origin="assumed",
        source=NO_NUMBER,
    )
    ratio_datapoint: Literal["latest", "average"] = setting(
        "latest",
        "Which datapoint feeds the ratio: the latest, or the mean of those that breached.",
        origin="assumed",
        source="not published",
    )
    flap_guard: bool = setting(
        True,
        "Skip a removal that would lift the metric above the target.",
        origin="documented",
        source="Application Auto Scaling, scaling activities, AutoScalingAnticipatedFlapping",
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
