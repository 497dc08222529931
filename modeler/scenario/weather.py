"""Bad weather: what the provider does to a fleet, as blocks that go together on any scenario."""

from typing import Annotated, Final, Literal

from pydantic import Tag

from modeler.scenario.fields import (
    Block,
    Count,
    Number,
    Seconds,
    Share,
    UsdPerHour,
    by_kind,
    setting,
)

# Spot interruption bands are shares of instances interrupted in the trailing month (EC2 Spot
# instance advisor). The middle of a band is taken, and the open one as 25 % (assumed).
BANDS: Final = {"<5%": 0.025, "5-10%": 0.075, "10-15%": 0.125, "15-20%": 0.175, ">20%": 0.25}
_CLOCK: Final = r"^([01]\d|2[0-3]):[0-5]\d$"


class _Window(Block):
    from_s: Seconds = setting(0.0, "When it begins, since the trace's first instant.", unit="s")
    from_time: str | None = setting(
        None,
        "When it begins each day instead, on the wall clock in UTC (HH:MM).",
        pattern=_CLOCK,
    )
    for_s: Seconds = setting(
        3600.0,
        "How long it lasts.",
        unit="s",
        origin="assumed",
        source="an hour, as an example",
        gt=0,
    )


class SpotReclaim(Block):
    """Spot instances are taken back, with notice."""

    kind: Literal["spot_reclaim"] = "spot_reclaim"
    per_hour: Number | None = setting(
        None,
        "Rate at which an instance is reclaimed.",
        unit="1/h",
        origin="assumed",
        source="a constant hazard, from the band's share of a month",
        derived="from band",
        ge=0,
    )
    band: Literal["<5%", "5-10%", "10-15%", "15-20%", ">20%"] = setting(
        "5-10%",
        "Share of instances interrupted in a month, as the Spot instance advisor gives it.",
        origin="assumed",
        source="the middle of the five bands is 10-15 %, the commonest for GPUs 5-10 % or more",
    )
    notice_s: Seconds = setting(
        120.0,
        "Time between the notice and the reclaim; the replica takes no requests in it.",
        unit="s",
        origin="documented",
        source="EC2 user guide, Spot instance interruption notices, read 2026-09",
    )
    replace_at: Literal["notice", "termination"] | None = setting(
        None,
        "When the replacement is asked for.",
        origin="documented",
        source="Karpenter drains and replaces on notice; an Auto Scaling group replaces what has "
        "ended, unless capacity rebalancing is on",
        derived="notice on Kubernetes, termination on ec2_asg",
    )
    free_first_hour: bool = setting(
        True,
        "Whether an instance that is reclaimed in its first hour costs nothing.",
        origin="documented",
        source="EC2 user guide, billing for interrupted Spot instances, read 2026-09",
    )


class InsufficientCapacity(_Window):
    """No instance of a type can be had for a while."""

    kind: Literal["insufficient_capacity"] = "insufficient_capacity"
    instance: str | None = setting(
        None, "Instance type that is short.", derived="the scenario's own", min_length=1
    )
    retry_s: Seconds = setting(
        60.0,
        "Between one failed request and the next.",
        unit="s",
        origin="assumed",
        source="no platform publishes its period",
        gt=0,
    )
    fallback: str | None = setting(
        None, "Instance type that is asked for instead.", derived="none", min_length=1
    )
    fallback_after_s: Seconds = setting(
        0.0,
        "How long requests fail before the fallback is asked for.",
        unit="s",
        origin="assumed",
        source="the next in the list is tried at once",
    )
    fallback_purchase: Literal["on-demand", "spot"] = setting(
        "on-demand", "How it is bought.", origin="assumed", source="what can be had"
    )
    fallback_usd_per_hour: UsdPerHour | None = setting(
        None, "Its price, instead of the dated tables.", unit="USD/h"
    )


class SlowStore(_Window):
    """The object store is slow for replicas requested in a window."""

    kind: Literal["slow_store"] = "slow_store"
    factor: Number = setting(
        0.25,
        "What the rate of the artifact fetch is multiplied by.",
        origin="assumed",
        source="an example; best-effort stores vary by more",
        gt=0,
        le=1,
    )


class SlowRegistry(_Window):
    """The registry is slow for replicas requested in a window."""

    kind: Literal["slow_registry"] = "slow_registry"
    factor: Number = setting(
        0.25,
        "What the rate of the image pull is multiplied by.",
        origin="assumed",
        source="an example; throttled registries vary by more",
        gt=0,
        le=1,
    )


class FailedStart(Block):
    """A start fails with some probability, and is tried again."""

    kind: Literal["failed_start"] = "failed_start"
    probability: Share = setting(
        0.05, "Share of starts that fail.", origin="assumed", source="an example"
    )
    detected: Literal["ready", "limit"] = setting(
        "ready",
        "When it is noticed: when it would have been ready, or at cold_start.start_limit_s.",
        origin="assumed",
        source="the first health check fails",
    )


class ZoneLost(_Window):
    """An availability zone is gone, with all that is in it; new instances go to the others."""

    kind: Literal["zone_lost"] = "zone_lost"
    zones: Count = setting(
        3,
        "Zones the fleet is spread over.",
        origin="assumed",
        source="what most regions have at least",
        ge=2,
        le=6,
    )
    which: Count = setting(0, "Which of them is lost, from 0.", ge=0)


Weather = Annotated[
    Annotated[SpotReclaim, Tag("spot_reclaim")]
    | Annotated[InsufficientCapacity, Tag("insufficient_capacity")]
    | Annotated[SlowStore, Tag("slow_store")]
    | Annotated[SlowRegistry, Tag("slow_registry")]
    | Annotated[FailedStart, Tag("failed_start")]
    | Annotated[ZoneLost, Tag("zone_lost")],
    by_kind(""),
]
