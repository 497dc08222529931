"""Knative Serving's pod autoscaler (KPA)."""

from typing import Literal

from modeler.scenario.fields import Block, Count, Number, Seconds, Share, setting

_CONFIG = "knative/serving config-autoscaler, defaults of pkg/autoscaler/config, read 2026-09"
_ANNOTATION = "knative/serving pkg/apis/autoscaling/register.go, read 2026-09"


class KnativeKpa(Block):
    """Knative's KPA: stable and panic windows over cluster-wide concurrency or requests a second.

    The bounds ``min-scale`` and ``max-scale`` are ``fleet.min`` and ``fleet.max``.
    """

    kind: Literal["knative_kpa"] = "knative_kpa"
    metric: Literal["concurrency", "rps"] = setting(
        "concurrency",
        "What is averaged: requests in service and waiting, or requests a second.",
        origin="documented",
        source=_ANNOTATION,
    )
    container_concurrency: Count = setting(
        0,
        "Hard limit of requests a pod takes at once (containerConcurrency); 0 for none.",
        unit="requests",
        origin="documented",
        source=_CONFIG,
        ge=0,
    )
    target: Number | None = setting(
        None,
        "Value of the metric for one pod, before the utilisation (annotation target).",
        origin="documented",
        source=_CONFIG,
        derived="container_concurrency, or the default of the metric where that is 0",
        ge=0.01,
    )
    concurrency_target_default: Number = setting(
        100.0,
        "Target where neither it nor the container's limit is given, for concurrency.",
        unit="requests",
        origin="documented",
        source=_CONFIG,
        ge=0.01,
    )
    rps_target_default: Number = setting(
        200.0,
        "Target where neither it nor the container's limit is given, for requests a second.",
        unit="1/s",
        origin="documented",
        source=_CONFIG,
        ge=1,
    )
    target_utilisation: Share = setting(
        0.7,
        "Share of the target that a pod is to carry.",
        origin="documented",
        source=_CONFIG,
        ge=0.01,
        le=1,
    )
    target_burst_capacity: Number = setting(
        211.0,
        "Burst to be taken without the activator's buffer; 0 never buffers, -1 always.",
        unit="requests",
        origin="documented",
        source=_CONFIG,
        ge=-1,
    )
    stable_window_s: Seconds = setting(
        60.0,
        "Window of the average that decides.",
        unit="s",
        origin="documented",
        source=_CONFIG,
        ge=6,
        le=3600,
        multiple_of=1,
    )
    panic_window_share: Share = setting(
        0.1,
        "Panic window over stable window.",
        origin="documented",
        source=_CONFIG,
        ge=0.01,
        le=1,
    )
    panic_threshold: Number = setting(
        2.0,
        "Pods wanted in the panic window over pods ready, from which on it panics (200 %).",
        origin="documented",
        source=_CONFIG,
        ge=1.1,
        le=10,
    )
    max_scale_up_rate: Number = setting(
        1000.0,
        "Most pods of a decision over pods ready.",
        origin="documented",
        source=_CONFIG,
        gt=1,
    )
    max_scale_down_rate: Number = setting(
        2.0,
        "Pods ready over fewest pods of a decision.",
        origin="documented",
        source=_CONFIG,
        gt=1,
    )
    scale_down_delay_s: Seconds = setting(
        0.0,
        "For how long a lower count must have been wanted.",
        unit="s",
        origin="documented",
        source=_CONFIG,
        le=3600,
        multiple_of=1,
    )
    activation_scale: Count = setting(
        1,
        "Fewest pods when any are wanted.",
        unit="pods",
        origin="documented",
        source=_ANNOTATION,
        ge=1,
    )
    initial_scale: Count = setting(
        1,
        "Pods a new revision must reach before it may have fewer.",
        unit="pods",
        origin="documented",
        source=_CONFIG,
        ge=0,
    )
    new_revision: bool = setting(
        False,
        "Whether the revision is created as the trace starts, so that the initial scale counts.",
        origin="assumed",
        source="a service that has been up before the trace",
    )
    enable_scale_to_zero: bool = setting(
        True, "Whether the last pod may go.", origin="documented", source=_CONFIG
    )
    scale_to_zero_grace_s: Seconds = setting(
        30.0,
        "How long the activator must be in the path before the last pod goes.",
        unit="s",
        origin="documented",
        source=_CONFIG,
        ge=6,
    )
    pod_retention_s: Seconds = setting(
        0.0,
        "How long the last pod stays at least once the revision is inactive.",
        unit="s",
        origin="documented",
        source=_CONFIG,
    )
    progress_deadline_s: Seconds = setting(
        600.0,
        "How long a pod may take to come up; 30 s later an activation that nobody waits for ends.",
        unit="s",
        origin="documented",
        source="knative/serving config-deployment, progress-deadline, read 2026-09",
        gt=0,
    )
    aggregation: Literal["linear", "weighted-exponential"] = setting(
        "linear",
        "How a window is averaged (annotation metric-aggregation-algorithm).",
        origin="documented",
        source=_ANNOTATION,
    )
    tick_s: Seconds = setting(
        2.0,
        "Period of the decisions.",
        unit="s",
        origin="documented",
        source="knative/serving pkg/autoscaler/scaling/multiscaler.go, tickInterval",
        gt=0,
    )
    scrape_s: Seconds = setting(
        1.0,
        "Period of the samples and length of a window's buckets.",
        unit="s",
        origin="documented",
        source="knative/serving pkg/autoscaler/metrics/collector.go, scrapeTickInterval",
        gt=0,
    )
    deactivation_requeue_s: Seconds = setting(
        3.0,
        "From inactive to the next look at the last pod, the activator being in the path already.",
        unit="s",
        origin="documented",
        source="knative/serving pkg/reconciler/autoscaling/kpa/scaler.go",
    )
