"""Application Auto Scaling and EC2 Auto Scaling: capacity by the clock, and by forecast."""

from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator

from modeler.scenario.fields import Block, Count, Number, Seconds, Share, setting

_SCHEDULED: Final = "Application Auto Scaling user guide, scheduled scaling, read 2026-09"
_PREDICTIVE: Final = "EC2 Auto Scaling API reference, PredictiveScalingConfiguration, read 2026-09"


class Scheduled(Block):
    """An AWS scheduled action: at its times the bounds change, and the capacity moves into them."""

    kind: Literal["scheduled"] = "scheduled"
    schedule: str = setting(
        ...,
        "When: at(yyyy-mm-ddThh:mm:ss), rate(5 minutes), cron(0 8 ? * MON-FRI *), or the five "
        "fields of an EC2 group's recurrence.",
        min_length=1,
    )
    timezone: str = setting(
        "UTC",
        "Time zone of the schedule, with its daylight-saving time.",
        origin="documented",
        source=_SCHEDULED,
        min_length=1,
    )
    min_replicas: Count | None = setting(
        None, "Fewest replicas from then on.", derived="unchanged", ge=0
    )
    max_replicas: Count | None = setting(
        None, "Most replicas from then on.", derived="unchanged", ge=0
    )
    start: str | None = setting(
        None, "First moment at which it may run (ISO 8601, UTC).", derived="always"
    )
    end: str | None = setting(
        None, "Last moment at which it may run (ISO 8601, UTC).", derived="for ever"
    )


def _read_history(value: Any) -> Any:
    return () if value is None else value


class Predictive(Block):
    """AWS predictive scaling: an hourly forecast below which the capacity does not fall."""

    kind: Literal["predictive"] = "predictive"
    metric: Literal[
        "invocations_per_instance", "concurrency_high_resolution", "cpu_utilisation"
    ] = setting(
        "invocations_per_instance",
        "What is forecast for the fleet and held per replica.",
        origin="assumed",
        source="the metric that target tracking starts with",
    )
    target: Number | None = setting(
        None,
        "Value of the metric that the forecast capacity holds.",
        origin="assumed",
        source="the target of target tracking",
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
        "CPU utilisation when every slot is in use.",
        unit="%",
        origin="documented",
        source="SageMaker adds up cores: developer guide, monitoring-cloudwatch",
        derived="100 a core on SageMaker, 100 elsewhere",
        gt=0,
    )
    mode: Literal["forecast_only", "forecast_and_scale"] = setting(
        "forecast_only", "Whether the forecast acts.", origin="documented", source=_PREDICTIVE
    )
    scheduling_buffer_s: Seconds = setting(
        300.0,
        "How long before the hour its capacity is asked for.",
        unit="s",
        origin="documented",
        source=_PREDICTIVE,
        lt=3600.0,
    )
    max_capacity_behaviour: Literal["honour", "increase"] = setting(
        "honour",
        "Whether a forecast may exceed fleet.max.",
        origin="documented",
        source=_PREDICTIVE,
    )
    max_capacity_buffer_percent: Number = setting(
        0.0,
        "By how much more than the forecast it then may.",
        unit="%",
        origin="documented",
        source=_PREDICTIVE,
        ge=0,
        le=100,
    )
    history: Annotated[tuple[Number, ...], BeforeValidator(_read_history)] = setting(
        (),
        "Mean of metric x replicas in each whole hour before the trace, oldest first; the forecast "
        "needs 24 hours, from here or from the trace itself.",
        origin="assumed",
        source="nothing was seen before the trace",
    )
