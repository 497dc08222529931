"""Application Auto Scaling and EC2 Auto Scaling: step scaling on an alarm of one's own.

The fields of ``StepScalingPolicyConfiguration`` and of the CloudWatch alarm that invokes it are
here under our names: ``MetricIntervalLowerBound`` and ``UpperBound`` are `lower` and `upper`,
``MetricAggregationType`` is `metric_aggregation`, the others are what they say.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator

from modeler.scenario.fields import Block, Count, Number, Seconds, setting
from modeler.scenario.policy.aws import EC2, NO_NUMBER

_STEP: Final = "Application Auto Scaling, StepScalingPolicyConfiguration, read 2026-09"
_ALARM: Final = "CloudWatch API reference, PutMetricAlarm, read 2026-09"


class Step(Block):
    """One step: how much to change the capacity while the breach lies between two bounds."""

    lower: Number | None = setting(
        None, "Metric less threshold from here on.", derived="no lower bound"
    )
    upper: Number | None = setting(
        None, "Metric less threshold up to here.", derived="no upper bound"
    )
    adjustment: Number = setting(..., "Replicas, or percent of the capacity.")


def _read_steps(value: Any) -> Any:
    """A single step for a list of one."""
    return [value] if isinstance(value, dict) else value


Steps = Annotated[tuple[Step, ...], BeforeValidator(_read_steps)]


class StepScaling(Block):
    """AWS step scaling: an alarm of one's own, and an adjustment by how far it is breached."""

    kind: Literal["step_scaling"] = "step_scaling"
    metric: Literal[
        "invocations_per_instance",
        "concurrency_high_resolution",
        "cpu_utilisation",
        "gpu_utilisation",
        "backlog_per_instance",
        "queue_per_instance",
        "provisioned_concurrency_utilisation",
        "has_backlog_without_capacity",
        "no_capacity_invocation_failures",
    ] = setting(..., "What the alarm watches.")
    statistic: Literal["Average", "Minimum", "Maximum", "Sum"] | None = setting(
        None,
        "How a period's samples become a datapoint.",
        origin="documented",
        source="SageMaker developer guide, the alarms of its examples, read 2026-09",
        derived="Sum of invocations and of failures, else Average",
    )
    comparison: Literal[">", ">=", "<", "<="] = setting(
        ">=",
        "When a datapoint breaches, held against the threshold.",
        origin="documented",
        source="the operator of the vendor's own step examples",
    )
    threshold: Number = setting(..., "Value that breaches, in the metric's unit over its period.")
    period_s: Seconds | None = setting(
        None,
        "Period of the alarm.",
        unit="s",
        origin="documented",
        source="SageMaker developer guide, predefined metrics, read 2026-09",
        derived="10 for high-resolution concurrency, else 60",
        gt=0,
    )
    evaluation_periods: Count = setting(
        1,
        "Datapoints the alarm looks at (N).",
        origin="documented",
        source="SageMaker developer guide, endpoint-auto-scaling-zero-instances, read 2026-09",
        ge=1,
    )
    datapoints_to_alarm: Count | None = setting(
        None,
        "Of them, those that must breach (M).",
        origin="documented",
        source=_ALARM,
        derived="all of them",
        ge=1,
    )
    treat_missing: Literal["missing", "ignore", "breaching", "notBreaching"] = setting(
        "missing", "What a missing datapoint counts as.", origin="documented", source=_ALARM
    )
    adjustment_type: Literal["ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"] = (
        setting(
            "ChangeInCapacity",
            "What an adjustment is: replicas more, the capacity itself, or percent more.",
            origin="documented",
            source=_STEP,
        )
    )
    steps: Steps = setting(..., "Adjustments by the size of the breach.", min_length=1)
    min_adjustment_magnitude: Number | None = setting(
        None,
        "Fewest replicas that a percentage adds or removes.",
        unit="replicas",
        origin="documented",
        source=_STEP,
        derived="no minimum",
        ge=0,
    )
    metric_aggregation: Literal["Average", "Minimum", "Maximum"] = setting(
        "Average",
        "Which value of the alarm's datapoints is held against the steps.",
        origin="documented",
        source=_STEP,
    )
    cooldown_s: Seconds | None = setting(
        None,
        "Time after a change during which earlier additions count and no removal starts.",
        unit="s",
        origin="documented",
        source=_STEP,
        derived="300; 0 for provisioned concurrency and on EC2, which has a warm-up instead",
    )
    instance_warmup_s: Seconds | None = setting(
        None,
        "Time in service during which an added replica counts toward the next addition and holds "
        "every removal back.",
        unit="s",
        origin="documented",
        source=EC2,
        derived="300 on EC2, the group's default cooldown; none elsewhere",
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
